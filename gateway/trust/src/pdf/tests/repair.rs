//! Updates at which readers give the cross-reference section up and look for objects themselves.

use super::later::{catalog, compressed, update};
use super::*;

/// The page signed by the person; objects 1 to 6.
fn once(world: &World) -> Vec<u8> {
    sign_pdf(&PdfWriter::page(), &world.person, 5, &[])
}

/// An update with a DSS whose only stream holds this.
pub(super) fn material(file: &[u8], octets: &str) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /DSS << /Certs [7 0 R] >> >>");
    writer.object(1, catalog);
    let length = octets.len();
    writer.object(7, format!("<< /Length {length} >>\nstream\n{octets}\nendstream"));
    writer.finish_update()
}

#[test]
fn what_a_reader_that_repairs_would_find_stands_in_no_update() {
    let world = World::new();
    let once = once(&world);
    for (octets, is_hidden) in [
        ("abc obj 4 0 object", true),
        ("abc endobj", false),
        ("endstream endobj 4 0 obj << /Length 1 >>", true),
        ("4\n0\robj", true),
        ("4 %c\n0 obj", true),
        ("4. 0 obj", true),
        ("4 0 R obj", true),
        ("a 4 0 object", true),
        ("a 4 objects", false),
        ("a semi-trailer (R)", false),
        ("trailer %c\n<< >>", true),
        ("startxref", false),
        ("trailer << /Root 9 0 R >>", true),
        ("startxref 9", true),
        ("<< /Type /XRef >>", true),
    ] {
        let found = fault(&material(&once, octets));
        let is_refused = matches!(found, Some(PdfFault::Unaccounted { .. }));
        assert_eq!((is_refused, found.is_some()), (is_hidden, is_hidden), "{octets}");
    }
}

#[test]
fn a_section_says_nothing_that_readers_do_not_count_to() {
    let world = World::new();
    let good = material(&once(&world), "abc");
    assert_eq!(fault(&good), None);
    let at = memchr::memmem::rfind(&good, b"xref\n1 1\n").expect("a section") + 5;
    let with = |lines: &str| {
        let mut file = good.clone();
        file.splice(at..at, lines.bytes());
        fault(&file)
    };
    let xref = |found: Option<PdfFault>| matches!(found, Some(PdfFault::Xref { .. }));
    assert_eq!(with("0 0\n"), None);
    assert!(xref(with("9 0\n")));
    assert_eq!(with("9999999999 0\n"), Some(PdfFault::TooLarge));
    assert!(xref(with("8388608 0\n")));
    assert_eq!(with("8388609 0\n"), Some(PdfFault::TooLarge));
    assert_eq!(with("0 1\n0000000000 65535 f \n"), None);
    // Some readers count anew where 1 is the first and free.
    let mut from_one = good.clone();
    from_one.splice(at..at + 24, *b"1 1\n0000000000 00001 f \n");
    assert!(xref(fault(&from_one)), "{:?}", fault(&from_one));
    let sized = |size: &str| {
        let from = memchr::memmem::rfind(&good, b"/Size 8").expect("a size");
        let mut file = good.clone();
        file.splice(from..from + 7, format!("/Size {size}").bytes());
        fault(&file)
    };
    assert_eq!(sized("1048576"), None);
    assert_eq!(sized("1048577"), Some(PdfFault::Changed { number: 7 }));
    assert!(xref(sized("8388609")));
    assert!(xref(sized("4294967297")));
}

