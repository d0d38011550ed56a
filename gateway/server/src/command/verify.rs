//! `gateway verify`: is this signature good, and why?
//!
//! For auditors and operators: a PDF, a packet, a receipt, a certificate or a CMS signature is judged in the vocabulary of
//! ETSI EN 319 102-1, beside the gateway and without its journal.
//!
//! **Invariant:** nothing is written, and what was fetched is forgotten.
//! **Invariant:** the command ends with 0 only if every file passed.

mod at;
mod examine;
mod file;
mod human;
mod json;
mod material;
mod packet;
mod plain;
mod settled;
mod stage;
mod subject;
mod view;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use domain::packet::Limits;
use domain::receipt::vietnam_time;
use serde_json::Value;
use trust::{Certificate, Digest, Snapshot, Time};

use super::text::{Text, VerifyText, complain, print};
use super::{CommandFault, Ending, print_json, read_file};
use crate::administration::Complaint;
use crate::clock::Clock;
use crate::config::Config;
use crate::trustkeeper::once::Fetcher;
use examine::{Bench, examine};
use material::Material;
use plain::plain;
use subject::{Look, Subject};
use view::{Examined, Kind, Verdict};

/// Rounds of fetching for one file: each certificate of a path may name the next.
const ROUNDS_MAX: usize = 8;
/// How far `--at` may lie ahead of this machine's clock, in seconds.
const FUTURE_SECONDS_MAX: i64 = 300;

/// What is verified, and with what.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// PDF, gói tin edXML, biên nhận, chứng thư hoặc chữ ký CMS / the files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Thư mục phẳng gồm chứng thư gốc và trung gian, danh sách thu hồi, trả lời OCSP; không cần tệp cấu hình / a flat
    /// folder of what to trust and how to prove it, in place of the configuration.
    #[arg(long, value_name = "DIR")]
    trust: Option<PathBuf>,
    /// Xét như tại thời điểm này; không tải gì / judge as of this time: RFC 3339, or a date for its end in Vietnam.
    #[arg(long, value_name = "TIME", value_parser = at::parse)]
    at: Option<Time>,
    /// Không tải gì từ mạng / fetch nothing.
    #[arg(long)]
    offline: bool,
    /// Tệp được ký, cho chữ ký rời / the signed file of detached signatures.
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// Chứng thư của cổng được tin để ký biên nhận / a gateway's certificate that is trusted to sign receipts.
    #[arg(long, value_name = "FILE")]
    gateway_certificate: Vec<PathBuf>,
    /// Cỡ tối đa của một tệp / octets of one file at most.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    bytes_max: u64,
}

/// Verifies the files and says what came out.
pub(super) async fn carry_out(
    load: impl FnOnce() -> Result<Config, CommandFault>,
    arguments: &VerifyArguments,
    json: bool,
) -> Result<Ending, CommandFault> {
    let mut court = Court::open(load, arguments)?;
    let mut examined = Vec::new();
    for file in &arguments.files {
        examined.push(court.examine(file, arguments).await);
    }
    let passed = examined
        .iter()
        .filter(|one| one.verdict == Verdict::Passed)
        .count();
    if json {
        let files: Vec<Value> = examined.iter().map(json::of).collect();
        print_json(&files);
    } else {
        for one in &examined {
            human::lines(one).iter().for_each(|line| print(line));
        }
        if examined.len() > 1 {
            let said = VerifyText::Total.said().with("passed", passed);
            print(&said.with("count", examined.len()).to_string());
        }
    }
    Ok(if passed == examined.len() {
        Ending::Done
    } else {
        Ending::NotPassed
    })
}

/// All that files are judged with.
struct Court {
    material: Material,
    snapshot: Arc<Snapshot>,
    at: Time,
    gateways: Vec<Digest>,
    limits: Limits,
    /// `None`: nothing is fetched.
    fetcher: Option<Fetcher>,
    /// What was wrong with addresses that gave nothing of use.
    complaints: BTreeMap<String, Complaint>,
}

