//! One tag's inside, and texts with their references resolved.
//!
//! Stands under the parser; `quick-xml` finds where a tag ends, this module judges what is in it.
//!
//! **Invariant**: what needs no change is borrowed from the source.

use std::borrow::Cow;

use super::Limits;
use super::character::{is_space, resolve, split_name};
use super::fault::{FaultKind, Problem};

/// An attribute as written.
pub(super) struct RawAttribute<'s> {
    pub(super) prefix: &'s str,
    pub(super) local: &'s str,
    /// Between the quotes, as written.
    pub(super) value: &'s str,
    /// Where the name begins.
    pub(super) offset: usize,
    /// Where the value begins.
    pub(super) value_offset: usize,
}

/// Walks through the inside of a tag.
pub(super) struct Scanner<'s> {
    /// The tag without its brackets.
    inside: &'s str,
    /// Where `inside` begins in the source.
    base: usize,
    position: usize,
    limits: Limits,
}

impl<'s> Scanner<'s> {
    pub(super) fn new(inside: &'s str, base: usize, limits: &Limits) -> Self {
        Self {
            inside,
            base,
            position: 0,
            limits: *limits,
        }
    }

    /// Takes a qualified name; gives prefix (or nothing) and local name.
    pub(super) fn name(&mut self) -> Result<(&'s str, &'s str), Problem> {
        let rest = &self.inside.as_bytes()[self.position..];
        let length = rest
            .iter()
            .position(|byte| is_space(*byte) || matches!(byte, b'=' | b'"' | b'\'' | b'<' | b'/' | b'&'))
            .unwrap_or(rest.len());
        let offset = self.base + self.position;
        if length > self.limits.name_bytes_max {
            return Err(FaultKind::NameOverLimit {
                limit: self.limits.name_bytes_max,
            }
            .at(offset));
        }
        // Every delimiter is ASCII, so that the cut is on a character boundary.
        let name = &self.inside[self.position..self.position + length];
        self.position += length;
        split_name(name).map_err(|kind| kind.at(offset))
    }

    /// Takes the next attribute, if any is left.
    pub(super) fn attribute(&mut self) -> Result<Option<RawAttribute<'s>>, Problem> {
        let before = self.position;
        self.skip_space();
        if self.position == self.inside.len() {
            return Ok(None);
        }
        if self.position == before {
            return Err(self.malformed());
        }
        let offset = self.base + self.position;
        let (prefix, local) = self.name()?;
        self.skip_space();
        self.expect(b'=')?;
        self.skip_space();
        let bytes = self.inside.as_bytes();
        let quote = match bytes.get(self.position) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            Some(_) | None => return Err(self.malformed()),
        };
        self.position += 1;
        let length = memchr::memchr(quote, &bytes[self.position..]).ok_or_else(|| self.malformed())?;
        let value = &self.inside[self.position..self.position + length];
        let value_offset = self.base + self.position;
        if let Some(at) = memchr::memchr(b'<', value.as_bytes()) {
            return Err(FaultKind::AttributeMalformed.at(value_offset + at));
        }
        self.position += length + 1;
        Ok(Some(RawAttribute {
            prefix,
            local,
            value,
            offset,
            value_offset,
        }))
    }

    /// Fails unless only white space is left.
    pub(super) fn finish(&mut self) -> Result<(), Problem> {
        self.skip_space();
        if self.position == self.inside.len() {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    fn skip_space(&mut self) {
        let rest = &self.inside.as_bytes()[self.position..];
        self.position += rest
            .iter()
            .position(|byte| !is_space(*byte))
            .unwrap_or(rest.len());
    }

    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.inside.as_bytes().get(self.position) == Some(&byte) {
            self.position += 1;
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    fn malformed(&self) -> Problem {
        FaultKind::AttributeMalformed.at(self.base + self.position)
    }
}

/// An attribute's value: references resolved, white space normalised (XML 1.0 section 3.3.3, type CDATA).
pub(super) fn attribute_value<'s>(raw: &RawAttribute<'s>) -> Result<Cow<'s, str>, Problem> {
    let plain = |byte: &u8| !matches!(byte, b'&' | b'\t' | b'\n' | b'\r');
    if raw.value.as_bytes().iter().all(plain) {
        return Ok(Cow::Borrowed(raw.value));
    }
    let mut value = String::with_capacity(raw.value.len());
    let mut characters = raw.value.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\r' => {
                characters.next_if(|(_, next)| *next == '\n');
                value.push(' ');
            }
            '\t' | '\n' => value.push(' '),
            '&' => {
                let rest = &raw.value[at + 1..];
                let problem = |kind: FaultKind| kind.at(raw.value_offset + at);
                let length = rest
                    .find(';')
                    .ok_or_else(|| problem(FaultKind::ReferenceMalformed))?;
                value.push(resolve(&rest[..length]).map_err(problem)?);
                while characters.next_if(|(next, _)| *next <= at + 1 + length).is_some() {}
            }
            other => value.push(other),
        }
    }
    Ok(Cow::Owned(value))
}

/// Line ends as XML 1.0 section 2.11 wants them: CR LF and CR become LF.
pub(super) fn normalise_line_ends(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}
