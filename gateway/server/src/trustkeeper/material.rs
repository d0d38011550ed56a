//! The material that is in use: certificates of folders and of elsewhere, lists of any origin.
//!
//! **Invariant:** a list is here only if a certificate that is known here signed it, and never in the place of a newer
//! one.
//! **Invariant:** a certificate of elsewhere is known only if a known one issued it; one that nobody known issued is kept
//! so that what it issued can be refused, and vouches for nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use trust::ocsp::{Declined, Unusable};
use trust::{Certificate, Digest, OcspAnswer, Policy, RevocationList, Snapshot, Time};

use super::answers::Answers;
use super::errand::About;
use crate::administration::{Complaint, Trouble};

/// Issuing certificates of elsewhere at most; authorities that are known here issued them.
const LEARNED_MAX: usize = 256;
/// Issuing certificates at most that nobody known issued; a stranger's document names them, and the oldest give way.
const STRANGERS_MAX: usize = 64;

/// Certificates, as a check that runs beside needs them.
#[derive(Debug, Clone, Default)]
pub(super) struct Certificates {
    pub(super) anchors: Vec<Arc<Certificate>>,
    pub(super) candidates: Vec<Arc<Certificate>>,
    /// Fetched because a certificate named them as its issuer, or met in a signature; issued by one that is known here.
    pub(super) learned: Vec<Arc<Certificate>>,
    /// Fetched likewise; issued by nobody who is known here.
    pub(super) strangers: Vec<Arc<Certificate>>,
}

/// Why a list or certificate is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// Not a list, or not a certificate.
    #[error("not a revocation list or certificate")]
    Unreadable,
    /// No certificate that is known here signed it.
    #[error("not signed by an issuer that is known here")]
    Unsigned,
    /// A certificate whose key may not sign certificates.
    #[error("a certificate that may not issue others")]
    NoAuthority,
    /// A certificate, but not that of the issuer that was looked for: another name or key.
    #[error("not the certificate of the issuer that was looked for")]
    Another,
    /// Older than the one that is here.
    #[error("older than the one that is here")]
    Older,
    /// From the future.
    #[error("made in the future")]
    Future,
    /// Too many certificates were learned already.
    #[error("too many certificates were learned already")]
    TooMany,
    /// Not an OCSP answer.
    #[error("not an OCSP answer about the certificate")]
    NoAnswer,
    /// A responder that gives no answer, and says so.
    #[error("the responder declined: {0}")]
    Declined(Declined),
    /// An OCSP answer that may not be believed.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A responder that does not know the certificate.
    #[error("the responder does not know the certificate")]
    Unknown,
}

impl From<Unfit> for Complaint {
    fn from(unfit: Unfit) -> Complaint {
        let trouble = match unfit {
            Unfit::Unreadable
            | Unfit::NoAuthority
            | Unfit::Another
            | Unfit::NoAnswer
            | Unfit::Declined(_)
            | Unfit::Unknown => Trouble::WrongAnswer,
            Unfit::Unsigned => Trouble::Unsigned,
            Unfit::Older | Unfit::Future => Trouble::Outdated,
            Unfit::Unusable(unusable) => trouble_of(unusable),
            Unfit::TooMany => Trouble::Ours,
        };
        let detail = unfit.to_string();
        Complaint { trouble, detail }
    }
}

fn trouble_of(unusable: Unusable) -> Trouble {
    match unusable {
        Unusable::Times | Unusable::Future | Unusable::Overdue => Trouble::Outdated,
        Unusable::ResponderUnknown
        | Unusable::ResponderUncertified
        | Unusable::ResponderPurpose
        | Unusable::ResponderKeyUsage
        | Unusable::ResponderConstraint
        | Unusable::ResponderValidity
        | Unusable::ResponderItself
        | Unusable::AlgorithmUnknown
        | Unusable::AlgorithmRefused { .. }
        | Unusable::SignatureWrong => Trouble::Unsigned,
        Unusable::IssuerMismatch
        | Unusable::OtherCertificate
        | Unusable::CriticalExtension
        | Unusable::NonceAbsent
        | Unusable::NonceMismatch => Trouble::WrongAnswer,
        Unusable::BudgetSpent => Trouble::Ours,
    }
}

/// What taking something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in use now.
    New,
    /// It was here already.
    Same,
}

/// A list and the key that was seen to have signed it.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) list: Arc<RevocationList>,
    pub(super) key: Digest,
}

