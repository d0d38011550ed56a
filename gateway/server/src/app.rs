//! Brings everything together: the one place that names every adapter.
//!
//! Crash-only: every stage can be ended at any moment and loses nothing, so that a graceful end is only a shorter next
//! start. It stops taking, lets what is on the road be recorded, and closes the store.

mod accounts;
mod epoch;
mod epochs;
mod feeds;
mod inboxes;
mod parking;
mod provision;
mod rights;
mod tasks;
#[cfg(test)]
mod tests;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::ids::{AgencyId, Code};
use domain::judge::Terms;
use domain::packet;
use domain::port::Journal;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::administration::Administration;
use crate::broker::{self, Address, Broker, BrokerFault, ConsumeLimits, PublishLimits};
use crate::clock::Clock;
use crate::config::{BrokerConfig, Config, LimitsConfig};
use crate::http::{HttpFault, InternalPort, Services};
use crate::signer::{SignerFault, load_seal};
use crate::stages::poison::CrashNotes;
use crate::stages::receive::{Inspectors, Judged};
use crate::stages::signal::{SignalEnds, Signals};
use crate::stages::{Road, Rules, record};
use crate::store::{self, Store, StoreConfig};
use crate::telemetry::{Metrics, Readiness};
use crate::trustkeeper::{TrustKeeper, TrustKeeperFault};

pub use epochs::{EPOCH_FILE, Epochs};
pub use provision::{AccountFiles, BrokerProvision, provisioner};

/// Places on the road for each inspector: enough that none waits for the writer.
const PLACES_PER_INSPECTOR: usize = 64;

