//! Document time-stamps.

use super::*;
use crate::algorithm::DigestAlgorithm;
use crate::asn1::{oid, tag, write};
use crate::cms::Signer;
use crate::testing::stamp::Stamp;
use crate::testing::{Leaf, fill_contents};

/// A token of this leaf over the digest of these octets.
fn token(leaf: &Leaf, covered: &[u8], content_type: &const_oid::ObjectIdentifier) -> Vec<u8> {
    let sequence = |parts: &[&[u8]]| write::constructed(tag::SEQUENCE, parts);
    let octets = |octets: &[u8]| write::element(tag::OCTET_STRING, octets);
    let digest = |octets: &[u8]| DigestAlgorithm::Sha256.digest(&[octets]);
    let algorithm = sequence(&[&write::object_identifier(&oid::DIGEST_SHA256)]);
    let imprint = sequence(&[&algorithm, &octets(digest(covered).as_ref())]);
    let policy = write::object_identifier(&oid::DIGEST_SHA256);
    let information = sequence(&[&[2, 1, 1], &policy, &imprint, &[2, 1, 9], &write::time(now())]);
    let content_type = write::object_identifier(content_type);
    let attribute =
        |kind, value: &[u8]| sequence(&[&write::object_identifier(kind), &write::element(tag::SET, value)]);
    let attributes = vec![
        attribute(&oid::ATTRIBUTE_CONTENT_TYPE, &content_type),
        attribute(
            &oid::ATTRIBUTE_MESSAGE_DIGEST,
            &octets(digest(&information).as_ref()),
        ),
    ];
    let value = leaf
        .key
        .sign(&write::set_of(tag::SET, attributes.clone()))
        .expect("a value");
    let certificate = &leaf.certificate;
    let serial = write::element(tag::INTEGER, certificate.serial());
    let signer = sequence(&[
        &[2, 1, 1],
        &sequence(&[certificate.issuer().der(), &serial]),
        &algorithm,
        &write::set_of(tag::context_constructed(0), attributes),
        &sequence(&[&write::object_identifier(&oid::ECDSA_SHA256)]),
        &octets(&value),
    ]);
    let content = write::element(tag::context_constructed(0), &octets(&information));
    let signed = sequence(&[
        &[2, 1, 3],
        &write::element(tag::SET, &algorithm),
        &sequence(&[&content_type, &content]),
        &write::element(tag::context_constructed(0), certificate.der()),
        &write::element(tag::SET, &signer),
    ]);
    let explicit = write::element(tag::context_constructed(0), &signed);
    sequence(&[&write::object_identifier(&oid::CONTENT_SIGNED_DATA), &explicit])
}

const STAMP: &str = "/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161";

/// The file with a document time-stamp in the new field 7 beside `fields`, whose value is made of what it covers.
fn stamped(
    file: &[u8],
    fields: &str,
    (kind, rectangle): (&str, &str),
    made: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    let form = format!("<< /Fields [{fields} 7 0 R] /SigFlags 3 >>");
    writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
    writer.object(3, format!("<< {page} /Annots [{fields} 7 0 R] >>"));
    let widget = format!("/Type /Annot /Subtype /Widget /Rect {rectangle} /F 132 /P 3 0 R");
    writer.object(7, format!("<< /FT /Sig /T (Stamp) {widget} /V 8 0 R >>"));
    writer.signature = kind.to_owned();
    fill_contents(writer.finish_open(8), made)
}

fn results(file: &[u8]) -> Vec<Result<Arc<Certificate>, Failure>> {
    match integrity(file, &Policy::default(), now()) {
        PdfIntegrity::Signed(results) => results,
        PdfIntegrity::Unsigned => panic!("unsigned"),
        PdfIntegrity::Refused(fault) => panic!("refused: {fault}"),
    }
}

