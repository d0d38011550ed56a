//! The pump of one lane: from its queues to its channel, and settlements back.
//!
//! **Invariant:** consumers are begun one after another, and none while the budget is spent, so that a full broker is
//! opened slowly.
//! **Invariant:** a settlement of another channel than the one of now frees its bytes and does nothing else.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::AccountId;
use futures_util::stream::SelectAll;
use futures_util::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::types::ShortString;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::budget::{Budget, Pace, QueueNumber};
use super::feed::{Begin, Feed, Fulfilled, Item, end};
use super::source::{LOOK_AGAIN, Source, Standing};
use super::turns::Turns;
use super::window::{Acknowledgement, Window};
use super::{Arrival, DROPPED_PAUSE, Intake, Lane, Settle, Settlement, Verdict, is_copy};
use crate::broker::connection::Session;
use crate::broker::publish::{current, replaced};
use crate::broker::topology;

/// A channel that failed is opened again after this time.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
/// How often dropped copies are told: one message may name thousands of intakes.
const COPIES_EVERY: Duration = Duration::from_secs(60);
/// Deliveries taken before settlements have their turn.
const BURST: usize = 64;

enum Order {
    Begin(QueueNumber),
    End(QueueNumber),
}

type Underway = Pin<Box<dyn Future<Output = (Fulfilled, Option<Channel>)> + Send>>;

/// What lives as long as one channel.
struct Serving {
    session: Arc<Session>,
    channel: Channel,
    number: u64,
    feeds: SelectAll<Feed>,
    window: Window,
    turns: Turns<Option<AccountId>, Arrival>,
    /// Deliveries to give back, soonest first.
    later: BinaryHeap<Reverse<(Instant, u64)>>,
    orders: VecDeque<Order>,
    underway: Option<Underway>,
    probe: Option<Channel>,
    prefetch: u16,
    tags: u64,
    acknowledgements: Vec<Acknowledgement>,
}

/// The pump of one lane.
pub(crate) struct Pump {
    lane: Lane,
    intake: Arc<Intake>,
    out: mpsc::Sender<Arrival>,
    settle: mpsc::UnboundedSender<Settlement>,
    settlements: mpsc::UnboundedReceiver<Settlement>,
    budget: Budget,
    sources: Vec<Source>,
    numbers: HashMap<String, QueueNumber>,
    /// Copies that were dropped, and when that was told.
    copies: u64,
    copies_told: Option<Instant>,
}

impl Pump {
    /// A pump that has taken nothing yet.
    pub(crate) fn new(lane: Lane, intake: Arc<Intake>, out: mpsc::Sender<Arrival>) -> Pump {
        let (settle, settlements) = mpsc::unbounded_channel();
        let budget = Budget::new(intake.limits.unsettled_bytes_max);
        Pump {
            lane,
            intake,
            out,
            settle,
            settlements,
            budget,
            sources: Vec::new(),
            numbers: HashMap::new(),
            copies: 0,
            copies_told: None,
        }
    }

    /// Serves one session after another, for ever.
    pub(crate) async fn run(mut self) {
        let mut sessions = self.intake.keeper.sessions();
        for number in 1.. {
            let session = current(&mut sessions).await;
            if let Err(error) = self.serve(&session, number).await {
                tracing::warn!(lane = self.lane.word(), %error, "consuming interrupted");
            }
            if sessions
                .borrow()
                .as_ref()
                .is_some_and(|now| now.number == session.number)
            {
                sleep(REOPEN_PAUSE).await;
            }
        }
    }

