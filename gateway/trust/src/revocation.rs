//! The revocation status of one certificate (RFC 5280 §6.3).
//!
//! Stands between `path`, which found out who issued the certificate, and the lists at hand: those of the snapshot, and
//! those that came with the signature.
//!
//! **Invariant**: a list proves a certificate good only if its issuer's key signed it ([`signer`]), its scope covers the
//! certificate through a distribution point of that certificate, and it is fresh; until such lists speak for all reasons
//! the status is unknown, never good.
//! **Invariant**: where deltas exist a base list alone settles nothing: a fresh delta that builds on it must be there too.

mod answers;
mod signer;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::words::Word;
use crate::crl::{Point, Reasons, Revocation, RevocationList, RevocationReason};
use crate::digest::Digest;
use crate::name::Name;
use crate::path::{self, Budget, Question, RevocationDemand, Usage};
use crate::report::{Failure, Need, RevocationProof, RevocationSource};
use crate::time::Time;
use crate::x509::Certificate;

/// Responders of one certificate that are asked: it may name any number.
const RESPONDERS_MAX: usize = 4;

/// Why a certificate is not proven to be good, and what would settle it.
pub(crate) struct NotGood {
    pub(crate) failure: Failure,
    /// Where something that would settle it may be.
    pub(crate) need: Option<Whereabouts>,
    /// What spoke against the certificate.
    pub(crate) proof: Option<RevocationProof>,
    /// Of a revocation: whether what says so would also settle that the certificate is good, did it say that. What is older
    /// revokes all the same, but its date may have been moved back since, and excuses nothing.
    pub(crate) is_current: bool,
}

impl NotGood {
    /// Of two words against one certificate that which weighs more: for good more than a hold, and then the earlier one. A
    /// hold that ended in a revocation was never lifted: the certificate is revoked since it began.
    fn or_harder(self, other: NotGood) -> NotGood {
        let since = self.since().min(other.since());
        let is_current = self.is_current || other.is_current;
        let mut harder = if self.softness() <= other.softness() {
            self
        } else {
            other
        };
        if let Failure::Revoked { at, .. } = &mut harder.failure {
            *at = since;
        }
        harder.is_current = is_current;
        harder
    }

    /// The same while nothing current says since when it is so.
    pub(crate) fn until_settled(self, certificate: &Arc<Certificate>) -> NotGood {
        NotGood {
            failure: Failure::RevocationUnknown {
                certificate: Arc::clone(certificate),
            },
            ..self
        }
    }

    fn is_final(&self) -> bool {
        matches!(self.failure, Failure::Revoked { .. })
    }

    fn since(&self) -> Time {
        self.softness().1
    }

    fn softness(&self) -> (bool, Time) {
        if let Failure::Revoked { at, .. } = &self.failure {
            (false, *at)
        } else if let Failure::OnHold { at, .. } = &self.failure {
            (true, *at)
        } else {
            unreachable!("a word against a certificate revokes it or holds it")
        }
    }
}

/// Where something that would settle a certificate's status may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    /// Revocation lists, deltas among them.
    pub(crate) lists: Vec<String>,
    /// OCSP responders.
    pub(crate) responders: Vec<String>,
}

impl Whereabouts {
    /// As needs of a document; the first certificate of the path is the one in question.
    pub(crate) fn needs(self, path: &[Arc<Certificate>]) -> impl Iterator<Item = Need> {
        let answer = (!self.responders.is_empty()).then(|| Need::Ocsp {
            path: path.to_vec(),
            urls: self.responders,
        });
        let list = Need::Crl {
            issuers: path[1..].to_vec(),
            urls: self.lists,
        };
        std::iter::once(list).chain(answer)
    }
}

