//! The keeper's work: one step at a time, fetches beside.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};
use trust::{Certificate, Need, RevocationList, Snapshot, Time};

use super::desk::{anchor_line, list_line};
use super::fetch::{FetchLimits, fetch};
use super::files::{self, Cache};
use super::material::{Certificates, Material, Taken, Unfit};
use super::schedule::{Schedule, Wanted};
use super::{TrustKeeperFault, limits};
use crate::administration::{AddressLine, ListLine, TrustDeskFault, TrustStatus};
use crate::clock::Clock;
use crate::config::TrustConfig;

/// Fetches at the same time.
const FLIGHTS_MAX: usize = 8;

/// What a fetch brought, read and checked.
enum Brought {
    List(Arc<RevocationList>),
    Issuer(Arc<Certificate>),
}

/// A fetch that has ended.
pub(super) struct Landed {
    url: String,
    brought: Result<Brought, String>,
}

/// Somebody who waits until these addresses were tried.
struct Waiting {
    urls: BTreeSet<String>,
    done: Option<oneshot::Sender<()>>,
}

pub(super) struct Keeping {
    config: TrustConfig,
    limits: FetchLimits,
    clock: Clock,
    cache: Cache,
    material: Material,
    schedule: Schedule,
    faults: Vec<String>,
    folders_read_at: Time,
    version: u64,
    published: watch::Sender<Arc<Snapshot>>,
    status: Arc<Mutex<TrustStatus>>,
    flights: FuturesUnordered<BoxFuture<'static, Landed>>,
    /// Addresses that wait for a free place.
    queue: VecDeque<String>,
    waiting: Vec<Waiting>,
}

