//! The verdict on a status packet: who says what about which document, and whether that can be.

use super::{Matter, Moment, incomplete};
use crate::dispatch::Rank;
use crate::event::{Happening, Refused, Repeated, Reported};
use crate::ids::{AccountId, AgencyId, Code, DocumentId};
use crate::packet::{StatusCode, StatusPacket};
use crate::port::{CaseHead, StatusHead};
use crate::refusal::{Refusal, RefusalCode, Sayable};

/// What the index knows that matters for one status packet.
#[derive(Debug, Clone, Default)]
pub struct StatusFacts {
    /// The case of the document it is about.
    pub case: Option<CaseHead>,
    /// The addressee it speaks for, as named at acceptance: the reporter itself or a predecessor of it; for 13 the
    /// agency that is asked to give back.
    pub addressee: Option<AgencyId>,
    /// What that addressee has reported so far.
    pub statuses: Vec<StatusHead>,
    /// The account that sent it the document.
    pub account: Option<AccountId>,
}

/// Judges a status packet of `reporter`.
pub fn judge_status(
    packet: &StatusPacket,
    reporter: AgencyId,
    facts: &StatusFacts,
    matter: &Matter,
    moment: &Moment<'_>,
) -> Happening {
    let written = packet.response_for.document_id.as_str();
    let document = DocumentId::parse(written).ok();
    let told = || {
        document
            .as_ref()
            .map_or_else(|| Sayable::written(written), Sayable::from)
    };
    let refuse = |reasons: Vec<Refusal>| {
        Happening::Refused(Refused {
            case: matter.case,
            submission: matter.submission.clone(),
            document: document.clone(),
            reasons,
            rank: facts.case.as_ref().map_or(Rank::Normal, |case| case.rank),
            seals: Vec::new(),
            status_packet: None,
        })
    };
    let faults = packet.completeness();
    if !faults.is_empty() {
        return refuse(incomplete(&faults));
    }
    let Some(case) = &facts.case else {
        return refuse(vec![
            Refusal::new(RefusalCode::StatusCaseUnknown).with("document", told()),
        ]);
    };
    let asks_back = packet.status == StatusCode::ReturnRequested;
    let is_sender = case
        .sender
        .is_some_and(|sender| moment.directory.may_act_for(reporter, sender, moment.now));
    let (Some(addressee), true) = (facts.addressee, is_sender || !asks_back) else {
        let refusal = Refusal::new(RefusalCode::StatusNotAddressee);
        return refuse(vec![
            refusal
                .with("code", Sayable::written(&packet.from.organ_id))
                .with("document", told()),
        ]);
    };
    let (bytes, meaning) = (matter.submission.packet, packet.meaning_digest());
    let is_same = |known: &&StatusHead| known.packet == bytes || known.meaning == meaning;
    if let Some(same) = facts.statuses.iter().find(is_same) {
        return Happening::Repeated(Repeated {
            case: case.case,
            submission: matter.submission.clone(),
            answer: same.answer,
        });
    }
    if let Some(refusal) = impossible(packet.status, &facts.statuses, moment) {
        return refuse(vec![refusal]);
    }
    let to = if asks_back { Some(addressee) } else { case.sender };
    Happening::Reported(Reported {
        case: case.case,
        submission: matter.submission.clone(),
        addressee,
        to: to.expect("only a submission of a known agency becomes a case that can be named"),
        account: facts.account.clone().filter(|_| !asks_back),
        sender_code: Code::parse(&packet.from.organ_id).ok(),
        status: packet.status,
        meaning,
        rank: case.rank,
    })
}

/// Why this status cannot come after those before it.
fn impossible(status: StatusCode, before: &[StatusHead], moment: &Moment<'_>) -> Option<Refusal> {
    if let Some(before) = contradicted(status, before) {
        let refusal = Refusal::new(RefusalCode::StatusContradiction);
        return Some(
            refusal
                .with("status", status.code())
                .with("before", before.code()),
        );
    }
    // What the sender asks for is no fault of the addressee, nor the other way round.
    let of_sender = |status| status == StatusCode::ReturnRequested;
    let same_side = before
        .iter()
        .filter(|known| of_sender(known.status) == of_sender(status));
    let (count, limit) = (same_side.count(), moment.terms.statuses_max);
    (limit <= count).then(|| {
        let refusal = Refusal::new(RefusalCode::StatusesTooMany);
        refusal.with("count", count).with("limit", limit)
    })
}

/// Only contradictions are refused (rules §8.7): what says "taken" after the document was refused. A late lower status
/// is history.
fn contradicted(status: StatusCode, before: &[StatusHead]) -> Option<StatusCode> {
    let refused = before.iter().find(|known| known.status == StatusCode::Refused)?;
    match status {
        StatusCode::Accepted | StatusCode::Assigned | StatusCode::InProgress | StatusCode::Completed => {
            Some(refused.status)
        }
        StatusCode::Arrived
        | StatusCode::Refused
        | StatusCode::ReturnRequested
        | StatusCode::ChangeAccepted
        | StatusCode::ChangeRefused => None,
    }
}
