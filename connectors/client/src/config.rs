//! `connector.toml`: where the broker is, who we are, where to keep things.
//!
//! **Invariant:** unknown keys are refused, and all faults are reported at once.
//! **Invariant:** the password is in no URI and in no configuration file.

mod fields;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amqp::{Identity, IdentityFault, Tls};
use domain::ids::{AccountId, Code};
use domain::{packet, wire};
use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};

use crate::store::StoreLimits;
use crate::text::Text;
use fields::Fields;

/// All that a connector is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The broker and our account there.
    pub broker: Broker,
    /// The agency behind the account, as it writes itself in packets; needed to build packets and statuses.
    pub agency: Option<Agency>,
    /// Where everything is kept.
    pub folder: PathBuf,
    /// How the folder is used.
    pub store: StoreLimits,
    /// Bounds and times.
    pub limits: Limits,
    /// DER of the gateway's certificates that may sign receipts. Empty: receipts are believed without a check, because
    /// only the gateway can write to our inbox.
    pub gateway_certificates: Vec<Vec<u8>>,
    /// What is done with what arrives.
    pub arrival: Arrival,
    /// Whether receipts are handed to the software like packets.
    pub receipts: Receipts,
}

/// The broker, and how to log in.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Scheme, host, port, virtual host and parameters; no user, no password.
    pub uri: AMQPUri,
    /// Our account: the user at the broker, part of routing keys.
    pub account: AccountId,
    /// `None`: log in by client certificate.
    pub password: Option<SecretString>,
    /// The authorities that the broker's certificate must come from, and our client certificate.
    pub tls: Tls,
}

/// How the agency writes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// `OrganId`.
    pub code: Code,
    /// `OrganName`.
    pub name: String,
    /// `Place` of promulgation.
    pub place: String,
    /// `Department` of the staff named in statuses.
    pub department: Option<String>,
}

/// Whether the connector itself reports arrival (status 01) once a document is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The software does, or nobody.
    Unreported,
    /// The connector does.
    Reported,
}

/// Whether receipts go to the software.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipts {
    /// [`crate::Connector::next_received`] hands them out too.
    Handed,
    /// They are stored and answer submissions, no more.
    Kept,
}

/// Bounds and times of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest packet that is submitted, in bytes.
    pub packet_bytes_max: usize,
    /// Submissions given to the broker and not confirmed yet.
    pub outstanding_max: usize,
    /// Dispatches taken from the queue and not acknowledged yet.
    pub prefetch: u16,
    /// A submission without final receipt is sent again after this.
    pub answer_timeout: Duration,
    /// What is stored is acknowledged to the broker, and its handover confirmed, so long after: many at once.
    pub confirm_delay: Duration,
    /// Silence of the broker, with a call or confirms outstanding, after which the connection is made anew.
    pub silence_max: Duration,
    /// The longest wait between two attempts to connect.
    pub reconnect_max: Duration,
}

impl Limits {
    /// So many dispatches may be stored without a word to broker and gateway; one more is told at once.
    pub(crate) fn gathered_max(&self) -> usize {
        (usize::from(self.prefetch) / 2).min(wire::CONFIRMATION_MAX - 1)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            packet_bytes_max: 16 << 20,
            outstanding_max: 256,
            prefetch: 100,
            answer_timeout: Duration::from_secs(300),
            confirm_delay: Duration::from_millis(100),
            silence_max: Duration::from_secs(30),
            reconnect_max: Duration::from_secs(10),
        }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults(pub Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}

impl Config {
    /// A configuration of defaults, for software that brings its own settings.
    pub fn new(uri: AMQPUri, account: AccountId, password: SecretString, folder: PathBuf) -> Config {
        let broker = Broker {
            uri,
            account,
            password: Some(password),
            tls: Tls::default(),
        };
        Config {
            broker,
            agency: None,
            folder,
            store: StoreLimits::default(),
            limits: Limits::default(),
            gateway_certificates: Vec::new(),
            arrival: Arrival::Unreported,
            receipts: Receipts::Handed,
        }
    }

    /// Reads a file, and the files and the environment variable that it names. Paths are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigFaults`]: all of them.
    pub fn load(path: &Path) -> Result<Config, ConfigFaults> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let (file, error) = (path.display().to_string(), error.to_string());
            ConfigFaults(vec![Text::ConfigFile.with(&[("file", &file), ("error", &error)])])
        })?;
        Config::parse(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a text; paths in it are relative to `base`.
    ///
    /// # Errors
    /// [`ConfigFaults`]: all of them.
    pub fn parse(text: &str, base: &Path) -> Result<Config, ConfigFaults> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigFaults(vec![error.to_string()]))?;
        let mut root = Fields::root(table, base);
        let broker = root.section("broker").map(broker);
        let agency = root.section("agency").map(agency);
        let store = root.section("store").map(store);
        let limits = root.section("limits").map(limits);
        let receipts = root.section("receipts").map(receipts);
        let arrival = root.section("arrival").map(arrival);
        let faults = root.end();
        if !faults.is_empty() {
            return Err(ConfigFaults(faults));
        }
        let (Some(Some(broker)), Some((folder, store))) = (broker, store) else {
            return Err(ConfigFaults(vec![format!(
                "[broker], [store]: {}",
                Text::ConfigSections.with(&[])
            )]));
        };
        let (gateway_certificates, receipts) = receipts.unwrap_or((Vec::new(), Receipts::Handed));
        let arrival = arrival.unwrap_or(Arrival::Unreported);
        let limits = limits.unwrap_or_default();
        let agency = agency.flatten();
        if arrival == Arrival::Reported && agency.is_none() {
            let needs = format!("arrival.report: {}", Text::ConfigAgency.with(&[]));
            return Err(ConfigFaults(vec![needs]));
        }
        Ok(Config {
            broker,
            agency,
            folder,
            store,
            limits,
            gateway_certificates,
            arrival,
            receipts,
        })
    }

    /// The limits for reading packets.
    pub(crate) fn packet_limits(&self) -> packet::Limits {
        packet_limits(self.limits.packet_bytes_max)
    }
}

