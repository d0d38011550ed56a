//! The gateway's key and certificate in a PKCS#12 file of the openssl command.

use std::path::Path;
use std::process::{Command, Output};

use harness::process::Program;

const PASSWORD: &str = "mật khẩu 24681357";

/// A folder with all that `gateway check` reads.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk {
            folder: tempfile::tempdir().expect("a folder"),
        };
        std::fs::create_dir(desk.path().join("anchors")).expect("a folder");
        desk.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-noenc",
            "-keyout",
            "key.pem",
            "-out",
            "anchors/own.pem",
            "-subj",
            "/CN=cong.example",
        ]);
        desk.write("broker.password", "not asked for");
        desk
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the folder can be written");
    }

    /// What the openssl command prints.
    fn openssl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("openssl");
        let output = command.args(arguments).current_dir(self.path()).output();
        let output = output.expect("openssl is installed: run ops/setup");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn export(&self, options: &[&str]) {
        self.write("p12.password", PASSWORD);
        let mut arguments = vec!["pkcs12", "-export", "-inkey", "key.pem", "-in", "anchors/own.pem"];
        arguments.extend(["-out", "gateway.p12", "-passout", "file:p12.password"]);
        arguments.extend(options);
        self.openssl(&arguments);
    }

    /// `gateway check` with this password.
    fn check(&self, password: &str) -> Output {
        self.write("p12.password", password);
        let anchor = self.openssl(&[
            "x509",
            "-in",
            "anchors/own.pem",
            "-noout",
            "-fingerprint",
            "-sha256",
        ]);
        let anchor = anchor.trim().split('=').next_back().expect("a fingerprint");
        let text = format!(
            "[gateway]\ncode = \"000.00.00.X99\"\ndata_dir = \"data\"\n\
             [gateway.pkcs12]\nfile = \"gateway.p12\"\npassword = {{ file = \"p12.password\" }}\n\
             [broker]\npassword = {{ file = \"broker.password\" }}\n[trust]\nanchors_dir = \"anchors\"\n\
             anchor_fingerprints = [\"{anchor}\"]\n"
        );
        self.write("gateway.toml", &text);
        let mut command = Command::new(Program::Gateway.path());
        command
            .arg("check")
            .arg("--config")
            .arg(self.path().join("gateway.toml"));
        command.output().expect("the gateway runs")
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .map(String::from_utf8_lossy)
        .concat()
}

#[test]
fn a_pkcs12_file_of_today_and_of_older_tools_is_the_gateways_key() {
    let desk = Desk::new();
    for options in [&[][..], &["-legacy"]] {
        desk.export(options);
        let said = said(&desk.check(PASSWORD));
        assert!(
            said.contains("Cấu hình hợp lệ") && said.contains("cong.example"),
            "{said}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_pkcs12_file_is_told_and_its_password_is_not() {
    let desk = Desk::new();
    let algorithm = "1.2.840.113549.1.12.1.1";
    let wrong = "mật khẩu sai";
    for (options, password, told) in [
        (&[][..], wrong, "sai mật khẩu"),
        (&["-nokeys"], PASSWORD, "không có khóa riêng"),
        (&["-nocerts"], PASSWORD, "không có chứng thư"),
        (&["-legacy", "-certpbe", "PBE-SHA1-RC4-128"], PASSWORD, algorithm),
    ] {
        desk.export(options);
        let checked = desk.check(password);
        let said = said(&checked);
        assert!(!checked.status.success() && said.contains(told), "{said}");
        assert!(!said.contains(password), "the password is told: {said}");
        assert_eq!(
            said.contains("openssl pkcs12 -export"),
            told == algorithm,
            "{said}"
        );
    }
}
