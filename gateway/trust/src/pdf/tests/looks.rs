//! Fields that are no widgets, or do not say so by themselves: a look that nobody measured replaces a page.

use super::stamps::STAMP;
use super::*;
use crate::testing::{SIGNATURE, fill_contents};

const FORM: &str = "/Type /XObject /Subtype /Form /BBox [0 0 595 842]";

/// What a field may call itself; 10 is the name Widget.
pub(super) const KINDS: [&str; 4] = ["/Subtype /Widget", "/Subtype 10 0 R", "/Subtype /Stamp", ""];

/// The page signed by the person, certified for being filled in, with the further field 7 and its look 8.
pub(super) fn prepared(world: &World, field: &str) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
        writer.object(3, format!("<< {page} /Annots [7 0 R] >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        writer.object(7, format!("<< {field} >>"));
        writer.object(8, format!("<< {FORM} /Length 1 >>\nstream\nS\nendstream"));
        writer.object(10, "/Widget");
        let certified = " /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>]";
        writer.signature.push_str(certified);
    })
}

/// A field of this type and kind over a rectangle, with what it says more.
pub(super) fn field(kind: &str, (of, rectangle): (&str, &str), more: &str) -> String {
    format!("/FT /{of} /T (F) /Type /Annot {kind} /Rect {rectangle} /P 3 0 R /F 132 {more}")
}

pub(super) const LOOK: &str = "/AP << /N 11 0 R >>";

fn look() -> String {
    format!("<< {FORM} /Length 1 >>\nstream\nB\nendstream")
}

/// What comes of a signature of this kind in the field that waited.
pub(super) fn signed(
    file: &[u8],
    after: &str,
    signature: &str,
    made: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Option<PdfFault> {
    let mut writer = PdfWriter::update(file);
    writer.object(7, format!("<< {after} /V 9 0 R >>"));
    writer.object(11, look());
    writer.signature = signature.to_owned();
    fault(&fill_contents(writer.finish_open(9), made))
}

#[test]
fn a_field_that_waits_gets_a_look_only_as_a_plain_widget() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    let overlaid = Some(PdfFault::Overlaid { number: 7 });
    for (place, kind) in KINDS.iter().enumerate() {
        let judge = |rectangle: &str, signature: &str| {
            let once = prepared(&world, &field(kind, ("Sig", rectangle), ""));
            let after = field(kind, ("Sig", rectangle), LOOK);
            signed(&once, &after, signature, |covered| {
                world.organisation.sign(covered)
            })
        };
        let is_plain = place == 0;
        assert_eq!(
            judge("[0 0 595 842]", SIGNATURE),
            if is_plain { overlaid } else { changed }
        );
        assert_eq!(
            judge("[0 0 99 99]", SIGNATURE),
            if is_plain { None } else { changed }
        );
        // Nobody signed: whatever is called a time-stamp shows nothing, were it as small as that.
        assert_eq!(
            judge("[0 0 9 9]", STAMP),
            if is_plain { overlaid } else { changed }
        );
    }
    // Not even the flags of one that is none may change.
    let once = prepared(&world, &field("", ("Sig", "[0 0 9 9]"), ""));
    let after = field("", ("Sig", "[0 0 9 9]"), "").replace("132", "4");
    let shown = signed(&once, &after, SIGNATURE, |covered| {
        world.organisation.sign(covered)
    });
    assert_eq!(shown, changed);
}

#[test]
fn a_field_that_is_filled_in_looks_otherwise_only_as_a_plain_widget() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    for (place, kind) in KINDS.iter().enumerate() {
        let of = ("Tx", "[0 0 99 9]");
        let once = prepared(&world, &field(kind, of, "/AP << /N 8 0 R >>"));
        let expected = if place == 0 { None } else { changed };
        let update = |objects: &[(u32, String)]| {
            let mut writer = PdfWriter::update(&once);
            for (number, value) in objects {
                writer.object(*number, value);
            }
            fault(&writer.finish_update())
        };
        let value = format!("<< {} >>", field(kind, of, &format!("/V (B) {LOOK}")));
        assert_eq!(update(&[(7, value), (11, look())]), expected, "{kind}");
        assert_eq!(update(&[(8, look())]), expected, "{kind}");
    }
}

