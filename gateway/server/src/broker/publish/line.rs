//! One channel in confirm mode: what is published on it, and what the broker says of each message.
//!
//! lapin hands a return to whichever confirmation completes next, which may be another message's. Each message therefore
//! bears its number (`correlation-id`), by which a return is known.
//!
//! **Invariant:** a message was taken only if its confirmation came and no return bears its number: the broker sends
//! the return first, so that it is with a confirmation that completed before or together with this one, and all of
//! those are looked at before anything is said.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::sync::{mpsc, oneshot};

/// What the broker said of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It is in its queue, on disk.
    Taken,
    /// No queue is there for it.
    Returned,
    /// Its queue is full.
    Refused,
}

/// A message to be published.
pub(super) struct Message {
    pub(super) exchange: String,
    pub(super) key: String,
    pub(super) properties: BasicProperties,
    pub(super) body: Arc<[u8]>,
    /// Dropped when nobody knows what became of it.
    pub(super) answer: oneshot::Sender<Said>,
}

/// Why the channel is of no more use.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineFault {
    /// lapin's or the broker's.
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    /// A message could not even be handed to the socket.
    #[error("the broker takes nothing")]
    Stuck,
}

/// Publishes until the channel fails or the messages end. Messages that are outstanding then are dropped unanswered.
pub(super) async fn carry(
    channel: &Channel,
    messages: &mut mpsc::Receiver<Message>,
    publish_max: Duration,
) -> Result<(), LineFault> {
    let mut outstanding = Outstanding::default();
    let mut number = 0;
    loop {
        tokio::select! {
            settled = outstanding.settled(), if !outstanding.is_empty() => {
                settled?;
                outstanding.answer();
            }
            message = messages.recv() => {
                let Some(message) = message else { return Ok(()) };
                number += 1;
                let published = tokio::time::timeout(publish_max, publish(channel, number, &message)).await;
                let confirm = published.map_err(|_| LineFault::Stuck)??;
                outstanding.waiting.push(Waiting { number, confirm, answer: message.answer });
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that publishes")]
async fn publish(channel: &Channel, number: u64, message: &Message) -> lapin::Result<PublisherConfirm> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = message
        .properties
        .clone()
        .with_correlation_id(number.to_string().into());
    let (exchange, key) = (message.exchange.as_str().into(), message.key.as_str().into());
    channel
        .basic_publish(exchange, key, options, &message.body, properties)
        .await
}

struct Waiting {
    number: u64,
    confirm: PublisherConfirm,
    answer: oneshot::Sender<Said>,
}

/// What waits for its confirmation.
#[derive(Default)]
struct Outstanding {
    waiting: Vec<Waiting>,
    /// Confirmed and not answered yet.
    settled: Vec<(Waiting, Confirmation)>,
    /// Numbers of messages that were returned and whose confirmation has not come.
    returned: HashSet<u64>,
}

impl Outstanding {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.settled.is_empty()
    }

    /// Waits until some are confirmed.
    async fn settled(&mut self) -> lapin::Result<()> {
        std::future::poll_fn(|context| self.poll_settled(context)).await
    }

    /// Looks at all of them again and again until nothing more is confirmed: only then every confirmation that came
    /// before one of those found has been found too.
    fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<lapin::Result<()>> {
        loop {
            let before = self.settled.len();
            let mut index = 0;
            while let Some(waiting) = self.waiting.get_mut(index) {
                match Pin::new(&mut waiting.confirm).poll(context) {
                    Poll::Ready(confirmation) => {
                        let waiting = self.waiting.swap_remove(index);
                        self.settled.push((waiting, confirmation?));
                    }
                    Poll::Pending => index += 1,
                }
            }
            if self.settled.len() == before {
                break;
            }
        }
        if self.settled.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn answer(&mut self) {
        for (_, confirmation) in &self.settled {
            if let Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) = confirmation {
                let number = message.properties.correlation_id().as_ref();
                self.returned
                    .extend(number.and_then(|number| number.as_str().parse::<u64>().ok()));
            }
        }
        for (waiting, confirmation) in self.settled.drain(..) {
            let is_returned = self.returned.remove(&waiting.number);
            let said = match confirmation {
                Confirmation::Ack(_) if is_returned => Said::Returned,
                Confirmation::Ack(_) => Said::Taken,
                Confirmation::Nack(_) => Said::Refused,
                Confirmation::NotRequested => unreachable!("a channel is shared only in confirm mode"),
            };
            // Who no longer waits counts the message as not known.
            let _ = waiting.answer.send(said);
        }
    }
}
