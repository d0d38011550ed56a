//! What the index knows that a verdict needs, gathered with the expectation that it still holds when recorded.
//!
//! A sender's documents are its own, those of everybody it succeeded, and those of whoever came after it: what waited
//! when its sender was merged is judged beside what the heir sent meanwhile.

use std::collections::BTreeSet;

use domain::directory::Directory;
use domain::dispatch::DispatchState;
use domain::event::Identity;
use domain::ids::{AccountId, AgencyId, CaseId, Code, DocumentId};
use domain::judge::{Facts, StatusFacts, targets_of};
use domain::packet::{BusinessType, DocumentPacket, StatusCode, StatusPacket};
use domain::port::{
    CaseHead, CaseState, DispatchHead, Expectation, Journal, Slot, StoreFault, SubmissionHead, bears_id,
};
use domain::wire::TARGETS_TOLD_MAX;
use trust::{Digest, Time};

/// Facts, and what they rest on.
pub(super) struct Gathered<F> {
    pub(super) facts: F,
    pub(super) expects: Vec<Expectation>,
}

/// The slot as it stands; read before the facts, so that a change in between is a conflict and never a missed one.
pub(super) fn unchanged(journal: &dyn Journal, slot: Slot) -> Result<Expectation, StoreFault> {
    let seen = journal.seen(&slot)?;
    Ok(Expectation::Unchanged { slot, seen })
}

/// What matters for a document packet. `held` is the case that is judged again, which is no fact about itself.
pub(super) fn of_document(
    journal: &dyn Journal,
    (directory, sent_at): (&Directory, Time),
    packet: &DocumentPacket,
    identity: &Identity,
    held: Option<CaseId>,
) -> Result<Gathered<Facts>, StoreFault> {
    let senders = directory.kin(identity.sender);
    // Of several that were merged and used one number, the packet acts on the document of whom it names.
    let code = Code::parse(&packet.from.organ_id).ok();
    let named = code.and_then(|code| directory.by_code(&code, sent_at));
    let named = named.map_or_else(Vec::new, |named| directory.lineage(named));
    let mut targeted = senders.clone();
    targeted.sort_by_key(|agency| !named.contains(agency));
    let mut gathering = Gathering {
        journal,
        senders,
        targeted,
        expects: Vec::new(),
    };
    let mut facts = Facts::default();
    gathering.rest_on(&identity.document)?;
    let other = |head: &CaseHead| Some(head.case) != held;
    facts.same = gathering.same(identity)?.filter(other);
    if let Some(same) = &facts.same {
        facts.same_addressees = journal.addressees(same.case)?;
    }
    facts.bearer = gathering.bearer(&identity.document)?.filter(other);
    // A packet that names more is refused whatever they are.
    for document in targets_of(packet).into_iter().take(TARGETS_TOLD_MAX) {
        gathering.target(document, &mut facts)?;
    }
    if identity.business == BusinessType::Recall {
        gathering.recall_all(&mut facts)?;
    }
    facts.changes = gathering.changes(identity, &facts.targets)?;
    for target in &facts.targets {
        let addressed = journal.addressees(target.case)?;
        facts
            .target_addressees
            .extend(addressed.iter().map(|head| head.dispatch.to));
    }
    Ok(Gathered {
        facts,
        expects: gathering.expects,
    })
}

struct Gathering<'a> {
    journal: &'a dyn Journal,
    senders: Vec<AgencyId>,
    /// The same, those whose documents are acted on first.
    targeted: Vec<AgencyId>,
    expects: Vec<Expectation>,
}

