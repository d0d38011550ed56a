//! Forms that are filled in after a signature.

use super::*;

const CERTIFIED: &str = "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>]";

const FORM: &str = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 1";

/// What the signer prepares: words of the signature, the field that is to be filled in, the form.
struct Prepared {
    signature: &'static str,
    text: &'static str,
    form: &'static str,
}

const OPEN: Prepared = Prepared {
    signature: CERTIFIED,
    text: "",
    form: "",
};

/// The page with a text field 7 that looks like 8, signed by the person.
fn prepared(world: &World, prepared: &Prepared) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = format!("<< /Fields [5 0 R 7 0 R] /SigFlags 3 {} >>", prepared.form);
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
        writer.object(3, format!("<< {page} /Annots [7 0 R 9 0 R] >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        writer.object(7, text(prepared.text, "/AP << /N 8 0 R >>"));
        writer.object(8, format!("<< {FORM} >>\nstream\nS\nendstream"));
        writer.object(9, "<< /Type /Annot /Subtype /Stamp /Rect [0 0 9 9] /AP 10 0 R >>");
        writer.object(10, "<< >>");
        writer.signature.push_str(prepared.signature);
    })
}

fn text(more: &str, value: &str) -> String {
    let kind = if more.contains("/FT") { "" } else { "/FT /Tx" };
    let place = if more.contains("/Rect") {
        ""
    } else {
        "/Rect [0 0 99 9]"
    };
    format!("<< {kind} /T (T) /Type /Annot /Subtype /Widget {place} {more} {value} >>")
}

/// What comes of an update of these objects.
fn filled(file: &[u8], objects: &[(u32, &str)]) -> Option<PdfFault> {
    let mut writer = PdfWriter::update(file);
    for (number, value) in objects {
        writer.object(*number, value);
    }
    fault(&writer.finish_update())
}

#[test]
fn a_form_is_filled_in_where_every_signature_allows_it() {
    let world = World::new();
    let value = text("", "/V (B) /AP << /N 11 0 R >>");
    let look = format!("<< {FORM} >>\nstream\nB\nendstream");
    for (signature, expected) in [
        (CERTIFIED, None),
        ("", Some(PdfFault::Restricted)),
        (
            "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >>]",
            Some(PdfFault::Restricted),
        ),
        (
            "/Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /Include /Fields [(S)] >> >>]",
            None,
        ),
        (
            "/Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /All >> >>]",
            Some(PdfFault::Restricted),
        ),
    ] {
        let once = prepared(&world, &Prepared { signature, ..OPEN });
        assert_eq!(
            filled(&once, &[(7, &value), (11, &look)]),
            expected,
            "{signature}"
        );
    }
    let once = prepared(&world, &OPEN);
    let mut writer = PdfWriter::update(&once);
    writer.object(7, text("", "/V (B) /AP << /N 8 0 R >>"));
    writer.object(8, &look);
    let file = writer.finish_update();
    let reports = reports(validate(&file, &world.good(), now()));
    let coverage = reports[0].coverage.as_ref().expect("coverage");
    assert_eq!(coverage.later, [LaterChange::FormFilled]);
}

#[test]
fn a_later_signature_closes_what_it_does_not_open() {
    let world = World::new();
    let once = prepared(&world, &OPEN);
    let again = |lock: &str| {
        sign_pdf_raw(&once, &world.organisation, 13, |writer| {
            let form = "<< /Fields [5 0 R 7 0 R 12 0 R] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(12, format!("<< /FT /Sig /T (Z) /V 13 0 R /Lock << {lock} >> >>"));
        })
    };
    let value = text("", "/V (B) /AP << /N 8 0 R >>");
    let objects: [(u32, &str); 1] = [(7, &value)];
    assert_eq!(filled(&again("/Action /Include /Fields [(S)]"), &objects), None);
    let closed = filled(&again("/Action /Include /Fields [(T)]"), &objects);
    assert_eq!(closed, Some(PdfFault::Restricted));
}

