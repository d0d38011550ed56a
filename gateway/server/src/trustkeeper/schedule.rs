//! When each address is asked: ahead of need, seldom enough, and ever more seldom while it fails.
//!
//! **Invariant:** an address that fails is asked again, at growing intervals, for ever; asking it more often than that
//! is nobody's right, because a document names addresses and a stranger can send many documents.

use std::collections::BTreeMap;

use trust::Time;

/// Addresses that are known at most: documents of strangers name them too.
const ADDRESSES_MAX: usize = 4096;
/// An address that was asked so recently is not asked again, whoever needs it.
const REST_SECONDS_MIN: i64 = 5;
/// The longest rest of an address that fails.
const REST_SECONDS_MAX: i64 = 900;
/// Doublings of the shortest rest for an address that gives what is here already.
const REPEATS_MAX: u32 = 5;

/// What an address is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A revocation list.
    List,
    /// The certificate of an issuer.
    Issuer,
}

/// One address.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) wanted: Wanted,
    /// When it was last asked, successfully or not.
    pub(super) asked_at: Option<Time>,
    /// When it last gave what was wanted.
    pub(super) fetched_at: Option<Time>,
    /// By when what it gave is replaced.
    pub(super) next_update: Option<Time>,
    /// Failures since it last gave what was wanted.
    failures: u32,
    /// How often in a row it gave the list that was here already.
    repeats: u32,
    /// What was wrong the last time.
    pub(super) fault: Option<String>,
    /// Whether it is being asked now.
    pub(super) is_asked: bool,
}

/// All addresses.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) addresses: BTreeMap<String, Address>,
    refresh_seconds: i64,
    ahead_seconds: i64,
}

impl Address {
    fn new(wanted: Wanted) -> Address {
        Address {
            wanted,
            asked_at: None,
            fetched_at: None,
            next_update: None,
            failures: 0,
            repeats: 0,
            fault: None,
            is_asked: false,
        }
    }

    /// Until when it rests because it failed, or was asked just now, or has nothing new although its list runs out.
    pub(super) fn rests_until(&self) -> Option<Time> {
        // 5, 10, 20 … 640, 900 seconds; for a list that is late up to 160, because documents may wait for it.
        let waits = self.failures.saturating_sub(1).min(10);
        let rest = REST_SECONDS_MIN << waits.max(self.repeats.min(REPEATS_MAX));
        self.asked_at
            .map(|asked| asked.plus_seconds(rest.min(REST_SECONDS_MAX)))
    }
}

impl Schedule {
    pub(super) fn new(refresh_seconds: i64, ahead_seconds: i64) -> Schedule {
        Schedule {
            addresses: BTreeMap::new(),
            refresh_seconds,
            ahead_seconds,
        }
    }

    /// Makes an address known. Says whether it is, which it is not when there are too many.
    pub(super) fn learn(&mut self, url: &str, wanted: Wanted) -> bool {
        if self.addresses.contains_key(url) {
            return true;
        }
        let has_room = self.addresses.len() < ADDRESSES_MAX;
        if has_room {
            self.addresses.insert(url.to_owned(), Address::new(wanted));
        }
        has_room
    }

    /// Whether the address may be asked because somebody needs it now.
    pub(super) fn may_ask(&self, url: &str, now: Time) -> bool {
        let address = self.addresses.get(url);
        address.is_some_and(|one| !one.is_asked && one.rests_until().is_none_or(|until| until <= now))
    }

    /// The addresses that are to be asked now because their time has come.
    pub(super) fn due(&self, now: Time) -> Vec<String> {
        let is_due = |address: &Address| {
            let at = match (address.wanted, address.fetched_at) {
                (Wanted::List, Some(fetched)) => {
                    let refresh = fetched.plus_seconds(self.refresh_seconds);
                    let ahead = address
                        .next_update
                        .map(|next| next.plus_seconds(-self.ahead_seconds));
                    ahead.map_or(refresh, |ahead| ahead.min(refresh))
                }
                // A certificate does not change; who lacks it still will say so.
                (Wanted::Issuer, Some(_)) => return false,
                (Wanted::List | Wanted::Issuer, None) => now,
            };
            at <= now
        };
        let due = self
            .addresses
            .iter()
            .filter(|(url, address)| is_due(address) && self.may_ask(url, now));
        due.map(|(url, _)| url.clone()).collect()
    }

