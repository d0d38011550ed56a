//! The verdict on a packet: pure, from the verified packet, the facts the stage gathered, and the moment.
//!
//! **Invariant:** a verdict names every reason that applies.
//! **Invariant:** what rests on a fact carries the expectation that the fact still holds when it is recorded, so that
//! of two racing twins one is judged again.

mod address;
mod status;
#[cfg(test)]
mod tests;

pub use status::{StatusFacts, judge_status};

use trust::{Need, Time};

use crate::agency::Standing;
use crate::directory::Directory;
use crate::dispatch::{DispatchState, Rank};
use crate::event::{Accepted, Addressee, Extended, Happening, Held, Identity, Refused, Repeated, Submission};
use crate::ids::{AgencyId, CaseId, Code, DocumentId};
use crate::packet::{BusinessType, DocumentPacket, PacketFault};
use crate::port::{CaseHead, CaseState, DispatchHead, bears_id};
use crate::refusal::{Refusal, RefusalCode, Remark, Sayable};
use crate::verify::{SealDemands, VerifiedPacket};
use address::{Addressed, address};

/// Reasons told of one submission at most: more are of the same kinds, and receipts stay small.
const REASONS_MAX: usize = 64;

/// The settings of this gateway that verdicts depend on.
#[derive(Debug, Clone)]
pub struct Terms {
    /// How long an addressee has to take a document, in seconds.
    pub delivery_limit_seconds: i64,
    /// How long a submission may be held, in seconds.
    pub hold_limit_seconds: i64,
    /// Documents that one packet may act on, [`crate::wire::TARGETS_TOLD_MAX`] at most.
    pub targets_max: usize,
    /// How often one document may be sent under its id, updated, replaced or recalled.
    pub changes_max: usize,
    /// Statuses that one addressee may report of a document.
    pub statuses_max: usize,
    /// What is demanded of seals.
    pub seals: SealDemands,
}

/// Everything of one moment that a verdict depends on.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Who may exchange.
    pub directory: &'a Directory,
    /// The settings.
    pub terms: &'a Terms,
    /// Version of the trust material.
    pub trust_version: u64,
    /// The time.
    pub now: Time,
}

/// What the index knows that matters for one document packet.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The newest case of this very identity, other than the held one that is judged again.
    pub same: Option<CaseHead>,
    /// What goes, went or failed to go to the addressees of that case.
    pub same_addressees: Vec<DispatchHead>,
    /// Who bears the document id now, other than the held one that is judged again.
    pub bearer: Option<CaseHead>,
    /// The newest cases that bore the documents which a recall, update or replacement acts on.
    pub targets: Vec<CaseHead>,
    /// Documents that it acts on and that no case bore yet: those that a held one bears.
    pub held_targets: Vec<DocumentId>,
    /// The others that it names and that are not known.
    pub unknown_targets: Vec<DocumentId>,
    /// Addressees of these cases.
    pub target_addressees: Vec<AgencyId>,
    /// How often the document was sent under this id, updated, replaced or recalled before; of several that it acts on, the
    /// one that was most often.
    pub changes: usize,
}

/// The case a verdict is about.
#[derive(Debug, Clone)]
pub struct Matter {
    /// A new id, or that of the held case which is judged again.
    pub case: CaseId,
    /// How it came.
    pub submission: Submission,
    /// When the holding of it ends, if it is held already.
    pub held_until: Option<Time>,
}

/// The packet's rank, or the normal one for what cannot be read.
pub fn rank_of(packet: &DocumentPacket) -> Rank {
    Rank::of_priority(packet.other.priority)
}

/// Checks who sends before anything is verified: `From` against the authenticated agency.
///
/// # Errors
/// All reasons why this account may not send for that agency.
pub fn identify(from: &str, submission: &Submission, moment: &Moment<'_>) -> Result<AgencyId, Vec<Refusal>> {
    let unknown = || vec![Refusal::new(RefusalCode::SenderUnknown).with("code", Sayable::written(from))];
    let named = Code::parse(from)
        .ok()
        .and_then(|code| moment.directory.by_code(&code, moment.now));
    let (Some(named), Some(actor)) = (named, submission.agency) else {
        return Err(unknown());
    };
    if !moment.directory.may_act_for(actor, named, moment.now) {
        return Err(vec![
            Refusal::new(RefusalCode::SenderMismatch).with("code", Sayable::written(from)),
        ]);
    }
    match moment.directory.standing(actor, moment.now) {
        Some(Standing::Active) => Ok(actor),
        Some(Standing::Suspended | Standing::Closed) | None => Err(vec![
            Refusal::new(RefusalCode::SenderInactive).with("code", Sayable::written(from)),
        ]),
    }
}

