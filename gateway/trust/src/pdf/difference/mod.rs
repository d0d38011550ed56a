//! What later revisions may change: signatures, material for validation, fields of a form that is open, and what a file
//! says about itself. Nothing else.
//!
//! White list of the objects that an update writes, each with those who may refer to it: signature dictionaries, fields
//! and widgets with their appearances (`fields`, `appearance`); the catalog and what it names (`catalog`); pages, grown
//! by widgets (`pages`). Everything else is refused. Every update is held against the revision before, so that any number
//! of them leads from what was signed to what is seen by allowed steps alone.
//!
//! **Invariant**: an update is written to the letter, and holds nothing but its objects and its section (`syntax`).
//! **Invariant**: no object of the signed revision refers to an object that the update brings into being, and none lies in
//! an object stream that the update writes over.

mod allowed;
mod appearance;
mod boxes;
mod catalog;
mod content;
mod fields;
mod filling;
mod inside;
mod look;
mod pages;
mod place;
mod repair;
mod survey;
mod syntax;
mod targets;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use allowed::Allowed;
use appearance::Seals;
use inside::{collect, count_nulls, has_references};
use survey::Survey;

use super::PdfFault;
use super::coverage::LaterChange;
use super::field::Name;
use super::file::{File, Indirect};
use super::object::{Dictionary, Object, Reference};
use super::restriction::Rights;
use super::revision::Revision;
use super::signature::Signature;
use super::xref::Entry;

/// What a trailer says about its own section.
const TRAILER_KEYS: &[&[u8]] = &[
    b"Size",
    b"Prev",
    b"ID",
    b"Info",
    b"Type",
    b"W",
    b"Index",
    b"Length",
    b"Filter",
    b"DecodeParms",
];

/// What no later trailer may leave out.
const TRAILER_KEYS_KEPT: &[&[u8]] = &[b"Root", b"Encrypt"];

/// Up to here every reader counts: beyond, some repair the file instead.
const NUMBER_MAX: u32 = 1_048_575;

/// Checks every revision after the first signature, and notes with each signature what came after.
pub(super) fn check(file: &File<'_>, signatures: &mut [Signature]) -> Result<(), PdfFault> {
    let Some(first) = signatures.first().map(|first| first.revision) else {
        return Ok(());
    };
    // What nobody extended is what its signers saw: sloppy writers leave objects in it that nothing needs.
    if first == file.latest() {
        return Ok(());
    }
    let survey = Survey::of(file, first)?;
    let mut shown = Seals::default();
    for revision in first + 1..=file.latest() {
        let added = signatures.iter().position(|one| one.revision == revision);
        let earlier = signatures.iter().filter(|one| one.revision < revision);
        let seals = earlier.filter(|one| one.is_seal());
        let context = Context {
            survey: &survey,
            rights: Rights::after(seals.map(|seal| &seal.restrictions)),
            added: added.map(|added| &signatures[added]),
        };
        let allowed = check_revision(file, revision, &context, &mut shown)?;
        if let Some(added) = added {
            signatures[added].is_shown_over_signed = allowed.is_shown;
        }
        for earlier in signatures.iter_mut().filter(|one| one.revision < revision) {
            earlier.later.extend(&allowed.kinds);
            earlier.later.sort_unstable();
            earlier.later.dedup();
        }
    }
    file.budget.check()
}

/// What an update is judged by.
struct Context<'s> {
    survey: &'s Survey,
    rights: Rights<'s>,
    /// The signature that ends with it, if there is one.
    added: Option<&'s Signature>,
}

/// Of the streams that looks draw with, by where they begin: whether they draw anything, and whether they can be read at all.
type Drawn = RefCell<HashMap<usize, Option<bool>>>;

fn check_revision(
    file: &File<'_>,
    revision: usize,
    context: &Context<'_>,
    shown: &mut Seals,
) -> Result<Allowed, PdfFault> {
    let changes = Changes::read(file, revision, context)?;
    changes.check_accounted()?;
    changes.check_trailer()?;
    if !context.rights.may_extend() {
        return Err(PdfFault::Restricted);
    }
    let mut allowed = Allowed::default();
    allowed.catalog(&changes)?;
    allowed.form(&changes)?;
    allowed.pages(&changes)?;
    allowed.information(&changes)?;
    allowed.filled_fields(&changes)?;
    changes.check_new(&allowed)?;
    changes.check_references()?;
    for number in &changes.old {
        let is_stream = changes.before(*number)?.stream.is_some() || changes.after(*number)?.stream.is_some();
        if !allowed.numbers.contains(number) || is_stream && !allowed.streams.contains(number) {
            return Err(PdfFault::Changed { number: *number });
        }
    }
    changes.check_uses(&allowed)?;
    allowed.check_shown(&changes)?;
    shown.add(&changes, &allowed)?;
    if allowed.kinds.is_empty() {
        return Err(PdfFault::UnsignedRevision);
    }
    // What comes along with material and time-stamps is no change either (table 257).
    let is_archival = |kind: &LaterChange| {
        matches!(
            kind,
            LaterChange::ValidationMaterial | LaterChange::DocumentTimeStamp
        )
    };
    if !context.rights.may_change() && !allowed.kinds.iter().any(is_archival) {
        return Err(PdfFault::Restricted);
    }
    Ok(allowed)
}

