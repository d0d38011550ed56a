//! Dispatch: puts what is due into inboxes, a window at a time.
//!
//! An inbox holds at most a window of unhandled dispatches; the rest waits in the journal, where recall, urgency and
//! expiry cost nothing. What is in which inbox is a fold of the journal; this stage holds a copy in memory.
//!
//! **Invariant:** a dispatch goes into an inbox again only on proof of loss: the broker lost its state, the inbox is
//! another's now, or nobody knows whether the attempt got there.
//! **Invariant:** one addressee that cannot be reached never delays another.

mod lane;
mod parcel;

use std::collections::BTreeSet;
use std::time::Instant;

use domain::dispatch::DispatchState;
use domain::event::{Happening, Moved};
use domain::ids::{AccountId, AgencyId, DispatchId};
use domain::port::{Appended, Commit, DispatchHead, Expectation, Outcome, StoreFault};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::{info, warn};

use self::lane::Lanes;
use super::Road;
use super::record::announce;
use super::signal::DispatchNews;
use crate::telemetry::Stage;

/// Parcels on their way to the broker at most, over all inboxes.
const UNDER_WAY_MAX: usize = 1024;

/// What became of one attempt.
struct Attempt {
    head: DispatchHead,
    account: AccountId,
    ending: Ending,
}

enum Ending {
    /// In the inbox, or withdrawn: recorded.
    Recorded(DispatchState),
    /// Somebody else settled it meanwhile.
    Overtaken,
    /// Try again later.
    NotNow,
    /// The account has no inbox.
    NoInbox,
}

struct Dispatcher {
    road: Road,
    lanes: Lanes,
    under_way: FuturesUnordered<BoxFuture<'static, Attempt>>,
    /// Addressees whose lane was full or failing, with the moment to look again.
    later: Vec<(Instant, AgencyId)>,
}

/// Dispatches until `news` ends.
pub async fn dispatch(road: Road, mut news: mpsc::Receiver<DispatchNews>) {
    let mut dispatcher = Dispatcher {
        lanes: Lanes::new(road.rules.window, road.rules.window_urgent),
        road: road.clone(),
        under_way: FuturesUnordered::new(),
        later: Vec::new(),
    };
    if let Err(fault) = dispatcher.resume() {
        warn!(stage = "dispatch", error = %fault, "what lies in the inboxes could not be read; looked for again");
    }
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(250));
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
            due = road.signals.due.take(), if dispatcher.under_way.len() < UNDER_WAY_MAX => {
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
            for head in self.road.journal.in_flight(agency)? {
                self.board(&head)?;
            }
        }
        // The directory may have changed while no gateway ran.
        self.move_inherited();
        self.road.signals.due.add(self.road.journal.waiting()?);
        Ok(())
    }

    /// Counts a dispatch as lying in the inbox where it was put: its addressee's own, or, when that has an heir now, the
    /// one that the journal names.
    fn board(&mut self, head: &DispatchHead) -> Result<(), StoreFault> {
        let (directory, now) = (self.road.journal.directory(), self.road.now());
        let to = head.dispatch.to;
        let account = if directory.heir(to, now) == Some(to) {
            directory.inbox_account(to, now)
        } else {
            self.consigned_to(head)?
        };
        if let Some(account) = account {
            self.lanes.board(&account, head.dispatch.id);
        }
        Ok(())
    }

    fn consigned_to(&self, head: &DispatchHead) -> Result<Option<AccountId>, StoreFault> {
        let mut account = None;
        for recorded in self.road.journal.events(head.dispatch.case)? {
            if let Happening::Consigned(moved) = recorded.event.happening
                && moved.dispatch == head.dispatch.id
            {
                account = moved.account;
            }
        }
        Ok(account)
    }

    fn hear(&mut self, news: DispatchNews) {
        match news {
            DispatchNews::Settled(ids) => {
                for id in ids {
                    let freed = self.lanes.leave(id);
                    self.road.signals.due.add(freed);
                }
            }
            DispatchNews::BrokerLost => {
                self.lanes.clear();
                self.wake_all();
            }
            DispatchNews::InboxLost(account) => {
                self.send_again(|lies_in, _| *lies_in == account);
                self.wake_all();
            }
            DispatchNews::DirectoryChanged => {
                self.move_inherited();
                self.wake_all();
            }
        }
    }

    fn wake_all(&self) {
        match self.road.journal.waiting() {
            Ok(waiting) => self.road.signals.due.add(waiting),
            Err(fault) => warn!(stage = "dispatch", error = %fault, "who waits could not be read"),
        }
    }

    /// What lies in an inbox that is no longer its addressee's goes to the heir's.
    fn move_inherited(&mut self) {
        self.send_again(|lies_in, belongs_in| lies_in != belongs_in);
    }

    /// Sends again what lies in an inbox for which `lost` says so, given where it lies and where it belongs now.
    fn send_again(&mut self, lost: impl Fn(&AccountId, &AccountId) -> bool) {
        let found = self.road.journal.flying().and_then(|agencies| {
            let heads = agencies
                .into_iter()
                .map(|agency| self.road.journal.in_flight(agency));
            heads.collect::<Result<Vec<_>, _>>()
        });
        let heads = match found {
            Ok(heads) => heads,
            Err(fault) => {
                warn!(stage = "dispatch", error = %fault, "what lies in the inboxes could not be read");
                return;
            }
        };
        let (directory, now) = (self.road.journal.directory(), self.road.now());
        for head in heads.into_iter().flatten() {
            let Some(account) = directory.inbox_account(head.dispatch.to, now) else {
                continue;
            };
            let lies_in = self.lanes.account_of(head.dispatch.id);
            if lies_in.is_some_and(|lies_in| lost(lies_in, &account)) {
                self.lanes.leave(head.dispatch.id);
                self.send(head, account);
            }
        }
    }

    fn look_again(&mut self) {
        let now = Instant::now();
        let (ripe, later): (Vec<_>, Vec<_>) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        let ripe: BTreeSet<AgencyId> = ripe.into_iter().map(|(_, agency)| agency).collect();
        if !ripe.is_empty() {
            self.fill_all(ripe);
        }
    }

    fn fill_all(&mut self, agencies: BTreeSet<AgencyId>) {
        for agency in agencies {
            if let Err(fault) = self.fill(agency) {
                warn!(stage = "dispatch", agency.id = %agency, error = %fault, "what is due could not be read");
                self.try_later(agency);
            }
        }
    }

    /// Sends what is due for this addressee as far as its inbox has room.
    fn fill(&mut self, agency: AgencyId) -> Result<(), StoreFault> {
        let now = self.road.now();
        let Some(account) = self.road.journal.directory().inbox_account(agency, now) else {
            self.try_later(agency);
            return Ok(());
        };
        let under_way_here = self.lanes.taken(&account);
        let room = self.lanes.room(&account);
        if room == 0 {
            self.lanes.wait(&account, agency);
            return Ok(());
        }
        // Those under way are still due in the index; they are passed over below.
        let limit = room + under_way_here;
        let due = self.road.journal.due(agency, limit)?;
        let more = due.len() == limit;
        for head in due {
            if self.lanes.account_of(head.dispatch.id).is_some() {
                continue;
            }
            if !self.lanes.has_room(&account, head.dispatch.rank) {
                self.lanes.wait(&account, agency);
                return Ok(());
            }
            self.send(head, account.clone());
        }
        if more {
            self.lanes.wait(&account, agency);
        }
        Ok(())
    }

    fn send(&mut self, head: DispatchHead, account: AccountId) {
        self.lanes.board(&account, head.dispatch.id);
        let road = self.road.clone();
        self.under_way.push(Box::pin(async move {
            let began = Instant::now();
            let ending = attempt(&road, &head, &account).await.unwrap_or_else(|fault| {
                warn!(stage = "dispatch", dispatch.id = %head.dispatch.id, error = %fault, "not now");
                Ending::NotNow
            });
            road.metrics.time(Stage::Dispatch, began.elapsed());
            Attempt {
                head,
                account,
                ending,
            }
        }));
    }

    fn finish(&mut self, attempt: Attempt) {
        let Attempt {
            head,
            account,
            ending,
        } = attempt;
        let id: DispatchId = head.dispatch.id;
        match ending {
            Ending::Recorded(DispatchState::Consigned) => {}
            Ending::Recorded(_) | Ending::Overtaken => {
                let freed = self.lanes.leave(id);
                self.road.signals.due.add(freed);
            }
            Ending::NotNow => {
                self.lanes.leave(id);
                self.try_later(head.dispatch.to);
            }
            Ending::NoInbox => {
                warn!(stage = "dispatch", account.id = %account, "the account has no inbox; provision the broker");
                self.lanes.leave(id);
                self.try_later(head.dispatch.to);
            }
        }
    }

    fn try_later(&mut self, agency: AgencyId) {
        let at = Instant::now() + self.road.rules.retry_after;
        if !self.later.iter().any(|(_, known)| *known == agency) {
            self.later.push((at, agency));
        }
    }
}

