//! What may follow a signature without another one, and what may not.

use super::*;
use crate::testing::Leaf;

/// The page signed by the person; objects 1 to 6.
fn once(world: &World) -> Vec<u8> {
    sign_pdf(&PdfWriter::page(), &world.person, 5, &[])
}

/// The catalog of that file with more in it.
pub(super) fn catalog(more: &str) -> String {
    format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R ] /SigFlags 3 >> {more} >>")
}

/// An update of these objects.
pub(super) fn update(file: &[u8], objects: &[(u32, &str)]) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    for (number, value) in objects {
        writer.object(*number, value);
    }
    writer.finish_update()
}

/// What the first signature says of the time after it.
fn later(world: &World, file: &[u8]) -> Vec<LaterChange> {
    let reports = reports(validate(file, &world.good(), now()));
    assert!(reports.iter().all(SealReport::is_passed));
    reports[0].coverage.clone().expect("coverage").later
}

const STREAM: &str = "<< /Length 3 >>\nstream\nabc\nendstream";

#[test]
fn material_for_validation_may_be_added_and_replaced() {
    let world = World::new();
    let once = once(&world);
    let added = update(
        &once,
        &[
            (1, &catalog("/DSS 7 0 R")),
            (7, "<< /Certs 8 0 R /CRLs [9 0 R] /VRI << /A 10 0 R >> >>"),
            (8, "[9 0 R]"),
            (9, STREAM),
            (10, "<< /Type /VRI /OCSP [11 0 R] /Cert [9 0 R] /TU (now) >>"),
            (11, "<< /Length 3 >>\nstream\nxyz\nendstream"),
        ],
    );
    assert_eq!(later(&world, &added), [LaterChange::ValidationMaterial]);
    let material = validation_material(&added, &Policy::default()).expect("material");
    assert_eq!(material.certificates, [b"abc".to_vec()]);
    assert_eq!(material.revocation_lists, [b"abc".to_vec()]);
    assert_eq!(material.ocsp_responses, [b"xyz".to_vec()]);
    let replaced = update(
        &added,
        &[
            (8, "[9 0 R 12 0 R]"),
            (11, STREAM),
            (12, "<< /Length 1 >>\nstream\nd\nendstream"),
        ],
    );
    assert_eq!(later(&world, &replaced), [LaterChange::ValidationMaterial]);
    let material = validation_material(&replaced, &Policy::default()).expect("material");
    assert_eq!(material.certificates, [b"abc".to_vec(), b"d".to_vec()]);
    assert_eq!(material.ocsp_responses, [b"abc".to_vec()]);
    // What was replaced goes on to refer to what stays.
    let apart = update(
        &replaced,
        &[(7, "<< /Certs 13 0 R /VRI << /A 10 0 R >> >>"), (13, "[12 0 R]")],
    );
    let again = update(
        &apart,
        &[(7, "<< /Certs 13 0 R /VRI 14 0 R >>"), (14, "<< /A 10 0 R >>")],
    );
    let over = update(&again, &[(10, "<< /Type /VRI >>")]);
    assert_eq!(later(&world, &over), [LaterChange::ValidationMaterial]);
    let gone = update(&added, &[(1, &catalog(""))]);
    assert_eq!(fault(&gone), Some(PdfFault::ValidationMaterial));
}

#[test]
fn material_for_validation_carries_nothing_else() {
    let world = World::new();
    let once = once(&world);
    let judge = |dss: &str, objects: &[(u32, &str)]| {
        let catalog = catalog(&format!("/DSS {dss}"));
        let objects = [&[(1, &*catalog)], objects].concat();
        fault(&update(&once, &objects))
    };
    let page = "<< /Length 12 >>\nstream\nBT (B) Tj ET\nendstream";
    assert_eq!(judge("<< /Certs [7 0 R] >>", &[(7, STREAM)]), None);
    assert_eq!(judge("<< /Certs [4 0 R] >>", &[]), None);
    assert_eq!(
        judge("<< /Certs [4 0 R] >>", &[(4, page)]),
        Some(PdfFault::Changed { number: 3 })
    );
    assert_eq!(
        judge("<< /Certs [7 0 R] >>", &[(7, "<< /Length 3 >>")]),
        Some(PdfFault::Changed { number: 7 })
    );
    let malformed = Some(PdfFault::ValidationMaterial);
    assert_eq!(judge("<< /Certs [(abc)] >>", &[]), malformed);
    assert_eq!(judge("<< /Script 7 0 R >>", &[(7, STREAM)]), malformed);
    assert_eq!(judge("[7 0 R]", &[(7, STREAM)]), malformed);
    let stray = judge("<< /Certs [7 0 R] >>", &[(7, STREAM), (8, STREAM)]);
    assert_eq!(stray, Some(PdfFault::Changed { number: 8 }));
    // Writers leave a VRI behind that nobody refers to.
    let left = |value: &str| judge("<< /Certs [7 0 R] >>", &[(7, STREAM), (8, value)]);
    assert_eq!(left("<< /Type /VRI /Cert [7 0 R] >>"), None);
    assert_eq!(
        left("<< /Type /VRI /Cert [7 0 R] /Script 7 0 R >>"),
        Some(PdfFault::Changed { number: 8 })
    );
}

