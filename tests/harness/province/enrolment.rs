//! Enrolling agencies: what an operator does for each of them, with the real commands.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::{
    Node, Province,
    agency::{Access, Agency, AgencyPlan, Credentials},
    gateway::{utf8, write},
};
use crate::pki::certificate_pem;

/// An account as the gateway opened it.
struct Opened {
    agency: String,
    account: String,
    password: String,
}

/// Users belong to the whole node: two gateways that make one of the same name at once get in each other's way.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Province {
    /// Enrols agencies: the first of a new province alone, as the office above the others; the others from a list.
    /// Opens their connectors.
    ///
    /// # Panics
    /// When a command fails.
    pub async fn enrol(&mut self, plans: Vec<AgencyPlan>) {
        let mut plans = plans;
        if self.agencies.is_empty() {
            let office = plans.remove(0);
            let turn = TURN.lock().await;
            let opened = self.add(&office).await;
            drop(turn);
            self.take_in(office, opened).await;
        }
        if plans.is_empty() {
            return;
        }
        let turn = TURN.lock().await;
        let mut opened = self.import(&plans).await;
        drop(turn);
        for plan in plans {
            let account = opened.remove(&plan.code);
            let account = account.unwrap_or_else(|| panic!("no account was opened for {}", plan.code));
            self.take_in(plan, account).await;
        }
    }

    async fn add(&self, plan: &AgencyPlan) -> Opened {
        let arguments = [
            "agency",
            "add",
            "--json",
            "--name",
            &plan.name,
            "--code",
            &plan.code,
            "--level",
            &plan.level,
            "--answers",
            self.answers,
        ];
        let mut opened = opened(&self.gateway.command(&arguments).await);
        opened.remove(&plan.code).expect("the new agency has an account")
    }

    async fn import(&self, plans: &[AgencyPlan]) -> BTreeMap<String, Opened> {
        let parent = self.agency(0).code();
        let row = |plan: &AgencyPlan| format!("{},\"{}\",{},{parent}\n", plan.code, plan.name, plan.level);
        let rows: String = plans.iter().map(row).collect();
        let file = self.gateway.folder().join("agencies.csv");
        write(&file, format!("code,name,level,parent\n{rows}").as_bytes());
        let arguments = [
            "agency",
            "import",
            utf8(&file),
            "--accounts",
            self.answers,
            "--json",
        ];
        opened(&self.gateway.command(&arguments).await)
    }

    /// Certificates, folder and connector of an agency that the directory knows.
    async fn take_in(&mut self, plan: AgencyPlan, mut opened: Opened) {
        let credentials = Credentials::issue(&plan, &self.authorities);
        self.pin(&opened.agency, &credentials).await;
        if let Node::Shared(broker) = &self.node {
            // Users belong to the whole node, and other provinces of this process have accounts of the same names.
            opened.password = shared_password(&opened.account);
            broker
                .management()
                .create_user(&opened.account, &opened.password)
                .await;
        }
        let access = Access {
            uri: format!("amqp://{}/{}", self.broker().amqp_address(), self.vhost),
            account: &opened.account,
            password: &opened.password,
            certificate: &self.gateway.certificate(),
        };
        let folder = self.folder.join("agencies");
        let mut agency = Agency::new(plan, &opened.agency, &folder, &access, credentials);
        agency.open().await;
        self.ledger.takes(agency.code(), agency.account());
        self.agencies.push(agency);
    }

    async fn pin(&self, agency: &str, credentials: &Credentials) {
        for (credential, signatory) in credentials.pinned() {
            let file = self.gateway.folder().join("pinned.pem");
            write(&file, certificate_pem(&credential.certificate).as_bytes());
            let arguments = ["agency", "pin", agency, utf8(&file), "--as", signatory];
            self.gateway.command(&arguments).await;
        }
    }
}

/// The accounts of a report by the code of their agency, which it names `a17 (000.01.02.H53) name`.
fn opened(report: &str) -> BTreeMap<String, Opened> {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {report}"));
    assert_eq!(
        report["unprovisioned"],
        Value::Array(Vec::new()),
        "the broker knows every account"
    );
    let one = |opened: &Value| {
        let text = |key: &str| {
            opened[key]
                .as_str()
                .unwrap_or_else(|| panic!("no {key} in {opened}"))
                .to_owned()
        };
        let name = text("agency");
        let (agency, rest) = name
            .split_once(" (")
            .unwrap_or_else(|| panic!("not an agency: {name}"));
        let (code, _) = rest
            .split_once(')')
            .unwrap_or_else(|| panic!("not an agency: {name}"));
        let account = Opened {
            agency: agency.to_owned(),
            account: text("account"),
            password: text("password"),
        };
        (code.to_owned(), account)
    };
    let accounts = report["opened"].as_array().expect("a report lists accounts");
    accounts.iter().map(one).collect()
}

/// 128 random bits as hexadecimal digits.
pub(super) fn random_password() -> String {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
    hexadecimal(&bytes)
}

/// The same for one account in all provinces of this process, and random otherwise.
fn shared_password(account: &str) -> String {
    static SECRET: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let secret = SECRET.get_or_init(random_password);
    hexadecimal(digest(&SHA256, format!("{secret} {account}").as_bytes()).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
