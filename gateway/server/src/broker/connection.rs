//! A connection to the broker that is kept alive.
//!
//! Publishing and consuming have one each, because a broker short of memory or disk stops reading from whoever
//! publishes, acknowledgements included. Recovery is ours, not lapin's: whatever ended a session (error, refusal, a
//! watchdog's suspicion), the next one is built the same way, and its number tells old delivery tags from new ones.
//!
//! **Invariant:** a session is announced once and withdrawn once; its number is never used again.
//! **Invariant:** a session is proven by name: the next one may lead to another broker, where accounts bear the same names.
//! **Invariant:** there is no last attempt: the pause between two grows to its bound and stays there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amqp::{Authorities, Tls};
use futures_util::StreamExt;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Event};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::BrokerFault;

const PAUSE_MIN: Duration = Duration::from_millis(200);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// lapin reports errors as events; its own word for the state is asked this often besides.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How the gateway stands with its broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// Messages go through.
    Connected,
    /// No connection; attempts go on.
    Away,
    /// Connected, but the broker takes nothing: it is short of memory or disk.
    Blocked,
}

/// Where the broker is and how to talk to it.
#[derive(Debug, Clone)]
pub struct Address {
    /// `amqp://` or `amqps://`, with user, password and virtual host.
    pub uri: SecretString,
    /// For `amqps`: the certificate authorities that may vouch for the broker. Those of the system are not asked then.
    pub authorities: Option<Authorities>,
    /// Silence after which the peer counts as gone; half of it between two heartbeats.
    pub heartbeat_seconds: u16,
    /// Largest frame. lapin keeps 64 of them as buffers, a connection.
    pub frame_bytes_max: u32,
    /// From the first packet to the end of the handshake.
    pub connect_timeout: Duration,
    /// Longest pause between two attempts.
    pub pause_max: Duration,
}

impl Address {
    /// The address with the usual values: heartbeat 20 s, frames of 128 KiB, 10 s to connect, at most 2 s between two
    /// attempts.
    pub fn new(uri: SecretString) -> Address {
        Address {
            uri,
            authorities: None,
            heartbeat_seconds: 20,
            frame_bytes_max: 128 * 1024,
            connect_timeout: Duration::from_secs(10),
            pause_max: Duration::from_secs(2),
        }
    }

    fn parse(&self) -> Result<AMQPUri, BrokerFault> {
        let mut uri: AMQPUri = self
            .uri
            .expose_secret()
            .parse()
            .map_err(|_| BrokerFault::Address)?;
        uri.query.heartbeat = Some(self.heartbeat_seconds);
        uri.query.frame_max = Some(self.frame_bytes_max);
        uri.query.connection_timeout = u64::try_from(self.connect_timeout.as_millis()).ok();
        Ok(uri)
    }
}

/// The authorities in a PEM file.
///
/// # Errors
/// [`BrokerFault::AuthoritiesUnread`], [`BrokerFault::AuthoritiesUnfit`].
pub fn authorities(file: &Path) -> Result<Authorities, BrokerFault> {
    let pem = std::fs::read(file).map_err(|error| BrokerFault::AuthoritiesUnread {
        path: file.to_owned(),
        error,
    })?;
    Authorities::from_pem(&pem).map_err(|fault| BrokerFault::AuthoritiesUnfit {
        path: file.to_owned(),
        fault,
    })
}

/// One connection from its handshake to its end.
#[derive(Debug)]
pub(crate) struct Session {
    /// Grows with every session of a keeper.
    pub(crate) number: u64,
    /// lapin's connection, without its own recovery.
    pub(crate) connection: Connection,
}

impl Session {
    async fn end(&self) {
        // The broker may be gone: nobody waits for its good-bye, and dropping the last handle closes the socket.
        let _ = timeout(CLOSE_TIMEOUT, self.connection.close(200, "session ends".into())).await;
    }
}

/// Keeps one connection alive.
pub(crate) struct Keeper {
    uri: AMQPUri,
    tls: Tls,
    connect_timeout: Duration,
    pause_max: Duration,
    purpose: &'static str,
    session: watch::Sender<Option<Arc<Session>>>,
    state: watch::Sender<BrokerState>,
    suspected: watch::Sender<u64>,
    /// The session over which the broker was seen to be this gateway's.
    proven: watch::Sender<Option<u64>>,
}

impl Keeper {
    /// A keeper that has not tried yet. `purpose` is shown in the broker's list of connections.
    pub(crate) fn new(address: &Address, purpose: &'static str) -> Result<Keeper, BrokerFault> {
        Ok(Keeper {
            uri: address.parse()?,
            tls: Tls {
                authorities: address.authorities.clone(),
                identity: None,
            },
            connect_timeout: address.connect_timeout,
            pause_max: address.pause_max,
            purpose,
            session: watch::Sender::new(None),
            state: watch::Sender::new(BrokerState::Away),
            suspected: watch::Sender::new(0),
            proven: watch::Sender::new(None),
        })
    }

    /// The session of now, if there is one, and its changes.
    pub(crate) fn sessions(&self) -> watch::Receiver<Option<Arc<Session>>> {
        self.session.subscribe()
    }

    /// The state of now.
    pub(crate) fn state(&self) -> BrokerState {
        *self.state.borrow()
    }

