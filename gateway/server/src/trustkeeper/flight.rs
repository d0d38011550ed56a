//! One fetch, with the check of what it brought on a thread that may take its time.

use std::sync::Arc;

use trust::Certificate;

use super::fetch::{FetchLimits, fetch};
use super::material::{Certificates, Signed, Unfit};
use super::schedule::{Errand, Wanted};
use crate::administration::{Complaint, Trouble};

/// An issuing certificate that is larger is none.
const ISSUER_BYTES_MAX: u64 = 64 << 10;

/// What a fetch brought, read and checked.
pub(super) enum Brought {
    List(Signed),
    Issuer(Arc<Certificate>),
}

/// A fetch that has ended.
pub(super) struct Flown {
    pub(super) errand: Errand,
    pub(super) brought: Result<Brought, Complaint>,
    /// The host that gave no answer, if that was it.
    pub(super) silent: Option<String>,
    /// Whether the errand's own host answered, whatever it said.
    pub(super) is_answered: bool,
}

/// Fetches and checks: a list by the certificates, an issuer by those that want it.
pub(super) async fn fly(
    errand: Errand,
    limits: FetchLimits,
    resting: Vec<String>,
    (certificates, wanted_by): (Certificates, Vec<Arc<Certificate>>),
) -> Flown {
    let limits = match errand.wanted {
        Wanted::List => limits,
        Wanted::Issuer => FetchLimits {
            bytes_max: limits.bytes_max.min(ISSUER_BYTES_MAX),
            ..limits
        },
    };
    match fetch(&errand.url, &limits, &resting).await {
        Err(failed) => Flown {
            brought: Err(Complaint::from(&failed.fault)),
            is_answered: failed.is_answer_of(errand.host().as_deref()),
            silent: failed.silent,
            errand,
        },
        Ok(bytes) => {
            let wanted = errand.wanted;
            let check = move || -> Result<Brought, Unfit> {
                match wanted {
                    Wanted::List => certificates.check_list(&bytes).map(Brought::List),
                    Wanted::Issuer => Certificates::check_issuer(&bytes, &wanted_by).map(Brought::Issuer),
                }
            };
            let brought = match tokio::task::spawn_blocking(check).await {
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
