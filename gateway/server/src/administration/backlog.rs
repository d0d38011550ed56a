//! What is under way, counted from the index when somebody asks.

use std::collections::{BTreeMap, BTreeSet};

use domain::directory::plan::InFlight;
use domain::dispatch::DispatchKind;
use domain::ids::{AgencyId, CaseId};
use domain::port::{DispatchHead, Journal, StoreFault};

/// Dispatches and held submissions that are looked at, of one agency, at most: a count for people, beyond which it
/// reads "at least".
const COUNTED_MAX: usize = 100_000;

/// What is under way for one agency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgencyBacklog {
    /// Dispatches to it that wait for a place in its inbox.
    pub due: u64,
    /// Dispatches in its inbox.
    pub inbox: u64,
    /// Cases that it sent and that some addressee has not taken.
    pub outgoing: u64,
    /// Submissions of it that are held.
    pub held: u64,
}

/// What is under way, by agency; who is not in it has nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog(pub BTreeMap<AgencyId, AgencyBacklog>);

impl Backlog {
    pub(super) fn count(journal: &dyn Journal) -> Result<Backlog, StoreFault> {
        let mut backlog = Backlog::default();
        let mut outgoing = BTreeSet::new();
        for to in journal.waiting()? {
            let due = journal.due(to, COUNTED_MAX)?;
            backlog.of(to).due = due.len() as u64;
            outgoing.extend(due.iter().filter_map(packet_case));
        }
        for to in journal.flying()? {
            let inbox = journal.in_flight(to)?;
            backlog.of(to).inbox = inbox.len() as u64;
            outgoing.extend(inbox.iter().filter_map(packet_case));
        }
        for case in outgoing {
            if let Some(sender) = journal.case(case)?.and_then(|head| head.sender) {
                backlog.of(sender).outgoing += 1;
            }
        }
        for held in journal.held(None, COUNTED_MAX)?.held {
            if let Some(sender) = journal.case(held.case)?.and_then(|head| head.sender) {
                backlog.of(sender).held += 1;
            }
        }
        Ok(backlog)
    }

    /// The counts as a plan takes them.
    pub(super) fn in_flight(&self) -> BTreeMap<AgencyId, InFlight> {
        let one = |backlog: &AgencyBacklog| InFlight {
            incoming: backlog.due + backlog.inbox,
            outgoing: backlog.outgoing,
            held: backlog.held,
        };
        self.0
            .iter()
            .map(|(agency, backlog)| (*agency, one(backlog)))
            .collect()
    }

    fn of(&mut self, agency: AgencyId) -> &mut AgencyBacklog {
        self.0.entry(agency).or_default()
    }
}

fn packet_case(head: &DispatchHead) -> Option<CaseId> {
    (head.dispatch.kind == DispatchKind::Packet).then_some(head.dispatch.case)
}
