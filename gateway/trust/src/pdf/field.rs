//! The fields of the form as a revision shows them (ISO 32000-2 §12.7.4).
//!
//! **Invariant**: no field stands in the tree twice; its depth and size are limited.

use std::collections::{HashMap, HashSet};

use super::PdfFault;
use super::file::File;
use super::object::{Dictionary, Object, Reference};

/// Fields of a form at most, and how deep they nest.
const FIELDS_MAX: usize = 100_000;
const FIELD_DEPTH_MAX: usize = 32;

/// ReadOnly, and Pushbutton of a button (§12.7.4.1, §12.7.5.2).
const FLAG_READ_ONLY: i64 = 1;
const FLAG_PUSHBUTTON: i64 = 1 << 16;

/// FT, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Signature,
    /// Text, choice or button.
    Value,
}

/// A field, or a widget that is a kid of one.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) reference: Reference,
    /// FT, its own or that of an ancestor.
    pub(super) kind: Option<Kind>,
    /// Ff, its own or that of an ancestor.
    flags: i64,
    /// Where in the form its parent is.
    parent: Option<usize>,
}

/// The fully qualified name of a field; `None` where it is not known to be written the same everywhere.
pub(super) type Name = Option<String>;

#[derive(Default)]
pub(super) struct Form {
    pub(super) fields: Vec<Field>,
    places: HashMap<u32, usize>,
    revision: usize,
}

impl Form {
    /// The form of the revision; empty where there is none.
    pub(super) fn read(file: &File<'_>, revision: usize) -> Result<Self, PdfFault> {
        let mut form = Self {
            revision,
            ..Self::default()
        };
        let (_, catalog) = file.catalog(revision)?;
        let Some(dictionary) = catalog.dictionary().and_then(|catalog| catalog.get(b"AcroForm")) else {
            return Ok(form);
        };
        let dictionary = file.follow(dictionary, revision)?;
        let dictionary = dictionary.dictionary().ok_or(PdfFault::Form)?;
        let Some(fields) = dictionary.get(b"Fields") else {
            return Ok(form);
        };
        let fields = file.follow(fields, revision)?;
        let mut seen = HashSet::new();
        form.walk(file, fields.array().ok_or(PdfFault::Form)?, (None, 0), &mut seen)?;
        let numbers = form.fields.iter().map(|field| field.reference.number);
        form.places = numbers.zip(0..).collect();
        file.budget.take_looks(form.fields.len())?;
        Ok(form)
    }

    fn walk(
        &mut self,
        file: &File<'_>,
        fields: &[Object],
        (parent, depth): (Option<usize>, usize),
        seen: &mut HashSet<u32>,
    ) -> Result<(), PdfFault> {
        if depth > FIELD_DEPTH_MAX {
            return Err(PdfFault::TooDeep);
        }
        for field in fields {
            let Object::Reference(reference) = field else {
                return Err(PdfFault::Form);
            };
            if !seen.insert(reference.number) || seen.len() > FIELDS_MAX {
                return Err(PdfFault::Form);
            }
            let object = file.resolve(*reference, self.revision)?;
            // One that is a stream would be a content, too.
            let dictionary = object.dictionary().filter(|_| object.stream.is_none());
            let dictionary = dictionary.ok_or(PdfFault::Form)?;
            let above = parent.map(|parent| self.fields[parent]);
            let kind = match dictionary.get(b"FT") {
                Some(Object::Name(kind)) => match &**kind {
                    b"Sig" => Some(Kind::Signature),
                    b"Tx" | b"Ch" | b"Btn" => Some(Kind::Value),
                    _ => None,
                },
                Some(_) => return Err(PdfFault::Form),
                None => above.and_then(|above| above.kind),
            };
            let flags = match dictionary.get(b"Ff") {
                Some(Object::Integer(flags)) => *flags,
                Some(_) => return Err(PdfFault::Form),
                None => above.map_or(0, |above| above.flags),
            };
            self.fields.push(Field {
                reference: *reference,
                kind,
                flags,
                parent,
            });
            let place = self.fields.len() - 1;
            if let Some(kids) = dictionary.get(b"Kids") {
                let kids = file.follow(kids, self.revision)?;
                let kids = kids.array().ok_or(PdfFault::Form)?;
                self.walk(file, kids, (Some(place), depth + 1), seen)?;
            }
        }
        Ok(())
    }

