//! The trust material of one moment.
//!
//! Made by the trust keeper, handed to every validation, replaced as a whole when something changes.
//!
//! **Invariant**: what it holds never changes; the cache inside remembers only public-key operations that succeeded,
//! so that asking twice gives the same answer faster.
//! **Invariant**: anchors are trusted, candidates and lists are not: they must be proven each time they are used.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::crl::RevocationList;
use crate::digest::Digest;
use crate::name::Name;
use crate::ocsp::OcspAnswer;
use crate::policy::Policy;
use crate::report::Need;
use crate::x509::Certificate;

/// Parts of the cache, each with its own lock, so that worker threads seldom wait for one another.
const SHARDS: usize = 16;

/// Entries of one part of the cache; all are forgotten when it is full. 16 × 4096 × 64 octets are 4 MB.
const SHARD_ENTRIES_MAX: usize = 4096;

/// Immutable trust material: anchors, candidates, revocation lists, policy, and the version that events record.
pub struct Snapshot {
    anchors: HashMap<Name, Vec<Arc<Certificate>>>,
    candidates: HashMap<Name, Vec<Arc<Certificate>>>,
    by_fingerprint: HashMap<Digest, Arc<Certificate>>,
    lists: HashMap<Name, Vec<Arc<RevocationList>>>,
    /// By the serial numbers that they speak of.
    answers: HashMap<Box<[u8]>, Vec<Arc<OcspAnswer>>>,
    gave: HashMap<String, Digest>,
    responders: Vec<Arc<Certificate>>,
    policy: Policy,
    version: u64,
    verified: Arc<Verified>,
}

impl Snapshot {
    /// Indexes the material. `candidates` are untrusted and in no order; an anchor among them changes nothing.
    pub fn new(
        anchors: Vec<Arc<Certificate>>,
        candidates: Vec<Arc<Certificate>>,
        crls: Vec<Arc<RevocationList>>,
        policy: Policy,
        version: u64,
    ) -> Self {
        let by_fingerprint: HashMap<Digest, Arc<Certificate>> = anchors
            .iter()
            .chain(&candidates)
            .map(|one| (one.fingerprint(), Arc::clone(one)))
            .collect();
        let pinned = policy.ocsp_responders.iter();
        let responders = pinned.filter_map(|pinned| by_fingerprint.get(pinned).cloned());
        let mut lists: HashMap<Name, Vec<Arc<RevocationList>>> = HashMap::new();
        for list in crls {
            lists.entry(list.issuer().clone()).or_default().push(list);
        }
        for of_issuer in lists.values_mut() {
            // The newest speaks first.
            of_issuer.sort_by_key(|list| std::cmp::Reverse(list.this_update()));
        }
        Self {
            responders: responders.collect(),
            anchors: by_subject(anchors),
            candidates: by_subject(candidates),
            by_fingerprint,
            lists,
            answers: HashMap::new(),
            gave: HashMap::new(),
            policy,
            version,
            verified: Arc::default(),
        }
    }

    /// The same material, with what addresses of issuers gave (RFC 5280 §4.2.2.1): the fingerprint of a certificate for
    /// each. Nothing is trusted for it; it only says that asking there again brings nothing new.
    #[must_use]
    pub fn with_answers(mut self, gave: impl IntoIterator<Item = (String, Digest)>) -> Self {
        self.gave = gave.into_iter().collect();
        self
    }

    /// The same material, with OCSP answers: as untrusted as lists are.
    #[must_use]
    pub fn with_ocsp(mut self, answers: impl IntoIterator<Item = Arc<OcspAnswer>>) -> Self {
        for answer in answers {
            for serial in answer.serials() {
                let about = self.answers.entry(serial.into()).or_default();
                if !about
                    .iter()
                    .any(|known| known.fingerprint() == answer.fingerprint())
                {
                    about.push(Arc::clone(&answer));
                }
            }
        }
        self
    }

    /// The same material, which remembers what an earlier one saw verified: that a key signed something stays true,
    /// whatever else is trusted.
    #[must_use]
    pub fn remembering(mut self, earlier: &Snapshot) -> Self {
        self.verified = Arc::clone(&earlier.verified);
        self
    }

    /// What is demanded.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The version of this material, as events record it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every anchor.
    pub fn anchors(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.anchors.values().flatten()
    }

    /// Every revocation list.
    pub fn revocation_lists(&self) -> impl Iterator<Item = &Arc<RevocationList>> {
        self.lists.values().flatten()
    }

