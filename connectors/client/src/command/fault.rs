//! Why a command could not do its work, in words.

use std::path::{Path, PathBuf};

use connector::compose::ComposeFault;
use connector::config::ConfigFaults;
use connector::receipt::ReceiptFault;
use connector::text::Text;
use connector::{OpenFault, StoreFault, SubmitFault};
use domain::packet::PacketFault;

/// What parts the two languages of a reason in a file of the spool.
pub(crate) const LANGUAGES_PART: &str = "\n";

/// See the module.
#[derive(Debug)]
pub(crate) enum CommandFault {
    Config(ConfigFaults),
    Certificate,
    /// The connector that has the folder did not take it, for this reason in each language.
    NotTaken([String; 2]),
    Store(StoreFault),
    Submit(SubmitFault),
    Compose(ComposeFault),
    Packet {
        path: PathBuf,
        fault: PacketFault,
    },
    Receipt(ReceiptFault),
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    /// Said already.
    Told([String; 2]),
}

impl CommandFault {
    /// Whether the same may succeed later without anybody's help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            CommandFault::Store(fault) => fault.is_transient(),
            CommandFault::File { .. } => true,
            CommandFault::Config(_)
            | CommandFault::Certificate
            | CommandFault::NotTaken(_)
            | CommandFault::Submit(_)
            | CommandFault::Compose(_)
            | CommandFault::Packet { .. }
            | CommandFault::Receipt(_)
            | CommandFault::Told(_) => false,
        }
    }

    /// All that is said of it; a configuration's faults on a line each.
    pub(crate) fn complaint(&self) -> String {
        let mut lines = vec![Text::Failed.with_fault(&self.words(), &[])];
        if let CommandFault::Config(ConfigFaults(faults)) = self {
            lines.extend(faults.iter().cloned());
        }
        lines.join("\n  ")
    }

    /// What is wrong and what to do, in each language.
    pub(crate) fn words(&self) -> [String; 2] {
        match self {
            CommandFault::Config(ConfigFaults(faults)) => {
                Text::FaultConfig.both(&[("count", &faults.len().to_string())])
            }
            CommandFault::Certificate => Text::FaultCertificate.both(&[]),
            CommandFault::NotTaken(reason) => {
                let [vi, en] = reason;
                let [vi, _] = Text::FaultNotTaken.both(&[("reason", vi)]);
                let [_, en] = Text::FaultNotTaken.both(&[("reason", en)]);
                [vi, en]
            }
            CommandFault::Store(fault) => of_store(fault),
            CommandFault::Submit(fault) => of_submission(fault),
            CommandFault::Compose(ComposeFault::Incomplete(missing)) => {
                let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                Text::FaultIncomplete.both(&[("missing", &missing.join("; "))])
            }
            CommandFault::Compose(ComposeFault::Unwritable(fault)) => of_writing(fault),
            CommandFault::Packet { path, fault } => {
                let (path, fault) = (path.display().to_string(), fault.to_string());
                Text::FaultPacket.both(&[("path", &path), ("fault", &fault)])
            }
            CommandFault::Receipt(fault) => Text::FaultReceipt.both(&[("fault", &fault.to_string())]),
            CommandFault::File { path, error } => {
                let (path, error) = (path.display().to_string(), error.to_string());
                Text::FaultFile.both(&[("path", &path), ("error", &error)])
            }
            CommandFault::Told(words) => words.clone(),
        }
    }
}

/// Our trouble with the folder.
pub(crate) fn of_store(fault: &StoreFault) -> [String; 2] {
    match fault {
        StoreFault::Locked(folder) => Text::FaultLocked.both(&[("folder", &folder.display().to_string())]),
        StoreFault::File {
            operation,
            path,
            error,
        } => {
            let (path, error) = (path.display().to_string(), error.to_string());
            Text::FaultStoreFile.both(&[("operation", operation), ("path", &path), ("error", &error)])
        }
        StoreFault::Damaged { segment, offset } => {
            let (segment, offset) = (segment.to_string(), offset.to_string());
            Text::FaultStoreDamaged.both(&[("segment", &segment), ("offset", &offset)])
        }
        StoreFault::Stopped => Text::FaultStoreStopped.both(&[]),
    }
}

/// Why a packet was not taken into the outbox.
pub(crate) fn of_submission(fault: &SubmitFault) -> [String; 2] {
    match fault {
        SubmitFault::Store(fault) => of_store(fault),
        SubmitFault::TooLarge { bytes, bytes_max } => {
            let (bytes, bytes_max) = (bytes.to_string(), bytes_max.to_string());
            Text::FaultTooLarge.both(&[("bytes", &bytes), ("bytes_max", &bytes_max)])
        }
        SubmitFault::NoAgency => Text::FaultNoAgency.both(&[]),
        SubmitFault::Packet(fault) => of_writing(fault),
        SubmitFault::IdReused(submission) => Text::FaultIdReused.both(&[("submission", submission.as_str())]),
        SubmitFault::NotADocument => Text::FaultNotADocument.both(&[]),
    }
}

fn of_writing(fault: &PacketFault) -> [String; 2] {
    Text::FaultUnwritable.both(&[("fault", &fault.to_string())])
}

/// Names the file of an I/O error.
pub(crate) fn file_fault(path: &Path) -> impl FnOnce(std::io::Error) -> CommandFault {
    let path = path.to_owned();
    move |error| CommandFault::File { path, error }
}

impl From<ConfigFaults> for CommandFault {
    fn from(faults: ConfigFaults) -> CommandFault {
        CommandFault::Config(faults)
    }
}

impl From<OpenFault> for CommandFault {
    fn from(fault: OpenFault) -> CommandFault {
        match fault {
            OpenFault::Store(fault) => CommandFault::Store(fault),
            OpenFault::Certificate => CommandFault::Certificate,
        }
    }
}

impl From<StoreFault> for CommandFault {
    fn from(fault: StoreFault) -> CommandFault {
        CommandFault::Store(fault)
    }
}

impl From<SubmitFault> for CommandFault {
    fn from(fault: SubmitFault) -> CommandFault {
        CommandFault::Submit(fault)
    }
}

impl From<ComposeFault> for CommandFault {
    fn from(fault: ComposeFault) -> CommandFault {
        CommandFault::Compose(fault)
    }
}

impl From<ReceiptFault> for CommandFault {
    fn from(fault: ReceiptFault) -> CommandFault {
        CommandFault::Receipt(fault)
    }
}