impl Keeping {
    pub(super) fn open(
        config: &TrustConfig,
        data_dir: &Path,
        clock: Clock,
    ) -> Result<Keeping, TrustKeeperFault> {
        let folder = data_dir.join("trust");
        let cache = Cache::open(&folder).map_err(fault(&folder))?;
        let now = clock.now();
        // Versions rise across restarts too: time does, faster than there can be new material.
        let version = u64::try_from(now.as_seconds()).unwrap_or(0);
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let mut keeping = Keeping {
            limits: limits(config),
            config: config.clone(),
            clock,
            material: Material::default(),
            schedule: Schedule::new(seconds(config.refresh), seconds(config.ahead)),
            faults: Vec::new(),
            folders_read_at: now,
            version,
            published: watch::Sender::new(Arc::new(Material::default().snapshot(version))),
            status: Arc::default(),
            flights: FuturesUnordered::new(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            cache,
        };
        for url in keeping.cache.addresses().iter().chain(&config.crl_urls) {
            keeping.schedule.learn(url, Wanted::List);
        }
        keeping.read_folders()?;
        if keeping.material.certificates.anchors.is_empty() {
            return Err(TrustKeeperFault::NoAnchor(config.anchors_dir.clone()));
        }
        keeping.publish();
        Ok(keeping)
    }

    pub(super) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    pub(super) fn status(&self) -> Arc<Mutex<TrustStatus>> {
        Arc::clone(&self.status)
    }

    /// The next fetch that ends; `None` while nothing is fetched. Nothing is lost when this is dropped.
    pub(super) async fn landed(&mut self) -> Option<Landed> {
        self.flights.next().await
    }

    /// Fetches what would settle these needs.
    pub(super) fn need(&mut self, needs: &[Need], done: oneshot::Sender<()>) {
        let mut urls = BTreeSet::new();
        for need in needs {
            let (wanted, named) = match need {
                Need::Crl { urls, .. } => (Wanted::List, urls),
                Need::Issuer { urls, .. } => (Wanted::Issuer, urls),
            };
            let followed = named.iter().filter(|url| super::address::parse(url).is_ok());
            urls.extend(followed.filter(|url| self.schedule.learn(url, wanted)).cloned());
        }
        self.ask_all(urls, done);
    }

    /// Reads the folders and asks every address, however recently it was asked.
    pub(super) fn refresh(&mut self, done: oneshot::Sender<()>) {
        self.read_folders_again();
        for address in self.schedule.addresses.values_mut() {
            address.asked_at = None;
        }
        self.ask_all(self.schedule.addresses.keys().cloned().collect(), done);
    }

    /// Takes a list that a person brings.
    pub(super) async fn import(&mut self, bytes: Vec<u8>) -> Result<ListLine, TrustDeskFault> {
        let certificates = self.material.certificates.clone();
        let checked = tokio::task::spawn_blocking(move || certificates.check_list(&bytes)).await;
        let refused = |unfit: Unfit| TrustDeskFault::Refused(unfit.to_string());
        let list = checked
            .map_err(|_| TrustDeskFault::Refused("the check crashed".to_owned()))?
            .map_err(refused)?;
        let (line, now) = (list_line(&list), self.clock.now());
        self.cache
            .keep_newer(&self.material, &list, now)
            .map_err(|error| TrustDeskFault::NotKept(error.to_string()))?;
        self.material.take_list(list, now).map_err(refused)?;
        self.publish();
        Ok(line)
    }

    /// Looks at the schedule and at the folders.
    pub(super) fn tick(&mut self) {
        let now = self.clock.now();
        let seconds = i64::try_from(self.config.refresh.as_secs()).unwrap_or(i64::MAX);
        if self.folders_read_at.plus_seconds(seconds) <= now {
            self.read_folders_again();
        }
        for url in self.schedule.due(now) {
            self.launch(url);
        }
    }

    fn ask_all(&mut self, urls: BTreeSet<String>, done: oneshot::Sender<()>) {
        let now = self.clock.now();
        for url in &urls {
            if self.schedule.may_ask(url, now) {
                self.launch(url.clone());
            }
        }
        // What rests is not waited for; what another need asked for already is.
        let asked = |url: &String| {
            self.schedule
                .addresses
                .get(url)
                .is_some_and(|address| address.is_asked)
        };
        let urls: BTreeSet<String> = urls.into_iter().filter(asked).collect();
        if urls.is_empty() {
            // Who asked may have gone.
            let _ = done.send(());
        } else {
            self.waiting.push(Waiting {
                urls,
                done: Some(done),
            });
        }
    }

    fn launch(&mut self, url: String) {
        self.schedule.asking(&url, self.clock.now());
        self.queue.push_back(url);
        self.fill_flights();
    }

    fn fill_flights(&mut self) {
        while self.flights.len() < FLIGHTS_MAX {
            let Some(url) = self.queue.pop_front() else { return };
            let Some(address) = self.schedule.addresses.get(&url) else {
                continue;
            };
            let flight = fly(
                url,
                address.wanted,
                self.limits.clone(),
                self.material.certificates.clone(),
            );
            self.flights.push(Box::pin(flight));
        }
    }

    /// Takes what a fetch brought.
    pub(super) fn land(&mut self, landed: Landed) {
        let now = self.clock.now();
        let Landed { url, brought } = landed;
        match brought.and_then(|brought| self.take(&url, brought, now)) {
            Ok(next_update) => self.schedule.succeeded(&url, now, next_update),
            Err(fault) => {
                warn!(url, fault, "an address gave nothing of use");
                self.schedule.failed(&url, fault);
            }
        }
        // Who waits reads the status as soon as it is woken.
        self.publish_status();
        for waiting in &mut self.waiting {
            waiting.urls.remove(&url);
            if waiting.urls.is_empty()
                && let Some(done) = waiting.done.take()
            {
                // Who asked may have gone.
                let _ = done.send(());
            }
        }
        self.waiting
            .retain(|waiting| waiting.done.as_ref().is_some_and(|done| !done.is_closed()));
        self.fill_flights();
    }

    /// Takes what a fetch brought into use, and says when it must be replaced.
    fn take(&mut self, url: &str, brought: Brought, now: Time) -> Result<Option<Time>, String> {
        let (taken, next_update) = match brought {
            Brought::List(list) => {
                let next_update = list.next_update();
                // First on disk, then in use: after a crash there is no way back behind what was used.
                self.cache
                    .keep_newer(&self.material, &list, now)
                    .map_err(|error| error.to_string())?;
                (self.material.take_list(list, now), next_update)
            }
            Brought::Issuer(certificate) => (self.material.take_issuer(certificate), None),
        };
        match taken.map_err(|unfit| unfit.to_string())? {
            Taken::New => {
                info!(url, "new trust material");
                self.learn_from_certificates();
                self.keep_addresses();
                self.publish();
            }
            Taken::Same => {}
        }
        Ok(next_update)
    }

    fn learn_from_certificates(&mut self) {
        for url in self.material.certificates.list_urls() {
            if super::address::parse(&url).is_ok() {
                self.schedule.learn(&url, Wanted::List);
            }
        }
    }

    fn keep_addresses(&self) {
        let lists = self
            .schedule
            .addresses
            .iter()
            .filter(|(_, address)| address.wanted == Wanted::List);
        let urls: Vec<String> = lists.map(|(url, _)| url.clone()).collect();
        if let Err(error) = self.cache.keep_addresses(&urls) {
            warn!(%error, "learned addresses could not be kept");
        }
    }

    /// Reads the folders at run time: a folder that cannot be read leaves what is in use.
    fn read_folders_again(&mut self) {
        if let Err(fault) = self.read_folders() {
            warn!(%fault, "a folder of trust material could not be read; what is in use stays");
            let fault = fault.to_string();
            if !self.faults.contains(&fault) {
                self.faults.push(fault);
            }
        }
        self.publish();
    }

    fn read_folders(&mut self) -> Result<(), TrustKeeperFault> {
        self.folders_read_at = self.clock.now();
        let anchors_dir = self.config.anchors_dir.clone();
        let anchors = files::certificates(&anchors_dir).map_err(fault(&anchors_dir))?;
        let mut faults = anchors.faults;
        let mut candidates = Vec::new();
        if let Some(folder) = &self.config.candidates_dir {
            let found = files::certificates(folder).map_err(fault(folder))?;
            candidates = found.found;
            faults.extend(found.faults);
        }
        if anchors.found.is_empty() && !self.material.certificates.anchors.is_empty() {
            // An empty folder at run time is a mistake more often than a decision.
            faults.push(TrustKeeperFault::NoAnchor(anchors_dir.clone()).to_string());
        } else {
            let mut anchors = anchors.found;
            if !faults.is_empty() {
                // A file may be half written: nothing is taken out of use before every file can be read.
                add_missing(&mut anchors, &self.material.certificates.anchors);
                add_missing(&mut candidates, &self.material.certificates.candidates);
            }
            self.material.set_certificates(anchors, candidates);
        }
        self.learn_from_certificates();
        let kept = self.cache.lists().map_err(fault(&anchors_dir))?;
        faults.extend(kept.faults);
        self.take_files(kept.found, &mut faults);
        if let Some(folder) = self.config.crl_dir.clone() {
            let found = files::contents(&folder).map_err(fault(&folder))?;
            faults.extend(found.faults);
            self.take_files(found.found, &mut faults);
        }
        self.faults = faults;
        Ok(())
    }

    fn take_files(&mut self, files: Vec<Vec<u8>>, faults: &mut Vec<String>) {
        let now = self.clock.now();
        for bytes in files {
            let checked = self.material.certificates.check_list(&bytes);
            let taken = checked.map_err(|unfit| unfit.to_string()).and_then(|list| {
                self.cache
                    .keep_newer(&self.material, &list, now)
                    .map_err(|error| error.to_string())?;
                let issuer = list.issuer().to_string();
                self.material
                    .take_list(list, now)
                    .map_err(|unfit| format!("{issuer}: {unfit}"))
            });
            if let Err(fault) = taken {
                faults.push(format!("a revocation list: {fault}"));
            }
        }
    }

    fn publish(&mut self) {
        self.version += 1;
        self.published
            .send_replace(Arc::new(self.material.snapshot(self.version)));
        self.publish_status();
    }

    fn publish_status(&self) {
        let now = self.clock.now();
        let Certificates {
            anchors,
            candidates,
            learned,
        } = &self.material.certificates;
        let addresses = self.schedule.addresses.iter().map(|(url, address)| AddressLine {
            url: url.clone(),
            fetched_at: address.fetched_at,
            fault: address.fault.clone(),
            resting_until: address
                .fault
                .as_ref()
                .and(address.rests_until())
                .filter(|until| *until > now),
        });
        let status = TrustStatus {
            version: self.version,
            anchors: anchors.iter().map(anchor_line).collect(),
            candidates: candidates.len() + learned.len(),
            lists: self.material.lists().iter().map(list_line).collect(),
            addresses: addresses.collect(),
            faults: self.faults.clone(),
        };
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

/// One fetch, with the check of what it brought on a thread that may take its time.
async fn fly(url: String, wanted: Wanted, limits: FetchLimits, certificates: Certificates) -> Landed {
    let brought = match fetch(&url, &limits).await {
        Err(fault) => Err(fault.to_string()),
        Ok(bytes) => {
            let check = move || match wanted {
                Wanted::List => certificates.check_list(&bytes).map(Brought::List),
                Wanted::Issuer => certificates.check_issuer(&bytes).map(Brought::Issuer),
            };
            match tokio::task::spawn_blocking(check).await {
                Ok(checked) => checked.map_err(|unfit| unfit.to_string()),
                Err(_) => Err("the check crashed".to_owned()),
            }
        }
    };
    Landed { url, brought }
}

fn add_missing(found: &mut Vec<Arc<Certificate>>, in_use: &[Arc<Certificate>]) {
    for certificate in in_use {
        if !found.contains(certificate) {
            found.push(Arc::clone(certificate));
        }
    }
}

fn fault(folder: &Path) -> impl FnOnce(std::io::Error) -> TrustKeeperFault {
    let folder: PathBuf = folder.to_owned();
    move |error| TrustKeeperFault::Folder { folder, error }
}