#[test]
fn nothing_but_value_and_look_of_a_field_changes() {
    let world = World::new();
    let once = prepared(&world, &OPEN);
    let look = format!("<< {FORM} >>\nstream\nB\nendstream");
    let good = text("", "/V (B) /AP << /N 8 0 R >>");
    assert_eq!(filled(&once, &[(7, &good)]), None);
    for value in [
        text("/FT /Ch", "/V (B) /AP << /N 8 0 R >>"),
        text("/Rect [0 0 99 99]", "/V (B) /AP << /N 8 0 R >>"),
        text("/AA << >>", "/V (B) /AP << /N 8 0 R >>"),
        text("", "/V 4 0 R /AP << /N 8 0 R >>"),
        good.replace("(T)", "(U)"),
    ] {
        assert_eq!(
            filled(&once, &[(7, &value)]),
            Some(PdfFault::Changed { number: 7 }),
            "{value}"
        );
    }
    let script = "<< /S /JavaScript >>";
    assert_eq!(
        filled(&once, &[(7, &good), (11, script)]),
        Some(PdfFault::Changed { number: 11 })
    );
    assert_eq!(
        filled(&once, &[(10, "<< /N 11 0 R >>"), (11, &look)]),
        Some(PdfFault::Changed { number: 11 })
    );
    assert_eq!(
        filled(&once, &[(7, &good), (10, "<< /N 8 0 R >>")]),
        Some(PdfFault::Changed { number: 10 })
    );
}

#[test]
fn fonts_come_where_no_reader_takes_them_for_what_was_signed() {
    let world = World::new();
    let judge = |form: &'static str, after: &str| {
        let once = prepared(&world, &Prepared { form, ..OPEN });
        let form = format!("<< /Fields [5 0 R 7 0 R] /SigFlags 3 {after} >>");
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Version /2.0 >>");
        filled(&once, &[(1, &catalog), (12, "<< /Type /Font >>")])
    };
    let changed = Some(PdfFault::Changed { number: 1 });
    assert_eq!(judge("", "/DR << /Font << /F9 12 0 R >> >>"), None);
    let long = |length: usize| format!("/DR << /Font << /{} 12 0 R >> >>", "A".repeat(length));
    assert_eq!(judge("", &long(127)), None);
    assert_eq!(judge("", &long(128)), changed);
    // A default appearance that readers part into other words asks for whatever comes.
    let asked = |appearance: &'static str| {
        let once = prepared(
            &world,
            &Prepared {
                text: appearance,
                ..OPEN
            },
        );
        let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 /DR << /Font << /F19 12 0 R >> >> >>";
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Version /2.0 >>");
        filled(&once, &[(1, &catalog), (12, "<< /Type /Font >>")])
    };
    assert_eq!(asked("/DA (/F1 9 Tf 0 g)"), None);
    for appearance in [
        "/DA (/F19 9 Tf 0 g)",
        "/DA (/F\\0619 9 Tf 0 g\r)",
        "/DA (/F19\\200 9 Tf)",
        "/DA (/F19\\377 9 Tf)",
        "/DA (/F19\\013 9 Tf)",
        "/DA (/F#319 9 Tf)",
    ] {
        assert_eq!(asked(appearance), changed, "{appearance}");
    }
    // Some readers end a name where others go on.
    assert_eq!(judge("", "/DR << /Font << /F#20 12 0 R >> >>"), changed);
    // Readers ask for these by themselves.
    assert_eq!(judge("", "/DR << /Font << /ZaDb 12 0 R >> >>"), changed);
    assert_eq!(judge("", "/DR << /Font << /Helv 12 0 R >> >>"), changed);
    assert_eq!(judge("", "/DR << /Font << /popplerfont0 12 0 R >> >>"), changed);
    let made = "/NeedAppearances true";
    assert_eq!(
        judge(made, &format!("{made} /DR << /Font << /F9 12 0 R >> >>")),
        changed
    );
}

#[test]
fn a_font_of_the_form_may_lose_its_name_alone() {
    let world = World::new();
    let font = "/Type /Font /Subtype /Type1 /BaseFont /Helvetica";
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R] /SigFlags 3 /DR << /Font << /Helv 12 0 R >> >> >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        writer.object(12, format!("<< {font} /Name /Helv >>"));
    });
    // What else draws with it may draw with its name.
    let shared = |name: &str, page: &str| {
        let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R] /SigFlags 3 /DR << /Font << /Helv 12 0 R >> >> >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            let words = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
            writer.object(3, format!("<< {words} /Resources << {page} >> >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            writer.object(12, format!("<< {font} /Name {name} >>"));
        });
        let form = "<< /Fields [5 0 R] /SigFlags 3 /DR << /Font << /Helv 12 0 R >> >> >>";
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Version /2.0 >>");
        filled(&once, &[(1, &catalog), (12, &format!("<< {font} >>"))])
    };
    assert_eq!(shared("/Helv", "/Font << /F 12 0 R >>"), None);
    assert_eq!(
        shared("/Helv", "/XObject 12 0 R"),
        Some(PdfFault::Changed { number: 3 })
    );
    assert_eq!(
        shared("4 0 R", "/Font << /F 12 0 R >>"),
        Some(PdfFault::Changed { number: 12 })
    );
    let changed = Some(PdfFault::Changed { number: 12 });
    let form = "<< /Fields [5 0 R] /SigFlags 3 /DR << /Font << /Helv 12 0 R >> >> >>";
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Version /2.0 >>");
    for (after, expected) in [
        (format!("<< {font} >>"), None),
        (format!("<< {font} /Name /F >>"), changed),
        (format!("<< {font} /FirstChar 1 >>"), changed),
        (
            "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>".to_owned(),
            changed,
        ),
    ] {
        assert_eq!(filled(&once, &[(1, &catalog), (12, &after)]), expected, "{after}");
    }
}

