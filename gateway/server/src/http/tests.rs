//! The port, asked as operators and commands ask it.

use std::os::unix::fs::PermissionsExt;

use domain::ids::CaseId;
use domain::port::{CaseState, Soon};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::*;
use crate::administration::{
    AddedLine, Addition, AdditionFault, ListLine, NotProvisioned, ParkingFault, TrustDeskFault, TrustStatus,
};
use crate::store::{Store, StoreConfig};

/// A keeper that knows nothing.
struct NoTrust;

impl TrustDesk for NoTrust {
    fn status(&self) -> TrustStatus {
        TrustStatus {
            version: 7,
            ..TrustStatus::default()
        }
    }

    fn refresh(&self) -> Soon<'_, TrustStatus> {
        Box::pin(async { self.status() })
    }

    fn import(&self, _: Vec<u8>) -> Soon<'_, Result<ListLine, TrustDeskFault>> {
        Box::pin(async { Err(TrustDeskFault::Refused("older".to_owned())) })
    }

    fn add(&self, addition: Addition) -> Soon<'_, Result<Vec<AddedLine>, AdditionFault>> {
        Box::pin(async move {
            match addition.anchor {
                Some(given) => Err(AdditionFault::Another { given, found: given }),
                None => Err(AdditionFault::NotKept("read-only".to_owned())),
            }
        })
    }
}

/// No inspectors.
struct NoParking;

impl Parking for NoParking {
    fn release(&self, case: CaseId) -> Soon<'_, Result<CaseState, ParkingFault>> {
        Box::pin(async move { Err(ParkingFault::NotParked(case)) })
    }
}

/// A port with a store behind it, and somebody who asks.
struct Asker {
    client: Client,
    place: Place,
    services: Services,
    _folder: tempfile::TempDir,
}

impl Asker {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.place.address))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let request = self.client.post(format!("http://{}{path}", self.place.address));
        request.bearer_auth(self.place.token.expose())
    }
}

async fn json_of(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// Opens a port and lets somebody ask.
async fn asking<T>(ask: impl AsyncFnOnce(&Asker) -> T) -> T {
    // The process has one provider; tests that come later find it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::start(Duration::from_secs(30));
    let time = clock.clone();
    let store = Store::open(&StoreConfig::at(folder.path()), move || time.now()).expect("a store");
    let administration = Administration::new(Arc::new(store), Arc::new(NotProvisioned), clock.clone());
    let services = Services {
        metrics: Arc::new(Metrics::new()),
        readiness: Arc::new(Readiness::new()),
        administration: Arc::new(administration),
        parking: Arc::new(NoParking),
        trust: Arc::new(NoTrust),
        clock,
    };
    let config = HttpConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        body_bytes_max: 4096,
        list_bytes_max: 8192,
    };
    let port = InternalPort::open(&config, folder.path(), services.clone()).expect("a port");
    let place = Place::find(folder.path()).expect("readable").expect("a place");
    assert_eq!(place.address, port.address(), "port 0 is told as what it became");
    let client = Client::builder().no_proxy().build().expect("a client");
    let asker = Asker {
        client,
        place,
        services,
        _folder: folder,
    };
    tokio::select! {
        ended = port.run() => panic!("the port ended: {ended:?}"),
        answer = ask(&asker) => answer,
    }
}

#[tokio::test]
async fn readiness_is_the_answer_of_every_part_with_its_reason() {
    asking(async |asker: &Asker| {
        assert_eq!(json_of(asker.get("/health")).await.1["state"], "alive");
        asker.services.readiness.register("store", || Probe::Ready);
        assert_eq!(
            json_of(asker.get("/ready")).await,
            (
                200,
                json!({"ready": true, "parts": [
                    {"part": "store", "ready": true}
                ]})
            )
        );
        asker
            .services
            .readiness
            .register("broker", || Probe::NotReady("no connection".to_owned()));
        assert_eq!(
            json_of(asker.get("/ready")).await,
            (
                503,
                json!({"ready": false, "parts": [
                    {"part": "store", "ready": true},
                    {"part": "broker", "ready": false, "reason": "no connection"}
                ]})
            )
        );
    })
    .await;
}

#[tokio::test]
async fn metrics_are_openmetrics_text() {
    asking(async |asker: &Asker| {
        let answer = asker.get("/metrics").send().await.expect("an answer");
        let kind = answer.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        assert!(
            answer
                .text()
                .await
                .expect("text")
                .contains("gateway_held_submissions 0")
        );
    })
    .await;
}

/// Every route below `/administration`, with its method.
const DESK: [(&str, &str); 14] = [
    ("GET", "agencies"),
    ("GET", "backlog"),
    ("POST", "orders"),
    ("POST", "provisioning"),
    ("GET", "cases/019a0000-0000-7000-8000-000000000000"),
    ("GET", "parked"),
    ("POST", "parked/019a0000-0000-7000-8000-000000000000/release"),
    ("POST", "parked/019a0000-0000-7000-8000-000000000000/refuse"),
    ("GET", "trust"),
    ("POST", "trust/refresh"),
    ("POST", "trust/lists"),
    ("GET", "trust/material"),
    ("POST", "trust/certificates"),
    ("POST", "clock/accept"),
];

