//! Object streams (ISO 32000-2 §7.5.7).
//!
//! **Invariant**: the objects of a stream stand one after another: no octets make two of them.
//! **Invariant**: no stream waits for itself: Length and dictionary are direct.

use std::collections::HashSet;
use std::rc::Rc;

use super::PdfFault;
use super::file::{File, Indirect};
use super::object::{Object, Reference};
use super::parse::{Parser, is_space};
use super::stream;
use super::xref::Entry;

/// Objects in one object stream at most.
const STREAM_OBJECTS_MAX: i64 = 100_000;

/// The objects of an object stream, in its order, and where the stream ends.
pub(super) struct Container {
    pub(super) objects: Vec<(u32, Rc<Indirect>)>,
    /// The number of the stream.
    number: u32,
    end: usize,
}

impl Container {
    /// The object of this number at this place.
    pub(super) fn object(&self, number: u32, index: usize) -> Result<Rc<Indirect>, PdfFault> {
        match self.objects.get(index) {
            Some((known, object)) if *known == number => Ok(Rc::clone(object)),
            Some(_) | None => Err(PdfFault::Object { number }),
        }
    }

    /// How many objects it holds, those inside others included.
    fn weight(&self) -> usize {
        self.objects.iter().map(|(_, object)| object.weight).sum()
    }
}

impl File<'_> {
    /// Where the object stream begins that `owner` refers to.
    pub(super) fn container_offset(&self, container: u32, owner: usize) -> Option<usize> {
        match self.entry(container, owner) {
            Some((
                Entry::InUse {
                    offset,
                    generation: 0,
                },
                _,
            )) => Some(offset),
            Some((Entry::InUse { .. } | Entry::Free { .. } | Entry::Compressed { .. }, _)) | None => None,
        }
    }

    /// The object stream of this number as `owner` finds it, kept once read.
    pub(super) fn container(&self, container: u32, owner: usize) -> Result<Rc<Container>, PdfFault> {
        let fault = PdfFault::Object { number: container };
        let offset = self.container_offset(container, owner).ok_or(fault)?;
        if let Some(known) = self.known_container((container, offset), owner) {
            return known;
        }
        let objects = Rc::new(self.read_container(container, offset, owner)?);
        self.containers.borrow_mut().insert(offset, Rc::clone(&objects));
        Ok(objects)
    }

    /// The object stream that begins here, where one was read and kept.
    fn known_container(
        &self,
        (number, offset): (u32, usize),
        owner: usize,
    ) -> Option<Result<Rc<Container>, PdfFault>> {
        let containers = self.containers.borrow();
        let known = containers.get(&offset)?;
        let is_it = known.number == number && known.end <= self.shown(owner).len();
        Some(if is_it {
            Ok(Rc::clone(known))
        } else {
            Err(PdfFault::Object { number })
        })
    }

    /// Looks into the object stream that begins here: as it was kept, or read for this once.
    pub(super) fn look_into(
        &self,
        (number, offset): (u32, usize),
        owner: usize,
        look: impl FnOnce(&Container) -> Result<(), PdfFault>,
    ) -> Result<(), PdfFault> {
        if let Some(known) = self.known_container((number, offset), owner) {
            return look(known?.as_ref());
        }
        let container = self.read_container(number, offset, owner)?;
        let looked = look(&container);
        self.budget.release_objects(container.weight());
        looked
    }

    /// Reads an object stream without keeping it.
    pub(super) fn read_container(
        &self,
        number: u32,
        offset: usize,
        owner: usize,
    ) -> Result<Container, PdfFault> {
        self.budget.check()?;
        let mut parser = Parser::new(self.shown(owner), offset);
        let container = self.read_container_with(&mut parser, number, owner);
        self.budget.take_octets(parser.looked_at(offset))?;
        container
    }

    fn read_container_with(
        &self,
        parser: &mut Parser<'_>,
        number: u32,
        owner: usize,
    ) -> Result<Container, PdfFault> {
        let fault = PdfFault::Object { number };
        let shown = self.shown(owner);
        let reference = Reference {
            number,
            generation: 0,
        };
        if parser.object_header()? != reference {
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
        let extent = stream::read_extent(shown, parser, length)?;
        let data = stream::decode(&dictionary, &shown[extent], &self.budget)?;
        let first = usize::try_from(first).map_err(|_| fault)?;
        Ok(Container {
            objects: self
                .read_contained(&data, first, count)
                .map_err(|found| found.unwrap_or(fault))?,
            number,
            end: parser.at,
        })
    }

    /// The objects that the octets of an object stream hold; `None`: the stream contradicts itself.
    fn read_contained(
        &self,
        data: &[u8],
        first: usize,
        count: i64,
    ) -> Result<Vec<(u32, Rc<Indirect>)>, Option<PdfFault>> {
        let is_blank = |octets: &[u8]| octets.iter().all(|octet| is_space(*octet));
        // Readers take the numbers up to where the objects begin, and an object from where the one before may end.
        let mut head = Parser::new(data.get(..first).ok_or(None)?, 0);
        let mut objects = Vec::new();
        let mut numbers = HashSet::new();
        let mut free_from = first;
        for _ in 0..count {
            head.skip_blank();
            let number = u32::try_from(head.number().map_err(Some)?).map_err(|_| None)?;
            head.skip_blank();
            let start = usize::try_from(head.number().map_err(Some)?).map_err(|_| None)?;
            let start = first.checked_add(start).ok_or(None)?;
            // Some readers count from the first object, wherever it stands, as if it stood at /First.
            let is_next = data.get(free_from..start).is_some_and(is_blank);
            let is_first_in_place = !objects.is_empty() || start == first;
            if !is_next || !is_first_in_place || data.get(start) == Some(&b'%') || !numbers.insert(number) {
                return Err(None);
            }
            let mut body = Parser::new(data, start);
            let objects_left = self.budget.objects_left();
            let value = body.object(&self.budget).map_err(Some)?;
            let weight = objects_left - self.budget.objects_left();
            if matches!(value, Object::Reference(_)) {
                return Err(None);
            }
            free_from = body.at;
            let object = Indirect {
                value,
                stream: None,
                extent: None,
                weight,
            };
            objects.push((number, Rc::new(object)));
        }
        head.skip_blank();
        let is_whole = head.at == first && is_blank(&data[free_from..]);
        is_whole.then_some(objects).ok_or(None)
    }
}
