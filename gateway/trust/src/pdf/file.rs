//! The file as a sequence of revisions, and the objects that each of them shows (ISO 32000-2 §7.5).
//!
//! **Invariant**: the file begins with its header at offset 0 and ends with `%%EOF` and at most one end of line; every
//! revision ends where the next begins, and its objects lie inside it.
//! **Invariant**: looking up an object in a revision never sees a later one.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use super::PdfFault;
use super::budget::Budget;
use super::container::Container;
use super::object::{Dictionary, Object, Reference};
use super::parse::Parser;
use super::revision::{self, History, Revision};
use super::stream;
use super::xref::{Entry, Section};

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
    pub(super) history: History,
    pub(super) budget: Budget,
    /// Objects by where they begin, with what they say they are.
    objects: RefCell<HashMap<usize, (Reference, Rc<Indirect>)>>,
    /// Where the sections of the chain begin, hidden ones included.
    sections: HashSet<usize>,
    /// Object streams by where they begin.
    pub(super) containers: RefCell<HashMap<usize, Rc<Container>>>,
}

impl<'a> File<'a> {
    /// Opens a file; `objects_max` as in [`crate::Policy::pdf_objects_max`].
    pub(super) fn open(bytes: &'a [u8], objects_max: usize) -> Result<Self, PdfFault> {
        if !bytes.starts_with(b"%PDF-") {
            return Err(PdfFault::Header);
        }
        let budget = Budget::new(bytes.len(), objects_max);
        let sections = revision::read_sections(bytes, &budget)?;
        if sections
            .iter()
            .any(|section| section.trailer.get(b"Encrypt").is_some())
        {
            return Err(PdfFault::Encrypted);
        }
        let hidden = |section: &Section| section.trailer.get(b"XRefStm").and_then(Object::as_size);
        let places = sections
            .iter()
            .flat_map(|section| std::iter::once(section.offset).chain(hidden(section)));
        let places = places.collect();
        revision::check_linearized(bytes, &sections, &budget)?;
        let revisions = revision::into_revisions(sections)?;
        let last = revisions.last().ok_or(PdfFault::StartXref)?;
        if last.end_of_line != bytes.len() {
            return Err(PdfFault::TrailingOctets {
                offset: last.end_of_line,
            });
        }
        let history = History::of(&revisions);
        Ok(Self {
            bytes,
            revisions,
            history,
            budget,
            objects: RefCell::default(),
            sections: places,
            containers: RefCell::default(),
        })
    }

    /// Whether the object is a cross-reference section of the file.
    pub(super) fn is_section(&self, object: &Indirect) -> bool {
        let extent = object.extent.as_ref();
        extent.is_some_and(|extent| self.sections.contains(&extent.start))
    }

    /// How many sections the file has, hidden ones included.
    pub(super) fn section_count(&self) -> usize {
        self.sections.len()
    }

    /// Whether a section of the file begins there.
    pub(super) fn is_section_within(&self, from: usize, until: usize) -> bool {
        self.sections.iter().any(|offset| (from..=until).contains(offset))
    }

    /// The revision that shows everything.
    pub(super) fn latest(&self) -> usize {
        self.revisions.len() - 1
    }

    /// The file as it was when the revision was its last.
    pub(super) fn shown(&self, revision: usize) -> &'a [u8] {
        &self.bytes[..self.revisions[revision].end]
    }

    /// Where the revision finds the object, and which revision put it there.
    pub(super) fn entry(&self, number: u32, revision: usize) -> Option<(Entry, usize)> {
        self.history.entry(number, revision)
    }

    /// The object as the revision shows it; null where there is none (§7.3.10).
    pub(super) fn resolve(&self, reference: Reference, revision: usize) -> Result<Rc<Indirect>, PdfFault> {
        match self.entry(reference.number, revision) {
            Some((Entry::InUse { offset, generation }, _)) if generation == reference.generation => {
                self.object_at(offset, reference, revision)
            }
            Some((Entry::Compressed { container, index }, owner)) if reference.generation == 0 => {
                self.container(container, owner)?.object(reference.number, index)
            }
            Some((Entry::Free { .. } | Entry::InUse { .. } | Entry::Compressed { .. }, _)) | None => {
                Ok(null())
            }
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
        if let Some(known) = self.known(offset, reference, revision) {
            return known;
        }
        let object = Rc::new(self.read_object(offset, reference, revision)?);
        let kept = (reference, Rc::clone(&object));
        self.objects.borrow_mut().insert(offset, kept);
        Ok(object)
    }

    /// The object that begins here, where one was read and kept.
    pub(super) fn known(
        &self,
        offset: usize,
        reference: Reference,
        revision: usize,
    ) -> Option<Result<Rc<Indirect>, PdfFault>> {
        let objects = self.objects.borrow();
        let (known, object) = objects.get(&offset)?;
        let shown = self.shown(revision).len();
        let is_shown = object.extent.as_ref().is_some_and(|extent| extent.end <= shown);
        let number = reference.number;
        Some(if *known == reference && is_shown {
            Ok(Rc::clone(object))
        } else {
            Err(PdfFault::Object { number })
        })
    }

    /// Reads an object without keeping it.
    pub(super) fn read_object(
        &self,
        offset: usize,
        reference: Reference,
        revision: usize,
    ) -> Result<Indirect, PdfFault> {
        self.budget.check()?;
        let mut parser = Parser::new(self.shown(revision), offset);
        let object = self.read_with(&mut parser, reference, revision);
        // What cannot be read costs as much: such objects may overlap.
        self.budget.take_octets(parser.looked_at(offset))?;
        object
    }

    fn read_with(
        &self,
        parser: &mut Parser<'_>,
        reference: Reference,
        revision: usize,
    ) -> Result<Indirect, PdfFault> {
        let fault = PdfFault::Object {
            number: reference.number,
        };
        let (shown, offset) = (self.shown(revision), parser.at);
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
            stream = Some(stream::read_extent(shown, parser, length)?);
            parser.skip_space();
        }
        parser.keyword(b"endobj")?;
        Ok(Indirect {
            value,
            stream,
            extent: Some(offset..parser.at),
            weight,
        })
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
                let header = parser.object_header();
                let length = header.and_then(|header| Ok((header, parser.object(&self.budget)?)));
                self.budget.take_octets(parser.looked_at(offset))?;
                let (header, length) = length?;
                length.as_size().filter(|_| header == reference)
            }
            Some((Entry::Compressed { container, index }, owner)) => self
                .container(container, owner)?
                .object(reference.number, index)?
                .value
                .as_size(),
            Some((Entry::Free { .. }, _)) | None => None,
        };
        length.ok_or(PdfFault::Object {
            number: reference.number,
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

#[cfg(test)]
mod tests;
