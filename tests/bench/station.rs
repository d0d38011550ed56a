//! The province of the bench: a broker, a revocation list server, the gateway as a process of its own, and twenty
//! agencies whose connectors share one store, as the document system of a province has them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use connector::{Config, Connector, Store, StoreLimits, config::Receipts};
use domain::ids::AccountId;
use harness::{
    broker::Broker,
    crl_server::CrlServer,
    offspring::{Offspring, Signal},
    pki::{Credential, Hierarchy, RevocationPlan},
    process::Program,
    wait_for, wait_until,
};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use trust::Digest;

use crate::documents::Office;

/// Agencies that exchange documents.
pub(crate) const AGENCIES: usize = 20;
/// The virtual host that the gateway uses.
pub(crate) const VHOST: &str = "lienthong";
const START: Duration = Duration::from_secs(120);

/// Everything that runs.
pub(crate) struct Station {
    pub(crate) broker: Broker,
    pub(crate) gateway: Offspring,
    pub(crate) office: Office,
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) connectors: Vec<Arc<Connector>>,
    address: String,
    store: Store,
    _lists: CrlServer,
}

impl Station {
    /// Starts all of it below `folder` and waits until every connector is connected.
    pub(crate) async fn start(folder: &Path) -> Station {
        let broker = Broker::start(&folder.join("broker")).await;
        let lists = CrlServer::start();
        let now = Timestamp::now();
        let hierarchy = Hierarchy::new(&lists.base(), now);
        let plan = RevocationPlan::none(now);
        lists.serve("root.crl", hierarchy.root.revocation_list(&plan));
        lists.serve("issuing.crl", hierarchy.issuing.revocation_list(&plan));
        let home = folder.join("gateway");
        let config = write_gateway(&home, &broker, &hierarchy);
        let mut gateway = start_gateway(&home, &config);
        let desk = Desk::find(&home, &mut gateway).await;
        let (mut agencies, mut access) = (Vec::new(), Vec::new());
        for number in 0..AGENCIES {
            let (code, name) = (
                format!("000.00.{:02}.X99", number + 1),
                format!("Sở thử nghiệm số {number}"),
            );
            let person = hierarchy.person("Nguyễn Văn Thử", &name);
            let organisation = hierarchy.organisation(&name, "Tỉnh thử nghiệm");
            access.push(desk.register(&code, &name, [&person, &organisation]).await);
            agencies.push((code, person, organisation));
        }
        let store = open_store(&folder.join("connectors")).await;
        let mut connectors = Vec::new();
        for (account, password) in &access {
            let uri = format!("amqp://{}/{VHOST}", broker.amqp_address());
            let uri = uri.parse().expect("the broker's address is a URI");
            let password = SecretString::from(password.clone());
            let config = Config {
                receipts: Receipts::Handed,
                ..Config::new(uri, account.clone(), password, PathBuf::new())
            };
            let connector = Connector::open_in(config, &store).expect("no certificate is configured");
            connectors.push(Arc::new(connector));
        }
        wait_until("every connector is connected", START, async || {
            let links = connectors.iter().map(|connector| connector.link());
            links
                .into_iter()
                .all(|link| link.is_publishing && link.is_consuming)
        })
        .await;
        Station {
            broker,
            gateway,
            office: Office {
                agencies,
                signed_at: now,
            },
            accounts: access.into_iter().map(|(account, _)| account).collect(),
            connectors,
            address: desk.address,
            store,
            _lists: lists,
        }
    }

    /// Processor seconds of the gateway's tasks, as it counts them itself.
    pub(crate) async fn cpu_seconds_by_task(&self) -> BTreeMap<String, f64> {
        let url = format!("http://{}/metrics", self.address);
        let response = client().get(url).send().await.expect("the gateway answers");
        let text = response.text().await.expect("metrics are text");
        let task = |line: &str| {
            let rest = line.strip_prefix("gateway_task_cpu_seconds_total{task=\"")?;
            let (name, seconds) = rest.split_once("\"} ")?;
            Some((name.to_owned(), seconds.parse().ok()?))
        };
        text.lines().filter_map(task).collect()
    }

    /// Ends gateway and connectors; the broker stays.
    pub(crate) async fn close(&mut self) {
        for connector in self.connectors.drain(..) {
            connector.close().await;
        }
        self.store.close().await;
        self.gateway.signal(Signal::TERM);
        self.gateway.ended(START).await;
    }
}

async fn open_store(folder: &Path) -> Store {
    let folder = folder.to_owned();
    let opening = tokio::task::spawn_blocking(move || Store::open(&folder, StoreLimits::default()));
    opening
        .await
        .expect("opening does not panic")
        .expect("a new folder can be opened")
}

