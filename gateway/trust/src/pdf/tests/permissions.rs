//! DocMDP, FieldMDP and Lock: what an earlier signature allows.

use super::*;

/// The page signed by the person with these words in the signature dictionary and the field.
pub(super) fn signed_with(world: &World, signature: &str, field: &str) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(5, format!("<< /FT /Sig /T (S5) /V 6 0 R {field} >>"));
        writer.signature.push_str(signature);
    })
}

fn certified(world: &World, level: &str) -> Vec<u8> {
    let parameters = format!("<< /Type /TransformParams /V /1.2 {level} >>");
    let reference = format!("<< /TransformMethod /DocMDP /TransformParams {parameters} >>");
    signed_with(world, &format!("/Reference [{reference}]"), "")
}

/// A further signature in the new field S7.
fn signed_again(world: &World, file: &[u8], signature: &str) -> Vec<u8> {
    sign_pdf_raw(file, &world.organisation, 8, |writer| {
        let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(7, "<< /FT /Sig /T (S7) /V 8 0 R >>");
        writer.signature.push_str(signature);
    })
}

/// Material for validation, which is no change.
fn with_material(file: &[u8]) -> Vec<u8> {
    with_catalog(file, "/DSS << >>")
}

fn with_catalog(file: &[u8], more: &str) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} {more} >>");
    writer.object(1, catalog);
    writer.finish_update()
}

#[test]
fn a_certification_allows_what_it_says() {
    let world = World::new();
    for (level, further) in [
        ("/P 1", Some(PdfFault::Restricted)),
        ("/P 2", None),
        ("/P 3", None),
        ("", None),
        ("/P 4", Some(PdfFault::Restricted)),
        ("/P (2)", Some(PdfFault::Restricted)),
    ] {
        let once = certified(&world, level);
        assert_eq!(fault(&once), None);
        assert_eq!(fault(&signed_again(&world, &once, "")), further, "{level}");
        let is_understood = !matches!(level, "/P 4" | "/P (2)");
        let material = (!is_understood).then_some(PdfFault::Restricted);
        assert_eq!(fault(&with_material(&once)), material, "{level}");
        let version = fault(&with_catalog(&once, "/Version /2.0"));
        assert_eq!(version, further, "{level}");
        assert_eq!(
            fault(&with_catalog(&once, "/Version /2.0 /DSS << >>")),
            material,
            "{level}"
        );
    }
}

#[test]
fn what_is_not_understood_allows_nothing() {
    let world = World::new();
    for (signature, field) in [
        ("/Reference [<< /TransformMethod /UR3 >>]", ""),
        ("/Reference [<< >>]", ""),
        ("/Reference 4", ""),
        ("", "/Lock << /Action /Some >>"),
        ("", "/Lock []"),
        ("", "/Lock << /Action /Exclude /Fields (S7) >>"),
    ] {
        let once = signed_with(&world, signature, field);
        assert_eq!(fault(&once), None);
        assert_eq!(
            fault(&with_material(&once)),
            Some(PdfFault::Restricted),
            "{signature}{field}"
        );
    }
    assert_eq!(
        fault(&with_material(&signed_with(&world, "/Reference []", ""))),
        None
    );
}

#[test]
fn a_lock_covers_the_fields_that_it_says() {
    let world = World::new();
    for (lock, is_open) in [
        ("/Action /All", false),
        ("/Action /Include /Fields [(S5)]", true),
        ("/Action /Include /Fields [(S7)]", false),
        ("/Action /Include /Fields [<FEFF00530037>]", false),
        ("/Action /Include /Fields [(S)]", true),
        ("/Action /Include /Fields [4]", false),
        ("/Action /Exclude /Fields [(S7)]", true),
        ("/Action /Exclude /Fields [(S5)]", false),
        ("/Action /Exclude /Fields [4]", false),
        ("/Action /Include /Fields [] /P 1", false),
        ("/Action /Include /Fields [] /P 2", true),
    ] {
        let expected = (!is_open).then_some(PdfFault::Restricted);
        let locked = signed_with(&world, "", &format!("/Lock << {lock} >>"));
        assert_eq!(fault(&signed_again(&world, &locked, "")), expected, "Lock {lock}");
        assert_eq!(fault(&with_material(&locked)), None, "Lock {lock}");
        if !lock.contains("/P") {
            let reference =
                format!("/Reference [<< /TransformMethod /FieldMDP /TransformParams << {lock} >> >>]");
            let locked = signed_with(&world, &reference, "");
            assert_eq!(
                fault(&signed_again(&world, &locked, "")),
                expected,
                "FieldMDP {lock}"
            );
        }
    }
}

#[test]
fn only_the_first_signature_certifies() {
    let world = World::new();
    let reference = "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>]";
    let once = signed_with(&world, "", "");
    assert_eq!(fault(&signed_again(&world, &once, "")), None);
    assert_eq!(
        fault(&signed_again(&world, &once, reference)),
        Some(PdfFault::Certification)
    );
    let named = |named: u32, signature: &str| {
        let file = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            let permissions = format!("<< /DocMDP {named} 0 R >>");
            let catalog = format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /Perms {permissions} >>");
            writer.object(1, catalog);
            writer.object(5, "<< /FT /Sig /T (S5) /V 6 0 R >>");
            writer.signature.push_str(signature);
        });
        fault(&file)
    };
    assert_eq!(named(6, reference), None);
    assert_eq!(named(6, ""), Some(PdfFault::Certification));
    assert_eq!(named(4, reference), Some(PdfFault::Certification));
}

#[test]
fn annotations_are_refused_even_where_they_are_allowed() {
    let world = World::new();
    let once = certified(&world, "/P 3");
    let mut writer = PdfWriter::update(&once);
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
    writer.object(3, format!("<< {page} /Annots [7 0 R] >>"));
    writer.object(
        7,
        "<< /Type /Annot /Subtype /FreeText /Rect [0 0 99 99] /Contents (B) >>",
    );
    assert_eq!(
        fault(&writer.finish_update()),
        Some(PdfFault::Changed { number: 3 })
    );
}

/// Names are referred to from many places, and each place is paid for.
#[test]
fn names_are_as_many_as_a_file_may_refer_to() {
    let world = World::new();
    let judge = |transforms: usize, octets: usize| {
        let one = "<< /TransformMethod /FieldMDP /TransformParams << /Action /Include /Fields 8 0 R >> >> ";
        let file = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(5, "<< /FT /Sig /T (S5) /V 6 0 R >>");
            writer.object(8, format!("[({})]", "n".repeat(octets)));
            writer
                .signature
                .push_str(&format!(" /Reference [{}]", one.repeat(transforms)));
        });
        fault(&file)
    };
    assert_eq!(judge(16, 200 << 10), None);
    assert_eq!(judge(2, 2 << 20), Some(PdfFault::TooLarge));
    assert_eq!(judge(16, 300 << 10), Some(PdfFault::TooLarge));
}

#[test]
fn a_name_is_as_long_as_a_file_may_refer_to() {
    let world = World::new();
    let judge = |octets: usize| {
        let field = format!("/T ({})", "n".repeat(octets));
        let file = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            let form = "<< /Fields [5 0 R ] /SigFlags 3 >>";
            writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
            writer.object(5, format!("<< /FT /Sig {field} /V 6 0 R >>"));
        });
        fault(&file)
    };
    assert_eq!(judge((4 << 20) - 32), None);
    assert_eq!(judge((4 << 20) - 31), Some(PdfFault::TooLarge));
}
