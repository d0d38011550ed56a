//! `connector watch`: keeps outbox and inbox going, takes in what others hand in through the spool, and tells one line
//! for each thing that happens.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use connector::config::Config;
use connector::spool::{self, Listing, Spool, Spooled};
use connector::text::Text;
use connector::{Answer, Connector, Event, Standing, StoreFault, Submission, SubmitFault};
use domain::ids::{DispatchId, SubmissionId};
use domain::receipt::vietnam_time;
use tokio::sync::broadcast::error::RecvError;

use super::fault::{LANGUAGES_PART, of_store, of_submission};
use super::{
    CommandFault, Ending, asked_to_end, complain, complain_of_damage, damage_words, delivery, receive, say,
    words,
};

/// Pause after the folder took nothing.
const NOT_NOW: Duration = Duration::from_secs(5);
/// What Linux says when a disk does not give back what is on it (`EIO`).
const DISK_ERROR: i32 = 5;
/// What stands for something that a message does not say.
const NONE: &str = "–";
/// How often the spool is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often answers that nobody took away are looked for.
const SWEEP: Duration = Duration::from_secs(3_600);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(help = Text::HelpJson.with(&[]), long)]
    json: bool,
    #[arg(help = Text::HelpWatchTo.with(&[]), long)]
    to: Option<PathBuf>,
}

pub(crate) async fn run(config: Config, arguments: Arguments) -> Result<Ending, CommandFault> {
    let spool = Spool::open(&config.folder, config.store.remember)?;
    let connector = Connector::open(config).await?;
    complain_of_damage(&connector);
    let ended = tokio::select! {
        () = tell(&connector, arguments.json) => Ok(Ending::Done),
        ended = exchange(&connector, &spool) => ended,
        ended = write(&connector, arguments.to) => ended,
        () = connector.stopped() => Err(CommandFault::Store(StoreFault::Stopped)),
        ended = asked_to_end() => ended,
    };
    connector.close().await;
    ended
}

/// Tells what happens, and what keeps the connector from its broker: each once, with the time of day.
async fn tell(connector: &Connector, json: bool) {
    let (mut events, mut standing) = (connector.events(), connector.standing());
    // What stands already is told first.
    standing.mark_changed();
    loop {
        let told = tokio::select! {
            changed = standing.changed() => match changed {
                Ok(()) => told_standing(connector, &standing.borrow_and_update(), json),
                Err(_) => return,
            },
            event = events.recv() => match event {
                Ok(event) => {
                    let words = if json { Some(event.to_json().to_string()) } else { timed(event_words(&event)) };
                    let result = answered(connector, &event, json);
                    words.map(|words| std::iter::once(words).chain(result).collect::<Vec<_>>().join("\n"))
                }
                Err(RecvError::Lagged(missed)) => {
                    complain(&Text::EventsMissed.with(&[("count", &missed.to_string())]));
                    None
                }
                Err(RecvError::Closed) => return,
            },
        };
        if let Some(told) = told {
            say(&told);
        }
    }
}

/// What the gateway says of a submission, as `connector send` tells it: who sent it may have ended long ago.
fn answered(connector: &Connector, event: &Event, json: bool) -> Option<String> {
    let Event::Answered(submission, _) = event else {
        return None;
    };
    let receipt = connector
        .receipt_of(&connector.answer_of(submission)?)
        .ok()?
        .ok()?;
    Some(delivery::result(submission, &receipt, json))
}

fn timed(words: Option<String>) -> Option<String> {
    words.map(|words| format!("{} {words}", vietnam_time(connector::now())))
}

fn told_standing(connector: &Connector, standing: &Standing, json: bool) -> Option<String> {
    if json {
        return standing.to_json().map(|object| object.to_string());
    }
    timed(words(connector, standing).map(|[vi, en]| format!("{vi}\n  {en}")))
}

