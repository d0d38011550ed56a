//! What proves when a signature existed: the time-stamps that it bears (ETSI EN 319 122-1 §5.2.8, §5.3, §5.5).
//!
//! Stands between the attributes of a signer and `tsp`. Archive time-stamps come first, the newest before the older: each
//! that passes proves that what it covers existed at its time, so that an authority that has ended since may still be
//! believed (ETSI EN 319 102-1 §5.6.2.4: proofs of existence).
//!
//! **Invariant**: a token is judged as of an earlier time only where another one that passed covers it.

use std::collections::BTreeMap;

use super::archive::Archive;
use super::attribute::values;
use super::gather::Gathered;
use super::structure::{SignedData, SignerInfo};
use super::verify::{Opened, Signed};
use super::{Circumstances, Digests};
use crate::asn1::oid;
use crate::existence::{Existence, PendingProof};
use crate::path::Budget;
use crate::report::Failure;
use crate::time::Time;
use crate::tsp::{self, Judged, Over, Proofs, Stamped, TimeStampKind, TimeStampReport, Token, earlier};

/// Tokens of one signer that are judged at most: long-term signatures of the field bear a handful.
const TOKENS_MAX: usize = 16;

/// Proofs of other kinds, which are not read.
const IGNORED: [const_oid::ObjectIdentifier; 6] = [
    oid::ATTRIBUTE_ESC_TIME_STAMP,
    oid::ATTRIBUTE_CERT_CRL_TIME_STAMP,
    oid::ATTRIBUTE_ARCHIVE_TIME_STAMP,
    oid::ATTRIBUTE_ARCHIVE_TIME_STAMP_V2,
    oid::ATTRIBUTE_EVIDENCE_RECORD_INTERNAL,
    oid::ATTRIBUTE_EVIDENCE_RECORD_EXTERNAL,
];

/// Where the proofs of one signer come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) signed: &'a SignedData<'a>,
    pub(super) signer: &'a SignerInfo<'a>,
    /// What the signature was found to be made with.
    pub(super) made_with: &'a Signed,
    pub(super) gathered: &'a Gathered,
    pub(super) circumstances: Circumstances<'a>,
}

/// One token, and where it stands among the values of the unsigned attributes.
struct Found {
    kind: TimeStampKind,
    place: Option<usize>,
    token: Token,
}

/// A token that was judged.
struct Taken {
    found: Found,
    is_passed: bool,
    pending: Option<PendingProof>,
    over: Over,
    /// For an archive time-stamp: what it covers.
    covers: Covers,
}

/// What a token covers besides the value of the signature.
#[derive(Default)]
struct Covers {
    /// Which values of the unsigned attributes.
    attributes: Vec<bool>,
    /// Whether the certificate that the signature was made with.
    certificate: bool,
}

impl Covers {
    /// What a token of this kind is over that covers this besides.
    fn over(&self, kind: TimeStampKind, made_with: &Signed) -> Over {
        match kind {
            TimeStampKind::Content | TimeStampKind::Data => Over::Content,
            TimeStampKind::Signature | TimeStampKind::Archive if made_with.is_bound => Over::Signature,
            TimeStampKind::Signature | TimeStampKind::Archive if self.certificate => Over::Signature,
            TimeStampKind::Signature | TimeStampKind::Archive => Over::Value,
        }
    }
}

/// What is proven of one signer: of its tokens those of the archive first, newest first.
pub(super) fn find(sources: &Sources<'_>, digests: &mut Digests<'_>, budget: &mut Budget) -> Proofs {
    let Sources {
        made_with,
        circumstances: Circumstances {
            existence, snapshot, ..
        },
        ..
    } = *sources;
    // What is around the SignedData is over the certificates in it.
    let around = if made_with.is_bound || sources.signed.holds(&made_with.certificate) {
        Over::Signature
    } else {
        Over::Value
    };
    let mut proofs = Proofs::of(existence.proven, around);
    let found = tokens(sources, &mut proofs);
    let value = Value {
        proven: existence.proven,
        pending: existence.pending.to_vec(),
    };
    let places = found.iter().filter_map(|one| one.place);
    let mut judging = Judging {
        sources: *sources,
        archive: Archive::new(sources.opened, sources.signed, sources.signer),
        values: places.map(|place| (place, value.clone())).collect(),
        digests,
        budget,
    };
    let mut taken = Vec::new();
    for one in found {
        let (judged, covers) = judging.judge(&one, proofs.latest());
        let over = covers.over(one.kind, made_with);
        taken.push(Taken {
            found: one,
            is_passed: judged.report.is_passed(),
            pending: judged.pending,
            over,
            covers,
        });
        proofs.take(judged.report, over);
    }
    let skew = snapshot.policy().clock_skew_seconds;
    proofs.is_disordered = is_disordered(&taken, None, skew);
    let own = taken.iter().enumerate().filter_map(|(place, one)| {
        let is_proof = one.over == Over::Signature && !is_disordered(&taken, Some(place), skew);
        one.pending.as_ref().filter(|_| is_proof)
    });
    let pending = existence.pending.iter().filter(|_| around == Over::Signature);
    proofs.await_all(pending.chain(own), &made_with.certificate, skew);
    proofs
}

