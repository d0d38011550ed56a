//! The sections of a file as its revisions, and which of them wrote which object (ISO 32000-2 §7.5.6).
//!
//! **Invariant**: every revision begins where the one before ends; its objects lie before its end.
//! **Invariant**: what is kept of an entry is a few words: memory stays below what the file takes.

use std::collections::BTreeMap;

use super::PdfFault;
use super::budget::Budget;
use super::object::{Dictionary, Object};
use super::parse::Parser;
use super::xref::{Entry, Section};

/// Revisions that are read at most: every approval and every stamp adds one.
const REVISIONS_MAX: usize = 128;

/// How far from the end `startxref` is looked for: it, a number and `%%EOF` fit many times.
const TAIL_BYTES: usize = 1024;

/// One revision; its octets are `start..end_of_line`.
pub(super) struct Revision {
    pub(super) start: usize,
    /// Where the (last) cross-reference section begins.
    pub(super) xref: usize,
    /// Behind `%%EOF`, and behind the end of line that may follow.
    pub(super) end: usize,
    pub(super) end_of_line: usize,
    pub(super) trailer: Dictionary,
    pub(super) stream_number: Option<u32>,
    /// Whether its section is a hybrid one.
    pub(super) is_hybrid: bool,
    /// Sorted by number.
    entries: Vec<(u32, Entry)>,
    size: u64,
}

impl Revision {
    /// What the revision itself lists, sorted by number.
    pub(super) fn entries(&self) -> &[(u32, Entry)] {
        &self.entries
    }

    pub(super) fn entry(&self, number: u32) -> Option<Entry> {
        let found = self.entries.binary_search_by_key(&number, |(known, _)| *known);
        Some(self.entries[found.ok()?].1)
    }
}

/// One entry, and the revision that wrote it.
#[derive(Clone, Copy)]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) revision: u32,
    pub(super) entry: Entry,
}

/// Of each number the entries that were written, oldest first.
pub(super) struct History(Vec<Version>);

impl History {
    pub(super) fn of(revisions: &[Revision]) -> Self {
        let mut versions = Vec::with_capacity(revisions.iter().map(|revision| revision.entries.len()).sum());
        for (revision, index) in revisions.iter().zip(0_u32..) {
            versions.extend(revision.entries.iter().map(|(number, entry)| Version {
                number: *number,
                revision: index,
                entry: *entry,
            }));
        }
        versions.sort_unstable_by_key(|version| (version.number, version.revision));
        Self(versions)
    }

    /// Where the revision finds the object, and which revision put it there.
    pub(super) fn entry(&self, number: u32, revision: usize) -> Option<(Entry, usize)> {
        let is_known = |version: &Version| (version.number, version.revision as usize) <= (number, revision);
        let known = self.0.partition_point(is_known).checked_sub(1)?;
        let version = self.0[known];
        (version.number == number).then_some((version.entry, version.revision as usize))
    }

    /// The versions of one number.
    pub(super) fn versions(&self, number: u32) -> &[Version] {
        let from = self.0.partition_point(|version| version.number < number);
        let until = self.0[from..].partition_point(|version| version.number == number);
        &self.0[from..from + until]
    }

    /// The versions of each number.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &[Version]> {
        self.0.chunk_by(|one, other| one.number == other.number)
    }
}