/// What a packet lacks, one reason each.
fn incomplete(faults: &[PacketFault]) -> Vec<Refusal> {
    let refusal = |fault| Refusal::new(RefusalCode::PacketIncomplete).with("element", fault);
    faults.iter().map(refusal).collect()
}

/// The documents that a recall, update or replacement acts on ([`DocumentPacket::targets`]), as far as they can be ids.
pub fn targets_of(packet: &DocumentPacket) -> Vec<DocumentId> {
    let named = packet.targets().into_iter();
    named.filter_map(|id| DocumentId::parse(id).ok()).collect()
}

/// What makes this packet the same as another.
///
/// # Errors
/// A refusal when it bears no usable document id.
pub fn identity_of(packet: &DocumentPacket, sender: AgencyId) -> Result<Identity, Refusal> {
    let document = DocumentId::parse(&packet.document_id)
        .map_err(|_| Refusal::new(RefusalCode::PacketIncomplete).with("element", "DocumentId"))?;
    Ok(Identity {
        sender,
        document,
        business: packet.business.kind,
        contents: packet.contents_digest(),
    })
}

/// Judges a verified packet.
pub fn judge(
    verified: &VerifiedPacket,
    identity: &Identity,
    facts: &Facts,
    matter: &Matter,
    moment: &Moment<'_>,
) -> Happening {
    let packet = verified.packet();
    let case = Judging {
        verified,
        identity,
        facts,
        matter,
        moment,
        rank: rank_of(packet),
    };
    let addressed = match identity.business {
        BusinessType::Recall => Addressed::of_targets(&facts.target_addressees, moment),
        BusinessType::New | BusinessType::Update | BusinessType::Replace => address(packet, moment),
    };
    match &facts.same {
        Some(same) if case.is_repeat_of(same) => return case.repeat_or_extend(same, addressed),
        Some(_) | None => {}
    }
    let is_recall = identity.business == BusinessType::Recall;
    let mut found = if is_recall { Vec::new() } else { addressed.nobody() };
    found.extend(case.changed_too_often());
    let reasons = case.reasons(found);
    if !reasons.is_empty() {
        return case.refuse(reasons);
    }
    match case.waits_for() {
        waits if waits.is_empty() => case.accept(addressed),
        waits => case.hold(waits),
    }
}

struct Judging<'a> {
    verified: &'a VerifiedPacket,
    identity: &'a Identity,
    facts: &'a Facts,
    matter: &'a Matter,
    moment: &'a Moment<'a>,
    rank: Rank,
}

