//! What a later revision may show over a page that was signed: a seal, not a page.
//!
//! Regulations want seals and signatures to be seen, and seals to lie over signatures; that somebody may draw on what
//! another signed is also how shadow attacks replace it. No reading of a picture tells the two apart, so that two
//! things are done: what is larger than any seal is refused, and whatever can be seen is told ([`super::check`]).
//!
//! **Invariant**: all widgets whose look updates make or change, however many updates, cover on any one page no more than half
//! of the smallest page of the signed revision.
//! **Invariant**: every appearance of theirs is drawn inside the widget (`look`).
//! **Invariant**: what a field looks like changes only where the field says by itself that it is a widget.
//! **Invariant**: a font that an update brings is named by no default appearance that was signed.
//! **Invariant**: an appearance that is written or left belongs to its widget alone.

use std::collections::{BTreeMap, BTreeSet};

use super::super::PdfFault;
use super::super::file::Indirect;
use super::super::object::{Dictionary, Object, Reference};
use super::Changes;
use super::allowed::Allowed;
use super::boxes::Corners;
use super::place::Place;
use super::survey::{NAME_OCTETS_MAX, Use};

/// A page holds so many of the largest appearance. On A4 a seal with its text takes a twentieth; strips that real
/// software draws on small pages take two fifths; what replaces a page takes most of it.
const APPEARANCES_PER_PAGE: f64 = 2.0;

/// The streams and states of an appearance dictionary (§12.5.5).
pub(super) const STATES: [&[u8]; 3] = [b"N", b"D", b"R"];

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
        self.streams.insert(number);
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

/// What the signatures after the first one show, and the fields that were filled in, however many updates brought them.
#[derive(Default)]
pub(super) struct Seals {
    /// Page and area by widget; the page is 0 where it is not known, or where there are several.
    widgets: BTreeMap<u32, (u32, f64)>,
}

impl Seals {
    /// Adds those of an update; a fault where a page is covered by more than seals.
    pub(super) fn add(&mut self, changes: &Changes<'_, '_>, allowed: &Allowed) -> Result<(), PdfFault> {
        for (&number, &area) in &allowed.areas {
            let page = match allowed.pages.get(&number) {
                Some(page) => *page,
                None => page_of(changes, number)?,
            };
            self.widgets.insert(number, (page, area));
        }
        let mut covered: BTreeMap<u32, f64> = BTreeMap::new();
        for (page, area) in self.widgets.values() {
            *covered.entry(*page).or_default() += area;
        }
        let everywhere = covered.remove(&0).unwrap_or(0.0);
        let most = covered.values().copied().fold(0.0, f64::max) + everywhere;
        if is_of_seals(changes, most) {
            return Ok(());
        }
        let number = allowed.areas.keys().next_back().copied().unwrap_or(0);
        Err(PdfFault::Overlaid { number })
    }
}

/// The page that showed a widget before the update; 0 where it is not one, or not known to be.
fn page_of(changes: &Changes<'_, '_>, widget: u32) -> Result<u32, PdfFault> {
    let (survey, before) = (changes.context.survey, changes.revision - 1);
    changes
        .file
        .budget
        .take_looks(survey.weight(widget).unwrap_or(0))?;
    let mut pages = BTreeSet::new();
    for one in survey.uses(widget, before) {
        match one.place {
            Place::Annotations => drop(pages.insert(if one.is_of_page { one.holder } else { 0 })),
            Place::Item => pages.extend(pages_of(changes, one.holder)?),
            Place::Fields | Place::FormFields | Place::Field => {}
            Place::Root
            | Place::Information
            | Place::Data
            | Place::Form
            | Place::Font
            | Place::Parent
            | Place::Appearance
            | Place::AppearanceStream
            | Place::AppearanceEntry
            | Place::Metadata
            | Place::Extensions
            | Place::ValidationMaterial
            | Place::Other => drop(pages.insert(0)),
        }
    }
    Ok(match pages.first() {
        Some(page) if pages.len() == 1 => *page,
        Some(_) | None => 0,
    })
}

