//! Where frames begin and end in what the broker sends, whatever pieces it comes in.
//!
//! Stands between the pieces that [`crate::legible`] reads and [`crate::payload`], which sees one whole frame at a time.
//! The octets of bodies are by far the most: they are counted, and neither looked at nor moved. A frame that has to be
//! looked at is mended where it was read to; only one that came in parts is put together aside.
//!
//! **Invariant**: all octets come out, in their order, and as many as went in; none waits for more than the end of its
//! own frame, or of its frame's first [`HEAD`] octets.
//! **Invariant**: what is held aside is one frame with a payload of at most [`PAYLOAD_MAX`].

use crate::payload::{self, Kind, mend};

/// Type, channel and size of a frame, in octets (AMQP 0-9-1 §4.2.3).
const HEAD: usize = 7;

/// Octets of a frame beside its payload.
const OVERHEAD: usize = HEAD + 1;

/// The last octet of every frame (§4.2.3).
const FRAME_END: u8 = 0xCE;

/// Larger payloads are not looked at: RabbitMQ takes frames of half of it (`frame_max`), unless configured otherwise.
const PAYLOAD_MAX: usize = 256 << 10;

/// Content headers with more octets lose what is in their table of headers. RabbitMQ adds to it by itself, so that one that
/// was taken with as much as fits a frame comes back with more, over which lapin drops the connection.
const CONTENT_HEADER_MAX: usize = 64 << 10;

/// A frame that says nothing (§4.2.7).
const HEARTBEAT: [u8; OVERHEAD] = [8, 0, 0, 0, 0, 0, 0, FRAME_END];

/// The entry that is left of a table of headers, before its octets: the name `x`, a byte array, its length.
const ENTRY: [u8; 3] = [1, b'x', b'x'];
const ENTRY_OCTETS: usize = ENTRY.len() + 4;

/// Octets of memory that stay for the next frame that comes in parts; few are larger.
const KEPT: usize = 1 << 10;

/// How far the frames of one direction of a connection have come.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Octets still to come of a frame that is not looked at.
    passing: usize,
    held: Vec<u8>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Nothing is held.
    #[default]
    Direct,
    /// `held` has the length of what is put together (a head, or a frame), and so many octets of it have come.
    Gathering { filled: usize },
    /// `held` may go out, and so many octets of it have gone.
    Giving { given: usize },
}

/// What the first octets of a frame say.
struct Head {
    /// `None`: it is not to be looked at.
    kind: Option<Kind>,
    /// Octets of the whole frame.
    total: usize,
}

impl Head {
    /// `None` where there are too few octets.
    fn read(octets: &[u8]) -> Option<Head> {
        let [kind, _, _, size @ ..] = *octets.first_chunk::<HEAD>()?;
        let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX);
        let kind = match kind {
            1 => Some(Kind::Method),
            2 => Some(Kind::ContentHeader),
            _ => None,
        };
        Some(Head {
            kind: kind.filter(|_| size <= PAYLOAD_MAX),
            total: size.saturating_add(OVERHEAD),
        })
    }
}

impl Frames {
    /// Goes over octets that have just been read and that nothing held aside comes before. Gives how many of them, from
    /// the first, may go out; the others are held.
    pub(crate) fn screen(&mut self, octets: &mut [u8]) -> usize {
        let mut at = 0;
        loop {
            let passed = self.passing.min(octets.len() - at);
            self.passing -= passed;
            at += passed;
            let rest = &mut octets[at..];
            if rest.is_empty() {
                return at;
            }
            match Head::read(rest) {
                None => {
                    self.hold(rest, HEAD);
                    return at;
                }
                Some(Head { kind: None, total }) => self.passing = total,
                Some(Head { total, .. }) if total > rest.len() => {
                    self.hold(rest, total);
                    return at;
                }
                Some(Head {
                    kind: Some(kind),
                    total,
                }) => {
                    mend_frame(kind, &mut rest[..total]);
                    at += total;
                }
            }
        }
    }

