//! What a later revision may change: it may add one signature, and nothing else.
//!
//! White list of the objects that an update writes: the signature dictionary; its field and the widgets of it, with
//! their appearances; the form, grown by the field; pages, grown by the widget; document information. Everything else
//! is refused.
//!
//! What the signature shows may be no larger than a seal (`appearance`).
//!
//! **Invariant**: every octet of the update belongs to one of its objects, to its cross-reference section or to white
//! space.
//! **Invariant**: no object of the signed revision refers to an object that the update brings into being.

mod allowed;
mod appearance;

use std::collections::BTreeSet;
use std::rc::Rc;

use allowed::Allowed;

use super::PdfFault;
use super::file::{File, Indirect, Revision};
use super::object::{Object, Reference};
use super::parse::Parser;
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

/// The holder of what a trailer refers to: no object has this number.
const TRAILER: u32 = 0;

/// Checks the update that made `revision` out of the one before; it ends with the signature `added`. Whether anything
/// of that is to be seen over pages that were signed.
pub(super) fn check(file: &File<'_>, revision: usize, added: &Signature) -> Result<bool, PdfFault> {
    let changes = Changes::read(file, revision)?;
    changes.check_accounted()?;
    changes.check_trailer()?;
    let mut allowed = Allowed::default();
    allowed.form_and_field(&changes, added)?;
    allowed.pages(&changes)?;
    allowed.information(&changes)?;
    allowed.metadata(&changes)?;
    changes.check_new(&allowed)?;
    for number in &changes.old {
        if !allowed.numbers.contains(number) {
            return Err(PdfFault::Changed { number: *number });
        }
    }
    changes.check_uses(&allowed)?;
    allowed.shows(&changes)
}

/// The objects that an update writes.
struct Changes<'f, 'a> {
    file: &'f File<'a>,
    revision: usize,
    update: &'f Revision,
    /// Objects that were there before and now say something else.
    old: BTreeSet<u32>,
    /// Objects that were not there before.
    new: BTreeSet<u32>,
}

impl<'f, 'a> Changes<'f, 'a> {
    fn read(file: &'f File<'a>, revision: usize) -> Result<Self, PdfFault> {
        let update = &file.revisions[revision];
        let mut changes = Self {
            file,
            revision,
            update,
            old: BTreeSet::new(),
            new: BTreeSet::new(),
        };
        for (number, entry) in &update.entries {
            let before = file.entry(*number, revision - 1).map(|(entry, _)| entry);
            if before == Some(*entry) {
                continue;
            }
            match (before, entry) {
                (None | Some(Entry::Free), Entry::Free) => {}
                (Some(Entry::InUse { .. } | Entry::Compressed { .. }), Entry::Free) => {
                    return Err(PdfFault::Changed { number: *number });
                }
                (None | Some(Entry::Free), Entry::InUse { .. } | Entry::Compressed { .. }) => {
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
                    }
                }
            }
        }
        Ok(changes)
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

    /// Every object of the signed revision, with its number.
    fn signed(&self) -> impl Iterator<Item = Result<(u32, Rc<Indirect>), PdfFault>> {
        let entries = self.file.entries(self.revision - 1);
        entries.filter_map(|(number, entry)| match entry {
            Entry::Free => self.file.budget.take_looks(1).err().map(Err),
            Entry::InUse { .. } | Entry::Compressed { .. } => {
                let object = self.before(number).and_then(|object| {
                    self.file.budget.take_looks(object.weight)?;
                    Ok((number, object))
                });
                Some(object)
            }
        })
    }

    /// The reference that reaches the object in the revision.
    fn reference(&self, number: u32, revision: usize) -> Reference {
        let entry = self.file.entry(number, revision);
        Reference {
            number,
            generation: entry.map_or(0, |(entry, _)| entry.generation()),
        }
    }

