//! From an event to the changes it makes in the index: the one place that says what events amount to.
//!
//! Applied at run time and in a rebuild alike.
//!
//! **Invariant:** a function of the event, its place and what the index says of events before it; no clock, no memory.
//! **Invariant:** what is settled stays settled, save that a handover told late corrects a failure (design: hard corners).

mod dispatches;

use domain::consequence::Consequences;
use domain::dispatch::{DispatchKind, DispatchState};
use domain::event::{
    Accepted, Extended, Happening, Held, Identity, Parked, ReceiptIssued, Refused, Reported, Submission,
};
use domain::ids::{AgencyId, CaseId, DispatchId, DocumentId};
use domain::packet::BusinessType;
use domain::port::{Answered, CaseHead, CaseState, IssuedHead, StatusHead, SubmissionHead, bears_id};
use trust::{Digest, Time};

use super::fault::Fault;
use super::index::key;
use super::index::value::{
    CaseRecord, DocumentRecord, Mark, OwedRecord, Receipted, SubmissionRecord, WaitingRecord,
};
use super::index::view::View;
use super::journal::Placed;
use super::pack::PackPlace;

/// Makes the changes of one event.
pub(super) fn apply(view: &mut View<'_>, placed: &Placed) -> Result<(), Fault> {
    let (event, position) = (&placed.recorded.event, placed.recorded.position);
    // What moves a dispatch is found through the dispatch: most events of a case need no key of their own.
    if let Some(case) = event.happening.case()
        && dispatch_moved(&event.happening).is_none()
    {
        view.insert(key::event(case, position), &placed.location);
    }
    if position == mark_of(position) {
        let mark = Mark {
            location: placed.location,
            before: placed.before,
        };
        view.insert(key::mark(position), &mark);
    }
    let mut step = Step {
        view,
        placed,
        position,
        leaf: placed.recorded.leaf,
        time: event.time,
    };
    if let Some(submission) = event.happening.submission() {
        step.submission(submission, event.happening.case())?;
    }
    match &event.happening {
        Happening::Accepted(it) => step.accepted(it)?,
        Happening::Refused(it) => step.refused(it)?,
        Happening::Held(it) => step.held(it)?,
        Happening::Extended(it) => step.extended(it)?,
        Happening::Reported(it) => step.reported(it)?,
        Happening::Consigned(it) => {
            step.moved(
                it.case,
                it.dispatch,
                DispatchState::Consigned,
                it.account.as_ref(),
            )?;
        }
        Happening::HandedOver(it) => {
            step.moved(
                it.case,
                it.dispatch,
                DispatchState::HandedOver,
                it.account.as_ref(),
            )?;
        }
        Happening::Failed(it) => step.moved(it.case, it.dispatch, DispatchState::Failed, None)?,
        Happening::Withdrawn(it) => step.moved(it.case, it.dispatch, DispatchState::Withdrawn, None)?,
        Happening::Lost(it) => step.moved(it.case, it.dispatch, DispatchState::Due, None)?,
        Happening::ReceiptIssued(it) => step.receipt_issued(it)?,
        Happening::DirectoryChanged(_) => step.view.insert(key::directory(position), &placed.location),
        Happening::BrokerLost { .. } => step.broker_lost()?,
        Happening::Repeated(it) => step.join(&it.submission, it.case)?,
        Happening::Parked(it) => step.parked(it)?,
    }
    step.consequences(Consequences::of(event, &placed.recorded.leaf))
}

/// The last marked position up to this one: every 64th event is marked, to be found by its position.
pub(super) fn mark_of(position: u64) -> u64 {
    ((position - 1) & !63) + 1
}

/// The dispatch that an event moves.
fn dispatch_moved(happening: &Happening) -> Option<DispatchId> {
    match happening {
        Happening::Consigned(it)
        | Happening::HandedOver(it)
        | Happening::Withdrawn(it)
        | Happening::Lost(it) => Some(it.dispatch),
        Happening::Failed(it) => Some(it.dispatch),
        Happening::Accepted(_)
        | Happening::Refused(_)
        | Happening::Held(_)
        | Happening::Repeated(_)
        | Happening::Extended(_)
        | Happening::Reported(_)
        | Happening::ReceiptIssued(_)
        | Happening::Parked(_)
        | Happening::DirectoryChanged(_)
        | Happening::BrokerLost { .. } => None,
    }
}

