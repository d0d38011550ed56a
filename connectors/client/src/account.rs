//! One account's connector, as its tasks share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::ids::AccountId;
use tokio::sync::broadcast;

use crate::config::Config;
use crate::event::{Counting, Event, Side};
use crate::receipt::Check;
use crate::store::book::{AccountBook, Signals};
use crate::store::record::{Logged, Record};
use crate::store::{Place, Store, StoreFault};

/// Events that a slow listener may be behind before it misses some.
const EVENTS_MAX: usize = 4_096;

/// How the connections stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The publishing connection is up.
    pub is_publishing: bool,
    /// The consuming connection is up.
    pub is_consuming: bool,
    /// The broker takes nothing for now (`connection.blocked`): it is short of memory or disk.
    pub is_blocked: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) check: Check,
    pub(crate) signals: Arc<Signals>,
    pub(crate) counting: Counting,
    pub(crate) events: broadcast::Sender<Event>,
    is_publishing: AtomicBool,
    is_consuming: AtomicBool,
    is_blocked: AtomicBool,
}

impl Account {
    pub(crate) fn new(config: Config, store: Store, check: Check) -> Account {
        let signals = Arc::clone(&store.book().account(&config.broker.account).signals);
        Account {
            config,
            store,
            check,
            signals,
            counting: Counting::default(),
            events: broadcast::channel(EVENTS_MAX).0,
            is_publishing: AtomicBool::new(false),
            is_consuming: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> &AccountId {
        &self.config.broker.account
    }

    /// Tells whoever listens.
    pub(crate) fn tell(&self, event: Event) {
        if self.events.receiver_count() > 0 {
            let _ = self.events.send(event);
        }
    }

    /// Whose record this is.
    pub(crate) fn logged(&self, record: Record) -> Logged {
        Logged {
            account: self.id().clone(),
            record,
        }
    }

    /// Looks at or changes the state.
    pub(crate) fn book<T>(&self, look: impl FnOnce(&mut AccountBook) -> T) -> T {
        look(self.store.book().account(self.id()))
    }

    /// The record whose place `find` gives, now or after it was carried forward in between.
    pub(crate) fn read(
        &self,
        find: impl Fn(&mut AccountBook) -> Option<Place>,
    ) -> Result<Option<Record>, StoreFault> {
        loop {
            let Some(place) = self.book(&find) else {
                return Ok(None);
            };
            match self.store.read(place) {
                Ok(logged) => return Ok(Some(logged.record)),
                Err(StoreFault::Damaged { .. }) if self.book(&find) != Some(place) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    pub(crate) fn link(&self) -> Link {
        Link {
            is_publishing: self.is_publishing.load(Ordering::Relaxed),
            is_consuming: self.is_consuming.load(Ordering::Relaxed),
            is_blocked: self.is_blocked.load(Ordering::Relaxed),
        }
    }

    fn up(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Publishing => &self.is_publishing,
            Side::Consuming => &self.is_consuming,
        }
    }

    pub(crate) fn link_up(&self, side: Side) {
        self.up(side).store(true, Ordering::Relaxed);
        self.tell(Event::Connected(side));
    }

    pub(crate) fn link_down(&self, side: Side) {
        self.up(side).store(false, Ordering::Relaxed);
        if side == Side::Publishing {
            self.is_blocked.store(false, Ordering::Relaxed);
        }
    }

    /// The broker blocks a connection. The consuming one never publishes, so only the other counts.
    pub(crate) fn blocked(&self, side: Side, reason: String) {
        if side == Side::Publishing {
            self.is_blocked.store(true, Ordering::Relaxed);
            tracing::warn!(account.id = %self.id(), reason, "the broker takes nothing for now");
            self.tell(Event::Blocked(reason));
        }
    }

    pub(crate) fn unblocked(&self, side: Side) {
        if side == Side::Publishing {
            self.is_blocked.store(false, Ordering::Relaxed);
            self.tell(Event::Unblocked);
        }
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked.load(Ordering::Relaxed)
    }
}
