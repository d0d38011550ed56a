//! One fetch, with the check of what it brought on a thread that may take its time.

use std::sync::Arc;

use trust::{Certificate, OcspAnswer, Snapshot, Time};

use super::answers;
use super::errand::{About, Errand, Wanted};
use super::fetch::{FetchLimits, Sent, fetch};
use super::material::{Certificates, Signed, Unfit};
use crate::administration::{Complaint, Trouble};

/// An issuing certificate that is larger is none.
const ISSUER_BYTES_MAX: u64 = 64 << 10;
/// An OCSP answer that is larger is none: anybody on the way can put certificates into one, and many are kept.
const ANSWER_BYTES_MAX: u64 = 32 << 10;

/// What a flight takes along.
pub(super) trait Check: Send + 'static {
    /// What it brings.
    type Brought: Send + 'static;

    /// What the address is sent.
    fn sent(&self) -> Sent;

    /// Reads and checks what the address gave. May take its time.
    fn check(self, bytes: Vec<u8>) -> Result<Self::Brought, Unfit>;
}

/// What the keeper checks by what a flight brings.
pub(super) enum Luggage {
    /// For a list: who may have signed it.
    List(Certificates),
    /// For an issuer: whose it should be.
    Issuer(Vec<Arc<Certificate>>),
    /// For an OCSP answer: what it is about, policy, and the time.
    Answer(About, Arc<Snapshot>, Time),
}

/// What a fetch brought, read and checked.
pub(super) enum Brought {
    List(Signed),
    Issuer(Arc<Certificate>),
    Answer(About, Arc<OcspAnswer>),
}

/// A fetch that has ended.
pub(super) struct Flown<T> {
    pub(super) errand: Errand,
    pub(super) brought: Result<T, Complaint>,
    /// The host that gave no answer, if that was it.
    pub(super) silent: Option<String>,
    /// Whether the errand's own host answered, whatever it said.
    pub(super) is_answered: bool,
}

/// Fetches and checks.
pub(super) async fn fly<C: Check>(
    errand: Errand,
    limits: FetchLimits,
    resting: Vec<String>,
    luggage: C,
) -> Flown<C::Brought> {
    let bytes_max = match errand.wanted {
        Wanted::List => limits.bytes_max,
        Wanted::Issuer => limits.bytes_max.min(ISSUER_BYTES_MAX),
        Wanted::Answer(_) => limits.bytes_max.min(ANSWER_BYTES_MAX),
    };
    let limits = FetchLimits { bytes_max, ..limits };
    match fetch(&errand.url, &luggage.sent(), &limits, &resting).await {
        Err(failed) => Flown {
            brought: Err(Complaint::from(&failed.fault)),
            is_answered: failed.is_answer_of(errand.host().as_deref()),
            silent: failed.silent,
            errand,
        },
        Ok(bytes) => {
            let checked = tokio::task::spawn_blocking(move || luggage.check(bytes)).await;
            let brought = match checked {
                Ok(checked) => checked.map_err(Complaint::from),
                Err(_) => Err(Complaint {
                    trouble: Trouble::Ours,
                    detail: "the check crashed".to_owned(),
                }),
            };
            Flown {
                errand,
                brought,
                silent: None,
                is_answered: true,
            }
        }
    }
}

impl Check for Luggage {
    type Brought = Brought;

    fn sent(&self) -> Sent {
        match self {
            Luggage::List(_) | Luggage::Issuer(_) => Sent::Nothing,
            Luggage::Answer(about, ..) => Sent::Ocsp(answers::request(about)),
        }
    }

    fn check(self, bytes: Vec<u8>) -> Result<Brought, Unfit> {
        match self {
            Luggage::List(certificates) => certificates.check_list(&bytes).map(Brought::List),
            Luggage::Issuer(wanted_by) => Certificates::check_issuer(&bytes, &wanted_by).map(Brought::Issuer),
            Luggage::Answer(about, snapshot, now) => {
                let answer = answers::check(bytes, &about, &snapshot, now)?;
                Ok(Brought::Answer(about, answer))
            }
        }
    }
}
