//! An agency's connector dies by `kill -9` after it has stored dispatches and before the broker and the gateway know.
//!
//! It is the command that agencies run, `connector watch`. What it writes for its software goes into the ledger; what it
//! tells of its log shows what it stored, and what came again.

use std::{collections::BTreeMap, path::PathBuf};

use domain::{dispatch::DispatchKind, ids::DispatchId};
use harness::{
    process::{Process, Program},
    province::{Plan, Province},
    proxy::{Direction, Proxy},
    wait_until,
};
use serde_json::Value;

use super::{PATIENCE, Stream, place};

/// Whose connector dies.
const VICTIM: usize = 1;
/// Deaths.
const ROUNDS: usize = 5;
/// Letters to it in each life.
const LETTERS: usize = 80;
/// Dispatches that are stored and not confirmed at each death, at least.
const CAUGHT_MIN: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_killed_between_store_and_confirmation_loses_and_doubles_nothing() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(2)).await;
    let proxy = Proxy::start(province.broker().amqp_address());
    province.agency_mut(VICTIM).close().await;
    let mut stream = Stream::new(&province);
    let mut watch = Watch::start(&province, &proxy);
    for _ in 0..ROUNDS {
        receive(&province, &mut stream, &watch, 1).await;
        // What is stored and not confirmed yet would fill the window, and no more would come behind it.
        handed_over(&province, &stream).await;
        // From here on the broker hears neither acknowledgements nor confirmations.
        proxy.silence(Direction::ToService);
        stream.send(&province, LETTERS).await;
        receive(&province, &mut stream, &watch, CAUGHT_MIN).await;
        let told = watch.told("repeated");
        watch.process.kill();
        proxy.cut();
        proxy.restore();
        watch = Watch::start(&province, &proxy);
        wait_until("what was not acknowledged has come again", PATIENCE, async || {
            watch.told("repeated") >= told + CAUGHT_MIN
        })
        .await;
    }
    handed_over(&province, &stream).await;
    assert!(watch.process.terminate(PATIENCE).await.success());
    watch.enter(&province);
    // Whatever it still has is told once more, to its software in this process.
    province.agency_mut(VICTIM).open().await;
    let audit = stream.prove(&province).await;
    assert!(audit.packets > ROUNDS * LETTERS, "{audit:?}");
    province.end().await;
}

/// Waits until all that was sent is handed over.
async fn handed_over(province: &Province, stream: &Stream) {
    wait_until("everything is handed over", PATIENCE, async || {
        province.collect().await;
        province.books().balance().settled == stream.sent()
    })
    .await;
}

/// Sends letters to the victim and waits until it has stored `count` more dispatches.
async fn receive(province: &Province, stream: &mut Stream, watch: &Watch, count: usize) {
    let stored = watch.told("stored");
    let letters: Vec<_> = (0..count).map(|_| stream.letter(province, 0, VICTIM)).collect();
    stream.submit(province, 0, &letters).await;
    wait_until(
        "the connector has stored what it was given",
        PATIENCE,
        async || watch.told("stored") >= stored + count,
    )
    .await;
}

/// `connector watch`, its output and the folder that it writes to.
struct Watch {
    process: Process,
    folder: PathBuf,
}

impl Watch {
    /// Starts it for the victim, behind the proxy.
    fn start(province: &Province, proxy: &Proxy) -> Watch {
        let agency = province.agency(VICTIM);
        let (config, folder) = (
            agency.folder().join("watch.toml"),
            agency.folder().join("received"),
        );
        let direct = std::fs::read_to_string(agency.config()).expect("the agency has a configuration");
        let behind = direct.replace(
            &province.broker().amqp_address().to_string(),
            &proxy.address().to_string(),
        );
        assert_ne!(direct, behind, "the configuration names the broker");
        std::fs::write(&config, behind).expect("the agency's folder can be written");
        let text = |path: &PathBuf| path.to_str().expect("a UTF-8 path").to_owned();
        let arguments = [
            "--config",
            &text(&config),
            "watch",
            "--json",
            "--to",
            &text(&folder),
        ];
        let log = agency.folder().join("watch.log");
        let process = Process::start(Program::Connector, &arguments, &[], &log);
        Watch { process, folder }
    }

    /// How many dispatches it told this of, in all its lives.
    fn told(&self, word: &str) -> usize {
        self.dispatches(word).values().sum()
    }

    /// How often it told this of each dispatch. What a death has cut off is no line.
    fn dispatches(&self, word: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in self.process.log_text().lines() {
            let Ok(event) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            if event["event"] == word {
                let dispatch = event["dispatch"].as_str().expect("an id of a dispatch");
                *counts.entry(dispatch.to_owned()).or_default() += 1;
            }
        }
        counts
    }

    /// Enters what it wrote into the ledger, after a look at what it told.
    fn enter(&self, province: &Province) {
        let twice: Vec<_> = self
            .dispatches("stored")
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .collect();
        assert!(twice.is_empty(), "stored twice: {twice:?}");
        let account = province.agency(VICTIM).account();
        for case in std::fs::read_dir(&self.folder).expect("it has written something") {
            for file in std::fs::read_dir(case.expect("a folder").path()).expect("a folder of a case") {
                let path = file.expect("a file").path();
                let name = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .expect("a UTF-8 name");
                let (id, extension) = name.split_once('.').expect("a name with an extension");
                let kind = match extension {
                    "edxml" => DispatchKind::Packet,
                    "status.edxml" => DispatchKind::Status,
                    "receipt" => DispatchKind::Receipt,
                    _ => continue, // a file that a death left half written
                };
                let id: DispatchId = id.parse().expect("an id of a dispatch");
                let bytes = std::fs::read(&path).expect("a file can be read");
                province.ledger.stored_as(account, (id, kind), &bytes);
            }
        }
    }
}