#[test]
fn a_look_has_a_box() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    let unboxed = "<< /Type /XObject /Subtype /Form /Length 1 >>\nstream\nB\nendstream";
    let boxed = "<< /Type /XObject /Subtype /Form /BBox [0 0 0 0] /Length 1 >>\nstream\nn\nendstream";
    let halved = "<< /Type /XObject /Subtype /Form /BBox [0 0 9] /Length 1 >>\nstream\nB\nendstream";
    // Nothing of it is seen where readers keep to its place, which is none.
    let once = prepared(&world, &field(KINDS[0], ("Sig", "[0 0 0 0]"), ""));
    for (states, expected) in [("11 0 R", None), ("<< /A 11 0 R >>", None), ("12 0 R", None)] {
        for (look, expected) in [
            (boxed, expected),
            (unboxed, changed),
            (halved, changed),
            ("<< /Length 1 >>\nstream\nB\nendstream", changed),
        ] {
            let mut writer = PdfWriter::update(&once);
            let after = field(KINDS[0], ("Sig", "[0 0 0 0]"), &format!("/AP << /N {states} >>"));
            writer.object(7, format!("<< {after} /V 9 0 R >>"));
            writer.object(11, look);
            if states.starts_with("12") {
                writer.object(12, "<< /A 11 0 R >>");
            }
            writer.signature = STAMP.to_owned();
            let file = fill_contents(writer.finish_open(9), |_| vec![0x30, 0]);
            assert_eq!(fault(&file), expected, "{states} {look}");
        }
    }
}

#[test]
fn a_look_without_room_draws_nothing_and_none_is_turned_askew() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    let (none, thin, small) = ("[9 9 9 9]", "[0 0 595 0.9]", "[0 0 9 9]");
    for (rectangle, form, content, expected) in [
        (none, "/BBox [0 0 9 9]", "", None),
        (none, "/BBox [0 0 9 9]", " % DSBlank\n", None),
        (none, "/BBox [0 0 9 9]", "BT (B) Tj ET", changed),
        (none, "/BBox [0 0 0 0]", "BT (B) Tj ET", changed),
        (none, "/BBox [0 0 0 0]", "q Q", None),
        (small, "/BBox [0 0 0.5 9]", "BT (B) Tj ET", changed),
        (small, "/BBox [0 0 0.5 9]", "0 0 9 9 re W n", None),
        (none, "/BBox [0 0 0.0005 0.0005]", "BT (B) Tj ET", changed),
        (thin, "/BBox [0 0 9 9]", "BT (B) Tj ET", changed),
        (small, "/BBox [0 0 9 9]", "BT (B) Tj ET", None),
        (small, "/BBox [0 0 9 9] /Matrix [1 0 0 1 5 5.5]", "B", None),
        (small, "/BBox [0 0 9 9] /Matrix [0 1 -1 0 9 0]", "B", None),
        (small, "/BBox [0 0 9 9] /Matrix [-1 0 0 1.0 9 0]", "B", None),
        (small, "/BBox [0 0 9 9] /Matrix [0.5 0 0 0.5 0 0]", "B", None),
        (
            small,
            "/BBox [0 0 9 9] /Matrix [-0.00000004371139 1 -1 -0.00000004371139 9 0]",
            "B",
            None,
        ),
        (
            small,
            "/BBox [0 0 9 9] /Matrix [0.00001 0 0 0.00001 0 0]",
            "B",
            changed,
        ),
        (small, "/BBox [0 0 9 9] /Matrix [1 1 0 1 0 0]", "B", changed),
        (small, "/BBox [0 0 9 9] /Matrix [0 0 0 0 0 0]", "B", changed),
        (small, "/BBox [0 0 9 9] /Matrix [1 0 0 1 5]", "B", changed),
        (small, "/BBox [0 0 9 9] /Matrix [1 0 0 1 9000000 0]", "B", changed),
    ] {
        let once = prepared(&world, &field(KINDS[0], ("Sig", rectangle), ""));
        let mut writer = PdfWriter::update(&once);
        let after = field(KINDS[0], ("Sig", rectangle), LOOK);
        writer.object(7, format!("<< {after} /V 9 0 R >>"));
        let length = content.len();
        writer.object(
            11,
            format!("<< /Subtype /Form {form} /Length {length} >>\nstream\n{content}\nendstream"),
        );
        let file = fill_contents(writer.finish_open(9), |covered| world.organisation.sign(covered));
        assert_eq!(fault(&file), expected, "{rectangle} {form} {content}");
    }
}

