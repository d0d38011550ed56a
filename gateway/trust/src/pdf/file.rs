//! The file as a sequence of revisions, and the objects that each of them shows (ISO 32000-2 §7.5).
//!
//! **Invariant**: the file begins with its header at offset 0 and ends with `%%EOF` and at most one end of line; every
//! revision ends where the next begins, and its objects lie inside it.
//! **Invariant**: looking up an object in a revision never sees a later one.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

use super::PdfFault;
use super::budget::Budget;
use super::object::{Dictionary, Object, Reference};
use super::parse::Parser;
use super::stream;
use super::xref::{Entry, Section};

/// Revisions that are read at most: every approval and every stamp adds one.
const REVISIONS_MAX: usize = 128;

/// How far from the end `startxref` is looked for: it, a number and `%%EOF` fit many times.
const TAIL_BYTES: usize = 1024;

/// Objects in one object stream at most.
const STREAM_OBJECTS_MAX: i64 = 100_000;

pub(super) struct Revision {
    pub(super) start: usize,
    /// Where the (last) cross-reference section begins.
    pub(super) xref: usize,
    /// Behind `%%EOF`, and behind the end of line that may follow.
    pub(super) end: usize,
    pub(super) end_of_line: usize,
    pub(super) entries: BTreeMap<u32, Entry>,
    pub(super) trailer: Dictionary,
    size: u64,
    pub(super) stream_number: Option<u32>,
}

/// An indirect object, or a direct one that was asked for in its place.
pub(super) struct Indirect {
    pub(super) value: Object,
    /// The octets of its stream as they stand in the file.
    pub(super) stream: Option<Range<usize>>,
    /// From its number to `endobj`; `None` where it lies in an object stream or is direct.
    pub(super) extent: Option<Range<usize>>,
    /// How many objects it holds, itself included.
    pub(super) weight: usize,
}

/// The objects of an object stream, in its order, and where the stream ends.
struct Container {
    objects: Vec<(u32, Rc<Indirect>)>,
    end: usize,
}

impl Indirect {
    pub(super) fn dictionary(&self) -> Option<&Dictionary> {
        self.value.as_dictionary()
    }

    pub(super) fn array(&self) -> Option<&[Object]> {
        self.value.as_array()
    }
}

pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) revisions: Vec<Revision>,
    /// Of each number, the entries with the revisions that wrote them, oldest first.
    history: BTreeMap<u32, Vec<(usize, Entry)>>,
    pub(super) budget: Budget,
    /// Objects by where they begin.
    objects: RefCell<HashMap<usize, Rc<Indirect>>>,
    /// Objects of the object streams by where those begin, with their numbers.
    containers: RefCell<HashMap<usize, Rc<Container>>>,
}

impl<'a> File<'a> {
    /// Opens a file; `objects_max` as in [`crate::Policy::pdf_objects_max`].
    pub(super) fn open(bytes: &'a [u8], objects_max: usize) -> Result<Self, PdfFault> {
        if !bytes.starts_with(b"%PDF-") {
            return Err(PdfFault::Header);
        }
        let budget = Budget::new(bytes.len(), objects_max);
        let sections = read_sections(bytes, &budget)?;
        if sections
            .iter()
            .any(|section| section.trailer.get(b"Encrypt").is_some())
        {
            return Err(PdfFault::Encrypted);
        }
        let revisions = into_revisions(sections)?;
        let last = revisions.last().ok_or(PdfFault::StartXref)?;
        if last.end_of_line != bytes.len() {
            return Err(PdfFault::TrailingOctets {
                offset: last.end_of_line,
            });
        }
        let mut history: BTreeMap<u32, Vec<(usize, Entry)>> = BTreeMap::new();
        for (index, revision) in revisions.iter().enumerate() {
            for (number, entry) in &revision.entries {
                history.entry(*number).or_default().push((index, *entry));
            }
        }
        Ok(Self {
            bytes,
            revisions,
            history,
            budget,
            objects: RefCell::default(),
            containers: RefCell::default(),
        })
    }

