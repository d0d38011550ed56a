//! The certificates of tests and of the demonstration, shaped as the government's second generation (G2) is met in
//! the field: a root, a subordinate authority for agencies, and leaves for persons, organisations and devices.
//!
//! Nothing but the subject tells a person from an organisation, there as here: no key usage, policy or identifier
//! does.
//!
//! **Invariant**: keys and certificates are made when they are needed and never kept in the repository.
//! **Invariant**: time is an argument; what is made differs between two runs in keys and serial numbers only.

mod key;
mod revocation;

use std::{path::Path, sync::Arc, time::Duration};

use jiff::{Timestamp, ToSpan};
pub use key::Key;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
pub use revocation::{Revocation, RevocationPlan};

use crate::der;

/// Policy that G2 leaves name (field study, `2.16.704.1.1.1.1.1`).
const POLICY: [u64; 8] = [2, 16, 704, 1, 1, 1, 1, 1];
/// msSmartcardLogin, the third purpose of a G2 leaf.
const SMARTCARD_LOGIN: [u64; 10] = [1, 3, 6, 1, 4, 1, 311, 20, 2, 2];

/// From when until when a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment; whole seconds count.
    pub not_before: Timestamp,
    /// Last moment; whole seconds count.
    pub not_after: Timestamp,
}

impl Validity {
    /// A certificate in the middle of its life: `days` back and `days` ahead of `now`.
    pub fn around(now: Timestamp, days: i64) -> Validity {
        let span = (days * 24).hours();
        let within = "a few years around now are within the range of timestamps";
        Validity {
            not_before: now.checked_sub(span).expect(within),
            not_after: now.checked_add(span).expect(within),
        }
    }
}

/// Who a leaf certificate is made out to; decides the shape of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// An official: C, O (agency), CN (name), with an e-mail address.
    Person {
        /// Name of the official.
        name: &'a str,
        /// Agency served.
        agency: &'a str,
    },
    /// An agency: C, L, O (parent body), CN (name of the agency).
    Organisation {
        /// Name of the agency.
        name: &'a str,
        /// The body above it.
        parent: &'a str,
    },
    /// Software or a device of an agency: C, O (agency), OU, CN (name of the device).
    Device {
        /// Name of the device.
        name: &'a str,
        /// Agency it serves.
        agency: &'a str,
    },
}

/// All that can be chosen about a leaf. [`Profile::new`] gives what is usual.
#[derive(Clone, Debug)]
pub struct Profile<'a> {
    /// Whose it is.
    pub holder: Holder<'a>,
    /// When it holds.
    pub validity: Validity,
    /// Its key; by default the next of the few that the process shares.
    pub key: Arc<Key>,
    /// Its serial number, big-endian and positive; by default eight random bytes.
    pub serial: Vec<u8>,
    /// Its key usage; by default, as G2, digitalSignature, nonRepudiation, keyEncipherment and dataEncipherment.
    pub key_usages: Vec<KeyUsagePurpose>,
    /// Where its revocation list is to be found; by default where its issuer says.
    pub crl_urls: Vec<String>,
}

impl<'a> Profile<'a> {
    /// What is usual for `holder` under `issuer`.
    pub fn new(holder: Holder<'a>, issuer: &Authority, validity: Validity) -> Profile<'a> {
        Profile {
            holder,
            validity,
            key: Key::shared(),
            serial: random_serial(),
            key_usages: vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::ContentCommitment,
                KeyUsagePurpose::KeyEncipherment,
                KeyUsagePurpose::DataEncipherment,
            ],
            crl_urls: issuer.crl_urls.clone(),
        }
    }
}

/// A leaf certificate with its key.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The certificate in DER.
    pub certificate: Vec<u8>,
    /// Its serial number, big-endian.
    pub serial: Vec<u8>,
    /// Its private key.
    pub key: Arc<Key>,
    /// The authorities above it but the root, nearest first, in DER: what a signature carries along.
    pub chain: Vec<Vec<u8>>,
}

impl Credential {
    /// Writes `NAME.crt` (PEM), `NAME.der` and `NAME.key` (PKCS #8, PEM) into `folder`.
    pub fn write(&self, folder: &Path, name: &str) {
        write_certificate(folder, name, &self.certificate);
        write(folder, &format!("{name}.key"), self.key.pem().as_bytes());
    }
}

