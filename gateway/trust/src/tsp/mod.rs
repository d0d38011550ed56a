//! Time-stamp tokens (RFC 3161, RFC 5816): who says that something existed, and since when.
//!
//! Stands beside `cms`: a token is a CMS signature over a TSTInfo, and a CMS signature bears tokens. What a token proves
//! is worth no more than the authority that signed it: its certificate is judged as any other, for this one use.
//!
//! **Invariant**: a token proves something only if it is right, over these octets, signed by a certificate for this use
//! alone whose path passes; a token that does not pass improves nothing.
//! **Invariant**: the authority's own certificate is judged as of now, or as of a time by which something else proves
//! that the token existed; never as of the time that the token itself says.

mod info;
mod proofs;

use std::sync::Arc;

use info::TstInfo;
pub(crate) use proofs::{Over, Proofs, earlier};

use crate::algorithm::DigestAlgorithm;
use crate::asn1::{Asn1Fault, Reader, tag};
use crate::cms::{self, Circumstances, Gathered, Signed};
use crate::existence::{self, Existence, Judgement, PendingProof};
use crate::path::{Budget, Outcome, RevocationDemand, Usage};
use crate::report::{Failure, Indication, Need, RevocationProof};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// A time-stamp token, read and owned. Reading proves nothing about it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The ContentInfo, as it was sent.
    bytes: Box<[u8]>,
    info: TstInfo,
}

/// Why bytes are not a time-stamp token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Neither a TimeStampResp nor a ContentInfo of SignedData.
    #[error("not a time-stamp token")]
    Structure(#[source] Asn1Fault),
    /// The authority answered without a token; its PKIStatus (RFC 3161 §2.4.2), 255 for any that is larger.
    #[error("the authority gave no token (status {0})")]
    Refused(u8),
    /// A status that grants a token, and none there; or one that refuses, and one there.
    #[error("the status and the token of the answer contradict each other")]
    Status,
    /// The content is not a TSTInfo.
    #[error("the token is over another type of content")]
    ContentType,
    /// No signer, or more than one.
    #[error("the token does not have exactly one signer")]
    Signer,
    /// Other octets than zeros follow the token.
    #[error("octets follow the token")]
    TrailingOctets,
    /// A version other than 1.
    #[error("the version of the token is not known")]
    Version,
    /// The digest algorithm of the imprint is not known here.
    #[error("the digest algorithm of the imprint is not known")]
    ImprintAlgorithm,
    /// The imprint is longer or shorter than digests of its algorithm.
    #[error("the imprint has a wrong length")]
    ImprintLength,
    /// genTime is not UTC with seconds, or its fraction is malformed.
    #[error("the time of the token is malformed")]
    Time,
    /// The accuracy is malformed.
    #[error("the accuracy of the token is malformed")]
    Accuracy,
    /// The extensions are malformed, or one occurs twice.
    #[error("the extensions of the token are malformed")]
    Extensions,
    /// A critical extension; none is known.
    #[error("the token has a critical extension that is not known")]
    CriticalExtension,
    /// An archive time-stamp without its ats-hash-index-v3, or with one that is malformed (ETSI EN 319 122-1 §5.5.2).
    #[error("the archive time-stamp has no index of what it covers")]
    HashIndex,
}

impl From<Asn1Fault> for TokenFault {
    fn from(fault: Asn1Fault) -> Self {
        Self::Structure(fault)
    }
}

impl Token {
    /// Reads a TimeStampResp or a bare TimeStampToken, in BER or DER; only zero octets may follow.
    ///
    /// # Errors
    /// See [`TokenFault`].
    pub fn from_der(bytes: &[u8]) -> Result<Self, TokenFault> {
        let bytes = match read_response(bytes)? {
            Some(token) => token,
            None => bytes.into(),
        };
        let content = cms::token_content(&bytes).map_err(fault_of)?;
        let info = TstInfo::read(&content)?;
        Ok(Self { bytes, info })
    }

