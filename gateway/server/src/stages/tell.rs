//! Tell: issues the receipts that events owe, keeps them, and leaves them to dispatch.
//!
//! **Invariant:** a receipt is kept before anything can publish it; one event has one receipt, whatever restarts.

use std::sync::Arc;
use std::time::Duration;

use domain::agency::Answers;
use domain::consequence::Owed;
use domain::dispatch::Rank;
use domain::event::{Happening, ReceiptIssued, Refused};
use domain::ids::{AgencyId, DispatchId};
use domain::port::{Appended, Commit, Expectation, OwedReceipt, Recorded, StoreFault};
use domain::receipt::{AddresseeResult, Receipt, ReceiptKind};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::warn;
use trust::Digest;

use super::Road;
use super::record::announce;
use super::signal::OwedNow;

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
    let mut under_way: FuturesUnordered<BoxFuture<'static, Result<(), TellFault>>> = FuturesUnordered::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut open = true;
    while open || !under_way.is_empty() {
        tokio::select! {
            next = owed.recv(), if open && under_way.len() < UNDER_WAY_MAX => match next {
                Some(now) => under_way.push(Box::pin(issue_now(road.clone(), now))),
                None => open = false,
            },
            Some(done) = under_way.next(), if !under_way.is_empty() => {
                if let Err(fault) = done {
                    warn!(stage = "tell", error = %fault, "a receipt could not be issued now");
                    road.signals.look_for_owed();
                }
            }
            _ = look.tick(), if open && under_way.is_empty() => {
                if road.signals.take_owed_overflow() {
                    look_into_index(&road, &mut under_way);
                }
            }
        }
    }
}

fn look_into_index(road: &Road, under_way: &mut FuturesUnordered<BoxFuture<'static, Result<(), TellFault>>>) {
    match road.journal.owed(LOOK_MAX) {
        Ok(found) => {
            if found.len() == LOOK_MAX {
                road.signals.look_for_owed();
            }
            for owed in found {
                under_way.push(Box::pin(issue(road.clone(), owed)));
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
    let issued = if owed.kind == ReceiptKind::Repeat {
        repeat(&road, &owed)?
    } else {
        let bytes = sign(&road, &owed)?;
        let status = match as_refused(happening) {
            Some(refused) => refusal_as_status(&road, refused).await?,
            None => None,
        };
        Issued {
            kind: owed.kind,
            receipt: Digest::of(&bytes),
            bytes: Some(bytes),
            status,
        }
    };
    let receipt = ReceiptIssued {
        case: owed.case,
        kind: issued.kind,
        about: owed.about.leaf,
        receipt: issued.receipt,
        to: owed.to,
        submission: happening.submission().map(|submission| submission.id.clone()),
        status_packet: issued.status.as_deref().map(Digest::of),
        rank: rank_of(&road, &owed)?,
    };
    let mut commit = Commit::of(Happening::ReceiptIssued(receipt)).expecting(Expectation::Unanswered {
        case: owed.case,
        about: owed.about.leaf,
    });
    for bytes in issued.bytes.into_iter().chain(issued.status) {
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
    kind: ReceiptKind,
    receipt: Digest,
    bytes: Option<Vec<u8>>,
    status: Option<Vec<u8>>,
}

/// The receipt that answered the earlier submission, under the name of this one.
fn repeat(road: &Road, owed: &OwedReceipt) -> Result<Issued, TellFault> {
    let Happening::Repeated(repeated) = &owed.about.event.happening else {
        unreachable!("only a repeat owes a repeat")
    };
    let answered = |recorded: &Recorded| {
        let Happening::ReceiptIssued(issued) = &recorded.event.happening else {
            return None;
        };
        let is_it = issued.about == repeated.answer;
        is_it.then_some(Issued {
            kind: issued.kind,
            receipt: issued.receipt,
            bytes: None,
            status: None,
        })
    };
    let events = road.journal.events(repeated.case)?;
    events.iter().find_map(answered).ok_or(TellFault::NoAnswerYet)
}

fn sign(road: &Road, owed: &OwedReceipt) -> Result<Vec<u8>, TellFault> {
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
    if let Some(dispatch) = receipt.dispatch {
        receipt.addressees = addressee_of(road, dispatch)?;
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

/// Which addressee a receipt about a dispatch speaks of, by its code of today.
fn addressee_of(road: &Road, dispatch: DispatchId) -> Result<Vec<AddresseeResult>, StoreFault> {
    let Some(head) = road.journal.dispatch(dispatch)? else {
        return Ok(Vec::new());
    };
    let code = code_of(road, head.dispatch.to);
    Ok(vec![AddresseeResult {
        code,
        result: head.state.word().to_owned(),
    }])
}

fn code_of(road: &Road, agency: AgencyId) -> String {
    let directory = road.journal.directory();
    let agency_now = directory.agency(agency);
    agency_now
        .and_then(|it| it.codes_current().next())
        .map_or(agency.to_string(), ToString::to_string)
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

/// A refusal as a status packet 02 of the gateway's own code, for accounts whose software only knows edXML. The gateway
/// never writes 01 or 03 to 06 for anybody.
async fn refusal_as_status(road: &Road, refused: &Refused) -> Result<Option<Vec<u8>>, TellFault> {
    let directory = road.journal.directory();
    let wants = directory
        .account(&refused.submission.account)
        .map(|account| account.answers);
    match wants {
        Some(Answers::ReceiptsAndStatus) => {}
        Some(Answers::Receipts) | None => return Ok(None),
    }
    let Some(original) = road.archive.fetch(&refused.submission.packet).await? else {
        return Ok(None);
    };
    Ok(super::refusal_status::write(road, refused, &original))
}
