//! Signatures over the file itself, without signed attributes.

use super::*;
use crate::asn1::{oid, tag, write};
use crate::cms::Signer;
use crate::testing::{Leaf, fill_contents};

/// A SignedData of this leaf over these octets, its content of this type.
fn bare(leaf: &Leaf, covered: &[u8], content_type: &const_oid::ObjectIdentifier) -> Vec<u8> {
    let sequence = |parts: &[&[u8]]| write::constructed(tag::SEQUENCE, parts);
    let certificate = &leaf.certificate;
    let value = leaf.key.sign(covered).expect("a value");
    let algorithm = sequence(&[&write::object_identifier(&oid::DIGEST_SHA256)]);
    let serial = write::element(tag::INTEGER, certificate.serial());
    let signer = sequence(&[
        &[2, 1, 1],
        &sequence(&[certificate.issuer().der(), &serial]),
        &algorithm,
        &sequence(&[&write::object_identifier(&oid::ECDSA_SHA256)]),
        &write::element(tag::OCTET_STRING, &value),
    ]);
    let signed = sequence(&[
        &[2, 1, 1],
        &write::element(tag::SET, &algorithm),
        &sequence(&[&write::object_identifier(content_type)]),
        &write::element(tag::context_constructed(0), certificate.der()),
        &write::element(tag::SET, &signer),
    ]);
    let explicit = write::element(tag::context_constructed(0), &signed);
    sequence(&[&write::object_identifier(&oid::CONTENT_SIGNED_DATA), &explicit])
}

fn signed(world: &World, kind: &str, made: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let mut writer = PdfWriter::update(&once);
    let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 >>";
    writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
    writer.object(7, "<< /FT /Sig /T (S7) /V 8 0 R >>");
    writer.signature = format!("/Type /Sig /Filter /Adobe.PPKLite /SubFilter /{kind}");
    fill_contents(writer.finish_open(8), made)
}

#[test]
fn a_signature_without_attributes_is_intact_and_never_good() {
    let world = World::new();
    let leaf = &world.organisation;
    let judge = |kind: &str, made: &dyn Fn(&[u8]) -> Vec<u8>| {
        let file = signed(&world, kind, made);
        let PdfIntegrity::Signed(results) = integrity(&file, &Policy::default(), now()) else {
            panic!("signed twice");
        };
        (file, results[1].clone())
    };
    let plain = |covered: &[u8]| bare(leaf, covered, &oid::CONTENT_DATA);
    let (file, found) = judge("adbe.pkcs7.detached", &plain);
    assert_eq!(found.as_ref(), Ok(&leaf.certificate));
    let failure = reports(validate(&file, &world.good(), now()))[1].failure.clone();
    assert_eq!(failure, Some(Failure::SignedAttributesAbsent));
    let (_, other) = judge("adbe.pkcs7.detached", &|_| {
        bare(leaf, b"other", &oid::CONTENT_DATA)
    });
    assert_eq!(other, Err(Failure::SignatureWrong));
    let (_, typed) = judge("adbe.pkcs7.detached", &|covered| {
        bare(leaf, covered, &oid::CONTENT_TST_INFO)
    });
    assert_eq!(typed, Err(Failure::ContentType));
    let (_, cades) = judge("ETSI.CAdES.detached", &plain);
    assert_eq!(cades, Err(Failure::SignedAttributesAbsent));
}