#[test]
fn a_field_that_waits_covers_no_page_and_stands_on_one() {
    let world = World::new();
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        writer.object(2, "<< /Type /Pages /Kids [3 0 R 10 0 R] /Count 2 >>");
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]";
        writer.object(10, format!("<< {page} /Contents 4 0 R >>"));
    });
    for (rectangle, pages, expected) in [
        ("[0 0 595 842]", &[3][..], Some(PdfFault::Overlaid { number: 7 })),
        ("[0 0 0 0]", &[3], None),
        ("[0 0 9 9]", &[3], Some(PdfFault::Overlaid { number: 7 })),
        ("[0 0 9 9]", &[3, 10], Some(PdfFault::Overlaid { number: 7 })),
    ] {
        let mut writer = PdfWriter::update(&once);
        let form = "<< /Fields [5 0 R 7 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [7 0 R]";
        for number in pages {
            writer.object(*number, format!("<< {page} >>"));
        }
        writer.object(
            7,
            format!("<< /FT /Sig /T (W) /Subtype /Widget /Rect {rectangle} >>"),
        );
        assert_eq!(fault(&writer.finish_update()), expected, "{rectangle} {pages:?}");
    }
}

/// The page signed by the person and certified for being filled in, with fields that these objects are.
fn form(world: &World, fields: &str, annotations: &str, objects: &[(u32, &str)]) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = format!("<< /Fields [5 0 R {fields}] /SigFlags 3 >>");
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
        writer.object(3, format!("<< {page} /Annots [{annotations}] >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        for (number, object) in objects {
            writer.object(*number, object);
        }
        let certified = " /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>]";
        writer.signature.push_str(certified);
    })
}

#[test]
fn what_shows_the_value_of_a_field_is_measured_with_it() {
    let world = World::new();
    let parent = |value: &str| format!("<< /FT /Tx /T (F) /Kids [8 0 R 9 0 R] /V ({value}) >>");
    for (kid, expected) in [
        ("/Subtype /Widget /Rect [0 0 99 99]", None),
        (
            "/Subtype /Widget /Rect [0 0 595 842]",
            Some(PdfFault::Overlaid { number: 9 }),
        ),
        (
            "/Subtype /Stamp /Rect [0 0 99 99]",
            Some(PdfFault::Changed { number: 9 }),
        ),
        (
            "/Subtype /Widget /Rect [0 0 99 99] /AP << /N << /B 10 0 R >> >>",
            Some(PdfFault::Changed { number: 9 }),
        ),
    ] {
        let once = form(
            &world,
            "7 0 R",
            "8 0 R 9 0 R",
            &[
                (7, &parent("A")),
                (
                    8,
                    "<< /Type /Annot /Parent 7 0 R /Subtype /Widget /Rect [0 0 9 9] >>",
                ),
                (9, &format!("<< /Type /Annot /Parent 7 0 R {kid} >>")),
                (
                    10,
                    "<< /Type /XObject /Subtype /Form /Length 1 >>\nstream\nB\nendstream",
                ),
            ],
        );
        let mut writer = PdfWriter::update(&once);
        writer.object(7, parent("B"));
        assert_eq!(fault(&writer.finish_update()), expected, "{kid}");
    }
}