/// Notes where an original stands.
pub(super) fn keep(view: &mut View<'_>, digest: &Digest, place: PackPlace) -> Result<(), Fault> {
    view.put(key::original(digest), &place)
}

/// One event on its way into the index.
struct Step<'v, 'i> {
    view: &'v mut View<'i>,
    placed: &'v Placed,
    position: u64,
    leaf: Digest,
    time: Time,
}

impl Step<'_, '_> {
    /// The first case and packet under a submission id stay: a second packet under it is refused, not remembered.
    fn submission(&mut self, it: &Submission, case: Option<CaseId>) -> Result<(), Fault> {
        let key = key::submission(&it.account, &it.id);
        let known: Option<SubmissionRecord> = self.view.get(&key)?;
        let new = || {
            case.map(|case| SubmissionHead {
                case,
                packet: it.packet,
                answered: None,
            })
        };
        let head = known.and_then(|known| known.head).or_else(new);
        self.view.put(
            key,
            &SubmissionRecord {
                seen: self.position,
                head,
            },
        )
    }

    fn case(&self, case: CaseId) -> Result<Option<CaseRecord>, Fault> {
        self.view.get(&key::case(case))
    }

    fn put_case(&mut self, record: &CaseRecord) -> Result<(), Fault> {
        self.view.put(key::case(record.head.case), record)
    }

    /// Notes that something about the case changed that a decision may rest on.
    fn touch(&mut self, case: CaseId) -> Result<(), Fault> {
        if let Some(record) = self.case(case)? {
            self.put_case(&CaseRecord {
                seen: self.position,
                ..record
            })?;
        }
        Ok(())
    }

    fn change_document(
        &mut self,
        sender: AgencyId,
        document: &DocumentId,
        change: impl FnOnce(&mut DocumentRecord),
    ) -> Result<(), Fault> {
        let key = key::document(sender, document);
        let mut record: DocumentRecord = self.view.get(&key)?.unwrap_or_default();
        change(&mut record);
        record.seen = self.position;
        self.view.put(key, &record)
    }

    /// Ends the waiting of a case, if it waits: for something, or for a person.
    fn end_wait(&mut self, record: Option<&CaseRecord>) -> Result<(), Fault> {
        let Some(record) = record else { return Ok(()) };
        let case = record.head.case;
        if let Some(until) = record.held_until {
            self.view.remove(key::held(until, case))?;
        }
        match record.head.state {
            CaseState::Parked => self.view.remove(key::parked(case)),
            CaseState::Held
            | CaseState::Accepted
            | CaseState::Recalled
            | CaseState::Refused
            | CaseState::Joined => Ok(()),
        }
    }

    fn accepted(&mut self, it: &Accepted) -> Result<(), Fault> {
        let before = self.case(it.case)?;
        self.end_wait(before.as_ref())?;
        let head = CaseHead {
            case: it.case,
            state: CaseState::Accepted,
            identity: Some(it.identity.clone()),
            sender: it.submission.agency.or(Some(it.identity.sender)),
            rank: it.rank,
            packet: it.submission.packet,
            answer: self.leaf,
            since: before.map_or(self.time, |before| before.head.since),
            targets: it.targets.clone(),
            acted_on_by: None,
        };
        self.put_case(&CaseRecord {
            seen: self.position,
            head,
            held_until: None,
        })?;
        self.view.put(key::identity(&it.identity), &it.case)?;
        for target in &it.targets {
            self.acted_on(*target, it)?;
        }
        let case = it.case;
        self.change_document(it.identity.sender, &it.identity.document, |record| {
            if bears_id(it.identity.business) {
                record.bearer = Some(case);
                record.named.push(case);
            }
        })
    }

    /// An accepted recall, update or replacement acts on this case.
    fn acted_on(&mut self, target: CaseId, by: &Accepted) -> Result<(), Fault> {
        let Some(mut record) = self.case(target)? else {
            return Ok(());
        };
        record.seen = self.position;
        record.head.acted_on_by = Some(by.case);
        self.view.put(key::action(target, by.case), &by.case)?;
        let recalled = by.identity.business == BusinessType::Recall;
        if recalled && record.head.state == CaseState::Accepted {
            record.head.state = CaseState::Recalled;
            if let Some(identity) = record.head.identity.clone() {
                self.free(&identity, target)?;
            }
        }
        self.put_case(&record)
    }

