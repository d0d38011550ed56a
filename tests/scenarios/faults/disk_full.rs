//! The disk of the gateway, or of a connector, is full for a while.
//!
//! The data folder is a small file system of its own, in memory, and another file on it takes all the space.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use domain::receipt::ReceiptKind;
use harness::{
    process::{Process, Program},
    province::{Plan, Province},
    wait_until,
};

use super::{PATIENCE, Stream, place};

/// The size of the file system.
const DISK: &str = "size=160m";
/// Below so much free space the gateway is not ready.
const FREE_BYTES_MIN: u64 = 20 << 20;
/// Letters before, during and after.
const LETTERS: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_is_full_nothing_is_acknowledged_and_service_goes_on_when_space_returns() {
    let _place = place().await;
    let plan = Plan::new(2).set("store", "free_bytes_min", FREE_BYTES_MIN);
    let mut province = Province::start(plan).await;
    province.gateway.terminate().await;
    let _disk = SmallDisk::under(&province.gateway.data());
    province.gateway.start_again().await;
    let mut stream = Stream::new(&province);
    for round in 0..2 {
        // In the middle of the stream.
        let before = province.books().count("accepted");
        stream.send(&province, LETTERS).await;
        wait_until("part of the stream is accepted", PATIENCE, async || {
            province.books().count("accepted") >= before + LETTERS / 4
        })
        .await;
        let ballast = Ballast::fill(&province.gateway.data());
        stays_out(&province, &mut stream).await;
        if round == 1 {
            // Dying with a full disk makes it no worse.
            province.gateway.kill();
            drop(ballast);
            province.gateway.start();
        } else {
            drop(ballast);
        }
        province.gateway.ready().await;
    }
    let audit = stream.prove(&province).await;
    assert!(audit.packets > 4 * LETTERS, "{audit:?}");
    province.end().await;
}

/// Whose connector has a full disk.
const FULL: usize = 1;
/// Longer than several attempts take that nothing holds back.
const A_WHILE: Duration = Duration::from_secs(10);

/// What a connector cannot store it does not take again and again: each time that it is given back brings it nearer to
/// being laid aside at the broker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_whose_disk_is_full_waits_for_room_before_it_takes_anything_again() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(1).exclusive()).await;
    let letter = province.agency(0).draft().to(province.agency(FULL)).letter();
    province.agency_mut(FULL).close().await;
    let folder = province.agency(FULL).folder().join("data");
    let _disk = SmallDisk::under(&folder);
    let config = province.agency(FULL).config();
    let config = config.to_str().expect("a UTF-8 path");
    let arguments = ["--config", config, "--log", "connector=debug", "watch"];
    let log = province.agency(FULL).folder().join("full.log");
    let mut watch = Process::start(Program::Connector, &arguments, &[], &log);
    watch.logged("gửi nhận bình thường", PATIENCE).await;
    let ballast = Ballast::fill(&folder);
    let submission = province.submit(0, &letter).await;
    let answer = province.answer(0, &submission).await;
    assert_eq!(answer.kind, ReceiptKind::SubmissionAcceptance);
    watch.logged("Thư mục dữ liệu không ghi được", PATIENCE).await;
    tokio::time::sleep(A_WHILE).await;
    let again = watch.log_text().matches("a new one follows").count();
    assert_eq!(again, 0, "{}", watch.log_text());
    drop(ballast);
    watch.logged("Đã nhận", PATIENCE).await;
    assert!(watch.terminate(PATIENCE).await.success());
    province.end().await;
}

/// The gateway takes nothing, says so, and answers nobody.
async fn stays_out(province: &Province, stream: &mut Stream) {
    wait_until("/ready tells of the full disk", PATIENCE, async || {
        let text = readiness(province).await;
        !province.gateway.is_ready().await && text.contains("free")
    })
    .await;
    let events = province.books().events.len();
    let earlier = stream.sent();
    let published = published(province);
    stream.send(province, LETTERS).await;
    wait_until("the broker has confirmed the submissions", PATIENCE, async || {
        self::published(province) >= published + LETTERS as u64
    })
    .await;
    // Refused commits show that submissions did reach the writer.
    let name = "gateway_store_refusals_total";
    let refused = province.gateway.metric(name).await;
    wait_until("submissions were tried in vain", PATIENCE, async || {
        province.gateway.metric(name).await > refused
    })
    .await;
    assert_eq!(province.books().events.len(), events, "nothing is recorded");
    let answered = stream.answered_from(province, earlier);
    assert_eq!(answered, 0, "who submitted to a full disk is not answered");
    assert!(!province.gateway.is_ready().await);
}

fn published(province: &Province) -> u64 {
    province
        .agencies()
        .iter()
        .map(|agency| agency.connector().counters().published)
        .sum()
}

async fn readiness(province: &Province) -> String {
    let address = province.gateway.address().expect("the gateway listens");
    let response = reqwest::get(format!("{address}/ready"))
        .await
        .expect("the gateway answers");
    response.text().await.expect("an answer is text")
}

/// A file system of its own under the data folder; taken away when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Moves what is in `folder` onto a new file system that is mounted there.
    fn under(folder: &Path) -> SmallDisk {
        let aside = folder.with_extension("aside");
        std::fs::rename(folder, &aside).expect("the province's folder can be written");
        std::fs::create_dir(folder).expect("the province's folder can be written");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(folder));
        let disk = SmallDisk(folder.to_owned());
        run(Command::new("cp").arg("-a").arg(aside.join(".")).arg(folder));
        disk
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the gateway may still have it open when a test fails.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// # Panics
/// When the command fails: mounting needs root.
fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?} failed (this scenario needs root): {said}"
    );
}

/// A file that takes all the space there is; gives it back when dropped.
struct Ballast(PathBuf);

impl Ballast {
    fn fill(folder: &Path) -> Ballast {
        let ballast = Ballast(folder.join("ballast"));
        let mut file = File::create(&ballast.0).expect("a file");
        let mut block = vec![0; 1 << 20];
        while !block.is_empty() {
            if file.write_all(&block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
        ballast
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
