//! The load: documents handed to connectors, and what comes of them, document by document.
//!
//! A document is *delivered* when the addressee's connector has it on disk, and *complete* when the sender's connector
//! has its two receipts (acceptance and handover) on disk, too.
//!
//! **Invariant**: latency runs from the moment at which a document was to be sent, not from when it was: a load that falls
//! behind shows as latency, never as a smaller load (no coordinated omission).
//! **Invariant**: every document of a run is accounted for; a listener that missed an event ends the bench.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use connector::{Connector, Event};
use domain::{
    dispatch::{DispatchKind, Rank},
    ids::{DispatchId, SubmissionId},
};
use hdrhistogram::Histogram;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast},
    task::JoinSet,
    time::Instant,
};

use crate::documents::{Document, number_of};

/// What follows from a document: its delivery and two receipts.
const PARTS: u8 = 3;
/// A run in which nothing happens for so long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Latencies are kept in microseconds, up to ten minutes, to three digits.
const LATENCY_MAX_US: u64 = 600_000_000;

/// One document on its way.
struct Way {
    /// When it was to be sent, in microseconds of the wall clock.
    intended: i64,
    parts: u8,
    permit: Option<OwnedSemaphorePermit>,
}

/// What is known of the run of now.
struct Ledger {
    /// Number of the first document.
    first: usize,
    ways: Vec<Option<Way>>,
    complete: usize,
    /// Documents before this one warm up; their latency is not counted.
    measured_from: usize,
    latencies: Histogram<u64>,
    last_at: i64,
    /// Since the beginning: confirmation messages, handovers in them, dispatches that came twice.
    totals: Totals,
    /// A submission that was answered, with its connector.
    answered: Option<(usize, SubmissionId)>,
}

/// What was counted over all runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Confirmation messages that connectors sent.
    pub(crate) confirmations: u64,
    /// Handovers in them.
    pub(crate) handovers: u64,
    /// Dispatches that came to a connector again.
    pub(crate) repeats: u64,
}

impl Totals {
    /// What was added to `before`.
    pub(crate) fn since(self, before: Totals) -> Totals {
        Totals {
            confirmations: self.confirmations - before.confirmations,
            handovers: self.handovers - before.handovers,
            repeats: self.repeats - before.repeats,
        }
    }
}

/// The figures of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) documents: usize,
    /// From the first intended send time to the last part of the last document.
    pub(crate) seconds: f64,
    latencies: Histogram<u64>,
}

impl Run {
    /// Latency at a quantile, in milliseconds.
    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1_000.0
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.documents as f64 / self.seconds
    }
}

/// Connectors with somebody who listens to each.
pub(crate) struct Load {
    connectors: Vec<Arc<Connector>>,
    ledger: Arc<Mutex<Ledger>>,
    _listening: JoinSet<()>,
}

impl Load {
    /// Listens from now on.
    pub(crate) fn new(connectors: &[Arc<Connector>]) -> Load {
        let ledger = Arc::new(Mutex::new(Ledger {
            first: 0,
            ways: Vec::new(),
            complete: 0,
            measured_from: 0,
            latencies: histogram(),
            last_at: 0,
            totals: Totals::default(),
            answered: None,
        }));
        let mut listening = JoinSet::new();
        for (number, connector) in connectors.iter().enumerate() {
            let listener = Listener {
                number,
                connector: Arc::clone(connector),
                ledger: Arc::clone(&ledger),
            };
            listening.spawn(listener.listen(connector.events()));
        }
        Load {
            connectors: connectors.to_vec(),
            ledger,
            _listening: listening,
        }
    }

    /// What was counted over all runs so far.
    pub(crate) fn totals(&self) -> Totals {
        locked(&self.ledger).totals
    }

    /// Bytes of a receipt.
    pub(crate) fn receipt_bytes(&self) -> usize {
        let answered = locked(&self.ledger).answered.clone();
        let (connector, submission) = answered.expect("something was answered");
        let connector = &self.connectors[connector];
        let answer = connector
            .answer_of(&submission)
            .expect("the newest answers are remembered");
        connector
            .receipt_bytes(&answer)
            .expect("the receipt is in the log")
            .len()
    }

    /// Sends as fast as documents become complete, with so many on their way.
    pub(crate) async fn closed(&self, documents: Vec<Document>, outstanding: usize) -> Run {
        let places = Arc::new(Semaphore::new(outstanding));
        let (count, started) = (documents.len(), connector::now().as_micros());
        self.begin(&documents, 0);
        let send = async {
            let mut sending = JoinSet::new();
            for document in documents {
                let permit = Arc::clone(&places).acquire_owned().await.expect("never closed");
                let now = connector::now().as_micros();
                self.submit(&mut sending, document, now, Some(permit));
            }
            sending.join_all().await;
        };
        tokio::join!(send, self.completed(count));
        self.end(count, started)
    }

