//! Why a command came to nothing, in words: what is wrong and what to do, Vietnamese and English.
//!
//! **Invariant:** every fault is matched by name, so that one without words does not compile.

pub(super) mod config;
pub(super) mod desk;
mod holder;
mod signer;

use std::io::{self, ErrorKind};
use std::path::Path;

use amqp::PemFault;

use super::text::{Said, Text};
use super::{CommandFault, with_causes};
use crate::app::AppFault;
use crate::broker::{BrokerFault, ProvisionFault};
use crate::http::{HttpFault, PlaceFault};
use crate::store;
use crate::trustkeeper::TrustKeeperFault;

use holder::holder;
use signer::signer;

/// All that is to be said of a fault; each in words of its own.
pub(super) fn in_words(fault: &CommandFault) -> Vec<Said> {
    let said = match fault {
        CommandFault::Several(faults) => return faults.iter().flat_map(in_words).collect(),
        CommandFault::Config(faults) => return faults.iter().map(config::in_words).collect(),
        CommandFault::Accounts(error) => Text::AccountsUnread.said().about("fault", &system(error)),
        CommandFault::Administration(fault) => desk::in_words(&fault.into()),
        CommandFault::App(fault) => app(fault),
        CommandFault::BrokerAway(fault) => Text::BrokerAway.said().with("fault", fault),
        CommandFault::Busy(data_dir) => Text::GatewayBusy
            .said()
            .with("path", data_dir.display())
            .about("holder", &holder(data_dir)),
        CommandFault::CaseUnfit(text) => Text::CaseUnfit.said().with("text", text),
        CommandFault::CaseUnknown(case) => Text::CaseUnknown.said().with("case", case),
        CommandFault::Certificate { path, fault } => Text::CertificateUnfit
            .said()
            .with("path", path.display())
            .with("fault", fault),
        CommandFault::CodeUnfit(text) => Text::IdUnfit
            .said()
            .with("text", text)
            .about("kind", &Text::TermAgencyCode.said()),
        CommandFault::Answered(status) => Text::GatewayAnswered.said().with("status", status),
        CommandFault::Exchange(fault) => Text::GatewayUnasked.said().with("fault", with_causes(fault)),
        CommandFault::File { path, error } => file(path, error),
        CommandFault::Key(fault) => Text::CertificateNotMade.said().with("fault", fault),
        CommandFault::NoGateway => Text::GatewayNone.said(),
        CommandFault::PasswordsLost {
            path,
            accounts,
            error,
        } => Text::PasswordsLost
            .said()
            .with("path", path.display())
            .with("accounts", accounts)
            .about("fault", &system(error)),
        CommandFault::Parking(fault) => desk::in_words(&fault.into()),
        CommandFault::Place(fault) => place(fault),
        CommandFault::Problem(words) => Text::Foreign.said().with("detail", words),
        CommandFault::Provision(fault) => provision(fault),
        CommandFault::Signer(fault) => signer(fault),
        CommandFault::Store(fault) => stored(fault),
        CommandFault::StoreAway(fault) => desk::in_words(&fault.into()),
        CommandFault::Telemetry => Text::LogTwice.said(),
        CommandFault::Told(told) => desk::in_words(told),
        CommandFault::Trust(fault) => trust(fault),
        CommandFault::Unjudged(words) => Text::Foreign.said().with_languages("detail", words.clone()),
    };
    vec![said]
}

fn app(fault: &AppFault) -> Said {
    match fault {
        AppFault::Broker(BrokerFault::Address) => Text::BrokerAddress.said(),
        AppFault::Broker(BrokerFault::AuthoritiesUnfit { path, fault }) => authorities(path, *fault),
        AppFault::Broker(BrokerFault::AuthoritiesUnread { path, error }) => file(path, error),
        AppFault::Broker(
            fault @ (BrokerFault::Connect(_)
            | BrokerFault::Away
            | BrokerFault::Silent
            | BrokerFault::Inspect(_)),
        ) => Text::BrokerAway.said().with("fault", fault),
        AppFault::CodeTaken { code, agency } => Text::GatewayCodeTaken
            .said()
            .with("code", code)
            .with("agency", agency),
        AppFault::CrashNotes(error) => Text::CrashNotes.said().about("fault", &system(error)),
        AppFault::Epochs { path, error } => file(path, error),
        AppFault::Http(HttpFault::Listen { address, error }) => Text::ListenUnfit
            .said()
            .with("address", address)
            .about("fault", &system(error)),
        AppFault::Http(HttpFault::Place(fault)) => place(fault),
        AppFault::StageEnded(stage) => Text::StageEnded.said().with("stage", stage),
        AppFault::Signer(fault) => signer(fault),
        AppFault::Store(fault) => stored(fault),
        AppFault::StoreStopped(fault) => Text::StoreStopped.said().with("fault", fault),
        AppFault::Threads(error) => Text::ThreadUnfit.said().about("fault", &system(error)),
        AppFault::Trust(fault) => trust(fault),
    }
}

fn authorities(path: &Path, fault: PemFault) -> Said {
    match fault {
        PemFault::Absent => Text::AuthoritiesNone.said().with("path", path.display()),
        PemFault::Certificate { number } => Text::AuthoritiesUnfit
            .said()
            .with("path", path.display())
            .with("number", number),
    }
}

