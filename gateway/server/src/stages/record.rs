//! Record: writes verdicts to the journal, acknowledges, and tells the later stages.
//!
//! **Invariant:** the one place where responsibility passes to us: an arrival is acknowledged only after its event
//! and its bytes are durable.
//! **Invariant:** what conflicts is judged again; what fails for a passing reason comes again; nothing is dropped.

use std::time::Instant;

use domain::consequence::Consequences;
use domain::event::Happening;
use domain::ids::DispatchId;
use domain::port::{Appended, Commit, Recorded, StoreFault};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};
use trust::Need;

use super::Road;
use super::inspect::Verdict;
use super::receive::{Inspectors, Judged, Travelling};
use super::signal::{DispatchNews, OwedNow};
use crate::telemetry::Stage;

/// Races that one job may lose before it is left to come again.
const CONFLICTS_MAX: u32 = 16;

/// What became of a job after its verdict.
enum Step {
    /// It is durable.
    Recorded(Travelling, Vec<Recorded>),
    /// It goes back to the inspectors.
    Again(Travelling),
    /// It was recorded before, or has nothing new to say.
    Nothing(Travelling),
    /// It waits on for these, which the keeper is to be asked for. Since its start nobody else may have told it: what a
    /// submission was held for before is in the journal only.
    StillHeld(Travelling, Vec<Need>),
    /// It goes back to the inspectors at once: too many wait already.
    Impatient(Travelling, Vec<Need>),
    /// Our trouble.
    NotNow(Travelling, StoreFault),
}

/// Writes verdicts until the inspectors are gone.
pub async fn record(road: Road, inspectors: Inspectors, mut judged: mpsc::UnboundedReceiver<Judged>) {
    // The inspectors end when every sender is gone; this stage lets go of its own once receive has ended.
    let mut steps: FuturesUnordered<BoxFuture<'static, Step>> = FuturesUnordered::new();
    // What the keeper is asked while nobody waits for the answer: it is in a later version of the trust material.
    let mut asked: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
    let mut open = true;
    while open || !steps.is_empty() {
        tokio::select! {
            next = judged.recv(), if open => match next {
                Some(judged) => steps.push(Box::pin(step(road.clone(), inspectors.clone(), judged))),
                None => open = false,
            },
            Some(done) = steps.next(), if !steps.is_empty() => {
                if let Some(needs) = finish(&road, &inspectors, done).await {
                    asked.push(Box::pin(fetch(road.clone(), needs)));
                }
            }
            Some(()) = asked.next(), if !asked.is_empty() => {}
        }
    }
}

async fn step(road: Road, inspectors: Inspectors, judged: Judged) -> Step {
    let Judged {
        mut travelling,
        verdict,
    } = judged;
    match verdict {
        Verdict::Record(commit) => append(&road, travelling, *commit).await,
        Verdict::Known => Step::Nothing(travelling),
        Verdict::StillHeld(needs) => Step::StillHeld(travelling, needs),
        Verdict::Needs(needs) => {
            travelling.job.asked = true;
            let Some(_leave) = inspectors.leave_to_wait() else {
                return Step::Impatient(travelling, needs);
            };
            fetch(road, needs).await;
            Step::Again(travelling)
        }
        Verdict::NotNow(fault) => Step::NotNow(travelling, fault),
    }
}

/// Asks for what is missing and waits for it a while.
async fn fetch(road: Road, needs: Vec<Need>) {
    let fetched = tokio::time::timeout(road.rules.needs_wait, road.trust.fetch(needs)).await;
    if fetched.is_err() {
        debug!(stage = "inspect", "trust material did not come within the wait");
    }
}

async fn append(road: &Road, mut travelling: Travelling, commit: Commit) -> Step {
    let began = Instant::now();
    let appended = road.append(commit).await;
    road.metrics.time(Stage::Record, began.elapsed());
    match appended {
        Ok(Appended::Done(recorded)) => Step::Recorded(travelling, recorded),
        Ok(Appended::Conflict) => {
            travelling.conflicts += 1;
            Step::Again(travelling)
        }
        Err(fault) => Step::NotNow(travelling, fault),
    }
}

/// Does what follows from a step. Gives what the keeper is to be asked for.
async fn finish(road: &Road, inspectors: &Inspectors, step: Step) -> Option<Vec<Need>> {
    match step {
        Step::Recorded(travelling, recorded) => {
            travelling.handle.done();
            announce(road, &recorded).await;
        }
        Step::Nothing(travelling) => travelling.handle.done(),
        Step::StillHeld(travelling, needs) => {
            travelling.handle.done();
            return Some(needs);
        }
        Step::Impatient(travelling, needs) => {
            inspectors.hand_over(travelling);
            return Some(needs);
        }
        Step::Again(travelling) if travelling.conflicts > CONFLICTS_MAX => {
            warn!(stage = "record", case.id = %travelling.job.case, "a job lost too many races; it comes again");
            travelling.handle.not_now();
        }
        Step::Again(travelling) => inspectors.hand_over(travelling),
        Step::NotNow(travelling, fault) => {
            warn!(stage = "record", case.id = %travelling.job.case, error = %fault, "not now");
            travelling.handle.not_now();
        }
    }
    None
}

