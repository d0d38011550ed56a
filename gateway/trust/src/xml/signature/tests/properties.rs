//! XAdES: the bound certificate, and what is only claimed.

use super::*;
use crate::Time;
use crate::asn1::write;
use crate::report::{Remark, SignedAttribute};
use crate::testing::as_is;

const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const OF_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";

/// A draft with these signed properties, covered; `more` stands behind SignedProperties.
pub(super) fn draft<'a>(signer: &'a Leaf, properties: &str, more: &str) -> Draft<'a> {
    let of_properties =
        reference("#p", &[C14N]).replace("<Reference", &format!(r#"<Reference Type="{OF_PROPERTIES}""#));
    let mut draft = Draft::new(signer, reference("", &[ENVELOPED]) + &of_properties);
    draft.attributes += r#" Id="s""#;
    draft.objects = format!(
        r##"<Object><x:QualifyingProperties xmlns:x="{XADES}" Target="#s"><x:SignedProperties Id="p"><x:SignedSignatureProperties>{properties}</x:SignedSignatureProperties></x:SignedProperties>{more}</x:QualifyingProperties></Object>"##
    );
    draft
}

pub(super) fn bound(signer: &Leaf, serial: Option<&str>) -> String {
    let digest = STANDARD.encode(signer.certificate.fingerprint().as_bytes());
    let serial = serial.map(|serial| {
        format!("<x:IssuerSerial><X509IssuerName>CN=?</X509IssuerName><X509SerialNumber>{serial}</X509SerialNumber></x:IssuerSerial>")
    });
    format!(
        r#"<x:SigningCertificate><x:Cert><x:CertDigest><DigestMethod Algorithm="{SHA256}"/><DigestValue>{digest}</DigestValue></x:CertDigest>{}</x:Cert></x:SigningCertificate>"#,
        serial.unwrap_or_default()
    )
}

fn bound_v2(signer: &Leaf, of: &Leaf) -> String {
    let issuer = write::element(0xA4, of.certificate.issuer().der());
    let serial = write::element(2, of.certificate.serial());
    let pair = write::constructed(0x30, &[&write::element(0x30, &issuer), &serial]);
    bound(signer, None)
        .replace("SigningCertificate", "SigningCertificateV2")
        .replace(
            "</x:Cert>",
            &format!(
                "<x:IssuerSerialV2>{}</x:IssuerSerialV2></x:Cert>",
                STANDARD.encode(pair)
            ),
        )
}

#[test]
fn the_bound_certificate_is_the_signers() {
    let world = World::new();
    let (signer, other) = (&world.organisation, &world.person);
    let sign = |properties: &str| draft(signer, properties, "").sign("<a>{}</a>");
    for good in [
        String::new(),
        bound(signer, None),
        bound(signer, Some("101")),
        bound_v2(signer, signer),
        bound(signer, None) + &bound_v2(signer, signer),
        // Any of those that are listed, and one of an algorithm that is not known names nothing.
        bound(signer, None).replace("<x:Cert>", &(cert_of(other) + "<x:Cert>")),
    ] {
        assert!(check(&sign(&good))[0].is_ok(), "{good}");
    }
    for bad in [
        bound(other, None),
        bound(signer, Some("102")),
        bound_v2(other, other),
        bound_v2(signer, &world.issuing.leaf("Third", 5, as_is)),
        bound(signer, None) + &bound_v2(other, other),
        bound(signer, None).replace(SHA256, "http://www.w3.org/2001/04/xmldsig-more#md5"),
    ] {
        assert_eq!(failure(&sign(&bad)), Failure::SigningCertificateMismatch, "{bad}");
    }
    let malformed = bound(signer, None).replace("<DigestMethod", "<Other");
    assert_eq!(
        failure(&sign(&malformed)),
        Failure::AttributeMalformed(SignedAttribute::SigningCertificate)
    );
    assert_eq!(
        failure(&sign(&(bound(signer, None) + &bound(signer, None)))),
        Failure::XmlSignature(Fault::ElementUnexpected("SigningCertificate".to_owned()))
    );
}

/// A Cert of another certificate.
fn cert_of(leaf: &Leaf) -> String {
    let whole = bound(leaf, None);
    let whole = whole.trim_start_matches("<x:SigningCertificate>");
    whole.trim_end_matches("</x:SigningCertificate>").to_owned()
}

#[test]
fn the_bound_one_of_two_certificates_of_one_key_is_the_signers() {
    let world = World::new();
    let (one, other) = (
        world.issuing.rsa_leaf("One", 7),
        world.issuing.rsa_leaf("Other", 8),
    );
    let mut draft = draft(&one, &bound(&other, None), "");
    draft.key_info = Some(format!(
        "<KeyInfo><X509Data>{}{}</X509Data></KeyInfo>",
        certificate(&one),
        certificate(&other)
    ));
    let text = draft.sign("<a>{}</a>");
    let tree = tree(&text);
    let results = integrity(&tree, Dialect::Standard, None, &Policy::default(), now());
    let intact = results[0].as_ref().expect("it passes");
    assert_eq!(intact.certificate(), Some(&other.certificate));
}

#[test]
fn properties_that_are_not_covered_fail_the_signature() {
    let world = World::new();
    let signer = &world.organisation;
    let whole = draft(signer, &bound(signer, None), "");
    let uncovered = Draft {
        references: reference("", &[ENVELOPED]),
        ..whole.clone()
    };
    assert!(check(&whole.sign("<a>{}</a>"))[0].is_ok());
    assert_eq!(failure(&uncovered.sign("<a>{}</a>")), Failure::PropertiesUnsigned);
    // Those that are covered stand elsewhere.
    let elsewhere = Draft {
        objects: whole.objects.replace(r#"Id="p""#, ""),
        ..whole.clone()
    };
    let text = elsewhere.sign("<a><b Id='p'/>{}</a>");
    assert_eq!(failure(&text), Failure::PropertiesUnsigned);
    for target in ["#t", "s", ""] {
        let of_another = Draft {
            objects: whole.objects.replace("#s", target),
            ..whole.clone()
        };
        assert_eq!(
            failure(&of_another.sign("<a>{}</a>")),
            Failure::PropertiesUnsigned
        );
    }
    let twice = Draft {
        objects: whole.objects.clone() + &whole.objects.replace(r#"Id="p""#, ""),
        ..whole.clone()
    };
    let repeated = Fault::ElementUnexpected("QualifyingProperties".to_owned());
    assert_eq!(failure(&twice.sign("<a>{}</a>")), Failure::XmlSignature(repeated));
    let far = Draft {
        objects: format!(r#"<Object><x:QualifyingPropertiesReference xmlns:x="{XADES}" URI="x"/></Object>"#),
        ..uncovered
    };
    let elsewhere = Failure::XmlUnsupported(Unsupported::PropertiesElsewhere);
    assert_eq!(failure(&far.sign("<a>{}</a>")), elsewhere);
}

#[test]
fn claims_and_what_was_not_looked_at_are_reported() {
    let world = World::new();
    let signer = &world.organisation;
    let report = |properties: &str, more: &str| {
        let text = draft(signer, properties, more).sign("<a>{}</a>");
        let tree = tree(&text);
        validate(&tree, Dialect::Standard, &world.good(), now())[0]
            .report()
            .clone()
    };
    let time = "<x:SigningTime>2026-06-15T15:00:00+07:00</x:SigningTime>";
    let passed = report(&(time.to_owned() + &bound(signer, None)), "");
    assert!(passed.is_passed());
    assert_eq!(passed.claimed_signing_time, Some(now()));
    assert!(passed.remarks.is_empty());
    let more = "<x:UnsignedProperties><x:UnsignedSignatureProperties><x:SignatureTimeStamp/><x:CounterSignature/></x:UnsignedSignatureProperties></x:UnsignedProperties>";
    let noted = report(&time.replace("+07:00", ""), more);
    assert!(noted.is_passed());
    assert_eq!(noted.claimed_signing_time, None::<Time>);
    let remarks = [Remark::SigningCertificateAbsent, Remark::TimeStampInvalid];
    assert_eq!(noted.remarks, remarks);
    let policy =
        |inside: &str| format!("<x:SignaturePolicyIdentifier>{inside}</x:SignaturePolicyIdentifier>");
    assert!(report(&policy("<x:SignaturePolicyImplied/>"), "").is_passed());
    let named = report(&policy("<x:SignaturePolicyId/>"), "");
    assert_eq!(named.failure, Some(Failure::SignaturePolicyUnknown));
}
