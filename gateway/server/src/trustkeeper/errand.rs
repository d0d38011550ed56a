//! What is wanted from which address, and for whom.

use std::sync::Arc;

use trust::{Certificate, Digest};

use super::address;

/// What an address is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// A revocation list.
    List,
    /// The certificate of an issuer.
    Issuer,
    /// An OCSP answer about the certificate of this fingerprint.
    Answer(Digest),
}

impl Wanted {
    /// Whether both are of one kind.
    pub(super) fn is_like(self, other: Wanted) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// One thing wanted from one address. Who names an address for one thing says nothing of what else may be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Errand {
    pub(super) url: String,
    pub(super) wanted: Wanted,
}

impl Errand {
    pub(super) fn list(url: &str) -> Errand {
        Errand {
            url: url.to_owned(),
            wanted: Wanted::List,
        }
    }

    pub(super) fn issuer(url: &str) -> Errand {
        Errand {
            url: url.to_owned(),
            wanted: Wanted::Issuer,
        }
    }

    pub(super) fn answer(url: &str, about: &Certificate) -> Errand {
        Errand {
            url: url.to_owned(),
            wanted: Wanted::Answer(about.fingerprint()),
        }
    }

    /// The host of the address, if it can be read.
    pub(super) fn host(&self) -> Option<String> {
        address::parse(&self.url)
            .ok()
            .and_then(|url| address::host_of(&url))
    }
}

/// A certificate whose status is asked, and its issuer.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) certificate: Arc<Certificate>,
    pub(super) issuer: Arc<Certificate>,
}

/// Who needs something of an address.
#[derive(Debug, Clone, Copy)]
pub(super) enum NeededFor<'a> {
    /// A list: it says itself for whom it is.
    Anybody,
    /// A certificate whose issuer is looked for.
    IssuerOf(&'a Arc<Certificate>),
    /// A certificate that is asked about, and its issuer.
    StatusOf(&'a Arc<Certificate>, &'a Arc<Certificate>),
}

impl NeededFor<'_> {
    /// What is wanted from this address.
    pub(super) fn errand(self, url: &str) -> Errand {
        match self {
            NeededFor::Anybody => Errand::list(url),
            NeededFor::IssuerOf(_) => Errand::issuer(url),
            NeededFor::StatusOf(certificate, _) => Errand::answer(url, certificate),
        }
    }
}