#[test]
fn material_that_something_else_was_made_of_is_refused() {
    let world = World::new();
    // Whoever made the file hung annotations of the page into the DSS, to write over them later.
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
    let prepared = sign_pdf_raw(&PdfWriter::page(), &world.person, 6, |writer| {
        writer.object(1, catalog("/DSS << /Certs 8 0 R >>"));
        writer.object(3, format!("<< {page} /Annots 8 0 R >>"));
        writer.object(5, "<< /FT /Sig /T (S) /V 6 0 R >>");
        writer.object(7, STREAM);
        writer.object(8, "[7 0 R]");
    });
    assert_eq!(fault(&prepared), None);
    let written = update(
        &prepared,
        &[(7, "<< /Length 3 /Type /Annot >>\nstream\nabd\nendstream")],
    );
    assert_eq!(fault(&written), Some(PdfFault::Changed { number: 3 }));
}

#[test]
fn extensions_and_version_may_rise() {
    let world = World::new();
    let once = once(&world);
    let extensions = "/Extensions << /ISO_ [<< /BaseVersion /2.0 /ExtensionLevel 32002 >>] >>";
    let risen = update(&once, &[(1, &catalog(&format!("/Version /2.0 {extensions}")))]);
    assert_eq!(later(&world, &risen), [LaterChange::Extensions]);
    let apart = update(
        &once,
        &[
            (1, &catalog("/Extensions 7 0 R")),
            (7, "<< /A << /ExtensionLevel 1 >> >>"),
        ],
    );
    assert_eq!(fault(&apart), None);
    let changed = Some(PdfFault::Changed { number: 1 });
    let fallen = update(&risen, &[(1, &catalog(&format!("/Version /1.7 {extensions}")))]);
    assert_eq!(fault(&fallen), changed);
    for more in [
        "/Version (2.0)",
        "/Version /9.9",
        "/Extensions << /A 4 0 R >>",
        "/Extensions []",
    ] {
        assert_eq!(fault(&update(&once, &[(1, &catalog(more))])), changed, "{more}");
    }
}

#[test]
fn metadata_and_dates_may_change() {
    let world = World::new();
    let packet = |text: &str| {
        let length = text.len();
        format!("<< /Type /Metadata /Subtype /XML /Length {length} >>\nstream\n{text}\nendstream")
    };
    let added = update(
        &once(&world),
        &[(1, &catalog("/Metadata 7 0 R")), (7, &packet("<x/>"))],
    );
    assert_eq!(later(&world, &added), [LaterChange::Metadata]);
    let changed = update(&added, &[(7, &packet("<y/>"))]);
    assert_eq!(later(&world, &changed), [LaterChange::Metadata]);
    let other = update(&added, &[(7, &packet("<y/>").replace("/XML", "/XMM"))]);
    assert_eq!(fault(&other), Some(PdfFault::Changed { number: 7 }));
    let inform = |file: &[u8], number: u32, value: &str| {
        let mut writer = PdfWriter::update(file);
        writer.object(number, value);
        let text = String::from_utf8(writer.finish_update()[file.len()..].to_vec()).expect("text");
        [
            file,
            text.replace("/Root", &format!("/Info {number} 0 R /Root"))
                .as_bytes(),
        ]
        .concat()
    };
    let dated = inform(&once(&world), 7, "<< /ModDate (D:2026) /Producer (P) >>");
    assert_eq!(later(&world, &dated), [LaterChange::Metadata]);
    let redated = inform(&dated, 7, "<< /ModDate (D:2027) /Producer (Q) >>");
    assert_eq!(later(&world, &redated), [LaterChange::Metadata]);
    for value in ["<< /ModDate (D:2026) /Title (T) >>", "<< /ModDate 4 0 R >>", "[]"] {
        assert_eq!(
            fault(&inform(&dated, 7, value)),
            Some(PdfFault::Changed { number: 7 }),
            "{value}"
        );
    }
}

