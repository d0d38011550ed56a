//! Damage: what stands in a segment and is no record, and where the next record begins behind it.
//!
//! A disk that gives back other bytes than were written must not bar what else is in the log: what cannot be read is
//! passed over, kept in a file of its own ([`super::segment`]) and told.
//!
//! **Invariant:** what is passed over begins where a record should, and ends where a whole one does.

use std::ops::Range;

use domain::ids::AccountId;

use super::Place;
use super::frame::{self, Frame, HEAD_BYTES};
use super::record::{Logged, TAGS};

/// What a segment turned out to hold, besides its records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Holes {
    /// Between records.
    pub(super) damaged: Vec<Range<usize>>,
    /// Where the last record ends. What follows is a torn tail, or damage when another segment was begun after it.
    pub(super) end: usize,
}

/// Applies the whole records of a segment, whose head is as long as `head`.
pub(super) fn read_records(
    bytes: &[u8],
    head: &[u8],
    segment: u32,
    mut apply: impl FnMut(&Logged, Place),
) -> Holes {
    let mut holes = Holes::default();
    let mut offset = head.len();
    if !bytes.starts_with(head) {
        let is_whole_behind = record(bytes, offset).is_some();
        let first = is_whole_behind
            .then_some(offset)
            .or_else(|| next_record(bytes, 0));
        let Some(first) = first else { return holes };
        holes.damaged.push(0..first);
        offset = first;
    }
    loop {
        while let Some((logged, frame_bytes)) = record(bytes, offset) {
            let place = Place {
                segment,
                offset: offset as u64,
                bytes: u32::try_from(frame_bytes).expect("a frame's length is a u32"),
            };
            apply(&logged, place);
            offset += frame_bytes;
        }
        holes.end = offset;
        let Some(next) = next_record(bytes, offset).or_else(|| whole_end(bytes, offset)) else {
            return holes;
        };
        holes.damaged.push(offset..next);
        offset = next;
    }
}

/// The end of the bytes, when what begins here is as long as it says: a write that was torn is shorter.
fn whole_end(bytes: &[u8], offset: usize) -> Option<usize> {
    let length = payload_bytes(bytes, offset)?;
    (offset + HEAD_BYTES + length == bytes.len()).then_some(bytes.len())
}

/// The record at this place, and how many bytes its frame takes.
fn record(bytes: &[u8], offset: usize) -> Option<(Logged, usize)> {
    match frame::read(bytes.get(offset..)?) {
        Frame::Whole(payload, frame_bytes) => Some((Logged::decode(payload)?, frame_bytes)),
        Frame::Short | Frame::Damaged => None,
    }
}

/// Where the next record begins behind a damaged one: where its length says, if a record is there, or else at the first
/// place that looks like one and checks. In this order, because a packet may hold anything, frames too.
fn next_record(bytes: &[u8], damaged: usize) -> Option<usize> {
    let is_record = |offset: &usize| record(bytes, *offset).is_some();
    let by_length = payload_bytes(bytes, damaged).map(|length| damaged + HEAD_BYTES + length);
    by_length.filter(is_record).or_else(|| {
        (damaged + 1..bytes.len())
            .filter(|offset| looks_like_a_record(bytes, *offset))
            .find(is_record)
    })
}

fn payload_bytes(bytes: &[u8], offset: usize) -> Option<usize> {
    let length = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*length) as usize)
}

/// Spares the checksums of nearly all places: a frame that fits, a tag that is known, an account's name.
fn looks_like_a_record(bytes: &[u8], offset: usize) -> bool {
    let Some(length) = payload_bytes(bytes, offset) else {
        return false;
    };
    let start = offset + HEAD_BYTES;
    let Some(payload) = bytes.get(start..start + length) else {
        return false;
    };
    let Some(([tag], rest)) = payload.split_first_chunk::<1>() else {
        return false;
    };
    let Some((name_bytes, rest)) = rest.split_first_chunk::<2>() else {
        return false;
    };
    let name = rest.get(..usize::from(u16::from_le_bytes(*name_bytes)));
    let name = name.and_then(|name| std::str::from_utf8(name).ok());
    TAGS.contains(tag) && name.is_some_and(|name| AccountId::parse(name).is_ok())
}
