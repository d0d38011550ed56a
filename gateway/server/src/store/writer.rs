//! The writer: one thread that owns journal, packs and index, and writes what waits in one go.
//!
//! Stands behind the record stage and every other stage that has something to tell the journal. Batches that
//! follow one another closely keep an interval, so that more is written with each fdatasync; an idle writer waits for nobody.
//!
//! **Invariant:** originals are durable before the journal names them, and the journal is durable before anybody is
//! answered or the index tells of it.
//! **Invariant:** a commit is recorded whole or not at all, and only if what it rests on holds at that very place.
//! **Invariant:** an error of fdatasync stops the writer for good: what is on disk is unknown, and a second call would
//! hide it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use domain::directory::Directory;
use domain::event::Happening;
use domain::port::{Appended, Expectation, StoreFault};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use trust::{Digest, Time};

use super::fault::{Fault, guarded};
use super::figures::Counters;
use super::index::value::{Applied, FORMAT};
use super::index::view::View;
use super::index::{Fill, Index};
use super::journal::{Draft, Journal};
use super::lock::Space;
use super::pack::{PackDraft, PackReader, Packs};
use super::projection;
use super::rebuild::Ends;
use super::settler::Settler;
use super::shared::Shared;

/// Most commits in one batch.
pub(super) const BATCH_COMMITS_MAX: usize = 256;
/// No further commit is taken into a batch that holds so many bytes of originals.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Pause after an index could not be made.
const REBUILD_PAUSE: Duration = Duration::from_secs(5);
/// The same where the index serves and is only too large.
const REBUILD_GROWN_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// Batches between two looks at how large the index has grown on disk.
const GROWTH_CHECK_BATCHES: u64 = 4096;

/// Why another index is made.
#[derive(Debug, Clone, Copy)]
enum Reason {
    Damaged,
    Unwritable,
    /// It takes far more of the disk than what it holds.
    Grown,
}

/// What the writer is asked.
pub(super) enum Order {
    /// Record this.
    Commit(Request),
    /// This index was found damaged: make another one, unless another one serves already.
    Mend(Arc<Index>),
    /// Another index is nearly up to date, or could not be made.
    Adopt(Box<Result<Index, Fault>>),
    /// Write what waits and end.
    Close,
}

/// A commit on its way.
pub(super) struct Request {
    pub(super) happenings: Vec<Happening>,
    /// Those up to the inline limit.
    pub(super) originals: Vec<(Digest, Arc<[u8]>)>,
    pub(super) expects: Vec<Expectation>,
    pub(super) answer: oneshot::Sender<Result<Appended, StoreFault>>,
    /// Its place in the queue, given back when it is answered.
    pub(super) _place: OwnedSemaphorePermit,
}

/// The thread's own things.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) journal: Journal,
    pub(super) packs: Packs,
    pub(super) clock: Box<dyn Fn() -> Time + Send>,
    pub(super) commit_interval: Duration,
    pub(super) interval_from_commits: usize,
    /// Most commits that can be in one batch: more cannot wait.
    pub(super) batch_commits_max: usize,
    /// Commits in the last batch.
    pub(super) batch_commits: usize,
    /// When the last batch was answered.
    pub(super) committed_at: Option<Instant>,
    pub(super) orders: Receiver<Order>,
    /// For the thread that makes another index.
    pub(super) reply: Sender<Order>,
    /// Why nothing more is taken.
    pub(super) stopped: Option<String>,
    /// Whether the end was ordered.
    pub(super) closing: bool,
    pub(super) rebuild: Option<JoinHandle<()>>,
    /// When making another index failed last.
    pub(super) rebuild_failed: Option<Instant>,
    pub(super) space: Space,
    pub(super) settler: Settler,
}

/// What is written together, and what it leads to.
struct Batch {
    draft: Draft,
    packs: PackDraft,
    directory: Arc<Directory>,
    outcomes: Vec<Appended>,
    originals: u64,
    /// The chain before each event.
    befores: Vec<Digest>,
}

/// Why a batch came to nothing.
enum Failure {
    /// Nothing was left behind.
    Undone(Fault),
    /// Nobody knows what is on disk.
    Unknown(Fault),
}