#[test]
fn whatever_else_the_catalog_says_is_refused() {
    let world = World::new();
    let once = once(&world);
    let action = "<< /S /JavaScript /JS (app.alert(1)) >>";
    for more in [
        format!("/OpenAction {action}"),
        format!("/AA << /WC {action} >>"),
        "/Names << >>".to_owned(),
        "/Outlines 7 0 R".to_owned(),
        "/OCProperties << >>".to_owned(),
        "/Perms << >>".to_owned(),
    ] {
        let file = update(&once, &[(1, &catalog(&more)), (7, "<< /Type /Outlines >>")]);
        assert_eq!(fault(&file), Some(PdfFault::Changed { number: 1 }), "{more}");
    }
    let form = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R ] /SigFlags 3 /NeedAppearances true >> >>";
    assert_eq!(
        fault(&update(&once, &[(1, form)])),
        Some(PdfFault::Changed { number: 1 })
    );
}

#[test]
fn an_empty_signature_field_may_wait_and_shows_nothing() {
    let world = World::new();
    let once = once(&world);
    let page =
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R 7 0 R] >>";
    let form = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 7 0 R] /SigFlags 3 >> >>";
    let look_of = |content: &str| {
        let form = "/Type /XObject /Subtype /Form /BBox [0 0 99 99]";
        let length = content.len();
        format!("<< {form} /Length {length} >>\nstream\n{content}\nendstream")
    };
    let judge_with = |more: &str, look: &str| {
        let field = format!("<< /FT /Sig /T (S7) /Subtype /Widget /Rect [0 0 99 99] /P 3 0 R {more} >>");
        let objects = [(1, form), (3, page), (7, &field), (8, look)];
        let count = if more.contains("8 0 R") { 4 } else { 3 };
        update(&once, &objects[..count])
    };
    let judge = |more: &str| judge_with(more, &look_of("q Q"));
    let waiting = judge("/AP << /N 8 0 R >>");
    assert_eq!(later(&world, &waiting), [LaterChange::SignatureField]);
    let signed = sign_pdf_raw(&waiting, &world.organisation, 9, |writer| {
        writer.object(
            7,
            "<< /FT /Sig /T (S7) /Subtype /Widget /Rect [0 0 99 99] /P 3 0 R /AP << /N 8 0 R >> /V 9 0 R >>",
        );
    });
    let both = [LaterChange::Signature, LaterChange::SignatureField];
    assert_eq!(later(&world, &signed), both);
    for look in [
        "",
        "/AP << >>",
        "/AP << /N 8 0 R >> /MK << /BG [1 1 1] >>",
        "/AA << >>",
        "/FT /Tx",
    ] {
        assert!(fault(&judge(look)).is_some(), "{look}");
    }
    // What is shown at rest is what /N says and nothing else.
    for look in [
        "/AP << /R 8 0 R >>",
        "/AP << /D 8 0 R >>",
        "/AP << /N << /On 8 0 R >> >>",
        "/AP << /N << /On 8 0 R >> >> /AS /On",
    ] {
        let overlaid = Some(PdfFault::Overlaid { number: 7 });
        assert_eq!(fault(&judge(look)), overlaid, "{look}");
    }
    let drawn = judge_with("/AP << /N 8 0 R >>", &look_of("0 0 9 9 re f"));
    assert_eq!(fault(&drawn), Some(PdfFault::Overlaid { number: 7 }));
}

