//! The appearance of a widget: that it is drawn inside the widget, and nowhere where that has no room.
//!
//! **Invariant**: every appearance is a form with a box that has room, upright, or draws nothing.
//! **Invariant**: its content and that of all that it draws with gives back what it takes (`content`).

use std::collections::HashSet;
use std::rc::Rc;

use super::super::PdfFault;
use super::super::file::Indirect;
use super::super::object::{Dictionary, Object};
use super::super::stream;
use super::Changes;
use super::appearance::{STATES, is_form};
use super::boxes::{CORNER_MAX, Corners};
use super::content;

/// NoZoom and NoRotate (table 167): such a widget covers what its rectangle does not say.
const FLAGS_OF_OTHER_SIZE: i64 = 8 | 16;

/// How far a matrix may scale: its form is scaled into the widget anyway.
const SCALE: std::ops::RangeInclusive<f64> = 0.01..=100.0;

/// What is written where 0 is meant: the cosine of a right angle.
const NEARLY_NOTHING: f64 = 1e-6;

/// Forms and patterns that one look draws with at most.
const PARTS_MAX: usize = 1_000;

/// What a widget looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It has none: some readers make one.
    None,
    /// One that draws nothing.
    Blank,
    /// One that draws.
    Drawn,
}

/// Checks every appearance that a widget has.
pub(super) fn check(changes: &Changes<'_, '_>, number: u32) -> Result<Look, PdfFault> {
    let (file, revision) = (changes.file, changes.revision);
    let fault = PdfFault::Changed { number };
    let widget = changes.after(number)?;
    let widget = widget.dictionary().ok_or(fault)?;
    let is_sized = match widget.get(b"F") {
        None => true,
        Some(Object::Integer(flags)) => flags & FLAGS_OF_OTHER_SIZE == 0,
        Some(_) => false,
    };
    if !is_sized {
        return Err(fault);
    }
    let Some(appearance) = widget.get(b"AP") else {
        return Ok(Look::None);
    };
    let appearance = file.follow(appearance, revision)?;
    let appearance = appearance.dictionary().ok_or(fault)?;
    let mut found = Look::None;
    let has_room = |corners: Option<&Object>| {
        let corners = corners.and_then(|corners| Corners::read(file, corners, revision));
        corners.map(Corners::has_room)
    };
    for look in looks(changes, appearance)? {
        let form = look.dictionary().filter(|_| is_form(&look)).ok_or(fault)?;
        let has_box_room = has_room(form.get(b"BBox")).ok_or(fault)?;
        let draws = draws(changes, &look)?.ok_or(fault)?;
        let is_inside = has_box_room && has_room(widget.get(b"Rect")) == Some(true);
        if draws && !is_inside || !is_upright(changes, form)? {
            return Err(fault);
        }
        found = match (found, draws) {
            (Look::Drawn, _) | (_, true) => Look::Drawn,
            (Look::None | Look::Blank, false) => Look::Blank,
        };
    }
    // States other than that in force, and looks for the pointer, show nothing to whoever only looks.
    let is_in_force = match appearance.get(b"N") {
        Some(normal) => file.follow(normal, revision)?.stream.is_some(),
        None => false,
    };
    match found {
        Look::Blank if !is_in_force => Ok(Look::None),
        Look::None | Look::Blank | Look::Drawn => Ok(found),
    }
}

/// The streams of an appearance dictionary, those of states included.
fn looks(changes: &Changes<'_, '_>, appearance: &Dictionary) -> Result<Vec<Rc<Indirect>>, PdfFault> {
    let (file, revision) = (changes.file, changes.revision);
    let mut looks = Vec::new();
    for state in STATES {
        let Some(state) = appearance.get(state) else {
            continue;
        };
        let state = file.follow(state, revision)?;
        match state.dictionary().filter(|_| state.stream.is_none()) {
            Some(states) => {
                for (_, look) in states.iter() {
                    looks.push(file.follow(look, revision)?);
                }
            }
            None => looks.push(state),
        }
    }
    file.budget.take_looks(looks.len())?;
    looks.retain(|look| look.value != Object::Null);
    Ok(looks)
}