impl Writer {
    /// Works until [`Order::Close`].
    pub(super) fn run(mut self) {
        // An end that was ordered comes behind everything that was ordered before it.
        while !self.closing || !self.orders.is_empty() {
            let Ok(first) = self.orders.recv() else { break };
            if matches!(first, Order::Commit(_)) {
                self.rest();
            }
            self.turn(first);
        }
        self.shared.sources.closing.store(true, Ordering::Relaxed);
        if let Some(rebuild) = self.rebuild.take() {
            let _ = rebuild.join();
        }
        let index = self.shared.index();
        if let Err(fault) = index.settle() {
            tracing::warn!(%fault, "the index will be brought up to date at the next start");
        }
    }

    /// Lets more come together soon after a large batch: what many small ones cost the processor in fdatasyncs, wake-ups and
    /// messages sent one by one is more than the wait, for everybody. Where batches are small without it, nobody is so pressed
    /// that the wait would pay.
    fn rest(&self) {
        let is_pressed = self.interval_from_commits <= self.batch_commits;
        if self.closing || !is_pressed || self.batch_commits_max <= self.orders.len() + 1 {
            return;
        }
        let rest = self
            .committed_at
            .and_then(|at| self.commit_interval.checked_sub(at.elapsed()));
        if let Some(rest) = rest {
            std::thread::sleep(rest);
        }
    }

    /// Takes what waits and writes it.
    fn turn(&mut self, first: Order) {
        let mut requests = Vec::new();
        let (mut bytes, mut next) = (0, Some(first));
        while let Some(order) = next.take() {
            match order {
                Order::Commit(request) => {
                    bytes += request
                        .originals
                        .iter()
                        .map(|(_, original)| original.len())
                        .sum::<usize>();
                    requests.push(request);
                }
                Order::Mend(damaged) if Arc::ptr_eq(&damaged, &self.shared.index()) => {
                    self.start_rebuild(Reason::Damaged);
                }
                Order::Mend(_) => {}
                Order::Adopt(made) => self.adopt(*made),
                Order::Close => self.closing = true,
            }
            if requests.len() < BATCH_COMMITS_MAX && bytes < BATCH_BYTES_MAX {
                next = self.orders.try_recv().ok();
            }
        }
        if !requests.is_empty() {
            self.batch_commits = requests.len();
            self.answer(requests);
            self.committed_at = Some(Instant::now());
        }
    }

    fn answer(&mut self, requests: Vec<Request>) {
        if self.stopped.is_none() {
            match panic::catch_unwind(AssertUnwindSafe(|| self.record(&requests))) {
                Ok(Ok(outcomes)) => return self.answer_each(requests, outcomes),
                Ok(Err(Failure::Undone(fault))) => {
                    tracing::warn!(%fault, commits = requests.len(), "nothing was recorded");
                    if matches!(fault, Fault::Index(_)) {
                        self.start_rebuild(Reason::Damaged);
                    }
                    return self.answer_all(requests, &StoreFault::NotNow(fault.to_string()));
                }
                Ok(Err(Failure::Unknown(fault))) => self.stopped = Some(fault.to_string()),
                Err(_) => self.stopped = Some("the writer met a bug".to_owned()),
            }
            let reason = self.stopped.as_deref().unwrap_or_default();
            self.shared.stop(reason);
            tracing::error!(reason, "the writer has stopped; restart the gateway");
        }
        let reason = self.stopped.clone().unwrap_or_default();
        self.answer_all(requests, &StoreFault::Stopped(reason));
    }

    fn answer_all(&self, requests: Vec<Request>, fault: &StoreFault) {
        Counters::add(&self.shared.counters.refusals, requests.len() as u64);
        for request in requests {
            // Who no longer waits has no use for the answer.
            let _ = request.answer.send(Err(fault.clone()));
        }
    }