/// The objects that an update writes.
struct Changes<'f, 'a> {
    file: &'f File<'a>,
    revision: usize,
    update: &'f Revision,
    context: &'f Context<'f>,
    /// Objects that were there before and now say something else.
    old: BTreeSet<u32>,
    /// Objects that were not there before.
    new: BTreeSet<u32>,
    drawn: Drawn,
}

impl<'f, 'a> Changes<'f, 'a> {
    fn read(file: &'f File<'a>, revision: usize, context: &'f Context<'f>) -> Result<Self, PdfFault> {
        let update = &file.revisions[revision];
        let mut changes = Self {
            file,
            revision,
            update,
            context,
            old: BTreeSet::new(),
            new: BTreeSet::new(),
            drawn: Drawn::default(),
        };
        for (number, entry) in update.entries() {
            let before = file.entry(*number, revision - 1).map(|(entry, _)| entry);
            if before == Some(*entry) {
                continue;
            }
            // What lies in an object stream refers to it by no reference.
            if context.survey.is_container(*number, revision) {
                return Err(PdfFault::Changed { number: *number });
            }
            match (before, entry) {
                // Some readers pass over what comes later under a lower generation.
                (None | Some(Entry::Free { .. }), Entry::Free { generation }) => {
                    if *number != 0 && *generation != 0 {
                        return Err(PdfFault::Changed { number: *number });
                    }
                }
                (Some(Entry::InUse { .. } | Entry::Compressed { .. }), Entry::Free { .. }) => {
                    return Err(PdfFault::Changed { number: *number });
                }
                (None, Entry::InUse { .. } | Entry::Compressed { .. }) => {
                    changes.new.insert(*number);
                }
                (Some(Entry::Free { generation }), Entry::InUse { .. } | Entry::Compressed { .. }) => {
                    if generation != entry.generation() {
                        return Err(PdfFault::Changed { number: *number });
                    }
                    changes.new.insert(*number);
                }
                (
                    Some(before @ (Entry::InUse { .. } | Entry::Compressed { .. })),
                    after @ (Entry::InUse { .. } | Entry::Compressed { .. }),
                ) => {
                    // Under another generation, every reference to the object leads to nothing.
                    if before.generation() != after.generation() {
                        return Err(PdfFault::Changed { number: *number });
                    }
                    if changes.differs(*number)? {
                        changes.old.insert(*number);
                    } else if matches!(after, Entry::Compressed { .. }) {
                        // Nobody needs to pack anew what stays the same, and readers unpack in ways of their own.
                        return Err(PdfFault::Changed { number: *number });
                    }
                }
            }
        }
        changes.section_stream()?;
        changes.check_numbers()?;
        Ok(changes)
    }

    /// An update gives no reader a reason to repair a file that it did not repair before, and those that repaired it before
    /// another object than what was signed.
    fn check_numbers(&self) -> Result<(), PdfFault> {
        let highest = |revision: &Revision| revision.entries().last().map_or(0, |(number, _)| *number);
        let was_high = self.file.revisions[..self.revision]
            .iter()
            .any(|revision| NUMBER_MAX < highest(revision));
        let size = self.update.trailer.get(b"Size").and_then(Object::as_size);
        let is_high = size.is_none_or(|size| NUMBER_MAX as usize + 1 < size);
        if is_high && !was_high {
            return Err(PdfFault::Changed {
                number: highest(self.update),
            });
        }
        let survey = self.context.survey;
        let written = self.update.entries().iter().map(|(number, _)| *number);
        let mut written = written.chain(self.update.stream_number);
        match written.find(|number| survey.is_stray(*number)) {
            Some(number) => Err(PdfFault::Changed { number }),
            None => Ok(()),
        }
    }

