//! Sweep: what is held, expired, left over or silent is a question to the index, asked again and again.
//!
//! **Invariant:** driven by the journal, never by a timer that a restart forgets.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use domain::dispatch::{DispatchKind, DispatchState, Rank};
use domain::event::{Failed, Happening};
use domain::ids::{CaseId, DispatchId};
use domain::port::{
    Appended, Commit, DispatchHead, Expectation, HeldSubmission, OwedReceipt, Recorded, StoreFault,
};
use domain::receipt::ReceiptKind;
use tracing::{info, warn};

use super::inspect::Job;
use super::receive::{Inspectors, Travelling};
use super::record::announce;
use super::{FromJournal, Road, tell};

/// How often the index is asked.
const TICK: Duration = Duration::from_millis(500);
/// Held submissions judged again in one look. They wait for places on the road one after another.
const HELD_MAX: usize = 20_000;
/// Things of one kind taken in one look.
const LOOK_MAX: usize = 256;

struct Sweeper {
    road: Road,
    inspectors: Inspectors,
    /// Version of the trust material at the last look at what is held.
    judged_with: Option<u64>,
    /// Dispatches whose sender was told that they lie in the inbox.
    noticed: HashSet<DispatchId>,
}

/// What this round is for, beside what every round does.
#[derive(Clone, Copy)]
struct Due {
    /// What a signal may have lost, and what is late.
    look: bool,
    /// What is held.
    judge: bool,
}

/// Whether so much time has passed; begins anew when it has.
fn lapsed(since: &mut Instant, every: Duration) -> bool {
    let is_over = since.elapsed() >= every;
    if is_over {
        *since = Instant::now();
    }
    is_over
}

/// Sweeps for ever; the task is ended from outside, which loses nothing.
pub async fn sweep(road: Road, inspectors: Inspectors) {
    let mut sweeper = Sweeper {
        road,
        inspectors,
        judged_with: None,
        noticed: HashSet::new(),
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut looked, mut judged) = (Instant::now(), Instant::now());
    loop {
        tick.tick().await;
        let due = Due {
            look: lapsed(&mut looked, sweeper.road.rules.sweep_every),
            judge: lapsed(&mut judged, sweeper.road.rules.hold_retry),
        };
        if let Err(fault) = sweeper.once(due).await {
            warn!(stage = "sweep", error = %fault, "not now");
        }
    }
}

impl Sweeper {
    async fn once(&mut self, due: Due) -> Result<(), StoreFault> {
        self.release_held(due).await?;
        self.fail_expired().await?;
        if due.look {
            self.road.signals.due.add(self.road.journal.waiting()?);
            self.road.signals.look_for_owed();
            self.tell_of_full_inboxes().await?;
        }
        Ok(())
    }

    /// Held submissions are judged again when the trust material changed, when their time is over, and now and then.
    async fn release_held(&mut self, due: Due) -> Result<(), StoreFault> {
        let version = self.road.trust.snapshot().version();
        let all = self.judged_with != Some(version) || due.judge;
        let now = self.road.now();
        for held in self.road.journal.held(if all { HELD_MAX } else { LOOK_MAX })? {
            if all || held.until <= now {
                self.judge_again(held).await?;
            }
        }
        self.judged_with = Some(version);
        Ok(())
    }

    async fn judge_again(&self, held: HeldSubmission) -> Result<(), StoreFault> {
        let Happening::Held(event) = held.held.event.happening else {
            return Err(StoreFault::Damaged(format!(
                "case {} is not held by a held event",
                held.case
            )));
        };
        let Some(body) = self.road.archive.fetch(&event.submission.packet).await? else {
            return Err(StoreFault::Damaged(format!(
                "the packet of held case {} is missing",
                held.case
            )));
        };
        let Ok(place) = self.inspectors.place().await else {
            return Ok(());
        };
        let job = Job {
            body,
            submission: event.submission,
            case: held.case,
            held_until: Some(held.until),
            // What is missing is asked for once more when it is still held; this look does not wait for it.
            asked: true,
        };
        self.inspectors.hand_over(Travelling {
            job,
            deliveries: 0,
            conflicts: 0,
            urgent: event.rank == Rank::Urgent,
            handle: Box::new(FromJournal),
            place,
        });
        Ok(())
    }

    async fn fail_expired(&self) -> Result<(), StoreFault> {
        for head in self.road.journal.expired(self.road.now(), LOOK_MAX)? {
            let dispatch = &head.dispatch;
            let failed = Failed {
                case: dispatch.case,
                dispatch: dispatch.id,
                kind: dispatch.kind,
                to: dispatch.to,
                reason: "expired".to_owned(),
            };
            let states = &[DispatchState::Due, DispatchState::Consigned];
            let expectation = Expectation::Dispatch {
                id: dispatch.id,
                states,
            };
            let commit = Commit::of(Happening::Failed(failed)).expecting(expectation);
            if let Appended::Done(recorded) = self.road.append(commit).await? {
                info!(stage = "sweep", dispatch.id = %dispatch.id, "expired");
                announce(&self.road, &recorded).await;
            }
        }
        Ok(())
    }

    /// A document that lies in an inbox for long is told to its sender, once.
    async fn tell_of_full_inboxes(&mut self) -> Result<(), StoreFault> {
        let notice = i64::try_from(self.road.rules.consignment_notice.as_secs()).unwrap_or(i64::MAX);
        let now = self.road.now();
        let mut still = HashSet::new();
        for agency in self.road.journal.flying()? {
            for head in self.road.journal.in_flight(agency)? {
                let late = head.consigned_at.is_some_and(|at| at.plus_seconds(notice) <= now);
                if head.dispatch.kind != DispatchKind::Packet || !late {
                    continue;
                }
                still.insert(head.dispatch.id);
                if !self.noticed.contains(&head.dispatch.id) {
                    self.tell_consignment(&head).await?;
                }
            }
        }
        self.noticed = still;
        Ok(())
    }

    async fn tell_consignment(&self, head: &DispatchHead) -> Result<(), StoreFault> {
        let case: CaseId = head.dispatch.case;
        let Some(about) = self.consignment_of(head)? else {
            return Ok(());
        };
        if self.road.journal.receipt_about(case, &about.leaf)?.is_some() {
            return Ok(());
        }
        let Some(to) = self.road.journal.case(case)?.and_then(|head| head.sender) else {
            return Ok(());
        };
        let checkpoint = self.road.journal.checkpoint_before(about.position)?;
        let owed = OwedReceipt {
            kind: ReceiptKind::ContentConsignment,
            about,
            case,
            to,
            checkpoint,
        };
        if let Err(fault) = tell::issue(self.road.clone(), owed).await {
            warn!(stage = "sweep", error = %fault, "a consignment could not be told now");
        }
        Ok(())
    }

    fn consignment_of(&self, head: &DispatchHead) -> Result<Option<Recorded>, StoreFault> {
        let is_it = |recorded: &Recorded| matches!(&recorded.event.happening, Happening::Consigned(moved) if moved.dispatch == head.dispatch.id);
        Ok(self
            .road
            .journal
            .events(head.dispatch.case)?
            .into_iter()
            .find(is_it))
    }
}