    fn answer_each(&mut self, requests: Vec<Request>, outcomes: Vec<Appended>) {
        // Before anybody hears of it: who was answered finds it counted.
        Counters::add(&self.shared.counters.batches, 1);
        for (request, outcome) in requests.into_iter().zip(outcomes) {
            let counters = &self.shared.counters;
            match &outcome {
                Appended::Done(recorded) => {
                    Counters::add(&counters.commits, 1);
                    Counters::add(&counters.events, recorded.len() as u64);
                }
                Appended::Conflict => Counters::add(&counters.conflicts, 1),
            }
            let _ = request.answer.send(Ok(outcome));
        }
        let index = self.shared.index();
        match index.fill() {
            Fill::Room => {}
            Fill::Begun => self.settler.settle(Arc::clone(&index)),
            Fill::Full => self.settle_now(&index),
        }
        if Counters::read(&self.shared.counters.batches).is_multiple_of(GROWTH_CHECK_BATCHES) {
            self.check_growth(&index);
        }
    }

    /// The index takes changes in more slowly than they come.
    fn settle_now(&mut self, index: &Index) {
        match guarded(|| index.settle_begun(Duration::ZERO)) {
            Ok(()) => {}
            Err(fault @ Fault::Index(_)) => {
                tracing::error!(%fault, "the index cannot be written");
                self.start_rebuild(Reason::Unwritable);
            }
            Err(fault) => tracing::warn!(%fault, "the index is settled later"),
        }
    }

    /// Records all that holds, in one write each of packs and journal.
    fn record(&mut self, requests: &[Request]) -> Result<Vec<Appended>, Failure> {
        self.space.check().map_err(Failure::Undone)?;
        let index = self.shared.index();
        let mut batch = Batch {
            packs: self.packs.draft().map_err(Failure::Undone)?,
            draft: self.journal.draft().map_err(Failure::Undone)?,
            directory: self.shared.directory(),
            outcomes: Vec::with_capacity(requests.len()),
            originals: 0,
            befores: Vec::new(),
        };
        let mut view = index.view();
        for request in requests {
            let now = (self.clock)();
            let packs = &self.shared.sources.packs;
            let outcome = batch.take(&mut view, packs, request, now);
            let outcome = outcome.map_err(Failure::Undone)?;
            batch.outcomes.push(outcome);
        }
        let changes = view.into_changes();
        if let Err(failure) = self.write(&batch) {
            return Err(self.undo(&batch, failure));
        }
        let packs = self.packs.end();
        let applied = Applied {
            format: FORMAT,
            journal: self.journal.resume(),
            packs,
            live_bytes: 0,
        };
        index.absorb(changes, applied);
        self.shared.publish(
            Ends {
                tip: self.journal.tip(),
                packs,
            },
            batch.directory,
            batch.befores,
        );
        Counters::add(&self.shared.counters.originals, batch.originals);
        Ok(batch.outcomes)
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        let counters = &self.shared.counters;
        if !batch.packs.is_empty() {
            self.packs.write(&batch.packs).map_err(Failure::Undone)?;
            let began = Instant::now();
            self.packs.sync().map_err(Failure::Unknown)?;
            counters.synced(began.elapsed());
        }
        if !batch.draft.is_empty() {
            self.journal.write(&batch.draft).map_err(Failure::Undone)?;
            let began = Instant::now();
            self.journal.sync(&batch.draft).map_err(Failure::Unknown)?;
            counters.synced(began.elapsed());
        }
        Ok(())
    }

    /// Cuts off what a failed write left, so that the next one begins at the last durable byte.
    fn undo(&mut self, batch: &Batch, failure: Failure) -> Failure {
        let Failure::Undone(fault) = failure else {
            return failure;
        };
        match self
            .journal
            .roll_back()
            .and_then(|()| self.packs.withdraw(&batch.packs))
        {
            Ok(()) => Failure::Undone(fault),
            Err(worse) => Failure::Unknown(worse),
        }
    }

    fn check_growth(&mut self, index: &Index) {
        match guarded(|| index.has_grown()) {
            Ok(Some(bytes)) => match self.space.check_beside(bytes) {
                Ok(()) => self.start_rebuild(Reason::Grown),
                Err(fault) => {
                    tracing::warn!(%fault, "the index has grown, and there is no space for another one beside it")
                }
            },
            Ok(None) => {}
            Err(fault) => tracing::warn!(%fault, "the size of the index is unknown"),
        }
    }

