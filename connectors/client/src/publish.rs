//! Publishing: submissions from the outbox, and confirmations of handover.
//!
//! The only place that publishes: mandatory, persistent, confirmed, under the own user id. Many messages are
//! outstanding at a time, bounded.
//!
//! **Invariant:** taken is what was acknowledged and not returned: an unroutable message is acknowledged too.
//! **Invariant:** whatever way a session ends, what was not confirmed is back in the outbox (`Drop` of [`Flights`]).

mod air;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::dispatch::Rank;
use domain::ids::SubmissionId;
use domain::wire::{self, Confirmation, Stored};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, PublisherConfirm};
use tokio::sync::watch;
use trust::Time;

use self::air::{Air, Landing, Said};
use crate::account::Account;
use crate::clock;
use crate::event::{Event, NotTaken, Side, add};
use crate::session::{Backoff, Ended, Session};
use crate::store::StoreFault;
use crate::store::book::Matter;
use crate::store::record::Record;

/// How often time limits are looked at.
const TICK: Duration = Duration::from_millis(250);

/// When we close, confirms are waited for so long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// AMQP's number for "to disk".
const PERSISTENT: u8 = 2;

/// What a message carries.
enum Cargo {
    Submission(SubmissionId, Rank),
    Handovers(Vec<Stored>),
}

/// What is on its way. Given back when dropped.
struct Flights<'a> {
    account: &'a Account,
    cargo: HashMap<u64, Cargo>,
    next_number: u64,
}

impl Flights<'_> {
    fn add(&mut self, cargo: Cargo) -> u64 {
        self.next_number += 1;
        self.cargo.insert(self.next_number, cargo);
        self.next_number
    }

    fn give_back(&self, cargo: Cargo) {
        self.account.book(|book| match cargo {
            Cargo::Submission(submission, _) => book.outbox.put_back(&submission),
            Cargo::Handovers(stored) => book.inbox.put_back(stored),
        });
    }
}

impl Drop for Flights<'_> {
    fn drop(&mut self) {
        let mut numbers: Vec<u64> = self.cargo.keys().copied().collect();
        // Each goes back to the front of its lane: the last one first keeps their order.
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        for number in numbers {
            let cargo = self.cargo.remove(&number).expect("listed above");
            self.give_back(cargo);
        }
    }
}

/// A kind of message that the broker refused lately is left alone for a while; the others go on.
struct Lane {
    wait: Backoff,
    paused_until: Option<Instant>,
}

impl Lane {
    fn new(max: Duration) -> Lane {
        Lane {
            wait: Backoff::new(max),
            paused_until: None,
        }
    }

    fn is_open(&self) -> bool {
        self.paused_until.is_none_or(|until| until <= Instant::now())
    }

    fn refused(&mut self) {
        if self.is_open() {
            self.paused_until = Some(Instant::now() + self.wait.next());
        }
    }

    fn taken(&mut self) {
        self.paused_until = None;
        self.wait.reset();
    }
}

/// Bytes a second below which a line counts as dead: a quarter of a megabit.
const LEAST_RATE: u64 = 32 << 10;

struct Publisher<'a> {
    account: &'a Account,
    session: &'a Session,
    flights: Flights<'a>,
    urgent: Lane,
    normal: Lane,
    handovers: Lane,
    /// When the handovers that wait are to be confirmed.
    handovers_due: Option<Instant>,
    heard_at: Instant,
}

/// Publishes until the session ends.
pub(crate) async fn work(account: &Account, session: &Session, mut closing: watch::Receiver<bool>) -> Ended {
    let max = account.config.limits.reconnect_max;
    account.book(|book| book.outbox.reckon(clock::steady()));
    let mut publisher = Publisher {
        account,
        session,
        flights: Flights {
            account,
            cargo: HashMap::new(),
            next_number: 0,
        },
        urgent: Lane::new(max),
        normal: Lane::new(max),
        handovers: Lane::new(max),
        handovers_due: None,
        heard_at: Instant::now(),
    };
    let Err(ended) = publisher.run(&mut closing).await;
    ended
}

