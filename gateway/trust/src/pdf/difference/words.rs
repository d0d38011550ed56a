//! The words by which readers find objects where they do not trust the cross-reference section and read the file from its
//! beginning: `4 0 obj`, `trailer`, `startxref`. In a stream or a text they are data to us and objects to them.
//!
//! **Invariant**: in an update these words stand only where this crate reads them, too.

use std::ops::Range;

use super::super::PdfFault;
use super::super::parse::{Parser, is_regular};
use super::super::revision::Revision;

/// Refuses an update with words beside those of its objects, which are `extents`, and of its section.
pub(super) fn check(bytes: &[u8], update: &Revision, extents: &[Range<usize>]) -> Result<(), PdfFault> {
    let objects = &bytes[update.start..update.xref];
    for (word, follows) in [(&b"trailer"[..], FOLLOWS_TRAILER), (b"startxref", FOLLOWS_START)] {
        for at in memchr::memmem::find_iter(objects, word) {
            let mut parser = Parser::new(objects, at + word.len());
            parser.skip_space();
            if objects
                .get(parser.at)
                .is_some_and(|octet| follows.contains(octet))
            {
                let offset = update.start + at;
                return Err(PdfFault::Unaccounted { offset });
            }
        }
    }
    let starts = extents.iter().map(|extent| extent.start);
    let section = update.stream_number.map(|_| update.xref);
    let mut headers = Vec::new();
    for start in starts.chain(section) {
        let mut parser = Parser::new(bytes, start);
        parser.object_header()?;
        headers.push(parser.at - OBJECT.len());
    }
    headers.sort_unstable();
    let whole = &bytes[..update.end];
    for at in memchr::memmem::find_iter(&whole[update.start..], OBJECT) {
        let offset = update.start + at;
        if is_word(whole, offset) && headers.binary_search(&offset).is_err() {
            return Err(PdfFault::Unaccounted { offset });
        }
    }
    Ok(())
}

const OBJECT: &[u8] = b"obj";

/// What a dictionary, and what a number begins with.
const FOLLOWS_TRAILER: &[u8] = b"<";
const FOLLOWS_START: &[u8] = b"0123456789";

/// Whether the word at this place stands for itself: readers differ about what separates it from a number before it.
fn is_word(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    let after = bytes.get(at + OBJECT.len());
    !before.is_some_and(|octet| octet.is_ascii_alphabetic()) && !after.is_some_and(|octet| is_regular(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_no_letter_before_it_and_nothing_behind() {
        let of = |text: &[u8]| is_word(text, memchr::memmem::rfind(text, OBJECT).expect("the word"));
        for word in [
            &b"4 0 obj"[..],
            b"4 0obj<<",
            b"4 0. obj",
            b"4\x800\x80obj ",
            b"4 %c\n0 obj%",
            b"obj",
        ] {
            assert!(of(word), "{word:?}");
        }
        for other in [&b"endobj"[..], b"4 0 object", b"/Jobj "] {
            assert!(!of(other), "{other:?}");
        }
    }
}
