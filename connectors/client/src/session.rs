//! A session with the broker: one connection, made new after every trouble.
//!
//! Publishing and consuming have a connection each, because a broker out of memory blocks a publishing connection as a
//! whole, acknowledgements and heartbeats included. A lost connection is never repaired in place: it is dropped and
//! made anew, and everything not confirmed is sent again from the outbox. One way for all faults, also for those that
//! a library's own recovery does not know (a queue that was re-created, a broker that went silent).
//!
//! **Invariant:** waits between attempts grow to a limit and begin anew after success.
//! **Invariant:** no call waits for the broker longer than `silence_max`; after that the connection is made anew.

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lapin::uri::{AMQPUri, AMQPUserInfo, SASLMechanism};
use lapin::{Channel, Connection, ConnectionProperties};
use secrecy::ExposeSecret;
use tokio::sync::watch;

use crate::account::Account;
use crate::config::Broker;
use crate::event::Side;
use crate::standing::Phase;
use crate::store::StoreFault;
use crate::{consume, publish};

/// Beats that tell a dead peer, in seconds, unless the URI says otherwise.
const HEARTBEAT_SECONDS: u16 = 20;

/// Bytes of a frame, unless the URI says otherwise: the client library keeps 64 of them in memory for each connection.
const FRAME_BYTES_MAX: u32 = 32 << 10;

/// A session that lasted longer was a success: the next attempt comes quickly.
const SESSION_MIN: Duration = Duration::from_secs(10);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// We are closing.
    #[error("closing")]
    Closing,
    /// The broker or the way to it failed.
    #[error("{0}")]
    Broker(#[from] lapin::Error),
    /// Nothing came for too long.
    #[error("the broker is silent")]
    Silent,
    /// The queue was deleted or the channel closed without an error.
    #[error("the channel ended")]
    Cancelled,
    /// Our folder takes nothing now.
    #[error("{0}")]
    Store(#[from] StoreFault),
}

impl From<amqp::ConnectFault> for Ended {
    fn from(fault: amqp::ConnectFault) -> Ended {
        match fault {
            amqp::ConnectFault::Refused(error) => Ended::Broker(error),
            amqp::ConnectFault::Timeout => Ended::Silent,
        }
    }
}

/// A connection with the one channel on it.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
    silence_max: Duration,
}

impl Session {
    /// Connects and opens the channel.
    pub(crate) async fn open(broker: &Broker, side: Side, silence_max: Duration) -> Result<Session, Ended> {
        let name = format!("connector {} {}", broker.account, side.word());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = amqp::connect(uri(broker), properties, broker.tls.clone(), silence_max).await?;
        let channel = bounded(silence_max, connection.create_channel()).await?;
        Ok(Session {
            connection,
            channel,
            silence_max,
        })
    }

    /// Waits for the broker's answer to one call, and not for ever: over a connection that is half open none comes.
    pub(crate) async fn answer<T>(&self, call: impl Future<Output = lapin::Result<T>>) -> Result<T, Ended> {
        bounded(self.silence_max, call).await
    }

    /// Closes what can be closed, without waiting for long.
    pub(crate) async fn close(self) {
        let close = self.connection.close(200, "closing".into());
        let _ = tokio::time::timeout(Duration::from_secs(2), close).await;
    }
}

async fn bounded<T>(limit: Duration, call: impl Future<Output = lapin::Result<T>>) -> Result<T, Ended> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Ended::Silent),
    }
}

fn uri(broker: &Broker) -> AMQPUri {
    let mut uri = broker.uri.clone();
    let password = broker
        .password
        .as_ref()
        .map(|password| password.expose_secret().to_owned());
    if password.is_none() {
        uri.query.auth_mechanism = Some(SASLMechanism::External);
    }
    uri.authority.userinfo = AMQPUserInfo {
        username: broker.account.to_string(),
        password: password.unwrap_or_default(),
    };
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    uri.query.frame_max.get_or_insert(FRAME_BYTES_MAX);
    uri
}

