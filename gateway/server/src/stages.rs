//! The road of a document: receive → inspect → record → dispatch → settle → sweep.
//!
//! [`Road`] is what all stages share: the ports, the settings and the signals between them. Stages know the ports of
//! `domain` and nothing of broker, store or HTTP; `app` brings these together.
//!
//! **Invariant:** three endings everywhere: done, not now, never. Nothing leaves the road but by an event.
//! **Invariant:** what a signal carries can be lost: every stage can find its work again in the index.

pub mod dispatch;
pub mod facts;
pub mod inspect;
pub mod poison;
pub mod receive;
pub mod record;
mod refusal_status;
pub mod settle;
pub mod signal;
pub mod sweep;
pub mod tell;
pub mod troubles;
pub mod waits;

use std::sync::Arc;
use std::time::Duration;

use domain::ids::{AccountId, Code, SubmissionId};
use domain::judge::Terms;
use domain::packet;
use domain::port::{Appended, Archive, Commit, Inbox, Journal, Soon, StoreFault};
use trust::{Certificate, Need, Signer, Snapshot, Time};

use crate::clock::Clock;
use crate::telemetry::Metrics;
use signal::Signals;
use troubles::Troubles;
use waits::Waits;

/// The settings of this gateway that the road depends on.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The gateway's own code: `From` of the status packets that it writes.
    pub gateway: Code,
    /// What verdicts depend on.
    pub terms: Terms,
    /// Limits of the packet reader.
    pub limits: packet::Limits,
    /// Largest packet, in bytes.
    pub packet_bytes_max: usize,
    /// Dispatches in one inbox at most; the rest waits in the journal.
    pub window: usize,
    /// Places beside the window that only urgent dispatches take.
    pub window_urgent: usize,
    /// Bytes of dispatches on their way into inboxes at most, beside one that alone is larger.
    pub dispatch_bytes_max: u64,
    /// Messages that wait for the broker's confirmation at most.
    pub unconfirmed_max: usize,
    /// How long an inbox may keep a document before its sender is told that it lies there.
    pub consignment_notice: Duration,
    /// How long missing trust material is waited for before a document is held.
    pub needs_wait: Duration,
    /// How long until what failed for a passing reason is tried again.
    pub retry_after: Duration,
    /// How long a dispatch rests whose bytes cannot be read: a person must put them back.
    pub damaged_rest: Duration,
    /// Of one addressee so many of them are passed over; beyond, it rests after each that is found again.
    pub damaged_passed_over_max: usize,
    /// How often what is held is judged again although nothing is known to have changed.
    pub hold_retry: Duration,
    /// For how long after its end an account's submissions are judged as those of any other.
    pub closed_account_limit: Duration,
    /// How often the index is asked for what a signal may have lost, and for what is late.
    pub sweep_every: Duration,
}

/// Where trust material comes from.
pub trait TrustFeed: Send + Sync {
    /// The material of this moment.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Asks for what is missing and waits for it, at most as long as the keeper allows.
    fn fetch(&self, needs: Vec<Need>) -> Soon<'_, ()>;
}

/// The gateway's own key, which signs receipts.
#[derive(Clone)]
pub struct Seal {
    /// The key.
    pub signer: Arc<dyn Signer + Send + Sync>,
    /// Its certificate, and those that lead to its anchor.
    pub certificates: Vec<Arc<Certificate>>,
}

/// What every stage works with.
#[derive(Clone)]
pub struct Road {
    /// Events and what they amount to.
    pub journal: Arc<dyn Journal>,
    /// Originals and receipts.
    pub archive: Arc<dyn Archive>,
    /// The way into inboxes.
    pub inbox: Arc<dyn Inbox>,
    /// Trust material.
    pub trust: Arc<dyn TrustFeed>,
    /// The receipt key.
    pub seal: Seal,
    /// Settings.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Clock,
    /// Signals between stages.
    pub signals: Arc<Signals>,
    /// What is held, and for what.
    pub waits: Arc<Waits>,
    /// What keeps documents waiting and nobody else knows.
    pub troubles: Arc<Troubles>,
    /// Counts every event once it is durable, and times the stages.
    pub metrics: Arc<Metrics>,
}

impl Road {
    /// The moment that verdicts and events of now rest on: the time of day, and never before the newest event.
    pub fn now(&self) -> Time {
        self.clock.now_from(self.journal.newest())
    }

    /// The moment, for what depends on it for ever: a verdict, an expiry.
    ///
    /// # Errors
    /// [`StoreFault::NotNow`] while the time of day cannot be believed.
    pub fn sure_now(&self) -> Result<Time, StoreFault> {
        let steady = self.clock.steady();
        steady.map_err(|unsteady| StoreFault::NotNow(unsteady.to_string()))?;
        Ok(self.now())
    }

    /// Records a commit and counts it. Nothing is recorded while the time of day cannot be believed: events would carry
    /// it for ever.
    ///
    /// # Errors
    /// Of the journal; [`StoreFault::NotNow`] while the clock is not steady.
    pub async fn append(&self, commit: Commit) -> Result<Appended, StoreFault> {
        self.sure_now()?;
        let appended = self.journal.append(commit).await?;
        if let Appended::Done(recorded) = &appended {
            self.metrics.count(recorded);
        }
        Ok(appended)
    }
}

/// A message from an agency, with the authenticated account and the way to settle it with whoever brought it.
pub struct Arrival {
    /// The account that the transport authenticated.
    pub account: AccountId,
    /// The sender's name for this attempt.
    pub submission: SubmissionId,
    /// The bytes exactly as handed over.
    pub body: Arc<[u8]>,
    /// When they came.
    pub received_at: Time,
    /// How often the message was handed over before: more than never makes it a suspect.
    pub deliveries: u32,
    /// Settles it.
    pub handle: Box<dyn Acknowledge>,
}

/// The other side of an arrival. Dropping it settles nothing: the message comes again.
pub trait Acknowledge: Send {
    /// The gateway answers for it from now on.
    fn done(self: Box<Self>);

    /// Not now: it is to come again later.
    fn not_now(self: Box<Self>);
}

/// An arrival without another side: what the journal brings itself (a held submission that is judged again).
pub struct FromJournal;

impl Acknowledge for FromJournal {
    fn done(self: Box<Self>) {}
    fn not_now(self: Box<Self>) {}
}
