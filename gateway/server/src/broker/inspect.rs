//! What stands in the queues: the evidence on which the sweep puts a dispatch into the broker again.
//!
//! **Invariant:** nothing is changed by looking; a queue that is asked for passively needs no right and is not made.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::AccountId;
use domain::wire;
use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Channel, ErrorKind};
use tokio::sync::watch;
use tokio::time::timeout;

use super::BrokerFault;
use super::connection::Session;
use super::topology;

/// How long one look may take. Thirteen hundred inboxes need a second; a connection that died without a word answers
/// never, and who looks must be free to look again over the next one.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// How a queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Messages that no reader has. What a reader holds unacknowledged is *not* among them: only with no reader at
    /// all is this number the whole queue, and fewer than were consigned a proof of loss.
    pub ready: u32,
    /// Readers.
    pub consumers: u32,
}

/// Looks into queues over the consuming connection.
#[derive(Debug, Clone)]
pub struct Inspector {
    sessions: watch::Receiver<Option<Arc<Session>>>,
}

impl Inspector {
    pub(crate) fn new(sessions: watch::Receiver<Option<Arc<Session>>>) -> Inspector {
        Inspector { sessions }
    }

    /// Number of the connection of now; grows with each.
    pub fn session(&self) -> Option<u64> {
        self.sessions.borrow().as_ref().map(|session| session.number)
    }

    /// How the inboxes of these accounts stand, in the same order; `None` where there is none.
    ///
    /// # Errors
    /// [`BrokerFault`] when the broker is away or goes away meanwhile.
    pub async fn inboxes(&self, accounts: &[AccountId]) -> Result<Vec<Option<Depth>>, BrokerFault> {
        let queues = accounts.iter().map(wire::inbox_queue);
        self.queues(queues).await
    }

    /// How an account's intake stands.
    ///
    /// # Errors
    /// [`BrokerFault`] when the broker is away or goes away meanwhile.
    pub async fn intake(&self, account: &AccountId) -> Result<Option<Depth>, BrokerFault> {
        let found = self.queues([topology::intake_queue(account)].into_iter()).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// How much is parked.
    ///
    /// # Errors
    /// [`BrokerFault`] when the broker is away or goes away meanwhile.
    pub async fn parked(&self) -> Result<Option<Depth>, BrokerFault> {
        let found = self
            .queues([topology::PARKED_QUEUE.to_owned()].into_iter())
            .await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The queues that all accounts share and that are not there.
    ///
    /// # Errors
    /// [`BrokerFault`] when the broker is away or goes away meanwhile.
    pub async fn missing_shared(&self) -> Result<Vec<String>, BrokerFault> {
        let names = topology::shared_queues();
        let found = self.queues(names.clone().into_iter()).await?;
        let missing = names.into_iter().zip(found).filter(|(_, depth)| depth.is_none());
        Ok(missing.map(|(name, _)| name).collect())
    }

    /// Whether the broker is the one in which this epoch began: false after it lost its disk.
    ///
    /// # Errors
    /// [`BrokerFault`] when the broker is away or goes away meanwhile.
    pub async fn epoch_stands(&self, epoch: &str) -> Result<bool, BrokerFault> {
        let found = self
            .queues([topology::epoch_queue(epoch).name].into_iter())
            .await?;
        Ok(found.into_iter().next().flatten().is_some())
    }

    async fn queues(&self, names: impl Iterator<Item = String>) -> Result<Vec<Option<Depth>>, BrokerFault> {
        let session = self.sessions.borrow().clone().ok_or(BrokerFault::Away)?;
        timeout(LOOK_TIMEOUT, look(&session, names))
            .await
            .unwrap_or(Err(BrokerFault::Silent))
    }
}

/// How these queues stand, asked one after the other over a channel of its own.
async fn look(
    session: &Session,
    names: impl Iterator<Item = String>,
) -> Result<Vec<Option<Depth>>, BrokerFault> {
    let mut channel = session
        .connection
        .create_channel()
        .await
        .map_err(BrokerFault::Inspect)?;
    let mut found = Vec::new();
    for name in names {
        let one = depth(&channel, &name).await.map_err(BrokerFault::Inspect)?;
        if one.is_none() {
            channel = session
                .connection
                .create_channel()
                .await
                .map_err(BrokerFault::Inspect)?;
        }
        found.push(one);
    }
    // Its work is done; a connection that broke meanwhile took the channel with it.
    let _ = channel.close(200, "looked".into()).await;
    Ok(found)
}

/// How a queue stands; `None` when there is none, and then the broker has closed the channel.
pub(crate) async fn depth(channel: &Channel, queue: &str) -> lapin::Result<Option<Depth>> {
    let options = QueueDeclareOptions {
        passive: true,
        durable: true,
        ..QueueDeclareOptions::default()
    };
    match channel
        .queue_declare(queue.into(), options, FieldTable::default())
        .await
    {
        Ok(queue) => Ok(Some(Depth {
            ready: queue.message_count(),
            consumers: queue.consumer_count(),
        })),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_not_found(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else {
        return false;
    };
    matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}
