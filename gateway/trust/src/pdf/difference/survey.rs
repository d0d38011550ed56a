//! One look at everything that was signed: who refers to what later revisions write, how large pages are, which fonts
//! default appearances ask for.
//!
//! **Invariant**: every object that any signature covers is read once, whatever the number of later revisions, and let
//! go again: memory holds one object, or one object stream, at a time.

mod strays;

use std::collections::{HashMap, HashSet};

use self::strays::{is_plain_object_stream, superseded};
use super::super::PdfFault;
use super::super::field::{self, Form, Name};
use super::super::file::{File, Indirect};
use super::super::object::{Dictionary, Object, Reference};
use super::super::parse;
use super::super::revision::Version;
use super::super::xref::Entry;
use super::boxes::Boxes;
use super::place::{Place, Step};
use super::repair;
use super::targets::{containers, material_nodes, targets};

/// Octets of a name that every reader tells from another (ISO 32000-1 annex C).
pub(super) const NAME_OCTETS_MAX: usize = 127;

/// The holder of what a trailer refers to: no object has this number.
pub(super) const TRAILER: u32 = 0;

/// The revisions that show one version of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u32,
    /// The first that shows another; `u32::MAX` where none does.
    until: u32,
}

impl Span {
    fn holds(self, revision: usize) -> bool {
        (self.first()..self.until as usize).contains(&revision)
    }

    fn first(self) -> usize {
        self.from as usize
    }

    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            until: self.until.max(other.until),
        }
    }
}

/// A reference to an object that a later revision writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) holder: u32,
    pub(super) place: Place,
    pub(super) is_of_page: bool,
    span: Span,
}

/// What refers to others, as some revisions show it.
#[derive(Clone, Copy)]
struct Holder<'f, 'a> {
    file: &'f File<'a>,
    number: u32,
    span: Span,
    is_page: bool,
}

impl Holder<'_, '_> {
    /// Whether the reference names another generation of an object than there is.
    fn is_misled(self, reference: Reference) -> bool {
        let entry = self.file.entry(reference.number, self.span.first());
        entry.is_some_and(|(entry, _)| {
            !matches!(entry, Entry::Free { .. }) && entry.generation() != reference.generation
        })
    }
}

#[derive(Default)]
pub(super) struct Survey {
    /// The number of the catalog.
    catalog: u32,
    /// The first revision that is signed.
    first: usize,
    /// Object streams that were met: number, place, and the revision that put it there.
    streams: Vec<(u32, usize, usize)>,
    /// What later revisions write and what the signed one also heads where no section lists it.
    strays: HashSet<u32>,
    /// What the DSS was made of, and since which revision: what is replaced there goes on to refer to what stays.
    material: HashMap<u32, usize>,
    uses: HashMap<u32, Vec<Use>>,
    /// Object streams, and the first revision of which an object lies in one.
    containers: HashMap<u32, u32>,
    boxes: Boxes,
    /// The area of the smallest page.
    smallest_page: f64,
    /// The names in default appearances (§12.7.4.3), and from when to when one stood somewhere.
    names: HashMap<Box<[u8]>, Span>,
    /// What could be a field of the form, and what names one of them its parent.
    fields: HashSet<u32>,
    hung: Vec<(u32, u32, Span)>,
    /// What could be a field beside the form by its own word, and what it calls itself.
    titles: Vec<(u32, Name, Span)>,
    /// Something that is no page has annotations: some readers give them to the pages below that have none.
    has_strange_annotations: bool,
    /// What refers to an object under another generation than its own: some readers follow it, some do not.
    misled: Option<u32>,
    /// There is a default appearance whose names are not known.
    has_strange_names: bool,
    /// From when to when anything could inherit a default appearance of the form.
    heirs: Option<Span>,
}