    /// Until the channel or its connection is gone.
    async fn serve(&mut self, session: &Arc<Session>, number: u64) -> lapin::Result<()> {
        let mut sessions = self.intake.keeper.sessions();
        let mut wanted = self.intake.wanted.subscribe();
        let mut proofs = self.intake.keeper.proofs();
        let out = self.out.clone();
        let channel = session.connection.create_channel().await?;
        let mut serving = Serving::new(Arc::clone(session), channel, number);
        let mut look_again = interval(LOOK_AGAIN);
        look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.begin_anew();
        self.reconcile(&mut serving);
        loop {
            self.drain(&mut serving)?;
            let next_return = serving.later.peek().map(|Reverse((at, _))| *at);
            tokio::select! {
                settlement = self.settlements.recv() => {
                    let settlement = settlement.expect("the pump holds a sender");
                    self.settled(&mut serving, &settlement);
                }
                Some((queue, item)) = serving.feeds.next() => self.taken(&mut serving, queue, item)?,
                permit = out.reserve(), if !serving.turns.is_empty() && !out.is_closed() => {
                    if let (Ok(permit), Some(arrival)) = (permit, serving.turns.next()) {
                        permit.send(arrival);
                    }
                }
                (fulfilled, probe) = underway(&mut serving.underway) => {
                    serving.underway = None;
                    serving.probe = probe.or(serving.probe.take());
                    self.fulfilled(&mut serving, fulfilled)?;
                }
                changed = wanted.changed() => {
                    changed.expect("the intake owns the sender");
                    self.reconcile(&mut serving);
                }
                changed = proofs.changed() => {
                    changed.expect("the keeper owns the sender");
                    self.reconcile(&mut serving);
                }
                () = sleep_until(next_return.unwrap_or_else(Instant::now)), if next_return.is_some() => {}
                _ = look_again.tick() => self.look_again(&mut serving),
                () = replaced(&mut sessions, session.number) => return Ok(()),
            }
        }
    }

    /// All that can be done without waiting.
    fn drain(&mut self, serving: &mut Serving) -> lapin::Result<()> {
        while let Ok(settlement) = self.settlements.try_recv() {
            self.settled(serving, &settlement);
        }
        serving.give_back_due()?;
        serving.acknowledge()?;
        for _ in 0..BURST {
            let Some(Some((queue, item))) = serving.feeds.next().now_or_never() else {
                break;
            };
            self.taken(serving, queue, item)?;
        }
        while !serving.turns.is_empty() {
            let Ok(permit) = self.out.try_reserve() else { break };
            permit.send(serving.turns.next().expect("not empty"));
        }
        while serving.underway.is_none() {
            let Some(order) = serving.orders.pop_front() else {
                break;
            };
            self.carry_out(serving, &order);
        }
        Ok(())
    }

    fn settled(&mut self, serving: &mut Serving, settlement: &Settlement) {
        for queue in self.budget.release(settlement.bytes) {
            let source = &mut self.sources[queue];
            if source.standing == Standing::Resting {
                source.standing = Standing::Due;
                serving.orders.push_back(Order::Begin(queue));
            }
        }
        if settlement.channel != serving.number {
            return;
        }
        match settlement.verdict {
            Verdict::Done => serving.window.settle(settlement.tag),
            Verdict::NotNow(after) => serving
                .later
                .push(Reverse((Instant::now() + after, settlement.tag))),
        }
    }

    fn taken(&mut self, serving: &mut Serving, queue: QueueNumber, item: Item) -> lapin::Result<()> {
        match item {
            Item::Delivery(delivery) => {
                self.delivered(serving, queue, *delivery);
                Ok(())
            }
            Item::Ended => {
                self.ended(serving, queue);
                Ok(())
            }
            Item::Failed(error) => Err(error),
        }
    }

