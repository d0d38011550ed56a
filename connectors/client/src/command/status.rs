//! `connector status`: reports a status of a document that `receive` or `watch` wrote to the folder.

use std::path::{Path, PathBuf};

use connector::config::Config;
use connector::report::{StatusReport, Subject, status_packet};
use connector::text::Text;
use connector::{Submission, SubmitFault};
use domain::dispatch::Rank;
use domain::packet::{DocumentPacket, Limits, Packet, StatusCode};

use super::delivery::{Parcel, Waiting, deliver};
use super::receive::folder_of;
use super::{CommandFault, Ending, complain, file_fault};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(help = Text::HelpCase.with(&[]), long, required_unless_present_any = ["document", "packet"])]
    case: Option<String>,
    #[arg(help = Text::HelpDocument.with(&[]), long)]
    document: Option<String>,
    #[arg(help = Text::HelpPacket.with(&[]), long, conflicts_with_all = ["case", "document"])]
    packet: Option<PathBuf>,
    #[arg(help = Text::HelpFor.with(&[]), long = "for")]
    recipient: Option<String>,
    #[arg(help = Text::HelpCode.with(&[]), long)]
    code: String,
    #[arg(help = Text::HelpNote.with(&[]), long)]
    note: Option<String>,
    #[arg(help = Text::HelpFrom.with(&[]), long)]
    from: Option<PathBuf>,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(config: Config, arguments: Arguments) -> Result<Ending, CommandFault> {
    let agency = config.agency.clone().ok_or(SubmitFault::NoAgency)?;
    let code =
        StatusCode::parse(&arguments.code).ok_or_else(|| CommandFault::Told(Text::FaultCode.both(&[])))?;
    if matches!(code, StatusCode::Refused | StatusCode::ChangeRefused) && arguments.note.is_none() {
        return Err(CommandFault::Told(Text::FaultNoReason.both(&[])));
    }
    let folder = arguments.from.clone().unwrap_or_else(|| folder_of(&config));
    let found = match &arguments.packet {
        Some(path) => open(path, &config)?,
        None => find(&folder, &arguments, &config)?,
    };
    let document = found.ok_or_else(|| {
        let folder = folder.display().to_string();
        CommandFault::Told(Text::FaultNoDocument.both(&[("folder", &folder)]))
    })?;
    let report = StatusReport {
        code,
        note: arguments.note,
        staff: None,
        at: connector::now(),
    };
    let fault = |fault| CommandFault::Packet {
        path: folder.clone(),
        fault,
    };
    let mut subject = Subject::of(&document);
    subject.organ_id = arguments.recipient.unwrap_or(subject.organ_id);
    let bytes = status_packet(&agency, &subject, &report).map_err(fault)?;
    let rank = Rank::of_priority(document.other.priority);
    let parcel = Parcel {
        name: format!("{} {}", code.code(), document.document_id),
        submission: Submission { bytes, rank },
    };
    deliver(config, vec![parcel], arguments.waiting).await
}

/// The document of the case, or with the id.
fn find(
    folder: &Path,
    arguments: &Arguments,
    config: &Config,
) -> Result<Option<Box<DocumentPacket>>, CommandFault> {
    let cases = match &arguments.case {
        Some(case) => vec![folder.join(case)],
        None => list(folder)?,
    };
    for case in cases {
        for path in list(&case)? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !name.ends_with(".edxml") || name.ends_with(".status.edxml") {
                continue;
            }
            let opened = open(&path, config).unwrap_or_else(|fault| {
                // It may be another document: the search goes on.
                complain(&fault.complaint());
                None
            });
            if let Some(document) = opened
                && arguments
                    .document
                    .as_ref()
                    .is_none_or(|id| *id == document.document_id)
            {
                return Ok(Some(document));
            }
        }
    }
    Ok(None)
}

/// The document in a file, if it holds one.
fn open(path: &Path, config: &Config) -> Result<Option<Box<DocumentPacket>>, CommandFault> {
    let mut limits = Limits::default();
    limits.xml.bytes_max = config.limits.packet_bytes_max;
    let bytes = std::fs::read(path).map_err(file_fault(path))?;
    match Packet::open(&bytes, &limits) {
        Ok(Packet::Document(document)) => Ok(Some(document)),
        Ok(Packet::Status(_)) | Err(_) => Ok(None),
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, CommandFault> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(file_fault(folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|it| it.path()).map_err(file_fault(folder)))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
