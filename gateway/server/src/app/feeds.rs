//! Between adapters and stages: arrivals and trust material.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::SubmissionId;
use domain::port::Soon;
use tokio::sync::mpsc;
use tracing::warn;
use trust::{Need, Snapshot};

use crate::broker::{self, Broker, Lanes, Parked};
use crate::config::BrokerConfig;
use crate::stages::settle::Confirming;
use crate::stages::{Acknowledge, Arrival, Road, TrustFeed};
use crate::trustkeeper::TrustKeeper;

/// Arrivals between broker and stages at most, each lane.
const READY_MAX: usize = 64;

/// The certificates that may vouch for the broker.
pub(super) fn authorities(config: &BrokerConfig) -> Option<String> {
    let file = config.ca_file.as_ref()?;
    match std::fs::read_to_string(file) {
        Ok(pem) => Some(pem),
        Err(fault) => {
            warn!(error = %fault, "the broker's ca_file cannot be read; its certificate will not be accepted");
            Some(String::new())
        }
    }
}

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
    async fn park(&self, arrival: broker::Arrival, reason: &str) {
        warn!(stage = "receive", reason, "a message was parked");
        let parked = Parked {
            reason,
            account: arrival.account.as_ref().ok(),
            routing_key: &arrival.routing_key,
            message_id: arrival.message_id.as_deref(),
            kind: arrival.kind.as_deref(),
            body: &arrival.body,
        };
        match self.broker.publisher.park(parked).await {
            domain::port::Outcome::Delivered => arrival.settle.done(),
            domain::port::Outcome::Deferred | domain::port::Outcome::Declined => {
                arrival.settle.not_now(self.pause);
            }
        }
    }

    async fn submission(&self, arrival: broker::Arrival, inlet: &mpsc::Sender<Arrival>) {
        let account = match &arrival.account {
            Ok(account) => account.clone(),
            Err(unproven) => {
                let reason = unproven.to_string();
                return self.park(arrival, &reason).await;
            }
        };
        let Some(submission) = arrival
            .message_id
            .as_deref()
            .and_then(|id| SubmissionId::parse(id).ok())
        else {
            return self.park(arrival, "the message has no usable message-id").await;
        };
        if self
            .road
            .journal
            .directory()
            .agency_of_account(&account)
            .is_none()
        {
            return self
                .park(arrival, "the directory does not hold the account")
                .await;
        }
        let taken = Arrival {
            account,
            submission,
            body: Arc::from(arrival.body),
            received_at: self.road.now(),
            deliveries: u32::try_from(arrival.delivery_count).unwrap_or(u32::MAX),
            handle: Box::new(Handle {
                settle: arrival.settle,
                pause: self.pause,
            }),
        };
        // The other end is gone only while the process ends; the dropped handle gives the message back.
        let _ = inlet.send(taken).await;
    }

    async fn confirmation(&self, arrival: broker::Arrival, inlet: &mpsc::Sender<Confirming>) {
        let account = match &arrival.account {
            Ok(account) => account.clone(),
            Err(unproven) => {
                let reason = unproven.to_string();
                return self.park(arrival, &reason).await;
            }
        };
        let handle = Box::new(Handle {
            settle: arrival.settle,
            pause: self.pause,
        });
        let _ = inlet
            .send(Confirming {
                account,
                body: Arc::from(arrival.body),
                handle,
            })
            .await;
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
        async {
            while let Some(arrival) = urgent.recv().await {
                pump.submission(arrival, &inlets.urgent).await;
            }
        },
        async {
            while let Some(arrival) = normal.recv().await {
                pump.submission(arrival, &inlets.normal).await;
            }
        },
        async {
            while let Some(arrival) = confirm.recv().await {
                pump.confirmation(arrival, &inlets.confirm).await;
            }
        },
    );
}
