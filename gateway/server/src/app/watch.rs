//! What `/ready` asks and `/metrics` shows, taken from the parts when somebody looks; and the end of the certificate that
//! receipts are signed under, which is told although nobody looks.

mod certificate;

use std::sync::Arc;
use std::time::Duration;

use domain::port::{Journal, StoreFault};

use crate::broker::{Broker, BrokerState};
use crate::clock::Unsteady;
use crate::stages::Road;
use crate::store::Store;
use crate::telemetry::{Measure, Metrics, Probe, Readiness, Total};
use crate::trustkeeper::TrustKeeper;

pub(super) use certificate::CertificateWatch;

/// Held and parked submissions counted at most: one row of the index each.
const UNDECIDED_COUNTED_MAX: usize = 100_000;
/// Due dispatches counted at most, of all agencies together: two reads of the index each, some microseconds.
const DUE_COUNTED_MAX: usize = 50_000;

/// The parts that are watched.
pub(super) struct Watched<'a> {
    pub(super) road: &'a Road,
    pub(super) store: &'a Store,
    pub(super) broker: &'a Broker,
    pub(super) trust: &'a Arc<TrustKeeper>,
    /// How long before the end of the receipt key's certificate that end is told.
    pub(super) certificate_notice: Duration,
}

/// Registers the questions of readiness and the samples of the metrics. What it gives back is to run as a task.
pub(super) fn questions(
    readiness: &Readiness,
    metrics: &Metrics,
    watched: &Watched<'_>,
) -> Arc<CertificateWatch> {
    let broker = watched.broker.clone();
    readiness.register("broker", move || match broker.state() {
        BrokerState::Connected if !broker.is_proven() => {
            Probe::NotReady("the broker is not proven to be this gateway's; the log says why".to_owned())
        }
        BrokerState::Connected => Probe::Ready,
        BrokerState::Away => Probe::NotReady("no connection to the broker".to_owned()),
        BrokerState::Blocked => Probe::NotReady("the broker takes nothing: memory or disk alarm".to_owned()),
    });
    let troubles = Arc::clone(&watched.road.troubles);
    readiness.register("queues", move || match troubles.missing_queues() {
        missing if missing.is_empty() => Probe::Ready,
        missing => Probe::NotReady(format!(
            "the broker has no queue {}: run gateway broker provision",
            missing.join(", ")
        )),
    });
    let store = watched.store.clone();
    readiness.register("store", move || {
        match store.stopped().or_else(|| store.short_of_space()) {
            None => Probe::Ready,
            Some(why) => Probe::NotReady(why),
        }
    });
    let (store, troubles) = (watched.store.clone(), Arc::clone(&watched.road.troubles));
    readiness.register("originals", move || {
        match (store.missing(), troubles.unreadable()) {
            (0, 0) => Probe::Ready,
            (0, unreadable) => Probe::NotReady(format!(
                "{unreadable} due dispatches cannot be read; the log names them and says what to do"
            )),
            (missing, _) => Probe::NotReady(format!(
                "{missing} originals that the journal names are not there; the log says what to do"
            )),
        }
    });
    let road = watched.road.clone();
    readiness.register("clock", move || match road.clock.steady() {
        Ok(()) => Probe::Ready,
        Err(unsteady) => Probe::NotReady(unsteady.to_string()),
    });
    let certificate = Arc::new(CertificateWatch::of(watched.road, watched.certificate_notice));
    let asked = Arc::clone(&certificate);
    readiness.register("certificate", move || asked.probe());
    let asked = Arc::clone(&certificate);
    metrics.on_scrape(move |metrics| {
        metrics.set(Measure::CertificateRemaining, asked.remaining_seconds());
    });
    let trust = Arc::clone(watched.trust);
    readiness.register("trust", move || trust.probe());
    let trust = Arc::clone(watched.trust);
    metrics.on_scrape(move |metrics| trust.measure(metrics));
    let (road, store, broker) = (
        watched.road.clone(),
        watched.store.clone(),
        watched.broker.clone(),
    );
    metrics.on_scrape(move |metrics| sample(metrics, &road, &store, &broker));
    certificate
}

fn sample(metrics: &Metrics, road: &Road, store: &Store, broker: &Broker) {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let connected = |state| i64::from(state == BrokerState::Connected);
    metrics.set(Measure::BrokerConsuming, connected(broker.intake.state()));
    metrics.set(Measure::BrokerPublishing, connected(broker.publisher.state()));
    let figures = store.figures();
    metrics.set(Measure::JournalEvents, whole(figures.journal_events));
    metrics.set(Measure::IndexBytes, whole(figures.index_disk_bytes));
    metrics.set(Measure::FreeBytes, whole(store.free_bytes()));
    metrics.set(Measure::StoreQueue, whole(figures.queue_commits));
    metrics.set_total(Total::StoreBatches, figures.batches);
    metrics.set_total(Total::StoreCommits, figures.commits);
    metrics.set_total(Total::StoreConflicts, figures.conflicts);
    metrics.set_total(Total::StoreRebuilds, figures.rebuilds);
    metrics.set_total(Total::StoreRefusals, figures.refusals);
    metrics.set_total(Total::StoreSyncs, figures.syncs);
    let sync_micros = u64::try_from(figures.sync_time.as_micros()).unwrap_or(u64::MAX);
    metrics.set_total(Total::StoreSyncMicroseconds, sync_micros);
    let unsteady = road.clock.steady().err();
    metrics.set(Measure::ClockJumpSeconds, unsteady.map_or(0, Unsteady::seconds));
    // A question that fails leaves the last number standing; readiness tells the fault.
    if let Ok((held, parked)) = store.undecided(UNDECIDED_COUNTED_MAX) {
        metrics.set(Measure::Held, whole(held as u64));
        metrics.set(Measure::ParkedPackets, whole(parked as u64));
    }
    if let Ok(due) = count_due(&*road.journal, DUE_COUNTED_MAX) {
        metrics.set(Measure::Due, whole(due as u64));
    }
    if let Ok(flying) = count_flying(road) {
        metrics.set(Measure::InFlight, flying);
    }
}

/// Dispatches that wait, up to `rows_max` of them: a scrape costs no more however much is waiting.
pub(super) fn count_due(journal: &dyn Journal, rows_max: usize) -> Result<usize, StoreFault> {
    let mut sum = 0;
    for agency in journal.waiting()? {
        if sum == rows_max {
            break;
        }
        sum += journal.due(agency, rows_max - sum)?.len();
    }
    Ok(sum)
}

/// Dispatches in inboxes: no more than the windows of all agencies.
fn count_flying(road: &Road) -> Result<i64, StoreFault> {
    let mut sum: i64 = 0;
    for agency in road.journal.flying()? {
        sum += i64::try_from(road.journal.in_flight(agency)?.len()).unwrap_or(i64::MAX);
    }
    Ok(sum)
}