impl Gathering<'_> {
    fn rest_on(&mut self, document: &DocumentId) -> Result<(), StoreFault> {
        for &sender in &self.senders {
            let slot = Slot::Document(sender, document.clone());
            self.expects.push(unchanged(self.journal, slot)?);
        }
        Ok(())
    }

    /// The newest case of this identity: of the sender itself, or an accepted one of its kin.
    fn same(&self, identity: &Identity) -> Result<Option<CaseHead>, StoreFault> {
        let mut own = None;
        for &sender in &self.senders {
            let found = self.journal.same(&Identity {
                sender,
                ..identity.clone()
            })?;
            match found {
                Some(head) if head.state == CaseState::Accepted => return Ok(Some(head)),
                Some(head) if sender == identity.sender => own = Some(head),
                Some(_) | None => {}
            }
        }
        Ok(own)
    }

    fn bearer(&self, document: &DocumentId) -> Result<Option<CaseHead>, StoreFault> {
        for &sender in &self.senders {
            if let Some(head) = self.journal.bearer(sender, document)? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Finds what the packet acts on under this id.
    fn target(&mut self, document: DocumentId, facts: &mut Facts) -> Result<(), StoreFault> {
        self.rest_on(&document)?;
        match named(self.journal, &self.targeted, &document)?.into_iter().next() {
            Some(head) if facts.targets.iter().any(|known| known.case == head.case) => {}
            Some(head) => facts.targets.push(head),
            None => match self.bearer(&document)? {
                Some(_) => facts.held_targets.push(document),
                None => facts.unknown_targets.push(document),
            },
        }
        Ok(())
    }
}

impl Gathering<'_> {
    /// How often the document was sent, updated, replaced or recalled before, whether that still counts or not: that which
    /// bears the id of this packet, and that which it acts on. Whatever it acted on, each case counts once.
    fn changes(&self, identity: &Identity, targets: &[CaseHead]) -> Result<usize, StoreFault> {
        let own = (identity.sender, &identity.document);
        let own = bears_id(identity.business).then_some(own);
        let targeted = targets.iter().filter_map(|target| target.identity.as_ref());
        let targeted = targeted.map(|identity| (identity.sender, &identity.document));
        let mut most = 0;
        for (sender, document) in own.into_iter().chain(targeted).collect::<BTreeSet<_>>() {
            let named = self.journal.named(sender, document)?;
            let mut changes = BTreeSet::new();
            for head in named {
                let actions = self.journal.actions(head.case)?;
                changes.extend(actions.iter().map(|action| action.case));
                changes.insert(head.case);
            }
            most = most.max(changes.len());
        }
        Ok(most)
    }

    /// A recall takes back all that is alive under the id of each target, and what updated any of it: a replacement may
    /// bear the id of what it replaces for some addressees only, and an update bears none.
    fn recall_all(&mut self, facts: &mut Facts) -> Result<(), StoreFault> {
        let mut seen = 0;
        while let Some(target) = facts.targets.get(seen).cloned() {
            seen += 1;
            self.expects
                .push(unchanged(self.journal, Slot::Case(target.case))?);
            let namesakes = match target.identity.as_ref().filter(|it| bears_id(it.business)) {
                Some(identity) => self.journal.named(identity.sender, &identity.document)?,
                None => Vec::new(),
            };
            let is_update = |head: &CaseHead| {
                let business = head.identity.as_ref().map(|identity| identity.business);
                business == Some(BusinessType::Update)
            };
            let updates = self.journal.actions(target.case)?.into_iter().filter(is_update);
            for head in namesakes.into_iter().chain(updates) {
                let is_known = facts.targets.iter().any(|known| known.case == head.case);
                if head.state == CaseState::Accepted && !is_known {
                    facts.targets.push(head);
                }
            }
        }
        Ok(())
    }
}

/// The answer to a submission that is known, by the event it is evidence of, when that answer was handed over: `None`
/// while it is on its way, and for what still waits.
pub(super) fn lost_answer(
    journal: &dyn Journal,
    known: &SubmissionHead,
) -> Result<Option<Digest>, StoreFault> {
    let is_decided = |head: CaseHead| match head.state {
        CaseState::Accepted | CaseState::Recalled | CaseState::Refused => true,
        CaseState::Held | CaseState::Joined | CaseState::Parked => false,
    };
    if !journal.case(known.case)?.is_some_and(is_decided) {
        return Ok(None);
    }
    let Some(answered) = known.answered else {
        return Ok(None);
    };
    let state = journal.dispatch(answered.dispatch)?.map(|head| head.state);
    Ok((state == Some(DispatchState::HandedOver)).then_some(answered.about))
}

