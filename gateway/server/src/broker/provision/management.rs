//! The management interface, as far as provisioning needs it.
//!
//! **Invariant:** a body that was sent, which may hold password hashes, is never part of a fault.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// For one question or one thing: a broker that is starting may take a connection and answer nothing.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For an import: four hundred quorum queues take seconds; on a busy province server some more.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(300);
/// RFC 3986 §2.3: what needs no encoding.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Our trouble with the management interface.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionFault {
    /// No HTTP client can be built here.
    #[error("no HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    /// It cannot be reached or broke off.
    #[error("cannot reach the broker's management interface: {0}")]
    Request(#[source] reqwest::Error),
    /// The provisioning credential is refused.
    #[error("the management interface refuses the provisioning credential at {path}")]
    Credential {
        /// Path below `/api/`.
        path: String,
    },
    /// It answered with an error.
    #[error("{method} {path} was answered {status}: {reason}")]
    Status {
        /// Method of the request.
        method: Method,
        /// Path below `/api/`.
        path: String,
        /// Status of the answer.
        status: StatusCode,
        /// What the broker says.
        reason: String,
    },
    /// The virtual host is marked with an epoch that this data folder does not know.
    #[error(
        "virtual host {vhost} holds documents of another gateway, or of this one's lost data (epoch {epoch}): put back the \
         right data_dir; or, where those documents are given up, delete the virtual host (rabbitmqctl delete_vhost {vhost})"
    )]
    Foreign {
        /// The virtual host.
        vhost: String,
        /// The epoch it is marked with.
        epoch: String,
    },
    /// Its answer is not of the form it documents.
    #[error("the answer to {path} is not understood")]
    Answer {
        /// Path below `/api/`.
        path: String,
    },
}

impl ProvisionFault {
    /// Whether something that was not there came to be while it was made here, too: a definition of users is not atomic.
    pub(crate) fn is_lost_race(&self) -> bool {
        match self {
            ProvisionFault::Status { status, reason, .. } => {
                *status == StatusCode::BAD_REQUEST && reason.contains("already_exists")
            }
            ProvisionFault::Request(_)
            | ProvisionFault::Client(_)
            | ProvisionFault::Credential { .. }
            | ProvisionFault::Foreign { .. }
            | ProvisionFault::Answer { .. } => false,
        }
    }

    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            ProvisionFault::Request(_) => true,
            ProvisionFault::Status { status, .. } => status.is_server_error(),
            ProvisionFault::Client(_)
            | ProvisionFault::Credential { .. }
            | ProvisionFault::Foreign { .. }
            | ProvisionFault::Answer { .. } => false,
        }
    }
}

/// A client of `/api/`.
#[derive(Debug, Clone)]
pub(crate) struct Management {
    base: String,
    user: String,
    password: SecretString,
    client: Client,
}

impl Management {
    /// A client at this scheme, host and port.
    pub(crate) fn new(uri: &str, user: &str, password: SecretString) -> Result<Management, ProvisionFault> {
        let client = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(ProvisionFault::Client)?;
        let base = format!("{}/api/", uri.trim_end_matches('/'));
        Ok(Management {
            base,
            user: user.to_owned(),
            password,
            client,
        })
    }

    /// Who asks.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// A thing, if it exists.
    pub(crate) async fn find(&self, path: &[&str], query: &str) -> Result<Option<Value>, ProvisionFault> {
        let path = joined(path);
        self.answer(
            Method::GET,
            &path,
            self.request(Method::GET, &format!("{path}?{query}")),
        )
        .await
    }

    /// All things of a kind.
    pub(crate) async fn list(&self, path: &[&str], query: &str) -> Result<Vec<Value>, ProvisionFault> {
        match self.find(path, query).await? {
            Some(Value::Array(rows)) => Ok(rows),
            _ => Err(ProvisionFault::Answer { path: joined(path) }),
        }
    }

    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<(), ProvisionFault> {
        let request = self.request(Method::PUT, &joined(path)).json(body);
        self.send(Method::PUT, path, request).await
    }

    /// Makes all that a document names.
    pub(crate) async fn import(&self, definitions: &Value) -> Result<(), ProvisionFault> {
        let path = ["definitions"];
        let request = self.request(Method::POST, &joined(&path)).timeout(IMPORT_TIMEOUT);
        self.send(Method::POST, &path, request.json(definitions)).await
    }

    /// Deletes a thing; `None` when it was not there.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Option<Value>, ProvisionFault> {
        let path = joined(path);
        self.answer(Method::DELETE, &path, self.request(Method::DELETE, &path))
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        request: RequestBuilder,
    ) -> Result<(), ProvisionFault> {
        let path = joined(path);
        match self.answer(method.clone(), &path, request).await? {
            Some(_) => Ok(()),
            None => {
                let (status, reason) = (StatusCode::NOT_FOUND, String::new());
                Err(ProvisionFault::Status {
                    method,
                    path,
                    status,
                    reason,
                })
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let password = self.password.expose_secret();
        self.client
            .request(method, format!("{}{path}", self.base))
            .basic_auth(&self.user, Some(password))
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        request: RequestBuilder,
    ) -> Result<Option<Value>, ProvisionFault> {
        let response = request.send().await.map_err(ProvisionFault::Request)?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let path = path.to_owned();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(ProvisionFault::Credential { path });
        }
        let text = response.text().await.map_err(ProvisionFault::Request)?;
        if !status.is_success() {
            return Err(ProvisionFault::Status {
                method,
                path,
                status,
                reason: text,
            });
        }
        if text.is_empty() {
            return Ok(Some(Value::Null));
        }
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| ProvisionFault::Answer { path })
    }
}

fn joined(path: &[&str]) -> String {
    path.iter()
        .map(|part| utf8_percent_encode(part, ENCODED).to_string())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        assert_eq!(joined(&["queues", "/", "inbox.a17-1"]), "queues/%2F/inbox.a17-1");
        assert_eq!(joined(&["users", "a/../b?c"]), "users/a%2F..%2Fb%3Fc");
    }
}
