//! Puts other people's validation cases to `trust`, and says of each suite how many it answered rightly.
//!
//! Stands beside the road: the suites come from elsewhere and are no part of this repository, so that their folders are
//! arguments; any suite in the neutral format of cases is read. `conformance FOLDER…` fails on every case that must not
//! pass and passes. With `--floors` it also fails when a suite of [`FLOORS`] is missing or holds fewer cases than it
//! should, and when fewer cases are answered rightly than once were.
//!
//! **Invariant**: every case of every suite is asked, or counted as unsupported.

mod case;
mod kinds;
mod tally;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use case::Case;
use tally::Tally;

/// A suite, how many cases it has, and how many are answered rightly at least.
struct Floor {
    suite: &'static str,
    cases: usize,
    agree: usize,
}

const FLOORS: &[Floor] = &[
    floor("pkits", 246, 245),
    floor("openssl-ocsp", 79, 79),
    floor("wycheproof", 7141, 6611),
    floor("pyhanko-pdf", 111, 111),
    floor("pdf-attacks", 33, 33),
    floor("dss-cades", 98, 98),
    floor("xmldsig-xmlsec", 2257, 2257),
    floor("rfc3161", 14, 14),
];

const fn floor(suite: &'static str, cases: usize, agree: usize) -> Floor {
    Floor { suite, cases, agree }
}

/// Puts validation cases of other people to the validator.
#[derive(Parser)]
struct Arguments {
    /// Folders, each with the cases.json of a suite.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Fails when a suite is missing or does worse than it once did.
    #[arg(long)]
    floors: bool,
    /// Says of each wrong or unsupported answer why, and which cases pass of those that the suite leaves open.
    #[arg(long)]
    list: bool,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut faults = Vec::new();
    let mut tallies = Vec::new();
    for folder in &arguments.folders {
        match run(folder) {
            Ok((suite, tally)) => {
                println!("{suite}: {tally}");
                if arguments.list {
                    tally.lines().for_each(|line| println!("    {line}"));
                }
                faults.extend(tally.faults().map(|fault| format!("{suite}: {fault}")));
                tallies.push((suite, tally));
            }
            Err(reason) => faults.push(format!("{}: {reason}", folder.display())),
        }
    }
    if arguments.floors {
        faults.extend(FLOORS.iter().filter_map(|floor| below(floor, &tallies)));
    }
    for fault in &faults {
        eprintln!("conformance: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What is missing to a floor.
fn below(floor: &Floor, tallies: &[(String, Tally)]) -> Option<String> {
    let Floor { suite, cases, agree } = floor;
    let Some((_, tally)) = tallies.iter().find(|(name, _)| name == suite) else {
        return Some(format!("{suite} was not asked"));
    };
    (tally.cases < *cases || tally.agree < *agree).then(|| {
        format!(
            "{suite}: {} of {} cases agree; there are {cases}, and {agree} once did",
            tally.agree, tally.cases
        )
    })
}

/// Asks every case of the suite in this folder.
fn run(folder: &Path) -> Result<(String, Tally), String> {
    let path = folder.join("cases.json");
    let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let whole: Value = serde_json::from_slice(&text).map_err(|error| format!("cases.json: {error}"))?;
    let suite = whole["suite"].as_str().ok_or("cases.json names no suite")?;
    let cases = whole["cases"].as_array().ok_or("cases.json has no cases")?;
    let mut tally = Tally::default();
    for value in cases {
        let case = Case { folder, value };
        let id = case.text("id")?;
        let judged = kinds::answer(&case).and_then(|answer| tally.count(&case, answer));
        judged.map_err(|reason| format!("{id}: {reason}"))?;
    }
    Ok((suite.to_owned(), tally))
}