    /// The stream that is the cross-reference section stands under a number of its own, whether it lists itself or not:
    /// readers find it there, and it holds what anybody likes.
    fn section_stream(&mut self) -> Result<(), PdfFault> {
        let Some(number) = self.update.stream_number else {
            return Ok(());
        };
        let before = self.file.entry(number, self.revision - 1);
        let is_taken = matches!(before, Some((Entry::InUse { .. } | Entry::Compressed { .. }, _)));
        if is_taken || self.context.survey.is_container(number, self.revision) {
            return Err(PdfFault::Changed { number });
        }
        self.new.insert(number);
        Ok(())
    }

    fn differs(&self, number: u32) -> Result<bool, PdfFault> {
        let (before, after) = (self.before(number)?, self.after(number)?);
        let octets = |indirect: &Indirect| indirect.stream.clone().map(|range| &self.file.bytes[range]);
        Ok(before.value != after.value || octets(&before) != octets(&after))
    }

    fn before(&self, number: u32) -> Result<Rc<Indirect>, PdfFault> {
        self.file
            .resolve(self.reference(number, self.revision - 1), self.revision - 1)
    }

    fn after(&self, number: u32) -> Result<Rc<Indirect>, PdfFault> {
        self.file
            .resolve(self.reference(number, self.revision), self.revision)
    }

    /// Whether the update writes the object, be it new or old.
    fn writes(&self, number: u32) -> bool {
        self.old.contains(&number) || self.new.contains(&number)
    }

    /// The reference that reaches the object in the revision.
    fn reference(&self, number: u32, revision: usize) -> Reference {
        let entry = self.file.entry(number, revision);
        Reference {
            number,
            generation: entry.map_or(0, |(entry, _)| entry.generation()),
        }
    }

    /// The update holds the objects that its section lists and nothing else; so do its object streams.
    fn check_accounted(&self) -> Result<(), PdfFault> {
        // Writers of old hid objects; nobody who adds to a signed file has reason to.
        if self.update.is_hybrid {
            return Err(PdfFault::HybridXref);
        }
        // Behind a table some readers take what they passed over before for damage, and repair the file.
        let before = &self.file.revisions[self.revision - 1];
        if before.stream_number.is_some() && self.update.stream_number.is_none() {
            return Err(PdfFault::Xref {
                offset: self.update.xref,
            });
        }
        let mut extents = Vec::new();
        let mut contained: BTreeMap<u32, usize> = BTreeMap::new();
        for (number, entry) in self.update.entries() {
            let before = self.file.entry(*number, self.revision - 1);
            if before.map(|(entry, _)| entry) == Some(*entry) {
                continue;
            }
            let fault = PdfFault::Object { number: *number };
            match entry {
                Entry::InUse { .. } if self.update.stream_number != Some(*number) => {
                    let object = self.after(*number)?;
                    extents.push(object.extent.clone().ok_or(fault)?);
                    // Who repairs a file may take it for an object stream, or for a section.
                    let kind = object.dictionary().and_then(|stream| stream.get(b"Type"));
                    let is_hidden = kind
                        .is_some_and(|kind| kind.as_reference().is_some() || kind.as_name() == Some(b"XRef"));
                    if object.stream.is_some() && is_hidden {
                        return Err(fault);
                    }
                    if is_object_stream(&object) {
                        contained.entry(*number).or_default();
                    }
                }
                Entry::Compressed { container, .. } => {
                    if !matches!(self.update.entry(*container), Some(Entry::InUse { .. })) {
                        return Err(fault);
                    }
                    *contained.entry(*container).or_default() += 1;
                }
                Entry::InUse { .. } | Entry::Free { .. } => {}
            }
        }
        for (container, listed) in contained {
            if self.file.container(container, self.revision)?.objects.len() != listed {
                return Err(PdfFault::Object { number: container });
            }
        }
        syntax::check(self.file.bytes, self.update, extents)
    }

    /// No earlier signature locks a field of this name.
    fn check_unlocked(&self, name: &Name) -> Result<(), PdfFault> {
        self.file.budget.take_looks(self.context.rights.weight())?;
        if self.context.rights.locks(name) {
            Err(PdfFault::Restricted)
        } else {
            Ok(())
        }
    }

    /// Every earlier signature lets a field of this name be made or signed.
    fn check_signable(&self, name: &Name) -> Result<(), PdfFault> {
        self.file.budget.take_looks(self.context.rights.weight())?;
        if self.context.rights.may_sign(name) {
            Ok(())
        } else {
            Err(PdfFault::Restricted)
        }
    }

