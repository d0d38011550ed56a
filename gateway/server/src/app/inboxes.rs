//! Proof of loss, inbox by inbox: an inbox that is gone is made anew, and one that holds fewer than the journal says is
//! filled again. The queues that all share are looked at, too: without one of them everybody waits.
//!
//! **Invariant:** nothing is put into an inbox again without proof: the queue is not there; or nobody reads it and it
//! holds fewer than were put there and never confirmed, at two looks in a row; or somebody reads it, it is empty, and
//! what was put there is not confirmed, at eight looks in a row. A connector that has it after all drops the repeat.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::agency::Standing;
use domain::ids::AccountId;
use domain::port::StoreFault;
use tracing::{info, warn};

use super::provision::BrokerProvision;
use crate::administration::{AccountStep, Provision};
use crate::broker::{Broker, Depth};
use crate::stages::Road;
use crate::stages::signal::DispatchNews;
use crate::telemetry::Measure;

/// How often inboxes are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// What went into an inbox more recently is not counted: its confirmation may be on its way.
const SETTLING_SECONDS: i64 = 30;

/// Looks in a row that must find an inbox short: that nobody reads, that somebody reads.
const LOOKS_UNREAD: u32 = 2;
const LOOKS_READ: u32 = 8;
/// An inbox that is read and was filled again already needs twice as many looks each time, up to this many times: its
/// reader may hold what it took without acknowledging it.
const DOUBLINGS_MAX: u32 = 5;
/// Quiet looks after which it counts as new: what was put there again settles within two.
const QUIET_LOOKS: u32 = 4;

/// Watches for ever.
pub(super) async fn watch(road: Road, broker: Broker, provision: Option<Arc<BrokerProvision>>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut suspects: BTreeMap<AccountId, u32> = BTreeMap::new();
    let mut refilled: BTreeMap<AccountId, Refills> = BTreeMap::new();
    loop {
        tick.tick().await;
        let Some(session) = broker.own_session() else {
            suspects.clear();
            continue;
        };
        if let Ok(Some(parked)) = broker.intake.inspector().parked().await {
            road.metrics.set(Measure::Parked, i64::from(parked.ready));
        }
        look_at_shared(&road, &broker, provision.as_deref()).await;
        let expected = match expected(&road) {
            Ok(expected) => expected,
            Err(fault) => {
                warn!(error = %fault, "what lies in the inboxes could not be read");
                continue;
            }
        };
        forget_quiet(&mut refilled, &expected);
        let accounts: Vec<AccountId> = expected.keys().cloned().collect();
        let Ok(depths) = broker.intake.inspector().inboxes(&accounts).await else {
            continue;
        };
        if broker.own_session() != Some(session) {
            suspects.clear();
            continue;
        }
        let mut suspected = BTreeMap::new();
        for (account, depth) in accounts.into_iter().zip(depths) {
            let looks = suspects.get(&account).copied().unwrap_or(0) + 1;
            let times = refilled.get(&account).map_or(0, |refills| refills.times);
            match verdict(depth, expected[&account], times) {
                Verdict::Sound => {}
                Verdict::Short { looks_min } if looks_min <= looks => {
                    let refills = Refills {
                        times: times + 1,
                        quiet: 0,
                    };
                    refilled.insert(account.clone(), refills);
                    lost(&road, account).await;
                }
                Verdict::Short { .. } => drop(suspected.insert(account, looks)),
                Verdict::Gone => make_anew(&road, provision.as_deref(), account).await,
            }
        }
        suspects = suspected;
    }
}

/// Has the queues made anew that all share and that are not there; tells of those that cannot be made.
async fn look_at_shared(road: &Road, broker: &Broker, provision: Option<&BrokerProvision>) {
    let inspector = broker.intake.inspector();
    let Ok(missing) = inspector.missing_shared().await else {
        return;
    };
    if missing.is_empty() {
        road.troubles.tell_missing(missing);
        return;
    }
    let queues = missing.join(" ");
    match provision {
        None => warn!(
            queues,
            "queues of the broker are gone: run `gateway broker provision`"
        ),
        Some(provision) => match provision.make_shared().await {
            Ok(_) => info!(queues, "queues of the broker were gone and are made anew"),
            Err(fault) => {
                warn!(queues, error = %fault, "queues of the broker are gone and cannot be made now")
            }
        },
    }
    // Whoever made them: they are asked for once more.
    let left = inspector.missing_shared().await.unwrap_or(missing);
    road.troubles.tell_missing(left);
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Sound,
    /// It holds fewer than it should, if that is so at so many looks in a row.
    Short {
        looks_min: u32,
    },
    Gone,
}

/// Only a queue without a reader shows all that it holds. What a reader has taken and not acknowledged yet is not
/// seen; it does not stay so for long.
fn verdict(depth: Option<Depth>, expected: u32, refilled: u32) -> Verdict {
    match depth {
        None => Verdict::Gone,
        Some(Depth { ready, consumers: 0 }) if ready < expected => Verdict::Short {
            looks_min: LOOKS_UNREAD,
        },
        Some(Depth { ready: 0, .. }) if 0 < expected => Verdict::Short {
            looks_min: LOOKS_READ << refilled.min(DOUBLINGS_MAX),
        },
        Some(_) => Verdict::Sound,
    }
}