    /// The token without the response around it, as it was sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// genTime: when the token was made, as its authority says.
    pub fn time(&self) -> Time {
        self.info.time
    }

    /// How far [`Token::time`] may be off, in microseconds; `None`: the authority does not say.
    pub fn accuracy_micros(&self) -> Option<i64> {
        self.info.accuracy_micros
    }

    /// The latest time at which the token was made: [`Token::time`] and its accuracy.
    pub fn latest(&self) -> Time {
        let accuracy = self.info.accuracy_micros.unwrap_or_default();
        Time::from_micros(self.info.time.as_micros().saturating_add(accuracy))
    }

    /// The digest that was time-stamped, and its algorithm.
    pub fn imprint(&self) -> (DigestAlgorithm, &[u8]) {
        (self.info.imprint_algorithm, &self.info.imprint)
    }

    /// The policy of the authority, in dots (`2.16.704.1.1.1.2`); `None` for one with a number of more than 64 bits.
    pub fn policy(&self) -> Option<String> {
        info::dotted(&self.info.policy)
    }

    /// The serial number that the authority gave: content octets of an INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.info.serial
    }

    /// Whether any two tokens of the authority can be ordered by their times alone, whatever their accuracy.
    pub fn is_ordered(&self) -> bool {
        self.info.is_ordered
    }

    /// The number of the request that was answered: content octets of an INTEGER.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.info.nonce.as_deref()
    }
}

/// What keeps a CMS from being a token. It was only opened: nothing but its structure can have failed.
fn fault_of(failure: Failure) -> TokenFault {
    if let Failure::Structure(fault) = failure {
        TokenFault::Structure(fault)
    } else if failure == Failure::TrailingOctets {
        TokenFault::TrailingOctets
    } else if matches!(failure, Failure::ContentType | Failure::ContentMisplaced) {
        TokenFault::ContentType
    } else {
        TokenFault::Signer
    }
}

/// The token inside a TimeStampResp (RFC 3161 §2.4.2); `None`: these octets are no response, but perhaps a token.
fn read_response(bytes: &[u8]) -> Result<Option<Box<[u8]>>, TokenFault> {
    // A response begins with a SEQUENCE, a token with an OBJECT IDENTIFIER; responses are DER.
    let mut reader = Reader::new(bytes);
    let Ok(response) = reader.expect(tag::SEQUENCE) else {
        return Ok(None);
    };
    let mut body = response.reader();
    if body.peek() != Some(tag::SEQUENCE) {
        return Ok(None);
    }
    let mut status_info = body.sequence()?;
    let status = status_info.integer()?;
    let has_rest = bytes[response.whole.len()..].iter().any(|octet| *octet != 0);
    if has_rest {
        return Err(TokenFault::TrailingOctets);
    }
    let token = if body.is_empty() { None } else { Some(body.next()?) };
    body.finish()?;
    match (status, token) {
        // granted, grantedWithMods.
        ([0 | 1], Some(token)) => Ok(Some(token.whole.into())),
        ([0 | 1], None) | (_, Some(_)) => Err(TokenFault::Status),
        ([status], None) => Err(TokenFault::Refused(*status)),
        (_, None) => Err(TokenFault::Refused(u8::MAX)),
    }
}

/// What was time-stamped.
#[derive(Clone, Copy, Debug)]
pub enum Stamped<'a> {
    /// These octets, one part after another.
    Parts(&'a [&'a [u8]]),
    /// Octets of this digest, by the token's own algorithm.
    Digest(&'a [u8]),
}

/// What a time-stamp is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeStampKind {
    /// Octets of the caller: a file, a revision of a PDF, a checkpoint.
    Data,
    /// The content of a signature, before it was signed (content-time-stamp).
    Content,
    /// The signature value (signature-time-stamp).
    Signature,
    /// The signature with all that came with it (archive-time-stamp-v3).
    Archive,
}