#[test]
fn a_field_that_is_not_for_filling_in_stays() {
    let world = World::new();
    let judge = |text_more: &'static str, form: &'static str| {
        let once = prepared(
            &world,
            &Prepared {
                text: text_more,
                form,
                ..OPEN
            },
        );
        let value = text(text_more, "/V (B) /AP << /N 8 0 R >>");
        filled(&once, &[(7, &value)])
    };
    let changed = Some(PdfFault::Changed { number: 7 });
    assert_eq!(judge("/Ff 2", ""), None);
    assert_eq!(judge("/Ff 1", ""), changed);
    assert_eq!(judge("/FT /Btn /Ff 65536", ""), changed);
    assert_eq!(judge("/FT /Btn", ""), None);
    assert_eq!(judge("", "/NeedAppearances false"), None);
    assert_eq!(judge("", "/NeedAppearances true"), changed);
    assert_eq!(judge("", "/XFA []"), Some(PdfFault::Xfa));
    assert_eq!(
        judge("/Rect [0 0 595 842]", ""),
        Some(PdfFault::Overlaid { number: 7 })
    );
}

#[test]
fn a_look_that_something_else_shows_too_stays() {
    let world = World::new();
    let look = format!("<< {FORM} >>\nstream\nB\nendstream");
    assert_eq!(filled(&prepared(&world, &OPEN), &[(8, &look)]), None);
    let shared = Prepared {
        form: "/DR << /XObject << /X 8 0 R >> >>",
        ..OPEN
    };
    let shared = prepared(&world, &shared);
    assert_eq!(
        filled(&shared, &[(8, &look)]),
        Some(PdfFault::Changed { number: 8 })
    );
    let good = text("", "/V (B) /AP << /N 8 0 R >>");
    assert_eq!(filled(&shared, &[(7, &good)]), None);
    assert_eq!(
        filled(&shared, &[(7, &good), (8, &look)]),
        Some(PdfFault::Changed { number: 1 })
    );
    let other = "<< /Type /Font /Length 1 >>\nstream\nB\nendstream";
    let changed = filled(&prepared(&world, &OPEN), &[(7, &good), (8, other)]);
    assert_eq!(changed, Some(PdfFault::Changed { number: 8 }));
}

#[test]
fn a_field_for_filling_in_gets_no_default_appearance() {
    let world = World::new();
    let file = prepared(&world, &OPEN);
    let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 /DA (/Helv 0 Tf 0 g) >>";
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>");
    assert_eq!(
        filled(&file, &[(1, &catalog)]),
        Some(PdfFault::Changed { number: 1 })
    );
    // Nor does what stands on a page and in no form.
    for annotation in [
        "<< /Type /Annot /Subtype /Widget /FT /Tx /V (1.000) /Rect [0 0 99 9] >>",
        "<< /Type /Annot /Subtype /Widget /Parent 9 0 R /Rect [0 0 99 9] >>",
        "<< /Type /Annot /Subtype /FreeText /Contents (nothing is to be paid) /Rect [0 0 99 9] >>",
    ] {
        let signed = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
            writer.object(3, format!("<< {page} /Annots [8 0 R] >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            writer.object(8, annotation);
        });
        let form = "<< /Fields [5 0 R] /SigFlags 3 /DA (/Helv 0.01 Tf 1 g) >>";
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Version /2.0 >>");
        let found = filled(&signed, &[(1, &catalog)]);
        assert_eq!(found, Some(PdfFault::Changed { number: 1 }), "{annotation}");
    }
}
