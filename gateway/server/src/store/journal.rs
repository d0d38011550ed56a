//! The journal: what happened, in order, in segment files; the truth of the gateway.
//!
//! **Invariant:** an event is acknowledged only after it is durable; what is durable never changes and never goes.
//! **Invariant:** the chain of every frame is checked whenever the frame is read in order.
//! **Invariant:** one write stands in one segment; a segment is begun between writes.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use domain::event::{Event, Happening};
use domain::port::Recorded;
use trust::{Digest, Time};

use super::fault::Fault;
use super::file::{GrowingFile, numbered, sync_directory};
use super::segment::{self, Frame, HEAD_BYTES, SegmentReader, Step, Tip};
use super::survey::Survey;

pub(super) const EXTENSION: &str = "journal";
/// Bytes read at once for one event: most events fit, head included.
const EVENT_READ_BYTES: usize = 4096;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    /// Position of the first event of its segment.
    pub(super) segment: u64,
    /// Offset of its frame in the segment, in bytes.
    pub(super) offset: u64,
}

/// An event with its place.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) recorded: Recorded,
    pub(super) location: Location,
    /// The chain before it.
    pub(super) before: Digest,
}

/// A place of the journal to read on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resume {
    /// The newest event that was read.
    pub(super) tip: Tip,
    /// Where the next one is, or where its segment ends.
    pub(super) next: Location,
}

impl Resume {
    /// The very beginning.
    pub(super) const START: Resume = Resume {
        tip: Tip::START,
        next: Location {
            segment: 1,
            offset: segment::HEADER_BYTES as u64,
        },
    };
}

pub(super) fn segment_path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.{EXTENSION}"))
}

/// The place after a frame, if it follows on `tip`. The time stays that of `tip`.
pub(super) fn follow(tip: &Tip, leaf: &Digest, frame: &Frame<'_>) -> Result<Tip, &'static str> {
    let next = tip.next(leaf, tip.time);
    if frame.position != next.position {
        return Err("the position does not follow");
    }
    if frame.chain != next.chain {
        return Err("the hash chain is broken");
    }
    Ok(next)
}

/// The event of stored bytes.
pub(super) fn decode(path: &Path, offset: u64, payload: &[u8]) -> Result<Event, Fault> {
    Event::decode(payload).map_err(|fault| Fault::damaged(path, offset, format!("not an event: {fault}")))
}

/// The journal, open for writing.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    segment_bytes_max: u64,
    /// First position of the segment that is written.
    first: u64,
    file: GrowingFile,
    tip: Tip,
}

/// Events that are to be written together.
#[derive(Debug)]
pub(super) struct Draft {
    bytes: Vec<u8>,
    batch: u64,
    start: Location,
    tip: Tip,
}

impl Draft {
    /// Adds what happened, at `now` or just after the event before, and says where it will stand.
    pub(super) fn add(&mut self, happening: Happening, now: Time) -> Placed {
        let time = now.max(Time::from_micros(self.tip.time.as_micros() + 1));
        let event = Event { time, happening };
        let payload = event.encode();
        let leaf = Event::leaf(&payload);
        let before = self.tip.chain;
        let location = self.next();
        self.tip = self.tip.next(&leaf, time);
        segment::write_frame(&mut self.bytes, &self.tip, self.batch, &payload);
        Placed {
            recorded: Recorded {
                position: self.tip.position,
                leaf,
                event,
            },
            location,
            before,
        }
    }

    /// The times that the next events get, if all are added at `now`.
    pub(super) fn times(&self, now: Time) -> impl Iterator<Item = Time> + use<> {
        let first = now.as_micros().max(self.tip.time.as_micros() + 1);
        (first..).map(Time::from_micros)
    }

