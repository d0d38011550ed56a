//! The parts of a document packet, from its header to its manifest.
//!
//! Under the reader, beside the statuses.
//!
//! **Invariant**: absent elements leave their fields empty; whether they were needed is asked by `completeness`.

use trust::xml::{Element, Node, Step};

use super::super::codes::{BusinessType, Priority, ReceiverType};
use super::super::date::{WrittenDate, WrittenTime};
use super::super::document::DocumentPacket;
use super::super::fault::PacketFault;
use super::super::fields::{
    Business, DocumentCode, DocumentType, Extension, Organization, OtherInfo, Promulgation, Receiver,
    Reference, Replacement, ResponseFor, SignerInfo, TraceHeader, UpdateInfo,
};
use super::super::{EXTENSIONS, SPACE};
use super::{Fields, is_ours, is_signature};

impl<'t, 's: 't> Fields<'t, 's, '_> {
    /// The `MessageHeader`; what stands outside of it is left empty.
    pub(super) fn document(&self) -> Result<DocumentPacket, PacketFault> {
        let mut document = DocumentPacket {
            from: self
                .one("From")?
                .map_or(Ok(Organization::default()), |from| from.organization())?,
            document_id: self.text("DocumentId")?,
            subject: self.text("Subject")?,
            content: self.optional("Content")?,
            due_date: self.optional("DueDate")?.map(WrittenDate),
            other: self.other_info()?,
            steering_type: self.optional("SteeringType")?,
            to_places: self
                .one("ToPlaces")?
                .map_or(Ok(Vec::new()), |places| places.texts("Place"))?,
            extensions: self.extensions()?,
            ..DocumentPacket::default()
        };
        for to in self.many("To") {
            if document.to.len() == self.limits.addressees_max {
                return Err(PacketFault::AddresseesOverLimit {
                    limit: self.limits.addressees_max,
                });
            }
            document.to.push(to.organization()?);
        }
        for response in self.many("ResponseFor") {
            let response = response.response_for()?;
            if response != ResponseFor::default() {
                document.responses_for.push(response);
            }
        }
        if let Some(code) = self.one("Code")? {
            document.code = DocumentCode {
                number: code.text("CodeNumber")?,
                notation: code.text("CodeNotation")?,
            };
        }
        if let Some(issued) = self.one("PromulgationInfo")? {
            document.promulgation = Promulgation {
                place: issued.text("Place")?,
                date: issued.date("PromulgationDate")?,
            };
        }
        if let Some(of) = self.one("DocumentType")? {
            document.document_type = DocumentType {
                code: of.text("Type")?,
                detail: of.optional("TypeDetail")?,
                name: of.text("TypeName")?,
            };
        }
        if let Some(signer) = self.one("SignerInfo")? {
            document.signer = SignerInfo {
                competence: signer.optional("Competence")?,
                position: signer.optional("Position")?,
                full_name: signer.text("FullName")?,
            };
        }
        Ok(document)
    }

    fn other_info(&self) -> Result<OtherInfo, PacketFault> {
        let Some(other) = self.one("OtherInfo")? else {
            return Ok(OtherInfo::default());
        };
        let priority = match other.optional("Priority")? {
            None => Priority::Normal,
            Some(_) => other.code("Priority", Priority::parse)?,
        };
        Ok(OtherInfo {
            priority,
            sphere: other.optional("SphereOfPromulgation")?,
            typer_notation: other.optional("TyperNotation")?,
            promulgation_amount: other.optional("PromulgationAmount")?,
            page_amount: other.optional("PageAmount")?,
            direction: other.optional("Direction")?,
            appendixes: other
                .one("Appendixes")?
                .map_or(Ok(Vec::new()), |list| list.texts("Appendix"))?,
        })
    }

