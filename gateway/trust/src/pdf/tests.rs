//! Files signed and judged; every change after a signature is noticed.

use proptest::prelude::*;

use super::*;
use crate::report::{Indication, SubIndication};
use crate::testing::{PdfWriter, World, now, sign_pdf, sign_pdf_at, sign_pdf_raw, sign_pdf_with};

mod archived;
mod attacks;
mod bare;
mod containers;
mod costs;
mod forms;
mod later;
mod looks;
mod parts;
mod permissions;
mod repair;
mod roles;
mod seals;
mod stamps;

fn reports(report: PdfReport) -> Vec<SealReport> {
    match report {
        PdfReport::Signed(reports) => reports,
        PdfReport::Unsigned => panic!("unsigned"),
        PdfReport::Refused(fault) => panic!("refused: {fault}"),
    }
}

fn fault(file: &[u8]) -> Option<PdfFault> {
    match integrity(file, &Policy::default(), now()) {
        PdfIntegrity::Refused(fault) => Some(fault),
        PdfIntegrity::Unsigned | PdfIntegrity::Signed(_) => None,
    }
}

#[test]
fn a_file_signed_by_person_and_organisation_passes() {
    let world = World::new();
    let file = world.signed_twice();
    let reports = reports(validate(&file, &world.good(), now()));
    assert_eq!(reports.len(), 2);
    for (report, leaf) in reports.iter().zip([&world.person, &world.organisation]) {
        assert_eq!(report.indication, Indication::TotalPassed, "{:?}", report.failure);
        assert_eq!(report.signer.as_deref(), Some(&*leaf.certificate));
        assert_eq!(report.chain.len(), 3);
    }
    let coverage = |index: usize| reports[index].coverage.clone().expect("coverage");
    assert_eq!(coverage(0).later, [LaterChange::Signature]);
    assert_eq!((coverage(0).revision, coverage(0).revisions), (2, 3));
    assert!(!coverage(0).is_whole());
    assert_eq!(coverage(1).ranges[1].end, file.len());
    assert!(coverage(1).is_whole() && coverage(1).later.is_empty());
}

#[test]
fn a_file_without_signature_is_unsigned() {
    let world = World::new();
    assert!(matches!(
        validate(&PdfWriter::page(), &world.good(), now()),
        PdfReport::Unsigned
    ));
}

#[test]
fn a_revoked_signer_fails_alone() {
    let world = World::new();
    let list = world
        .issuing
        .list(&[(101, rcgen::RevocationReason::KeyCompromise)]);
    let snapshot = world.snapshot(vec![world.root.list(&[]), list]);
    let reports = reports(validate(&world.signed_twice(), &snapshot, now()));
    assert_eq!(reports[0].indication, Indication::TotalPassed);
    assert_eq!(
        reports[1].indication,
        Indication::Indeterminate(SubIndication::RevokedNoPoe)
    );
}

#[test]
fn every_covered_octet_counts() {
    let world = World::new();
    let snapshot = world.good();
    let file = sign_pdf(&PdfWriter::page(), &world.organisation, 5, &[]);
    let covered = reports(validate(&file, &snapshot, now()))[0]
        .coverage
        .clone()
        .expect("coverage")
        .ranges;
    for at in covered[0].clone().chain(covered[1].clone()) {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        let is_passed = match validate(&damaged, &snapshot, now()) {
            PdfReport::Signed(reports) => reports.iter().all(SealReport::is_passed),
            PdfReport::Refused(_) => false,
            // Damage that hides the form leaves no signature to believe.
            PdfReport::Unsigned => panic!("octet {at} was changed and the file counts as unsigned"),
        };
        assert!(!is_passed, "octet {at} was changed and the file passed");
    }
}

#[test]
fn a_change_without_a_signature_is_refused() {
    let world = World::new();
    let file = world.signed_twice();
    let mut update = PdfWriter::update(&file);
    update.object(4, "<< /Length 12 >>\nstream\nBT (B) Tj ET\nendstream");
    assert_eq!(fault(&update.finish(9)), Some(PdfFault::Changed { number: 4 }));
    let nothing = PdfWriter::update(&file).finish(9);
    assert_eq!(fault(&nothing), Some(PdfFault::UnsignedRevision));
}

