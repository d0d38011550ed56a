//! No word is missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use trust::crl::RevocationReason;
use trust::report::SignedAttribute;
use trust::tsp::TokenFault;
use trust::x509::Constraint;
use trust::xml::signature::{Fault, Unsupported};
use trust::{Asn1Fault, Certificate, DigestAlgorithm, PdfFault, SignatureAlgorithm, Time};

use super::*;

fn certificate() -> Arc<Certificate> {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["nguoi-ky.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    Arc::new(Certificate::from_der(certificate.der()).expect("a certificate of rcgen"))
}

/// One of every kind; those about a certificate are about this one.
fn of_certificate(certificate: &Arc<Certificate>) -> Vec<Failure> {
    let certificate = || Arc::clone(certificate);
    let at = Time::from_seconds(1_795_282_200);
    let unmet = |constraint| Failure::ConstraintUnmet {
        certificate: certificate(),
        constraint,
    };
    vec![
        Failure::AlgorithmRefused {
            algorithm: SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha1),
            key: trust::algorithm::KeyKind::Rsa(1024),
            certificate: Some(certificate()),
        },
        Failure::SignatureAlgorithmUnknown {
            certificate: Some(certificate()),
        },
        Failure::NoPath {
            certificate: certificate(),
        },
        Failure::IssuerUnknown {
            certificate: certificate(),
        },
        Failure::Expired {
            certificate: certificate(),
        },
        Failure::NotYetValid {
            certificate: certificate(),
        },
        Failure::NotAuthority {
            certificate: certificate(),
        },
        Failure::PathTooLong {
            certificate: certificate(),
        },
        Failure::KeyUsage {
            certificate: certificate(),
        },
        Failure::KeyPurpose {
            certificate: certificate(),
        },
        unmet(Constraint::NameConstraints),
        unmet(Constraint::Policies),
        unmet(Constraint::UnknownCritical),
        Failure::Revoked {
            certificate: certificate(),
            at,
            reason: RevocationReason::KeyCompromise,
        },
        Failure::OnHold {
            certificate: certificate(),
            at,
        },
        Failure::RevocationUnknown {
            certificate: certificate(),
        },
    ]
}

fn of_signature() -> Vec<Failure> {
    vec![
        Failure::Structure(Asn1Fault::Truncated),
        Failure::TrailingOctets,
        Failure::SignerAbsent,
        Failure::SignerRepeated,
        Failure::TooLarge,
        Failure::ContentMisplaced,
        Failure::ContentType,
        Failure::SignedAttributesAbsent,
        Failure::AttributeAbsent(SignedAttribute::MessageDigest),
        Failure::AttributeRepeated(SignedAttribute::SigningTime),
        Failure::AttributeMalformed(SignedAttribute::ContentType),
        Failure::DigestAlgorithmUnknown,
        Failure::SignatureAlgorithmUnknown { certificate: None },
        Failure::AlgorithmsDisagree,
        Failure::AlgorithmsReplaced,
        Failure::SignaturePolicyUnknown,
        Failure::DigestMismatch,
        Failure::SignatureWrong,
        Failure::SignerCertificateAbsent,
        Failure::SignerCertificateAmbiguous,
        Failure::SigningCertificateMismatch,
        Failure::SigningCertificateAbsent,
        Failure::PropertiesUnsigned,
        Failure::DigestRefused(DigestAlgorithm::Sha1),
        Failure::BudgetSpent,
        Failure::TimeStampMalformed(TokenFault::Time),
        Failure::TimeStampImprint,
        Failure::TimeStampFuture,
        Failure::TimeStampAuthority,
        Failure::TimeStampOrder,
    ]
}

