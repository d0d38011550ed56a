//! Never back, never unsigned, never into the private network.

mod adding;
mod elsewhere;
mod responder;
mod silence;
mod standing;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use trust::{Need, Time};

use super::material::{Material, Taken, Unfit};
use super::*;
use crate::administration::{Trouble, TrustStatus};
use crate::config::Config;

const DAY: i64 = 86_400;

/// An authority that signs its own certificate and lists.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Authority {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    fn certificate(&self) -> Arc<trust::Certificate> {
        certificate(&self.certificate)
    }

    /// A list of this number, made so many seconds from now.
    fn list(&self, number: u64, seconds: i64) -> Vec<u8> {
        self.list_at(number, now().as_seconds() + seconds)
    }

    /// A list of this number, made at this second since 1970 and good for a week.
    fn list_at(&self, number: u64, seconds: i64) -> Vec<u8> {
        let at = |seconds: i64| {
            let micros = u64::try_from(seconds * 1_000_000).expect("after 1970");
            date_time_ymd(1970, 1, 1) + Duration::from_micros(micros)
        };
        let params = CertificateRevocationListParams {
            this_update: at(seconds),
            next_update: at(seconds + 7 * DAY),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).expect("a list").der().to_vec()
    }
}

fn certificate(pem: &str) -> Arc<trust::Certificate> {
    Arc::new(trust::Certificate::from_pem_or_der(pem.as_bytes()).expect("a certificate"))
}

fn clock() -> Clock {
    Clock::start(Duration::from_secs(30))
}

fn now() -> Time {
    clock().now()
}

/// A folder with an anchor, and a configuration of trust in it.
struct House {
    folder: tempfile::TempDir,
    config: TrustConfig,
}

impl House {
    fn keeping(&self) -> Keeping {
        Keeping::open(&self.config, &self.folder.path().join("data"), clock()).expect("it opens")
    }

    fn of(authority: &Authority) -> House {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["anchors", "candidates", "crl", "data"] {
            std::fs::create_dir(folder.path().join(name)).expect("made");
        }
        std::fs::write(folder.path().join("anchors/root.pem"), &authority.certificate).expect("written");
        for name in ["key", "pem", "password"] {
            std::fs::write(folder.path().join(name), "x").expect("written");
        }
        let text = r#"
            gateway = { code = "X", data_dir = "data", key_file = "key", certificate_file = "pem" }
            broker = { password = { file = "password" } }
            trust = { anchors_dir = "anchors", candidates_dir = "candidates", crl_dir = "crl" }
        "#;
        let config = Config::parse(text, folder.path()).expect("a configuration").trust;
        let mut house = House { folder, config };
        house.pin(authority);
        house
    }

    /// Lets the authority be an anchor, once its certificate lies among the anchors.
    fn pin(&mut self, authority: &Authority) {
        let fingerprint = certificate(&authority.certificate).fingerprint();
        self.config.anchor_fingerprints.push(fingerprint);
    }

    fn keeper(&self) -> TrustKeeper {
        TrustKeeper::start(&self.config, &self.folder.path().join("data"), clock()).expect("a keeper")
    }

    fn put_list(&self, list: &[u8]) {
        std::fs::write(self.folder.path().join("crl/list.crl"), list).expect("written");
    }
}

fn number_in_use(keeper: &TrustKeeper) -> Option<String> {
    keeper.status().lists.first().and_then(|list| list.number.clone())
}

