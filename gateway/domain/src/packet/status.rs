//! A status packet: what an addressee says of a document, or a request to give one back.
//!
//! Comes back along the road and is settled against its case.
//!
//! **Invariant**: a status never bears attachments or a subject; such a packet is refused when it is read.

use trust::Digest;

use super::codes::StatusCode;
use super::date::WrittenTime;
use super::fields::{Organization, ResponseFor, Staff};
use super::record::Record;

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

impl StatusPacket {
    /// What stays the same when software builds the packet again: SHA-256 over the code, the moment, the text and the
    /// staff that it names, as they were read. Of whom and about which document it is, the case knows.
    pub fn meaning_digest(&self) -> Digest {
        let mut record = Record::new("edxml-status/1");
        record.text(self.status.code());
        match self.at.civil() {
            Some(moment) => record.text(&moment.to_string()),
            None => record.text(self.at.as_str()),
        }
        record.optional(self.description.as_deref());
        let staff = self.staff.clone().unwrap_or_default();
        for text in [&staff.department, &staff.name, &staff.email, &staff.mobile] {
            record.optional(text.as_deref());
        }
        record.digest()
    }
}