#[test]
fn fields_that_are_filled_in_one_after_the_other_cover_no_page_together() {
    let world = World::new();
    let field = |name: &str, rectangle: &str, value: &str| {
        format!("<< /FT /Tx /T ({name}) /Type /Annot /Subtype /Widget /Rect {rectangle} /V ({value}) >>")
    };
    let (low, high) = ("[0 0 595 400]", "[0 400 595 800]");
    let once = form(
        &world,
        "7 0 R 8 0 R",
        "7 0 R 8 0 R",
        &[(7, &field("L", low, "A")), (8, &field("H", high, "A"))],
    );
    let filled = |file: &[u8], number: u32, object: &str| {
        let mut writer = PdfWriter::update(file);
        writer.object(number, object);
        writer.finish_update()
    };
    let one = filled(&once, 7, &field("L", low, "B"));
    assert_eq!(fault(&one), None);
    let again = filled(&one, 7, &field("L", low, "C"));
    assert_eq!(fault(&again), None, "it is the same one");
    let both = filled(&again, 8, &field("H", high, "B"));
    assert_eq!(fault(&both), Some(PdfFault::Overlaid { number: 8 }));
}

#[test]
fn fields_of_one_name_show_one_value() {
    let world = World::new();
    let field = |name: &str, rectangle: &str, value: &str| {
        format!("<< /FT /Tx /T ({name}) /Type /Annot /Subtype /Widget /Rect {rectangle} {value} >>")
    };
    let whole = "[0 0 595 842]";
    for (name, expected) in [("F", Some(PdfFault::Overlaid { number: 8 })), ("G", None)] {
        let once = form(
            &world,
            "7 0 R 8 0 R",
            "7 0 R 8 0 R",
            &[(7, &field("F", "[0 0 1 1]", "")), (8, &field(name, whole, ""))],
        );
        let mut writer = PdfWriter::update(&once);
        writer.object(7, field("F", "[0 0 1 1]", "/V (B)"));
        assert_eq!(fault(&writer.finish_update()), expected, "{name}");
    }
}

#[test]
fn what_hangs_on_a_field_and_is_none_of_its_kids_keeps_it_from_being_filled_in() {
    let world = World::new();
    let field =
        |value: &str| format!("<< /FT /Tx /T (F) /Type /Annot /Subtype /Widget /Rect [0 0 9 9] {value} >>");
    let hung = "/Type /Annot /Subtype /Widget /Rect [0 0 595 842]";
    for (one, other, expected) in [
        (format!("<< {hung} >>"), "<< >>", None),
        (
            format!("<< {hung} /Parent 7 0 R >>"),
            "<< >>",
            Some(PdfFault::Changed { number: 8 }),
        ),
        (
            format!("<< {hung} /Parent 9 0 R >>"),
            "<< /Parent 7 0 R >>",
            Some(PdfFault::Changed { number: 9 }),
        ),
    ] {
        let all = [(7, &*field("")), (8, &*one), (9, other)];
        let once = form(&world, "7 0 R", "7 0 R 8 0 R", &all);
        let mut writer = PdfWriter::update(&once);
        writer.object(7, field("/V (B)"));
        assert_eq!(fault(&writer.finish_update()), expected, "{one} {other}");
    }
}

#[test]
fn fields_whose_names_are_not_known_may_be_namesakes() {
    let world = World::new();
    let field = |name: &str, rectangle: &str, value: &str| {
        format!("<< /FT /Tx /T {name} /Type /Annot /Subtype /Widget /Rect {rectangle} {value} >>")
    };
    let overlaid = Some(PdfFault::Overlaid { number: 8 });
    for (name, expected) in [
        ("(G)", None),
        ("<FEFF001B0065006E001B0046>", overlaid),
        ("<FFFE4600>", overlaid),
        ("()", overlaid),
    ] {
        let (one, other) = (field("(F)", "[0 0 1 1]", ""), field(name, "[0 0 595 842]", ""));
        let once = form(&world, "7 0 R 8 0 R", "7 0 R 8 0 R", &[(7, &one), (8, &other)]);
        let mut writer = PdfWriter::update(&once);
        writer.object(7, field("(F)", "[0 0 1 1]", "/V (B)"));
        assert_eq!(fault(&writer.finish_update()), expected, "{name}");
    }
}

