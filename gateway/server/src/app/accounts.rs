//! Whose intakes the gateway reads: those of every open account, and those of closed ones until they are empty.
//!
//! What an agency submitted before it ended lies in its intake; nobody but the gateway can take it from there. It is
//! judged like everything else, and its answer goes to the heir.
//!
//! **Invariant:** an intake that holds something is read, whoever owned it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::directory::Directory;
use domain::ids::AccountId;
use tokio::time::Instant;
use trust::Time;

use crate::broker::Broker;
use crate::stages::Road;

/// How often the accounts that are read are compared with the directory.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often intakes of closed accounts are looked into while nothing changes: what a gateway gave back while it
/// ended lies there again.
const CLOSED_EVERY: Duration = Duration::from_secs(60);
/// The same while something lies in one of them.
const DRAINING_EVERY: Duration = Duration::from_secs(5);

/// Intakes of closed accounts.
#[derive(Debug, Default)]
struct Closed {
    /// Those that hold something.
    draining: BTreeSet<AccountId>,
    /// Those that are no more.
    gone: BTreeSet<AccountId>,
    look_at: Option<Instant>,
}

/// Keeps the broker reading the right intakes, for ever.
pub(super) async fn watch(road: Road, broker: Broker) {
    let mut closed = Closed::default();
    let mut known = None;
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        let (directory, now) = (road.journal.directory(), road.now());
        let changed = known != Some(directory.version());
        if !changed && !closed.is_due() {
            continue;
        }
        known = Some(directory.version());
        let (mut read, ended) = accounts(&directory, now);
        match broker.own_session() {
            Some(session) => closed.look((&broker, session), ended).await,
            None => closed.look_at = None,
        }
        read.extend(closed.draining.iter().cloned());
        broker.intake.watch_accounts(read);
    }
}

/// All accounts, the open ones and the closed ones.
fn accounts(directory: &Directory, now: Time) -> (BTreeSet<AccountId>, BTreeSet<AccountId>) {
    let (mut open, mut closed) = (BTreeSet::new(), BTreeSet::new());
    for account in directory.agencies().flat_map(|agency| &agency.accounts) {
        let side = if account.is_open(now) {
            &mut open
        } else {
            &mut closed
        };
        side.insert(account.id.clone());
    }
    (open, closed)
}

impl Closed {
    fn is_due(&self) -> bool {
        self.look_at.is_none_or(|at| at <= Instant::now())
    }

    async fn look(&mut self, (broker, session): (&Broker, u64), ended: BTreeSet<AccountId>) {
        let (mut draining, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for account in ended {
            if self.gone.contains(&account) {
                continue;
            }
            match broker.intake.inspector().intake(&account).await {
                Ok(Some(depth)) if depth.ready > 0 => drop(draining.insert(account)),
                Ok(Some(_)) => {}
                Ok(None) => drop(gone.insert(account)),
                Err(_) => {
                    // The broker goes away; what was known stays until it is back.
                    self.look_at = None;
                    return;
                }
            }
        }
        if broker.own_session() != Some(session) {
            self.look_at = None;
            return;
        }
        self.gone.extend(gone);
        let pause = if draining.is_empty() {
            CLOSED_EVERY
        } else {
            DRAINING_EVERY
        };
        self.look_at = Some(Instant::now() + pause);
        self.draining = draining;
    }
}