/// An event in words; nothing for what [`Standing`] tells.
fn event_words(event: &Event) -> Option<String> {
    let told = match event {
        Event::Connected(_) | Event::Disconnected(..) | Event::StoreFailed(_) => return None,
        Event::Blocked(reason) => Text::EventBlocked.with(&[("reason", reason)]),
        Event::Unblocked => Text::EventUnblocked.with(&[]),
        Event::Published(submission) => Text::EventPublished.with(&[("submission", submission.as_str())]),
        Event::NotTaken(submission, why) => why.text().with(&[("submission", submission.as_str())]),
        Event::Answered(submission, kind) => {
            Text::EventAnswered.with(&[("submission", submission.as_str()), ("receipt", kind.word())])
        }
        Event::Stored {
            dispatch,
            kind,
            case,
            document,
            ..
        } => {
            let (dispatch, case) = (dispatch.to_string(), case.map(|case| case.to_string()));
            Text::EventStored.with(&[
                ("kind", kind.word()),
                ("dispatch", &dispatch),
                ("case", case.as_deref().unwrap_or(NONE)),
                ("document", document.as_deref().unwrap_or(NONE)),
            ])
        }
        Event::Repeated(dispatch) => Text::EventRepeated.with(&[("dispatch", &dispatch.to_string())]),
        Event::Recalled { dispatch, by } => {
            let (dispatch, by) = (dispatch.to_string(), by.to_string());
            Text::EventRecalled.with(&[("dispatch", &dispatch), ("by", &by)])
        }
        Event::HandoversConfirmed(count) => Text::EventHandovers.with(&[("count", &count.to_string())]),
        Event::Unreadable(reason) => Text::EventUnreadable.with(&[("reason", reason)]),
        Event::DamagedOutgoing { .. } | Event::DamagedIncoming { .. } => damage_words(event)?,
        Event::ReceiptDoubted(dispatch, reason) => {
            Text::EventReceiptDoubted.with(&[("dispatch", &dispatch.to_string()), ("reason", reason)])
        }
    };
    Some(told)
}

/// A packet of the spool that has no final receipt yet.
struct Open {
    spooled: Spooled,
    /// The notice that its sender was given.
    notice: Option<DispatchId>,
}

/// Sends what others hand in, beside other work: who holds the folder sends for those who cannot. Where the spool cannot be used
/// that is told, and the other work goes on.
pub(super) async fn serve(connector: &Connector, spool: &Spool) -> Infallible {
    if let Err(fault) = exchange(connector, spool).await {
        complain(&fault.words().join("\n  "));
    }
    std::future::pending().await
}

/// Takes packets from the spool, and puts their receipts there. What the folder does not take now is tried again; nothing
/// else waits for it.
async fn exchange(connector: &Connector, spool: &Spool) -> Result<Ending, CommandFault> {
    let mut swept: Option<Instant> = None;
    let mut open: HashMap<SubmissionId, Open> = HashMap::new();
    let mut look = tokio::time::interval(LOOK);
    // Told when it begins, not at each attempt.
    let mut told = None;
    let mut told_of = BTreeSet::new();
    loop {
        look.tick().await;
        // What the outbox could not keep (a damaged record) is still in the spool, and is taken again.
        open.retain(|submission, _| {
            connector.is_open(submission) || connector.answer_of(submission).is_some()
        });
        let taken = match spool.list() {
            Ok(Listing { packets, strangers }) => {
                tell_strangers(strangers, &mut told_of);
                take_all(connector, spool, packets, &mut open).await
            }
            Err(fault) => Err(fault),
        };
        let answered = answer_all(connector, spool, &mut open);
        let forgotten = match swept {
            Some(swept) if swept.elapsed() < SWEEP => Ok(0),
            Some(_) | None => {
                swept = Some(Instant::now());
                spool.forget_old(connector::now())
            }
        };
        match taken.and(answered).and(forgotten.map(drop)) {
            Ok(()) => told = None,
            Err(fault) if fault.is_transient() => {
                let words = Text::SpoolNotNow.with_fault(&of_store(&fault), &[]);
                if told.as_ref() != Some(&words) {
                    complain(&words);
                    told = Some(words);
                }
                tokio::time::sleep(NOT_NOW).await;
            }
            Err(fault) => return Err(fault.into()),
        }
    }
}

