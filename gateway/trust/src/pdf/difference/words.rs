//! The words by which readers find objects where they do not trust the cross-reference section and read the file from its
//! beginning: `4 0 obj`, `trailer`, `startxref`. In a stream or a text they are data to us and objects to them.
//!
//! **Invariant**: in an update these words stand only where this crate reads them, too.

use std::ops::Range;

use super::super::PdfFault;
use super::super::parse::is_space;
use super::super::revision::Revision;

/// Refuses an update with words beside those of its objects, which are `extents`, and of its section.
pub(super) fn check(bytes: &[u8], update: &Revision, extents: &[Range<usize>]) -> Result<(), PdfFault> {
    let objects = &bytes[update.start..update.xref];
    for word in [&b"trailer"[..], b"startxref"] {
        if let Some(at) = memchr::memmem::find(objects, word) {
            let offset = update.start + at;
            return Err(PdfFault::Unaccounted { offset });
        }
    }
    let mut headers: Vec<usize> = extents.iter().map(|extent| extent.start).collect();
    headers.push(update.xref);
    headers.sort_unstable();
    let whole = &bytes[..update.end];
    for at in memchr::memmem::find_iter(&whole[update.start..], b"obj") {
        let Some(offset) = header_before(whole, update.start + at) else {
            continue;
        };
        if headers.binary_search(&offset).is_err() {
            return Err(PdfFault::Unaccounted { offset });
        }
    }
    Ok(())
}

/// Where the two numbers begin that make a word at this place the header of an object.
fn header_before(bytes: &[u8], word: usize) -> Option<usize> {
    let generation = number_before(bytes, word)?;
    number_before(bytes, generation)
}

/// Where the number begins that stands before this place, with blanks between.
fn number_before(bytes: &[u8], at: usize) -> Option<usize> {
    let back = |from: usize, is_it: fn(u8) -> bool| {
        let passed = bytes[..from].iter().rev().take_while(|octet| is_it(**octet));
        from - passed.count()
    };
    let digits_end = back(at, is_space);
    let start = back(digits_end, |octet| octet.is_ascii_digit());
    (digits_end < at && start < digits_end).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_two_numbers_and_the_word() {
        let of = |text: &[u8]| {
            let at = memchr::memmem::rfind(text, b"obj").expect("the word");
            header_before(text, at)
        };
        assert_eq!(of(b"4 0 obj"), Some(0));
        assert_eq!(of(b"x14\n\t0 \robj"), Some(1));
        assert_eq!(of(b"endobj"), None);
        assert_eq!(of(b"0 obj"), None);
        assert_eq!(of(b"4 0obj"), None);
        assert_eq!(of(b"4 R obj"), None);
    }
}