    /// The case bears its document id no more.
    fn free(&mut self, identity: &Identity, case: CaseId) -> Result<(), Fault> {
        self.change_document(identity.sender, &identity.document, |record| {
            record.bearer = record.bearer.filter(|bearer| *bearer != case);
        })
    }

    fn refused(&mut self, it: &Refused) -> Result<(), Fault> {
        let before = self.case(it.case)?;
        self.end_wait(before.as_ref())?;
        if let Some(identity) = before.as_ref().and_then(|before| before.head.identity.as_ref()) {
            self.free(identity, it.case)?;
        } else if let (Some(sender), Some(document)) = (it.submission.agency, &it.document) {
            self.change_document(sender, document, |_| {})?;
        }
        let head = CaseHead {
            case: it.case,
            state: CaseState::Refused,
            identity: before.as_ref().and_then(|before| before.head.identity.clone()),
            sender: it.submission.agency,
            rank: it.rank,
            packet: it.submission.packet,
            answer: self.leaf,
            since: before.as_ref().map_or(self.time, |before| before.head.since),
            targets: before.map_or_else(Vec::new, |before| before.head.targets),
            acted_on_by: None,
        };
        self.put_case(&CaseRecord {
            seen: self.position,
            head,
            held_until: None,
        })
    }

    fn held(&mut self, it: &Held) -> Result<(), Fault> {
        let before = self.case(it.case)?;
        self.end_wait(before.as_ref())?;
        let head = CaseHead {
            case: it.case,
            state: CaseState::Held,
            identity: Some(it.identity.clone()),
            sender: it.submission.agency.or(Some(it.identity.sender)),
            rank: it.rank,
            packet: it.submission.packet,
            answer: self.leaf,
            since: before.map_or(self.time, |before| before.head.since),
            targets: Vec::new(),
            acted_on_by: None,
        };
        self.put_case(&CaseRecord {
            seen: self.position,
            head,
            held_until: Some(it.until),
        })?;
        self.note_identity(it)?;
        let waits = WaitingRecord {
            position: self.position,
            location: self.placed.location,
        };
        self.view.insert(key::held(it.until, it.case), &waits);
        let case = it.case;
        self.change_document(it.identity.sender, &it.identity.document, |record| {
            // A held replacement under its target's id does not push the target aside before it is accepted.
            if bears_id(it.identity.business) {
                record.bearer = record.bearer.or(Some(case));
            }
        })
    }

    /// The held case becomes the newest of its identity, unless an accepted one is: what is held for further addressees
    /// is judged beside that one, so that its own addressees do not get the document twice.
    fn note_identity(&mut self, it: &Held) -> Result<(), Fault> {
        let key = key::identity(&it.identity);
        let newest = match self.view.get(&key)? {
            Some(case) => self.case(case)?,
            None => None,
        };
        match newest {
            Some(newest) if newest.head.state == CaseState::Accepted => Ok(()),
            Some(_) | None => self.view.put(key, &it.case),
        }
    }

    /// The case of its own that a submission waits as, if it does.
    fn waiting_as(&self, submission: &Submission) -> Result<Option<CaseRecord>, Fault> {
        let known: Option<SubmissionRecord> = self
            .view
            .get(&key::submission(&submission.account, &submission.id))?;
        let Some(head) = known.and_then(|known| known.head) else {
            return Ok(None);
        };
        let waits = |state| matches!(state, CaseState::Held | CaseState::Parked);
        let record = self.case(head.case)?;
        Ok(record.filter(|record| waits(record.head.state)))
    }

    /// A submission waits for a person now: it is judged no more by itself. One that was held still bears its id.
    fn parked(&mut self, it: &Parked) -> Result<(), Fault> {
        let before = self.case(it.case)?;
        self.end_wait(before.as_ref())?;
        let head = CaseHead {
            case: it.case,
            state: CaseState::Parked,
            identity: before.as_ref().and_then(|before| before.head.identity.clone()),
            sender: it.submission.agency,
            rank: it.rank,
            packet: it.submission.packet,
            answer: self.leaf,
            since: before.map_or(self.time, |before| before.head.since),
            targets: Vec::new(),
            acted_on_by: None,
        };
        let waits = WaitingRecord {
            position: self.position,
            location: self.placed.location,
        };
        self.view.insert(key::parked(it.case), &waits);
        self.put_case(&CaseRecord {
            seen: self.position,
            head,
            held_until: None,
        })
    }

