//! Trust material for one question: what the folders hold, and what a verdict lacks, fetched once and kept nowhere.
//!
//! Beside the keeper, for commands: `gateway verify` judges with this while the running gateway owns the folders.
//!
//! **Invariant:** nothing is written.
//! **Invariant:** each address is asked once, all of them within one time, and none into the private network.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;
use trust::{Certificate, Digest, Need, OcspAnswer, RevocationList, Snapshot, Time};

use super::answers;
use super::errand::{About, Errand};
use super::fetch::{FetchFault, FetchLimits, Sent, fetch};
use super::files::{self, Cache, Folder};
use super::flight::{ANSWER_BYTES_MAX, ISSUER_BYTES_MAX};
use super::keeping::URLS_OF_NEED_MAX;
use super::material::{Certificates, Unfit};
use super::reading::{is_anchor, is_root, no_anchor};
use super::{TrustKeeperFault, address, limits};
use crate::administration::Complaint;
use crate::config::TrustConfig;

/// Fetches at the same time.
const FETCHES_MAX: usize = 8;
/// Addresses that are asked at most, whatever the files name.
const URLS_MAX: usize = 256;
/// How long all fetches together may take, from the first on.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Whether a certificate may become an anchor because somebody says so: it is that of an authority, and its own key signed
/// it.
pub(crate) fn may_be_anchor(certificate: &Certificate) -> bool {
    is_root(certificate)
}

/// What the configured folders and the cache below the data folder hold, unsorted: each use of it must prove it.
#[derive(Debug, Default)]
pub(crate) struct AtRest {
    /// Trusted.
    pub(crate) anchors: Vec<Arc<Certificate>>,
    /// Not trusted.
    pub(crate) candidates: Vec<Arc<Certificate>>,
    /// Not trusted.
    pub(crate) lists: Vec<Arc<RevocationList>>,
    /// Not trusted.
    pub(crate) answers: Vec<Arc<OcspAnswer>>,
    /// What could not be used, for people.
    pub(crate) faults: Vec<String>,
}

impl AtRest {
    /// Reads the folders of `[trust]`, and the cache below `data_dir/trust` where there is one. Blocks.
    ///
    /// # Errors
    /// A folder that cannot be listed, or no anchor.
    pub(crate) fn read(config: &TrustConfig, data_dir: &Path) -> Result<AtRest, TrustKeeperFault> {
        let at = |folder: &Path| {
            let folder = folder.to_owned();
            move |error| TrustKeeperFault::Folder { folder, error }
        };
        let mut rest = AtRest::default();
        let anchors = files::certificates(&config.anchors_dir).map_err(at(&config.anchors_dir))?;
        let found = rest.noting(anchors);
        let is_pinned = |one: &Arc<Certificate>| is_anchor(one, &config.anchor_fingerprints);
        (rest.anchors, rest.candidates) = found.into_iter().partition(is_pinned);
        rest.faults
            .extend(rest.candidates.iter().map(|one| no_anchor(one)));
        if rest.anchors.is_empty() {
            let folder = config.anchors_dir.clone();
            return Err(match rest.faults.join("; ") {
                none if none.is_empty() => TrustKeeperFault::NoAnchor(folder),
                faults => TrustKeeperFault::Unpinned { folder, faults },
            });
        }
        if let Some(folder) = &config.candidates_dir {
            let candidates = files::certificates(folder).map_err(at(folder))?;
            let candidates = rest.noting(candidates);
            rest.candidates.extend(candidates);
        }
        if let Some(folder) = &config.crl_dir {
            let lists = files::contents(folder).map_err(at(folder))?;
            rest.take_lists(lists);
        }
        let folder = data_dir.join("trust");
        let cache = Cache::at(&folder);
        // As of the beginning of time nothing has expired, so that nothing is removed.
        let learned = or_empty(cache.issuers(Time::from_micros(i64::MIN))).map_err(at(&folder))?;
        let learned = rest.noting(learned);
        rest.candidates.extend(learned);
        let cached = or_empty(cache.lists()).map_err(at(&folder))?;
        rest.take_lists(cached);
        let answers = or_empty(cache.answers()).map_err(at(&folder))?;
        rest.answers.extend(answers.into_iter().map(|(_, answer)| answer));
        Ok(rest)
    }

    fn noting<T>(&mut self, folder: Folder<T>) -> Vec<T> {
        self.faults.extend(folder.faults);
        folder.found
    }

