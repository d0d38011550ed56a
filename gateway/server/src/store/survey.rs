//! What a crash left at the end of the journal, seen before anything is changed.
//!
//! **Invariant:** only what no crash can have done is damage; a torn end is told from it by what stands behind.

use std::fs;
use std::path::{Path, PathBuf};

use domain::event::Event;

use super::fault::Fault;
use super::file::{End, numbered};
use super::journal::{EXTENSION, decode, follow, segment_path};
use super::segment::{Frame, SegmentReader, Step, Tip};

/// What the end of the journal looks like before anything is changed.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) directory: PathBuf,
    /// First position of the newest segment that has a whole header; `None` for a new journal.
    pub(super) newest: Option<u64>,
    /// Where the good part of that ends.
    pub(super) end: End,
    /// Bytes behind that, which a crash left.
    pub(super) torn_bytes: u64,
    /// A segment whose making a crash interrupted.
    pub(super) unmade: Option<PathBuf>,
    pub(super) tip: Tip,
}

impl Survey {
    /// Looks at the newest segment. Older ones are checked when they are replayed.
    ///
    /// # Errors
    /// [`Fault::Damaged`] for anything that a crash cannot have done.
    pub(super) fn of(directory: &Path) -> Result<Survey, Fault> {
        let mut segments = numbered(directory, EXTENSION)?;
        let mut survey = Survey {
            directory: directory.to_owned(),
            newest: None,
            end: End { length: 0, newest: 0 },
            torn_bytes: 0,
            unmade: None,
            tip: Tip::START,
        };
        while let Some(first) = segments.pop() {
            let path = segment_path(directory, first);
            if let Some(reader) = SegmentReader::open(&path)? {
                survey.read(first, &path, reader)?;
                return Ok(survey);
            }
            if survey.unmade.is_some() {
                return Err(Fault::damaged(&path, 0, "two segments without a whole header"));
            }
            survey.unmade = Some(path);
        }
        Ok(survey)
    }

    fn read(&mut self, first: u64, path: &Path, mut reader: SegmentReader) -> Result<(), Fault> {
        self.newest = Some(first);
        let mut fold = Fold::new(path, reader.before());
        if fold.tip.position + 1 != first {
            return Err(Fault::damaged(
                path,
                0,
                "the header tells another position than the name",
            ));
        }
        loop {
            match reader.step()? {
                Step::Frame(offset, frame) => fold.check(offset, &frame)?,
                Step::End => break,
                Step::Bad => {
                    let offset = reader.offset();
                    if reader.was_durable(fold.tip.position + 1)? {
                        return Err(Fault::damaged(
                            path,
                            offset,
                            "no whole frame, and later ones behind it",
                        ));
                    }
                    self.torn_bytes = fs::metadata(path).map_err(Fault::system("read", path))?.len() - offset;
                    break;
                }
            }
        }
        self.end = End {
            length: reader.offset(),
            newest: fold.batch_at,
        };
        self.tip = fold.tip;
        if let Some(newest) = fold.newest {
            self.tip.time = decode(path, self.end.length, &newest)?.time;
        }
        Ok(())
    }
}

/// Checks frames one after the other.
struct Fold<'a> {
    path: &'a Path,
    tip: Tip,
    newest: Option<Vec<u8>>,
    /// The newest batch, and where it begins.
    batch: u64,
    batch_at: u64,
}

impl<'a> Fold<'a> {
    fn new(path: &'a Path, before: Tip) -> Fold<'a> {
        Fold {
            path,
            tip: before,
            newest: None,
            batch: 0,
            batch_at: 0,
        }
    }

    fn check(&mut self, offset: u64, frame: &Frame<'_>) -> Result<(), Fault> {
        self.tip = follow(&self.tip, &Event::leaf(frame.payload), frame)
            .map_err(|what| Fault::damaged(self.path, offset, what))?;
        if frame.batch != self.batch {
            (self.batch, self.batch_at) = (frame.batch, offset);
        }
        let newest = self.newest.get_or_insert_default();
        newest.clear();
        newest.extend_from_slice(frame.payload);
        Ok(())
    }
}