/// What one time-stamp is worth.
#[derive(Clone, Debug)]
pub struct TimeStampReport {
    /// What it is over.
    pub kind: TimeStampKind,
    /// The verdict; follows from `failure`.
    pub indication: Indication,
    /// What failed first; `None` where the token passed.
    pub failure: Option<Failure>,
    /// genTime; `None` where the token cannot be read. Proven only where the token passed.
    pub time: Option<Time>,
    /// How far it may be off, in microseconds, where the authority says so.
    pub accuracy_micros: Option<i64>,
    /// The algorithm of the imprint, where the token can be read.
    pub imprint_algorithm: Option<DigestAlgorithm>,
    /// The certificate the token was signed with, once found.
    pub signer: Option<Arc<Certificate>>,
    /// The path that was judged, the authority first, the anchor last; empty where none was found.
    pub chain: Vec<Arc<Certificate>>,
    /// What settled each certificate of the chain but the anchor.
    pub revocation: Vec<RevocationProof>,
    /// What would settle the question, where something is missing.
    pub needs: Vec<Need>,
}

impl TimeStampReport {
    /// Whether the token passed: what it is over existed at its time.
    pub fn is_passed(&self) -> bool {
        self.indication == Indication::TotalPassed
    }

    /// The latest time at which the token was made, where it passed.
    pub(crate) fn proven_by(&self) -> Option<Time> {
        let time = self.time.filter(|_| self.is_passed())?;
        let accuracy = self.accuracy_micros.unwrap_or_default();
        Some(Time::from_micros(time.as_micros().saturating_add(accuracy)))
    }

    /// A report of nothing but a failure; `token` where it could be read.
    pub(crate) fn failed(kind: TimeStampKind, token: Option<&Token>, failure: Failure) -> Self {
        Self {
            kind,
            indication: failure.indication(None),
            failure: Some(failure),
            time: token.map(Token::time),
            accuracy_micros: token.and_then(Token::accuracy_micros),
            imprint_algorithm: token.map(|token| token.imprint().0),
            signer: None,
            chain: Vec::new(),
            revocation: Vec::new(),
            needs: Vec::new(),
        }
    }
}

/// Judges a token over data at the time `now`. Whether revocation is asked for is said by the caller each time; only with
/// [`RevocationDemand::Required`] does a token that passes prove anything.
pub fn verify(
    token: &Token,
    stamped: Stamped<'_>,
    snapshot: &Snapshot,
    now: Time,
    revocation: RevocationDemand,
) -> TimeStampReport {
    let circumstances = Circumstances {
        revocation,
        ..Circumstances::new(snapshot, now)
    };
    let mut budget = Budget::new(snapshot.policy().signature_checks_max);
    judge(token, (TimeStampKind::Data, stamped), &circumstances, &mut budget).report
}

/// A token that was judged.
pub(crate) struct Judged {
    pub(crate) report: TimeStampReport,
    /// What it would prove once something was fetched: for itself, or for a proof that it existed early enough.
    pub(crate) pending: Option<PendingProof>,
}

impl Judged {
    /// Nothing but a failure; `token` where it could be read.
    pub(crate) fn failed(kind: TimeStampKind, token: Option<&Token>, failure: Failure) -> Self {
        Self {
            report: TimeStampReport::failed(kind, token, failure),
            pending: None,
        }
    }
}

