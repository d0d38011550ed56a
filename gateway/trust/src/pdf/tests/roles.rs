//! Objects that are one thing to the white list and another one to whoever draws the page.

use super::*;

/// What the signed file says beside what a file must.
#[derive(Clone, Copy, Default)]
struct Prepared {
    page: &'static str,
    catalog: &'static str,
    trailer: &'static str,
    objects: &'static [(u32, &'static str)],
}

const FORM: &str = "/AcroForm << /Fields [5 0 R 7 0 R 8 0 R] /SigFlags 3 >>";

const FIELD: &str = "/FT /Tx /T (T) /Type /Annot /Subtype /Widget /Rect [0 0 9 9]";

const WAITING: &str = "/FT /Sig /T (W) /Type /Annot /Subtype /Widget /Rect [0 0 0 0]";

/// A page with a text field 7 and a field 8 for a signature, certified for being filled in.
fn prepared(world: &World, prepared: Prepared) -> Vec<u8> {
    sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R {FORM} {} >>", prepared.catalog);
        writer.object(1, catalog);
        let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [7 0 R]";
        writer.object(3, format!("<< {page} {} >>", prepared.page));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        writer.object(7, format!("<< {FIELD} /V /DeviceRGB >>"));
        writer.object(8, format!("<< {WAITING} >>"));
        for (number, value) in prepared.objects {
            writer.object(*number, value);
        }
        let certified =
            " /Reference [<< /TransformMethod /DocMDP /Data 1 0 R /TransformParams << /P 2 >> >>]";
        writer.signature.push_str(certified);
        writer.trailer = prepared.trailer;
    })
}

fn updated(file: &[u8], trailer: &'static str, objects: &[(u32, &str)]) -> Option<PdfFault> {
    let mut writer = PdfWriter::update(file);
    for (number, value) in objects {
        writer.object(*number, value);
    }
    writer.trailer = trailer;
    fault(&writer.finish_update())
}

/// Resources of the page that are another object as a whole.
fn resources(of: &'static str) -> Prepared {
    Prepared {
        page: of,
        ..Prepared::default()
    }
}

const CHANGED_PAGE: Option<PdfFault> = Some(PdfFault::Changed { number: 3 });

#[test]
fn a_catalog_that_the_page_draws_with_does_not_change() {
    let world = World::new();
    let catalog = |more: &str| format!("<< /Type /Catalog /Pages 2 0 R {FORM} {more} >>");
    let state = catalog("/Extensions << /ca 0 >>");
    for (page, expected) in [
        ("", None),
        ("/Resources << /ExtGState 1 0 R >>", CHANGED_PAGE),
        ("/Resources << /Pattern 1 0 R >>", CHANGED_PAGE),
    ] {
        let once = prepared(&world, resources(page));
        assert_eq!(updated(&once, "", &[(1, &state)]), expected, "{page}");
    }
    // Nor does what it names.
    let packet = "<< /Type /Metadata /Subtype /XML /Length 1 >>\nstream\nS\nendstream";
    for (page, expected) in [("", None), ("/Resources << /Pattern 1 0 R >>", CHANGED_PAGE)] {
        let once = prepared(
            &world,
            Prepared {
                catalog: "/Metadata 10 0 R",
                objects: &[(
                    10,
                    "<< /Type /Metadata /Subtype /XML /Length 1 >>\nstream\nB\nendstream",
                )],
                ..resources(page)
            },
        );
        assert_eq!(updated(&once, "", &[(10, packet)]), expected, "{page}");
    }
}

#[test]
fn what_is_only_called_a_dss_or_an_information_is_none() {
    let world = World::new();
    let drawing = "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 1 >>\nstream\nS\nendstream";
    let material = format!("<< /Type /Catalog /Pages 2 0 R {FORM} /DSS << /Certs [11 0 R] >> >>");
    let once = prepared(
        &world,
        Prepared {
            objects: &[
                (10, "<< /DSS 11 0 R /Info 11 0 R /Type /XRef >>"),
                (11, "<< /Length 1 >>\nstream\nB\nendstream"),
            ],
            ..resources("/Resources << /XObject 10 0 R >>")
        },
    );
    assert_eq!(
        updated(&once, "", &[(1, &material), (11, drawing)]),
        Some(PdfFault::Changed { number: 10 })
    );
    let told = "<< /Producer (A) >>";
    assert_eq!(
        updated(&once, "/Info 11 0 R ", &[(11, told)]),
        Some(PdfFault::Changed { number: 11 })
    );
    assert_eq!(updated(&once, "/Info 12 0 R ", &[(12, told)]), None);
    let informed = prepared(
        &world,
        Prepared {
            trailer: "/Info 12 0 R ",
            objects: &[(12, "<< /Producer (B) >>")],
            ..Prepared::default()
        },
    );
    assert_eq!(updated(&informed, "/Info 12 0 R ", &[(12, told)]), None);
}