    /// The revision that shows everything.
    pub(super) fn latest(&self) -> usize {
        self.revisions.len() - 1
    }

    /// The file as it was when the revision was its last.
    fn shown(&self, revision: usize) -> &'a [u8] {
        &self.bytes[..self.revisions[revision].end]
    }

    /// Where the revision finds the object, and which revision put it there.
    pub(super) fn entry(&self, number: u32, revision: usize) -> Option<(Entry, usize)> {
        let history = self.history.get(&number)?;
        let known = history.partition_point(|(index, _)| *index <= revision);
        let (index, entry) = history[known.checked_sub(1)?];
        Some((entry, index))
    }

    /// Every number that the revision or an earlier one lists, with where the revision finds its object.
    pub(super) fn entries(&self, revision: usize) -> impl Iterator<Item = (u32, Entry)> {
        let numbers = self.history.keys();
        numbers.filter_map(move |number| Some((*number, self.entry(*number, revision)?.0)))
    }

    /// The object as the revision shows it; null where there is none (§7.3.10).
    pub(super) fn resolve(&self, reference: Reference, revision: usize) -> Result<Rc<Indirect>, PdfFault> {
        match self.entry(reference.number, revision) {
            Some((Entry::InUse { offset, generation }, _)) if generation == reference.generation => {
                self.object_at(offset, reference, revision)
            }
            Some((Entry::Compressed { container, index }, owner)) if reference.generation == 0 => {
                self.compressed(reference.number, (container, index), owner)
            }
            Some((Entry::Free | Entry::InUse { .. } | Entry::Compressed { .. }, _)) | None => Ok(null()),
        }
    }

    /// The object itself, or what it refers to.
    pub(super) fn follow(&self, object: &Object, revision: usize) -> Result<Rc<Indirect>, PdfFault> {
        match object.as_reference() {
            Some(reference) => self.resolve(reference, revision),
            None => Ok(Rc::new(Indirect {
                value: object.clone(),
                stream: None,
                extent: None,
                weight: 1,
            })),
        }
    }

    fn object_at(
        &self,
        offset: usize,
        reference: Reference,
        revision: usize,
    ) -> Result<Rc<Indirect>, PdfFault> {
        let fault = PdfFault::Object {
            number: reference.number,
        };
        let shown = self.shown(revision);
        if let Some(known) = self.objects.borrow().get(&offset) {
            let is_shown = known
                .extent
                .as_ref()
                .is_some_and(|extent| extent.end <= shown.len());
            return if is_shown {
                Ok(Rc::clone(known))
            } else {
                Err(fault)
            };
        }
        let mut parser = Parser::new(shown, offset);
        if parser.object_header()? != reference {
            return Err(fault);
        }
        let objects_left = self.budget.objects_left();
        let value = parser.object(&self.budget)?;
        let weight = objects_left - self.budget.objects_left();
        let mut stream = None;
        if matches!(value, Object::Reference(_)) {
            return Err(fault);
        }
        parser.skip_space();
        if let (Object::Dictionary(dictionary), true) = (&value, parser.starts_with(b"stream")) {
            let length = self.stream_length(dictionary, offset, revision)?;
            stream = Some(stream::read_extent(shown, &mut parser, length)?);
            parser.skip_space();
        }
        parser.keyword(b"endobj")?;
        self.budget.take_octets(parser.at - offset)?;
        let object = Rc::new(Indirect {
            value,
            stream,
            extent: Some(offset..parser.at),
            weight,
        });
        self.objects.borrow_mut().insert(offset, Rc::clone(&object));
        Ok(object)
    }

    /// Length, direct or as a plain integer object; a stream cannot give it, so that this does not go round.
    fn stream_length(
        &self,
        dictionary: &Dictionary,
        offset: usize,
        revision: usize,
    ) -> Result<usize, PdfFault> {
        let length = dictionary.get(b"Length").ok_or(PdfFault::Syntax { offset })?;
        let Some(reference) = length.as_reference() else {
            return length.as_size().ok_or(PdfFault::Syntax { offset });
        };
        let length = match self.entry(reference.number, revision) {
            Some((Entry::InUse { offset, .. }, _)) => {
                let mut parser = Parser::new(self.shown(revision), offset);
                let is_it = parser.object_header()? == reference;
                let length = parser.object(&self.budget)?.as_size().filter(|_| is_it);
                self.budget.take_octets(parser.at - offset)?;
                length
            }
            Some((Entry::Compressed { container, index }, owner)) => self
                .compressed(reference.number, (container, index), owner)?
                .value
                .as_size(),
            Some((Entry::Free, _)) | None => None,
        };
        length.ok_or(PdfFault::Object {
            number: reference.number,
        })
    }

    fn compressed(
        &self,
        number: u32,
        (container, index): (u32, usize),
        owner: usize,
    ) -> Result<Rc<Indirect>, PdfFault> {
        let fault = PdfFault::Object { number };
        let Some((
            Entry::InUse {
                offset,
                generation: 0,
            },
            _,
        )) = self.entry(container, owner)
        else {
            return Err(fault);
        };
        let known = self.containers.borrow().get(&offset).map(Rc::clone);
        let objects = match known {
            Some(objects) => objects,
            None => {
                let objects = Rc::new(self.read_container(container, offset, owner)?);
                self.containers.borrow_mut().insert(offset, Rc::clone(&objects));
                objects
            }
        };
        if objects.end > self.shown(owner).len() {
            return Err(fault);
        }
        match objects.objects.get(index) {
            Some((known, object)) if *known == number => Ok(Rc::clone(object)),
            Some(_) | None => Err(fault),
        }
    }

    /// Reads an object stream (§7.5.7). Its Length and dictionary must be direct, so that no stream waits for itself.
    fn read_container(&self, number: u32, offset: usize, owner: usize) -> Result<Container, PdfFault> {
        let fault = PdfFault::Object { number };
        let shown = self.shown(owner);
        let mut parser = Parser::new(shown, offset);
        if parser.object_header()?
            != (Reference {
                number,
                generation: 0,
            })
        {
            return Err(fault);
        }
        let Object::Dictionary(dictionary) = parser.object(&self.budget)? else {
            return Err(fault);
        };
        let integer = |key: &[u8]| dictionary.integer(key).filter(|value| *value >= 0);
        let (Some(b"ObjStm"), Some(length), Some(count), Some(first)) = (
            dictionary.name(b"Type"),
            integer(b"Length"),
            integer(b"N"),
            integer(b"First"),
        ) else {
            return Err(fault);
        };
        if count > STREAM_OBJECTS_MAX {
            return Err(PdfFault::TooLarge);
        }
        let length = usize::try_from(length).map_err(|_| fault)?;
        let extent = stream::read_extent(shown, &mut parser, length)?;
        let data = stream::decode(&dictionary, &shown[extent], &self.budget)?;
        let first = usize::try_from(first).map_err(|_| fault)?;
        self.budget.take_octets(parser.at - offset)?;
        let mut head = Parser::new(&data, 0);
        let mut objects = Vec::new();
        let mut free_from = 0;
        for _ in 0..count {
            head.skip_space();
            let number = u32::try_from(head.number()?).map_err(|_| fault)?;
            head.skip_space();
            let start = usize::try_from(head.number()?).map_err(|_| fault)?;
            let start = first.checked_add(start).ok_or(fault)?;
            let mut body = Parser::new(&data, start);
            let objects_left = self.budget.objects_left();
            let value = body.object(&self.budget)?;
            let weight = objects_left - self.budget.objects_left();
            // One after another (§7.5.7): octets that make two objects would make as many as anybody likes.
            if start < free_from || matches!(value, Object::Reference(_)) {
                return Err(fault);
            }
            free_from = body.at;
            objects.push((
                number,
                Rc::new(Indirect {
                    value,
                    stream: None,
                    extent: None,
                    weight,
                }),
            ));
        }
        Ok(Container {
            objects,
            end: parser.at,
        })
    }

    /// The catalog as the revision shows it, and its number.
    pub(super) fn catalog(&self, revision: usize) -> Result<(Reference, Rc<Indirect>), PdfFault> {
        let root = self.revisions[revision]
            .trailer
            .reference(b"Root")
            .ok_or(PdfFault::Catalog)?;
        let catalog = self.resolve(root, revision)?;
        if catalog
            .dictionary()
            .is_none_or(|catalog| catalog.name(b"Type") != Some(b"Catalog"))
        {
            return Err(PdfFault::Catalog);
        }
        Ok((root, catalog))
    }
}

