//! The thread that writes the log: takes all that waits, writes it at once, syncs once, applies it, answers.
//!
//! **Invariant:** a write that failed leaves nothing behind; an fdatasync that failed ends the thread.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use domain::ids::{AccountId, SubmissionId};
use tokio::sync::{mpsc, oneshot};
use trust::Time;

use super::book::{Book, Carry, Matter};
use super::record::{Held, Logged, Record};
use super::segment::Head;
use super::{Place, Shared, StoreFault, fault, frame};
use crate::clock;
use crate::entering::Claim;
use crate::outbox::Answer;

/// One commit takes no more than this, so that one huge packet does not delay many small ones for long.
const COMMIT_BYTES_MAX: usize = 8 << 20;

/// Of the oldest segment this part may live, in percent, for it to be carried forward at once.
const LIVE_PERCENT_MAX: u64 = 25;

/// Whatever lives in it, the oldest segment goes when the log has grown to so many times what lives.
const GROWTH_MAX: u64 = 4;

/// Records to be written; with somebody who waits until they are on disk, or without.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) records: Vec<Logged>,
    pub(crate) answer: Option<oneshot::Sender<Result<(), StoreFault>>>,
    /// Ids that are entered with these: theirs until that is decided, whoever still waits for it.
    pub(crate) claim: Option<Claim>,
}