#[test]
fn a_section_is_written_to_the_letter() {
    let world = World::new();
    let good = material(&once(&world), "abc");
    let change = |from: &str, to: &str| {
        let at = memchr::memmem::rfind(&good, from.as_bytes()).expect("it is there");
        let mut file = good.clone();
        file.splice(at..at + from.len(), to.bytes());
        fault(&file)
    };
    let is_refused = |from: &str, to: &str| matches!(change(from, to), Some(PdfFault::Xref { .. }));
    for (from, to) in [
        ("xref\n1 1\n", "xref\r\n1 1\n"),
        ("xref\n1 1\n", "xref \n1 1 \n"),
        ("\ntrailer", "\n\ntrailer"),
        ("startxref\n", "startxref \r\n"),
    ] {
        assert_eq!(change(from, to), None, "{to:?}");
    }
    for (from, to) in [
        ("xref\n1 1\n", "xref\n1\t1\n"),
        ("xref\n1 1\n", "xref\n1  1\n"),
        ("xref\n1 1\n", "xref\n1 1  \n"),
        ("xref\n1 1\n", "xref\n1 1  \r\n"),
        ("xref\n1 1\n", "xref\n1 1 "),
        ("xref\n1 1\n", "xref\n\n1 1\n"),
        ("startxref\n", "startxref\u{c}\n"),
        ("startxref\n", "startxref\0\n"),
        ("xref\n1 1\n", "xref\n0 1\n0000000009 65535 n \n1 1\n"),
    ] {
        assert!(is_refused(from, to), "{to:?}: {:?}", change(from, to));
    }
    // Writers leave their name before the end; a reader's words are none.
    for (from, to, is_good) in [
        ("startxref\n", "%writer\nstartxref\n", true),
        ("startxref\n", "%trailer <<\nstartxref\n", false),
        ("startxref\n", "%startxref 9\nstartxref\n", false),
        ("startxref\n", "%9 0 obj\nstartxref\n", false),
        ("endobj\nxref", "endobj\txref", true),
        ("endobj\nxref", "endobj\0xref", false),
    ] {
        let found = change(from, to);
        let is_refused = matches!(found, Some(PdfFault::Unaccounted { .. } | PdfFault::Xref { .. }));
        assert_eq!(
            (is_refused, found.is_none()),
            (!is_good, is_good),
            "{to:?}: {found:?}"
        );
    }
}

#[test]
fn a_trailer_identifies_the_file_by_two_strings() {
    let world = World::new();
    let once = once(&world);
    for (trailer, is_good) in [
        ("/ID [(A) (B)]", true),
        ("/ID [<41> <42>]", true),
        ("/ID [(A)]", false),
        ("/ID [(A) /B]", false),
        ("/ID << /X /a >>", false),
        ("/ID (A)", false),
    ] {
        let mut writer = PdfWriter::update(&once);
        let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
        writer.object(
            1,
            format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Version /2.0 >>"),
        );
        writer.trailer = trailer;
        let expected = if is_good {
            None
        } else {
            Some(PdfFault::Changed { number: 0 })
        };
        assert_eq!(fault(&writer.finish_update()), expected, "{trailer}");
    }
}

#[test]
fn a_stream_is_named_an_object_stream_by_a_plain_word_or_not_at_all() {
    let world = World::new();
    let mut writer = PdfWriter::update(&once(&world));
    let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /DSS << /Certs [7 0 R] >> >>");
    writer.object(1, &catalog);
    writer.object(7, "<< /Type 8 0 R /Length 3 >>\nstream\nabc\nendstream");
    writer.object(8, "/ObjStm");
    assert_eq!(
        fault(&writer.finish_update()),
        Some(PdfFault::Object { number: 7 })
    );
    // Whatever its letters are.
    for (words, expected) in [
        ("<</Type/XR#65f/Length 3>>", Some(PdfFault::Object { number: 7 })),
        ("<</Type/XRe#67/Length 3>>", None),
    ] {
        let mut writer = PdfWriter::update(&once(&world));
        writer.object(1, &catalog);
        writer.object(7, format!("{words}\nstream\nabc\nendstream"));
        assert_eq!(fault(&writer.finish_update()), expected, "{words}");
    }
}