/// What matters for a status packet of `reporter`.
pub(super) fn of_status(
    journal: &dyn Journal,
    directory: &Directory,
    packet: &StatusPacket,
    reporter: AgencyId,
    now: Time,
) -> Result<Gathered<StatusFacts>, StoreFault> {
    let asks_back = packet.status == StatusCode::ReturnRequested;
    let others = owners(directory, &packet.response_for.organ_id, now);
    let senders = if asks_back { vec![reporter] } else { others.clone() };
    let speaks_for = if asks_back { others } else { vec![reporter] };
    let Ok(document) = DocumentId::parse(&packet.response_for.document_id) else {
        return Ok(unknown());
    };
    // Of all that ever bore the id, the newest that was sent to whom the status speaks for; else the newest of all, so
    // that the refusal can name it.
    let mut newest = None;
    for sender in senders {
        for case in named(journal, &directory.lineage(sender), &document)? {
            let addressed = journal.addressees(case.case)?;
            let addressee = addressee(directory, &addressed, &speaks_for, now);
            if addressee.is_some() {
                let head = addressed.iter().find(|head| Some(head.dispatch.to) == addressee);
                let sent_by = head.and_then(|head| head.dispatch.submitted_by.clone());
                return about(journal, case, (addressee, sent_by));
            }
            newest.get_or_insert(case);
        }
    }
    newest.map_or_else(|| Ok(unknown()), |case| about(journal, case, (None, None)))
}

fn unknown() -> Gathered<StatusFacts> {
    Gathered {
        facts: StatusFacts::default(),
        expects: Vec::new(),
    }
}

fn about(
    journal: &dyn Journal,
    case: CaseHead,
    (addressee, account): (Option<AgencyId>, Option<AccountId>),
) -> Result<Gathered<StatusFacts>, StoreFault> {
    let expects = vec![unchanged(journal, Slot::Case(case.case))?];
    let statuses = match addressee {
        Some(addressee) => journal.statuses(case.case, addressee)?,
        None => Vec::new(),
    };
    Ok(Gathered {
        facts: StatusFacts {
            case: Some(case),
            addressee,
            statuses,
            account,
        },
        expects,
    })
}

/// The addressee as named at acceptance that one of these is, or succeeded.
fn addressee(
    directory: &Directory,
    addressed: &[DispatchHead],
    speaks_for: &[AgencyId],
    now: Time,
) -> Option<AgencyId> {
    let all = || addressed.iter().map(|head| head.dispatch.to);
    speaks_for.iter().find_map(|&agency| {
        let exact = all().find(|&one| one == agency);
        exact.or_else(|| all().find(|&one| directory.may_act_for(agency, one, now)))
    })
}

/// Who has this code, and before whoever had it: statuses come in for documents of codes that ended, or that were given
/// to another agency since.
fn owners(directory: &Directory, code: &str, now: Time) -> Vec<AgencyId> {
    let Ok(code) = Code::parse(code) else {
        return Vec::new();
    };
    let before = directory.owners(&code).iter().rev().map(|span| span.value);
    let mut owners: Vec<AgencyId> = Vec::new();
    for owner in directory.by_code(&code, now).into_iter().chain(before) {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
}

/// The cases that bore this id among those of these senders, the newest of each sender first.
fn named(
    journal: &dyn Journal,
    senders: &[AgencyId],
    document: &DocumentId,
) -> Result<Vec<CaseHead>, StoreFault> {
    let mut found = Vec::new();
    for &sender in senders {
        found.extend(journal.named(sender, document)?);
    }
    Ok(found)
}
