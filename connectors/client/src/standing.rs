//! How a connector stands with its broker, for people: what keeps it from working is told once when it begins and once
//! when it is over, not at each of the attempts between, which go on by themselves.
//!
//! Stands beside [`crate::session`], whose two sides report here. A connection that is lost and made again at once is
//! no trouble.
//!
//! **Invariant:** a trouble that both sides have is told once, and over only when neither has any.
//! **Invariant:** what an attempt alone does not disprove (a full folder, a queue that is missing when something is
//! published) is over with the first success of its kind, or it would be told anew at each attempt.

use domain::ids::AccountId;
use domain::json::Writer;
use lapin::ErrorKind;
use serde_json::Value;

use crate::event::Side;
use crate::session::Ended;
use crate::store::StoreFault;
use crate::text::Text;

/// Sessions in a row that a side loses before they have lasted, after which that is a trouble.
const LOSSES_TOLD: u32 = 3;

/// What keeps a connector from exchanging. It goes on trying, and the outbox keeps what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers at the broker's address, or not in time, or nobody who speaks AMQP.
    Unreachable,
    /// The way to the broker is not trusted: its certificate or ours is refused.
    Untrusted,
    /// The broker does not let the account in: wrong password, or it is suspended.
    LoginRefused,
    /// The virtual host is not there, or not for this account.
    NoVirtualHost,
    /// The account is let in and may not send or receive.
    NoRights,
    /// Its inbox or the exchange for submissions is not there.
    QueueMissing,
    /// Connections are made and lost again at once.
    Unstable,
    /// Our own folder takes nothing.
    Folder,
}

/// When a trouble is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Once the side is ready to work.
    Ready,
    /// Once something got through.
    Proven,
    /// Once a session has lasted.
    Lasting,
}

/// How far a session had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connection and login.
    Opening,
    /// Logged in.
    Working,
}

impl Trouble {
    /// The word in logs and for `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Trouble::Unreachable => "unreachable",
            Trouble::Untrusted => "untrusted",
            Trouble::LoginRefused => "login-refused",
            Trouble::NoVirtualHost => "no-virtual-host",
            Trouble::NoRights => "no-rights",
            Trouble::QueueMissing => "queue-missing",
            Trouble::Unstable => "unstable",
            Trouble::Folder => "folder",
        }
    }

    /// What is wrong and what to do, with `{account}`, `{broker}` and `{reason}`.
    pub fn text(self) -> Text {
        match self {
            Trouble::Unreachable => Text::TroubleUnreachable,
            Trouble::Untrusted => Text::TroubleUntrusted,
            Trouble::LoginRefused => Text::TroubleLoginRefused,
            Trouble::NoVirtualHost => Text::TroubleNoVirtualHost,
            Trouble::NoRights => Text::TroubleNoRights,
            Trouble::QueueMissing => Text::TroubleQueueMissing,
            Trouble::Unstable => Text::TroubleUnstable,
            Trouble::Folder => Text::TroubleFolder,
        }
    }

    /// Why a session ended, if that is a trouble by itself; a connection that was lost is none yet.
    pub(crate) fn of(ended: &Ended, phase: Phase) -> Option<Trouble> {
        match ended {
            Ended::Broker(error) => Trouble::of_broker(error.kind(), phase),
            Ended::Silent if phase == Phase::Opening => Some(Trouble::Unreachable),
            // However long it lasted before: the line or the broker takes nothing.
            Ended::Silent => Some(Trouble::Unstable),
            Ended::Store(StoreFault::File { .. }) => Some(Trouble::Folder),
            Ended::Store(StoreFault::Locked(_) | StoreFault::Damaged { .. } | StoreFault::Stopped)
            | Ended::Closing
            | Ended::Cancelled => None,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum")]
    fn of_broker(kind: &ErrorKind, phase: Phase) -> Option<Trouble> {
        let opening = |trouble| (phase == Phase::Opening).then_some(trouble);
        match kind {
            // The numbers are those of AMQP 0-9-1, "Reply Codes".
            ErrorKind::ProtocolError(error) => match (error.get_id(), phase) {
                (403, Phase::Opening) => Some(Trouble::LoginRefused),
                (403, Phase::Working) => Some(Trouble::NoRights),
                (404, _) => Some(Trouble::QueueMissing),
                // 402 invalid path and 530 not allowed: what RabbitMQ says of virtual hosts.
                (402 | 530, Phase::Opening) => Some(Trouble::NoVirtualHost),
                (530, Phase::Working) => Some(Trouble::NoRights),
                _ => opening(Trouble::Unreachable),
            },
            // What rustls refuses comes as invalid data.
            ErrorKind::IOError(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                opening(Trouble::Untrusted)
            }
            _ => opening(Trouble::Unreachable),
        }
    }

    fn over(self, side: Side) -> Over {
        match (self, side) {
            (Trouble::NoRights | Trouble::QueueMissing, Side::Publishing) | (Trouble::Folder, _) => {
                Over::Proven
            }
            (Trouble::Unstable, _) => Over::Lasting,
            (
                Trouble::Unreachable
                | Trouble::Untrusted
                | Trouble::LoginRefused
                | Trouble::NoVirtualHost
                | Trouble::NoRights
                | Trouble::QueueMissing,
                _,
            ) => Over::Ready,
        }
    }
}

/// How a connector stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was just opened.
    Starting,
    /// Both connections are up and nothing is the matter.
    Working,
    /// Something keeps it from working; it goes on trying.
    Troubled {
        /// What.
        trouble: Trouble,
        /// In the words of the broker or of the system.
        reason: String,
    },
}

