//! Tells a broker that kept its disk from one that lost it, and fills the latter again.
//!
//! When the broker was set up, a queue named after an epoch was made last. A broker without that queue knows nothing
//! of what was consigned: topology and accounts are made anew under a new epoch, the loss is journaled, and dispatch
//! puts what no connector confirmed into the inboxes again.
//!
//! **Invariant:** nothing is taken from a broker, nor put into it, nor changed at it, before it is proven to be this gateway's:
//! every epoch that the gateway ever gave is known, and a broker that bears another is left alone.
//! **Invariant:** the loss is journaled, then the new epoch is remembered, then the broker is marked with it; dying in
//! between means only that the loss is noticed once more.

use std::sync::Arc;
use std::time::Duration;

use domain::event::Happening;
use domain::port::{Appended, Commit};
use tracing::{info, warn};

use super::epochs::Epochs;
use super::provision::BrokerProvision;
use crate::broker::{Broker, BrokerFault, Inspector, Standing};
use crate::stages::Road;
use crate::stages::record::announce;

/// How often the broker is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in a row that must miss the epoch before the broker counts as new: one that is starting shows its queues
/// late.
const MISSES_MIN: u32 = 20;
/// What keeps the watch from its work for now.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Watches for ever.
pub(super) async fn watch(
    road: Road,
    broker: Broker,
    provision: Option<Arc<BrokerProvision>>,
    epochs: Arc<Epochs>,
) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    // Looks that a slow one held up are not made up for: misses count only with time between them.
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut misses = 0;
    let mut told = None;
    // A trouble is told when it comes, not at every look.
    let mut trouble = String::new();
    loop {
        tick.tick().await;
        if broker.is_proven() {
            continue;
        }
        match look(&broker, provision.as_deref(), &epochs).await {
            Ok(Seen::Own(epoch)) => {
                if let Err(fault) = epochs.remember(&epoch) {
                    tell(
                        &mut trouble,
                        &format!("the broker's epoch could not be remembered: {fault}"),
                    );
                    continue;
                }
                trouble.clear();
                (misses, told) = (0, None);
            }
            Ok(Seen::Two) => {
                misses = 0;
                let two = "the two connections lead to different brokers";
                tell(&mut trouble, two);
            }
            Ok(Seen::Unknown) if epochs.known().is_empty() => misses = MISSES_MIN,
            Ok(Seen::Unknown) => misses += 1,
            Err(fault) => {
                tell(
                    &mut trouble,
                    &format!("nobody can say whether the broker kept its disk: {fault}"),
                );
                continue;
            }
        }
        if misses < MISSES_MIN {
            continue;
        }
        let Some(provision) = &provision else {
            tell(
                &mut trouble,
                "the broker does not know this gateway: run `gateway broker provision`",
            );
            misses = 0;
            continue;
        };
        if let Err(fault) = provision.check_own().await {
            tell(&mut trouble, &fault.to_string());
            continue;
        }
        match restore(&road, provision, &epochs, &mut told).await {
            Ok(()) => (misses, told) = (0, None),
            Err(fault) => tell(
                &mut trouble,
                &format!("the broker could not be set up now: {fault}"),
            ),
        }
    }
}

fn tell(before: &mut String, now: &str) {
    if before != now {
        warn!("{now}");
        now.clone_into(before);
    }
}

/// What was seen of the broker.
enum Seen {
    /// It knows this epoch of the gateway.
    Own(String),
    /// The connections lead to two brokers: one of them knows none, or another one.
    Two,
    /// It knows none.
    Unknown,
}

/// Looks at what both connections lead to, and proves them where that is one broker of this gateway's; an error when nobody can
/// tell now.
async fn look(
    broker: &Broker,
    provision: Option<&BrokerProvision>,
    epochs: &Epochs,
) -> Result<Seen, Trouble> {
    let (intake, publisher) = (broker.intake.inspector(), broker.publisher.inspector());
    let (Some(taking), Some(putting)) = (intake.session(), publisher.session()) else {
        // Without a credential for the management interface it is asked once there are connections.
        let provision = provision.ok_or(BrokerFault::Away)?;
        for epoch in epochs.known().iter() {
            if provision.provisioner().standing(epoch).await? == Standing::Kept {
                return Ok(Seen::Own(epoch.clone()));
            }
        }
        return Ok(Seen::Unknown);
    };
    // A connection that was proven led to the newest epoch; one that the broker holds back answers nothing.
    let newest = || epochs.known().first().cloned();
    let taken = if broker.intake.is_proven() {
        newest()
    } else {
        epoch_behind(&intake, epochs).await?
    };
    let put = if broker.publisher.is_proven() {
        newest()
    } else {
        epoch_behind(&publisher, epochs).await?
    };
    Ok(match (taken, put) {
        (Some(epoch), Some(other)) if epoch == other => {
            broker.intake.prove(taking);
            broker.publisher.prove(putting);
            Seen::Own(epoch)
        }
        (None, None) => Seen::Unknown,
        (Some(_), _) | (None, Some(_)) => Seen::Two,
    })
}

/// The newest epoch of this gateway that what the connection leads to knows.
async fn epoch_behind(inspector: &Inspector, epochs: &Epochs) -> Result<Option<String>, BrokerFault> {
    for epoch in epochs.known().iter() {
        if inspector.epoch_stands(epoch).await? {
            return Ok(Some(epoch.clone()));
        }
    }
    Ok(None)
}

/// Sets the broker up. `told` is the new epoch under which the loss was journaled, while setting up fails.
async fn restore(
    road: &Road,
    provision: &BrokerProvision,
    epochs: &Epochs,
    told: &mut Option<String>,
) -> Result<(), Trouble> {
    let epoch = told.clone().unwrap_or_else(Epochs::new_name);
    if told.is_none() && !epochs.known().is_empty() {
        warn!("the broker has lost what it held; inboxes are filled again from the journal");
        let lost = Commit::of(Happening::BrokerLost { epoch: epoch.clone() });
        if let Appended::Done(recorded) = road.append(lost).await? {
            announce(road, &recorded).await;
        }
        *told = Some(epoch.clone());
    }
    epochs.remember(&epoch)?;
    let report = provision
        .restore(&epoch, (&road.journal.directory(), road.now()))
        .await?;
    info!(
        made = report.made.len(),
        kept = report.kept,
        "the broker was set up"
    );
    for differing in &report.differing {
        warn!(
            differing,
            "stands at the broker with other arguments; a person must move it"
        );
    }
    Ok(())
}