impl Survey {
    /// Looks at every object that a revision from `first` on shows and a later one may change.
    pub(super) fn of(file: &File<'_>, first: usize) -> Result<Self, PdfFault> {
        let material = material_nodes(file);
        let (catalog, _) = file.catalog(first)?;
        let mut uses = targets(file, first, material.keys())?;
        uses.insert(catalog.number, Vec::new());
        let form = Form::read(file, first)?;
        let written = uses.keys().copied();
        let fields = form
            .fields
            .iter()
            .map(|field| field.reference.number)
            .chain(written);
        let fields = fields.collect();
        let strays = repair::unlisted(file, first)?;
        let strays = strays.into_iter().filter(|number| uses.contains_key(number));
        let mut survey = Self {
            catalog: catalog.number,
            first,
            strays: strays.collect(),
            uses,
            containers: containers(file),
            material,
            fields,
            ..Self::default()
        };
        survey.check_containers(file)?;
        survey.note_misread(file)?;
        for (revision, from) in file.revisions[..file.latest()].iter().zip(0..) {
            let span = Span {
                from,
                until: u32::MAX,
            };
            let holder = Holder {
                file,
                number: TRAILER,
                span,
                is_page: false,
            };
            survey.note_uses(&revision.trailer, holder);
        }
        survey.read_all(file)?;
        survey.smallest_page = survey.boxes.smallest();
        match survey.misled {
            Some(number) => Err(PdfFault::Object { number }),
            None => Ok(survey),
        }
    }