/// An authority that issues certificates and revocation lists.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
    /// Serial number of its certificate, big-endian.
    pub serial: Vec<u8>,
    /// Its private key.
    pub key: Arc<Key>,
    /// Where its revocation list is, as written into what it issues.
    pub crl_urls: Vec<String>,
    /// Where its certificate is, as written into what it issues; may be empty.
    pub certificate_urls: Vec<String>,
    /// Where it answers OCSP requests, as written into what it issues; empty unless set.
    pub ocsp_urls: Vec<String>,
    params: CertificateParams,
    chain: Vec<Vec<u8>>,
}

impl Authority {
    /// A root that signs itself. `urls` is the folder under which `NAME.crl` and `NAME.crt` will be found.
    pub fn root(common_name: &str, urls: &str, file: &str, validity: Validity) -> Authority {
        let key = Key::generate();
        let params = authority_params(common_name, BasicConstraints::Unconstrained, validity);
        let certificate = params
            .self_signed(key.issuing())
            .expect("the parameters are complete");
        Authority::new(params, certificate.der().to_vec(), key, (urls, file), Vec::new())
    }

    /// An authority below this one that may issue leaves only.
    pub fn subordinate(&self, common_name: &str, urls: &str, file: &str, validity: Validity) -> Authority {
        let key = Key::generate();
        let mut params = authority_params(common_name, BasicConstraints::Constrained(0), validity);
        params.crl_distribution_points = distribution_points(&self.crl_urls);
        params.custom_extensions.extend(self.information());
        let certificate = params
            .signed_by(key.issuing(), &self.issuer())
            .expect("the parameters are complete");
        let certificate = certificate.der().to_vec();
        let chain = [vec![certificate.clone()], self.chain.clone()].concat();
        Authority::new(params, certificate, key, (urls, file), chain)
    }

    fn new(
        params: CertificateParams,
        certificate: Vec<u8>,
        key: Arc<Key>,
        (urls, file): (&str, &str),
        chain: Vec<Vec<u8>>,
    ) -> Authority {
        let serial = params
            .serial_number
            .as_ref()
            .expect("set by authority_params")
            .to_bytes();
        let crl_urls = vec![format!("{urls}/{file}.crl")];
        let certificate_urls = vec![format!("{urls}/{file}.crt")];
        Authority {
            certificate,
            serial,
            key,
            crl_urls,
            certificate_urls,
            ocsp_urls: Vec::new(),
            params,
            chain,
        }
    }

    /// Issues a leaf of the usual shape.
    pub fn issue(&self, holder: Holder<'_>, validity: Validity) -> Credential {
        self.issue_as(Profile::new(holder, self, validity))
    }

    /// Issues a leaf exactly as `profile` says.
    pub fn issue_as(&self, profile: Profile<'_>) -> Credential {
        let mut params = base_params(subject(profile.holder), profile.validity, &profile.serial);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = profile.key_usages;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::EmailProtection,
            ExtendedKeyUsagePurpose::Other(SMARTCARD_LOGIN.to_vec()),
        ];
        if let Holder::Person { .. } = profile.holder {
            let address = "can.bo@vidu.gov.vn".try_into().expect("an ASCII address");
            params.subject_alt_names = vec![SanType::Rfc822Name(address)];
        }
        params.crl_distribution_points = distribution_points(&profile.crl_urls);
        params.custom_extensions.push(policies());
        params.custom_extensions.extend(self.information());
        let certificate = params
            .signed_by(profile.key.issuing(), &self.issuer())
            .expect("the parameters are complete");
        Credential {
            certificate: certificate.der().to_vec(),
            serial: profile.serial,
            key: profile.key,
            chain: self.chain.clone(),
        }
    }

    /// authorityInfoAccess (RFC 5280 section 4.2.2.1): where its certificate is, and where it answers.
    fn information(&self) -> Option<CustomExtension> {
        let ca_issuers = self.certificate_urls.iter().map(|url| (2, url));
        let ocsp = self.ocsp_urls.iter().map(|url| (1, url));
        let describe = |(method, url): (u64, &String)| {
            let method = der::oid(&[1, 3, 6, 1, 5, 5, 7, 48, method]);
            der::sequence(&[method, der::tagged(0x86, url.as_bytes())])
        };
        let descriptions: Vec<Vec<u8>> = ca_issuers.chain(ocsp).map(describe).collect();
        let content = der::sequence(&descriptions);
        let extension = || CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content);
        (!descriptions.is_empty()).then(extension)
    }

    fn issuer(&self) -> Issuer<'_, &rcgen::KeyPair> {
        Issuer::from_params(&self.params, self.key.issuing())
    }
}

/// A root and the authority for agencies below it: enough for most tests.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    /// The trust anchor.
    pub root: Authority,
    /// Issues to persons, organisations and devices.
    pub issuing: Authority,
    validity: Validity,
}

