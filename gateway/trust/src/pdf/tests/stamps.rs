//! Document time-stamps.

use super::*;
use crate::asn1::oid;
use crate::report::Need;
use crate::testing::stamp::{Parts, Stamp, stamps};
use crate::testing::{Authority, IsCritical, Leaf, SIGNATURE, as_is, fill_contents};
use crate::{RevocationList, Snapshot};

/// A token of this leaf over the digest of these octets, which calls itself of this type.
fn token(leaf: &Leaf, covered: &[u8], content_type: const_oid::ObjectIdentifier) -> Vec<u8> {
    let information = Stamp::over(covered, "20260615080000Z").info();
    let mut parts = Parts::sign(leaf, content_type, &information, &[]);
    parts.content = Some(information);
    parts.encode()
}

pub(super) const STAMP: &str = "/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161";

/// The file with a document time-stamp in the new field 7 beside `fields`, whose value is made of what it covers.
fn stamped(file: &[u8], fields: &str, form: (&str, &str), made: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    stamped_in(PdfWriter::update(file), (7, fields), form, "", made)
}

/// The same in the new field `number` of an update that was begun, with `more` in the catalog.
pub(super) fn stamped_in(
    mut writer: PdfWriter,
    (number, fields): (u32, &str),
    (kind, rectangle): (&str, &str),
    more: &str,
    made: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let value = number + 1;
    let form = format!("<< /Fields [{fields} {number} 0 R] /SigFlags 3 >>");
    writer.object(
        1,
        format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} {more} >>"),
    );
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
    writer.object(3, format!("<< {page} /Annots [{fields} {number} 0 R] >>"));
    let widget = format!("/Type /Annot /Subtype /Widget /Rect {rectangle} /F 132 /P 3 0 R");
    let name = format!("Stamp{number}");
    writer.object(
        number,
        format!("<< /FT /Sig /T ({name}) {widget} /V {value} 0 R >>"),
    );
    writer.signature = kind.to_owned();
    fill_contents(writer.finish_open(value), made)
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
    let make = |covered: &[u8]| token(stamp, covered, oid::CONTENT_TST_INFO);
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
    let other = wrong(&|_| token(stamp, b"other", oid::CONTENT_TST_INFO));
    assert_eq!(other, Err(Failure::DigestMismatch));
    let data = wrong(&|covered| token(stamp, covered, oid::CONTENT_DATA));
    assert_eq!(data, Err(Failure::ContentType));
    let seal = wrong(&|covered| stamp.sign(covered));
    assert!(seal.is_err(), "a signature is no time-stamp");
}