/// For software without anybody who reads [`crate::Connector::standing`]. Here, so that a command that tells people
/// itself can leave out the log of this module.
pub(crate) fn log_working(account: &AccountId) {
    tracing::info!(account.id = %account, "sending and receiving");
}

/// The same of a trouble.
pub(crate) fn log_trouble(account: &AccountId, side: Side, trouble: Trouble, reason: &Ended) {
    let (side, trouble) = (side.word(), trouble.word());
    tracing::warn!(account.id = %account, side, trouble, %reason, "not now; tried again until it works");
}

impl Standing {
    /// As an object, for programs; nothing before there is anything to tell.
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Standing::Starting => None,
            Standing::Working => Some(Writer::new().text("event", "working").end()),
            Standing::Troubled { trouble, reason } => {
                let object = Writer::new().text("event", "trouble");
                Some(
                    object
                        .text("trouble", trouble.word())
                        .text("reason", reason)
                        .end(),
                )
            }
        }
    }
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Condition {
    #[default]
    Starting,
    Ready,
    Troubled(Trouble),
}

/// Both sides, and how often each was lost in a row.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    publishing: Condition,
    consuming: Condition,
    losses: [u32; 2],
}

impl Conditions {
    fn of(&mut self, side: Side) -> (&mut Condition, Condition) {
        match side {
            Side::Publishing => (&mut self.publishing, self.consuming),
            Side::Consuming => (&mut self.consuming, self.publishing),
        }
    }

    fn losses(&mut self, side: Side) -> &mut u32 {
        &mut self.losses[usize::from(side == Side::Consuming)]
    }

    /// A session of this side ended; the trouble, if it is to be told now.
    pub(crate) fn ended(&mut self, side: Side, ended: &Ended, phase: Phase) -> Option<Trouble> {
        let trouble = match Trouble::of(ended, phase) {
            Some(trouble) => trouble,
            None => {
                *self.losses(side) += 1;
                if *self.losses(side) < LOSSES_TOLD {
                    return None;
                }
                Trouble::Unstable
            }
        };
        self.troubled(side, trouble)
    }

    /// This side has this trouble; it, if it is to be told now.
    fn troubled(&mut self, side: Side, trouble: Trouble) -> Option<Trouble> {
        let (own, other) = self.of(side);
        let troubled = Condition::Troubled(trouble);
        let is_news = *own != troubled && other != troubled;
        *own = troubled;
        is_news.then_some(trouble)
    }

    /// This side is connected and set up.
    pub(crate) fn ready(&mut self, side: Side) {
        self.end(side, &[Over::Ready]);
    }

    /// Something of this side got through.
    pub(crate) fn proven(&mut self, side: Side) {
        self.end(side, &[Over::Ready, Over::Proven]);
    }

    /// A session of this side has lasted.
    pub(crate) fn lasted(&mut self, side: Side) {
        *self.losses(side) = 0;
        self.end(side, &[Over::Ready, Over::Lasting]);
    }

    fn end(&mut self, side: Side, ends: &[Over]) {
        let (own, _) = self.of(side);
        match *own {
            Condition::Troubled(trouble) if !ends.contains(&trouble.over(side)) => {}
            Condition::Troubled(_) | Condition::Starting | Condition::Ready => *own = Condition::Ready,
        }
    }

    /// Whether both sides are without trouble.
    pub(crate) fn are_good(&self) -> bool {
        self.publishing == Condition::Ready && self.consuming == Condition::Ready
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use lapin::protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError};

    use super::*;

    fn said(kind: AMQPErrorKind) -> Ended {
        Ended::Broker(ErrorKind::ProtocolError(AMQPError::new(kind, "said".into())).into())
    }

