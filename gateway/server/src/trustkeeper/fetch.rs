//! One fetch, within its limits of time, size and redirects.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::address::{self, AddressFault, Checked, PrivateHosts};

/// What a fetch may cost, and where it may go.
#[derive(Debug, Clone)]
pub(super) struct FetchLimits {
    pub(super) time_max: Duration,
    pub(super) bytes_max: u64,
    pub(super) redirects_max: usize,
    pub(super) private_hosts: PrivateHosts,
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
}

/// Fetches the bytes at an address.
pub(super) async fn fetch(url: &str, limits: &FetchLimits) -> Result<Vec<u8>, FetchFault> {
    let within = tokio::time::timeout(limits.time_max, follow(url, limits));
    within.await.unwrap_or(Err(FetchFault::TooSlow(limits.time_max)))
}

/// Redirects are followed here and not by the client, because each one must pass the same checks.
async fn follow(url: &str, limits: &FetchLimits) -> Result<Vec<u8>, FetchFault> {
    let mut url = address::parse(url)?;
    for _ in 0..=limits.redirects_max {
        let checked = address::check(url, &limits.private_hosts).await?;
        let response = ask(&checked).await?;
        if !response.status().is_redirection() {
            return read(response, limits.bytes_max).await;
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
async fn ask(checked: &Checked) -> Result<Response, FetchFault> {
    let builder = Client::builder().no_proxy().redirect(Policy::none());
    let client = builder
        .resolve_to_addrs(&checked.host, &checked.addresses)
        .build()
        .map_err(FetchFault::Client)?;
    client
        .get(checked.url.clone())
        .send()
        .await
        .map_err(FetchFault::Exchange)
}

async fn read(mut response: Response, bytes_max: u64) -> Result<Vec<u8>, FetchFault> {
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchFault::Status(response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchFault::Exchange)? {
        if bytes.len() as u64 + chunk.len() as u64 > bytes_max {
            return Err(FetchFault::TooLarge(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