/// The tokens that can be read, in the order in which they are judged: archive time-stamps, newest first; those of the
/// signature; those of the content.
fn tokens(sources: &Sources<'_>, proofs: &mut Proofs) -> Vec<Found> {
    let mut found = Vec::new();
    let of_content = values(sources.signer.signed_attributes)
        .into_iter()
        .filter(|(oid, _)| *oid == oid::ATTRIBUTE_CONTENT_TIME_STAMP.as_bytes())
        .map(|(_, value)| (TimeStampKind::Content, None, value));
    let unsigned = values(sources.signer.unsigned_attributes);
    proofs.has_ignored = unsigned
        .iter()
        .any(|(oid, _)| IGNORED.iter().any(|ignored| ignored.as_bytes() == *oid));
    let of_signature = unsigned
        .into_iter()
        .enumerate()
        .filter_map(|(place, (oid, value))| {
            let kind = if oid == oid::ATTRIBUTE_TIME_STAMP_TOKEN.as_bytes() {
                TimeStampKind::Signature
            } else if oid == oid::ATTRIBUTE_ARCHIVE_TIME_STAMP_V3.as_bytes() {
                TimeStampKind::Archive
            } else {
                return None;
            };
            Some((kind, Some(place), value))
        });
    for (kind, place, value) in of_signature.chain(of_content) {
        if TOKENS_MAX <= found.len() + proofs.len() {
            proofs.has_ignored = true;
            break;
        }
        match Token::from_der(sources.opened.sent(value.whole)) {
            Ok(token) => found.push(Found { kind, place, token }),
            Err(fault) => {
                let failure = Failure::TimeStampMalformed(fault);
                proofs.take(TimeStampReport::failed(kind, None, failure), Over::Content);
            }
        }
    }
    found.sort_by_key(|one| {
        let rank = match one.kind {
            TimeStampKind::Archive => 0,
            TimeStampKind::Signature => 1,
            TimeStampKind::Content | TimeStampKind::Data => 2,
        };
        (rank, std::cmp::Reverse(one.token.time()))
    });
    found
}

/// By when one value of the unsigned attributes existed.
#[derive(Clone)]
struct Value {
    proven: Option<Time>,
    pending: Vec<PendingProof>,
}

/// The tokens of one signer, judged one after another.
struct Judging<'a, 'd> {
    sources: Sources<'a>,
    archive: Archive<'a>,
    /// Those values of the unsigned attributes that are tokens, by their place among all: of these there are few.
    values: BTreeMap<usize, Value>,
    digests: &'a mut Digests<'d>,
    budget: &'a mut Budget,
}

impl Judging<'_, '_> {
    /// Judges one token; `signed_by` is the time by which the signature is proven to have existed so far.
    fn judge(&mut self, found: &Found, signed_by: Option<Time>) -> (Judged, Covers) {
        let (token, kind) = (&found.token, found.kind);
        let value = found.place.and_then(|place| self.values.get(&place).cloned());
        let circumstances = Circumstances {
            beside: self.sources.gathered,
            existence: Existence {
                proven: value.as_ref().map_or(signed_by, |value| value.proven),
                pending: value.as_ref().map_or(&[], |value| value.pending.as_slice()),
            },
            ..self.sources.circumstances
        };
        let digest;
        let signature = [self.sources.signer.value];
        let stamped = match kind {
            TimeStampKind::Archive => return self.judge_archive(token, &circumstances),
            TimeStampKind::Signature => Stamped::Parts(&signature),
            TimeStampKind::Content | TimeStampKind::Data => {
                digest = self.digests.of(token.imprint().0);
                Stamped::Digest(digest.as_ref())
            }
        };
        let judged = tsp::judge(token, (kind, stamped), &circumstances, self.budget);
        (judged, Covers::default())
    }

    fn judge_archive(&mut self, token: &Token, circumstances: &Circumstances<'_>) -> (Judged, Covers) {
        let kind = TimeStampKind::Archive;
        let coverage = match self.archive.coverage(token, self.digests) {
            Err(failure) => return (Judged::failed(kind, Some(token), failure), Covers::default()),
            Ok(coverage) => coverage,
        };
        let stamped = Stamped::Digest(&coverage.imprint);
        let judged = tsp::judge(token, (kind, stamped), circumstances, self.budget);
        let is_covered = |place: &usize| coverage.is_covered.get(*place) == Some(&true);
        for (_, value) in self.values.iter_mut().filter(|(place, _)| is_covered(place)) {
            if judged.report.is_passed() {
                value.proven = earlier(value.proven, token.latest());
            }
            value.pending.extend(judged.pending.clone());
        }
        let certificate = coverage.covers_certificate(&self.sources.made_with.certificate);
        let attributes = coverage.is_covered;
        (
            judged,
            Covers {
                attributes,
                certificate,
            },
        )
    }
}

/// Whether time-stamps that passed are out of order (ETSI EN 319 102-1 §5.5.4): those of the content before those of the
/// signature, those that are covered before those that cover them. Clocks may differ by the skew. `with`: one that is to be
/// taken as if it passed.
fn is_disordered(taken: &[Taken], with: Option<usize>, skew_seconds: i64) -> bool {
    let counted = taken.iter().enumerate();
    let counted = counted.filter(|(place, one)| one.is_passed || with == Some(*place));
    let passed: Vec<&Taken> = counted.map(|(_, one)| one).collect();
    let is_after = |one: &Taken, other: &Taken| {
        other.found.token.time().plus_seconds(skew_seconds) < one.found.token.time()
    };
    let is_covered_by = |one: &Taken, other: &Taken| match one.found.place {
        // What is of the content was there before the signature.
        None => other.found.place.is_some(),
        Some(place) => other.covers.attributes.get(place) == Some(&true),
    };
    passed.iter().any(|one| {
        passed
            .iter()
            .any(|other| is_covered_by(one, other) && is_after(one, other))
    })
}