#[tokio::test]
async fn without_the_token_nothing_is_done_or_shown() {
    // A route that is added must be tried here too.
    let routes = include_str!("administration.rs").matches(".route(").count();
    assert_eq!(routes, DESK.len());
    asking(async |asker: &Asker| {
        for (method, path) in DESK {
            let url = format!("http://{}/administration/{path}", asker.place.address);
            let method = method.parse().expect("a method");
            let request = asker.client.request(method, url);
            for wrong in [
                None,
                Some(""),
                Some("0000"),
                Some(&asker.place.token.expose()[..63]),
            ] {
                let request = request.try_clone().expect("no body");
                let request = match wrong {
                    Some(token) => request.bearer_auth(token),
                    None => request,
                };
                assert_eq!(json_of(request).await.0, 401, "{path} with {wrong:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_token_is_readable_by_its_owner_only() {
    asking(async |asker: &Asker| {
        let file = asker._folder.path().join(TOKEN_FILE);
        let mode = std::fs::metadata(file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(asker.place.token.expose().len(), 64);
    })
    .await;
}

#[tokio::test]
async fn an_order_is_carried_out_and_reported() {
    asking(async |asker: &Asker| {
        let add = json!({"order": "add", "name": "Sở Nội vụ", "codes": ["000.00.01.H53"], "level": "",
            "parent": null, "place": null, "watcher": null, "answers": "receipts"});
        let (status, dry) = json_of(asker.post("/administration/orders?dry_run=true").json(&add)).await;
        assert_eq!(
            (status, &dry["made"], dry["opened"].as_array().map(Vec::len)),
            (200, &json!(false), Some(0))
        );
        let (status, report) = json_of(asker.post("/administration/orders").json(&add)).await;
        assert_eq!((status, &report["made"]), (200, &json!(true)));
        assert_eq!(report["added"], json!(["a1 (000.00.01.H53) Sở Nội vụ"]));
        assert_eq!(report["opened"][0]["account"], "a1-1");
        assert_eq!(
            report["unprovisioned"][0]["account"], "a1-1",
            "there is no provisioning credential"
        );
        let agencies = asker
            .get("/administration/agencies")
            .bearer_auth(asker.place.token.expose());
        assert_eq!(json_of(agencies).await.1[0]["standing"], "active");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_a_word_and_its_reason() {
    asking(async |asker: &Asker| {
        let (status, problem) = json_of(
            asker
                .post("/administration/orders")
                .json(&json!({"order": "dance"})),
        )
        .await;
        assert_eq!((status, &problem["code"]), (400, &json!("request")));
        let suspend = json!({"order": "suspend", "agency": "a9"});
        let (status, problem) = json_of(asker.post("/administration/orders").json(&suspend)).await;
        assert_eq!((status, &problem["code"]), (422, &json!("order")));
        assert_eq!(problem["told"], json!({"word": "agency-unknown", "agency": "a9"}));
        let list = json!({"order": "import", "csv": {"base64": "/w=="}});
        let (status, problem) = json_of(asker.post("/administration/orders").json(&list)).await;
        assert_eq!(
            (status, &problem["told"]),
            (422, &json!({"word": "file-not-utf8"}))
        );
        let large = json!({"order": "import", "csv": "x".repeat(5000)});
        let (status, problem) = json_of(asker.post("/administration/orders").json(&large)).await;
        assert_eq!((status, &problem["code"]), (400, &json!("request")));
        let (status, problem) = json_of(asker.post("/administration/trust/lists").body("x")).await;
        assert_eq!((status, &problem["code"]), (422, &json!("list")));
        let add = |anchor: &str| {
            asker
                .post(&format!("/administration/trust/certificates{anchor}"))
                .body("x")
        };
        let (status, problem) = json_of(add("?anchor=12")).await;
        assert_eq!((status, &problem["code"]), (400, &json!("request")));
        let (status, problem) = json_of(add(&format!("?anchor={}", "0a".repeat(32)))).await;
        assert_eq!((status, &problem["code"]), (422, &json!("certificates")));
        assert_eq!(problem["told"]["word"], "anchor-another");
        let (status, problem) = json_of(add("")).await;
        assert_eq!(
            (status, &problem["told"]["word"]),
            (503, &json!("certificates-not-kept"))
        );
        let case = "/administration/cases/019a0000-0000-7000-8000-000000000000";
        let (status, problem) = json_of(asker.get(case).bearer_auth(asker.place.token.expose())).await;
        assert_eq!((status, &problem["code"]), (404, &json!("case")));
    })
    .await;
}

#[tokio::test]
async fn the_port_answers_while_a_scrape_reads_the_index() {
    asking(async |asker: &Asker| {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (answered, waits) = std::sync::mpsc::channel();
        let reads = std::sync::Mutex::new(Some((begun, waits)));
        asker.services.metrics.on_scrape(move |metrics| {
            let Some((begun, waits)) = reads.lock().expect("nobody panicked").take() else {
                return;
            };
            begun.send(()).expect("somebody waits for it");
            // Without an answer meanwhile it goes on in the end, and the number says so.
            let was_answered = waits.recv_timeout(Duration::from_secs(20)).is_ok();
            metrics.set(crate::telemetry::Measure::Due, i64::from(was_answered));
        });
        let scrape = asker.get("/metrics").send();
        let others = async {
            begins.await.expect("the scrape begins");
            assert_eq!(json_of(asker.get("/health")).await.0, 200);
            // Too late, the scrape is over and nobody listens.
            let _ = answered.send(());
        };
        let (scraped, ()) = tokio::join!(scrape, others);
        let text = scraped.expect("an answer").text().await.expect("a text");
        assert!(text.contains("gateway_due_dispatches 1\n"), "{text}");
    })
    .await;
}
