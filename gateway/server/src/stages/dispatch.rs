//! Dispatch: puts what is due into inboxes, a window at a time.
//!
//! An inbox holds at most a window of unhandled dispatches; the rest waits in the journal, where recall, urgency and
//! expiry cost nothing. What is in which inbox is a fold of the journal; this stage holds a copy in memory.
//!
//! **Invariant:** a dispatch goes into an inbox again only on proof of loss, which is an event and makes it due: the
//! broker lost its state, the inbox lost it or is another's now, or nobody knows whether the attempt got there.
//! **Invariant:** an inbox gets a document once, also when several of its addressees were merged (`dispatch/twin.rs`).
//! **Invariant:** one addressee that cannot be reached never delays another; nothing is sent to it before its rest is
//! over, however much is due; but for what a recall waits for, once each time that the recall was attempted.

mod attempt;
mod body;
mod damage;
mod lane;
mod parcel;
mod twin;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::dispatch::{DispatchState, Rank};
use domain::ids::{AccountId, AgencyId, DispatchId};
use domain::port::{DispatchHead, StoreFault};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::{info, warn};

use self::attempt::{Attempt, Ending, Turns};
use self::damage::Damage;
use self::lane::Lanes;
use super::Road;
use super::signal::DispatchNews;

/// Attempts that exist at once, running or waiting for their turn, before no more are begun.
const UNDER_WAY_MAX: usize = 4096;
/// How long an addressee rests of which one dispatch waits for another.
const WAIT_REST: Duration = Duration::from_millis(500);

struct Dispatcher {
    road: Road,
    turns: Arc<Turns>,
    lanes: Lanes,
    under_way: FuturesUnordered<BoxFuture<'static, Attempt>>,
    /// Addressees that rest, because an attempt into this inbox of theirs could not be made now (or into any), with the moment
    /// to look again.
    resting: HashMap<(AgencyId, Option<AccountId>), Instant>,
    /// Dispatches whose bytes cannot be read.
    damage: Damage,
    /// Whether what lies in the inboxes was read since the start; nothing is sent before.
    resumed: bool,
    /// Whether inboxes may belong to others than before.
    inherited: bool,
    /// Whose turn is next.
    next: AgencyId,
    /// How often everything was lost, and how often an inbox: what was under way into it then may be gone with it.
    losses: u64,
    inbox_losses: HashMap<AccountId, u64>,
}

/// Dispatches until `news` ends.
pub async fn dispatch(road: Road, mut news: mpsc::Receiver<DispatchNews>) {
    let mut dispatcher = Dispatcher {
        lanes: Lanes::new(road.rules.window, road.rules.window_urgent),
        turns: Arc::new(Turns::new(&road.rules)),
        road: road.clone(),
        under_way: FuturesUnordered::new(),
        resting: HashMap::new(),
        damage: Damage::new(road.rules.damaged_rest, road.rules.damaged_passed_over_max),
        resumed: false,
        inherited: true,
        next: AgencyId::from_number(0),
        losses: 0,
        inbox_losses: HashMap::new(),
    };
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            biased;
            item = news.recv() => match item {
                Some(item) => dispatcher.hear(item),
                None => return,
            },
            Some(attempt) = dispatcher.under_way.next(), if !dispatcher.under_way.is_empty() => {
                dispatcher.finish(attempt);
            }
            due = road.signals.due.take(), if dispatcher.resumed && dispatcher.under_way.len() < UNDER_WAY_MAX => {
                dispatcher.fill_all(due);
            }
            _ = tick.tick() => dispatcher.look_again(),
        }
    }
}

impl Dispatcher {
    /// Takes up what the journal says: inboxes as they are, and everybody for whom something is due.
    fn resume(&mut self) -> Result<(), StoreFault> {
        for agency in self.road.journal.flying()? {
            for head in self.road.journal.in_inbox(agency)? {
                if let Some(account) = &head.consigned_to {
                    self.lanes.board(account, head.dispatch.id);
                }
            }
        }
        self.road.signals.due.add(self.road.journal.waiting()?);
        self.resumed = true;
        Ok(())
    }

    fn hear(&mut self, news: DispatchNews) {
        match news {
            DispatchNews::Settled(ids) => {
                for id in ids {
                    self.mend(id);
                    let freed = self.lanes.leave(id);
                    self.road.signals.due.add(freed);
                }
            }
            DispatchNews::GivenUp(id) => self.mend(id),
            DispatchNews::DueAgain(ids) => ids.into_iter().for_each(|id| self.give_place_back(id)),
            DispatchNews::BrokerLost => {
                self.losses += 1;
                self.lanes.empty_all();
                self.wake_all();
            }
            DispatchNews::InboxLost(account) => {
                *self.inbox_losses.entry(account.clone()).or_insert(0) += 1;
                self.take_back_all(|head, _| head.consigned_to.as_ref() == Some(&account));
                self.wake_all();
            }
            DispatchNews::DirectoryChanged => self.inherited = true,
        }
    }