/// Tells of files that nobody will ever take, each once: software that names them otherwise waits for an answer in vain.
fn tell_strangers(strangers: Vec<String>, told_of: &mut BTreeSet<String>) {
    let found = BTreeSet::from_iter(strangers);
    for name in found.difference(told_of) {
        complain(&Text::SpoolStranger.with(&[("name", name)]));
    }
    *told_of = found;
}

/// Takes what is new in the spool. What can never be taken is set aside, with the reason for whoever handed it in.
async fn take_all(
    connector: &Connector,
    spool: &Spool,
    packets: Vec<Spooled>,
    open: &mut HashMap<SubmissionId, Open>,
) -> Result<(), StoreFault> {
    for spooled in packets {
        if open.contains_key(&spooled.submission) {
            continue;
        }
        let reason = match take(connector, spool, &spooled).await {
            Ok(()) => {
                let notice = None;
                open.insert(spooled.submission.clone(), Open { spooled, notice });
                continue;
            }
            Err(SubmitFault::Store(fault)) => match Unreadable::of(&fault) {
                Some(Unreadable::Gone) => continue,
                Some(Unreadable::ForEver(error)) => Text::SpoolUnreadable.both(&[("fault", &error)]),
                None => return Err(fault),
            },
            Err(fault) => of_submission(&fault),
        };
        let submission = [("submission", spooled.submission.as_str())];
        complain(&Text::SpoolSetAside.with_fault(&reason, &submission));
        spool.refuse(&spooled, &reason.join(LANGUAGES_PART))?;
    }
    Ok(())
}

/// A file of the spool that gives no packet, also later.
enum Unreadable {
    /// Somebody removed it.
    Gone,
    /// It is not for us to read, or the disk does not give it.
    ForEver(String),
}

impl Unreadable {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum")]
    fn of(fault: &StoreFault) -> Option<Unreadable> {
        let StoreFault::File {
            operation: spool::READ,
            error,
            ..
        } = fault
        else {
            return None;
        };
        match error.kind() {
            ErrorKind::NotFound => Some(Unreadable::Gone),
            ErrorKind::PermissionDenied | ErrorKind::IsADirectory | ErrorKind::InvalidData => {
                Some(Unreadable::ForEver(error.to_string()))
            }
            _ if error.raw_os_error() == Some(DISK_ERROR) => Some(Unreadable::ForEver(error.to_string())),
            _ => None,
        }
    }
}

/// Puts the receipts that came. A packet leaves the spool after its receipt is there, so that a restart in between
/// forgets nobody; taking it again under its id changes nothing.
fn answer_all(
    connector: &Connector,
    spool: &Spool,
    open: &mut HashMap<SubmissionId, Open>,
) -> Result<(), StoreFault> {
    let answers: Vec<(SubmissionId, Answer)> = open
        .keys()
        .filter_map(|id| Some((id.clone(), connector.answer_of(id)?)))
        .collect();
    for (submission, answer) in answers {
        let one = open.get_mut(&submission).expect("listed above");
        if one.notice == Some(answer.dispatch) {
            continue;
        }
        let receipt = match connector.receipt_bytes(&answer) {
            Ok(receipt) => receipt,
            Err(StoreFault::Damaged { .. }) => {
                // The packet is still in the spool: it is taken again, and the gateway gives the receipt again.
                connector.ask_again(&submission);
                open.remove(&submission);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        if answer.kind.is_final_answer() {
            spool.answer(&submission, &receipt)?;
            spool.remove(&one.spooled)?;
            open.remove(&submission);
        } else {
            spool.notify(&submission, &receipt)?;
            one.notice = Some(answer.dispatch);
        }
    }
    Ok(())
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
        // It is on our disk whatever becomes of that folder: written as soon as it can be, and told once that it is not.
        let mut is_told = false;
        while let Err(fault) = receive::write(connector, &folder, &received).await {
            if !fault.is_transient() {
                return Err(fault);
            }
            if !is_told {
                complain(&Text::WriteNotNow.with_fault(&fault.words(), &[]));
                is_told = true;
            }
            tokio::time::sleep(NOT_NOW).await;
        }
    }
}