    /// Where the next event will stand.
    fn next(&self) -> Location {
        Location {
            offset: self.start.offset + self.bytes.len() as u64,
            ..self.start
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Journal {
    /// Opens for writing what was surveyed: cuts a torn tail off, and begins a first segment if there is none.
    pub(super) fn open(survey: &Survey, segment_bytes_max: u64) -> Result<Journal, Fault> {
        if let Some(unmade) = &survey.unmade {
            fs::remove_file(unmade).map_err(Fault::system("remove", unmade))?;
            sync_directory(&survey.directory)?;
        }
        let (first, file) = match survey.newest {
            Some(first) => (
                first,
                GrowingFile::open(segment_path(&survey.directory, first), survey.end)?,
            ),
            None => (
                1,
                GrowingFile::create(segment_path(&survey.directory, 1), &segment::header(&Tip::START))?,
            ),
        };
        Ok(Journal {
            directory: survey.directory.clone(),
            segment_bytes_max,
            first,
            file,
            tip: survey.tip,
        })
    }

    /// The newest durable event.
    pub(super) fn tip(&self) -> Tip {
        self.tip
    }

    /// The place behind the newest durable event.
    pub(super) fn resume(&self) -> Resume {
        Resume {
            tip: self.tip,
            next: Location {
                segment: self.first,
                offset: self.file.length(),
            },
        }
    }

    /// An empty draft; begins another segment when the present one is full.
    pub(super) fn draft(&mut self) -> Result<Draft, Fault> {
        if self.segment_bytes_max <= self.file.length() {
            let first = self.tip.position + 1;
            let path = segment_path(&self.directory, first);
            self.file = GrowingFile::create(path, &segment::header(&self.tip))?;
            self.first = first;
        }
        let start = Location {
            segment: self.first,
            offset: self.file.length(),
        };
        Ok(Draft {
            bytes: Vec::new(),
            batch: self.tip.position + 1,
            start,
            tip: self.tip,
        })
    }

    /// Writes a draft, not yet durable. After an error call [`Journal::roll_back`].
    pub(super) fn write(&mut self, draft: &Draft) -> Result<(), Fault> {
        self.file.append(&draft.bytes)
    }

    /// Makes the draft durable and goes on from its end.
    pub(super) fn sync(&mut self, draft: &Draft) -> Result<(), Fault> {
        self.file.sync()?;
        self.tip = draft.tip;
        Ok(())
    }

    /// Forgets what was written and not synced.
    pub(super) fn roll_back(&mut self) -> Result<(), Fault> {
        self.file.roll_back()
    }
}

/// Reads single events, from any thread.
#[derive(Debug, Clone)]
pub(super) struct JournalReader {
    directory: PathBuf,
}

impl JournalReader {
    pub(super) fn new(directory: PathBuf) -> JournalReader {
        JournalReader { directory }
    }

    /// The journal ends before an event that the index has seen: what was durable and answered for is gone.
    pub(super) fn lost(&self, end: &Tip, seen: u64) -> Fault {
        let newest = numbered(&self.directory, EXTENSION).unwrap_or_default().pop();
        let path = segment_path(&self.directory, newest.unwrap_or(1));
        let length = fs::metadata(&path).map_or(0, |file| file.len());
        let what = format!(
            "the index has seen event {seen}, but the journal ends whole with event {}: put the journal back from its copy",
            end.position
        );
        Fault::damaged(&path, length, what)
    }

    /// A change of the directory that contradicts the ones before it.
    pub(super) fn contradicts(&self, location: Location, fault: &dyn std::fmt::Display) -> Fault {
        let path = segment_path(&self.directory, location.segment);
        Fault::damaged(
            &path,
            location.offset,
            format!("a change contradicts the directory: {fault}"),
        )
    }

    /// The event at a location that the index gave.
    pub(super) fn read(&self, position: u64, location: Location) -> Result<Recorded, Fault> {
        let path = segment_path(&self.directory, location.segment);
        let file = fs::File::open(&path).map_err(Fault::system("open", &path))?;
        let mut bytes = vec![0; EVENT_READ_BYTES];
        let read = file
            .read_at(&mut bytes, location.offset)
            .map_err(Fault::system("read", &path))?;
        bytes.truncate(read);
        let wrong = |what: &str| Fault::damaged(&path, location.offset, what);
        if read < HEAD_BYTES {
            return Err(wrong("no frame"));
        }
        let length = Frame::length(&bytes);
        if read < length {
            let size = file.metadata().map_err(Fault::system("read", &path))?.len();
            if size - location.offset < length as u64 {
                return Err(wrong("no whole frame"));
            }
            bytes.resize(length, 0);
            let rest = file.read_exact_at(&mut bytes[read..], location.offset + read as u64);
            rest.map_err(Fault::system("read", &path))?;
        }
        bytes.truncate(length);
        let frame = Frame::parse(&bytes).ok_or_else(|| wrong("no whole frame"))?;
        if frame.position != position {
            return Err(wrong("another event than the index tells"));
        }
        let event = decode(&path, location.offset, frame.payload)?;
        Ok(Recorded {
            position,
            leaf: Event::leaf(frame.payload),
            event,
        })
    }

    /// The chain after the event at `wanted`, looked for from the event at `location` on, which is not later.
    pub(super) fn chain_at(&self, wanted: u64, location: Location) -> Result<Digest, Fault> {
        let (mut segment, mut offset, mut position) = (location.segment, Some(location.offset), 0);
        loop {
            let path = segment_path(&self.directory, segment);
            let mut reader = SegmentReader::open(&path)?
                .ok_or_else(|| Fault::damaged(&path, 0, "the header is not whole"))?;
            if let Some(offset) = offset.take() {
                reader.seek(offset);
            }
            loop {
                match reader.step()? {
                    Step::Frame(_, frame) if frame.position == wanted => return Ok(frame.chain),
                    Step::Frame(_, frame) => position = frame.position,
                    Step::End if position < wanted => break,
                    Step::End | Step::Bad => {
                        return Err(Fault::damaged(
                            &path,
                            reader.offset(),
                            format!("event {wanted} is not here"),
                        ));
                    }
                }
            }
            segment = position + 1;
        }
    }

    /// Gives every event after `from` and up to `until` to `sink`, in order, and checks frames and chain.
    ///
    /// # Errors
    /// [`Fault::Damaged`] naming segment and offset, or what `sink` says.
    pub(super) fn replay(
        &self,
        from: Resume,
        until: u64,
        sink: &mut dyn FnMut(Placed, Resume) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut place = from;
        let segments = numbered(&self.directory, EXTENSION)?;
        for first in segments.into_iter().filter(|first| from.next.segment <= *first) {
            if until <= place.tip.position {
                return Ok(());
            }
            let path = segment_path(&self.directory, first);
            let reader = SegmentReader::open(&path)?;
            let mut reader = reader.ok_or_else(|| Fault::damaged(&path, 0, "the header is not whole"))?;
            if first == from.next.segment {
                reader.seek(from.next.offset);
            } else {
                let before = reader.before();
                let follows = (before.position, before.chain) == (place.tip.position, place.tip.chain);
                if !follows || first != before.position + 1 {
                    return Err(Fault::damaged(
                        &path,
                        0,
                        "the segment does not follow on the one before",
                    ));
                }
            }
            self.replay_segment(&path, &mut reader, (&mut place, first, until), sink)?;
        }
        if until <= place.tip.position {
            return Ok(());
        }
        let path = segment_path(&self.directory, place.next.segment);
        Err(Fault::damaged(
            &path,
            place.next.offset,
            format!("event {} is missing", place.tip.position + 1),
        ))
    }

    fn replay_segment(
        &self,
        path: &Path,
        reader: &mut SegmentReader,
        (place, first, until): (&mut Resume, u64, u64),
        sink: &mut dyn FnMut(Placed, Resume) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        while place.tip.position < until {
            let (offset, frame) = match reader.step()? {
                Step::Frame(offset, frame) => (offset, frame),
                Step::End => return Ok(()),
                Step::Bad => return Err(Fault::damaged(path, reader.offset(), "no whole frame")),
            };
            let leaf = Event::leaf(frame.payload);
            let before = place.tip.chain;
            let mut tip =
                follow(&place.tip, &leaf, &frame).map_err(|what| Fault::damaged(path, offset, what))?;
            let event = decode(path, offset, frame.payload)?;
            tip.time = event.time;
            let recorded = Recorded {
                position: tip.position,
                leaf,
                event,
            };
            *place = Resume {
                tip,
                next: Location {
                    segment: first,
                    offset: reader.offset(),
                },
            };
            let location = Location {
                segment: first,
                offset,
            };
            sink(
                Placed {
                    recorded,
                    location,
                    before,
                },
                *place,
            )?;
        }
        Ok(())
    }
}