/// Asks the lists and OCSP answers at hand about the first certificate of this path, whose last is the anchor. What settled
/// it: one answer, one list, or several that speak for some reasons each.
///
/// A certificate that lasts is asked about as of now, also where the control time is past: what was revoked since is told
/// with its date. One that has expired since is asked about as of the control time, for nobody speaks of it any more. In
/// both cases whoever says that it was revoked for good is heard, however old the word, and before all others; a hold that
/// nobody vouches for any more counts where nothing newer says otherwise.
pub(crate) fn check(
    path: &[Arc<Certificate>],
    question: Question<'_>,
    budget: &mut Budget,
) -> Result<Vec<RevocationProof>, NotGood> {
    let mut inquiry = Inquiry::new(path, question, budget);
    let (lists, answers) = (inquiry.lists(), inquiry.answers());
    let together = inquiry.ask(&lists);
    let words = inquiry.words(&lists, &answers);
    let (in_force, overdue): (Vec<Word>, Vec<Word>) = words.into_iter().partition(|word| word.is_in_force);
    let in_force = in_force.into_iter().map(|word| word.not_good).chain(together);
    if let Some(mut hardest) = in_force.reduce(NotGood::or_harder) {
        // A hold of before that nobody is known to have lifted: then it is revoked since that began.
        let lifted = inquiry.made.filter(|_| Reasons::ALL.are_within(inquiry.covered));
        let is_lifted = |hold: &Word| lifted.is_some_and(|made| hold.made < made);
        let is_earlier = |hold: &Word| {
            let since = hold.not_good.since();
            since < hardest.since() && since <= question.at && !is_lifted(hold)
        };
        hardest.is_current &= !overdue.iter().any(is_earlier);
        hardest.need.get_or_insert_with(|| inquiry.whereabouts());
        return Err(hardest);
    }
    let Some((proofs, made)) = inquiry.good(&answers) else {
        if question.demands.revocation == RevocationDemand::IfGiven && !inquiry.is_spoken_of {
            return Ok(Vec::new());
        }
        return Err(inquiry.unknown());
    };
    // The last that is known of it is a hold, though nobody vouches for that any more.
    let newest = overdue.into_iter().max_by_key(|hold| hold.made);
    match newest.filter(|hold| made <= hold.made) {
        Some(hold) if inquiry.newest_good(&answers).is_none_or(|made| made <= hold.made) => {
            Err(hold.not_good)
        }
        Some(_) | None => Ok(proofs),
    }
}

/// Whether anything at hand says that the first certificate of this path was revoked for good.
fn is_known_revoked(path: &[Arc<Certificate>], question: Question<'_>, budget: &mut Budget) -> bool {
    let mut inquiry = Inquiry::new(path, question, budget);
    let (lists, answers) = (inquiry.lists(), inquiry.answers());
    let words = inquiry.words(&lists, &answers);
    words.iter().any(|word| word.not_good.is_final())
}

/// The question about one certificate, and what is known so far.
struct Inquiry<'a, 'b> {
    /// From the certificate to the anchor.
    path: &'a [Arc<Certificate>],
    question: Question<'a>,
    budget: &'b mut Budget,
    proofs: Vec<RevocationProof>,
    /// For which reasons it is known not to be revoked.
    covered: Reasons,
    /// When the oldest of the lists was made that say so, each with its delta.
    made: Option<Time>,
    /// Lists that were asked, each with the delta that builds on it.
    asked: Vec<Digest>,
    /// Of responders, by fingerprint: whether they are known to be revoked.
    responders: HashMap<Digest, bool>,
    /// Where the deltas are that keep a list from settling anything, and lists that would settle a responder.
    missing: Option<Vec<String>>,
    /// Whether any list is about it, be it of use or not.
    is_spoken_of: bool,
    /// Whether the control time is past, and the certificate has expired since.
    is_of_past: bool,
}

impl<'a, 'b> Inquiry<'a, 'b> {
    fn new(path: &'a [Arc<Certificate>], question: Question<'a>, budget: &'b mut Budget) -> Self {
        Self {
            path,
            question,
            budget,
            proofs: Vec::new(),
            covered: Reasons::NONE,
            made: None,
            asked: Vec::new(),
            responders: HashMap::new(),
            missing: None,
            is_spoken_of: false,
            is_of_past: question.is_past() && path[0].not_after().as_seconds() < question.now.as_seconds(),
        }
    }

