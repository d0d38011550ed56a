//! What is asked when: the queue before the fetches, and who waits for which.
//!
//! **Invariant:** whoever waits is told: when each address it waits for was tried, or was turned away because its host
//! rests.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use trust::Time;

use super::super::errand::{Errand, Wanted};
use super::super::fetch::FetchFault;
use super::super::flight::{Luggage, fly};
use super::super::hosts::Way;
use super::{Keeping, Landed, Waiting};
use crate::administration::Complaint;

/// Fetches at the same time.
const FLIGHTS_MAX: usize = 8;
/// Those of them for issuers: a stranger's document names their addresses, and lists must not wait behind it.
const ISSUER_FLIGHTS_MAX: usize = 3;
/// Those of them for OCSP answers: however many documents need one, there is a place for a list.
const ANSWER_FLIGHTS_MAX: usize = 4;

/// Fetches under way of the kinds that have places of their own.
#[derive(Debug, Default)]
pub(super) struct Flying {
    issuers: usize,
    answers: usize,
}

impl Flying {
    fn count(&mut self, wanted: Wanted) -> Option<&mut usize> {
        match wanted {
            Wanted::List => None,
            Wanted::Issuer => Some(&mut self.issuers),
            Wanted::Answer(_) => Some(&mut self.answers),
        }
    }
}

impl Keeping {
    pub(super) fn ask_all(&mut self, errands: BTreeSet<Errand>, done: oneshot::Sender<()>) {
        let now = self.clock.now();
        for errand in &errands {
            if self.schedule.may_ask(errand, now) {
                self.launch(errand.clone(), now);
            }
        }
        self.fill_flights();
        // What rests is not waited for; what another need asked for already is.
        let asked = |errand: &Errand| {
            let address = self.schedule.addresses.get(errand);
            address.is_some_and(|address| address.is_asked)
        };
        let errands: BTreeSet<Errand> = errands.into_iter().filter(asked).collect();
        if errands.is_empty() {
            // Who asked may have gone.
            let _ = done.send(());
        } else {
            self.waiting.push(Waiting {
                errands,
                done: Some(done),
            });
        }
    }

    /// Asks the addresses whose time has come.
    pub(super) fn ask_due(&mut self, now: Time) {
        for errand in self.schedule.due(now) {
            let is_told = self.schedule.addresses[&errand].fault.is_some();
            match self.way(&errand, now) {
                Way::Rests(_) | Way::Tried if is_told => {}
                Way::Rests(_) | Way::Tried | Way::Open | Way::Wait => self.launch(errand, now),
            }
        }
        self.fill_flights();
    }

    fn launch(&mut self, errand: Errand, now: Time) {
        match self.way(&errand, now) {
            Way::Rests(_) | Way::Tried => self.turn_away(&errand, now),
            Way::Open | Way::Wait => {
                self.schedule.asking(&errand, now);
                self.queue.push_back(errand);
            }
        }
    }

    /// An address that cannot be read has no host; the fetch says what is wrong with it.
    fn way(&self, errand: &Errand, now: Time) -> Way {
        errand.host().map_or(Way::Open, |host| self.hosts.way(&host, now))
    }

    fn turn_away(&mut self, errand: &Errand, now: Time) {
        let fault = FetchFault::Resting(errand.host().unwrap_or_default());
        self.schedule.turned_away(errand, now, Complaint::from(&fault));
    }

    /// Sends off what waits, as far as there are places and its hosts may be asked.
    pub(super) fn fill_flights(&mut self) {
        let now = self.clock.now();
        let mut waits = VecDeque::new();
        let mut turned_away = Vec::new();
        while self.flights.len() < FLIGHTS_MAX
            && let Some(errand) = self.queue.pop_front()
        {
            match self.way(&errand, now) {
                // What was taken up before the trial began learns from it.
                Way::Wait | Way::Tried => waits.push_back(errand),
                Way::Rests(_) => {
                    self.turn_away(&errand, now);
                    turned_away.push(errand);
                }
                Way::Open if !self.has_place(&errand) => waits.push_back(errand),
                Way::Open => self.depart(errand, now),
            }
        }
        waits.append(&mut self.queue);
        self.queue = waits;
        if !turned_away.is_empty() {
            self.publish_status();
            turned_away.iter().for_each(|errand| self.settle(errand));
        }
    }

    fn has_place(&self, errand: &Errand) -> bool {
        match errand.wanted {
            Wanted::List => true,
            Wanted::Issuer => self.flying.issuers < ISSUER_FLIGHTS_MAX,
            Wanted::Answer(_) => self.flying.answers < ANSWER_FLIGHTS_MAX,
        }
    }

    /// A fetch has landed.
    pub(super) fn landed_from(&mut self, errand: &Errand) {
        if let Some(count) = self.flying.count(errand.wanted) {
            *count -= 1;
        }
        if let Some(host) = errand.host() {
            self.hosts.ended(&host);
        }
    }

    fn depart(&mut self, errand: Errand, now: Time) {
        let Some(address) = self.schedule.addresses.get(&errand) else {
            return;
        };
        let luggage = match errand.wanted {
            Wanted::List => Luggage::List(self.material.certificates.clone()),
            Wanted::Issuer => Luggage::Issuer(address.wanted_by.clone()),
            Wanted::Answer(_) => {
                let about = address.about.clone();
                let about = about.expect("an answer is asked for on demand, and demand says about whom");
                Luggage::Answer(about, Arc::clone(&self.published.borrow()), now)
            }
        };
        if let Some(host) = errand.host() {
            self.hosts.asked(&host);
        }
        if let Some(count) = self.flying.count(errand.wanted) {
            *count += 1;
        }
        let flight = fly(errand, self.limits.clone(), self.hosts.resting(now), luggage);
        self.flights
            .push(Box::pin(async move { Landed::Flown(flight.await) }));
    }

    /// Tells those who wait for this address only.
    pub(super) fn settle(&mut self, errand: &Errand) {
        for waiting in &mut self.waiting {
            waiting.errands.remove(errand);
            if waiting.errands.is_empty()
                && let Some(done) = waiting.done.take()
            {
                // Who asked may have gone.
                let _ = done.send(());
            }
        }
        self.waiting
            .retain(|waiting| waiting.done.as_ref().is_some_and(|done| !done.is_closed()));
    }
}
