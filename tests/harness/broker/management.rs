//! The management interface of a node, for what AMQP does not offer: virtual hosts, users, permissions, definitions.
//!
//! **Invariant**: no connection outlives a call, because tests run in runtimes that come and go and a pooled
//! connection dies with the runtime that opened it.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::{Credentials, escape};

/// A definitions import of thousands of queues takes tens of seconds.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Why the management interface gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ManagementFault {
    /// The node could not be reached, or broke off.
    #[error("cannot reach the management interface")]
    Request(#[source] reqwest::Error),
    /// It answered with an error.
    #[error("{method} {path} was answered {status}: {body}")]
    Status {
        /// HTTP method of the request.
        method: Method,
        /// Path below `/api/`.
        path: String,
        /// What it answered.
        status: StatusCode,
        /// Text of the answer.
        body: String,
    },
    /// It answered with something that is not JSON.
    #[error("the answer to {path} is not JSON")]
    Json {
        /// Path below `/api/`.
        path: String,
        /// Where it ceases to be JSON.
        source: serde_json::Error,
    },
}

/// A client of `/api/`. Paths are given without it: `queues/lienthong`.
#[derive(Clone, Debug)]
pub struct Management {
    base: String,
    user: Credentials,
    client: Client,
}

impl Management {
    /// A client for the interface at `uri` (scheme, host and port) as `user`.
    pub fn new(uri: &str, user: &Credentials) -> Management {
        let client = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(TIMEOUT)
            .build()
            .expect("a client without certificates can be built");
        Management {
            base: format!("{uri}/api/"),
            user: user.clone(),
            client,
        }
    }

    /// # Errors
    /// When it is not reached, answers with an error, or not with JSON. An empty answer is `Null`.
    pub async fn try_get(&self, path: &str) -> Result<Value, ManagementFault> {
        self.request(Method::GET, path, None).await
    }

    /// # Panics
    /// On every fault, with its text.
    pub async fn get(&self, path: &str) -> Value {
        self.expect(Method::GET, path, None).await
    }

    /// # Panics
    /// On every fault, with its text.
    pub async fn put(&self, path: &str, body: &Value) {
        self.expect(Method::PUT, path, Some(body)).await;
    }

    /// # Panics
    /// On every fault, with its text.
    pub async fn delete(&self, path: &str) {
        self.expect(Method::DELETE, path, None).await;
    }

    /// Makes a virtual host, with all permissions for the user of this client.
    pub async fn create_vhost(&self, name: &str) {
        self.put(&format!("vhosts/{}", escape(name)), &json!({})).await;
        self.grant(name, &self.user.user, [".*", ".*", ".*"]).await;
    }

    /// Deletes a virtual host with all it holds.
    pub async fn delete_vhost(&self, name: &str) {
        self.delete(&format!("vhosts/{}", escape(name))).await;
    }

    /// Makes a user without tags: it may use AMQP where it is granted something, and no management.
    pub async fn create_user(&self, user: &str, password: &str) {
        self.put(
            &format!("users/{}", escape(user)),
            &json!({"password": password, "tags": ""}),
        )
        .await;
    }

    /// Grants `user` in `vhost` the right to configure, write and read what these expressions match.
    pub async fn grant(&self, vhost: &str, user: &str, [configure, write, read]: [&str; 3]) {
        let path = format!("permissions/{}/{}", escape(vhost), escape(user));
        self.put(
            &path,
            &json!({"configure": configure, "write": write, "read": read}),
        )
        .await;
    }

    /// Brings in definitions (vhosts, users, permissions, queues, bindings …) as exported by `GET /api/definitions`.
    pub async fn import(&self, definitions: &Value) {
        self.expect(Method::POST, "definitions", Some(definitions)).await;
    }

    async fn expect(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        match self.request(method, path, body).await {
            Ok(answer) => answer,
            Err(fault) => panic!("the broker's management interface: {fault} ({fault:?})"),
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ManagementFault> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .basic_auth(&self.user.user, Some(&self.user.password));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(ManagementFault::Request)?;
        let status = response.status();
        let text = response.text().await.map_err(ManagementFault::Request)?;
        if !status.is_success() {
            return Err(ManagementFault::Status {
                method,
                path: path.to_owned(),
                status,
                body: text,
            });
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|source| ManagementFault::Json {
            path: path.to_owned(),
            source,
        })
    }
}