/// An HTTP server that gives the same answer to everybody, and counts them.
async fn serve(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>, impl Future<Output = ()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let serving = async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            counted.fetch_add(1, Ordering::Relaxed);
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await.expect("a request");
            // The other side may hang up in the middle of what it will not take.
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    };
    (port, asked, serving)
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Lets keeper and servers work until `work` is done.
async fn while_running<T>(
    keeper: &TrustKeeper,
    serving: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> T {
    tokio::select! {
        () = keeper.run() => panic!("the keeper ended"),
        () = serving => panic!("the server ended"),
        done = work => done,
    }
}

/// A need of the lists of this authority at these addresses.
fn need_of(authority: &Authority, urls: &[String]) -> Vec<Need> {
    vec![Need::Crl {
        issuers: vec![authority.certificate()],
        urls: urls.to_vec(),
    }]
}

fn fault_of(keeper: &TrustKeeper) -> String {
    let addresses = keeper.status().addresses;
    addresses[0].fault.clone().expect("a fault").detail
}

#[test]
fn a_list_is_replaced_by_a_newer_one_only() {
    let authority = Authority::new("Root");
    let mut material = Material::default();
    material.set_certificates(vec![authority.certificate()], Vec::new(), Vec::new(), now());
    let mut take = |number, seconds| {
        let list = material
            .certificates
            .check_list(&authority.list(number, seconds))
            .expect("signed");
        material.take_list(list, now())
    };
    assert_eq!(take(5, -500), Ok(Taken::New));
    assert_eq!(take(5, -600), Err(Unfit::Older), "by time");
    assert_eq!(take(4, -400), Err(Unfit::Older), "by number");
    assert_eq!(take(6, -400), Ok(Taken::New));
    assert_eq!(take(256, -300), Ok(Taken::New), "numbers are numbers, not texts");
    assert_eq!(take(7, -200), Err(Unfit::Older));
    assert_eq!(take(300, 3600), Err(Unfit::Future));
    assert_eq!(material.lists().count(), 1);
}

#[test]
fn a_list_of_another_issuer_is_not_taken() {
    let (authority, stranger, namesake) = (
        Authority::new("Root"),
        Authority::new("Stranger"),
        Authority::new("Root"),
    );
    let house = House::of(&authority);
    for other in [stranger, namesake] {
        house.put_list(&other.list(1, -60));
        let keeper = house.keeper();
        assert_eq!(number_in_use(&keeper), None);
        assert!(
            keeper.status().faults[0].contains("not signed by an issuer"),
            "{:?}",
            keeper.status().faults
        );
    }
}

#[test]
fn a_restart_does_not_lead_back_to_an_older_list() {
    let authority = Authority::new("Root");
    let house = House::of(&authority);
    house.put_list(&authority.list(9, -60));
    assert_eq!(number_in_use(&house.keeper()).as_deref(), Some("09"));
    house.put_list(&authority.list(8, -120));
    let keeper = house.keeper();
    assert_eq!(
        number_in_use(&keeper).as_deref(),
        Some("09"),
        "what was used once is kept"
    );
    assert!(
        keeper.status().faults[0].contains("older"),
        "{:?}",
        keeper.status().faults
    );
}

#[test]
fn without_an_anchor_there_is_no_keeper() {
    let house = House::of(&Authority::new("Root"));
    std::fs::remove_file(house.folder.path().join("anchors/root.pem")).expect("removed");
    let fault = TrustKeeper::start(&house.config, house.folder.path(), clock()).expect_err("no anchor");
    assert!(matches!(fault, TrustKeeperFault::NoAnchor(_)), "{fault}");
}

/// Has the folders read and takes what they hold.
async fn read_again(keeping: &mut Keeping) {
    let (done, _) = oneshot::channel();
    keeping.refresh(done);
    let landed = keeping.landed().await.expect("the folders are read");
    keeping.land(landed).await;
}

#[tokio::test]
async fn a_half_written_file_takes_nothing_out_of_use_and_a_removed_one_does() {
    let [root, other, third] = ["Root", "Other", "Third"].map(Authority::new);
    let mut house = House::of(&root);
    for authority in [&other, &third] {
        house.pin(authority);
    }
    let second = house.folder.path().join("anchors/second.pem");
    std::fs::write(&second, &other.certificate).expect("written");
    let mut keeping = house.keeping();
    let anchors = |keeping: &Keeping| {
        keeping
            .status()
            .lock()
            .expect("nobody panicked")
            .anchors()
            .count()
    };
    std::fs::write(&second, &other.certificate[..300]).expect("written");
    read_again(&mut keeping).await;
    assert_eq!(anchors(&keeping), 2, "half written");
    std::fs::write(house.folder.path().join("anchors/third.pem"), &third.certificate).expect("written");
    read_again(&mut keeping).await;
    assert_eq!(anchors(&keeping), 3, "what can be read is taken");
    std::fs::remove_file(&second).expect("removed");
    read_again(&mut keeping).await;
    assert_eq!(anchors(&keeping), 2, "removed");
}

#[tokio::test]
async fn folders_are_read_beside_and_each_who_asks_is_told_of_what_lay_there_then() {
    let mut house = House::of(&Authority::new("Root"));
    let [second_anchor, third_anchor] = ["Second", "Third"].map(Authority::new);
    for authority in [&second_anchor, &third_anchor] {
        house.pin(authority);
    }
    let mut keeping = house.keeping();
    let anchors = |keeping: &Keeping| {
        keeping
            .status()
            .lock()
            .expect("nobody panicked")
            .anchors()
            .count()
    };
    let put = |authority: &Authority, name: &str| {
        std::fs::write(house.folder.path().join(name), &authority.certificate).expect("written");
    };
    put(&second_anchor, "anchors/second.pem");
    let ((first_done, mut first), (second_done, mut second)) = (oneshot::channel(), oneshot::channel());
    keeping.refresh(first_done);
    assert_eq!(
        anchors(&keeping),
        1,
        "whoever keeps trust does not wait for the disk"
    );
    let landed = keeping.landed().await.expect("the folders are read");
    put(&third_anchor, "anchors/third.pem");
    keeping.refresh(second_done);
    keeping.land(landed).await;
    assert_eq!(anchors(&keeping), 2);
    assert!(first.try_recv().is_ok() && second.try_recv().is_err());
    let landed = keeping.landed().await.expect("the folders are read once more");
    keeping.land(landed).await;
    assert_eq!(anchors(&keeping), 3);
    assert!(second.try_recv().is_ok());
}

#[tokio::test]
async fn what_lies_among_the_anchors_unpinned_is_none_and_is_told() {
    let (root, stranger) = (Authority::new("Root"), Authority::new("Stranger"));
    let issuing = root.below("Issuing", |_| {});
    let mut house = House::of(&root);
    for (name, authority) in [("stranger", &stranger), ("issuing", &issuing)] {
        let path = house.folder.path().join(format!("anchors/{name}.pem"));
        std::fs::write(path, &authority.certificate).expect("written");
    }
    // Not even a pin makes an anchor of what another authority issued.
    house.pin(&issuing);
    let keeping = house.keeping();
    let status = keeping.status().lock().expect("nobody panicked").clone();
    assert_eq!(status.anchors().count(), 1);
    assert_eq!(status.candidates(), 2, "they may still be issuers on a path");
    let told = status.faults.join("\n");
    for (name, authority) in [("CN=Stranger", &stranger), ("CN=Issuing", &issuing)] {
        let fingerprint = certificate(&authority.certificate).fingerprint().to_string();
        assert!(told.contains(name) && told.contains(&fingerprint), "{told}");
    }
    let snapshot = keeping.snapshots().borrow().clone();
    assert!(
        snapshot
            .anchors()
            .all(|one| one.subject().to_string() == "CN=Root")
    );
}

#[test]
fn with_unpinned_anchors_alone_there_is_no_keeper_and_the_fault_says_what_to_pin() {
    let root = Authority::new("Root");
    let mut house = House::of(&root);
    house.config.anchor_fingerprints.clear();
    let fault = TrustKeeper::start(&house.config, house.folder.path(), clock()).expect_err("no anchor");
    let fingerprint = certificate(&root.certificate).fingerprint().to_string();
    assert!(matches!(fault, TrustKeeperFault::Unpinned { .. }), "{fault}");
    assert!(fault.to_string().contains(&fingerprint), "{fault}");
}

#[test]
fn a_file_that_is_no_certificate_is_told_and_the_others_are_used() {
    let house = House::of(&Authority::new("Root"));
    std::fs::write(house.folder.path().join("anchors/readme.txt"), "hello").expect("written");
    let status = house.keeper().status();
    assert_eq!(status.anchors().count(), 1);
    assert!(status.faults[0].contains("readme.txt"), "{:?}", status.faults);
}

#[tokio::test]
async fn what_a_document_needs_is_fetched_once_and_is_in_the_next_snapshot() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (port, asked, serving) = serve(ok(&authority.list(3, -60))).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let version = keeper.snapshot().version();
    let url = format!("http://127.0.0.1:{port}/root.crl");
    while_running(&keeper, serving, async {
        tokio::join!(
            keeper.fetch(need_of(&authority, std::slice::from_ref(&url))),
            keeper.fetch(need_of(&authority, std::slice::from_ref(&url)))
        );
        keeper
            .fetch(need_of(&authority, std::slice::from_ref(&url)))
            .await;
    })
    .await;
    assert_eq!(
        asked.load(Ordering::Relaxed),
        1,
        "needs for one address are one question"
    );
    assert!(keeper.snapshot().version() > version);
    assert_eq!(keeper.snapshot().revocation_lists().count(), 1);
    assert_eq!(keeper.probe(), Probe::Ready);
    assert_eq!(
        number_in_use(&house.keeper()).as_deref(),
        Some("03"),
        "a restart still has it"
    );
}

