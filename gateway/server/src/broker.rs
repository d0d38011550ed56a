//! RabbitMQ: the road's way in and way out.
//!
//! On the road it stands before *receive* (what agencies submitted) and after *dispatch* (their inboxes). [`Broker`]
//! is what a running gateway holds; [`Provisioner`] is what makes virtual host, queues and users, with a credential
//! of its own that a running gateway needs only when an agency comes or goes or the broker lost its disk.
//!
//! **Invariant:** lapin's types end here.
//! **Invariant:** the broker is never the truth: what it loses, the journal gives again.

mod connection;
mod consume;
mod inspect;
mod parked;
mod provision;
mod publish;
pub mod topology;

use std::path::PathBuf;
use std::sync::Arc;

pub use connection::{Address, BrokerState, authorities};
pub use consume::{Arrival, ConsumeLimits, Intake, Lane, Lanes, Settle, Unproven};
pub use inspect::{Depth, Inspector};
pub use parked::{ParkedMessage, TakeOutFault, take_out};
pub use provision::{
    Access, Accounts, GatewayUser, PasswordHash, ProvisionFault, Provisioner, Report, Standing,
};
pub use publish::{
    HEADER_PARKED_ACCOUNT, HEADER_PARKED_KEY, HEADER_PARKED_REASON, Parked, PublishLimits, Publisher,
};

/// Our trouble with the broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFault {
    /// The configured address is not an AMQP URI. Its text is a secret and not repeated.
    #[error("the broker's address is not an amqp:// or amqps:// URI")]
    Address,
    /// The file of the authorities that may vouch for the broker gives none.
    #[error("{path}: {fault}")]
    AuthoritiesUnfit {
        /// Which.
        path: PathBuf,
        /// Why not.
        fault: amqp::PemFault,
    },
    /// The same file cannot be read.
    #[error("{path}: {error}")]
    AuthoritiesUnread {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// The broker cannot be reached, refuses us or does not finish its handshake.
    #[error("cannot connect to the broker: {0}")]
    Connect(#[from] amqp::ConnectFault),
    /// There is no connection now.
    #[error("the broker is away")]
    Away,
    /// It does not answer a question, though the connection stands.
    #[error("the broker does not answer over a standing connection")]
    Silent,
    /// A queue could not be looked into.
    #[error("cannot look into a queue: {0}")]
    Inspect(#[source] lapin::Error),
}

impl BrokerFault {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            BrokerFault::Address
            | BrokerFault::AuthoritiesUnfit { .. }
            | BrokerFault::AuthoritiesUnread { .. } => false,
            BrokerFault::Connect(_) | BrokerFault::Away | BrokerFault::Silent | BrokerFault::Inspect(_) => {
                true
            }
        }
    }
}

/// A running gateway's broker: one connection to publish, one to consume.
#[derive(Clone)]
pub struct Broker {
    /// Hands over and parks.
    pub publisher: Arc<Publisher>,
    /// Takes what agencies submit.
    pub intake: Arc<Intake>,
}

impl Broker {
    /// A broker that nothing was asked of yet, and the lanes that its intake will fill.
    ///
    /// # Errors
    /// [`BrokerFault::Address`].
    pub fn new(
        address: &Address,
        publish: PublishLimits,
        consume: ConsumeLimits,
    ) -> Result<(Broker, Lanes), BrokerFault> {
        let publisher = Arc::new(Publisher::new(address, publish)?);
        let (intake, lanes) = Intake::new(address, consume)?;
        Ok((
            Broker {
                publisher,
                intake: Arc::new(intake),
            },
            lanes,
        ))
    }

    /// Connects and keeps connected, for as long as it is polled; give it a task of its own. Ends only by panic.
    pub async fn run(self) {
        tokio::join!(self.publisher.run(), Arc::clone(&self.intake).run());
    }

    /// Closes both connections, once [`Broker::run`] is no longer polled. What was not settled goes back.
    pub async fn close(&self) {
        tokio::join!(self.publisher.close(), self.intake.close());
    }

    /// The consuming connection of now, when messages go through and it is proven to lead to this gateway's broker: what another
    /// one holds is no evidence of anything.
    pub fn own_session(&self) -> Option<u64> {
        let is_own = self.state() == BrokerState::Connected && self.is_proven();
        self.intake.inspector().session().filter(|_| is_own)
    }

    /// Whether both connections of now are proven to lead to this gateway's broker.
    pub fn is_proven(&self) -> bool {
        self.publisher.is_proven() && self.intake.is_proven()
    }

    /// Whether the gateway can both take and hand over: the worse of both connections.
    pub fn state(&self) -> BrokerState {
        let both = [self.publisher.state(), self.intake.state()];
        let worst = |state| both.contains(&state).then_some(state);
        worst(BrokerState::Away)
            .or(worst(BrokerState::Blocked))
            .unwrap_or(BrokerState::Connected)
    }
}
