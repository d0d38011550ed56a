//! Trust material for one question: what the folders hold, and what a verdict lacks, fetched once and kept nowhere.
//!
//! Beside the keeper, for commands: `gateway verify` judges with this while the running gateway owns the folders.
//!
//! **Invariant:** nothing is written.
//! **Invariant:** each address is asked once, all of them within one time, and none into the private network.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;
use trust::{Certificate, Digest, Need, OcspAnswer, RevocationList, Snapshot, Time};

use super::answers;
use super::errand::{About, Errand};
use super::fetch::{FetchFault, FetchLimits, Sent};
use super::files::Cache;
use super::flight::{Check, fly};
use super::keeping::URLS_OF_NEED_MAX;
use super::material::{Certificates, Unfit};
use super::reading::{Folders, is_root};
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
        let folder = data_dir.join("trust");
        let cache = Cache::at(&folder);
        let answers = cache.answers();
        let answers = answers.map_err(|error| TrustKeeperFault::Folder {
            folder: folder.clone(),
            error,
        })?;
        let folders = Folders::new(config, folder, cache);
        // As of the beginning of time nothing has expired, so that nothing is removed.
        let read = folders.read(Time::from_micros(i64::MIN))?;
        let mut rest = AtRest {
            anchors: read.anchors,
            candidates: read.candidates,
            lists: Vec::new(),
            answers: answers.into_iter().map(|(_, answer)| answer).collect(),
            faults: read.faults,
        };
        if rest.anchors.is_empty() {
            return Err(folders.without_anchor(&rest.faults));
        }
        rest.candidates.extend(read.learned);
        for bytes in read.lists.iter().chain(&read.cached) {
            match RevocationList::from_pem_or_der(bytes) {
                Ok(list) => rest.lists.push(Arc::new(list)),
                Err(fault) => rest.faults.push(format!("a revocation list: {fault}")),
            }
        }
        Ok(rest)
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
#[derive(Debug, Clone)]
enum Wish {
    /// A list; each use of it will prove it.
    List,
    IssuerOf(Arc<Certificate>),
    /// An answer, checked with this material as of this time.
    StatusOf(About, Arc<Snapshot>, Time),
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
    pub(crate) async fn fetch(&mut self, needs: &[Need], snapshot: &Arc<Snapshot>, now: Time) -> Fetched {
        let wishes = self.wishes(needs, (snapshot, now));
        let mut fetched = Fetched::default();
        if wishes.is_empty() {
            return fetched;
        }
        let until = *self.until.get_or_insert_with(|| Instant::now() + self.time_max);
        let mut left: BTreeSet<String> = wishes.iter().map(|(errand, _)| errand.url.clone()).collect();
        let (limits, silent) = (self.limits.clone(), self.silent.clone());
        let flights = wishes
            .into_iter()
            .map(|(errand, wish)| fly(errand, limits.clone(), silent.clone(), wish));
        let mut flights = futures_util::stream::iter(flights).buffer_unordered(FETCHES_MAX);
        while let Ok(Some(flown)) = tokio::time::timeout_at(until, flights.next()).await {
            let url = flown.errand.url;
            left.remove(&url);
            self.silent.extend(flown.silent);
            match flown.brought {
                Ok(Brought::List(list)) => fetched.lists.push(list),
                Ok(Brought::Issuer(issuer)) => fetched.issuers.push((url, issuer)),
                Ok(Brought::Answer(answer)) => fetched.answers.push(answer),
                Err(complaint) => fetched.failed.push((url, complaint)),
            }
        }
        let late = |url| (url, Complaint::from(&FetchFault::TooSlow(self.time_max)));
        fetched.failed.extend(left.into_iter().map(late));
        fetched
    }

    fn wishes(&mut self, needs: &[Need], by: (&Arc<Snapshot>, Time)) -> Vec<(Errand, Wish)> {
        let mut wishes = Vec::new();
        for need in needs {
            let (urls, wish) = match need {
                Need::Crl { urls, .. } => (urls, Wish::List),
                Need::Issuer { of, urls } => (urls, Wish::IssuerOf(Arc::clone(of))),
                Need::Ocsp { path, urls } => {
                    let [certificate, issuer, ..] = path.as_slice() else {
                        continue;
                    };
                    let (certificate, issuer) = (Arc::clone(certificate), Arc::clone(issuer));
                    let about = About { certificate, issuer };
                    (urls, Wish::StatusOf(about, Arc::clone(by.0), by.1))
                }
            };
            let followed = urls.iter().filter(|url| address::parse(url).is_ok());
            for url in followed.take(URLS_OF_NEED_MAX) {
                let (errand, of) = wish.errand(url);
                if self.asked.len() < URLS_MAX && self.asked.insert((errand.clone(), of)) {
                    wishes.push((errand, wish.clone()));
                }
            }
        }
        wishes
    }
}

impl Wish {
    /// What is asked of this address. One may give the issuer of one certificate and not that of another, which is told
    /// apart by what stands beside.
    fn errand(&self, url: &str) -> (Errand, Option<Digest>) {
        match self {
            Wish::List => (Errand::list(url), None),
            Wish::IssuerOf(of) => (Errand::issuer(url), Some(of.fingerprint())),
            Wish::StatusOf(about, ..) => (Errand::answer(url, &about.certificate), None),
        }
    }
}

enum Brought {
    List(Arc<RevocationList>),
    Issuer(Arc<Certificate>),
    Answer(Arc<OcspAnswer>),
}

impl Check for Wish {
    type Brought = Brought;

    fn sent(&self) -> Sent {
        match self {
            Wish::List | Wish::IssuerOf(_) => Sent::Nothing,
            Wish::StatusOf(about, ..) => Sent::Ocsp(answers::request(about)),
        }
    }

    fn check(self, bytes: Vec<u8>) -> Result<Brought, Unfit> {
        match self {
            Wish::List => {
                let list = RevocationList::from_pem_or_der(&bytes).map_err(|_| Unfit::Unreadable)?;
                Ok(Brought::List(Arc::new(list)))
            }
            Wish::IssuerOf(of) => Certificates::check_issuer(&bytes, &[of]).map(Brought::Issuer),
            Wish::StatusOf(about, snapshot, now) => {
                answers::check(bytes, &about, &snapshot, now).map(Brought::Answer)
            }
        }
    }
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
        let snapshot = Snapshot::new(vec![], vec![], vec![], trust::Policy::default(), 1);
        let by = (&Arc::new(snapshot), Time::from_micros(0));
        let need = |urls: Vec<String>| Need::Crl {
            issuers: Vec::new(),
            urls,
        };
        let urls = |from: usize, count: usize| {
            let each = (from..from + count).map(|number| format!("http://ca.example/{number}.crl"));
            each.collect::<Vec<_>>()
        };
        assert_eq!(
            fetcher.wishes(&[need(urls(0, URLS_OF_NEED_MAX + 1))], by).len(),
            URLS_OF_NEED_MAX
        );
        assert!(
            fetcher.wishes(&[need(urls(0, URLS_OF_NEED_MAX))], by).is_empty(),
            "asked before"
        );
        assert!(
            fetcher
                .wishes(&[need(vec!["ldap://ca.example/cn=x".to_owned()])], by)
                .is_empty()
        );
        let many: Vec<Need> = (1..100)
            .map(|step| need(urls(step * 100, URLS_OF_NEED_MAX)))
            .collect();
        assert_eq!(fetcher.wishes(&many, by).len(), URLS_MAX - URLS_OF_NEED_MAX);
    }
}
