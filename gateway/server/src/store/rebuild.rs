//! Brings an index up to the journal: after a crash the rest, for a new one everything.
//!
//! Reading, checking and decoding run in one thread, projecting and inserting in another.
//!
//! **Invariant:** an index comes only from journal and packs, through [`projection`].

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use trust::Digest;

use super::fault::{Fault, guarded};
use super::figures::Counters;
use super::index::value::Applied;
use super::index::view::View;
use super::index::{Generations, Index, Tuning};
use super::journal::{JournalReader, Placed, Resume};
use super::object::path_in;
use super::pack::{PackEnd, PackPlace, PackReader};
use super::projection;
use super::segment::Tip;
use super::survey::Survey;

/// Changes that go into the tree at once. Large, because most entries of a replay come and go within it.
const CHANGES_MAX: usize = 1 << 16;
/// The same for an index that serves or has served: they stand in a redo file, too.
const BATCH_CHANGES_MAX: usize = 1 << 14;
/// How many times as long as it worked a rebuild rests that nobody waits for: it takes a fifth of one processor.
const REST_TIMES: u32 = 4;
/// So long at most it does not look whether it must hurry.
const REST_AT_ONCE: Duration = Duration::from_millis(50);
/// Events handed from thread to thread at once.
const EVENTS_AT_ONCE: usize = 256;
/// A new index this close to the journal's end is handed to the writer, which reads the rest itself.
const BEHIND_MAX: u64 = 4096;

/// Where an index comes from.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    pub(super) journal: JournalReader,
    pub(super) packs: PackReader,
    /// The folder of large originals.
    pub(super) objects: PathBuf,
    /// The file that names originals which were missing when an index was made.
    pub(super) missing: PathBuf,
    pub(super) generations: Generations,
    pub(super) tuning: Tuning,
    /// Set when the process ends: a rebuild is given up.
    pub(super) closing: Arc<AtomicBool>,
    /// Whether somebody waits for the index that is being made.
    pub(super) hurry: Arc<AtomicBool>,
}

/// How changes go into the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settling {
    /// In batches, each with the place reached: a crash leaves an index that is behind.
    Batches,
    /// One by one: a crash leaves an index that must be made again.
    Apart,
}

impl Settling {
    fn changes_max(self) -> usize {
        match self {
            Settling::Batches => BATCH_CHANGES_MAX,
            Settling::Apart => CHANGES_MAX,
        }
    }
}

/// An end of journal and packs to come up to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) tip: Tip,
    pub(super) packs: PackEnd,
}

impl Sources {
    /// Refuses a torn end that an index has seen whole: what it lost was answered for.
    pub(super) fn check_torn(&self, survey: &Survey) -> Result<(), Fault> {
        if survey.torn_bytes == 0 {
            return Ok(());
        }
        for number in self.generations.list()? {
            // An index that does not open knows nothing and is made again later.
            if let Ok(index) = Index::open(&self.generations.path(number), self.tuning)
                && survey.tip.position < index.applied().journal.tip.position
            {
                return Err(self
                    .journal
                    .lost(&survey.tip, index.applied().journal.tip.position));
            }
        }
        tracing::warn!(
            bytes = survey.torn_bytes,
            "the journal ends in a write that a crash interrupted"
        );
        Ok(())
    }

    /// Opens an index that can serve: the one there is, brought up to the ends, or a new one.
    pub(super) fn open_index(&self, ends: Ends, counters: &Counters) -> Result<Index, Fault> {
        let mut served = None;
        for number in self.generations.list()? {
            if served.is_none() {
                match guarded(|| self.open_generation(number, ends, counters)) {
                    Ok(index) => {
                        served = Some(index);
                        continue;
                    }
                    Err(fault @ Fault::Damaged { .. }) => return Err(fault),
                    Err(fault) => tracing::warn!(generation = number, %fault, "the index is made again"),
                }
            }
            self.generations.remove(number)?;
        }
        match served {
            Some(index) => {
                self.look_again(&index, counters)?;
                Ok(index)
            }
            None => {
                let index = self.rebuild(&|| ends, counters)?;
                index.spare();
                Ok(index)
            }
        }
    }

