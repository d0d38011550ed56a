//! What goes into an inbox: the bytes unchanged, and what is told beside them.

use std::sync::Arc;

use domain::dispatch::{DispatchKind, DispatchState};
use domain::packet::BusinessType;
use domain::port::{CaseState, DispatchHead, Parcel, StoreFault};

use crate::stages::Road;

/// Whether this need not be delivered any more: its document was recalled, or it recalls what never left.
pub(super) fn is_recalled(road: &Road, head: &DispatchHead) -> Result<bool, StoreFault> {
    // What was in an inbox once may have been taken from it: then the recall follows it.
    if head.dispatch.kind != DispatchKind::Packet || head.consigned_at.is_some() {
        return Ok(false);
    }
    let Some(case) = road.journal.case(head.dispatch.case)? else {
        return Ok(false);
    };
    match case.state {
        CaseState::Recalled => return Ok(true),
        CaseState::Held
        | CaseState::Accepted
        | CaseState::Refused
        | CaseState::Joined
        | CaseState::Parked => {}
    }
    let recalls = case
        .identity
        .is_some_and(|identity| identity.business == BusinessType::Recall);
    if !recalls || case.targets.is_empty() {
        return Ok(false);
    }
    let directory = road.journal.directory();
    let to = head.dispatch.to;
    let holder = directory.heir(to, road.now()).unwrap_or(to);
    for agency in directory.lineage(holder) {
        for target in &case.targets {
            match road
                .journal
                .addressed(*target, agency)?
                .map(|target| target.state)
            {
                Some(DispatchState::Withdrawn) | None => {}
                Some(
                    DispatchState::Due
                    | DispatchState::Consigned
                    | DispatchState::HandedOver
                    | DispatchState::Failed,
                ) => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// The parcel for a dispatch.
pub(super) fn wrap(road: &Road, head: &DispatchHead, body: Arc<[u8]>) -> Result<Parcel, StoreFault> {
    let dispatch = &head.dispatch;
    let case = road.journal.case(dispatch.case)?;
    let identity = case.as_ref().and_then(|case| case.identity.as_ref());
    let directory = road.journal.directory();
    let sender = case
        .as_ref()
        .and_then(|case| case.sender)
        .and_then(|sender| directory.agency(sender));
    let code = sender
        .and_then(|agency| agency.codes_current().next())
        .map(ToString::to_string);
    Ok(Parcel {
        dispatch: dispatch.clone(),
        event: head.event,
        body,
        sender: code,
        document: identity.map(|identity| identity.document.to_string()),
        targets: case.map(|case| case.targets).unwrap_or_default(),
    })
}
