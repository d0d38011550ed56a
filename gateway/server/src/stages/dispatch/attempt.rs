//! One attempt: take back what was recalled meanwhile, else hand over and record that it lies in the inbox.
//!
//! **Invariant:** what the broker has taken is not handed over a second time because our store cannot record it: the
//! record is tried until the store takes it.

use std::time::Instant;

use domain::dispatch::{DispatchState, Rank};
use domain::event::{Happening, Moved};
use domain::ids::{AccountId, DispatchId};
use domain::port::{Appended, Commit, DispatchHead, Expectation, Outcome, StoreFault};
use tokio::sync::Semaphore;
use tracing::{debug, error, info, warn};

use super::body::Bodies;
use super::parcel::{self, Standing};
use super::twin::{self, Twin};
use crate::stages::record::announce;
use crate::stages::{Road, Rules};
use crate::telemetry::Stage;

/// What became of one attempt.
pub(super) struct Attempt {
    pub(super) head: DispatchHead,
    pub(super) account: AccountId,
    /// How often something had been lost when it began.
    pub(super) losses: u64,
    pub(super) ending: Ending,
}

/// How an attempt ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// In the inbox: recorded.
    Consigned,
    /// Nothing more is to be done: withdrawn, or somebody else settled it meanwhile.
    Over,
    /// It is no longer in an inbox; if nobody settled it, it is due.
    DueAgain,
    /// Try again later.
    NotNow,
    /// The inbox is full.
    Full,
    /// Its twin goes first.
    Waits,
    /// What it recalls goes first, or is withdrawn.
    Behind(Box<DispatchHead>),
    /// The account has no inbox.
    NoInbox,
    /// Its bytes cannot be read back as they were.
    Damaged,
}

/// What bounds the attempts that run at once. Urgent ones have turns of their own.
pub(super) struct Turns {
    normal: Semaphore,
    urgent: Semaphore,
    bodies: Bodies,
}

impl Turns {
    pub(super) fn new(rules: &Rules) -> Turns {
        // A quarter of what the broker may be asked at once is for urgent ones alone.
        let urgent = (rules.unconfirmed_max / 4).max(1);
        Turns {
            normal: Semaphore::new(rules.unconfirmed_max.saturating_sub(urgent).max(1)),
            urgent: Semaphore::new(urgent),
            bodies: Bodies::new(rules.dispatch_bytes_max),
        }
    }

    fn of(&self, rank: Rank) -> &Semaphore {
        match rank {
            Rank::Urgent => &self.urgent,
            Rank::Normal => &self.normal,
        }
    }
}

/// Hands a due dispatch over, in its turn.
pub(super) async fn send(road: &Road, turns: &Turns, head: &DispatchHead, account: &AccountId) -> Ending {
    let turn = turns.of(head.dispatch.rank).acquire().await;
    let began = Instant::now();
    let ending = try_send(road, turns, head, account).await;
    drop(turn);
    road.metrics.time(Stage::Dispatch, began.elapsed());
    not_now(ending, head)
}

/// Records that a dispatch is no longer in the inbox where it was put; what was given up there stays given up.
pub(super) async fn take_back(road: &Road, head: &DispatchHead, account: &AccountId) -> Ending {
    let lost = Happening::Lost(Moved::of(&head.dispatch, Some(account.clone()), None));
    let recorded = insist(
        road,
        step(head, lost, &[DispatchState::Consigned, DispatchState::Failed]),
    )
    .await;
    let ending = recorded.map(|appended| {
        // After a conflict somebody else settled it, or made it due before: whoever looks finds out.
        let is_done = matches!(appended, Appended::Done(_));
        debug!(stage = "dispatch", dispatch.id = %head.dispatch.id, account.id = %account, is_done, "taken back");
        Ending::DueAgain
    });
    not_now(ending, head)
}

fn not_now(ending: Result<Ending, StoreFault>, head: &DispatchHead) -> Ending {
    ending.unwrap_or_else(|fault| {
        warn!(stage = "dispatch", dispatch.id = %head.dispatch.id, error = %fault, "not now");
        Ending::NotNow
    })
}

