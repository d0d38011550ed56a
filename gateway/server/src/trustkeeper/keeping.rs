//! The keeper's work: one step at a time, fetches and reads beside.

mod asking;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};
use trust::{Digest, Need, OcspAnswer, Snapshot, Time};

use super::address;
use super::answers::Answers;
use super::desk::list_line;
use super::errand::{About, Errand, NeededFor};
use super::fetch::FetchLimits;
use super::files::Cache;
use super::flight::{Brought, Flown};
use super::hosts::Hosts;
use super::material::{Material, Signed, Taken, Unfit};
use super::reading::{Folders, Read};
use super::schedule::{Answer, Blame, Schedule};
use super::standing::Standing;
use super::{TrustKeeperFault, limits};
use asking::Flying;

use crate::administration::{Complaint, ListLine, Trouble, TrustDeskFault, TrustStatus};
use crate::clock::Clock;
use crate::config::TrustConfig;

/// Addresses of one need that are tried: a certificate may name any number.
pub(super) const URLS_OF_NEED_MAX: usize = 8;

/// Work beside that has ended.
pub(super) enum Landed {
    /// A fetch.
    Flown(Flown<Brought>),
    /// The folders were read, for these who wait for it.
    Read(Result<Read, TrustKeeperFault>, Vec<oneshot::Sender<()>>),
}

/// Somebody who waits until these addresses were tried.
struct Waiting {
    errands: BTreeSet<Errand>,
    done: Option<oneshot::Sender<()>>,
}

pub(super) struct Keeping {
    config: TrustConfig,
    limits: FetchLimits,
    clock: Clock,
    cache: Cache,
    folders: Folders,
    material: Material,
    schedule: Schedule,
    hosts: Hosts,
    faults: Vec<String>,
    folders_read_at: Time,
    version: u64,
    contents: Contents,
    published: watch::Sender<Arc<Snapshot>>,
    status: Arc<Mutex<TrustStatus>>,
    flights: FuturesUnordered<BoxFuture<'static, Landed>>,
    flying: Flying,
    /// The read of the folders that is under way: one at most, so that none overtakes a later one.
    readings: FuturesUnordered<BoxFuture<'static, Landed>>,
    /// Who wants the folders to be read once more after that.
    readers: Vec<oneshot::Sender<()>>,
    /// Addresses that wait for a free place.
    queue: VecDeque<Errand>,
    waiting: Vec<Waiting>,
}

/// All that a snapshot is made of, so that two moments can be compared: a version says that something changed.
type Contents = (BTreeSet<(u8, Digest)>, BTreeMap<String, Digest>);

fn contents(material: &Material, schedule: &Schedule) -> Contents {
    (material.contents(), schedule.answers())
}

