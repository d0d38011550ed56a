//! Cross-reference sections, classic and as streams (ISO 32000-2 §7.5.4, §7.5.8).
//!
//! **Invariant**: a section is followed by its `startxref` and `%%EOF`, so that the end of its revision is known.
//! **Invariant**: no object number occurs twice in a section; what a hybrid section hides from readers of old stands
//! before it, and says nothing else about the numbers that its table lists.

use std::collections::BTreeMap;

use super::PdfFault;
use super::budget::Budget;
use super::object::{Dictionary, Object};
use super::parse::Parser;
use super::stream;

/// Object numbers that are read at most (ISO 32000-1 Annex C.2).
const OBJECT_NUMBER_MAX: u64 = 8_388_607;

/// Octets of a type, of an offset or a number, and of a generation or an index in a section that is a stream.
const WIDTHS_MAX: [u64; 3] = [4, 8, 4];

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The generation is that which the next object of the number bears (§7.5.4).
    Free {
        generation: u16,
    },
    InUse {
        offset: usize,
        generation: u16,
    },
    Compressed {
        container: u32,
        index: usize,
    },
}

impl Entry {
    /// The generation that a reference must name to reach the object; 0 in an object stream (§7.5.7).
    pub(super) fn generation(self) -> u16 {
        match self {
            Self::InUse { generation, .. } => generation,
            Self::Free { .. } | Self::Compressed { .. } => 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Section {
    /// Where `xref` or the stream object begins.
    pub(super) offset: usize,
    pub(super) entries: BTreeMap<u32, Entry>,
    pub(super) trailer: Dictionary,
    /// One more than the highest number that the file uses, as the trailer says (§7.5.5).
    pub(super) size: u64,
    /// Entries of the stream that XRefStm names (§7.5.8.4): they count unless the table or an earlier section says more.
    pub(super) hidden: Option<BTreeMap<u32, Entry>>,
    /// The stream object itself, where the section is one.
    pub(super) stream_number: Option<u32>,
    /// What its `startxref` says.
    pub(super) start_value: usize,
    /// Behind `%%EOF`, and behind the end of line that may follow.
    pub(super) end: usize,
    pub(super) end_of_line: usize,
}

impl Section {
    pub(super) fn read(bytes: &[u8], offset: usize, budget: &Budget) -> Result<Self, PdfFault> {
        let mut parser = Parser::new(bytes, offset);
        let mut hidden = None;
        let (entries, trailer, stream_number) = if parser.starts_with(b"xref") {
            let entries = read_table(bytes, &mut parser, budget)?;
            parser.keyword(b"trailer")?;
            let Object::Dictionary(trailer) = parser.object(budget)? else {
                return Err(PdfFault::Xref { offset });
            };
            if let Some(stream) = trailer.get(b"XRefStm") {
                let at = stream
                    .as_size()
                    .filter(|at| *at < offset)
                    .ok_or(PdfFault::HybridXref)?;
                let hiding = Parser::new(&bytes[..offset], at);
                hidden = Some(read_hidden(&bytes[..offset], hiding, &entries, budget)?);
            }
            (entries, trailer, None)
        } else {
            let (number, trailer, data) = read_stream(bytes, &mut parser, budget)?;
            (
                read_stream_entries(&trailer, &data, offset, budget)?,
                trailer,
                Some(number),
            )
        };
        let size = size(&trailer).ok_or(PdfFault::Xref { offset })?;
        let object_end = parser.at;
        // Writers leave their name here as a comment.
        parser.skip_space();
        // In front of a linearised file some leave out what says nothing there (Annex F.3.4): 0 stands for it, which is the
        // place of no section.
        let is_bare = stream_number.is_some() && !parser.starts_with(b"startxref");
        let mut start_value = 0;
        if is_bare {
            parser.at = object_end;
        } else {
            parser.keyword(b"startxref")?;
            parser.skip_blank();
            start_value = usize::try_from(parser.number()?).map_err(|_| PdfFault::Xref { offset })?;
            parser.skip_blank();
            parser.keyword(b"%%EOF")?;
        }
        let end = parser.at;
        parser.skip_line_end();
        // Sections may stand inside one another, and each is kept.
        budget.take_octets(parser.looked_at(offset))?;
        Ok(Self {
            offset,
            entries,
            trailer,
            size,
            hidden,
            stream_number,
            start_value,
            end,
            end_of_line: parser.at,
        })
    }

    pub(super) fn previous(&self) -> Result<Option<usize>, PdfFault> {
        match self.trailer.get(b"Prev") {
            None => Ok(None),
            Some(Object::Integer(offset)) => usize::try_from(*offset)
                .map(Some)
                .map_err(|_| PdfFault::Xref { offset: self.offset }),
            Some(_) => Err(PdfFault::Xref { offset: self.offset }),
        }
    }
}

/// The entries that a hybrid section hides. One that the table of the section lists too must say the same.
fn read_hidden(
    bytes: &[u8],
    mut parser: Parser<'_>,
    table: &BTreeMap<u32, Entry>,
    budget: &Budget,
) -> Result<BTreeMap<u32, Entry>, PdfFault> {
    let offset = parser.at;
    let (_, dictionary, data) = read_stream(bytes, &mut parser, budget)?;
    budget.take_octets(parser.looked_at(offset))?;
    let mut hidden = read_stream_entries(&dictionary, &data, offset, budget)?;
    let is_same = |(number, entry): (&u32, &Entry)| table.get(number).is_none_or(|known| known == entry);
    if !hidden.iter().all(is_same) {
        return Err(PdfFault::HybridXref);
    }
    hidden.retain(|number, _| !table.contains_key(number));
    Ok(hidden)
}

fn insert(entries: &mut BTreeMap<u32, Entry>, number: u64, entry: Entry, at: usize) -> Result<(), PdfFault> {
    if number > OBJECT_NUMBER_MAX {
        return Err(PdfFault::TooLarge);
    }
    // The head of the list of free entries is no object (§7.5.4).
    if number == 0 && !matches!(entry, Entry::Free { .. }) {
        return Err(PdfFault::Xref { offset: at });
    }
    let number = u32::try_from(number).map_err(|_| PdfFault::TooLarge)?;
    match entries.insert(number, entry) {
        None => Ok(()),
        Some(_) => Err(PdfFault::Xref { offset: at }),
    }
}

/// Readers give a section up for numbers that they do not count to, and repair the file. `0 0` is written where there is
/// nothing to say.
fn check_subsection(first: u64, count: u64, at: usize) -> Result<(), PdfFault> {
    let end = first.checked_add(count).ok_or(PdfFault::TooLarge)?;
    if end > OBJECT_NUMBER_MAX + 1 {
        return Err(PdfFault::TooLarge);
    }
    if count == 0 && first != 0 {
        return Err(PdfFault::Xref { offset: at });
    }
    Ok(())
}

/// Subsections of lines of exactly twenty octets (§7.5.4).
fn read_table(
    bytes: &[u8],
    parser: &mut Parser<'_>,
    budget: &Budget,
) -> Result<BTreeMap<u32, Entry>, PdfFault> {
    parser.keyword(b"xref")?;
    let mut entries = BTreeMap::new();
    loop {
        parser.skip_blank();
        if parser.starts_with(b"trailer") {
            return Ok(entries);
        }
        let first = parser.number()?;
        parser.skip_blank();
        let count = parser.number()?;
        parser.skip_blank();
        check_subsection(first, count, parser.at)?;
        for number in first..first.saturating_add(count) {
            budget.take_object()?;
            let at = parser.at;
            let line = bytes.get(at..at + 20).ok_or(PdfFault::Xref { offset: at })?;
            let entry = read_line(line).ok_or(PdfFault::Xref { offset: at })?;
            // Some readers take it for a section that counts from 1, and number it anew.
            if (first, number) == (1, 1) && matches!(entry, Entry::Free { .. }) {
                return Err(PdfFault::Xref { offset: at });
            }
            insert(&mut entries, number, entry, at)?;
            parser.at += 20;
        }
    }
}

fn read_line(line: &[u8]) -> Option<Entry> {
    let is_shaped =
        line[10] == b' ' && line[16] == b' ' && matches!(&line[18..20], b" \r" | b" \n" | b"\r\n");
    let offset = usize::try_from(crate::time::decimal(&line[..10])?).ok()?;
    let generation = u16::try_from(crate::time::decimal(&line[11..16])?).ok()?;
    match line[17] {
        b'n' if is_shaped => Some(Entry::InUse { offset, generation }),
        b'f' if is_shaped => Some(Entry::Free { generation }),
        _ => None,
    }
}

/// The stream object of a section; its Length must be direct, for nothing can be looked up yet.
fn read_stream(
    bytes: &[u8],
    parser: &mut Parser<'_>,
    budget: &Budget,
) -> Result<(u32, Dictionary, Vec<u8>), PdfFault> {
    let offset = parser.at;
    let fault = PdfFault::Xref { offset };
    let reference = parser.object_header()?;
    let Object::Dictionary(dictionary) = parser.object(budget)? else {
        return Err(fault);
    };
    let length = dictionary
        .integer(b"Length")
        .and_then(|length| usize::try_from(length).ok());
    let (Some(b"XRef"), Some(length)) = (dictionary.name(b"Type"), length) else {
        return Err(fault);
    };
    let data = stream::read_extent(bytes, parser, length)?;
    parser.skip_blank();
    parser.keyword(b"endobj")?;
    let decoded = stream::decode(&dictionary, &bytes[data], budget)?;
    Ok((reference.number, dictionary, decoded))
}

fn read_stream_entries(
    dictionary: &Dictionary,
    data: &[u8],
    offset: usize,
    budget: &Budget,
) -> Result<BTreeMap<u32, Entry>, PdfFault> {
    let fault = PdfFault::Xref { offset };
    let widths = integers(dictionary.get(b"W"))
        .filter(|widths| widths.len() == 3)
        .ok_or(fault)?;
    let index = match dictionary.get(b"Index") {
        None => vec![0, size(dictionary).ok_or(fault)?],
        index => integers(index)
            .filter(|index| index.len() % 2 == 0)
            .ok_or(fault)?,
    };
    // Wider ones some readers give up at, and look for objects themselves.
    if widths.iter().zip(WIDTHS_MAX).any(|(width, most)| *width > most) {
        return Err(fault);
    }
    let widths: Vec<usize> = widths
        .iter()
        .map(|width| usize::try_from(*width).unwrap_or(0))
        .collect();
    let record_length: usize = widths.iter().sum();
    if record_length == 0 {
        return Err(fault);
    }
    let mut records = data.chunks_exact(record_length);
    let mut entries = BTreeMap::new();
    for pair in index.chunks_exact(2) {
        check_subsection(pair[0], pair[1], offset)?;
        for number in pair[0]..pair[0].saturating_add(pair[1]) {
            budget.take_object()?;
            let record = records.next().ok_or(fault)?;
            insert(
                &mut entries,
                number,
                read_record(record, &widths).ok_or(fault)?,
                offset,
            )?;
        }
    }
    if records.next().is_some() || !records.remainder().is_empty() {
        return Err(fault);
    }
    Ok(entries)
}

fn read_record(record: &[u8], widths: &[usize]) -> Option<Entry> {
    let (first, rest) = record.split_at(widths[0]);
    let (second, third) = rest.split_at(widths[1]);
    let number = |octets: &[u8]| octets.iter().fold(0_u64, |n, octet| (n << 8) | u64::from(*octet));
    // A type that is left out is 1 (§7.5.8.3).
    match if first.is_empty() { 1 } else { number(first) } {
        // The next free number and a generation; whatever else stood there, a section that is read as something else could
        // show.
        0 => {
            let generation = u16::try_from(number(third)).ok()?;
            (number(second) <= OBJECT_NUMBER_MAX).then_some(Entry::Free { generation })
        }
        1 => Some(Entry::InUse {
            offset: usize::try_from(number(second)).ok()?,
            generation: u16::try_from(number(third)).ok()?,
        }),
        2 => Some(Entry::Compressed {
            container: u32::try_from(number(second)).ok()?,
            index: usize::try_from(number(third)).ok()?,
        }),
        _ => None,
    }
}

fn size(trailer: &Dictionary) -> Option<u64> {
    let size = u64::try_from(trailer.integer(b"Size")?).ok();
    size.filter(|size| *size <= OBJECT_NUMBER_MAX + 1)
}

fn integers(object: Option<&Object>) -> Option<Vec<u64>> {
    let Some(Object::Array(items)) = object else {
        return None;
    };
    let numbers = items.iter().map(|item| u64::try_from(item.as_integer()?).ok());
    numbers.collect()
}