    fn open_generation(&self, number: u64, ends: Ends, counters: &Counters) -> Result<Index, Fault> {
        let index = Index::open(&self.generations.path(number), self.tuning)?;
        let Applied {
            journal: Resume { tip, .. },
            packs,
            ..
        } = index.applied();
        // What the index has seen was durable and answered for: a journal or packs that end before it have lost it.
        if ends.tip.position < tip.position {
            return Err(self.journal.lost(&ends.tip, tip.position));
        }
        if (ends.packs.number, ends.packs.offset) < (packs.number, packs.offset) {
            return Err(self.packs.lost(ends.packs));
        }
        if tip.position == ends.tip.position && tip.chain != ends.tip.chain {
            return Err(Fault::Index(format!(
                "its event {} is another one than the journal's",
                tip.position
            )));
        }
        self.catch_up(&index, ends, counters)?;
        Ok(index)
    }

    /// Makes a new index beside the one that serves, up to what `ends` says while it is being made. Until it is spared it
    /// leaves nothing behind.
    pub(super) fn rebuild(&self, ends: &dyn Fn() -> Ends, counters: &Counters) -> Result<Index, Fault> {
        let number = self.generations.next()?;
        tracing::info!(
            generation = number,
            events = ends().tip.position,
            "an index is made from the journal"
        );
        let index = Index::open(&self.generations.path(number), self.tuning)?;
        index.doom();
        self.make(&index, ends, counters)?;
        Ok(index)
    }

    fn make(&self, index: &Index, ends: &dyn Fn() -> Ends, counters: &Counters) -> Result<(), Fault> {
        self.forget_missing(counters)?;
        loop {
            let goal = ends();
            self.bring_up(index, goal, Settling::Apart, counters)?;
            if ends().tip.position - goal.tip.position <= BEHIND_MAX {
                break;
            }
        }
        // From here on it tells how far it has come.
        index.flush()?;
        index.settle()?;
        Counters::add(&counters.rebuilds, 1);
        let missing = Counters::read(&counters.missing);
        if 0 < missing {
            tracing::error!(
                missing,
                "originals that the journal names are not there: restore them from a copy"
            );
        }
        Ok(())
    }

    /// Brings an index that tells how far it has come up to the ends.
    pub(super) fn catch_up(&self, index: &Index, ends: Ends, counters: &Counters) -> Result<(), Fault> {
        self.bring_up(index, ends, Settling::Batches, counters)
    }

    fn bring_up(
        &self,
        index: &Index,
        ends: Ends,
        settling: Settling,
        counters: &Counters,
    ) -> Result<(), Fault> {
        self.list_originals(index, ends.packs, settling)?;
        let from = index.applied().journal;
        if ends.tip.position <= from.tip.position {
            return Ok(());
        }
        Counters::add(&counters.replayed, ends.tip.position - from.tip.position);
        thread::scope(|scope| {
            let (sender, receiver) = bounded(8);
            let reader = scope.spawn(move || self.read_events(from, ends.tip.position, &sender));
            let projected = self.project(index, &receiver, (settling, counters));
            // A projection that failed no longer takes events: the reader must not wait for it.
            drop(receiver);
            let read = reader.join().expect("the reader of the journal does not panic");
            projected.and(read)
        })
    }

    fn project(
        &self,
        index: &Index,
        receiver: &Receiver<Vec<(Placed, Resume)>>,
        (settling, counters): (Settling, &Counters),
    ) -> Result<(), Fault> {
        let mut view = index.view();
        let mut reached = index.applied().journal;
        for chunk in receiver {
            let began = Instant::now();
            for (placed, resume) in &chunk {
                projection::apply(&mut view, placed)?;
                if settling == Settling::Apart {
                    self.look_for_originals(&view, placed, counters)?;
                }
                reached = *resume;
            }
            if settling.changes_max() <= view.changed() {
                take_over(index, view, settling, |applied| Applied {
                    journal: reached,
                    ..applied
                })?;
                view = index.view();
            }
            self.rest(began.elapsed());
        }
        take_over(index, view, settling, |applied| Applied {
            journal: reached,
            ..applied
        })
    }

