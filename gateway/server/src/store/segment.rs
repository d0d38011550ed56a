//! How the journal stands on disk: segment files of frames.
//!
//! A segment begins with a header: `magic and version 8 | first position 8 | chain before 32 | time before 8 | crc32c 4`.
//! Frames follow: `payload length 4 | position 8 | batch 8 | chain 32 | crc32c 4 | payload | \n`. Numbers are
//! big-endian; a checksum covers what stands before it and, in a frame, the payload. The payload is one event as
//! `Event::encode` writes it, so that `strings` shows a readable log. `batch` is the first position of the write that
//! the frame belongs to: everything before it was durable when the frame was written.
//!
//! **Invariant:** a crash can only spoil frames of the newest batch. A bad frame with a good one of a *later* batch
//! behind it is damage, never a torn tail.

use trust::{Digest, Time};

use super::fault::Fault;
use super::file::WindowReader;

/// Magic and version: the last byte counts up.
const MAGIC: [u8; 8] = *b"journal\x01";
/// Version of segments that this build writes.
const FORMAT: u64 = 1;
/// Length of a segment's header.
pub(super) const HEADER_BYTES: usize = 60;
/// Length of a frame before its payload.
pub(super) const HEAD_BYTES: usize = 56;
/// Place of the checksum in a frame's head.
const CRC_AT: usize = 52;

/// The newest place of a journal: where the next event goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    /// Position of the newest event; 0 when there is none.
    pub(super) position: u64,
    /// The chain there; zeros when there is no event.
    pub(super) chain: Digest,
    /// The newest event's time.
    pub(super) time: Time,
}

impl Tip {
    /// Before the first event.
    pub(super) const START: Tip = Tip {
        position: 0,
        chain: Digest::from_bytes([0; 32]),
        time: Time::from_micros(0),
    };

    /// After an event with this leaf and time: chain_n = SHA-256(chain_{n-1} ‖ leaf_n).
    pub(super) fn next(&self, leaf: &Digest, time: Time) -> Tip {
        let mut both = [0; 64];
        both[..32].copy_from_slice(self.chain.as_bytes());
        both[32..].copy_from_slice(leaf.as_bytes());
        Tip {
            position: self.position + 1,
            chain: Digest::of(&both),
            time,
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn digest_at(bytes: &[u8], at: usize) -> Digest {
    Digest::from_bytes(bytes[at..at + 32].try_into().expect("32 bytes"))
}

/// The header of a segment whose first event comes after `before`.
pub(super) fn header(before: &Tip) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(before.position + 1).to_be_bytes());
    bytes.extend_from_slice(before.chain.as_bytes());
    bytes.extend_from_slice(&before.time.as_micros().to_be_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// Appends one frame.
pub(super) fn write_frame(out: &mut Vec<u8>, tip: &Tip, batch: u64, payload: &[u8]) {
    let start = out.len();
    let length = u32::try_from(payload.len()).expect("an event stays far below 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&tip.position.to_be_bytes());
    out.extend_from_slice(&batch.to_be_bytes());
    out.extend_from_slice(tip.chain.as_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&out[start..]), payload);
    out.extend_from_slice(&crc.to_be_bytes());
    out.extend_from_slice(payload);
    out.push(b'\n');
}

/// A frame that was read whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) position: u64,
    /// First position of the write that it belongs to.
    pub(super) batch: u64,
    pub(super) chain: Digest,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// How many bytes the frame at the beginning of `head` says it has.
    pub(super) fn length(head: &[u8]) -> usize {
        HEAD_BYTES + u32_at(head, 0) as usize + 1
    }

    /// Takes the frame if it is whole.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Frame<'a>> {
        let payload = bytes.get(HEAD_BYTES..bytes.len().checked_sub(1)?)?;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..CRC_AT]), payload);
        let whole =
            Frame::length(bytes) == bytes.len() && crc == u32_at(bytes, CRC_AT) && bytes.ends_with(b"\n");
        let (position, batch) = (u64_at(bytes, 4), u64_at(bytes, 12));
        (whole && batch <= position).then(|| Frame {
            position,
            batch,
            chain: digest_at(bytes, 20),
            payload,
        })
    }
}