    fn delivered(&mut self, serving: &mut Serving, queue: QueueNumber, delivery: Delivery) {
        let bytes = u64::try_from(delivery.data.len()).expect("a length fits 64 bits");
        let settle = Settle {
            to: self.settle.clone(),
            channel: serving.number,
            tag: delivery.delivery_tag,
            bytes,
            verdict: Verdict::NotNow(DROPPED_PAUSE),
        };
        let arrival = Arrival::new(self.lane, delivery, settle);
        let pace = self.budget.take(queue, bytes);
        let name = &self.sources[queue].queue;
        if is_copy(self.lane, name, &arrival) {
            self.copies += 1;
            if self.copies_told.is_none_or(|at| COPIES_EVERY <= at.elapsed()) {
                let (copies, key) = (self.copies, &arrival.routing_key);
                tracing::warn!(
                    queue = name,
                    key,
                    copies,
                    "copies of other intakes' messages are dropped"
                );
                self.copies_told = Some(Instant::now());
            }
            arrival.settle.done();
        } else {
            serving.turns.push(arrival.account.clone().ok(), arrival);
        }
        if pace == Pace::Rest {
            self.ask_to_end(serving, queue);
        }
    }

    fn ask_to_end(&mut self, serving: &mut Serving, queue: QueueNumber) {
        let source = &mut self.sources[queue];
        if source.standing == Standing::Open {
            source.standing = Standing::Ending;
            serving.orders.push_front(Order::End(queue));
        }
    }

    /// A feed is over: because we asked, or because the queue was deleted.
    fn ended(&mut self, serving: &mut Serving, queue: QueueNumber) {
        let rests = self.budget.rests(queue);
        let source = &mut self.sources[queue];
        match (source.wanted, source.standing == Standing::Ending) {
            (false, _) => source.idle(),
            (true, false) => {
                tracing::warn!(queue = source.queue, "an intake was deleted");
                source.miss();
            }
            (true, true) if rests => source.standing = Standing::Resting,
            (true, true) => {
                serving.orders.push_back(Order::Begin(queue));
                source.standing = Standing::Due;
            }
        }
    }

    fn carry_out(&mut self, serving: &mut Serving, order: &Order) {
        match *order {
            Order::End(queue) => {
                let (channel, tag) = (serving.channel.clone(), self.sources[queue].tag.clone());
                serving.underway = Some(Box::pin(async { (end(channel, tag).await, None) }));
            }
            Order::Begin(queue) => {
                let source = &mut self.sources[queue];
                if source.standing != Standing::Due {
                    return;
                }
                if self.budget.is_spent() {
                    self.budget.rest(queue);
                    source.standing = Standing::Resting;
                    return;
                }
                let wanted = self.sources.iter().filter(|source| source.wanted).count();
                let prefetch = self.intake.limits.prefetch(wanted);
                self.sources[queue].tag = serving.new_tag();
                let begin = serving.begin(queue, &self.sources[queue], prefetch);
                serving.underway = Some(Box::pin(begin.fulfil()));
            }
        }
    }

    fn fulfilled(&mut self, serving: &mut Serving, fulfilled: Fulfilled) -> lapin::Result<()> {
        match fulfilled {
            Fulfilled::Begun(queue, consumer) => {
                serving.feeds.push(Feed::new(queue, consumer));
                let source = &mut self.sources[queue];
                source.open();
                if !source.wanted {
                    self.ask_to_end(serving, queue);
                }
            }
            Fulfilled::Missing(queue) => {
                let source = &mut self.sources[queue];
                if source.wanted {
                    source.miss();
                } else {
                    source.idle();
                }
            }
            Fulfilled::Ended => {}
            Fulfilled::Failed(error) => return Err(error),
        }
        Ok(())
    }

    /// A new channel has no consumers.
    fn begin_anew(&mut self) {
        self.budget.wake_all();
        for source in &mut self.sources {
            source.idle();
        }
    }

    fn look_again(&mut self, serving: &mut Serving) {
        let now = Instant::now();
        for (queue, source) in self.sources.iter_mut().enumerate() {
            if source.is_looked_for(now) {
                source.standing = Standing::Due;
                serving.orders.push_back(Order::Begin(queue));
            }
        }
    }

