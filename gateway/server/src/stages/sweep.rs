//! Sweep: what is held, expired, left over or silent is a question to the index, asked again and again.
//!
//! **Invariant:** driven by the journal, never by a timer that a restart forgets.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::dispatch::{DispatchKind, DispatchState, Rank};
use domain::event::{Failed, Happening, Held, Refused};
use domain::ids::{CaseId, DispatchId};
use domain::port::{
    Appended, CaseState, Commit, DispatchHead, HeldPage, HeldSubmission, OwedReceipt, Recorded, Slot,
    StoreFault,
};
use domain::receipt::ReceiptKind;
use domain::refusal::Refusal;
use futures_util::stream::{self, StreamExt};
use tracing::{error, info, warn};
use trust::{Snapshot, Time};

use super::inspect::{Job, Occasion};
use super::receive::{Inspectors, Travelling};
use super::record::announce;
use super::signal::DispatchNews;
use super::{FromJournal, Road, facts, tell};

/// How often the index is asked.
const TICK: Duration = Duration::from_millis(500);
/// Held submissions judged again in one look. They wait for places on the road one after another.
const HELD_MAX: usize = 20_000;
/// Records of one look that wait for the store at once: one after the other each would wait for a batch of its own.
const AT_ONCE: usize = 64;
/// How often a case is judged whose time is over: longer than answers are waited for.
const ENDING_EVERY: Duration = Duration::from_secs(5);
/// Things of one kind taken in one look.
const LOOK_MAX: usize = 256;

struct Sweeper {
    road: Road,
    inspectors: Inspectors,
    /// The trust material at the last look at what is held.
    judged_with: Option<Arc<Snapshot>>,
    /// Dispatches whose sender was told that they lie in the inbox.
    noticed: HashSet<DispatchId>,
    /// How far the held ones were judged in the last round for all, where they were too many.
    held_to: Option<(Time, CaseId)>,
    /// Cases whose time is over, and when they were last judged.
    ending: HashMap<CaseId, Instant>,
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
        held_to: None,
        ending: HashMap::new(),
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut looked, mut judged) = (Instant::now(), Instant::now());
    let mut steady = true;
    loop {
        tick.tick().await;
        steady = is_steady(&sweeper.road, steady);
        if !steady {
            continue;
        }
        let due = Due {
            look: lapsed(&mut looked, sweeper.road.rules.sweep_every),
            judge: lapsed(&mut judged, sweeper.road.rules.hold_retry),
        };
        if let Err(fault) = sweeper.once(due).await {
            warn!(stage = "sweep", error = %fault, "not now");
        }
    }
}

/// Whether the time of day can be believed. That it cannot is told once, not at every look.
fn is_steady(road: &Road, was_steady: bool) -> bool {
    match road.clock.steady() {
        Err(unsteady) if was_steady => {
            warn!(stage = "sweep", "nothing is judged or recorded: {unsteady}");
            false
        }
        Err(_) => false,
        Ok(()) => {
            if !was_steady {
                info!(stage = "sweep", "the time of day can be believed again");
            }
            true
        }
    }
}

impl Sweeper {
    async fn once(&mut self, due: Due) -> Result<(), StoreFault> {
        let now = self.road.sure_now()?;
        // None of these waits for another: what fails now is looked for again.
        let mut done = self.fail_expired(now).await;
        if due.look {
            done = done.and(self.find_lost());
            done = done.and(self.fail_closed(now).await);
            done = done.and(self.tell_of_full_inboxes(now).await);
        }
        done.and(self.release_held(due, now).await)
    }

    /// What a signal may have lost.
    fn find_lost(&self) -> Result<(), StoreFault> {
        self.road.signals.look_for_owed();
        self.road.signals.due.add(self.road.journal.waiting()?);
        Ok(())
    }

