//! Document software that speaks AMQP itself: what it may do at the broker, and what it must not.
//!
//! The contract is that of `schemas/topology.json`: the exchange `submit`, three routing keys, one inbox.

use domain::{ids::SubmissionId, wire};
use harness::{
    province::{Agency, Province},
    wait_for,
};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions},
};

use super::evidence::PATIENCE;

/// One account, logged in beside its connector.
pub(super) struct Software {
    pub(super) account: String,
    connection: Connection,
}

impl Software {
    /// Logs in with the password that the operator gave to this agency.
    pub(super) async fn log_in(province: &Province, agency: &Agency) -> Software {
        let password =
            std::fs::read_to_string(agency.folder().join("password")).expect("every agency has one");
        Software::log_in_as(province, agency.account(), password.trim()).await
    }

    /// Logs in to this account.
    pub(super) async fn log_in_as(province: &Province, account: &str, password: &str) -> Software {
        let uri = province.broker().amqp_uri(account, password, province.vhost());
        // On a broker shared with other provinces an account of the same name may just be given its password there.
        let connection = wait_for("the account may log in", PATIENCE, async || {
            Connection::connect(&uri, ConnectionProperties::default())
                .await
                .ok()
        })
        .await;
        Software {
            account: account.to_owned(),
            connection,
        }
    }

    /// A fresh channel: the broker closes one on every refusal.
    pub(super) async fn channel(&self) -> Channel {
        let channel = self.connection.create_channel().await.expect("a channel");
        let options = ConfirmSelectOptions::default();
        channel.confirm_select(options).await.expect("confirms");
        channel
    }

    /// Takes the next message out of its own inbox, if one lies there.
    pub(super) async fn take(&self) -> Option<BasicGetMessage> {
        let queue = format!("inbox.{}", self.account);
        let options = BasicGetOptions { no_ack: true };
        let taken = self.channel().await.basic_get(queue.into(), options).await;
        taken.expect("its own inbox may be read")
    }

    /// What a submission's properties are.
    pub(super) fn properties(&self, submission: &SubmissionId) -> BasicProperties {
        BasicProperties::default()
            .with_message_id(submission.as_str().into())
            .with_user_id(self.account.as_str().into())
            .with_type(wire::TYPE_PACKET.into())
            .with_delivery_mode(2)
    }

    /// Publishes and waits for the broker's word.
    ///
    /// # Errors
    /// What the broker closed the channel with.
    pub(super) async fn publish(
        &self,
        (exchange, key): (&str, &str),
        properties: BasicProperties,
        body: &[u8],
    ) -> lapin::Result<Confirmation> {
        let channel = self.channel().await;
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "software of an agency's own, not the gateway"
        )]
        let sent = channel.basic_publish(exchange.into(), key.into(), options, body, properties);
        sent.await?.await
    }

    /// Submits under an id of its choice, as it should be done.
    pub(super) async fn submit(&self, submission: &SubmissionId, body: &[u8]) {
        let key = format!("normal.{}", self.account);
        let properties = self.properties(submission);
        let taken = self
            .publish((wire::SUBMIT_EXCHANGE, &key), properties, body)
            .await;
        assert!(matches!(taken, Ok(Confirmation::Ack(None))), "{taken:?}");
    }
}
