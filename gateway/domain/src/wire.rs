//! What an agency's software may rely on at the broker: names of exchanges and queues, routing keys, headers, and the
//! confirmation message. `schemas/topology.json` publishes the same.
//!
//! The contract is exchange and routing key. Queue names other than the own inbox are internal.

use serde_json::Value;
use trust::Time;

use crate::ids::{AccountId, DispatchId};
use crate::json::{JsonFault, Reader, Writer};
use crate::receipt::{parse_time, vietnam_time};

/// The version of messages and headers.
pub const FORMAT: i64 = 1;
/// Exchange that agencies publish to.
pub const SUBMIT_EXCHANGE: &str = "submit";
/// Exchange that the gateway delivers through.
pub const DELIVER_EXCHANGE: &str = "deliver";
/// Message type of a document or status packet.
pub const TYPE_PACKET: &str = "packet";
/// Message type of a confirmation.
pub const TYPE_CONFIRMATION: &str = "confirmation";
/// Header: version of the message form.
pub const HEADER_FORMAT: &str = "format";
/// Header: the case.
pub const HEADER_CASE: &str = "case";
/// Header: the sender's code as it wrote it.
pub const HEADER_SENDER: &str = "sender";
/// Header: the document id as its sender wrote it.
pub const HEADER_DOCUMENT: &str = "document-id";
/// Header: when the dispatch expires (RFC 3339).
pub const HEADER_EXPIRES: &str = "expires-at";
/// Header: leaf hash of the event behind the dispatch.
pub const HEADER_EVENT: &str = "event";
/// Header: the hops of the road, the newest last, each the code of a gateway and when it took over what caused the dispatch
/// (RFC 3339), the hops parted by commas. It travels beside the packet, whose own trace nobody touches.
pub const HEADER_TRACE: &str = "trace";
/// Header: the submission that a receipt answers.
pub const HEADER_SUBMISSION: &str = "submission";
/// Header: kind of a receipt.
pub const HEADER_RECEIPT: &str = "receipt";
/// Header: for a recall, update or replacement, the cases it acts on, separated by blanks.
pub const HEADER_TARGETS: &str = "targets";
/// Most cases in [`HEADER_TARGETS`], the newest: headers travel in one frame. Decisions of the field abolish some hundred
/// documents at once.
pub const TARGETS_TOLD_MAX: usize = 256;
/// Most dispatches in one confirmation.
pub const CONFIRMATION_MAX: usize = 500;
/// Most bytes of one confirmation: [`CONFIRMATION_MAX`] dispatches take three quarters of it.
pub const CONFIRMATION_BYTES_MAX: usize = 64 << 10;

/// The routing key of a packet without urgency.
pub fn normal_key(account: &AccountId) -> String {
    format!("normal.{account}")
}

/// The routing key of an urgent packet (Priority 1 to 4).
pub fn urgent_key(account: &AccountId) -> String {
    format!("urgent.{account}")
}

/// The routing key of confirmations.
pub fn confirm_key(account: &AccountId) -> String {
    format!("confirm.{account}")
}

/// The queue that an account reads.
pub fn inbox_queue(account: &AccountId) -> String {
    format!("inbox.{account}")
}

/// One dispatch that a connector has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub dispatch: DispatchId,
    /// When, by the connector's clock.
    pub at: Time,
}

/// Handover: a connector says what it has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// One to [`CONFIRMATION_MAX`] dispatches.
    pub stored: Vec<Stored>,
}

impl Confirmation {
    /// The message body.
    pub fn encode(&self) -> Vec<u8> {
        let one = |stored: &Stored| {
            Writer::new()
                .text("dispatch", stored.dispatch)
                .text("at", vietnam_time(stored.at))
                .end()
        };
        Writer::new()
            .number("format", FORMAT)
            .list("stored", self.stored.iter().map(one))
            .end()
            .to_string()
            .into_bytes()
    }

    /// Reads a message body.
    ///
    /// # Errors
    /// [`JsonFault`], naming what is wrong; also when nothing or too much is confirmed. A body of more than
    /// [`CONFIRMATION_BYTES_MAX`] is not read.
    pub fn decode(body: &[u8]) -> Result<Confirmation, JsonFault> {
        if body.len() > CONFIRMATION_BYTES_MAX {
            return Err(JsonFault::Wrong("length"));
        }
        let value: Value = serde_json::from_slice(body).map_err(|_| JsonFault::NotAnObject)?;
        let reader = Reader::new(&value)?;
        let version = reader.number("format")?;
        if version != FORMAT {
            return Err(JsonFault::Version(version));
        }
        let stored = reader.objects("stored", |one| {
            let at = parse_time(one.str("at")?).ok_or(JsonFault::Wrong("at"))?;
            Ok(Stored {
                dispatch: one.parse("dispatch")?,
                at,
            })
        })?;
        if stored.is_empty() || stored.len() > CONFIRMATION_MAX {
            return Err(JsonFault::Wrong("stored"));
        }
        Ok(Confirmation { stored })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgencyId;
    use trust::Digest;

    #[test]
    fn a_confirmation_reads_back_what_it_writes() {
        let dispatch = DispatchId::derive(
            Time::from_micros(0),
            &Digest::of(b"x"),
            AgencyId::from_number(3),
            b'p',
        );
        let confirmation = Confirmation {
            stored: vec![Stored {
                dispatch,
                at: Time::from_micros(1_790_000_000_123_456),
            }],
        };
        assert_eq!(Confirmation::decode(&confirmation.encode()), Ok(confirmation));
    }

    #[test]
    fn the_fullest_confirmation_is_read_and_a_longer_body_is_not() {
        let stored = Stored {
            dispatch: DispatchId::from_bytes([0xAB; 16]),
            at: Time::from_micros(1_790_000_000_123_456),
        };
        let full = Confirmation {
            stored: vec![stored; CONFIRMATION_MAX],
        };
        let mut body = full.encode();
        assert_eq!(Confirmation::decode(&body), Ok(full.clone()));
        body.resize(CONFIRMATION_BYTES_MAX, b' ');
        assert_eq!(Confirmation::decode(&body), Ok(full));
        body.push(b' ');
        assert_eq!(Confirmation::decode(&body), Err(JsonFault::Wrong("length")));
    }

    #[test]
    fn an_empty_or_foreign_confirmation_is_refused() {
        let empty = Confirmation { stored: Vec::new() };
        assert_eq!(
            Confirmation::decode(&empty.encode()),
            Err(JsonFault::Wrong("stored"))
        );
        assert_eq!(
            Confirmation::decode(br#"{"format":2,"stored":[]}"#),
            Err(JsonFault::Version(2))
        );
        assert_eq!(Confirmation::decode(b"x"), Err(JsonFault::NotAnObject));
    }
}
