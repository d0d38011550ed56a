//! A packet in one line for people.
//!
//! Printed by tests and by operators' commands.
//!
//! **Invariant**: no subject, no content, no file name, no name of a person.

use std::fmt;

use super::Packet;
use super::codes::BusinessType;

/// Shows a packet as one line: kind, sender, addressees, id, what it acts on, files.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'p>(pub(super) &'p Packet);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Packet::Document(document) => {
                let kind = match document.business.kind {
                    BusinessType::New => "new document",
                    BusinessType::Recall => "recall",
                    BusinessType::Update => "update",
                    BusinessType::Replace => "replacement",
                };
                let (from, id) = (&document.from.organ_id, &document.document_id);
                write!(
                    f,
                    "{kind} {id} from {from} to {} addressees",
                    document.addressees().len()
                )?;
                let targets = document.targets();
                if !targets.is_empty() {
                    write!(f, ", acting on {}", targets.join(" and "))?;
                }
                let bytes: usize = document
                    .attachments
                    .iter()
                    .map(|attachment| attachment.content.bytes().len())
                    .sum();
                write!(f, ", priority {}", document.other.priority.code())?;
                write!(f, ", {} attachments of {bytes} bytes", document.attachments.len())
            }
            Packet::Status(status) => {
                let (from, about) = (&status.from.organ_id, &status.response_for);
                write!(f, "status {} of {}", status.status.code(), about.document_id)?;
                write!(f, " from {from} for {} at {}", about.organ_id, status.at.as_str())
            }
        }
    }
}
