//! Objects that nothing refers to and that are read all the same: object streams, and sections that are streams.

use super::*;

/// An update whose cross-reference section is the stream `section`.
#[derive(Default)]
struct Update<'a> {
    plain: Vec<(u32, &'a str)>,
    /// An object stream, and what it holds.
    contained: Option<(u32, (u32, &'a str))>,
    /// What stands before its objects, and where it says that they begin.
    head: Option<(&'a str, usize)>,
    section: u32,
    /// Whether the section lists itself.
    is_listed: bool,
    /// Octets more than one of the type of an entry.
    wide: usize,
    /// What its entry for the free object 30 says of the next one, and of its generation.
    free: Option<[u8; 4]>,
    generation: u8,
}

impl Update<'_> {
    fn of(&self, file: &[u8]) -> Vec<u8> {
        let start = memchr::memmem::rfind(file, b"startxref\n").expect("a section") + 10;
        let previous = String::from_utf8_lossy(&file[start..]).replace("\n%%EOF\n", "");
        let mut bytes = file.to_vec();
        let (mut index, mut entries) = (String::new(), Vec::new());
        let mut list = |number: u32, kind: u8, place: [u8; 4]| {
            index.push_str(&format!("{number} 1 "));
            entries.extend(vec![0; self.wide]);
            entries.extend([&[kind][..], &place, &[0]].concat());
        };
        let place = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a small file").to_be_bytes();
        for (number, value) in &self.plain {
            list(*number, 1, place(&bytes));
            bytes.extend_from_slice(format!("{number} 0 obj\n{value}\nendobj\n").as_bytes());
        }
        if let Some((container, (number, value))) = self.contained {
            list(container, 1, place(&bytes));
            list(number, 2, container.to_be_bytes());
            let head = self
                .head
                .map_or_else(|| format!("{number} 0 "), |(head, _)| head.to_owned());
            let (first, length) = (head.len(), head.len() + value.len());
            let first = self.head.map_or(first, |(_, first)| first);
            let keys = format!("/Type /ObjStm /N 1 /First {first} /Length {length}");
            bytes.extend_from_slice(
                format!("{container} 0 obj\n<< {keys} >>\nstream\n{head}{value}\nendstream\nendobj\n")
                    .as_bytes(),
            );
        }
        let at = bytes.len();
        if self.is_listed {
            list(self.section, 1, place(&bytes));
        }
        if let Some(next) = self.free {
            list(30, 0, next);
            *entries.last_mut().expect("an entry") = self.generation;
        }
        let keys = format!(
            "/Type /XRef /Size 31 /W [{} 4 1] /Index [{index}] /Root 1 0 R /Prev {previous}",
            self.wide + 1
        );
        let head = format!(
            "{} 0 obj\n<< {keys} /Length {} >>\nstream\n",
            self.section,
            entries.len()
        );
        let end = format!("\nendstream\nendobj\nstartxref\n{at}\n%%EOF\n");
        bytes.extend([head.as_bytes(), &entries, end.as_bytes()].concat());
        bytes
    }
}

fn catalog(field: u32, more: &str) -> String {
    format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{field} 0 R ] /SigFlags 3 >> {more} >>")
}

#[test]
fn an_object_stream_that_holds_signed_objects_is_written_over_by_nobody() {
    let world = World::new();
    let base = Update {
        contained: Some((7, (2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"))),
        section: 8,
        is_listed: true,
        ..Update::default()
    };
    let signed = sign_pdf(&base.of(&PdfWriter::page()), &world.person, 9, &[]);
    const STREAM: &str = "<< /Length 3 >>\nstream\nabc\nendstream";
    let with = |material: &str, more: &[(u32, &str)]| {
        let mut writer = PdfWriter::update(&signed);
        writer.object(1, catalog(9, &format!("/DSS << /Certs [{material}] >>")));
        more.iter()
            .for_each(|(number, value)| writer.object(*number, value));
        fault(&writer.finish_update())
    };
    assert_eq!(with("12 0 R", &[(12, STREAM)]), None);
    let over = with("12 0 R 7 0 R", &[(12, STREAM), (7, STREAM)]);
    assert_eq!(over, Some(PdfFault::Changed { number: 7 }));
    let pages = "<< /Type /ObjStm /N 1 /First 4 /Length 45 >>\nstream\n2 0 << /Type /Pages /Kids [3 0 R] /Count 2 >>\nendstream";
    assert_eq!(
        with("12 0 R 7 0 R", &[(12, STREAM), (7, pages)]),
        Some(PdfFault::Changed { number: 7 })
    );
}

#[test]
fn an_object_stream_is_numbers_then_objects_and_nothing_else() {
    let world = World::new();
    let signed = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let risen = catalog(5, "/Version /2.0");
    let with = |head: &str, first: usize, objects: &str| {
        let update = Update {
            contained: Some((7, (1, objects))),
            head: Some((head, first)),
            section: 8,
            is_listed: true,
            ..Update::default()
        };
        fault(&update.of(&signed))
    };
    let lines = format!("{risen}\n");
    let told = |what: &str| format!("{risen}{what}");
    for (head, first, objects) in [
        ("1 0 ", 4, &risen),
        ("1 0\n", 4, &risen),
        ("1 0 ", 3, &risen),
        ("1 0 ", 4, &lines),
    ] {
        assert_eq!(with(head, first, objects), None, "{head:?} {objects:?}");
    }
    for (head, first, objects) in [
        ("1 1000 ", 3, &*risen),
        ("1 0 % 9 ", 8, &risen),
        ("1 0 9 ", 6, &risen),
        ("1 0 ", 4, &told(" 9")),
        ("1 0 ", 4, &told("%")),
        ("1 2 ", 4, &format!("9 {risen}")),
        ("1 1 ", 4, &format!(" {risen}")),
        ("1 0 ", 4, &format!("%c\n{risen}")),
    ] {
        assert!(with(head, first, objects).is_some(), "{head:?} {objects:?}");
    }
}

#[test]
fn a_section_stands_under_a_number_of_its_own() {
    let world = World::new();
    let signed = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let risen = catalog(5, "/Version /2.0");
    let with = |section: u32, is_listed: bool, free: Option<[u8; 4]>| {
        let update = Update {
            plain: vec![(1, &risen)],
            section,
            is_listed,
            free,
            ..Update::default()
        };
        fault(&update.of(&signed))
    };
    for is_listed in [true, false] {
        assert_eq!(with(7, is_listed, None), None);
        // The page shows object 4; objects 5 and 6 are field and signature.
        assert_eq!(with(4, is_listed, None), Some(PdfFault::Changed { number: 4 }));
        assert!([5, 6].iter().all(|taken| with(*taken, is_listed, None).is_some()));
    }
    for (wide, is_refused) in [(3, false), (4, true)] {
        let update = Update {
            plain: vec![(1, &risen)],
            section: 7,
            wide,
            ..Update::default()
        };
        let found = fault(&update.of(&signed));
        assert_eq!(
            matches!(found, Some(PdfFault::Xref { .. })),
            is_refused,
            "{found:?}"
        );
        assert_eq!(found.is_some(), is_refused);
    }
    assert_eq!(with(7, true, Some([0; 4])), None);
    assert!(matches!(
        with(7, true, Some(*b"(Tj)")),
        Some(PdfFault::Xref { .. })
    ));
    // What is referred to and was never there is no number of its own either.
    let waiting = sign_pdf_with(&PdfWriter::page(), &world.person, (5, &[]), |writer| {
        writer.object(
            4,
            "<< /Length 12 /Waits 12 0 R >>\nstream\nBT (A) Tj ET\nendstream",
        );
    });
    let update = Update {
        plain: vec![(1, &risen)],
        section: 12,
        ..Update::default()
    };
    assert_eq!(fault(&update.of(&waiting)), Some(PdfFault::Changed { number: 4 }));
}

#[test]
fn what_is_free_comes_back_under_the_generation_that_it_says() {
    let world = World::new();
    let freeing = |generation: u8| Update {
        plain: vec![(20, "<< >>")],
        free: Some([0; 4]),
        generation,
        section: 8,
        is_listed: true,
        ..Update::default()
    };
    let with = |generation: u8, object: (u32, u16)| {
        let signed = sign_pdf(
            &freeing(generation).of(&PdfWriter::page()),
            &world.person,
            10,
            &[],
        );
        let mut writer = PdfWriter::update(&signed);
        writer.object(
            1,
            catalog(10, "/DSS << /Certs [30 0 R] >>").replace("30 0", &format!("30 {}", object.1)),
        );
        writer.object_of(object, "<< /Length 3 >>\nstream\nabc\nendstream");
        fault(&writer.finish_update())
    };
    assert_eq!(with(0, (30, 0)), None);
    assert_eq!(with(1, (30, 0)), Some(PdfFault::Changed { number: 30 }));
    // Nor does an update say that a number is to come back under another one.
    let signed = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let risen = catalog(5, "/Version /2.0");
    for (generation, expected) in [(0, None), (1, Some(PdfFault::Changed { number: 30 }))] {
        let update = Update {
            plain: vec![(1, &risen)],
            ..freeing(generation)
        };
        assert_eq!(fault(&update.of(&signed)), expected);
    }
}

#[test]
fn what_stays_the_same_is_not_packed_anew() {
    let world = World::new();
    let signed = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let risen = catalog(5, "/Version /2.0");
    let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
    for (packed, expected) in [
        ((1, &*risen), None),
        ((2, pages), Some(PdfFault::Changed { number: 2 })),
    ] {
        let update = Update {
            plain: if packed.0 == 1 { vec![] } else { vec![(1, &risen)] },
            contained: Some((7, packed)),
            section: 8,
            is_listed: true,
            ..Update::default()
        };
        assert_eq!(fault(&update.of(&signed)), expected);
    }
}

#[test]
fn behind_a_section_that_is_a_stream_comes_no_table() {
    let world = World::new();
    let signed = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let risen = catalog(5, "/Version /2.0");
    let update = Update {
        plain: vec![(1, &risen)],
        section: 8,
        is_listed: true,
        ..Update::default()
    };
    let extended = update.of(&signed);
    assert_eq!(fault(&extended), None);
    let mut writer = PdfWriter::update(&extended);
    writer.object(1, catalog(5, "/Version /2.0 /DSS << /Certs [9 0 R] >>"));
    writer.object(9, "<< /Length 3 >>\nstream\nabc\nendstream");
    let found = fault(&writer.finish_update());
    assert!(matches!(found, Some(PdfFault::Xref { .. })), "{found:?}");
}