fn null() -> Rc<Indirect> {
    Rc::new(Indirect {
        value: Object::Null,
        stream: None,
        extent: None,
        weight: 1,
    })
}

/// The chain of sections from the last `startxref`, newest first.
fn read_sections(bytes: &[u8], budget: &Budget) -> Result<Vec<Section>, PdfFault> {
    let tail_start = bytes.len().saturating_sub(TAIL_BYTES);
    let found = memchr::memmem::rfind(&bytes[tail_start..], b"startxref").ok_or(PdfFault::StartXref)?;
    let mut parser = Parser::new(bytes, tail_start + found);
    parser.keyword(b"startxref")?;
    parser.skip_blank();
    let mut next = Some(usize::try_from(parser.number()?).map_err(|_| PdfFault::StartXref)?);
    let mut sections: Vec<Section> = Vec::new();
    while let Some(offset) = next {
        if sections.len() >= REVISIONS_MAX {
            return Err(PdfFault::TooLarge);
        }
        if offset >= bytes.len() || sections.iter().any(|known| known.offset == offset) {
            return Err(PdfFault::Xref { offset });
        }
        let section = Section::read(bytes, offset, budget)?;
        next = section.previous()?;
        sections.push(section);
    }
    Ok(sections)
}

/// Sections, newest first, become revisions, oldest first.
fn into_revisions(mut sections: Vec<Section>) -> Result<Vec<Revision>, PdfFault> {
    let mut revisions: Vec<Revision> = Vec::new();
    let oldest = sections.pop().ok_or(PdfFault::StartXref)?;
    // A linearised file (Annex F) has its first-page section in front; the two make one revision.
    let is_linearized = sections.last().is_some_and(|front| {
        front.offset < oldest.offset && front.start_value == 0 && oldest.start_value == front.offset
    });
    let first = if is_linearized {
        let front = sections.pop().ok_or(PdfFault::StartXref)?;
        let mut entries = oldest.entries;
        entries.extend(front.entries);
        Section {
            entries,
            trailer: front.trailer,
            size: front.size,
            start_value: oldest.offset,
            ..oldest
        }
    } else {
        oldest
    };
    for section in std::iter::once(first).chain(sections.into_iter().rev()) {
        let start = revisions.last().map_or(0, |previous| previous.end);
        let is_inside = |entry: &Entry| match entry {
            Entry::InUse { offset, .. } => *offset < section.end,
            Entry::Free | Entry::Compressed { .. } => true,
        };
        // Readers pass over numbers from Size on, and differ about it: there are none, and an update brings none back.
        let is_sized = section.size >= revisions.last().map_or(0, |previous| previous.size)
            && section
                .entries
                .last_key_value()
                .is_none_or(|(number, _)| u64::from(*number) < section.size);
        if section.offset < start
            || section.start_value != section.offset
            || !is_sized
            || !section.entries.values().all(is_inside)
        {
            return Err(PdfFault::Xref {
                offset: section.offset,
            });
        }
        revisions.push(Revision {
            start,
            xref: section.offset,
            end: section.end,
            end_of_line: section.end_of_line,
            entries: section.entries,
            trailer: section.trailer,
            size: section.size,
            stream_number: section.stream_number,
        });
    }
    Ok(revisions)
}

#[cfg(test)]
mod tests;
