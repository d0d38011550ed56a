//! Packets of the QCVN dialect: the namespace of the packet for everything.

use super::*;

const NAMESPACE: &str = "http://www.mic.gov.vn/TBT/QCVN_102_2016";

/// A packet with this in its header.
fn packet(inside: &str) -> String {
    format!(
        r#"<edXML xmlns="{NAMESPACE}"><e:edXMLEnvelope xmlns:e="{NAMESPACE}"><e:edXMLHeader><e:Subject>1</e:Subject>{inside}</e:edXMLHeader></e:edXMLEnvelope><AttachmentEncoded/></edXML>"#
    )
}

fn status(text: &str, world: &World) -> &'static str {
    let tree = tree(text);
    let status = of_packet(&tree, &world.good(), now());
    assert!(!status.is_try_later());
    match status {
        PacketSignature::Absent => "absent",
        PacketSignature::Placeholder => "placeholder",
        PacketSignature::Valid(_) => "valid",
        PacketSignature::Invalid(_) => "invalid",
    }
}

#[test]
fn a_signature_in_the_namespace_of_the_packet_counts() {
    let world = World::new();
    for attributes in [
        "",
        r#" xmlns="http://www.w3.org/2000/09/xmldsig#""#,
        r#" xmlns="""#,
    ] {
        let draft = Draft {
            attributes: attributes.to_owned(),
            ..Draft::enveloped(&world.organisation)
        };
        let text = draft.sign(&packet("{}"));
        assert_eq!(status(&text, &world), "valid", "{attributes}");
        assert_eq!(status(&text.replace(">1<", ">2<"), &world), "invalid");
        let standard = integrity(&tree(&text), Dialect::Standard, None, &Policy::default(), now()).len();
        assert_eq!(standard, usize::from(attributes.contains("xmldsig")));
    }
    // Its elements are all in one namespace.
    let text = Draft::enveloped(&world.organisation).sign(&packet("{}"));
    let mixed = text.replacen(
        "<SignatureValue>",
        &format!(r#"<SignatureValue xmlns="{NAMESPACE}">"#),
        1,
    );
    assert_eq!(
        failure(&mixed),
        Failure::XmlSignature(Fault::ElementAbsent("SignatureValue"))
    );
    let other = text.replacen("http://www.w3.org/2000/09/xmldsig#\"", "urn:other\"", 1);
    assert_eq!(status(&other, &world), "absent");
}

#[test]
fn what_holds_nothing_is_absent_or_a_placeholder() {
    let world = World::new();
    assert_eq!(status(&packet(""), &world), "absent");
    assert_eq!(
        status(&packet("<DigitalSignature>1</DigitalSignature>"), &world),
        "absent"
    );
    for inside in [
        "<Signature/>",
        "<Signature><SignedInfo/><KeyInfo> </KeyInfo></Signature>",
        "<e:DigitalSignature/>",
        "<Signature><SignatureValue>AAAA</SignatureValue><KeyInfo><X509Data><X509SubjectName>CN=user</X509SubjectName><X509Certificate>MIIFqTCCBJG</X509Certificate></X509Data></KeyInfo></Signature>",
    ] {
        assert_eq!(status(&packet(inside), &world), "placeholder", "{inside}");
    }
    for inside in [
        "<Signature>text</Signature>",
        "<Signature><SignatureValue>AAAA</SignatureValue></Signature>",
        "<Signature><X509Certificate>MIIF</X509Certificate><KeyValue/></Signature>",
        "<Signature><X509Certificate>MIIF</X509Certificate><X509SKI/></Signature>",
    ] {
        assert_eq!(status(&packet(inside), &world), "invalid", "{inside}");
    }
}

#[test]
fn a_signature_over_a_part_does_not_make_a_packet_valid() {
    let world = World::new();
    let part = Draft::new(&world.organisation, reference("#i", &[])).sign(&packet("<b Id='i'/>{}|"));
    assert_eq!(status(&part.replace('|', ""), &world), "invalid");
    let whole = Draft::enveloped(&world.person).sign(&part.replace('|', "{}"));
    assert_eq!(status(&whole, &world), "valid");
    assert_eq!(status(&whole.replace(">1<", ">2<"), &world), "invalid");
    // A dummy beside it is a signature that does not pass.
    let dummy = Draft::enveloped(&world.person).sign(&packet("<Signature><SignedInfo/></Signature>{}"));
    assert_eq!(status(&dummy, &world), "invalid");
    let root = Draft::new(&world.person, reference("#r", &[ENVELOPED]));
    let text = root.sign(&packet("{}").replacen("<edXML ", "<edXML Id='r' ", 1));
    assert_eq!(status(&text, &world), "valid");
}

#[test]
fn what_waits_for_an_answer_is_not_now() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign(&packet("{}"));
    let tree = tree(&text);
    let status = of_packet(&tree, &world.snapshot(vec![]), now());
    assert!(matches!(status, PacketSignature::Invalid(_)));
    assert!(status.is_try_later());
    assert!(of_packet(&tree, &world.good(), now()).seals()[0].covers_document());
}
