//! A private RabbitMQ node: its own name, ports, epmd, data and logs, all on 127.0.0.1.
//!
//! Most tests share the node of their process ([`Broker::shared`]) and take a virtual host each; a test that kills
//! the node or loses its disk starts one for itself ([`Broker::start`]). A node costs about 5 s to boot and 160 MB.
//!
//! **Invariant**: a broker already running on the machine is never touched: nothing here uses its ports, its epmd,
//! its folders or its name.
//! **Invariant**: ports and folders stay the same over `stop`, `kill`, `start_again` and `wipe`, so that clients
//! which reconnect by themselves find the node again.

mod management;
mod node;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

pub use management::{Management, ManagementFault};
use tokio::sync::OnceCell;

use crate::{
    offspring::{Offspring, Signal, erase_at_end},
    ports::PortBlock,
    wait_until,
};

/// Boot takes about 5 s alone and a multiple of it beside a build on the same two cores.
const BOOT: Duration = Duration::from_secs(120);
/// A clean shutdown takes up to 8 s; with thousands of queues some more.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// Name and password of a broker user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password in clear.
    pub password: String,
}

/// A RabbitMQ node of our own. Dropping it kills the node; the folder is the caller's.
#[derive(Debug)]
pub struct Broker {
    folder: PathBuf,
    ports: PortBlock,
    admin: Credentials,
    node_name: String,
    epmd: Option<Offspring>,
    node: Option<Offspring>,
}

impl Broker {
    /// Starts a node that keeps everything below `folder` (made when missing), and waits until it serves.
    ///
    /// # Panics
    /// When RabbitMQ is not installed (the message names `ops/setup`) or the node does not come up; the message
    /// then names its log.
    pub async fn start(folder: &Path) -> Broker {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        node::check_installed();
        let mut broker = Broker {
            folder: folder.to_owned(),
            ports: PortBlock::claim(),
            admin: Credentials {
                user: "operator".to_owned(),
                password: node::random_password(),
            },
            node_name: format!("edoc-{}-{count}@localhost", std::process::id()),
            epmd: None,
            node: None,
        };
        node::write_configuration(&broker);
        broker.start_again().await;
        broker
    }

    /// The node that all tests of this process share, started at the first call; it and its folder go when the
    /// process ends. Take a virtual host of your own ([`Management::create_vhost`]) and never stop this node.
    pub async fn shared() -> &'static Broker {
        static SHARED: OnceCell<Broker> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let folder = tempfile::Builder::new()
                    .prefix("edoc-broker-")
                    .tempdir()
                    .expect("the folder for temporary files can be written")
                    .keep();
                erase_at_end(&folder);
                Broker::start(&folder).await
            })
            .await
    }

    /// Shuts the node down cleanly and waits until it is gone. Data stay.
    pub async fn stop(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.signal(Signal::TERM);
            node.ended(SHUTDOWN).await;
        }
        self.epmd = None;
    }

    /// `kill -9` of the node. What it had synced stays on disk; see [`Broker::queues_registered`] for queues that
    /// were declared within the last seconds.
    pub fn kill(&mut self) {
        self.node = None; // dropping kills the whole group and waits for it
        self.epmd = None; // it would keep the dead node's name for a moment
    }

    /// Waits until every quorum queue of the node is registered on its disk, which takes up to 5 s after it was
    /// declared (Ra saves its directory of servers at that interval). A queue that is not comes back from
    /// [`Broker::kill`] without a leader: a passive declare finds it, empty, but it never answers a get or a publish,
    /// a clean restart does not help, and confirmed messages in it are gone; only deleting and declaring it does
    /// (tried with 3.10.8).
    pub async fn queues_registered(&self) {
        let queues = self.management().get("queues").await;
        let names: Vec<String> = queues
            .as_array()
            .expect("a list of queues")
            .iter()
            .filter(|queue| queue["type"] == "quorum")
            .map(|queue| match (queue["vhost"].as_str(), queue["name"].as_str()) {
                (Some("/"), Some(name)) => format!("%2F_{name}"),
                (Some(vhost), Some(name)) => format!("{vhost}_{name}"),
                (None, _) | (_, None) => panic!("a queue without a name: {queue}"),
            })
            .collect();
        let quorum = self.folder.join("mnesia").join(&self.node_name).join("quorum");
        let directory = quorum.join(&self.node_name).join("names.dets");
        wait_until("the quorum queues are registered on disk", BOOT, async || {
            let saved = std::fs::read(&directory).unwrap_or_default();
            names
                .iter()
                .all(|name| memchr::memmem::find(&saved, name.as_bytes()).is_some())
        })
        .await;
    }

    /// Starts the node on the ports and data it had, and waits until it serves.
    ///
    /// # Panics
    /// When it runs already, or does not come up.
    pub async fn start_again(&mut self) {
        assert!(self.node.is_none(), "the node runs; stop or kill it first");
        self.epmd = Some(node::start_epmd(self));
        self.node = Some(node::start_node(self));
        let management = self.management();
        let node = self.node.as_mut().expect("just started");
        let log = self.folder.join("log");
        let what = format!("the broker serves (its log: {})", log.display());
        let path = format!("health/checks/port-listener/{}", self.ports.port(node::AMQP));
        wait_until(&what, BOOT, async || {
            if let Some(status) = node.exit_status() {
                panic!(
                    "the broker ended while it booted: {status}; its log: {}",
                    log.display()
                );
            }
            management.try_get(&path).await.is_ok()
        })
        .await;
    }

    /// The disk is lost: ends the node, deletes its data (virtual hosts, users, queues, messages) and starts it
    /// empty on the same ports, with the same [`Broker::admin`].
    pub async fn wipe(&mut self) {
        self.kill();
        node::erase_data(&self.folder);
        self.start_again().await;
    }

    /// AMQP address for a user in a virtual host.
    pub fn amqp_uri(&self, user: &str, password: &str, vhost: &str) -> String {
        let address = self.amqp_address();
        format!(
            "amqp://{}:{}@{address}/{}",
            escape(user),
            escape(password),
            escape(vhost)
        )
    }

    /// Address and port of AMQP, for a proxy to stand before.
    pub fn amqp_address(&self) -> std::net::SocketAddr {
        (std::net::Ipv4Addr::LOCALHOST, self.ports.port(node::AMQP)).into()
    }

    /// Base of the management interface, without a slash at its end: `http://127.0.0.1:PORT`.
    pub fn management_uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.port(node::MANAGEMENT))
    }

    /// Where Prometheus metrics of the node are read.
    pub fn metrics_uri(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.ports.port(node::METRICS))
    }

    /// An administrator of the node. Its password is random; `guest` does not exist.
    pub fn admin(&self) -> &Credentials {
        &self.admin
    }

    /// The management interface, as [`Broker::admin`].
    pub fn management(&self) -> Management {
        Management::new(&self.management_uri(), &self.admin)
    }

    /// Makes the virtual host `name`, which [`Broker::admin`] may use, and returns its AMQP address for that user.
    pub async fn create_vhost(&self, name: &str) -> String {
        self.management().create_vhost(name).await;
        self.amqp_uri(&self.admin.user, &self.admin.password, name)
    }

    /// Process id of the running node (of `beam.smp` itself).
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> u32 {
        self.node.as_ref().expect("the node runs").pid()
    }
}

/// Percent-encodes what RFC 3986 section 2.3 does not call unreserved.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte))
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