/// Tells the later stages what follows from events just recorded. All of it can be found in the index, too.
pub async fn announce(road: &Road, recorded: &[Recorded]) {
    for about in recorded {
        let happening = &about.event.happening;
        log(about);
        let follows = Consequences::of(&about.event, &about.leaf);
        road.signals
            .due
            .add(follows.dispatches.iter().map(|dispatch| dispatch.to));
        if let Some(owed) = follows.owed {
            road.signals.owe(OwedNow {
                about: about.clone(),
                owed,
            });
        }
        match happening {
            Happening::DirectoryChanged(_) => {
                road.signals.tell_dispatch(DispatchNews::DirectoryChanged).await;
            }
            Happening::BrokerLost { .. } => road.signals.tell_dispatch(DispatchNews::BrokerLost).await,
            Happening::HandedOver(it) | Happening::Withdrawn(it) => {
                road.signals
                    .tell_dispatch(DispatchNews::Settled(vec![it.dispatch]))
                    .await;
            }
            Happening::Failed(it) => {
                road.signals
                    .tell_dispatch(DispatchNews::GivenUp(it.dispatch))
                    .await;
            }
            Happening::Extended(it) => {
                let again: Vec<DispatchId> = it.addressees.iter().filter_map(|one| one.again).collect();
                if !again.is_empty() {
                    road.signals.tell_dispatch(DispatchNews::DueAgain(again)).await;
                }
            }
            Happening::Accepted(_)
            | Happening::Refused(_)
            | Happening::Held(_)
            | Happening::Repeated(_)
            | Happening::Reported(_)
            | Happening::Consigned(_)
            | Happening::Lost(_)
            | Happening::ReceiptIssued(_)
            | Happening::Parked(_) => {}
        }
    }
}

/// What a person may want to see of each event; what happens to every document many times stays below. The packet is
/// named by its digest, and `duration_ms` is how long its submission took since it came.
fn log(about: &Recorded) {
    let happening = &about.event.happening;
    let (event, position) = (happening.word(), about.position);
    match happening {
        Happening::Accepted(it) => {
            info!(stage = "record", event, position, case.id = %it.case, packet.id = packet_of(happening), agency.id = agency_of(happening), duration_ms = took(about), "accepted");
        }
        Happening::Refused(it) => {
            let codes: Vec<&str> = it.reasons.iter().map(|reason| reason.code.word()).collect();
            let codes = codes.join(" ");
            info!(stage = "record", event, position, case.id = %it.case, packet.id = packet_of(happening), agency.id = agency_of(happening), duration_ms = took(about), codes, "refused");
        }
        Happening::Held(it) => {
            info!(stage = "record", event, position, case.id = %it.case, packet.id = packet_of(happening), agency.id = agency_of(happening), duration_ms = took(about), "held");
        }
        Happening::Failed(it) => {
            info!(stage = "record", event, position, case.id = %it.case, dispatch.id = %it.dispatch, agency.id = %it.to, "given up");
        }
        Happening::Parked(it) => {
            let account = &it.submission.account;
            warn!(stage = "record", event, position, account.id = %account, packet.id = packet_of(happening), agency.id = agency_of(happening), "parked for a person");
        }
        Happening::BrokerLost { .. } => {
            info!(stage = "record", event, position, "recorded");
        }
        Happening::Repeated(_)
        | Happening::Extended(_)
        | Happening::Reported(_)
        | Happening::Consigned(_)
        | Happening::HandedOver(_)
        | Happening::Withdrawn(_)
        | Happening::Lost(_)
        | Happening::ReceiptIssued(_)
        | Happening::DirectoryChanged(_) => {
            debug!(
                stage = "record",
                event,
                position,
                packet.id = packet_of(happening),
                agency.id = agency_of(happening),
                duration_ms = took(about),
                "recorded"
            );
        }
    }
}

// Asked for only where a line is written.

fn packet_of(happening: &Happening) -> Option<String> {
    Some(happening.submission()?.packet.to_string())
}

fn agency_of(happening: &Happening) -> Option<String> {
    Some(happening.submission()?.agency?.to_string())
}

/// Milliseconds from the coming of the submission to its event.
fn took(about: &Recorded) -> Option<i64> {
    let came = about.event.happening.submission()?.received_at;
    Some(about.event.time.as_micros().saturating_sub(came.as_micros()) / 1000)
}
