//! From a packet to the canonical form.
//!
//! Used where packets are made: by agency software through the connector, and by the gateway for statuses. UTF-8, two
//! spaces a level, the element order of the standard; the root and `AttachmentEncoded` unprefixed, all else under the
//! prefix `edXML`, as in the official samples (a .NET connector refuses children without it).
//!
//! **Invariant**: what is written is well-formed for every packet; a text that XML cannot carry is a fault.

mod sink;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use self::sink::Sink;
use super::EXTENSIONS;
use super::attachment::Attachment;
use super::document::DocumentPacket;
use super::fault::PacketFault;
use super::fields::{Business, Extension, Organization, OtherInfo, Reference, ResponseFor, Staff};
use super::status::StatusPacket;

impl DocumentPacket {
    /// Writes the canonical form.
    ///
    /// # Errors
    /// `CharacterUnwritable` for a text that XML cannot carry.
    pub fn write(&self) -> Result<Vec<u8>, PacketFault> {
        let contents: usize = self
            .attachments
            .iter()
            .map(|attachment| attachment.content.bytes().len())
            .sum();
        let mut sink = Sink::new(8192 + contents / 3 * 4);
        sink.begin_header();
        self.write_message(&mut sink);
        sink.open("TraceHeaderList");
        for hop in &self.traces {
            sink.open("TraceHeader");
            sink.leaf("OrganId", &hop.organ_id);
            sink.leaf("Timestamp", hop.at.as_str());
            sink.close();
        }
        write_business(&mut sink, &self.business);
        sink.close();
        sink.close();
        sink.open("edXMLBody");
        sink.open_with("edXMLManifest", " version=\"1.0\"");
        for reference in &self.manifest {
            write_reference(&mut sink, reference);
        }
        sink.close();
        sink.close();
        sink.close();
        sink.open_bare("AttachmentEncoded");
        for attachment in &self.attachments {
            write_attachment(&mut sink, attachment);
        }
        sink.close();
        sink.finish()
    }

    fn write_message(&self, sink: &mut Sink) {
        sink.open("MessageHeader");
        write_organization(sink, "From", &self.from);
        for to in &self.to {
            write_organization(sink, "To", to);
        }
        sink.leaf("DocumentId", &self.document_id);
        sink.open("Code");
        sink.leaf("CodeNumber", &self.code.number);
        sink.leaf("CodeNotation", &self.code.notation);
        sink.close();
        sink.open("PromulgationInfo");
        sink.leaf("Place", &self.promulgation.place);
        sink.leaf("PromulgationDate", self.promulgation.date.as_str());
        sink.close();
        sink.open("DocumentType");
        sink.leaf("Type", &self.document_type.code);
        sink.optional("TypeDetail", self.document_type.detail.as_deref());
        sink.leaf("TypeName", &self.document_type.name);
        sink.close();
        sink.leaf("Subject", &self.subject);
        sink.optional("Content", self.content.as_deref());
        sink.open("SignerInfo");
        sink.optional("Competence", self.signer.competence.as_deref());
        sink.optional("Position", self.signer.position.as_deref());
        sink.leaf("FullName", &self.signer.full_name);
        sink.close();
        sink.optional("DueDate", self.due_date.as_ref().map(|date| date.as_str()));
        write_other_info(sink, &self.other);
        for response in &self.responses_for {
            write_response_for(sink, response);
        }
        sink.optional("SteeringType", self.steering_type.as_deref());
        write_list(sink, "ToPlaces", "Place", &self.to_places);
        write_extensions(sink, &self.extensions);
        sink.close();
    }
}

impl StatusPacket {
    /// Writes the canonical form.
    ///
    /// # Errors
    /// `CharacterUnwritable` for a text that XML cannot carry.
    pub fn write(&self) -> Result<Vec<u8>, PacketFault> {
        let mut sink = Sink::new(4096);
        sink.begin_header();
        sink.open("MessageHeader");
        write_organization(&mut sink, "From", &self.from);
        write_response_for(&mut sink, &self.response_for);
        write_staff(&mut sink, self.staff.as_ref());
        sink.leaf("StatusCode", self.status.code());
        sink.optional("Description", self.description.as_deref());
        sink.leaf("Timestamp", self.at.as_str());
        sink.close();
        sink.close();
        sink.close();
        sink.finish()
    }
}

fn write_organization(sink: &mut Sink, name: &'static str, organization: &Organization) {
    sink.open(name);
    sink.leaf("OrganId", &organization.organ_id);
    sink.optional("OrganizationInCharge", organization.in_charge.as_deref());
    sink.leaf("OrganName", &organization.name);
    sink.optional("OrganAdd", organization.address.as_deref());
    sink.optional("Email", organization.email.as_deref());
    sink.optional("Telephone", organization.telephone.as_deref());
    sink.optional("Fax", organization.fax.as_deref());
    sink.optional("Website", organization.website.as_deref());
    sink.close();
}