#[test]
fn a_change_that_comes_with_a_signature_is_refused() {
    let world = World::new();
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let cases: [(&str, u32, &str); 5] = [
        ("content", 4, "<< /Length 12 >>\nstream\nBT (B) Tj ET\nendstream"),
        ("page tree", 2, "<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>"),
        (
            "signed field",
            5,
            "<< /FT /Sig /T (S5) /Type /Annot /Subtype /Widget /Rect [0 0 90 90] /V 6 0 R >>",
        ),
        ("signature dictionary", 6, "<< /Type /Sig >>"),
        ("stray object", 9, "<< /Type /Font >>"),
    ];
    for (case, number, value) in cases {
        let file = sign_pdf_with(&once, &world.organisation, (7, &[5]), |writer| {
            writer.object(number, value)
        });
        assert!(
            fault(&file).is_some(),
            "{case} changed and the file was not refused"
        );
    }
    let same = sign_pdf_with(&once, &world.organisation, (7, &[5]), |writer| {
        writer.object(4, "<< /Length 12 >>\nstream\nBT (A) Tj ET\nendstream");
    });
    assert_eq!(fault(&same), None);
}

#[test]
fn an_object_that_moves_to_another_generation_is_refused() {
    let world = World::new();
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    // The page goes on asking for 4 0 R, which is gone; the content is the same.
    let file = sign_pdf_with(&once, &world.organisation, (7, &[5]), |writer| {
        writer.object_of((4, 1), "<< /Length 12 >>\nstream\nBT (A) Tj ET\nendstream");
    });
    assert_eq!(fault(&file), Some(PdfFault::Changed { number: 4 }));
}

#[test]
fn an_entry_that_points_into_a_later_revision_is_refused() {
    let world = World::new();
    let page = PdfWriter::page();
    let later = |offset| {
        sign_pdf_with(&page, &world.person, (5, &[]), |writer| {
            writer.entry((7, 0), offset);
        })
    };
    let end = later(0).len();
    assert!(matches!(fault(&later(end)), Some(PdfFault::Xref { .. })));
    let twice = sign_pdf(&later(end + 1), &world.organisation, 8, &[5]);
    assert!(matches!(fault(&twice), Some(PdfFault::Xref { .. })));
}

#[test]
fn an_object_that_runs_on_into_a_later_revision_is_refused() {
    // The stream of the first revision swallows the end of that revision.
    let mut update = PdfWriter::update(&PdfWriter::page());
    let start = update.bytes.len();
    update.entry((4, 0), start);
    update
        .bytes
        .extend_from_slice(b"4 0 obj\n<< /Length 5 0 R >>\nstream\n");
    let from = update.bytes.len();
    update.object(5, "0000000000");
    let mut file = update.finish(6);
    let length = format!("{:010}", file.len() - from);
    let at = memchr::memmem::rfind(&file, b"0000000000\nendobj").expect("the length");
    file[at..at + 10].copy_from_slice(length.as_bytes());
    let mut later = PdfWriter::update(&file);
    later.bytes.extend_from_slice(b"\nendstream\nendobj\n");
    let file = later.finish(6);
    let file = File::open(&file, 1000).expect("three revisions");
    let four = object::Reference {
        number: 4,
        generation: 0,
    };
    assert!(file.resolve(four, 2).is_ok());
    assert!(matches!(
        file.resolve(four, 1),
        Err(PdfFault::Object { number: 4 })
    ));
}

#[test]
fn a_size_that_hides_objects_is_refused() {
    let world = World::new();
    let file = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    for (from, to) in [
        (&b"/Size 7 "[..], &b"/Size 6 "[..]),
        (b"/Size 7 ", b"/Sizf 7 "),
        (b"/Size 7 ", b"/Size (7"),
        (b"/Size 5 ", b"/Size 9 "),
        (b"/Size 5 ", b"/Size 4 "),
    ] {
        let at = memchr::memmem::find(&file, from).expect("a size");
        let mut damaged = file.clone();
        damaged[at..at + to.len()].copy_from_slice(to);
        let found = fault(&damaged);
        assert!(
            matches!(found, Some(PdfFault::Xref { .. } | PdfFault::Syntax { .. })),
            "{}: {found:?}",
            String::from_utf8_lossy(to)
        );
    }
}

