//! OCSP answers, as `openssl ocsp` gives them: asked for on demand, checked, kept, and never taken back.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use trust::{Demands, OcspAnswer};

use super::*;
use crate::trustkeeper::answers::{self, Answers};
use crate::trustkeeper::errand::About;

/// What a responder is to say of a certificate.
#[derive(Clone, Copy)]
enum Says {
    Good,
    Revoked,
    OnHold,
    Unknown,
}

/// An authority, one whom it certified, and the desk at which its answers are made.
struct Office {
    root: Authority,
    leaf: Arc<trust::Certificate>,
    desk: tempfile::TempDir,
}

pub(super) fn openssl(desk: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    let output = command
        .args(arguments)
        .current_dir(desk)
        .output()
        .expect("openssl");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

impl Office {
    fn new() -> Office {
        let root = Authority::new("Root");
        let leaf = root.leaf();
        let desk = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(desk.path().join(name), text).expect("written");
        write("root.pem", &root.certificate);
        write("root.key", &root.issuer.key().serialize_pem());
        std::fs::write(desk.path().join("leaf.der"), leaf.der()).expect("written");
        openssl(
            desk.path(),
            &["x509", "-in", "leaf.der", "-inform", "DER", "-out", "leaf.pem"],
        );
        Office { root, leaf, desk }
    }

    /// An answer about the leaf that is made now.
    fn answer(&self, says: Says) -> Vec<u8> {
        let serial: String = self
            .leaf
            .serial()
            .iter()
            .map(|octet| format!("{octet:02X}"))
            .collect();
        let (status, revoked) = match says {
            Says::Good => ("V", ""),
            Says::Revoked => ("R", "260101000000Z,keyCompromise"),
            Says::OnHold => ("R", "260101000000Z,certificateHold"),
            Says::Unknown => ("", ""),
        };
        let line = format!("{status}\t491231000000Z\t{revoked}\t{serial}\tunknown\t/CN=Somebody\n");
        let line = if status.is_empty() { String::new() } else { line };
        let desk = self.desk.path();
        std::fs::write(desk.join("index"), line).expect("written");
        let request = "ocsp -issuer root.pem -cert leaf.pem -no_nonce -reqout request";
        openssl(desk, &request.split(' ').collect::<Vec<_>>());
        let answer = "ocsp -index index -CA root.pem -rsigner root.pem -rkey root.key -reqin request \
                      -respout answer -nmin 10";
        openssl(desk, &answer.split_whitespace().collect::<Vec<_>>());
        std::fs::read(desk.join("answer")).expect("an answer")
    }

    fn need(&self, port: u16) -> Vec<Need> {
        vec![Need::Ocsp {
            path: vec![Arc::clone(&self.leaf), self.root.certificate()],
            urls: vec![format!("http://127.0.0.1:{port}/ocsp")],
        }]
    }

    /// A house in which the root is the anchor, and this port may be asked.
    fn house(&self, port: u16) -> House {
        let mut house = House::of(&self.root);
        house.config.allowed_private_hosts = vec![format!("127.0.0.1:{port}")];
        // One who waits is told, however loaded the machine is.
        house.config.need_wait = Duration::from_secs(60);
        house
    }

    fn verdict(&self, keeper: &TrustKeeper) -> Result<(), trust::Failure> {
        trust::validate_path(&self.leaf, &Demands::USUAL, &keeper.snapshot(), now()).map(|_| ())
    }
}

/// A responder that gives these answers in turn, the last one for ever, and what it was asked with.
async fn responder(answers: Vec<Vec<u8>>) -> (u16, Arc<Mutex<Vec<Vec<u8>>>>, impl Future<Output = ()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let serving = async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut chunk = [0; 4096];
                let count = stream.read(&mut chunk).await.expect("a request");
                assert!(count > 0, "the request broke off");
                request.extend_from_slice(&chunk[..count]);
            }
            let place = {
                let mut heard = heard.lock().expect("nobody panicked");
                heard.push(request);
                heard.len().min(answers.len()) - 1
            };
            let _ = stream.write_all(&ok(&answers[place])).await;
            let _ = stream.shutdown().await;
        }
    };
    (port, asked, serving)
}

/// Whether head and body of a request are here.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
    let start = request
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    request.len() >= start + 4 + length
}

fn count(asked: &Mutex<Vec<Vec<u8>>>) -> usize {
    asked.lock().expect("nobody panicked").len()
}