/// The limits for reading packets of so many bytes.
pub(crate) fn packet_limits(bytes_max: usize) -> packet::Limits {
    let mut limits = packet::Limits::default();
    limits.xml.bytes_max = bytes_max;
    limits
}

fn broker(mut fields: Fields<'_>) -> Option<Broker> {
    let uri = fields.text("uri").and_then(|text| match text.parse::<AMQPUri>() {
        Ok(_) if text.split_once("://").is_some_and(|(_, rest)| rest.contains('@')) => {
            fields.tell("uri", Text::ConfigUriSecret);
            None
        }
        Ok(uri) => Some(uri),
        Err(error) => {
            fields.fault("uri", &error);
            None
        }
    });
    let account = fields.parsed("account", |text| {
        AccountId::parse(text).map_err(|fault| fault.to_string())
    });
    let from_file = fields.maybe_secret_file("password_file");
    let from_environment = fields.maybe_environment("password_environment");
    let authorities = fields.maybe_authorities("authorities_file");
    let identity = identity(&mut fields);
    if from_file.is_some() && from_environment.is_some() {
        fields.tell("password_file", Text::ConfigTwoPasswords);
    }
    let password = from_file.or(from_environment);
    if password.is_none() && identity.is_none() && !fields.has_faults() {
        fields.tell("password_file", Text::ConfigLogin);
    }
    Some(Broker {
        uri: uri?,
        account: account?,
        password,
        tls: Tls {
            authorities,
            identity,
        },
    })
}

/// The certificate to log in with, if there is one.
fn identity(fields: &mut Fields<'_>) -> Option<Identity> {
    let chain = fields.maybe_file("certificate_file");
    let key = fields.maybe_secret_file("key_file");
    if chain.is_some() != key.is_some() {
        fields.tell("certificate_file", Text::ConfigTogether);
    }
    let (chain, key) = chain.zip(key)?;
    match Identity::from_pem(chain.as_bytes(), key.expose_secret().as_bytes()) {
        Ok(identity) => return Some(identity),
        Err(IdentityFault::Chain(fault)) => fields.unfit("certificate_file", fault),
        Err(IdentityFault::Key) => fields.tell("key_file", Text::ConfigKeyUnfit),
    }
    None
}

fn agency(mut fields: Fields<'_>) -> Option<Agency> {
    let code = fields.parsed("code", |text| {
        Code::parse(text).map_err(|fault| fault.to_string())
    });
    let name = fields.text("name");
    let place = fields.maybe_text("place").unwrap_or_default();
    let department = fields.maybe_text("department");
    Some(Agency {
        code: code?,
        name: name?,
        place,
        department,
    })
}

fn store(mut fields: Fields<'_>) -> (PathBuf, StoreLimits) {
    let usual = StoreLimits::default();
    let folder = fields.path("folder").unwrap_or_default();
    let days = fields.number("remember_days", 1..=3_650, usual.remember.as_secs() / 86_400);
    let limits = StoreLimits {
        segment_bytes_max: fields.number("segment_bytes_max", 1 << 16..=1 << 32, usual.segment_bytes_max),
        commit_interval: fields.millis("commit_interval_ms", 0..=100, usual.commit_interval),
        remember: Duration::from_secs(days * 86_400),
        remember_ids_max: fields.count("remember_ids_max", 1_000..=100_000_000, usual.remember_ids_max),
    };
    (folder, limits)
}

fn limits(mut fields: Fields<'_>) -> Limits {
    let usual = Limits::default();
    let prefetch = fields.number("prefetch", 1..=5_000, u64::from(usual.prefetch));
    Limits {
        packet_bytes_max: fields.count("packet_bytes_max", 1_024..=64 << 20, usual.packet_bytes_max),
        outstanding_max: fields.count("outstanding_max", 1..=10_000, usual.outstanding_max),
        prefetch: u16::try_from(prefetch).unwrap_or(usual.prefetch),
        answer_timeout: fields.seconds("answer_timeout_seconds", 5..=86_400, usual.answer_timeout),
        confirm_delay: fields.millis("confirm_delay_ms", 0..=1_000, usual.confirm_delay),
        silence_max: fields.seconds("silence_max_seconds", 5..=600, usual.silence_max),
        reconnect_max: fields.seconds("reconnect_max_seconds", 1..=600, usual.reconnect_max),
    }
}

fn receipts(mut fields: Fields<'_>) -> (Vec<Vec<u8>>, Receipts) {
    let certificates = fields.certificates("gateway_certificates");
    let hand = fields.flag("hand_to_software").unwrap_or(true);
    (certificates, if hand { Receipts::Handed } else { Receipts::Kept })
}

fn arrival(mut fields: Fields<'_>) -> Arrival {
    match fields.flag("report") {
        Some(true) => Arrival::Reported,
        Some(false) | None => Arrival::Unreported,
    }
}

#[cfg(test)]
mod tests;
