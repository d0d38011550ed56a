//! The state of all accounts of one store: the fold of the log.
//!
//! **Invariant:** [`Book::apply`] is the only way records become state, live and after a restart alike.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use domain::ids::{AccountId, CaseId, DispatchId, SubmissionId};
use domain::receipt::ReceiptKind;
use tokio::sync::Notify;
use trust::Time;

use super::Place;
use super::record::{Due, Logged, Record};
use crate::inbox::Inbox;
use crate::outbox::{Answer, Live, Outbox};

/// Ids in one record that carries them forward.
const KNOWN_MAX: usize = 4_096;

/// Wakes those who wait for a change of one account's state.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Something is to be published.
    pub(crate) publish: Notify,
    /// Something is there for the software.
    pub(crate) received: Notify,
    /// A submission was answered.
    pub(crate) answered: Notify,
}

/// One account's state.
#[derive(Debug, Default)]
pub(crate) struct AccountBook {
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    pub(crate) signals: Arc<Signals>,
    /// Set aside and not told yet.
    pub(crate) damaged: Vec<Damaged>,
}

impl AccountBook {
    /// Leaves out what cannot be read back, so that all others go on. What is set aside of it lies in `file`.
    pub(crate) fn set_aside(&mut self, matter: Matter, file: PathBuf) {
        let case = match &matter {
            Matter::Submission(submission) => {
                self.outbox.settled(submission);
                None
            }
            Matter::Dispatch(dispatch) => match self.inbox.set_aside(*dispatch) {
                Some(case) => case,
                // The software has it: nothing of it is lost.
                None => return,
            },
        };
        self.damaged.push(Damaged { matter, case, file });
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Book {
    accounts: HashMap<AccountId, AccountBook>,
}

/// What a record with a body is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Matter {
    /// An entry of the outbox.
    Submission(SubmissionId),
    /// An item of the inbox.
    Dispatch(DispatchId),
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Matter::Submission(submission) => write!(f, "submission {submission}"),
            Matter::Dispatch(dispatch) => write!(f, "dispatch {dispatch}"),
        }
    }
}

/// What was set aside because it cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damaged {
    pub(crate) matter: Matter,
    /// Of a dispatch.
    pub(crate) case: Option<CaseId>,
    /// With what is left of it.
    pub(crate) file: PathBuf,
}

/// What is to be written again before a segment goes.
#[derive(Debug)]
pub(crate) enum Carry {
    /// The record at this place, as it is.
    Again(AccountId, Matter, Place),
    /// This one.
    Record(Logged),
    /// The receipt at the notice's place, as the notice that the submission is held.
    Held {
        account: AccountId,
        submission: SubmissionId,
        notice: Answer,
    },
}

impl Book {
    /// The state of an account, empty when it is new.
    pub(crate) fn account(&mut self, account: &AccountId) -> &mut AccountBook {
        if !self.accounts.contains_key(account) {
            self.accounts.insert(account.clone(), AccountBook::default());
        }
        self.accounts.get_mut(account).expect("just inserted")
    }

    /// Takes in one record of the log.
    pub(crate) fn apply(&mut self, logged: &Logged, place: Place) {
        let AccountBook {
            outbox,
            inbox,
            signals,
            ..
        } = self.account(&logged.account);
        match &logged.record {
            Record::Entered(entered) => {
                outbox.entered(&entered.submission, entered.rank, place);
                if let Some(dispatch) = entered.reports {
                    inbox.reported(dispatch);
                }
                signals.publish.notify_one();
            }
            Record::Published { submission, at } => outbox.published(submission, *at),
            Record::Arrived(arrived) => {
                inbox.arrived(arrived, place);
                if arrived.due == Due::Answer
                    && let (Some(submission), Some(kind)) = (&arrived.submission, arrived.receipt)
                {
                    let answer = Answer {
                        kind,
                        dispatch: arrived.dispatch,
                        at: arrived.at,
                        case: arrived.case,
                        place,
                    };
                    outbox.answered(submission, answer);
                    signals.answered.notify_waiters();
                }
                signals.publish.notify_one();
                signals.received.notify_one();
            }
            Record::Held(held) => outbox.held(
                &held.submission,
                Answer {
                    kind: ReceiptKind::SubmissionHeld,
                    dispatch: held.dispatch,
                    at: held.at,
                    case: held.case,
                    place,
                },
            ),
            Record::Settled { submission } => outbox.settled(submission),
            Record::Confirmed { dispatches } => inbox.confirmed(dispatches),
            Record::Taken { dispatch } => inbox.taken(*dispatch),
            Record::Withdrawn { dispatch, .. } => inbox.withdrawn(*dispatch),
            Record::Reported { dispatch } => inbox.reported(*dispatch),
            Record::Known { ids } => inbox.remembered(ids, place.segment),
        }
    }

    /// Bytes of the log that are still needed.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.accounts
            .values()
            .map(|account| account.outbox.live_bytes(None) + account.inbox.live_bytes())
            .sum()
    }

    /// Bytes of one segment that are still needed.
    pub(crate) fn live_bytes_in(&self, segment: u32) -> u64 {
        let bytes = |account: &AccountBook| {
            let entries = account.outbox.live_bytes(Some(segment));
            let items: u64 = account
                .inbox
                .live_in(segment)
                .iter()
                .map(|live| u64::from(live.place.bytes))
                .sum();
            entries + items
        };
        self.accounts.values().map(bytes).sum()
    }

    /// All that must be written again before this segment, the oldest one, goes. The marks of what is carried may lie
    /// in segments that stay, before the copy; they are written again too.
    pub(crate) fn carry(&self, segment: u32) -> Vec<Carry> {
        let mut carried = Vec::new();
        for (account, book) in &self.accounts {
            let mut push = |record| {
                carried.push(Carry::Record(Logged {
                    account: account.clone(),
                    record,
                }))
            };
            for ids in book.inbox.known_in(segment).chunks(KNOWN_MAX) {
                push(Record::Known { ids: ids.to_vec() });
            }
            for live in book.outbox.live_in(segment) {
                carried.extend(carry_entry(account, live));
            }
            for item in book.inbox.live_in(segment) {
                let matter = Matter::Dispatch(item.dispatch);
                carried.push(Carry::Again(account.clone(), matter, item.place));
                let marks = item.marks();
                carried.extend(marks.into_iter().map(|record| {
                    Carry::Record(Logged {
                        account: account.clone(),
                        record,
                    })
                }));
            }
        }
        carried
    }

    /// Forgets ids that nothing can repeat any more.
    pub(crate) fn forget(&mut self, limit: Time, ids_max: usize) {
        self.accounts
            .values_mut()
            .for_each(|account| account.inbox.forget(limit, ids_max));
    }
}

/// An entry of an outbox, since when it is published, and the notice that it is held, in this order.
fn carry_entry(account: &AccountId, live: Live) -> Vec<Carry> {
    let Live {
        submission,
        entry,
        held,
    } = live;
    let mut carried = Vec::new();
    if let Some((place, published)) = entry {
        let matter = Matter::Submission(submission.clone());
        carried.push(Carry::Again(account.clone(), matter, place));
        carried.extend(published.map(|at| {
            Carry::Record(Logged {
                account: account.clone(),
                record: Record::Published {
                    submission: submission.clone(),
                    at,
                },
            })
        }));
    }
    carried.extend(held.map(|notice| Carry::Held {
        account: account.clone(),
        submission,
        notice,
    }));
    carried
}