/// Writes the gateway's folder and gives its configuration.
fn write_gateway(home: &Path, broker: &Broker, hierarchy: &Hierarchy) -> PathBuf {
    let write = |name: &str, bytes: &[u8]| {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("the bench's folder can be written");
    };
    write("anchors/root.der", &hierarchy.root.certificate);
    write("candidates/issuing.der", &hierarchy.issuing.certificate);
    let key = rcgen::KeyPair::generate().expect("a key");
    let parameters = rcgen::CertificateParams::new(vec!["gateway".to_owned()]).expect("a name");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    write("gateway.key", key.serialize_pem().as_bytes());
    write("gateway.pem", certificate.pem().as_bytes());
    write(
        "gateway.password",
        Digest::of(key.serialize_pem().as_bytes()).to_string().as_bytes(),
    );
    write("provision.password", broker.admin().password.as_bytes());
    let text = format!(
        r#"[gateway]
code = "000.00.00.X99"
data_dir = "data"
key_file = "gateway.key"
certificate_file = "gateway.pem"
[broker]
uri = "amqp://{amqp}"
password = {{ file = "gateway.password" }}
[broker.provision]
management_uri = "{management}"
user = "{user}"
password = {{ file = "provision.password" }}
[trust]
anchors_dir = "anchors"
anchor_fingerprints = ["{anchor}"]
candidates_dir = "candidates"
allowed_private_hosts = ["127.0.0.1:*"]
[http]
listen = "127.0.0.1:0"
"#,
        anchor = Digest::of(&hierarchy.root.certificate),
        amqp = broker.amqp_address(),
        management = broker.management_uri(),
        user = broker.admin().user,
    );
    write("gateway.toml", text.as_bytes());
    home.join("gateway.toml")
}

fn start_gateway(home: &Path, config: &Path) -> Offspring {
    let log = std::fs::File::create(home.join("gateway.log")).expect("the bench's folder can be written");
    let errors = log.try_clone().expect("a file can be shared");
    let mut command = Command::new(Program::Gateway.path());
    command.args(["run", "--config"]).arg(config);
    command.stdout(Stdio::from(log)).stderr(Stdio::from(errors));
    Offspring::start("the gateway", &mut command)
}

/// The gateway's administration.
struct Desk {
    address: String,
    token: String,
}

impl Desk {
    /// Waits until the gateway is ready.
    async fn find(home: &Path, gateway: &mut Offspring) -> Desk {
        let data = home.join("data");
        let read = |name: &str| {
            std::fs::read_to_string(data.join(name))
                .ok()
                .map(|text| text.trim().to_owned())
        };
        wait_for("the gateway is ready", START, async || {
            if let Some(status) = gateway.exit_status() {
                let log = std::fs::read_to_string(home.join("gateway.log")).unwrap_or_default();
                panic!("the gateway ended ({status}):\n{log}");
            }
            let address = read("http.address")?;
            let url = format!("http://{address}/ready");
            let response = client().get(url).send().await.ok()?;
            let token = read("administration.token")?;
            response.status().is_success().then_some(Desk { address, token })
        })
        .await
    }

    async fn order(&self, order: Value) -> Value {
        let url = format!("http://{}/administration/orders", self.address);
        let request = client().post(url).bearer_auth(&self.token).json(&order);
        let response = request.send().await.expect("the gateway answers");
        let (status, text) = (
            response.status(),
            response.text().await.expect("an answer is text"),
        );
        assert!(status.is_success(), "{order} was answered {status}: {text}");
        serde_json::from_str(&text).expect("an answer is JSON")
    }

    /// Adds an agency with its two certificates. Gives its account with the password.
    async fn register(&self, code: &str, name: &str, officials: [&Credential; 2]) -> (AccountId, String) {
        let added = self
            .order(json!({
                "order": "add", "name": name, "codes": [code], "parent": null, "place": null, "watcher": null,
                "level": "sở", "answers": "receipts",
            }))
            .await;
        for (official, kind) in officials.iter().zip(["person", "organisation"]) {
            let certificate = Digest::of(&official.certificate).to_string();
            let pin = json!({"order": "pin", "agency": code, "certificate": certificate, "signatory": kind});
            self.order(pin).await;
        }
        let text = |name: &str| added["opened"][0][name].as_str().map(str::to_owned);
        let account = text("account").and_then(|account| AccountId::parse(&account).ok());
        (
            account.expect("an account is opened"),
            text("password").expect("with a password"),
        )
    }
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30));
    builder
        .build()
        .expect("a client without certificates can be built")
}