impl Keeping {
    /// Blocks while it reads.
    pub(super) fn open(
        config: &TrustConfig,
        data_dir: &Path,
        clock: Clock,
    ) -> Result<Keeping, TrustKeeperFault> {
        let folder = data_dir.join("trust");
        let cache = Cache::open(&folder).map_err(|error| TrustKeeperFault::Folder {
            folder: folder.clone(),
            error,
        })?;
        let folders = Folders::new(config, folder, cache.clone());
        let now = clock.now();
        let mut material = Material::under(config.policy.clone());
        let kept = cache.answers().map_err(|error| TrustKeeperFault::Folder {
            folder: data_dir.join("trust"),
            error,
        })?;
        material.answers = Answers::of(kept, config.policy.ocsp_age_seconds_max);
        let read = folders.read(now)?;
        if read.anchors.is_empty() {
            return Err(folders.without_anchor(&read.faults));
        }
        let faults = folders.take(&mut material, read, now);
        // Versions rise across restarts too: time does, faster than there can be new material.
        let version = u64::try_from(now.as_micros()).unwrap_or(0) + 1;
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let mut schedule = Schedule::new(seconds(config.refresh), seconds(config.ahead));
        for (url, series) in cache.addresses() {
            let errand = Errand::list(&url);
            if schedule.learn(&errand)
                && let Some(address) = schedule.addresses.get_mut(&errand)
            {
                address.series = series;
            }
        }
        let mut keeping = Keeping {
            limits: limits(config),
            config: config.clone(),
            clock,
            contents: contents(&material, &schedule),
            published: watch::Sender::new(Arc::new(material.snapshot(version))),
            material,
            schedule,
            hosts: Hosts::default(),
            faults,
            folders_read_at: now,
            version,
            status: Arc::default(),
            flights: FuturesUnordered::new(),
            flying: Flying::default(),
            readings: FuturesUnordered::new(),
            readers: Vec::new(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            cache,
            folders,
        };
        keeping.learn_from_certificates(now);
        keeping.publish_status();
        Ok(keeping)
    }

    pub(super) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    pub(super) fn status(&self) -> Arc<Mutex<TrustStatus>> {
        Arc::clone(&self.status)
    }

    /// The next work beside that ends; `None` while there is none. Nothing is lost when this is dropped.
    pub(super) async fn landed(&mut self) -> Option<Landed> {
        tokio::select! {
            Some(landed) = self.flights.next() => Some(landed),
            Some(landed) = self.readings.next() => Some(landed),
            else => None,
        }
    }

    /// Fetches what would settle these needs.
    pub(super) async fn need(&mut self, needs: &[Need], done: oneshot::Sender<()>) {
        let now = self.clock.now();
        let mut errands = BTreeSet::new();
        let mut has_changed = false;
        for need in needs {
            let (urls, needed_for) = match need {
                Need::Crl { issuers, urls } => {
                    let taken = self.material.take_path(issuers, now);
                    has_changed |= taken != Ok(Taken::Same);
                    if let Err(fault) = taken {
                        // It came from a snapshot whose anchors are no longer these, or is of no use any more.
                        let issuer = issuers.first().map(|issuer| issuer.fingerprint());
                        warn!(%fault, ?issuer, "its lists are not asked for; gateway trust add takes it");
                        continue;
                    }
                    (urls, NeededFor::Anybody)
                }
                Need::Ocsp { path, urls } => {
                    let [certificate, issuer, ..] = path.as_slice() else {
                        continue;
                    };
                    (urls, NeededFor::StatusOf(certificate, issuer))
                }
                Need::Issuer { of, urls } => (urls, NeededFor::IssuerOf(of)),
            };
            let followed = urls.iter().filter(|url| address::parse(url).is_ok());
            for url in followed.take(URLS_OF_NEED_MAX) {
                let errand = needed_for.errand(url);
                if self.schedule.need(&errand, needed_for, now) {
                    errands.insert(errand);
                }
            }
        }
        // Comparing all of the material is too much for each of many documents that wait for the same.
        if has_changed {
            self.changed(now).await;
        }
        self.ask_all(errands, done);
    }

    /// Reads the folders, and then asks every address, however recently it was asked.
    pub(super) fn refresh(&mut self, done: oneshot::Sender<()>) {
        self.readers.push(done);
        self.read_folders();
    }

    /// Takes a list that a person brings.
    pub(super) async fn import(&mut self, bytes: Vec<u8>) -> Result<ListLine, TrustDeskFault> {
        let certificates = self.material.certificates.clone();
        let checked = tokio::task::spawn_blocking(move || certificates.check_list(&bytes)).await;
        let refused = |unfit: Unfit| TrustDeskFault::Refused(unfit.to_string());
        let signed = checked
            .map_err(|_| TrustDeskFault::Refused("the check crashed".to_owned()))?
            .map_err(refused)?;
        let now = self.clock.now();
        self.keep_list(&signed, now)
            .await
            .map_err(|fault| TrustDeskFault::NotKept(fault.detail))?;
        let (list, series) = (Arc::clone(&signed.list), signed.series());
        self.material.take_list(signed, now).map_err(refused)?;
        self.changed(now).await;
        let matters_until = self.material.matters_until(&series);
        Ok(list_line(&list, Vec::new(), matters_until, now))
    }

    /// Looks at the schedule and at the folders.
    pub(super) fn tick(&mut self) {
        let now = self.clock.now();
        let seconds = i64::try_from(self.config.refresh.as_secs()).unwrap_or(i64::MAX);
        if self.folders_read_at.plus_seconds(seconds) <= now {
            self.read_folders();
        }
        self.ask_due(now);
    }

    /// Takes what work beside brought.
    pub(super) async fn land(&mut self, landed: Landed) {
        match landed {
            Landed::Flown(flown) => self.land_flown(flown).await,
            Landed::Read(read, readers) => self.land_read(read, readers).await,
        }
    }

    async fn land_flown(&mut self, flown: Flown<Brought>) {
        let now = self.clock.now();
        let Flown {
            errand,
            brought,
            silent,
            is_answered,
        } = flown;
        self.landed_from(&errand);
        if let Some(host) = errand.host().filter(|_| is_answered) {
            self.hosts.answered(&host);
        }
        // That an address redirects to a silent host is its own fault.
        let blame = if silent.is_some() && silent == errand.host() {
            Blame::Host
        } else {
            Blame::Address
        };
        if let Some(host) = silent {
            self.hosts.silent(&host, now);
        }
        let taken = match brought {
            Ok(brought) => self.take(brought, now).await,
            Err(fault) => Err(fault),
        };
        match taken {
            Ok(answer) => self.schedule.succeeded(&errand, now, answer),
            Err(fault) => {
                let (url, fault_told) = (&errand.url, &fault.detail);
                warn!(url, fault = fault_told, "an address gave nothing of use");
                self.schedule.failed(&errand, now, fault, blame);
            }
        }
        self.changed(now).await;
        // Who waits reads the status as soon as it is woken.
        self.publish_status();
        self.settle(&errand);
        self.fill_flights();
    }

    /// Takes what a fetch brought into use.
    async fn take(&mut self, brought: Brought, now: Time) -> Result<Answer, Complaint> {
        match brought {
            Brought::List(signed) => {
                let answer = Answer::List {
                    series: signed.series(),
                    next_update: signed.list.next_update(),
                };
                self.keep_list(&signed, now).await?;
                self.take_list(signed, now)?;
                Ok(answer)
            }
            Brought::Issuer(certificate) => {
                self.material.take_issuer(Arc::clone(&certificate), now)?;
                Ok(Answer::Issuer(certificate))
            }
            Brought::Answer(about, answer) => {
                let taken = self.take_answer(about, answer, now).await?;
                Ok(Answer::Status(taken))
            }
        }
    }

    /// First on disk, then in use, as lists.
    async fn take_answer(
        &mut self,
        about: About,
        answer: Arc<OcspAnswer>,
        now: Time,
    ) -> Result<Taken, Complaint> {
        let taken = self.material.weigh_answer(&about, &answer, now)?;
        if taken == Taken::New {
            let (certificate, answer) = (about.certificate.fingerprint(), Arc::clone(&answer));
            self.on_disk(move |cache| cache.keep_answer(&certificate, &answer))
                .await?;
        }
        let gone = self.material.take_answer(&about, answer, now)?;
        self.remove_answers(gone).await;
        Ok(taken)
    }

    /// Removes answers from the disk. What stays there for a fault comes back after a restart, and goes again.
    async fn remove_answers(&mut self, gone: Vec<Digest>) {
        if gone.is_empty() {
            return;
        }
        let removed = self.on_disk(move |cache| gone.iter().try_for_each(|about| cache.remove_answer(about)));
        if let Err(fault) = removed.await {
            warn!(fault = fault.detail, "OCSP answers could not be removed");
        }
    }

    fn take_list(&mut self, signed: Signed, now: Time) -> Result<(), Unfit> {
        let issuer = signed.list.issuer().to_string();
        if self.material.take_list(signed, now)? == Taken::New {
            info!(issuer, "a new revocation list");
        }
        Ok(())
    }

    /// First on disk, then in use: after a crash there is no way back behind what was used.
    async fn keep_list(&mut self, signed: &Signed, now: Time) -> Result<(), Complaint> {
        if self.material.weigh(signed, now) != Ok(Taken::New) {
            return Ok(());
        }
        let signed = signed.clone();
        self.on_disk(move |cache| cache.keep_list(&signed)).await
    }

    /// Writes to the cache, on a thread that may wait for the disk.
    async fn on_disk(
        &mut self,
        write: impl FnOnce(&Cache) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), Complaint> {
        let cache = self.cache.clone();
        let written = tokio::task::spawn_blocking(move || write(&cache)).await;
        let ours = |detail| Complaint {
            trouble: Trouble::Ours,
            detail,
        };
        match written {
            Ok(written) => written.map_err(|error| ours(error.to_string())),
            Err(_) => Err(ours("the write crashed".to_owned())),
        }
    }

    fn learn_from_certificates(&mut self, now: Time) -> BTreeSet<String> {
        let named = self.material.list_urls(now).into_iter();
        let named: BTreeSet<String> = named
            .chain(self.config.crl_urls.iter().cloned())
            .filter(|url| address::parse(url).is_ok())
            .collect();
        for url in &named {
            self.schedule.learn(&Errand::list(url));
        }
        named
    }

    /// Reads the folders beside, unless that is done already; then once more afterwards, if somebody asks for it.
    fn read_folders(&mut self) {
        if !self.readings.is_empty() {
            return;
        }
        let now = self.clock.now();
        self.folders_read_at = now;
        let (folders, readers) = (self.folders.clone(), std::mem::take(&mut self.readers));
        self.readings.push(Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || folders.read(now)).await;
            Landed::Read(read.unwrap_or(Err(TrustKeeperFault::Crashed)), readers)
        }));
    }

    /// A folder that cannot be read leaves what is in use.
    async fn land_read(&mut self, read: Result<Read, TrustKeeperFault>, readers: Vec<oneshot::Sender<()>>) {
        let now = self.clock.now();
        let taken = match read {
            Err(fault) => Err(fault),
            Ok(read) => {
                let (folders, mut material) = (self.folders.clone(), self.material.clone());
                let taken = tokio::task::spawn_blocking(move || {
                    let faults = folders.take(&mut material, read, now);
                    (material, faults)
                });
                taken.await.map_err(|_| TrustKeeperFault::Crashed)
            }
        };
        match taken {
            Ok((material, faults)) => {
                self.material = material;
                self.faults = faults;
            }
            Err(fault) => {
                warn!(%fault, "the folders of trust material could not be read; what is in use stays");
                let fault = fault.to_string();
                if !self.faults.contains(&fault) {
                    self.faults.push(fault);
                }
            }
        }
        self.forget(now);
        self.changed(now).await;
        self.publish_status();
        for done in readers {
            self.schedule.wake();
            self.hosts.wake();
            self.ask_all(self.schedule.all_but_answers(), done);
        }
        if !self.readers.is_empty() {
            self.read_folders();
        }
    }

    /// Forgets addresses and hosts that nobody has use for.
    fn forget(&mut self, now: Time) {
        let named = self.learn_from_certificates(now);
        let material = &self.material;
        let serves = |series: &Digest| material.matters_until(series).is_some_and(|until| now <= until);
        self.schedule.forget(now, |url| named.contains(url), serves);
        let wanted: BTreeSet<String> = self.schedule.addresses.keys().filter_map(Errand::host).collect();
        self.hosts.retain(|name| wanted.contains(name));
    }

    /// Publishes the material under a new version if it is not what it was, and keeps on disk what was learned.
    async fn changed(&mut self, now: Time) {
        let contents = contents(&self.material, &self.schedule);
        if contents == self.contents {
            return;
        }
        self.contents = contents;
        self.learn_from_certificates(now);
        self.version += 1;
        let snapshot = self.material.snapshot(self.version);
        let snapshot = snapshot
            .with_answers(self.schedule.answers())
            .remembering(&self.published.borrow());
        self.published.send_replace(Arc::new(snapshot));
        self.publish_status();
        let addresses = self.schedule.addresses.iter();
        let gave = addresses.filter_map(|(errand, address)| Some((errand.url.clone(), address.series?)));
        let (gave, learned) = (
            gave.collect::<Vec<_>>(),
            self.material.certificates.learned.clone(),
        );
        let written = self.on_disk(move |cache| {
            cache.keep_addresses(&gave)?;
            learned.iter().try_for_each(|issuer| cache.keep_issuer(issuer))
        });
        if let Err(fault) = written.await {
            warn!(
                fault = fault.detail,
                "what was learned could not be kept; it is learned again after a restart"
            );
        }
    }

    fn publish_status(&self) {
        let standing = Standing {
            material: &self.material,
            schedule: &self.schedule,
            hosts: &self.hosts,
            configured: &self.config.crl_urls,
            faults: &self.faults,
            version: self.version,
            now: self.clock.now(),
        };
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = standing.status();
    }
}