    /// A trailer says nothing new, and leaves out only words of writers' own: some write none but the standard's.
    fn check_trailer(&self) -> Result<(), PdfFault> {
        let before = &self.file.revisions[self.revision - 1].trailer;
        let after = &self.update.trailer;
        let is_lost = |key: &&[u8]| after.get(key).is_none() && !TRAILER_KEYS_KEPT.contains(key);
        let lost = before.iter().map(|(key, _)| key).filter(is_lost);
        let may_differ: Vec<&[u8]> = TRAILER_KEYS.iter().copied().chain(lost).collect();
        let is_identifier = |id: &Object| {
            id.as_array()
                .is_some_and(|parts| matches!(parts, [Object::Text(_), Object::Text(_)]))
        };
        if !after.get(b"ID").is_none_or(is_identifier) {
            return Err(PdfFault::Changed { number: 0 });
        }
        let nulls = |trailer: &Dictionary| trailer.iter().map(|(_, value)| count_nulls(value)).sum::<usize>();
        if before.equals_except(after, &may_differ) && nulls(after) <= nulls(before) {
            Ok(())
        } else {
            Err(PdfFault::Changed { number: 0 })
        }
    }

    /// New objects are the cross-reference stream, object streams, or reached from the new field and its widgets.
    fn check_new(&self, allowed: &Allowed) -> Result<(), PdfFault> {
        let mut reached = BTreeSet::new();
        let mut waiting = allowed.roots.clone();
        while let Some(number) = waiting.pop() {
            let object = self.after(number)?;
            self.file.budget.take_looks(object.weight)?;
            collect(&object.value, &mut |reference| {
                if self.new.contains(&reference.number) && reached.insert(reference.number) {
                    waiting.push(reference.number);
                }
            });
        }
        for number in &self.new {
            let object = self.after(*number)?;
            let is_structure = self.update.stream_number == Some(*number) || is_object_stream(&object);
            if !is_structure && !reached.contains(number) && !allowed.numbers.contains(number) {
                return Err(PdfFault::Changed { number: *number });
            }
        }
        Ok(())
    }

    /// What the update says refers to what is there, unless that was said before: some readers take a reference to nothing for
    /// a sign of damage, and look for objects themselves. Nor does it say anew that something is null: readers do not agree
    /// what that takes away.
    fn check_references(&self) -> Result<(), PdfFault> {
        for &number in self.new.iter().chain(&self.old) {
            if self.update.stream_number == Some(number) {
                continue;
            }
            let object = self.after(number)?;
            self.file.budget.take_looks(object.weight)?;
            let (mut known, mut nulls) = (BTreeSet::new(), 0);
            if self.old.contains(&number) {
                let before = self.before(number)?;
                nulls = count_nulls(&before.value);
                collect(&before.value, &mut |reference| {
                    known.insert((reference.number, reference.generation));
                });
            }
            if count_nulls(&object.value) > nulls {
                return Err(PdfFault::Changed { number });
            }
            let mut is_lost = false;
            collect(&object.value, &mut |reference| {
                is_lost |=
                    !self.is_there(reference) && !known.contains(&(reference.number, reference.generation));
            });
            if is_lost {
                return Err(PdfFault::Object { number });
            }
        }
        Ok(())
    }

    fn is_there(&self, reference: Reference) -> bool {
        match self.file.entry(reference.number, self.revision) {
            Some((entry @ (Entry::InUse { .. } | Entry::Compressed { .. }), _)) => {
                entry.generation() == reference.generation
            }
            Some((Entry::Free { .. }, _)) | None => false,
        }
    }

    /// Nothing of the signed revision refers to what is new, and to what changed only as the white list says.
    fn check_uses(&self, allowed: &Allowed) -> Result<(), PdfFault> {
        let survey = self.context.survey;
        let named = allowed.uses.keys().chain(allowed.placed.keys());
        let numbers: BTreeSet<u32> = self.new.iter().chain(named).copied().collect();
        for number in numbers {
            let permitted = allowed.uses.get(&number);
            let known = survey.weight(number).ok_or(PdfFault::Changed { number })?;
            self.file.budget.take_looks(known)?;
            for one in survey.uses(number, self.revision - 1) {
                let is_permitted = permitted.is_some_and(|uses| uses.contains(&(one.holder, one.place)))
                    || allowed.is_placed(number, one)
                    || allowed.is_material(number, one);
                if !is_permitted {
                    return Err(PdfFault::Changed { number: one.holder });
                }
            }
        }
        Ok(())
    }
}

fn is_object_stream(object: &Indirect) -> bool {
    object.stream.is_some()
        && object
            .dictionary()
            .is_some_and(|stream| stream.name(b"Type") == Some(b"ObjStm"))
}