/// One attempt: take back what was recalled meanwhile, else hand over and record that it lies in the inbox.
async fn attempt(road: &Road, head: &DispatchHead, account: &AccountId) -> Result<Ending, StoreFault> {
    if parcel::is_recalled(road, head)? {
        return move_on(road, head, None, DispatchState::Withdrawn).await;
    }
    let parcel = parcel::wrap(road, head).await?;
    match road.inbox.hand_over(account.clone(), parcel).await {
        Outcome::Delivered => move_on(road, head, Some(account.clone()), DispatchState::Consigned).await,
        Outcome::Deferred => Ok(Ending::NotNow),
        Outcome::Declined => Ok(Ending::NoInbox),
    }
}

async fn move_on(
    road: &Road,
    head: &DispatchHead,
    account: Option<AccountId>,
    state: DispatchState,
) -> Result<Ending, StoreFault> {
    let dispatch = &head.dispatch;
    let moved = Moved {
        case: dispatch.case,
        dispatch: dispatch.id,
        kind: dispatch.kind,
        to: dispatch.to,
        account,
        at: None,
    };
    let happening = if state == DispatchState::Withdrawn {
        Happening::Withdrawn(moved)
    } else {
        Happening::Consigned(moved)
    };
    // Consigned again is right only for what is still in the state it was taken in: the addressee may have been
    // quicker than this record.
    let states: &'static [DispatchState] = if head.state == DispatchState::Consigned {
        &[DispatchState::Consigned]
    } else {
        &[DispatchState::Due]
    };
    let commit = Commit::of(happening).expecting(Expectation::Dispatch {
        id: dispatch.id,
        states,
    });
    match road.append(commit).await? {
        Appended::Done(recorded) => {
            if state == DispatchState::Withdrawn {
                info!(stage = "dispatch", dispatch.id = %dispatch.id, "withdrawn before it reached the inbox");
                announce(road, &recorded).await;
            }
            Ok(Ending::Recorded(state))
        }
        Appended::Conflict => Ok(Ending::Overtaken),
    }
}
