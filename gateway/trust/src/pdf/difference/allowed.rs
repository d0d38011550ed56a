//! The white list: what an update may write, and who may refer to it.
//!
//! **Invariant**: whatever is not named here stays out; a key that is not listed refuses its object.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::PdfFault;
use super::super::file::Indirect;
use super::super::object::{Dictionary, Object, Reference};
use super::super::signature::Signature;
use super::{Changes, TRAILER, appearance};

/// What a new signature field or widget may say. Absent are actions (A, AA) and whatever has no business there.
const FIELD_KEYS: &[&[u8]] = &[
    b"FT",
    b"T",
    b"TU",
    b"TM",
    b"V",
    b"Type",
    b"Subtype",
    b"Rect",
    b"F",
    b"P",
    b"AP",
    b"Ff",
    b"M",
    b"NM",
    b"DA",
    b"DR",
    b"Q",
    b"MK",
    b"BS",
    b"Border",
    b"C",
    b"Kids",
    b"Parent",
    b"Lock",
    b"SV",
    b"AS",
    b"Contents",
];

/// What the white list lets pass, filled step by step.
#[derive(Default)]
pub(super) struct Allowed {
    pub(super) numbers: BTreeSet<u32>,
    /// Widgets (or merged fields) that pages may show in addition.
    widgets: HashSet<Reference>,
    /// Widgets that were there and may look different.
    refreshed: Vec<u32>,
    /// Objects from which new appearances may be reached.
    pub(super) roots: Vec<u32>,
    /// Old objects that may change only if nothing else than these holders and paths refers to them.
    pub(super) uses: BTreeMap<u32, BTreeSet<(u32, &'static str)>>,
}

impl Allowed {
    /// The signature dictionary, the field, and the form that grew by it.
    pub(super) fn form_and_field(
        &mut self,
        changes: &Changes<'_, '_>,
        added: &Signature,
    ) -> Result<(), PdfFault> {
        let changed = |number: u32| PdfFault::Changed { number };
        if !changes.new.contains(&added.value.number) {
            return Err(changed(added.value.number));
        }
        self.numbers.insert(added.value.number);
        self.numbers.insert(added.field.number);
        self.roots.push(added.value.number);
        self.roots.push(added.field.number);
        let is_new_field = changes.new.contains(&added.field.number);
        if is_new_field {
            self.new_field(changes, added.field)?;
        } else {
            self.existing_field(changes, added)?;
        }
        let (root, before) = changes.file.catalog(changes.revision - 1)?;
        let (_, after) = changes.file.catalog(changes.revision)?;
        self.numbers.insert(root.number);
        let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
            return Err(changed(root.number));
        };
        if !before.equals_except(after, &[b"AcroForm"]) {
            return Err(changed(root.number));
        }
        self.form(
            changes,
            root,
            (before, after),
            is_new_field.then_some(added.field),
        )
    }

