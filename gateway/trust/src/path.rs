//! From a certificate to an anchor (RFC 5280 §6), over candidates in no order.
//!
//! Stands between `cms`, which found the signer's certificate, and the report. Paths are searched depth first, anchors
//! before candidates; each one found is judged wholly, and the first that passes is the answer.
//!
//! **Invariant**: a path passes only if every certificate of it is valid at the control time, chained by name and
//! signature, allowed to do what it did, free of constraints that are not processed here, and, but for the anchor,
//! proven not to be revoked.
//! **Invariant**: the search spends public-key operations and steps from a budget; a spent budget fails.

mod budget;
mod demands;
mod names;
mod policies;
mod question;
mod rules;
mod usage;

use std::cmp::Ordering;
use std::sync::Arc;

use crate::report::{Failure, Need, RevocationProof};
use crate::revocation;

use crate::x509::Certificate;

pub(crate) use budget::Budget;
pub(crate) use demands::USUAL;
pub use demands::{Demands, PolicyDemands, RevocationDemand};
pub(crate) use names::check as check_names;
pub(crate) use question::Question;
pub(crate) use usage::Usage;

/// Addresses of one certificate that are asked for its issuer: it may name any number.
const ISSUER_URLS_MAX: usize = 8;

/// Octets of an address that is asked: a certificate may name one of any length.
const URL_OCTETS_MAX: usize = 2048;

/// Certificates whose issuers are asked for at a time.
const ISSUERS_NEEDED_MAX: usize = 8;

/// The answer about one certificate.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Leaf first; the best path that was found, if any reached an anchor.
    pub(crate) chain: Vec<Arc<Certificate>>,
    pub(crate) proofs: Vec<RevocationProof>,
    /// `None`: the path is good.
    pub(crate) failure: Option<Failure>,
    pub(crate) needs: Vec<Need>,
}

/// Judges a certificate within a budget that others may spend from too.
pub(crate) fn validate(leaf: &Arc<Certificate>, question: Question<'_>, budget: &mut Budget) -> Outcome {
    let mut search = Search {
        question,
        budget,
        best: None,
    };
    let mut chain = vec![Arc::clone(leaf)];
    let reached = search.extend(&mut chain);
    // Also where a path passed: what could not be paid for may have been what speaks against it.
    if search.budget.is_spent() {
        return Outcome {
            failure: Some(Failure::BudgetSpent),
            ..Outcome::default()
        };
    }
    if let Reached::Good(passed) = reached {
        return *passed;
    }
    search.best.expect("a search that did not pass has noted why")
}

struct Search<'a> {
    question: Question<'a>,
    budget: &'a mut Budget,
    best: Option<Outcome>,
}

/// Where the paths from a certificate lead.
enum Reached {
    /// One of them passed.
    Good(Box<Outcome>),
    /// To an anchor, but none passed.
    Anchor,
    /// To no anchor.
    Nothing,
}