    /// Has another index made beside the one that serves.
    fn start_rebuild(&mut self, why: Reason) {
        let hurry = &self.shared.sources.hurry;
        let pause = match why {
            Reason::Grown => {
                // One that is being made for a damaged one goes on as fast as it does.
                hurry.store(
                    self.rebuild.is_some() && hurry.load(Ordering::Relaxed),
                    Ordering::Relaxed,
                );
                REBUILD_GROWN_PAUSE
            }
            Reason::Damaged | Reason::Unwritable => {
                self.shared.index().mark_damaged();
                hurry.store(true, Ordering::Relaxed);
                REBUILD_PAUSE
            }
        };
        let waits = self.rebuild_failed.is_some_and(|failed| failed.elapsed() < pause);
        if self.rebuild.is_some() || waits {
            return;
        }
        tracing::warn!(?why, "another index is made while this one serves");
        let (shared, reply) = (Arc::clone(&self.shared), self.reply.clone());
        let make = move || {
            let made = guarded(|| shared.sources.rebuild(&|| shared.ends(), &shared.counters));
            // The writer ends only after this thread.
            let _ = reply.send(Order::Adopt(Box::new(made)));
        };
        match std::thread::Builder::new()
            .name("index-rebuild".to_owned())
            .spawn(make)
        {
            Ok(handle) => self.rebuild = Some(handle),
            Err(error) => tracing::error!(%error, "no thread to make another index"),
        }
    }

    /// Puts another index in the place of the one that served.
    fn adopt(&mut self, made: Result<Index, Fault>) {
        self.rebuild = None;
        self.shared.sources.hurry.store(true, Ordering::Relaxed);
        let index = made.and_then(|index| {
            let Shared {
                sources, counters, ..
            } = &*self.shared;
            guarded(|| sources.catch_up(&index, self.shared.ends(), counters))?;
            index.spare();
            Ok(index)
        });
        match index {
            Ok(index) => {
                self.shared.replace_index(index).doom();
                tracing::info!("another index serves");
            }
            Err(fault) => {
                self.rebuild_failed = Some(Instant::now());
                tracing::error!(%fault, "another index could not be made; it is tried again when it is missed");
            }
        }
    }
}

impl Batch {
    /// Takes one commit in, if what it rests on holds.
    fn take(
        &mut self,
        view: &mut View<'_>,
        packs: &PackReader,
        request: &Request,
        now: Time,
    ) -> Result<Appended, Fault> {
        for expectation in &request.expects {
            if !view.holds(expectation)? {
                return Ok(Appended::Conflict);
            }
        }
        match self.change_directory(request, now) {
            Some(directory) => self.directory = directory,
            None => return Ok(Appended::Conflict),
        }
        for (digest, original) in &request.originals {
            if !self.is_kept(view, packs, digest)? {
                let place = self.packs.add(*digest, original);
                projection::keep(view, digest, place)?;
                self.originals += 1;
            }
        }
        let mut recorded = Vec::with_capacity(request.happenings.len());
        for happening in &request.happenings {
            let placed = self.draft.add(happening.clone(), now);
            projection::apply(view, &placed)?;
            self.befores.push(placed.before);
            recorded.push(placed.recorded);
        }
        Ok(Appended::Done(recorded))
    }

    /// Whether the original is kept, and can be read: what comes again mends what was damaged.
    fn is_kept(&self, view: &View<'_>, packs: &PackReader, digest: &Digest) -> Result<bool, Fault> {
        let Some(place) = view.original(digest)? else {
            return Ok(false);
        };
        if self.packs.holds(place) {
            return Ok(true);
        }
        let read = packs.read(digest, place);
        let read =
            read.inspect_err(|fault| tracing::warn!(%fault, "an original that came again is kept anew"));
        Ok(read.is_ok())
    }

    /// The directory after this commit; `None` when it contradicts what was decided before it.
    fn change_directory(&self, request: &Request, now: Time) -> Option<Arc<Directory>> {
        let mut directory = Arc::clone(&self.directory);
        let times = self.draft.times(now);
        for (happening, at) in request.happenings.iter().zip(times) {
            if let Happening::DirectoryChanged(change) = happening {
                match directory.apply(change, at) {
                    Ok(changed) => directory = Arc::new(changed),
                    Err(fault) => {
                        tracing::info!(%fault, "a change no longer fits the directory");
                        return None;
                    }
                }
            }
        }
        Some(directory)
    }
}