    fn form(
        &mut self,
        changes: &Changes<'_, '_>,
        root: Reference,
        (catalog_before, catalog_after): (&Dictionary, &Dictionary),
        field: Option<Reference>,
    ) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed { number: root.number };
        let after = catalog_after.get(b"AcroForm").ok_or(fault)?;
        if let Object::Reference(reference) = after {
            self.numbers.insert(reference.number);
            if changes.old.contains(&reference.number) {
                self.uses
                    .insert(reference.number, BTreeSet::from([(root.number, "/AcroForm")]));
            }
        }
        let form = changes.file.follow(after, changes.revision)?;
        let form = form.dictionary().ok_or(fault)?;
        // There was a form, for the signed revision has a signature that a field shows.
        let before = catalog_before.get(b"AcroForm").ok_or(fault)?;
        let before = changes.file.follow(before, changes.revision - 1)?;
        let before_form = before.dictionary().ok_or(fault)?;
        if !before_form.equals_except(form, &[b"Fields", b"SigFlags", b"DR"])
            || !are_flags_grown(before_form, form)
            || !appearance::are_resources_grown(changes, before_form, form)?
        {
            return Err(fault);
        }
        self.roots
            .push(catalog_after.reference(b"AcroForm").unwrap_or(root).number);
        let fields = grown(changes, before_form.get(b"Fields"), form.get(b"Fields")).ok_or(fault)?;
        if fields != field.map(Object::Reference).as_slice() {
            return Err(fault);
        }
        if let Some(array) = form.reference(b"Fields") {
            self.numbers.insert(array.number);
            let holder = catalog_after.reference(b"AcroForm");
            let place = match holder {
                Some(holder) => (holder.number, "/Fields"),
                None => (root.number, "/AcroForm/Fields"),
            };
            if changes.old.contains(&array.number) {
                self.uses.insert(array.number, BTreeSet::from([place]));
            }
        }
        Ok(())
    }

    /// A field that is new, with the widgets below it.
    fn new_field(&mut self, changes: &Changes<'_, '_>, field: Reference) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed { number: field.number };
        let object = changes.after(field.number)?;
        let dictionary = object.dictionary().ok_or(fault)?;
        let is_plain = dictionary.iter().all(|(key, _)| FIELD_KEYS.contains(&key));
        if !is_plain || dictionary.name(b"FT") != Some(b"Sig") || dictionary.get(b"Parent").is_some() {
            return Err(fault);
        }
        if dictionary.name(b"Subtype") == Some(b"Widget") {
            self.widgets.insert(field);
        }
        let Some(kids) = dictionary.get(b"Kids") else {
            return Ok(());
        };
        let kids = changes.file.follow(kids, changes.revision)?;
        for kid in kids.array().ok_or(fault)? {
            let Object::Reference(kid) = kid else {
                return Err(fault);
            };
            let object = changes.after(kid.number)?;
            let widget = object.dictionary().ok_or(fault)?;
            let is_widget = changes.new.contains(&kid.number)
                && widget.iter().all(|(key, _)| FIELD_KEYS.contains(&key))
                && widget.name(b"Subtype") == Some(b"Widget")
                && widget.reference(b"Parent").is_none_or(|parent| parent == field)
                && [&b"FT"[..], b"T", b"V", b"Kids"]
                    .iter()
                    .all(|key| widget.get(key).is_none());
            if !is_widget {
                return Err(fault);
            }
            self.widgets.insert(*kid);
        }
        Ok(())
    }

    /// A field that waited empty: it gains its value, and its appearance may change.
    fn existing_field(&mut self, changes: &Changes<'_, '_>, added: &Signature) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed {
            number: added.field.number,
        };
        let (before, after) = (
            changes.before(added.field.number)?,
            changes.after(added.field.number)?,
        );
        let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
            return Err(fault);
        };
        let is_filled = before.get(b"V").is_none()
            && before.equals_except(after, &[b"V", b"AP", b"F"])
            && after.name(b"FT") == Some(b"Sig");
        if !is_filled {
            return Err(fault);
        }
        self.appearance(added.field.number, before, after);
        let Some(kids) = after.get(b"Kids") else {
            return Ok(());
        };
        let kids = changes.file.follow(kids, changes.revision)?;
        for kid in kids.array().ok_or(fault)?.iter().filter_map(Object::as_reference) {
            if !changes.old.contains(&kid.number) {
                continue;
            }
            let (before, after) = (changes.before(kid.number)?, changes.after(kid.number)?);
            let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
                return Err(fault);
            };
            let is_widget = after.name(b"Subtype") == Some(b"Widget")
                && after.reference(b"Parent") == Some(added.field)
                && before.equals_except(after, &[b"AP", b"F"]);
            if !is_widget {
                return Err(PdfFault::Changed { number: kid.number });
            }
            self.numbers.insert(kid.number);
            self.roots.push(kid.number);
            self.appearance(kid.number, before, after);
        }
        Ok(())
    }

    /// An appearance that stood in an object of its own may be left only if nothing else shows it.
    fn appearance(&mut self, holder: u32, before: &Dictionary, after: &Dictionary) {
        if !before.equals_except(after, &[b"V"]) {
            self.refreshed.push(holder);
        }
        let left = before
            .reference(b"AP")
            .filter(|_| before.get(b"AP") != after.get(b"AP"));
        if let Some(left) = left {
            self.uses.insert(left.number, BTreeSet::from([(holder, "/AP")]));
        }
    }

    /// Pages that show the new widgets in addition, and the arrays of annotations that they share with nobody.
    pub(super) fn pages(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let mut arrays = BTreeSet::new();
        let waiting: Vec<u32> = changes
            .old
            .iter()
            .copied()
            .filter(|number| !self.numbers.contains(number))
            .collect();
        for number in waiting {
            let (before, after) = (changes.before(number)?, changes.after(number)?);
            match (&before.value, &after.value) {
                (Object::Dictionary(before), Object::Dictionary(after))
                    if before.name(b"Type") == Some(b"Page") =>
                {
                    let fault = PdfFault::Changed { number };
                    let added = grown(changes, before.get(b"Annots"), after.get(b"Annots")).ok_or(fault)?;
                    if !before.equals_except(after, &[b"Annots"]) || !self.are_widgets(&added) {
                        return Err(fault);
                    }
                    self.numbers.insert(number);
                    if let Some(array) = after
                        .reference(b"Annots")
                        .filter(|array| changes.new.contains(&array.number))
                    {
                        self.numbers.insert(array.number);
                    }
                }
                (Object::Array(before), Object::Array(after)) => {
                    let is_grown = after.starts_with(before) && self.are_widgets(&after[before.len()..]);
                    if is_grown {
                        arrays.insert(number);
                    }
                }
                _ => {}
            }
        }
        // An array may grow only where it is a page's annotations and nothing else.
        if arrays.is_empty() {
            return Ok(());
        }
        for signed in changes.signed() {
            let (number, object) = signed?;
            let Some(page) = object
                .dictionary()
                .filter(|page| page.name(b"Type") == Some(b"Page"))
            else {
                continue;
            };
            if let Some(array) = page
                .reference(b"Annots")
                .filter(|array| arrays.contains(&array.number))
            {
                self.numbers.insert(array.number);
                self.uses
                    .entry(array.number)
                    .or_default()
                    .insert((number, "/Annots"));
            }
        }
        Ok(())
    }

    /// Whether anything is to be seen of the signature; a fault where it is more than a seal.
    pub(super) fn shows(&self, changes: &Changes<'_, '_>) -> Result<bool, PdfFault> {
        let widgets = self.widgets.iter().map(|widget| widget.number);
        appearance::check_size(changes, widgets.chain(self.refreshed.iter().copied()))
    }

    fn are_widgets(&self, added: &[Object]) -> bool {
        added.iter().all(|item| {
            item.as_reference()
                .is_some_and(|reference| self.widgets.contains(&reference))
        })
    }

    /// Document information says nothing of the content: text about the file, used by the trailer alone.
    pub(super) fn information(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let before = changes.file.revisions[changes.revision - 1].trailer.get(b"Info");
        let after = changes.update.trailer.get(b"Info");
        if before.is_none() && after.is_none() {
            return Ok(());
        }
        let Some(Object::Reference(information)) = after else {
            return Err(PdfFault::Changed { number: 0 });
        };
        let is_changed =
            changes.old.contains(&information.number) || changes.new.contains(&information.number);
        if !is_changed {
            return if before == after {
                Ok(())
            } else {
                Err(PdfFault::Changed { number: 0 })
            };
        }
        let object = changes.after(information.number)?;
        let is_plain = object.dictionary().is_some_and(|dictionary| {
            dictionary
                .iter()
                .all(|(_, value)| matches!(value, Object::Text(_) | Object::Name(_)))
        });
        if !is_plain || object.stream.is_some() {
            return Err(PdfFault::Changed {
                number: information.number,
            });
        }
        self.numbers.insert(information.number);
        if changes.old.contains(&information.number) {
            self.uses
                .insert(information.number, BTreeSet::from([(TRAILER, "/Info")]));
        }
        Ok(())
    }
}