impl Search<'_> {
    /// Lengthens the chain by every issuer that fits, until a path passes.
    fn extend(&mut self, chain: &mut Vec<Arc<Certificate>>) -> Reached {
        let last = Arc::clone(chain.last().expect("a chain begins with its leaf"));
        let snapshot = self.question.snapshot;
        let mut reached = Reached::Nothing;
        for anchor in snapshot.anchors_named(last.issuer()) {
            let is_wanted = self.question.anchor.is_none_or(|wanted| wanted == anchor);
            if is_wanted && self.is_issued_by(&last, anchor) {
                reached = Reached::Anchor;
                chain.push(Arc::clone(anchor));
                let outcome = judge(chain, self.question, self.budget);
                chain.pop();
                if outcome.failure.is_none() {
                    return Reached::Good(Box::new(outcome));
                }
                self.note(outcome);
            }
        }
        for issuer in self.issuers_of(&last) {
            let is_repeated = chain
                .iter()
                .any(|link| link.key_digest() == issuer.key_digest() && link.subject() == issuer.subject());
            if is_repeated || snapshot.anchors_named(issuer.subject()).contains(&issuer) {
                continue;
            }
            if self.has_room(chain) && self.is_issued_by(&last, &issuer) {
                chain.push(issuer);
                let further = self.extend(chain);
                chain.pop();
                match further {
                    Reached::Good(_) => return further,
                    Reached::Anchor => reached = further,
                    Reached::Nothing => {}
                }
            }
        }
        if matches!(reached, Reached::Nothing) {
            // Also where an issuer is at hand that leads nowhere: anybody can certify an authority's key anew.
            let outcome = self.dead_end(chain);
            self.note(outcome);
        }
        reached
    }

    /// Whether the chain may be longer by one certificate that is no anchor.
    fn has_room(&self, chain: &[Arc<Certificate>]) -> bool {
        chain.len() + 1 < self.question.snapshot.policy().path_certificates_max
    }

    /// What is said of a chain that leads to no anchor: that its issuer is to be fetched, where that may help.
    fn dead_end(&mut self, chain: &[Arc<Certificate>]) -> Outcome {
        let last = chain.last().expect("a chain begins with its leaf");
        // Who certifies itself in an unknown way may be an anchor all the same.
        if !last.is_self_issued() && last.signature_algorithm().is_none() {
            return Outcome {
                failure: Some(rules::algorithm_unknown(last)),
                ..Outcome::default()
            };
        }
        let urls = if self.has_room(chain) && rules::may_yet_pass(chain, self.question) {
            self.issuer_urls(last)
        } else {
            Vec::new()
        };
        let certificate = Arc::clone(last);
        if urls.is_empty() {
            return Outcome {
                failure: Some(Failure::NoPath { certificate }),
                ..Outcome::default()
            };
        }
        let of = Arc::clone(last);
        Outcome {
            failure: Some(Failure::IssuerUnknown { certificate }),
            needs: vec![Need::Issuer { of, urls }],
            ..Outcome::default()
        }
    }

    /// Where the issuer of a certificate may be found; none once every address gave one that was of no use.
    fn issuer_urls(&mut self, of: &Certificate) -> Vec<String> {
        if of.is_self_issued() {
            return Vec::new();
        }
        let web = of
            .issuer_urls()
            .iter()
            .filter(|url| is_asked(url))
            .take(ISSUER_URLS_MAX);
        let urls: Vec<String> = web.cloned().collect();
        let snapshot = self.question.snapshot;
        let is_answered = urls.iter().all(|url| {
            snapshot
                .answer_of(url)
                .is_some_and(|answer| answer.subject() == of.issuer() && self.is_issued_by(of, answer))
        });
        if is_answered { Vec::new() } else { urls }
    }

    /// Candidates by name, those whose key identifier fits first: the identifier is a hint (RFC 5280 §4.2.1.1).
    fn issuers_of(&self, certificate: &Certificate) -> Vec<Arc<Certificate>> {
        let named = self.question.snapshot.candidates_named(certificate.issuer());
        let embedded = self
            .question
            .embedded
            .iter()
            .filter(|one| one.subject() == certificate.issuer());
        let mut issuers: Vec<Arc<Certificate>> = Vec::new();
        for issuer in named.iter().chain(embedded) {
            if !issuers.contains(issuer) {
                issuers.push(Arc::clone(issuer));
            }
        }
        issuers.sort_by_key(|issuer| !is_key_hinted(certificate, issuer));
        issuers
    }

    /// Whether the issuer's key signed the certificate; remembered for the life of the snapshot.
    fn is_issued_by(&mut self, certificate: &Certificate, issuer: &Certificate) -> bool {
        if !self.budget.step() {
            return false;
        }
        let (key, object) = (issuer.key_digest(), certificate.fingerprint());
        if self.question.snapshot.is_verified(&key, &object) {
            return true;
        }
        let is_issued = self.budget.spend() && certificate.verify_signed_by(issuer.key()).is_ok();
        if is_issued {
            self.question.snapshot.remember_verified(&key, &object);
        }
        is_issued
    }

    fn note(&mut self, outcome: Outcome) {
        let Some(best) = &mut self.best else {
            self.best = Some(outcome);
            return;
        };
        match rank(&outcome).cmp(&rank(best)) {
            Ordering::Less => *best = outcome,
            Ordering::Equal if is_issuer_needed(best) => {
                // Whichever is fetched may help. Those nearest to the leaf come last and matter most.
                let mut farther = std::mem::replace(best, outcome).needs;
                farther.retain(|need| !best.needs.contains(need));
                best.needs.append(&mut farther);
                best.needs.truncate(ISSUERS_NEEDED_MAX);
            }
            Ordering::Equal | Ordering::Greater => {}
        }
    }
}

