//! The folders: read on a thread that may wait for a disk, then taken into use all together.
//!
//! **Invariant:** an anchor is a self-signed authority whose fingerprint the configuration pins; whatever else lies in the
//! folder of anchors is a candidate, and told.
//! **Invariant:** nothing here is awaited or shared: `read` and `take` block, and only whoever calls them decides
//! what thread waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, Digest, Time};

use super::TrustKeeperFault;
use super::files::{self, Cache, Folder};
use super::material::{Material, Signed, Taken, Unfit, is_issuer_of};
use crate::config::TrustConfig;

/// Where the folders are.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    anchors: PathBuf,
    pinned: Vec<Digest>,
    candidates: Option<PathBuf>,
    lists: Option<PathBuf>,
    cache_folder: PathBuf,
    cache: Cache,
}

/// What the folders held.
#[derive(Debug)]
pub(super) struct Read {
    anchors: Folder<Arc<Certificate>>,
    candidates: Folder<Arc<Certificate>>,
    learned: Folder<Arc<Certificate>>,
    /// Lists that were used before.
    cached: Folder<Vec<u8>>,
    /// Lists that somebody else puts there.
    lists: Folder<Vec<u8>>,
}

impl Folders {
    pub(super) fn new(config: &TrustConfig, cache_folder: PathBuf, cache: Cache) -> Folders {
        Folders {
            anchors: config.anchors_dir.clone(),
            pinned: config.anchor_fingerprints.clone(),
            candidates: config.candidates_dir.clone(),
            lists: config.crl_dir.clone(),
            cache_folder,
            cache,
        }
    }

    /// Reads all folders. Blocks.
    ///
    /// # Errors
    /// The first folder that cannot be listed. A file that cannot be used is told in what is read.
    pub(super) fn read(&self, now: Time) -> Result<Read, TrustKeeperFault> {
        let anchors = files::certificates(&self.anchors).map_err(fault(&self.anchors))?;
        let candidates = match &self.candidates {
            None => Folder::default(),
            Some(folder) => files::certificates(folder).map_err(fault(folder))?,
        };
        let of_cache = || fault(&self.cache_folder);
        let learned = self.cache.issuers(now).map_err(of_cache())?;
        let cached = self.cache.lists().map_err(of_cache())?;
        let lists = match &self.lists {
            None => Folder::default(),
            Some(folder) => files::contents(folder).map_err(fault(folder))?,
        };
        Ok(Read {
            anchors,
            candidates,
            learned,
            cached,
            lists,
        })
    }

    /// Takes what was read into use, and keeps lists that are new. Says what could not be used. Blocks.
    pub(super) fn take(&self, material: &mut Material, read: Read, now: Time) -> Vec<String> {
        let Read {
            mut anchors,
            mut candidates,
            learned,
            cached,
            lists,
        } = read;
        let in_use = &material.certificates;
        let mut faults = std::mem::take(&mut anchors.faults);
        faults.append(&mut candidates.faults);
        let has_half_written = !faults.is_empty();
        faults.extend(learned.faults);
        let is_pinned = |one: &Arc<Certificate>| is_anchor(one, &self.pinned);
        let (pinned, others) = anchors.found.into_iter().partition(is_pinned);
        anchors.found = pinned;
        let others: Vec<Arc<Certificate>> = others;
        faults.extend(others.iter().map(|one| no_anchor(one)));
        candidates.found.extend(others);
        if anchors.found.is_empty() && !in_use.anchors.is_empty() {
            // An empty folder at run time is a mistake more often than a decision.
            faults.push(TrustKeeperFault::NoAnchor(self.anchors.clone()).to_string());
        } else {
            let (mut anchors, mut candidates) = (anchors.found, candidates.found);
            if has_half_written {
                // A file may be half written: nothing is taken out of use before every file can be read.
                add_missing(&mut anchors, &in_use.anchors);
                add_missing(&mut candidates, &in_use.candidates);
            }
            material.set_certificates(anchors, candidates, learned.found, now);
        }
        faults.extend(cached.faults);
        faults.extend(lists.faults);
        // Those of the cache first: what was used once bars the way to what is older.
        for bytes in &cached.found {
            match material.certificates.check_list(bytes) {
                // Its issuer is gone, and may come back: nobody has to do anything about it.
                Err(Unfit::Unsigned) => {}
                checked => faults.extend(self.take_list(material, checked, now).err()),
            }
        }
        for bytes in lists.found.iter().filter(|bytes| !cached.found.contains(bytes)) {
            let checked = material.certificates.check_list(bytes);
            faults.extend(self.take_list(material, checked, now).err());
        }
        faults
    }

    fn take_list(
        &self,
        material: &mut Material,
        checked: Result<Signed, Unfit>,
        now: Time,
    ) -> Result<(), String> {
        let signed = checked.map_err(|unfit| format!("a revocation list: {unfit}"))?;
        // First on disk, then in use: after a crash there is no way back behind what was used.
        if material.weigh(&signed.list, now) == Ok(Taken::New) {
            self.cache
                .keep_list(&signed.list)
                .map_err(|error| format!("a revocation list: {error}"))?;
        }
        let issuer = signed.list.issuer().to_string();
        let taken = material.take_list(signed, now);
        taken
            .map(|_| ())
            .map_err(|unfit| format!("a revocation list: {issuer}: {unfit}"))
    }
}

/// Whether a certificate of the folder of anchors is one.
pub(super) fn is_anchor(certificate: &Certificate, pinned: &[Digest]) -> bool {
    pinned.contains(&certificate.fingerprint()) && is_root(certificate)
}

/// Whether a certificate is that of an authority, and its own key signed it.
pub(super) fn is_root(certificate: &Certificate) -> bool {
    certificate.may_issue() && is_issuer_of(certificate, certificate)
}

/// What to say of a certificate that lies among the anchors and is none.
pub(super) fn no_anchor(certificate: &Certificate) -> String {
    let (subject, fingerprint) = (certificate.subject(), certificate.fingerprint());
    format!(
        "{subject} (SHA-256 {fingerprint}) is no anchor: [trust] anchor_fingerprints must name it, and it must be a \
         self-signed authority"
    )
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
