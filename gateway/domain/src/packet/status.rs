//! A status packet: what an addressee says of a document, or a request to give one back.
//!
//! Comes back along the road and is settled against its case.
//!
//! **Invariant**: a status never bears attachments or a subject; such a packet is refused when it is read.

use super::codes::StatusCode;
use super::date::WrittenTime;
use super::fields::{Organization, ResponseFor, Staff};

/// A status packet, element by element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPacket {
    /// `From`: who reports.
    pub from: Organization,
    /// `ResponseFor`: the document; its `organ_id` is the organisation the status is for.
    pub response_for: ResponseFor,
    /// `StaffInfo`.
    pub staff: Option<Staff>,
    /// `StatusCode`.
    pub status: StatusCode,
    /// `Description`: text for people; for 02 the reason.
    pub description: Option<String>,
    /// `Timestamp`.
    pub at: WrittenTime,
}
