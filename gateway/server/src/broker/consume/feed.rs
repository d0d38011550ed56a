//! One queue's stream of deliveries, and how it is begun and ended.
//!
//! **Invariant:** the end of a stream is said once, after its last delivery.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};

use super::budget::QueueNumber;
use crate::broker::connection::Session;
use crate::broker::inspect::depth;

/// What a feed brings.
pub(crate) enum Item {
    /// A message.
    Delivery(Box<Delivery>),
    /// No more will come: cancelled by us, or by the broker because the queue is gone.
    Ended,
    /// The channel failed.
    Failed(lapin::Error),
}

/// A consumer that names its queue with every item.
pub(crate) struct Feed {
    queue: QueueNumber,
    consumer: Option<Consumer>,
}

impl Feed {
    /// The feed of a consumer.
    pub(crate) fn new(queue: QueueNumber, consumer: Consumer) -> Feed {
        Feed {
            queue,
            consumer: Some(consumer),
        }
    }
}

impl Stream for Feed {
    type Item = (QueueNumber, Item);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let queue = self.queue;
        let Some(consumer) = self.consumer.as_mut() else {
            return Poll::Ready(None);
        };
        let item = match ready!(Pin::new(consumer).poll_next(context)) {
            Some(Ok(delivery)) => Item::Delivery(Box::new(delivery)),
            Some(Err(error)) => {
                self.consumer = None;
                Item::Failed(error)
            }
            None => {
                self.consumer = None;
                Item::Ended
            }
        };
        Poll::Ready(Some((queue, item)))
    }
}

/// What an order came to.
pub(crate) enum Fulfilled {
    /// The queue delivers from now on.
    Begun(QueueNumber, Consumer),
    /// There is no such queue.
    Missing(QueueNumber),
    /// The end was asked for; the feed says when it is reached.
    Ended,
    /// The channel failed.
    Failed(lapin::Error),
}

/// Begins to consume a queue.
pub(crate) struct Begin {
    pub(crate) session: Arc<Session>,
    pub(crate) channel: Channel,
    /// A channel to ask on whether the queue exists: asking for one that does not closes the channel asked on.
    pub(crate) probe: Option<Channel>,
    pub(crate) number: QueueNumber,
    pub(crate) queue: String,
    pub(crate) tag: ShortString,
    /// Said before, when the consumers to come shall have another.
    pub(crate) prefetch: Option<u16>,
}

impl Begin {
    /// Does it, and gives the probe back if it lives.
    pub(crate) async fn fulfil(mut self) -> (Fulfilled, Option<Channel>) {
        let outcome = match self.begin().await {
            Ok(Some(consumer)) => Fulfilled::Begun(self.number, consumer),
            Ok(None) => Fulfilled::Missing(self.number),
            Err(error) => Fulfilled::Failed(error),
        };
        (outcome, self.probe)
    }

    async fn begin(&mut self) -> lapin::Result<Option<Consumer>> {
        let probe = match self.probe.take() {
            Some(probe) => probe,
            None => self.session.connection.create_channel().await?,
        };
        if depth(&probe, &self.queue).await?.is_none() {
            return Ok(None);
        }
        self.probe = Some(probe);
        if let Some(prefetch) = self.prefetch {
            self.channel
                .basic_qos(prefetch, BasicQosOptions::default())
                .await?;
        }
        let queue = self.queue.as_str().into();
        let options = BasicConsumeOptions::default();
        self.channel
            .basic_consume(queue, self.tag.clone(), options, FieldTable::default())
            .await
            .map(Some)
    }
}

/// Asks the broker to stop delivering to this consumer. What it sent before still comes.
pub(crate) async fn end(channel: Channel, tag: ShortString) -> Fulfilled {
    match channel.basic_cancel(tag, BasicCancelOptions::default()).await {
        Ok(()) => Fulfilled::Ended,
        Err(error) => Fulfilled::Failed(error),
    }
}