#[test]
fn a_time_stamp_alone_is_no_signature() {
    let world = World::new();
    let make = |covered: &[u8]| token(&world.organisation, covered, oid::CONTENT_TST_INFO);
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
    let make = |covered: &[u8]| token(&world.organisation, covered, oid::CONTENT_TST_INFO);
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

/// A root with the ordinary issuer, and an issuer of time-stamp authorities whose list is to be fetched.
struct Waiting {
    world: World,
    timing: Authority,
    authority: Leaf,
}

impl Waiting {
    fn new() -> Self {
        let world = World::new();
        let timing = world.root.authority("Timing", 3, as_is);
        let authority = timing.time_stamper(200);
        Self {
            world,
            timing,
            authority,
        }
    }

    /// The person is revoked since the first of May.
    fn snapshot(&self, more: &[Arc<RevocationList>]) -> Snapshot {
        let revoked = [(100, rcgen::RevocationReason::CessationOfOperation)];
        let lists = vec![self.world.root.list(&[]), self.world.issuing.list(&revoked)];
        let candidates = vec![
            Arc::clone(&self.world.issuing.certificate),
            Arc::clone(&self.timing.certificate),
        ];
        let anchors = vec![Arc::clone(&self.world.root.certificate)];
        Snapshot::new(anchors, candidates, [&lists, more].concat(), Policy::default(), 1)
    }
}

#[test]
fn a_signature_waits_for_a_document_time_stamp_that_would_save_it() {
    let waiting = Waiting::new();
    let once = sign_pdf(&PdfWriter::page(), &waiting.world.person, 5, &[]);
    let with = |time: &str, over: Option<&[u8]>| {
        stamped(&once, "5 0 R", (STAMP, "[0 0 0 0]"), |covered| {
            Stamp::over(over.unwrap_or(covered), time).sign(&waiting.authority)
        })
    };
    let judge = |file: &[u8], more: &[Arc<RevocationList>]| {
        reports(validate(file, &waiting.snapshot(more), now())).remove(0)
    };
    let early = with("20260420080000Z", None);
    let report = judge(&early, &[]);
    assert!(report.is_try_later(), "{:?}", report.failure);
    assert_eq!(report.best_signature_time, now(), "nothing is proven yet");
    let [Need::Crl { issuers, .. }] = &report.needs[..] else {
        panic!("one list: {:?}", report.needs);
    };
    assert_eq!(issuers[0], waiting.timing.certificate);
    // What is fetched settles it, either way.
    assert!(judge(&early, &[waiting.timing.list(&[])]).is_passed());
    let revoked = [(200, rcgen::RevocationReason::KeyCompromise)];
    let refused = judge(&early, &[waiting.timing.list(&revoked)]);
    assert!(matches!(refused.failure, Some(Failure::Revoked { .. })));
    assert!(refused.needs.is_empty());
    // None waits that could not be saved: stamped too late, over something else, or changed.
    let late = judge(&with("20260520080000Z", None), &[]);
    let of_others = judge(&with("20260420080000Z", Some(b"other octets")), &[]);
    for report in [late, of_others] {
        assert!(matches!(report.failure, Some(Failure::Revoked { .. })));
        assert!(report.needs.is_empty());
    }
    let at = memchr::memmem::find(&early, b"(A)").expect("the page") + 1;
    let mut changed = early;
    changed[at] = b'B';
    let report = judge(&changed, &[]);
    assert_eq!(report.failure, Some(Failure::DigestMismatch));
    assert!(report.needs.is_empty());
}

#[test]
fn a_signature_waits_for_a_time_stamp_that_keeps_an_ended_one_alive() {
    let waiting = Waiting::new();
    let ended = waiting.world.issuing.changed_leaf("Ended", 201, &|params| {
        stamps(params, &[&oid::PURPOSE_TIME_STAMPING], IsCritical::Yes);
        params.not_after = rcgen::date_time_ymd(2026, 5, 31);
    });
    // Of April by an authority that has ended since; then one of this time, which waits.
    let once = sign_pdf(&PdfWriter::page(), &waiting.world.person, 5, &[]);
    let inner = stamped(&once, "5 0 R", (STAMP, "[0 0 0 0]"), |covered| {
        Stamp::over(covered, "20260420080000Z").sign(&ended)
    });
    let with = |time: &str| {
        let form = (STAMP, "[0 0 0 0]");
        stamped_in(
            PdfWriter::update(&inner),
            (9, "5 0 R 7 0 R"),
            form,
            "",
            |covered| Stamp::over(covered, time).sign(&waiting.authority),
        )
    };
    let of_may = waiting.world.issuing.list_of(&[], (5, 21), (5, 31));
    let judge = |file: &[u8], more: &[Arc<RevocationList>]| {
        let lists = [&[Arc::clone(&of_may)], more].concat();
        reports(validate(file, &waiting.snapshot(&lists), now())).remove(0)
    };
    let outer = with("20260520080000Z");
    let report = judge(&outer, &[]);
    assert!(report.is_try_later(), "{:?}", report.failure);
    assert_eq!(report.needs.len(), 1);
    let report = judge(&outer, &[waiting.timing.list(&[])]);
    assert_eq!(report.failure, None);
    assert_eq!(report.best_signature_time.to_string(), "2026-04-20T08:00:00Z");
    // After the inner one had ended, or alleged to be older than it.
    for time in ["20260602080000Z", "20260410080000Z"] {
        let report = judge(&with(time), &[]);
        let waits = time == "20260410080000Z";
        assert_eq!(report.is_try_later(), waits, "{time}: {:?}", report.failure);
    }
    assert!(!judge(&inner, &[]).is_try_later());
    // The same where the ended one is in the signature itself.
    let sealed = stamped_in(
        PdfWriter::update(&PdfWriter::page()),
        (5, ""),
        (SIGNATURE, "[0 0 0 0]"),
        "",
        |covered| {
            let parts = Parts::of_data(&waiting.world.person, covered, &[]);
            let token = Stamp::over(&parts.value, "20260420080000Z").sign(&ended);
            parts.stamped(&token).encode()
        },
    );
    let outer = stamped(&sealed, "5 0 R", (STAMP, "[0 0 0 0]"), |covered| {
        Stamp::over(covered, "20260520080000Z").sign(&waiting.authority)
    });
    assert!(judge(&outer, &[]).is_try_later());
    assert_eq!(judge(&outer, &[waiting.timing.list(&[])]).failure, None);
    let refused = judge(&sealed, &[]);
    assert!(matches!(refused.failure, Some(Failure::Revoked { .. })));
    assert!(refused.needs.is_empty());
}

#[test]
fn a_document_time_stamp_proves_the_certificates_that_a_signature_holds() {
    let waiting = Waiting::new();
    let signer = &waiting.world.organisation;
    let sealed = |change: &dyn Fn(&mut Parts)| {
        let once = stamped_in(
            PdfWriter::update(&PdfWriter::page()),
            (5, ""),
            (SIGNATURE, "[0 0 0 0]"),
            "",
            |covered| {
                // No certificate is bound.
                let mut parts = Parts::sign(signer, oid::CONTENT_DATA, covered, &[]);
                change(&mut parts);
                parts.encode()
            },
        );
        stamped(&once, "5 0 R", (STAMP, "[0 0 0 0]"), |covered| {
            Stamp::over(covered, "20260420080000Z").sign(&waiting.authority)
        })
    };
    let revoked = [(101, rcgen::RevocationReason::CessationOfOperation)];
    let lists = |more: &[Arc<RevocationList>]| {
        let lists = [waiting.world.root.list(&[]), waiting.world.issuing.list(&revoked)];
        [&lists, more].concat()
    };
    let judge = |file: &[u8], more: &[Arc<RevocationList>]| {
        // The certificate of the signer is known here, whether or not it came along.
        let candidates = [
            &waiting.world.issuing.certificate,
            &waiting.timing.certificate,
            &signer.certificate,
        ];
        let anchors = vec![Arc::clone(&waiting.world.root.certificate)];
        let candidates = candidates.map(Arc::clone).to_vec();
        let snapshot = Snapshot::new(anchors, candidates, lists(more), Policy::default(), 1);
        reports(validate(file, &snapshot, now())).remove(0)
    };
    let holding = sealed(&|_| {});
    assert!(judge(&holding, &[]).is_try_later());
    let report = judge(&holding, &[waiting.timing.list(&[])]);
    assert_eq!(report.failure, None);
    assert_eq!(report.best_signature_time.to_string(), "2026-04-20T08:00:00Z");
    let bare = sealed(&|parts| parts.certificates.clear());
    for more in [vec![], vec![waiting.timing.list(&[])]] {
        let report = judge(&bare, &more);
        assert!(matches!(report.failure, Some(Failure::Revoked { .. })));
        assert_eq!(report.best_signature_time, now());
        assert!(report.needs.is_empty());
    }
}
