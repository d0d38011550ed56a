//! Receive: takes arrivals in turn, urgent ones first, and hands them to the inspectors' threads.
//!
//! **Invariant:** bounded: an arrival holds a place from here until its verdict is recorded.
//! **Invariant:** an arrival that is dropped anywhere settles nothing; the message comes again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel as threads;
use domain::dispatch::Rank;
use domain::ids::CaseId;
use domain::port::StoreFault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::{error, warn};
use uuid::Uuid;

use super::inspect::{Job, Occasion, Verdict, inspect, park, submission_of};
use super::poison::{Admission, CrashNotes};
use super::{Acknowledge, Arrival, Road};
use crate::telemetry::Stage;

/// Why a packet is parked.
const CRASHED: &str = "crashed-three-times";
/// Why a packet of an account that nobody should be able to use any more waits for one.
const ACCOUNT_CLOSED: &str = "account-closed";
/// One urgent place beside so many normal ones.
const URGENT_SHARE: usize = 4;
/// Urgent packets that one thread inspects before a normal one that waits has its turn.
const URGENT_IN_A_ROW_MAX: u32 = 8;

/// A job on its way, with the other side of its arrival and its place.
pub struct Travelling {
    /// What is judged.
    pub job: Job,
    /// How often the message was handed over before.
    pub deliveries: u32,
    /// How often it was judged and lost a race.
    pub conflicts: u32,
    /// Whether it goes before normal ones.
    pub urgent: bool,
    /// Settles it.
    pub handle: Box<dyn Acknowledge>,
    /// Its place on the road.
    pub place: Arc<OwnedSemaphorePermit>,
}

/// A job with its verdict.
pub struct Judged {
    /// The job.
    pub travelling: Travelling,
    /// The verdict.
    pub verdict: Verdict,
}

/// The way to the inspectors' threads.
#[derive(Clone)]
pub struct Inspectors {
    urgent: threads::Sender<Travelling>,
    normal: threads::Sender<Travelling>,
    places: Arc<Places>,
}

/// The places on the road. Urgent ones have their own, and those that wait for trust material never take more than
/// half: a slow address of a revocation list stops nothing else.
struct Places {
    normal: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    all: usize,
}

impl Places {
    fn new(normal: usize) -> Places {
        let urgent = (normal / URGENT_SHARE).max(1);
        Places {
            normal: Arc::new(Semaphore::new(normal)),
            urgent: Arc::new(Semaphore::new(urgent)),
            waiting: Arc::new(Semaphore::new(normal / 2)),
            all: normal + urgent,
        }
    }

    fn of(&self, urgent: bool) -> &Arc<Semaphore> {
        if urgent { &self.urgent } else { &self.normal }
    }
}

impl Inspectors {
    /// Starts the threads. Verdicts come out of the returned receiver. Threads end when all senders are gone.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        road: &Road,
        notes: &Arc<CrashNotes>,
        threads_max: usize,
        places_max: usize,
    ) -> std::io::Result<(Inspectors, mpsc::UnboundedReceiver<Judged>)> {
        let (urgent, urgent_end) = threads::unbounded();
        let (normal, normal_end) = threads::unbounded();
        // Unbounded on purpose: every job in them holds one of the places.
        let (judged, judged_end) = mpsc::unbounded_channel();
        for number in 0..threads_max {
            let worker = Worker {
                road: road.clone(),
                notes: Arc::clone(notes),
                urgent: urgent_end.clone(),
                normal: normal_end.clone(),
                judged: judged.clone(),
            };
            thread::Builder::new()
                .name(format!("inspect-{number}"))
                .spawn(move || worker.run())?;
        }
        Ok((
            Inspectors {
                urgent,
                normal,
                places: Arc::new(Places::new(places_max)),
            },
            judged_end,
        ))
    }

    /// Waits for a place on the road.
    ///
    /// # Errors
    /// When the road is closed: the process ends.
    pub async fn place(&self, urgent: bool) -> Result<Arc<OwnedSemaphorePermit>, tokio::sync::AcquireError> {
        Arc::clone(self.places.of(urgent))
            .acquire_owned()
            .await
            .map(Arc::new)
    }

    /// Leave to keep a place while something is fetched; `None` when too many do.
    pub fn leave_to_wait(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places.waiting).try_acquire_owned().ok()
    }

    /// Hands a job over. It is dropped, unsettled, when the threads are gone.
    pub fn hand_over(&self, travelling: Travelling) {
        let queue = if travelling.urgent {
            &self.urgent
        } else {
            &self.normal
        };
        if queue.send(travelling).is_err() {
            warn!(
                stage = "receive",
                "the inspectors are gone; the message will come again"
            );
        }
    }

    /// Places taken now.
    pub fn taken(&self) -> usize {
        let Places {
            normal, urgent, all, ..
        } = &*self.places;
        all.saturating_sub(normal.available_permits() + urgent.available_permits())
    }
}

