//! The commands, and what they share: endings, faults, and how an answer is shown.

pub(crate) mod delivery;
pub(crate) mod fault;
pub(crate) mod purpose;
pub(crate) mod receive;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod summary;
pub(crate) mod watch;

use std::convert::Infallible;
use std::process::ExitCode;

use connector::text::Text;
use connector::{Connector, Event, Standing};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use fault::{CommandFault, file_fault};

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

/// Waits until somebody asks the command to end, at the keyboard or by `SIGTERM`.
///
/// # Errors
/// When the system does not tell signals.
pub(crate) async fn asked_to_end() -> Result<Ending, CommandFault> {
    let mut terminated = signal(SignalKind::terminate()).map_err(file_fault("SIGTERM".as_ref()))?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    Ok(Ending::Done)
}

/// One line that is no result: a fault, or what keeps the connector from its broker.
#[expect(clippy::print_stderr, reason = "commands print")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}

/// One line of a command's result.
#[expect(clippy::print_stdout, reason = "commands print")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// What a standing is in words; nothing before there is one.
pub(crate) fn words(connector: &Connector, standing: &Standing) -> Option<[String; 2]> {
    let [account, broker] = [connector.account().to_string(), connector.broker()];
    let of = |text: Text, reason: &str| {
        text.both(&[("account", &account), ("broker", &broker), ("reason", reason)])
    };
    match standing {
        Standing::Starting => None,
        Standing::Working => Some(of(Text::Working, "")),
        Standing::Troubled { trouble, reason } => Some(of(trouble.text(), reason)),
    }
}

/// Does the work, and tells on standard error meanwhile what keeps the connector from its broker, and when that is over.
pub(crate) async fn while_telling<T>(connector: &Connector, work: impl Future<Output = T>) -> T {
    complain_of_damage(connector);
    tokio::select! {
        done = work => done,
        never = tell_troubles(connector) => match never {},
    }
}

async fn tell_troubles(connector: &Connector) -> Infallible {
    let (mut standing, mut events) = (connector.standing(), connector.events());
    // What stands already is told first.
    standing.mark_changed();
    let mut is_troubled = false;
    loop {
        tokio::select! {
            changed = standing.changed() => {
                let now = standing.borrow_and_update().clone();
                // That all is well goes without saying, unless it was not.
                if (is_troubled || now != Standing::Working)
                    && let Some([vi, en]) = words(connector, &now)
                {
                    complain(&format!("{vi}\n  {en}"));
                }
                is_troubled = now != Standing::Working;
                if changed.is_err() {
                    return std::future::pending().await;
                }
            }
            Ok(event) = events.recv() => {
                if let Some(damaged) = damage_words(&event) {
                    complain(&damaged);
                }
            }
        }
    }
}

/// Tells what of the log could not be read when it was opened.
pub(crate) fn complain_of_damage(connector: &Connector) {
    if let Some((count, folder)) = connector.damage() {
        let (count, folder) = (count.to_string(), folder.display().to_string());
        complain(&Text::DamagedLog.with(&[("count", &count), ("folder", &folder)]));
    }
}

/// What cannot be read back, and what to do; nothing for any other event.
#[expect(clippy::wildcard_enum_match_arm, reason = "of all events, these two")]
pub(crate) fn damage_words(event: &Event) -> Option<String> {
    match event {
        Event::DamagedOutgoing { submission, file } => {
            Some(Text::DamagedOutgoing.with(&[("submission", submission.as_str()), ("file", file)]))
        }
        Event::DamagedIncoming { dispatch, case, file } => {
            let (dispatch, case) = (dispatch.to_string(), case.map(|case| case.to_string()));
            let case = case.as_deref().unwrap_or("–");
            Some(Text::DamagedIncoming.with(&[("dispatch", &dispatch), ("case", case), ("file", file)]))
        }
        _ => None,
    }
}
