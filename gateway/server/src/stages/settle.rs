//! Settle: what connectors say they have stored becomes an event, and the sender is told.
//!
//! **Invariant:** only the account whose inbox a dispatch lies in can settle it.
//! **Invariant:** a confirmation is acknowledged after all that it settles is durable.

use std::sync::Arc;
use std::time::Instant;

use domain::dispatch::{DispatchKind, DispatchState};
use domain::event::{Happening, Moved};
use domain::ids::AccountId;
use domain::packet::BusinessType;
use domain::port::{Appended, CaseHead, CaseState, Commit, DispatchHead, StoreFault};
use domain::wire::{Confirmation, Stored};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use super::record::announce;
use super::{Acknowledge, Road};
use crate::telemetry::Stage;

/// Confirmation messages under way at most.
const UNDER_WAY_MAX: usize = 64;

/// A confirmation message of an account.
pub struct Confirming {
    /// Who says so.
    pub account: AccountId,
    /// What it says.
    pub body: Arc<[u8]>,
    /// Settles the message.
    pub handle: Box<dyn Acknowledge>,
}

/// Settles until `confirmations` ends and nothing is under way.
pub async fn settle(road: Road, mut confirmations: mpsc::Receiver<Confirming>) {
    let mut under_way: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
    let mut open = true;
    while open || !under_way.is_empty() {
        tokio::select! {
            next = confirmations.recv(), if open && under_way.len() < UNDER_WAY_MAX => match next {
                Some(confirming) => under_way.push(Box::pin(take(road.clone(), confirming))),
                None => open = false,
            },
            Some(()) = under_way.next(), if !under_way.is_empty() => {}
        }
    }
}

async fn take(road: Road, confirming: Confirming) {
    let Confirming {
        account,
        body,
        handle,
    } = confirming;
    let confirmation = match Confirmation::decode(&body) {
        Ok(confirmation) => confirmation,
        Err(fault) => {
            // It settles nothing, and coming again would not mend it.
            warn!(stage = "settle", account.id = %account, error = %fault, "a confirmation cannot be read");
            handle.done();
            return;
        }
    };
    let each = confirmation
        .stored
        .iter()
        .map(|stored| settle_one(&road, &account, stored));
    let began = Instant::now();
    let fault = join_all(each).await.into_iter().find_map(Result::err);
    road.metrics.time(Stage::Settle, began.elapsed());
    match fault {
        None => handle.done(),
        Some(fault) => {
            warn!(stage = "settle", account.id = %account, error = %fault, "not now");
            handle.not_now();
        }
    }
}

async fn settle_one(road: &Road, account: &AccountId, stored: &Stored) -> Result<(), StoreFault> {
    let Some(head) = road.journal.dispatch(stored.dispatch)? else {
        warn!(stage = "settle", account.id = %account, dispatch.id = %stored.dispatch, "no such dispatch");
        return Ok(());
    };
    if !may_settle(road, account, &head) {
        warn!(stage = "settle", account.id = %account, dispatch.id = %stored.dispatch, "not this account's");
        return Ok(());
    }
    let dispatch = &head.dispatch;
    let moved = Moved::of(dispatch, Some(account.clone()), Some(stored.at));
    // A handover after its failure was told is a correction: it is recorded too.
    // So is one after a withdrawal, when an attempt that nobody knew about had reached the inbox.
    let states = &[
        DispatchState::Due,
        DispatchState::Consigned,
        DispatchState::Failed,
        DispatchState::Withdrawn,
    ];
    let commit = Commit::step(Happening::HandedOver(moved), dispatch.id, states);
    match road.append(commit).await? {
        Appended::Done(recorded) => announce(road, &recorded).await,
        Appended::Conflict => {
            debug!(stage = "settle", dispatch.id = %stored.dispatch, "confirmed again");
        }
    }
    // Before the confirmation is acknowledged: after a crash it comes again.
    recall_after_all(road, &head).await
}

/// An attempt of which nobody knew had reached the inbox, and the document was taken: a recall that was withdrawn,
/// because it seemed never to have left, is due again. None was while the document was known to lie in the inbox.
async fn recall_after_all(road: &Road, taken: &DispatchHead) -> Result<(), StoreFault> {
    let (case, to) = (taken.dispatch.case, taken.dispatch.to);
    if taken.dispatch.kind != DispatchKind::Packet || taken.state == DispatchState::Consigned {
        return Ok(());
    }
    let is_recalled = |head: CaseHead| head.state == CaseState::Recalled;
    if !road.journal.case(case)?.is_some_and(is_recalled) {
        return Ok(());
    }
    let is_recall = |head: &CaseHead| {
        let business = head.identity.as_ref().map(|identity| identity.business);
        business == Some(BusinessType::Recall)
    };
    let (directory, now) = (road.journal.directory(), road.now());
    let holder = directory.heir(to, now).unwrap_or(to);
    for recall in road.journal.actions(case)?.into_iter().filter(is_recall) {
        for agency in directory.inbox_lineage(holder, now) {
            let Some(head) = road.journal.addressed(recall.case, agency)? else {
                continue;
            };
            let dispatch = &head.dispatch;
            let due = Happening::Lost(Moved::of(dispatch, None, None));
            let commit = Commit::step(due, dispatch.id, &[DispatchState::Withdrawn]);
            if let Appended::Done(recorded) = road.append(commit).await? {
                info!(stage = "settle", dispatch.id = %dispatch.id, "the recall follows what was taken");
                announce(road, &recorded).await;
                road.signals.due.add([dispatch.to]);
            }
        }
    }
    Ok(())
}

/// The account in whose inbox it lies or lay last, an account of the addressee itself, or the one that holds its inbox
/// now. Other successors of the addressee have no part in its inbox.
fn may_settle(road: &Road, account: &AccountId, head: &DispatchHead) -> bool {
    let (directory, to) = (road.journal.directory(), head.dispatch.to);
    head.consigned_to.as_ref() == Some(account)
        || directory.agency_of_account(account) == Some(to)
        || directory.inbox_of(&head.dispatch, road.now()).as_ref() == Some(account)
}