    /// Held submissions are judged again when what they wait for came, when their time is over, and now and then.
    async fn release_held(&mut self, due: Due, now: Time) -> Result<(), StoreFault> {
        let trust = self.road.trust.snapshot();
        let same = |before: &Arc<Snapshot>| Arc::ptr_eq(before, &trust) || before.has_anchors_of(&trust);
        let all = due.judge || !self.judged_with.as_ref().is_some_and(same);
        let concerned = match all {
            true => HashSet::new(),
            false => self.road.waits.concerned(&trust),
        };
        let journal = Arc::clone(&self.road.journal);
        let mut held = if all {
            self.next_held()?
        } else {
            let mut first = journal.held(None, LOOK_MAX)?.held;
            first.retain(|held| held.until <= now && !concerned.contains(&held.case));
            first
        };
        for case in concerned {
            match journal.held_case(case) {
                Ok(Some(found)) => held.push(found),
                Ok(None) => self.road.waits.forget_unheld(case),
                Err(fault) => {
                    self.road.waits.forget(case);
                    error!(stage = "sweep", case.id = %case, error = %fault, "a held submission cannot be read");
                }
            }
        }
        for held in held {
            let (case, is_over) = (held.case, held.until <= now);
            // Its last look takes as long as its answers are waited for.
            if is_over {
                if self.ending.contains_key(&case) {
                    continue;
                }
                self.ending.insert(case, Instant::now());
            }
            self.road.waits.forget(case);
            // One that cannot be judged keeps nobody else waiting; it is looked at again.
            if let Err(fault) = self.judge_again(held, is_over).await {
                error!(stage = "sweep", case.id = %case, error = %fault, "a held submission cannot be judged again");
            }
        }
        self.judged_with = Some(trust);
        self.ending.retain(|_, began| began.elapsed() < ENDING_EVERY);
        Ok(())
    }

    /// The next of all held ones, of many not all at once.
    fn next_held(&mut self) -> Result<Vec<HeldSubmission>, StoreFault> {
        let after = self.held_to.take();
        let HeldPage { held, last } = self.road.journal.held(after, HELD_MAX)?;
        self.held_to = last;
        if after.is_none() && last.is_none() {
            self.road
                .waits
                .retain(&held.iter().map(|held| held.case).collect());
        }
        Ok(held)
    }

    async fn judge_again(&self, held: HeldSubmission, is_over: bool) -> Result<(), StoreFault> {
        let Happening::Held(event) = held.held.event.happening else {
            return Err(StoreFault::Damaged(format!(
                "case {} is not held by a held event",
                held.case
            )));
        };
        let body = match self.road.archive.fetch(&event.submission.packet).await {
            Ok(Some(body)) => body,
            Ok(None) | Err(StoreFault::Damaged(_)) if is_over => return self.run_out(event).await,
            Ok(None) => {
                return Err(StoreFault::Damaged(format!(
                    "the packet of held case {} is missing",
                    held.case
                )));
            }
            Err(fault) => return Err(fault),
        };
        let urgent = event.rank == Rank::Urgent;
        let Ok(place) = self.inspectors.place(urgent).await else {
            return Ok(());
        };
        let job = Job {
            body,
            submission: event.submission,
            case: held.case,
            occasion: Occasion::Held(held.until),
            // What is missing is asked for once more when it is still held; this look does not wait for it. One whose
            // time is over is refused only after it was asked for in vain once more: no gateway may have run before.
            asked: !is_over,
        };
        self.inspectors.hand_over(Travelling {
            job,
            // The first look after a start treats all of them as suspects: one may have ended the process before.
            deliveries: u32::from(self.judged_with.is_none()),
            conflicts: 0,
            urgent,
            handle: Box::new(FromJournal),
            place,
        });
        Ok(())
    }

    /// Ends a wait whose packet cannot be read any more: nobody will ever judge it.
    async fn run_out(&self, held: Held) -> Result<(), StoreFault> {
        let (journal, case) = (&*self.road.journal, held.case);
        let unchanged = facts::unchanged(journal, Slot::Case(case))?;
        if journal.case(case)?.map(|head| head.state) != Some(CaseState::Held) {
            return Ok(());
        }
        let refused = Refused {
            case,
            submission: held.submission,
            document: Some(held.identity.document),
            reasons: vec![Refusal::held_too_long(&held.reasons)],
            rank: held.rank,
            seals: Vec::new(),
            status_packet: None,
        };
        let commit = Commit::of(Happening::Refused(refused)).expecting(unchanged);
        if let Appended::Done(recorded) = self.road.append(commit).await? {
            warn!(stage = "sweep", case.id = %case, "its time is over and its packet cannot be read: refused");
            announce(&self.road, &recorded).await;
        }
        Ok(())
    }

    async fn fail_expired(&self, now: Time) -> Result<(), StoreFault> {
        self.fail_all(self.road.journal.expired(now, LOOK_MAX)?, "expired")
            .await
    }

    /// Whatever is for an agency that ended without an heir has failed: nobody will ever take it.
    async fn fail_closed(&self, now: Time) -> Result<(), StoreFault> {
        let (journal, directory) = (&self.road.journal, self.road.journal.directory());
        let mut agencies = journal.waiting()?;
        agencies.extend(journal.flying()?);
        agencies
            .retain(|&agency| directory.agency(agency).is_some() && directory.heir(agency, now).is_none());
        for agency in agencies {
            let mut heads = journal.due(agency, LOOK_MAX)?;
            heads.extend(journal.in_flight(agency)?);
            let failed = self.fail_all(heads, "addressee-closed").await;
            if !journal.in_inbox(agency)?.is_empty() {
                // Nobody has that inbox any more: the places in it go.
                self.road
                    .signals
                    .tell_dispatch(DispatchNews::DirectoryChanged)
                    .await;
            }
            failed?;
        }
        Ok(())
    }