impl Allowed {
    /// The XMP packet of the file as a whole, used by the catalog alone: writers note there when they wrote.
    pub(super) fn metadata(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let (root, catalog) = changes.file.catalog(changes.revision)?;
        let metadata = catalog
            .dictionary()
            .and_then(|catalog| catalog.reference(b"Metadata"));
        let Some(metadata) = metadata.filter(|metadata| changes.old.contains(&metadata.number)) else {
            return Ok(());
        };
        let (before, after) = (changes.before(metadata.number)?, changes.after(metadata.number)?);
        let is_packet = |indirect: &Indirect| {
            indirect.stream.is_some()
                && indirect.dictionary().is_some_and(|stream| {
                    stream.name(b"Type") == Some(b"Metadata") && stream.name(b"Subtype") == Some(b"XML")
                })
        };
        if !is_packet(&before) || !is_packet(&after) {
            return Err(PdfFault::Changed {
                number: metadata.number,
            });
        }
        self.numbers.insert(metadata.number);
        self.uses
            .insert(metadata.number, BTreeSet::from([(root.number, "/Metadata")]));
        Ok(())
    }
}

/// What the array has in addition at its end; `None` where it is no array or does not begin as before.
fn grown(changes: &Changes<'_, '_>, before: Option<&Object>, after: Option<&Object>) -> Option<Vec<Object>> {
    let read = |object: Option<&Object>, revision: usize| match object {
        None => Some(Vec::new()),
        Some(object) => changes
            .file
            .follow(object, revision)
            .ok()?
            .array()
            .map(<[Object]>::to_vec),
    };
    let before = read(before, changes.revision - 1)?;
    let after = read(after, changes.revision)?;
    changes.file.budget.take_looks(before.len() + after.len()).ok()?;
    after.strip_prefix(&before[..]).map(<[Object]>::to_vec)
}

/// SigFlags may gain SignaturesExist and AppendOnly (§12.7.3), and lose nothing.
fn are_flags_grown(before: &Dictionary, after: &Dictionary) -> bool {
    let flags = |form: &Dictionary| match form.get(b"SigFlags") {
        None => Some(0),
        Some(Object::Integer(flags)) => Some(*flags),
        Some(_) => None,
    };
    match (flags(before), flags(after)) {
        (Some(before), Some(after)) => before & !after == 0 && (after & !before) & !3 == 0,
        (None, _) | (_, None) => false,
    }
}