/// The chain of sections from the last `startxref`, newest first.
pub(super) fn read_sections(bytes: &[u8], budget: &Budget) -> Result<Vec<Section>, PdfFault> {
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

/// Readers that take a file for a linearised one (Annex F) read the section behind its first object first: it must be one of
/// the chain. They do where the file is as long as that object says: no longer than its first revision, once there are others.
pub(super) fn check_linearized(bytes: &[u8], sections: &[Section], budget: &Budget) -> Result<(), PdfFault> {
    let mut parser = Parser::new(bytes, 0);
    // The header is a comment.
    parser.skip_space();
    parser.object_header()?;
    let object = parser.object(budget)?;
    let first = object.as_dictionary().filter(|first| first.names(b"Linearized"));
    let Some(first) = first else { return Ok(()) };
    let length = first.get(b"L").and_then(Object::as_size);
    let first_end = sections.last().ok_or(PdfFault::StartXref)?.end_of_line;
    if first_end < bytes.len() && length.is_none_or(|length| first_end < length) {
        return Err(PdfFault::Xref { offset: 0 });
    }
    parser.skip_space();
    parser.keyword(b"endobj")?;
    parser.skip_space();
    let offset = parser.at;
    if sections.iter().any(|section| section.offset == offset) {
        Ok(())
    } else {
        Err(PdfFault::Xref { offset })
    }
}

/// Sections, newest first, become revisions, oldest first.
pub(super) fn into_revisions(mut sections: Vec<Section>) -> Result<Vec<Revision>, PdfFault> {
    let mut revisions: Vec<Revision> = Vec::new();
    let oldest = sections.pop().ok_or(PdfFault::StartXref)?;
    // A linearised file (Annex F) has its first-page section in front; the two make one revision.
    let is_linearized = sections.last().is_some_and(|front| {
        front.offset < oldest.offset && front.start_value == 0 && oldest.start_value == front.offset
    });
    let first = if is_linearized {
        let front = sections.pop().ok_or(PdfFault::StartXref)?;
        if front.hidden.is_some() || oldest.hidden.is_some() {
            return Err(PdfFault::HybridXref);
        }
        // Who repairs the file takes the last trailer, which is that of the other section.
        let is_same = |key: &[u8]| {
            oldest
                .trailer
                .get(key)
                .is_none_or(|it| Some(it) == front.trailer.get(key))
        };
        if ![&b"Root"[..], b"Info", b"Encrypt"].into_iter().all(is_same) {
            return Err(PdfFault::Xref {
                offset: oldest.offset,
            });
        }
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
        let revision = next_revision(section, &revisions)?;
        revisions.push(revision);
    }
    Ok(revisions)
}

fn next_revision(mut section: Section, earlier: &[Revision]) -> Result<Revision, PdfFault> {
    let previous = earlier.last();
    let is_hybrid = section.hidden.is_some();
    if let Some(hidden) = section.hidden.take() {
        reveal(&mut section.entries, hidden, earlier)?;
    }
    let start = previous.map_or(0, |previous| previous.end);
    let is_inside = |entry: &Entry| match entry {
        Entry::InUse { offset, .. } => *offset < section.end,
        Entry::Free { .. } | Entry::Compressed { .. } => true,
    };
    // Readers pass over numbers from Size on, and differ about it: there are none, and an update brings none back.
    let is_sized = section.size >= previous.map_or(0, |previous| previous.size)
        && section
            .entries
            .last_key_value()
            .is_none_or(|(number, _)| u64::from(*number) < section.size);
    let is_numbered = section
        .stream_number
        .is_none_or(|number| number > 0 && u64::from(number) < section.size);
    if section.offset < start
        || !is_numbered
        || section.start_value != section.offset
        || !is_sized
        || !section.entries.values().all(is_inside)
    {
        return Err(PdfFault::Xref {
            offset: section.offset,
        });
    }
    Ok(Revision {
        start,
        xref: section.offset,
        end: section.end,
        end_of_line: section.end_of_line,
        entries: section.entries.into_iter().collect(),
        trailer: section.trailer,
        size: section.size,
        stream_number: section.stream_number,
        is_hybrid,
    })
}

/// What a hybrid section hides: objects that were not there for readers of old. What they see is what others see too.
fn reveal(
    entries: &mut BTreeMap<u32, Entry>,
    hidden: BTreeMap<u32, Entry>,
    earlier: &[Revision],
) -> Result<(), PdfFault> {
    for (number, entry) in hidden {
        let known = earlier.iter().rev().find_map(|revision| revision.entry(number));
        match known {
            None | Some(Entry::Free { .. }) => {
                entries.insert(number, entry);
            }
            Some(known) if known == entry => {}
            Some(Entry::InUse { .. } | Entry::Compressed { .. }) => return Err(PdfFault::HybridXref),
        }
    }
    Ok(())
}
