//! Dispatches whose bytes cannot be read back as they were: set aside for a while each, until a person has put them back.
//!
//! **Invariant:** they keep nobody else waiting, as long as they are few.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::ids::{AgencyId, DispatchId};

/// All of them.
#[derive(Debug)]
pub(super) struct Damage {
    rest: Duration,
    /// So many of one addressee are passed over at each look; beyond, it rests altogether after each that is found again.
    passed_over_max: usize,
    set_aside: HashMap<DispatchId, One>,
    counts: HashMap<AgencyId, usize>,
}

#[derive(Debug)]
struct One {
    agency: AgencyId,
    /// When it is tried again.
    until: Instant,
    /// Whether that was told ([`Damage::ripe`]).
    is_ripe: bool,
}

impl Damage {
    /// None; each will rest so long.
    pub(super) fn new(rest: Duration, passed_over_max: usize) -> Damage {
        Damage {
            rest,
            passed_over_max,
            set_aside: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// Sets one aside, again if it was before. Says whether its addressee has few enough to be passed over.
    pub(super) fn set_aside(&mut self, id: DispatchId, agency: AgencyId, now: Instant) -> bool {
        let one = One {
            agency,
            until: now + self.rest,
            is_ripe: false,
        };
        if self.set_aside.insert(id, one).is_none() {
            *self.counts.entry(agency).or_insert(0) += 1;
        }
        self.of(agency) <= self.passed_over_max
    }

    /// It could be read, or is settled. Gives its addressee if it was one of them.
    pub(super) fn mend(&mut self, id: DispatchId) -> Option<AgencyId> {
        let One { agency, .. } = self.set_aside.remove(&id)?;
        if let Some(count) = self.counts.get_mut(&agency) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&agency);
            }
        }
        Some(agency)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.set_aside.len()
    }

    /// How many are for this addressee, whichever inbox they would go into: that may be an heir's by now.
    pub(super) fn of(&self, agency: AgencyId) -> usize {
        self.counts.get(&agency).copied().unwrap_or(0)
    }

    /// Orders those that are tried next: what is none of them, and then those that were tried longest ago.
    pub(super) fn tried(&self, id: DispatchId) -> Option<Instant> {
        self.set_aside.get(&id).map(|one| one.until)
    }

    /// Whether it is set aside, and its rest is not over.
    pub(super) fn rests(&self, id: DispatchId, now: Instant) -> bool {
        self.set_aside.get(&id).is_some_and(|one| now < one.until)
    }

    /// Those whose rest is over, each with its addressee, and each once: they are tried when it has room.
    pub(super) fn ripe(&mut self, now: Instant) -> Vec<(DispatchId, AgencyId)> {
        let mut ripe = Vec::new();
        for (id, one) in &mut self.set_aside {
            if one.until <= now && !one.is_ripe {
                one.is_ripe = true;
                ripe.push((*id, one.agency));
            }
        }
        ripe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trust::{Digest, Time};

    #[test]
    fn they_are_counted_by_addressee_and_rest_a_while_each() {
        let agency = AgencyId::from_number(1);
        let id = |number: usize| {
            DispatchId::derive(
                Time::from_micros(0),
                &Digest::of(&number.to_be_bytes()),
                agency,
                b'p',
            )
        };
        let (now, rest) = (Instant::now(), Duration::from_secs(60));
        let most = 1000;
        let mut damage = Damage::new(rest, most);
        for number in 0..most {
            assert!(damage.set_aside(id(number), agency, now));
        }
        assert!(damage.set_aside(id(0), agency, now), "no further one");
        assert!(!damage.set_aside(id(most), agency, now));
        assert_eq!((damage.count(), damage.of(agency)), (1001, 1001));
        assert!(damage.rests(id(0), now + rest / 2) && !damage.rests(id(0), now + rest));
        assert_eq!(damage.ripe(now + rest / 2), []);
        assert_eq!(damage.ripe(now + rest).len(), 1001);
        assert_eq!(damage.ripe(now + 2 * rest), [], "each once");
        assert!(!damage.set_aside(id(0), agency, now + rest), "set aside again");
        assert!(damage.rests(id(0), now + rest));
        assert!(damage.tried(id(1)) < damage.tried(id(0)), "the other one is next");
        assert_eq!(damage.tried(id(most + 1)), None, "what can be read goes first");
        assert_eq!(damage.ripe(now + 2 * rest), [(id(0), agency)]);
        assert_eq!((damage.mend(id(0)), damage.mend(id(0))), (Some(agency), None));
        assert_eq!((damage.count(), damage.of(agency)), (1000, 1000));
        assert_eq!(damage.of(AgencyId::from_number(2)), 0);
    }
}
