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
use super::super::file::File;
use super::super::object::Object;
use super::super::parse::{Parser, is_regular};
use super::super::revision::Revision;
use super::super::xref::Entry;

const OBJECT: &[u8] = b"obj";

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

/// White space that every reader takes for some.
fn is_plain(blanks: &[u8]) -> bool {
    blanks
        .iter()
        .all(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'))
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

/// The numbers under which something is headed, up to the end of this revision, where no section lists it.
pub(super) fn unlisted(file: &File<'_>, revision: usize) -> Result<Vec<u32>, PdfFault> {
    let bytes = &file.bytes[..file.revisions[revision].end];
    let mut numbers = Vec::new();
    for at in memchr::memmem::find_iter(bytes, OBJECT) {
        file.budget.take_looks(1)?;
        let Some((number, start)) = headed(bytes, at) else {
            continue;
        };
        let blanks = bytes[..start]
            .iter()
            .rev()
            .take_while(|octet| is_plain(&[**octet]));
        let lead = start - blanks.count();
        let leads_to = |offset: usize| (lead..=start).contains(&offset);
        let shown = match file.entry(number, revision) {
            Some((Entry::InUse { offset, .. }, _)) => offset,
            Some((Entry::Free { .. } | Entry::Compressed { .. }, _)) | None => usize::MAX,
        };
        let is_listed = file
            .history
            .versions(number)
            .iter()
            .any(|version| match version.entry {
                Entry::InUse { offset, .. } => leads_to(offset),
                Entry::Free { .. } | Entry::Compressed { .. } => false,
            });
        if is_listed && shown <= start && !leads_to(shown) {
            // Behind the one that is shown: whoever repairs the file takes the last.
            numbers.push(number);
        }
        file.budget.take_looks(file.section_count() / 16)?;
        if is_listed || file.is_section_within(lead, start) {
            continue;
        }
        numbers.push(number);
        check_unlisted(file, bytes, (number, at + OBJECT.len()))?;
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// Whoever takes an unlisted object for an object stream finds any number of others in it: none says or hides that it is one.
fn check_unlisted(file: &File<'_>, bytes: &[u8], (number, at): (u32, usize)) -> Result<(), PdfFault> {
    let mut parser = Parser::new(bytes, at);
    loop {
        parser.skip_space();
        // White space to some readers.
        let strange = bytes[parser.at..]
            .iter()
            .take_while(|octet| is_blank(**octet) || **octet == b')')
            .count();
        // A lone `>` is passed over as well; two are the end of a dictionary, and of some readers' patience.
        let is_lone = strange == 0 && parser.starts_with(b">");
        let strange = strange + usize::from(is_lone);
        if strange == 0 {
            break;
        }
        parser.at += strange;
    }
    file.budget.take_looks(parser.at - at)?;
    if !parser.starts_with(b"<<") {
        return Ok(());
    }
    let from = parser.at;
    let before = file.budget.objects_left();
    let object = parser.object(&file.budget);
    file.budget.release_objects(before - file.budget.objects_left());
    file.budget.take_looks(parser.at.saturating_sub(from))?;
    let is_container = match object.as_ref().ok().and_then(Object::as_dictionary) {
        Some(dictionary) => dictionary.get(b"Type").is_some_and(|kind| {
            kind.as_reference().is_some() || matches!(kind.as_name(), Some(b"ObjStm" | b"XRef"))
        }),
        None => true,
    };
    if is_container {
        Err(PdfFault::Object { number })
    } else {
        Ok(())
    }
}

/// The same of an object that cannot be read where a section lists it. One without a header that everybody reads may be
/// anything to somebody.
pub(super) fn check_damaged(file: &File<'_>, (number, offset): (u32, usize)) -> Result<(), PdfFault> {
    let mut parser = Parser::new(file.bytes, offset);
    let header = parser.object_header();
    file.budget.take_looks(parser.at.saturating_sub(offset))?;
    let is_own = header.is_ok_and(|reference| reference.number == number);
    if !is_own {
        return Err(PdfFault::Object { number });
    }
    check_unlisted(file, file.bytes, (number, parser.at))
}

/// Whether the object that is listed there is headed by this number to whoever reads the header backwards.
pub(super) fn is_headed(file: &File<'_>, offset: usize, number: u32) -> Result<bool, PdfFault> {
    let mut parser = Parser::new(file.bytes, offset);
    let header = parser.object_header();
    file.budget.take_looks(parser.at.saturating_sub(offset))?;
    if header.is_err() || header.is_ok_and(|reference| reference.number != number) {
        return Ok(false);
    }
    let at = parser.at - OBJECT.len();
    // What separates the words backwards may begin far ahead.
    file.budget.take_looks(at - gap_before(file.bytes, at))?;
    Ok(is_own(file.bytes, (offset, at), number))
}

/// Whether `obj` at this place, behind the header that begins at `start`, says this number backwards too.
fn is_own(bytes: &[u8], (start, at): (usize, usize), number: u32) -> bool {
    headed(bytes, at)
        .is_some_and(|(own, found)| own == number && bytes.get(start..found).is_some_and(is_plain))
}

/// White space to the most lenient readers.
fn is_blank(octet: u8) -> bool {
    octet <= b' ' || !octet.is_ascii()
}

/// The number before the generation before `obj` at this place, and where it begins: as the most lenient readers find it.
fn headed(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let (generation, _) = word_before(bytes, gap_before(bytes, at))?;
    let gap = gap_before(bytes, generation);
    let (start, word) = word_before(bytes, gap).filter(|_| gap < generation)?;
    let digits = word.iter().skip_while(|octet| !octet.is_ascii_digit());
    let digits = digits.take_while(|octet| octet.is_ascii_digit());
    // Too large a number wraps, or is none to anybody.
    let number = digits.fold(0_u32, |number, digit| {
        number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
    });
    Some((number, start))
}

/// The word of digits, signs and full stops that ends here.
fn word_before(bytes: &[u8], end: usize) -> Option<(usize, &[u8])> {
    let is_of_number = |octet: &u8| octet.is_ascii_digit() || matches!(octet, b'+' | b'-' | b'.');
    let length = bytes[..end]
        .iter()
        .rev()
        .take_while(|octet| is_of_number(octet))
        .count();
    let word = &bytes[end - length..end];
    word.iter()
        .any(u8::is_ascii_digit)
        .then_some((end - length, word))
}

/// Where begins what separates words and ends here: white space, what no text holds, and comments.
fn gap_before(bytes: &[u8], end: usize) -> usize {
    let mut at = end;
    loop {
        let blanks = bytes[..at]
            .iter()
            .rev()
            .take_while(|octet| is_blank(**octet))
            .count();
        let has_ended_line = bytes[at - blanks..at]
            .iter()
            .any(|octet| matches!(octet, b'\r' | b'\n'));
        at -= blanks;
        if !has_ended_line {
            return at;
        }
        let line = bytes[..at]
            .iter()
            .rposition(|octet| matches!(octet, b'\r' | b'\n'));
        let line = line.map_or(0, |end| end + 1);
        match memchr::memchr(b'%', &bytes[line..at]) {
            Some(comment) => at = line + comment,
            None => return at,
        }
    }
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

    #[test]
    fn a_header_is_found_as_the_most_lenient_find_it() {
        let of = |text: &str| {
            let text = text.as_bytes();
            headed(text, memchr::memmem::rfind(text, OBJECT).expect("the word"))
        };
        for (text, number) in [
            ("4 0 obj", 4),
            ("4 0objx", 4),
            ("x 4 0. obj", 4),
            ("4.0 0 obj", 4),
            ("+4 -0 obj", 4),
            ("4 %1 2\n0 obj", 4),
            ("4 %c\r%\n \u{80}0\0obj", 4),
            ("4294967297 0 obj", 1),
            (&format!("4{}0 obj", " ".repeat(1000)), 4),
        ] {
            assert_eq!(of(text).map(|(number, _)| number), Some(number), "{text}");
        }
        for text in [
            "endobj",
            "some objects",
            "4 obj",
            "40obj",
            "4 0 R obj",
            "4 0) obj",
            "/Jobj",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