    fn take_lists(&mut self, folder: Folder<Vec<u8>>) {
        for bytes in self.noting(folder) {
            match RevocationList::from_pem_or_der(&bytes) {
                Ok(list) => self.lists.push(Arc::new(list)),
                Err(fault) => self.faults.push(format!("a revocation list: {fault}")),
            }
        }
    }
}

/// A gateway that never ran has no cache.
fn or_empty<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => read,
    }
}

/// What fetches brought. None of it is trusted.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// Revocation lists.
    pub(crate) lists: Vec<Arc<RevocationList>>,
    /// Certificates of issuers, with the addresses that gave them.
    pub(crate) issuers: Vec<(String, Arc<Certificate>)>,
    /// OCSP answers.
    pub(crate) answers: Vec<Arc<OcspAnswer>>,
    /// Addresses that gave nothing of use.
    pub(crate) failed: Vec<(String, Complaint)>,
}

impl Fetched {
    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.issuers.is_empty() && self.answers.is_empty()
    }
}

/// Asks addresses, each once.
#[derive(Debug)]
pub(crate) struct Fetcher {
    limits: FetchLimits,
    time_max: Duration,
    until: Option<Instant>,
    asked: BTreeSet<(Errand, Option<Digest>)>,
    /// Hosts that gave no answer.
    silent: Vec<String>,
}

/// What is wanted of one address.
#[derive(Clone)]
enum Wish {
    List,
    IssuerOf(Arc<Certificate>),
    StatusOf(About),
}

impl Fetcher {
    /// Under the limits of `[trust]`, or under those that it has by default.
    pub(crate) fn new(config: Option<&TrustConfig>) -> Fetcher {
        Fetcher {
            limits: config.map_or_else(usual_limits, limits),
            time_max: TIME_MAX,
            until: None,
            asked: BTreeSet::new(),
            silent: Vec::new(),
        }
    }

    /// Asks the addresses of these needs that were not asked before; answers are checked with this material as of now.
    pub(crate) async fn fetch(&mut self, needs: &[Need], snapshot: &Snapshot, now: Time) -> Fetched {
        let errands = self.errands(needs);
        let mut fetched = Fetched::default();
        if errands.is_empty() {
            return fetched;
        }
        let until = *self.until.get_or_insert_with(|| Instant::now() + self.time_max);
        let (limits, silent) = (&self.limits, self.silent.clone());
        let mut left: BTreeSet<String> = errands.iter().map(|(url, _)| url.clone()).collect();
        let by = (snapshot, now);
        let flights = errands.into_iter().map(|errand| run(errand, limits, &silent, by));
        let mut flights = futures_util::stream::iter(flights).buffer_unordered(FETCHES_MAX);
        while let Ok(Some((url, brought))) = tokio::time::timeout_at(until, flights.next()).await {
            left.remove(&url);
            match brought {
                Ok(Brought::List(list)) => fetched.lists.push(list),
                Ok(Brought::Issuer(issuer)) => fetched.issuers.push((url, issuer)),
                Ok(Brought::Answer(answer)) => fetched.answers.push(answer),
                Err((complaint, host)) => {
                    self.silent.extend(host);
                    fetched.failed.push((url, complaint));
                }
            }
        }
        let late = |url| (url, Complaint::from(&FetchFault::TooSlow(self.time_max)));
        fetched.failed.extend(left.into_iter().map(late));
        fetched
    }

    fn errands(&mut self, needs: &[Need]) -> Vec<(String, Wish)> {
        let mut errands = Vec::new();
        for need in needs {
            let (urls, wish) = match need {
                Need::Crl { urls, .. } => (urls, Wish::List),
                Need::Issuer { of, urls } => (urls, Wish::IssuerOf(Arc::clone(of))),
                Need::Ocsp { path, urls } => {
                    let [certificate, issuer, ..] = path.as_slice() else {
                        continue;
                    };
                    let (certificate, issuer) = (Arc::clone(certificate), Arc::clone(issuer));
                    (urls, Wish::StatusOf(About { certificate, issuer }))
                }
            };
            let followed = urls.iter().filter(|url| address::parse(url).is_ok());
            for url in followed.take(URLS_OF_NEED_MAX) {
                if self.asked.len() < URLS_MAX && self.asked.insert(wish.key(url)) {
                    errands.push((url.clone(), wish.clone()));
                }
            }
        }
        errands
    }
}

impl Wish {
    /// What tells one errand from another: one address may give the issuer of one certificate and not that of another.
    fn key(&self, url: &str) -> (Errand, Option<Digest>) {
        match self {
            Wish::List => (Errand::list(url), None),
            Wish::IssuerOf(of) => (Errand::issuer(url), Some(of.fingerprint())),
            Wish::StatusOf(about) => (Errand::answer(url, &about.certificate), None),
        }
    }

