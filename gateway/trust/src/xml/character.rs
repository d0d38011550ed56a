//! What characters, names and references are in XML 1.0 (fifth edition, sections 2.2, 2.3, 4.1 and 4.6).
//!
//! Stands under the parser, which asks it about every name and every reference.
//!
//! **Invariant**: only the five predefined entities exist; nothing here can expand to more than one character.

use super::fault::FaultKind;

/// Whether XML 1.0 allows this character in a document, directly or by reference (production 2, `Char`).
pub fn is_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => other >= ' ',
    }
}

/// `S` (production 3).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// `NameStartChar` (production 4) without the colon, which Namespaces in XML takes for itself.
fn starts_name(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` (production 4a) without the colon.
fn continues_name(character: char) -> bool {
    starts_name(character)
        || matches!(character,
            '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether this is a name without colon (Namespaces in XML 1.0, production 4, `NCName`).
pub fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

/// Whether two names are the same. They have few octets or, as most prefixes, none: comparing those in place costs less
/// than the call of the library, which for empty texts reads where nothing is and is slowed down by that.
#[inline]
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(one, other)| one == other)
}

/// Splits a qualified name into prefix (empty when there is none) and local name.
pub(super) fn split_name(name: &str) -> Result<(&str, &str), FaultKind> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let prefix_ok = is_name(prefix) || (prefix.is_empty() && !name.starts_with(':'));
    if prefix_ok && is_name(local) {
        Ok((prefix, local))
    } else {
        Err(FaultKind::NameInvalid {
            name: name.to_owned(),
        })
    }
}

/// The character that `&name;` stands for; `name` without ampersand and semicolon.
pub(super) fn resolve(name: &str) -> Result<char, FaultKind> {
    match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    let Some(number) = name.strip_prefix('#') else {
        return Err(if is_name(name) {
            FaultKind::EntityUndefined {
                name: name.to_owned(),
            }
        } else {
            FaultKind::ReferenceMalformed
        });
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    // A sign would be accepted by from_str_radix and is not XML.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(FaultKind::ReferenceMalformed);
    }
    let point = u32::from_str_radix(digits, radix).map_err(|_| FaultKind::ReferenceMalformed)?;
    match char::from_u32(point) {
        Some(character) if is_character(character) => Ok(character),
        Some(_) | None => Err(FaultKind::CharacterForbidden { code_point: point }),
    }
}

/// The place and code point of the first character that XML forbids, wherever it stands.
pub(super) fn find_forbidden(source: &str) -> Option<(usize, u32)> {
    let bytes = source.as_bytes();
    // Packets hold megabytes of base64: whole blocks are cleared with one comparison the compiler vectorises.
    const BLOCK: usize = 256;
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        let suspicious = block.iter().fold(0_u8, |found, byte| {
            let control = u8::from(*byte < 0x20) & u8::from(!matches!(byte, b'\t' | b'\n' | b'\r'));
            found | control | u8::from(*byte == 0xEF)
        });
        if suspicious == 0 {
            continue;
        }
        let start = source.floor_char_boundary(index * BLOCK);
        // A character that straddles two blocks belongs to the one that holds its first byte.
        let end = source.ceil_char_boundary(index * BLOCK + block.len());
        if let Some((at, character)) = source[start..end].char_indices().find(|(_, c)| !is_character(*c)) {
            return Some((start + at, u32::from(character)));
        }
    }
    None
}
