//! Questions to the index.
//!
//! **Invariant:** reads only. What needs the journal too is told as a place to read there, so that no view lives while
//! the disk is read.

use domain::event::Identity;
use domain::ids::{AccountId, AgencyId, CaseId, DispatchId, DocumentId, SubmissionId};
use domain::port::{CaseHead, DispatchHead, Expectation, IssuedHead, Slot, StatusHead, SubmissionHead};
use trust::{Digest, Time};

use super::key;
use super::value::{
    CaseRecord, DispatchRecord, DocumentRecord, Mark, OwedRecord, Receipted, SubmissionRecord, Value,
    WaitingRecord,
};
use super::view::{Found, View};
use crate::store::fault::Fault;
use crate::store::journal::Location;
use crate::store::pack::PackPlace;

/// Entries of a row read at once before anybody said how many are wanted.
const PAGE: usize = 4;

fn part<T>(part: Option<T>) -> Result<T, Fault> {
    part.ok_or_else(|| Fault::Index("a key is cut short".to_owned()))
}

impl View<'_> {
    /// Position of the slot's last change; 0 when it never changed.
    pub(crate) fn seen(&self, slot: &Slot) -> Result<u64, Fault> {
        let seen = match slot {
            Slot::Document(sender, document) => {
                let record: Option<DocumentRecord> = self.get(&key::document(*sender, document))?;
                record.map(|record| record.seen)
            }
            Slot::Submission(account, id) => {
                let record: Option<SubmissionRecord> = self.get(&key::submission(account, id))?;
                record.map(|record| record.seen)
            }
            Slot::Case(case) => self
                .get::<CaseRecord>(&key::case(*case))?
                .map(|record| record.seen),
        };
        Ok(seen.unwrap_or(0))
    }

    /// Whether what a decision rests on still holds.
    pub(crate) fn holds(&self, expectation: &Expectation) -> Result<bool, Fault> {
        match expectation {
            Expectation::Unchanged { slot, seen } => Ok(self.seen(slot)? == *seen),
            Expectation::Dispatch { id, states } => {
                let head = self.dispatch(*id)?;
                Ok(head.is_some_and(|head| states.contains(&head.state)))
            }
            Expectation::Unanswered { case, about } => Ok(self.receipt_about(*case, about)?.is_none()),
        }
    }

    pub(crate) fn submission(
        &self,
        account: &AccountId,
        id: &SubmissionId,
    ) -> Result<Option<SubmissionHead>, Fault> {
        let record: Option<SubmissionRecord> = self.get(&key::submission(account, id))?;
        Ok(record.and_then(|record| record.head))
    }

    pub(crate) fn case(&self, case: CaseId) -> Result<Option<CaseHead>, Fault> {
        Ok(self
            .get::<CaseRecord>(&key::case(case))?
            .map(|record| record.head))
    }

    fn case_of(&self, case: Option<CaseId>) -> Result<Option<CaseHead>, Fault> {
        case.map_or(Ok(None), |case| self.case(case))
    }

    pub(crate) fn same(&self, identity: &Identity) -> Result<Option<CaseHead>, Fault> {
        self.case_of(self.get(&key::identity(identity))?)
    }

    fn document(&self, sender: AgencyId, document: &DocumentId) -> Result<DocumentRecord, Fault> {
        Ok(self.get(&key::document(sender, document))?.unwrap_or_default())
    }

    pub(crate) fn bearer(&self, sender: AgencyId, document: &DocumentId) -> Result<Option<CaseHead>, Fault> {
        self.case_of(self.document(sender, document)?.bearer)
    }

    pub(crate) fn named(&self, sender: AgencyId, document: &DocumentId) -> Result<Vec<CaseHead>, Fault> {
        let named = self.document(sender, document)?.named;
        let heads = named.into_iter().rev().map(|case| self.case(case));
        heads.filter_map(Result::transpose).collect()
    }

    pub(crate) fn actions(&self, target: CaseId) -> Result<Vec<CaseHead>, Fault> {
        let found = self.scan(&key::actions(target), usize::MAX)?;
        let heads = found
            .iter()
            .map(|(action, _)| self.case(part(key::case_of(action))?));
        heads.filter_map(Result::transpose).collect()
    }

    pub(crate) fn dispatch(&self, id: DispatchId) -> Result<Option<DispatchHead>, Fault> {
        Ok(self
            .get::<DispatchRecord>(&key::dispatch(id))?
            .map(|record| record.head))
    }

    pub(crate) fn addressed(&self, case: CaseId, agency: AgencyId) -> Result<Option<DispatchHead>, Fault> {
        let id: Option<DispatchId> = self.get(&key::addressed(case, agency))?;
        id.map_or(Ok(None), |id| self.dispatch(id))
    }

    pub(crate) fn addressees(&self, case: CaseId) -> Result<Vec<DispatchHead>, Fault> {
        let mut heads = Vec::new();
        for (_, id) in self.scan(&key::addressees(case), usize::MAX)? {
            heads.extend(self.dispatch(DispatchId::from_bytes(Value::from_bytes(&id)?))?);
        }
        Ok(heads)
    }

    pub(crate) fn statuses(&self, case: CaseId, addressee: AgencyId) -> Result<Vec<StatusHead>, Fault> {
        let found = self.scan(&key::statuses(case, addressee), usize::MAX)?;
        found
            .iter()
            .map(|(_, value)| StatusHead::from_bytes(value))
            .collect()
    }

    /// The dispatch that an entry of a row stands for.
    fn dispatch_of_row(&self, row: &[u8]) -> Result<DispatchRecord, Fault> {
        let id = part(key::dispatch_of(row))?;
        let record = self.get(&key::dispatch(id))?;
        record.ok_or_else(|| Fault::Index(format!("dispatch {id} is in a row and nowhere else")))
    }

    /// Dispatches of an agency's row that are in this state, in the order of the row, with their age.
    fn row(&self, row: &[u8], limit: usize) -> Result<Vec<DispatchRecord>, Fault> {
        let found = self.scan(row, limit)?;
        found.iter().map(|(row, _)| self.dispatch_of_row(row)).collect()
    }

    pub(crate) fn due(&self, to: AgencyId, limit: usize) -> Result<Vec<DispatchHead>, Fault> {
        let records = self.row(&key::row_of(key::DUE, to), limit)?;
        Ok(records.into_iter().map(|record| record.head).collect())
    }

    /// What is due for each document system and not `passed_over`, as many as `wanted` says of the first.
    pub(crate) fn due_by_system(
        &self,
        to: AgencyId,
        passed_over: &dyn Fn(DispatchId) -> bool,
        wanted: &mut dyn FnMut(&DispatchHead) -> usize,
    ) -> Result<Vec<Vec<DispatchHead>>, Fault> {
        let row = key::row_of(key::DUE, to);
        let mut due = Vec::new();
        let mut start = Some(row.clone());
        while let Some(from) = start {
            let page = self.scan_row(&row, &from, PAGE)?;
            let Some((first, _)) = page.first() else { break };
            let system = part(key::system_of_row(first))?;
            due.push(self.due_for_system(
                key::row_of_system(key::DUE, to, system),
                page,
                passed_over,
                wanted,
            )?);
            let next = system.checked_add(1);
            start = next.map(|next| key::row_of_system(key::DUE, to, next));
        }
        due.retain(|one| !one.is_empty());
        Ok(due)
    }

    /// The same of one system, whose row begins with this page.
    fn due_for_system(
        &self,
        row: Vec<u8>,
        mut page: Vec<Found>,
        passed_over: &dyn Fn(DispatchId) -> bool,
        wanted: &mut dyn FnMut(&DispatchHead) -> usize,
    ) -> Result<Vec<DispatchHead>, Fault> {
        let (mut due, mut left, mut limit) = (Vec::new(), None, PAGE);
        loop {
            for (entry, _) in page.iter().filter(|(entry, _)| entry.starts_with(&row)) {
                if left == Some(0) {
                    return Ok(due);
                }
                if passed_over(part(key::dispatch_of(entry))?) {
                    continue;
                }
                let head = self.dispatch_of_row(entry)?.head;
                match left.unwrap_or_else(|| wanted(&head)) {
                    0 => return Ok(due),
                    some => left = Some(some - 1),
                }
                due.push(head);
            }
            let Some((last, _)) = page.last().filter(|_| page.len() == limit && left != Some(0)) else {
                return Ok(due);
            };
            // As many as are wanted, or far more than before where all are passed over: reading keys costs little, and
            // beginning to read much.
            limit = left.unwrap_or(16 * limit).max(limit);
            page = self.scan_from(&row, &key::behind(last), limit)?;
        }
    }

    pub(crate) fn in_inbox(&self, to: AgencyId) -> Result<Vec<DispatchHead>, Fault> {
        let mut records = self.row(&key::row_of(key::FLYING, to), usize::MAX)?;
        records.sort_by_key(|record| record.position);
        Ok(records.into_iter().map(|record| record.head).collect())
    }

    /// Agencies with something in this row: one step an agency, however long its row is.
    pub(crate) fn agencies(&self, letter: u8) -> Result<Vec<AgencyId>, Fault> {
        let mut agencies = Vec::new();
        let mut from = vec![letter];
        while let [(row, _)] = self.scan_from(&[letter], &from, 1)?.as_slice() {
            let agency = part(key::agency_of_row(row))?;
            agencies.push(agency);
            let Some(next) = agency.number().checked_add(1) else {
                break;
            };
            from = key::row_of(letter, AgencyId::from_number(next));
        }
        Ok(agencies)
    }

    pub(crate) fn expired(&self, now: Time, limit: usize) -> Result<Vec<DispatchHead>, Fault> {
        let end = key::expiry_from(now);
        let mut heads = Vec::new();
        for (entry, _) in self.scan(&[key::EXPIRY], limit)? {
            if end <= entry {
                break;
            }
            heads.extend(self.dispatch(part(key::dispatch_of(&entry))?)?);
        }
        Ok(heads)
    }

    /// Receipts that are owed, with the position of their event.
    pub(crate) fn owed(&self, limit: usize) -> Result<Vec<(u64, OwedRecord)>, Fault> {
        let found = self.scan(&[key::OWED], limit)?;
        found
            .iter()
            .map(|(owed, value)| Ok((part(key::position_of(owed))?, OwedRecord::from_bytes(value)?)))
            .collect()
    }

    pub(crate) fn owed_for(&self, position: u64) -> Result<Option<OwedRecord>, Fault> {
        self.get(&key::owed(position))
    }

    pub(crate) fn receipt_about(&self, case: CaseId, about: &Digest) -> Result<Option<IssuedHead>, Fault> {
        match self.get(&key::answer(case, about))? {
            Some(Receipted::Issued(issued)) => Ok(Some(issued)),
            Some(Receipted::Owed(_)) | None => Ok(None),
        }
    }

    /// Held submissions: case, end of waiting, and the event that holds it.
    pub(crate) fn held(
        &self,
        after: Option<(Time, CaseId)>,
        limit: usize,
    ) -> Result<Vec<(CaseId, Time, WaitingRecord)>, Fault> {
        let from = after.map_or_else(
            || vec![key::HELD],
            |(until, case)| key::behind(&key::held(until, case)),
        );
        let found = self.scan_from(&[key::HELD], &from, limit)?;
        let read = |(held, value): &(Vec<u8>, sled::IVec)| {
            let (case, until) = (part(key::case_of(held))?, part(key::held_until(held))?);
            Ok((case, until, WaitingRecord::from_bytes(value)?))
        };
        found.iter().map(read).collect()
    }

    /// A case that is held: until when, and the event that holds it.
    pub(crate) fn held_case(&self, case: CaseId) -> Result<Option<(Time, WaitingRecord)>, Fault> {
        let record = self.get::<CaseRecord>(&key::case(case))?;
        let Some(until) = record.and_then(|record| record.held_until) else {
            return Ok(None);
        };
        Ok(self.get(&key::held(until, case))?.map(|waits| (until, waits)))
    }

    /// Parked submissions: case, and the event that parked it.
    pub(crate) fn parked(&self, limit: usize) -> Result<Vec<(CaseId, WaitingRecord)>, Fault> {
        let found = self.scan(&[key::PARKED], limit)?;
        let read = |(parked, value): &(Vec<u8>, sled::IVec)| {
            Ok((part(key::case_of(parked))?, WaitingRecord::from_bytes(value)?))
        };
        found.iter().map(read).collect()
    }

    /// How many submissions are held and how many are parked, each up to `rows_max`.
    pub(crate) fn undecided(&self, rows_max: usize) -> Result<(usize, usize), Fault> {
        let held = self.scan(&[key::HELD], rows_max)?.len();
        let parked = self.scan(&[key::PARKED], rows_max)?.len();
        Ok((held, parked))
    }

    /// Events of a case that no dispatch holds: positions and places.
    pub(crate) fn events(&self, case: CaseId) -> Result<Vec<(u64, Location)>, Fault> {
        self.located(&key::events(case))
    }

    /// Events that moved a dispatch: positions and places.
    pub(crate) fn moves(&self, id: DispatchId) -> Result<Vec<(u64, Location)>, Fault> {
        let record: Option<DispatchRecord> = self.get(&key::dispatch(id))?;
        Ok(record.map_or_else(Vec::new, |record| record.places))
    }

    /// Changes of the directory: positions and places.
    pub(crate) fn directory_changes(&self) -> Result<Vec<(u64, Location)>, Fault> {
        self.located(&[key::DIRECTORY])
    }

    fn located(&self, prefix: &[u8]) -> Result<Vec<(u64, Location)>, Fault> {
        let found = self.scan(prefix, usize::MAX)?;
        found
            .iter()
            .map(|(entry, value)| Ok((part(key::position_of(entry))?, Location::from_bytes(value)?)))
            .collect()
    }

    /// The mark at this position.
    pub(crate) fn mark(&self, position: u64) -> Result<Option<Mark>, Fault> {
        self.get(&key::mark(position))
    }

    /// Where an original stands in the packs.
    pub(crate) fn original(&self, digest: &Digest) -> Result<Option<PackPlace>, Fault> {
        self.get(&key::original(digest))
    }
}
