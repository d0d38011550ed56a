//! Fields of a form that are filled in.
//!
//! **Invariant**: a field that is filled in changes its value and its look alone, and every earlier signature allows it
//! (`restriction`).

use super::super::PdfFault;
use super::super::coverage::LaterChange;
use super::super::field::{self, Form};
use super::super::object::Object;
use super::Changes;
use super::allowed::Allowed;
use super::appearance;
use super::fields::FIELD_PLACES;
use super::place::Place;

/// What of a field, and of its widgets, changes when it is filled in.
const VALUE_KEYS: &[&[u8]] = &[b"V", b"AP", b"AS", b"I", b"TI"];

impl Allowed {
    /// Fields that are filled in, and their widgets.
    pub(super) fn filled_fields(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let waiting: Vec<u32> = changes.old.difference(&self.numbers).copied().collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let form = Form::read(changes.file, changes.revision - 1)?;
        let (_, catalog) = changes.file.catalog(changes.revision)?;
        let dictionary = catalog.dictionary().and_then(|catalog| catalog.get(b"AcroForm"));
        let dictionary = changes
            .file
            .follow(dictionary.ok_or(PdfFault::Form)?, changes.revision)?;
        if appearance::are_made_by_readers(dictionary.dictionary().ok_or(PdfFault::Form)?) {
            return Ok(());
        }
        let names = form.names(changes.file)?;
        // What hangs on a field and is none to us shows its value to others.
        for (holder, field) in changes.context.survey.hung(changes.revision - 1) {
            changes.file.budget.take_looks(1)?;
            if form.place(field).is_some() && form.place(holder).is_none() {
                return Err(PdfFault::Changed { number: holder });
            }
        }
        for number in waiting {
            match form.place(number) {
                Some(place) if form.fields[place].is_fillable() => {
                    self.fill(changes, (&form, &names), place)?
                }
                Some(_) => {}
                None => self.refill(changes, &form, number)?,
            }
        }
        Ok(())
    }

    fn fill(
        &mut self,
        changes: &Changes<'_, '_>,
        (form, names): (&Form, &[field::Name]),
        place: usize,
    ) -> Result<(), PdfFault> {
        let number = form.fields[place].reference.number;
        let fault = PdfFault::Changed { number };
        let (before, after) = (changes.before(number)?, changes.after(number)?);
        let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
            return Err(fault);
        };
        let is_value = |value: &Object| !super::has_references(value) && value.as_dictionary().is_none();
        let values = [&b"V"[..], b"AS", b"I", b"TI"];
        if !appearance::is_plain_widget(after)
            || !before.equals_except(after, VALUE_KEYS)
            || !values.iter().filter_map(|key| after.get(key)).all(is_value)
        {
            return Err(fault);
        }
        self.check_fillable(changes, form, place)?;
        self.numbers.insert(number);
        self.placed.insert(number, FIELD_PLACES);
        self.roots.push(number);
        // Readers show a value wherever a field of this name has a widget, in a state or a text that it chooses. It is one
        // of them itself.
        changes.file.budget.take_looks(names.len())?;
        let is_namesake = |other: &usize| names[*other].is_none() || names[*other] == names[place];
        let namesakes = (0..names.len()).filter(|other| names[place].is_none() || is_namesake(other));
        for namesake in namesakes {
            for shown in std::iter::once(&form.fields[namesake]).chain(form.below(namesake)) {
                let number = shown.reference.number;
                let widget = changes.after(number)?;
                if !widget.dictionary().is_some_and(appearance::is_plain_widget) {
                    return Err(PdfFault::Changed { number });
                }
                self.filled.insert(number);
            }
        }
        self.appearance(changes, number, (before, after))
    }

    /// An appearance stream that is written over, though its widget is not.
    fn refill(&mut self, changes: &Changes<'_, '_>, form: &Form, number: u32) -> Result<(), PdfFault> {
        let survey = changes.context.survey;
        let known = survey.weight(number).ok_or(PdfFault::Changed { number })?;
        changes.file.budget.take_looks(known)?;
        let stream = changes.reference(number, changes.revision);
        for one in survey.uses(number, changes.revision - 1) {
            let place = form
                .place(one.holder)
                .filter(|place| form.fields[*place].is_fillable());
            let Some(place) = place.filter(|_| one.place == Place::AppearanceStream) else {
                return Ok(());
            };
            let holder = changes.before(one.holder)?;
            if !holder.dictionary().is_some_and(appearance::is_plain_widget) {
                return Err(PdfFault::Changed { number: one.holder });
            }
            self.check_fillable(changes, form, place)?;
            self.appearance_stream(changes, stream, (one.holder, one.place))?;
            self.filled.insert(one.holder);
        }
        Ok(())
    }

    fn check_fillable(
        &mut self,
        changes: &Changes<'_, '_>,
        form: &Form,
        place: usize,
    ) -> Result<(), PdfFault> {
        let name = form.name(changes.file, place)?;
        changes.file.budget.take_looks(changes.context.rights.weight())?;
        if !changes.context.rights.may_fill(&name) {
            return Err(PdfFault::Restricted);
        }
        self.kinds.insert(LaterChange::FormFilled);
        Ok(())
    }
}