/// Whether an address that a certificate names is one that is asked: over HTTP, and not too long.
pub(crate) fn is_asked(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && url.len() <= URL_OCTETS_MAX
}

fn is_issuer_needed(outcome: &Outcome) -> bool {
    matches!(outcome.failure, Some(Failure::IssuerUnknown { .. }))
}

/// Which of several failed paths tells most: one that only waits for an answer, then a proven revocation, then one that
/// may pass once an issuer is fetched, then one that reached an anchor.
fn rank(outcome: &Outcome) -> u8 {
    match outcome.failure {
        Some(Failure::RevocationUnknown { .. } | Failure::OnHold { .. }) => 0,
        Some(Failure::Revoked { .. }) => 1,
        Some(Failure::IssuerUnknown { .. }) => 2,
        Some(Failure::NoPath { .. }) => 4,
        Some(_) | None => 3,
    }
}

fn is_key_hinted(certificate: &Certificate, issuer: &Certificate) -> bool {
    match (
        certificate.authority_key_identifier(),
        issuer.subject_key_identifier(),
    ) {
        (Some(hint), Some(identifier)) => hint == identifier,
        (None, _) | (_, None) => false,
    }
}

/// Judges a whole path, leaf first, anchor last, whose names and signatures chain.
fn judge(chain: &[Arc<Certificate>], question: Question<'_>, budget: &mut Budget) -> Outcome {
    let mut outcome = Outcome {
        chain: chain.to_vec(),
        ..Outcome::default()
    };
    outcome.failure = rules::check_path(chain, question).err();
    if outcome.failure.is_some() {
        return outcome;
    }
    if question.demands.revocation == RevocationDemand::NotAsked {
        return outcome;
    }
    for place in 0..chain.len() - 1 {
        match revocation::check(&chain[place..], question, budget) {
            Ok(proofs) => outcome.proofs.extend(proofs),
            Err(word) if place == 0 && word.is_current && question.is_excused(&word.failure) => {
                outcome.proofs.extend(word.proof);
            }
            Err(word) => {
                let is_unsettled = place == 0 && question.is_excused(&word.failure);
                let not_good = if is_unsettled {
                    word.until_settled(&chain[0])
                } else {
                    word
                };
                outcome.proofs.extend(not_good.proof);
                let need = not_good.need.into_iter();
                outcome
                    .needs
                    .extend(need.flat_map(|need| need.needs(&chain[place..])));
                // A revocation that is proven outweighs an answer that is missing.
                let is_heavier = match (&outcome.failure, &not_good.failure) {
                    (None, _) => true,
                    (Some(Failure::Revoked { .. }), _) => false,
                    (Some(_), failure) => matches!(failure, Failure::Revoked { .. }),
                };
                if is_heavier {
                    outcome.failure = Some(not_good.failure);
                }
            }
        }
    }
    if matches!(outcome.failure, Some(Failure::Revoked { .. })) {
        outcome.needs.clear();
    }
    outcome
}

#[cfg(test)]
mod tests;
