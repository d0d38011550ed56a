//! Tells a broker that kept its disk from one that lost it, and fills the latter again.
//!
//! When the broker was set up, a queue named after an epoch was made last. A broker without that queue knows nothing
//! of what was consigned: topology and accounts are made anew under a new epoch, the loss is journaled, and dispatch
//! puts what no connector confirmed into the inboxes again.
//!
//! **Invariant:** the loss is journaled, then the new epoch is remembered, then the broker is marked with it; dying in
//! between means only that the loss is noticed once more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::event::Happening;
use domain::port::{Appended, Commit};
use tracing::{info, warn};

use super::provision::{BrokerProvision, new_epoch, read_epoch, remember_epoch};
use crate::broker::{Broker, BrokerFault, BrokerState, Standing};
use crate::stages::Road;
use crate::stages::record::announce;

/// How often the broker is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks in a row that must miss the epoch before the broker counts as new: one that is starting shows its queues
/// late.
const MISSES_MIN: u32 = 5;

/// What keeps the watch from its work for now.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Watches for ever.
pub(super) async fn watch(
    road: Road,
    broker: Broker,
    provision: Option<Arc<BrokerProvision>>,
    data_dir: PathBuf,
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
        match stands(&broker, provision.as_deref(), &data_dir).await {
            Ok(true) => {
                trouble.clear();
                misses = 0;
                proven = session;
            }
            Ok(false) if matches!(read_epoch(&data_dir), Ok(None)) => misses = MISSES_MIN,
            Ok(false) => misses += 1,
            Err(fault) => tell(
                &mut trouble,
                &format!("nobody can say whether the broker kept its disk: {fault}"),
            ),
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
        match restore(&road, provision, &data_dir, &mut told).await {
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

/// Whether the broker knows the epoch; an error when nobody can tell now.
async fn stands(
    broker: &Broker,
    provision: Option<&BrokerProvision>,
    data_dir: &Path,
) -> Result<bool, Trouble> {
    let Some(epoch) = read_epoch(data_dir)? else {
        return Ok(false);
    };
    if broker.state() == BrokerState::Connected {
        return Ok(broker.intake.inspector().epoch_stands(&epoch).await?);
    }
    // Without a credential for the management interface it is asked once there is a connection.
    let provision = provision.ok_or(BrokerFault::Away)?;
    Ok(provision.provisioner().standing(&epoch).await? == Standing::Kept)
}

/// Sets the broker up. `told` is the new epoch under which the loss was journaled, while setting up fails.
async fn restore(
    road: &Road,
    provision: &BrokerProvision,
    data_dir: &Path,
    told: &mut Option<String>,
) -> Result<(), Trouble> {
    let epoch = told.clone().unwrap_or_else(new_epoch);
    if told.is_none() && read_epoch(data_dir)?.is_some() {
        warn!("the broker has lost what it held; inboxes are filled again from the journal");
        let lost = Commit::of(Happening::BrokerLost { epoch: epoch.clone() });
        if let Appended::Done(recorded) = road.append(lost).await? {
            announce(road, &recorded).await;
        }
        *told = Some(epoch.clone());
    }
    remember_epoch(data_dir, &epoch)?;
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