    /// Reads every version of every object that was shown up to the last revision but one.
    fn read_all(&mut self, file: &File<'_>) -> Result<(), PdfFault> {
        let first = self.first;
        let mut compressed = Vec::new();
        for versions in file.history.numbers() {
            for version in superseded(versions, first) {
                self.note_superseded(file, version)?;
            }
            for (version, span) in visible(versions, first, file.latest()) {
                match version.entry {
                    Entry::Free { .. } => {}
                    Entry::InUse { offset, generation } => {
                        let reference = Reference {
                            number: version.number,
                            generation,
                        };
                        self.read(file, reference, offset, span)?;
                    }
                    Entry::Compressed { container, index } => {
                        let offset = file.container_offset(container, span.first());
                        let offset = offset.ok_or(PdfFault::Object { number: container })?;
                        compressed.push((offset, container, index, version.number, span));
                    }
                }
            }
        }
        compressed.sort_unstable_by_key(|(offset, _, index, ..)| (*offset, *index));
        let mut unread = std::mem::take(&mut self.streams);
        unread.retain(|(_, offset, _)| {
            compressed
                .binary_search_by_key(offset, |(known, ..)| *known)
                .is_err()
        });
        self.note_unread(file, &unread)?;
        for group in compressed.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            self.read_container(file, group)?;
        }
        Ok(())
    }

    /// Whether who repairs the signed revision may find another object under the number than its sections do.
    pub(super) fn is_stray(&self, number: u32) -> bool {
        self.strays.contains(&number)
    }

    fn read(
        &mut self,
        file: &File<'_>,
        reference: Reference,
        offset: usize,
        span: Span,
    ) -> Result<(), PdfFault> {
        if let Some(known) = file.known(offset, reference, span.first()) {
            let known = known?;
            return self.note(file, reference.number, &known, span);
        }
        let object = file.read_object(offset, reference, span.first())?;
        self.note(file, reference.number, &object, span)?;
        file.budget.release_objects(object.weight);
        Ok(())
    }

    /// Objects of one object stream.
    fn read_container(
        &mut self,
        file: &File<'_>,
        group: &[(usize, u32, usize, u32, Span)],
    ) -> Result<(), PdfFault> {
        let (offset, number, ..) = group[0];
        let owner = group.iter().map(|(.., span)| span.first()).min().unwrap_or(0);
        file.look_into((number, offset), owner, |container| {
            self.note_contained(file, (number, offset), container);
            for (_, _, index, number, span) in group {
                let object = container.object(*number, *index)?;
                self.note(file, *number, &object, *span)?;
            }
            Ok(())
        })
    }

    fn note(&mut self, file: &File<'_>, number: u32, object: &Indirect, span: Span) -> Result<(), PdfFault> {
        let mut holder = Holder {
            file,
            number,
            span,
            is_page: false,
        };
        let Some(dictionary) = object.dictionary() else {
            let mut path = Vec::new();
            self.note_value(&object.value, &mut path, holder);
            return Ok(());
        };
        if object.stream.is_none() {
            self.boxes.note(file, dictionary, span.first());
        }
        if is_plain_object_stream(file, (number, object))?
            && let Some((Entry::InUse { offset, .. }, owner)) = file.entry(number, span.first())
        {
            self.streams.push((number, offset, owner));
        }
        holder.is_page = dictionary.name(b"Type") == Some(b"Page");
        self.has_strange_annotations |= !holder.is_page && dictionary.names(b"Annots");
        let is_field = dictionary.names(b"FT") || dictionary.name(b"Subtype") == Some(b"Widget");
        if is_field && dictionary.names(b"T") {
            file.budget.take_name(0)?;
            self.titles.push((number, field::own_name(dictionary), span));
        }
        self.note_uses(dictionary, holder);
        Ok(())
    }

    fn note_uses(&mut self, dictionary: &Dictionary, holder: Holder<'_, '_>) {
        self.note_heir(dictionary, holder.span);
        let mut path = Vec::new();
        for (key, value) in dictionary.iter() {
            self.note_entry(key, value, &mut path, holder);
        }
    }

    fn note_entry<'o>(
        &mut self,
        key: &'o [u8],
        value: &'o Object,
        path: &mut Vec<Step<'o>>,
        holder: Holder<'_, '_>,
    ) {
        if key == b"DA" {
            self.note_appearance(value, holder.span);
        }
        path.push(Some(key));
        self.note_value(value, path, holder);
        path.pop();
    }

    fn note_value<'o>(&mut self, value: &'o Object, path: &mut Vec<Step<'o>>, holder: Holder<'_, '_>) {
        match value {
            Object::Reference(reference) => {
                let place = Place::of(path, holder.number == self.catalog);
                if place == Place::Parent && self.fields.contains(&reference.number) {
                    self.hung.push((holder.number, reference.number, holder.span));
                }
                if holder.is_misled(*reference) {
                    self.misled.get_or_insert(holder.number);
                }
                if let Some(uses) = self.uses.get_mut(&reference.number) {
                    let one = Use {
                        holder: holder.number,
                        place,
                        is_of_page: holder.is_page,
                        span: holder.span,
                    };
                    if uses.last() != Some(&one) {
                        uses.push(one);
                    }
                }
            }
            Object::Array(items) => {
                path.push(None);
                for item in items {
                    self.note_value(item, path, holder);
                }
                path.pop();
            }
            Object::Dictionary(dictionary) => {
                // What applications note of their own is no page (§14.5).
                if path.first() != Some(&Some(b"PieceInfo")) {
                    self.boxes.note_inner(dictionary);
                }
                self.note_heir(dictionary, holder.span);
                for (key, value) in dictionary.iter() {
                    self.note_entry(key, value, path, holder);
                }
            }
            Object::Null
            | Object::Boolean(_)
            | Object::Integer(_)
            | Object::Real(_)
            | Object::Name(_)
            | Object::Text(_) => {}
        }
    }

    fn note_heir(&mut self, dictionary: &Dictionary, span: Span) {
        if is_heir(dictionary) {
            self.heirs = Some(self.heirs.map_or(span, |known| known.and(span)));
        }
    }

    fn note_appearance(&mut self, value: &Object, span: Span) {
        let Object::Text(text) = value else {
            self.has_strange_names = true;
            return;
        };
        // A name may be written in other ways (§7.3.5); and readers part words at other octets than these.
        let is_plain = |octet: &u8| matches!(octet, b' '..=b'~' | b'\t' | b'\n' | b'\r') && *octet != b'#';
        self.has_strange_names |= !text.bytes.iter().all(is_plain);
        for name in text.bytes.split(|octet| *octet == b'/').skip(1) {
            let name = name
                .split(|octet| !parse::is_regular(*octet))
                .next()
                .unwrap_or_default();
            self.has_strange_names |= NAME_OCTETS_MAX < name.len();
            match self.names.get_mut(name) {
                Some(known) => *known = known.and(span),
                None => {
                    self.names.insert(name.into(), span);
                }
            }
        }
    }

    /// What the DSS is made of, or once was, as of that revision.
    pub(super) fn material(&self, revision: usize) -> impl Iterator<Item = u32> {
        let nodes = self.material.iter();
        nodes
            .filter(move |(_, since)| **since <= revision)
            .map(|(number, _)| *number)
    }

    /// What named a possible field its parent in that revision, with the field.
    pub(super) fn hung(&self, revision: usize) -> impl Iterator<Item = (u32, u32)> {
        let hung = self.hung.iter();
        hung.filter(move |(.., span)| span.holds(revision))
            .map(|(holder, field, _)| (*holder, *field))
    }

    /// What called itself a field in that revision, and by which name.
    pub(super) fn titles(&self, revision: usize) -> impl Iterator<Item = (u32, &Name)> {
        let titles = self.titles.iter();
        titles
            .filter(move |(.., span)| span.holds(revision))
            .map(|(number, name, _)| (*number, name))
    }

    /// Whether anything but a page has annotations.
    pub(super) fn has_strange_annotations(&self) -> bool {
        self.has_strange_annotations
    }

    /// Who referred to the object in that revision.
    pub(super) fn uses(&self, number: u32, revision: usize) -> impl Iterator<Item = &Use> {
        let uses = self.uses.get(&number).into_iter().flatten();
        uses.filter(move |one| one.span.holds(revision))
    }

    /// Whether an object of an earlier revision lies in the object stream of this number.
    pub(super) fn is_container(&self, number: u32, revision: usize) -> bool {
        let since = self.containers.get(&number);
        since.is_some_and(|since| (*since as usize) < revision)
    }

    /// How many references to the object there are in all revisions; `None` where nobody counted them.
    pub(super) fn weight(&self, number: u32) -> Option<usize> {
        self.uses.get(&number).map(Vec::len)
    }

    /// The area of the smallest page there may be; 0 where that is not known.
    pub(super) fn smallest_page(&self) -> f64 {
        self.smallest_page
    }

    /// Whether anything of that revision could inherit a default appearance of the form.
    pub(super) fn has_heirs(&self, revision: usize) -> bool {
        self.heirs.is_some_and(|span| span.holds(revision))
    }

    /// Whether a default appearance of that revision may name the font: a reader that makes the appearance anew would take
    /// what was not there when it was signed.
    pub(super) fn is_asked_for(&self, font: &[u8], revision: usize) -> bool {
        self.has_strange_names || self.names.get(font).is_some_and(|span| span.holds(revision))
    }
}