#[test]
fn no_number_of_an_update_is_beyond_what_every_reader_counts_to() {
    let world = World::new();
    let once = once(&world);
    let packet = "<< /Type /Metadata /Subtype /XML /Length 1 >>\nstream\nS\nendstream";
    for (number, expected) in [
        (1_048_575, None),
        (1_048_576, Some(PdfFault::Changed { number: 1_048_576 })),
        (5_000_000, Some(PdfFault::Changed { number: 5_000_000 })),
    ] {
        let file = update(
            &once,
            &[
                (1, &catalog(&format!("/Metadata {number} 0 R"))),
                (number, packet),
            ],
        );
        assert_eq!(fault(&file), expected, "{number}");
    }
}

#[test]
fn three_letters_behind_two_numbers_are_a_header_whatever_follows() {
    let world = World::new();
    let once = once(&world);
    for (text, is_header) in [
        ("9 0 objx", true),
        ("9 0 obj-5", true),
        ("9 0. objects", true),
        ("9 objects", false),
        ("objects", false),
    ] {
        let length = text.len() + 2;
        let packet =
            format!("<< /Type /Metadata /Subtype /XML /Length {length} >>\nstream\n\n{text}\n\nendstream");
        let file = update(&once, &[(1, &catalog("/Metadata 7 0 R")), (7, &packet)]);
        let found = fault(&file);
        assert_eq!(
            matches!(found, Some(PdfFault::Unaccounted { .. })),
            is_header,
            "{text}: {found:?}"
        );
    }
}

#[test]
fn nothing_of_an_update_stands_on_the_line_of_the_end() {
    let world = World::new();
    let once = once(&world);
    let packet =
        |text: &str| format!("<< /Type /Metadata /Subtype /XML /Length 1 >>\nstream\n{text}\nendstream");
    let first = update(&once, &[(1, &catalog("/Metadata 7 0 R")), (7, &packet("a"))]);
    let mut joined = update(&first, &[(7, &packet("b"))]);
    assert_eq!(fault(&joined), None);
    // The end of line behind `%%EOF` becomes a blank: the next header stands in that comment.
    let end = first.len() - 1;
    assert_eq!(joined[end], b'\n');
    joined[end] = b' ';
    assert!(
        matches!(fault(&joined), Some(PdfFault::Unaccounted { .. })),
        "{:?}",
        fault(&joined)
    );
}

/// The page signed once, where these objects stand too; the sections list them, or not.
fn with(world: &World, objects: &[(u32, String)], unlisted: &str) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        for (number, value) in objects {
            writer.object(*number, value);
        }
        if !unlisted.is_empty() {
            let length = unlisted.len();
            writer.object(
                30,
                format!("<< /Length {length} >>\nstream\n{unlisted}\nendstream"),
            );
        }
    })
}

fn object_stream(kind: &str, content: &str) -> String {
    let length = content.len();
    format!("<< /Type {kind} /N 1 /First 4 /Length {length} >>\nstream\n{content}\nendstream")
}

#[test]
fn no_stream_hides_that_it_is_an_object_stream() {
    let world = World::new();
    let judge = |objects: &[(u32, String)], unlisted: &str| {
        fault(&update(
            &with(&world, objects, unlisted),
            &[(1, &catalog("/Version /2.0"))],
        ))
    };
    let named = [
        (12, object_stream("13 0 R", "1 0 << /Type /Catalog >>")),
        (13, "/ObjStm".to_owned()),
    ];
    assert_eq!(judge(&named, ""), Some(PdfFault::Object { number: 12 }));
    let long = format!("40 0 obj << /P ({}) /Type /ObjStm /N 1 >>", "x".repeat(600));
    for hidden in [
        &*long,
        "40 0 obj << /Type /Obj#53tm >>",
        "40 0 obj << /Type 13 0 R >>",
        "40 0 obj << /Type (",
        "40 0 obj\u{80}<< /Type /ObjStm >>",
        "40 0 obj << /Type /XRef >>",
        "40 0 obj)<< /Type /ObjStm >>",
        "40 0 obj > << /Type /ObjStm >>",
    ] {
        assert_eq!(
            judge(&[], hidden),
            Some(PdfFault::Object { number: 40 }),
            "{hidden}"
        );
    }
    assert_eq!(judge(&[], "40 0 obj << /Type /Page >>"), None);
}

