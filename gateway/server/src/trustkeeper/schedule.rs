//! When each address is asked: ahead of need, seldom enough, and ever more seldom while it fails.
//!
//! **Invariant:** an address that fails is asked again, at growing intervals, for as long as somebody has use for it;
//! asking it more often than that is nobody's right, because a document names addresses and a stranger can send many
//! documents.
//! **Invariant:** what a stranger's document names is bounded by itself and takes no place from what authorities name.

use std::collections::BTreeMap;
use std::sync::Arc;

use trust::{Certificate, Digest, Time};

use super::address;
use super::material::is_issuer_of;
use crate::administration::Complaint;

/// Addresses of lists that are known at most.
const LISTS_MAX: usize = 4096;
/// Addresses of issuing certificates that are known at most: anybody's certificate names them.
const ISSUERS_MAX: usize = 512;
/// Certificates that are remembered as those whose issuer is looked for at one address.
const WANTED_BY_MAX: usize = 8;
/// An address that was asked so recently is not asked again, whoever needs it.
const REST_SECONDS_MIN: i64 = 5;
/// The longest rest of an address that fails.
const REST_SECONDS_MAX: i64 = 900;
/// Doublings of the shortest rest for an address that gives what is here already.
const REPEATS_MAX: u32 = 5;
/// An address that gave nothing and that no document needed for so long is forgotten; no document is held longer.
const FORGET_SECONDS: i64 = 7 * 86_400;

/// What an address is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// A revocation list.
    List,
    /// The certificate of an issuer.
    Issuer,
}

/// One thing wanted from one address. Who names an address for one thing says nothing of what else may be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Errand {
    pub(super) url: String,
    pub(super) wanted: Wanted,
}

impl Errand {
    pub(super) fn list(url: &str) -> Errand {
        Errand {
            url: url.to_owned(),
            wanted: Wanted::List,
        }
    }

    pub(super) fn issuer(url: &str) -> Errand {
        Errand {
            url: url.to_owned(),
            wanted: Wanted::Issuer,
        }
    }

    /// The host of the address, if it can be read.
    pub(super) fn host(&self) -> Option<String> {
        address::parse(&self.url)
            .ok()
            .and_then(|url| address::host_of(&url))
    }
}

/// Whose fault it is that nothing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The address gave something else, or nothing.
    Address,
    /// The host gave no answer: that says nothing of the address, and it is the host that rests.
    Host,
}

/// What an address gave.
pub(super) enum Answer {
    /// A list of this series, to be replaced by then.
    List {
        series: Digest,
        next_update: Option<Time>,
    },
    /// The certificate of an issuer.
    Issuer(Arc<Certificate>),
}

/// One address.
#[derive(Debug, Clone, Default)]
pub(super) struct Address {
    /// When it was last asked, successfully or not.
    pub(super) asked_at: Option<Time>,
    /// When it last gave what was wanted.
    pub(super) fetched_at: Option<Time>,
    /// By when what it gave is replaced.
    pub(super) next_update: Option<Time>,
    /// The series of the list that it gave.
    pub(super) series: Option<Digest>,
    /// The issuing certificate that it gave.
    pub(super) issuer: Option<Digest>,
    /// When a document last needed it.
    needed_at: Option<Time>,
    /// Certificates whose issuer is looked for here, the newest last.
    pub(super) wanted_by: Vec<Arc<Certificate>>,
    /// Failures since it last gave what was wanted.
    failures: u32,
    /// How often in a row it gave the list that was here already, or an issuer that somebody has no use for.
    repeats: u32,
    /// Since when it gives nothing of use.
    pub(super) failing_since: Option<Time>,
    /// What was wrong the last time.
    pub(super) fault: Option<Complaint>,
    /// Whether it is being asked now.
    pub(super) is_asked: bool,
}

/// All addresses.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) addresses: BTreeMap<Errand, Address>,
    refresh_seconds: i64,
    ahead_seconds: i64,
}

impl Address {
    /// Until when it rests because it failed, or was asked just now, or has nothing new although its list runs out.
    pub(super) fn rests_until(&self) -> Option<Time> {
        // 5, 10, 20 … 640, 900 seconds; for a list that is late up to 160, because documents may wait for it.
        let waits = self.failures.saturating_sub(1).min(10);
        let rest = REST_SECONDS_MIN << waits.max(self.repeats.min(REPEATS_MAX));
        self.asked_at
            .map(|asked| asked.plus_seconds(rest.min(REST_SECONDS_MAX)))
    }

