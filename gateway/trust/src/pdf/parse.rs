//! The syntax of PDF objects (ISO 32000-2 §7.2, §7.3).
//!
//! **Invariant**: strict: what two readers could take for two things (a key twice in a dictionary, a broken number, a
//! string without an end) is a fault.
//! **Invariant**: nesting is limited; every loop consumes input.
//! **Invariant**: what was looked at is known ([`Parser::looked_at`]), after a fault too, but for one short word.

use super::PdfFault;
use super::budget::Budget;
use super::object::{Dictionary, Object, Reference, Text};
use crate::digest::{HEX_VALUES, hex_value};

/// Arrays and dictionaries inside one another; real files stay below 20, and some readers lose count at 63.
const DEPTH_MAX: usize = 32;

pub(super) fn is_space(octet: u8) -> bool {
    matches!(octet, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(octet: u8) -> bool {
    matches!(
        octet,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

pub(super) fn is_regular(octet: u8) -> bool {
    !is_space(octet) && !is_delimiter(octet)
}

/// Octets of a number at most: readers cut longer ones off, and read another number.
const NUMBER_OCTETS_MAX: usize = 100;

/// Digits of a number of the structure at most.
const DIGITS_MAX: usize = 10;

/// A number without its sign.
fn unsigned(word: &[u8]) -> &[u8] {
    word.strip_prefix(b"+")
        .or(word.strip_prefix(b"-"))
        .unwrap_or(word)
}

/// Whether this is a number (§7.3.3) that every reader reads alike.
pub(super) fn is_number(word: &[u8]) -> bool {
    let unsigned = unsigned(word);
    let dots = unsigned.iter().filter(|octet| **octet == b'.').count();
    let digits = unsigned.iter().filter(|octet| octet.is_ascii_digit()).count();
    dots <= 1 && 0 < digits && digits + dots == unsigned.len() && word.len() <= NUMBER_OCTETS_MAX
}

/// A cursor over the octets of a file or of an object stream.
pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    /// How far was looked before the cursor went back.
    furthest: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            furthest: at,
        }
    }

    /// How many octets from this place on were looked at.
    pub(super) fn looked_at(&self, from: usize) -> usize {
        self.furthest.max(self.at).saturating_sub(from)
    }

    fn fault(&self) -> PdfFault {
        PdfFault::Syntax { offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// White space and comments.
    pub(super) fn skip_space(&mut self) {
        while let Some(octet) = self.peek() {
            if octet == b'%' {
                let line = self
                    .rest()
                    .iter()
                    .take_while(|octet| !matches!(octet, b'\r' | b'\n'))
                    .count();
                self.at += line;
            } else if is_space(octet) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    /// White space only: where a comment could hide something.
    pub(super) fn skip_blank(&mut self) {
        self.at += self.rest().iter().take_while(|octet| is_space(**octet)).count();
    }

    /// One end of line, if it is there.
    pub(super) fn skip_line_end(&mut self) {
        let rest = self.rest();
        self.at += if rest.starts_with(b"\r\n") {
            2
        } else {
            usize::from(matches!(rest.first(), Some(b'\r' | b'\n')))
        };
    }

    /// Takes this keyword, which must not run on.
    pub(super) fn keyword(&mut self, word: &[u8]) -> Result<(), PdfFault> {
        let rest = self.rest();
        if rest.starts_with(word) && !rest.get(word.len()).is_some_and(|next| is_regular(*next)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.fault())
        }
    }

    pub(super) fn starts_with(&self, word: &[u8]) -> bool {
        self.rest().starts_with(word)
    }

    /// An unsigned decimal number of at most [`DIGITS_MAX`] digits.
    pub(super) fn number(&mut self) -> Result<u64, PdfFault> {
        let some = self.rest().iter().take(DIGITS_MAX + 1);
        let digits = some.take_while(|octet| octet.is_ascii_digit()).count();
        let value = crate::time::decimal(&self.rest()[..digits]).filter(|_| digits <= DIGITS_MAX);
        let value = value
            .and_then(|value| u64::try_from(value).ok())
            .ok_or_else(|| self.fault())?;
        self.at += digits;
        Ok(value)
    }

    /// `number generation obj`.
    pub(super) fn object_header(&mut self) -> Result<Reference, PdfFault> {
        let fault = self.fault();
        let reference = self.two_numbers()?;
        if reference.number == 0 {
            return Err(fault);
        }
        self.skip_blank();
        self.keyword(b"obj")?;
        Ok(reference)
    }

    fn two_numbers(&mut self) -> Result<Reference, PdfFault> {
        let fault = self.fault();
        let number = u32::try_from(self.number()?).map_err(|_| fault)?;
        if !self.peek().is_some_and(is_space) {
            return Err(self.fault());
        }
        self.skip_blank();
        let fault = self.fault();
        let generation = u16::try_from(self.number()?).map_err(|_| fault)?;
        Ok(Reference { number, generation })
    }

    pub(super) fn object(&mut self, budget: &Budget) -> Result<Object, PdfFault> {
        self.nested(0, budget)
    }

    fn nested(&mut self, depth: usize, budget: &Budget) -> Result<Object, PdfFault> {
        budget.take_object()?;
        if depth > DEPTH_MAX {
            return Err(PdfFault::TooDeep);
        }
        self.skip_space();
        match self.peek().ok_or_else(|| self.fault())? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.literal().map(Object::Text),
            b'<' if self.starts_with(b"<<") => self.dictionary(depth, budget).map(Object::Dictionary),
            b'<' => self.hexadecimal().map(Object::Text),
            b'[' => self.array(depth, budget),
            b'0'..=b'9' => match self.reference() {
                Some(reference) => Ok(Object::Reference(reference)),
                None => self.numeric(),
            },
            b'+' | b'-' | b'.' => self.numeric(),
            b't' => self.keyword(b"true").map(|()| Object::Boolean(true)),
            b'f' => self.keyword(b"false").map(|()| Object::Boolean(false)),
            b'n' => self.keyword(b"null").map(|()| Object::Null),
            _ => Err(self.fault()),
        }
    }

    /// `number generation R`, or nothing taken.
    fn reference(&mut self) -> Option<Reference> {
        let start = self.at;
        let reference = self
            .two_numbers()
            .ok()
            .filter(|_| self.peek().is_some_and(is_space))
            .and_then(|reference| {
                self.skip_blank();
                self.keyword(b"R").ok().map(|()| reference)
            });
        if reference.is_none() {
            self.furthest = self.furthest.max(self.at);
            self.at = start;
        }
        reference
    }

    fn numeric(&mut self) -> Result<Object, PdfFault> {
        let some = self.rest().iter().take(NUMBER_OCTETS_MAX + 1);
        let length = some.take_while(|octet| is_regular(**octet)).count();
        let token = &self.rest()[..length];
        if !is_number(token) {
            return Err(self.fault());
        }
        let object = if token.contains(&b'.') {
            Object::Real(token.into())
        } else {
            let size = crate::time::decimal(unsigned(token)).ok_or_else(|| self.fault())?;
            Object::Integer(if token[0] == b'-' { -size } else { size })
        };
        self.at += length;
        Ok(object)
    }

    fn name(&mut self) -> Result<Box<[u8]>, PdfFault> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(octet) = self.peek().filter(|octet| is_regular(*octet)) {
            self.at += 1;
            // White space to some readers.
            if matches!(octet, 0x80 | 0xFF) {
                return Err(self.fault());
            }
            if octet != b'#' {
                name.push(octet);
                continue;
            }
            let digits = self.bytes.get(self.at..self.at + 2).ok_or_else(|| self.fault())?;
            let (high, low) = (hex_value(digits[0]), hex_value(digits[1]));
            let (Some(high), Some(low)) = (high, low) else {
                return Err(self.fault());
            };
            let octet = (high << 4) | low;
            // A name cannot hold it (§7.3.5); to some readers it ends there.
            if octet == 0 {
                return Err(self.fault());
            }
            name.push(octet);
            self.at += 2;
        }
        Ok(name.into())
    }

    fn array(&mut self, depth: usize, budget: &Budget) -> Result<Object, PdfFault> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Object::Array(items));
            }
            items.push(self.nested(depth + 1, budget)?);
        }
    }

    fn dictionary(&mut self, depth: usize, budget: &Budget) -> Result<Dictionary, PdfFault> {
        self.at += 2;
        let mut entries = Vec::new();
        loop {
            self.skip_space();
            if self.starts_with(b">>") {
                self.at += 2;
                break;
            }
            if self.peek() != Some(b'/') {
                return Err(self.fault());
            }
            let key = self.name()?;
            let value = self.nested(depth + 1, budget)?;
            entries.push((key, value));
        }
        Dictionary::new(entries).ok_or(PdfFault::DuplicateKey { offset: self.at })
    }

    fn hexadecimal(&mut self) -> Result<Text, PdfFault> {
        let (start, fault, rest) = (self.at, self.fault(), self.rest());
        let Some(length) = memchr::memchr(b'>', rest) else {
            self.at = self.bytes.len();
            return Err(fault);
        };
        self.at += length + 1;
        let digits = &rest[1..length];
        let plain = plain_hexadecimal(digits);
        let is_plain_hex = plain.is_some();
        let bytes = match plain {
            Some(bytes) => bytes,
            None => spaced_hexadecimal(digits).ok_or(fault)?,
        };
        Ok(Text {
            ambiguous: None,
            bytes: bytes.into(),
            token: start..self.at,
            is_plain_hex,
        })
    }

    /// A literal string; escapes are resolved (§7.3.4.2).
    fn literal(&mut self) -> Result<Text, PdfFault> {
        let start = self.at;
        let mut bytes = Vec::new();
        let mut open = 0_usize;
        let mut is_ambiguous = false;
        loop {
            let octet = self.peek().ok_or_else(|| self.fault())?;
            self.at += 1;
            match octet {
                b'(' => {
                    open += 1;
                    if open > 1 {
                        bytes.push(octet);
                    }
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                    bytes.push(octet);
                }
                b'\\' => is_ambiguous |= self.escape(&mut bytes)?,
                _ => {
                    is_ambiguous |= octet == b'\r';
                    bytes.push(octet);
                }
            }
        }
        // Some readers take an end of line for a line feed (§7.3.4.2), some for what it is, and a code of more than an octet
        // for what overflows or for another letter: it is the same only as it stands.
        let ambiguous = is_ambiguous.then(|| self.bytes[start..self.at].into());
        Ok(Text {
            ambiguous,
            bytes: bytes.into(),
            token: start..self.at,
            is_plain_hex: false,
        })
    }

    /// Says whether readers differ about it.
    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<bool, PdfFault> {
        let octet = self.peek().ok_or_else(|| self.fault())?;
        self.at += 1;
        match octet {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'\r' if self.peek() == Some(b'\n') => self.at += 1,
            b'\r' | b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(octet - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                // High-order overflow is ignored (§7.3.4.2).
                bytes.push(u8::try_from(value & 0xFF).expect("one octet"));
                return Ok(value > 0xFF);
            }
            _ => bytes.push(octet),
        }
        Ok(false)
    }
}