    fn sent(&self) -> Sent {
        match self {
            Wish::List | Wish::IssuerOf(_) => Sent::Nothing,
            Wish::StatusOf(about) => Sent::Ocsp(answers::request(about)),
        }
    }

    fn bytes_max(&self, of_list: u64) -> u64 {
        match self {
            Wish::List => of_list,
            Wish::IssuerOf(_) => of_list.min(ISSUER_BYTES_MAX),
            Wish::StatusOf(_) => of_list.min(ANSWER_BYTES_MAX),
        }
    }

    fn read(self, bytes: Vec<u8>, (snapshot, now): (&Snapshot, Time)) -> Result<Brought, Unfit> {
        match self {
            Wish::List => {
                let list = RevocationList::from_pem_or_der(&bytes).map_err(|_| Unfit::Unreadable)?;
                Ok(Brought::List(Arc::new(list)))
            }
            Wish::IssuerOf(of) => Certificates::check_issuer(&bytes, &[of]).map(Brought::Issuer),
            Wish::StatusOf(about) => answers::check(bytes, &about, snapshot, now).map(Brought::Answer),
        }
    }
}

enum Brought {
    List(Arc<RevocationList>),
    Issuer(Arc<Certificate>),
    Answer(Arc<OcspAnswer>),
}

/// What one address gave; a host that gave no answer is named.
async fn run(
    (url, wish): (String, Wish),
    limits: &FetchLimits,
    silent: &[String],
    by: (&Snapshot, Time),
) -> (String, Result<Brought, (Complaint, Option<String>)>) {
    let bytes_max = wish.bytes_max(limits.bytes_max);
    let limits = FetchLimits {
        bytes_max,
        ..limits.clone()
    };
    let brought = match fetch(&url, &wish.sent(), &limits, silent).await {
        Err(failed) => Err((Complaint::from(&failed.fault), failed.silent)),
        Ok(bytes) => wish
            .read(bytes, by)
            .map_err(|unfit| (Complaint::from(unfit), None)),
    };
    (url, brought)
}

/// The limits that `[trust]` has where nothing is said.
fn usual_limits() -> FetchLimits {
    FetchLimits {
        time_max: Duration::from_secs(20),
        bytes_max: 32 << 20,
        redirects_max: 3,
        private_hosts: address::PrivateHosts::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const BASE: &str = r#"
        gateway = { code = "X", data_dir = "data", key_file = "password", certificate_file = "password" }
        broker = { password = { file = "password" } }
        trust = { anchors_dir = "anchors" }
    "#;

    fn config(folder: &Path) -> Config {
        std::fs::create_dir_all(folder.join("anchors")).expect("made");
        std::fs::write(folder.join("password"), "x").expect("written");
        Config::parse(BASE, folder).expect("a configuration")
    }

    #[test]
    fn without_a_configuration_the_limits_are_its_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, configured) = (usual_limits(), limits(&config(folder.path()).trust));
        assert_eq!(format!("{own:?}"), format!("{configured:?}"));
    }

    #[test]
    fn reading_makes_no_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path());
        let read = AtRest::read(&config.trust, &config.gateway.data_dir);
        assert!(matches!(read, Err(TrustKeeperFault::NoAnchor(_))), "{read:?}");
        assert!(!config.gateway.data_dir.exists());
    }

    #[test]
    fn each_address_is_asked_once_and_not_more_than_the_limit() {
        let mut fetcher = Fetcher::new(None);
        let need = |urls: Vec<String>| Need::Crl {
            issuers: Vec::new(),
            urls,
        };
        let urls = |from: usize, count: usize| {
            let each = (from..from + count).map(|number| format!("http://ca.example/{number}.crl"));
            each.collect::<Vec<_>>()
        };
        assert_eq!(
            fetcher.errands(&[need(urls(0, URLS_OF_NEED_MAX + 1))]).len(),
            URLS_OF_NEED_MAX
        );
        assert!(
            fetcher.errands(&[need(urls(0, URLS_OF_NEED_MAX))]).is_empty(),
            "asked before"
        );
        assert!(
            fetcher
                .errands(&[need(vec!["ldap://ca.example/cn=x".to_owned()])])
                .is_empty()
        );
        let many: Vec<Need> = (1..100)
            .map(|step| need(urls(step * 100, URLS_OF_NEED_MAX)))
            .collect();
        assert_eq!(fetcher.errands(&many).len(), URLS_MAX - URLS_OF_NEED_MAX);
    }
}
