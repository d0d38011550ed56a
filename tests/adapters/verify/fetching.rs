//! What a verdict lacks is fetched once, where that is allowed.

use harness::crl_server::CrlServer;
use harness::pki::{Credential, RevocationPlan};

use super::desk::Desk;
use super::{page, schema};

/// A desk whose lists are served, and a configuration that knows the anchor alone.
struct Served {
    server: CrlServer,
    desk: Desk,
}

impl Served {
    fn new() -> Served {
        let server = CrlServer::start();
        let desk = Desk::at(&server.base());
        let plan = RevocationPlan::none(desk.now);
        server.serve("issuing.crl", desk.hierarchy.issuing.revocation_list(&plan));
        server.serve("root.crl", desk.hierarchy.root.revocation_list(&plan));
        server.serve("issuing.crt", desk.hierarchy.issuing.certificate.clone());
        std::fs::create_dir(desk.path("anchors")).expect("a folder");
        desk.write("anchors/root.crt", &desk.hierarchy.root.certificate);
        desk.write("password", "not asked for");
        let anchor = trust::Digest::of(&desk.hierarchy.root.certificate);
        let host = server.base().trim_start_matches("http://").to_owned();
        let text = format!(
            "[gateway]\ncode = \"000.00.00.X99\"\ndata_dir = \"data\"\nkey_file = \"password\"\ncertificate_file = \"password\"\n\
             [broker]\npassword = {{ file = \"password\" }}\n\
             [trust]\nanchors_dir = \"anchors\"\nanchor_fingerprints = [\"{anchor}\"]\nallowed_private_hosts = [\"{host}\"]\n"
        );
        desk.write("gateway.toml", text);
        Served { server, desk }
    }

    fn verify(&self, name: &str, arguments: &[&str]) -> super::desk::Ended {
        let config = self.desk.path("gateway.toml");
        let config = ["--config", config.to_str().expect("UTF-8")];
        self.desk
            .run(&[&self.desk.path(name)], &[&config, arguments].concat())
    }

    fn requests(&self) -> [u64; 3] {
        ["issuing.crt", "issuing.crl", "root.crl"].map(|name| self.server.requests(name))
    }
}

#[test]
fn what_is_lacking_is_fetched_once_and_kept_nowhere() {
    let served = Served::new();
    let alone = Credential {
        chain: Vec::new(),
        ..served.desk.person("Nguyễn Văn Thử")
    };
    served
        .desk
        .write("vb.pdf", page().signed(&alone, served.desk.now).bytes());
    let ended = served.verify("vb.pdf", &["--offline"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("Thiếu chứng thư của"), "{}", ended.stdout);
    let now = served.desk.now.to_string();
    assert_eq!(served.verify("vb.pdf", &["--at", &now]).code, 1);
    assert_eq!(served.requests(), [0, 0, 0], "neither of these asks anybody");
    let ended = served.verify("vb.pdf", &[]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    assert_eq!(served.requests(), [1, 1, 1]);
    assert!(!served.desk.path("data").exists(), "nothing is kept");
}

#[test]
fn an_address_that_gives_nothing_is_told_and_not_asked_again() {
    let served = Served::new();
    served.server.fail("issuing.crl", 503);
    let person = served.desk.person("Nguyễn Văn Thử");
    served
        .desk
        .write("vb.pdf", page().signed(&person, served.desk.now).bytes());
    let ended = served.verify("vb.pdf", &[]);
    assert_eq!(ended.code, 1);
    for part in [
        "INDETERMINATE / TRY_LATER",
        "Không lấy được http://127.0.0.1",
        "the answer was 503",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    assert_eq!(served.server.requests("issuing.crl"), 1);
    let ended = served.verify("vb.pdf", &["--json"]);
    let report = serde_json::from_str(&ended.stdout).expect("JSON");
    schema::assert_valid(&report);
    assert_eq!(
        report[0]["facts"]["failedAddresses"][0]["fault"],
        "the answer was 503"
    );
}

#[test]
fn no_address_leads_into_the_private_network() {
    let served = Served::new();
    let person = served.desk.person("Nguyễn Văn Thử");
    let file = served
        .desk
        .write("vb.pdf", page().signed(&person, served.desk.now).bytes());
    served.desk.remove_trust("issuing.crl");
    let trust = served.desk.path("trust");
    let ended = served
        .desk
        .run(&[&file], &["--trust", trust.to_str().expect("UTF-8")]);
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .stdout
            .contains("the host has the private address 127.0.0.1"),
        "{}",
        ended.stdout
    );
    assert_eq!(served.requests(), [0, 0, 0]);
}
