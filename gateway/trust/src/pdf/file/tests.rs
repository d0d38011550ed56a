//! Files that are built to cost more than they weigh.

use super::*;
use crate::testing::PdfWriter;

const OBJECTS_MAX: usize = 2000;

fn reference(number: u32) -> Reference {
    Reference {
        number,
        generation: 0,
    }
}

/// A file whose only section is a stream of this many free entries.
fn sparse(count: usize) -> Vec<u8> {
    let head = format!("1 0 obj\n<< /Type /XRef /Size {count} /W [1 0 0] /Length {count} >>\nstream\n");
    let tail = "\nendstream\nendobj\nstartxref\n9\n%%EOF\n";
    [b"%PDF-1.7\n", head.as_bytes(), &vec![0; count], tail.as_bytes()].concat()
}

#[test]
fn entries_of_sections_are_limited() {
    assert!(File::open(&sparse(OBJECTS_MAX / 2), OBJECTS_MAX).is_ok());
    let many = File::open(&sparse(OBJECTS_MAX + 1), OBJECTS_MAX).err();
    assert_eq!(many, Some(PdfFault::TooLarge));
}

#[test]
fn objects_inside_one_another_are_limited() {
    const COUNT: u32 = 100;
    let mut writer = PdfWriter::update(&PdfWriter::page());
    for number in 10..10 + COUNT {
        let offset = writer.bytes.len();
        writer.entry((number, 0), offset);
        writer
            .bytes
            .extend_from_slice(format!("{number} 0 obj (").as_bytes());
    }
    for _ in 0..COUNT {
        writer.bytes.extend_from_slice(b") endobj ");
    }
    let bytes = writer.finish(10 + COUNT);
    let file = File::open(&bytes, OBJECTS_MAX).expect("a file");
    let resolved = (10..10 + COUNT).map(|number| file.resolve(reference(number), file.latest()));
    let all: Result<Vec<_>, _> = resolved.collect();
    assert_eq!(
        all.err().map(|fault| fault.to_string()),
        Some(PdfFault::TooLarge.to_string())
    );
}

/// What comes of an object stream with this content; the numbers before `first` are its head.
fn container(count: usize, first: usize, content: &str) -> Result<usize, PdfFault> {
    let mut writer = PdfWriter::update(&PdfWriter::page());
    let offset = writer.bytes.len();
    let length = content.len();
    writer.object(
        5,
        format!(
            "<< /Type /ObjStm /N {count} /First {first} /Length {length} >>\nstream\n{content}\nendstream"
        ),
    );
    let bytes = writer.finish(6);
    let file = File::open(&bytes, OBJECTS_MAX)?;
    let container = file.read_container(5, offset, file.latest())?;
    Ok(container.objects.len())
}

#[test]
fn objects_of_a_stream_stand_one_after_another() {
    assert_eq!(container(2, 10, "10 0 11 7 [1 2 3] (text)"), Ok(2));
    let fault = Err(PdfFault::Object { number: 5 });
    assert_eq!(container(2, 10, "10 0 11 0 [1 2 3] (text)"), fault);
    assert_eq!(container(2, 10, "10 0 11 1 [1 2 3] (text)"), fault);
    assert_eq!(container(2, 10, "10 7 11 0 [1 2 3] (text)"), fault);
    let many = format!("10 0 [{}]", "1 ".repeat(OBJECTS_MAX));
    assert_eq!(container(1, 5, &many), Err(PdfFault::TooLarge));
}

#[test]
fn an_object_is_not_taken_for_another() {
    let page = PdfWriter::page();
    let offset = memchr::memmem::find(&page, b"4 0 obj").expect("an object");
    let mut writer = PdfWriter::update(&page);
    writer.entry((9, 0), offset);
    let bytes = writer.finish_update();
    let file = File::open(&bytes, OBJECTS_MAX).expect("a file");
    // Whether or not it was read under its own number before.
    for _ in 0..2 {
        let other = file.resolve(reference(9), file.latest());
        assert_eq!(other.err(), Some(PdfFault::Object { number: 9 }));
        assert!(file.resolve(reference(4), file.latest()).is_ok());
    }
}