    /// Of one that was given up in an inbox and is due again. One of which an attempt runs, or ended meanwhile, has its place
    /// by that.
    fn give_place_back(&mut self, id: DispatchId) {
        let is_due = match self.road.journal.dispatch(id) {
            Ok(head) => head.is_some_and(|head| head.state == DispatchState::Due),
            Err(fault) => {
                warn!(stage = "dispatch", dispatch.id = %id, error = %fault, "it could not be read; its place is given back");
                true
            }
        };
        if is_due && !self.lanes.is_running(id) {
            let freed = self.lanes.leave(id);
            self.road.signals.due.add(freed);
        }
    }

    /// Rises when what lay in the inbox of this account was lost.
    fn losses_of(&self, account: &AccountId) -> u64 {
        self.losses + self.inbox_losses.get(account).copied().unwrap_or(0)
    }

    fn wake_all(&self) {
        match self.road.journal.waiting() {
            Ok(waiting) => self.road.signals.due.add(waiting),
            Err(fault) => warn!(stage = "dispatch", error = %fault, "who waits could not be read"),
        }
    }

    /// Makes due again what lies in an inbox for which `lost` says so, given the dispatch and where it belongs now.
    /// Says whether everything could be looked at.
    fn take_back_all(&mut self, lost: impl Fn(&DispatchHead, &AccountId) -> bool) -> bool {
        let found = self.road.journal.flying().and_then(|agencies| {
            let heads = agencies
                .into_iter()
                .map(|agency| self.road.journal.in_inbox(agency));
            heads.collect::<Result<Vec<_>, _>>()
        });
        let heads = match found {
            Ok(heads) => heads,
            Err(fault) => {
                warn!(stage = "dispatch", error = %fault, "what lies in the inboxes could not be read");
                return false;
            }
        };
        let (directory, now) = (self.road.journal.directory(), self.road.now());
        for head in heads.into_iter().flatten() {
            // What is under way is taken back when it ends.
            if self.lanes.is_running(head.dispatch.id) {
                continue;
            }
            let is_lost = match directory.inbox_of(&head.dispatch, now) {
                Some(belongs_in) => lost(&head, &belongs_in),
                // Nobody has that inbox any more; what was given up there is gone with it.
                None => head.state == DispatchState::Failed,
            };
            if is_lost {
                self.take_back(head);
            }
        }
        true
    }

    /// Makes one dispatch due again; its place is given back when that is recorded.
    fn take_back(&mut self, head: DispatchHead) {
        let Some(account) = head.consigned_to.clone() else {
            return;
        };
        self.lanes.begin(&account, head.dispatch.id);
        let (road, losses) = (self.road.clone(), self.losses_of(&account));
        self.under_way.push(Box::pin(async move {
            let ending = attempt::take_back(&road, &head, &account).await;
            Attempt {
                head,
                account,
                losses,
                ending,
            }
        }));
    }

    fn look_again(&mut self) {
        if !self.resumed
            && let Err(fault) = self.resume()
        {
            warn!(stage = "dispatch", error = %fault, "what lies in the inboxes could not be read; looked for again");
            return;
        }
        // What lies in an inbox that is no longer its addressee's goes to the heir's; after a start, too: the directory
        // may have changed while no gateway ran.
        if self.inherited {
            let moved = |head: &DispatchHead, belongs_in: &AccountId| {
                head.consigned_to
                    .as_ref()
                    .is_some_and(|lies_in| lies_in != belongs_in)
            };
            self.inherited = !self.take_back_all(moved);
            self.wake_all();
        }
        let now = Instant::now();
        let ripe = self.resting.extract_if(|_, until| *until <= now);
        let mut ripe: BTreeSet<AgencyId> = ripe.map(|((agency, _), _)| agency).collect();
        for (id, agency) in self.damage.ripe(now) {
            // What was given up or recalled meanwhile is tried no more.
            match self.road.journal.dispatch(id) {
                Ok(Some(head)) if head.state == DispatchState::Due => drop(ripe.insert(agency)),
                Ok(_) => self.mend(id),
                Err(_) => drop(ripe.insert(agency)),
            }
        }
        if !ripe.is_empty() {
            self.fill_all(ripe);
        }
    }