    /// The certificate of this fingerprint, if it is among the material.
    pub fn certificate(&self, fingerprint: &Digest) -> Option<&Arc<Certificate>> {
        self.by_fingerprint.get(fingerprint)
    }

    /// OCSP responders that the operator trusts ([`Policy::ocsp_responders`]), as far as their certificates are at hand.
    pub fn responders(&self) -> &[Arc<Certificate>] {
        &self.responders
    }

    /// Whether both trust the same anchors.
    pub fn has_anchors_of(&self, other: &Snapshot) -> bool {
        let count = |one: &Snapshot| one.anchors().count();
        count(self) == count(other)
            && self
                .anchors()
                .all(|anchor| other.anchors().any(|one| one == anchor))
    }

    /// What is at hand of what a verdict needs, as fingerprints in order: as long as two snapshots say the same, the
    /// later one brings nothing that was asked for. A list under another name than the issuer's is not told of.
    pub fn at_hand(&self, need: &Need) -> Vec<Digest> {
        let of = |certificate: &Arc<Certificate>| certificate.fingerprint();
        let mut at_hand: Vec<Digest> = match need {
            Need::Crl { issuers, .. } => {
                let lists = issuers
                    .first()
                    .map_or(&[][..], |issuer| self.lists_of(issuer.subject()));
                lists.iter().map(|list| list.fingerprint()).collect()
            }
            Need::Ocsp { path, .. } => {
                let answers = path
                    .first()
                    .map_or(&[][..], |one| self.answers_about(one.serial()));
                answers.iter().map(|answer| answer.fingerprint()).collect()
            }
            Need::Issuer { of: one, urls } => {
                let named = self.candidates_named(one.issuer()).iter();
                let given = urls.iter().filter_map(|url| self.answer_of(url));
                named.chain(given).map(of).collect()
            }
        };
        at_hand.sort_unstable();
        at_hand
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.by_fingerprint.values()
    }

    pub(crate) fn anchors_named(&self, name: &Name) -> &[Arc<Certificate>] {
        self.anchors.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn candidates_named(&self, name: &Name) -> &[Arc<Certificate>] {
        self.candidates.get(name).map_or(&[], Vec::as_slice)
    }

    /// The lists of an issuer, newest first.
    pub(crate) fn lists_of(&self, issuer: &Name) -> &[Arc<RevocationList>] {
        self.lists.get(issuer).map_or(&[], Vec::as_slice)
    }

    /// OCSP answers that speak of this serial number, whoever issued it.
    pub(crate) fn answers_about(&self, serial: &[u8]) -> &[Arc<OcspAnswer>] {
        self.answers.get(serial).map_or(&[], Vec::as_slice)
    }

    /// The certificate that an address gave when it was asked for an issuer, if it is among the material.
    pub fn answer_of(&self, url: &str) -> Option<&Arc<Certificate>> {
        self.gave
            .get(url)
            .and_then(|fingerprint| self.certificate(fingerprint))
    }

    /// Whether the key was seen to have signed the object before.
    pub(crate) fn is_verified(&self, key: &Digest, object: &Digest) -> bool {
        self.verified.contains(key, object)
    }

    pub(crate) fn remember_verified(&self, key: &Digest, object: &Digest) {
        self.verified.insert(key, object);
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn by_subject(certificates: Vec<Arc<Certificate>>) -> HashMap<Name, Vec<Arc<Certificate>>> {
    let mut index: HashMap<Name, Vec<Arc<Certificate>>> = HashMap::new();
    for certificate in certificates {
        let named = index.entry(certificate.subject().clone()).or_default();
        if !named.contains(&certificate) {
            named.push(certificate);
        }
    }
    index
}

/// Pairs of key and signed object that verified.
#[derive(Default)]
struct Verified {
    shards: [Mutex<HashSet<(Digest, Digest)>>; SHARDS],
}

impl Verified {
    fn shard(&self, object: &Digest) -> &Mutex<HashSet<(Digest, Digest)>> {
        &self.shards[usize::from(object.as_bytes()[0]) % SHARDS]
    }

    fn contains(&self, key: &Digest, object: &Digest) -> bool {
        // A set of pairs is whole after any panic: poison does not matter.
        let shard = self.shard(object).lock().unwrap_or_else(PoisonError::into_inner);
        shard.contains(&(*key, *object))
    }

    fn insert(&self, key: &Digest, object: &Digest) {
        let mut shard = self.shard(object).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= SHARD_ENTRIES_MAX {
            shard.clear();
        }
        shard.insert((*key, *object));
    }
}