/// Whether a look draws anything; `None` where a content of it cannot be read or takes more than it gives back. One that
/// several widgets share is read once.
fn draws(changes: &Changes<'_, '_>, look: &Rc<Indirect>) -> Result<Option<bool>, PdfFault> {
    let start = look.stream.as_ref().map_or(0, |range| range.start);
    if let Some(known) = changes.drawn.borrow().get(&start) {
        return Ok(*known);
    }
    let draws = read(changes, look)?;
    changes.drawn.borrow_mut().insert(start, draws);
    Ok(draws)
}

/// A content that a look draws with.
struct Part {
    stream: Rc<Indirect>,
    is_glyph: bool,
}

impl Part {
    fn of(stream: Rc<Indirect>) -> Part {
        Part {
            stream,
            is_glyph: false,
        }
    }
}

/// Whether everything that a look is made of is there: some readers take a reference to nothing for a sign of damage, and look
/// for objects themselves.
fn is_whole(changes: &Changes<'_, '_>, look: &Rc<Indirect>) -> Result<bool, PdfFault> {
    let (mut seen, mut waiting, mut is_whole) = (HashSet::new(), vec![Rc::clone(look)], true);
    while let Some(object) = waiting.pop() {
        changes.file.budget.take_looks(object.weight)?;
        let mut references = Vec::new();
        super::collect(&object.value, &mut |reference| references.push(reference));
        for reference in references {
            is_whole &= changes.is_there(reference);
            if seen.insert(reference) {
                waiting.push(changes.file.resolve(reference, changes.revision)?);
            }
        }
    }
    Ok(is_whole)
}

fn read(changes: &Changes<'_, '_>, look: &Rc<Indirect>) -> Result<Option<bool>, PdfFault> {
    let budget = &changes.file.budget;
    if !is_whole(changes, look)? {
        return Ok(None);
    }
    let (mut seen, mut draws) = (HashSet::new(), false);
    let mut waiting = vec![Part::of(Rc::clone(look))];
    while let Some(Part {
        stream: part,
        is_glyph,
    }) = waiting.pop()
    {
        let (Some(dictionary), Some(range)) = (part.dictionary(), &part.stream) else {
            return Ok(None);
        };
        // One that is both is read as both.
        if !seen.insert((range.start, is_glyph)) {
            continue;
        }
        if seen.len() > PARTS_MAX {
            return Err(PdfFault::TooLarge);
        }
        let octets = if range.is_empty() {
            Vec::new()
        } else {
            match stream::decode_content(dictionary, &changes.file.bytes[range.clone()], budget) {
                Err(PdfFault::Filter) => return Ok(None),
                octets => octets?,
            }
        };
        let content = match content::read(&octets, budget) {
            Err(PdfFault::TooLarge) => return Err(PdfFault::TooLarge),
            Err(_) => return Ok(None),
            // Elsewhere than in a glyph readers differ about what that does to all that follows.
            Ok(content) if content.is_glyph && !is_glyph => return Ok(None),
            Ok(content) => content,
        };
        draws |= content.draws;
        let Some(resources) = dictionary.get(b"Resources") else {
            // Those of the page, which are none of its own.
            if content.invoked.is_empty() {
                continue;
            }
            return Ok(None);
        };
        let resources = changes.file.follow(resources, changes.revision)?;
        let Some(resources) = resources.dictionary() else {
            return Ok(None);
        };
        if !are_own(changes, resources, &content.invoked)? {
            return Ok(None);
        }
        let Some(has_pictures) = drawn_with(changes, resources, &mut waiting)? else {
            return Ok(None);
        };
        draws |= has_pictures;
    }
    Ok(Some(draws))
}

