//! A document packet: a document on its way, or a recall, update or replacement.
//!
//! What verification, rules and addressing look at.
//!
//! **Invariant**: the digest of the contents depends on what is sent and done, never on how the XML was built, when, or
//! to whom it is addressed.

use trust::Digest;

use super::attachment::Attachment;
use super::codes::BusinessType;
use super::date::WrittenDate;
use super::fields::{
    Business, DocumentCode, DocumentType, Extension, Organization, OtherInfo, Promulgation, Reference,
    ResponseFor, SignerInfo, TraceHeader,
};
use super::record::Record;

/// A document packet, element by element (QCVN 102:2016/BTTTT section 1; numbers in brackets are its).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentPacket {
    /// 1.1 `From`.
    pub from: Organization,
    /// 1.2 `To`, in the order written, repetitions included.
    pub to: Vec<Organization>,
    /// 1.14 `DocumentId`: `OrganId,yyyy/MM/dd,Number/Notation`, or a UUID.
    pub document_id: String,
    /// 1.3 `Code`.
    pub code: DocumentCode,
    /// 1.4 `PromulgationInfo`.
    pub promulgation: Promulgation,
    /// 1.5 `DocumentType`.
    pub document_type: DocumentType,
    /// 1.6 `Subject`: trích yếu.
    pub subject: String,
    /// 1.7 `Content`: a summary.
    pub content: Option<String>,
    /// 1.8 `SignerInfo`.
    pub signer: SignerInfo,
    /// 1.9 `DueDate`: when an answer is wanted.
    pub due_date: Option<WrittenDate>,
    /// 1.11 `OtherInfo`.
    pub other: OtherInfo,
    /// 1.12 `ResponseFor`, empty ones left out.
    pub responses_for: Vec<ResponseFor>,
    /// 1.13 `SteeringType`, as written: producers disagree on its codes.
    pub steering_type: Option<String>,
    /// 1.10 `ToPlaces`: the "Nơi nhận" printed on the document. Text, never routing.
    pub to_places: Vec<String>,
    /// The optional elements that are kept, not understood.
    pub extensions: Vec<Extension>,
    /// 2.1 `TraceHeader`, empty ones left out.
    pub traces: Vec<TraceHeader>,
    /// 2.2 `Bussiness`.
    pub business: Business,
    /// The manifest (`edXMLManifest`).
    pub manifest: Vec<Reference>,
    /// The files (`AttachmentEncoded`).
    pub attachments: Vec<Attachment>,
}

impl DocumentPacket {
    /// The addressees' codes, each once, in the order written.
    pub fn addressees(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.to
            .iter()
            .map(|to| to.organ_id.as_str())
            .filter(|code| seen.insert(*code))
            .collect()
    }

    /// The documents that this packet acts on: none for a new one, those listed for a replacement, and for a recall or
    /// an update the one named in `Bussiness`, or, as in most traffic, that of the header.
    pub fn targets(&self) -> Vec<&str> {
        match self.business.kind {
            BusinessType::New => Vec::new(),
            BusinessType::Recall | BusinessType::Update => {
                vec![self.business.document_id.as_deref().unwrap_or(&self.document_id)]
            }
            BusinessType::Replace => {
                let mut seen = std::collections::HashSet::new();
                let ids = self
                    .business
                    .replacements
                    .iter()
                    .map(|replaced| replaced.document_id.as_str());
                ids.filter(|id| seen.insert(*id)).collect()
            }
        }
    }

    /// What stays the same when software builds the packet again, for the same or for further addressees: SHA-256
    /// over business type and digests of the decoded contents; for recall, update and replacement also over targets and
    /// the receivers named for them, for an update over its metadata too (an update may change nothing else).
    /// Orders do not count. Names of files, traces and zip entries are left out.
    pub fn contents_digest(&self) -> Digest {
        let mut record = Record::new("edxml-contents/1");
        record.text(self.business.kind.code());
        let mut digests: Vec<_> = self
            .attachments
            .iter()
            .map(|attachment| attachment.content.digest())
            .collect();
        digests.sort_unstable();
        record.count(digests.len());
        for digest in &digests {
            record.fixed(digest.as_bytes());
        }
        match self.business.kind {
            BusinessType::New => {}
            BusinessType::Recall => self.record_targets(&mut record),
            BusinessType::Update => {
                self.record_targets(&mut record);
                let update = self.business.update.clone().unwrap_or_default();
                self.record_header(&mut record);
                record.text(update.document.as_deref().unwrap_or(""));
                record.text(update.receivers_changed.as_deref().unwrap_or(""));
                let mut receivers = update.receivers;
                receivers.sort();
                record.count(receivers.len());
                for receiver in &receivers {
                    record.text(&receiver.organ_id);
                    record.text(receiver.kind.code());
                }
            }
            BusinessType::Replace => {
                let mut replacements = self.business.replacements.clone();
                for replacement in &mut replacements {
                    replacement.organ_ids.sort();
                }
                replacements.sort();
                record.count(replacements.len());
                for replacement in &replacements {
                    record.text(&replacement.document_id);
                    record.count(replacement.organ_ids.len());
                    for organ_id in &replacement.organ_ids {
                        record.text(organ_id);
                    }
                }
            }
        }
        record.digest()
    }

    /// What an update may change without a file: two updates of different meaning are never one.
    fn record_header(&self, record: &mut Record) {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let (signer, other) = (&self.signer, &self.other);
        for text in [
            &self.code.number,
            &self.code.notation,
            &self.promulgation.place,
            &self.promulgation.date.0,
            &self.document_type.code,
            &self.document_type.name,
            &self.subject,
            &signer.full_name,
        ] {
            record.text(text);
        }
        for text in [
            &self.document_type.detail,
            &self.content,
            &signer.competence,
            &signer.position,
            &other.sphere,
            &other.typer_notation,
            &other.promulgation_amount,
            &other.page_amount,
            &self.steering_type,
            &self.business.reason,
        ] {
            record.text(&optional(text));
        }
        record.text(self.due_date.as_ref().map_or("", |date| date.as_str()));
        record.text(other.priority.code());
        for texts in [&other.appendixes, &self.to_places] {
            record.count(texts.len());
            texts.iter().for_each(|text| record.text(text));
        }
    }

    fn record_targets(&self, record: &mut Record) {
        let targets = self.targets();
        record.count(targets.len());
        for target in targets {
            record.text(target);
        }
    }
}
