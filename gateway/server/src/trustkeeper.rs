//! The trust keeper: all I/O that trust needs, so that validation needs none.
//!
//! Beside the road. Reads anchors, issuing certificates and lists from folders; fetches lists ahead of need and when
//! `inspect` says what it lacks; asks OCSP responders when only they can settle a certificate; keeps what it fetched on
//! disk; hands out an immutable snapshot with a rising version.
//!
//! **Invariant:** never back in time: a list is replaced by a newer one of its series only, an OCSP answer by a newer one
//! about its certificate, also across restarts.
//! **Invariant:** no list is used before a certificate that is known here has signed it, and no certificate of elsewhere is
//! known before a known one issued it.
//! **Invariant:** a version rises only when the material changed: what is held is judged again for it.
//! **Invariant:** no stranger's address leads into the private network, and none is asked faster than it deserves.

mod adding;
mod address;
mod answers;
mod desk;
mod errand;
mod fetch;
mod files;
mod flight;
mod hosts;
mod keeping;
mod material;
pub(crate) mod once;
mod reading;
mod schedule;
mod standing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::receipt::vietnam_time;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use trust::{Need, Snapshot, Time};

use crate::administration::{
    AddedLine, Addition, AdditionFault, ListLine, ListState, TrustDesk, TrustDeskFault, TrustStatus,
};
use crate::clock::Clock;
use crate::config::TrustConfig;
use crate::telemetry::{CrlMeasure, Measure, Metrics, Probe};

use adding::Shelves;
use fetch::FetchLimits;
use keeping::Keeping;

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Requests that may wait for the keeper; more wait before it.
const REQUESTS_MAX: usize = 256;

/// Why the keeper could not begin.
#[derive(Debug, thiserror::Error)]
pub enum TrustKeeperFault {
    /// A folder cannot be read.
    #[error("cannot read {folder}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// No anchor: nothing could ever be accepted.
    #[error("no certificate in {0}: without an anchor nothing can be trusted")]
    NoAnchor(PathBuf),
    /// There are files, and none of them is an anchor: nothing could ever be accepted.
    #[error("no anchor in {folder}: {faults}")]
    Unpinned {
        /// The folder of anchors.
        folder: PathBuf,
        /// What is wrong with each file.
        faults: String,
    },
    /// A bug: the read of the folders ended in a panic.
    #[error("the read of the folders crashed")]
    Crashed,
}

/// What the keeper is asked.
enum Request {
    /// Fetch what would settle these, and say when all were tried.
    Needs(Vec<Need>, oneshot::Sender<()>),
    /// Read folders and ask all addresses, and say when all were tried.
    Refresh(oneshot::Sender<()>),
    /// Take this list.
    Import(Vec<u8>, oneshot::Sender<Result<ListLine, TrustDeskFault>>),
}

/// The keeper: one object that is asked, and works while [`TrustKeeper::run`] is awaited.
pub struct TrustKeeper {
    snapshot: watch::Receiver<Arc<Snapshot>>,
    status: Arc<Mutex<TrustStatus>>,
    requests: mpsc::Sender<Request>,
    shelves: Shelves,
    clock: Clock,
    need_wait: Duration,
    work: Mutex<Option<Work>>,
}

/// What the keeper works with, until it is run.
struct Work {
    keeping: Keeping,
    requests: mpsc::Receiver<Request>,
}

impl std::fmt::Debug for TrustKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustKeeper")
            .field("snapshot", &*self.snapshot.borrow())
            .finish_non_exhaustive()
    }
}

/// Puts certificates that a person brings into their folder, where no keeper runs. Blocks.
///
/// # Errors
/// [`AdditionFault`].
pub fn add(config: &TrustConfig, addition: &Addition, now: Time) -> Result<Vec<AddedLine>, AdditionFault> {
    Shelves::new(config).add(addition, now)
}

impl TrustKeeper {
    /// Reads folders and the cache below `data_dir/trust`, and has a first snapshot. Nothing is fetched before
    /// [`TrustKeeper::run`] is awaited. Blocks while it reads.
    ///
    /// # Errors
    /// [`TrustKeeperFault`].
    pub fn start(
        config: &TrustConfig,
        data_dir: &Path,
        clock: Clock,
    ) -> Result<TrustKeeper, TrustKeeperFault> {
        let keeping = Keeping::open(config, data_dir, clock.clone())?;
        let (sender, requests) = mpsc::channel(REQUESTS_MAX);
        Ok(TrustKeeper {
            snapshot: keeping.snapshots(),
            status: keeping.status(),
            requests: sender,
            shelves: Shelves::new(config),
            clock,
            need_wait: config.need_wait,
            work: Mutex::new(Some(Work { keeping, requests })),
        })
    }