async fn try_send(
    road: &Road,
    turns: &Turns,
    head: &DispatchHead,
    account: &AccountId,
) -> Result<Ending, StoreFault> {
    match parcel::standing(road, head)? {
        Standing::Goes => {}
        Standing::Recalled(targets) => return withdraw(road, head, &targets).await,
        Standing::Behind(target) => return Ok(Ending::Behind(target)),
    }
    match twin::of(road, head, account)? {
        Twin::None => {}
        Twin::Ahead => return Ok(Ending::Waits),
        Twin::HandedOver => return handed_over_with_twin(road, head, account).await,
    }
    let body = match turns.bodies.get(road, &head.dispatch).await {
        Err(StoreFault::Damaged(fault)) => {
            error!(stage = "dispatch", dispatch.id = %head.dispatch.id, case.id = %head.dispatch.case, fault, "its bytes cannot be read; put packs and objects back from a copy");
            return Ok(Ending::Damaged);
        }
        body => body?,
    };
    let parcel = parcel::wrap(road, head, body.bytes())?;
    match road.inbox.hand_over(account.clone(), parcel).await {
        Outcome::Delivered => {}
        Outcome::Deferred => return Ok(Ending::NotNow),
        Outcome::Full => return Ok(Ending::Full),
        Outcome::Declined => return Ok(Ending::NoInbox),
    }
    drop(body);
    let consigned = Happening::Consigned(Moved::of(&head.dispatch, Some(account.clone()), None));
    // Also what was given up meanwhile lies there now. The addressee may have been quicker than this record.
    let recorded = insist(
        road,
        step(head, consigned, &[DispatchState::Due, DispatchState::Failed]),
    );
    match recorded.await? {
        Appended::Done(_) => Ok(Ending::Consigned),
        Appended::Conflict => Ok(Ending::Over),
    }
}

/// The account stored the document as another's that was merged with this addressee: this one has it, too.
async fn handed_over_with_twin(
    road: &Road,
    head: &DispatchHead,
    account: &AccountId,
) -> Result<Ending, StoreFault> {
    let handed_over = Happening::HandedOver(Moved::of(&head.dispatch, Some(account.clone()), None));
    if let Appended::Done(recorded) = road
        .append(step(head, handed_over, &[DispatchState::Due]))
        .await?
    {
        info!(stage = "dispatch", dispatch.id = %head.dispatch.id, account.id = %account, "the heir has it already");
        announce(road, &recorded).await;
    }
    Ok(Ending::Over)
}

/// A recall is withdrawn only as long as what it recalls is: an addressee may have taken that after all.
async fn withdraw(road: &Road, head: &DispatchHead, targets: &[DispatchId]) -> Result<Ending, StoreFault> {
    let withdrawn = Happening::Withdrawn(Moved::of(&head.dispatch, None, None));
    let mut commit = step(head, withdrawn, &[DispatchState::Due]);
    for &id in targets {
        let states = &[DispatchState::Withdrawn];
        commit = commit.expecting(Expectation::Dispatch { id, states });
    }
    match road.append(commit).await? {
        Appended::Done(recorded) => {
            info!(stage = "dispatch", dispatch.id = %head.dispatch.id, "withdrawn before it reached the inbox");
            announce(road, &recorded).await;
            Ok(Ending::Over)
        }
        Appended::Conflict => Ok(Ending::DueAgain),
    }
}

fn step(head: &DispatchHead, happening: Happening, states: &'static [DispatchState]) -> Commit {
    Commit::step(happening, head.dispatch.id, states)
}

/// Records what is so already at the broker, however long the store takes nothing.
///
/// # Errors
/// [`StoreFault::Stopped`]: the process ends, and the next one finds out.
async fn insist(road: &Road, commit: Commit) -> Result<Appended, StoreFault> {
    loop {
        match road.append(commit.clone()).await {
            Err(fault @ (StoreFault::NotNow(_) | StoreFault::Damaged(_))) => {
                debug!(stage = "dispatch", error = %fault, "the record is tried again");
                tokio::time::sleep(road.rules.retry_after).await;
            }
            appended => return appended,
        }
    }
}
