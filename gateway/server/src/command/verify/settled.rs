//! What settled the revocation of each certificate, read out of a report.

use std::sync::Arc;

use domain::receipt::vietnam_time;
use trust::crl::{Revocation, RevocationReason};
use trust::ocsp::{CertificateStatus, Said as Statement};
use trust::report::{RevocationSource, SealReport};
use trust::{Certificate, Failure, RevocationProof, Time};

use crate::command::text::{Said, VerifyText};

/// One object that spoke about one certificate, and what it said.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) certificate: Arc<Certificate>,
    pub(super) source: RevocationSource,
    /// What an OCSP answer says of it.
    pub(super) statement: Option<Statement>,
    pub(super) word: Word,
}

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Not revoked.
    Good,
    /// Revoked or on hold since.
    Revoked(Time),
    /// Revoked since, which is after what it signed is proven to have existed.
    RevokedAfter(Time),
}

/// What settled the certificates of a path.
pub(super) fn settled(report: &SealReport) -> Vec<Settled> {
    Settled::all(&report.revocation, (&report.chain, report.failure.as_ref()))
}

impl Settled {
    /// The same for the parts of a report.
    pub(super) fn all(
        proofs: &[RevocationProof],
        (chain, failure): (&[Arc<Certificate>], Option<&Failure>),
    ) -> Vec<Settled> {
        proofs
            .iter()
            .map(|proof| Settled::of(proof, chain, failure))
            .collect()
    }

    fn of(proof: &RevocationProof, chain: &[Arc<Certificate>], failure: Option<&Failure>) -> Settled {
        let certificate = &proof.certificate;
        let place = chain.iter().position(|one| one == certificate);
        let issuer = place.and_then(|place| chain.get(place + 1));
        let statement = match (&proof.source, issuer) {
            (RevocationSource::Answer(answer), Some(issuer)) => answer.said_of(certificate, issuer),
            (RevocationSource::Answer(_), None) | (RevocationSource::List(_), _) => None,
        };
        let said = match (&proof.source, statement.map(|statement| statement.status)) {
            // A delta that removes a certificate is proof that it is good.
            (RevocationSource::List(list), _) => list
                .revocation_of_certificate(certificate)
                .filter(|revocation| revocation.reason != RevocationReason::RemovedFromList),
            (RevocationSource::Answer(_), Some(CertificateStatus::Revoked(revocation))) => Some(revocation),
            (
                RevocationSource::Answer(_),
                Some(CertificateStatus::Good | CertificateStatus::Unknown) | None,
            ) => None,
        };
        Settled {
            word: word(certificate, said, failure),
            certificate: Arc::clone(certificate),
            source: proof.source.clone(),
            statement,
        }
    }

    /// The list or answer with its times.
    pub(super) fn source_in_words(&self) -> Said {
        let until = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), vietnam_time);
        match &self.source {
            RevocationSource::List(list) => VerifyText::LinkList
                .said()
                .with("issuer", list.issuer())
                .with("number", list.number().map_or_else(|| "-".to_owned(), hex))
                .with("made", vietnam_time(list.this_update()))
                .with("until", until(list.next_update())),
            RevocationSource::Answer(answer) => VerifyText::LinkAnswer
                .said()
                .with("responder", answer.responder_name())
                .with("produced", vietnam_time(answer.produced_at()))
                .with(
                    "made",
                    until(self.statement.map(|statement| statement.this_update)),
                )
                .with(
                    "until",
                    until(self.statement.and_then(|statement| statement.next_update)),
                ),
        }
    }
}

/// What it comes to: a failure names the certificate that it is about.
fn word(certificate: &Certificate, said: Option<Revocation>, failure: Option<&Failure>) -> Word {
    if let Some(
        Failure::Revoked {
            certificate: failed,
            at,
            ..
        }
        | Failure::OnHold {
            certificate: failed,
            at,
        },
    ) = failure
        && **failed == *certificate
    {
        return Word::Revoked(*at);
    }
    match (said, failure) {
        (None, _) => Word::Good,
        // Of two that are revoked the failure names one.
        (Some(said), Some(Failure::Revoked { .. } | Failure::OnHold { .. })) => Word::Revoked(said.at),
        (Some(said), Some(_) | None) => Word::RevokedAfter(said.at),
    }
}

/// Octets in hexadecimal.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
