//! One fetch, within its limits of time, size and redirects.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::address::{self, AddressFault, Checked, PrivateHosts};
use crate::administration::{Complaint, Trouble};

/// What a fetch may cost, and where it may go.
#[derive(Debug, Clone)]
pub(super) struct FetchLimits {
    pub(super) time_max: Duration,
    pub(super) bytes_max: u64,
    pub(super) redirects_max: usize,
    pub(super) private_hosts: PrivateHosts,
}

/// A fetch that gave nothing.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) fault: FetchFault,
    /// The host that gave no answer, if that was it. It may be one that was redirected to.
    pub(super) silent: Option<String>,
}

/// Why a fetch gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    /// The address, or one it redirected to, is not followed.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// No HTTP client could be made.
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
    /// The exchange failed.
    #[error("the exchange failed")]
    Exchange(#[source] reqwest::Error),
    /// An answer other than 200.
    #[error("the answer was {0}")]
    Status(u16),
    /// More bytes than one object may have.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// More redirects than are followed.
    #[error("too many redirects")]
    Redirects,
    /// It took too long.
    #[error("no whole answer within {0:?}")]
    TooSlow(Duration),
    /// Nothing at all came in time.
    #[error("{0} gave no answer within {1:?}")]
    Silent(String, Duration),
    /// The host gave no answer a short while ago.
    #[error("{0} gave no answer before and is not asked now")]
    Resting(String),
}

impl FetchFault {
    /// What a person is to understand by it.
    fn trouble(&self) -> Trouble {
        match self {
            FetchFault::Address(AddressFault::Unresolved)
            | FetchFault::Exchange(_)
            | FetchFault::TooSlow(_)
            | FetchFault::Silent(..)
            | FetchFault::Resting(_) => Trouble::Unreachable,
            FetchFault::Address(_) => Trouble::Forbidden,
            FetchFault::Status(_) | FetchFault::TooLarge(_) | FetchFault::Redirects => Trouble::WrongAnswer,
            FetchFault::Client(_) => Trouble::Ours,
        }
    }

    /// Whether the host said something, although not what was wanted.
    fn is_answer(&self) -> bool {
        match self {
            // To a host that rests only another one redirects.
            FetchFault::Status(_)
            | FetchFault::TooLarge(_)
            | FetchFault::Redirects
            | FetchFault::Resting(_) => true,
            FetchFault::Address(_)
            | FetchFault::Client(_)
            | FetchFault::Exchange(_)
            | FetchFault::TooSlow(_)
            | FetchFault::Silent(..) => false,
        }
    }
}

impl From<&FetchFault> for Complaint {
    fn from(fault: &FetchFault) -> Complaint {
        Complaint {
            trouble: fault.trouble(),
            detail: fault.to_string(),
        }
    }
}

impl Failed {
    /// Whether the host that was asked first said something: a redirect to one that is silent is an answer of its own.
    pub(super) fn is_answer_of(&self, host: Option<&str>) -> bool {
        self.fault.is_answer() || self.silent.as_deref().is_some_and(|silent| Some(silent) != host)
    }
}

/// What is sent to an address.
#[derive(Debug)]
pub(super) enum Sent {
    /// Nothing: what lies there is wanted.
    Nothing,
    /// A request to an OCSP responder (RFC 6960 appendix A.1), in DER.
    Ocsp(Vec<u8>),
}

/// Fetches the bytes at an address, or what it answers. Hosts of `resting` are not asked, whoever redirects to them.
pub(super) async fn fetch(
    url: &str,
    sent: &Sent,
    limits: &FetchLimits,
    resting: &[String],
) -> Result<Vec<u8>, Failed> {
    let mut hearing = Hearing::default();
    let following = follow((url, sent), limits, resting, &mut hearing);
    let within = tokio::time::timeout(limits.time_max, following).await;
    let fault = match within {
        Ok(Ok(bytes)) => return Ok(bytes),
        Ok(Err(fault)) => fault,
        Err(_) => match &hearing.asked {
            Some(host) if !hearing.is_answered => FetchFault::Silent(host.clone(), limits.time_max),
            Some(_) | None => FetchFault::TooSlow(limits.time_max),
        },
    };
    let is_stalled = hearing.octets < STALLED_OCTETS * limits.time_max.as_secs().max(1);
    let is_silence = match &fault {
        FetchFault::Silent(..) | FetchFault::Address(AddressFault::Unresolved) => true,
        // A connection that broke off later may be the matter of this one address.
        FetchFault::Exchange(error) => error.is_connect(),
        // So is a list that is large for the way to it, as long as something comes.
        FetchFault::TooSlow(_) => is_stalled,
        FetchFault::Address(_)
        | FetchFault::Client(_)
        | FetchFault::Status(_)
        | FetchFault::TooLarge(_)
        | FetchFault::Redirects
        | FetchFault::Resting(_) => false,
    };
    let is_unheard = !hearing.is_answered || matches!(fault, FetchFault::TooSlow(_));
    let silent = hearing.asked.filter(|_| is_silence && is_unheard);
    Err(Failed { fault, silent })
}

/// A host that begins to answer and sends less than so many octets a second is as good as silent.
const STALLED_OCTETS: u64 = 1024;

/// What was heard so far.
#[derive(Debug, Default)]
struct Hearing {
    /// The host that was asked last.
    asked: Option<String>,
    /// Whether it began to answer.
    is_answered: bool,
    /// Octets of its answer.
    octets: u64,
}

/// Redirects are followed here and not by the client, because each one must pass the same checks.
async fn follow(
    (url, sent): (&str, &Sent),
    limits: &FetchLimits,
    resting: &[String],
    hearing: &mut Hearing,
) -> Result<Vec<u8>, FetchFault> {
    let mut url = address::parse(url)?;
    for _ in 0..=limits.redirects_max {
        let host = address::host_of(&url).ok_or(AddressFault::NotFollowed)?;
        if resting.contains(&host) {
            return Err(FetchFault::Resting(host));
        }
        (hearing.asked, hearing.is_answered) = (Some(host), false);
        let checked = address::check(url, &limits.private_hosts).await?;
        let response = ask(&checked, sent).await?;
        hearing.is_answered = true;
        if !response.status().is_redirection() {
            return read(response, limits.bytes_max, &mut hearing.octets).await;
        }
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| checked.url.join(location).ok());
        url = address::parse(next.ok_or(AddressFault::NotFollowed)?.as_str())?;
    }
    Err(FetchFault::Redirects)
}

/// A client of its own for each request: it knows the checked addresses of this host and no others, and no proxy
/// that would resolve anew.
async fn ask(checked: &Checked, sent: &Sent) -> Result<Response, FetchFault> {
    let builder = Client::builder().no_proxy().redirect(Policy::none());
    let client = builder
        .resolve_to_addrs(&checked.host, &checked.addresses)
        .build()
        .map_err(FetchFault::Client)?;
    let request = match sent {
        Sent::Nothing => client.get(checked.url.clone()),
        Sent::Ocsp(request) => client
            .post(checked.url.clone())
            .header(CONTENT_TYPE, "application/ocsp-request")
            .body(request.clone()),
    };
    request.send().await.map_err(FetchFault::Exchange)
}

async fn read(mut response: Response, bytes_max: u64, heard: &mut u64) -> Result<Vec<u8>, FetchFault> {
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchFault::Status(response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchFault::Exchange)? {
        if bytes.len() as u64 + chunk.len() as u64 > bytes_max {
            return Err(FetchFault::TooLarge(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
        *heard = bytes.len() as u64;
    }
    Ok(bytes)
}
