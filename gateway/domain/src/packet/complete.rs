//! Is everything there?
//!
//! Runs after a packet was understood, and lists all that is missing, so that the sender repairs it once. Required is
//! what QCVN 102:2016/BTTTT has exactly once and a receiver cannot do without.
//!
//! **Invariant**: pure: the same packet gives the same list, in the order of the elements.

use std::collections::HashSet;

use super::attachment::Attachment;
use super::codes::BusinessType;
use super::date::WrittenDate;
use super::document::DocumentPacket;
use super::fault::PacketFault;
use super::fields::Reference;
use super::status::StatusPacket;

const MESSAGE: &str = "edXML/edXMLEnvelope/edXMLHeader/MessageHeader";
const BUSINESS: &str = "edXML/edXMLEnvelope/edXMLHeader/TraceHeaderList/Bussiness";
const MANIFEST: &str = "edXML/edXMLEnvelope/edXMLBody/edXMLManifest";
const ATTACHMENTS: &str = "edXML/AttachmentEncoded";

#[derive(Default)]
struct Faults(Vec<PacketFault>);

impl Faults {
    fn missing(&mut self, element: String) {
        self.0.push(PacketFault::ElementMissing { element });
    }

    fn require(&mut self, value: &str, parent: &str, name: &str) {
        if value.is_empty() {
            self.missing(format!("{parent}/{name}"));
        }
    }

    /// A date that must mean a day.
    fn require_day(&mut self, date: &WrittenDate, parent: &str, name: &str) {
        if date.as_str().is_empty() {
            self.missing(format!("{parent}/{name}"));
        } else if date.civil().is_none() {
            let value = date.as_str().to_owned();
            self.0.push(PacketFault::DateInvalid {
                element: format!("{parent}/{name}"),
                value,
            });
        }
    }
}

impl DocumentPacket {
    /// Everything that is missing, all at once; empty when complete.
    pub fn completeness(&self) -> Vec<PacketFault> {
        let mut faults = Faults::default();
        faults.require(&self.from.organ_id, MESSAGE, "From/OrganId");
        if self.to.is_empty() {
            faults.missing(format!("{MESSAGE}/To"));
        }
        for (index, to) in self.to.iter().enumerate() {
            faults.require(&to.organ_id, MESSAGE, &format!("To[{}]/OrganId", index + 1));
        }
        faults.require(&self.document_id, MESSAGE, "DocumentId");
        faults.require(&self.code.number, MESSAGE, "Code/CodeNumber");
        faults.require(&self.code.notation, MESSAGE, "Code/CodeNotation");
        faults.require(&self.promulgation.place, MESSAGE, "PromulgationInfo/Place");
        faults.require_day(
            &self.promulgation.date,
            MESSAGE,
            "PromulgationInfo/PromulgationDate",
        );
        faults.require(&self.document_type.code, MESSAGE, "DocumentType/Type");
        faults.require(&self.document_type.name, MESSAGE, "DocumentType/TypeName");
        faults.require(&self.subject, MESSAGE, "Subject");
        faults.require(&self.signer.full_name, MESSAGE, "SignerInfo/FullName");
        if let Some(date) = &self.due_date {
            faults.require_day(date, MESSAGE, "DueDate");
        }
        self.require_business(&mut faults);
        self.require_contents(&mut faults);
        faults.0
    }

    fn require_business(&self, faults: &mut Faults) {
        let replacements = &self.business.replacements;
        if self.business.kind == BusinessType::Replace && replacements.is_empty() {
            faults.missing(format!("{BUSINESS}/ReplacementInfoList/ReplacementInfo"));
        }
        for (index, replaced) in replacements.iter().enumerate() {
            let parent = format!("{BUSINESS}/ReplacementInfoList/ReplacementInfo[{}]", index + 1);
            faults.require(&replaced.document_id, &parent, "DocumentId");
        }
        let receivers = self.business.update.iter().flat_map(|update| &update.receivers);
        for (index, receiver) in receivers.enumerate() {
            let parent = format!(
                "{BUSINESS}/BussinessDocumentInfo/ReceiverList/Receiver[{}]",
                index + 1
            );
            faults.require(&receiver.organ_id, &parent, "OrganId");
        }
    }

    /// Files are there and not empty, and manifest and attachments name the same ContentIds, each once.
    fn require_contents(&self, faults: &mut Faults) {
        // A recall speaks of a document that the addressees have, and an update may only change who receives it.
        let needs_file = matches!(self.business.kind, BusinessType::New | BusinessType::Replace);
        if needs_file && self.attachments.is_empty() {
            faults.missing(format!("{ATTACHMENTS}/Attachment"));
        }
        let (mut named, mut borne) = (HashSet::new(), HashSet::new());
        for (index, Reference { content_id, .. }) in self.manifest.iter().enumerate() {
            faults.require(
                content_id,
                MANIFEST,
                &format!("Reference[{}]/ContentId", index + 1),
            );
            if !content_id.is_empty() && !named.insert(content_id) {
                faults.0.push(PacketFault::ContentIdRepeated {
                    content_id: content_id.clone(),
                });
            }
        }
        for (
            index,
            Attachment {
                content_id,
                name,
                content,
                ..
            },
        ) in self.attachments.iter().enumerate()
        {
            let parent = format!("{ATTACHMENTS}/Attachment[{}]", index + 1);
            faults.require(content_id, &parent, "ContentId");
            faults.require(name, &parent, "AttachmentName");
            if content.bytes().is_empty() {
                faults.0.push(PacketFault::AttachmentEmpty {
                    content_id: content_id.clone(),
                });
            }
            if content_id.is_empty() {
                continue;
            }
            if !borne.insert(content_id) {
                faults.0.push(PacketFault::ContentIdRepeated {
                    content_id: content_id.clone(),
                });
            } else if !named.contains(content_id) {
                faults.0.push(PacketFault::AttachmentWithoutReference {
                    content_id: content_id.clone(),
                });
            }
        }
        let without = self.manifest.iter().map(|reference| &reference.content_id);
        let mut told = HashSet::new();
        for content_id in without.filter(|id| !id.is_empty() && !borne.contains(id)) {
            if told.insert(content_id) {
                faults.0.push(PacketFault::ReferenceWithoutAttachment {
                    content_id: content_id.clone(),
                });
            }
        }
    }
}

impl StatusPacket {
    /// Everything that is missing, all at once; empty when complete.
    pub fn completeness(&self) -> Vec<PacketFault> {
        let mut faults = Faults::default();
        faults.require(&self.from.organ_id, MESSAGE, "From/OrganId");
        faults.require(&self.response_for.organ_id, MESSAGE, "ResponseFor/OrganId");
        faults.require(&self.response_for.document_id, MESSAGE, "ResponseFor/DocumentId");
        if self.at.as_str().is_empty() {
            faults.missing(format!("{MESSAGE}/Timestamp"));
        } else if self.at.civil().is_none() {
            let (element, value) = (format!("{MESSAGE}/Timestamp"), self.at.as_str().to_owned());
            faults.0.push(PacketFault::DateInvalid { element, value });
        }
        faults.0
    }
}
