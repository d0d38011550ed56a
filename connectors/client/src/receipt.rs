//! Receipts as they arrive: opened, and checked against the gateway's certificates when those are configured.
//!
//! A document that is submitted again under a new id is answered with the receipt of the first submission, the same
//! bytes: what is signed names the first id, only the message's header names the new one.
//!
//! **Invariant:** with certificates configured, only a receipt signed under one of them answers a submission: the one
//! that stands in the signed content, or one whose packet in the outbox bears the document id and the contents that
//! stand there.

use domain::ids::{CaseId, DocumentId, SubmissionId};
use domain::json::JsonFault;
use domain::packet::{Limits, Packet};
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
    #[error("signed under a certificate that is not among receipts.gateway_certificates: {0}")]
    Signer(Digest),
    /// It says something else than the message that brought it.
    #[error("it answers another submission than its header says")]
    Other,
}

/// What the headers of a receipt say that it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) submission: &'a SubmissionId,
    pub(crate) kind: ReceiptKind,
}

/// How far a receipt bears out its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No certificates are pinned: the headers are believed.
    Unchecked,
    /// Signed for this submission, about this case.
    Signed(CaseId),
    /// Signed for another submission: it answers this one if it is of the same document, see [`is_of_document`].
    Repeat(Box<Receipt>),
}

/// Whether a receipt is of the document that a packet is, id and contents, or (for a status packet) speaks of.
///
/// This is what lets a receipt answer a submission that it does not name. Headers are not signed: without this, whoever
/// can write into the inbox could pass off the acceptance of any document for that of another, or an earlier one of the
/// same id. The packet's digest in the receipt cannot be asked for, since document software builds its packet anew for
/// every attempt; id and contents stay, and the gateway repeats an answer only where sender, id and contents are the same.
pub(crate) fn is_of_document(receipt: &Receipt, packet: &[u8], limits: &Limits) -> bool {
    let id = match Packet::open(packet, limits) {
        Ok(Packet::Document(document)) if receipt.contents != Some(document.contents_digest()) => {
            return false;
        }
        Ok(Packet::Document(document)) => document.document_id,
        Ok(Packet::Status(status)) => status.response_for.document_id,
        // The gateway cannot read it either: it refuses it under its own submission id.
        Err(_) => return false,
    };
    let signed = receipt.document.as_deref().map(DocumentId::parse);
    matches!((signed, DocumentId::parse(&id)), (Some(Ok(signed)), Ok(own)) if signed == own)
}

