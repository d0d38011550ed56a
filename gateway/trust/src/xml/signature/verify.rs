//! What each signature of a document is worth.
//!
//! The order: structure, signature value, what it covers, the certificate that was bound, policy, path. The value comes
//! before the references (XML Signature 1.1 §3.2 leaves that open), so that nothing is canonicalised for the sake of a
//! SignedInfo that nobody signed.

use std::sync::Arc;

use super::fault::Fault;
use super::key::{KeyInfo, ecdsa_value};
use super::properties::Properties;
use super::reference::{Covered, Document};
use super::structure::Signature;
use super::time_stamp::{self, TimeStamps};
use super::{Dialect, Intact, XmlSeal, find};
use crate::algorithm::{KeyKind, PublicKey, SignatureAlgorithm, SignatureFault};
use crate::cms::Circumstances;
use crate::digest::Digest;
use crate::existence;
use crate::path::{Budget, Usage};
use crate::policy::Policy;
use crate::report::{Failure, Indication, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;
use crate::xml::{Element, Tree};

/// Signatures of one document.
const SIGNATURES_MAX: usize = 16;

/// The signatures of a document and what is known of it; `Err`: what keeps all of them from being judged.
type Prepared<'t, 's> = (Vec<Element<'t, 's>>, Result<Document<'t, 's>, Fault>);

fn prepare<'t, 's>(tree: &'t Tree<'s>, dialect: Dialect) -> Prepared<'t, 's> {
    let mut signatures: Vec<_> = find(tree, dialect).take(SIGNATURES_MAX + 1).collect();
    let document = if signatures.len() > SIGNATURES_MAX {
        signatures.truncate(SIGNATURES_MAX);
        Err(Fault::TooMany("signatures"))
    } else {
        Document::of(tree)
    };
    (signatures, document)
}

pub(super) fn integrity<'t, 's>(
    tree: &'t Tree<'s>,
    dialect: Dialect,
    key: Option<&PublicKey>,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Intact<'t, 's>, Failure>> {
    let (signatures, document) = prepare(tree, dialect);
    let mut document = match document {
        Ok(document) => document,
        Err(fault) => return signatures.iter().map(|_| Err(fault.clone().into())).collect(),
    };
    let mut check = Check {
        document: &mut document,
        snapshot: None,
        key,
        budget: Budget::new(policy.signature_checks_max),
        token_budget: Budget::new(0),
    };
    let judge = |element| {
        let mut report = SealReport::failed(Failure::SignerAbsent, now);
        let checked = check.signature(element, &mut report)?;
        checked.check_policy(policy, now)?;
        Ok(Intact {
            signature: element,
            algorithm: checked.signature.algorithm,
            certificate: checked.certificate,
            covered: checked.covered,
        })
    };
    signatures.into_iter().map(judge).collect()
}

pub(super) fn seals<'t, 's>(
    tree: &'t Tree<'s>,
    dialect: Dialect,
    snapshot: &Snapshot,
    now: Time,
) -> Vec<XmlSeal<'t, 's>> {
    let (signatures, document) = prepare(tree, dialect);
    let mut document = match document {
        Ok(document) => document,
        Err(fault) => {
            let failed = |signature| XmlSeal {
                signature,
                report: SealReport::failed(fault.clone().into(), now),
                covered: Vec::new(),
            };
            return signatures.into_iter().map(failed).collect();
        }
    };
    let checks_max = snapshot.policy().signature_checks_max;
    let mut check = Check {
        document: &mut document,
        snapshot: Some(snapshot),
        key: None,
        budget: Budget::new(checks_max),
        token_budget: Budget::new(checks_max),
    };
    let judge = |signature| {
        let mut report = SealReport::failed(Failure::SignerAbsent, now);
        let covered = match check.seal(signature, &mut report, (snapshot, now)) {
            Ok(covered) => covered,
            Err(failure) => {
                report.indication = failure.indication(report.signer.as_deref());
                report.failure = Some(failure);
                Vec::new()
            }
        };
        XmlSeal {
            signature,
            report,
            covered,
        }
    };
    signatures.into_iter().map(judge).collect()
}

/// The check of the signatures of one document.
struct Check<'a, 't, 's> {
    document: &'a mut Document<'t, 's>,
    /// Where certificates may be that the signature only names; `None`: only integrity is asked for.
    snapshot: Option<&'a Snapshot>,
    /// The key to verify with where the signature brings none.
    key: Option<&'a PublicKey>,
    /// What all signatures together may still cost.
    budget: Budget,
    /// The same for their time-stamps: those of one must not starve the next.
    token_budget: Budget,
}

/// A signature whose value and digests are right.
struct Checked<'t, 's> {
    signature: Signature<'t, 's>,
    properties: Properties<'t, 's>,
    key_kind: KeyKind,
    certificate: Option<Arc<Certificate>>,
    /// Those of KeyInfo.
    embedded: Vec<Arc<Certificate>>,
    covered: Vec<Covered<'t, 's>>,
}

impl Checked<'_, '_> {
    /// The signature's own algorithms under the policy; those of the path are the matter of `path`.
    fn check_policy(&self, policy: &Policy, at: Time) -> Result<(), Failure> {
        let (algorithm, key) = (self.signature.algorithm, self.key_kind);
        if !policy.algorithms.permits(algorithm, key, at) {
            return Err(Failure::AlgorithmRefused {
                algorithm,
                key,
                certificate: None,
            });
        }
        let mut digests = self.signature.references.iter().map(|one| one.digest_algorithm);
        match digests.find(|digest| !policy.algorithms.permits_digest(*digest, at)) {
            Some(refused) => Err(Failure::DigestRefused(refused)),
            None => Ok(()),
        }
    }
}

impl<'t, 's> Check<'_, 't, 's> {
    /// Everything about one signature, its path and its time-stamps included; what is found is put into the report.
    fn seal(
        &mut self,
        signature: Element<'t, 's>,
        report: &mut SealReport,
        (snapshot, now): (&Snapshot, Time),
    ) -> Result<Vec<Covered<'t, 's>>, Failure> {
        let checked = self.signature(signature, report)?;
        let certificate = checked
            .certificate
            .as_ref()
            .ok_or(Failure::SignerCertificateAbsent)?;
        let gathered = time_stamp::gather(&checked.embedded, &checked.properties);
        let circumstances = Circumstances {
            beside: &gathered,
            ..Circumstances::new(snapshot, now)
        };
        let stamps = TimeStamps {
            document: &mut *self.document,
            signature: &checked.signature,
            circumstances,
            budget: &mut self.token_budget,
        };
        let proofs = stamps.proofs(&checked.properties, certificate);
        let signer = existence::Signer {
            certificate,
            check_policy: &|at| checked.check_policy(snapshot.policy(), at),
        };
        let question = circumstances.question(Usage::Document, &gathered);
        if let Some(failure) = proofs.judge(signer, question, report, &mut self.budget) {
            return Err(failure);
        }
        report.indication = Indication::TotalPassed;
        report.failure = None;
        Ok(checked.covered)
    }

    /// Structure, value, digests and the bound certificate of one signature.
    fn signature(
        &mut self,
        element: Element<'t, 's>,
        report: &mut SealReport,
    ) -> Result<Checked<'t, 's>, Failure> {
        let signature = Signature::read(element)?;
        let info = KeyInfo::read(signature.key_info, self.snapshot)?;
        let properties = Properties::read(&signature)?;
        report.algorithm = Some(signature.algorithm);
        let candidates = info.candidates(self.snapshot);
        if let [only] = &candidates[..] {
            report.signer = Some(Arc::clone(only));
        }
        let octets = self
            .document
            .canonical(signature.signed_info, &signature.canonicalisation)?;
        let (key_kind, of_key) = self.verify_value(&signature, &octets, &info, &candidates)?;
        let references = signature.references.iter();
        let covered = references
            .map(|reference| self.document.check(reference, element))
            .collect::<Result<Vec<_>, _>>()?;
        properties.check_covered(&covered)?;
        let certificate = match &of_key[..] {
            // Only integrity was asked for, and the key stands for itself.
            [] if !properties.binds_certificate() => None,
            of_key => Some(properties.choose(of_key, signature.namespace)?),
        };
        report.signer.clone_from(&certificate);
        properties.note(report);
        if self.snapshot.is_some() {
            properties.check_policy()?;
        }
        Ok(Checked {
            signature,
            properties,
            key_kind,
            certificate,
            embedded: info.certificates,
            covered,
        })
    }

    /// Verifies the value under the key of each candidate, until it is right; otherwise, where there is no candidate and
    /// only integrity is asked for, under the bare key of the signature, or the one that was given. The kind of the key,
    /// and the candidates that hold it.
    fn verify_value(
        &mut self,
        signature: &Signature<'_, '_>,
        octets: &[u8],
        info: &KeyInfo,
        candidates: &[Arc<Certificate>],
    ) -> Result<(KeyKind, Vec<Arc<Certificate>>), Failure> {
        let mut failure = Failure::SignerCertificateAbsent;
        let mut tried: Vec<Digest> = Vec::new();
        for candidate in candidates {
            if tried.contains(&candidate.key_digest()) {
                continue;
            }
            tried.push(candidate.key_digest());
            match self.verify_under(candidate.key(), signature, octets) {
                Ok(()) => {
                    let same_key = |one: &&Arc<Certificate>| one.key_digest() == candidate.key_digest();
                    let of_key = candidates.iter().filter(same_key).map(Arc::clone).collect();
                    return Ok((candidate.key_kind(), of_key));
                }
                Err(Failure::BudgetSpent) => return Err(Failure::BudgetSpent),
                // That the value is wrong tells more than that another key cannot have made it.
                Err(other) if failure != Failure::SignatureWrong => failure = other,
                Err(_) => {}
            }
        }
        let may_be_bare = candidates.is_empty() && self.snapshot.is_none();
        if may_be_bare && let Some(key) = info.key.as_ref().or(self.key) {
            self.verify_under(key, signature, octets)?;
            return Ok((key.kind(), Vec::new()));
        }
        Err(failure)
    }

    fn verify_under(
        &mut self,
        key: &PublicKey,
        signature: &Signature<'_, '_>,
        octets: &[u8],
    ) -> Result<(), Failure> {
        let failure = |fault| match fault {
            SignatureFault::Wrong => Failure::SignatureWrong,
            SignatureFault::Unsupported => Failure::SignatureAlgorithmUnknown { certificate: None },
        };
        let sequence;
        let value = match signature.algorithm {
            SignatureAlgorithm::Ecdsa(_) => {
                sequence = ecdsa_value(&signature.value, key.kind()).map_err(failure)?;
                &sequence
            }
            SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_) | SignatureAlgorithm::Ed25519 => {
                &signature.value
            }
        };
        // Each key digests it anew.
        if !self.budget.spend_for(octets.len()) {
            return Err(Failure::BudgetSpent);
        }
        key.verify(signature.algorithm, octets, value).map_err(failure)
    }
}