/// Whether the resources name all of these: some readers look in those of the page for what is not there.
fn are_own(
    changes: &Changes<'_, '_>,
    resources: &Dictionary,
    invoked: &[Box<[u8]>],
) -> Result<bool, PdfFault> {
    let Some(own) = resources.get(b"XObject") else {
        return Ok(invoked.is_empty());
    };
    let own = changes.file.follow(own, changes.revision)?;
    let Some(own) = own.dictionary() else {
        return Ok(false);
    };
    for name in invoked {
        let object = own
            .get(name)
            .map(|object| changes.file.follow(object, changes.revision));
        if object.transpose()?.is_none_or(|object| object.stream.is_none()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds the contents that resources name; says whether they name pictures, or nothing where somebody would have to look
/// further.
fn drawn_with(
    changes: &Changes<'_, '_>,
    resources: &Dictionary,
    waiting: &mut Vec<Part>,
) -> Result<Option<bool>, PdfFault> {
    let mut has_pictures = false;
    for object in named(changes, resources, b"XObject")? {
        // By its own plain word: some readers follow one that is written elsewhere.
        match object.dictionary().and_then(|object| object.name(b"Subtype")) {
            Some(b"Form") => waiting.push(Part::of(object)),
            Some(b"Image") => has_pictures = true,
            Some(_) | None => return Ok(None),
        }
    }
    for pattern in named(changes, resources, b"Pattern")? {
        if pattern.stream.is_some() {
            waiting.push(Part::of(pattern));
        }
    }
    let mut fonts = named(changes, resources, b"Font")?;
    for state in named(changes, resources, b"ExtGState")? {
        let state = state.dictionary();
        if let Some(font) = state.and_then(|state| state.get(b"Font")) {
            let font = changes.file.follow(font, changes.revision)?;
            let Some(font) = font.array().and_then(<[_]>::first) else {
                return Ok(None);
            };
            fonts.push(changes.file.follow(font, changes.revision)?);
        }
        let mask = state.and_then(|state| state.get(b"SMask"));
        let Some(mask) = mask.filter(|mask| mask.as_name().is_none()) else {
            continue;
        };
        let mask = changes.file.follow(mask, changes.revision)?;
        if let Some(group) = mask.dictionary().and_then(|mask| mask.get(b"G")) {
            waiting.push(Part::of(changes.file.follow(group, changes.revision)?));
        }
    }
    for font in fonts {
        let is_drawn =
            |font: &&Dictionary| font.name(b"Subtype") == Some(b"Type3") || font.names(b"CharProcs");
        let Some(font) = font.dictionary().filter(is_drawn) else {
            continue;
        };
        if draws_with_more(changes, font)? {
            return Ok(None);
        }
        let glyphs = named(changes, font, b"CharProcs")?.into_iter();
        waiting.extend(glyphs.map(|stream| Part {
            stream,
            is_glyph: true,
        }));
    }
    Ok(Some(has_pictures))
}

/// Whether the glyphs of a font share contents of their own: nobody needs that, and nobody looks there (§9.6.4).
fn draws_with_more(changes: &Changes<'_, '_>, font: &Dictionary) -> Result<bool, PdfFault> {
    let Some(resources) = font.get(b"Resources") else {
        return Ok(false);
    };
    let resources = changes.file.follow(resources, changes.revision)?;
    let categories = [&b"XObject"[..], b"Pattern", b"ExtGState", b"Font"];
    let has = |resources: &Dictionary| {
        categories
            .iter()
            .any(|category| resources.get(category).is_some())
    };
    Ok(resources.dictionary().is_none_or(has))
}

/// The objects of one category.
fn named(
    changes: &Changes<'_, '_>,
    resources: &Dictionary,
    category: &[u8],
) -> Result<Vec<Rc<Indirect>>, PdfFault> {
    let (file, revision) = (changes.file, changes.revision);
    let Some(category) = resources.get(category) else {
        return Ok(Vec::new());
    };
    let category = file.follow(category, revision)?;
    file.budget.take_looks(category.weight)?;
    let entries = category.dictionary().into_iter().flat_map(Dictionary::iter);
    entries.map(|(_, entry)| file.follow(entry, revision)).collect()
}

/// Whether the matrix of a form, where it has one, only turns it by right angles, mirrors, moves and scales it (§8.3.3).
fn is_upright(changes: &Changes<'_, '_>, form: &Dictionary) -> Result<bool, PdfFault> {
    let Some(matrix) = form.get(b"Matrix") else {
        return Ok(true);
    };
    let matrix = changes.file.follow(matrix, changes.revision)?;
    let numbers: Option<Vec<f64>> = matrix
        .array()
        .and_then(|numbers| numbers.iter().map(Object::as_number).collect());
    let is_scale = |one: f64, other: f64| SCALE.contains(&one.abs()) && other.abs() < NEARLY_NOTHING;
    Ok(numbers.is_some_and(|numbers| match numbers[..] {
        [a, b, c, d, e, f] => {
            let is_turned = is_scale(a, b) && is_scale(d, c) || is_scale(b, a) && is_scale(c, d);
            is_turned && e.abs().max(f.abs()) <= CORNER_MAX
        }
        _ => false,
    }))
}
