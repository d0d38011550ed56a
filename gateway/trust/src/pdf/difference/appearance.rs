//! What a later revision may show over a page that was signed: a seal, not a page.
//!
//! Regulations want seals and signatures to be seen, and seals to lie over signatures; that somebody may draw on what
//! another signed is also how shadow attacks replace it. No reading of a picture tells the two apart, so that two
//! things are done: what is larger than any seal is refused, and whatever can be seen is told ([`super::check`]).
//!
//! **Invariant**: all widgets whose look an update makes or changes cover together no more than half of the smallest
//! page of the signed revision.
//! **Invariant**: a font that an update brings is named by no default appearance that was signed.
//! **Invariant**: an appearance that is written or left belongs to its widget alone.

use super::super::PdfFault;
use super::super::file::{File, Indirect};
use super::super::object::{Dictionary, Object, Reference};
use super::Changes;
use super::allowed::Allowed;
use super::survey::Place;

/// A page holds so many of the largest appearance. On A4 a seal with its text takes a twentieth; strips that real
/// software draws on small pages take two fifths; what replaces a page takes most of it.
const APPEARANCES_PER_PAGE: f64 = 2.0;

/// The streams and states of an appearance dictionary (§12.5.5).
const STATES: [&[u8]; 3] = [b"N", b"D", b"R"];

impl Allowed {
    /// The appearance of a widget that may change: its dictionary, and streams that are written over.
    pub(super) fn appearance(
        &mut self,
        changes: &Changes<'_, '_>,
        holder: u32,
        (before, after): (&Dictionary, &Dictionary),
    ) -> Result<(), PdfFault> {
        let Some(appearance) = before.get(b"AP") else {
            return Ok(());
        };
        let own = appearance.as_reference();
        let place = match own {
            Some(own) => (own.number, Place::AppearanceEntry),
            None => (holder, Place::AppearanceStream),
        };
        let mut is_written = Some(appearance) != after.get(b"AP");
        let followed = changes.file.follow(appearance, changes.revision - 1)?;
        for stream in followed.dictionary().map(streams).unwrap_or_default() {
            is_written |= self.appearance_stream(changes, stream, place)?;
        }
        let Some(own) = own else { return Ok(()) };
        if changes.writes(own.number) {
            self.numbers.insert(own.number);
            self.roots.push(own.number);
            is_written = true;
        }
        if is_written {
            self.only_for(own.number, (holder, Place::Appearance));
        }
        Ok(())
    }

    /// A stream that may be written over: it was, and stays, a form XObject that nothing but the widget shows. Whether it
    /// is.
    pub(super) fn appearance_stream(
        &mut self,
        changes: &Changes<'_, '_>,
        stream: Reference,
        holder: (u32, Place),
    ) -> Result<bool, PdfFault> {
        let number = stream.number;
        if !changes.old.contains(&number) {
            return Ok(false);
        }
        let (before, after) = (changes.before(number)?, changes.after(number)?);
        if !is_form(&before) || !is_form(&after) {
            return Err(PdfFault::Changed { number });
        }
        self.write(changes, number, holder);
        self.roots.push(number);
        Ok(true)
    }
}

/// The streams that an appearance dictionary refers to, those of states included.
fn streams(appearance: &Dictionary) -> Vec<Reference> {
    let mut streams = Vec::new();
    for state in STATES.iter().filter_map(|state| appearance.get(state)) {
        match state.as_dictionary() {
            Some(states) => streams.extend(states.iter().filter_map(|(_, state)| state.as_reference())),
            None => streams.extend(state.as_reference()),
        }
    }
    streams
}

/// A form XObject (§8.10).
pub(super) fn is_form(object: &Indirect) -> bool {
    let is_named = |stream: &Dictionary| {
        stream.name(b"Subtype") == Some(b"Form") && matches!(stream.name(b"Type"), None | Some(b"XObject"))
    };
    object.stream.is_some() && object.dictionary().is_some_and(is_named)
}

/// How much the widgets of these numbers cover together, and the largest of them.
pub(super) fn covered(
    changes: &Changes<'_, '_>,
    widgets: impl Iterator<Item = u32>,
) -> Result<(f64, u32), PdfFault> {
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
        let area = area(changes.file, rectangle, changes.revision).ok_or(PdfFault::Changed { number })?;
        covered += area;
        if area > largest.0 {
            largest = (area, number);
        }
    }
    Ok((covered, largest.1))
}

/// A fault where the widgets of these numbers cover more than seals do.
pub(super) fn check_size(
    changes: &Changes<'_, '_>,
    widgets: impl Iterator<Item = u32>,
) -> Result<(), PdfFault> {
    let (covered, number) = covered(changes, widgets)?;
    if covered > 0.0 && covered * APPEARANCES_PER_PAGE > changes.context.survey.smallest_page() {
        return Err(PdfFault::Overlaid { number });
    }
    Ok(())
}

/// The area of a rectangle (§7.9.5) in units of user space; `None` where it is none.
pub(super) fn area(file: &File<'_>, rectangle: &Object, revision: usize) -> Option<f64> {
    let rectangle = file.follow(rectangle, revision).ok()?;
    let corners = rectangle.array()?.iter().map(|corner| {
        let corner = file.follow(corner, revision).ok()?;
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
) -> bool {
    let (before, after) = (before.get(b"DR"), after.get(b"DR"));
    if before == after {
        return true;
    }
    let nothing = Dictionary::default();
    let before = before.map_or(Some(&nothing), Object::as_dictionary);
    let (Some(before), Some(after)) = (before, after.and_then(Object::as_dictionary)) else {
        return false;
    };
    let fonts = |resources: &Dictionary| match resources.get(b"Font") {
        None => Some(Dictionary::default()),
        Some(fonts) => fonts.as_dictionary().cloned(),
    };
    let (Some(fonts_before), Some(fonts_after)) = (fonts(before), fonts(after)) else {
        return false;
    };
    let is_kept = before.equals_except(after, &[b"Font"])
        && fonts_before
            .iter()
            .all(|(key, value)| fonts_after.get(key) == Some(value));
    let survey = changes.context.survey;
    let is_unasked =
        |font: &[u8]| fonts_before.get(font).is_some() || !survey.is_asked_for(font, changes.revision - 1);
    is_kept && fonts_after.iter().all(|(font, _)| is_unasked(font))
}