    /// Every octet between the end of the revision before and the cross-reference section belongs to an object that
    /// the section lists, or is white space.
    fn check_accounted(&self) -> Result<(), PdfFault> {
        let mut extents = Vec::new();
        for (number, entry) in &self.update.entries {
            let is_kept = self
                .file
                .entry(*number, self.revision - 1)
                .map(|(entry, _)| entry)
                == Some(*entry);
            match entry {
                Entry::InUse { .. } if !is_kept && self.update.stream_number != Some(*number) => {
                    let object = self.after(*number)?;
                    extents.push(
                        object
                            .extent
                            .clone()
                            .ok_or(PdfFault::Object { number: *number })?,
                    );
                }
                Entry::Compressed { container, .. } if !is_kept => {
                    let is_own = matches!(self.update.entries.get(container), Some(Entry::InUse { .. }));
                    if !is_own {
                        return Err(PdfFault::Object { number: *number });
                    }
                }
                Entry::InUse { .. } | Entry::Compressed { .. } | Entry::Free => {}
            }
        }
        extents.sort_by_key(|extent| extent.start);
        let mut at = self.update.start;
        extents.push(self.update.xref..self.update.xref);
        for extent in extents {
            let mut parser = Parser::new(self.file.bytes, at);
            parser.skip_blank();
            if parser.at != extent.start {
                return Err(PdfFault::Unaccounted {
                    offset: parser.at.min(extent.start),
                });
            }
            at = extent.end;
        }
        Ok(())
    }

    fn check_trailer(&self) -> Result<(), PdfFault> {
        let before = &self.file.revisions[self.revision - 1].trailer;
        let after = &self.update.trailer;
        if before.equals_except(after, TRAILER_KEYS) {
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
            let mut found = Vec::new();
            collect_uses(
                &self.after(number)?.value,
                &mut String::new(),
                &mut |reference, _| {
                    found.push(reference.number);
                },
            );
            waiting.extend(
                found
                    .into_iter()
                    .filter(|number| self.new.contains(number) && reached.insert(*number)),
            );
        }
        for number in &self.new {
            let is_structure = self.update.stream_number == Some(*number)
                || self
                    .after(*number)?
                    .dictionary()
                    .is_some_and(|stream| stream.name(b"Type") == Some(b"ObjStm"));
            if !is_structure && !reached.contains(number) && !allowed.numbers.contains(number) {
                return Err(PdfFault::Changed { number: *number });
            }
        }
        Ok(())
    }

    /// Nothing of the signed revision refers to what is new, and to what changed only as the white list says.
    fn check_uses(&self, allowed: &Allowed) -> Result<(), PdfFault> {
        for revision in &self.file.revisions[..self.revision] {
            self.check_uses_of(TRAILER, &Object::Dictionary(revision.trailer.clone()), allowed)?;
        }
        for signed in self.signed() {
            let (holder, object) = signed?;
            // The dictionary of a cross-reference stream is a trailer.
            let is_trailer = object
                .dictionary()
                .is_some_and(|stream| stream.name(b"Type") == Some(b"XRef"));
            let holder = if is_trailer { TRAILER } else { holder };
            self.check_uses_of(holder, &object.value, allowed)?;
        }
        Ok(())
    }

    fn check_uses_of(&self, holder: u32, object: &Object, allowed: &Allowed) -> Result<(), PdfFault> {
        let mut is_allowed = true;
        collect_uses(object, &mut String::new(), &mut |reference, path| {
            is_allowed &= match allowed.uses.get(&reference.number) {
                Some(uses) => uses.contains(&(holder, path)),
                None => !self.new.contains(&reference.number),
            };
        });
        if is_allowed {
            Ok(())
        } else {
            Err(PdfFault::Changed { number: holder })
        }
    }
}

/// Calls `found` for every reference inside the object, with the path of keys that leads to it.
fn collect_uses(object: &Object, path: &mut String, found: &mut dyn FnMut(Reference, &str)) {
    match object {
        Object::Reference(reference) => found(*reference, path),
        Object::Array(items) => {
            let length = path.len();
            path.push_str("[]");
            items.iter().for_each(|item| collect_uses(item, path, found));
            path.truncate(length);
        }
        Object::Dictionary(dictionary) => {
            for (key, value) in dictionary.iter() {
                let length = path.len();
                path.push('/');
                path.push_str(&String::from_utf8_lossy(key));
                collect_uses(value, path, found);
                path.truncate(length);
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
