//! What each signer of a SignedData is worth (ETSI EN 319 102-1 §5.3, §5.5).
//!
//! Stands between `verify`, which says that a signature is right, and the report: time-stamps say by when it existed
//! (`proof`), and `existence` whether the signer is to be believed.
//!
//! **Invariant**: a signer is judged only once its signature is right; nothing that comes with it saves one that is not.

use super::attribute::values;
use super::gather::Gathered;
use super::proof::{self, Sources};
use super::structure::{SignedData, SignerInfo};
use super::verify::{Check, Opened, Profile, Signed};
use super::{Circumstances, Digests, Source};
use crate::asn1::oid;
use crate::existence;
use crate::path::{Budget, Usage};
use crate::report::{Failure, Indication, Remark, SealReport};

/// Counter-signatures of one signer that are judged at most.
const COUNTER_SIGNATURES_MAX: usize = 16;

/// One report for each signer, and the content where it lies inside; `detached` is that of a detached signature.
pub(super) fn judge(
    signature: &[u8],
    detached: Option<Source<'_>>,
    profile: Profile,
    circumstances: Circumstances<'_>,
) -> (Vec<SealReport>, Option<Vec<u8>>) {
    let opened = match Opened::read(signature) {
        Ok(opened) => opened,
        Err(failure) => return (vec![SealReport::failed(failure, circumstances.now)], None),
    };
    match read(&opened, profile, circumstances) {
        Err(failure) => (vec![SealReport::failed(failure, circumstances.now)], None),
        Ok((signed, gathered)) => {
            let embedded = [signed.content.unwrap_or_default()];
            let mut digests = Digests::new(detached.unwrap_or(Source::Parts(&embedded)));
            let checks_max = circumstances.snapshot.policy().signature_checks_max;
            let mut work = Work {
                opened: &opened,
                signed: &signed,
                gathered: &gathered,
                circumstances,
                budget: Budget::new(checks_max),
                token_budget: Budget::new(checks_max),
            };
            let signers = signed.signers.iter();
            let mut reports: Vec<SealReport> = signers
                .map(|signer| work.judge(signer, profile, &mut digests))
                .collect();
            for (signer, report) in signed.signers.iter().zip(&mut reports) {
                work.judge_counter_signatures(signer, report);
            }
            (reports, signed.content.map(<[u8]>::to_vec))
        }
    }
}

fn read<'o>(
    opened: &'o Opened<'_>,
    profile: Profile,
    circumstances: Circumstances<'_>,
) -> Result<(SignedData<'o>, Gathered), Failure> {
    let signed = opened.signed_data(profile)?;
    let mut gathered = Gathered::certificates_of(&signed, Some(circumstances.snapshot))?;
    gathered.add_rest(&signed, circumstances.snapshot);
    gathered.add_all(circumstances.beside);
    Ok((signed, gathered))
}

/// The signers of one SignedData, judged one after another.
struct Work<'a> {
    opened: &'a Opened<'a>,
    signed: &'a SignedData<'a>,
    gathered: &'a Gathered,
    circumstances: Circumstances<'a>,
    /// What all signers together may still cost.
    budget: Budget,
    /// The same for their time-stamps: those of one signer must not starve the next.
    token_budget: Budget,
}

impl Work<'_> {
    fn judge(&mut self, signer: &SignerInfo<'_>, profile: Profile, digests: &mut Digests<'_>) -> SealReport {
        let mut report = SealReport::failed(Failure::SignerAbsent, self.circumstances.now);
        if self.opened.is_padded {
            report.remarks.push(Remark::PaddingIgnored);
        }
        let mut check = Check {
            opened: self.opened,
            signed: self.signed,
            certificates: &self.gathered.certificates,
            profile,
            snapshot: Some(self.circumstances.snapshot),
            budget: &mut self.budget,
        };
        let failure = match check.signer(signer, digests, &mut report) {
            Err(failure) => Some(failure),
            Ok(signed) => self.judge_signer((signer, &signed), digests, &mut report),
        };
        report.indication = match &failure {
            None => Indication::TotalPassed,
            Some(failure) => failure.indication(report.signer.as_deref()),
        };
        report.failure = failure;
        report
    }

    /// Judges who signed the signature value after this signer (RFC 5652 §11.4). It changes nothing about the signer, and
    /// comes last, so that it starves nobody; counter-signatures of counter-signatures are not read.
    fn judge_counter_signatures(&mut self, signer: &SignerInfo<'_>, report: &mut SealReport) {
        let value = [signer.value];
        let counters = values(signer.unsigned_attributes)
            .into_iter()
            .filter(|(oid, _)| *oid == oid::ATTRIBUTE_COUNTER_SIGNATURE.as_bytes());
        for (_, counter) in counters.take(COUNTER_SIGNATURES_MAX) {
            let judged = match SignerInfo::read(counter.reader()) {
                Err(fault) => SealReport::failed(Failure::Structure(fault), self.circumstances.now),
                Ok(counter) => self.judge(
                    &counter,
                    Profile::CounterSignature,
                    &mut Digests::new(Source::Parts(&value)),
                ),
            };
            report.counter_signatures.push(judged);
        }
        if report
            .counter_signatures
            .iter()
            .any(|counter| !counter.is_passed())
        {
            report.remarks.push(Remark::CounterSignatureInvalid);
        }
    }

    /// Judges a signer whose signature is right.
    fn judge_signer(
        &mut self,
        (signer, signed): (&SignerInfo<'_>, &Signed),
        digests: &mut Digests<'_>,
        report: &mut SealReport,
    ) -> Option<Failure> {
        let sources = Sources {
            opened: self.opened,
            signed: self.signed,
            signer,
            made_with: signed,
            gathered: self.gathered,
            circumstances: self.circumstances,
        };
        let proofs = proof::find(&sources, digests, &mut self.token_budget);
        let question = self.circumstances.question(Usage::Document, self.gathered);
        let policy = question.snapshot.policy();
        let signer = existence::Signer {
            certificate: &signed.certificate,
            check_policy: &|at| signed.check_policy(policy, at),
        };
        proofs.judge(signer, question, report, &mut self.budget)
    }
}
