//! What reading one file may cost: whoever sends it decides how it is built, and nobody has proven yet who that is.
//!
//! **Invariant**: memory and work are linear in the size of the file plus these limits, however objects overlap, alias
//! one another or inflate, and whether they can be read or not.

use std::cell::Cell;

use super::PdfFault;

/// Octets that structure, and what later revisions show, may hold in streams, inflated or plain, in all: some hundred times what
/// real files need.
const STREAM_BYTES_MAX: usize = 64 << 20;

/// How often the octets of the file may be read as objects: honest objects do not overlap; one that an update writes is
/// read when it is compared and when everything is surveyed, and lengths are read once more.
const READINGS_MAX: usize = 3;

/// How often as many objects as may be read may be looked at again.
const LOOKS_MAX: usize = 16;

/// Octets of field names that signatures and what they allow are known by, in all: files refer to one name from any number of
/// places. Forms of real files have some thousand fields.
const NAME_BYTES_MAX: usize = 4 << 20;

/// What a name costs however short it is.
const NAME_COST: usize = 32;

/// What is left of it.
pub(super) struct Budget {
    stream_bytes: Cell<usize>,
    octets: Cell<usize>,
    objects: Cell<usize>,
    looks: Cell<usize>,
    name_bytes: Cell<usize>,
    is_overdrawn: Cell<bool>,
}

impl Budget {
    /// Of a file of so many octets; `objects_max` as in [`crate::Policy::pdf_objects_max`].
    pub(super) fn new(file_bytes: usize, objects_max: usize) -> Self {
        Self {
            stream_bytes: Cell::new(STREAM_BYTES_MAX),
            octets: Cell::new(file_bytes.saturating_mul(READINGS_MAX)),
            objects: Cell::new(objects_max),
            looks: Cell::new(objects_max.saturating_mul(LOOKS_MAX)),
            name_bytes: Cell::new(NAME_BYTES_MAX),
            is_overdrawn: Cell::new(false),
        }
    }

    /// A fault once more was asked for than there was: nothing that was found since, or not found, may be relied upon.
    pub(super) fn check(&self) -> Result<(), PdfFault> {
        if self.is_overdrawn.get() {
            Err(PdfFault::TooLarge)
        } else {
            Ok(())
        }
    }

    /// Octets that a stream of structure may still hold.
    pub(super) fn stream_bytes_left(&self) -> usize {
        self.stream_bytes.get()
    }

    pub(super) fn take_stream_bytes(&self, count: usize) -> Result<(), PdfFault> {
        self.take(&self.stream_bytes, count)
    }

    /// Octets that were read as one indirect object, its stream included.
    pub(super) fn take_octets(&self, count: usize) -> Result<(), PdfFault> {
        self.take(&self.octets, count)
    }

    /// One object of any kind, or one entry of a cross-reference section.
    pub(super) fn take_object(&self) -> Result<(), PdfFault> {
        self.take(&self.objects, 1)
    }

    /// Objects that were read and are not kept.
    pub(super) fn release_objects(&self, count: usize) {
        self.objects.set(self.objects.get().saturating_add(count));
    }

    pub(super) fn objects_left(&self) -> usize {
        self.objects.get()
    }

    /// A name of so many octets, or a part of one, that is kept.
    pub(super) fn take_name(&self, count: usize) -> Result<(), PdfFault> {
        self.take(&self.name_bytes, count.saturating_add(NAME_COST))
    }

    /// Objects that are looked at again, those inside others included.
    pub(super) fn take_looks(&self, count: usize) -> Result<(), PdfFault> {
        self.take(&self.looks, count)
    }

    fn take(&self, left: &Cell<usize>, count: usize) -> Result<(), PdfFault> {
        let rest = left.get().checked_sub(count);
        self.is_overdrawn.set(self.is_overdrawn.get() || rest.is_none());
        left.set(rest.ok_or(PdfFault::TooLarge)?);
        Ok(())
    }
}
