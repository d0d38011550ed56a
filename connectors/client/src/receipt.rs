//! Receipts as they arrive: opened, and checked against the gateway's certificates when those are configured.
//!
//! **Invariant:** with certificates configured, only a receipt signed under one of them answers a submission, and only
//! the one that stands in the signed content.

use domain::ids::SubmissionId;
use domain::json::JsonFault;
use domain::receipt::{Receipt, ReceiptKind};
use trust::{Certificate, Digest, Policy, Snapshot, Time, cms};

/// Why a receipt cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// No CMS, or without content.
    #[error("not a signed receipt")]
    Unreadable,
    /// The content is no receipt of a version that this build knows.
    #[error("its content is no receipt: {0}")]
    Content(JsonFault),
    /// The signature does not hold.
    #[error("its signature does not hold")]
    Signature,
    /// Signed under another certificate than those configured.
    #[error("signed under a certificate that is not configured: {0}")]
    Signer(Digest),
    /// It says something else than the message that brought it.
    #[error("it answers another submission than its header says")]
    Other,
}

/// The gateway's certificates, by fingerprint.
#[derive(Debug)]
pub struct Check {
    fingerprints: Vec<Digest>,
    policy: Policy,
    /// Trusts nobody: a receipt is checked against pinned certificates, not along a path.
    nobody: Snapshot,
}

impl Check {
    /// Pins certificates by their DER. None: receipts are opened without a check.
    ///
    /// # Errors
    /// [`ReceiptFault::Unreadable`]: one is no certificate.
    pub fn new(certificates: &[Vec<u8>]) -> Result<Check, ReceiptFault> {
        let fingerprint = |der: &Vec<u8>| {
            Certificate::from_der(der)
                .map(|certificate| certificate.fingerprint())
                .map_err(|_| ReceiptFault::Unreadable)
        };
        let fingerprints = certificates.iter().map(fingerprint).collect::<Result<_, _>>()?;
        let policy = Policy::default();
        let nobody = Snapshot::new(Vec::new(), Vec::new(), Vec::new(), policy.clone(), 0);
        Ok(Check {
            fingerprints,
            policy,
            nobody,
        })
    }

    /// Whether certificates are pinned.
    pub fn is_pinned(&self) -> bool {
        !self.fingerprints.is_empty()
    }

    /// Opens a receipt, and checks it when certificates are pinned.
    ///
    /// # Errors
    /// [`ReceiptFault`].
    pub fn open(&self, der: &[u8], now: Time) -> Result<Receipt, ReceiptFault> {
        if self.is_pinned() {
            for signer in cms::integrity(der, None, &self.policy, now) {
                let signer = signer.map_err(|_| ReceiptFault::Signature)?.fingerprint();
                if !self.fingerprints.contains(&signer) {
                    return Err(ReceiptFault::Signer(signer));
                }
            }
        }
        let (_, content) = cms::validate_attached(der, &self.nobody, now);
        Receipt::decode(&content.ok_or(ReceiptFault::Unreadable)?).map_err(ReceiptFault::Content)
    }

    /// Whether a receipt answers this submission in this way. Without pinned certificates its header is believed.
    pub(crate) fn confirm(
        &self,
        der: &[u8],
        submission: &SubmissionId,
        kind: ReceiptKind,
        now: Time,
    ) -> Result<(), ReceiptFault> {
        if !self.is_pinned() {
            return Ok(());
        }
        let receipt = self.open(der, now)?;
        if receipt.kind != kind || receipt.submission.as_deref() != Some(submission.as_str()) {
            return Err(ReceiptFault::Other);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{CaseId, Code};
    use trust::cms::Content;
    use trust::{Signer, SoftwareKey};

    const NOW: Time = Time::from_seconds(1_795_282_200);

    struct Gateway {
        key: SoftwareKey,
        der: Vec<u8>,
    }

    impl Gateway {
        fn new() -> Gateway {
            let pair = rcgen::KeyPair::generate().expect("a key");
            let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
            parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(2030, 1, 1);
            let der = parameters
                .self_signed(&pair)
                .expect("a certificate")
                .der()
                .to_vec();
            Gateway {
                key: SoftwareKey::from_pkcs8(&pair.serialize_der()).expect("a key"),
                der,
            }
        }

        fn receipt(&self, kind: ReceiptKind, submission: &str) -> Vec<u8> {
            let code = Code::parse("000.00.00.H53").expect("a code");
            let mut receipt =
                Receipt::new(kind, code, CaseId::from_bytes([1; 16]), NOW, Digest::of(b"event"));
            receipt.submission = Some(submission.to_owned());
            let certificate = Certificate::from_der(&self.der).expect("a certificate");
            let key: &dyn Signer = &self.key;
            cms::sign(Content::Attached(&receipt.encode()), key, &[&certificate], NOW).expect("signed")
        }
    }

    fn submission() -> SubmissionId {
        SubmissionId::parse("s1").expect("an id")
    }

    #[test]
    fn only_the_pinned_gateway_answers_and_only_what_it_signed() {
        let (gateway, stranger) = (Gateway::new(), Gateway::new());
        let check = Check::new(std::slice::from_ref(&gateway.der)).expect("a check");
        let accepted = ReceiptKind::SubmissionAcceptance;
        let good = gateway.receipt(accepted, "s1");
        assert_eq!(check.confirm(&good, &submission(), accepted, NOW), Ok(()));
        let foreign = check.confirm(&stranger.receipt(accepted, "s1"), &submission(), accepted, NOW);
        assert!(matches!(foreign, Err(ReceiptFault::Signer(_))), "{foreign:?}");
        let other = check.confirm(&gateway.receipt(accepted, "s2"), &submission(), accepted, NOW);
        assert_eq!(other, Err(ReceiptFault::Other));
        let turned = check.confirm(&good, &submission(), ReceiptKind::SubmissionRejection, NOW);
        assert_eq!(turned, Err(ReceiptFault::Other));
        let mut unsigned = 0;
        for place in (0..good.len()).step_by(7) {
            let mut bent = good.clone();
            bent[place] ^= 1;
            // Some octets of CMS are not signed (the list of digest algorithms); what they say changes nothing.
            if check.confirm(&bent, &submission(), accepted, NOW).is_ok() {
                assert_eq!(
                    check.open(&bent, NOW),
                    check.open(&good, NOW),
                    "bit of byte {place}"
                );
                unsigned += 1;
            }
        }
        assert!(unsigned < 5, "{unsigned} of {} octets tried", good.len() / 7);
    }

    #[test]
    fn without_certificates_a_receipt_is_opened_and_believed() {
        let check = Check::new(&[]).expect("a check");
        let der = Gateway::new().receipt(ReceiptKind::SubmissionRejection, "s1");
        let receipt = check.open(&der, NOW).expect("a receipt");
        assert_eq!(receipt.kind, ReceiptKind::SubmissionRejection);
        assert_eq!(check.open(b"nothing", NOW), Err(ReceiptFault::Unreadable));
        assert_eq!(
            Check::new(&[b"nothing".to_vec()]).err(),
            Some(ReceiptFault::Unreadable)
        );
    }
}