#[test]
fn an_object_stream_that_is_shown_no_more_hides_nothing_either() {
    let world = World::new();
    for (content, expected) in [
        ("1 0 << /Type /Catalog >>", Some(PdfFault::Changed { number: 1 })),
        ("2 0 << /Type /Pages >>", None),
    ] {
        let mut first = PdfWriter::update(&PdfWriter::page());
        first.object(12, object_stream("/ObjStm", content));
        let mut second = PdfWriter::update(&first.finish_update());
        second.object(12, "<< >>");
        let page = sign_pdf_raw(&second.finish_update(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        });
        let file = update(&page, &[(1, &catalog("/Version /2.0"))]);
        assert_eq!(fault(&file), expected, "{content}");
    }
}

#[test]
fn what_is_shown_no_more_has_a_header_that_everybody_reads() {
    let world = World::new();
    let hidden = object_stream("/ObjStm", "1 0 << /Type /Catalog >>");
    for (header, ahead, expected) in [
        ("12 0 obj", 0, Some(PdfFault::Changed { number: 1 })),
        ("12 0 obj", 1, Some(PdfFault::Object { number: 12 })),
        ("+12 0 obj", 0, Some(PdfFault::Object { number: 12 })),
        ("12 0. obj", 0, Some(PdfFault::Object { number: 12 })),
    ] {
        let mut first = PdfWriter::update(&PdfWriter::page());
        first.bytes.extend_from_slice(b" ");
        let offset = first.bytes.len() - ahead;
        first.entry((12, 0), offset);
        first
            .bytes
            .extend_from_slice(format!("{header}\n{hidden}\nendobj\n").as_bytes());
        let mut second = PdfWriter::update(&first.finish_update());
        second.object(12, "<< >>");
        let page = sign_pdf_raw(&second.finish_update(), &world.person, 6, |writer| {
            writer.object(1, catalog(""));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        });
        let file = update(&page, &[(1, &catalog("/Version /2.0"))]);
        assert_eq!(fault(&file), expected, "{header} {ahead}");
    }
}

#[test]
fn sections_inside_one_another_are_paid_for() {
    // Each trailer holds the section before it in a string, which is the larger part of the file.
    let nested = |depth: usize| {
        let mut inner = "x".repeat(100_000);
        let head =
            |previous: usize| format!("xref\n0 0\ntrailer << /Size 1 /Root 1 0 R /Prev {previous:06} /A (");
        let width = head(0).len();
        for level in (0..depth).rev() {
            let previous = 9 + width * (level + 1);
            inner = format!("{}{inner})>>\nstartxref\n9\n%%EOF\n", head(previous));
        }
        format!("%PDF-1.7\n{inner}startxref\n9\n%%EOF\n").into_bytes()
    };
    let judge = |depth| fault(&nested(depth)).expect("a fault");
    assert_ne!(judge(2), PdfFault::TooLarge);
    assert_eq!(judge(20), PdfFault::TooLarge);
}

#[test]
fn comments_behind_headers_are_paid_for() {
    let world = World::new();
    let line = "1 0obj%".repeat(20_000);
    let page = with(&world, &[], &line);
    let file = update(&page, &[(5, "<< /FT /Sig /T (S) /V 6 0 R >>")]);
    assert_eq!(fault(&file), Some(PdfFault::TooLarge));
}

