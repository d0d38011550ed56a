//! Distinguished names, compared as RFC 5280 §7.1 asks for.
//!
//! Stands under `x509`, `crl` and `path`. A name is brought into a canonical form once, when it is read; comparing and
//! looking up are then comparisons of octets.
//!
//! **Invariant**: two names with equal canonical form match under §7.1; values that cannot be prepared (unknown string
//! types, broken encodings) match only themselves, octet by octet.

use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

use crate::asn1::{Asn1Fault, Element, Reader, oid, tag, write};
use crate::digest::Digest;

/// Octets of a name that is read at most: names in use have some hundreds. What is embedded is compared very often.
const NAME_BYTES_MAX: usize = 8 << 10;

/// A distinguished name (RFC 5280 §4.1.2.4). Equality is that of RFC 5280 §7.1; shown as in RFC 4514, first part first.
#[derive(Clone)]
pub struct Name {
    der: Box<[u8]>,
    canonical: Box<[u8]>,
    /// Of the canonical octets: comparing names costs the same, however long they are.
    digest: Digest,
    attributes: Box<[Attribute]>,
    /// The parts one after another.
    parts: Box<[Part]>,
}

/// One part of a name.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where it ends in the canonical octets.
    end: usize,
    /// Whether all its values are text: others match themselves, and may be the same as text all the same.
    is_text: bool,
}

/// One attribute of a name.
#[derive(Clone, Debug)]
struct Attribute {
    /// Content octets of the attribute type's object identifier.
    oid: Box<[u8]>,
    /// The value as text; empty where it is no string.
    value: Box<str>,
}

impl Name {
    /// Reads a Name: an RDNSequence of up to [`NAME_BYTES_MAX`]. Repeated attributes and multi-valued parts are allowed.
    pub(crate) fn read(name: &Element<'_>) -> Result<Self, Asn1Fault> {
        if name.tag != tag::SEQUENCE {
            return Err(Asn1Fault::Unexpected);
        }
        if NAME_BYTES_MAX < name.whole.len() {
            return Err(Asn1Fault::Size);
        }
        let mut canonical = Vec::with_capacity(name.whole.len());
        let (mut attributes, mut parts) = (Vec::new(), Vec::new());
        let mut rest = name.reader();
        while !rest.is_empty() {
            let mut part = rest.enter(tag::SET)?;
            let mut is_text = true;
            if part.is_empty() {
                return Err(Asn1Fault::Unexpected);
            }
            let mut prepared = Vec::new();
            while !part.is_empty() {
                let mut attribute = part.sequence()?;
                let oid = attribute.object_identifier()?;
                let value = attribute.next()?;
                attribute.finish()?;
                let text = text_of(&value);
                is_text &= text.is_some();
                let comparable = match &text {
                    Some(text) => write::element(tag::UTF8_STRING, prepare(text).as_bytes()),
                    None => value.whole.to_vec(),
                };
                prepared.push(write::constructed(
                    tag::SEQUENCE,
                    &[&write::element(tag::OBJECT_IDENTIFIER, oid), &comparable],
                ));
                attributes.push(Attribute {
                    oid: oid.into(),
                    value: text.unwrap_or_default().into(),
                });
            }
            canonical.extend(write::set_of(tag::SET, prepared));
            let end = canonical.len();
            parts.push(Part { end, is_text });
        }
        Ok(Self {
            der: name.whole.into(),
            digest: Digest::of(&canonical),
            canonical: canonical.into(),
            attributes: attributes.into(),
            parts: parts.into(),
        })
    }

    /// The name in DER, as it stands in its certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Octets that are equal for names that match under RFC 5280 §7.1, and only for those.
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// Whether the name has no part at all.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Whether the name lies in the subtree of the other: the other's parts are the first of its own (RFC 5280 §4.2.1.10);
    /// `None` where that cannot be told, because one of the parts that differ is no text.
    pub(crate) fn begins_with(&self, other: &Name) -> Option<bool> {
        if self.parts.len() < other.parts.len() {
            return Some(false);
        }
        let (mut own_start, mut other_start) = (0, 0);
        for (own, wanted) in self.parts.iter().zip(&other.parts) {
            let is_same = self.canonical[own_start..own.end] == other.canonical[other_start..wanted.end];
            if !is_same {
                return (own.is_text && wanted.is_text).then_some(false);
            }
            (own_start, other_start) = (own.end, wanted.end);
        }
        Some(true)
    }