    /// The four optional subtrees, flattened. Attributes and text beside elements are left out; so is a signature with all it
    /// holds, for what is signed is read without it (XML Signature §6.6.4): nobody vouches for what stands in there.
    fn extensions(&self) -> Result<Vec<Extension>, PacketFault> {
        let mut extensions = Vec::new();
        let kept = self
            .element
            .elements()
            .filter(|child| EXTENSIONS.contains(&child.name()) && is_ours(child));
        for top in kept {
            // Elements of other vocabularies are left out with all they hold.
            let (mut depth, mut foreign) = (0_usize, 0_usize);
            for step in top.walk() {
                match step {
                    Step::Enter(Node::Element(element))
                        if foreign > 0 || !is_ours(&element) || is_signature(&element) =>
                    {
                        foreign += 1;
                    }
                    Step::Enter(Node::Element(element)) => {
                        let is_kept = |child: &Element<'_, '_>| is_ours(child) && !is_signature(child);
                        let holds_elements = element.elements().any(|child| is_kept(&child));
                        let text = if holds_elements {
                            String::new()
                        } else {
                            self.of(element).bare_text()?
                        };
                        extensions.push(Extension {
                            depth,
                            name: element.name().to_owned(),
                            text,
                        });
                        depth += 1;
                    }
                    Step::Leave(_) if foreign > 0 => foreign -= 1,
                    Step::Leave(_) => depth -= 1,
                    Step::Enter(Node::Text(_) | Node::Comment(_) | Node::Instruction { .. }) => {}
                }
            }
        }
        Ok(extensions)
    }

    /// The text beside whatever foreign elements there are.
    fn bare_text(&self) -> Result<String, PacketFault> {
        let text = self.element.text();
        let text = text.trim_matches(SPACE);
        let limit = self.limits.text_bytes_max;
        if text.len() > limit {
            return Err(PacketFault::TextOverLimit {
                element: self.element.path(),
                limit,
            });
        }
        Ok(text.to_owned())
    }

    /// The hops of a `TraceHeaderList`.
    pub(super) fn traces(&self) -> Result<Vec<TraceHeader>, PacketFault> {
        let mut traces = Vec::new();
        for hop in self.many("TraceHeader") {
            let hop = TraceHeader {
                organ_id: hop.text("OrganId")?,
                at: WrittenTime(hop.text("Timestamp")?),
            };
            if hop != TraceHeader::default() {
                traces.push(hop);
            }
        }
        Ok(traces)
    }

    /// The `Bussiness` of a `TraceHeaderList`. Without one, or with an empty one, the document is new.
    pub(super) fn business(&self) -> Result<Business, PacketFault> {
        let Some(business) = self
            .one("Bussiness")?
            .filter(|found| found.element.elements().next().is_some())
        else {
            return Ok(Business::default());
        };
        let update = business
            .one("BussinessDocumentInfo")?
            .map(|update| update.update_info())
            .transpose()?;
        let mut replacements = Vec::new();
        if let Some(list) = business.one("ReplacementInfoList")? {
            for replaced in list.many("ReplacementInfo") {
                let replacement = Replacement {
                    document_id: replaced.text("DocumentId")?,
                    organ_ids: replaced
                        .one("OrganIdList")?
                        .map_or(Ok(Vec::new()), |ids| ids.texts("OrganId"))?,
                };
                if replacement != Replacement::default() {
                    replacements.push(replacement);
                }
            }
        }
        Ok(Business {
            kind: business.code("BussinessDocType", BusinessType::parse)?,
            document_id: business.optional("DocumentId")?,
            reason: business.optional("BussinessDocReason")?,
            paper: business.optional("Paper")?,
            update: update.filter(|update| *update != UpdateInfo::default()),
            replacements,
            staff: business.staff()?,
        })
    }

    fn update_info(&self) -> Result<UpdateInfo, PacketFault> {
        let mut receivers = Vec::new();
        if let Some(list) = self.one("ReceiverList")? {
            // A list left empty, or holding one empty receiver, names nobody.
            for receiver in list
                .many("Receiver")
                .filter(|found| found.element.elements().next().is_some())
            {
                receivers.push(Receiver {
                    organ_id: receiver.text("OrganId")?,
                    kind: receiver.code("ReceiverType", ReceiverType::parse)?,
                });
            }
        }
        Ok(UpdateInfo {
            document: self.optional("DocumentInfo")?,
            receivers_changed: self.optional("DocumentReceiver")?,
            receivers,
        })
    }

    /// The references of the body's manifest, by either of its names.
    pub(super) fn manifest(&self) -> Result<Vec<Reference>, PacketFault> {
        let manifest = match (self.one("edXMLManifest")?, self.one("Manifest")?) {
            (Some(_), Some(second)) => {
                return Err(PacketFault::ElementRepeated {
                    element: second.element.path(),
                });
            }
            (Some(manifest), None) | (None, Some(manifest)) => manifest,
            (None, None) => return Ok(Vec::new()),
        };
        let limit = self.limits.attachments_max;
        let mut references = Vec::new();
        for reference in manifest.many("Reference") {
            if references.len() == limit {
                return Err(PacketFault::AttachmentsOverLimit { limit });
            }
            references.push(reference.reference()?);
        }
        Ok(references)
    }
}
