//! An agency of a province: what the directory knows of it, the certificates of its officials, and its connector.
//!
//! Its folder holds what a real agency's would: `connector.toml`, `password`, and the connector's data. The connector
//! can be a library in this process ([`Agency::open`]) or the command that a person types, with the same file; not
//! both at a time, because the data are locked.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use connector::{Config, Connector};
use domain::packet::Organization;
use jiff::Timestamp;

use super::{authorities::Authorities, gateway::write, letter::Draft};
use crate::pki::Credential;

/// Name and code of an agency that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgencyPlan {
    /// Its name.
    pub name: String,
    /// Its code (QCVN 102:2016).
    pub code: String,
    /// How the province calls its level.
    pub level: String,
}

impl AgencyPlan {
    /// The agency number `number` of a made-up province.
    pub fn numbered(number: usize) -> AgencyPlan {
        AgencyPlan {
            name: format!("Sở thử nghiệm số {number}"),
            code: format!("000.{:02}.{:02}.H53", 1 + number / 90, 1 + number % 90),
            level: "Sở".to_owned(),
        }
    }

    /// With a name and a level of its own.
    pub fn named(name: &str, code: &str, level: &str) -> AgencyPlan {
        AgencyPlan {
            name: name.to_owned(),
            code: code.to_owned(),
            level: level.to_owned(),
        }
    }
}

/// An agency that takes part in the exchange.
#[derive(Debug)]
pub struct Agency {
    plan: AgencyPlan,
    id: String,
    account: String,
    folder: PathBuf,
    connector: Option<Connector>,
    letters: AtomicU32,
    /// The official who signs; the directory knows the certificate as the agency's.
    pub person: Credential,
    /// The agency's own seal; the directory knows it.
    pub organisation: Credential,
    /// The agency's software; the directory knows it.
    pub device: Credential,
    /// An official whose certificate is revoked; the directory knows it.
    pub revoked: Credential,
    /// An official certified by the remote authority; the directory knows it.
    pub remote: Credential,
}

/// Where an agency's connector finds the gateway.
pub(super) struct Access<'a> {
    /// `amqp://host:port/vhost`, without user and password.
    pub(super) uri: String,
    pub(super) account: &'a str,
    pub(super) password: &'a str,
    /// PEM of the gateway's certificate.
    pub(super) certificate: &'a Path,
}

impl Agency {
    /// Certifies the officials of an agency and writes its folder.
    pub(super) fn new(
        plan: AgencyPlan,
        id: &str,
        folder: &Path,
        access: &Access<'_>,
        credentials: Credentials,
    ) -> Agency {
        let folder = folder.join(access.account);
        std::fs::create_dir_all(&folder).expect("the province's folder can be written");
        let agency = Agency {
            plan,
            id: id.to_owned(),
            account: access.account.to_owned(),
            folder,
            connector: None,
            letters: AtomicU32::new(0),
            person: credentials.person,
            organisation: credentials.organisation,
            device: credentials.device,
            revoked: credentials.revoked,
            remote: credentials.remote,
        };
        write(&agency.folder.join("password"), access.password.as_bytes());
        write(&agency.config(), agency.configuration(access).as_bytes());
        agency.person.write(&agency.folder, "person");
        agency.organisation.write(&agency.folder, "organisation");
        agency
    }

    fn configuration(&self, access: &Access<'_>) -> String {
        let text = |text: &str| serde_json::Value::String(text.to_owned()); // JSON's escapes are among TOML's
        let certificate = access.certificate.to_str().expect("a UTF-8 path");
        format!(
            "[broker]\nuri = {uri}\naccount = {account}\npassword_file = \"password\"\n\n\
             [agency]\ncode = {code}\nname = {name}\nplace = \"Tỉnh thử nghiệm\"\n\n\
             [store]\nfolder = \"data\"\n\n\
             [limits]\nreconnect_max_seconds = 1\n\n\
             [receipts]\ngateway_certificates = [{certificate}]\n",
            uri = text(&access.uri),
            account = text(&self.account),
            code = text(self.code()),
            name = text(self.name()),
            certificate = text(certificate),
        )
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.plan.code
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// Its identity in the directory, `a17`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its account, and user at the broker.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Where its configuration, credentials and data are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The configuration of its connector.
    pub fn config(&self) -> PathBuf {
        self.folder.join("connector.toml")
    }

    /// As it writes itself in packets.
    pub fn organization(&self) -> Organization {
        Organization {
            organ_id: self.code().to_owned(),
            name: self.name().to_owned(),
            ..Organization::default()
        }
    }

    /// A letter that begins, under the next number of this agency, signed by both.
    pub fn draft(&self) -> Draft<'_> {
        let number = 1 + self.letters.fetch_add(1, Ordering::Relaxed);
        Draft::new(self, number, Timestamp::now())
    }

    /// Its connector.
    ///
    /// # Panics
    /// When it is closed.
    pub fn connector(&self) -> &Connector {
        self.try_connector()
            .unwrap_or_else(|| panic!("the connector of {} is closed", self.name()))
    }

    /// Its connector, while it is open.
    pub fn try_connector(&self) -> Option<&Connector> {
        self.connector.as_ref()
    }

    /// Opens its connector, with what [`Agency::settings`] says.
    ///
    /// # Panics
    /// When it is open, or its data are in use.
    pub async fn open(&mut self) {
        self.open_as(self.settings()).await;
    }

    /// Opens its connector with other settings.
    ///
    /// # Panics
    /// When it is open, or its data are in use.
    pub async fn open_as(&mut self, settings: Config) {
        assert!(
            self.connector.is_none(),
            "the connector of {} is open",
            self.name()
        );
        let opened = Connector::open(settings).await;
        self.connector =
            Some(opened.unwrap_or_else(|fault| panic!("the connector of {}: {fault}", self.plan.name)));
    }

    /// The settings that its configuration file holds.
    ///
    /// # Panics
    /// When the file cannot be read.
    pub fn settings(&self) -> Config {
        Config::load(&self.config()).unwrap_or_else(|faults| panic!("{}: {faults}", self.config().display()))
    }

    /// Closes its connector: the agency is away, or a command is going to use its folder.
    pub async fn close(&mut self) {
        if let Some(connector) = self.connector.take() {
            connector.close().await;
        }
    }
}

/// The certificates of an agency's officials.
pub(super) struct Credentials {
    pub(super) person: Credential,
    pub(super) organisation: Credential,
    pub(super) device: Credential,
    pub(super) revoked: Credential,
    pub(super) remote: Credential,
}

impl Credentials {
    pub(super) fn issue(plan: &AgencyPlan, authorities: &Authorities) -> Credentials {
        let (hierarchy, agency) = (&authorities.hierarchy, plan.name.as_str());
        let credentials = Credentials {
            person: hierarchy.person("Nguyễn Văn Thử", agency),
            organisation: hierarchy.organisation(agency, "Tỉnh thử nghiệm"),
            device: hierarchy.device("Phần mềm quản lý văn bản", agency),
            revoked: hierarchy.person("Trần Thị Cũ", agency),
            remote: authorities.remote_person("Lê Văn Xa", agency),
        };
        authorities.revoke(&credentials.revoked);
        credentials
    }

    /// Each with the word that the directory has for its kind.
    pub(super) fn pinned(&self) -> [(&Credential, &'static str); 5] {
        [
            (&self.person, "person"),
            (&self.organisation, "organisation"),
            (&self.device, "device"),
            (&self.revoked, "person"),
            (&self.remote, "person"),
        ]
    }
}
