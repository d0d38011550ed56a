//! What would fail at the start fails here.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use domain::ids::Code;

use super::*;
use crate::administration::{Administration, Mode, NotProvisioned, Order};
use crate::broker::ProvisionFault;
use crate::signer::SignerFault;
use crate::store::{Store, StoreConfig};

/// A configuration with a certificate that ended in 2021, and with further lines at its end.
fn desk(code: &str, more: &str) -> (tempfile::TempDir, Config) {
    crate::config::testing::desk(code, (2016, 2021), more)
}

#[test]
fn a_certificate_that_ended_is_a_fault() {
    let (_folder, config) = desk("H53.LT", "");
    let ended = key(&config).expect_err("ended in 2021");
    assert!(
        matches!(ended, CommandFault::Signer(SignerFault::Ended { .. })),
        "{ended:?}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_made_or_written_is_a_fault_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    for good in [folder.path().to_owned(), folder.path().join("a/b")] {
        assert!(data_dir(&good).is_ok(), "{good:?}");
    }
    for bad in [PathBuf::from("/proc/nope"), file.join("data")] {
        let fault = data_dir(&bad).expect_err("nobody can make it");
        assert!(matches!(&fault, CommandFault::File { path, .. } if *path == bad));
    }
    let left = std::fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 1, "only the file");
}

#[test]
fn an_address_in_use_is_remarked_and_one_of_another_machine_is_a_fault() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    assert!(listen(taken.local_addr().expect("an address")).is_ok());
    // TEST-NET-1 of RFC 5737 is nobody's.
    let fault = listen("192.0.2.1:0".parse().expect("an address")).expect_err("not ours");
    assert!(matches!(
        fault,
        CommandFault::App(AppFault::Http(HttpFault::Listen { .. }))
    ));
}

#[tokio::test]
async fn an_agency_with_the_code_of_the_gateway_is_a_fault() {
    let (_folder, mut config) = desk("H53.LT", "");
    config.store.free_bytes_min = 0;
    assert!(directory(&config).await.is_ok(), "no directory yet");
    let clock = Clock::start(Duration::from_secs(30));
    let time = clock.clone();
    let at = StoreConfig::at(&config.gateway.data_dir);
    let store = Store::open(&at, move || time.now()).expect("a store");
    let office = Administration::new(Arc::new(store), Arc::new(NotProvisioned), clock);
    let added = Order::Add {
        name: "Tỉnh".to_owned(),
        codes: vec!["000.00.00.H53".to_owned()],
        parent: None,
        place: None,
        watcher: None,
        level: String::new(),
        answers: None,
    };
    office.carry_out(&added, Mode::Make).await.expect("added");
    let busy = directory(&config).await;
    assert!(busy.is_ok(), "whoever has the folder is left alone: {busy:?}");
    drop(office);
    assert!(
        directory(&config).await.is_ok(),
        "the code is the gateway's alone"
    );
    config.gateway.code = Code::parse("000.00.00.H53").expect("a code");
    let taken = directory(&config).await.expect_err("it is the province's");
    let CommandFault::App(AppFault::CodeTaken { code, agency }) = taken else {
        panic!("{taken:?}")
    };
    assert_eq!(
        (code.as_str(), agency.to_string().as_str()),
        ("000.00.00.H53", "a1")
    );
}

/// A management interface that gives everybody the same answer, and tells what it was asked.
fn interface(status: &'static str, body: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let uri = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).expect("a request");
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).expect("answered");
            if told.send(text).is_err() {
                break;
            }
        }
    });
    (uri, asked)
}

fn provisioned(uri: &str) -> (tempfile::TempDir, Config) {
    let more = format!(
        "[broker.provision]\nmanagement_uri = \"{uri}\"\nuser = \"provision\"\npassword = {{ file = \"password\" }}"
    );
    desk("H53.LT", &more)
}

#[tokio::test]
async fn a_credential_that_is_refused_and_an_interface_that_is_away_are_faults() {
    let (uri, _asked) = interface("401 Unauthorized", "");
    let (_folder, config) = provisioned(&uri);
    let refused = reach_management(&config).await.expect_err("refused");
    assert!(
        matches!(
            refused,
            CommandFault::Provision(ProvisionFault::Credential { .. })
        ),
        "{refused:?}"
    );
    let (_folder, config) = provisioned("http://127.0.0.1:1");
    let away = reach_management(&config).await.expect_err("nobody listens");
    assert!(
        matches!(away, CommandFault::Provision(ProvisionFault::Request(_))),
        "{away:?}"
    );
}

#[tokio::test]
async fn a_good_credential_is_only_asked_with() {
    let (uri, asked) = interface("200 OK", "[]");
    let (_folder, config) = provisioned(&uri);
    reach_management(&config).await.expect("it answers");
    let requests: Vec<String> = asked.try_iter().collect();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(request.starts_with("GET /api/"), "{request}");
    }
}
