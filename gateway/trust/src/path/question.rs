//! What is asked about a leaf, and as of when.
//!
//! **Invariant**: the control time is never later than the time of validation, and earlier only where whoever asks has
//! proof that what the leaf signed existed by then.

use std::sync::Arc;

use super::{Demands, USUAL, Usage};
use crate::cms::Response;
use crate::crl::RevocationList;
use crate::report::Failure;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// What is asked about a leaf.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// What its key was used for.
    pub(crate) usage: Usage,
    /// The trust material.
    pub(crate) snapshot: &'a Snapshot,
    /// Further candidates: those that came with the signature.
    pub(crate) embedded: &'a [Arc<Certificate>],
    /// Further revocation lists that came with it: as untrusted as those of the snapshot.
    pub(crate) lists: &'a [Arc<RevocationList>],
    /// Further OCSP responses that came with it.
    pub(crate) responses: &'a [Response],
    /// The control time.
    pub(crate) at: Time,
    /// The time of validation. The control time is earlier only where what the leaf signed is proven to have existed
    /// by then (ETSI EN 319 102-1 §5.5: best-signature-time).
    pub(crate) now: Time,
    /// Whether the leaf itself is proven to have existed by the control time. Otherwise the algorithm it was signed with counts
    /// as of now; so do those of the authorities above it in any case, for whoever breaks one may make an authority anew, with
    /// the key and the name that the leaf asks for (ETSI EN 319 102-1 §5.6.2.4).
    pub(crate) is_leaf_proven: bool,
    /// What else is demanded, and how revocation is asked.
    pub(crate) demands: &'a Demands,
    /// The one anchor at which the path must end; `None`: any of the snapshot.
    pub(crate) anchor: Option<&'a Arc<Certificate>>,
}

impl<'a> Question<'a> {
    /// The plain question: all that is needed is in the snapshot or among the candidates, and counts as of `at`.
    pub(crate) fn new(
        usage: Usage,
        snapshot: &'a Snapshot,
        embedded: &'a [Arc<Certificate>],
        at: Time,
    ) -> Self {
        Self {
            usage,
            snapshot,
            embedded,
            lists: &[],
            responses: &[],
            at,
            now: at,
            is_leaf_proven: false,
            demands: &USUAL,
            anchor: None,
        }
    }

    /// The same as of a time by which the leaf, and what it signed, are proven to have existed.
    pub(crate) fn as_of(self, at: Time) -> Self {
        Self {
            at,
            is_leaf_proven: true,
            ..self
        }
    }

    /// Whether the list came with the signature.
    pub(crate) fn is_beside(&self, list: &Arc<RevocationList>) -> bool {
        self.lists.iter().any(|one| Arc::ptr_eq(one, list))
    }

    /// Whether the control time is past: existence by then is proven.
    pub(crate) fn is_past(&self) -> bool {
        self.at < self.now
    }

    /// The time as of which the algorithm must be good that the leaf was signed with.
    pub(super) fn leaf_algorithms_at(&self) -> Time {
        if self.is_leaf_proven { self.at } else { self.now }
    }

    /// Whether a leaf that failed so may pass all the same: it was revoked after the time by which what it signed is
    /// proven to have existed (ETSI EN 319 102-1 §5.5.4). Never said of an authority: whatever such a key signed may be
    /// younger than it claims.
    pub(super) fn is_excused(&self, failure: &Failure) -> bool {
        self.usage != Usage::RevocationList
            && matches!(failure, Failure::Revoked { at, .. } if self.is_past() && self.at < *at)
    }
}