/// Takes arrivals until both queues end.
pub async fn receive(
    road: Road,
    inspectors: Inspectors,
    urgent: mpsc::Receiver<Arrival>,
    normal: mpsc::Receiver<Arrival>,
) {
    tokio::join!(
        take(&road, &inspectors, urgent, true),
        take(&road, &inspectors, normal, false),
    );
}

/// Takes the arrivals of one queue, each as soon as there is a place.
async fn take(road: &Road, inspectors: &Inspectors, mut arrivals: mpsc::Receiver<Arrival>, urgent: bool) {
    while let Some(arrival) = arrivals.recv().await {
        let Ok(place) = inspectors.place(urgent).await else {
            return;
        };
        inspectors.hand_over(travelling(road, arrival, urgent, place));
    }
}

fn travelling(road: &Road, arrival: Arrival, urgent: bool, place: Arc<OwnedSemaphorePermit>) -> Travelling {
    let submission = submission_of(road, &arrival);
    let job = Job {
        body: arrival.body,
        submission,
        case: CaseId::from_uuid(Uuid::now_v7()),
        occasion: Occasion::Arrived,
        asked: false,
    };
    Travelling {
        job,
        deliveries: arrival.deliveries,
        conflicts: 0,
        urgent,
        handle: arrival.handle,
        place,
    }
}

struct Worker {
    road: Road,
    notes: Arc<CrashNotes>,
    urgent: threads::Receiver<Travelling>,
    normal: threads::Receiver<Travelling>,
    judged: mpsc::UnboundedSender<Judged>,
}

impl Worker {
    fn run(self) {
        let mut urgent_in_a_row = 0;
        while let Some(travelling) = self.next(urgent_in_a_row) {
            urgent_in_a_row = if travelling.urgent { urgent_in_a_row + 1 } else { 0 };
            let began = Instant::now();
            let verdict = self.guarded(&travelling);
            self.road.metrics.time(Stage::Inspect, began.elapsed());
            if self.judged.send(Judged { travelling, verdict }).is_err() {
                return;
            }
        }
    }

    /// The next job: an urgent one if there is one, and now and then a normal one all the same. The way of urgent packets
    /// is open to every agency for whatever it sends.
    fn next(&self, urgent_in_a_row: u32) -> Option<Travelling> {
        let (first, second) = if urgent_in_a_row < URGENT_IN_A_ROW_MAX {
            (&self.urgent, &self.normal)
        } else {
            (&self.normal, &self.urgent)
        };
        if let Ok(travelling) = first.try_recv().or_else(|_| second.try_recv()) {
            return Some(travelling);
        }
        threads::select_biased! {
            recv(self.urgent) -> travelling => travelling.ok(),
            recv(self.normal) -> travelling => travelling.ok(),
        }
    }

    fn park(&self, travelling: &Travelling, reason: &str) -> Verdict {
        let rank = if travelling.urgent {
            Rank::Urgent
        } else {
            Rank::Normal
        };
        park(&self.road, &travelling.job, rank, reason)
    }

    /// Whether its account was closed too long ago for this to have lain in its intake since: somebody may use a login
    /// that the broker was not told to take back.
    fn comes_from_closed_account(&self, job: &Job) -> bool {
        let limit = i64::try_from(self.road.rules.closed_account_limit.as_secs()).unwrap_or(i64::MAX);
        let (directory, submission) = (self.road.journal.directory(), &job.submission);
        let account = directory.account(&submission.account);
        let closed_at = account.and_then(|account| account.closed_at);
        job.occasion == Occasion::Arrived
            && closed_at.is_some_and(|closed| closed.plus_seconds(limit) < submission.received_at)
    }

    /// Inspects under the eyes of the crash notes. A panic is a bug: it is told, counted, and ends this job only.
    fn guarded(&self, travelling: &Travelling) -> Verdict {
        let packet = travelling.job.submission.packet;
        if self.comes_from_closed_account(&travelling.job) {
            return self.park(travelling, ACCOUNT_CLOSED);
        }
        let suspect = match self.notes.admit(&packet, travelling.deliveries) {
            Ok(Admission::Inspect(suspect)) => suspect,
            Ok(Admission::Park) => return self.park(travelling, CRASHED),
            Err(fault) => return not_now(&format!("crash notes: {fault}")),
        };
        let blamed = suspect.is_some();
        match catch_unwind(AssertUnwindSafe(|| inspect(&self.road, &travelling.job))) {
            Ok(verdict) => {
                if let Some(Err(fault)) = suspect.map(super::poison::Suspect::dismiss) {
                    warn!(stage = "inspect", error = %fault, "a crash note could not be removed");
                }
                verdict
            }
            Err(_) => {
                error!(stage = "inspect", packet.sha256 = %packet, "a packet crashed its inspector");
                let noted = if blamed { Ok(()) } else { self.notes.blame(&packet) };
                match noted {
                    Ok(()) => not_now("the inspector crashed"),
                    Err(fault) => not_now(&format!("crash notes: {fault}")),
                }
            }
        }
    }
}

fn not_now(why: &str) -> Verdict {
    Verdict::NotNow(StoreFault::NotNow(why.to_owned()))
}