    /// Where the next octets must be read to, and no more of them: something is being put together. `None`: nothing is.
    pub(crate) fn gap(&mut self) -> Option<&mut [u8]> {
        match self.stage {
            Stage::Gathering { filled } => self.held.get_mut(filled..),
            Stage::Direct | Stage::Giving { .. } => None,
        }
    }

    /// So many octets were read into the [`Frames::gap`]; none means that none will come any more.
    pub(crate) fn filled(&mut self, count: usize) {
        let Stage::Gathering { filled } = self.stage else {
            return;
        };
        if count == 0 {
            // Cut off by the end of the connection: it goes out as it came.
            self.held.truncate(filled);
            self.stage = Stage::Giving { given: 0 };
            return;
        }
        let filled = filled + count;
        if filled < self.held.len() {
            self.stage = Stage::Gathering { filled };
            return;
        }
        self.stage = Stage::Giving { given: 0 };
        let only_head = self.held.len() == HEAD;
        match Head::read(&self.held) {
            // What is put together is never shorter than a head.
            None => {}
            Some(Head { kind: None, total }) => self.passing = total - HEAD,
            Some(Head { total, .. }) if only_head => {
                self.held.resize(total, 0);
                self.stage = Stage::Gathering { filled };
            }
            Some(Head { kind: Some(kind), .. }) => mend_frame(kind, &mut self.held),
        }
    }

    /// Moves out what was put together. Gives how many octets; 0 where there is nothing.
    pub(crate) fn give(&mut self, into: &mut [u8]) -> usize {
        let Stage::Giving { given } = self.stage else {
            return 0;
        };
        let rest = &self.held[given..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        if count < rest.len() {
            self.stage = Stage::Giving { given: given + count };
        } else {
            self.stage = Stage::Direct;
            self.held.clear();
            self.held.shrink_to(KEPT);
        }
        count
    }

    fn hold(&mut self, octets: &[u8], wanted: usize) {
        self.held.reserve_exact(wanted);
        self.held.extend_from_slice(octets);
        self.held.resize(wanted, 0);
        self.stage = Stage::Gathering { filled: octets.len() };
    }
}

/// A frame without its last octet in place is none, and stays as it is.
fn mend_frame(kind: Kind, frame: &mut [u8]) {
    let length = match kind {
        Kind::ContentHeader if frame.len() > CONTENT_HEADER_MAX => lighten(frame).unwrap_or(frame.len()),
        Kind::ContentHeader | Kind::Method => frame.len(),
    };
    let after_head = frame.get_mut(HEAD..length);
    if let Some((&mut FRAME_END, payload)) = after_head.and_then(|rest| rest.split_last_mut()) {
        mend(kind, payload);
    }
}

/// Takes out what is in the table of headers of a content header, and lets heartbeats follow the frame in its place: as many
/// octets go out as came in. Gives the length of what is left of the frame; `None`: it has no such table, and stays.
fn lighten(frame: &mut [u8]) -> Option<usize> {
    let last = frame.len() - 1;
    if frame[last] != FRAME_END {
        return None;
    }
    let place = payload::headers(&mut frame[HEAD..last])?;
    let (start, behind) = (HEAD + place.start, HEAD + place.end);
    let table = (behind - start - 4).checked_sub(ENTRY_OCTETS)?;
    // Heartbeats are all of one length: the entry takes what they leave.
    let filler = table % HEARTBEAT.len();
    let gone = table - filler;
    let count = |octets: usize| u32::try_from(octets).ok().map(u32::to_be_bytes);
    let (kept, length, size) = (
        count(ENTRY_OCTETS + filler)?,
        count(filler)?,
        count(last - HEAD - gone)?,
    );
    let entry = [&kept[..], &ENTRY, &length].concat();
    frame[start..start + entry.len()].copy_from_slice(&entry);
    let end = start + entry.len() + filler;
    frame[end - filler..end].fill(0);
    frame.copy_within(behind.., end);
    frame[3..HEAD].copy_from_slice(&size);
    let left = frame.len() - gone;
    for beat in frame[left..].chunks_exact_mut(HEARTBEAT.len()) {
        beat.copy_from_slice(&HEARTBEAT);
    }
    Some(left)
}
