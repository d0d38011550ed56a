//! Accounts at the broker are what the directory says: compared at the start, when an account is to be otherwise, and
//! until it is so.
//!
//! Administration carries each decision to the broker at once; what failed there, or was undone by hand, is found here.
//!
//! **Invariant:** a decision that takes rights away is carried out in the end, whatever failed at first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::agency::{Account, Standing};
use domain::directory::Directory;
use domain::ids::AccountId;
use tokio::time::Instant;
use tracing::{info, warn};
use trust::Time;

use super::provision::BrokerProvision;
use crate::administration::account_standing;
use crate::broker::{Broker, BrokerState};
use crate::stages::Road;

/// How often the standings of the accounts are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often everything is compared although nothing is known to have changed.
const COMPARE_EVERY: Duration = Duration::from_secs(600);
/// Pause after the broker could not be told.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Watches for ever.
pub(super) async fn watch(road: Road, broker: Broker, provision: Option<Arc<BrokerProvision>>) {
    let Some(provision) = provision else {
        // Without a credential accounts are a person's work, which every order says.
        return std::future::pending().await;
    };
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // What was compared, when it is compared again, and not before when after a failure.
    let (mut compared, mut again_at, mut not_before) = (None, Instant::now(), Instant::now());
    loop {
        tick.tick().await;
        if broker.state() != BrokerState::Connected {
            // A broker that comes back may be another one.
            compared = None;
            continue;
        }
        let directory = road.journal.directory();
        let (wanted, now) = (Some(standings(&directory, road.now())), Instant::now());
        let is_same = compared == wanted && now < again_at;
        if now < not_before || (is_same && !provision.has_renewals()) {
            continue;
        }
        if let Err(fault) = provision.check_own().await {
            warn!(error = %fault, "accounts at the broker are left as they are");
            not_before = Instant::now() + RETRY_AFTER;
            continue;
        }
        let told = provision.reconcile(&directory, road.now()).await;
        match told {
            Ok(report) => {
                if !report.made.is_empty() {
                    info!(
                        made = report.made.len(),
                        "accounts at the broker were brought in line"
                    );
                }
                (compared, again_at) = (wanted, Instant::now() + COMPARE_EVERY);
            }
            Err(fault) => {
                warn!(error = %fault, "accounts at the broker could not be compared now");
                not_before = Instant::now() + RETRY_AFTER;
            }
        }
    }
}

/// What every account is to be like; names, parents and certificates change nothing at the broker.
fn standings(directory: &Directory, now: Time) -> BTreeMap<AccountId, Standing> {
    let accounts = directory.agencies().flat_map(|agency| &agency.accounts);
    let standing = |account: &Account| {
        let standing = account_standing(directory, &account.id, now);
        (account.id.clone(), standing)
    };
    accounts.map(standing).collect()
}