#[test]
fn a_later_signature_shows_a_seal_and_no_page() {
    let world = World::new();
    let once = sign_pdf_at(
        &PdfWriter::page(),
        &world.person,
        (5, &[]),
        "[0 0 595 842]",
        |_| {},
    );
    let later = |rectangle| sign_pdf_at(&once, &world.organisation, (7, &[5]), rectangle, |_| {});
    let remarks = |file: &[u8]| {
        let reports = reports(validate(file, &world.good(), now()));
        assert!(reports.iter().all(SealReport::is_passed));
        let shows = |report: &SealReport| report.remarks.contains(&Remark::ShownOverSigned);
        reports.iter().map(shows).collect::<Vec<_>>()
    };
    assert_eq!(remarks(&once), [false]);
    assert_eq!(remarks(&later("[400 700 400 800]")), [false, false]);
    assert_eq!(remarks(&later("[400 700.5 506 806]")), [false, true]);
    for large in ["[0 0 595 842]", "[595 842 0 0]", "[0 0 595 422]", "[0 0 99999 3]"] {
        assert_eq!(
            fault(&later(large)),
            Some(PdfFault::Overlaid { number: 7 }),
            "{large}"
        );
    }
    assert_eq!(fault(&later("[0 0 /A 2]")), Some(PdfFault::Changed { number: 7 }));
}

#[test]
fn many_later_signatures_together_show_no_page() {
    let world = World::new();
    let once = sign_pdf_at(&PdfWriter::page(), &world.person, (5, &[]), "[0 0 0 0]", |_| {});
    let twice = sign_pdf_at(&once, &world.organisation, (7, &[5]), "[0 0 595 400]", |_| {});
    let thrice = |rectangle| sign_pdf_at(&twice, &world.organisation, (9, &[5, 7]), rectangle, |_| {});
    assert_eq!(fault(&twice), None);
    assert_eq!(fault(&thrice("[500 800 540 840]")), None);
    assert_eq!(
        fault(&thrice("[0 422 595 842]")),
        Some(PdfFault::Overlaid { number: 9 })
    );
}

#[test]
fn an_empty_field_may_gain_a_seal_and_no_page() {
    let world = World::new();
    let judge = |rectangle: &str| {
        let mut page = PdfWriter::update(&PdfWriter::page());
        let field = |more: &str| {
            format!("<< /FT /Sig /T (E) /Type /Annot /Subtype /Widget /Rect {rectangle} /P 3 0 R {more} >>")
        };
        page.object(9, field(""));
        let page = page.finish(10);
        let place = |catalog: &str, writer: &mut PdfWriter| {
            let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
            writer.object(
                1,
                format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << {catalog} >> >>"),
            );
            writer.object(3, format!("<< {page} /Annots [9 0 R 5 0 R] >>"));
        };
        let once = sign_pdf_raw(&page, &world.person, 6, |writer| {
            place("/Fields [9 0 R 5 0 R] /SigFlags 3", writer);
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        });
        let twice = sign_pdf_raw(&once, &world.organisation, 7, |writer| {
            writer.object(9, field("/V 7 0 R /AP << /N 8 0 R >>"));
            let form = "/Type /XObject /Subtype /Form /BBox [0 0 9 9]";
            writer.object(8, format!("<< {form} /Length 0 >>\nstream\n\nendstream"));
        });
        assert_eq!(fault(&once), None);
        fault(&twice)
    };
    assert_eq!(judge("[400 700 500 800]"), None);
    assert_eq!(judge("[0 0 595 842]"), Some(PdfFault::Overlaid { number: 9 }));
}