    fn certificate(&self) -> &'a Arc<Certificate> {
        &self.path[0]
    }

    /// The lists that speak about the certificate through its distribution points, and for which reasons: each once, those
    /// of one issuer newest first.
    fn lists(&self) -> Vec<(&'a Arc<RevocationList>, Reasons)> {
        let certificate = self.certificate();
        let points: Vec<Point<'_>> = Point::of(certificate).collect();
        let mut seen = HashSet::new();
        let issuers = points.iter().flat_map(|point| point.issuers(certificate));
        let lists = issuers
            .filter(|issuer| seen.insert(*issuer))
            .flat_map(|issuer| self.lists_of(issuer));
        lists
            .filter_map(|list| {
                let through = points.iter();
                let through = through.filter_map(|point| list.reasons_through(point, certificate));
                Some((list, through.reduce(Reasons::or)?))
            })
            .collect()
    }

    /// Asks the lists in turn, until they speak for all reasons. Gives what of that is against the certificate: as the last
    /// word where they do speak for all.
    fn ask(&mut self, lists: &[(&'a Arc<RevocationList>, Reasons)]) -> Option<NotGood> {
        let (mut spoken, mut against) = (Reasons::NONE, None::<NotGood>);
        for (list, reasons) in lists.iter().copied() {
            if Reasons::ALL.are_within(spoken) {
                break;
            }
            self.is_spoken_of = true;
            let tells_now = self.tells_of_the_past(list);
            if list.is_delta() || reasons.are_within(spoken) || !self.is_usable(list) && !tells_now {
                continue;
            }
            // What the signer of the list signed is young: its path must be good now, unless the question is of the past.
            let Question { at, now, .. } = self.question;
            let as_of = signer::AsOf {
                // Who signed it may be certified later than what is asked about.
                at: if self.is_of_past && !tells_now {
                    at.max(list.this_update()).min(now)
                } else {
                    now
                },
                algorithms_at: now,
                must_last: true,
                demand: RevocationDemand::Required,
            };
            let Some(key) = signer::of(list, self.path, as_of, self.question, self.budget) else {
                continue;
            };
            if let Err(word) = self.settle(list, &key, (reasons, tells_now)) {
                spoken = spoken.or(reasons);
                against = Some(match against {
                    Some(other) => other.or_harder(word),
                    None => word,
                });
            }
            spoken = spoken.or(self.covered);
        }
        if let Some(word) = &mut against {
            word.is_current = word.is_final() && Reasons::ALL.are_within(spoken);
        }
        against
    }

    /// The lists of an issuer that are at hand, newest first. What is dated later than the time of judging is not there
    /// yet: who asks as of a day of the past is told what could be known then.
    fn lists_of(&self, issuer: &Name) -> Vec<&'a Arc<RevocationList>> {
        let Question { snapshot, lists, .. } = self.question;
        // Those of the snapshot are in this order.
        let mut all: Vec<&Arc<RevocationList>> = snapshot.lists_of(issuer).iter().collect();
        let known = all.len();
        all.extend(lists.iter().filter(|list| list.issuer() == issuer));
        let latest = self.latest();
        all.retain(|list| list.this_update() <= latest);
        if known < all.len() {
            all.sort_by_key(|list| std::cmp::Reverse(list.this_update()));
        }
        all
    }

    /// Whether the list can tell what the certificate is worth: it is current; or, where that is asked of the past, was
    /// made since while the certificate lasted (issuers forget the expired), or was current then if policy takes that.
    fn is_usable(&self, list: &Arc<RevocationList>) -> bool {
        let Question {
            at, now, snapshot, ..
        } = self.question;
        let skew = snapshot.policy().clock_skew_seconds;
        if !self.is_of_past {
            return self.is_fresh(list);
        }
        // Of the expired one more list tells (RFC 5280 §3.3).
        let (made, certificate) = (list.this_update(), self.certificate());
        let may_tell =
            made <= certificate.not_after() || list.revocation_of_certificate(certificate).is_some();
        let is_since = at <= made && may_tell && made <= now.plus_seconds(skew);
        is_since || (self.may_status_precede_proof() && list.is_fresh_at(at, skew))
    }

    /// Whether status that was current at the control time settles the certificate, though it was made before (ETSI EN 319
    /// 102-1 §5.6.2.2.4 takes it). Of an authority of time-stamps it does: whoever bears its stamp did not make it, and what
    /// a file brings along is always older than the time-stamp over it.
    fn may_status_precede_proof(&self) -> bool {
        let Question { usage, snapshot, .. } = self.question;
        usage == Usage::TimeStamp || snapshot.policy().may_status_precede_proof
    }

    /// The latest time that something at hand may bear.
    fn latest(&self) -> Time {
        let skew = self.question.snapshot.policy().clock_skew_seconds;
        self.question.now.plus_seconds(skew)
    }

    /// Whether something that came with the signature is young enough to settle the present.
    fn is_young(&self, made: Time) -> bool {
        let age_max = self.question.snapshot.policy().beside_age_seconds_max;
        self.question.now <= made.plus_seconds(age_max)
    }

    /// Whether the list of today names a certificate that has expired: most issuers forget those.
    fn tells_of_the_past(&self, list: &Arc<RevocationList>) -> bool {
        let is_named = || list.revocation_of_certificate(self.certificate()).is_some();
        self.is_of_past && self.is_fresh(list) && is_named()
    }

    /// Whether the list is current, and young if it came with the signature.
    fn is_fresh(&self, list: &Arc<RevocationList>) -> bool {
        let skew = self.question.snapshot.policy().clock_skew_seconds;
        let is_settling = !self.question.is_beside(list) || self.is_young(list.this_update());
        list.is_fresh_at(self.question.now, skew) && is_settling
    }

    /// What proves that the certificate is good, and when that was known.
    fn good(&mut self, answers: &[answers::AtHand]) -> Option<(Vec<RevocationProof>, Time)> {
        if let Some(made) = self.made.filter(|_| Reasons::ALL.are_within(self.covered)) {
            return Some((std::mem::take(&mut self.proofs), made));
        }
        let (proof, made) = self.good_answer(answers)?;
        Some((vec![proof], made))
    }

    /// Takes what a list, and the delta that builds on it, say. `signer`: whose key signed the list.
    fn settle(
        &mut self,
        base: &'a Arc<RevocationList>,
        signer: &Certificate,
        (reasons, tells_now): (Reasons, bool),
    ) -> Result<(), NotGood> {
        let certificate = self.certificate();
        let freshest = certificate.freshest_crl_urls().or(base.freshest_urls());
        let mut deltas = self.lists_of(base.issuer()).into_iter().filter(|list| {
            // Those of today say nothing of what was archived about the past.
            let is_of_its_time =
                !self.is_of_past || tells_now || list.this_update() <= certificate.not_after();
            let is_beside =
                list.is_newer_delta_beside(base) || (freshest.is_some() && list.is_delta_to(base));
            is_of_its_time && is_beside
        });
        let newest = deltas
            .find(|list| signer::has_signed(signer, list, self.question.now, self.question, self.budget));
        let is_usable =
            |delta: &&Arc<RevocationList>| self.is_usable(delta) || tells_now && self.is_fresh(delta);
        let delta = newest.filter(|delta| delta.is_delta_to(base)).filter(is_usable);
        // Nobody has to use deltas, and this base is younger than what is asked about.
        let is_enough = self.is_of_past && !tells_now && self.question.at <= base.this_update();
        if delta.is_none() && !is_enough && (newest.is_some() || freshest.is_some()) {
            self.missing
                .get_or_insert_default()
                .extend_from_slice(freshest.unwrap_or_default());
            return Ok(());
        }
        self.asked.push(base.fingerprint());
        let (list, revocation) = said(certificate, base, delta);
        let proof = self.proof_of(list);
        let Some(revocation) = revocation else {
            let made = delta.unwrap_or(base).this_update();
            self.made = Some(self.made.map_or(made, |oldest| oldest.min(made)));
            self.proofs.push(proof);
            self.covered = self.covered.or(reasons);
            return Ok(());
        };
        Err(not_good(
            certificate,
            revocation,
            proof,
            freshest.unwrap_or_default(),
        ))
    }

    /// What this list says about the certificate, as a proof.
    fn proof_of(&self, list: &Arc<RevocationList>) -> RevocationProof {
        RevocationProof {
            certificate: Arc::clone(self.certificate()),
            source: RevocationSource::List(Arc::clone(list)),
        }
    }

    fn unknown(&self) -> NotGood {
        let certificate = self.certificate();
        NotGood {
            failure: Failure::RevocationUnknown {
                certificate: Arc::clone(certificate),
            },
            need: Some(self.whereabouts()),
            proof: None,
            is_current: false,
        }
    }

    /// Where the last word about it may be.
    fn whereabouts(&self) -> Whereabouts {
        need(self.certificate(), self.missing.as_deref().unwrap_or_default())
    }
}