/// See the module.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    head: Head,
    buffer: Vec<u8>,
    synced_at: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, head: Head) -> Writer {
        Writer {
            shared,
            head,
            buffer: Vec::new(),
            synced_at: None,
        }
    }

    /// Works until all handles are gone or the disk fails.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let batch = self.gather(first, &mut jobs);
            let result = self.write(&batch);
            let stopped = matches!(result, Err(StoreFault::Stopped));
            if result.is_err() {
                self.apply_notes(&batch);
            }
            for job in batch {
                drop(job.claim);
                if let Some(answer) = job.answer {
                    let _ = answer.send(result.clone());
                }
            }
            if stopped || matches!(self.trim(), Err(StoreFault::Stopped)) {
                return;
            }
        }
        let _ = self.sync();
    }

    /// # Errors
    /// `Stopped`: after an error of fdatasync nobody knows what is on disk; asking again would only hide it.
    fn sync(&mut self) -> Result<(), StoreFault> {
        self.head.file.sync_data().map_err(|error| {
            tracing::error!(%error, "fdatasync failed; the store stops");
            StoreFault::Stopped
        })
    }

    /// What waits, after the interval under load.
    fn gather(&self, first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
        if let Some(synced_at) = self.synced_at
            && first.answer.is_some()
        {
            let rest = self
                .shared
                .limits
                .commit_interval
                .saturating_sub(synced_at.elapsed());
            if rest > Duration::ZERO {
                std::thread::sleep(rest);
            }
        }
        let body_bytes = |job: &Job| job.records.iter().map(Logged::body_bytes).sum::<usize>();
        let mut bytes = body_bytes(&first);
        let mut batch = vec![first];
        while bytes < COMMIT_BYTES_MAX
            && let Ok(job) = jobs.try_recv()
        {
            bytes += body_bytes(&job);
            batch.push(job);
        }
        batch
    }

    fn write(&mut self, batch: &[Job]) -> Result<(), StoreFault> {
        let mut places = Vec::new();
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        for logged in batch.iter().flat_map(|job| &job.records) {
            places.push(self.append(&mut buffer, logged));
        }
        let is_awaited = batch.iter().any(|job| job.answer.is_some());
        let result = self.put(&buffer, is_awaited);
        buffer.shrink_to(COMMIT_BYTES_MAX);
        self.buffer = buffer;
        result?;
        let mut book = self.book();
        for (logged, place) in batch.iter().flat_map(|job| &job.records).zip(places) {
            book.apply(logged, place);
        }
        Ok(())
    }

    /// Notes whose write failed are true all the same; only a restart does not know of them, and repeats what they tell.
    fn apply_notes(&self, batch: &[Job]) {
        let nowhere = Place {
            segment: self.head.number,
            offset: self.head.bytes,
            bytes: 0,
        };
        let mut book = self.book();
        for logged in batch
            .iter()
            .filter(|job| job.answer.is_none())
            .flat_map(|job| &job.records)
        {
            book.apply(logged, nowhere);
        }
    }

    fn append(&self, buffer: &mut Vec<u8>, logged: &Logged) -> Place {
        let start = buffer.len();
        frame::append(buffer, |payload| logged.encode(payload));
        let bytes = u32::try_from(buffer.len() - start).expect("a frame's length is a u32");
        Place {
            segment: self.head.number,
            offset: self.head.bytes + start as u64,
            bytes,
        }
    }

    fn put(&mut self, bytes: &[u8], is_awaited: bool) -> Result<(), StoreFault> {
        let here = Path::new("the log");
        if !bytes.is_empty()
            && let Err(error) = self.head.file.write_all_at(bytes, self.head.bytes)
        {
            // A full disk may have taken a part: it is cut off, so that nothing half stands before what comes next.
            if let Err(error) = self.head.file.set_len(self.head.bytes) {
                tracing::error!(%error, "cannot cut off a failed write; the store stops");
                return Err(StoreFault::Stopped);
            }
            return Err(fault("append to", here)(error));
        }
        if is_awaited {
            self.sync()?;
            self.synced_at = Some(Instant::now());
        }
        self.head.bytes += bytes.len() as u64;
        Ok(())
    }

    /// After a full segment the next is begun, and old ones are removed when it costs little.
    fn trim(&mut self) -> Result<(), StoreFault> {
        if self.head.bytes < self.shared.limits.segment_bytes_max {
            return Ok(());
        }
        // When it fails otherwise than by the sync, the log goes on where it is; the next commit tries again.
        self.rotate()
            .inspect_err(|fault| tracing::warn!(%fault, "cannot begin or remove a segment"))
    }

    fn rotate(&mut self) -> Result<(), StoreFault> {
        let limits = self.shared.limits;
        self.sync()?;
        self.head = self.shared.segments.begin(self.head.number + 1)?;
        let remembered = i64::try_from(limits.remember.as_secs()).unwrap_or(i64::MAX);
        let horizon = Time::from_seconds(clock::steady().as_seconds().saturating_sub(remembered));
        self.book().forget(horizon, limits.remember_ids_max);
        while let Some(oldest) = self.oldest_worth_removing() {
            self.carry(oldest)?;
            self.shared.segments.remove(oldest)?;
        }
        Ok(())
    }

    /// The oldest segment, if little of it lives, or if the log is large against all that lives.
    fn oldest_worth_removing(&self) -> Option<u32> {
        let numbers = self.shared.segments.numbers();
        let oldest = *numbers.first().filter(|oldest| **oldest + 1 < self.head.number)?;
        let book = self.book();
        let (live, bytes) = (book.live_bytes_in(oldest), self.shared.segments.bytes(oldest));
        let all: u64 = numbers
            .iter()
            .map(|number| self.shared.segments.bytes(*number))
            .sum();
        let floor = GROWTH_MAX * self.shared.limits.segment_bytes_max;
        let is_large = all > GROWTH_MAX * book.live_bytes() + floor;
        (live * 100 <= bytes * LIVE_PERCENT_MAX || is_large).then_some(oldest)
    }

    /// Writes again what the segment holds of worth.
    fn carry(&mut self, segment: u32) -> Result<(), StoreFault> {
        let carried = self.book().carry(segment);
        let mut batch = Vec::new();
        let mut bytes = 0;
        for one in carried {
            let logged = match one {
                Carry::Again(account, matter, place) => match self.shared.segments.read(place) {
                    Err(StoreFault::Damaged { .. }) => match self.set_aside(account, matter, place)? {
                        Some(known) => known,
                        None => continue,
                    },
                    read => read?,
                },
                Carry::Record(logged) => logged,
                Carry::Held {
                    account,
                    submission,
                    notice,
                } => match self.shared.segments.read(notice.place) {
                    Err(StoreFault::Damaged { .. }) => {
                        self.book().account(&account).outbox.forget_notice(&submission);
                        continue;
                    }
                    read => held(account, submission, notice, read?),
                },
            };
            bytes += logged.body_bytes();
            batch.push(logged);
            if bytes >= COMMIT_BYTES_MAX {
                self.write(&[Job {
                    records: std::mem::take(&mut batch),
                    answer: None,
                    claim: None,
                }])?;
                bytes = 0;
            }
        }
        self.write(&[Job {
            records: batch,
            answer: None,
            claim: None,
        }])?;
        self.sync()
    }
    /// A record that cannot be read back does not keep its segment, and all that came after it, for ever. Gives what is
    /// still to be remembered of it.
    fn set_aside(
        &self,
        account: AccountId,
        matter: Matter,
        place: Place,
    ) -> Result<Option<Logged>, StoreFault> {
        let file = self.shared.segments.set_record_aside(place)?;
        let mut book = self.book();
        let state = book.account(&account);
        state.set_aside(matter.clone(), file);
        let known = match matter {
            Matter::Submission(_) => None,
            Matter::Dispatch(dispatch) => state.inbox.known(&dispatch),
        };
        Ok(known.map(|known| Logged {
            account,
            record: Record::Known { ids: vec![known] },
        }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.shared
            .book
            .lock()
            .expect("records are applied without panics")
    }
}

/// The receipt behind a notice, as the notice.
fn held(account: AccountId, submission: SubmissionId, notice: Answer, receipt: Logged) -> Logged {
    Logged {
        account,
        record: Record::Held(Held {
            submission,
            dispatch: notice.dispatch,
            at: notice.at,
            case: notice.case,
            body: receipt.record.into_body(),
        }),
    }
}