#[test]
fn an_object_stream_does_not_move_before_the_signature() {
    let world = World::new();
    // Before it is signed the catalog is packed into stream 7, and perhaps packed anew under the same number.
    let packed = compressed(&PdfWriter::page(), &[(1, "<< /Type /Catalog /Pages 2 0 R >>")]);
    let moved = compressed(&packed, &[(1, "<< /Type /Catalog /Pages 2 0 R >>")]);
    let judge = |file: &[u8]| {
        let signed = sign_pdf_raw(file, &world.person, 16, |writer| {
            writer.object(1, catalog(""));
            writer.object(5, "<< /FT /Sig /T (S) /V 16 0 R >>");
        });
        assert_eq!(fault(&signed), None);
        fault(&update(&signed, &[(1, &catalog("/Version /2.0"))]))
    };
    assert_eq!(judge(&packed), None);
    assert_eq!(judge(&moved), Some(PdfFault::Object { number: 7 }));
}

#[test]
fn what_is_shown_is_the_last_of_its_number() {
    let world = World::new();
    // The page's content is written twice, and the section goes back to the first.
    let once = PdfWriter::page();
    let first = memchr::memmem::find(&once, b"4 0 obj").expect("the content");
    let mut again = PdfWriter::update(&once);
    again.object(4, "<< /Length 1 >>\nstream\nS\nendstream");
    let again = again.finish_update();
    let sign = |file: &[u8], back: bool| {
        sign_pdf_raw(file, &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            if back {
                writer.entry((4, 0), first);
            }
        })
    };
    let judge = |file: &[u8]| {
        // The same, written anew.
        let content = memchr::memmem::find(&once[first..], b"endobj").expect("its end");
        let content = String::from_utf8_lossy(&once[first + 8..first + content]).into_owned();
        fault(&update(
            file,
            &[(1, &catalog("/Version /2.0")), (4, content.trim_end())],
        ))
    };
    assert_eq!(judge(&sign(&once, false)), None);
    assert_eq!(judge(&sign(&again, true)), Some(PdfFault::Changed { number: 4 }));
}

#[test]
fn what_an_object_stream_of_the_signed_revision_hides_is_not_written_over() {
    let world = World::new();
    for (content, expected) in [
        ("1 0 << /Type /Catalog >>", Some(PdfFault::Changed { number: 1 })),
        ("2 0 << /Type /Pages >>", None),
    ] {
        let length = content.len();
        let page = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            let stream =
                format!("<< /Type /ObjStm /N 1 /First 4 /Length {length} >>\nstream\n{content}\nendstream");
            writer.object(12, stream);
        });
        let file = update(&page, &[(1, &catalog("/Version /2.0"))]);
        assert_eq!(fault(&file), expected, "{content}");
    }
}

#[test]
fn what_the_signed_revision_hides_under_a_number_is_not_written_over() {
    let world = World::new();
    let risen = catalog("/Version /2.0");
    for (hidden, expected) in [
        (
            "1 0 obj\n<< /Type /Catalog >>\nendobj",
            Some(PdfFault::Changed { number: 1 }),
        ),
        ("1 %c\n0obj<< >>\nendobj", Some(PdfFault::Changed { number: 1 })),
        ("1 0.0 obj 5", Some(PdfFault::Changed { number: 1 })),
        ("1 0 object", Some(PdfFault::Changed { number: 1 })),
        ("2 0 obj\n<< /Type /Pages >>\nendobj", None),
        ("of 1 object", None),
    ] {
        let page = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            let length = hidden.len();
            writer.object(12, format!("<< /Length {length} >>\nstream\n{hidden}\nendstream"));
        });
        let file = update(&page, &[(1, &risen)]);
        assert_eq!(fault(&file), expected, "{hidden}");
    }
}

#[test]
fn a_comment_behind_a_word_of_repair_is_no_way_around_it() {
    let world = World::new();
    let once = once(&world);
    for text in ["trailer%x", "startxref %x", "trailer%trailer%trailer%"] {
        let length = text.len();
        let packet =
            format!("<< /Type /Metadata /Subtype /XML /Length {length} >>\nstream\n{text}\nendstream");
        let file = update(&once, &[(1, &catalog("/Metadata 7 0 R")), (7, &packet)]);
        assert!(
            matches!(fault(&file), Some(PdfFault::Unaccounted { .. })),
            "{text}"
        );
    }
}