#[test]
fn a_field_that_the_page_draws_with_is_not_filled_in_nor_signed() {
    let world = World::new();
    let filled = format!("<< {FIELD} /V /DeviceGray >>");
    for (page, expected) in [
        ("", None),
        ("/Resources << /ColorSpace 7 0 R >>", CHANGED_PAGE),
        ("/Resources 7 0 R", CHANGED_PAGE),
        ("/PieceInfo 7 0 R", CHANGED_PAGE),
    ] {
        let once = prepared(&world, resources(page));
        assert_eq!(updated(&once, "", &[(7, &filled)]), expected, "{page}");
    }
    for (page, expected) in [("", None), ("/Resources << /ExtGState 8 0 R >>", CHANGED_PAGE)] {
        let once = prepared(&world, resources(page));
        let mut writer = PdfWriter::update(&once);
        writer.object(8, format!("<< {WAITING} /V 9 0 R >>"));
        writer.signature.push_str(" /ca 0");
        let file =
            crate::testing::fill_contents(writer.finish_open(9), |covered| world.organisation.sign(covered));
        assert_eq!(fault(&file), expected, "{page}");
    }
}

#[test]
fn an_update_refers_to_nothing_that_is_not_there() {
    let world = World::new();
    let once = prepared(&world, Prepared::default());
    let catalog =
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 7 0 R 8 0 R 9 0 R] /SigFlags 3 >> >>";
    for (more, expected) in [
        ("/TU (A)", None),
        ("/TU 4 0 R", None),
        ("/TU 99 0 R", Some(PdfFault::Object { number: 9 })),
        ("/TU 4 1 R", Some(PdfFault::Object { number: 9 })),
    ] {
        let field = format!("<< /FT /Sig /T (N) {more} >>");
        assert_eq!(
            updated(&once, "", &[(1, catalog), (9, &field)]),
            expected,
            "{more}"
        );
    }
    // What was said before may stay.
    let lost = prepared(
        &world,
        Prepared {
            catalog: "/Outlines 99 0 R",
            ..Prepared::default()
        },
    );
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R {FORM} /Outlines 99 0 R /Version /2.0 >>");
    assert_eq!(updated(&lost, "", &[(1, &catalog)]), None);
}

#[test]
fn a_form_in_xfa_stays_as_it_was_signed() {
    let world = World::new();
    let catalog = |flags: u8| {
        format!(
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags {flags} /XFA [] >> /Version /2.0 >>"
        )
    };
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        writer.object(1, catalog(1).replace(" /Version /2.0", ""));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
    });
    assert_eq!(fault(&once), None);
    assert_eq!(updated(&once, "", &[(1, &catalog(3))]), Some(PdfFault::Xfa));
}

#[test]
fn a_file_is_linearised_by_a_section_of_its_chain_or_not_at_all() {
    let world = World::new();
    let first = b"<< /Type /Catalog /Pages 2 0 R >>";
    let said = b"<</Type/Catalog/Linearized 1/Pages 2 0 R>>";
    let page = PdfWriter::page();
    let at = memchr::memmem::find(&page, first).expect("the catalog");
    for (octets, is_refused) in [(&first[..], false), (&said[..], true)] {
        // The rest moves: offsets are those of the file as it will be.
        let mut file = page[..at].to_vec();
        file.extend_from_slice(octets);
        let moved = octets.len() - first.len();
        let tail = &page[at + first.len()..];
        let xref = memchr::memmem::find(tail, b"xref\n").expect("a section");
        file.extend_from_slice(&tail[..xref]);
        let section = String::from_utf8(tail[xref..].to_vec()).expect("a section is text");
        let shifted = section.lines().map(|line| {
            let number = line
                .split(' ')
                .next()
                .and_then(|first| first.parse::<usize>().ok());
            match number {
                Some(offset) if offset > at => {
                    let width = line.split(' ').next().map_or(0, str::len);
                    format!("{:0width$}{}", offset + moved, &line[width..])
                }
                Some(_) | None => line.to_owned(),
            }
        });
        let section: String = shifted.map(|line| line + "\n").collect();
        file.extend_from_slice(section.as_bytes());
        let signed = sign_pdf(&file, &world.person, 5, &[]);
        let found = fault(&signed);
        assert_eq!(
            matches!(found, Some(PdfFault::Xref { .. })),
            is_refused,
            "{found:?}"
        );
        assert_eq!(found.is_some(), is_refused, "{found:?}");
    }
}

