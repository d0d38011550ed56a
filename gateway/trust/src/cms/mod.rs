//! CMS signatures (RFC 5652, CAdES): reading foreign ones, making our own.
//!
//! Stands between bytes and `path`: `.p7s` files and the /Contents of PDF signatures end here, receipts begin here.
//!
//! **Invariant**: a signature without signed attributes is never good; what was verified is the very octets the
//! attributes were read from.
//! **Invariant**: every signer is judged by itself, and a file counts for as much as its worst.

mod attribute;
mod bare;
mod sign;
mod structure;
mod verify;

use std::sync::Arc;

use aws_lc_rs::digest::Digest;

pub use sign::{Content, SignFault, Signer, SoftwareKey, sign};
pub(crate) use verify::Profile;

use crate::algorithm::DigestAlgorithm;
use crate::policy::Policy;
use crate::report::{Failure, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// Judges a detached signature over `content` at the time `now`: one report for each SignerInfo, or a single report
/// of what keeps the whole from being read. Never empty.
pub fn validate(signature: &[u8], content: &[u8], snapshot: &Snapshot, now: Time) -> Vec<SealReport> {
    let digest = |algorithm: DigestAlgorithm| algorithm.digest(&[content]);
    verify::reports(signature, Digests::new(&digest), Profile::Detached, snapshot, now)
}

/// Judges an attached signature (`sign` with [`Content::Attached`]) at the time `now`, and hands out its content.
///
/// The content is `None` where there is none to read; it is worth what the reports say.
pub fn validate_attached(
    signature: &[u8],
    snapshot: &Snapshot,
    now: Time,
) -> (Vec<SealReport>, Option<Vec<u8>>) {
    verify::attached_reports(signature, snapshot, now)
}

/// The same for a content that only its digests are told of, as that of a PDF signature is.
pub(crate) fn validate_digests(
    signature: &[u8],
    content: &dyn Fn(DigestAlgorithm) -> Digest,
    profile: Profile,
    snapshot: &Snapshot,
    now: Time,
) -> Vec<SealReport> {
    verify::reports(signature, Digests::new(content), profile, snapshot, now)
}

/// Whether structure, digests and signature value are intact under the embedded certificate: no path, no revocation,
/// no claim of trust. `content` is that of a detached signature, `None` for an attached one.
///
/// One result for each SignerInfo, the signer's certificate or what failed; never empty.
pub fn integrity(
    signature: &[u8],
    content: Option<&[u8]>,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Arc<Certificate>, Failure>> {
    match content {
        Some(content) => {
            let digest = |algorithm: DigestAlgorithm| algorithm.digest(&[content]);
            verify::integrity(
                signature,
                Some(Digests::new(&digest)),
                Profile::Detached,
                policy,
                now,
            )
        }
        None => verify::integrity(signature, None, Profile::Attached, policy, now),
    }
}

/// [`integrity`] for a content that only its digests are told of.
pub(crate) fn integrity_digests(
    signature: &[u8],
    content: &dyn Fn(DigestAlgorithm) -> Digest,
    profile: Profile,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Arc<Certificate>, Failure>> {
    verify::integrity(signature, Some(Digests::new(content)), profile, policy, now)
}

/// The digests of one content, each computed once however many signers ask for it.
struct Digests<'a> {
    content: &'a dyn Fn(DigestAlgorithm) -> Digest,
    known: Vec<(DigestAlgorithm, Digest)>,
}

impl<'a> Digests<'a> {
    fn new(content: &'a dyn Fn(DigestAlgorithm) -> Digest) -> Self {
        Self {
            content,
            known: Vec::new(),
        }
    }

    fn of(&mut self, algorithm: DigestAlgorithm) -> Digest {
        if let Some((_, digest)) = self.known.iter().find(|(known, _)| *known == algorithm) {
            return *digest;
        }
        let digest = (self.content)(algorithm);
        self.known.push((algorithm, digest));
        digest
    }
}

#[cfg(test)]
mod tests;
