//! What the index knows that a verdict needs, gathered with the expectation that it still holds when recorded.

use domain::directory::Directory;
use domain::event::Identity;
use domain::ids::{AgencyId, CaseId, Code, DocumentId};
use domain::judge::{Facts, StatusFacts, targets_of};
use domain::packet::{BusinessType, DocumentPacket, StatusCode, StatusPacket};
use domain::port::{CaseHead, Expectation, Journal, Slot, StoreFault};
use trust::Time;

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
    directory: &Directory,
    packet: &DocumentPacket,
    identity: &Identity,
    held: Option<CaseId>,
) -> Result<Gathered<Facts>, StoreFault> {
    let slot = Slot::Document(identity.sender, identity.document.clone());
    let mut expects = vec![unchanged(journal, slot)?];
    let other = |head: &CaseHead| Some(head.case) != held;
    let same = journal.same(identity)?.filter(other);
    let same_addressees = match &same {
        Some(same) => addressees(journal, same.case)?,
        None => Vec::new(),
    };
    let bearer = journal.bearer(identity.sender, &identity.document)?.filter(other);
    let (targets, rests_on) = targets(journal, directory, packet, identity.sender)?;
    expects.extend(rests_on);
    let mut target_addressees = Vec::new();
    for target in &targets {
        target_addressees.extend(addressees(journal, target.case)?);
    }
    Ok(Gathered {
        facts: Facts {
            same,
            same_addressees,
            bearer,
            targets,
            target_addressees,
        },
        expects,
    })
}

fn addressees(journal: &dyn Journal, case: CaseId) -> Result<Vec<AgencyId>, StoreFault> {
    Ok(journal
        .addressees(case)?
        .into_iter()
        .map(|head| head.dispatch.to)
        .collect())
}

/// The cases that the packet acts on: its sender's own, or those of whom it succeeded.
fn targets(
    journal: &dyn Journal,
    directory: &Directory,
    packet: &DocumentPacket,
    sender: AgencyId,
) -> Result<(Vec<CaseHead>, Vec<Expectation>), StoreFault> {
    let first_only = packet.business.kind != BusinessType::Replace;
    let mut found: Vec<CaseHead> = Vec::new();
    let mut expects = Vec::new();
    for document in targets_of(packet) {
        expects.push(unchanged(journal, Slot::Document(sender, document.clone()))?);
        match named_by_any(journal, directory, sender, &document)? {
            Some(head) if !found.iter().any(|known| known.case == head.case) => found.push(head),
            Some(_) | None => {}
        }
        if first_only && !found.is_empty() {
            break;
        }
    }
    Ok((found, expects))
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
    let other = Code::parse(&packet.response_for.organ_id)
        .ok()
        .and_then(|code| owner(directory, &code, now));
    let sender = if asks_back { Some(reporter) } else { other };
    let document = DocumentId::parse(&packet.response_for.document_id).ok();
    let case = match (sender, document) {
        (Some(sender), Some(document)) => named_by_any(journal, directory, sender, &document)?,
        (None, _) | (_, None) => None,
    };
    let Some(case) = case else {
        return Ok(Gathered {
            facts: StatusFacts::default(),
            expects: Vec::new(),
        });
    };
    let expects = vec![unchanged(journal, Slot::Case(case.case))?];
    let speaks_for = if asks_back { other } else { Some(reporter) };
    let addressed = addressees(journal, case.case)?;
    let addressee = speaks_for.and_then(|agency| {
        let exact = addressed.iter().copied().find(|&one| one == agency);
        exact.or_else(|| {
            addressed
                .iter()
                .copied()
                .find(|&one| directory.may_act_for(agency, one, now))
        })
    });
    let statuses = match addressee {
        Some(addressee) => journal.statuses(case.case, addressee)?,
        None => Vec::new(),
    };
    Ok(Gathered {
        facts: StatusFacts {
            case: Some(case),
            addressee,
            statuses,
        },
        expects,
    })
}

/// Who has this code, or had it last: statuses come in for documents of codes that ended.
fn owner(directory: &Directory, code: &Code, now: Time) -> Option<AgencyId> {
    directory
        .by_code(code, now)
        .or_else(|| directory.owners(code).last().map(|span| span.value))
}

/// The case of this id among those of the sender and of everybody it succeeded.
fn named_by_any(
    journal: &dyn Journal,
    directory: &Directory,
    sender: AgencyId,
    document: &DocumentId,
) -> Result<Option<CaseHead>, StoreFault> {
    let mut waiting = vec![sender];
    let mut asked = Vec::new();
    while let Some(agency) = waiting.pop() {
        if asked.contains(&agency) {
            continue;
        }
        if let Some(head) = journal.named(agency, document)? {
            return Ok(Some(head));
        }
        waiting.extend_from_slice(directory.predecessors(agency));
        asked.push(agency);
    }
    Ok(None)
}