#[test]
fn what_was_signed_refers_to_objects_by_their_own_generation() {
    let world = World::new();
    let material = "<< /Length 1 >>\nstream\nB\nendstream";
    for (page, expected) in [
        ("/Outlines 4 0 R", None),
        ("/Outlines 99 0 R", None),
        ("/Outlines 4 1 R", Some(PdfFault::Object { number: 3 })),
    ] {
        let once = prepared(&world, resources(page));
        assert_eq!(fault(&once), None, "nothing came after");
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R {FORM} /DSS << /Certs [11 0 R] >> >>");
        assert_eq!(
            updated(&once, "", &[(1, &catalog), (11, material)]),
            expected,
            "{page}"
        );
    }
}

#[test]
fn a_stream_that_is_called_a_section_is_one_of_the_chain() {
    let world = World::new();
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R {FORM} /Version /2.0 >>");
    for (kind, expected) in [("", None), ("/Type /XRef", Some(PdfFault::Object { number: 10 }))] {
        let stream = format!("<< {kind} /Length 1 >>\nstream\nB\nendstream");
        let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            writer.object(
                1,
                catalog.replace(" /Version /2.0", "").replace("7 0 R 8 0 R", ""),
            );
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            writer.object(10, &stream);
        });
        let catalog = catalog.replace("7 0 R 8 0 R", "");
        assert_eq!(updated(&once, "", &[(1, &catalog)]), expected, "{kind}");
    }
}

#[test]
fn what_is_null_is_said_and_not_left_out() {
    let world = World::new();
    let once = prepared(&world, resources("/Rotate null"));
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [7 0 R]";
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R {FORM} /Version /2.0 >>");
    for (words, expected) in [
        ("/Rotate null", None),
        ("", CHANGED_PAGE),
        ("/Rotate null /Resources null", CHANGED_PAGE),
    ] {
        let page = format!("<< {page} {words} >>");
        assert_eq!(
            updated(&once, "", &[(1, &catalog), (3, &page)]),
            expected,
            "{words}"
        );
    }
    // Nor is anything null that is new or may change.
    let filled = |value: &str| updated(&once, "", &[(7, &format!("<< {FIELD} /V {value} >>"))]);
    assert_eq!(filled("/DeviceGray"), None);
    assert_eq!(filled("null"), Some(PdfFault::Changed { number: 7 }));
    let named = |words: &str| {
        let form = FORM.replace("8 0 R", "8 0 R 9 0 R");
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R {form} >>");
        updated(
            &once,
            "",
            &[(1, &catalog), (9, &format!("<< /FT /Sig /T (N) {words} >>"))],
        )
    };
    assert_eq!(named(""), None);
    assert_eq!(named("/Type /Annot"), None);
    assert_eq!(named("/Type /Page"), Some(PdfFault::Changed { number: 9 }));
    assert_eq!(named("/Kids null"), Some(PdfFault::Changed { number: 9 }));
}

#[test]
fn a_field_or_a_page_that_is_a_stream_changes_no_content() {
    let world = World::new();
    let stream = |words: &str, content: &str| {
        format!("<< {words} /Length 12 >>\nstream\nBT ({content}) Tj ET\nendstream")
    };
    // A field that the page draws, by an array.
    let field = "/FT /Tx /T (T)";
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        writer.object(
            1,
            format!("<< /Type /Catalog /Pages 2 0 R {FORM} >>").replace(" 8 0 R", ""),
        );
        writer.object(
            3,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 12 0 R >>",
        );
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        writer.object(7, stream(field, "A"));
        writer.object(12, "[7 0 R]");
        let certified = " /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>]";
        writer.signature.push_str(certified);
    });
    assert_eq!(
        updated(&once, "", &[(7, &stream(field, "B"))]),
        Some(PdfFault::Form)
    );
    // A page that is its own content, and shows a new field.
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 3 0 R";
    let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        writer.object(
            1,
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> >>",
        );
        writer.object(3, stream(page, "A"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
    });
    let catalog = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 9 0 R] /SigFlags 3 >> >>";
    let shown = stream(&format!("{page} /Annots [9 0 R]"), "B");
    let objects = [
        (1, catalog),
        (3, &*shown),
        (9, "<< /FT /Sig /T (N) /Subtype /Widget /Rect [0 0 9 9] >>"),
    ];
    assert_eq!(updated(&once, "", &objects), CHANGED_PAGE);
}

