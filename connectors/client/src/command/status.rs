//! `connector status`: reports a status of a document that `receive` or `watch` wrote to the folder.

use std::path::{Path, PathBuf};

use connector::config::Config;
use connector::report::{StatusReport, Subject, status_packet};
use connector::{Submission, SubmitFault};
use domain::dispatch::Rank;
use domain::packet::{DocumentPacket, Limits, Packet, StatusCode};

use super::delivery::{Parcel, Waiting, deliver};
use super::receive::folder_of;
use super::{CommandFault, Ending, file_fault};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case of the document / Hồ sơ
    #[arg(long, required_unless_present_any = ["document", "packet"])]
    case: Option<String>,
    /// The document's id / Mã văn bản
    #[arg(long)]
    document: Option<String>,
    /// The document itself, as a file / Tệp văn bản
    #[arg(long, conflicts_with_all = ["case", "document"])]
    packet: Option<PathBuf>,
    /// Whom the status is for, if not the document's sender: for 13 the recipient that is asked / Mã cơ quan nhận
    #[arg(long = "for")]
    recipient: Option<String>,
    /// 01 to 06, 13, 15 or 16 / Mã trạng thái
    #[arg(long)]
    code: String,
    /// Text for people; the reason of 02 and 16 / Ghi chú, lý do
    #[arg(long)]
    note: Option<String>,
    /// Where received documents lie; `received` in the data folder by default
    #[arg(long)]
    from: Option<PathBuf>,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(config: Config, arguments: Arguments) -> Result<Ending, CommandFault> {
    let agency = config.agency.clone().ok_or(SubmitFault::NoAgency)?;
    let code = StatusCode::parse(&arguments.code)
        .ok_or_else(|| CommandFault::Arguments("--code: 01–06, 13, 15, 16".to_owned()))?;
    if matches!(code, StatusCode::Refused | StatusCode::ChangeRefused) && arguments.note.is_none() {
        return Err(CommandFault::Arguments(
            "--note: 02 và 16 phải có lý do / 02 and 16 need a reason".to_owned(),
        ));
    }
    let folder = arguments.from.clone().unwrap_or_else(|| folder_of(&config));
    let found = match &arguments.packet {
        Some(path) => open(path, &config)?,
        None => find(&folder, &arguments, &config)?,
    };
    let document = found.ok_or_else(|| {
        CommandFault::Arguments(format!(
            "không thấy văn bản trong / no such document in {}",
            folder.display()
        ))
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
            if let Some(document) = open(&path, config)?
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