#[test]
fn a_document_time_stamp_is_over_its_revision() {
    let world = World::new();
    let stamp = &world.organisation;
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let make = |covered: &[u8]| token(stamp, covered, &oid::CONTENT_TST_INFO);
    let file = stamped(&once, "5 0 R", (STAMP, "[0 0 0 0]"), make);
    assert_eq!(results(&file)[1].as_ref(), Ok(&stamp.certificate));
    let reports = reports(validate(&file, &world.good(), now()));
    assert_eq!(reports.len(), 1, "a time-stamp is nobody's signature");
    assert!(reports[0].is_passed());
    let coverage = reports[0].coverage.as_ref().expect("coverage");
    assert_eq!(coverage.later, [LaterChange::DocumentTimeStamp]);
    let material = validation_material(&file, &Policy::default()).expect("material");
    let [exposed] = &material.time_stamps[..] else {
        panic!("one time-stamp");
    };
    assert_eq!((exposed.revision, exposed.covered[1].end), (3, file.len()));
    let parts = exposed.covered.clone().map(|range| &file[range]);
    let policy = Policy::default();
    assert!(
        time_stamp::integrity(
            &exposed.token,
            &|algorithm| algorithm.digest(&parts),
            &policy,
            now()
        )
        .is_ok()
    );

    let wrong = |made: &dyn Fn(&[u8]) -> Vec<u8>| {
        results(&stamped(&once, "5 0 R", (STAMP, "[0 0 0 0]"), made))[1].clone()
    };
    let other = wrong(&|_| token(stamp, b"other", &oid::CONTENT_TST_INFO));
    assert_eq!(other, Err(Failure::DigestMismatch));
    let data = wrong(&|covered| token(stamp, covered, &oid::CONTENT_DATA));
    assert_eq!(data, Err(Failure::ContentType));
    let seal = wrong(&|covered| stamp.sign(covered));
    assert!(seal.is_err(), "a signature is no time-stamp");
}

#[test]
fn a_time_stamp_alone_is_no_signature() {
    let world = World::new();
    let make = |covered: &[u8]| token(&world.organisation, covered, &oid::CONTENT_TST_INFO);
    let file = stamped(&PdfWriter::page(), "", (STAMP, "[0 0 0 0]"), make);
    assert!(matches!(
        validate(&file, &world.good(), now()),
        PdfReport::Unsigned
    ));
    assert!(results(&file)[0].is_ok());
}

#[test]
fn a_time_stamp_shows_nothing_and_says_what_it_is() {
    let world = World::new();
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let make = |covered: &[u8]| token(&world.organisation, covered, &oid::CONTENT_TST_INFO);
    let judge = |kind: &str, rectangle: &str| fault(&stamped(&once, "5 0 R", (kind, rectangle), make));
    assert_eq!(judge(STAMP, "[0 0 0 0]"), None);
    assert_eq!(judge(STAMP, "[0 0 9 9]"), Some(PdfFault::Overlaid { number: 7 }));
    let sub_filter = Some(PdfFault::SubFilter);
    assert_eq!(
        judge(&STAMP.replace("/DocTimeStamp", "/Sig"), "[0 0 0 0]"),
        sub_filter
    );
    assert_eq!(
        judge("/Type /DocTimeStamp /SubFilter /adbe.pkcs7.detached", "[0 0 0 0]"),
        sub_filter
    );
    assert_eq!(judge("/SubFilter /ETSI.RFC3161", "[0 0 0 0]"), sub_filter);
}

#[test]
fn a_document_time_stamp_proves_by_when_the_signatures_before_it_existed() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let with = |time: &str, over: Option<&[u8]>| {
        stamped(&once, "5 0 R", (STAMP, "[0 0 0 0]"), |covered| {
            Stamp::over(over.unwrap_or(covered), time).sign(&authority)
        })
    };
    // The person is revoked since the first of May.
    let revoked = world
        .issuing
        .list(&[(100, rcgen::RevocationReason::CessationOfOperation)]);
    let snapshot = world.snapshot(vec![world.root.list(&[]), revoked]);
    let judge = |file: &[u8]| reports(validate(file, &snapshot, now())).remove(0);
    let before = judge(&with("20260420080000Z", None));
    assert_eq!(before.failure, None);
    assert_eq!(before.time_stamps.len(), 1);
    let after = judge(&with("20260520080000Z", None));
    let of_others = judge(&with("20260420080000Z", Some(b"other octets")));
    for report in [after, of_others, judge(&once)] {
        assert!(
            matches!(report.failure, Some(Failure::Revoked { .. })),
            "{:?}",
            report.failure
        );
    }
}
