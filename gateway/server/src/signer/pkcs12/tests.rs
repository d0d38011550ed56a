//! Files that `openssl pkcs12 -export` writes, and such as it refuses to write.

use std::path::PathBuf;
use std::process::Command;

use aws_lc_rs::hmac;
use const_oid::db::rfc5912::ID_SHA_256;
use der::asn1::Null;
use pkcs12::digest_info::DigestInfo;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use pkcs12::mac_data::MacData;
use pkcs12::pfx::Version;
use pkcs12::safe_bag::SafeBag;
use sha2::Sha256;
use trust::Signer;

use super::*;
use crate::config::Pkcs12Config;
use crate::signer::{SignerFault, from_pkcs12};

const PASSWORD: &str = "mật khẩu của cổng 🔑";

/// A folder with keys and certificates.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        let output = command.args(arguments).current_dir(self.folder.path()).output();
        let output = output.expect("openssl is installed: run ops/setup");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }

    /// A key of this kind (`rsa:2048`, `ec:P-256`) with a certificate of its own: `name.key` and `name.pem`.
    fn key(&self, name: &str, kind: &str) {
        let (algorithm, option) = match kind.split_once(':').expect("a kind") {
            ("rsa", bits) => ("RSA", format!("rsa_keygen_bits:{bits}")),
            (_, curve) => ("EC", format!("ec_paramgen_curve:{curve}")),
        };
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        self.openssl(&[
            "genpkey",
            "-algorithm",
            algorithm,
            "-pkeyopt",
            &option,
            "-out",
            &key,
        ]);
        let subject = format!("/CN={name}");
        self.openssl(&[
            "req", "-x509", "-key", &key, "-out", &pem, "-subj", &subject, "-days", "30",
        ]);
    }

    /// A file with the key and the certificate of this name, with further options.
    fn export(&self, name: &str, options: &[&str]) -> PathBuf {
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        let password = format!("pass:{PASSWORD}");
        let mut arguments = vec![
            "pkcs12", "-export", "-inkey", &key, "-in", &pem, "-out", "out.p12",
        ];
        arguments.extend(["-passout", &password]);
        arguments.extend(options);
        self.openssl(&arguments);
        self.path("out.p12")
    }

    /// What is wrong with that file.
    fn fault_of(&self, name: &str, options: &[&str]) -> Pkcs12Fault {
        fault(&self.export(name, options), PASSWORD)
    }
}

fn config(file: &Path, password: &str) -> Pkcs12Config {
    Pkcs12Config {
        file: file.to_owned(),
        password: Secret::of(password.to_owned()),
    }
}

/// The time of day: openssl dates certificates by it.
fn now() -> trust::Time {
    crate::clock::Clock::start(std::time::Duration::from_secs(30)).now()
}