/// Judges a token. [`Circumstances::existence`] is that of the token itself.
pub(crate) fn judge(
    token: &Token,
    (kind, stamped): (TimeStampKind, Stamped<'_>),
    circumstances: &Circumstances<'_>,
    budget: &mut Budget,
) -> Judged {
    let mut gathered = Gathered::default();
    let checked = check_claims(token, stamped, circumstances)
        .and_then(|()| cms::token_signer(&token.bytes, circumstances, &mut gathered, budget));
    let signed = match checked {
        Err(failure) => return Judged::failed(kind, Some(token), failure),
        Ok(signed) => signed,
    };
    let Judgement { outcome, awaited } = match check_signer(token, &signed.certificate) {
        Err(failure) => Judgement {
            outcome: Outcome {
                failure: Some(failure),
                ..Outcome::default()
            },
            awaited: None,
        },
        Ok(()) => judge_signer(token, &signed, &gathered, circumstances, budget),
    };
    let waiting = match &outcome.failure {
        Some(failure) if existence::is_of_fetching(failure) => Some(&outcome),
        Some(_) => awaited.as_ref(),
        None => None,
    };
    let pending = waiting.and_then(|waiting| {
        Some(PendingProof {
            at: token.latest(),
            failure: waiting.failure.clone()?,
            needs: waiting.needs.clone().into(),
        })
    });
    let certificate = signed.certificate;
    let indication = outcome
        .failure
        .as_ref()
        .map_or(Indication::TotalPassed, |failure| {
            failure.indication(Some(&certificate))
        });
    let report = TimeStampReport {
        kind,
        indication,
        failure: outcome.failure,
        time: Some(token.time()),
        accuracy_micros: token.accuracy_micros(),
        imprint_algorithm: Some(token.imprint().0),
        signer: Some(certificate),
        chain: outcome.chain,
        revocation: outcome.proofs,
        needs: outcome.needs,
    };
    Judged { report, pending }
}

/// Judges who signed a token that is right.
fn judge_signer(
    token: &Token,
    signed: &Signed,
    gathered: &Gathered,
    circumstances: &Circumstances<'_>,
    budget: &mut Budget,
) -> Judgement {
    let policy = circumstances.snapshot.policy();
    // A token cannot have existed before it was made.
    let is_possible =
        |proof: &&PendingProof| token.time() <= proof.at.plus_seconds(policy.clock_skew_seconds);
    let pending: Vec<PendingProof> = circumstances
        .existence
        .pending
        .iter()
        .filter(is_possible)
        .cloned()
        .collect();
    let signer = existence::Signer {
        certificate: &signed.certificate,
        check_policy: &|at| signed.check_policy(policy, at),
    };
    let question = circumstances.question(Usage::TimeStamp, gathered);
    let existence = Existence {
        proven: circumstances.existence.proven,
        pending: &pending,
    };
    existence::judge(signer, question, existence, budget)
}

/// What the token says, before it is asked who says so: it is over these octets, by a digest that was good at its time,
/// and not from the future.
fn check_claims(
    token: &Token,
    stamped: Stamped<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<(), Failure> {
    let (algorithm, imprint) = token.imprint();
    let is_same = match stamped {
        Stamped::Parts(parts) => algorithm.digest(parts).as_ref() == imprint,
        Stamped::Digest(digest) => digest == imprint,
    };
    if !is_same {
        return Err(Failure::TimeStampImprint);
    }
    let policy = circumstances.snapshot.policy();
    if !policy.algorithms.permits_digest(algorithm, token.time()) {
        return Err(Failure::DigestRefused(algorithm));
    }
    if circumstances.now.plus_seconds(policy.clock_skew_seconds) < token.time() {
        return Err(Failure::TimeStampFuture);
    }
    Ok(())
}

/// What the token says of itself agrees with the certificate: the name (RFC 3161 §2.4.2: tsa), and a time at which the
/// certificate was valid.
fn check_signer(token: &Token, certificate: &Arc<Certificate>) -> Result<(), Failure> {
    let names_other = token
        .info
        .authority
        .as_ref()
        .is_some_and(|name| name != certificate.subject());
    if names_other {
        return Err(Failure::TimeStampAuthority);
    }
    let certificate = Arc::clone(certificate);
    if token.time() < certificate.not_before() {
        return Err(Failure::NotYetValid { certificate });
    }
    if certificate.not_after().as_seconds() < token.time().as_seconds() {
        return Err(Failure::Expired { certificate });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