/// The pages whose annotations an array is; 0 among them where it is more than that, or nobody looked. None where it is no
/// array of annotations at all.
fn pages_of(changes: &Changes<'_, '_>, array: u32) -> Result<BTreeSet<u32>, PdfFault> {
    let (survey, before) = (changes.context.survey, changes.revision - 1);
    let Some(weight) = survey.weight(array) else {
        return Ok(BTreeSet::from([0]));
    };
    changes.file.budget.take_looks(weight)?;
    let uses = survey.uses(array, before);
    let uses = uses.filter(|one| !matches!(one.place, Place::Fields | Place::FormFields | Place::Field));
    let page = |one: &Use| {
        let is_page = one.is_of_page && one.place == Place::Annotations;
        if is_page { one.holder } else { 0 }
    };
    Ok(uses.map(page).collect())
}

/// Whether a field is a widget by its own plain word, or has nothing to look like. Readers draw other annotations in ways of
/// their own, and follow a word that is written elsewhere.
pub(super) fn is_plain_widget(field: &Dictionary) -> bool {
    let has_look = [&b"AP"[..], b"Rect"].iter().any(|key| field.get(key).is_some());
    !has_look || field.name(b"Subtype") == Some(b"Widget")
}

/// The area of a widget, or of whatever else has a place on a page; `None` where it shows nowhere.
fn area_of(changes: &Changes<'_, '_>, number: u32) -> Result<Option<f64>, PdfFault> {
    let object = changes.after(number)?;
    let Some(rectangle) = object.dictionary().and_then(|widget| widget.get(b"Rect")) else {
        return Ok(None);
    };
    let corners = Corners::read(changes.file, rectangle, changes.revision);
    let corners = corners.ok_or(PdfFault::Changed { number })?;
    Ok(Some(corners.area()))
}

/// Whether readers make the looks of fields themselves, so that appearances do not say what is seen (NeedAppearances,
/// §12.7.3).
pub(super) fn are_made_by_readers(form: &Dictionary) -> bool {
    !matches!(form.get(b"NeedAppearances"), None | Some(Object::Boolean(false)))
}

/// How much of a page each of these widgets covers; what shows nowhere is left out.
pub(super) fn areas(
    changes: &Changes<'_, '_>,
    widgets: impl Iterator<Item = u32>,
) -> Result<BTreeMap<u32, f64>, PdfFault> {
    let measured = widgets.map(|number| Ok(area_of(changes, number)?.map(|area| (number, area))));
    measured.filter_map(Result::transpose).collect()
}

/// How much widgets cover together, and the largest of them.
pub(super) fn covered(areas: impl Iterator<Item = (u32, f64)>) -> (f64, u32) {
    let mut covered = 0.0;
    let mut largest = (0.0, 0);
    for (number, area) in areas {
        covered += area;
        if area > largest.0 {
            largest = (area, number);
        }
    }
    (covered, largest.1)
}

/// Whether what is covered together is no more than seals cover.
pub(super) fn is_of_seals(changes: &Changes<'_, '_>, covered: f64) -> bool {
    covered == 0.0 || covered * APPEARANCES_PER_PAGE <= changes.context.survey.smallest_page()
}

/// The resources of the form may gain fonts, which only appearances made later use, and lose nothing.
pub(super) fn are_resources_grown(
    changes: &Changes<'_, '_>,
    before: &Dictionary,
    after: &Dictionary,
) -> bool {
    if before.get(b"DR") == after.get(b"DR") {
        return true;
    }
    if are_made_by_readers(before) || are_made_by_readers(after) {
        return false;
    }
    let (before, after) = (before.get(b"DR"), after.get(b"DR"));
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
    let (survey, before) = (changes.context.survey, changes.revision - 1);
    // Readers ask for these by themselves where a field has none of its own.
    let is_usual = |font: &[u8]| {
        let is_one = [&b"ZaDb"[..], b"Helv"].contains(&font) || font.starts_with(b"popplerfont");
        is_one && survey.has_heirs(before)
    };
    // Letters that every reader takes for the same name.
    let is_plain = |font: &[u8]| {
        let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || b"_+.-,".contains(octet);
        font.len() <= NAME_OCTETS_MAX && font.iter().all(is_letter)
    };
    let is_unasked = |font: &[u8]| {
        fonts_before.get(font).is_some()
            || is_plain(font) && !is_usual(font) && !survey.is_asked_for(font, before)
    };
    is_kept && fonts_after.iter().all(|(font, _)| is_unasked(font))
}
