//! The form: signature fields that come or are signed. Those that are filled in stand in `filling`.
//!
//! **Invariant**: a field that is signed never changes.
//! **Invariant**: every earlier signature allows it (`restriction`).

use super::super::PdfFault;
use super::super::coverage::LaterChange;
use super::super::field::{self, Form, Kind};
use super::super::object::{Dictionary, Object, Reference};
use super::super::signature::Signature;
use super::Changes;
use super::allowed::{Allowed, grown};
use super::appearance;
use super::place::Place;

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
    b"StructParent",
];

/// What of them a field may not say that nobody signs yet: it shows nothing.
const LOOKS: &[&[u8]] = &[b"MK", b"BS", b"Border", b"C", b"Contents", b"DA"];

/// Who may refer to what changes of a field.
pub(super) const FIELD_PLACES: &[Place] = &[
    Place::Field,
    Place::Fields,
    Place::FormFields,
    Place::Annotations,
    Place::Parent,
    Place::Item,
];

impl Allowed {
    /// The signature dictionary, the fields that are new or signed, and the form that grew by them.
    pub(super) fn form(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let (root, before) = changes.file.catalog(changes.revision - 1)?;
        let (_, after) = changes.file.catalog(changes.revision)?;
        let fault = PdfFault::Changed { number: root.number };
        // There was a form, for the signed revision has a signature that a field shows.
        let (Some(before), Some(after)) = (
            before.dictionary().and_then(|before| before.get(b"AcroForm")),
            after.dictionary().and_then(|after| after.get(b"AcroForm")),
        ) else {
            return Err(fault);
        };
        let own = after.as_reference();
        if let Some(own) = own {
            self.write(changes, own.number, (root.number, Place::Form));
        }
        self.roots.push(own.unwrap_or(root).number);
        let before = changes.file.follow(before, changes.revision - 1)?;
        let after = changes.file.follow(after, changes.revision)?;
        let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
            return Err(fault);
        };
        // Some readers show what it holds in the place of the pages, some do not; what they take note of may change.
        if after.get(b"XFA").is_some() {
            return Err(PdfFault::Xfa);
        }
        let is_default_new = before.get(b"DA").is_none() && matches!(after.get(b"DA"), Some(Object::Text(_)));
        // Some software adds one beside its own field. Readers that make looks anew draw with it whatever has none of its own.
        let may_come = is_default_new && !changes.context.survey.has_heirs(changes.revision - 1);
        let may_change: &[&[u8]] = if may_come {
            &[b"Fields", b"SigFlags", b"DR", b"DA"]
        } else {
            &[b"Fields", b"SigFlags", b"DR"]
        };
        if !before.equals_except(after, may_change)
            || !are_flags_grown(before, after)
            || !appearance::are_resources_grown(changes, before, after)
        {
            return Err(fault);
        }
        self.fonts(changes, after)?;
        if let Some(array) = after.reference(b"Fields") {
            let place = own.map_or((root.number, Place::FormFields), |own| {
                (own.number, Place::Fields)
            });
            self.write(changes, array.number, place);
        }
        let fields = grown(changes, before.get(b"Fields"), after.get(b"Fields")).ok_or(fault)?;
        self.signature_fields(changes, &fields)
    }

    /// A font of the form may lose its Name, which says nothing any more (table 109): some writers leave it out.
    fn fonts(&mut self, changes: &Changes<'_, '_>, form: &Dictionary) -> Result<(), PdfFault> {
        let resources = form.get(b"DR").and_then(Object::as_dictionary);
        let fonts = resources.and_then(|resources| resources.get(b"Font")?.as_dictionary());
        for (_, font) in fonts.into_iter().flat_map(Dictionary::iter) {
            let Some(number) = font.as_reference().map(|font| font.number) else {
                continue;
            };
            if !changes.old.contains(&number) {
                continue;
            }
            let (before, after) = (changes.before(number)?, changes.after(number)?);
            if let (Some(known), Some(told), None) = (before.dictionary(), after.dictionary(), &after.stream)
                && known.name(b"Type") == Some(b"Font")
                && known.name(b"Name").is_some()
                && told.get(b"Name").is_none()
                && known.equals_except(told, &[b"Name"])
            {
                self.numbers.insert(number);
                self.placed.insert(number, &[Place::Font]);
            }
        }
        Ok(())
    }

    fn signature_fields(&mut self, changes: &Changes<'_, '_>, fields: &[Object]) -> Result<(), PdfFault> {
        let mut signed = changes.context.added;
        for field in fields {
            let Object::Reference(field) = field else {
                return Err(PdfFault::Form);
            };
            let its = signed.take_if(|added| added.field == *field);
            self.new_field(changes, *field, its)?;
            if let Some(its) = its {
                self.signed(changes, its)?;
            }
        }
        match signed {
            None => Ok(()),
            Some(added) => {
                self.existing_field(changes, added)?;
                self.signed(changes, added)
            }
        }
    }

    /// The value of the field that is signed.
    fn signed(&mut self, changes: &Changes<'_, '_>, added: &Signature) -> Result<(), PdfFault> {
        let number = added.value.number;
        if !changes.new.contains(&number) {
            return Err(PdfFault::Changed { number });
        }
        self.numbers.insert(number);
        self.roots.push(number);
        // Document time-stamps are no change of the document (table 257).
        if added.is_seal() {
            changes.check_signable(&added.field_name)?;
        }
        self.kinds.insert(if added.is_seal() {
            LaterChange::Signature
        } else {
            LaterChange::DocumentTimeStamp
        });
        Ok(())
    }

    /// A field that is new, with the widgets below it.
    fn new_field(
        &mut self,
        changes: &Changes<'_, '_>,
        field: Reference,
        signed: Option<&Signature>,
    ) -> Result<(), PdfFault> {
        let number = field.number;
        let fault = PdfFault::Changed { number };
        let object = changes.after(number)?;
        let dictionary = object.dictionary().filter(|_| changes.new.contains(&number));
        let dictionary = dictionary.ok_or(fault)?;
        let is_allowed = |(key, _): (&[u8], &Object)| {
            FIELD_KEYS.contains(&key) && (signed.is_some() || !LOOKS.contains(&key))
        };
        if !dictionary.iter().all(is_allowed)
            || dictionary.name(b"FT") != Some(b"Sig")
            || !is_annotation(dictionary)
            || dictionary.get(b"Parent").is_some()
            || dictionary.get(b"V").is_some() != signed.is_some()
        {
            return Err(fault);
        }
        self.check_name(changes, number, dictionary)?;
        self.numbers.insert(number);
        self.roots.push(number);
        self.add_widget(field, dictionary, signed);
        if let Some(kids) = dictionary.get(b"Kids") {
            let kids = changes.file.follow(kids, changes.revision)?;
            for kid in kids.array().ok_or(fault)? {
                let kid = kid.as_reference().ok_or(fault)?;
                let object = changes.after(kid.number)?;
                let widget = object.dictionary().filter(|_| changes.new.contains(&kid.number));
                let widget = widget.ok_or(fault)?;
                let is_widget = widget.iter().all(is_allowed)
                    && widget.name(b"Subtype") == Some(b"Widget")
                    && is_annotation(widget)
                    && widget
                        .get(b"Parent")
                        .is_none_or(|parent| parent.as_reference() == Some(field))
                    && [&b"FT"[..], b"T", b"V", b"Kids"]
                        .iter()
                        .all(|key| widget.get(key).is_none());
                if !is_widget {
                    return Err(fault);
                }
                self.add_widget(kid, widget, signed);
            }
        }
        if signed.is_none() {
            changes.check_signable(&field::own_name(dictionary))?;
            self.kinds.insert(LaterChange::SignatureField);
        }
        Ok(())
    }

    /// Readers join fields of one name, and show in all what one of them says: a new one has a name of its own.
    fn check_name(
        &mut self,
        changes: &Changes<'_, '_>,
        number: u32,
        field: &Dictionary,
    ) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed { number };
        let own = field::own_name(field).filter(|name| !name.is_empty() && !name.contains('.'));
        let own = own.ok_or(fault)?;
        let before = changes.revision - 1;
        let form = Form::read(changes.file, before)?;
        let is_same = |name: &field::Name| name.as_ref().is_none_or(|name| *name == own);
        if form.names(changes.file)?.iter().any(is_same) {
            return Err(fault);
        }
        // What sloppy writers left out of the form is a field to some readers.
        for (other, name) in changes.context.survey.titles(before) {
            changes.file.budget.take_looks(1)?;
            if form.place(other).is_none() && is_same(name) {
                return Err(fault);
            }
        }
        if self.names.insert(own) {
            Ok(())
        } else {
            Err(fault)
        }
    }

    fn add_widget(&mut self, widget: Reference, dictionary: &Dictionary, signed: Option<&Signature>) {
        if dictionary.name(b"Subtype") == Some(b"Widget") {
            self.widgets.insert(widget);
            let shown = match signed {
                Some(_) => &mut self.shown,
                None => &mut self.waiting,
            };
            shown.insert(widget.number);
        }
    }

    /// A field that waited empty: it gains its value, and its appearance may change.
    fn existing_field(&mut self, changes: &Changes<'_, '_>, added: &Signature) -> Result<(), PdfFault> {
        let number = added.field.number;
        let fault = PdfFault::Changed { number };
        let (before, after) = (changes.before(number)?, changes.after(number)?);
        let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
            return Err(fault);
        };
        let form = Form::read(changes.file, changes.revision - 1)?;
        let place = form.place(number).ok_or(fault)?;
        let was_field = form.fields[place].kind == Some(Kind::Signature);
        // A value above it is its own: it is signed already.
        for above in form.above(place) {
            let above = changes.before(above.reference.number)?;
            if above.dictionary().is_none_or(|above| above.get(b"V").is_some()) {
                return Err(fault);
            }
        }
        // A mark of time is no change of what the field is for (table 257), but an earlier signer may have kept it closed.
        changes.check_unlocked(&added.field_name)?;
        // Where anything gave it a look, whoever signed saw that in its place.
        let may_go = is_withdrawn(after) && !has_look(before) && added.is_seal();
        let may_differ: &[&[u8]] = if may_go {
            &[b"V", b"AP", b"F", b"Rect"]
        } else {
            &[b"V", b"AP", b"F"]
        };
        if !was_field || before.get(b"V").is_some() || !before.equals_except(after, may_differ) {
            return Err(fault);
        }
        self.placed.insert(number, FIELD_PLACES);
        self.look(changes, number, (before, after))?;
        let Some(kids) = after.get(b"Kids") else {
            return Ok(());
        };
        let kids = changes.file.follow(kids, changes.revision)?;
        for kid in kids.array().ok_or(fault)?.iter().filter_map(Object::as_reference) {
            let (before, after) = (changes.before(kid.number)?, changes.after(kid.number)?);
            let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
                return Err(fault);
            };
            // One with a name or a value is a field of its own.
            let is_field = [&b"T"[..], b"V", b"Kids"].iter().any(|key| after.names(key));
            let is_widget = after.name(b"Subtype") == Some(b"Widget")
                && after.reference(b"Parent") == Some(added.field)
                && before.equals_except(after, &[b"AP", b"F"])
                && !is_field;
            if changes.old.contains(&kid.number) && !is_widget {
                return Err(PdfFault::Changed { number: kid.number });
            }
            self.look(changes, kid.number, (before, after))?;
        }
        Ok(())
    }

    /// A field or widget of the signature that was there and may look different.
    fn look(
        &mut self,
        changes: &Changes<'_, '_>,
        number: u32,
        (before, after): (&Dictionary, &Dictionary),
    ) -> Result<(), PdfFault> {
        if !appearance::is_plain_widget(after) {
            return Err(PdfFault::Changed { number });
        }
        if changes.old.contains(&number) {
            self.numbers.insert(number);
            self.placed.insert(number, FIELD_PLACES);
            self.roots.push(number);
        }
        let written = self.roots.len();
        self.appearance(changes, number, (before, after))?;
        if self.roots.len() > written || !before.equals_except(after, &[b"V"]) {
            self.shown.insert(number);
        }
        Ok(())
    }
}

/// Whether anything says how it looks: some readers draw what `MK` says where there is no appearance.
fn has_look(field: &Dictionary) -> bool {
    let is_drawn = [&b"AP"[..], b"BS", b"Border", b"C"]
        .iter()
        .any(|key| field.names(key));
    let is_marked = |marks: &Object| {
        let marks = marks.as_dictionary();
        marks.is_none_or(|marks| marks.iter().next().is_some())
    };
    is_drawn || field.get(b"MK").is_some_and(is_marked)
}

/// Whether it shows nothing in no place: some writers leave a field so that they sign without a look.
fn is_withdrawn(field: &Dictionary) -> bool {
    let corners = field.get(b"Rect").and_then(Object::as_array).unwrap_or_default();
    let is_nothing = |corner: &Object| corner.as_number() == Some(0.0);
    corners.len() == 4 && corners.iter().all(is_nothing)
}

/// Whether it calls itself an annotation, or nothing.
fn is_annotation(field: &Dictionary) -> bool {
    field.get(b"Type").is_none() || field.name(b"Type") == Some(b"Annot")
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
