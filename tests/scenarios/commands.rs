//! The connector's commands beside one another: one holds the folder, what the others hand in goes out all the same.

use std::path::{Path, PathBuf};

use harness::{
    process::{self, Process, Program},
    province::{Agency, Plan, Province},
    wait_until,
};
use serde_json::Value;

use super::evidence::{PATIENCE, send};

/// What the log says once `receive` works.
const WORKING: &str = "sending and receiving";
/// Whose clerk works with commands.
const CLERK: usize = 1;

fn utf8(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// Starts a command that goes on.
fn start(clerk: &Agency, arguments: &[&str], log: &str) -> Process {
    let config = clerk.config();
    let arguments = [&["--config", utf8(&config), "--log", "connector=info"], arguments].concat();
    Process::start(Program::Connector, &arguments, &[], &clerk.folder().join(log))
}

/// What `connector send --json` tells of a new letter to the office.
async fn sent(province: &Province, log: &str) -> Value {
    let clerk = province.agency(CLERK);
    let letter = clerk.draft().to(province.agency(0)).letter();
    let file = clerk.folder().join(log);
    std::fs::write(&file, letter.bytes()).expect("the agency's folder can be written");
    let config = clerk.config();
    let arguments = ["--config", utf8(&config), "send", "--json", utf8(&file)];
    let ended = process::run(Program::Connector, &arguments).await;
    assert!(ended.status.success(), "{}: {}", ended.status, ended.errors);
    province.take_document(0, &letter).await;
    serde_json::from_str(&ended.output).unwrap_or_else(|fault| panic!("{fault}: {}", ended.output))
}

/// The documents that lie in a folder, which has one for each case.
fn documents(folder: &Path) -> Vec<Vec<u8>> {
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.expect("a readable folder").path())
    };
    let paths = entries(folder).flat_map(|case| entries(&case).collect::<Vec<_>>());
    let is_packet = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".edxml") && !name.ends_with(".status.edxml") && !name.starts_with('.')
    };
    let read = |path: PathBuf| std::fs::read(path).expect("a readable file");
    paths.filter(is_packet).map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_while_another_command_holds_the_folder_is_sent_by_that_one() {
    let mut province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to(province.agency(CLERK)).letter();
    province.agency_mut(CLERK).close().await;
    let clerk = province.agency(CLERK);

    let folder = clerk.folder().join("arrived");
    let mut receiving = start(clerk, &["receive", "--to", utf8(&folder)], "receive.log");
    receiving.logged(WORKING, PATIENCE).await;
    let told = sent(&province, "one.edxml").await;
    assert_eq!(
        (&told["event"], &told["result"]),
        (&"result".into(), &"accepted".into())
    );
    send(&province, 0, &letter).await;
    wait_until("the letter is written", PATIENCE, async || {
        documents(&folder) == [letter.bytes()]
    })
    .await;
    assert!(receiving.terminate(PATIENCE).await.success());

    let mut watching = start(clerk, &["watch", "--json"], "watch.log");
    watching.logged(r#""event":"working""#, PATIENCE).await;
    let told = sent(&province, "two.edxml").await;
    let lines: Vec<Value> = watching
        .log_text()
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}")))
        .collect();
    assert!(lines.iter().all(|line| line["event"].is_string()), "{lines:?}");
    let results: Vec<&Value> = lines.iter().filter(|line| line["event"] == "result").collect();
    assert_eq!(results.len(), 1, "{lines:?}");
    for key in ["submission", "result", "case", "addressees"] {
        assert_eq!(results[0][key], told[key], "{key}");
    }
    assert!(watching.terminate(PATIENCE).await.success());
    province.end().await;
}
