//! What a file may cost before anybody has proven who sent it.

use super::repair::material;
use super::*;

/// A signed page whose first update holds so many objects that do not end, each inside the one before, and all written
/// anew since.
fn with_endless(world: &World, count: u32, begin: &str) -> Vec<u8> {
    let mut writer = PdfWriter::update(&PdfWriter::page());
    for number in 10..10 + count {
        writer.entry((number, 0), writer.bytes.len());
        writer.bytes.extend(format!("{number} 0 obj{begin}").bytes());
    }
    writer.bytes.push(b'\n');
    let mut anew = PdfWriter::update(&writer.finish_update());
    for number in 10..10 + count {
        anew.object(number, "1");
    }
    let signed = sign_pdf(&anew.finish_update(), &world.person, 5, &[]);
    material(&signed, "abc")
}

#[test]
fn what_cannot_be_read_costs_as_much_as_what_can() {
    let world = World::new();
    for begin in ["(", "<", " %"] {
        assert_eq!(fault(&with_endless(&world, 3, begin)), None, "{begin}");
        let many = fault(&with_endless(&world, 2000, begin));
        assert_eq!(many, Some(PdfFault::TooLarge), "{begin}");
    }
}

/// A signed page with so many streams whose length stands in one object, which has all these blanks behind the number.
fn with_long_length(world: &World, (count, blanks): (u32, usize), number: &str) -> Vec<u8> {
    let mut writer = PdfWriter::update(&PdfWriter::page());
    writer.object(10, format!("{number}{}", " ".repeat(blanks)));
    for number in 11..11 + count {
        writer.object(number, "<< /Length 10 0 R >>\nstream\n12345\nendstream");
    }
    let signed = sign_pdf(&writer.finish_update(), &world.person, 5, &[]);
    material(&signed, "abc")
}

#[test]
fn what_a_length_is_looked_for_in_is_paid_for_each_time() {
    let world = World::new();
    assert_eq!(fault(&with_long_length(&world, (3, 10), "5")), None);
    let many = fault(&with_long_length(&world, (200, 100_000), "5"));
    assert_eq!(many, Some(PdfFault::TooLarge));
}