    fn was_needed_lately(&self, now: Time) -> bool {
        self.needed_at
            .is_some_and(|needed| now < needed.plus_seconds(FORGET_SECONDS))
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
    pub(super) fn learn(&mut self, errand: &Errand) -> bool {
        if self.addresses.contains_key(errand) {
            return true;
        }
        let has_room = match errand.wanted {
            Wanted::List => self.count(Wanted::List) < LISTS_MAX,
            Wanted::Issuer => self.count(Wanted::Issuer) < ISSUERS_MAX || self.make_room(),
        };
        if has_room {
            self.addresses.insert(errand.clone(), Address::default());
        }
        has_room
    }

    /// The same, because a document needs it now; `of` is the certificate whose issuer is looked for.
    pub(super) fn need(&mut self, errand: &Errand, of: Option<&Arc<Certificate>>, now: Time) -> bool {
        if !self.learn(errand) {
            return false;
        }
        let address = self.addresses.get_mut(errand).expect("just learned");
        address.needed_at = Some(now);
        if let Some(of) = of.filter(|of| !address.wanted_by.contains(of)) {
            if address.wanted_by.len() >= WANTED_BY_MAX {
                address.wanted_by.remove(0);
            }
            address.wanted_by.push(Arc::clone(of));
        }
        true
    }

    fn count(&self, wanted: Wanted) -> usize {
        let keys = self.addresses.keys();
        keys.filter(|errand| errand.wanted == wanted).count()
    }

    /// Forgets the address of an issuer that was needed longest ago.
    fn make_room(&mut self) -> bool {
        let issuers = self.addresses.iter();
        let oldest = issuers
            .filter(|(errand, address)| errand.wanted == Wanted::Issuer && !address.is_asked)
            .min_by_key(|(_, address)| address.needed_at)
            .map(|(errand, _)| errand.clone());
        oldest.is_some_and(|errand| self.addresses.remove(&errand).is_some())
    }

    /// Forgets addresses that nobody has use for: lists that nothing names and that serve no certificate in use, and
    /// issuers that no document needs any more.
    pub(super) fn forget(
        &mut self,
        now: Time,
        is_named: impl Fn(&str) -> bool,
        serves: impl Fn(&Digest) -> bool,
    ) {
        self.addresses.retain(|errand, address| {
            let is_of_use = match errand.wanted {
                Wanted::List => is_named(&errand.url) || address.series.as_ref().is_some_and(&serves),
                Wanted::Issuer => false,
            };
            is_of_use || address.is_asked || address.was_needed_lately(now)
        });
    }

    /// Whether the address may be asked because somebody needs it now.
    pub(super) fn may_ask(&self, errand: &Errand, now: Time) -> bool {
        let address = self.addresses.get(errand);
        address.is_some_and(|one| !one.is_asked && one.rests_until().is_none_or(|until| until <= now))
    }

    /// The addresses that are to be asked now because their time has come.
    pub(super) fn due(&self, now: Time) -> Vec<Errand> {
        let is_due = |wanted: Wanted, address: &Address| {
            let at = match (wanted, address.fetched_at) {
                (Wanted::List, Some(fetched)) => {
                    let refresh = fetched.plus_seconds(self.refresh_seconds);
                    let ahead = address
                        .next_update
                        .map(|next| next.plus_seconds(-self.ahead_seconds));
                    ahead.map_or(refresh, |ahead| ahead.min(refresh))
                }
                // It is asked again for those only whose issuer it did not give.
                (Wanted::Issuer, Some(_)) if address.wanted_by.is_empty() => return false,
                (Wanted::Issuer, Some(fetched)) => fetched,
                (Wanted::List | Wanted::Issuer, None) => now,
            };
            at <= now
        };
        let due = self
            .addresses
            .iter()
            .filter(|(errand, address)| is_due(errand.wanted, address) && self.may_ask(errand, now));
        due.map(|(errand, _)| errand.clone()).collect()
    }

    pub(super) fn asking(&mut self, errand: &Errand, now: Time) {
        if let Some(address) = self.addresses.get_mut(errand) {
            address.is_asked = true;
            address.asked_at = Some(now);
        }
    }

    /// The address gave what was wanted.
    pub(super) fn succeeded(&mut self, errand: &Errand, now: Time, answer: Answer) {
        let Some(address) = self.addresses.get_mut(errand) else {
            return;
        };
        let fresh = Address {
            asked_at: address.asked_at,
            fetched_at: Some(now),
            needed_at: address.needed_at,
            ..Address::default()
        };
        let wanted_by = std::mem::take(&mut address.wanted_by);
        let fresh = match answer {
            Answer::List { series, next_update } => Address {
                next_update,
                series: Some(series),
                ..fresh
            },
            Answer::Issuer(issuer) => Address {
                wanted_by: wanted_by
                    .into_iter()
                    .filter(|of| !is_issuer_of(&issuer, of))
                    .collect(),
                issuer: Some(issuer.fingerprint()),
                ..fresh
            },
        };
        let is_late = fresh.next_update.is_some() && address.next_update == fresh.next_update;
        let repeats = if is_late || !fresh.wanted_by.is_empty() {
            address.repeats + 1
        } else {
            0
        };
        *address = Address { repeats, ..fresh };
    }

    /// Fingerprints of the issuers that addresses gave.
    pub(super) fn answers(&self) -> BTreeMap<String, Digest> {
        let addresses = self.addresses.iter();
        let gave = addresses.filter_map(|(errand, address)| Some((errand.url.clone(), address.issuer?)));
        gave.collect()
    }

    pub(super) fn failed(&mut self, errand: &Errand, now: Time, fault: Complaint, blame: Blame) {
        if let Some(address) = self.addresses.get_mut(errand) {
            address.is_asked = false;
            if blame == Blame::Address {
                address.failures += 1;
            }
            address.failing_since.get_or_insert(now);
            address.fault = Some(fault);
        }
    }

    /// The address was not asked after all, because its host rests; it may be asked as soon as the host is.
    pub(super) fn turned_away(&mut self, errand: &Errand, now: Time, fault: Complaint) {
        self.failed(errand, now, fault, Blame::Host);
        if let Some(address) = self.addresses.get_mut(errand) {
            address.asked_at = None;
        }
    }

    /// Ends all rests, because a person wants to know now.
    pub(super) fn wake(&mut self) {
        self.addresses
            .values_mut()
            .for_each(|address| address.asked_at = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::administration::Trouble;

    const URL: &str = "http://crl.example/x.crl";

    fn complaint() -> Complaint {
        Complaint {
            trouble: Trouble::WrongAnswer,
            detail: "the answer was 500".to_owned(),
        }
    }

    fn errand() -> Errand {
        Errand::list(URL)
    }

    fn list_until(seconds: i64) -> Answer {
        Answer::List {
            series: Digest::of(b"a series"),
            next_update: Some(at(seconds)),
        }
    }

    fn at(seconds: i64) -> Time {
        Time::from_seconds(1_000_000 + seconds)
    }

    fn schedule() -> Schedule {
        let mut schedule = Schedule::new(3600, 600);
        assert!(schedule.learn(&errand()));
        schedule
    }

    #[test]
    fn a_list_is_fetched_ahead_of_its_next_update() {
        let mut schedule = schedule();
        assert_eq!(schedule.due(at(0)), [errand()]);
        schedule.asking(&errand(), at(0));
        assert!(schedule.due(at(0)).is_empty(), "it is asked already");
        schedule.succeeded(&errand(), at(1), list_until(2000));
        assert!(schedule.due(at(1399)).is_empty());
        assert_eq!(schedule.due(at(1400)), [errand()], "600 s before its nextUpdate");
    }

    #[test]
    fn a_list_that_is_late_is_asked_for_less_and_less_often_until_it_comes() {
        let (mut schedule, mut now, mut rests) = (schedule(), 0, Vec::new());
        for _ in 0..8 {
            schedule.asking(&errand(), at(now));
            schedule.succeeded(&errand(), at(now), list_until(100));
            let rested = (0..)
                .find(|seconds| schedule.due(at(now + seconds)) == [errand()])
                .expect("asked again");
            rests.push(rested);
            now += rested;
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 160, 160]);
        schedule.asking(&errand(), at(now));
        schedule.succeeded(&errand(), at(now), list_until(now + 2000));
        assert!(schedule.due(at(now + 1399)).is_empty(), "the new one is not late");
    }

    #[test]
    fn a_list_of_a_long_life_is_looked_at_again_all_the_same() {
        let mut schedule = schedule();
        schedule.asking(&errand(), at(0));
        schedule.succeeded(&errand(), at(1), list_until(1_000_000));
        assert!(schedule.due(at(3600)).is_empty());
        assert_eq!(schedule.due(at(3601)), [errand()]);
    }

    #[test]
    fn an_address_that_fails_rests_longer_each_time_and_is_never_given_up() {
        let (mut schedule, mut now, mut rests) = (schedule(), 0, Vec::new());
        for _ in 0..12 {
            schedule.asking(&errand(), at(now));
            schedule.failed(&errand(), at(now), complaint(), Blame::Address);
            let rested = (0..)
                .find(|seconds| schedule.may_ask(&errand(), at(now + seconds)))
                .expect("asked again");
            rests.push(rested);
            now += rested;
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
        schedule.asking(&errand(), at(now));
        schedule.succeeded(&errand(), at(now), list_until(now + 2000));
        assert_eq!(schedule.addresses[&errand()].fault, None);
    }

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let mut schedule = schedule();
        for number in 1..LISTS_MAX {
            assert!(schedule.learn(&Errand::list(&format!("http://crl.example/{number}"))));
        }
        assert!(!schedule.learn(&Errand::list("http://crl.example/one-more")));
        assert!(schedule.learn(&errand()), "what is known stays known");
    }

    #[test]
    fn addresses_of_issuers_take_no_place_from_lists_and_the_oldest_give_way() {
        let mut schedule = schedule();
        let issuer = |number| Errand::issuer(&format!("http://ca.example/{number}"));
        for number in 0..ISSUERS_MAX {
            let seconds = i64::try_from(number).expect("few");
            assert!(schedule.need(&issuer(number), None, at(seconds)));
        }
        schedule.asking(&issuer(0), at(0));
        assert!(schedule.need(&issuer(ISSUERS_MAX), None, at(10_000)));
        assert_eq!(schedule.count(Wanted::Issuer), ISSUERS_MAX);
        assert!(schedule.addresses.contains_key(&issuer(0)), "it is being asked");
        assert!(!schedule.addresses.contains_key(&issuer(1)), "needed longest ago");
        assert!(schedule.learn(&Errand::list("http://crl.example/other")));
    }

    #[test]
    fn one_address_may_be_asked_for_two_things() {
        let mut schedule = schedule();
        assert!(schedule.need(&Errand::issuer(URL), None, at(0)));
        assert_eq!(schedule.due(at(0)), [errand(), Errand::issuer(URL)]);
    }

    #[test]
    fn an_address_is_forgotten_when_nothing_names_it_and_nobody_needs_it() {
        let mut schedule = schedule();
        let (needed, ended) = (
            Errand::issuer("http://ca.example/x"),
            Errand::list("http://crl.example/old"),
        );
        assert!(schedule.need(&needed, None, at(0)) && schedule.learn(&ended));
        schedule.succeeded(&ended, at(0), list_until(100));
        let mut left = |now, serves: bool| {
            schedule.forget(at(now), |url| url == URL, |_| serves);
            schedule.addresses.keys().cloned().collect::<Vec<_>>()
        };
        let all = [needed, ended, errand()];
        assert_eq!(left(1, true), all);
        assert_eq!(left(1, false), [all[0].clone(), errand()], "its series has ended");
        assert_eq!(left(FORGET_SECONDS, false), [errand()]);
    }

    #[test]
    fn a_silent_host_is_not_held_against_the_address() {
        let mut schedule = schedule();
        for _ in 0..5 {
            schedule.asking(&errand(), at(0));
            schedule.failed(&errand(), at(0), complaint(), Blame::Host);
        }
        assert!(schedule.may_ask(&errand(), at(5)));
        schedule.asking(&errand(), at(10));
        schedule.turned_away(&errand(), at(10), complaint());
        assert!(schedule.may_ask(&errand(), at(10)), "it was not asked");
        assert_eq!(schedule.addresses[&errand()].failing_since, Some(at(0)));
    }
}