impl Court {
    fn open(
        load: impl FnOnce() -> Result<Config, CommandFault>,
        arguments: &VerifyArguments,
    ) -> Result<Court, CommandFault> {
        let at = judged_at(arguments.at)?;
        let gateways = arguments.gateway_certificate.iter().map(|path| pinned(path));
        let gateways: Vec<Digest> = gateways.collect::<Result<_, _>>()?;
        let (material, config) = match &arguments.trust {
            Some(folder) => (Material::of_folder(folder)?, None),
            None => {
                let config = load()?;
                let (material, faults) = Material::configured(&config)?;
                for fault in faults {
                    complain(&plain(&Text::TrustFault.with(&[("fault", &fault)])));
                }
                (material, Some(config))
            }
        };
        if let Some(folder) = &arguments.trust
            && material.anchors.is_empty()
            && gateways.is_empty()
        {
            let told = VerifyText::TrustNoAnchor.said();
            let path = plain(&folder.display().to_string());
            return Err(CommandFault::Unjudged(told.with("path", path).languages()));
        }
        let may_fetch = !arguments.offline && arguments.at.is_none();
        let trust = config.as_ref().map(|config| &config.trust);
        let limits = config
            .as_ref()
            .map(|config| crate::app::packet_limits(&config.limits));
        Ok(Court {
            snapshot: Arc::new(material.snapshot()),
            material,
            at,
            gateways,
            limits: limits.unwrap_or_default(),
            fetcher: may_fetch.then(|| Fetcher::new(trust)),
            complaints: BTreeMap::new(),
        })
    }

    /// Judges a file; what it lacks is fetched, and it is judged again.
    async fn examine(&mut self, path: &Path, arguments: &VerifyArguments) -> Examined {
        let look = Look {
            content: arguments.content.as_deref(),
            bytes_max: arguments.bytes_max,
            limits: &self.limits,
        };
        let subject = match Subject::open(path, look) {
            Ok(subject) => subject,
            Err((size, why)) => return Examined::unreadable(path.to_owned(), size, self.at, why),
        };
        if arguments.content.is_some() && !subject.is_detached() {
            // Whoever names a content asks whether it is signed; a verdict on something else would answer that.
            let why = VerifyText::ContentUnused.said();
            return Examined::unreadable(path.to_owned(), Some(subject.size), self.at, why);
        }
        let mut examined = examine(&subject, self.bench());
        for _ in 0..ROUNDS_MAX {
            let has_more = examined.verdict != Verdict::Passed && self.fetch(&examined).await;
            if !has_more {
                break;
            }
            examined = examine(&subject, self.bench());
        }
        let needs = examined.needs();
        let urls = needs.iter().flat_map(trust_urls);
        let failed = urls.filter_map(|url| Some((url.clone(), self.complaints.get(url)?.clone())));
        examined.failed = failed.collect::<BTreeMap<_, _>>().into_iter().collect();
        if !self.gateways.is_empty() && examined.kind == Kind::Cms {
            examined.notes.push(VerifyText::GatewayUnused.said());
        }
        examined
    }

    fn bench(&self) -> Bench<'_> {
        Bench {
            snapshot: &self.snapshot,
            at: self.at,
            gateways: &self.gateways,
            xml: &self.limits.xml,
        }
    }

    /// Fetches what is lacking. Whether anything came.
    async fn fetch(&mut self, examined: &Examined) -> bool {
        let Some(fetcher) = &mut self.fetcher else {
            return false;
        };
        let mut fetched = fetcher.fetch(&examined.needs(), &self.snapshot, self.at).await;
        self.complaints.extend(std::mem::take(&mut fetched.failed));
        if fetched.is_empty() {
            return false;
        }
        self.material.take(fetched);
        self.snapshot = Arc::new(self.material.snapshot());
        true
    }
}

fn trust_urls(need: &trust::Need) -> &[String] {
    match need {
        trust::Need::Crl { urls, .. } | trust::Need::Ocsp { urls, .. } | trust::Need::Issuer { urls, .. } => {
            urls
        }
    }
}

/// The fingerprint of a certificate that was named.
fn pinned(path: &Path) -> Result<Digest, CommandFault> {
    // Opening a pipe would wait for whoever writes into it.
    if path.exists() && !path.is_file() {
        return Err(CommandFault::Certificate {
            path: path.to_owned(),
            fault: "no regular file".to_owned(),
        });
    }
    let certificate = Certificate::from_pem_or_der(&read_file(path)?);
    let certificate = certificate.map_err(|fault| CommandFault::Certificate {
        path: path.to_owned(),
        fault: fault.to_string(),
    })?;
    Ok(certificate.fingerprint())
}

/// As of when files are judged: now, or a time that was asked for and is not ahead.
fn judged_at(asked: Option<Time>) -> Result<Time, CommandFault> {
    let now = Clock::start(Duration::from_secs(1)).now();
    match asked {
        Some(at) if now.plus_seconds(FUTURE_SECONDS_MAX) < at => {
            let told = VerifyText::AtFuture.said().with("at", vietnam_time(at));
            Err(CommandFault::Unjudged(told.languages()))
        }
        Some(at) => Ok(at),
        None => Ok(now),
    }
}
