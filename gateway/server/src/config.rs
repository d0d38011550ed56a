//! The configuration: one TOML file, read once at the start, all faults told at once.
//!
//! Stands before the road: `app` composes what the sections say into the parts. Secrets come from files or the
//! environment ([`Secret`]); `ops/gateway.toml` shows every key with its default.
//!
//! **Invariant:** an unknown key, a wrong kind or a value out of range stops the start; none is passed over.
//! **Invariant:** only this module and what stands under it reads the environment.

mod fault;
mod key;
mod reader;
mod seals;
mod secret;
mod sections;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod trust;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

pub use self::trust::TrustConfig;
pub use fault::{ConfigFault, Problem};
pub use key::{KeySource, Pkcs12Config, TokenConfig};
pub use secret::{Secret, SecretFault, SecretSource};
pub use sections::{
    BrokerConfig, ExchangeConfig, GatewayConfig, HttpConfig, LimitsConfig, LogConfig, LogFormat,
    ProvisionConfig, StoreConfig,
};

use reader::{Section, nearest};

/// Everything that the file says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who this gateway is, and where it keeps what it keeps.
    pub gateway: GatewayConfig,
    /// The way to the broker.
    pub broker: BrokerConfig,
    /// Journal, archive and index.
    pub store: StoreConfig,
    /// Anchors, certificates and revocation lists.
    pub trust: TrustConfig,
    /// How long things may take.
    pub exchange: ExchangeConfig,
    /// How much one packet may ask for.
    pub limits: LimitsConfig,
    /// The internal port.
    pub http: HttpConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// The sections, in the order in which they are read and shown.
const SECTIONS: [&str; 8] = [
    "gateway", "broker", "store", "trust", "exchange", "limits", "http", "log",
];

impl Config {
    /// Reads a configuration file. Relative paths in it count from its own folder.
    ///
    /// # Errors
    /// Every [`ConfigFault`] there is, in the order of the sections.
    pub fn load(path: &Path) -> Result<Config, Vec<ConfigFault>> {
        let place = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            vec![ConfigFault {
                place: place.clone(),
                problem: Problem::Unreadable(error.kind()),
            }]
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let absolute = std::path::absolute(path).map_err(unreadable)?;
        let folder = absolute.parent().map_or_else(PathBuf::new, Path::to_owned);
        Config::parse(&text, &folder).map_err(|mut faults| {
            // Where the text as a whole is no configuration, it is the file that has to be named.
            for fault in &mut faults {
                if matches!(fault.problem, Problem::Syntax(_)) {
                    fault.place.clone_from(&place);
                }
            }
            faults
        })
    }

    /// Reads a configuration. Relative paths in it count from `folder`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, folder: &Path) -> Result<Config, Vec<ConfigFault>> {
        let mut root: Table = toml::from_str(text).map_err(|error| {
            let problem = Problem::Syntax(error.to_string().trim_end().to_owned());
            vec![ConfigFault {
                place: "TOML".to_owned(),
                problem,
            }]
        })?;
        let mut faults = Vec::new();
        let gateway = GatewayConfig::read(Section::of(&mut root, "gateway", folder, &mut faults));
        let broker = BrokerConfig::read(Section::of(&mut root, "broker", folder, &mut faults));
        let store = StoreConfig::read(Section::of(&mut root, "store", folder, &mut faults));
        let trust = TrustConfig::read(Section::of(&mut root, "trust", folder, &mut faults));
        let exchange = ExchangeConfig::read(Section::of(&mut root, "exchange", folder, &mut faults));
        let limits = LimitsConfig::read(Section::of(&mut root, "limits", folder, &mut faults));
        let http = Section::of(&mut root, "http", folder, &mut faults);
        let http = HttpConfig::read(http, trust.crl_bytes_max);
        let log = LogConfig::read(Section::of(&mut root, "log", folder, &mut faults));
        faults.extend(root.iter().map(|(key, value)| unknown(key, value)));
        match gateway {
            Some(gateway) if faults.is_empty() => Ok(Config {
                gateway,
                broker,
                store,
                trust,
                exchange,
                limits,
                http,
                log,
            }),
            Some(_) | None => Err(faults),
        }
    }
}

/// A section or key at the top that nobody knows.
fn unknown(key: &str, value: &Value) -> ConfigFault {
    let near = nearest(key, &SECTIONS).map(str::to_owned);
    let place = if value.is_table() {
        format!("[{key}]")
    } else {
        key.to_owned()
    };
    ConfigFault {
        place,
        problem: Problem::Unknown { near },
    }
}
