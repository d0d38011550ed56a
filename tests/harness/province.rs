//! A whole small province on private services: a broker, certification authorities with revocation lists over HTTP,
//! the real gateway as its operator starts it, and agencies with certificates and connectors.
//!
//! ```text
//! FOLDER/broker/                      a node of its own, unless the process's shared one is used
//! FOLDER/gateway/                     see `gateway`
//! FOLDER/agencies/<account>/          see `agency`
//! ```
//!
//! Everything that an operator does is done by the real commands: `gateway key new`, `broker provision`, `run`,
//! `agency add`, `agency import`, `agency pin`. What a connector takes and hands out goes through the [`Ledger`], which
//! is held against the journal in the end ([`Province::settle`]).
//!
//! **Invariant**: teardown ends only what was started here.

mod agency;
mod authorities;
mod books;
mod enrolment;
mod gateway;
mod ledger;
mod letter;
mod traffic;

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

pub use agency::{Agency, AgencyPlan};
pub use authorities::Authorities;
pub use books::{Balance, Books, Decision, Entry, Sent, SubmissionKey};
pub use gateway::{Gateway, Settings};
use jiff::Timestamp;
pub use ledger::{Audit, Ledger};
pub use letter::{Draft, Letter, Seals};

use crate::broker::Broker;

/// The gateway's own code: that of the province itself.
pub const GATEWAY_CODE: &str = "000.00.00.H53";

/// Which broker a province stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placement {
    Exclusive,
    Shared,
}

/// What a province is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    placement: Placement,
    agencies: Vec<AgencyPlan>,
    answers: &'static str,
    settings: Settings,
    folder: Option<PathBuf>,
}

impl Plan {
    /// A province office and `others` agencies below it, on the broker that the process shares.
    ///
    /// Broker users are known to the whole node. In scenarios that suspend, close or merge agencies, or end the
    /// broker, take a node of your own: [`Plan::exclusive`].
    pub fn new(others: usize) -> Plan {
        let office = AgencyPlan::named("Văn phòng tỉnh thử nghiệm", "000.00.01.H53", "Tỉnh");
        let agencies = std::iter::once(office).chain((1..=others).map(AgencyPlan::numbered));
        Plan {
            placement: Placement::Shared,
            agencies: agencies.collect(),
            answers: "receipts",
            settings: Settings::default(),
            folder: None,
        }
    }

    /// With these agencies; the first one is the province office, above the others.
    #[must_use]
    pub fn agencies(mut self, agencies: Vec<AgencyPlan>) -> Plan {
        assert!(!agencies.is_empty(), "a province has an office");
        self.agencies = agencies;
        self
    }

    /// On a broker of its own, which can be killed, stopped and wiped.
    #[must_use]
    pub fn exclusive(mut self) -> Plan {
        self.placement = Placement::Exclusive;
        self
    }

    /// With software that also gets refusals as status packets.
    #[must_use]
    pub fn answered_by_status_too(mut self) -> Plan {
        self.answers = "receipts-and-status";
        self
    }

    /// With a key of `gateway.toml` set to a number, or to TOML that is already written.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Display) -> Plan {
        self.settings.set(section, key, value);
        self
    }

    /// In this folder, which is the caller's; by default in one that goes with the province.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Plan {
        self.folder = Some(folder.to_owned());
        self
    }
}

