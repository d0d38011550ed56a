//! The demonstration: a province office and its agencies on private services, and real signed documents on every way
//! that they can take. `ops/run` builds and starts it.
//!
//! Exit status 0 only if every outcome was as expected. `--json` writes
//! `{"seconds": …, "outcomes": [{"name", "expected", "observed", "ok"}]}`.
//!
//! **Invariant**: it ends by itself and ends whatever it started: at its end, on Ctrl-C, on failure, and when it is
//! killed itself (`harness::offspring`).

mod folder;
mod journey;
mod outcome;
mod progress;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{folder::Folder, journey::Journey, outcome::Outcome, progress::Progress};

/// Interrupted: 128 + SIGINT, as shells count.
const INTERRUPTED: u8 = 130;

/// Chạy thử toàn bộ đường đi của văn bản / runs the whole road of documents once.
#[derive(Debug, Parser)]
struct Arguments {
    /// Bắt đầu lúc nào, giây từ 1970 / when it all began, in seconds since 1970.
    #[arg(long)]
    began: Option<i64>,
    /// Để chạy tiếp đến khi nhấn Ctrl-C / leave everything serving until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Ghi kết quả dạng JSON vào tệp / write the outcomes to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().expect("a process that cannot start threads can do nothing");
    let code = runtime.block_on(demonstrate(&arguments));
    // Nothing is waited for: what still runs on a thread of the runtime ends with the process.
    runtime.shutdown_background();
    code
}

/// Ctrl-C, or a request to end.
struct Interruption {
    interrupt: Signal,
    terminate: Signal,
}

impl Interruption {
    fn listen() -> Interruption {
        let listen = |kind| signal(kind).expect("signals can be listened to");
        Interruption {
            interrupt: listen(SignalKind::interrupt()),
            terminate: listen(SignalKind::terminate()),
        }
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn demonstrate(arguments: &Arguments) -> ExitCode {
    let began = arguments.began.unwrap_or_else(|| Timestamp::now().as_second());
    let mut interruption = Interruption::listen();
    let progress = Progress::begin();
    let folder = match Folder::claim() {
        Ok(folder) => folder,
        Err(error) => {
            progress.complain(&format!("thư mục dữ liệu / the data folder: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut outcomes = Vec::new();
    let journey = tokio::select! {
        journey = travel(&progress, &folder, &mut outcomes) => journey,
        () = interruption.received() => {
            progress.end();
            return ExitCode::from(INTERRUPTED); // whatever was started is dropped by now, and with that ended
        }
    };
    let seconds = seconds_since(began);
    progress.end();
    outcome::print_table(&outcomes, seconds);
    let mut faults = Vec::new();
    if let Some(path) = &arguments.json
        && let Err(error) = std::fs::write(path, outcome::json(&outcomes, seconds))
    {
        faults.push(format!("{}: {error}", path.display()));
    }
    if let Some(mut journey) = journey {
        journey.say_where_to_look(arguments.keep);
        if arguments.keep {
            journey.leave_serving().await;
            interruption.received().await;
        }
        faults.extend(journey.end().await.err());
    }
    faults.iter().for_each(|fault| progress.complain(fault));
    if faults.is_empty() && outcomes.iter().all(Outcome::is_ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn travel<'p>(
    progress: &'p Progress,
    folder: &Folder,
    outcomes: &mut Vec<Outcome>,
) -> Option<Journey<'p>> {
    let mut journey = Journey::begin(progress, folder.path(), outcomes).await?;
    journey.travel(outcomes).await;
    Some(journey)
}

fn seconds_since(began: i64) -> f64 {
    let millis = Timestamp::now().as_millisecond() - began * 1_000;
    let tenths = (millis.max(0) + 50) / 100;
    #[expect(clippy::cast_precision_loss, reason = "tenths of seconds of one run")]
    let seconds = tenths as f64 / 10.0;
    seconds
}
