//! What lies in the parked queue, taken out for a person: messages that nobody can attribute, or that came back too
//! often.
//!
//! **Invariant:** the broker forgets a message only after it is kept elsewhere; one that cannot be kept stays.

use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};

use super::connection::Keeper;
use super::publish::{HEADER_PARKED_ACCOUNT, HEADER_PARKED_KEY, HEADER_PARKED_REASON};
use super::topology::PARKED_QUEUE;
use super::{Address, BrokerFault};

/// The broker's own headers on what came back too often.
const HEADER_DEATH_REASON: &str = "x-first-death-reason";
const HEADER_DEATH_QUEUE: &str = "x-first-death-queue";

/// A message that was parked, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedMessage {
    /// Why: in the words of the gateway, or the broker's (`delivery_limit`).
    pub reason: Option<String>,
    /// The account it came from, when that was proven.
    pub account: Option<String>,
    /// The routing key it came under, or the queue it came back to.
    pub came_by: Option<String>,
    /// Its message id.
    pub message_id: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Why not all of them were taken out.
#[derive(Debug, thiserror::Error)]
pub enum TakeOutFault {
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// A message could not be kept, and stays in its queue with those behind it.
    #[error("a message could not be kept: {0}")]
    NotKept(#[source] std::io::Error),
}

/// Gives each message of the parked queue to `keep`, and lets the broker forget it once that has it. Says how many.
///
/// # Errors
/// [`TakeOutFault`]; what was kept before is done.
pub async fn take_out(
    address: &Address,
    mut keep: impl FnMut(&ParkedMessage) -> std::io::Result<()>,
) -> Result<usize, TakeOutFault> {
    let connection = Keeper::new(address, "parked")?.connect().await?;
    let channel = connection.create_channel().await.map_err(BrokerFault::Inspect)?;
    let mut taken = 0;
    while let Some(message) = channel
        .basic_get(PARKED_QUEUE.into(), BasicGetOptions::default())
        .await
        .map_err(BrokerFault::Inspect)?
    {
        keep(&parked(&message)).map_err(TakeOutFault::NotKept)?;
        message
            .delivery
            .acker
            .ack(BasicAckOptions::default())
            .await
            .map_err(BrokerFault::Inspect)?;
        taken += 1;
    }
    // Closing waits until the broker has seen the acknowledgements.
    connection
        .close(200, "taken out".into())
        .await
        .map_err(BrokerFault::Inspect)?;
    Ok(taken)
}

fn parked(message: &BasicGetMessage) -> ParkedMessage {
    let properties = &message.delivery.properties;
    let header = |name: &str| {
        let value = properties
            .headers()
            .as_ref()?
            .inner()
            .get(name)?
            .as_long_string()?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    ParkedMessage {
        reason: header(HEADER_PARKED_REASON).or_else(|| header(HEADER_DEATH_REASON)),
        account: header(HEADER_PARKED_ACCOUNT)
            .or_else(|| properties.user_id().as_ref().map(|id| id.as_str().to_owned())),
        came_by: header(HEADER_PARKED_KEY).or_else(|| header(HEADER_DEATH_QUEUE)),
        message_id: properties.message_id().as_ref().map(|id| id.as_str().to_owned()),
        kind: properties.kind().as_ref().map(|kind| kind.as_str().to_owned()),
        body: message.delivery.data.clone(),
    }
}