#[tokio::test]
async fn a_responder_is_asked_once_and_its_answer_settles_the_certificate_also_after_a_restart() {
    let office = Office::new();
    let (port, asked, serving) = responder(vec![office.answer(Says::Good)]).await;
    let house = office.house(port);
    let keeper = house.keeper();
    let before = keeper.snapshot().version();
    assert!(matches!(
        office.verdict(&keeper),
        Err(trust::Failure::RevocationUnknown { .. })
    ));
    while_running(&keeper, serving, async {
        keeper.fetch(office.need(port)).await;
        // Whoever needs it at the same time, from an older snapshot, does not ask again.
        keeper.fetch(office.need(port)).await;
    })
    .await;
    assert_eq!(office.verdict(&keeper), Ok(()));
    assert_eq!(keeper.snapshot().version(), before + 1);
    assert_eq!(keeper.status().answers, 1);
    let requests = asked.lock().expect("nobody panicked").clone();
    assert_eq!(requests.len(), 1);
    let request = String::from_utf8_lossy(&requests[0]).to_lowercase();
    assert!(request.starts_with("post /ocsp http/1.1\r\n"), "{request}");
    assert!(
        request.contains("content-type: application/ocsp-request\r\n"),
        "{request}"
    );
    drop(keeper);
    assert_eq!(office.verdict(&house.keeper()), Ok(()), "it outlives a restart");
}

#[tokio::test]
async fn an_older_answer_never_takes_the_place_of_a_newer_one() {
    let office = Office::new();
    let older = office.answer(Says::Good);
    // Times of answers are whole seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (port, asked, serving) = responder(vec![office.answer(Says::OnHold), older]).await;
    let (house, need) = (office.house(port), office.need(port));
    let ask = || async {
        let mut keeping = house.keeping();
        let (done, _waits) = oneshot::channel();
        keeping.need(&need, done).await;
        let landed = keeping.landed().await.expect("it was asked");
        keeping.land(landed).await;
        keeping
    };
    // A restart in between forgets that the address was asked a moment ago.
    let keeping = tokio::select! {
        () = serving => panic!("the server ended"),
        keeping = async { drop(ask().await); ask().await } => keeping,
    };
    assert_eq!(count(&asked), 2);
    let status = keeping.status().lock().expect("nobody panicked").clone();
    let fault = status.addresses[0].fault.clone().expect("the second is older");
    assert!(
        fault.trouble == Trouble::Outdated && fault.detail.contains("older"),
        "{fault:?}"
    );
    let snapshot = keeping.snapshots().borrow().clone();
    let verdict = trust::validate_path(&office.leaf, &Demands::USUAL, &snapshot, now());
    assert!(
        matches!(verdict, Err(trust::Failure::OnHold { .. })),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn a_revocation_is_kept_whatever_is_answered_later() {
    let office = Office::new();
    let revoked = office.answer(Says::Revoked);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let about = About {
        certificate: Arc::clone(&office.leaf),
        issuer: office.root.certificate(),
    };
    let house = office.house(1);
    let keeping = house.keeping();
    let snapshot = keeping.snapshots().borrow().clone();
    let check = |bytes| answers::check(bytes, &about, &snapshot, now()).expect("an answer");
    let (revoked, good) = (check(revoked), check(office.answer(Says::Good)));
    let mut kept = Answers::default();
    assert_eq!(
        kept.take(&about, Arc::clone(&revoked), (now(), 600)),
        Ok(Vec::new())
    );
    assert_eq!(kept.weigh(&about, &good, (now(), 600)), Ok(Taken::Same));
    assert_eq!(kept.take(&about, good, (now(), 600)), Ok(Vec::new()));
    let only = kept.all().next().expect("one").fingerprint();
    assert_eq!(only, revoked.fingerprint());
    assert_eq!(revoked.ends_at(600), None, "that never ends");
}

#[tokio::test]
async fn what_settles_nothing_is_told_and_not_kept() {
    let (office, other) = (Office::new(), Office::new());
    for (answer, trouble, detail) in [
        (
            office.answer(Says::Unknown),
            Trouble::WrongAnswer,
            "does not know",
        ),
        (
            other.answer(Says::Good),
            Trouble::WrongAnswer,
            "another certificate",
        ),
        (
            vec![0x30, 3, 0x0A, 1, 3],
            Trouble::WrongAnswer,
            "declined: tryLater",
        ),
        (b"<html>".to_vec(), Trouble::WrongAnswer, "not an OCSP answer"),
    ] {
        let (port, _, serving) = responder(vec![answer]).await;
        let house = office.house(port);
        let keeper = house.keeper();
        let version = keeper.snapshot().version();
        while_running(&keeper, serving, keeper.fetch(office.need(port))).await;
        let fault = keeper.status().addresses[0].fault.clone().expect("a fault");
        assert!(
            fault.trouble == trouble && fault.detail.contains(detail),
            "{fault:?}"
        );
        assert_eq!(
            (keeper.status().answers, keeper.snapshot().version()),
            (0, version)
        );
        let kept = std::fs::read_dir(house.folder.path().join("data/trust/answers")).expect("a folder");
        assert_eq!(kept.count(), 0);
    }
}

#[tokio::test]
async fn a_silent_responder_costs_one_wait_however_many_certificates_name_it() {
    let office = Office::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let serving = async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.expect("a connection"));
            counted.fetch_add(1, Ordering::Relaxed);
        }
    };
    let mut house = office.house(port);
    house.config.fetch_max = Duration::from_millis(300);
    let keeper = house.keeper();
    while_running(&keeper, serving, async {
        for _ in 0..20 {
            let needs = vec![Need::Ocsp {
                path: vec![office.root.leaf(), office.root.certificate()],
                urls: vec![format!("http://127.0.0.1:{port}/ocsp")],
            }];
            keeper.fetch(needs).await;
        }
    })
    .await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let addresses = keeper.status().addresses;
    assert_eq!(addresses.len(), 1, "what is wrong with it is told once");
    assert!(addresses[0].fault.is_some() && addresses[0].resting_until.is_some());
}

