//! Pages that show new widgets in addition, and nothing else that is new.

use std::collections::BTreeSet;

use super::super::PdfFault;
use super::super::object::{Dictionary, Object};
use super::Changes;
use super::allowed::{Allowed, grown};
use super::place::Place;

impl Allowed {
    /// Pages, and the arrays of annotations that they share with nobody.
    pub(super) fn pages(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let waiting: BTreeSet<u32> = changes.old.difference(&self.numbers).copied().collect();
        for number in waiting {
            let (before, after) = (changes.before(number)?, changes.after(number)?);
            match (&before.value, &after.value) {
                (Object::Dictionary(before), Object::Dictionary(after))
                    if before.name(b"Type") == Some(b"Page") =>
                {
                    self.page(changes, number, (before, after))?;
                }
                (Object::Array(before), Object::Array(after)) => {
                    let added = after.strip_prefix(&before[..]);
                    if let Some(added) = added.filter(|added| self.are_widgets(added)) {
                        self.annotations(changes, number, added)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn page(
        &mut self,
        changes: &Changes<'_, '_>,
        number: u32,
        (before, after): (&Dictionary, &Dictionary),
    ) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed { number };
        let added = grown(changes, before.get(b"Annots"), after.get(b"Annots")).ok_or(fault)?;
        if !before.equals_except(after, &[b"Annots"])
            || !self.are_widgets(&added)
            || !are_annotations(changes, after)?
            || before.get(b"Annots").is_none() && changes.context.survey.has_strange_annotations()
        {
            return Err(fault);
        }
        self.numbers.insert(number);
        self.shows(number, &added)?;
        let array = after.reference(b"Annots");
        if let Some(array) = array.filter(|array| changes.new.contains(&array.number)) {
            self.numbers.insert(array.number);
        }
        Ok(())
    }

    /// An array may grow only where it is the annotations of a page and nothing else.
    fn annotations(
        &mut self,
        changes: &Changes<'_, '_>,
        number: u32,
        added: &[Object],
    ) -> Result<(), PdfFault> {
        let survey = changes.context.survey;
        let known = survey.weight(number).ok_or(PdfFault::Changed { number })?;
        changes.file.budget.take_looks(known)?;
        let before = changes.revision - 1;
        let holders = survey
            .uses(number, before)
            .filter(|one| one.is_of_page && one.place == Place::Annotations);
        let mut holders = holders.map(|one| one.holder).peekable();
        if holders.peek().is_some() {
            self.numbers.insert(number);
        }
        for holder in holders {
            self.only_for(number, (holder, Place::Annotations));
            self.shows(holder, added)?;
        }
        Ok(())
    }

    /// Notes that a page shows these widgets, each on no other page.
    fn shows(&mut self, page: u32, added: &[Object]) -> Result<(), PdfFault> {
        for widget in added.iter().filter_map(Object::as_reference) {
            let number = widget.number;
            if self.pages.insert(number, page).is_some_and(|other| other != page) {
                return Err(PdfFault::Overlaid { number });
            }
        }
        Ok(())
    }
}

/// Whether the array holds annotations and nothing that makes it something else.
fn are_annotations(changes: &Changes<'_, '_>, page: &Dictionary) -> Result<bool, PdfFault> {
    let Some(annotations) = page.get(b"Annots") else {
        return Ok(true);
    };
    let annotations = changes.file.follow(annotations, changes.revision)?;
    let is_one = |item: &Object| matches!(item, Object::Reference(_) | Object::Dictionary(_) | Object::Null);
    Ok(annotations.array().is_some_and(|items| items.iter().all(is_one)))
}
