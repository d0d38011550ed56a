//! What the white list lets pass of one update, filled step by step.
//!
//! **Invariant**: whatever is not named stays out; a key that is not listed refuses its object.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::PdfFault;
use super::super::coverage::LaterChange;
use super::super::object::{Object, Reference};
use super::super::signature::Signature;
use super::look::Look;
use super::place::Place;
use super::survey::Use;
use super::{Changes, appearance, look};

#[derive(Default)]
pub(super) struct Allowed {
    pub(super) numbers: BTreeSet<u32>,
    /// What the update is good for.
    pub(super) kinds: BTreeSet<LaterChange>,
    /// The names of fields that are new.
    pub(super) names: BTreeSet<String>,
    /// Widgets (or merged fields) that pages may show in addition.
    pub(super) widgets: HashSet<Reference>,
    /// Widgets of the signature that are new, or look different.
    pub(super) shown: BTreeSet<u32>,
    /// Pages that show new widgets, by the widget.
    pub(super) pages: BTreeMap<u32, u32>,
    /// Widgets of fields that were filled in.
    pub(super) filled: BTreeSet<u32>,
    /// Widgets of fields that are new and wait: some readers paint them.
    pub(super) waiting: BTreeSet<u32>,
    /// How much of a page each widget covers whose look is new; those that show nowhere are left out.
    pub(super) areas: BTreeMap<u32, f64>,
    /// Objects from which new ones may be reached.
    pub(super) roots: Vec<u32>,
    /// Objects that may be written, or left, only if nothing else than these holders refers to them there.
    pub(super) uses: BTreeMap<u32, BTreeSet<(u32, Place)>>,
    /// Those of the objects that may be written that are streams: of the others the octets would be nobody's matter.
    pub(super) streams: BTreeSet<u32>,
    /// Objects that may be written only if whoever refers to them does so in one of these places.
    pub(super) placed: BTreeMap<u32, &'static [Place]>,
    /// Objects of the DSS that are written, and who belonged to it before and may refer to them.
    pub(super) material: BTreeSet<u32>,
    pub(super) material_holders: HashSet<u32>,
    /// Whether anything is to be seen of the signature over pages that were signed.
    pub(super) is_shown: bool,
}

impl Allowed {
    /// Lets an object be written to which `holder` alone refers.
    pub(super) fn write(&mut self, changes: &Changes<'_, '_>, number: u32, holder: (u32, Place)) {
        if changes.writes(number) {
            self.numbers.insert(number);
        }
        if changes.old.contains(&number) {
            self.only_for(number, holder);
        }
    }

    /// Demands that this holder alone, besides others named so, refers to the object.
    pub(super) fn only_for(&mut self, number: u32, holder: (u32, Place)) {
        self.uses.entry(number).or_default().insert(holder);
    }

    /// Whether the reference is in a place where it may be.
    pub(super) fn is_placed(&self, number: u32, one: &Use) -> bool {
        self.placed
            .get(&number)
            .is_some_and(|places| places.contains(&one.place))
    }

    /// Whether the reference is one inside the DSS.
    pub(super) fn is_material(&self, number: u32, one: &Use) -> bool {
        self.material.contains(&number)
            && (self.material_holders.contains(&one.holder) || one.place == Place::ValidationMaterial)
    }

    /// Notes whether anything is to be seen of the signature; a fault where it is more than a seal, or where nobody
    /// signed.
    pub(super) fn check_shown(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let all: BTreeSet<u32> = [&self.shown, &self.filled, &self.waiting]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        self.areas = appearance::areas(changes, all.iter().copied())?;
        for number in all {
            let look = look::check(changes, number)?;
            // Some readers paint a mark into a field that waits without a look of its own.
            let has_room = self.areas.get(&number).is_some_and(|area| *area > 0.0);
            if self.waiting.contains(&number) && has_room && look != Look::Blank {
                return Err(PdfFault::Overlaid { number });
            }
        }
        let (covered, number) = appearance::covered(self.areas_shown());
        let is_sealed = changes.context.added.is_some_and(Signature::is_seal);
        if covered > 0.0 && !is_sealed {
            return Err(PdfFault::Overlaid { number });
        }
        self.is_shown = covered > 0.0;
        Ok(())
    }

    /// The areas of the widgets of the signature that are new, or look different.
    pub(super) fn areas_shown(&self) -> impl Iterator<Item = (u32, f64)> {
        self.areas
            .iter()
            .filter(|(number, _)| self.shown.contains(number))
            .map(|(number, area)| (*number, *area))
    }

    pub(super) fn are_widgets(&self, added: &[Object]) -> bool {
        added.iter().all(|item| {
            item.as_reference()
                .is_some_and(|reference| self.widgets.contains(&reference))
        })
    }
}

/// What the array has in addition at its end; `None` where it is no array or does not begin as before.
pub(super) fn grown(
    changes: &Changes<'_, '_>,
    before: Option<&Object>,
    after: Option<&Object>,
) -> Option<Vec<Object>> {
    let read = |object: Option<&Object>, revision: usize| match object {
        None => Some(Vec::new()),
        Some(object) => {
            let followed = changes.file.follow(object, revision).ok()?;
            followed.array().map(<[Object]>::to_vec)
        }
    };
    let before = read(before, changes.revision - 1)?;
    let after = read(after, changes.revision)?;
    changes.file.budget.take_looks(before.len() + after.len()).ok()?;
    after.strip_prefix(&before[..]).map(<[Object]>::to_vec)
}