#[test]
fn a_linearised_file_is_signed_and_extended() {
    let world = World::new();
    let mut bytes = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
    let mut places = Vec::new();
    let mut object = |bytes: &mut Vec<u8>, number: u32, value: &str| {
        places.push((number, bytes.len()));
        bytes.extend_from_slice(format!("{number} 0 obj\n{value}\nendobj\n").as_bytes());
    };
    object(&mut bytes, 9, "<< /Linearized 1 /L 0000000000 >>");
    let front = bytes.len();
    let section = "xref\n0 0\ntrailer\n<< /Size 10 /Root 1 0 R /Prev 0000000000 >>\nstartxref\n0\n%%EOF\n";
    bytes.extend_from_slice(section.as_bytes());
    object(&mut bytes, 1, "<< /Type /Catalog /Pages 2 0 R >>");
    object(&mut bytes, 2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
    object(
        &mut bytes,
        3,
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
    );
    object(&mut bytes, 4, "<< /Length 12 >>\nstream\nBT (A) Tj ET\nendstream");
    let main = bytes.len();
    let at = front + section.find("0000000000").expect("a place");
    bytes[at..at + 10].copy_from_slice(format!("{main:010}").as_bytes());
    let mut text = String::from("xref\n0 1\n0000000000 65535 f \n");
    for (number, offset) in &places {
        text.push_str(&format!("{number} 1\n{offset:010} 00000 n \n"));
    }
    text.push_str(&format!(
        "trailer\n<< /Size 10 /Root 1 0 R >>\nstartxref\n{front}\n%%EOF\n"
    ));
    bytes.extend_from_slice(text.as_bytes());
    let own = bytes.len();
    let at = memchr::memmem::find(&bytes, b"/L ").expect("a length") + 3;
    let mut with_length = |length: usize| {
        bytes[at..at + 10].copy_from_slice(format!("{length:010}").as_bytes());
        let once = sign_pdf(&bytes, &world.person, 10, &[]);
        assert_eq!(fault(&once).is_some(), own < length, "{length}");
        (
            once.len(),
            fault(&sign_pdf(&once, &world.organisation, 12, &[10])),
        )
    };
    let (signed, found) = with_length(own);
    assert_eq!(found, None);
    assert_eq!(with_length(0).1, None);
    // Once the file is as long as it says, readers see its first page alone.
    for length in [own + 1, signed, signed + 100_000] {
        assert_eq!(with_length(length).1, Some(PdfFault::Xref { offset: 0 }));
    }
}

#[test]
fn a_new_field_has_a_name_of_its_own() {
    let world = World::new();
    let widget = "/Type /Annot /Subtype /Widget /Rect [0 0 0 0]";
    let once = prepared(
        &world,
        Prepared {
            page: "/Rotate 0",
            objects: &[
                (
                    20,
                    "<< /FT /Tx /T (O) /Type /Annot /Subtype /Widget /Rect [0 0 9 9] >>",
                ),
                (21, "<< /Type /Annot /Subtype /Text /T (P) /Rect [0 0 9 9] >>"),
            ],
            ..Prepared::default()
        },
    );
    let changed = Some(PdfFault::Changed { number: 9 });
    let form = FORM.replace("8 0 R", "8 0 R 9 0 R");
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R {form} >>");
    for (name, expected) in [
        ("/T (N)", None),
        ("/T (P)", None),
        ("/T (T)", changed),
        ("/T <FEFF0054>", changed),
        ("/T (O)", changed),
        ("/T (N.M)", changed),
        ("/T ()", changed),
        ("", changed),
    ] {
        let field = format!("<< /FT /Sig {name} {widget} >>");
        assert_eq!(
            updated(&once, "", &[(1, &catalog), (9, &field)]),
            expected,
            "{name}"
        );
    }
    let form = FORM.replace("8 0 R", "8 0 R 9 0 R 10 0 R");
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R {form} >>");
    let twice = [
        (1, &*catalog),
        (9, "<< /FT /Sig /T (N) >>"),
        (10, "<< /FT /Sig /T (N) >>"),
    ];
    assert_eq!(updated(&once, "", &twice), Some(PdfFault::Changed { number: 10 }));
}

#[test]
fn a_page_gets_annotations_of_its_own_where_none_are_inherited() {
    let world = World::new();
    for (pages, expected) in [("", None), ("/Annots [20 0 R]", CHANGED_PAGE)] {
        let once = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
            writer.object(
                1,
                "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> >>",
            );
            writer.object(2, format!("<< /Type /Pages /Kids [3 0 R] /Count 1 {pages} >>"));
            writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
            writer.object(20, "<< /Type /Annot /Subtype /Stamp /Rect [0 0 9 9] >>");
        });
        let catalog = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 9 0 R] /SigFlags 3 >> >>";
        let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [9 0 R] >>";
        let field = "<< /FT /Sig /T (N) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] >>";
        assert_eq!(
            updated(&once, "", &[(1, catalog), (3, page), (9, field)]),
            expected,
            "{pages}"
        );
    }
}
