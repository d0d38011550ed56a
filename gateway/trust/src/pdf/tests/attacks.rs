//! The attacks that were published, each in a well-formed file: universal forgery, incremental saving, wrapping, shadows,
//! certified documents.

use super::permissions::signed_with;
use super::*;

const PAGE: &str = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]";

/// Whether every signature of the file is intact.
fn is_intact(file: &[u8]) -> bool {
    match integrity(file, &Policy::default(), now()) {
        PdfIntegrity::Signed(results) => results.iter().all(Result::is_ok),
        PdfIntegrity::Unsigned | PdfIntegrity::Refused(_) => false,
    }
}

/// The file with these words in the place of others, filled up with spaces.
fn replaced(file: &[u8], from: &[u8], words: &[u8]) -> Vec<u8> {
    let at = memchr::memmem::find(file, from).expect("the words");
    let mut file = file.to_vec();
    file[at..at + from.len()].fill(b' ');
    file[at..at + words.len()].copy_from_slice(words);
    file
}

fn update(file: &[u8], objects: &[(u32, &str)]) -> Option<PdfFault> {
    let mut writer = PdfWriter::update(file);
    for (number, value) in objects {
        writer.object(*number, value);
    }
    fault(&writer.finish_update())
}

#[test]
fn a_signature_without_value_or_range_is_none() {
    let world = World::new();
    let file = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    assert!(is_intact(&file));
    let start = memchr::memmem::find(&file, b"/Contents <").expect("a value");
    let end = start + memchr::memchr(b'>', &file[start..]).expect("its end") + 1;
    let contents = file[start..end].to_vec();
    for words in [
        "",
        "/Contents null",
        "/Contents <>",
        "/Contents <00>",
        "/Contents ()",
    ] {
        assert!(
            !is_intact(&replaced(&file, &contents, words.as_bytes())),
            "{words}"
        );
    }
    let zeros = format!("/Contents <{}>", "0".repeat(contents.len() - 12));
    assert!(!is_intact(&replaced(&file, &contents, zeros.as_bytes())));
    let start = memchr::memmem::find(&file, b"/ByteRange [").expect("a range");
    let end = start + memchr::memchr(b']', &file[start..]).expect("its end") + 1;
    let range = file[start..end].to_vec();
    for words in [
        "",
        "/ByteRange null",
        "/ByteRange []",
        "/ByteRange [0]",
        "/ByteRange [0 -1 9 9]",
    ] {
        assert!(!is_intact(&replaced(&file, &range, words.as_bytes())), "{words}");
    }
}

#[test]
fn octets_that_are_wrapped_into_the_gap_are_refused() {
    let world = World::new();
    let file = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let gap = memchr::memmem::find(&file, b"/Contents <").expect("a value") + 10;
    let gap_end = gap + memchr::memchr(b'>', &file[gap..]).expect("its end") + 1;
    // What was covered moves to the end, and something else takes its place; the digest is the same.
    let tail = &file[gap_end..];
    let evil = b">> endobj 4 0 obj << /Length 0 >> stream endstream endobj 9 0 obj << ";
    let moved = [&file[..gap_end], evil, tail].concat();
    let (from, length) = (gap_end + evil.len(), tail.len());
    let old = format!("[0 {gap:010} {gap_end:010} {length:010}]");
    let new = format!("[0 {gap:010} {from:010} {length:010}]");
    assert!(!is_intact(&replaced(&moved, old.as_bytes(), new.as_bytes())));
}