    /// Whether what an event names is there. What the gateway answers for and cannot produce must not be found out by whoever
    /// waits for it. What is missing is noted in a file, for the next start.
    fn look_for_originals(&self, view: &View<'_>, placed: &Placed, counters: &Counters) -> Result<(), Fault> {
        for digest in placed.recorded.event.happening.originals() {
            if view.original(&digest)?.is_some() || path_in(&self.objects, &digest).is_file() {
                continue;
            }
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.missing)
                .map_err(Fault::system("open", &self.missing))?;
            writeln!(file, "{digest}").map_err(Fault::system("write", &self.missing))?;
            Counters::add(&counters.missing, 1);
        }
        Ok(())
    }

    /// A new index says anew what is missing.
    fn forget_missing(&self, counters: &Counters) -> Result<(), Fault> {
        counters.missing.store(0, Ordering::Relaxed);
        match fs::remove_file(&self.missing) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Fault::system("remove", &self.missing)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Looks for what was missing when the index was made, and is perhaps there again.
    pub(super) fn look_again(&self, index: &Index, counters: &Counters) -> Result<(), Fault> {
        let noted = fs::read_to_string(&self.missing).unwrap_or_default();
        let view = index.view();
        let mut missing = 0;
        for digest in noted.lines().filter_map(|line| line.parse::<Digest>().ok()) {
            let is_there = view.original(&digest)?.is_some() || path_in(&self.objects, &digest).is_file();
            missing += u64::from(!is_there);
        }
        counters.missing.store(missing, Ordering::Relaxed);
        Self::tell_missing(counters);
        Ok(())
    }

    fn tell_missing(counters: &Counters) {
        let missing = Counters::read(&counters.missing);
        if 0 < missing {
            tracing::error!(
                missing,
                "originals that the journal names are not there: end the gateway, put packs and objects back from a copy, \
                 remove the index and start again"
            );
        }
    }

    fn list_originals(&self, index: &Index, until: PackEnd, settling: Settling) -> Result<(), Fault> {
        let (mut listed, mut began) = (Vec::new(), Instant::now());
        self.packs
            .list(index.applied().packs, until, &mut |digest, place, end| {
                listed.push((digest, place));
                if listed.len().is_multiple_of(EVENTS_AT_ONCE) {
                    self.rest(began.elapsed());
                    began = Instant::now();
                }
                if settling.changes_max() <= listed.len() {
                    keep_all(index, &mut listed, (end, settling))?;
                }
                self.go_on()
            })?;
        keep_all(index, &mut listed, (until, settling))
    }

    fn read_events(
        &self,
        from: Resume,
        until: u64,
        sender: &Sender<Vec<(Placed, Resume)>>,
    ) -> Result<(), Fault> {
        let mut chunk = Vec::with_capacity(EVENTS_AT_ONCE);
        self.journal.replay(from, until, &mut |placed, resume| {
            chunk.push((placed, resume));
            if chunk.len() < EVENTS_AT_ONCE {
                return Ok(());
            }
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(EVENTS_AT_ONCE));
            sender
                .send(full)
                .map_err(|_| Fault::Index("the projection has stopped".to_owned()))?;
            self.go_on()
        })?;
        sender
            .send(chunk)
            .map_err(|_| Fault::Index("the projection has stopped".to_owned()))
    }

    /// Rests after so much work, until somebody waits for the index or the process ends.
    fn rest(&self, worked: Duration) {
        let rested = Instant::now() + worked * REST_TIMES;
        while !self.hurry.load(Ordering::Relaxed) && !self.closing.load(Ordering::Relaxed) {
            let left = rested.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(REST_AT_ONCE));
        }
    }

    fn go_on(&self) -> Result<(), Fault> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(Fault::Index(
                "the process ends before the index is made".to_owned(),
            ));
        }
        Ok(())
    }
}

fn keep_all(
    index: &Index,
    listed: &mut Vec<(Digest, PackPlace)>,
    (packs, settling): (PackEnd, Settling),
) -> Result<(), Fault> {
    let mut view = index.view();
    for (digest, place) in listed.drain(..) {
        projection::keep(&mut view, &digest, place)?;
    }
    take_over(index, view, settling, |applied| Applied { packs, ..applied })
}

fn take_over(
    index: &Index,
    view: View<'_>,
    settling: Settling,
    to: impl FnOnce(Applied) -> Applied,
) -> Result<(), Fault> {
    let changes = view.into_changes();
    index.absorb(changes, to(index.applied()));
    match settling {
        Settling::Batches => index.settle(),
        Settling::Apart => index.settle_apart(),
    }
}