/// Whether two packets are one document to the same addressees, or one status.
pub(crate) fn is_same(one: &[u8], other: &[u8], limits: &Limits) -> bool {
    match (Packet::open(one, limits), Packet::open(other, limits)) {
        (Ok(Packet::Document(one)), Ok(Packet::Document(other))) => {
            let mut addressees = [one.addressees(), other.addressees()];
            addressees.iter_mut().for_each(|codes| codes.sort_unstable());
            one.document_id == other.document_id
                && one.contents_digest() == other.contents_digest()
                && addressees[0] == addressees[1]
        }
        (Ok(Packet::Status(one)), Ok(Packet::Status(other))) => one == other,
        (Ok(_), Ok(_)) | (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Whether a final receipt speaks of this document and of everybody whom it names.
pub(crate) fn is_answered_by(receipt: &Receipt, packet: &[u8], limits: &Limits) -> bool {
    let is_told = |code: &&str| receipt.addressees.iter().any(|told| told.code == **code);
    let names_them = match Packet::open(packet, limits) {
        Ok(Packet::Document(document)) => document.addressees().iter().all(is_told),
        Ok(Packet::Status(_)) | Err(_) => true,
    };
    let is_rejection = receipt.kind == ReceiptKind::SubmissionRejection;
    is_of_document(receipt, packet, limits) && (names_them || is_rejection)
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

    /// Whether a receipt is what its headers claim. Without pinned certificates they are believed.
    pub(crate) fn confirm(&self, der: &[u8], claim: Claim<'_>, now: Time) -> Result<Standing, ReceiptFault> {
        if !self.is_pinned() {
            return Ok(Standing::Unchecked);
        }
        let receipt = self.open(der, now)?;
        if receipt.kind != claim.kind {
            return Err(ReceiptFault::Other);
        }
        Ok(match &receipt.submission {
            Some(signed) if signed == claim.submission.as_str() => Standing::Signed(receipt.case),
            Some(_) => Standing::Repeat(Box::new(receipt)),
            None => return Err(ReceiptFault::Other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Agency;
    use crate::report::{StatusReport, Subject, status_packet};
    use domain::ids::Code;
    use domain::packet::{DocumentPacket, StatusCode};
    use trust::cms::Content;
    use trust::{Signer, SoftwareKey};

    const NOW: Time = Time::from_seconds(1_795_282_200);
    const DOCUMENT: &str = "000.00.01.H53,2026/11/22,424a/SNV-VP";

    fn case() -> CaseId {
        CaseId::from_bytes([1; 16])
    }

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
            let mut receipt = Receipt::new(kind, code, case(), NOW, Digest::of(b"event"));
            receipt.submission = Some(submission.to_owned());
            receipt.document = Some(DOCUMENT.to_owned());
            receipt.contents = Some(DocumentPacket::default().contents_digest());
            let certificate = Certificate::from_der(&self.der).expect("a certificate");
            let key: &dyn Signer = &self.key;
            cms::sign(Content::Attached(&receipt.encode()), key, &[&certificate], NOW).expect("signed")
        }
    }

    fn submission() -> SubmissionId {
        SubmissionId::parse("s1").expect("an id")
    }

    fn claimed(check: &Check, der: &[u8], kind: ReceiptKind) -> Result<Standing, ReceiptFault> {
        let submission = &submission();
        check.confirm(der, Claim { submission, kind }, NOW)
    }

    #[test]
    fn only_the_pinned_gateway_answers_and_only_what_it_signed() {
        let (gateway, stranger) = (Gateway::new(), Gateway::new());
        let check = Check::new(std::slice::from_ref(&gateway.der)).expect("a check");
        let accepted = ReceiptKind::SubmissionAcceptance;
        let good = gateway.receipt(accepted, "s1");
        assert_eq!(claimed(&check, &good, accepted), Ok(Standing::Signed(case())));
        let foreign = claimed(&check, &stranger.receipt(accepted, "s1"), accepted);
        assert!(matches!(foreign, Err(ReceiptFault::Signer(_))), "{foreign:?}");
        let turned = claimed(&check, &good, ReceiptKind::SubmissionRejection);
        assert_eq!(turned, Err(ReceiptFault::Other));
        let mut unsigned = 0;
        for place in (0..good.len()).step_by(7) {
            let mut bent = good.clone();
            bent[place] ^= 1;
            // Some octets of CMS are not signed (the list of digest algorithms); what they say changes nothing.
            if claimed(&check, &bent, accepted).is_ok() {
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

    fn letter(to: &[&str], content: &[u8]) -> Vec<u8> {
        let organization = |code: &&str| domain::packet::Organization {
            organ_id: (*code).to_owned(),
            ..Default::default()
        };
        let packet = DocumentPacket {
            to: to.iter().map(organization).collect(),
            document_id: DOCUMENT.to_owned(),
            attachments: vec![domain::packet::Attachment {
                content_id: "1".to_owned(),
                name: "a.txt".to_owned(),
                description: None,
                content_type: String::new(),
                content: domain::packet::Content::new(content.to_vec()),
            }],
            ..DocumentPacket::default()
        };
        packet.write().expect("a packet")
    }

    #[test]
    fn a_submission_id_stands_for_one_document_and_its_addressees() {
        let limits = Limits::default();
        let first = letter(&["X1", "X2"], b"text");
        assert!(
            is_same(&first, &letter(&["X2", "X1"], b"text"), &limits),
            "built anew"
        );
        assert!(!is_same(&first, &letter(&["X1", "X2"], b"other"), &limits));
        assert!(!is_same(&first, &letter(&["X1", "X2", "X3"], b"text"), &limits));
        let Ok(Packet::Document(sent)) = Packet::open(&first, &limits) else {
            panic!("a document")
        };
        let code = Code::parse("000.00.00.H53").expect("a code");
        let mut receipt = Receipt::new(
            ReceiptKind::SubmissionAcceptance,
            code,
            case(),
            NOW,
            Digest::of(b"event"),
        );
        receipt.document = Some(DOCUMENT.to_owned());
        receipt.contents = Some(sent.contents_digest());
        receipt.addressees = ["X1", "X2"].map(told).to_vec();
        assert!(is_answered_by(&receipt, &first, &limits));
        assert!(!is_answered_by(&receipt, &letter(&["X3"], b"text"), &limits));
        assert!(!is_answered_by(&receipt, &letter(&["X1"], b"other"), &limits));
    }

    fn told(code: &str) -> domain::receipt::AddresseeResult {
        domain::receipt::AddresseeResult {
            code: code.to_owned(),
            result: "accepted".to_owned(),
        }
    }

    #[test]
    fn a_receipt_of_another_submission_answers_for_the_same_document_only() {
        let gateway = Gateway::new();
        let check = Check::new(std::slice::from_ref(&gateway.der)).expect("a check");
        let accepted = ReceiptKind::SubmissionAcceptance;
        let standing = claimed(&check, &gateway.receipt(accepted, "s0"), accepted);
        let Ok(Standing::Repeat(receipt)) = standing else {
            panic!("{standing:?}")
        };
        let limits = Limits::default();
        let document = |id: &str| {
            let packet = DocumentPacket {
                document_id: id.to_owned(),
                ..DocumentPacket::default()
            };
            Packet::Document(Box::new(packet)).write().expect("a packet")
        };
        assert!(is_of_document(&receipt, &document(DOCUMENT), &limits));
        let other = document("000.00.01.H53,2026/11/22,424b/SNV-VP");
        assert!(!is_of_document(&receipt, &other, &limits));
        assert!(!is_of_document(&receipt, &document(""), &limits));
        assert!(!is_of_document(&receipt, b"not a packet", &limits));
        let of_other_contents = Receipt {
            contents: Some(Digest::of(b"an earlier file under the same id")),
            ..(*receipt).clone()
        };
        assert!(!is_of_document(&of_other_contents, &document(DOCUMENT), &limits));
        let nameless = Receipt {
            document: None,
            ..*receipt
        };
        assert!(!is_of_document(&nameless, &document(DOCUMENT), &limits));
        assert!(!is_of_document(&nameless, &document(""), &limits));
    }

    #[test]
    fn a_status_is_of_the_document_that_it_speaks_of() {
        let gateway = Gateway::new();
        let check = Check::new(&[]).expect("a check");
        let der = gateway.receipt(ReceiptKind::SubmissionAcceptance, "s0");
        let receipt = check.open(&der, NOW).expect("a receipt");
        let agency = Agency {
            code: Code::parse("000.00.02.H53").expect("a code"),
            name: "Sở Tài chính".to_owned(),
            place: String::new(),
            department: None,
        };
        let about = |id: &str| {
            let subject = Subject {
                organ_id: "000.00.01.H53".to_owned(),
                code: "424a/SNV-VP".to_owned(),
                promulgation_date: "2026/11/22".to_owned(),
                document_id: id.to_owned(),
            };
            let report = StatusReport {
                code: StatusCode::Arrived,
                note: None,
                staff: None,
                at: NOW,
            };
            status_packet(&agency, &subject, &report).expect("a status")
        };
        let limits = Limits::default();
        assert!(is_of_document(&receipt, &about(DOCUMENT), &limits));
        assert!(!is_of_document(&receipt, &about("another"), &limits));
    }

    #[test]
    fn without_certificates_a_receipt_is_opened_and_believed() {
        let check = Check::new(&[]).expect("a check");
        let other = claimed(&check, b"nothing", ReceiptKind::SubmissionHeld);
        assert_eq!(other, Ok(Standing::Unchecked));
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