/// Pairs of digits and nothing else, as signatures are written: ten thousands of digits, which are read more than once.
fn plain_hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut all = 0;
    let octet = |[high, low]: &[u8; 2]| {
        let (high, low) = (HEX_VALUES[usize::from(*high)], HEX_VALUES[usize::from(*low)]);
        all |= high | low;
        high << 4 | low
    };
    let bytes = pairs.iter().map(octet).collect();
    (rest.is_empty() && all < 16).then_some(bytes)
}

/// Digits with white space among them; one that is left out at the end is 0 (§7.3.4.3).
fn spaced_hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
    let mut high = None;
    for octet in digits.iter().filter(|octet| !is_space(**octet)) {
        let value = hex_value(*octet)?;
        match high.take() {
            None => high = Some(value << 4),
            Some(high) => bytes.push(high | value),
        }
    }
    bytes.extend(high);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &[u8]) -> Result<Object, PdfFault> {
        Parser::new(text, 0).object(&Budget::new(text.len(), 1000))
    }

    #[test]
    fn objects_of_every_kind_are_read() {
        let object = parse(b"<< /A [1 -2 .5 true null] /B (a\\(b\\)\\101) /C <4142> /D 3 0 R /E#20F /G >>")
            .expect("object");
        let Object::Dictionary(dictionary) = object else {
            panic!("a dictionary")
        };
        assert_eq!(
            dictionary.reference(b"D"),
            Some(Reference {
                number: 3,
                generation: 0
            })
        );
        assert_eq!(dictionary.name(b"E F"), Some(&b"G"[..]));
        assert_eq!(dictionary.get(b"B"), parse(b"(a\\050b\\051A)").ok().as_ref());
        assert_eq!(dictionary.get(b"C"), parse(b"(AB)").ok().as_ref());
    }

    #[test]
    fn an_end_of_line_in_a_string_is_only_what_it_is() {
        assert_eq!(parse(b"(A\nB)"), parse(b"<410A42>"));
        assert_eq!(parse(b"(A\\rB)"), parse(b"<410D42>"));
        assert_ne!(parse(b"(A\rB)"), parse(b"<410D42>"));
        assert_ne!(parse(b"(A\rB)"), parse(b"<410A42>"));
        assert_ne!(parse(b"(A\r\nB)"), parse(b"(A\\r\\nB)"));
        assert_eq!(parse(b"(A\r\nB)"), parse(b" (A\r\nB)"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_a_fault() {
        for text in [
            &b"<< /A 1 /A 2 >>"[..],
            b"(open",
            b"<41",
            b"1.2.3",
            b"--1",
            b"<< 1 2 >>",
            b"[1",
            b"truefalse",
            b"/A#00",
            b"/A\x80endobj",
            b"<< /A\xFF0 1 >>",
        ] {
            assert!(parse(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(parse(&b"[".repeat(100)), Err(PdfFault::TooDeep));
        let nested = |depth: usize| parse(&[b"[".repeat(depth), b"]".repeat(depth)].concat());
        assert!(nested(DEPTH_MAX + 1).is_ok());
        assert_eq!(nested(DEPTH_MAX + 2).err(), Some(PdfFault::TooDeep));
        let many = [b"[", &b"1 ".repeat(1000)[..], b"]"].concat();
        assert_eq!(parse(&many), Err(PdfFault::TooLarge));
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_text_that_looks_like_pdf_panics(text in "[<>\\[\\]()/ 0-9R\\\\#a-c%]{0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