/// Whether it is drawn with the default appearance of the form where it has none of its own: fields and widgets other than
/// those of signatures (what they are may stand in an ancestor), in the form or not, and text that stands freely.
fn is_heir(dictionary: &Dictionary) -> bool {
    let subtype = dictionary.get(b"Subtype");
    // Named elsewhere, it may be anything.
    let is_elsewhere = subtype.is_some_and(|subtype| subtype.as_reference().is_some());
    let is_widget = dictionary.get(b"FT").is_some() || dictionary.name(b"Subtype") == Some(b"Widget");
    let is_signature = dictionary.name(b"FT") == Some(b"Sig");
    let is_free_text = dictionary.name(b"Subtype") == Some(b"FreeText");
    (is_widget && !is_signature) || is_free_text || is_elsewhere
}

/// The versions of one number that a revision from `first` to the one before `latest` shows. An entry that is written
/// again makes no other version: a container that changes meanwhile is itself a change.
fn visible(versions: &[Version], first: usize, latest: usize) -> impl Iterator<Item = (Version, Span)> {
    let groups = || versions.chunk_by(|one, other| one.entry == other.entry);
    let ends = groups().skip(1).map(|next| next[0].revision).chain([u32::MAX]);
    let spans = groups().zip(ends).map(|(group, until)| {
        let from = group[0].revision;
        (group[0], Span { from, until })
    });
    spans.filter(move |(_, span)| span.first() < latest && span.until as usize > first)
}
