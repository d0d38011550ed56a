//! What a seal draws, with what, and where.

use super::looks::{KINDS, LOOK, field, prepared, signed};
use super::*;
use crate::testing::{SIGNATURE, fill_contents};

/// What comes of a seal that looks like this, in a small place or in none; 12 is what it draws with.
fn sealed(world: &World, rectangle: &str, look: &str, part: &str) -> Option<PdfFault> {
    let once = prepared(world, &field(KINDS[0], ("Sig", rectangle), ""));
    let mut writer = PdfWriter::update(&once);
    let after = field(KINDS[0], ("Sig", rectangle), LOOK);
    writer.object(7, format!("<< {after} /V 9 0 R >>"));
    writer.object(11, look);
    writer.object(12, part);
    let file = fill_contents(writer.finish_open(9), |covered| world.organisation.sign(covered));
    fault(&file)
}

fn stream(words: &str, content: &str) -> String {
    format!(
        "<< {words} /Length {} >>\nstream\n{content}\nendstream",
        content.len()
    )
}

#[test]
fn a_look_gives_back_what_it_takes_with_all_that_it_draws_with() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    let form = "/Subtype /Form /BBox [0 0 9 9]";
    let part = |of: &str| format!("{form} /Resources << {of} >>");
    let drawn = part("/XObject << /X 12 0 R >>");
    let mask = part("/ExtGState << /X << /SMask << /G 12 0 R >> >> >>");
    let glyphs = part("/Font << /X << /Subtype /Type3 /CharProcs << /a 12 0 R >> >> >>");
    let shared = "/Subtype /Type3 /Resources << /Pattern << /P 12 0 R >> >>";
    let shared = part(&format!("/Font << /X << {shared} >> >>"));
    for (words, content, inner, expected) in [
        (&drawn, "q /X Do Q", stream(form, "q Q"), None),
        (&drawn, "Q /X Do q", stream(form, "q Q"), changed),
        (&drawn, "/X Do", stream(form, "Q"), changed),
        (&drawn, "/X Do", stream(form, "/OC /X BDC"), changed),
        (&drawn, "/X Do", stream("/Subtype /Image", "Q"), None),
        (
            &part("/Pattern << /X 12 0 R >>"),
            "f",
            stream("/PatternType 1", "Q"),
            changed,
        ),
        (&shared, "f", stream("/PatternType 1", "q Q"), changed),
        (&mask, "f", stream(form, "Q"), changed),
        (&glyphs, "f", stream("", "Q"), changed),
        (
            &drawn,
            "/X Do",
            stream("/Filter /LZWDecode /Subtype /Form", "q"),
            changed,
        ),
    ] {
        let look = stream(words, content);
        assert_eq!(
            sealed(&world, "[0 0 9 9]", &look, &inner),
            expected,
            "{look} {inner}"
        );
    }
    // Packed in letters, or with what another reader finds behind.
    for (words, content, expected) in [
        ("/Filter /ASCIIHexDecode", "7120 51>", None),
        ("/Filter [/ASCIIHexDecode]", "51>", changed),
        ("/Filter [/ASCII85Decode]", "E?J*~>", None),
        ("/Filter [/ASCIIHexDecode]", "71205166", changed),
        ("/Filter [/ASCIIHexDecode]", "7120 51> q", changed),
        ("/Filter null", "q Q", Some(PdfFault::Changed { number: 11 })),
        ("/F null", "q Q", Some(PdfFault::Changed { number: 11 })),
    ] {
        let look = stream(&format!("{form} /PieceInfo 12 0 R {words}"), content);
        assert_eq!(sealed(&world, "[0 0 9 9]", &look, "<< >>"), expected, "{look}");
    }
    // What it draws is its own.
    let foreign = stream(&part("/XObject << /Y 12 0 R >>"), "/X Do");
    assert_eq!(sealed(&world, "[0 0 9 9]", &foreign, &stream(form, "")), changed);
    // Where there is no room, layers of nothing are nothing.
    for (content, inner, expected) in [
        ("q /X Do Q", stream(form, "% DSBlank"), None),
        ("q /X Do Q", stream(form, "f"), changed),
        ("q /X Do Q", stream("/Subtype /Image", ""), changed),
    ] {
        let look = stream(&drawn, content);
        assert_eq!(
            sealed(&world, "[0 0 0 0]", &look, &inner),
            expected,
            "{look} {inner}"
        );
    }
    // It may draw with what the page names.
    let inherits = stream(&format!("{form} /PieceInfo 12 0 R"), "/X Do");
    assert_eq!(sealed(&world, "[0 0 0 0]", &inherits, "<< >>"), changed);
}

#[test]
fn a_widget_that_is_shown_in_another_size_is_none() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    for (flags, expected) in [("132", None), ("8", changed), ("16", changed)] {
        let with = |more: &str| {
            let field = field(KINDS[0], ("Sig", "[0 0 9 9]"), more);
            field.replace("/F 132", &format!("/F {flags}"))
        };
        let once = prepared(&world, &with(""));
        let found = signed(&once, &with(LOOK), SIGNATURE, |covered| {
            world.organisation.sign(covered)
        });
        assert_eq!(found, expected, "{flags}");
    }
}

#[test]
fn seals_on_several_pages_cover_none_of_them_together() {
    let world = World::new();
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]";
    // Widgets 7 and 8 wait on two pages each, of which only the first has both.
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R 7 0 R 8 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(2, "<< /Type /Pages /Kids [3 0 R 10 0 R 11 0 R] /Count 3 >>");
        writer.object(3, format!("<< {page} /Contents 4 0 R /Annots [7 0 R 8 0 R] >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        let waiting = |name: &str, rectangle: &str| {
            format!("<< /FT /Sig /T ({name}) /Type /Annot /Subtype /Widget /Rect {rectangle} >>")
        };
        writer.object(7, waiting("A", "[0 0 595 420]"));
        writer.object(8, waiting("B", "[0 422 595 842]"));
        writer.object(10, format!("<< {page} /Annots 12 0 R >>"));
        writer.object(11, format!("<< {page} /Annots 13 0 R >>"));
        writer.object(12, "[7 0 R]");
        writer.object(13, "[8 0 R]");
    });
    let sign = |file: &[u8], number: u32, rectangle: &str, name: &str| {
        let mut writer = PdfWriter::update(file);
        let (value, look) = (number + 20, number + 30);
        let words = format!("/FT /Sig /T ({name}) /Type /Annot /Subtype /Widget /Rect {rectangle}");
        writer.object(
            number,
            format!("<< {words} /AP << /N {look} 0 R >> /V {value} 0 R >>"),
        );
        writer.object(look, stream("/Subtype /Form /BBox [0 0 9 9]", "f"));
        fill_contents(writer.finish_open(value), |covered| {
            world.organisation.sign(covered)
        })
    };
    let one = sign(&once, 7, "[0 0 595 420]", "A");
    assert_eq!(fault(&one), None);
    let two = sign(&one, 8, "[0 422 595 842]", "B");
    assert_eq!(fault(&two), Some(PdfFault::Overlaid { number: 8 }));
}
