//! The material that is in use: certificates of folders, lists of any origin.
//!
//! **Invariant:** a list is here only if a certificate that is here signed it, and never in the place of a newer one.

use std::sync::Arc;

use trust::{Certificate, Policy, RevocationList, Snapshot, Time};

/// Issuing certificates that addresses gave us at most; a stranger's document names the addresses.
const LEARNED_MAX: usize = 256;

/// Certificates, as a check that runs beside needs them.
#[derive(Debug, Clone, Default)]
pub(super) struct Certificates {
    pub(super) anchors: Vec<Arc<Certificate>>,
    pub(super) candidates: Vec<Arc<Certificate>>,
    /// Fetched because a signature named them as its issuer.
    pub(super) learned: Vec<Arc<Certificate>>,
}

/// Why a list or certificate is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// Not a list, or not a certificate.
    #[error("not a revocation list or certificate")]
    Unreadable,
    /// No certificate that is known here signed it.
    #[error("not signed by an issuer that is known here")]
    Unsigned,
    /// Older than the one that is here.
    #[error("older than the one that is here")]
    Older,
    /// From the future.
    #[error("made in the future")]
    Future,
    /// Too many certificates were learned already.
    #[error("too many certificates were learned already")]
    TooMany,
}

/// What taking something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in use now.
    New,
    /// It was here already.
    Same,
}

impl Certificates {
    fn all(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.anchors.iter().chain(&self.candidates).chain(&self.learned)
    }

    /// Reads a list and checks that a known issuer signed it.
    pub(super) fn check_list(&self, bytes: &[u8]) -> Result<Arc<RevocationList>, Unfit> {
        let list = RevocationList::from_pem_or_der(bytes).map_err(|_| Unfit::Unreadable)?;
        let mut issuers = self.all().filter(|one| one.subject() == list.issuer());
        let is_signed = issuers.any(|issuer| list.verify_signed_by(issuer.key()).is_ok());
        if is_signed {
            Ok(Arc::new(list))
        } else {
            Err(Unfit::Unsigned)
        }
    }

    /// Reads a certificate and checks that a known issuer signed it.
    pub(super) fn check_issuer(&self, bytes: &[u8]) -> Result<Arc<Certificate>, Unfit> {
        let certificate = Certificate::from_pem_or_der(bytes).map_err(|_| Unfit::Unreadable)?;
        let mut issuers = self.all().filter(|one| one.subject() == certificate.issuer());
        let is_signed = issuers.any(|issuer| certificate.verify_signed_by(issuer.key()).is_ok());
        if is_signed {
            Ok(Arc::new(certificate))
        } else {
            Err(Unfit::Unsigned)
        }
    }

    /// Every address at which these certificates say that lists are.
    pub(super) fn list_urls(&self) -> Vec<String> {
        self.all()
            .flat_map(|certificate| certificate.crl_urls())
            .collect()
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Material {
    pub(super) certificates: Certificates,
    lists: Vec<Arc<RevocationList>>,
}

impl Material {
    pub(super) fn lists(&self) -> &[Arc<RevocationList>] {
        &self.lists
    }

    /// What taking this list would come to.
    pub(super) fn weigh(&self, list: &RevocationList, now: Time) -> Result<Taken, Unfit> {
        if list.this_update() > now.plus_seconds(Policy::default().clock_skew_seconds) {
            // It would bar the way to every honest list until then.
            return Err(Unfit::Future);
        }
        match self.lists.iter().find(|known| known.series() == list.series()) {
            None => Ok(Taken::New),
            Some(known) if known.fingerprint() == list.fingerprint() => Ok(Taken::Same),
            Some(known) if is_older(list, known) => Err(Unfit::Older),
            Some(_) => Ok(Taken::New),
        }
    }

    /// Takes a list that [`Certificates::check_list`] let through, unless it is older than the one of its series.
    pub(super) fn take_list(&mut self, list: Arc<RevocationList>, now: Time) -> Result<Taken, Unfit> {
        let taken = self.weigh(&list, now)?;
        if taken == Taken::New {
            self.lists.retain(|known| known.series() != list.series());
            self.lists.push(list);
        }
        Ok(taken)
    }

    /// Takes an issuing certificate that [`Certificates::check_issuer`] let through.
    pub(super) fn take_issuer(&mut self, certificate: Arc<Certificate>) -> Result<Taken, Unfit> {
        if self
            .certificates
            .all()
            .any(|known| known.fingerprint() == certificate.fingerprint())
        {
            return Ok(Taken::Same);
        }
        if self.certificates.learned.len() >= LEARNED_MAX {
            return Err(Unfit::TooMany);
        }
        self.certificates.learned.push(certificate);
        Ok(Taken::New)
    }

    /// Puts other certificates of folders into use. Lists whose issuer is gone go with it.
    pub(super) fn set_certificates(
        &mut self,
        anchors: Vec<Arc<Certificate>>,
        candidates: Vec<Arc<Certificate>>,
    ) {
        self.certificates.anchors = anchors;
        self.certificates.candidates = candidates;
        let certificates = &self.certificates;
        self.lists
            .retain(|list| certificates.all().any(|one| one.subject() == list.issuer()));
    }

    /// The material as validations take it.
    pub(super) fn snapshot(&self, version: u64) -> Snapshot {
        let Certificates {
            anchors,
            candidates,
            learned,
        } = &self.certificates;
        let candidates = candidates.iter().chain(learned).cloned().collect();
        Snapshot::new(
            anchors.clone(),
            candidates,
            self.lists.clone(),
            Policy::default(),
            version,
        )
    }
}

/// Whether going from `known` to `list` would be going back: by time, or by number where both have one.
fn is_older(list: &RevocationList, known: &RevocationList) -> bool {
    let by_number = match (list.number(), known.number()) {
        (Some(one), Some(other)) => number(one) < number(other),
        (Some(_) | None, _) => false,
    };
    by_number || list.this_update() < known.this_update()
}

/// A number that compares like the unsigned integer that these octets are.
fn number(octets: &[u8]) -> (usize, &[u8]) {
    let start = octets
        .iter()
        .position(|octet| *octet != 0)
        .unwrap_or(octets.len());
    (octets.len() - start, &octets[start..])
}