#[tokio::test]
async fn a_private_host_is_not_asked_on_a_strangers_word() {
    let authority = Authority::new("Root");
    let house = House::of(&authority);
    let (port, asked, serving) = serve(ok(&authority.list(3, -60))).await;
    let keeper = house.keeper();
    let url = format!("http://127.0.0.1:{port}/root.crl");
    while_running(&keeper, serving, keeper.fetch(need_of(&authority, &[url]))).await;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let fault = fault_of(&keeper);
    assert!(fault.contains("private address 127.0.0.1"), "{fault}");
}

#[tokio::test]
async fn a_redirect_to_a_private_host_is_not_followed() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (secret_port, asked, secret) = serve(ok(&authority.list(3, -60))).await;
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{secret_port}/\r\ncontent-length: 0\r\n\r\n"
    );
    let (port, redirected, open) = serve(redirect.into_bytes()).await;
    house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
    let keeper = house.keeper();
    let servers = async {
        tokio::join!(secret, open);
    };
    while_running(
        &keeper,
        servers,
        keeper.fetch(need_of(&authority, &[format!("http://127.0.0.1:{port}/")])),
    )
    .await;
    assert_eq!(
        (redirected.load(Ordering::Relaxed), asked.load(Ordering::Relaxed)),
        (1, 0)
    );
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let authority = Authority::new("Root");
    let mut house = House::of(&authority);
    let (port, _, serving) = serve(ok(&vec![0x30; 64 << 10])).await;
    house.config.allowed_private_hosts = vec!["127.0.0.1:*".to_owned()];
    house.config.crl_bytes_max = 4096;
    let keeper = house.keeper();
    while_running(
        &keeper,
        serving,
        keeper.fetch(need_of(&authority, &[format!("http://127.0.0.1:{port}/")])),
    )
    .await;
    let fault = fault_of(&keeper);
    assert_eq!(fault, "more than 4096 bytes");
}

#[tokio::test]
async fn a_list_that_a_person_brings_is_judged_like_any_other() {
    let authority = Authority::new("Root");
    let house = House::of(&authority);
    let keeper = house.keeper();
    while_running(&keeper, std::future::pending(), async {
        let line = keeper.import(authority.list(2, -60)).await.expect("taken");
        assert_eq!(line.number.as_deref(), Some("02"));
        for bytes in [
            authority.list(1, -120),
            Authority::new("Stranger").list(9, -60),
            b"x".to_vec(),
        ] {
            assert!(matches!(
                keeper.import(bytes).await,
                Err(TrustDeskFault::Refused(_))
            ));
        }
    })
    .await;
    assert_eq!(number_in_use(&keeper).as_deref(), Some("02"));
}