    /// The state of now and its changes.
    pub(crate) fn states(&self) -> watch::Receiver<BrokerState> {
        self.state.subscribe()
    }

    /// The broker behind the session with this number is this gateway's: what lies there is its own.
    pub(crate) fn prove(&self, number: u64) {
        self.proven
            .send_if_modified(|proven| proven.replace(number) != Some(number));
    }

    /// The newest session that was proven, and its changes.
    pub(crate) fn proofs(&self) -> watch::Receiver<Option<u64>> {
        self.proven.subscribe()
    }

    /// Whether the session of now is one that was proven.
    pub(crate) fn is_proven(&self) -> bool {
        let session = self.session.borrow().as_ref().map(|session| session.number);
        session.is_some() && *self.proven.borrow() == session
    }

    /// Says that the session with this number is dead although nobody has noticed: it is dropped and rebuilt.
    pub(crate) fn suspect(&self, number: u64) {
        self.suspected.send_if_modified(|suspected| {
            let newer = number > *suspected;
            *suspected = number.max(*suspected);
            newer
        });
    }

    /// Connects, serves, and connects again, for as long as it is polled.
    pub(crate) async fn run(&self) {
        let mut pause = PAUSE_MIN;
        let mut quiet = false;
        for number in 1.. {
            match self.connect().await {
                Ok(connection) => {
                    tracing::info!(connection = self.purpose, session = number, "broker connected");
                    let session = Arc::new(Session { number, connection });
                    let reason = self.serve(&session).await;
                    self.state.send_replace(BrokerState::Away);
                    self.session.send_replace(None);
                    tracing::warn!(connection = self.purpose, session = number, %reason, "broker connection lost");
                    session.end().await;
                    (pause, quiet) = (PAUSE_MIN, false);
                }
                Err(fault) if quiet => {
                    tracing::debug!(connection = self.purpose, %fault, "broker still away");
                }
                Err(fault) => {
                    tracing::warn!(connection = self.purpose, %fault, "broker away; trying again");
                    quiet = true;
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(self.pause_max);
        }
    }

    /// Ends the session of now politely. [`Keeper::run`] must no longer be polled, or it connects again.
    pub(crate) async fn close(&self) {
        let session = self.session.send_replace(None);
        self.state.send_replace(BrokerState::Away);
        if let Some(session) = session {
            session.end().await;
        }
    }

    /// One connection of its own, for a task that ends.
    pub(crate) async fn connect(&self) -> Result<Connection, BrokerFault> {
        let name = format!("gateway {}", self.purpose);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let (uri, tls) = (self.uri.clone(), self.tls.clone());
        Ok(amqp::connect(uri, properties, tls, self.connect_timeout).await?)
    }

    /// Until the session is over; why it is.
    async fn serve(&self, session: &Arc<Session>) -> String {
        let mut events = std::pin::pin!(session.connection.events_listener());
        let mut suspected = self.suspected.subscribe();
        let mut check = interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // In this order, so that who waits for the state finds the session.
        self.session.send_replace(Some(Arc::clone(session)));
        self.state.send_replace(BrokerState::Connected);
        let mut last_error = None;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Error(error)) => last_error = Some(error.to_string()),
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(connection = self.purpose, %reason, "broker takes nothing for now");
                    }
                    Some(_) => {}
                    None => return "the connection ended".to_owned(),
                },
                _ = check.tick() => {}
                changed = suspected.changed() => {
                    changed.expect("the keeper owns the sender");
                    if *suspected.borrow_and_update() >= session.number {
                        return "no confirmation came although some were due".to_owned();
                    }
                }
            }
            let status = session.connection.status();
            if !status.connected() {
                return last_error.unwrap_or_else(|| format!("{:?}", status));
            }
            let state = if status.blocked() {
                BrokerState::Blocked
            } else {
                BrokerState::Connected
            };
            self.state
                .send_if_modified(|now| std::mem::replace(now, state) != state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_carries_heartbeat_and_frame_size_into_the_uri() {
        let address = Address::new("amqp://u:p@127.0.0.1:1/lienthong".to_owned().into());
        let uri = address.parse().expect("an address");
        assert_eq!(
            (uri.query.heartbeat, uri.query.frame_max),
            (Some(20), Some(131_072))
        );
        assert!(Address::new("http://x".to_owned().into()).parse().is_err());
    }

    #[test]
    fn a_file_without_authorities_is_a_fault_and_not_a_wish_for_those_of_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        let fault = authorities(&file).expect_err("no file");
        assert!(matches!(fault, BrokerFault::AuthoritiesUnread { .. }), "{fault}");
        std::fs::write(&file, "").expect("a file");
        let fault = authorities(&file).expect_err("an empty file");
        assert!(matches!(fault, BrokerFault::AuthoritiesUnfit { .. }), "{fault}");
        assert!(!fault.is_transient());
    }

    #[test]
    fn only_a_newer_suspicion_wakes_the_keeper() {
        let keeper =
            Keeper::new(&Address::new("amqp://127.0.0.1:1/v".to_owned().into()), "test").expect("an address");
        let mut suspected = keeper.suspected.subscribe();
        keeper.suspect(3);
        assert!(suspected.has_changed().expect("open"));
        assert_eq!(*suspected.borrow_and_update(), 3);
        keeper.suspect(2);
        keeper.suspect(3);
        assert!(!suspected.has_changed().expect("open"));
    }
}
