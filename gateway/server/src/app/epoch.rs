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
use domain::ids::AccountId;
use domain::port::{Appended, Commit, Inbox, Outcome, Parcel, Soon};
use tokio::time::timeout;
use tracing::{info, warn};

use super::epochs::Epochs;
use super::provision::BrokerProvision;
use crate::broker::{Broker, BrokerFault, BrokerState, Standing};
use crate::stages::Road;
use crate::stages::record::announce;

/// How often the broker is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in a row that must miss the epoch before the broker counts as new: one that is starting shows its queues
/// late.
const MISSES_MIN: u32 = 20;
/// How long a hand-over waits for the broker to be proven.
const PROOF_WAIT: Duration = Duration::from_secs(5);

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
    // The connection over which the broker was seen to know the epoch: another one may lead to another broker.
    let mut proven = None;
    let mut told = None;
    // A trouble is told when it comes, not at every look.
    let mut trouble = String::new();
    loop {
        tick.tick().await;
        let session = broker.intake.inspector().session();
        if session.is_some() && session == proven {
            continue;
        }
        match stands(&broker, provision.as_deref(), &epochs).await {
            Ok(Some(epoch)) => {
                if let Err(fault) = epochs.remember(&epoch) {
                    tell(
                        &mut trouble,
                        &format!("the broker's epoch could not be remembered: {fault}"),
                    );
                    continue;
                }
                trouble.clear();
                misses = 0;
                proven = session;
                session
                    .into_iter()
                    .for_each(|session| broker.intake.prove(session));
            }
            Ok(None) if epochs.known().is_empty() => misses = MISSES_MIN,
            Ok(None) => misses += 1,
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

/// The epoch of this gateway that the broker knows; an error when nobody can tell now.
async fn stands(
    broker: &Broker,
    provision: Option<&BrokerProvision>,
    epochs: &Epochs,
) -> Result<Option<String>, Trouble> {
    for epoch in epochs.known().iter() {
        let stands = if broker.state() == BrokerState::Connected {
            broker.intake.inspector().epoch_stands(epoch).await?
        } else {
            // Without a credential for the management interface it is asked once there is a connection.
            let provision = provision.ok_or(BrokerFault::Away)?;
            provision.provisioner().standing(epoch).await? == Standing::Kept
        };
        if stands {
            return Ok(Some(epoch.clone()));
        }
    }
    Ok(None)
}

/// The way into inboxes of a broker that was proven to be this gateway's. Accounts bear the same names at every broker: at
/// another's, a document would lie in a stranger's inbox.
#[derive(Clone)]
pub(super) struct Proven(pub(super) Broker);

impl Inbox for Proven {
    fn hand_over(&self, account: AccountId, parcel: Parcel) -> Soon<'_, Outcome> {
        Box::pin(async move {
            if timeout(PROOF_WAIT, self.0.intake.proven()).await.is_err() {
                return Outcome::Deferred;
            }
            self.0.publisher.hand_over(account, parcel).await
        })
    }
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
    let accounts = provision.wanted(&road.journal.directory(), road.now())?;
    let report = provision.provisioner().restore(&epoch, &accounts).await?;
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