#[derive(Debug)]
enum Node {
    Own(Box<Broker>),
    Shared(&'static Broker),
}

/// A province that runs. Dropping it ends what it started.
#[derive(Debug)]
pub struct Province {
    agencies: Vec<Agency>,
    /// The gateway.
    pub gateway: Gateway,
    node: Node,
    vhost: String,
    /// Certification authorities and revocation lists.
    pub authorities: Authorities,
    /// What was sent and stored.
    pub ledger: Ledger,
    settings: Settings,
    answers: &'static str,
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Province {
    /// Starts everything and waits until documents can be sent by every agency.
    ///
    /// # Panics
    /// When anything does not start; the message names its log.
    pub async fn start(plan: Plan) -> Province {
        let mut province = Province::prepare(&plan).await;
        province.install().await;
        province.gateway.start_again().await;
        province.enrol(plan.agencies).await;
        province
    }

    /// Broker, authorities and configuration; no gateway yet.
    async fn prepare(plan: &Plan) -> Province {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = plan.folder.is_none().then(|| {
            let folder = tempfile::Builder::new().prefix("edoc-province-").tempdir();
            folder.expect("the folder for temporary files can be written")
        });
        let folder = match (&plan.folder, &temporary) {
            (Some(folder), _) => folder.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => unreachable!("one of both was just made"),
        };
        let gateway_folder = folder.join("gateway");
        for name in ["data", "anchors", "candidates"] {
            std::fs::create_dir_all(gateway_folder.join(name)).expect("the province's folder can be written");
        }
        let (node, suffix) = match plan.placement {
            Placement::Exclusive => (
                Node::Own(Box::new(Broker::start(&folder.join("broker")).await)),
                String::new(),
            ),
            Placement::Shared => (Node::Shared(Broker::shared().await), format!("-{count}")),
        };
        let authorities = Authorities::new(Timestamp::now());
        authorities.write(
            &gateway_folder.join("anchors"),
            &gateway_folder.join("candidates"),
        );
        let vhost = format!("lienthong{suffix}");
        let mut settings = usual_settings();
        let anchor = trust::Digest::of(&authorities.hierarchy.root.certificate);
        settings.set("trust", "anchor_fingerprints", format!("[\"{anchor}\"]"));
        let broker = node.broker();
        settings.text("broker", "uri", format!("amqp://{}", broker.amqp_address()));
        settings.text("broker", "vhost", &vhost);
        settings.text("broker", "user", format!("gateway{suffix}"));
        settings.text("broker.provision", "management_uri", broker.management_uri());
        settings.text("broker.provision", "user", &broker.admin().user);
        settings.overrule(&plan.settings);
        let password = enrolment::random_password();
        gateway::write(&gateway_folder.join("broker.password"), password.as_bytes());
        gateway::write(
            &gateway_folder.join("provision.password"),
            broker.admin().password.as_bytes(),
        );
        Province {
            agencies: Vec::new(),
            gateway: Gateway::new(&gateway_folder, &settings),
            node,
            vhost,
            authorities,
            ledger: Ledger::default(),
            settings,
            answers: plan.answers,
            folder,
            _temporary: temporary,
        }
    }

    /// The operator's first two commands.
    async fn install(&self) {
        let folder = gateway::utf8(self.gateway.folder());
        self.gateway
            .command(&["key", "new", "--out-dir", folder, "--code", GATEWAY_CODE])
            .await;
        self.gateway.command(&["broker", "provision"]).await;
    }

    /// Where everything is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The broker.
    pub fn broker(&self) -> &Broker {
        self.node.broker()
    }

    /// The broker, to be killed, stopped or wiped.
    ///
    /// # Panics
    /// When it is the shared one: see [`Plan::exclusive`].
    pub fn broker_mut(&mut self) -> &mut Broker {
        match &mut self.node {
            Node::Own(broker) => broker,
            Node::Shared(_) => {
                panic!("a shared broker belongs to all tests of the process: plan it exclusive")
            }
        }
    }

    /// The virtual host of the exchange.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Changes a key of `gateway.toml`; it holds from the next start of the gateway on.
    pub fn set(&mut self, section: &str, key: &str, value: impl Display) {
        self.settings.set(section, key, value);
        self.gateway.configure(&self.settings);
    }

    /// The province office (0) or another agency.
    pub fn agency(&self, place: usize) -> &Agency {
        &self.agencies[place]
    }

    /// The province office (0) or another agency.
    pub fn agency_mut(&mut self, place: usize) -> &mut Agency {
        &mut self.agencies[place]
    }

    /// All agencies, the province office first.
    pub fn agencies(&self) -> &[Agency] {
        &self.agencies
    }

    /// Ends all of it gracefully: connectors, gateway, and its virtual host on a shared broker.
    ///
    /// # Panics
    /// When the gateway does not end by itself, or not with success.
    pub async fn end(mut self) {
        for agency in &mut self.agencies {
            agency.close().await;
        }
        let status = self.gateway.terminate().await;
        assert!(
            status.success(),
            "the gateway ended with {status}; its log: {}",
            self.gateway.log().display()
        );
        if let Node::Shared(broker) = self.node {
            broker.management().delete_vhost(&self.vhost).await;
        }
    }
}

impl Node {
    fn broker(&self) -> &Broker {
        match self {
            Node::Own(broker) => broker,
            Node::Shared(broker) => broker,
        }
    }
}

/// What every gateway of a province is told: everything below its folder, ports that the system picks, revocation
/// lists from this machine, and waits that suit a test.
fn usual_settings() -> Settings {
    let mut settings = Settings::default();
    settings.text("gateway", "code", GATEWAY_CODE);
    settings.text("gateway", "data_dir", "data");
    settings.text("gateway", "key_file", "gateway.key");
    settings.text("gateway", "certificate_file", "gateway.pem");
    settings.set("broker", "password", "{ file = \"broker.password\" }");
    settings.set(
        "broker.provision",
        "password",
        "{ file = \"provision.password\" }",
    );
    settings.text("trust", "anchors_dir", "anchors");
    settings.text("trust", "candidates_dir", "candidates");
    settings.set("trust", "allowed_private_hosts", "[\"127.0.0.1:*\"]");
    settings.set("exchange", "retry_seconds", 1);
    settings.set("exchange", "hold_retry_seconds", 1);
    settings.set("exchange", "sweep_seconds", 1);
    settings.set("store", "free_bytes_min", 0);
    settings.text("http", "listen", "127.0.0.1:0");
    settings
}

#[cfg(test)]
mod tests;