impl Publisher<'_> {
    async fn run(&mut self, closing: &mut watch::Receiver<bool>) -> Result<std::convert::Infallible, Ended> {
        let confirms = self
            .session
            .channel
            .confirm_select(ConfirmSelectOptions::default());
        self.session.answer(confirms).await?;
        self.account.ready(Side::Publishing);
        let mut air = Air::default();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let is_closing = *closing.borrow();
            while air.len() < self.account.config.limits.outstanding_max
                && let Some(cargo) = self.next_cargo(is_closing)
            {
                let number = self.flights.add(cargo);
                let confirm = tokio::select! {
                    confirm = self.publish(number) => confirm?,
                    () = overdue(closing) => return Err(Ended::Closing),
                };
                // The line took it: it is no silence that nothing was heard meanwhile.
                self.heard_at = Instant::now();
                match confirm {
                    Some(confirm) => air.add(number, confirm),
                    // Answered in the meantime, or not to be read back.
                    None => drop(self.flights.cargo.remove(&number)),
                }
            }
            if is_closing {
                return Err(self.close(&mut air).await);
            }
            let due = self.handovers_due;
            // Without room they wait for what lands, not for a time that is past.
            let has_room = air.len() < self.account.config.limits.outstanding_max;
            tokio::select! {
                landings = air.land(), if !air.is_empty() => self.land(landings?).await?,
                () = self.account.signals.publish.notified() => {}
                () = clock::sleep_until(due), if has_room && self.handovers.is_open() => {}
                _ = tick.tick() => self.tick()?,
                _ = closing.changed() => {}
            }
        }
    }

    /// What goes next. Confirmations first: the gateway fills the inbox again on them.
    fn next_cargo(&mut self, is_closing: bool) -> Option<Cargo> {
        if self.handovers.is_open()
            && let Some(stored) = self.next_handovers(is_closing)
        {
            return Some(Cargo::Handovers(stored));
        }
        if is_closing {
            return None;
        }
        for (rank, lane) in [(Rank::Urgent, &self.urgent), (Rank::Normal, &self.normal)] {
            if lane.is_open()
                && let Some((submission, _)) = self.account.book(|book| book.outbox.next(rank))
            {
                return Some(Cargo::Submission(submission, rank));
            }
        }
        None
    }

    /// A batch of handovers once enough are gathered or their delay is over.
    fn next_handovers(&mut self, is_closing: bool) -> Option<Vec<Stored>> {
        let now = Instant::now();
        let limits = &self.account.config.limits;
        let (delay, gathered_max) = (limits.confirm_delay, limits.gathered_max());
        self.account.book(|book| {
            let count = book.inbox.to_confirm_count();
            if count == 0 {
                self.handovers_due = None;
                return None;
            }
            let due = *self.handovers_due.get_or_insert(now + delay);
            if count <= gathered_max && now < due && !is_closing {
                return None;
            }
            self.handovers_due = None;
            Some(book.inbox.take_to_confirm(wire::CONFIRMATION_MAX))
        })
    }

    /// Gives the message to the broker; `None` when nothing is to be sent any more.
    async fn publish(&self, number: u64) -> Result<Option<PublisherConfirm>, Ended> {
        let id = self.account.id();
        let (key, kind, message_id, body) = match &self.flights.cargo[&number] {
            Cargo::Submission(submission, rank) => {
                let key = match rank {
                    Rank::Urgent => wire::urgent_key(id),
                    Rank::Normal => wire::normal_key(id),
                };
                let Some(body) = self.body(submission)? else {
                    return Ok(None);
                };
                (key, wire::TYPE_PACKET, Some(submission.to_string()), body)
            }
            Cargo::Handovers(stored) => {
                let body = Confirmation {
                    stored: stored.clone(),
                }
                .encode();
                (wire::confirm_key(id), wire::TYPE_CONFIRMATION, None, body)
            }
        };
        let properties =
            properties(id.as_str(), kind, message_id).with_correlation_id(number.to_string().into());
        let options = BasicPublishOptions {
            mandatory: true,
            immediate: false,
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one place that publishes")]
        let sent = self.session.channel.basic_publish(
            wire::SUBMIT_EXCHANGE.into(),
            key.into(),
            options,
            &body,
            properties,
        );
        tokio::select! {
            sent = sent => Ok(Some(sent?)),
            () = self.silence(body.len()) => Err(Ended::Silent),
        }
    }

    fn body(&self, submission: &SubmissionId) -> Result<Option<Vec<u8>>, StoreFault> {
        let matter = Matter::Submission(submission.clone());
        let stored = self.account.fetch(matter, |book| book.outbox.place(submission))?;
        Ok(stored.map(Record::into_body))
    }

    /// Takes in what the broker said.
    async fn land(&mut self, landings: Vec<Landing>) -> Result<(), Ended> {
        self.heard_at = Instant::now();
        self.account.proven(Side::Publishing);
        let now = clock::steady();
        let mut records = Vec::new();
        for Landing { number, said } in landings {
            match said {
                Said::Taken => {
                    let cargo = self.flights.cargo.remove(&number).expect("what flies is listed");
                    records.push(self.taken(cargo, now));
                }
                Said::Returned => self.refused(number, NotTaken::NoQueue),
                Said::Refused => self.refused(number, NotTaken::QueueFull),
            }
        }
        if !records.is_empty() {
            let records = records
                .into_iter()
                .map(|record| self.account.logged(record))
                .collect();
            self.account.store.note(records).await?;
        }
        Ok(())
    }

    fn taken(&mut self, cargo: Cargo, now: Time) -> Record {
        let counting = &self.account.counting;
        match cargo {
            Cargo::Submission(submission, rank) => {
                self.lane(rank).taken();
                add(&counting.published, 1);
                self.account.tell(Event::Published(submission.clone()));
                let seconds = self.answer_seconds();
                let at = self
                    .account
                    .book(|book| book.outbox.published_from(&submission, now, seconds));
                Record::Published { submission, at }
            }
            Cargo::Handovers(stored) => {
                self.handovers.taken();
                add(&counting.confirmed, stored.len());
                self.account.tell(Event::HandoversConfirmed(stored.len()));
                Record::Confirmed {
                    dispatches: stored.iter().map(|one| one.dispatch).collect(),
                }
            }
        }
    }

    fn lane(&mut self, rank: Rank) -> &mut Lane {
        match rank {
            Rank::Urgent => &mut self.urgent,
            Rank::Normal => &mut self.normal,
        }
    }

    /// Not taken: back to its place, and its lane rests.
    fn refused(&mut self, number: u64, why: NotTaken) {
        let cargo = self.flights.cargo.remove(&number).expect("what flies is listed");
        match &cargo {
            Cargo::Submission(submission, rank) => {
                add(&self.account.counting.not_taken, 1);
                self.account.tell(Event::NotTaken(submission.clone(), why));
                self.lane(*rank).refused();
            }
            Cargo::Handovers(_) => self.handovers.refused(),
        }
        self.flights.give_back(cargo);
    }

    fn answer_seconds(&self) -> i64 {
        i64::try_from(self.account.config.limits.answer_timeout.as_secs()).unwrap_or(i64::MAX)
    }

    /// Looks at time limits.
    fn tick(&mut self) -> Result<(), Ended> {
        let limits = &self.account.config.limits;
        if self.flights.cargo.is_empty() || self.account.is_blocked() {
            self.heard_at = Instant::now();
        } else if self.heard_at.elapsed() > limits.silence_max {
            return Err(Ended::Silent);
        }
        self.account.tell_damaged();
        let (now, seconds) = (clock::steady(), self.answer_seconds());
        let revived = self.account.book(|book| book.outbox.revive(now, seconds));
        add(&self.account.counting.resubmitted, revived);
        Ok(())
    }

    /// Ends when a publish of so many bytes hangs although the broker does not say that it is blocked. It is over when the last
    /// of them is on the line.
    async fn silence(&self, bytes: usize) {
        loop {
            tokio::time::sleep(patience(self.account.config.limits.silence_max, bytes)).await;
            if !self.account.is_blocked() {
                return;
            }
        }
    }

    /// Waits for what is outstanding.
    async fn close(&mut self, air: &mut Air) -> Ended {
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while !air.is_empty()
            && let Ok(landings) = tokio::time::timeout_at(deadline.into(), air.land()).await
        {
            let landed = match landings {
                Ok(landings) => self.land(landings).await,
                Err(error) => Err(Ended::Broker(error)),
            };
            if let Err(ended) = landed {
                return ended;
            }
        }
        Ended::Closing
    }
}

/// How long a message of so many bytes may take to go out.
fn patience(silence_max: Duration, bytes: usize) -> Duration {
    silence_max + Duration::from_secs(bytes as u64 / LEAST_RATE)
}

/// Ends when a publish still hangs a while after closing began.
async fn overdue(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|is_closing| *is_closing).await;
    tokio::time::sleep(CLOSE_TIMEOUT).await;
}

fn properties(account: &str, kind: &str, message_id: Option<String>) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(
        ShortString::from(wire::HEADER_FORMAT),
        AMQPValue::LongLongInt(wire::FORMAT),
    );
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_user_id(account.into())
        .with_type(kind.into())
        .with_headers(headers);
    match message_id {
        Some(message_id) => properties.with_message_id(message_id.into()),
        None => properties,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_packet_has_the_time_that_a_slow_line_needs() {
        let silence = Duration::from_secs(30);
        assert_eq!(patience(silence, 14_000), silence);
        // Sixteen megabytes at two megabits a second take 67 seconds.
        assert!(Duration::from_secs(67) < patience(silence, 16 << 20));
        assert_eq!(patience(silence, 16 << 20), Duration::from_secs(30 + 512));
    }
}
