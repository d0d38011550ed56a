//! `connector watch`: keeps outbox and inbox going, takes in what others hand in through the spool, and tells one line
//! for each thing that happens.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use connector::config::Config;
use connector::spool::{Spool, Spooled};
use connector::{Answer, Connector, Event, StoreFault, Submission, SubmitFault};
use domain::ids::{DispatchId, SubmissionId};
use domain::receipt::vietnam_time;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;

use super::{CommandFault, Ending, receive, say};

/// Pause after the folder took nothing.
const NOT_NOW: Duration = Duration::from_secs(5);
/// How often the spool is looked at.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One JSON object for each event
    #[arg(long)]
    json: bool,
    /// Also writes received documents to this folder / Ghi văn bản nhận được vào thư mục
    #[arg(long)]
    to: Option<PathBuf>,
}

pub(crate) async fn run(config: Config, arguments: Arguments) -> Result<Ending, CommandFault> {
    let spool = Spool::open(&config.folder)?;
    let connector = Connector::open(config).await?;
    let mut terminated = signal(SignalKind::terminate()).map_err(super::file_fault("SIGTERM".as_ref()))?;
    let ended = tokio::select! {
        () = tell(&connector, arguments.json) => Ok(Ending::Done),
        ended = exchange(&connector, &spool) => ended,
        ended = write(&connector, arguments.to) => ended,
        () = connector.stopped() => Err(CommandFault::Store(StoreFault::Stopped)),
        _ = tokio::signal::ctrl_c() => Ok(Ending::Done),
        _ = terminated.recv() => Ok(Ending::Done),
    };
    connector.close().await;
    ended
}

async fn tell(connector: &Connector, json: bool) {
    let mut events = connector.events();
    loop {
        match events.recv().await {
            Ok(event) if json => say(&event.to_json().to_string()),
            Ok(event) => say(&line(&event)),
            Err(RecvError::Lagged(missed)) => say(&format!("… {missed} events not told")),
            Err(RecvError::Closed) => return,
        }
    }
}

/// `time event name=value …`
fn line(event: &Event) -> String {
    let mut line = format!("{} {}", vietnam_time(connector::now()), event.word());
    if let Value::Object(fields) = event.to_json() {
        for (name, value) in fields.iter().filter(|(name, _)| *name != "event") {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            line.push_str(&format!(" {name}={value}"));
        }
    }
    line
}

/// A packet of the spool that has no final receipt yet.
struct Open {
    spooled: Spooled,
    /// The notice that its sender was given.
    notice: Option<DispatchId>,
}

/// Takes packets from the spool, and puts their receipts there. A packet leaves the spool after its receipt is there, so
/// that a restart in between forgets nobody; taking it again under its id changes nothing.
async fn exchange(connector: &Connector, spool: &Spool) -> Result<Ending, CommandFault> {
    let mut open: HashMap<SubmissionId, Open> = HashMap::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        for spooled in spool.list()? {
            if open.contains_key(&spooled.submission) {
                continue;
            }
            match take(connector, spool, &spooled).await {
                Ok(()) => {
                    let notice = None;
                    open.insert(spooled.submission.clone(), Open { spooled, notice });
                }
                // The folder takes nothing now: the rest waits with it.
                Err(SubmitFault::Store(fault)) if fault.is_transient() => {
                    say(&format!(
                        "chưa nhận được, sẽ thử lại / not now, tried again: {fault}"
                    ));
                    tokio::time::sleep(NOT_NOW).await;
                    break;
                }
                Err(SubmitFault::Store(fault)) => return Err(fault.into()),
                Err(fault) => {
                    say(&format!(
                        "không nhận gói {0}, để riêng / packet {0} is set aside: {fault}",
                        spooled.submission
                    ));
                    spool.refuse(&spooled, &fault.to_string())?;
                }
            }
        }
        let answers: Vec<(SubmissionId, Answer)> = open
            .keys()
            .filter_map(|id| Some((id.clone(), connector.answer_of(id)?)))
            .collect();
        for (submission, answer) in answers {
            if answer.kind.is_final_answer() {
                spool.answer(&submission, &connector.receipt_bytes(&answer)?)?;
                let Open { spooled, .. } = open.remove(&submission).expect("listed above");
                spool.remove(&spooled)?;
                continue;
            }
            let one = open.get_mut(&submission).expect("listed above");
            if one.notice != Some(answer.dispatch) {
                spool.notify(&submission, &connector.receipt_bytes(&answer)?)?;
                one.notice = Some(answer.dispatch);
            }
        }
    }
}

/// Takes one packet into the outbox. What is too large is not read.
async fn take(connector: &Connector, spool: &Spool, spooled: &Spooled) -> Result<(), SubmitFault> {
    let bytes = usize::try_from(spool.bytes(spooled)?).unwrap_or(usize::MAX);
    connector.admits(bytes)?;
    let submission = Submission {
        bytes: spool.read(spooled)?,
        rank: spooled.rank,
    };
    connector.submit_as(spooled.submission.clone(), submission).await
}

async fn write(connector: &Connector, folder: Option<PathBuf>) -> Result<Ending, CommandFault> {
    let Some(folder) = folder else {
        return std::future::pending().await;
    };
    loop {
        let received = connector.next_received().await?;
        receive::write(connector, &folder, &received).await?;
    }
}
