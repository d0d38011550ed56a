//! What readers find that repair the signed revision: they read it from its beginning, and take for an object whatever is
//! headed `4 0 obj` to them, whether a section lists it or not.
//!
//! **Invariant**: an update writes no object that any of them may find elsewhere than this crate does.

use super::super::PdfFault;
use super::super::file::File;
use super::super::object::Object;
use super::super::parse::Parser;
use super::super::xref::Entry;

pub(super) const OBJECT: &[u8] = b"obj";

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
        // Some pass over a lone `>` as well; two are the end of a dictionary.
        let is_lone = strange == 0 && parser.starts_with(b">");
        let strange = strange + usize::from(is_lone);
        if strange == 0 {
            break;
        }
        parser.at += strange;
    }
    file.budget.take_looks(parser.looked_at(at))?;
    if !parser.starts_with(b"<<") {
        return Ok(());
    }
    let from = parser.at;
    let before = file.budget.objects_left();
    let object = parser.object(&file.budget);
    file.budget.release_objects(before - file.budget.objects_left());
    file.budget.take_looks(parser.looked_at(from))?;
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
    file.budget.take_looks(parser.looked_at(offset))?;
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
    file.budget.take_looks(parser.looked_at(offset))?;
    if header.is_err() || header.is_ok_and(|reference| reference.number != number) {
        return Ok(false);
    }
    let at = parser.at - OBJECT.len();
    // What separates the words backwards may begin far ahead.
    file.budget.take_looks(at - gap_before(file.bytes, at))?;
    Ok(is_own(file.bytes, (offset, at), number))
}

/// Whether `obj` at this place, behind the header that begins at `start`, says this number backwards too.
pub(super) fn is_own(bytes: &[u8], (start, at): (usize, usize), number: u32) -> bool {
    headed(bytes, at)
        .is_some_and(|(own, found)| own == number && bytes.get(start..found).is_some_and(is_plain))
}

/// White space that every reader takes for some.
pub(super) fn is_plain(blanks: &[u8]) -> bool {
    blanks
        .iter()
        .all(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'))
}

/// White space to the most lenient readers.
fn is_blank(octet: u8) -> bool {
    octet <= b' ' || !octet.is_ascii()
}

/// The number before the generation before `obj` at this place, and where it begins: as the most lenient readers find it.
pub(super) fn headed(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