    /// Brings the consumers in line with what is wanted now.
    fn reconcile(&mut self, serving: &mut Serving) {
        let wanted = self.wanted_queues(serving.session.number);
        for queue in 0..self.sources.len() {
            let source = &mut self.sources[queue];
            source.wanted = wanted.contains(&source.queue);
            if !source.wanted {
                match source.standing {
                    Standing::Open => self.ask_to_end(serving, queue),
                    Standing::Due | Standing::Resting | Standing::Missing(_) => source.idle(),
                    Standing::Idle | Standing::Ending => {}
                }
            }
        }
        for queue in wanted {
            let number = self.number(queue);
            let source = &mut self.sources[number];
            source.wanted = true;
            if source.standing == Standing::Idle {
                source.standing = Standing::Due;
                serving.orders.push_back(Order::Begin(number));
            }
        }
    }

    fn wanted_queues(&self, session: u64) -> HashSet<String> {
        let wanted = self.intake.wanted.borrow();
        if wanted.stopped || *self.intake.keeper.proofs().borrow() != Some(session) {
            return HashSet::new();
        }
        match self.lane {
            Lane::Urgent => HashSet::from([topology::URGENT_QUEUE.to_owned()]),
            Lane::Confirm => HashSet::from([topology::CONFIRM_QUEUE.to_owned()]),
            Lane::Normal => wanted.accounts.iter().map(topology::intake_queue).collect(),
        }
    }

    fn number(&mut self, queue: String) -> QueueNumber {
        if let Some(number) = self.numbers.get(&queue) {
            return *number;
        }
        let number = self.sources.len();
        self.numbers.insert(queue.clone(), number);
        self.sources.push(Source::new(queue));
        number
    }
}

impl Serving {
    fn new(session: Arc<Session>, channel: Channel, number: u64) -> Serving {
        Serving {
            session,
            channel,
            number,
            feeds: SelectAll::new(),
            window: Window::new(),
            turns: Turns::new(),
            later: BinaryHeap::new(),
            orders: VecDeque::new(),
            underway: None,
            probe: None,
            prefetch: 0,
            tags: 0,
            acknowledgements: Vec::new(),
        }
    }

    fn new_tag(&mut self) -> ShortString {
        self.tags += 1;
        format!("c{}", self.tags).into()
    }

    fn begin(&mut self, number: QueueNumber, source: &Source, prefetch: u16) -> Begin {
        let changed = prefetch != self.prefetch;
        self.prefetch = prefetch;
        Begin {
            session: Arc::clone(&self.session),
            channel: self.channel.clone(),
            probe: self.probe.take(),
            number,
            queue: source.queue.clone(),
            tag: source.tag.clone(),
            prefetch: changed.then_some(prefetch),
        }
    }

    /// Sends back what has waited long enough.
    fn give_back_due(&mut self) -> lapin::Result<()> {
        let now = Instant::now();
        while let Some(Reverse((at, tag))) = self.later.peek().copied() {
            if at > now {
                break;
            }
            self.later.pop();
            if self.window.give_back(tag) {
                let options = BasicNackOptions {
                    multiple: false,
                    requeue: true,
                };
                sent(self.channel.basic_nack(tag, options).now_or_never())?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self) -> lapin::Result<()> {
        self.window.flush(&mut self.acknowledgements);
        for acknowledgement in self.acknowledgements.drain(..) {
            let (tag, multiple) = match acknowledgement {
                Acknowledgement::One(tag) => (tag, false),
                Acknowledgement::UpTo(tag) => (tag, true),
            };
            sent(
                self.channel
                    .basic_ack(tag, BasicAckOptions { multiple })
                    .now_or_never(),
            )?;
        }
        Ok(())
    }
}

/// The first poll hands the frame to lapin's own queue; nobody waits until it is written. Frames keep their order,
/// and a connection that breaks before shows in the feeds.
fn sent(outcome: Option<lapin::Result<()>>) -> lapin::Result<()> {
    outcome.unwrap_or(Ok(()))
}

async fn underway(order: &mut Option<Underway>) -> (Fulfilled, Option<Channel>) {
    match order {
        Some(order) => order.await,
        None => std::future::pending().await,
    }
}
