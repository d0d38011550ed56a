//! The command: what a clerk reads when the broker does not let the account in, or the disk is damaged.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::script::{Broker, Mood, wait_until};

const PASSWORD: &str = "not-the-password";
const VIETNAMESE: &str = "Broker không cho tài khoản a17 đăng nhập";
const ENGLISH: &str = "The broker does not let account a17 in";

fn configure(folder: &Path, port: u16) {
    std::fs::write(folder.join("password"), PASSWORD).expect("a file");
    let text = format!(
        "[broker]\nuri = \"amqp://127.0.0.1:{port}/v\"\naccount = \"a17\"\npassword_file = \"password\"\n\
         [store]\nfolder = \"data\"\n[limits]\nreconnect_max_seconds = 1\n"
    );
    std::fs::write(folder.join("connector.toml"), text).expect("a file");
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connector"));
    command.current_dir(folder).args(arguments).kill_on_drop(true);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn a_wrong_password_is_one_sentence_with_advice_and_no_protocol() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(Mood::RefusingLogin, 0).await;
    configure(folder.path(), broker.address.port());
    // A torn tail gives the log a line to write, with colours where somebody would see them.
    std::fs::create_dir_all(folder.path().join("data/log")).expect("a folder");
    let torn = b"connector-log/1\nhalf a frame";
    std::fs::write(folder.path().join("data/log/00000001.seg"), torn).expect("a file");
    let run = command(folder.path(), &["receive", "--once", "--idle", "4"]);
    let (ended, ()) = tokio::join!(
        {
            let mut run = run;
            async move { run.output().await }
        },
        broker.attempts(6)
    );
    let ended = ended.expect("it runs");
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "not now: {told}");
    assert_eq!(
        (told.matches(VIETNAMESE).count(), told.matches(ENGLISH).count()),
        (1, 1),
        "{told}"
    );
    assert!(told.find(VIETNAMESE) < told.find(ENGLISH));
    assert!(told.contains("torn tail set aside"), "the log is written: {told}");
    for absent in ["ACCESS_REFUSED", "\u{1b}", PASSWORD] {
        assert!(!told.contains(absent), "{absent:?}: {told}");
    }
    assert_eq!(text(&ended.stdout), "");
}

#[tokio::test]
async fn watch_tells_a_refusal_once_and_once_that_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(Mood::RefusingLogin, 0).await;
    configure(folder.path(), broker.address.port());
    let log = folder.path().join("watch.log");
    let output = std::fs::File::create(&log).expect("a file");
    let mut watch = command(folder.path(), &["watch"]);
    let mut watch = watch
        .stdout(output.try_clone().expect("shared"))
        .stderr(output)
        .stdin(Stdio::null())
        .spawn()
        .expect("it runs");
    let told = || std::fs::read_to_string(&log).expect("UTF-8");
    broker.attempts(8).await;
    assert_eq!(told().matches(VIETNAMESE).count(), 1, "{}", told());
    assert!(!told().contains("gửi nhận bình thường"));
    broker.turn(Mood::Serving);
    wait_until(|| told().contains("sending and receiving")).await;
    assert_eq!(told().matches(VIETNAMESE).count(), 1, "{}", told());
    assert_eq!(told().matches("gửi nhận bình thường").count(), 1, "{}", told());
    watch.kill().await.expect("it ends");
}

#[tokio::test]
async fn a_packet_that_cannot_be_read_bars_no_other_and_its_sender_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(Mood::Serving, 0).await;
    configure(folder.path(), broker.address.port());
    // Nobody reads a folder as a file, whoever runs the test.
    let spool = folder.path().join("data/spool");
    std::fs::create_dir_all(spool.join("01-a.normal.edxml")).expect("a folder");
    std::fs::write(spool.join("02-b.normal.edxml"), b"a packet").expect("a file");
    let mut watch = command(folder.path(), &["watch"]);
    let mut watch = watch
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    wait_until(|| broker.bodies() == [b"a packet"]).await;
    assert!(
        spool.join("01-a.normal.edxml.refused").is_dir(),
        "set aside, not deleted"
    );
    let reason = std::fs::read_to_string(spool.join("01-a.fault")).expect("for its sender");
    let (vi, en) = reason.split_once('\n').expect("a line for each language");
    assert!(
        vi.contains("không đọc được") && en.contains("cannot be read"),
        "{reason}"
    );
    watch.kill().await.expect("it ends");
}

#[tokio::test]
async fn a_fault_is_told_in_each_language_once() {
    let folder = tempfile::tempdir().expect("a folder");
    configure(folder.path(), 1);
    let nothing = "Lỗi: không có gì để gửi: nêu tệp gói tin hoặc --to / Fault: nothing to send: name packet files, or --to";
    let tried: [(&[&str], &str); 3] = [
        (&["send"], nothing),
        (&["sends"], "Dòng lệnh sai: / The command line is wrong:"),
        (
            &["--config", "none", "watch"],
            "Lỗi: Cấu hình sai 1 chỗ: / Fault: The configuration has 1 faults:",
        ),
    ];
    for (arguments, expected) in tried {
        let ended = command(folder.path(), arguments).output().await.expect("it runs");
        let told = text(&ended.stderr);
        assert_eq!(told.lines().next(), Some(expected), "{told}");
        assert_eq!(ended.status.code(), Some(3));
    }
}

#[tokio::test]
async fn damage_in_the_log_is_told_in_words_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(Mood::Serving, 0).await;
    configure(folder.path(), broker.address.port());
    std::fs::create_dir_all(folder.path().join("data/log")).expect("a folder");
    // A head, and a record of four bytes whose checksum is another one.
    let damaged = b"connector-log/1\n\x04\0\0\0\0\0\0\0abcd";
    std::fs::write(folder.path().join("data/log/00000001.seg"), damaged).expect("a file");
    let mut receive = command(folder.path(), &["receive", "--once", "--idle", "2"]);
    let ended = receive.output().await.expect("it runs");
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{told}");
    assert!(
        told.contains("1 chỗ hỏng") && told.contains("1 places of the log"),
        "{told}"
    );
    let aside = folder.path().join("data/log/00000001.16.damaged");
    assert_eq!(std::fs::read(aside).expect("set aside"), damaged[16..]);
}
