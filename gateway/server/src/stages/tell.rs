//! Tell: issues the receipts that events owe, keeps them, and leaves them to dispatch.
//!
//! **Invariant:** a receipt is kept before anything can publish it; one event has one receipt, whatever restarts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::consequence::Owed;
use domain::dispatch::{Dispatch, Rank};
use domain::event::{Happening, ReceiptIssued, Refused, Repeated};
use domain::ids::DispatchId;
use domain::port::{Appended, Commit, Expectation, IssuedHead, OwedReceipt, StoreFault};
use domain::receipt::{AddresseeResult, Receipt};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::warn;
use trust::Digest;

use super::record::announce;
use super::signal::OwedNow;
use super::{Road, refusal_status};

/// Receipts on their way into the journal at most.
const UNDER_WAY_MAX: usize = 1024;
/// How often the index is asked for receipts that were left to it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Receipts taken from the index in one look.
const LOOK_MAX: usize = 1024;

/// Why a receipt could not be issued now.
#[derive(Debug, thiserror::Error)]
pub enum TellFault {
    /// The earlier answer has not been signed yet.
    #[error("the answer that is to be repeated is not there yet")]
    NoAnswerYet,
    /// The receipt key does not sign.
    #[error("signing failed: {0}")]
    Sign(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Issues receipts until `owed` ends and nothing is under way.
pub async fn tell(road: Road, mut owed: mpsc::Receiver<OwedNow>) {
    let mut under_way = UnderWay::default();
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut open = true;
    while open || !under_way.jobs.is_empty() {
        tokio::select! {
            next = owed.recv(), if open && under_way.jobs.len() < UNDER_WAY_MAX => match next {
                Some(now) => under_way.begin(now.about.position, issue_now(road.clone(), now)),
                None => open = false,
            },
            Some((position, done)) = under_way.jobs.next(), if !under_way.jobs.is_empty() => {
                under_way.events.remove(&position);
                if let Err(fault) = done {
                    warn!(stage = "tell", error = %fault, "a receipt could not be issued now");
                    road.signals.look_for_owed();
                }
            }
            _ = look.tick(), if open && under_way.jobs.len() < UNDER_WAY_MAX => {
                if road.signals.take_owed_overflow() {
                    look_into_index(&road, &mut under_way);
                }
            }
        }
    }
}

/// Receipts being issued, each with the position of the event it is owed for.
#[derive(Default)]
struct UnderWay {
    jobs: FuturesUnordered<BoxFuture<'static, (u64, Result<(), TellFault>)>>,
    events: HashSet<u64>,
}

impl UnderWay {
    /// Begins a receipt, unless the one for this event is being issued.
    fn begin(&mut self, position: u64, job: impl Future<Output = Result<(), TellFault>> + Send + 'static) {
        if self.events.insert(position) {
            self.jobs.push(Box::pin(async move { (position, job.await) }));
        }
    }
}

fn look_into_index(road: &Road, under_way: &mut UnderWay) {
    match road.journal.owed(LOOK_MAX) {
        Ok(found) => {
            if found.len() == LOOK_MAX {
                road.signals.look_for_owed();
            }
            for owed in found {
                under_way.begin(owed.about.position, issue(road.clone(), owed));
            }
        }
        Err(fault) => {
            warn!(stage = "tell", error = %fault, "owed receipts could not be read");
            road.signals.look_for_owed();
        }
    }
}

async fn issue_now(road: Road, now: OwedNow) -> Result<(), TellFault> {
    let Owed { kind, case, to } = now.owed;
    let to = match to {
        Some(to) => to,
        None => match road.journal.case(case)?.and_then(|head| head.sender) {
            Some(sender) => sender,
            None => return Ok(()),
        },
    };
    // The newest place of the journal that is surely before the event is the one it was chained to.
    let before = road.journal.checkpoint_before(now.about.position)?;
    issue(
        road,
        OwedReceipt {
            kind,
            about: now.about,
            case,
            to,
            checkpoint: before,
        },
    )
    .await
}

/// Issues one receipt: signs, keeps, records.
///
/// # Errors
/// [`TellFault`]: not now; the receipt stays owed.
pub async fn issue(road: Road, owed: OwedReceipt) -> Result<(), TellFault> {
    let happening = &owed.about.event.happening;
    let content = match content_of(happening) {
        Some(dispatch) => road.journal.dispatch(dispatch)?.map(|head| head.dispatch),
        None => None,
    };
    let issued = if let Happening::Repeated(repeated) = happening {
        repeat(&road, repeated)?
    } else {
        let bytes = sign(&road, &owed, content.as_ref())?;
        Issued {
            head: IssuedHead {
                kind: owed.kind,
                receipt: Digest::of(&bytes),
                // Kept with the refusal.
                status_packet: as_refused(happening).and_then(|refused| refused.status_packet),
            },
            keeps: Some(bytes),
        }
    };
    let receipt = ReceiptIssued {
        case: owed.case,
        kind: issued.head.kind,
        about: owed.about.leaf,
        receipt: issued.head.receipt,
        to: owed.to,
        submission: happening.submission().map(|submission| submission.id.clone()),
        account: happening
            .submission()
            .map(|submission| submission.account.clone())
            .or_else(|| content.and_then(|dispatch| dispatch.submitted_by)),
        status_packet: issued.head.status_packet,
        rank: rank_of(&road, &owed)?,
    };
    let mut commit = Commit::of(Happening::ReceiptIssued(receipt)).expecting(Expectation::Unanswered {
        case: owed.case,
        about: owed.about.leaf,
    });
    if let Some(bytes) = issued.keeps {
        commit = commit.keeping(Arc::from(bytes));
    }
    match road.append(commit).await? {
        Appended::Done(recorded) => announce(&road, &recorded).await,
        // Somebody else issued it: the index and the signal may both bring the same event.
        Appended::Conflict => {}
    }
    Ok(())
}

struct Issued {
    head: IssuedHead,
    /// What is not in the archive yet.
    keeps: Option<Vec<u8>>,
}

/// What answered the earlier submission, under the name of this one.
fn repeat(road: &Road, repeated: &Repeated) -> Result<Issued, TellFault> {
    let answer = road.journal.receipt_about(repeated.case, &repeated.answer)?;
    let mut head = answer.ok_or(TellFault::NoAnswerYet)?;
    if !refusal_status::is_wanted(&road.journal.directory(), &repeated.submission.account) {
        head.status_packet = None;
    }
    Ok(Issued { head, keeps: None })
}

fn sign(road: &Road, owed: &OwedReceipt, content: Option<&Dispatch>) -> Result<Vec<u8>, TellFault> {
    let event = &owed.about.event;
    let mut receipt = Receipt::new(
        owed.kind,
        road.rules.gateway.clone(),
        owed.case,
        event.time,
        owed.about.leaf,
    )
    .telling(&event.happening);
    receipt.checkpoint = owed.checkpoint;
    if let Some(dispatch) = content {
        receipt.addressees = vec![addressee_of(&event.happening, dispatch)];
    }
    if let Some(head) = road.journal.case(owed.case)? {
        if let Some(identity) = &head.identity
            && receipt.contents.is_none()
        {
            receipt.tell_identity(identity);
        }
        receipt.packet = receipt.packet.or(Some(head.packet));
    }
    let certificates: Vec<&trust::Certificate> = road.seal.certificates.iter().map(|one| &**one).collect();
    trust::cms::sign(
        trust::cms::Content::Attached(&receipt.encode()),
        &*road.seal.signer,
        &certificates,
        road.now(),
    )
    .map_err(|fault| TellFault::Sign(fault.to_string()))
}

/// The dispatch whose content the event is about.
fn content_of(happening: &Happening) -> Option<DispatchId> {
    if let Happening::Consigned(it) | Happening::HandedOver(it) | Happening::Withdrawn(it) = happening {
        Some(it.dispatch)
    } else if let Happening::Failed(it) = happening {
        Some(it.dispatch)
    } else {
        None
    }
}

/// Which addressee a receipt about a dispatch speaks of, by the code that its sender wrote, and what became of it in
/// this event: what came after has a receipt of its own.
fn addressee_of(happening: &Happening, dispatch: &Dispatch) -> AddresseeResult {
    let code = dispatch.code.as_ref();
    AddresseeResult {
        code: code.map_or_else(|| dispatch.to.to_string(), ToString::to_string),
        result: happening.word().to_owned(),
    }
}

/// Answers have the rank of what they answer.
fn rank_of(road: &Road, owed: &OwedReceipt) -> Result<Rank, StoreFault> {
    Ok(match as_refused(&owed.about.event.happening) {
        Some(refused) => refused.rank,
        None => road
            .journal
            .case(owed.case)?
            .map_or(Rank::Normal, |head| head.rank),
    })
}

fn as_refused(happening: &Happening) -> Option<&Refused> {
    if let Happening::Refused(refused) = happening {
        Some(refused)
    } else {
        None
    }
}