fn fault(file: &Path, password: &str) -> Pkcs12Fault {
    match from_pkcs12(&config(file, password), now()).err() {
        Some(SignerFault::Pkcs12 { path, fault }) if path == file => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_openssl_writes_is_read_by_default_and_as_older_tools_want_it() {
    let desk = Desk::new();
    desk.key("other", "ec:P-256");
    for kind in ["rsa:2048", "ec:P-256"] {
        desk.key("own", kind);
        let own = std::fs::read(desk.path("own.pem")).expect("a certificate");
        let own = Certificate::all_from_pem(&own).expect("a certificate").remove(0);
        let options: [&[&str]; 9] = [
            &[],
            &["-certfile", "other.pem", "-caname", "khac", "-name", "cổng"],
            &["-legacy"],
            &["-legacy", "-descert"],
            &["-legacy", "-certpbe", "PBE-SHA1-RC2-128"],
            &["-macalg", "sha1", "-keypbe", "AES-128-CBC"],
            &["-macalg", "sha384", "-certpbe", "AES-192-CBC"],
            &["-macalg", "sha512", "-keypbe", "NONE", "-certpbe", "NONE"],
            &["-iter", "600000"],
        ];
        for options in options {
            let file = desk.export("own", options);
            let seal = from_pkcs12(&config(&file, PASSWORD), now()).expect("a key and its certificate");
            assert_eq!(
                seal.certificates[0].fingerprint(),
                own.fingerprint(),
                "{options:?}"
            );
            let others = usize::from(options.contains(&"-certfile"));
            assert_eq!(seal.certificates.len(), 1 + others);
            assert_eq!(
                fault(&file, "mật khẩu của cổng"),
                Pkcs12Fault::Password,
                "{options:?}"
            );
        }
    }
}

#[test]
fn the_certificate_of_the_key_comes_first_and_of_two_the_one_that_ends_last() {
    let desk = Desk::new();
    desk.key("own", "ec:P-256");
    desk.openssl(&[
        "req",
        "-x509",
        "-key",
        "own.key",
        "-out",
        "renewed.pem",
        "-subj",
        "/CN=own",
        "-days",
        "60",
    ]);
    desk.key("other", "ec:P-256");
    let renewed = std::fs::read(desk.path("renewed.pem")).expect("a certificate");
    let other = std::fs::read(desk.path("other.pem")).expect("a certificate");
    std::fs::write(desk.path("more.pem"), [other, renewed].concat()).expect("written");
    let file = desk.export("own", &["-certfile", "more.pem"]);
    let seal = from_pkcs12(&config(&file, PASSWORD), now()).expect("a key and its certificate");
    let ends: Vec<_> = seal.certificates.iter().map(|one| one.not_after()).collect();
    assert_eq!(ends.len(), 3);
    assert!(ends[0] > ends[1] && ends[0] > ends[2], "{ends:?}");
    assert!(seal.certificates[0].subject().to_string().contains("own"));
}

#[test]
fn a_renewed_certificate_waits_for_its_first_day_behind_the_one_that_is_valid() {
    let desk = Desk::new();
    let pair = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    (params.not_before, params.not_after) =
        (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2030, 1, 1));
    let standing = params.self_signed(&pair).expect("a certificate").pem();
    (params.not_before, params.not_after) =
        (rcgen::date_time_ymd(2029, 1, 1), rcgen::date_time_ymd(2039, 1, 1));
    let renewed = params.self_signed(&pair).expect("a certificate").pem();
    std::fs::write(desk.path("own.key"), pair.serialize_pem()).expect("written");
    std::fs::write(desk.path("own.pem"), standing).expect("written");
    std::fs::write(desk.path("renewed.pem"), renewed).expect("written");
    let file = desk.export("own", &["-certfile", "renewed.pem"]);
    for (at, ends) in [
        ("2028-06-01T00:00:00Z", "2030-"),
        ("2029-06-01T00:00:00Z", "2039-"),
    ] {
        let at = at.parse().expect("a time");
        let seal = from_pkcs12(&config(&file, PASSWORD), at).expect("a key and its certificate");
        let end = seal.certificates[0].not_after().to_string();
        assert!(end.starts_with(ends), "{end} / {ends}");
    }
}

#[test]
fn each_wrong_file_has_a_refusal_of_its_own() {
    let desk = Desk::new();
    desk.key("own", "ec:P-256");
    desk.key("other", "ec:P-256");
    assert_eq!(
        desk.fault_of("own", &["-nocerts"]),
        Pkcs12Fault::CertificateAbsent
    );
    let options = ["-nocerts", "-certfile", "other.pem"];
    assert_eq!(desk.fault_of("own", &options), Pkcs12Fault::Mismatch);
    assert_eq!(desk.fault_of("own", &["-nokeys"]), Pkcs12Fault::KeyAbsent);
    assert_eq!(desk.fault_of("own", &["-nomac"]), Pkcs12Fault::Unproven);
    let options = ["-legacy", "-certpbe", "PBE-SHA1-RC4-128"];
    let rc4 = pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC4;
    assert_eq!(desk.fault_of("own", &options), Pkcs12Fault::Algorithm(rc4));
    let md5 = const_oid::db::rfc5912::ID_MD_5;
    assert_eq!(
        desk.fault_of("own", &["-macalg", "md5"]),
        Pkcs12Fault::Algorithm(md5)
    );
    assert_eq!(
        desk.fault_of("own", &["-iter", "1000001"]),
        Pkcs12Fault::Iterations
    );
    for kind in ["rsa:1024", "ec:P-384"] {
        desk.key("weak", kind);
        assert_eq!(desk.fault_of("weak", &[]), Pkcs12Fault::KeyUnfit, "{kind}");
    }
    assert_eq!(fault(&desk.path("own.pem"), PASSWORD), Pkcs12Fault::Malformed);
    let absent = from_pkcs12(&config(&desk.path("nowhere.p12"), PASSWORD), now()).err();
    assert!(matches!(absent, Some(SignerFault::Read { .. })), "{absent:?}");
}

#[test]
fn a_file_is_read_up_to_its_limit_and_not_beyond() {
    let desk = Desk::new();
    let length = usize::try_from(OCTETS_MAX).expect("small");
    std::fs::write(desk.path("large"), vec![0x30; length]).expect("written");
    assert_eq!(fault(&desk.path("large"), PASSWORD), Pkcs12Fault::Malformed);
    std::fs::write(desk.path("large"), vec![0x30; length + 1]).expect("written");
    assert_eq!(fault(&desk.path("large"), PASSWORD), Pkcs12Fault::Size);
}

#[test]
fn no_damage_is_taken_or_panics() {
    let desk = Desk::new();
    desk.key("own", "ec:P-256");
    let good = std::fs::read(desk.export("own", &["-iter", "1"])).expect("written");
    let password = Secret::of(PASSWORD.to_owned());
    assert!(open(&good, &password).is_ok());
    for place in 0..good.len() {
        assert!(open(&good[..place], &password).is_err(), "{place} octets");
        let mut damaged = good.clone();
        damaged[place] ^= 0x11;
        assert!(open(&damaged, &password).is_err(), "octet {place}");
    }
}

/// A file of these bags as they are, under a MAC with so many iterations.
fn packed(bags: Vec<SafeBag>, iterations: i32) -> Vec<u8> {
    let wrapped = |bytes: Vec<u8>| ContentInfo {
        content_type: ID_DATA,
        content: Any::encode_from(&OctetString::new(bytes).expect("short")).expect("DER"),
    };
    let safes = vec![wrapped(bags.to_der().expect("DER"))].to_der().expect("DER");
    let salt = [7; 8];
    let key = derive_key_utf8::<Sha256>("x", &salt, Pkcs12KeyType::Mac, iterations.min(1), 32);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.expect("a password"));
    let digest = hmac::sign(&key, &safes);
    let mac = DigestInfo {
        algorithm: cms::cert::x509::spki::AlgorithmIdentifier {
            oid: ID_SHA_256,
            parameters: Some(Any::encode_from(&Null).expect("DER")),
        },
        digest: OctetString::new(digest.as_ref()).expect("short"),
    };
    let pfx = Pfx {
        version: Version::V3,
        auth_safe: wrapped(safes),
        mac_data: Some(MacData {
            mac,
            mac_salt: OctetString::new(salt).expect("short"),
            iterations,
        }),
    };
    pfx.to_der().expect("DER")
}