/// Works in one session after the other until the connector closes.
pub(crate) async fn keep(account: &Account, side: Side, mut closing: watch::Receiver<bool>) {
    let limits = account.config.limits;
    let mut wait = Backoff::new(limits.reconnect_max);
    while !*closing.borrow() {
        if side == Side::Consuming {
            tokio::select! {
                () = consume::room(account) => {}
                _ = closing.changed() => return,
            }
        }
        let opened = tokio::select! {
            opened = Session::open(&account.config.broker, side, limits.silence_max) => opened,
            _ = closing.changed() => return,
        };
        let (ended, phase) = match opened {
            Ok(session) => {
                let opened_at = Instant::now();
                let ended = tokio::select! {
                    ended = work(account, side, &session, closing.clone()) => ended,
                    ended = listen(account, side, &session.connection) => ended,
                    never = last(account, side) => match never {},
                };
                session.close().await;
                if opened_at.elapsed() > SESSION_MIN {
                    wait.reset();
                }
                (ended, Phase::Working)
            }
            Err(ended) => (ended, Phase::Opening),
        };
        if matches!(ended, Ended::Closing) {
            account.closed(side);
            return;
        }
        if matches!(ended, Ended::Store(StoreFault::Stopped)) {
            // Nothing more can be kept in this process: it ends, and the next one reads what is on the disk.
            account.closed(side);
            tracing::error!(account.id = %account.id(), side = side.word(), "the store has stopped; restart the connector");
            return;
        }
        account.ended(side, &ended, phase);
        tokio::select! {
            () = tokio::time::sleep(wait.next()) => {}
            _ = closing.changed() => return,
        }
    }
}

/// Notes that a session has lasted; never ends.
async fn last(account: &Account, side: Side) -> Infallible {
    tokio::time::sleep(SESSION_MIN).await;
    account.lasted(side);
    std::future::pending().await
}

async fn work(account: &Account, side: Side, session: &Session, closing: watch::Receiver<bool>) -> Ended {
    match side {
        Side::Publishing => publish::work(account, session, closing).await,
        Side::Consuming => consume::work(account, session, closing).await,
    }
}

/// Watches what the broker says of the connection; ends when it fails.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum")]
async fn listen(account: &Account, side: Side, connection: &Connection) -> Ended {
    let mut events = Box::pin(connection.events_listener());
    while let Some(event) = events.next().await {
        match event {
            lapin::Event::ConnectionBlocked(reason) => account.blocked(side, reason),
            lapin::Event::ConnectionUnblocked => account.unblocked(side),
            lapin::Event::Error(error) => return Ended::Broker(error),
            // The list is open; what is not named above is no trouble of ours.
            _ => {}
        }
    }
    Ended::Cancelled
}

/// Growing waits, each drawn from the upper half of its length: a thousand connectors that lost their broker together
/// must not come back together.
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
}

/// The first wait.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);

impl Backoff {
    pub(crate) fn new(max: Duration) -> Backoff {
        Backoff {
            next: BACKOFF_FIRST.min(max),
            max,
        }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.max);
        // The seed of a hash table is the standard library's source of chance.
        let chance = u32::try_from(RandomState::new().build_hasher().finish() >> 32).expect("the upper half");
        wait / 2 + (wait / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }

    pub(crate) fn reset(&mut self) {
        self.next = BACKOFF_FIRST.min(self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_begin_anew() {
        let mut wait = Backoff::new(Duration::from_secs(1));
        for millis in [250, 500, 1_000, 1_000] {
            let (drawn, length) = (wait.next(), Duration::from_millis(millis));
            assert!(drawn >= length / 2 && drawn <= length, "{drawn:?} of {length:?}");
        }
        wait.reset();
        assert!(wait.next() <= BACKOFF_FIRST);
    }
}