#[test]
fn a_font_that_a_signed_field_waits_for_is_refused() {
    let world = World::new();
    let judge = |appearance: &str| {
        let form = |fonts: &str| {
            format!(
                "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R 5 0 R] /SigFlags 3 \
                 /DR << /Font << {fonts} >> >> >> >>"
            )
        };
        let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            writer.object(1, form(""));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            writer.object(8, format!("<< /FT /Tx /T (T) /DA ({appearance}) >>"));
        });
        let twice = sign_pdf_raw(&once, &world.organisation, 10, |writer| {
            let grown = form("/F1 11 0 R").replace("5 0 R]", "5 0 R 9 0 R]");
            writer.object(1, grown);
            writer.object(9, "<< /FT /Sig /T (U) /V 10 0 R >>");
            writer.object(11, "<< /Type /Font >>");
        });
        assert_eq!(fault(&once), None);
        fault(&twice)
    };
    assert_eq!(judge("/F2 12 Tf"), None);
    assert_eq!(judge("/F1 12 Tf"), Some(PdfFault::Changed { number: 1 }));
    assert_eq!(judge("/F#31 12 Tf"), Some(PdfFault::Changed { number: 1 }));
}

#[test]
fn octets_that_belong_to_no_object_are_refused() {
    let world = World::new();
    let once = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    for stray in [&b"4 0 obj << /Evil true >> endobj\n"[..], b"% a comment\n"] {
        let file = sign_pdf_with(&once, &world.organisation, (7, &[5]), |writer| {
            writer.bytes.extend_from_slice(stray)
        });
        assert!(matches!(fault(&file), Some(PdfFault::Unaccounted { .. })));
    }
}

#[test]
fn an_object_that_the_signed_revision_waits_for_is_refused() {
    let world = World::new();
    // The page shows an object that does not exist yet: whoever brings it into being changes the page.
    let page = String::from_utf8_lossy(&PdfWriter::page()).into_owned();
    assert!(page.contains("/Contents 4 0 R >>"));
    let mut update = PdfWriter::update(&PdfWriter::page());
    update.object(4, "<< /Length 0 /Next 8 0 R >>\nstream\n\nendstream");
    let waiting = update.finish(5);
    let once = sign_pdf(&waiting, &world.person, 5, &[]);
    let twice = sign_pdf(&once, &world.organisation, 7, &[5]);
    assert_eq!(fault(&once), None);
    assert_eq!(fault(&twice), Some(PdfFault::Changed { number: 4 }));
}

#[test]
fn a_signature_that_leaves_octets_out_is_refused() {
    let world = World::new();
    let file = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let trailing = [&file[..], b"x"].concat();
    assert!(matches!(
        fault(&trailing),
        Some(PdfFault::TrailingOctets { .. } | PdfFault::Xref { .. })
    ));
    for (from, to) in [
        (&b"/ByteRange [0 "[..], &b"/ByteRange [1 "[..]),
        (b"adbe.pkcs7.detached", b"adbe.pkcs7.sha1and0"),
        (b"/ByteRange", b"/ByteRangf"),
        (b"/Contents <", b"/Contentt <"),
    ] {
        let at = memchr::memmem::find(&file, from).expect("the words");
        let mut damaged = file.clone();
        damaged[at..at + to.len()].copy_from_slice(to);
        assert!(fault(&damaged).is_some());
    }
}

#[test]
fn a_signature_that_no_field_shows_is_refused() {
    let mut writer = PdfWriter::update(&PdfWriter::page());
    writer.object(5, "<< /Type /Sig /ByteRange [0 1 2 3] /Contents <00> >>");
    assert_eq!(fault(&writer.finish(6)), Some(PdfFault::StraySignature));
}

#[test]
fn an_encrypted_file_has_a_fault_of_its_own() {
    let mut page = PdfWriter::page();
    let at = memchr::memmem::rfind(&page, b"/Root 1 0 R").expect("a trailer");
    page.splice(at..at, *b"/Encrypt 9 0 R ");
    assert_eq!(fault(&page), Some(PdfFault::Encrypted));
}

#[test]
fn no_damaged_file_panics() {
    let world = World::new();
    let file = world.signed_twice();
    let snapshot = world.good();
    proptest!(ProptestConfig::with_cases(1000), |(at in 0..file.len(), octet: u8, cut in 0..file.len())| {
        let mut damaged = file.clone();
        damaged[at] = octet;
        let _ = validate(&damaged, &snapshot, now());
        let _ = validate(&damaged[..cut], &snapshot, now());
    });
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = [b"%PDF-1.7\n", &bytes[..], b"\nstartxref\n9\n%%EOF\n"].concat();
        prop_assert!(fault(&file).is_some());
    }
}
