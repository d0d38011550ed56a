//! Messages on their way to the broker, and what it says of each.
//!
//! lapin hands a return to whichever confirmation completes next; each message bears its number (`correlation-id`), by
//! which a return is known.
//!
//! **Invariant:** a message was taken only if its confirmation came and no return bears its number: the broker sends
//! the return first, so that it is with a confirmation that completed before or together with this one, and all of
//! those are looked at before anything is said.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};

use lapin::{Confirmation, PublisherConfirm};

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

/// A message of which the broker said something.
pub(super) struct Landing {
    pub(super) number: u64,
    pub(super) said: Said,
}

/// All that waits for its confirmation.
#[derive(Default)]
pub(super) struct Air {
    flying: Vec<(u64, PublisherConfirm)>,
    /// Numbers of messages that were returned and whose confirmation has not come.
    returned: HashSet<u64>,
}

impl Air {
    pub(super) fn len(&self) -> usize {
        self.flying.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    pub(super) fn add(&mut self, number: u64, confirm: PublisherConfirm) {
        self.flying.push((number, confirm));
    }

    /// Waits until the broker said something of some, and gives all of those.
    pub(super) async fn land(&mut self) -> lapin::Result<Vec<Landing>> {
        let confirmed = std::future::poll_fn(|context| self.poll_confirmed(context)).await?;
        for (_, confirmation) in &confirmed {
            if let Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) = confirmation {
                let number = message.properties.correlation_id().as_ref();
                self.returned
                    .extend(number.and_then(|number| number.as_str().parse::<u64>().ok()));
            }
        }
        let landing = |(number, confirmation): (u64, Confirmation)| {
            let said = match confirmation {
                _ if self.returned.remove(&number) => Said::Returned,
                Confirmation::Ack(_) => Said::Taken,
                Confirmation::Nack(_) | Confirmation::NotRequested => Said::Refused,
            };
            Landing { number, said }
        };
        Ok(confirmed.into_iter().map(landing).collect())
    }

    /// Looks at all of them again and again until nothing more is confirmed: only then every confirmation that came
    /// before one of those found has been found too.
    fn poll_confirmed(&mut self, context: &mut Context<'_>) -> Poll<lapin::Result<Vec<(u64, Confirmation)>>> {
        let mut confirmed = Vec::new();
        loop {
            let before = confirmed.len();
            let mut index = 0;
            while let Some((number, confirm)) = self.flying.get_mut(index) {
                match Pin::new(confirm).poll(context) {
                    Poll::Ready(confirmation) => {
                        confirmed.push((*number, confirmation?));
                        self.flying.swap_remove(index);
                    }
                    Poll::Pending => index += 1,
                }
            }
            if confirmed.len() == before {
                break;
            }
        }
        if confirmed.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(Ok(confirmed))
        }
    }
}