    /// Keeps trust for as long as it is polled; give it a task of its own. Whoever calls it a second time only waits.
    pub async fn run(&self) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        match work {
            Some(work) => work.run().await,
            None => std::future::pending().await,
        }
    }

    /// The material of this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Asks for what is missing and waits for it, at most `need_wait_milliseconds`. What comes later is in a later
    /// snapshot all the same.
    pub async fn fetch(&self, needs: Vec<Need>) {
        let asked = self.ask(|done| Request::Needs(needs, done));
        // Too late is as good as not at all: the document is held, and what comes later helps it then.
        let _ = tokio::time::timeout(self.need_wait, asked).await;
    }

    /// Snapshots as they come, for whoever wants to know of a new one.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }

    /// Whether every list that certificates depend on is here and fresh.
    pub fn probe(&self) -> Probe {
        let status = TrustDesk::status(self);
        let from = |urls: &[String]| match urls {
            [] => "no address is known".to_owned(),
            urls => format!("from {}", urls.join(" ")),
        };
        let overdue = status
            .lists
            .iter()
            .filter(|list| list.state == ListState::Overdue)
            .map(|list| {
                let since = list.next_update.map_or_else(|| "ever".to_owned(), vietnam_time);
                format!("{} overdue since {since}, {}", list.issuer, from(&list.urls))
            });
        let absent = status.absent_lists.iter().map(|list| {
            let issuer = list.issuer.as_deref().unwrap_or("configured");
            format!("{issuer} never obtained, {}", from(&list.urls))
        });
        let lacking: Vec<String> = overdue.chain(absent).collect();
        if lacking.is_empty() {
            return Probe::Ready;
        }
        let said = format!(
            "revocation lists are lacking (gateway trust status): {}",
            lacking.join("; ")
        );
        Probe::NotReady(said)
    }

    /// Says how old the lists are that certificates depend on, and for how long addresses have given nothing of use.
    pub fn measure(&self, metrics: &Metrics) {
        let now = self.clock.now().as_seconds();
        let status = TrustDesk::status(self);
        let lists = status.lists.iter().filter(|list| list.state != ListState::Ended);
        let lists: Vec<CrlMeasure> = lists
            .map(|list| CrlMeasure {
                issuer: list.issuer.clone(),
                address: list.urls.join(" "),
                age_seconds: now - list.this_update.as_seconds(),
                remaining_seconds: list.next_update.map_or(0, |next| next.as_seconds() - now),
            })
            .collect();
        metrics.set_crls(&lists);
        let failing = status.addresses.iter().filter_map(|address| {
            let (trouble, since) = (address.fault.as_ref()?.trouble, address.failing_since?);
            Some((address.url.as_str(), trouble.word(), now - since.as_seconds()))
        });
        metrics.set_failing_addresses(&failing.collect::<Vec<_>>());
        metrics.set(
            Measure::AbsentLists,
            i64::try_from(status.absent_lists.len()).unwrap_or(i64::MAX),
        );
        metrics.set(
            Measure::OcspAnswers,
            i64::try_from(status.answers).unwrap_or(i64::MAX),
        );
        metrics.set(
            Measure::TrustVersion,
            i64::try_from(status.version).unwrap_or(i64::MAX),
        );
    }

    /// Asks the keeper and waits for its answer; `None` when it has ended.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.requests.send(request(sender)).await.ok()?;
        answer.await.ok()
    }
}

impl Work {
    async fn run(self) {
        let Work {
            mut keeping,
            mut requests,
        } = self;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Needs(needs, done)) => keeping.need(&needs, done).await,
                    Some(Request::Refresh(done)) => keeping.refresh(done),
                    Some(Request::Import(list, answer)) => {
                        // Who asked may have gone; the list is taken all the same.
                        let _ = answer.send(keeping.import(list).await);
                    }
                    None => return,
                },
                Some(landed) = keeping.landed() => keeping.land(landed).await,
                _ = tick.tick() => keeping.tick(),
            }
        }
    }
}

fn limits(config: &TrustConfig) -> FetchLimits {
    FetchLimits {
        time_max: config.fetch_max,
        bytes_max: config.crl_bytes_max,
        redirects_max: config.redirects_max,
        private_hosts: address::PrivateHosts::new(&config.allowed_private_hosts),
    }
}
