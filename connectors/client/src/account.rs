//! One account's connector, as its tasks share it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::ids::AccountId;
use tokio::sync::{broadcast, watch};

use crate::config::Config;
use crate::event::{Counting, Event, Side, add};
use crate::receipt::Check;
use crate::session::Ended;
use crate::standing::{self, Conditions, Phase, Standing};
use crate::store::book::{AccountBook, Matter, Signals};
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
    pub(crate) standing: watch::Sender<Standing>,
    conditions: Mutex<Conditions>,
    is_publishing: AtomicBool,
    is_consuming: AtomicBool,
    is_blocked: AtomicBool,
    /// Bytes that came and could not be stored; 0 where all was.
    pub(crate) starved: AtomicUsize,
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
            standing: watch::channel(Standing::Starting).0,
            conditions: Mutex::default(),
            is_publishing: AtomicBool::new(false),
            is_consuming: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
            starved: AtomicUsize::new(0),
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

    /// The same; what cannot be read back is set aside and told, and counts as not there, so that all others go on.
    pub(crate) fn fetch(
        &self,
        matter: Matter,
        find: impl Fn(&mut AccountBook) -> Option<Place>,
    ) -> Result<Option<Record>, StoreFault> {
        loop {
            let Some(place) = self.book(&find) else {
                return Ok(None);
            };
            match self.store.read(place) {
                Ok(logged) => return Ok(Some(logged.record)),
                Err(StoreFault::Damaged { .. }) => {
                    let file = self.store.set_record_aside(place)?;
                    self.book(|book| {
                        // Unless it was carried forward in between: then it is read where it lies now.
                        if find(book) == Some(place) {
                            book.set_aside(matter.clone(), file);
                        }
                    });
                    self.tell_damaged();
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Tells what was set aside since this was last called.
    pub(crate) fn tell_damaged(&self) {
        for damaged in self.book(|book| std::mem::take(&mut book.damaged)) {
            let file = damaged.file.display().to_string();
            tracing::error!(account.id = %self.id(), matter = %damaged.matter, file, "a damaged record is set aside");
            add(&self.counting.damaged, 1);
            self.tell(match damaged.matter {
                Matter::Submission(submission) => Event::DamagedOutgoing { submission, file },
                Matter::Dispatch(dispatch) => Event::DamagedIncoming {
                    dispatch,
                    case: damaged.case,
                    file,
                },
            });
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

    /// The side is connected, let in and set up: from here on it works.
    pub(crate) fn ready(&self, side: Side) {
        self.up(side).store(true, Ordering::Relaxed);
        self.tell(Event::Connected(side));
        self.change(|conditions| conditions.ready(side));
    }

    /// Something of this side got through.
    pub(crate) fn proven(&self, side: Side) {
        self.change(|conditions| conditions.proven(side));
    }

    /// A session of this side has lasted.
    pub(crate) fn lasted(&self, side: Side) {
        self.change(|conditions| conditions.lasted(side));
    }

    fn change(&self, change: impl FnOnce(&mut Conditions)) {
        let mut conditions = self.conditions.lock().expect("no code under this lock panics");
        change(&mut conditions);
        let is_news = conditions.are_good()
            && self.standing.send_if_modified(|standing| {
                let is_other = *standing != Standing::Working;
                *standing = Standing::Working;
                is_other
            });
        if is_news {
            standing::log_working(self.id());
        }
    }

    /// The side has no connection any more.
    pub(crate) fn closed(&self, side: Side) {
        self.up(side).store(false, Ordering::Relaxed);
        if side == Side::Publishing {
            self.is_blocked.store(false, Ordering::Relaxed);
        }
    }

    /// A session ended, or none could be had. A trouble is told when it begins, not at each attempt.
    pub(crate) fn ended(&self, side: Side, ended: &Ended, phase: Phase) {
        let was_up = self.up(side).load(Ordering::Relaxed);
        self.closed(side);
        add(&self.counting.disconnects, 1);
        if was_up {
            self.tell(Event::Disconnected(side, ended.to_string()));
        }
        let mut conditions = self.conditions.lock().expect("no code under this lock panics");
        let Some(trouble) = conditions.ended(side, ended, phase) else {
            tracing::debug!(account.id = %self.id(), side = side.word(), reason = %ended, "session ended; a new one follows");
            return;
        };
        standing::log_trouble(self.id(), side, trouble, ended);
        self.standing.send_replace(Standing::Troubled {
            trouble,
            reason: ended.to_string(),
        });
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