/// How often an inbox was filled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refills {
    times: u32,
    /// Looks in a row at which nothing lay in it that should long have been confirmed.
    quiet: u32,
}

/// An inbox whose reader confirms what it takes counts as new. What was just put there again is not expected to be confirmed
/// yet, for longer than one look.
fn forget_quiet(refilled: &mut BTreeMap<AccountId, Refills>, expected: &BTreeMap<AccountId, u32>) {
    refilled.retain(|account, refills| {
        let is_quiet = expected.get(account).is_none_or(|expected| *expected == 0);
        refills.quiet = if is_quiet { refills.quiet + 1 } else { 0 };
        refills.quiet < QUIET_LOOKS
    });
}

/// How many dispatches each inbox must hold at least; of everybody who has something due or in an inbox.
fn expected(road: &Road) -> Result<BTreeMap<AccountId, u32>, StoreFault> {
    let (directory, now) = (road.journal.directory(), road.now());
    let mut expected = BTreeMap::new();
    for agency in road.journal.flying()? {
        for head in road.journal.in_inbox(agency)? {
            let Some(account) = &head.consigned_to else {
                continue;
            };
            let settled_in = head
                .consigned_at
                .is_some_and(|at| at.plus_seconds(SETTLING_SECONDS) <= now);
            *expected.entry(account.clone()).or_insert(0) += u32::from(settled_in);
        }
    }
    for agency in road.journal.waiting()? {
        for account in directory.inbox_accounts(agency, now) {
            expected.entry(account).or_insert(0);
        }
    }
    Ok(expected)
}

async fn lost(road: &Road, account: AccountId) {
    warn!(account.id = %account, "the inbox holds fewer than it should, or its reader acknowledges nothing; it is filled again");
    road.signals.tell_dispatch(DispatchNews::InboxLost(account)).await;
}

async fn make_anew(road: &Road, provision: Option<&BrokerProvision>, account: AccountId) {
    let Some(provision) = provision else {
        warn!(account.id = %account, "the inbox is gone: run `gateway broker provision`");
        return;
    };
    let step = AccountStep::of(&road.journal.directory(), &account, road.now());
    if step.standing == Standing::Closed {
        // Its inbox is gone for good; what was in it goes to the heir, if there is one.
        road.signals.tell_dispatch(DispatchNews::InboxLost(account)).await;
        return;
    }
    let results = provision.carry_out(&[(account.clone(), step)]).await;
    if let Some(fault) = results.into_iter().find_map(Result::err) {
        warn!(account.id = %account, error = %fault, "the inbox is gone and cannot be made now");
        return;
    }
    info!(account.id = %account, "the inbox was gone and is made anew");
    lost(road, account).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ready: u32, consumers: u32, expected: u32) -> Verdict {
        verdict(Some(Depth { ready, consumers }), expected, 0)
    }

    #[test]
    fn a_queue_without_reader_that_holds_fewer_is_short_at_once_and_an_empty_one_that_is_read_after_a_while()
    {
        assert_eq!(verdict(None, 0, 0), Verdict::Gone);
        let (unread, read) = (
            Verdict::Short {
                looks_min: LOOKS_UNREAD,
            },
            Verdict::Short {
                looks_min: LOOKS_READ,
            },
        );
        assert_eq!(seen(1, 0, 2), unread);
        assert_eq!(seen(2, 0, 2), Verdict::Sound);
        assert_eq!(seen(0, 0, 0), Verdict::Sound);
        assert_eq!(seen(0, 1, 2), read);
        assert_eq!(seen(1, 1, 2), Verdict::Sound, "the reader has the other one");
        assert_eq!(seen(0, 1, 0), Verdict::Sound);
    }

    #[test]
    fn what_was_just_put_there_again_does_not_make_an_inbox_new() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let mut refilled = BTreeMap::from([(account.clone(), Refills { times: 3, quiet: 0 })]);
        let mut look = |expected: u32| {
            forget_quiet(&mut refilled, &BTreeMap::from([(account.clone(), expected)]));
            refilled.get(&account).map(|refills| refills.quiet)
        };
        // Settling, then short once more; in the end somebody confirms.
        let quiet = [0, 0, 1, 0, 0, 0, 0].map(&mut look);
        assert_eq!(
            quiet,
            [Some(1), Some(2), Some(0), Some(1), Some(2), Some(3), None]
        );
    }

    #[test]
    fn a_reader_that_acknowledges_nothing_is_sent_everything_again_ever_more_seldom() {
        let depth = Some(Depth {
            ready: 0,
            consumers: 1,
        });
        let looks = [0, 1, 5, 50].map(|refilled| verdict(depth, 1, refilled));
        let short = |looks_min| Verdict::Short { looks_min };
        assert_eq!(looks, [8, 16, 256, 256].map(short));
    }
}
