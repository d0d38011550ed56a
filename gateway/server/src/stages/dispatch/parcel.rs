//! What goes into an inbox: the bytes unchanged, and what is told beside them.

use std::sync::Arc;

use domain::dispatch::{DispatchKind, DispatchState};
use domain::ids::DispatchId;
use domain::packet::BusinessType;
use domain::port::{CaseState, DispatchHead, Parcel, StoreFault};

use crate::stages::Road;

/// Whether a dispatch is still to be delivered.
#[derive(Debug)]
pub(super) enum Standing {
    /// It goes.
    Goes,
    /// Its document was recalled, or it recalls what never left: as long as these dispatches are withdrawn.
    Recalled(Vec<DispatchId>),
    /// It recalls this one, which is going into the inbox again, or is about to be withdrawn.
    Behind(Box<DispatchHead>),
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
        return Ok(Standing::Recalled(Vec::new()));
    }
    let recalls = case
        .identity
        .is_some_and(|identity| identity.business == BusinessType::Recall);
    if !recalls || case.targets.is_empty() {
        return Ok(Standing::Goes);
    }
    let (directory, now, to) = (road.journal.directory(), road.now(), head.dispatch.to);
    let holder = directory.heir(to, now).unwrap_or(to);
    let (mut goes, mut withdrawn) = (was_there, Vec::new());
    for agency in directory.inbox_lineage(holder, now) {
        for target in &case.targets {
            let Some(target) = road.journal.addressed(*target, agency)? else {
                continue;
            };
            match target.state {
                DispatchState::Due => return Ok(Standing::Behind(Box::new(target))),
                DispatchState::Withdrawn => withdrawn.push(target.dispatch.id),
                DispatchState::Consigned | DispatchState::HandedOver | DispatchState::Failed => goes = true,
            }
        }
    }
    Ok(if goes {
        Standing::Goes
    } else {
        Standing::Recalled(withdrawn)
    })
}

/// The parcel for a dispatch.
pub(super) fn wrap(road: &Road, head: &DispatchHead, body: Arc<[u8]>) -> Result<Parcel, StoreFault> {
    let dispatch = &head.dispatch;
    let case = road.journal.case(dispatch.case)?;
    let identity = case.as_ref().and_then(|case| case.identity.as_ref());
    Ok(Parcel {
        dispatch: dispatch.clone(),
        event: head.event,
        body,
        gateway: road.rules.gateway.clone(),
        document: identity.map(|identity| identity.document.to_string()),
        targets: case.map(|case| case.targets).unwrap_or_default(),
    })
}