fn write_response_for(sink: &mut Sink, response: &ResponseFor) {
    sink.open("ResponseFor");
    sink.leaf("OrganId", &response.organ_id);
    sink.leaf("Code", &response.code);
    sink.leaf("PromulgationDate", response.promulgation_date.as_str());
    sink.leaf("DocumentId", &response.document_id);
    sink.close();
}

fn write_other_info(sink: &mut Sink, other: &OtherInfo) {
    sink.open("OtherInfo");
    sink.leaf("Priority", other.priority.code());
    sink.optional("SphereOfPromulgation", other.sphere.as_deref());
    sink.optional("TyperNotation", other.typer_notation.as_deref());
    sink.optional("PromulgationAmount", other.promulgation_amount.as_deref());
    sink.optional("PageAmount", other.page_amount.as_deref());
    sink.optional("Direction", other.direction.as_deref());
    write_list(sink, "Appendixes", "Appendix", &other.appendixes);
    sink.close();
}

fn write_list(sink: &mut Sink, list: &'static str, item: &'static str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    sink.open(list);
    for text in texts {
        sink.leaf(item, text);
    }
    sink.close();
}

fn write_extensions(sink: &mut Sink, extensions: &[Extension]) {
    let mut open = 0;
    for (index, extension) in extensions.iter().enumerate() {
        while open > extension.depth {
            sink.close();
            open -= 1;
        }
        let known = extension.depth > 0 || EXTENSIONS.contains(&extension.name.as_str());
        if !known || extension.depth > open || !trust::xml::is_name(&extension.name) {
            return sink.refuse_name(&extension.name);
        }
        let holds_elements = extensions
            .get(index + 1)
            .is_some_and(|next| next.depth > extension.depth);
        if holds_elements {
            sink.open(&extension.name);
            open += 1;
        } else {
            sink.leaf(&extension.name, &extension.text);
        }
    }
    for _ in 0..open {
        sink.close();
    }
}

fn write_staff(sink: &mut Sink, staff: Option<&Staff>) {
    let Some(staff) = staff else { return };
    sink.open("StaffInfo");
    sink.optional("Department", staff.department.as_deref());
    sink.optional("Staff", staff.name.as_deref());
    sink.optional("Email", staff.email.as_deref());
    sink.optional("Mobile", staff.mobile.as_deref());
    sink.close();
}

fn write_business(sink: &mut Sink, business: &Business) {
    sink.open("Bussiness");
    sink.optional("DocumentId", business.document_id.as_deref());
    sink.leaf("BussinessDocType", business.kind.code());
    sink.optional("BussinessDocReason", business.reason.as_deref());
    sink.optional("Paper", business.paper.as_deref());
    if let Some(update) = &business.update {
        sink.open("BussinessDocumentInfo");
        sink.optional("DocumentInfo", update.document.as_deref());
        sink.optional("DocumentReceiver", update.receivers_changed.as_deref());
        if !update.receivers.is_empty() {
            sink.open("ReceiverList");
            for receiver in &update.receivers {
                sink.open("Receiver");
                sink.leaf("OrganId", &receiver.organ_id);
                sink.leaf("ReceiverType", receiver.kind.code());
                sink.close();
            }
            sink.close();
        }
        sink.close();
    }
    if !business.replacements.is_empty() {
        sink.open("ReplacementInfoList");
        for replacement in &business.replacements {
            sink.open("ReplacementInfo");
            sink.leaf("DocumentId", &replacement.document_id);
            write_list(sink, "OrganIdList", "OrganId", &replacement.organ_ids);
            sink.close();
        }
        sink.close();
    }
    write_staff(sink, business.staff.as_ref());
    sink.close();
}

fn write_reference(sink: &mut Sink, reference: &Reference) {
    sink.open("Reference");
    sink.content_id(&reference.content_id);
    sink.leaf("ContentType", &reference.content_type);
    sink.optional("Description", reference.description.as_deref());
    sink.leaf("AttachmentName", &reference.name);
    sink.close();
}

fn write_attachment(sink: &mut Sink, attachment: &Attachment) {
    sink.open("Attachment");
    sink.content_id(&attachment.content_id);
    sink.leaf("AttachmentName", &attachment.name);
    sink.optional("Description", attachment.description.as_deref());
    sink.leaf("ContentType", &attachment.content_type);
    sink.prefixed_leaf("ContentTransferEncoded", |out| {
        BASE64_STANDARD.encode_string(attachment.content.bytes(), out);
    });
    sink.close();
}