fn bags(id: ObjectIdentifier, value: &[u8], count: usize) -> Vec<SafeBag> {
    let bag = SafeBag {
        bag_id: id,
        bag_value: value.to_vec(),
        bag_attributes: None,
    };
    vec![bag; count]
}

#[test]
fn keys_bags_and_iterations_are_counted() {
    let pair = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["cong.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&pair).expect("a certificate");
    let certificate = CertBag {
        cert_id: PKCS_12_X509_CERT_OID,
        cert_value: OctetString::new(certificate.der().to_vec()).expect("short"),
    };
    let certificate = certificate.to_der().expect("DER");
    let key = pair.serialize_der();
    let password = Secret::of("x".to_owned());
    let opened = |keys: usize, certificates: usize, iterations: i32| {
        let mut all = bags(PKCS_12_KEY_BAG_OID, &key, keys);
        all.extend(bags(PKCS_12_CERT_BAG_OID, &certificate, certificates));
        open(&packed(all, iterations), &password)
    };
    let contents = opened(1, BAGS_MAX - 1, 1).expect("just small enough");
    assert_eq!(contents.certificates.len(), BAGS_MAX - 1);
    assert!(contents.key.sign(b"x").is_ok());
    let fault = |keys, certificates, iterations| opened(keys, certificates, iterations).err();
    assert_eq!(fault(1, BAGS_MAX, 1), Some(Pkcs12Fault::Bags));
    assert_eq!(fault(2, 1, 1), Some(Pkcs12Fault::KeyAmbiguous));
    assert_eq!(fault(1, 1, i32::MAX), Some(Pkcs12Fault::Iterations));
    assert_eq!(fault(1, 1, 0), Some(Pkcs12Fault::Malformed));
    assert_eq!(fault(1, 1, -1), Some(Pkcs12Fault::Malformed));
    let unfit = CertBag {
        cert_id: PKCS_12_X509_CERT_OID,
        cert_value: OctetString::new([0x30, 0]).expect("short"),
    };
    let unfit = bags(PKCS_12_CERT_BAG_OID, &unfit.to_der().expect("DER"), 1);
    let unfit = open(&packed(unfit, 1), &password).err();
    let nested = bags(PKCS_12_SAFE_CONTENTS_BAG_OID, &[0x30, 0], 1);
    let nested = open(&packed(nested, 1), &password).err();
    assert_eq!(
        nested,
        Some(Pkcs12Fault::Algorithm(PKCS_12_SAFE_CONTENTS_BAG_OID))
    );
    assert_eq!(unfit, Some(Pkcs12Fault::CertificateUnfit));
}
