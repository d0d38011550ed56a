//! What the tests of this crate are made of: authorities, signers, lists and PDF files, all made on the spot.
//!
//! **Invariant**: compiled for tests only; keys live as long as a test.

pub(crate) mod answer;
mod pdf;
pub(crate) mod stamp;

use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams,
    RsaKeySize, SerialNumber, date_time_ymd,
};

use crate::asn1::{oid, write};
use crate::cms::{self, Content, SoftwareKey};
use crate::{Certificate, Policy, RevocationList, Snapshot, Time};

/// The time of all tests: inside every validity, between both updates of every list.
pub(crate) use pdf::{
    PdfWriter, SIGNATURE, fill_contents, sign_pdf, sign_pdf_at, sign_pdf_raw, sign_pdf_with,
};

pub(crate) fn now() -> Time {
    "2026-06-15T08:00:00Z".parse().expect("an instant")
}

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: Arc<Certificate>,
}

pub(crate) struct Leaf {
    pub(crate) key: SoftwareKey,
    pub(crate) certificate: Arc<Certificate>,
}

/// What a test may change about a certificate before it is signed.
pub(crate) type Change = fn(&mut CertificateParams);

pub(crate) fn as_is(_: &mut CertificateParams) {}

fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "VN");
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority_params(name: &str, serial: u64) -> CertificateParams {
    let mut params = params(name, serial);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn read(certificate: &rcgen::Certificate) -> Arc<Certificate> {
    Arc::new(Certificate::from_der(certificate.der()).expect("a certificate of rcgen"))
}

impl Authority {
    pub(crate) fn root(name: &str, change: Change) -> Self {
        let mut params = authority_params(name, 1);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = read(&params.self_signed(&key).expect("a certificate"));
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(crate) fn authority(&self, name: &str, serial: u64, change: Change) -> Self {
        self.authority_of(KeyPair::generate().expect("a key"), (name, serial), change)
    }

    /// One that has this key.
    pub(crate) fn authority_of(&self, key: KeyPair, (name, serial): (&str, u64), change: Change) -> Self {
        let mut params = authority_params(name, serial);
        params.crl_distribution_points = points("http://crl.example/root.crl");
        change(&mut params);
        let certificate = read(&params.signed_by(&key, &self.issuer).expect("a certificate"));
        // Whatever the certificate allows, the key signs what a test asks for.
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// The key and name of this authority, certified by another one too.
    pub(crate) fn certified_by(&self, other: &Authority, change: Change) -> Arc<Certificate> {
        let name = self.certificate.subject().to_string();
        let name = name.rsplit("CN=").next().expect("a common name");
        let mut params = authority_params(name, 77);
        change(&mut params);
        read(
            &params
                .signed_by(self.issuer.key(), &other.issuer)
                .expect("a certificate"),
        )
    }

    pub(crate) fn leaf(&self, name: &str, serial: u64, change: Change) -> Leaf {
        self.leaf_of(&KeyPair::generate().expect("a key"), (name, serial), change)
    }

    pub(crate) fn rsa_leaf(&self, name: &str, serial: u64) -> Leaf {
        self.changed_rsa_leaf(name, serial, &as_is)
    }

    /// All of these have one key.
    pub(crate) fn changed_rsa_leaf(
        &self,
        name: &str,
        serial: u64,
        change: &dyn Fn(&mut CertificateParams),
    ) -> Leaf {
        static KEY: LazyLock<KeyPair> = LazyLock::new(|| {
            KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
        });
        self.leaf_of(&KEY, (name, serial), change)
    }

    pub(crate) fn changed_leaf(
        &self,
        name: &str,
        serial: u64,
        change: &dyn Fn(&mut CertificateParams),
    ) -> Leaf {
        self.leaf_of(&KeyPair::generate().expect("a key"), (name, serial), change)
    }

    fn leaf_of(
        &self,
        key: &KeyPair,
        (name, serial): (&str, u64),
        change: impl Fn(&mut CertificateParams),
    ) -> Leaf {
        let mut params = params(name, serial);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::ContentCommitment,
        ];
        params.crl_distribution_points = points("http://crl.example/issuing.crl");
        change(&mut params);
        let certificate = read(&params.signed_by(key, &self.issuer).expect("a certificate"));
        Leaf {
            key: SoftwareKey::from_pkcs8(key.serialized_der()).expect("a key of rcgen"),
            certificate,
        }
    }

    /// The list of June 2026 with these serial numbers.
    pub(crate) fn list(&self, revoked: &[(u64, RevocationReason)]) -> Arc<RevocationList> {
        self.list_of(revoked, (6, 1), (7, 1))
    }

    pub(crate) fn list_of(
        &self,
        revoked: &[(u64, RevocationReason)],
        (from_month, from_day): (u8, u8),
        (to_month, to_day): (u8, u8),
    ) -> Arc<RevocationList> {
        let revoked = revoked.iter().map(|(serial, reason)| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: Some(*reason),
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, from_month, from_day),
            next_update: date_time_ymd(2026, to_month, to_day),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).expect("a list");
        Arc::new(RevocationList::from_der(list.der().to_vec()).expect("a list of rcgen"))
    }
}

impl Authority {
    pub(crate) fn sign(&self, octets: &[u8]) -> Vec<u8> {
        rcgen::SigningKey::sign(self.issuer.key(), octets).expect("a signature")
    }

    /// A list with these numbered entries and further extensions, signed; rcgen makes no deltas.
    pub(crate) fn list_with(&self, entries: &[(u8, u8)], extensions: &[Vec<u8>]) -> Arc<RevocationList> {
        let entry = |(serial, reason): &(u8, u8)| {
            let reason = write::element(0x0A, &[*reason]);
            let reason = [
                write::object_identifier(&oid::CRL_REASON),
                write::element(0x04, &reason),
            ];
            list_entry(*serial, &[write::element(0x30, &reason.concat())])
        };
        self.list_of_entries(&entries.iter().map(entry).collect::<Vec<_>>(), extensions)
    }

    /// The same with entries as [`list_entry`] makes them.
    pub(crate) fn list_of_entries(&self, entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Arc<RevocationList> {
        let entries = entries.concat();
        let entries = if entries.is_empty() {
            entries
        } else {
            write::element(0x30, &entries)
        };
        let explicit = write::element(0xA0, &write::element(0x30, &extensions.concat()));
        let algorithm = write::element(0x30, &write::object_identifier(&oid::ECDSA_SHA256));
        let signed = write::constructed(
            0x30,
            &[
                &[2, 1, 1],
                &algorithm,
                self.certificate.subject().der(),
                &write::time(now().plus_seconds(-60)),
                &write::time(now().plus_seconds(60)),
                &entries,
                &explicit,
            ],
        );
        let value = write::element(0x03, &[vec![0], self.sign(&signed)].concat());
        let whole = write::constructed(0x30, &[&signed, &algorithm, &value]);
        Arc::new(RevocationList::from_der(whole).expect("a list"))
    }
}

/// An entry of a list about this serial number.
pub(crate) fn list_entry(serial: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = write::element(0x30, &extensions.concat());
    let at = write::time(now().plus_seconds(-3600));
    write::constructed(0x30, &[&[2, 1, serial], &at, &extensions])
}

/// An extension as it stands in a list.
pub(crate) fn list_extension(
    identifier: &const_oid::ObjectIdentifier,
    is_critical: bool,
    value: &[u8],
) -> Vec<u8> {
    let critical: &[u8] = if is_critical { &[1, 1, 0xFF] } else { &[] };
    write::constructed(
        0x30,
        &[
            &write::object_identifier(identifier),
            critical,
            &write::element(0x04, value),
        ],
    )
}

fn points(url: &str) -> Vec<CrlDistributionPoint> {
    vec![CrlDistributionPoint {
        uris: vec![url.to_owned()],
    }]
}

/// An extension of this identifier with this content.
pub(crate) fn extension(identifier: &[u64], content: &[u8], is_critical: IsCritical) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(identifier, content.to_vec());
    extension.set_criticality(is_critical == IsCritical::Yes);
    extension
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IsCritical {
    Yes,
    No,
}

/// authorityInfoAccess with one caIssuers location.
pub(crate) fn issuer_access(url: &str) -> CustomExtension {
    access(&[(oid::ACCESS_CA_ISSUERS, url)])
}

/// authorityInfoAccess with these OCSP locations.
pub(crate) fn responder_access(urls: &[&str]) -> CustomExtension {
    access(
        &urls
            .iter()
            .map(|url| (oid::ACCESS_OCSP, *url))
            .collect::<Vec<_>>(),
    )
}

fn access(places: &[(const_oid::ObjectIdentifier, &str)]) -> CustomExtension {
    let places = places.iter().map(|(method, url)| {
        let location = write::element(0x86, url.as_bytes());
        write::constructed(0x30, &[&write::object_identifier(method), &location])
    });
    extension(
        &[1, 3, 6, 1, 5, 5, 7, 1, 1],
        &write::element(0x30, &places.collect::<Vec<_>>().concat()),
        IsCritical::No,
    )
}

/// The ordinary case: a root, an issuing authority, a person and an organisation.
pub(crate) struct World {
    pub(crate) root: Authority,
    pub(crate) issuing: Authority,
    pub(crate) person: Leaf,
    pub(crate) organisation: Leaf,
}

impl World {
    pub(crate) fn new() -> Self {
        let root = Authority::root("Root", as_is);
        let issuing = root.authority("Issuing", 2, as_is);
        let person = issuing.rsa_leaf("Person", 100);
        let organisation = issuing.leaf("Organisation", 101, as_is);
        Self {
            root,
            issuing,
            person,
            organisation,
        }
    }

    /// The snapshot with these lists.
    pub(crate) fn snapshot(&self, lists: Vec<Arc<RevocationList>>) -> Snapshot {
        let anchors = vec![Arc::clone(&self.root.certificate)];
        let candidates = vec![Arc::clone(&self.issuing.certificate)];
        Snapshot::new(anchors, candidates, lists, Policy::default(), 1)
    }

    /// The snapshot in which nobody is revoked.
    pub(crate) fn good(&self) -> Snapshot {
        self.snapshot(vec![self.root.list(&[]), self.issuing.list(&[])])
    }
}

impl Leaf {
    pub(crate) fn sign(&self, content: &[u8]) -> Vec<u8> {
        cms::sign(Content::Detached(content), &self.key, &[&self.certificate], now()).expect("a signature")
    }
}