impl Signed {
    /// What lists that take one another's place have in common: what they say of themselves
    /// ([`RevocationList::series`]), and the key that signed them, so that nobody who bears an issuer's name drives out
    /// its lists.
    pub(super) fn series(&self) -> Digest {
        Digest::of(&[self.list.series().as_bytes().as_slice(), self.key.as_bytes()].concat())
    }
}

impl Certificates {
    /// All that vouch for lists and other certificates.
    fn known(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.anchors.iter().chain(&self.candidates).chain(&self.learned)
    }

    fn holds(&self, certificate: &Certificate) -> bool {
        let mut all = self.known().chain(&self.strangers);
        all.any(|one| **one == *certificate)
    }

    /// Reads a list and checks that a known issuer signed it.
    pub(super) fn check_list(&self, bytes: &[u8]) -> Result<Signed, Unfit> {
        let list = RevocationList::from_pem_or_der(bytes).map_err(|_| Unfit::Unreadable)?;
        let mut issuers = self.known().filter(|one| one.subject() == list.issuer());
        let signer = issuers.find(|issuer| list.verify_signed_by(issuer.key()).is_ok());
        let key = signer.ok_or(Unfit::Unsigned)?.key_digest();
        let list = Arc::new(list);
        Ok(Signed { list, key })
    }

    /// Reads a certificate, or those of a CMS, and gives the one that is an authority's and issued one of those whose issuer
    /// is looked for (RFC 5280 §4.2.2.1).
    pub(super) fn check_issuer(
        bytes: &[u8],
        wanted_by: &[Arc<Certificate>],
    ) -> Result<Arc<Certificate>, Unfit> {
        let mut found = match Certificate::from_pem_or_der(bytes) {
            Ok(certificate) => vec![Arc::new(certificate)],
            Err(_) => trust::cms::certificates(bytes).map_err(|_| Unfit::Unreadable)?,
        };
        if found.is_empty() {
            return Err(Unfit::Unreadable);
        }
        found.retain(|one| one.may_issue());
        if found.is_empty() {
            return Err(Unfit::NoAuthority);
        }
        let is_wanted = |issuer: &Arc<Certificate>| wanted_by.iter().any(|one| is_issuer_of(issuer, one));
        found.into_iter().find(is_wanted).ok_or(Unfit::Another)
    }

    fn is_issued_by_known(&self, certificate: &Certificate) -> bool {
        self.known()
            .any(|known| known.may_issue() && is_issuer_of(known, certificate))
    }

    /// Sorts learned certificates and strangers anew, after certificates came or went: who is issued by a known one is
    /// known, and may vouch for the next. The expired are forgotten.
    fn sort(&mut self, now: Time) {
        let mut left = std::mem::take(&mut self.learned);
        left.append(&mut self.strangers);
        left.retain(|one| now <= one.not_after() && !self.holds(one));
        while self.learned.len() < LEARNED_MAX
            && let Some(place) = left.iter().position(|one| self.is_issued_by_known(one))
        {
            self.learned.push(left.remove(place));
        }
        left.drain(..left.len().saturating_sub(STRANGERS_MAX));
        self.strangers = left;
    }

    /// Until when each certificate has a path to an anchor of which nothing is expired, by its fingerprint. Those without
    /// a path are absent.
    fn ends(&self) -> HashMap<Digest, Time> {
        let anchors = self.anchors.iter();
        let mut ends: HashMap<Digest, Time> =
            anchors.map(|one| (one.fingerprint(), one.not_after())).collect();
        let below: Vec<_> = self.candidates.iter().chain(&self.learned).collect();
        let issued: Vec<Vec<Digest>> = below
            .iter()
            .map(|one| {
                let issuers = self.known().filter(|known| is_issuer_of(known, one));
                issuers.map(|issuer| issuer.fingerprint()).collect()
            })
            .collect();
        // Each round lengthens paths by one; one that is longer than all certificates together repeats itself.
        for _ in 0..below.len() {
            let mut has_changed = false;
            for (one, issuers) in below.iter().zip(&issued) {
                let above = issuers.iter().filter_map(|issuer| ends.get(issuer)).max();
                let Some(end) = above.map(|end| (*end).min(one.not_after())) else {
                    continue;
                };
                let known = ends.get(&one.fingerprint()).copied();
                if known.is_none_or(|known| known < end) {
                    ends.insert(one.fingerprint(), end);
                    has_changed = true;
                }
            }
            if !has_changed {
                break;
            }
        }
        ends
    }
}

/// All of it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Material {
    pub(super) certificates: Certificates,
    lists: Vec<Signed>,
    pub(super) answers: Answers,
    ends: HashMap<Digest, Time>,
    policy: Policy,
}