    /// Where the object of this number stands in the form.
    pub(super) fn place(&self, number: u32) -> Option<usize> {
        self.places.get(&number).copied()
    }

    /// The names of all fields, by their places.
    pub(super) fn names(&self, file: &File<'_>) -> Result<Vec<Name>, PdfFault> {
        (0..self.fields.len())
            .map(|place| self.name(file, place))
            .collect()
    }

    /// The fields and widgets below this one: they follow it.
    pub(super) fn below(&self, place: usize) -> impl Iterator<Item = &Field> {
        let following = self.fields[place + 1..].iter();
        following.take_while(move |field| field.parent.is_some_and(|parent| place <= parent))
    }

    /// The fields above this one, the nearest first.
    pub(super) fn above(&self, place: usize) -> impl Iterator<Item = &Field> {
        let parent = |field: &&Field| Some(&self.fields[field.parent?]);
        std::iter::successors(Some(&self.fields[place]), parent).skip(1)
    }

    /// The names of the field and its ancestors, joined by full stops (§12.7.4.2). A widget has the name of its field.
    pub(super) fn name(&self, file: &File<'_>, place: usize) -> Result<Name, PdfFault> {
        let mut parts = Vec::new();
        let mut next = Some(place);
        while let Some(place) = next {
            let field = &self.fields[place];
            let object = file.resolve(field.reference, self.revision)?;
            match object.dictionary().and_then(|field| field.get(b"T")) {
                None => {}
                Some(Object::Text(text)) => {
                    file.budget.take_name(text.bytes.len())?;
                    match text_string(&text.bytes) {
                        // Some readers leave an empty part out.
                        Some(part) if !part.is_empty() => parts.push(part),
                        Some(_) | None => return Ok(None),
                    }
                }
                Some(_) => return Ok(None),
            }
            next = field.parent;
        }
        parts.reverse();
        Ok(Some(parts.join(".")))
    }
}

impl Field {
    /// Whether whoever fills in the form may change its value.
    pub(super) fn is_fillable(&self) -> bool {
        self.kind == Some(Kind::Value) && self.flags & (FLAG_READ_ONLY | FLAG_PUSHBUTTON) == 0
    }
}

/// The name that a field at the top of the form has.
pub(super) fn own_name(field: &Dictionary) -> Name {
    match field.get(b"T") {
        Some(Object::Text(text)) => text_string(&text.bytes),
        Some(_) | None => None,
    }
}

/// A text string (§7.9.2.2); `None` where its octets are no text, or text that PDFDocEncoding writes in its own way.
pub(super) fn text_string(bytes: &[u8]) -> Option<String> {
    // In the other order of octets some readers take it for a text, too; and some leave out what is no character.
    if bytes.starts_with(&[0xFF, 0xFE]) {
        return None;
    }
    let plain = |text: String| Some(text).filter(|text| !text.chars().any(char::is_control));
    if let Some(units) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        let pairs = units.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        let units: Vec<u16> = pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16(&units).ok().and_then(plain);
    }
    if let Some(text) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        return String::from_utf8(text.to_vec()).ok().and_then(plain);
    }
    // Where PDFDocEncoding is that of Latin 1 (annex D.3).
    let is_common = |octet: &u8| matches!(octet, 0x20..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    bytes
        .iter()
        .all(is_common)
        .then(|| bytes.iter().map(|octet| char::from(*octet)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_every_encoding() {
        let same = Some("K\u{FD}".to_owned());
        assert_eq!(text_string(b"K\xFD"), same);
        assert_eq!(text_string(b"\xFE\xFF\0K\0\xFD"), same);
        assert_eq!(text_string(b"\xEF\xBB\xBFK\xC3\xBD"), same);
        assert_eq!(text_string(b"K\x8D"), None);
        assert_eq!(text_string(b"\xFF\xFEK\0"), None);
        assert_eq!(text_string(b"\xFE\xFF\0\x1B\0v\0n\0\x1B\0K"), None);
        assert_eq!(text_string(b"\xEF\xBB\xBF\x1BK"), None);
        assert_eq!(text_string(b"\xFE\xFF\0K\0"), None);
        assert_eq!(text_string(b"\xFE\xFF\xD8\0"), None);
    }
}