impl Judging<'_> {
    /// A document that was refused or recalled is free to come again; a recall, update or replacement is the same
    /// only when it acts on the same cases.
    fn is_repeat_of(&self, same: &CaseHead) -> bool {
        match same.state {
            CaseState::Refused | CaseState::Recalled | CaseState::Joined => false,
            // Not decided yet: this one may name further addressees, and waits (or goes) on its own. Whichever is
            // judged last finds the other accepted.
            CaseState::Held | CaseState::Parked => false,
            CaseState::Accepted => self.facts.targets.iter().all(|target| {
                // Under the id of its target a replacement comes to be that id's newest bearer itself.
                let acts_on_it = same.targets.contains(&target.case) || target.case == same.case;
                // An update that was followed by another one says something new when it comes again.
                let is_newest = target.acted_on_by == Some(same.case);
                acts_on_it && (is_newest || self.identity.business != BusinessType::Update)
            }),
        }
    }

    fn targets(&self) -> Vec<CaseId> {
        self.facts.targets.iter().map(|head| head.case).collect()
    }

    fn repeat_or_extend(&self, same: &CaseHead, addressed: Addressed) -> Happening {
        let (mut further, mut newest) = (Vec::new(), None::<&DispatchHead>);
        for addressee in addressed.addressees {
            match self.delivery_to(&addressee) {
                None => further.push(addressee),
                Some(head) if head.state == DispatchState::Failed => further.push(Addressee {
                    agency: head.dispatch.to,
                    again: Some(head.dispatch.id),
                    ..addressee
                }),
                Some(head) => {
                    // Ids begin with the time of the event.
                    newest = newest
                        .filter(|known| head.dispatch.id < known.dispatch.id)
                        .or(Some(head));
                }
            }
        }
        if further.is_empty() {
            return Happening::Repeated(Repeated {
                case: same.case,
                submission: self.matter.submission.clone(),
                answer: newest.map_or(same.answer, |head| head.event),
            });
        }
        let reasons = self.reasons(Vec::new());
        if !reasons.is_empty() {
            return self.refuse(reasons);
        }
        let waits = self.waits_for();
        if !waits.is_empty() {
            return self.hold(waits);
        }
        Happening::Extended(Extended {
            case: same.case,
            submission: self.matter.submission.clone(),
            sender_code: Some(self.sender_code()),
            rank: self.rank,
            addressees: further,
            unaddressed: addressed.unaddressed,
            seals: self.verified.seals().to_vec(),
            remarks: self.remarks(),
            expires_at: self.expiry(),
            trust_version: self.moment.trust_version,
            directory_version: self.moment.directory.version(),
        })
    }

    /// What went to this addressee before: to itself, or to one whose inbox it holds now. Of what was given up, that which
    /// went into its inbox last: it may still lie there, and goes again under its own id.
    fn delivery_to(&self, addressee: &Addressee) -> Option<&DispatchHead> {
        let (directory, now) = (self.moment.directory, self.moment.now);
        let holds = |head: &&DispatchHead| {
            let to = head.dispatch.to;
            let inherits = directory.heir(to, now) == Some(addressee.agency);
            to == addressee.agency || inherits && !self.is_with_another(head, addressee)
        };
        let all = || self.facts.same_addressees.iter().filter(holds);
        let is_up = |head: &&DispatchHead| head.state != DispatchState::Failed;
        let place = |head: &&DispatchHead| (self.lies_with(head, addressee.agency), head.consigned_at);
        all().find(is_up).or_else(|| all().max_by_key(place))
    }

    /// Whether the software of a predecessor took it, and the sender names the heir itself: that one does not have it.
    fn is_with_another(&self, head: &DispatchHead, addressee: &Addressee) -> bool {
        let owners = self.moment.directory.owners(&addressee.code);
        let names_it = owners.iter().any(|owner| owner.value == head.dispatch.to);
        head.state == DispatchState::HandedOver && !names_it && !self.lies_with(head, addressee.agency)
    }

    fn lies_with(&self, head: &DispatchHead, agency: AgencyId) -> bool {
        let account = head.consigned_to.as_ref();
        account.and_then(|account| self.moment.directory.agency_of_account(account)) == Some(agency)
    }

    /// All reasons to refuse, beside those that were found already; the most helpful first.
    fn reasons(&self, found: Vec<Refusal>) -> Vec<Refusal> {
        let packet = self.verified.packet();
        let mut reasons = incomplete(&packet.completeness());
        reasons.extend_from_slice(self.verified.refusals());
        reasons.extend(self.id_taken());
        reasons.extend(self.target_unknown());
        let (targets, limit) = (packet.targets().len(), self.moment.terms.targets_max);
        if limit < targets {
            let refusal = Refusal::new(RefusalCode::TargetsTooMany);
            reasons.push(refusal.with("count", targets).with("limit", limit));
        }
        reasons.extend(found);
        reasons.sort();
        reasons.dedup();
        reasons.truncate(REASONS_MAX);
        reasons
    }

    /// Other content is refused only while an accepted, unrecalled document bears the id, and never what replaces it.
    fn id_taken(&self) -> Option<Refusal> {
        let bearer = self.facts.bearer.as_ref()?;
        let replaces_it = self.targets().contains(&bearer.case);
        // The same document, whether the sender or one of its kin gave it first.
        let is_same = bearer.identity.as_ref().is_some_and(|it| {
            let sender = self.identity.sender;
            Identity { sender, ..it.clone() } == *self.identity
        });
        if !bears_id(self.identity.business) || replaces_it || is_same {
            return None;
        }
        Some(Refusal::new(RefusalCode::DocumentIdTaken).with("case", bearer.case))
    }

    /// What was changed very often is changed no more, so that what one packet brings about stays small; but what still
    /// counts may be recalled.
    fn changed_too_often(&self) -> Option<Refusal> {
        let (changes, limit) = (self.facts.changes, self.moment.terms.changes_max);
        let is_alive = |target: &CaseHead| target.state == CaseState::Accepted;
        let takes_back =
            self.identity.business == BusinessType::Recall && self.facts.targets.iter().any(is_alive);
        if changes < limit || takes_back {
            return None;
        }
        let refusal = Refusal::new(RefusalCode::ChangesTooMany);
        Some(refusal.with("count", changes).with("limit", limit))
    }

    /// Refused is what acts on nothing that is known; what a replacement names beside that is remarked.
    fn target_unknown(&self) -> Vec<Refusal> {
        let Facts {
            targets,
            held_targets,
            unknown_targets,
            ..
        } = self.facts;
        if self.identity.business == BusinessType::New || !targets.is_empty() || !held_targets.is_empty() {
            return Vec::new();
        }
        let unknown =
            |document: &DocumentId| Refusal::new(RefusalCode::TargetUnknown).with("document", document);
        match unknown_targets.as_slice() {
            [] => vec![unknown(&self.identity.document)],
            all => all.iter().map(unknown).collect(),
        }
    }

    fn remarks(&self) -> Vec<Remark> {
        let unknown = self.facts.unknown_targets.iter();
        let unknown = unknown.map(|document| Remark::new("target-unknown", document));
        self.verified.remarks().iter().cloned().chain(unknown).collect()
    }

    fn waits_for(&self) -> Vec<Remark> {
        let about = |need: &Need| match need {
            Need::Crl { .. } | Need::Ocsp { .. } => {
                Remark::new("revocation-unknown", Sayable::ours(&need.issuer()))
            }
            Need::Issuer { .. } => Remark::new("issuer-unknown", Sayable::ours(&need.issuer())),
        };
        let mut waits: Vec<Remark> = self.verified.needs().iter().map(about).collect();
        waits.extend_from_slice(self.verified.open());
        let held = self.facts.held_targets.iter();
        waits.extend(held.map(|document| Remark::new("target-not-yet-known", document)));
        waits.sort();
        waits.dedup();
        waits.truncate(REASONS_MAX);
        waits
    }

    fn expiry(&self) -> Time {
        self.moment
            .now
            .plus_seconds(self.moment.terms.delivery_limit_seconds)
    }

    fn sender_code(&self) -> Code {
        let written = &self.verified.packet().from.organ_id;
        Code::parse(written).expect("identify() found this code in the directory")
    }

    fn accept(&self, addressed: Addressed) -> Happening {
        Happening::Accepted(Accepted {
            case: self.matter.case,
            submission: self.matter.submission.clone(),
            identity: self.identity.clone(),
            sender_code: self.sender_code(),
            rank: self.rank,
            addressees: addressed.addressees,
            unaddressed: addressed.unaddressed,
            targets: self.targets(),
            seals: self.verified.seals().to_vec(),
            remarks: self.remarks(),
            expires_at: self.expiry(),
            trust_version: self.moment.trust_version,
            directory_version: self.moment.directory.version(),
        })
    }

    fn refuse(&self, reasons: Vec<Refusal>) -> Happening {
        Happening::Refused(Refused {
            case: self.matter.case,
            submission: self.matter.submission.clone(),
            document: Some(self.identity.document.clone()),
            reasons,
            rank: self.rank,
            seals: self.verified.seals().to_vec(),
            status_packet: None,
        })
    }

    /// Holding again what is held already says nothing new: the stage drops it; at the limit it is returned.
    fn hold(&self, waits: Vec<Remark>) -> Happening {
        let limit = self.moment.now.plus_seconds(self.moment.terms.hold_limit_seconds);
        let until = self.matter.held_until.unwrap_or(limit);
        if until <= self.moment.now {
            return self.refuse(vec![Refusal::held_too_long(&waits)]);
        }
        Happening::Held(Held {
            case: self.matter.case,
            submission: self.matter.submission.clone(),
            identity: self.identity.clone(),
            rank: self.rank,
            reasons: waits,
            until,
        })
    }
}