#[test]
fn a_revision_that_replaces_what_is_shown_is_refused() {
    let world = World::new();
    // Prepared for it: another page tree waits, a picture lies over the text, a note stands beside.
    let prepared = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R 13 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        let resources = "/Resources << /Font << /F 10 0 R >> /XObject << /X 11 0 R >> >>";
        writer.object(
            3,
            format!("<< {PAGE} /Contents 4 0 R {resources} /Annots [12 0 R 13 0 R] >>"),
        );
        writer.object(5, "<< /FT /Sig /T (S5) /V 6 0 R >>");
        writer.object(8, format!("<< {PAGE} /Contents 9 0 R >>"));
        writer.object(9, "<< /Length 1 >>\nstream\nB\nendstream");
        writer.object(10, "<< /Type /Font /BaseFont /Helvetica >>");
        writer.object(
            11,
            "<< /Type /XObject /Subtype /Form /Length 1 >>\nstream\nX\nendstream",
        );
        writer.object(12, "<< /Type /Annot /Subtype /Square /Rect [0 0 99 99] >>");
        writer.object(
            13,
            "<< /FT /Tx /T (T) /Subtype /Widget /Rect [0 0 99 99] /V (A) >>",
        );
    });
    assert!(is_intact(&prepared));
    let hidden = format!("<< {PAGE} /Contents 4 0 R /Annots [13 0 R] >>");
    for (attack, number, value, fault) in [
        ("content", 4, "<< /Length 1 >>\nstream\nB\nendstream", None),
        ("page tree", 2, "<< /Type /Pages /Kids [8 0 R] /Count 1 >>", None),
        ("font", 10, "<< /Type /Font /BaseFont /Courier >>", None),
        (
            "picture",
            11,
            "<< /Type /XObject /Subtype /Form /Length 1 >>\nstream\nY\nendstream",
            None,
        ),
        (
            "picture of another kind",
            11,
            "<< /Type /XObject /Subtype /Image >>",
            None,
        ),
        (
            "note",
            12,
            "<< /Type /Annot /Subtype /Square /Rect [0 0 0 0] >>",
            None,
        ),
        ("annotations", 3, &hidden, None),
        (
            "value",
            13,
            "<< /FT /Tx /T (T) /Subtype /Widget /Rect [0 0 99 99] /V (B) >>",
            Some(PdfFault::Restricted),
        ),
    ] {
        let expected = fault.or(Some(PdfFault::Changed { number }));
        assert_eq!(update(&prepared, &[(number, value)]), expected, "{attack}");
        // Not even with material for validation to cover it up.
        let form = "<< /Fields [5 0 R 13 0 R] /SigFlags 3 >>";
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /DSS << >> >>");
        assert_eq!(update(&prepared, &[(1, &catalog)]), None);
        assert_eq!(
            update(&prepared, &[(1, &catalog), (number, value)]),
            expected,
            "{attack}"
        );
    }
}

#[test]
fn what_is_shown_over_a_certified_file_is_refused() {
    let world = World::new();
    let certified = |level: &str| {
        let parameters = format!("<< /P {level} >>");
        let reference = format!("<< /TransformMethod /DocMDP /TransformParams {parameters} >>");
        signed_with(&world, &format!("/Reference [{reference}]"), "")
    };
    // Evil annotations, where annotations are allowed.
    let page = format!("<< {PAGE} /Contents 4 0 R /Annots [7 0 R] >>");
    let evil = "<< /Type /Annot /Subtype /FreeText /Rect [0 0 99 99] /DA (/Helv 9 Tf) /Contents (B) >>";
    let added = update(&certified("3"), &[(3, &page), (7, evil)]);
    assert_eq!(added, Some(PdfFault::Changed { number: 3 }));
    // A sneaky signature, where signatures are allowed: it shows a page, or is none.
    let form = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 7 0 R] /SigFlags 3 >> >>";
    let sneaky = |rectangle: &str| {
        sign_pdf_raw(&certified("2"), &world.organisation, 8, |writer| {
            writer.object(1, form);
            writer.object(3, &page);
            let widget = format!("/Subtype /Widget /Rect {rectangle}");
            writer.object(7, format!("<< /FT /Sig /T (S7) {widget} /V 8 0 R >>"));
        })
    };
    assert_eq!(fault(&sneaky("[0 0 99 99]")), None);
    assert_eq!(
        fault(&sneaky("[0 0 595 842]")),
        Some(PdfFault::Overlaid { number: 7 })
    );
    let field = "<< /FT /Sig /T (S7) /Subtype /Widget /Rect [0 0 99 99] /AP << /N 8 0 R >> >>";
    let look = "<< /Type /XObject /Subtype /Form /Length 1 >>\nstream\nB\nendstream";
    let unsigned = update(&certified("2"), &[(1, form), (3, &page), (7, field), (8, look)]);
    assert_eq!(unsigned, Some(PdfFault::Changed { number: 7 }));
}
