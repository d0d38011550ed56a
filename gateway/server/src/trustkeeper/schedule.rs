//! When each address is asked: ahead of need, seldom enough, and ever more seldom while it fails.
//!
//! **Invariant:** an address that fails is asked again, at growing intervals, for as long as somebody has use for it;
//! asking it more often than that is nobody's right, because a document names addresses and a stranger can send many
//! documents.
//! **Invariant:** what a stranger's document names is bounded by itself and takes no place from what authorities name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trust::{Certificate, Digest, Time};

use super::errand::{About, Errand, NeededFor, Wanted};
use super::material::{Taken, is_issuer_of};
use crate::administration::Complaint;

/// Addresses of lists that are known at most.
const LISTS_MAX: usize = 4096;
/// Addresses of issuing certificates that are known at most: anybody's certificate names them.
const ISSUERS_MAX: usize = 512;
/// Certificates that answers are asked about at one time, for each address that they name: they are forgotten soon.
const ANSWERS_MAX: usize = 4096;
/// What was asked of a responder and that no document needed for so long is forgotten: it is asked on demand only.
const FORGET_ANSWER_SECONDS: i64 = 3600;
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
    /// The status of the certificate that was asked about, and whether it was here already.
    Status(Taken),
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
    /// The certificate that an answer is asked about, and its issuer.
    pub(super) about: Option<About>,
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

    fn was_needed_lately(&self, wanted: Wanted, now: Time) -> bool {
        let seconds = match wanted {
            Wanted::List | Wanted::Issuer => FORGET_SECONDS,
            Wanted::Answer(_) => FORGET_ANSWER_SECONDS,
        };
        self.needed_at
            .is_some_and(|needed| now < needed.plus_seconds(seconds))
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
            Wanted::List => self.count(errand.wanted) < LISTS_MAX,
            Wanted::Issuer => self.count(errand.wanted) < ISSUERS_MAX || self.make_room(errand.wanted),
            Wanted::Answer(_) => self.count(errand.wanted) < ANSWERS_MAX || self.make_room(errand.wanted),
        };
        if has_room {
            self.addresses.insert(errand.clone(), Address::default());
        }
        has_room
    }

    /// The same, because a document needs it now.
    pub(super) fn need(&mut self, errand: &Errand, needed_for: NeededFor<'_>, now: Time) -> bool {
        if !self.learn(errand) {
            return false;
        }
        let address = self.addresses.get_mut(errand).expect("just learned");
        address.needed_at = Some(now);
        match needed_for {
            NeededFor::Anybody => {}
            NeededFor::IssuerOf(of) if address.wanted_by.contains(of) => {}
            NeededFor::IssuerOf(of) => {
                if address.wanted_by.len() >= WANTED_BY_MAX {
                    address.wanted_by.remove(0);
                }
                address.wanted_by.push(Arc::clone(of));
            }
            NeededFor::StatusOf(certificate, issuer) => {
                address.about = Some(About {
                    certificate: Arc::clone(certificate),
                    issuer: Arc::clone(issuer),
                });
            }
        }
        true
    }

    /// Every address but those of OCSP answers, which are asked for on demand only.
    pub(super) fn all_but_answers(&self) -> BTreeSet<Errand> {
        let keys = self.addresses.keys();
        keys.filter(|errand| !matches!(errand.wanted, Wanted::Answer(_)))
            .cloned()
            .collect()
    }

    fn count(&self, wanted: Wanted) -> usize {
        let keys = self.addresses.keys();
        keys.filter(|errand| errand.wanted.is_like(wanted)).count()
    }

    /// Forgets the address that something of this kind was needed from longest ago.
    fn make_room(&mut self, wanted: Wanted) -> bool {
        let alike = self.addresses.iter();
        let oldest = alike
            .filter(|(errand, address)| errand.wanted.is_like(wanted) && !address.is_asked)
            .min_by_key(|(_, address)| address.needed_at)
            .map(|(errand, _)| errand.clone());
        oldest.is_some_and(|errand| self.addresses.remove(&errand).is_some())
    }

    /// Forgets addresses that nobody has use for: lists that nothing names and that serve no certificate in use, and
    /// issuers and answers that no document needs any more.
    pub(super) fn forget(
        &mut self,
        now: Time,
        is_named: impl Fn(&str) -> bool,
        serves: impl Fn(&Digest) -> bool,
    ) {
        self.addresses.retain(|errand, address| {
            let is_of_use = match errand.wanted {
                Wanted::List => is_named(&errand.url) || address.series.as_ref().is_some_and(&serves),
                Wanted::Issuer | Wanted::Answer(_) => false,
            };
            is_of_use || address.is_asked || address.was_needed_lately(errand.wanted, now)
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
                // Whoever is held asks again.
                (Wanted::Answer(_), _) => return false,
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
            about: address.about.take(),
            ..Address::default()
        };
        let wanted_by = std::mem::take(&mut address.wanted_by);
        let mut is_repeated = false;
        let fresh = match answer {
            Answer::List { series, next_update } => Address {
                next_update,
                series: Some(series),
                ..fresh
            },
            Answer::Status(taken) => {
                is_repeated = taken == Taken::Same;
                fresh
            }
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
        let repeats = if is_repeated || is_late || !fresh.wanted_by.is_empty() {
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
mod tests;