    /// Sends at a fixed rate, whatever happens. The latency of the first `warm_up` does not count.
    pub(crate) async fn open(&self, documents: Vec<Document>, per_second: f64, warm_up: usize) -> Run {
        let (count, begin, started) = (documents.len(), Instant::now(), connector::now().as_micros());
        self.begin(&documents, warm_up);
        let send = async {
            let mut sending = JoinSet::new();
            for (place, document) in documents.into_iter().enumerate() {
                let due = Duration::from_secs_f64(place as f64 / per_second);
                tokio::time::sleep_until(begin + due).await;
                let intended = started + i64::try_from(due.as_micros()).expect("a run takes minutes");
                self.submit(&mut sending, document, intended, None);
            }
            sending.join_all().await;
        };
        tokio::join!(send, self.completed(count));
        self.end(count, started)
    }

    fn begin(&self, documents: &[Document], warm_up: usize) {
        let first = documents.first().map_or(0, |document| document.number);
        let mut ledger = locked(&self.ledger);
        ledger.first = first;
        ledger.ways = std::iter::repeat_with(|| None).take(documents.len()).collect();
        ledger.complete = 0;
        ledger.measured_from = first + warm_up;
        ledger.latencies = histogram();
    }

    fn end(&self, documents: usize, started: i64) -> Run {
        let ledger = locked(&self.ledger);
        Run {
            documents,
            seconds: (ledger.last_at - started) as f64 / 1e6,
            latencies: ledger.latencies.clone(),
        }
    }

    /// Hands a document to its sender's connector, and does not wait for its disk.
    fn submit(
        &self,
        sending: &mut JoinSet<()>,
        document: Document,
        intended: i64,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        {
            let mut ledger = locked(&self.ledger);
            let place = document.number - ledger.first;
            ledger.ways[place] = Some(Way {
                intended,
                parts: 0,
                permit,
            });
        }
        while sending.try_join_next().is_some() {}
        let connector = Arc::clone(&self.connectors[document.sender]);
        sending.spawn(async move {
            let taken = connector.submit(document.bytes, Rank::Normal).await;
            taken.expect("a connector takes what is submitted");
        });
    }

    /// Waits until all documents of the run are complete.
    ///
    /// # Panics
    /// When nothing happens for a minute.
    async fn completed(&self, count: usize) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let (mut known, mut since) = (0, Instant::now());
        loop {
            tick.tick().await;
            let complete = locked(&self.ledger).complete;
            if complete == count {
                return;
            }
            if complete != known {
                (known, since) = (complete, Instant::now());
            }
            assert!(
                since.elapsed() < SILENCE_MAX,
                "{complete} of {count} documents came through, then nothing"
            );
        }
    }
}

/// Who listens to a connector.
struct Listener {
    number: usize,
    connector: Arc<Connector>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Listener {
    /// Notes what the connector tells, and lets it forget what it has stored.
    async fn listen(self, mut events: broadcast::Receiver<Event>) {
        let mut stored = Vec::new();
        loop {
            match events.recv().await {
                Ok(event) => stored.extend(self.note(&event)),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    panic!("{missed} events of a connector were missed")
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
            if events.is_empty() {
                let done = std::mem::take(&mut stored);
                let forgotten = self.connector.done_many(&done).await;
                forgotten.expect("a connector's store works");
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest of what a connector tells is no part of the account"
    )]
    fn note(&self, event: &Event) -> Option<DispatchId> {
        let mut ledger = locked(&self.ledger);
        match event {
            Event::Stored {
                dispatch,
                kind,
                document,
                at,
                ..
            } => {
                let document = document.as_deref().and_then(number_of);
                let document = document.expect("every dispatch is about a document of the bench");
                ledger.stored(document, *kind, at.as_micros());
                return Some(*dispatch);
            }
            Event::Answered(submission, _) => ledger.answered = Some((self.number, submission.clone())),
            Event::HandoversConfirmed(count) => {
                ledger.totals.confirmations += 1;
                ledger.totals.handovers += *count as u64;
            }
            Event::Repeated(_) => ledger.totals.repeats += 1,
            Event::Unreadable(reason) | Event::StoreFailed(reason) => panic!("a connector failed: {reason}"),
            _ => {}
        }
        None
    }
}

impl Ledger {
    fn stored(&mut self, document: usize, kind: DispatchKind, at: i64) {
        let way = document
            .checked_sub(self.first)
            .and_then(|place| self.ways.get_mut(place));
        let Some(Some(way)) = way else {
            panic!("document {document} is of no run");
        };
        if kind == DispatchKind::Packet && document >= self.measured_from {
            let latency = u64::try_from(at - way.intended)
                .unwrap_or(0)
                .clamp(1, LATENCY_MAX_US);
            self.latencies.record(latency).expect("clamped");
        }
        way.parts += 1;
        if way.parts == PARTS {
            self.complete += 1;
            self.last_at = self.last_at.max(at);
            way.permit = None;
        }
    }
}

fn locked(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_US, 3).expect("these bounds are allowed")
}
