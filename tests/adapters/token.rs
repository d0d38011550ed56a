//! The gateway's key in a PKCS#11 token: SoftHSM2, through its own tools.

use std::path::Path;
use std::process::{Command, Output};

use harness::process::Program;
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "24681357";

/// A folder with a token and all that `gateway check` reads.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let tokens = desk.path().join("tokens");
        std::fs::create_dir(&tokens).expect("a folder");
        std::fs::create_dir(desk.path().join("anchors")).expect("a folder");
        desk.write(
            "softhsm2.conf",
            &format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
        );
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = root.self_signed(&KeyPair::generate().expect("a key"));
        let root = root.expect("a certificate");
        desk.write("anchors/root.pem", &root.pem());
        desk.write("anchor", &trust::Digest::of(root.der()).to_string());
        desk.write("password", "not asked for");
        desk.softhsm(&[
            "--init-token",
            "--free",
            "--label",
            "cong",
            "--so-pin",
            "86427531",
            "--pin",
            PIN,
        ]);
        desk
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the folder can be written");
    }

    /// Puts a key into the token under this label.
    fn import(&self, key: &KeyPair, label: &str, id: &str) {
        self.write("key.pem", &key.serialize_pem());
        let file = self.path().join("key.pem");
        let file = file.to_str().expect("a path in UTF-8");
        self.softhsm(&[
            "--import", file, "--token", "cong", "--label", label, "--id", id, "--pin", PIN,
        ]);
        std::fs::remove_file(file).expect("it was there");
    }

    fn softhsm(&self, arguments: &[&str]) {
        let mut command = self.with_tokens("softhsm2-util".as_ref());
        let output = command
            .args(arguments)
            .output()
            .expect("softhsm2-util is installed: run ops/setup");
        assert!(output.status.success(), "{}", said(&output));
    }

    fn with_tokens(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", self.path().join("softhsm2.conf"));
        command
    }

    /// `gateway check` with this key of this token.
    fn check(&self, label: &str, key: &str, pin: &str) -> Output {
        self.write("pin", pin);
        let anchor = std::fs::read_to_string(self.path().join("anchor")).expect("written");
        let text = format!(
            "[gateway]\ncode = \"000.00.00.X99\"\ndata_dir = \"data\"\ncertificate_file = \"gateway.pem\"\n\
             [gateway.token]\nmodule = \"{MODULE}\"\nlabel = \"{label}\"\nkey = \"{key}\"\n\
             password = {{ file = \"pin\" }}\n\
             [broker]\npassword = {{ file = \"password\" }}\n[trust]\nanchors_dir = \"anchors\"\n\
             anchor_fingerprints = [\"{anchor}\"]\n"
        );
        self.write("gateway.toml", &text);
        let mut command = self.with_tokens(Program::Gateway.path());
        command
            .arg("check")
            .arg("--config")
            .arg(self.path().join("gateway.toml"));
        command.output().expect("the gateway runs")
    }
}

/// A certificate of this key by itself, in PEM, and the key again.
fn certificate(key: &KeyPair) -> (String, &KeyPair) {
    let params = CertificateParams::new(vec!["cong.example".to_owned()]).expect("a name");
    (params.self_signed(key).expect("a certificate").pem(), key)
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .map(String::from_utf8_lossy)
        .concat()
}

#[test]
fn a_key_in_a_token_signs_for_its_certificate_and_for_no_other() {
    let desk = Desk::new();
    let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    for (key, label, id) in [(&p256, "bien-nhan", "01"), (&rsa, "bien-nhan-rsa", "02")] {
        desk.import(key, label, id);
        let (pem, _) = certificate(key);
        desk.write("gateway.pem", &pem);
        // Signing is part of the check; ECDSA is chance, so that several rounds meet numbers of every length.
        for _ in 0..8 {
            let checked = desk.check("cong", label, PIN);
            assert!(said(&checked).contains("Cấu hình hợp lệ"), "{}", said(&checked));
        }
    }
    let mismatched = desk.check("cong", "bien-nhan", PIN);
    assert!(
        said(&mismatched).contains("không khớp khóa bien-nhan"),
        "{}",
        said(&mismatched)
    );
}

#[test]
fn what_is_wrong_with_a_token_is_told_and_its_pin_is_not() {
    let desk = Desk::new();
    let key = KeyPair::generate().expect("a key");
    desk.import(&key, "bien-nhan", "01");
    desk.write("gateway.pem", &certificate(&key).0);
    for (label, name, pin, told) in [
        ("cong", "bien-nhan", "11112222", "the token refuses the PIN"),
        ("khac", "bien-nhan", PIN, "no token has this label"),
        ("cong", "khac", PIN, "the token has no private key of this label"),
    ] {
        let checked = desk.check(label, name, pin);
        let said = said(&checked);
        assert!(!checked.status.success() && said.contains(told), "{said}");
        assert!(!said.contains(pin), "the PIN is told: {said}");
    }
    desk.import(&key, "bien-nhan", "03");
    let said = said(&desk.check("cong", "bien-nhan", PIN));
    assert!(said.contains("several private keys"), "{said}");
}
