//! How each host stands: one that does not answer costs one wait, not one for each of its addresses.
//!
//! A circuit breaker. A host that has not answered yet is asked one thing at a time; one that gave no answer rests, and
//! whatever else is wanted from it is turned away until the rest is over; then one question tries it (half open).
//!
//! **Invariant:** a host that has not proven to answer is never asked two things at a time.
//! **Invariant:** only silence counts against a host: an answer of any kind, even a wrong one, is the address's matter.

use std::collections::BTreeMap;

use trust::Time;

/// The first rest of a host that gave no answer; each further one is twice as long.
const REST_SECONDS_MIN: i64 = 5;
/// The longest rest.
const REST_SECONDS_MAX: i64 = 900;
/// Questions at the same time to a host that answers: half of all, so that one slow host never takes every place.
const FLIGHTS_MAX: usize = 4;

/// Whether a host may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Now.
    Open,
    /// When a question that is under way has its answer.
    Wait,
    /// It gave no answer, and one question tries it again.
    Tried,
    /// Not before this time: it gave no answer.
    Rests(Time),
}

#[derive(Debug, Default)]
struct Host {
    /// Questions under way.
    flights: usize,
    /// Silences since its last answer.
    silences: u32,
    rests_until: Option<Time>,
    /// Whether its last question was answered.
    is_proven: bool,
}

/// All hosts, as `host:port`.
#[derive(Debug, Default)]
pub(super) struct Hosts(BTreeMap<String, Host>);

impl Hosts {
    pub(super) fn way(&self, host: &str, now: Time) -> Way {
        let Some(host) = self.0.get(host) else {
            return Way::Open;
        };
        if let Some(until) = host.rests_until.filter(|until| *until > now) {
            return Way::Rests(until);
        }
        // Nobody else waits for what was silent before.
        if host.rests_until.is_some() && 0 < host.flights {
            return Way::Tried;
        }
        let flights_max = if host.is_proven { FLIGHTS_MAX } else { 1 };
        if host.flights < flights_max {
            Way::Open
        } else {
            Way::Wait
        }
    }

    /// The hosts that rest: no redirect leads to one.
    pub(super) fn resting(&self, now: Time) -> Vec<String> {
        let resting = self.0.iter().filter(|(_, host)| host.rests_until > Some(now));
        resting.map(|(name, _)| name.clone()).collect()
    }

    /// A question is under way.
    pub(super) fn asked(&mut self, host: &str) {
        self.0.entry(host.to_owned()).or_default().flights += 1;
    }

    /// A question has ended, however.
    pub(super) fn ended(&mut self, host: &str) {
        if let Some(host) = self.0.get_mut(host) {
            host.flights = host.flights.saturating_sub(1);
        }
    }

    /// The host answered.
    pub(super) fn answered(&mut self, host: &str) {
        if let Some(host) = self.0.get_mut(host) {
            host.is_proven = true;
            host.silences = 0;
            host.rests_until = None;
        }
    }

    /// The host gave no answer. Questions that were under way together are one silence.
    pub(super) fn silent(&mut self, host: &str, now: Time) {
        let host = self.0.entry(host.to_owned()).or_default();
        host.is_proven = false;
        if host.rests_until.is_none_or(|until| until <= now) {
            // 5, 10, 20 … 640, 900 seconds.
            let rest = REST_SECONDS_MIN << host.silences.min(10);
            host.silences += 1;
            host.rests_until = Some(now.plus_seconds(rest.min(REST_SECONDS_MAX)));
        }
    }

    /// Ends all rests, because a person wants to know now; a host that was silent is still tried with one question.
    pub(super) fn wake(&mut self) {
        self.0.values_mut().for_each(|host| host.rests_until = None);
    }

    /// Forgets hosts that nothing is wanted from.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.0.retain(|name, host| host.flights > 0 || is_wanted(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "ca.example:80";

    fn at(seconds: i64) -> Time {
        Time::from_seconds(1_000_000 + seconds)
    }

    #[test]
    fn a_host_that_has_not_answered_is_asked_one_thing_at_a_time() {
        let mut hosts = Hosts::default();
        assert_eq!(hosts.way(HOST, at(0)), Way::Open);
        hosts.asked(HOST);
        assert_eq!(hosts.way(HOST, at(0)), Way::Wait);
        assert_eq!(hosts.way("other.example:80", at(0)), Way::Open);
        hosts.ended(HOST);
        hosts.answered(HOST);
        for _ in 0..FLIGHTS_MAX {
            assert_eq!(hosts.way(HOST, at(1)), Way::Open);
            hosts.asked(HOST);
        }
        assert_eq!(hosts.way(HOST, at(1)), Way::Wait, "no host takes every place");
    }

    #[test]
    fn a_silent_host_rests_and_is_tried_with_one_question_afterwards() {
        let mut hosts = Hosts::default();
        hosts.asked(HOST);
        hosts.ended(HOST);
        hosts.silent(HOST, at(0));
        assert_eq!(hosts.way(HOST, at(4)), Way::Rests(at(5)));
        assert_eq!(hosts.resting(at(4)), [HOST]);
        assert_eq!(hosts.way(HOST, at(5)), Way::Open, "half open");
        assert!(hosts.resting(at(5)).is_empty());
        hosts.asked(HOST);
        assert_eq!(hosts.way(HOST, at(5)), Way::Tried, "one question tries it");
        hosts.ended(HOST);
        hosts.silent(HOST, at(6));
        assert_eq!(hosts.way(HOST, at(7)), Way::Rests(at(16)), "twice as long");
        hosts.wake();
        assert_eq!(hosts.way(HOST, at(7)), Way::Open);
        hosts.asked(HOST);
        assert_eq!(hosts.way(HOST, at(7)), Way::Wait, "waking it proves nothing");
    }

    #[test]
    fn questions_that_were_under_way_together_are_one_silence() {
        let mut hosts = Hosts::default();
        for _ in 0..3 {
            hosts.silent(HOST, at(0));
        }
        assert_eq!(hosts.way(HOST, at(0)), Way::Rests(at(5)));
        hosts.answered(HOST);
        assert_eq!(hosts.way(HOST, at(0)), Way::Open);
        hosts.silent(HOST, at(100));
        assert_eq!(
            hosts.way(HOST, at(100)),
            Way::Rests(at(105)),
            "an answer forgives"
        );
    }

    #[test]
    fn a_rest_has_a_limit_and_a_host_is_never_given_up() {
        let (mut hosts, mut now, mut rests) = (Hosts::default(), 0, Vec::new());
        for _ in 0..10 {
            hosts.silent(HOST, at(now));
            let Way::Rests(until) = hosts.way(HOST, at(now)) else {
                panic!("it rests")
            };
            rests.push(until.as_seconds() - at(now).as_seconds());
            now = until.as_seconds() - at(0).as_seconds();
            assert_eq!(hosts.way(HOST, at(now)), Way::Open);
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }

    #[test]
    fn hosts_that_nothing_is_wanted_from_are_forgotten() {
        let mut hosts = Hosts::default();
        hosts.silent(HOST, at(0));
        hosts.silent("other.example:80", at(0));
        hosts.retain(|name| name == HOST);
        assert_eq!(hosts.resting(at(0)), [HOST]);
    }
}