impl Hierarchy {
    /// Makes both, in the middle of their lives at `now`. Revocation lists will be expected at `urls/root.crl` (for
    /// the issuing authority) and `urls/issuing.crl` (for leaves).
    pub fn new(urls: &str, now: Timestamp) -> Hierarchy {
        Key::warm();
        let (long, medium) = (Validity::around(now, 5_000), Validity::around(now, 2_500));
        let root = Authority::root("RootCA thử nghiệm", urls, "root", long);
        let issuing = root.subordinate("CA thử nghiệm phục vụ các cơ quan", urls, "issuing", medium);
        Hierarchy {
            root,
            issuing,
            validity: Validity::around(now, 900),
        }
    }

    /// A certificate for an official of `agency`.
    pub fn person(&self, name: &str, agency: &str) -> Credential {
        self.issuing.issue(Holder::Person { name, agency }, self.validity)
    }

    /// A certificate for the agency `name` below `parent`.
    pub fn organisation(&self, name: &str, parent: &str) -> Credential {
        self.issuing
            .issue(Holder::Organisation { name, parent }, self.validity)
    }

    /// A certificate for software or a device of `agency`.
    pub fn device(&self, name: &str, agency: &str) -> Credential {
        self.issuing.issue(Holder::Device { name, agency }, self.validity)
    }

    /// Writes both authorities (`root`, `issuing`: `.crt` in PEM, `.der`) and their revocation lists (`.crl`, DER)
    /// into `folder`.
    pub fn write(&self, folder: &Path, plan: &RevocationPlan) {
        for (name, authority) in [("root", &self.root), ("issuing", &self.issuing)] {
            write_certificate(folder, name, &authority.certificate);
        }
        write(folder, "issuing.crl", &self.issuing.revocation_list(plan));
        let none_revoked = RevocationPlan {
            revoked: Vec::new(),
            ..plan.clone()
        };
        write(folder, "root.crl", &self.root.revocation_list(&none_revoked));
    }
}

/// PEM of one certificate in DER.
pub fn certificate_pem(certificate: &[u8]) -> String {
    pem("CERTIFICATE", certificate)
}

/// What this label says, in PEM (RFC 7468).
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn write_certificate(folder: &Path, name: &str, certificate: &[u8]) {
    write(
        folder,
        &format!("{name}.crt"),
        certificate_pem(certificate).as_bytes(),
    );
    write(folder, &format!("{name}.der"), certificate);
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

fn base_params(subject: DistinguishedName, validity: Validity, serial: &[u8]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(validity.not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(validity.not_after);
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority_params(
    common_name: &str,
    constraints: BasicConstraints,
    validity: Validity,
) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "VN");
    subject.push(DnType::OrganizationName, "Hạ tầng khoá thử nghiệm");
    subject.push(DnType::CommonName, common_name);
    let mut params = base_params(subject, validity, &random_serial());
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn subject(holder: Holder<'_>) -> DistinguishedName {
    let parts: &[(DnType, &str)] = match holder {
        Holder::Person { name, agency } => &[
            (DnType::OrganizationName, agency),
            (DnType::LocalityName, "Hà Nội"),
            (DnType::CommonName, name),
        ],
        Holder::Organisation { name, parent } => &[
            (DnType::LocalityName, "Hà Nội"),
            (DnType::OrganizationName, parent),
            (DnType::CommonName, name),
        ],
        Holder::Device { name, agency } => &[
            (DnType::OrganizationName, agency),
            (DnType::OrganizationalUnitName, "Thiết bị, phần mềm"),
            (DnType::CommonName, name),
        ],
    };
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "VN");
    for (kind, value) in parts {
        subject.push(kind.clone(), *value);
    }
    subject
}

fn distribution_points(urls: &[String]) -> Vec<CrlDistributionPoint> {
    if urls.is_empty() {
        Vec::new()
    } else {
        vec![CrlDistributionPoint { uris: urls.to_vec() }]
    }
}

/// certificatePolicies (RFC 5280 section 4.2.1.4) with the one policy of G2 leaves.
fn policies() -> CustomExtension {
    let content = der::sequence(&[der::sequence(&[der::oid(&POLICY)])]);
    CustomExtension::from_oid_content(&[2, 5, 29, 32], content)
}

/// Eight random bytes, positive and without a leading zero.
fn random_serial() -> Vec<u8> {
    let mut bytes = vec![0_u8; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
    bytes[0] = bytes[0] & 0x3f | 0x40;
    bytes
}

/// Since 1970, to be added to a moment of the `time` crate, which rcgen wants and does not re-export.
fn since_epoch(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).expect("not before 1970"))
}

#[cfg(test)]
mod tests;