fn of_xml() -> Vec<Failure> {
    let name = || "x".to_owned();
    let faults = [
        Fault::ElementAbsent("x"),
        Fault::ElementUnexpected(name()),
        Fault::AttributeAbsent("x"),
        Fault::Content(name()),
        Fault::Base64(name()),
        Fault::IdRepeated(name()),
        Fault::TargetAbsent(name()),
        Fault::NothingSigned,
        Fault::TooMany("x"),
        Fault::TooLarge,
    ];
    let beyond = [
        Unsupported::SignatureMethod(name()),
        Unsupported::DigestMethod(name()),
        Unsupported::CanonicalizationMethod(name()),
        Unsupported::Transform(name()),
        Unsupported::TransformOrder,
        Unsupported::Parameters("x"),
        Unsupported::UriAbsent,
        Unsupported::Outside(name()),
        Unsupported::XPointer(name()),
        Unsupported::BaseOutside,
        Unsupported::PropertiesElsewhere,
    ];
    let faults = faults.into_iter().map(Failure::from);
    faults.chain(beyond.into_iter().map(Failure::from)).collect()
}

fn of_pdf() -> Vec<PdfFault> {
    let (offset, number) = (7, 7);
    vec![
        PdfFault::Header,
        PdfFault::StartXref,
        PdfFault::Xref { offset },
        PdfFault::HybridXref,
        PdfFault::Encrypted,
        PdfFault::TrailingOctets { offset },
        PdfFault::Syntax { offset },
        PdfFault::DuplicateKey { offset },
        PdfFault::Object { number },
        PdfFault::Filter,
        PdfFault::TooDeep,
        PdfFault::TooLarge,
        PdfFault::Catalog,
        PdfFault::Form,
        PdfFault::Xfa,
        PdfFault::SignatureDictionary,
        PdfFault::SubFilter,
        PdfFault::Contents,
        PdfFault::ByteRange,
        PdfFault::SignatureRepeated,
        PdfFault::StraySignature,
        PdfFault::UnsignedRevision,
        PdfFault::Changed { number },
        PdfFault::Overlaid { number },
        PdfFault::Unaccounted { offset },
        PdfFault::Restricted,
        PdfFault::Certification,
        PdfFault::ValidationMaterial,
    ]
}

#[test]
fn every_failure_has_words_of_its_own_with_all_their_values() {
    let failures = [of_certificate(&certificate()), of_signature(), of_xml()].concat();
    let told = failures.iter().map(failure);
    let told: Vec<Told> = told.chain(of_pdf().into_iter().map(pdf_fault)).collect();
    for (text, said) in &told {
        assert_eq!(said.missing(), Vec::<&str>::new(), "{text:?}");
        let [vi, en] = said.languages();
        assert!(!vi.contains('{') && vi != en, "{text:?}: {vi} / {en}");
    }
    let met: BTreeSet<String> = told.iter().map(|(text, _)| code(text)).collect();
    let all: BTreeSet<String> = FailureText::ALL.iter().map(code).collect();
    assert_eq!(met, all, "every text is of one failure at least");
    assert_eq!(met.len(), told.len(), "no two failures share a text");
}

#[test]
fn what_can_be_mended_has_advice() {
    // What is missing is told with its addresses instead.
    let silent = ["revocationUnknown", "issuerUnknown"];
    for one in [of_certificate(&certificate()), of_signature(), of_xml()].concat() {
        let name = code(failure(&one).0);
        assert_eq!(advice(&one).is_none(), silent.contains(&&*name), "{name}");
    }
}

#[test]
fn every_sub_indication_and_remark_has_words() {
    let subs = SubIndication::ALL;
    let met: BTreeSet<String> = subs.iter().map(|one| code(sub_indication(*one))).collect();
    assert_eq!(met.len(), SubText::ALL.len());
    for one in subs {
        // The standard's name and that of the text are one name.
        let joined = code(sub_indication(one)).to_uppercase();
        assert_eq!(one.name().replace('_', ""), joined);
        let [vi, en] = indication(Indication::Indeterminate(one)).languages();
        assert!(vi.contains(one.name()) && en.contains(one.name()), "{vi} / {en}");
    }
    let remarks = [
        Remark::TimeStampIgnored,
        Remark::TimeStampInvalid,
        Remark::SigningTimeContradicted,
        Remark::CounterSignatureInvalid,
        Remark::SigningCertificateAbsent,
        Remark::PaddingIgnored,
        Remark::ShownOverSigned,
        Remark::AttributesReordered,
    ];
    let met: BTreeSet<String> = remarks.iter().map(|one| code(remark(*one))).collect();
    assert_eq!(met.len(), RemarkText::ALL.len());
}
