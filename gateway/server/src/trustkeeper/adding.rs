//! Certificates that a person brings: as candidates, or one of them as an anchor.
//!
//! **Invariant:** all of a file or nothing of it.
//! **Invariant:** no file is overwritten, and none is seen half written.
//! **Invariant:** an anchor is taken for the fingerprint that a person gave, never for what the file says of itself.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, Digest, Time};

use super::desk::certificate_line;
use super::files;
use super::material::is_issuer_of;
use crate::administration::{AddedLine, Addition, AdditionFault, Became, Role};
use crate::config::TrustConfig;

/// Certificates of one file at most.
pub(super) const CERTIFICATES_MAX: usize = 256;

/// The folders that certificates are put into.
#[derive(Debug, Clone)]
pub(super) struct Shelves {
    anchors: PathBuf,
    candidates: Option<PathBuf>,
    /// Fingerprints of anchors: no other certificate is one.
    pinned: Vec<Digest>,
}

impl Shelves {
    pub(super) fn new(config: &TrustConfig) -> Shelves {
        Shelves {
            anchors: config.anchors_dir.clone(),
            candidates: config.candidates_dir.clone(),
            pinned: config.anchor_fingerprints.clone(),
        }
    }

    /// Puts the certificates of a file into the folder where they belong, unless one of them is refused. Blocks.
    pub(super) fn add(&self, addition: &Addition, now: Time) -> Result<Vec<AddedLine>, AdditionFault> {
        let mut certificates = files::certificates_of(&addition.file).map_err(AdditionFault::Unreadable)?;
        if certificates.len() > CERTIFICATES_MAX {
            return Err(AdditionFault::TooMany(CERTIFICATES_MAX));
        }
        let mut seen = BTreeSet::new();
        certificates.retain(|one| seen.insert(one.fingerprint()));
        let (folder, role) = match addition.anchor {
            None => {
                let folder = self.candidates.as_ref().ok_or(AdditionFault::NoFolder)?;
                (folder, Role::Candidate)
            }
            Some(fingerprint) => {
                let [one] = &certificates[..] else {
                    return Err(AdditionFault::SeveralAnchors(certificates.len()));
                };
                if one.fingerprint() != fingerprint {
                    return Err(AdditionFault::Another {
                        given: fingerprint,
                        found: one.fingerprint(),
                    });
                }
                if !is_issuer_of(one, one) {
                    return Err(AdditionFault::NotSelfSigned(one.subject().to_string()));
                }
                if !self.pinned.contains(&fingerprint) {
                    return Err(AdditionFault::Unpinned(fingerprint));
                }
                (&self.anchors, Role::Anchor)
            }
        };
        let known = self.known(folder)?;
        let became = |one: &Certificate| {
            if !one.may_issue() {
                Became::NoAuthority
            } else if one.not_after() < now {
                Became::Expired
            } else if known.iter().any(|known| **known == *one) {
                Became::Known
            } else {
                Became::New
            }
        };
        let added: Vec<AddedLine> = certificates
            .iter()
            .map(|one| AddedLine {
                certificate: certificate_line(one, role),
                became: became(one),
            })
            .collect();
        if added.iter().all(|line| line.became.is_taken()) {
            let fresh = certificates.iter().zip(&added);
            let fresh = fresh.filter(|(_, line)| line.became == Became::New);
            put(folder, fresh.map(|(one, _)| one)).map_err(not_kept(folder))?;
        }
        Ok(added)
    }

    /// What is on disk now, which may be other than what is in use: what this folder holds, and the anchors, which need be no
    /// candidates.
    fn known(&self, folder: &Path) -> Result<Vec<Arc<Certificate>>, AdditionFault> {
        let mut known = files::certificates(folder).map_err(not_kept(folder))?.found;
        known.extend(
            files::certificates(&self.anchors)
                .map_err(not_kept(&self.anchors))?
                .found,
        );
        Ok(known)
    }
}

fn not_kept(folder: &Path) -> impl Fn(io::Error) -> AdditionFault {
    move |error| AdditionFault::NotKept(format!("{}: {error}", folder.display()))
}

/// Puts certificates into a folder under their fingerprints. When one cannot be written the others are taken away again.
fn put<'a>(folder: &Path, certificates: impl Iterator<Item = &'a Arc<Certificate>>) -> io::Result<()> {
    let mut written = Vec::new();
    for certificate in certificates {
        let path = folder.join(format!("{}.crt", certificate.fingerprint()));
        match files::create_whole(&path, certificate.der()) {
            Ok(()) => written.push(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && holds(&path, certificate) => {}
            Err(error) => {
                for path in written {
                    // Only candidates come by several, and one that is left over proves nothing.
                    let _ = fs::remove_file(path);
                }
                return Err(error);
            }
        }
    }
    File::open(folder)?.sync_all()
}

fn holds(path: &Path, certificate: &Certificate) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes == certificate.der())
}
