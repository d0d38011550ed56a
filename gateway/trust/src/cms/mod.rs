//! CMS signatures (RFC 5652, CAdES): reading foreign ones, making our own.
//!
//! Stands between bytes and `path`: `.p7s` files and the /Contents of PDF signatures end here, receipts begin here.
//! Time-stamp tokens are CMS too: `tsp` asks here whether one is signed, and the tokens of a signature are judged there.
//!
//! **Invariant**: a signature without signed attributes is never good; what was verified is the very octets the
//! attributes were read from.
//! **Invariant**: every signer is judged by itself, and a file counts for as much as its worst.

mod archive;
mod attribute;
mod bare;
mod gather;
mod judge;
mod proof;
mod sign;
mod structure;
mod verify;

use std::sync::Arc;

use aws_lc_rs::digest::Digest;

pub(crate) use gather::{Gathered, Response};
pub use sign::{Content, SignFault, Signer, SoftwareKey, sign};
pub(crate) use verify::{Profile, Signed, token_content, token_signer};

use crate::algorithm::DigestAlgorithm;
use crate::existence::Existence;
use crate::path::{Question, RevocationDemand, Usage};
use crate::pem;
use crate::policy::Policy;
use crate::report::{Failure, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// What a signature or a token is judged by, besides itself.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    /// The trust material.
    pub(crate) snapshot: &'a Snapshot,
    /// The time of validation.
    pub(crate) now: Time,
    /// What came around it: with the signature that bears a token, with the file that holds a signature.
    pub(crate) beside: &'a Gathered,
    /// By when it existed, as something else proves or may yet prove: a later time-stamp over it.
    pub(crate) existence: Existence<'a>,
    /// Whether revocation is asked for.
    pub(crate) revocation: RevocationDemand,
}

impl<'a> Circumstances<'a> {
    /// The plain ones: nothing came along, nothing is proven of the past, and revocation matters.
    pub(crate) fn new(snapshot: &'a Snapshot, now: Time) -> Self {
        Self {
            snapshot,
            now,
            beside: Gathered::nothing(),
            existence: Existence::default(),
            revocation: RevocationDemand::Required,
        }
    }

    /// The question about the path of whoever signed, as of now.
    pub(crate) fn question(&self, usage: Usage, gathered: &'a Gathered) -> Question<'a> {
        Question {
            lists: &gathered.lists,
            responses: &gathered.responses,
            demands: self.revocation.usual(),
            ..Question::new(usage, self.snapshot, &gathered.certificates, self.now)
        }
    }
}

/// Judges a detached signature over `content` at the time `now`: one report for each SignerInfo, or a single report
/// of what keeps the whole from being read. Never empty.
pub fn validate(signature: &[u8], content: &[u8], snapshot: &Snapshot, now: Time) -> Vec<SealReport> {
    let circumstances = Circumstances::new(snapshot, now);
    let source = Source::Parts(&[content]);
    judge::judge(signature, Some(source), Profile::Detached, circumstances).0
}

/// Judges an attached signature (`sign` with [`Content::Attached`]) at the time `now`, and hands out its content.
///
/// The content is `None` where there is none to read; it is worth what the reports say.
pub fn validate_attached(
    signature: &[u8],
    snapshot: &Snapshot,
    now: Time,
) -> (Vec<SealReport>, Option<Vec<u8>>) {
    let circumstances = Circumstances::new(snapshot, now);
    judge::judge(signature, None, Profile::Attached, circumstances)
}

/// The same for a content that only its digests are told of, as that of a PDF signature is, with what came around the
/// signature, and what is proven of it from outside.
pub(crate) fn validate_digests(
    signature: &[u8],
    content: &dyn Fn(DigestAlgorithm) -> Digest,
    profile: Profile,
    circumstances: Circumstances<'_>,
) -> Vec<SealReport> {
    judge::judge(signature, Some(Source::Told(content)), profile, circumstances).0
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
        Some(content) => verify::integrity(
            signature,
            Some(Source::Parts(&[content])),
            Profile::Detached,
            policy,
            now,
        ),
        None => verify::integrity(signature, None, Profile::Attached, policy, now),
    }
}

/// The certificates of a message that brings nothing else (RFC 8551 §3.8, `.p7c`), as authorities publish them. None of
/// them is trusted.
///
/// # Errors
/// [`Failure`] where it cannot be read, holds too many, or is a signature.
pub fn certificates(message: &[u8]) -> Result<Vec<Arc<Certificate>>, Failure> {
    let opened = verify::Opened::read(message)?;
    let signed = opened.structure()?;
    if !signed.signers.is_empty() {
        return Err(Failure::ContentMisplaced);
    }
    Ok(Gathered::certificates_of(&signed, None)?.certificates)
}

/// [`integrity`] for a content that only its digests are told of.
pub(crate) fn integrity_digests(
    signature: &[u8],
    content: &dyn Fn(DigestAlgorithm) -> Digest,
    profile: Profile,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Arc<Certificate>, Failure>> {
    verify::integrity(signature, Some(Source::Told(content)), profile, policy, now)
}

/// The CMS in a PEM text: the only block labelled `CMS` (RFC 7468 §9) or, as older software writes it, `PKCS7`. `None`
/// where there is none, or more than one.
pub fn from_pem(text: &[u8]) -> Option<Vec<u8>> {
    let mut blocks = pem::blocks(text, "CMS");
    blocks.extend(pem::blocks(text, "PKCS7"));
    let block = blocks.pop();
    block.filter(|_| blocks.is_empty())
}

/// What the digests of a content are made from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// The content, in parts.
    Parts(&'a [&'a [u8]]),
    /// Whoever has it tells its digests.
    Told(&'a dyn Fn(DigestAlgorithm) -> Digest),
}

/// The digests of one content, each computed once however many signers ask for it.
struct Digests<'a> {
    source: Source<'a>,
    known: Vec<(DigestAlgorithm, Digest)>,
}

impl<'a> Digests<'a> {
    fn new(source: Source<'a>) -> Self {
        Self {
            source,
            known: Vec::new(),
        }
    }

    fn of(&mut self, algorithm: DigestAlgorithm) -> Digest {
        if let Some((_, digest)) = self.known.iter().find(|(known, _)| *known == algorithm) {
            return *digest;
        }
        let digest = match self.source {
            Source::Parts(parts) => algorithm.digest(parts),
            Source::Told(tell) => tell(algorithm),
        };
        self.known.push((algorithm, digest));
        digest
    }
}

#[cfg(test)]
mod tests;