    /// A submission turned out to belong to `case`: if it waited as a case of its own, that one ends.
    fn join(&mut self, submission: &Submission, case: CaseId) -> Result<(), Fault> {
        let own = self.waiting_as(submission)?;
        let Some(mut record) = own.filter(|own| own.head.case != case) else {
            return Ok(());
        };
        self.end_wait(Some(&record))?;
        if let Some(identity) = record.head.identity.clone() {
            self.free(&identity, record.head.case)?;
        }
        record.head.state = CaseState::Joined;
        (record.seen, record.held_until) = (self.position, None);
        self.put_case(&record)?;
        // Its answer is that of the other case from now on.
        let head = SubmissionHead {
            case,
            packet: record.head.packet,
            answered: None,
        };
        self.view.put(
            key::submission(&submission.account, &submission.id),
            &SubmissionRecord {
                seen: self.position,
                head: Some(head),
            },
        )
    }

    fn extended(&mut self, it: &Extended) -> Result<(), Fault> {
        self.join(&it.submission, it.case)?;
        let Some(record) = self.case(it.case)? else {
            return Ok(());
        };
        if let Some(identity) = record.head.identity.clone() {
            self.change_document(identity.sender, &identity.document, |_| {})?;
        }
        self.put_case(&CaseRecord {
            seen: self.position,
            ..record
        })
    }

    fn reported(&mut self, it: &Reported) -> Result<(), Fault> {
        self.join(&it.submission, it.case)?;
        let head = StatusHead {
            status: it.status,
            packet: it.submission.packet,
            meaning: it.meaning,
            answer: self.leaf,
        };
        self.view
            .insert(key::status(it.case, it.addressee, self.position), &head);
        self.touch(it.case)
    }

    fn receipt_issued(&mut self, it: &ReceiptIssued) -> Result<(), Fault> {
        let key = key::answer(it.case, &it.about);
        if let Some(Receipted::Owed(position)) = self.view.get(&key)? {
            self.view.remove(key::owed(position))?;
        }
        let issued = IssuedHead {
            kind: it.kind,
            receipt: it.receipt,
            status_packet: it.status_packet,
        };
        self.view.put(key, &Receipted::Issued(issued))?;
        self.answered(it)
    }

    /// A receipt that answers a submission is the newest of it.
    fn answered(&mut self, it: &ReceiptIssued) -> Result<(), Fault> {
        let (Some(submission), Some(account)) = (&it.submission, &it.account) else {
            return Ok(());
        };
        let key = key::submission(account, submission);
        let record: Option<SubmissionRecord> = self.view.get(&key)?;
        let Some(SubmissionRecord {
            seen,
            head: Some(head),
        }) = record.filter(|record| record.head.as_ref().is_some_and(|head| head.case == it.case))
        else {
            return Ok(());
        };
        let letter = DispatchKind::Receipt.letter();
        let answered = Answered {
            about: it.about,
            dispatch: DispatchId::derive(self.time, &self.leaf, it.to, letter),
        };
        let head = Some(SubmissionHead {
            answered: Some(answered),
            ..head
        });
        self.view.put(key, &SubmissionRecord { seen, head })
    }

    fn consequences(&mut self, follows: Consequences) -> Result<(), Fault> {
        for dispatch in follows.dispatches {
            self.due(dispatch)?;
        }
        let Some(owed) = follows.owed else { return Ok(()) };
        let to = match owed.to {
            Some(to) => Some(to),
            None => self.case(owed.case)?.and_then(|record| record.head.sender),
        };
        let Some(to) = to else { return Ok(()) };
        let (location, before) = (self.placed.location, self.placed.before);
        let record = OwedRecord {
            kind: owed.kind,
            case: owed.case,
            to,
            location,
            before,
        };
        self.view.insert(key::owed(self.position), &record);
        self.view.insert(
            key::answer(owed.case, &self.leaf),
            &Receipted::Owed(self.position),
        );
        Ok(())
    }
}
