//! What a connector shows of itself: how it stands, what it counts, what waits in it.

use std::path::Path;

use domain::ids::{AccountId, SubmissionId};
use tokio::sync::{broadcast, watch};

use super::Connector;
use crate::account::Link;
use crate::event::{Counters, Event};
use crate::standing::Standing;

impl Connector {
    /// What was counted since the connector was opened.
    pub fn counters(&self) -> Counters {
        self.account.counting.read()
    }

    /// What happens from now on. Who reads too slowly misses some.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.account.events.subscribe()
    }

    /// The account that it sends and receives for.
    pub fn account(&self) -> &AccountId {
        self.account.id()
    }

    /// Host and port of the broker.
    pub fn broker(&self) -> String {
        let authority = &self.account.config.broker.uri.authority;
        format!("{}:{}", authority.host, authority.port)
    }

    /// How it stands with the broker, from the opening on: a trouble appears here once, and goes once it is over.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.account.standing.subscribe()
    }

    /// How many places of the log were damaged when it was opened, and the folder in which what is left of them lies.
    pub fn damage(&self) -> Option<(usize, &Path)> {
        self.account.store.damage()
    }

    /// How the connections stand.
    pub fn link(&self) -> Link {
        self.account.link()
    }

    /// Submissions without final receipt.
    pub fn outbox_len(&self) -> usize {
        self.account.book(|book| book.outbox.len())
    }

    /// Dispatches that the software has not taken.
    pub fn inbox_len(&self) -> usize {
        self.account.book(|book| book.inbox.len())
    }

    /// Stored dispatches whose handover no broker holds a confirmation of.
    pub fn open_handovers(&self) -> usize {
        self.account.book(|book| book.inbox.open_handovers())
    }

    /// Whether the submission still waits for its final receipt.
    pub fn is_open(&self, submission: &SubmissionId) -> bool {
        self.account.book(|book| book.outbox.holds(submission))
    }
}
