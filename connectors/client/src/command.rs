//! The commands, and what they share: endings, faults, and how an answer is shown.

pub(crate) mod delivery;
pub(crate) mod purpose;
pub(crate) mod receive;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod summary;
pub(crate) mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use connector::compose::ComposeFault;
use connector::config::ConfigFaults;
use connector::receipt::ReceiptFault;
use connector::{OpenFault, StoreFault, SubmitFault};
use domain::packet::PacketFault;

/// How a command ended; the worst of all its submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Accepted, or done.
    Done,
    /// Held, or without answer so far. It goes on by itself as soon as a connector runs.
    NotNow,
    /// Refused for ever.
    Refused,
}

impl Ending {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Ending::Done => ExitCode::SUCCESS,
            Ending::Refused => ExitCode::from(1),
            Ending::NotNow => ExitCode::from(2),
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandFault {
    #[error("cấu hình sai / the configuration is wrong:\n{0}")]
    Config(#[from] ConfigFaults),
    #[error(transparent)]
    Open(#[from] OpenFault),
    #[error("gói tin không được nhận / the packet was not taken: {0}")]
    NotTaken(String),
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error(transparent)]
    Submit(#[from] SubmitFault),
    #[error(transparent)]
    Compose(#[from] ComposeFault),
    #[error("{path}: {fault}")]
    Packet { path: PathBuf, fault: PacketFault },
    #[error("biên nhận không tin được / the receipt cannot be believed: {0}")]
    Receipt(#[from] ReceiptFault),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("{0}")]
    Arguments(String),
}

/// Names the file of an I/O error.
pub(crate) fn file_fault(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> CommandFault {
    let path = path.to_owned();
    move |error| CommandFault::File { path, error }
}

/// Says why a command could not do its work.
#[expect(clippy::print_stderr, reason = "commands print")]
pub(crate) fn complain(fault: &CommandFault) {
    eprintln!("lỗi / fault: {fault}");
}

/// One line of a command's result.
#[expect(clippy::print_stdout, reason = "commands print")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