    /// Fills the inboxes of these, as many as may be under way; the others come next, and nobody always first.
    fn fill_all(&mut self, agencies: BTreeSet<AgencyId>) {
        let (before, from) = (agencies.range(..self.next), agencies.range(self.next..));
        for &agency in from.chain(before) {
            if UNDER_WAY_MAX <= self.under_way.len() {
                self.road.signals.due.add([agency]);
                continue;
            }
            self.next = agency;
            if let Err(fault) = self.fill(agency) {
                warn!(stage = "dispatch", agency.id = %agency, error = %fault, "what is due could not be read");
                self.rest((agency, None), self.road.rules.retry_after);
            }
        }
    }

    /// Sends what is due for this addressee as far as its inboxes have room: it has one for each of its document systems, and
    /// none of these waits for another.
    fn fill(&mut self, agency: AgencyId) -> Result<(), StoreFault> {
        if self.resting.contains_key(&(agency, None)) {
            return Ok(());
        }
        let (directory, now) = (self.road.journal.directory(), self.road.now());
        if directory.inbox_account(agency, now).is_none() {
            self.rest((agency, None), self.road.rules.retry_after);
            return Ok(());
        }
        let (lanes, resting, damage) = (RefCell::new(&mut self.lanes), &self.resting, &self.damage);
        let tried_at = Instant::now();
        // An attempt runs, or was made a short while ago: they are due still.
        let passed_over = |id| lanes.borrow().is_running(id) || damage.rests(id, tried_at);
        let mut wanted = |first: &DispatchHead| {
            let account = directory.inbox_of(&first.dispatch, now);
            let Some(account) = account.filter(|one| !resting.contains_key(&(agency, Some(one.clone()))))
            else {
                return 0;
            };
            let mut lanes = lanes.borrow_mut();
            // What is urgent comes first: where there is no room for the first there is none for any of them.
            if !lanes.has_room(&account, first.dispatch.rank) {
                lanes.wait(&account, agency);
                return 0;
            }
            // One of those that could not be read is tried at a time, the others are passed over below.
            lanes.room(&account) + damage.of(agency)
        };
        let due = self
            .road
            .journal
            .due_by_system(agency, &passed_over, &mut wanted)?;
        // What is for the agency and what one of its systems waits for may go into one inbox: none of both behind the other.
        let mut inboxes: BTreeMap<AccountId, Vec<DispatchHead>> = BTreeMap::new();
        for heads in due {
            let account = heads
                .first()
                .and_then(|first| directory.inbox_of(&first.dispatch, now));
            if let Some(account) = account {
                inboxes.entry(account).or_default().extend(heads);
            }
        }
        for (account, mut heads) in inboxes {
            // An id begins with the time of its event. What could not be read is tried behind what can be, in turns.
            heads.sort_by_key(|head| {
                let id = head.dispatch.id;
                (head.dispatch.rank, self.damage.tried(id), id)
            });
            self.fill_inbox(agency, &account, heads);
        }
        Ok(())
    }

    /// Sends these into an inbox as far as it has room, and looks again when there is more.
    fn fill_inbox(&mut self, agency: AgencyId, account: &AccountId, due: Vec<DispatchHead>) {
        let mut is_all = due.len() < self.lanes.room(account) + self.damage.of(agency);
        let mut is_probing = false;
        for head in due {
            let id = head.dispatch.id;
            // What was given up there, and is due again.
            if self.lanes.account_of(id).is_some() {
                let freed = self.lanes.leave(id);
                self.road.signals.due.add(freed);
            }
            if !self.lanes.has_room(account, head.dispatch.rank) {
                self.lanes.wait(account, agency);
                return;
            }
            // One at a time of those that could not be read: most of them still cannot, and the others have the room.
            if self.damage.tried(id).is_some() && std::mem::replace(&mut is_probing, true) {
                is_all = false;
                continue;
            }
            self.send(head, account.clone());
        }
        if !is_all {
            self.lanes.wait(account, agency);
        }
    }

    fn send(&mut self, head: DispatchHead, account: AccountId) {
        self.lanes.begin(&account, head.dispatch.id);
        let (road, turns, losses) = (
            self.road.clone(),
            Arc::clone(&self.turns),
            self.losses_of(&account),
        );
        self.under_way.push(Box::pin(async move {
            let ending = attempt::send(&road, &turns, &head, &account).await;
            Attempt {
                head,
                account,
                losses,
                ending,
            }
        }));
    }