#[test]
fn objects_that_are_freed_or_hidden_are_refused() {
    let world = World::new();
    let once = once(&world);
    let added = update(&once, &[(1, &catalog("/DSS << /Certs [7 0 R] >>")), (7, STREAM)]);
    assert_eq!(fault(&added), None);
    // The content of the page is no more.
    let at = memchr::memmem::rfind(&added, b"xref\n1 1\n").expect("a section");
    let mut freed = added.clone();
    freed.splice(at + 5..at + 5, *b"4 1\n0000000000 00001 f \n");
    // The signed catalog hides behind one of the same number that no section lists.
    let mut shadowed = added;
    shadowed.splice(at - 1..at - 1, *b"\n1 0 obj\n<< /Type /Catalog >>\nendobj\n");
    for (file, expected) in [
        (freed, PdfFault::Changed { number: 4 }),
        (shadowed, PdfFault::Unaccounted { offset: 0 }),
    ] {
        let found = fault(&relocated(&file)).expect("a fault");
        assert_eq!(
            std::mem::discriminant(&found),
            std::mem::discriminant(&expected),
            "{found}"
        );
    }
}

/// The file with its last `startxref` put right.
fn relocated(file: &[u8]) -> Vec<u8> {
    let section = memchr::memmem::rfind(file, b"\nxref\n").expect("a section") + 1;
    let number = memchr::memmem::rfind(file, b"startxref\n").expect("its offset") + 10;
    [&file[..number], format!("{section}\n%%EOF\n").as_bytes()].concat()
}

/// An update in a hybrid section whose stream, at object 9, lists these entries of type, offset and generation.
fn hybrid(file: &[u8], entries: &[(u32, [u8; 5])], objects: &[(u32, &str)]) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    for (number, value) in objects {
        writer.object(*number, value);
    }
    let at = writer.bytes.len();
    let index: String = entries.iter().map(|(number, _)| format!("{number} 1 ")).collect();
    let data: Vec<u8> = entries.iter().flat_map(|(_, entry)| *entry).collect();
    let head = format!(
        "<< /Type /XRef /Size 20 /W [1 3 1] /Index [{index}] /Length {} >>\nstream\n",
        data.len()
    );
    writer.object(9, [head.as_bytes(), &data, b"\nendstream"].concat());
    let bytes = writer.finish_update();
    let root = memchr::memmem::rfind(&bytes, b"/Root").expect("a trailer");
    [
        &bytes[..root],
        format!("/XRefStm {at} ").as_bytes(),
        &bytes[root..],
    ]
    .concat()
}

#[test]
fn a_hybrid_section_hides_what_is_nothing_else() {
    let world = World::new();
    let page = PdfWriter::page();
    let four = u8::try_from(memchr::memmem::find(&page, b"4 0 obj").expect("four") % 256).expect("an octet");
    let high = u8::try_from(memchr::memmem::find(&page, b"4 0 obj").expect("four") / 256).expect("an octet");
    let judge = |file: &[u8]| fault(&sign_pdf(file, &world.person, 15, &[]));
    let same = hybrid(&page, &[(4, [1, 0, high, four, 0]), (8, [0, 0, 0, 0, 0])], &[]);
    assert_eq!(judge(&same), None);
    let other = hybrid(&page, &[(4, [1, 0, high, four + 1, 0])], &[]);
    assert_eq!(judge(&other), Some(PdfFault::HybridXref));
    let twice = hybrid(&page, &[(8, [1, 0, high, four, 0])], &[(8, "<< >>")]);
    assert_eq!(judge(&twice), Some(PdfFault::HybridXref));
    let after = hybrid(&once(&world), &[(8, [0, 0, 0, 0, 0])], &[]);
    assert_eq!(fault(&after), Some(PdfFault::HybridXref));
    let at = memchr::memmem::find(&same, b"/XRefStm ").expect("a hybrid section") + 9;
    let mut ahead = same;
    ahead.splice(at..at, *b"9");
    assert_eq!(judge(&ahead), Some(PdfFault::HybridXref));
}

#[test]
fn no_damaged_history_panics_nor_passes() {
    let world = World::new();
    let file = update(
        &once(&world),
        &[
            (1, &catalog("/Version /2.0 /DSS 7 0 R")),
            (
                7,
                "<< /Certs [8 0 R] /VRI << /A << /Type /VRI /Cert [8 0 R] >> >> >>",
            ),
            (8, STREAM),
        ],
    );
    let signed = once(&world).len();
    assert_eq!(fault(&file), None);
    proptest!(ProptestConfig::with_cases(1000), |(at in signed..file.len(), octet: u8)| {
        let mut damaged = file.clone();
        damaged[at] = octet;
        // Whatever the damage, nothing but what is on the white list is told of.
        if let PdfReport::Signed(reports) = validate(&damaged, &world.good(), now()) {
            let coverage = reports[0].coverage.clone().expect("coverage");
            let known = [LaterChange::ValidationMaterial, LaterChange::Extensions];
            prop_assert!(coverage.later.iter().all(|change| known.contains(change)));
        }
    });
}