#[test]
fn of_too_many_answers_those_that_end_first_give_way_and_those_that_revoke_last() {
    let offices: Vec<Office> = (0..3).map(|_| Office::new()).collect();
    let house = offices[0].house(1);
    let snapshot = house.keeping().snapshots().borrow().clone();
    let mut kept = Answers::default();
    let says = [Says::Revoked, Says::Good, Says::OnHold];
    for (office, says) in offices.iter().zip(says) {
        let about = About {
            certificate: Arc::clone(&office.leaf),
            issuer: office.root.certificate(),
        };
        let answer = answers::check(office.answer(says), &about, &snapshot, now()).expect("an answer");
        assert_eq!(kept.take(&about, answer, (now(), 600)), Ok(Vec::new()));
    }
    assert!(kept.make_room(3, None, 600).is_empty());
    let revoked = offices[0].leaf.fingerprint();
    let newest = offices[1].leaf.fingerprint();
    let gone = kept.make_room(2, Some(newest), 600);
    assert_eq!(gone, [offices[2].leaf.fingerprint()], "what was just taken stays");
    assert_eq!(kept.make_room(1, None, 600), [newest]);
    assert_eq!(kept.make_room(1, None, 600), []);
    assert_eq!(kept.all().count(), 1);
    assert_eq!(kept.make_room(0, Some(revoked), 600), [], "nothing else is left");
}

#[tokio::test]
async fn what_a_fresh_answer_said_changes_nothing_when_it_is_said_again() {
    let office = Office::new();
    let about = About {
        certificate: Arc::clone(&office.leaf),
        issuer: office.root.certificate(),
    };
    let snapshot = office.house(1).keeping().snapshots().borrow().clone();
    let check = |bytes| answers::check(bytes, &about, &snapshot, now()).expect("an answer");
    let first = check(office.answer(Says::Good));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (again, hold) = (
        check(office.answer(Says::Good)),
        check(office.answer(Says::OnHold)),
    );
    let end = first.ends_at(600).expect("it names an end");
    let mut kept = Answers::default();
    assert_eq!(kept.take(&about, first, (now(), 600)), Ok(Vec::new()));
    let weigh = |answer: &OcspAnswer, now| kept.weigh(&about, answer, (now, 600));
    assert_eq!(weigh(&again, now()), Ok(Taken::Same));
    assert_eq!(
        weigh(&again, end.plus_seconds(1)),
        Ok(Taken::New),
        "the first has ended"
    );
    assert_eq!(weigh(&hold, now()), Ok(Taken::New), "another status");
}
