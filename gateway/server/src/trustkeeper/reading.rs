//! The folders: read on a thread that may wait for a disk, then taken into use all together.
//!
//! **Invariant:** an anchor is a self-signed authority whose fingerprint the configuration pins; whatever else lies in the
//! folder of anchors is a candidate, and told.
//! **Invariant:** nothing here is awaited or shared: `read` and `take` block, and only whoever calls them decides
//! what thread waits.

use std::collections::HashSet;
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
    responders: Vec<Digest>,
    candidates: Option<PathBuf>,
    lists: Option<PathBuf>,
    cache_folder: PathBuf,
    cache: Cache,
}

/// What the folders held.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Those that are pinned.
    pub(super) anchors: Vec<Arc<Certificate>>,
    /// Of the folder of candidates, and what lies among the anchors and is none.
    pub(super) candidates: Vec<Arc<Certificate>>,
    pub(super) learned: Vec<Arc<Certificate>>,
    /// Lists that were used before.
    pub(super) cached: Vec<Vec<u8>>,
    /// Lists that somebody else puts there.
    pub(super) lists: Vec<Vec<u8>>,
    /// What could not be used.
    pub(super) faults: Vec<String>,
    /// Whether a file of the anchors or candidates cannot be read: it may be half written.
    has_half_written: bool,
}

impl Read {
    fn noting<T>(&mut self, folder: Folder<T>) -> Vec<T> {
        self.faults.extend(folder.faults);
        folder.found
    }
}

impl Folders {
    pub(super) fn new(config: &TrustConfig, cache_folder: PathBuf, cache: Cache) -> Folders {
        Folders {
            anchors: config.anchors_dir.clone(),
            pinned: config.anchor_fingerprints.clone(),
            responders: config.policy.ocsp_responders.clone(),
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
        let mut read = Read::default();
        let anchors = files::certificates(&self.anchors).map_err(fault(&self.anchors))?;
        let anchors = read.noting(anchors);
        if let Some(folder) = &self.candidates {
            let candidates = files::certificates(folder).map_err(fault(folder))?;
            read.candidates = read.noting(candidates);
        }
        read.has_half_written = !read.faults.is_empty();
        let is_pinned = |one: &Arc<Certificate>| is_anchor(one, &self.pinned);
        let (pinned, others) = anchors.into_iter().partition(is_pinned);
        read.anchors = pinned;
        let others: Vec<Arc<Certificate>> = others;
        read.faults.extend(others.iter().map(|one| no_anchor(one)));
        read.candidates.extend(others);
        let of_cache = || fault(&self.cache_folder);
        let learned = self.cache.issuers(now).map_err(of_cache())?;
        read.learned = read.noting(learned);
        let cached = self.cache.lists().map_err(of_cache())?;
        read.cached = read.noting(cached);
        if let Some(folder) = &self.lists {
            let lists = files::contents(folder).map_err(fault(folder))?;
            read.lists = read.noting(lists);
        }
        let known = read.anchors.iter().chain(&read.candidates).chain(&read.learned);
        let absent = absent_responders(&self.responders, known);
        read.faults.extend(absent);
        Ok(read)
    }

    /// The fault of having no anchor, with what else is wrong.
    pub(super) fn without_anchor(&self, faults: &[String]) -> TrustKeeperFault {
        let folder = self.anchors.clone();
        if faults.is_empty() {
            return TrustKeeperFault::NoAnchor(folder);
        }
        let faults = faults.join("; ");
        TrustKeeperFault::Unpinned { folder, faults }
    }

    /// Takes what was read into use, and keeps lists that are new. Says what could not be used. Blocks.
    pub(super) fn take(&self, material: &mut Material, read: Read, now: Time) -> Vec<String> {
        let Read {
            mut anchors,
            mut candidates,
            learned,
            cached,
            lists,
            mut faults,
            has_half_written,
        } = read;
        let in_use = &material.certificates;
        if anchors.is_empty() && !in_use.anchors.is_empty() {
            // An empty folder at run time is a mistake more often than a decision.
            faults.push(TrustKeeperFault::NoAnchor(self.anchors.clone()).to_string());
        } else {
            if has_half_written {
                // Nothing is taken out of use before every file can be read.
                add_missing(&mut anchors, &in_use.anchors);
                add_missing(&mut candidates, &in_use.candidates);
            }
            material.set_certificates(anchors, candidates, learned, now);
        }
        // Those of the cache first: what was used once bars the way to what is older.
        let check = |bytes: &Vec<u8>| material.certificates.check_list(bytes);
        let mut kept: Vec<Result<Signed, Unfit>> = cached.iter().map(check).collect();
        // The newest of a series first: an older one is written over nothing.
        kept.sort_by_key(|one| std::cmp::Reverse(one.as_ref().ok().map(|signed| signed.list.this_update())));
        for checked in kept {
            let is_older = |signed: &Signed| material.weigh(signed, now) == Err(Unfit::Older);
            match checked {
                // Its issuer is gone, and may come back: nobody has to do anything about it.
                Err(Unfit::Unsigned) => {}
                Ok(signed) if is_older(&signed) => {}
                checked => faults.extend(self.take_list(material, checked, now).err()),
            }
        }
        for bytes in lists.iter().filter(|bytes| !cached.contains(bytes)) {
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
        if material.weigh(&signed, now) == Ok(Taken::New) {
            self.cache
                .keep_list(&signed)
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

/// What to say of OCSP responders that are pinned and nowhere.
fn absent_responders<'a>(
    pinned: &[Digest],
    known: impl Iterator<Item = &'a Arc<Certificate>>,
) -> Vec<String> {
    let known: HashSet<Digest> = known.map(|one| one.fingerprint()).collect();
    let is_absent = |pinned: &&Digest| !known.contains(pinned);
    let say = |pinned| {
        format!(
            "the OCSP responder with SHA-256 {pinned} lies in no folder: put its certificate into candidates_dir"
        )
    };
    pinned.iter().filter(is_absent).map(say).collect()
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
