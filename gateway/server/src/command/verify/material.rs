//! What to trust: a folder that somebody hands over, or what is configured.
//!
//! **Invariant:** only a certificate of an authority that its own key signed becomes an anchor by lying in the folder; all
//! else must be proven.
//! **Invariant:** a file of the folder that cannot be used ends the command: whoever put it there relies on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, Digest, OcspAnswer, Policy, RevocationList, Snapshot};

use super::file;
use super::plain::plain;
use crate::command::CommandFault;
use crate::command::text::{Said, VerifyText};
use crate::config::Config;
use crate::trustkeeper::once::{AtRest, Fetched, may_be_anchor};

/// A larger file of the folder is not read; revocation lists of the field have some MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What signatures and certificates are held to: what is configured, or what is usual.
pub(super) fn policy(config: Option<&Config>) -> Policy {
    config.map_or_else(Policy::default, |config| config.trust.policy.clone())
}

/// Everything that verdicts of one command rest on.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) anchors: Vec<Arc<Certificate>>,
    candidates: Vec<Arc<Certificate>>,
    lists: Vec<Arc<RevocationList>>,
    answers: Vec<Arc<OcspAnswer>>,
    /// What addresses of issuers gave.
    gave: BTreeMap<String, Digest>,
    policy: Policy,
}

impl Material {
    fn new(policy: Policy) -> Material {
        Material {
            anchors: Vec::new(),
            candidates: Vec::new(),
            lists: Vec::new(),
            answers: Vec::new(),
            gave: BTreeMap::new(),
            policy,
        }
    }

    /// What is configured, and what the running gateway has fetched. Also what could not be used.
    pub(super) fn configured(config: &Config) -> Result<(Material, Vec<String>), CommandFault> {
        let rest = AtRest::read(&config.trust, &config.gateway.data_dir)?;
        let material = Material {
            anchors: rest.anchors,
            candidates: rest.candidates,
            lists: rest.lists,
            answers: rest.answers,
            ..Material::new(policy(Some(config)))
        };
        Ok((material, rest.faults))
    }

    /// What the files of a flat folder hold; hidden files are left out.
    ///
    /// # Errors
    /// Every file that cannot be used.
    pub(super) fn of_folder(folder: &Path) -> Result<Material, CommandFault> {
        let mut material = Material::new(policy(None));
        let mut faults = Vec::new();
        for path in files_of(folder)? {
            if let Err(fault) = material.take_file(&path) {
                let path = plain(&path.display().to_string());
                let told = VerifyText::TrustUnfit.said().with("path", path);
                faults.push(CommandFault::Unjudged(told.about("fault", &fault).languages()));
            }
        }
        if faults.is_empty() {
            Ok(material)
        } else {
            Err(CommandFault::Several(faults))
        }
    }

    fn take_file(&mut self, path: &Path) -> Result<(), Said> {
        if path.is_dir() {
            return Err(VerifyText::TrustFolder.said());
        }
        let bytes = file::read(path, FILE_BYTES_MAX)?;
        let unknown = || VerifyText::TrustNotKnown.said();
        if let Ok(certificate) = Certificate::from_der(&bytes) {
            self.take_certificate(Arc::new(certificate));
        } else if let Ok(answer) = OcspAnswer::from_der(bytes.clone()) {
            self.answers.push(Arc::new(answer));
        } else if let Ok(certificates) = trust::cms::certificates(&bytes) {
            for certificate in certificates {
                self.take_certificate(certificate);
            }
        } else if bytes.first() == Some(&0x30) {
            let list = RevocationList::from_der(bytes).map_err(|_| unknown())?;
            self.lists.push(Arc::new(list));
        } else {
            let certificates = Certificate::all_from_pem(&bytes).map_err(|_| unknown())?;
            let lists = RevocationList::all_from_pem(&bytes).map_err(|_| unknown())?;
            let found = certificates.len() + lists.len();
            if found == 0 {
                return Err(unknown());
            }
            if found != file::pem_blocks(&bytes) {
                return Err(VerifyText::PemUnfit.said());
            }
            certificates
                .into_iter()
                .for_each(|one| self.take_certificate(Arc::new(one)));
            self.lists.extend(lists.into_iter().map(Arc::new));
        }
        Ok(())
    }

    fn take_certificate(&mut self, certificate: Arc<Certificate>) {
        let is_root = may_be_anchor(&certificate);
        let own = if is_root {
            &mut self.anchors
        } else {
            &mut self.candidates
        };
        // One certificate in two files, as PEM and DER.
        if !own.contains(&certificate) {
            own.push(certificate);
        }
    }

    /// Adds what was fetched for the rest of this command.
    pub(super) fn take(&mut self, fetched: Fetched) {
        self.lists.extend(fetched.lists);
        self.answers.extend(fetched.answers);
        for (url, issuer) in fetched.issuers {
            self.gave.insert(url, issuer.fingerprint());
            self.candidates.push(issuer);
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let (candidates, lists) = (self.candidates.clone(), self.lists.clone());
        Snapshot::new(self.anchors.clone(), candidates, lists, self.policy.clone(), 0)
            .with_answers(self.gave.clone())
            .with_ocsp(self.answers.iter().cloned())
    }
}

/// The files of a folder, in the order of their names.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, CommandFault> {
    let fault = |error| CommandFault::File {
        path: folder.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
