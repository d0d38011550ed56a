//! Twins: dispatches of one case to several addressees whose inboxes one agency holds since they were merged.
//!
//! The heir gets the document once: one of them goes, the others wait for it and are handed over with it. When that one
//! is taken back, or given up before it was in the inbox, the next one goes.
//!
//! **Invariant:** of two twins the same one goes first, whoever asks; a twin that waits stays due, so that no restart
//! forgets it.

use domain::directory::Directory;
use domain::dispatch::{DispatchKind, DispatchState};
use domain::ids::{AccountId, AgencyId};
use domain::port::{DispatchHead, StoreFault};

use crate::stages::Road;

/// What the twins of a dispatch mean for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twin {
    /// It goes.
    None,
    /// Another one goes, or lies in the inbox.
    Ahead,
    /// The account has the document already.
    HandedOver,
}

/// How the twins of this dispatch stand, which is about to go into the inbox of `account`.
pub(super) fn of(road: &Road, head: &DispatchHead, account: &AccountId) -> Result<Twin, StoreFault> {
    let (directory, dispatch) = (road.journal.directory(), &head.dispatch);
    let Some(holder) = directory.agency_of_account(account) else {
        return Ok(Twin::None);
    };
    if dispatch.kind != DispatchKind::Packet || directory.predecessors(holder).is_empty() {
        return Ok(Twin::None);
    }
    let mut found = Twin::None;
    for agency in directory.lineage(holder) {
        if agency == dispatch.to {
            continue;
        }
        let Some(other) = road.journal.addressed(dispatch.case, agency)? else {
            continue;
        };
        let lies_with = other.consigned_to.as_ref();
        let is_here = lies_with.and_then(|account| directory.agency_of_account(account)) == Some(holder);
        match other.state {
            DispatchState::HandedOver if is_here => return Ok(Twin::HandedOver),
            DispatchState::Consigned if is_here => found = Twin::Ahead,
            // One that was given up may still lie in the inbox, and be taken late.
            DispatchState::Failed if is_here && lies(road, &other)? => found = Twin::Ahead,
            // One that lies elsewhere is about to be taken back: it has its turn whether that is recorded yet or not.
            DispatchState::Due | DispatchState::Consigned
                if goes_before(road, &directory, &other, head, holder) =>
            {
                found = Twin::Ahead;
            }
            DispatchState::Due
            | DispatchState::Consigned
            | DispatchState::HandedOver
            | DispatchState::Failed
            | DispatchState::Withdrawn => {}
        }
    }
    Ok(found)
}

/// Whether it takes a place in an inbox still: one that was lost does not.
fn lies(road: &Road, head: &DispatchHead) -> Result<bool, StoreFault> {
    let lying = road.journal.in_inbox(head.dispatch.to)?;
    Ok(lying.iter().any(|other| other.dispatch.id == head.dispatch.id))
}

/// The holder's own goes first, then those of the agencies that were there first.
fn goes_before(
    road: &Road,
    directory: &Directory,
    other: &DispatchHead,
    head: &DispatchHead,
    holder: AgencyId,
) -> bool {
    let turn = |to: AgencyId| (to != holder, to);
    let (other, to) = (other.dispatch.to, head.dispatch.to);
    directory.heir(other, road.now()) == Some(holder) && turn(other) < turn(to)
}