/// What stands at a place of a segment.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A frame, and where it begins.
    Frame(u64, Frame<'a>),
    /// The end of the file.
    End,
    /// No whole frame.
    Bad,
}

/// Reads the frames of one segment.
#[derive(Debug)]
pub(super) struct SegmentReader {
    window: WindowReader,
    before: Tip,
    offset: u64,
}

impl SegmentReader {
    /// Opens a segment and reads its header; `None` when there is no whole header, as after a crash at its making.
    pub(super) fn open(path: &std::path::Path) -> Result<Option<SegmentReader>, Fault> {
        let mut window = WindowReader::open(path)?;
        let length = window.length();
        let Some(header) = window.at(0, HEADER_BYTES)? else {
            return Ok(None);
        };
        if header[..7] == MAGIC[..7] && MAGIC[7] < header[7] {
            let found = u64::from(header[7]);
            return Err(Fault::Newer {
                path: path.to_owned(),
                found,
                known: FORMAT,
            });
        }
        let whole = header[..8] == MAGIC && crc32c::crc32c(&header[..56]) == u32_at(header, 56);
        let before = Tip {
            position: u64_at(header, 8).wrapping_sub(1),
            chain: digest_at(header, 16),
            time: Time::from_micros(i64::from_be_bytes(
                header[48..56].try_into().expect("eight bytes"),
            )),
        };
        if !whole {
            // The header is synced before the first frame is written: a bad one with frames behind it is damage.
            let torn = length == HEADER_BYTES as u64;
            return if torn {
                Ok(None)
            } else {
                Err(Fault::damaged(path, 0, "the header is not whole"))
            };
        }
        Ok(Some(SegmentReader {
            window,
            before,
            offset: HEADER_BYTES as u64,
        }))
    }

    /// The place of the journal before the first event here.
    pub(super) fn before(&self) -> Tip {
        self.before
    }

    /// Where the next frame is looked for.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes on reading from here.
    pub(super) fn seek(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// The next frame.
    pub(super) fn step(&mut self) -> Result<Step<'_>, Fault> {
        let offset = self.offset;
        if offset == self.window.length() {
            return Ok(Step::End);
        }
        let Some(head) = self.window.at(offset, HEAD_BYTES)? else {
            return Ok(Step::Bad);
        };
        let length = Frame::length(head);
        let Some(bytes) = self.window.at(offset, length)? else {
            return Ok(Step::Bad);
        };
        let Some(frame) = Frame::parse(bytes) else {
            return Ok(Step::Bad);
        };
        self.offset = offset + length as u64;
        Ok(Step::Frame(offset, frame))
    }

    /// Whether a whole frame of a later batch than the one of `position` stands behind the present place: proof that
    /// what stands here was durable once.
    pub(super) fn was_durable(&mut self, position: u64) -> Result<bool, Fault> {
        for offset in self.offset + 1..self.window.length() {
            let Some(head) = self.window.at(offset, HEAD_BYTES)? else {
                break;
            };
            let (found, batch, length) = (u64_at(head, 4), u64_at(head, 12), Frame::length(head));
            if batch <= position || found < batch || u64::from(u32::MAX) < found - position {
                continue;
            }
            if let Some(bytes) = self.window.at(offset, length)?
                && Frame::parse(bytes).is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_every_flipped_bit_is_seen() {
        let tip = Tip::START.next(&Digest::of(b"leaf"), Time::from_micros(7));
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &tip, 1, b"{\"v\":1}");
        let frame = Frame::parse(&bytes).expect("just written");
        assert_eq!((frame.position, frame.chain), (1, tip.chain));
        assert_eq!(frame.payload, b"{\"v\":1}");
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::parse(&other).is_none(), "bit {bit}");
        }
    }
}
