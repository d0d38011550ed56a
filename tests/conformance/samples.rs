//! Opens every official edXML sample of a folder, and says of each what it is.
//!
//! Stands beside the road: the samples come from elsewhere and are no part of this repository, so that the folder is
//! an argument. `samples FOLDER` fails when the folder is missing or too small, when a sample cannot be read, when
//! writing and reading it again changes what it means, and when the one that is broken is taken.
//!
//! **Invariant**: nothing is skipped: each file of the folder gets a line, and each line a verdict.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use domain::packet::{Limits, Packet, PacketFault};
use trust::xml;

/// How many samples the national axis's kit and a vendor's documentation give together.
const SAMPLES_MIN: usize = 17;
/// The kit ships it with stray bytes before its first element, which no reader of XML may pass over.
const BROKEN: &str = "edoc_new.edxml";

/// Opens every edXML sample of a folder and says of each what it is.
#[derive(Parser)]
struct Arguments {
    /// The folder.
    folder: PathBuf,
}

/// What became of one sample.
enum Verdict {
    /// Read, written and read again; one line of what it is.
    Kept(String),
    /// Refused, as it must be; where and why.
    Refused(String),
    /// Not as it must be.
    Wrong(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Kept(summary) => write!(formatter, "ok       {summary}"),
            Verdict::Refused(reason) => write!(formatter, "refused  {reason}"),
            Verdict::Wrong(reason) => write!(formatter, "WRONG    {reason}"),
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]
fn main() -> ExitCode {
    let Arguments { folder } = Arguments::parse();
    let files = match files(&folder) {
        Ok(files) => files,
        Err(reason) => {
            eprintln!("samples: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let mut wrong = 0;
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let verdict = match std::fs::read(path) {
            Ok(bytes) => judge(&name, &bytes),
            Err(error) => Verdict::Wrong(error.to_string()),
        };
        wrong += usize::from(matches!(verdict, Verdict::Wrong(_)));
        println!("{name:<36} {verdict}");
    }
    println!("{} samples, {wrong} wrong", files.len());
    if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let has_broken = files
        .iter()
        .any(|path| path.file_name().is_some_and(|name| name == BROKEN));
    if files.len() < SAMPLES_MIN || !has_broken {
        return Err(format!(
            "{} holds {} files; {SAMPLES_MIN} at least are expected, {BROKEN} among them",
            folder.display(),
            files.len()
        ));
    }
    Ok(files)
}

fn judge(name: &str, bytes: &[u8]) -> Verdict {
    let limits = Limits::default();
    match (Packet::open(bytes, &limits), name == BROKEN) {
        (Ok(packet), false) => kept(&packet, &limits),
        (Ok(packet), true) => Verdict::Wrong(format!(
            "taken for {}, in spite of its stray bytes",
            packet.summary()
        )),
        (Err(fault), false) => Verdict::Wrong(fault.to_string()),
        (Err(PacketFault::Xml(fault)), true) => stray(bytes, &fault),
        (Err(fault), true) => Verdict::Wrong(format!(
            "refused for another reason than its stray bytes: {fault}"
        )),
    }
}

/// What was read must mean the same when it is written and read again.
fn kept(packet: &Packet, limits: &Limits) -> Verdict {
    let again = packet.write().and_then(|bytes| Packet::open(&bytes, limits));
    match again {
        Ok(again) if again == *packet => Verdict::Kept(packet.summary().to_string()),
        Ok(again) => Verdict::Wrong(format!("{} became {}", packet.summary(), again.summary())),
        Err(fault) => Verdict::Wrong(format!("written and not read again: {fault}")),
    }
}

/// The place must be that of the stray bytes: outside of every element, on the first line, not behind the first `<`.
fn stray(bytes: &[u8], fault: &xml::Fault) -> Verdict {
    let first = memchr::memchr(b'<', bytes).unwrap_or(bytes.len());
    let is_there = fault.offset < first && fault.line == 1 && fault.element.is_empty();
    if fault.kind != xml::FaultKind::StrayBefore || !is_there {
        return Verdict::Wrong(format!("refused at another place than its stray bytes: {fault}"));
    }
    let shown = bytes[fault.offset..first].escape_ascii();
    Verdict::Refused(format!(
        "{} stray bytes \"{shown}\" before the first element: {fault}",
        first - fault.offset
    ))
}