#[test]
fn a_look_lies_where_every_reader_counts_to() {
    let world = World::new();
    for (rectangle, expected) in [
        ("[600000 0 600001 9]", None),
        (
            "[4294967295 0 4294967296 800]",
            Some(PdfFault::Changed { number: 7 }),
        ),
        (
            "[8589935103. 0 8589935105. 800]",
            Some(PdfFault::Changed { number: 7 }),
        ),
    ] {
        let once = prepared(&world, &field(KINDS[0], ("Sig", rectangle), ""));
        let after = field(KINDS[0], ("Sig", rectangle), LOOK);
        let found = signed(&once, &after, SIGNATURE, |covered| {
            world.organisation.sign(covered)
        });
        assert_eq!(found, expected, "{rectangle}");
    }
}

#[test]
fn what_a_waiting_field_showed_is_not_withdrawn() {
    let world = World::new();
    let changed = Some(PdfFault::Changed { number: 7 });
    for (look, expected) in [
        ("/AP << /N 8 0 R >>", changed),
        ("/MK << /BG [1 1 1] >>", changed),
        ("/BS << /W 9 >>", changed),
        ("/MK << >>", None),
        ("", None),
    ] {
        let once = prepared(&world, &field(KINDS[0], ("Sig", "[0 0 595 842]"), look));
        let kept = if look.starts_with("/AP") { "" } else { look };
        let nowhere = field(KINDS[0], ("Sig", "[0 0 0 0]"), kept);
        let judge = |signature: &str| {
            let mut writer = PdfWriter::update(&once);
            writer.object(7, format!("<< {nowhere} /V 9 0 R >>"));
            writer.signature = signature.to_owned();
            fault(&fill_contents(writer.finish_open(9), |covered| {
                world.organisation.sign(covered)
            }))
        };
        assert_eq!(judge(SIGNATURE), expected, "{look}");
        assert_eq!(judge(STAMP), changed, "a stamp moves nothing: {look}");
    }
}

/// The page signed once, where the field of the signature and its widget are two: `parent` is the field 5, `kid` the widget 7.
fn split(world: &World, parent: &str, kid: &str) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let form = "<< /Fields [5 0 R] /SigFlags 3 >>";
        writer.object(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} >>"));
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
        writer.object(3, format!("<< {page} /Annots [7 0 R] >>"));
        writer.object(5, format!("<< /FT /Sig /Kids [7 0 R] {parent} >>"));
        let widget = "/Type /Annot /Subtype /Widget /Parent 5 0 R /Rect [0 0 99 99] /P 3 0 R /F 132";
        writer.object(7, format!("<< {widget} /AP << /N 8 0 R >> {kid} >>"));
        writer.object(8, format!("<< {FORM} /Length 1 >>\nstream\nS\nendstream"));
    })
}

#[test]
fn what_a_signed_field_shows_does_not_change_through_its_parent_or_its_kid() {
    let world = World::new();
    let widget = "/Type /Annot /Subtype /Widget /Parent 5 0 R /Rect [0 0 99 99] /P 3 0 R /F 132";
    let sign = |once: &[u8], changes: [(u32, String); 2]| {
        let mut writer = PdfWriter::update(once);
        for (number, value) in changes {
            writer.object(number, format!("<< {value} >>"));
        }
        writer.object(11, look());
        fault(&fill_contents(writer.finish_open(9), |covered| {
            world.organisation.sign(covered)
        }))
    };
    let field = |more: &str| (5, format!("/FT /Sig /T (a) /Kids [7 0 R] {more}"));
    // The kid of a signed field is signed as one.
    let once = split(&world, "/T (a) /V 6 0 R", "");
    let below = sign(
        &once,
        [field("/V 6 0 R"), (7, format!("{widget} {LOOK} /V 9 0 R"))],
    );
    assert_eq!(below, Some(PdfFault::Changed { number: 7 }));
    // The parent of a signed one is.
    let once = split(&world, "/T (a)", "/T (b) /V 6 0 R");
    let above = sign(
        &once,
        [field("/V 9 0 R"), (7, format!("{widget} /T (b) {LOOK} /V 6 0 R"))],
    );
    assert_eq!(above, Some(PdfFault::Changed { number: 7 }));
}