impl Material {
    /// No material yet.
    pub(super) fn under(policy: Policy) -> Material {
        Material {
            policy,
            ..Material::default()
        }
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = &Arc<RevocationList>> {
        self.lists.iter().map(|one| &one.list)
    }

    /// The lists, and who signed each.
    pub(super) fn signed_lists(&self) -> &[Signed] {
        &self.lists
    }

    /// Until when a list of this series matters: as long as its issuer has a path to an anchor, and none of it is
    /// expired. `None`: it matters no more.
    pub(super) fn matters_until(&self, series: &Digest) -> Option<Time> {
        let signed = self.lists.iter().find(|one| one.series() == *series)?;
        let issuers = self
            .certificates
            .known()
            .filter(|one| one.subject() == signed.list.issuer() && one.key_digest() == signed.key);
        issuers
            .filter_map(|one| self.ends.get(&one.fingerprint()))
            .max()
            .copied()
    }

    /// Every address at which certificates that matter say that lists are.
    pub(super) fn list_urls(&self, now: Time) -> Vec<String> {
        let matters =
            |one: &&Arc<Certificate>| self.ends.get(&one.fingerprint()).is_some_and(|end| now <= *end);
        let certificates = self.certificates.known().filter(matters);
        certificates.flat_map(|one| one.crl_urls()).collect()
    }

    /// Names of those who issued an authority that matters and of whom no list is here, with the addresses at which
    /// these authorities say that it is.
    pub(super) fn absent_lists(&self, now: Time) -> BTreeMap<String, BTreeSet<String>> {
        let mut absent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let certificates = &self.certificates;
        // Nobody revokes an anchor.
        for one in certificates.candidates.iter().chain(&certificates.learned) {
            let matters = self.ends.get(&one.fingerprint()).is_some_and(|end| now <= *end);
            let is_anchor = certificates.anchors.contains(one);
            if matters && !is_anchor && !self.lists().any(|list| list.issuer() == one.issuer()) {
                let urls = absent.entry(one.issuer().to_string()).or_default();
                urls.extend(one.crl_urls());
            }
        }
        absent
    }

    /// What taking this list would come to.
    pub(super) fn weigh(&self, signed: &Signed, now: Time) -> Result<Taken, Unfit> {
        let list = &signed.list;
        if list.this_update() > now.plus_seconds(self.policy.clock_skew_seconds) {
            // It would bar the way to every honest list until then.
            return Err(Unfit::Future);
        }
        let series = signed.series();
        match self.lists.iter().find(|known| known.series() == series) {
            None => Ok(Taken::New),
            Some(known) if known.list.says_the_same(list) => Ok(Taken::Same),
            Some(known) if is_older(list, &known.list) => Err(Unfit::Older),
            Some(_) => Ok(Taken::New),
        }
    }

    /// Takes a list that [`Certificates::check_list`] let through, unless it is older than the one of its series.
    pub(super) fn take_list(&mut self, signed: Signed, now: Time) -> Result<Taken, Unfit> {
        let taken = self.weigh(&signed, now)?;
        if taken == Taken::New {
            let series = signed.series();
            self.lists.retain(|known| known.series() != series);
            self.lists.push(signed);
        }
        Ok(taken)
    }

    /// Takes an OCSP answer that [`super::answers::check`] let through; hands out the certificates whose answers had to make
    /// room.
    pub(super) fn take_answer(
        &mut self,
        about: &About,
        answer: Arc<OcspAnswer>,
        now: Time,
    ) -> Result<Vec<Digest>, Unfit> {
        let by = (now, self.policy.ocsp_age_seconds_max);
        self.answers.take(about, answer, by)
    }

    /// What taking this OCSP answer would come to.
    pub(super) fn weigh_answer(&self, about: &About, answer: &OcspAnswer, now: Time) -> Result<Taken, Unfit> {
        let by = (now, self.policy.ocsp_age_seconds_max);
        self.answers.weigh(about, answer, by)
    }

    /// Takes an issuing certificate that [`Certificates::check_issuer`] let through.
    pub(super) fn take_issuer(&mut self, issuer: Arc<Certificate>, now: Time) -> Result<Taken, Unfit> {
        if self.certificates.holds(&issuer) {
            return Ok(Taken::Same);
        }
        if self.certificates.learned.len() >= LEARNED_MAX {
            return Err(Unfit::TooMany);
        }
        self.certificates.strangers.push(issuer);
        self.certificates_changed(now);
        Ok(Taken::New)
    }

    /// Takes the issuers of a path that was judged, the nearest first: from above, as far as each is issued by a known
    /// one. They may have come with a signature only, and their lists can be checked with them only.
    ///
    /// # Errors
    /// [`Unfit::Unsigned`] where the nearest is not known afterwards; those above it may be.
    pub(super) fn take_path(&mut self, issuers: &[Arc<Certificate>], now: Time) -> Result<Taken, Unfit> {
        let mut taken = Taken::Same;
        for issuer in issuers.iter().rev() {
            let certificates = &mut self.certificates;
            if certificates.known().any(|known| known == issuer) {
                continue;
            }
            let is_fit =
                issuer.may_issue() && now <= issuer.not_after() && certificates.is_issued_by_known(issuer);
            if !is_fit || certificates.learned.len() >= LEARNED_MAX {
                return Err(Unfit::Unsigned);
            }
            taken = Taken::New;
            certificates.strangers.retain(|one| one != issuer);
            certificates.learned.push(Arc::clone(issuer));
            self.certificates_changed(now);
        }
        if issuers.is_empty() {
            return Err(Unfit::Unsigned);
        }
        Ok(taken)
    }

    /// Puts other certificates of folders into use, and those that were learned before. Lists whose issuer is gone go
    /// with it.
    pub(super) fn set_certificates(
        &mut self,
        anchors: Vec<Arc<Certificate>>,
        candidates: Vec<Arc<Certificate>>,
        learned: Vec<Arc<Certificate>>,
        now: Time,
    ) {
        let certificates = &mut self.certificates;
        certificates.anchors = anchors;
        certificates.candidates = candidates;
        for one in learned {
            if !certificates.holds(&one) {
                certificates.learned.push(one);
            }
        }
        self.certificates_changed(now);
        let certificates = &self.certificates;
        self.lists.retain(|signed| {
            let mut known = certificates.known();
            known.any(|one| one.subject() == signed.list.issuer() && one.key_digest() == signed.key)
        });
    }

    fn certificates_changed(&mut self, now: Time) {
        self.certificates.sort(now);
        self.ends = self.certificates.ends();
    }

    /// All of it by fingerprint, so that two moments can be compared.
    pub(super) fn contents(&self) -> BTreeSet<(u8, Digest)> {
        let Certificates {
            anchors,
            candidates,
            learned,
            strangers,
        } = &self.certificates;
        let below = candidates.iter().chain(learned).chain(strangers);
        let anchors = anchors.iter().map(|one| (0, one.fingerprint()));
        let below = below.map(|one| (1, one.fingerprint()));
        let lists = self.lists().map(|list| (2, list.fingerprint()));
        let answers = self.answers.all().map(|answer| (3, answer.fingerprint()));
        anchors.chain(below).chain(lists).chain(answers).collect()
    }

    /// The material as validations take it.
    pub(super) fn snapshot(&self, version: u64) -> Snapshot {
        let Certificates {
            anchors,
            candidates,
            learned,
            strangers,
        } = &self.certificates;
        // Strangers prove nothing, as no candidate does: with them a path ends where it must, and is not waited for.
        let candidates = candidates.iter().chain(learned).chain(strangers);
        let snapshot = Snapshot::new(
            anchors.clone(),
            candidates.cloned().collect(),
            self.lists().cloned().collect(),
            self.policy.clone(),
            version,
        );
        snapshot.with_ocsp(self.answers.all().cloned())
    }
}

/// Whether a certificate is that of the issuer of another: by name, by key identifier where both say it, and because its
/// key signed the other.
pub(super) fn is_issuer_of(issuer: &Certificate, of: &Certificate) -> bool {
    let is_hinted = match (of.authority_key_identifier(), issuer.subject_key_identifier()) {
        (Some(hint), Some(identifier)) => hint == identifier,
        (None, _) | (_, None) => true,
    };
    issuer.subject() == of.issuer() && is_hinted && of.verify_signed_by(issuer.key()).is_ok()
}

/// Whether going from `known` to `list` would be going back: by time, or by number where both have one.
fn is_older(list: &RevocationList, known: &RevocationList) -> bool {
    let by_number = match (list.number(), known.number()) {
        (Some(one), Some(other)) => number(one) < number(other),
        (Some(_) | None, _) => false,
    };
    by_number || list.this_update() < known.this_update()
}

/// A number that compares like the unsigned integer that these octets are.
fn number(octets: &[u8]) -> (usize, &[u8]) {
    let start = octets
        .iter()
        .position(|octet| *octet != 0)
        .unwrap_or(octets.len());
    (octets.len() - start, &octets[start..])
}