    fn finish(&mut self, attempt: Attempt) {
        let Attempt {
            mut head,
            account,
            losses,
            ending,
        } = attempt;
        let (id, to) = (head.dispatch.id, head.dispatch.to);
        self.lanes.end(id);
        match ending {
            Ending::Damaged => self.set_aside(id, to),
            Ending::Consigned | Ending::Full | Ending::NoInbox | Ending::Over => self.mend(id),
            // Nobody has read it.
            Ending::NotNow | Ending::DueAgain | Ending::Waits | Ending::Behind(_) => {}
        }
        match ending {
            Ending::Consigned => {
                let (is_free, woken) = self.lanes.took(&account);
                if is_free {
                    info!(stage = "dispatch", account.id = %account, "the inbox takes dispatches again");
                }
                self.road.signals.due.add(woken);
                // The inbox may have been lost, or become another's, between the hand-over and its record.
                let directory = self.road.journal.directory();
                let belongs_in = directory.inbox_of(&head.dispatch, self.road.now());
                if losses != self.losses_of(&account)
                    || belongs_in.is_some_and(|belongs_in| belongs_in != account)
                {
                    head.consigned_to = Some(account);
                    self.take_back(head);
                }
            }
            Ending::Over | Ending::Damaged => {
                self.lanes.look_past(&account);
                let freed = self.lanes.leave(id);
                self.road.signals.due.add(freed);
            }
            Ending::DueAgain => {
                let freed = self.lanes.leave(id);
                self.road.signals.due.add(freed.into_iter().chain([to]));
            }
            Ending::NotNow => self.leave_for_now(id, (to, account), self.road.rules.retry_after),
            Ending::Full => {
                if self.lanes.found_full(&account) {
                    warn!(stage = "dispatch", account.id = %account, "the inbox takes no more: its reader must empty it, unless its queue is in trouble at the broker; tried now and then");
                }
                self.leave_for_now(id, (to, account), self.road.rules.retry_after);
            }
            Ending::Waits => {
                self.lanes.look_past(&account);
                self.leave_for_now(id, (to, account), self.road.rules.retry_after.min(WAIT_REST))
            }
            Ending::Behind(first) => {
                self.lanes.look_past(&account);
                self.leave_for_now(
                    id,
                    (to, account.clone()),
                    self.road.rules.retry_after.min(WAIT_REST),
                );
                self.let_first(*first, &account, head.dispatch.rank);
            }
            Ending::NoInbox => {
                warn!(stage = "dispatch", account.id = %account, "the account has no inbox; provision the broker");
                self.leave_for_now(id, (to, account), self.road.rules.retry_after);
            }
        }
    }

    /// Its bytes cannot be read: it is tried again later, and everybody else goes on; but for its addressee, where that holds
    /// for too many.
    fn set_aside(&mut self, id: DispatchId, agency: AgencyId) {
        if !self.damage.set_aside(id, agency, Instant::now()) {
            self.rest((agency, None), self.road.rules.damaged_rest);
        }
        self.road.troubles.tell_unreadable(self.damage.count());
    }

    /// It could be read, or is settled: the next one of those for the same addressee may be tried.
    fn mend(&mut self, id: DispatchId) {
        if let Some(agency) = self.damage.mend(id) {
            self.road.troubles.tell_unreadable(self.damage.count());
            self.road.signals.due.add([agency]);
        }
    }

    /// What a recall waits for may lie far behind it, in the order of urgency: it is attempted now, in the place that the
    /// recall had if it will not need it for long.
    fn let_first(&mut self, first: DispatchHead, account: &AccountId, rank: Rank) {
        let directory = self.road.journal.directory();
        if directory.inbox_of(&first.dispatch, self.road.now()).as_ref() != Some(account) {
            // It goes into another inbox, and has its turn there.
            return;
        }
        let is_withdrawn_soon = first.consigned_at.is_none();
        // Nothing is read of what is only withdrawn.
        if !is_withdrawn_soon && self.damage.rests(first.dispatch.id, Instant::now()) {
            return;
        }
        let rank = if is_withdrawn_soon {
            rank
        } else {
            first.dispatch.rank
        };
        if self.lanes.account_of(first.dispatch.id).is_none() && self.lanes.has_room(account, rank) {
            self.send(first, account.clone());
        }
    }

    /// Its addressee rests before its place is free: it would be the first to take it again.
    fn leave_for_now(&mut self, id: DispatchId, (to, account): (AgencyId, AccountId), rest: Duration) {
        self.rest((to, Some(account)), rest);
        let freed = self.lanes.leave(id);
        self.road.signals.due.add(freed);
    }

    fn rest(&mut self, who: (AgencyId, Option<AccountId>), rest: Duration) {
        self.resting.entry(who).or_insert(Instant::now() + rest);
    }
}
