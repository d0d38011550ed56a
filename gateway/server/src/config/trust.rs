//! `[trust]`: where trust comes from, and whom it begins with.
//!
//! **Invariant:** a certificate is an anchor because its fingerprint is pinned here, never because of where its file lies.

mod policy;

use std::path::PathBuf;
use std::time::Duration;

use trust::{Digest, Policy};

use super::fault::Problem;
use super::reader::Section;
use super::sections::{DAY_SECONDS, GIB, KIB, MIB};

/// Roots of the PKI that the Government Cipher Committee keeps for agencies: G2 (2018 to 2048) and the first (2010 to
/// 2030).
const GOVERNMENT_ROOTS: [&str; 2] = [
    "f04ba4b459a7c9a1b971ad9b1cb833e695a80c79aea63b174b66a70edfe2fdb8",
    "f7bc89054cec7f12730d7b8cd3eb7955b163835087e5eb873edfb584763b3f90",
];
/// The national root, which certifies the public authorities (2014 to 2039).
const PUBLIC_ROOTS: [&str; 1] = ["bac8bf609ab420a8ee1780d74f4de5c7f7184959d2a7375b0a75e4c29f0908e7"];

/// `[trust]`: where trust comes from.
#[derive(Debug, Clone)]
pub struct TrustConfig {
    /// `anchors_dir`: folder of the certificates that everything must chain to, PEM or DER. Needed.
    pub anchors_dir: PathBuf,
    /// `candidates_dir`: folder of issuing certificates that signatures may have left out.
    pub candidates_dir: Option<PathBuf>,
    /// `crl_dir`: folder of revocation lists that somebody else puts there.
    pub crl_dir: Option<PathBuf>,
    /// `anchor_fingerprints`: SHA-256 of the certificates of that folder that are anchors; no other is one. Default: the
    /// roots of the government's PKI, with that of the public authorities where these are allowed.
    pub anchor_fingerprints: Vec<Digest>,
    /// `crl_urls`: revocation lists fetched in any case; those that certificates name are fetched too.
    pub crl_urls: Vec<String>,
    /// `allowed_private_hosts`: hosts that may be asked although their address is private: `host` (ports 80 and 443),
    /// `host:port` or `host:*`.
    pub allowed_private_hosts: Vec<String>,
    /// `refresh_seconds`: how often lists are looked at again at least. Default 3600.
    pub refresh: Duration,
    /// `ahead_seconds`: how long before its `nextUpdate` a list is fetched anew. Default 3600.
    pub ahead: Duration,
    /// `fetch_seconds`: how long one fetch may take. Default 20.
    pub fetch_max: Duration,
    /// `need_wait_milliseconds`: how long a document waits for what was just asked for, before it is held. Default 2000.
    pub need_wait: Duration,
    /// `crl_bytes_max`: size of one list at most. Default 32 MiB.
    pub crl_bytes_max: u64,
    /// `redirects_max`: redirects of one fetch at most. Default 3.
    pub redirects_max: usize,
    /// `[trust.policy]`: what is good enough.
    pub policy: Policy,
}

impl TrustConfig {
    pub(super) fn read(mut section: Section<'_>) -> TrustConfig {
        let anchors_dir = section.needed_folder("anchors_dir");
        let crl_urls = section.texts("crl_urls");
        for url in crl_urls
            .iter()
            .filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            let wanted = "an http:// or https:// address".to_owned();
            section.fault(
                "crl_urls",
                Problem::Value {
                    wanted,
                    found: url.clone(),
                },
            );
        }
        let anchor_fingerprints = anchor_fingerprints(&mut section);
        let policy = section.inner("policy").unwrap_or_default();
        let policy = policy::read(section.nested("trust.policy", policy));
        let config = TrustConfig {
            anchors_dir,
            anchor_fingerprints,
            candidates_dir: section.folder("candidates_dir"),
            crl_dir: section.folder("crl_dir"),
            crl_urls,
            allowed_private_hosts: section.texts("allowed_private_hosts"),
            refresh: Duration::from_secs(section.number("refresh_seconds", 1..=7 * DAY_SECONDS, 3600)),
            ahead: Duration::from_secs(section.number("ahead_seconds", 0..=7 * DAY_SECONDS, 3600)),
            fetch_max: Duration::from_secs(section.number("fetch_seconds", 1..=300, 20)),
            need_wait: Duration::from_millis(section.number("need_wait_milliseconds", 0..=30_000, 2000)),
            crl_bytes_max: section.number("crl_bytes_max", KIB..=GIB, 32 * MIB),
            redirects_max: section.number("redirects_max", 0..=10, 3),
            policy,
        };
        section.end();
        config
    }
}

/// SHA-256 fingerprints of certificates.
fn fingerprints(section: &mut Section<'_>, key: &'static str) -> Vec<Digest> {
    let mut fingerprints = Vec::new();
    for text in section.texts(key) {
        match Digest::from_fingerprint(&text) {
            Ok(fingerprint) => fingerprints.push(fingerprint),
            Err(_) => {
                let wanted = "SHA-256 fingerprints of certificates".to_owned();
                section.fault(key, Problem::Value { wanted, found: text });
            }
        }
    }
    fingerprints
}

/// `anchor_fingerprints`, or those of the known roots: the government's, and the public ones only where
/// `public_authorities` says so (the law lets agencies use them in part, and provinces have ended that).
fn anchor_fingerprints(section: &mut Section<'_>) -> Vec<Digest> {
    let are_public_allowed = section.flag("public_authorities", false);
    let is_given = section.has("anchor_fingerprints");
    let mut fingerprints = fingerprints(section, "anchor_fingerprints");
    let known = |roots: &[&str]| -> Vec<Digest> {
        let roots = roots.iter();
        roots
            .map(|root| root.parse().expect("a fingerprint that stands in the source"))
            .collect()
    };
    if !is_given {
        fingerprints.extend(known(&GOVERNMENT_ROOTS));
    }
    if are_public_allowed {
        fingerprints.extend(known(&PUBLIC_ROOTS));
    }
    fingerprints
}