    async fn fail_all(&self, heads: Vec<DispatchHead>, reason: &str) -> Result<(), StoreFault> {
        let failures = heads.into_iter().map(async |head| self.fail(&head, reason).await);
        // All to their ends, also when one fails: what is on its way is recorded, and has to be told.
        let failed: Vec<Result<(), StoreFault>> =
            stream::iter(failures).buffer_unordered(AT_ONCE).collect().await;
        failed.into_iter().collect()
    }

    async fn fail(&self, head: &DispatchHead, reason: &str) -> Result<(), StoreFault> {
        let dispatch = &head.dispatch;
        let failed = Failed {
            case: dispatch.case,
            dispatch: dispatch.id,
            kind: dispatch.kind,
            to: dispatch.to,
            reason: reason.to_owned(),
            consigned: head.consigned_at.is_some(),
        };
        let is_lying = head.state == DispatchState::Consigned;
        // If it moved meanwhile, something else has failed: that is looked at next time.
        let state: &[DispatchState] = if is_lying {
            &[DispatchState::Consigned]
        } else {
            &[DispatchState::Due]
        };
        let commit = Commit::step(Happening::Failed(failed), dispatch.id, state);
        if let Appended::Done(recorded) = self.road.append(commit).await? {
            info!(stage = "sweep", dispatch.id = %dispatch.id, reason, "given up");
            announce(&self.road, &recorded).await;
        }
        Ok(())
    }

    /// A document that lies in an inbox for long is told to its sender, once.
    async fn tell_of_full_inboxes(&mut self, now: Time) -> Result<(), StoreFault> {
        let notice = i64::try_from(self.road.rules.consignment_notice.as_secs()).unwrap_or(i64::MAX);
        let mut still = HashSet::new();
        for agency in self.road.journal.flying()? {
            let mut heads = self.road.journal.in_flight(agency)?;
            heads.retain(|head| {
                let late = head.consigned_at.is_some_and(|at| at.plus_seconds(notice) <= now);
                head.dispatch.kind == DispatchKind::Packet && late
            });
            let told = heads.into_iter().map(async |head| {
                let id = head.dispatch.id;
                (self.noticed.contains(&id) || self.is_told(&head).await).then_some(id)
            });
            let told: Vec<Option<DispatchId>> = stream::iter(told).buffer_unordered(AT_ONCE).collect().await;
            still.extend(told.into_iter().flatten());
        }
        self.noticed = still;
        Ok(())
    }

    /// Tells it. What could not be told now is told at the next look; what can never be read keeps nobody else from it.
    async fn is_told(&self, head: &DispatchHead) -> bool {
        let id = head.dispatch.id;
        match self.tell_consignment(head).await {
            Ok(is_told) => is_told,
            Err(StoreFault::Damaged(fault)) => {
                error!(stage = "sweep", dispatch.id = %id, fault, "that it lies in the inbox cannot be told");
                true
            }
            Err(fault) => {
                warn!(stage = "sweep", dispatch.id = %id, error = %fault, "a consignment could not be told now");
                false
            }
        }
    }

    /// Says whether nothing is left to be told.
    async fn tell_consignment(&self, head: &DispatchHead) -> Result<bool, StoreFault> {
        let case: CaseId = head.dispatch.case;
        let Some(about) = self.consignment_of(head.dispatch.id)? else {
            return Ok(true);
        };
        if self.road.journal.receipt_about(case, &about.leaf)?.is_some() {
            return Ok(true);
        }
        let Some(to) = self.road.journal.case(case)?.and_then(|head| head.sender) else {
            return Ok(true);
        };
        let checkpoint = self.road.journal.checkpoint_before(about.position)?;
        let owed = OwedReceipt {
            kind: ReceiptKind::ContentConsignment,
            about,
            case,
            to,
            checkpoint,
        };
        let told = tell::issue(self.road.clone(), owed).await;
        if let Err(fault) = &told {
            warn!(stage = "sweep", error = %fault, "a consignment could not be told now");
        }
        Ok(told.is_ok())
    }

    fn consignment_of(&self, dispatch: DispatchId) -> Result<Option<Recorded>, StoreFault> {
        let is_it = |recorded: &Recorded| matches!(&recorded.event.happening, Happening::Consigned(_));
        Ok(self.road.journal.moves(dispatch)?.into_iter().find(is_it))
    }
}