fn not_good(
    certificate: &Arc<Certificate>,
    revocation: Revocation,
    proof: RevocationProof,
    freshest: &[String],
) -> NotGood {
    let (certificate, Revocation { at, reason }) = (Arc::clone(certificate), revocation);
    if reason == RevocationReason::CertificateHold {
        return NotGood {
            need: Some(need(&certificate, freshest)),
            failure: Failure::OnHold { certificate, at },
            proof: Some(proof),
            is_current: false,
        };
    }
    NotGood {
        failure: Failure::Revoked {
            certificate,
            at,
            reason,
        },
        need: None,
        proof: Some(proof),
        is_current: false,
    }
}

/// What base and delta together say (RFC 5280 §6.3.3 i, j), and which of them says it. Only what was on hold comes back.
fn said<'l>(
    certificate: &Certificate,
    base: &'l Arc<RevocationList>,
    delta: Option<&'l Arc<RevocationList>>,
) -> (&'l Arc<RevocationList>, Option<Revocation>) {
    let in_base = base.revocation_of_certificate(certificate);
    let in_delta = delta.and_then(|delta| Some((delta, delta.revocation_of_certificate(certificate)?)));
    let Some((delta, mut in_delta)) = in_delta else {
        return (base, in_base);
    };
    if in_delta.reason == RevocationReason::RemovedFromList && certificate.not_after() < delta.this_update() {
        // It expired (RFC 5280 §5.3.1): that ends no hold, as far as this list tells.
        return (base, in_base);
    }
    if in_delta.reason != RevocationReason::RemovedFromList {
        // A hold that ended in a revocation was never lifted.
        in_delta.at = in_base.map_or(in_delta.at, |in_base| in_base.at.min(in_delta.at));
        return (delta, Some(in_delta));
    }
    match in_base {
        Some(revocation) if revocation.reason != RevocationReason::CertificateHold => (base, in_base),
        Some(_) | None => (delta, None),
    }
}

/// `further`: where deltas are, or lists that would settle a responder.
fn need(certificate: &Certificate, further: &[String]) -> Whereabouts {
    let mut lists = certificate.crl_urls();
    for url in further {
        if !lists.contains(url) {
            lists.push(url.clone());
        }
    }
    let responders = certificate
        .responder_urls()
        .iter()
        .filter(|url| path::is_asked(url));
    Whereabouts {
        lists,
        responders: responders.take(RESPONDERS_MAX).cloned().collect(),
    }
}
