//! What events make of dispatches: due, in an inbox, settled; and back.

use domain::dispatch::{Dispatch, DispatchKind, DispatchState};
use domain::event::Happening;
use domain::ids::{AccountId, CaseId, DispatchId};
use domain::port::DispatchHead;

use super::Step;
use crate::store::fault::Fault;
use crate::store::index::key;
use crate::store::index::value::DispatchRecord;

impl Step<'_, '_> {
    fn dispatch(&self, id: DispatchId) -> Result<Option<DispatchRecord>, Fault> {
        self.view.get(&key::dispatch(id))
    }

    /// An event of a dispatch, whether it changes its state or comes too late for that.
    pub(super) fn moved(
        &mut self,
        case: CaseId,
        id: DispatchId,
        state: DispatchState,
        inbox: Option<&AccountId>,
    ) -> Result<(), Fault> {
        let Some(mut record) = self.dispatch(id)? else {
            self.view
                .insert(key::event(case, self.position), &self.placed.location);
            return Ok(());
        };
        record.places.push((self.position, self.placed.location));
        // A recall that was withdrawn follows what was taken after all.
        let is_due_after_all = (record.head.state, state) == (DispatchState::Withdrawn, DispatchState::Due);
        // What was given up in an inbox is there no more, and stays given up.
        if (record.head.state, state) == (DispatchState::Failed, DispatchState::Due) {
            self.forget_place(&record)?;
        }
        // What was given up while it was handed over lies there all the same.
        if (record.head.state, state) == (DispatchState::Failed, DispatchState::Consigned) {
            let row = key::row(key::FLYING, &record.head.dispatch, record.position);
            self.view.put(row, &())?;
        }
        if !record.head.state.is_settled() || state == DispatchState::HandedOver || is_due_after_all {
            self.change_state(&mut record, state)?;
        }
        // Who confirmed it had it; where it lay before is known better by its consignment.
        let is_told = state == DispatchState::Consigned || record.head.consigned_to.is_none();
        if let Some(inbox) = inbox.filter(|_| is_told) {
            (record.head.consigned_at, record.head.consigned_to) = (Some(self.time), Some(inbox.clone()));
        }
        self.view.put(key::dispatch(id), &record)
    }

    fn change_state(&mut self, record: &mut DispatchRecord, state: DispatchState) -> Result<(), Fault> {
        let (dispatch, position) = (&record.head.dispatch, record.position);
        let row = |letter| key::row(letter, dispatch, position);
        match state {
            DispatchState::Due => {
                self.view.remove(row(key::FLYING))?;
                self.view.put(row(key::DUE), &())?;
                if let Some(expires_at) = dispatch.expires_at {
                    self.view.put(key::expiry(expires_at, dispatch.id), &())?;
                }
            }
            DispatchState::Consigned => {
                self.view.remove(row(key::DUE))?;
                self.view.put(row(key::FLYING), &())?;
            }
            DispatchState::HandedOver | DispatchState::Failed | DispatchState::Withdrawn => {
                self.view.remove(row(key::DUE))?;
                // What is given up in an inbox still lies there, until it is taken or the inbox is lost.
                if state != DispatchState::Failed {
                    self.view.remove(row(key::FLYING))?;
                }
                if let Some(expires_at) = dispatch.expires_at {
                    self.view.remove(key::expiry(expires_at, dispatch.id))?;
                }
            }
        }
        record.head.state = state;
        Ok(())
    }

    /// It lies in no inbox.
    fn forget_place(&mut self, record: &DispatchRecord) -> Result<(), Fault> {
        let (dispatch, position) = (&record.head.dispatch, record.position);
        self.view.remove(key::row(key::FLYING, dispatch, position))
    }

    /// All that lay in inboxes is due again, each in its old turn, but for what was given up there.
    pub(super) fn broker_lost(&mut self) -> Result<(), Fault> {
        for (row, _) in self.view.scan(&[key::FLYING], usize::MAX)? {
            let id =
                key::dispatch_of(&row).ok_or_else(|| Fault::Index("a row names no dispatch".to_owned()))?;
            let Some(mut record) = self.dispatch(id)? else {
                continue;
            };
            if record.head.state == DispatchState::Failed {
                self.forget_place(&record)?;
                continue;
            }
            self.change_state(&mut record, DispatchState::Due)?;
            self.view.put(key::dispatch(id), &record)?;
        }
        Ok(())
    }

    /// A new dispatch, or one that was given up and is due again under its old id: what moved it before stays told.
    pub(super) fn due(&mut self, dispatch: Dispatch) -> Result<(), Fault> {
        let (id, kind) = (dispatch.id, dispatch.kind);
        let before = if matches!(self.placed.recorded.event.happening, Happening::Extended(_)) {
            self.dispatch(id)?
        } else {
            None
        };
        if let Some(before) = &before {
            self.forget_place(before)?;
        }
        self.view
            .insert(key::row(key::DUE, &dispatch, self.position), &());
        if let Some(expires_at) = dispatch.expires_at {
            self.view.insert(key::expiry(expires_at, id), &());
        }
        if kind == DispatchKind::Packet {
            self.view.put(key::addressed(dispatch.case, dispatch.to), &id)?;
        }
        let (consigned_at, consigned_to) = match &before {
            Some(before) => (before.head.consigned_at, before.head.consigned_to.clone()),
            None => (None, None),
        };
        let head = DispatchHead {
            dispatch,
            state: DispatchState::Due,
            event: self.leaf,
            consigned_at,
            consigned_to,
        };
        let is_new = before.is_none();
        let record = DispatchRecord {
            head,
            position: self.position,
            places: before.map_or_else(Vec::new, |before| before.places),
        };
        if is_new {
            self.view.insert(key::dispatch(id), &record);
            return Ok(());
        }
        self.view.put(key::dispatch(id), &record)
    }
}
