//! Failures of signatures and certificates in words.

use std::fmt::Display;

use domain::receipt::vietnam_time;
use trust::report::SignedAttribute;
use trust::x509::Constraint;
use trust::xml::signature::{Fault, Unsupported};
use trust::{Certificate, Failure};

use super::{Told, reason};
use crate::command::text::{FailureText as Text, Said};
use crate::command::verify::view::key_name;

/// The text of the same name for failures that have nothing to tell but themselves, or the certificate they are about;
/// further arms for the others. Every variant is listed, or it does not compile.
macro_rules! told {
    ($failure:expr; bare $($bare:ident)*; about $($about:ident)*; $($others:tt)*) => {
        match $failure {
            $(Failure::$bare => (Text::$bare, Text::$bare.said()),)*
            $(Failure::$about { certificate } => about(Text::$about, certificate),)*
            $($others)*
        }
    };
}

/// What failed, in words: the text and what it says.
pub(in crate::command::verify) fn failure(failure: &Failure) -> Told {
    let with = |text: Text, name, value: &dyn Display| (text, text.said().with(name, value));
    told! { failure;
        bare TrailingOctets SignerAbsent SignerRepeated TooLarge ContentMisplaced ContentType SignedAttributesAbsent
            DigestAlgorithmUnknown AlgorithmsDisagree AlgorithmsReplaced
            SignaturePolicyUnknown DigestMismatch SignatureWrong SignerCertificateAbsent SignerCertificateAmbiguous
            SigningCertificateMismatch SigningCertificateAbsent PropertiesUnsigned BudgetSpent TimeStampImprint
            TimeStampFuture TimeStampAuthority TimeStampOrder;
        about NoPath IssuerUnknown NotAuthority PathTooLong KeyUsage KeyPurpose RevocationUnknown;
        Failure::Structure(fault) => with(Text::Structure, "detail", fault),
        Failure::AttributeAbsent(one) => attribute(Text::AttributeAbsent, *one),
        Failure::AttributeRepeated(one) => attribute(Text::AttributeRepeated, *one),
        Failure::AttributeMalformed(one) => attribute(Text::AttributeMalformed, *one),
        Failure::XmlSignature(fault) => xml(fault),
        Failure::XmlUnsupported(unsupported) => xml_beyond(unsupported),
        Failure::DigestRefused(algorithm) => with(Text::DigestRefused, "algorithm", algorithm),
        Failure::TimeStampMalformed(fault) => with(Text::TimeStampMalformed, "detail", fault),
        Failure::SignatureAlgorithmUnknown { certificate: None } => {
            (Text::SignatureAlgorithmUnknown, Text::SignatureAlgorithmUnknown.said())
        }
        Failure::SignatureAlgorithmUnknown { certificate: Some(one) } => {
            about(Text::CertificateAlgorithmUnknown, one)
        }
        Failure::AlgorithmRefused { algorithm, key, certificate } => {
            let of = certificate.as_ref();
            let of = of.map_or_else(|| "-".to_owned(), |one| one.subject().to_string());
            let (text, said) = with(Text::AlgorithmRefused, "algorithm", algorithm);
            (text, said.with("key", key_name(*key)).with("certificate", of))
        }
        Failure::Expired { certificate } => {
            let (text, said) = about(Text::Expired, certificate);
            (text, said.with("until", vietnam_time(certificate.not_after())))
        }
        Failure::NotYetValid { certificate } => {
            let (text, said) = about(Text::NotYetValid, certificate);
            (text, said.with("from", vietnam_time(certificate.not_before())))
        }
        Failure::ConstraintUnmet { certificate, constraint } => about(unmet(*constraint), certificate),
        Failure::Revoked { certificate, at, reason: why } => {
            let (text, said) = about(Text::Revoked, certificate);
            (text, said.with("at", vietnam_time(*at)).about("reason", &reason(*why).said()))
        }
        Failure::OnHold { certificate, at } => {
            let (text, said) = about(Text::OnHold, certificate);
            (text, said.with("at", vietnam_time(*at)))
        }
    }
}

fn about(text: Text, certificate: &Certificate) -> Told {
    (text, text.said().with("certificate", certificate.subject()))
}

fn unmet(constraint: Constraint) -> Text {
    match constraint {
        Constraint::NameConstraints => Text::NameConstraints,
        Constraint::Policies => Text::Policies,
        Constraint::UnknownCritical => Text::UnknownCritical,
    }
}

/// The standard's names are the same in both languages.
fn attribute(text: Text, attribute: SignedAttribute) -> Told {
    let name = match attribute {
        SignedAttribute::ContentType => "content-type",
        SignedAttribute::MessageDigest => "message-digest",
        SignedAttribute::SigningTime => "signing-time",
        SignedAttribute::SigningCertificate => "signing-certificate",
        SignedAttribute::SigningCertificateV2 => "signing-certificate-v2",
        SignedAttribute::AlgorithmProtection => "CMSAlgorithmProtection",
        SignedAttribute::SignaturePolicy => "signature-policy-identifier",
    };
    (text, text.said().with("attribute", name))
}

fn named(text: Text, name: &str) -> (Text, Said) {
    (text, text.said().with("name", name))
}

fn xml(fault: &Fault) -> Told {
    match fault {
        Fault::ElementAbsent(name) => named(Text::XmlElementAbsent, name),
        Fault::ElementUnexpected(name) => named(Text::XmlElementUnexpected, name),
        Fault::AttributeAbsent(name) => named(Text::XmlAttributeAbsent, name),
        Fault::Content(name) => named(Text::XmlContent, name),
        Fault::Base64(name) => named(Text::XmlBase64, name),
        Fault::IdRepeated(name) => named(Text::XmlIdRepeated, name),
        Fault::TargetAbsent(name) => named(Text::XmlTargetAbsent, name),
        Fault::NothingSigned => (Text::XmlNothingSigned, Text::XmlNothingSigned.said()),
        Fault::TooMany(name) => named(Text::XmlTooMany, name),
        Fault::TooLarge => (Text::XmlTooLarge, Text::XmlTooLarge.said()),
    }
}

fn xml_beyond(unsupported: &Unsupported) -> Told {
    let bare = |text: Text| (text, text.said());
    match unsupported {
        Unsupported::SignatureMethod(name) => named(Text::XmlSignatureMethod, name),
        Unsupported::DigestMethod(name) => named(Text::XmlDigestMethod, name),
        Unsupported::CanonicalizationMethod(name) => named(Text::XmlCanonicalizationMethod, name),
        Unsupported::Transform(name) => named(Text::XmlTransform, name),
        Unsupported::TransformOrder => bare(Text::XmlTransformOrder),
        Unsupported::Parameters(name) => named(Text::XmlParameters, name),
        Unsupported::UriAbsent => bare(Text::XmlUriAbsent),
        Unsupported::Outside(name) => named(Text::XmlOutside, name),
        Unsupported::XPointer(name) => named(Text::XmlXPointer, name),
        Unsupported::BaseOutside => bare(Text::XmlBaseOutside),
        Unsupported::PropertiesElsewhere => bare(Text::XmlPropertiesElsewhere),
    }
}