/// An update of the catalog in object stream 7, which holds these objects; the section is the stream 8.
pub(super) fn compressed(file: &[u8], objects: &[(u32, &str)]) -> Vec<u8> {
    let start = memchr::memmem::rfind(file, b"startxref\n").expect("a section") + 10;
    let previous = String::from_utf8_lossy(&file[start..]).replace("\n%%EOF\n", "");
    let mut head = String::new();
    let mut body = String::new();
    for (number, value) in objects {
        head.push_str(&format!("{number} {} ", body.len()));
        body.push_str(&format!("{value} "));
    }
    let (count, first, length) = (objects.len(), head.len(), head.len() + body.len());
    let container = format!(
        "7 0 obj\n<< /Type /ObjStm /N {count} /First {first} /Length {length} >>\nstream\n{head}{body}\nendstream\nendobj\n"
    );
    let place = |at: usize| u16::try_from(at).expect("a small file").to_be_bytes();
    let (at, section) = (place(file.len()), place(file.len() + container.len()));
    let entries = [[2, 0, 7, 0], [1, at[0], at[1], 0], [1, section[0], section[1], 0]].concat();
    let keys = format!("/Type /XRef /Size 9 /W [1 2 1] /Index [1 1 7 2] /Root 1 0 R /Prev {previous}");
    let stream = format!("8 0 obj\n<< {keys} /Length {} >>\nstream\n", entries.len());
    let end = format!(
        "\nendstream\nendobj\nstartxref\n{}\n%%EOF\n",
        file.len() + container.len()
    );
    [
        file,
        container.as_bytes(),
        stream.as_bytes(),
        &entries,
        end.as_bytes(),
    ]
    .concat()
}

#[test]
fn every_object_of_an_object_stream_is_listed() {
    let world = World::new();
    let risen = catalog("/Version /2.0");
    let file = compressed(&once(&world), &[(1, &risen)]);
    assert_eq!(later(&world, &file), [LaterChange::Extensions]);
    let hiding = compressed(&once(&world), &[(1, &risen), (4, "<< >>")]);
    assert_eq!(fault(&hiding), Some(PdfFault::Object { number: 7 }));
    let opening = compressed(&once(&world), &[(1, &catalog("/OpenAction << >>"))]);
    assert_eq!(fault(&opening), Some(PdfFault::Changed { number: 1 }));
}

#[test]
fn a_default_appearance_may_come_where_nothing_signed_inherits_it() {
    let world = World::new();
    let form = |more: &str| {
        format!(
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R ] /SigFlags 3 {more} >> /Version /2.0 >>"
        )
    };
    let added = update(&once(&world), &[(1, &form("/DA (/Helv 0 Tf 0 g )"))]);
    assert_eq!(later(&world, &added), [LaterChange::Extensions]);
    // Neither does it change once it is there, nor is it anything but text.
    for other in ["/DA (/F1 0 Tf 0 g )", "", "/DA 20 0 R"] {
        let changed = update(&added, &[(1, &form(other))]);
        assert_eq!(fault(&changed), Some(PdfFault::Changed { number: 1 }), "{other}");
    }
    let strange = update(&once(&world), &[(1, &form("/DA << >>"))]);
    assert_eq!(fault(&strange), Some(PdfFault::Changed { number: 1 }));
}

#[test]
fn a_later_trailer_may_leave_out_what_a_writer_added_of_its_own() {
    let world = World::new();
    let signed = |file: &[u8], signer: &Leaf, (first, fields): (u32, &[u32]), trailer: &'static str| {
        sign_pdf_with(file, signer, (first, fields), |writer| writer.trailer = trailer)
    };
    let judge = |before: &'static str, after: &'static str| {
        let once = signed(&PdfWriter::page(), &world.person, (5, &[]), before);
        fault(&signed(&once, &world.organisation, (7, &[5]), after))
    };
    let own = "/DocChecksum /0123 ";
    let changed = Some(PdfFault::Changed { number: 0 });
    assert_eq!(judge(own, own), None);
    assert_eq!(judge(own, ""), None);
    assert_eq!(judge("", own), changed);
    assert_eq!(judge(own, "/DocChecksum /4567 "), changed);
}
