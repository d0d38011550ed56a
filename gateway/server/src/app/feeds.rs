//! Between adapters and stages: arrivals and trust material.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::SubmissionId;
use domain::port::Soon;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::warn;
use trust::{Need, Snapshot};

use crate::broker::{self, Broker, Lanes, Parked};
use crate::stages::settle::Confirming;
use crate::stages::{Acknowledge, Arrival, Road, TrustFeed};
use crate::trustkeeper::TrustKeeper;

/// Arrivals between broker and stages at most, each lane.
const READY_MAX: usize = 64;
/// Messages of one lane that are being parked at the same time at most.
const PARKING_MAX: usize = 32;

/// The trust keeper as the road sees it.
pub(super) struct Keeper(pub(super) Arc<TrustKeeper>);

impl TrustFeed for Keeper {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot()
    }

    fn fetch(&self, needs: Vec<Need>) -> Soon<'_, ()> {
        Box::pin(self.0.fetch(needs))
    }
}

/// The ends where arrivals go in.
pub(super) struct Inlets {
    urgent: mpsc::Sender<Arrival>,
    normal: mpsc::Sender<Arrival>,
    confirm: mpsc::Sender<Confirming>,
}

/// The ends where stages take them.
pub(super) struct StageEnds {
    pub(super) inlets: Inlets,
    pub(super) urgent: mpsc::Receiver<Arrival>,
    pub(super) normal: mpsc::Receiver<Arrival>,
    pub(super) confirm: mpsc::Receiver<Confirming>,
}

pub(super) fn stage_ends() -> StageEnds {
    let (urgent_in, urgent) = mpsc::channel(READY_MAX);
    let (normal_in, normal) = mpsc::channel(READY_MAX);
    let (confirm_in, confirm) = mpsc::channel(READY_MAX);
    let inlets = Inlets {
        urgent: urgent_in,
        normal: normal_in,
        confirm: confirm_in,
    };
    StageEnds {
        inlets,
        urgent,
        normal,
        confirm,
    }
}

/// The broker's handle as stages know it.
struct Handle {
    settle: broker::Settle,
    pause: Duration,
}

impl Acknowledge for Handle {
    fn done(self: Box<Self>) {
        self.settle.done();
    }

    fn not_now(self: Box<Self>) {
        let Handle { settle, pause } = *self;
        settle.not_now(pause);
    }
}

/// A message that no stage can take, and why.
struct Unfit {
    arrival: Box<broker::Arrival>,
    reason: String,
}

impl Unfit {
    fn new(arrival: broker::Arrival, reason: impl Into<String>) -> Unfit {
        Unfit {
            arrival: Box::new(arrival),
            reason: reason.into(),
        }
    }
}

/// What the pump needs beside the lanes.
pub(super) struct Pump {
    road: Road,
    broker: Broker,
    pause: Duration,
}

impl Pump {
    pub(super) fn new(road: &Road, broker: &Broker) -> Pump {
        Pump {
            road: road.clone(),
            broker: broker.clone(),
            pause: road.rules.retry_after,
        }
    }

    /// What cannot be attributed or named is parked for a person; it is not lost, and it is not taken.
    async fn park(&self, arrival: broker::Arrival, reason: String) {
        warn!(stage = "receive", reason, "a message was parked");
        let parked = Parked {
            reason: &reason,
            account: arrival.account.as_ref().ok(),
            routing_key: &arrival.routing_key,
            message_id: arrival.message_id.as_deref(),
            kind: arrival.kind.as_deref(),
            body: &arrival.body,
        };
        match self.broker.publisher.park(parked).await {
            domain::port::Outcome::Delivered => arrival.settle.done(),
            domain::port::Outcome::Deferred
            | domain::port::Outcome::Full
            | domain::port::Outcome::Declined => {
                arrival.settle.not_now(self.pause);
            }
        }
    }

    /// A submission that a stage can take, or why it is parked.
    fn submission(&self, arrival: broker::Arrival) -> Result<Arrival, Unfit> {
        let account = match &arrival.account {
            Ok(account) => account.clone(),
            Err(unproven) => {
                let reason = unproven.to_string();
                return Err(Unfit::new(arrival, reason));
            }
        };
        let id = arrival.message_id.as_deref();
        let Some(submission) = id.and_then(|id| SubmissionId::parse(id).ok()) else {
            return Err(Unfit::new(arrival, "the message has no usable message-id"));
        };
        let directory = self.road.journal.directory();
        if directory.agency_of_account(&account).is_none() {
            return Err(Unfit::new(arrival, "the directory does not hold the account"));
        }
        Ok(Arrival {
            account,
            submission,
            body: Arc::from(arrival.body),
            received_at: self.road.now(),
            deliveries: u32::try_from(arrival.delivery_count).unwrap_or(u32::MAX),
            handle: Box::new(Handle {
                settle: arrival.settle,
                pause: self.pause,
            }),
        })
    }

    /// A confirmation that a stage can take, or why it is parked.
    fn confirmation(&self, arrival: broker::Arrival) -> Result<Confirming, Unfit> {
        match &arrival.account {
            Ok(account) => Ok(Confirming {
                account: account.clone(),
                body: Arc::from(arrival.body),
                handle: Box::new(Handle {
                    settle: arrival.settle,
                    pause: self.pause,
                }),
            }),
            Err(unproven) => {
                let reason = unproven.to_string();
                Err(Unfit::new(arrival, reason))
            }
        }
    }

    /// One lane: what a stage can take goes there, and what it cannot is parked beside, so that one agency's unusable
    /// messages do not hold up those of others.
    async fn lane<T>(
        &self,
        lane: &mut mpsc::Receiver<broker::Arrival>,
        inlet: &mpsc::Sender<T>,
        read: impl Fn(broker::Arrival) -> Result<T, Unfit>,
    ) {
        let mut parking = FuturesUnordered::new();
        loop {
            let arrival = tokio::select! {
                Some(()) = parking.next(), if !parking.is_empty() => continue,
                arrival = lane.recv(), if parking.len() < PARKING_MAX => arrival,
            };
            let Some(arrival) = arrival else { break };
            match read(arrival) {
                // The other end is gone only while the process ends; the dropped handle gives the message back.
                Ok(taken) => drop(inlet.send(taken).await),
                Err(unfit) => parking.push(self.park(*unfit.arrival, unfit.reason)),
            }
        }
        while parking.next().await.is_some() {}
    }
}

/// Moves arrivals from the broker's lanes to the stages, each lane at its own pace.
pub(super) async fn pump(lanes: Lanes, inlets: Inlets, pump: Pump) {
    let Lanes {
        mut urgent,
        mut normal,
        mut confirm,
    } = lanes;
    tokio::join!(
        pump.lane(&mut urgent, &inlets.urgent, |arrival| pump.submission(arrival)),
        pump.lane(&mut normal, &inlets.normal, |arrival| pump.submission(arrival)),
        pump.lane(&mut confirm, &inlets.confirm, |arrival| pump
            .confirmation(arrival)),
    );
}
