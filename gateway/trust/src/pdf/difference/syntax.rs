//! How an update is written: to the letter, whatever a reader would still understand (ISO 32000-2 §7.5.4, §7.5.6).
//!
//! Readers that do not trust a cross-reference section repair the file: they read it from its beginning and take for an
//! object what is headed `4 0 obj`, for a trailer what follows `trailer`. What they do not trust differs from one to the
//! next. So nothing in an update gives them a reason, and nothing in it would lead them elsewhere.
//!
//! **Invariant**: every octet of an update belongs to one of its objects, to its section or to plain white space.
//! **Invariant**: the words of those who repair stand only where this crate reads them, too.

use std::ops::Range;

use super::super::PdfFault;
use super::super::parse::{Parser, is_regular};
use super::super::revision::Revision;
use super::repair::{OBJECT, headed, is_own, is_plain};

const TRAILER: &[u8] = b"trailer";

const START: &[u8] = b"startxref";

/// What a section that is a stream says of itself.
const SECTION: &[u8] = b"/XRef";

/// Octets of a line of a section (§7.5.4).
const LINE_OCTETS: usize = 20;

/// Refuses an update that is written otherwise; `extents` are those of its objects.
pub(super) fn check(bytes: &[u8], update: &Revision, mut extents: Vec<Range<usize>>) -> Result<(), PdfFault> {
    extents.sort_unstable_by_key(|extent| extent.start);
    let section = &bytes[..update.end];
    let words = Section::read(section, update).ok_or(PdfFault::Xref { offset: update.xref })?;
    check_gaps(bytes, update, &extents)?;
    check_words(section, update, &words)?;
    check_headers(section, update, &extents)
}

/// Where the words of a section stand.
struct Section {
    trailer: Option<usize>,
    start: usize,
}

impl Section {
    /// `None` where it is not written as the standard has it. `bytes` end with it, and it has been read before.
    fn read(bytes: &[u8], update: &Revision) -> Option<Self> {
        let mut parser = Parser::new(bytes, update.xref);
        let trailer = match update.stream_number {
            Some(_) => None,
            None => Some(table(bytes, &mut parser)?),
        };
        let start = parser.at + memchr::memmem::rfind(&bytes[parser.at..], START)?;
        parser.at = start + START.len();
        let is_plain = is_plain(blanks(bytes, &mut parser));
        parser.number().ok()?;
        let is_plain = is_plain && self::is_plain(blanks(bytes, &mut parser));
        (is_plain && &bytes[parser.at..] == b"%%EOF").then_some(Self { trailer, start })
    }
}

/// Passes over the subsections; the place of `trailer`.
fn table(bytes: &[u8], parser: &mut Parser<'_>) -> Option<usize> {
    parser.keyword(b"xref").ok()?;
    let mut is_plain = is_line_end(blanks(bytes, parser));
    loop {
        let between = blanks(bytes, parser);
        if parser.starts_with(TRAILER) {
            return (is_plain && self::is_plain(between)).then_some(parser.at);
        }
        parser.number().ok()?;
        is_plain &= between.is_empty() && blanks(bytes, parser) == b" ";
        let count = usize::try_from(parser.number().ok()?).ok()?;
        is_plain &= is_line_end(blanks(bytes, parser));
        parser.at = parser.at.checked_add(count.checked_mul(LINE_OCTETS)?)?;
    }
}

/// The white space that is passed over.
fn blanks<'a>(bytes: &'a [u8], parser: &mut Parser<'_>) -> &'a [u8] {
    let from = parser.at.min(bytes.len());
    parser.skip_blank();
    &bytes[from..parser.at.max(from)]
}

/// The end of a line, with one space before it at most.
fn is_line_end(blanks: &[u8]) -> bool {
    let end = blanks.strip_prefix(b" ").unwrap_or(blanks);
    matches!(end, b"\n" | b"\r" | b"\r\n")
}

/// Between the end of the revision before, the objects and the section there is nothing else.
fn check_gaps(bytes: &[u8], update: &Revision, extents: &[Range<usize>]) -> Result<(), PdfFault> {
    let section = update.xref..update.xref;
    let mut at = update.start;
    // What stands on the line of `%%EOF` is part of that comment.
    let first = extents.first().unwrap_or(&section).start;
    let before = bytes.get(at.saturating_sub(1)..first).unwrap_or_default();
    if !before.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
        return Err(PdfFault::Unaccounted { offset: at });
    }
    for extent in extents.iter().chain([&section]) {
        let gap = bytes.get(at..extent.start).filter(|gap| is_plain(gap));
        if gap.is_none() {
            let strange = bytes[at..]
                .iter()
                .take_while(|octet| is_plain(&[**octet]))
                .count();
            let offset = (at + strange).min(extent.start);
            return Err(PdfFault::Unaccounted { offset });
        }
        at = extent.end;
    }
    Ok(())
}

/// `trailer` before what begins a dictionary, `startxref` before a number, or either before a comment.
fn check_words(bytes: &[u8], update: &Revision, section: &Section) -> Result<(), PdfFault> {
    let objects = &bytes[..update.xref];
    if let Some(found) = memchr::memmem::find(&objects[update.start..], SECTION) {
        let offset = update.start + found;
        return Err(PdfFault::Unaccounted { offset });
    }
    let words = [
        (TRAILER, &b"<%"[..], section.trailer),
        (START, b"0123456789%", Some(section.start)),
    ];
    for (word, follows, own) in words {
        for found in memchr::memmem::find_iter(&bytes[update.start..], word) {
            let offset = update.start + found;
            let mut parser = Parser::new(bytes, offset + word.len());
            parser.skip_blank();
            let leads_on = bytes.get(parser.at).is_some_and(|octet| follows.contains(octet));
            if leads_on && own != Some(offset) {
                return Err(PdfFault::Unaccounted { offset });
            }
        }
    }
    Ok(())
}

/// `obj` is the header of an object of the update or of its section, or it is no word.
fn check_headers(bytes: &[u8], update: &Revision, extents: &[Range<usize>]) -> Result<(), PdfFault> {
    let starts = extents.iter().map(|extent| extent.start);
    let section = update.stream_number.map(|_| update.xref);
    let headers = starts.chain(section).map(|start| {
        let mut parser = Parser::new(bytes, start);
        let reference = parser.object_header()?;
        let at = parser.at - OBJECT.len();
        is_own(bytes, (start, at), reference.number)
            .then_some(at)
            .ok_or(PdfFault::Unaccounted { offset: start })
    });
    let headers = headers.collect::<Result<Vec<usize>, PdfFault>>()?;
    for found in memchr::memmem::find_iter(&bytes[update.start..], OBJECT) {
        let offset = update.start + found;
        // Some readers look no further than these three letters behind two numbers.
        let is_header = is_word(bytes, offset) || headed(bytes, offset).is_some();
        if is_header && headers.binary_search(&offset).is_err() {
            return Err(PdfFault::Unaccounted { offset });
        }
    }
    Ok(())
}

/// Whether `obj` at this place stands for itself: readers differ about what separates it from a number before it.
fn is_word(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    let after = bytes.get(at + OBJECT.len());
    let goes_on = |octet: &u8| is_regular(*octet) && !octet.is_ascii_digit();
    !before.is_some_and(|octet| octet.is_ascii_alphabetic()) && !after.is_some_and(goes_on)
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
            b"4 0 obj1234",
            b"obj",
        ] {
            assert!(of(word), "{word:?}");
        }
        for other in [&b"endobj"[..], b"4 0 object", b"/Jobj "] {
            assert!(!of(other), "{other:?}");
        }
    }
}
