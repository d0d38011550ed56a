//! What a later signature may show over a page that was signed: a seal, not a page.
//!
//! Regulations want seals and signatures to be seen, and seals to lie over signatures; that somebody may draw on what
//! another signed is also how shadow attacks replace it. No reading of a picture tells the two apart, so that two
//! things are done: what is larger than any seal is refused, and whatever can be seen is told ([`super::check`]).
//!
//! **Invariant**: all widgets whose look an update makes or changes cover together no more than half of the smallest
//! page of the signed revision.
//! **Invariant**: a font that an update brings is named by no default appearance that was signed.

use super::super::PdfFault;
use super::super::object::{Dictionary, Object};
use super::Changes;

/// A page holds so many of the largest appearance. On A4 a seal with its text takes a twentieth; strips that real
/// software draws on small pages take two fifths; what replaces a page takes most of it.
const APPEARANCES_PER_PAGE: f64 = 2.0;

/// Whether the widgets of these numbers show anything; a fault where it is more than a seal.
pub(super) fn check_size(
    changes: &Changes<'_, '_>,
    widgets: impl Iterator<Item = u32>,
) -> Result<bool, PdfFault> {
    let mut covered = 0.0;
    let mut largest = (0.0, 0);
    for number in widgets {
        let object = changes.after(number)?;
        let widget = object
            .dictionary()
            .filter(|one| one.name(b"Subtype") == Some(b"Widget"));
        let Some(rectangle) = widget.and_then(|widget| widget.get(b"Rect")) else {
            continue;
        };
        let area = area(changes, rectangle, changes.revision).ok_or(PdfFault::Changed { number })?;
        covered += area;
        if area > largest.0 {
            largest = (area, number);
        }
    }
    if covered > 0.0 && covered * APPEARANCES_PER_PAGE > smallest_page(changes)? {
        return Err(PdfFault::Overlaid { number: largest.1 });
    }
    Ok(covered > 0.0)
}

/// The area of the smallest box that any page of the signed revision has or inherits; 0 where none has one.
fn smallest_page(changes: &Changes<'_, '_>) -> Result<f64, PdfFault> {
    let mut smallest: Option<f64> = None;
    for signed in changes.signed() {
        let (_, object) = signed?;
        let Some(dictionary) = object.dictionary() else {
            continue;
        };
        for key in [&b"MediaBox"[..], b"CropBox"] {
            let Some(page) = dictionary.get(key) else { continue };
            let area = area(changes, page, changes.revision - 1).unwrap_or(0.0);
            smallest = Some(smallest.map_or(area, |known| known.min(area)));
        }
    }
    Ok(smallest.unwrap_or(0.0))
}

/// The area of a rectangle (§7.9.5) in units of user space; `None` where it is none.
fn area(changes: &Changes<'_, '_>, rectangle: &Object, revision: usize) -> Option<f64> {
    let rectangle = changes.file.follow(rectangle, revision).ok()?;
    let corners = rectangle.array()?.iter().map(|corner| {
        let corner = changes.file.follow(corner, revision).ok()?;
        corner.value.as_number()
    });
    let corners: [f64; 4] = corners.collect::<Option<Vec<f64>>>()?.try_into().ok()?;
    Some((corners[2] - corners[0]).abs() * (corners[3] - corners[1]).abs())
}

/// The resources of the form may gain fonts, which only appearances made later use, and lose nothing.
pub(super) fn are_resources_grown(
    changes: &Changes<'_, '_>,
    before: &Dictionary,
    after: &Dictionary,
) -> Result<bool, PdfFault> {
    let (before, after) = (before.get(b"DR"), after.get(b"DR"));
    if before == after {
        return Ok(true);
    }
    let nothing = Dictionary::default();
    let before = before.map_or(Some(&nothing), Object::as_dictionary);
    let (Some(before), Some(after)) = (before, after.and_then(Object::as_dictionary)) else {
        return Ok(false);
    };
    let fonts = |resources: &Dictionary| match resources.get(b"Font") {
        None => Some(Dictionary::default()),
        Some(fonts) => fonts.as_dictionary().cloned(),
    };
    let (Some(fonts_before), Some(fonts_after)) = (fonts(before), fonts(after)) else {
        return Ok(false);
    };
    let is_kept = before.equals_except(after, &[b"Font"])
        && fonts_before
            .iter()
            .all(|(key, value)| fonts_after.get(key) == Some(value));
    if !is_kept {
        return Ok(false);
    }
    let added: Vec<&[u8]> = fonts_after
        .iter()
        .map(|(name, _)| name)
        .filter(|name| fonts_before.get(name).is_none())
        .collect();
    for signed in changes.signed() {
        if asks_for(&signed?.1.value, &added) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a default appearance (§12.7.4.3) inside the object may name one of the fonts: a reader that makes the
/// appearance anew would take what was not there when it was signed.
fn asks_for(object: &Object, fonts: &[&[u8]]) -> bool {
    match object {
        Object::Array(items) => items.iter().any(|item| asks_for(item, fonts)),
        Object::Dictionary(dictionary) => dictionary.iter().any(|(key, value)| {
            if key != b"DA" {
                return asks_for(value, fonts);
            }
            let Object::Text(text) = value else { return true };
            let names = |font: &&[u8]| memchr::memmem::find(&text.bytes, &[b"/", *font].concat()).is_some();
            // A name may be written in other ways (§7.3.5).
            text.bytes.contains(&b'#') || fonts.iter().any(names)
        }),
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::Text(_)
        | Object::Reference(_) => false,
    }
}
