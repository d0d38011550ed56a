//! What a look is made of: contents inside contents, glyphs, objects that are there, strings that say one thing.

use super::looks::{KINDS, LOOK, field, prepared};
use super::*;

const OF: (&str, &str) = ("Tx", "[0 0 99 9]");

/// What comes of filling in the field with a look of this content and these resources, and more objects.
fn filled(world: &World, content: &str, resources: &str, more: &[(u32, &str)]) -> Option<PdfFault> {
    let once = prepared(world, &field(KINDS[0], OF, "/AP << /N 8 0 R >>"));
    let mut writer = PdfWriter::update(&once);
    writer.object(
        7,
        format!("<< {} >>", field(KINDS[0], OF, &format!("/V (B) {LOOK}"))),
    );
    let form = "/Type /XObject /Subtype /Form /BBox [0 0 99 9]";
    writer.object(
        11,
        stream(&format!("{form} /Resources << {resources} >>"), content),
    );
    for (number, value) in more {
        writer.object(*number, value);
    }
    fault(&writer.finish_update())
}

fn stream(entries: &str, octets: &str) -> String {
    format!(
        "<< {entries} /Length {} >>\nstream\n{octets}\nendstream",
        octets.len()
    )
}

#[test]
fn a_form_inside_a_look_is_one_by_its_plain_word_and_is_read_whatever_it_calls_itself() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    let resources = "/XObject << /X 12 0 R >>";
    for (entries, octets, expected) in [
        ("/Subtype /Form /BBox [0 0 9 9]", "q Q", None),
        ("/Subtype /Form /BBox [0 0 9 9]", "Q Q", changed),
        ("/Type /Group /Subtype /Form /BBox [0 0 9 9]", "Q Q", changed),
        ("/Subtype 10 0 R /BBox [0 0 9 9]", "q Q", changed),
        (
            "/Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray",
            "Q",
            None,
        ),
        ("/BBox [0 0 9 9]", "q Q", changed),
    ] {
        let form = stream(entries, octets);
        assert_eq!(
            filled(&world, "/X Do", resources, &[(12, &form)]),
            expected,
            "{entries} {octets}"
        );
    }
}

#[test]
fn only_a_glyph_is_one_and_every_text_ends() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    for (content, expected) in [
        ("BT ET", None),
        ("BT 7 Tr", changed),
        ("ET", changed),
        ("9 0 0 0 9 9 d1", changed),
        ("9 0 d0", changed),
    ] {
        assert_eq!(filled(&world, content, "", &[]), expected, "{content}");
    }
    let glyph = stream("", "9 0 0 0 9 9 d1 0 0 9 9 re f");
    for kind in ["/Subtype /Type3", ""] {
        let font = format!("<< /Type /Font {kind} /CharProcs << /a 13 0 R >> >>");
        let font = [(12, &*font), (13, &*glyph)];
        assert_eq!(
            filled(&world, "BT /F 9 Tf (a) Tj ET", "/Font << /F 12 0 R >>", &font),
            None,
            "{kind}"
        );
        let open = stream("", "9 0 d0 q");
        let font = [font[0], (13, &*open)];
        assert_eq!(
            filled(&world, "BT ET", "/Font << /F 12 0 R >>", &font),
            changed,
            "{kind}"
        );
    }
}

#[test]
fn what_is_glyph_and_form_at_once_is_read_as_both() {
    let world = World::new();
    let both = "/Font << /F 12 0 R >> /XObject << /X 13 0 R >>";
    let font = "<< /Type /Font /Subtype /Type3 /CharProcs << /a 13 0 R >> >>";
    let changed = Some(PdfFault::Changed { number: 7 });
    for (octets, expected) in [("q Q", None), ("9 0 d0 q Q", changed)] {
        let shared = stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", octets);
        let more = [(12, font), (13, &*shared)];
        let found = filled(&world, "BT /F 9 Tf (a) Tj ET /X Do", both, &more);
        assert_eq!(found, expected, "{octets}");
    }
}

#[test]
fn a_look_is_made_of_what_is_there() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    // The state that is shown from now on was signed, and refers to nothing.
    let widget = |state: &str| {
        let states = "/AP << /N << /On 12 0 R /Off 8 0 R >> >>";
        field(
            KINDS[0],
            ("Btn", "[0 0 99 9]"),
            &format!("/V /{state} /AS /{state} {states}"),
        )
    };
    for (font, expected) in [("/F 10 0 R", None), ("/F 99 0 R", changed)] {
        let once = sign_pdf_raw(&prepared_page(), &world.person, 6, |writer| {
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            writer.object(7, format!("<< {} >>", widget("Off")));
            let form = "/Type /XObject /Subtype /Form /BBox [0 0 99 9]";
            writer.object(8, stream(form, ""));
            writer.object(10, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
            writer.object(
                12,
                stream(&format!("{form} /Resources << /Font << {font} >> >>"), "BT ET"),
            );
            let certified = " /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>]";
            writer.signature.push_str(certified);
        });
        let mut writer = PdfWriter::update(&once);
        writer.object(7, format!("<< {} >>", widget("On")));
        assert_eq!(fault(&writer.finish_update()), expected, "{font}");
    }
}

/// The page with a form of the fields 5 and 7.
fn prepared_page() -> Vec<u8> {
    let mut writer = PdfWriter::update(&PdfWriter::page());
    let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 >>";
    writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
    writer.object(3, format!("<< {page} /Annots [7 0 R] >>"));
    writer.finish_update()
}

#[test]
fn a_string_with_codes_of_more_than_an_octet_is_the_same_only_as_it_stands() {
    let world = World::new();
    let field = |value: &str| format!("<< /FT /Sig /T {value} /V 6 0 R >>");
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(5, field("(10)"));
    });
    for (value, is_same) in [("(10)", true), ("(1\\060)", true), ("(1\\460)", false)] {
        let mut writer = PdfWriter::update(&once);
        let form = "<< /Fields [5 0 R] /SigFlags 3 >> /DSS << /Certs [9 0 R] >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(5, field(value));
        writer.object(9, stream("", "abc"));
        assert_eq!(fault(&writer.finish_update()).is_none(), is_same, "{value}");
    }
}