    pub(super) fn asking(&mut self, url: &str, now: Time) {
        if let Some(address) = self.addresses.get_mut(url) {
            address.is_asked = true;
            address.asked_at = Some(now);
        }
    }

    pub(super) fn succeeded(&mut self, url: &str, now: Time, next_update: Option<Time>) {
        if let Some(address) = self.addresses.get_mut(url) {
            let fresh = Address::new(address.wanted);
            let is_repeat = next_update.is_some() && address.next_update == next_update;
            let repeats = if is_repeat { address.repeats + 1 } else { 0 };
            *address = Address {
                repeats,
                asked_at: address.asked_at,
                fetched_at: Some(now),
                next_update,
                ..fresh
            };
        }
    }

    pub(super) fn failed(&mut self, url: &str, fault: String) {
        if let Some(address) = self.addresses.get_mut(url) {
            address.is_asked = false;
            address.failures += 1;
            address.fault = Some(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://crl.example/x.crl";

    fn at(seconds: i64) -> Time {
        Time::from_seconds(1_000_000 + seconds)
    }

    fn schedule() -> Schedule {
        let mut schedule = Schedule::new(3600, 600);
        assert!(schedule.learn(URL, Wanted::List));
        schedule
    }

    #[test]
    fn a_list_is_fetched_ahead_of_its_next_update() {
        let mut schedule = schedule();
        assert_eq!(schedule.due(at(0)), [URL]);
        schedule.asking(URL, at(0));
        assert!(schedule.due(at(0)).is_empty(), "it is asked already");
        schedule.succeeded(URL, at(1), Some(at(2000)));
        assert!(schedule.due(at(1399)).is_empty());
        assert_eq!(schedule.due(at(1400)), [URL], "600 s before its nextUpdate");
    }

    #[test]
    fn a_list_that_is_late_is_asked_for_less_and_less_often_until_it_comes() {
        let (mut schedule, mut now, mut rests) = (schedule(), 0, Vec::new());
        for _ in 0..8 {
            schedule.asking(URL, at(now));
            schedule.succeeded(URL, at(now), Some(at(100)));
            let rested = (0..)
                .find(|seconds| schedule.due(at(now + seconds)) == [URL])
                .expect("asked again");
            rests.push(rested);
            now += rested;
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 160, 160]);
        schedule.asking(URL, at(now));
        schedule.succeeded(URL, at(now), Some(at(now + 2000)));
        assert!(schedule.due(at(now + 1399)).is_empty(), "the new one is not late");
    }

    #[test]
    fn a_list_of_a_long_life_is_looked_at_again_all_the_same() {
        let mut schedule = schedule();
        schedule.asking(URL, at(0));
        schedule.succeeded(URL, at(1), Some(at(1_000_000)));
        assert!(schedule.due(at(3600)).is_empty());
        assert_eq!(schedule.due(at(3601)), [URL]);
    }

    #[test]
    fn an_address_that_fails_rests_longer_each_time_and_is_never_given_up() {
        let (mut schedule, mut now, mut rests) = (schedule(), 0, Vec::new());
        for _ in 0..12 {
            schedule.asking(URL, at(now));
            schedule.failed(URL, "the answer was 500".to_owned());
            let rested = (0..)
                .find(|seconds| schedule.may_ask(URL, at(now + seconds)))
                .expect("asked again");
            rests.push(rested);
            now += rested;
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
        schedule.asking(URL, at(now));
        schedule.succeeded(URL, at(now), None);
        assert_eq!(schedule.addresses[URL].fault, None);
    }

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let mut schedule = schedule();
        for number in 1..ADDRESSES_MAX {
            assert!(schedule.learn(&format!("http://crl.example/{number}"), Wanted::List));
        }
        assert!(!schedule.learn("http://crl.example/one-more", Wanted::List));
        assert!(schedule.learn(URL, Wanted::List), "what is known stays known");
    }
}