/// How often the store is asked whether it has stopped.
const STORE_LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppFault {
    /// The broker's address.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// An agency bears the gateway's code.
    #[error(
        "the gateway's code {code} is that of {agency}: its status packets would speak in that agency's name"
    )]
    CodeTaken {
        /// The code.
        code: Code,
        /// Whose it is.
        agency: AgencyId,
    },
    /// The crash notes.
    #[error("the folder of crash notes: {0}")]
    CrashNotes(#[source] std::io::Error),
    /// The file of the broker's epochs cannot be read.
    #[error("{path}: {error}")]
    Epochs {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// The internal port.
    #[error(transparent)]
    Http(#[from] HttpFault),
    /// A stage ended although nobody asked it to.
    #[error("the stage {0} ended by itself")]
    StageEnded(&'static str),
    /// The receipt key.
    #[error(transparent)]
    Signer(#[from] SignerFault),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Fault),
    /// The store cannot tell what is on its disk: the process ends, and the next one reads what is there.
    #[error("the store has stopped: {0}")]
    StoreStopped(String),
    /// The inspectors' threads.
    #[error("a thread cannot be started: {0}")]
    Threads(#[source] std::io::Error),
    /// The trust material.
    #[error(transparent)]
    Trust(#[from] TrustKeeperFault),
}

/// The store's own settings, from the configuration.
pub fn store_config(config: &Config) -> StoreConfig {
    StoreConfig {
        segment_bytes_max: config.store.segment_bytes_max,
        inline_bytes_max: config.store.inline_bytes_max,
        index_cache_bytes: config.store.index_cache_bytes,
        index_flush_every_ms: config.store.index_flush_milliseconds,
        queue_commits_max: config.store.queue_commits_max,
        commit_interval: config.store.commit_interval,
        interval_from_commits: config.store.interval_from_commits,
        free_bytes_min: config.store.free_bytes_min,
        ..StoreConfig::at(&config.gateway.data_dir)
    }
}

/// Opens the store, and compares the time of day with its newest event: until it has come up to that, or a person has
/// accepted it, the clock is not steady.
///
/// # Errors
/// Of [`Store::open`].
pub async fn open_store(settings: StoreConfig, clock: &Clock) -> Result<Store, store::Fault> {
    let time = clock.clone();
    let opening = tokio::task::spawn_blocking(move || Store::open(&settings, move || time.now()));
    let store = opening.await.expect("opening a store does not panic")?;
    if let Some(newest) = store.newest() {
        clock.not_before(newest);
    }
    Ok(store)
}

/// The broker's address with user and password of the gateway.
///
/// # Errors
/// [`BrokerFault`] where the file of authorities gives none: the system's never stand in for it.
pub fn broker_address(config: &BrokerConfig) -> Result<Address, BrokerFault> {
    let authorities = config.ca_file.as_deref().map(broker::authorities).transpose()?;
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let (scheme, place) = config
        .uri
        .split_once("://")
        .expect("the configuration checked the address");
    let uri = format!(
        "{scheme}://{}:{}@{place}/{}",
        encode(&config.user),
        encode(config.password.expose()),
        encode(&config.vhost)
    );
    let heartbeat_seconds = u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX);
    Ok(Address {
        authorities,
        heartbeat_seconds,
        ..Address::new(SecretString::from(uri))
    })
}

fn rules(config: &Config) -> Rules {
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    let (limits, exchange) = (&config.limits, &config.exchange);
    Rules {
        gateway: config.gateway.code.clone(),
        terms: Terms {
            delivery_limit_seconds: seconds(exchange.delivery_limit_seconds),
            hold_limit_seconds: seconds(exchange.hold_limit_seconds),
            targets_max: limits.targets_max,
            changes_max: limits.changes_max,
            statuses_max: limits.statuses_max,
            seals: exchange.seals.clone(),
        },
        limits: packet_limits(limits),
        packet_bytes_max: bytes_of(limits.packet_bytes_max),
        window: config.broker.window,
        window_urgent: config.broker.window_urgent,
        dispatch_bytes_max: config.broker.dispatch_bytes_max,
        unconfirmed_max: config.broker.unconfirmed_max,
        consignment_notice: Duration::from_secs(exchange.consignment_notice_seconds),
        needs_wait: config.trust.need_wait,
        retry_after: Duration::from_secs(exchange.retry_seconds),
        damaged_rest: Duration::from_secs(exchange.damaged_rest_seconds),
        damaged_passed_over_max: exchange.damaged_passed_over_max,
        hold_retry: Duration::from_secs(exchange.hold_retry_seconds),
        closed_account_limit: Duration::from_secs(exchange.closed_account_seconds),
        sweep_every: Duration::from_secs(exchange.sweep_seconds),
    }
}

/// How much one packet may ask for.
pub(crate) fn packet_limits(limits: &LimitsConfig) -> packet::Limits {
    let defaults = packet::Limits::default();
    packet::Limits {
        xml: trust::xml::Limits {
            bytes_max: bytes_of(limits.packet_bytes_max),
            depth_max: limits.depth_max,
            nodes_max: limits.nodes_max,
            attributes_max: limits.attributes_max,
            ..defaults.xml
        },
        addressees_max: limits.addressees_max,
        attachments_max: limits.attachments_max,
        attachment_bytes_max: bytes_of(limits.attachment_bytes_max),
        contents_bytes_max: bytes_of(limits.contents_bytes_max),
        expansion_ratio_max: limits.expansion_ratio_max,
        text_bytes_max: limits.text_bytes_max,
    }
}

/// Agencies may come later, so a demand upon nobody keeps no gateway from starting.
fn tell_unknown_codes(road: &Road) {
    let demands = &road.rules.terms.seals.packet;
    for code in demands.unknown(&road.journal.directory(), road.now()) {
        warn!(%code, "[exchange.seals] packet_signature_of names a code that no agency bears");
    }
}

/// A gateway under an agency's code does not start: what it would tell meanwhile (a refusal as a status packet) would stand
/// in that agency's name for ever, and no alarm takes it back. Mended without a running gateway, by one line of the configuration
/// or one command.
fn code_is_own(road: &Road) -> Result<(), AppFault> {
    let code = &road.rules.gateway;
    match road.journal.directory().by_code(code, road.now()) {
        Some(agency) => Err(AppFault::CodeTaken {
            code: code.clone(),
            agency,
        }),
        None => Ok(()),
    }
}

fn bytes_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// A gateway, put together and not yet running.
struct Gateway {
    road: Road,
    store: Store,
    ends: SignalEnds,
    broker: Broker,
    lanes: broker::Lanes,
    keeper: Arc<TrustKeeper>,
    port: InternalPort,
    inspectors: Inspectors,
    judged: mpsc::UnboundedReceiver<Judged>,
    epochs: Arc<Epochs>,
    provision: Option<Arc<BrokerProvision>>,
    metrics: Arc<Metrics>,
    certificate: Arc<watch::CertificateWatch>,
}

/// Runs the gateway until `end` is ready, then ends it gracefully.
///
/// # Errors
/// [`AppFault`].
pub async fn run(config: &Config, end: impl Future<Output = ()>) -> Result<(), AppFault> {
    let gateway = assemble(config).await?;
    info!(address = %gateway.port.address(), "the gateway runs");
    let store = gateway.store.clone();
    let outcome = drive(config, gateway, end).await;
    // What was appended is durable already; this ends the writer and gives the directory back.
    let closing = tokio::task::spawn_blocking(move || store.close());
    if closing.await.is_err() {
        error!("the writer ended by panic");
    }
    outcome
}

async fn assemble(config: &Config) -> Result<Gateway, AppFault> {
    let data_dir: &Path = &config.gateway.data_dir;
    let clock = Clock::start(config.gateway.clock_jump_max);
    let store = open_store(store_config(config), &clock).await?;
    let keeper = Arc::new(TrustKeeper::start(&config.trust, data_dir, clock.clone())?);
    let address = broker_address(&config.broker)?;
    let (broker, lanes) = Broker::new(&address, publish_limits(config), consume_limits(config))?;
    let metrics = Arc::new(Metrics::new());
    let (signals, ends) = Signals::new();
    let signals = Arc::new(signals);
    let road = Road {
        journal: Arc::new(store.clone()),
        archive: Arc::new(store.clone()),
        inbox: Arc::clone(&broker.publisher) as Arc<dyn domain::port::Inbox>,
        trust: Arc::new(feeds::Keeper(Arc::clone(&keeper))),
        seal: load_seal(&config.gateway, clock.now())?,
        rules: Arc::new(rules(config)),
        clock: clock.clone(),
        signals: Arc::clone(&signals),
        waits: Arc::default(),
        troubles: Arc::default(),
        metrics: Arc::clone(&metrics),
    };
    code_is_own(&road)?;
    tell_unknown_codes(&road);
    let epochs = Arc::new(Epochs::open(data_dir)?);
    let provision = provision::of(config, &epochs);
    let readiness = Arc::new(Readiness::new());
    let notes = CrashNotes::open(&data_dir.join("crashes")).map_err(AppFault::CrashNotes)?;
    let notes = Arc::new(notes);
    let (inspectors, judged) = start_inspectors(config, &road, &notes)?;
    let watched = watch::Watched {
        road: &road,
        store: &store,
        broker: &broker,
        trust: &keeper,
        certificate_notice: config.gateway.certificate_notice,
    };
    let certificate = watch::questions(&readiness, &metrics, &watched);
    let services = Services {
        metrics: Arc::clone(&metrics),
        readiness,
        administration: Arc::new(administration(&road, provision.as_ref())),
        parking: Arc::new(parking::Releasing {
            road: road.clone(),
            inspectors: inspectors.clone(),
            notes,
        }),
        trust: Arc::clone(&keeper) as Arc<dyn crate::administration::TrustDesk>,
        clock,
    };
    let port = InternalPort::open(&config.http, data_dir, services)?;
    Ok(Gateway {
        road,
        store,
        ends,
        broker,
        lanes,
        keeper,
        port,
        inspectors,
        judged,
        epochs,
        provision,
        metrics,
        certificate,
    })
}

fn start_inspectors(
    config: &Config,
    road: &Road,
    notes: &Arc<CrashNotes>,
) -> Result<(Inspectors, mpsc::UnboundedReceiver<Judged>), AppFault> {
    let threads = match config.gateway.inspect_threads {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        threads => threads,
    };
    let places = threads * PLACES_PER_INSPECTOR;
    Inspectors::start(road, notes, threads, places).map_err(AppFault::Threads)
}

/// Waits until the store takes nothing more before a restart. Going on without it would only gather work that nobody
/// records.
async fn stopped(store: &Store) -> String {
    loop {
        if let Some(why) = store.stopped() {
            return why;
        }
        tokio::time::sleep(STORE_LOOK_EVERY).await;
    }
}

fn administration(road: &Road, provision: Option<&Arc<BrokerProvision>>) -> Administration {
    let told = road.clone();
    let runtime = tokio::runtime::Handle::current();
    let provision: Arc<dyn crate::administration::Provision> = match provision {
        Some(provision) => Arc::clone(provision) as Arc<dyn crate::administration::Provision>,
        None => Arc::new(crate::administration::NotProvisioned),
    };
    let desk = Administration::new(Arc::clone(&road.journal), provision, road.clock.clone())
        .of_gateway(road.rules.gateway.clone());
    desk.telling(move |recorded| {
        let (road, recorded) = (told.clone(), recorded.to_vec());
        road.metrics.count(&recorded);
        // The desk does not wait for the stages; a signal that is lost is found by the sweep.
        drop(runtime.spawn(async move { record::announce(&road, &recorded).await }));
    })
}

fn publish_limits(config: &Config) -> PublishLimits {
    PublishLimits {
        outstanding_max: config.broker.unconfirmed_max,
        confirm_timeout: config.broker.confirm_max,
    }
}

fn consume_limits(config: &Config) -> ConsumeLimits {
    ConsumeLimits {
        prefetch_max: config.broker.prefetch_count,
        unsettled_bytes_max: config.broker.prefetch_bytes_max,
        ..ConsumeLimits::default()
    }
}

/// Runs all tasks until `end` is ready. A task that ends before is a bug and ends the gateway.
async fn drive(config: &Config, gateway: Gateway, end: impl Future<Output = ()>) -> Result<(), AppFault> {
    let (broker, port, store) = (
        gateway.broker.clone(),
        gateway.port.handle(),
        gateway.store.clone(),
    );
    let inspectors = gateway.inspectors.clone();
    gateway.road.signals.look_for_owed();
    let mut tasks = tasks::start(gateway);
    let outcome = tokio::select! {
        () = end => Ok(()),
        why = stopped(&store) => Err(AppFault::StoreStopped(why)),
        Some(ended) = tasks.join_next() => Err(AppFault::StageEnded(ended.unwrap_or("(panicked)"))),
    };
    info!("ending");
    broker.intake.stop_taking();
    let drained = async {
        while inspectors.taken() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(config.gateway.shutdown_max, drained)
        .await
        .is_err()
    {
        warn!("some submissions were not decided in time; the broker brings them again");
    }
    port.stop(false).await;
    tasks.shutdown().await;
    broker.close().await;
    outcome
}