    /// The name with one more part, given as the content of its SET (nameRelativeToCRLIssuer, §4.2.1.13).
    pub(crate) fn with_part(&self, content: &[u8]) -> Result<Name, Asn1Fault> {
        let own = Reader::sole(&self.der, tag::SEQUENCE)?.content;
        let whole = write::constructed(tag::SEQUENCE, &[own, &write::element(tag::SET, content)]);
        Name::read(&Reader::sole(&whole, tag::SEQUENCE)?)
    }

    /// Every emailAddress (1.2.840.113549.1.9.1).
    pub(crate) fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.values(&oid::NAME_EMAIL)
    }

    /// The last commonName (2.5.4.3), the most specific one.
    pub fn common_name(&self) -> Option<&str> {
        self.values(&oid::NAME_COMMON_NAME).next_back()
    }

    /// Every organizationName (2.5.4.10), in the order of the name.
    pub fn organizations(&self) -> impl Iterator<Item = &str> {
        self.values(&oid::NAME_ORGANIZATION)
    }

    /// Every organizationalUnitName (2.5.4.11), in the order of the name.
    pub fn organizational_units(&self) -> impl Iterator<Item = &str> {
        self.values(&oid::NAME_ORGANIZATIONAL_UNIT)
    }

    fn values(&self, oid: &const_oid::ObjectIdentifier) -> impl DoubleEndedIterator<Item = &str> {
        let oid = *oid;
        self.attributes
            .iter()
            .filter(move |attribute| &*attribute.oid == oid.as_bytes())
            .map(|attribute| &*attribute.value)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attribute) in self.attributes.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write_attribute_type(f, &attribute.oid)?;
            f.write_str("=")?;
            for character in attribute.value.chars() {
                match character {
                    ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => write!(f, "\\{character}")?,
                    _ if character.is_control() => write!(f, "{}", character.escape_unicode())?,
                    _ => write!(f, "{character}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

fn write_attribute_type(f: &mut fmt::Formatter<'_>, type_octets: &[u8]) -> fmt::Result {
    let known = [
        (oid::NAME_COMMON_NAME, "CN"),
        (oid::NAME_SERIAL_NUMBER, "SERIALNUMBER"),
        (oid::NAME_COUNTRY, "C"),
        (oid::NAME_LOCALITY, "L"),
        (oid::NAME_STATE, "ST"),
        (oid::NAME_ORGANIZATION, "O"),
        (oid::NAME_ORGANIZATIONAL_UNIT, "OU"),
        (oid::NAME_EMAIL, "E"),
        (oid::NAME_USER_ID, "UID"),
        (oid::NAME_DOMAIN_COMPONENT, "DC"),
    ];
    match known.iter().find(|(known, _)| known.as_bytes() == type_octets) {
        Some((_, short)) => f.write_str(short),
        None => match const_oid::ObjectIdentifier::from_bytes(type_octets) {
            Ok(oid) => write!(f, "{oid}"),
            Err(_) => f.write_str("?"),
        },
    }
}

/// The value of a string type whose characters are certain. TeletexString and UniversalString stay octets: their
/// meaning differs between writers.
fn text_of(value: &Element<'_>) -> Option<String> {
    match value.tag {
        tag::UTF8_STRING => std::str::from_utf8(value.content).ok().map(str::to_owned),
        tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            let text = std::str::from_utf8(value.content).ok()?;
            text.is_ascii().then(|| text.to_owned())
        }
        tag::BMP_STRING => {
            let units = value.content.chunks_exact(2);
            if !units.remainder().is_empty() {
                return None;
            }
            char::decode_utf16(units.map(|unit| u16::from_be_bytes([unit[0], unit[1]])))
                .collect::<Result<String, _>>()
                .ok()
        }
        _ => None,
    }
}

/// String preparation of RFC 4518 as RFC 5280 §7.1 uses it: map, normalise, fold case, squeeze white space.
fn prepare(text: &str) -> String {
    let mapped = text.chars().filter(|character| !is_mapped_to_nothing(*character));
    let folded: String = if text.is_ascii() {
        mapped.map(|character| character.to_ascii_lowercase()).collect()
    } else {
        let small = mapped.nfkc().flat_map(char::to_lowercase);
        let folded: String = small.flat_map(fold_further).collect();
        folded.nfkc().collect()
    };
    let mut prepared = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !prepared.is_empty() {
            prepared.push(' ');
        }
        prepared.push_str(word);
    }
    prepared
}

/// What case folding makes of small letters beyond making them small (RFC 3454 table B.2).
fn fold_further(character: char) -> impl Iterator<Item = char> {
    let (first, second) = match character {
        'ß' => ('s', Some('s')),
        'ς' => ('σ', None),
        'և' => ('ե', Some('ւ')),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

/// RFC 4518 §2.2: controls that are no white space, soft hyphens, joiners, variation selectors, tags, the object
/// replacement character.
fn is_mapped_to_nothing(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}'
        | '\u{00AD}' | '\u{034F}' | '\u{06DD}' | '\u{070F}' | '\u{1806}' | '\u{180B}'..='\u{180E}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2063}'
        | '\u{206A}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFC}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0001}' | '\u{E0020}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Reader;

    fn name(parts: &[(u8, &str)]) -> Name {
        let parts: Vec<Vec<u8>> = parts
            .iter()
            .map(|(tag, text)| {
                let oid = write::object_identifier(&oid::NAME_COMMON_NAME);
                let value = write::element(*tag, text.as_bytes());
                write::element(tag::SET, &write::constructed(tag::SEQUENCE, &[&oid, &value]))
            })
            .collect();
        let bytes = write::element(tag::SEQUENCE, &parts.concat());
        Name::read(&Reader::sole(&bytes, tag::SEQUENCE).expect("one element")).expect("a name")
    }

    #[test]
    fn case_space_and_string_type_do_not_matter() {
        let one = name(&[(tag::PRINTABLE_STRING, "Root  CA ")]);
        let other = name(&[(tag::UTF8_STRING, " root ca")]);
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "CN=Root  CA ");
    }

    #[test]
    fn a_name_is_read_up_to_its_limit() {
        let named = |octets: usize| {
            // Around the value stand tags and lengths of 21 octets.
            let value = write::element(tag::UTF8_STRING, "x".repeat(octets - 21).as_bytes());
            let oid = write::object_identifier(&oid::NAME_COMMON_NAME);
            let part = write::element(tag::SET, &write::constructed(tag::SEQUENCE, &[&oid, &value]));
            let name = write::element(tag::SEQUENCE, &part);
            Name::read(&Reader::sole(&name, tag::SEQUENCE).expect("one element")).map(|name| name.der().len())
        };
        assert_eq!(named(NAME_BYTES_MAX), Ok(NAME_BYTES_MAX));
        assert_eq!(named(NAME_BYTES_MAX + 1), Err(Asn1Fault::Size));
    }

    #[test]
    fn decomposed_letters_match_composed_ones() {
        let composed = name(&[(tag::UTF8_STRING, "Cơ quan chứng thực")]);
        let decomposed: String = "Cơ quan chứng thực".nfd().collect();
        assert_eq!(composed, name(&[(tag::UTF8_STRING, &decomposed)]));
    }

    #[test]
    fn what_is_not_shown_and_what_only_folds_does_not_matter() {
        let text = tag::UTF8_STRING;
        let one = name(&[(text, "Bad strasse")]);
        for written in [
            "B\u{1}ad stra\u{E0041}sse",
            "bad straße",
            "BAD STRAẞE",
            "Bad\u{AD} strasse",
        ] {
            assert_eq!(name(&[(text, written)]), one, "{written:?}");
        }
    }

    #[test]
    fn where_a_name_lies_is_not_told_where_a_part_that_differs_is_no_text() {
        let (text, teletex) = (tag::UTF8_STRING, 0x14);
        let base = name(&[(text, "vn"), (text, "Bad")]);
        for (parts, lies_in) in [
            (&[(text, "VN"), (text, "bad"), (teletex, "x")][..], Some(true)),
            (&[(text, "vn"), (text, "Good")], Some(false)),
            (&[(text, "vn"), (teletex, "Bad")], None),
            (&[(text, "us"), (teletex, "Bad")], Some(false)),
            (&[(teletex, "vn"), (text, "Bad")], None),
            (&[(text, "vn")], Some(false)),
        ] {
            assert_eq!(name(parts).begins_with(&base), lies_in, "{parts:?}");
        }
        let of_octets = name(&[(teletex, "Bad")]);
        assert_eq!(of_octets.begins_with(&of_octets), Some(true));
        assert_eq!(name(&[(text, "Bad")]).begins_with(&of_octets), None);
    }

    #[test]
    fn other_words_orders_and_divisions_differ() {
        let text = tag::UTF8_STRING;
        assert_ne!(name(&[(text, "a b")]), name(&[(text, "ab")]));
        assert_ne!(
            name(&[(text, "a"), (text, "b")]),
            name(&[(text, "b"), (text, "a")])
        );
        assert_ne!(name(&[(text, "a"), (text, "b")]), name(&[(text, "a")]));
        assert_ne!(name(&[(0x14, "a")]), name(&[(text, "a")]));
    }
}