fn stored(fault: &store::Fault) -> Said {
    match fault {
        store::Fault::Damaged { path, offset, what } => Text::Damaged
            .said()
            .with("path", path.display())
            .with("offset", offset)
            .with("fault", what),
        store::Fault::Index(fault) => Text::IndexFails.said().with("fault", fault),
        store::Fault::Full {
            directory,
            free_bytes,
            free_bytes_min,
        } => Text::DiskFull
            .said()
            .with("path", directory.display())
            .with("free", free_bytes)
            .with("wanted", free_bytes_min),
        store::Fault::Locked { directory } => Text::Locked
            .said()
            .with("path", directory.display())
            .about("holder", &holder(directory)),
        store::Fault::Newer { path, found, known } => Text::FormatNewer
            .said()
            .with("path", path.display())
            .with("found", found)
            .with("known", known),
        store::Fault::System {
            operation,
            path,
            source,
        } => Text::StoreSystem
            .said()
            .with("operation", operation)
            .with("path", path.display())
            .about("fault", &system(source)),
    }
}

fn trust(fault: &TrustKeeperFault) -> Said {
    match fault {
        TrustKeeperFault::Folder { folder, error } => file(folder, error),
        TrustKeeperFault::Unpinned { folder, faults } => Text::NoAnchorPinned
            .said()
            .with("path", folder.display())
            .with("fault", faults),
        TrustKeeperFault::NoAnchor(folder) => Text::NoAnchor.said().with("path", folder.display()),
        TrustKeeperFault::Crashed => Text::StageEnded.said().with("stage", "trustkeeper"),
    }
}

fn place(fault: &PlaceFault) -> Said {
    match fault {
        PlaceFault::Write { path, error } | PlaceFault::Read { path, error } => file(path, error),
        PlaceFault::NoAddress { path } => Text::AddressUnfit.said().with("path", path.display()),
    }
}

fn provision(fault: &ProvisionFault) -> Said {
    match fault {
        ProvisionFault::Client(fault) => Text::BrokerClient.said().with("fault", with_causes(fault)),
        ProvisionFault::Request(fault) => Text::BrokerUnasked.said().with("fault", with_causes(fault)),
        ProvisionFault::Credential { path } => Text::BrokerCredential.said().with("path", path),
        ProvisionFault::Status {
            method,
            path,
            status,
            reason,
        } => Text::BrokerStatus
            .said()
            .with("path", format_args!("{method} {path}"))
            .with("status", status)
            .with("fault", reason),
        ProvisionFault::Foreign { vhost, epoch } => Text::BrokerForeign
            .said()
            .with("vhost", vhost)
            .with("epoch", epoch),
        ProvisionFault::Answer { path } => Text::AnswerUnfit.said().with("path", path),
    }
}

fn file(path: &Path, error: &io::Error) -> Said {
    Text::FileUnfit
        .said()
        .with("path", path.display())
        .about("fault", &system(error))
}

/// What the system said.
pub(super) fn system(error: &io::Error) -> Said {
    match known(error.kind()) {
        Some(text) => text.said(),
        None => Text::SystemOther.said().with("detail", error),
    }
}

/// The same, where only the kind was kept.
fn system_kind(kind: ErrorKind) -> Said {
    match known(kind) {
        Some(text) => text.said(),
        None => Text::SystemOther.said().with("detail", kind),
    }
}

fn known(kind: ErrorKind) -> Option<Text> {
    let texts = [
        (ErrorKind::AddrInUse, Text::SystemInUse),
        (ErrorKind::AlreadyExists, Text::SystemThere),
        (ErrorKind::InvalidData, Text::SystemNotUtf8),
        (ErrorKind::IsADirectory, Text::SystemFolder),
        (ErrorKind::NotADirectory, Text::SystemNoFolder),
        (ErrorKind::NotFound, Text::SystemAbsent),
        (ErrorKind::PermissionDenied, Text::SystemDenied),
        (ErrorKind::ReadOnlyFilesystem, Text::SystemReadOnly),
        (ErrorKind::StorageFull, Text::SystemSpace),
    ];
    texts
        .into_iter()
        .find_map(|(one, text)| (one == kind).then_some(text))
}

/// What a value is to be, of which faults carry the English words; numbers and lists of words stay as they are.
fn term(wanted: &str) -> Said {
    let terms = [
        ("account id", Text::TermAccountId),
        ("agency code", Text::TermAgencyCode),
        ("agency id", Text::TermAgencyId),
    ];
    let texts = [
        Text::TermAddress,
        Text::TermAgencyCode,
        Text::TermAmqp,
        Text::TermHttp,
        Text::TermHttpBare,
        Text::TermNumber,
        Text::TermSection,
        Text::TermWords,
        Text::TermWordList,
    ];
    let known = terms
        .into_iter()
        .find_map(|(kind, text)| (kind == wanted).then(|| text.said()));
    let known = known.or_else(|| {
        let mut all = texts.into_iter().map(Text::said);
        all.find(|said| said.languages()[1] == wanted)
    });
    known.unwrap_or_else(|| Text::Foreign.said().with("detail", wanted))
}

#[cfg(test)]
mod tests;