    fn refused() -> Ended {
        said(AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED))
    }

    fn missing() -> Ended {
        said(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
    }

    fn io_error(kind: io::ErrorKind) -> Ended {
        Ended::Broker(ErrorKind::IOError(Arc::new(kind.into())).into())
    }

    #[test]
    fn what_the_broker_says_is_known_for_what_it_is() {
        let full = || {
            Ended::Store(StoreFault::File {
                operation: "append to",
                path: "log".into(),
                error: Arc::new(io::ErrorKind::StorageFull.into()),
            })
        };
        let not_allowed = || said(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED));
        let forced = || said(AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED));
        let (opening, working) = (Phase::Opening, Phase::Working);
        for (ended, phase, expected) in [
            (refused(), opening, Some(Trouble::LoginRefused)),
            (refused(), working, Some(Trouble::NoRights)),
            (missing(), working, Some(Trouble::QueueMissing)),
            (not_allowed(), opening, Some(Trouble::NoVirtualHost)),
            (forced(), working, None),
            (
                io_error(io::ErrorKind::ConnectionRefused),
                opening,
                Some(Trouble::Unreachable),
            ),
            (
                io_error(io::ErrorKind::InvalidData),
                opening,
                Some(Trouble::Untrusted),
            ),
            (io_error(io::ErrorKind::ConnectionReset), working, None),
            (Ended::Silent, opening, Some(Trouble::Unreachable)),
            (Ended::Silent, working, Some(Trouble::Unstable)),
            (Ended::Cancelled, working, None),
            (full(), working, Some(Trouble::Folder)),
        ] {
            assert_eq!(Trouble::of(&ended, phase), expected, "{ended} while {phase:?}");
        }
    }

    #[test]
    fn a_trouble_of_both_sides_is_told_once_and_is_over_when_both_are_ready() {
        let mut conditions = Conditions::default();
        let told = [
            Side::Publishing,
            Side::Consuming,
            Side::Publishing,
            Side::Consuming,
        ]
        .map(|side| conditions.ended(side, &refused(), Phase::Opening));
        assert_eq!(told, [Some(Trouble::LoginRefused), None, None, None]);
        conditions.ready(Side::Publishing);
        assert!(!conditions.are_good());
        conditions.ready(Side::Consuming);
        assert!(conditions.are_good());
        assert_eq!(
            conditions.ended(Side::Consuming, &refused(), Phase::Opening),
            Some(Trouble::LoginRefused),
            "again"
        );
    }

    #[test]
    fn sides_that_pass_from_one_trouble_to_the_next_tell_each_once() {
        let mut conditions = Conditions::default();
        let mut told = |side, ended: &Ended| conditions.ended(side, ended, Phase::Opening);
        let away = io_error(io::ErrorKind::ConnectionRefused);
        assert_eq!(told(Side::Publishing, &away), Some(Trouble::Unreachable));
        assert_eq!(told(Side::Publishing, &refused()), Some(Trouble::LoginRefused));
        assert_eq!(told(Side::Consuming, &away), Some(Trouble::Unreachable));
        assert_eq!(told(Side::Consuming, &away), None);
        assert_eq!(told(Side::Consuming, &refused()), None);
    }

    #[test]
    fn an_exchange_that_is_missing_is_back_only_when_it_took_something() {
        let mut conditions = Conditions::default();
        conditions.ready(Side::Consuming);
        let mut attempt = || {
            conditions.ready(Side::Publishing);
            conditions.ended(Side::Publishing, &missing(), Phase::Working)
        };
        assert_eq!(
            [attempt(), attempt(), attempt()],
            [Some(Trouble::QueueMissing), None, None]
        );
        conditions.ready(Side::Publishing);
        assert!(!conditions.are_good(), "it is connected, no more");
        conditions.proven(Side::Publishing);
        assert!(conditions.are_good());
    }

    #[test]
    fn a_connection_that_is_lost_once_is_no_trouble_and_one_that_never_lasts_is() {
        let mut conditions = Conditions::default();
        conditions.ready(Side::Publishing);
        let lose = |conditions: &mut Conditions| {
            conditions.ready(Side::Consuming);
            conditions.ended(Side::Consuming, &Ended::Cancelled, Phase::Working)
        };
        let told = [0; 4].map(|_| lose(&mut conditions));
        assert_eq!(told, [None, None, Some(Trouble::Unstable), None]);
        conditions.ready(Side::Consuming);
        assert!(!conditions.are_good(), "the next one may be lost too");
        conditions.lasted(Side::Consuming);
        assert!(conditions.are_good());
        assert_eq!(lose(&mut conditions), None, "counted anew");
    }
}
