//! What goes into an inbox: the bytes unchanged, and what is told beside them.

use std::sync::Arc;

use domain::dispatch::{DispatchKind, DispatchState};
use domain::packet::BusinessType;
use domain::port::{CaseState, DispatchHead, Parcel, StoreFault};

use crate::stages::Road;

/// Whether a dispatch is still to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It goes.
    Goes,
    /// Its document was recalled, or it recalls what never left.
    Recalled,
    /// It recalls what is going into the inbox again, or is about to be withdrawn.
    Waits,
}

/// How it stands now. What was in an inbox once may have been taken from it: then the recall follows it, and never
/// arrives before it.
pub(super) fn standing(road: &Road, head: &DispatchHead) -> Result<Standing, StoreFault> {
    if head.dispatch.kind != DispatchKind::Packet {
        return Ok(Standing::Goes);
    }
    let Some(case) = road.journal.case(head.dispatch.case)? else {
        return Ok(Standing::Goes);
    };
    let was_there = head.consigned_at.is_some();
    if case.state == CaseState::Recalled && !was_there {
        return Ok(Standing::Recalled);
    }
    let recalls = case
        .identity
        .is_some_and(|identity| identity.business == BusinessType::Recall);
    if !recalls || case.targets.is_empty() {
        return Ok(Standing::Goes);
    }
    let directory = road.journal.directory();
    let to = head.dispatch.to;
    let holder = directory.heir(to, road.now()).unwrap_or(to);
    let mut goes = was_there;
    for agency in directory.lineage(holder) {
        for target in &case.targets {
            let target = road.journal.addressed(*target, agency)?;
            match target.map(|target| target.state) {
                Some(DispatchState::Due) => return Ok(Standing::Waits),
                Some(DispatchState::Withdrawn) | None => {}
                Some(DispatchState::Consigned | DispatchState::HandedOver | DispatchState::Failed) => {
                    goes = true;
                }
            }
        }
    }
    Ok(if goes { Standing::Goes } else { Standing::Recalled })
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
