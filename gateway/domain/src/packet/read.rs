//! From the tree to a packet.
//!
//! Runs right after the XML reader, on the same bytes. Elements are found by name in any order; those in the packet's
//! namespace and those in none are taken for the same, because producers forget declarations.
//!
//! **Invariant**: an element that may stand once and stands twice is a fault, in whatever namespaces the two are.

mod document;

use trust::xml::{Element, Tree};

use super::attachment::{Attachment, Budget};
use super::codes::StatusCode;
use super::date::{WrittenDate, WrittenTime};
use super::fault::PacketFault;
use super::fields::{Organization, Reference, ResponseFor, Staff};
use super::status::StatusPacket;
use super::{Limits, NAMESPACE, Opened, Packet, SPACE, SignatureForm, SignaturePlace};

const SIGNATURE_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// An element and the limits it is read under.
#[derive(Clone, Copy)]
pub(super) struct Fields<'t, 's, 'l> {
    element: Element<'t, 's>,
    limits: &'l Limits,
}

/// Whether an element belongs to the packet's vocabulary.
fn is_ours(element: &Element<'_, '_>) -> bool {
    matches!(element.namespace(), NAMESPACE | "")
}

/// Whether an element is named as signatures are, in whatever namespace.
fn is_signature(element: &Element<'_, '_>) -> bool {
    matches!(element.name(), "Signature" | "DigitalSignature")
}

impl<'t, 's: 't, 'l> Fields<'t, 's, 'l> {
    fn of(&self, element: Element<'t, 's>) -> Self {
        Self {
            element,
            limits: self.limits,
        }
    }

    /// All children of this name.
    fn many(&self, name: &'static str) -> impl Iterator<Item = Self> + use<'t, 's, 'l> {
        let limits = self.limits;
        let children = self
            .element
            .elements()
            .filter(move |child| child.name() == name && is_ours(child));
        children.map(move |element| Self { element, limits })
    }

    /// The only child of this name.
    fn one(&self, name: &'static str) -> Result<Option<Self>, PacketFault> {
        let mut found = self.many(name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(PacketFault::ElementRepeated {
                element: second.element.path(),
            }),
            None => Ok(first),
        }
    }

    /// The only child of this name, which the packet cannot be understood without.
    fn needed(&self, name: &'static str) -> Result<Self, PacketFault> {
        let missing = || PacketFault::ElementMissing {
            element: format!("{}/{name}", self.element.path()),
        };
        self.one(name)?.ok_or_else(missing)
    }

    /// This element's own text, without white space around it.
    fn own_text(&self) -> Result<String, PacketFault> {
        if let Some(child) = self.element.elements().next() {
            return Err(PacketFault::ElementNotText {
                element: child.parent().unwrap_or(child).path(),
            });
        }
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

    /// The text of the only child of this name; empty when absent.
    fn text(&self, name: &'static str) -> Result<String, PacketFault> {
        self.one(name)?
            .map_or(Ok(String::new()), |child| child.own_text())
    }

    /// The same, where empty means absent.
    fn optional(&self, name: &'static str) -> Result<Option<String>, PacketFault> {
        Ok(Some(self.text(name)?).filter(|text| !text.is_empty()))
    }

    /// The texts of all children of this name that are not empty.
    fn texts(&self, name: &'static str) -> Result<Vec<String>, PacketFault> {
        let mut texts = Vec::new();
        for child in self.many(name) {
            let text = child.own_text()?;
            if !text.is_empty() {
                texts.push(text);
            }
        }
        Ok(texts)
    }

    /// The code in the only child of this name, by its list.
    fn code<T>(&self, name: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, PacketFault> {
        let value = self.text(name)?;
        parse(&value).ok_or_else(|| PacketFault::CodeUnknown {
            element: format!("{}/{name}", self.element.path()),
            value,
        })
    }

    fn date(&self, name: &'static str) -> Result<WrittenDate, PacketFault> {
        self.text(name).map(WrittenDate)
    }

    fn organization(&self) -> Result<Organization, PacketFault> {
        Ok(Organization {
            organ_id: self.text("OrganId")?,
            in_charge: self.optional("OrganizationInCharge")?,
            name: self.text("OrganName")?,
            address: self.optional("OrganAdd")?,
            email: self.optional("Email")?,
            telephone: self.optional("Telephone")?,
            fax: self.optional("Fax")?,
            website: self.optional("Website")?,
        })
    }

    fn response_for(&self) -> Result<ResponseFor, PacketFault> {
        Ok(ResponseFor {
            organ_id: self.text("OrganId")?,
            code: self
                .one("Code")?
                .map_or(Ok(String::new()), |code| code.joined_code())?,
            promulgation_date: self.date("PromulgationDate")?,
            document_id: self.text("DocumentId")?,
        })
    }

    /// `Code` as one text, or as number and notation.
    fn joined_code(&self) -> Result<String, PacketFault> {
        if self.element.elements().next().is_none() {
            return self.own_text();
        }
        let (number, notation) = (self.text("CodeNumber")?, self.text("CodeNotation")?);
        if number.is_empty() || notation.is_empty() {
            return Ok(number + &notation);
        }
        Ok(format!("{number}/{notation}"))
    }

    fn staff(&self) -> Result<Option<Staff>, PacketFault> {
        let Some(staff) = self.one("StaffInfo")? else {
            return Ok(None);
        };
        let staff = Staff {
            department: staff.optional("Department")?,
            name: staff.optional("Staff")?,
            email: staff.optional("Email")?,
            mobile: staff.optional("Mobile")?,
        };
        Ok(Some(staff).filter(|staff| *staff != Staff::default()))
    }

    /// `ContentId` without `cid:`, from the element or from the reference in `xlink:href`.
    fn content_id(&self) -> Result<String, PacketFault> {
        let mut id = self.text("ContentId")?;
        if id.is_empty() {
            let href = self
                .element
                .attributes()
                .iter()
                .find(|attribute| attribute.name() == "href");
            id = href.map_or(String::new(), |href| href.value().trim_matches(SPACE).to_owned());
        }
        match id.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("cid:") => Ok(id.split_off(4)),
            Some(_) | None => Ok(id),
        }
    }

    fn reference(&self) -> Result<Reference, PacketFault> {
        Ok(Reference {
            content_id: self.content_id()?,
            content_type: self.text("ContentType")?,
            description: self.optional("Description")?,
            name: self.text("AttachmentName")?,
        })
    }

    fn attachment(&self, budget: &mut Budget<'_>) -> Result<Attachment, PacketFault> {
        let content_id = self.content_id()?;
        let name = self.text("AttachmentName")?;
        let encoded = self.one("ContentTransferEncoded")?;
        let text = encoded
            .as_ref()
            .map(|encoded| encoded.element.text())
            .unwrap_or_default();
        if let Some(inside) = encoded.and_then(|encoded| encoded.element.elements().next()) {
            return Err(PacketFault::ElementNotText {
                element: inside.parent().unwrap_or(inside).path(),
            });
        }
        let content = budget.content(&text, &content_id, &name)?;
        let description = self.optional("Description")?;
        Ok(Attachment {
            content_id,
            name,
            description,
            content_type: self.text("ContentType")?,
            content,
        })
    }

    fn attachments(&self) -> Result<Vec<Attachment>, PacketFault> {
        let limit = self.limits.attachments_max;
        let mut budget = Budget::new(self.limits);
        let mut attachments = Vec::new();
        for attachment in self.many("Attachment") {
            if attachments.len() == limit {
                return Err(PacketFault::AttachmentsOverLimit { limit });
            }
            attachments.push(attachment.attachment(&mut budget)?);
        }
        Ok(attachments)
    }

    fn status(&self) -> Result<StatusPacket, PacketFault> {
        Ok(StatusPacket {
            from: self
                .one("From")?
                .map_or(Ok(Organization::default()), |from| from.organization())?,
            response_for: self
                .one("ResponseFor")?
                .map_or(Ok(ResponseFor::default()), |of| of.response_for())?,
            staff: self.staff()?,
            status: self.code("StatusCode", StatusCode::parse)?,
            description: self.optional("Description")?,
            at: self.text("Timestamp").map(WrittenTime)?,
        })
    }
}

/// Understands an envelope.
pub(super) fn open(tree: &Tree<'_>, limits: &Limits) -> Result<Opened, PacketFault> {
    let root = tree.root();
    check_root(&root)?;
    let root = Fields {
        element: root,
        limits,
    };
    let envelope = root.needed("edXMLEnvelope")?;
    let header = envelope.needed("edXMLHeader")?;
    let message = header.needed("MessageHeader")?;
    let body = envelope.one("edXMLBody")?;
    let signature = find_signature(&[header, envelope, root])?;
    let list = attachment_list(&[Some(root), Some(envelope), body])?;
    let packet = if message.one("StatusCode")?.is_some() {
        let bears_files = list.is_some_and(|list| list.many("Attachment").next().is_some());
        if bears_files || message.optional("Subject")?.is_some() {
            return Err(PacketFault::KindAmbiguous);
        }
        Packet::Status(Box::new(message.status()?))
    } else {
        let mut document = message.document()?;
        if let Some(trace) = header.one("TraceHeaderList")? {
            document.traces = trace.traces()?;
            document.business = trace.business()?;
        }
        document.manifest = body.map_or(Ok(Vec::new()), |body| body.manifest())?;
        // Last, because contents cost most.
        document.attachments = list.map_or(Ok(Vec::new()), |list| list.attachments())?;
        Packet::Document(Box::new(document))
    };
    Ok(Opened { packet, signature })
}

fn check_root(root: &Element<'_, '_>) -> Result<(), PacketFault> {
    let namespace = root.namespace().to_owned();
    match (root.name(), namespace.as_str()) {
        ("edXML", NAMESPACE) => Ok(()),
        ("edXML", _) => Err(PacketFault::NamespaceForeign { namespace }),
        (name, _) => Err(PacketFault::RootUnknown {
            name: name.to_owned(),
            namespace,
        }),
    }
}

/// The signature that holds something, wherever producers put it.
fn find_signature(places: &[Fields<'_, '_, '_>]) -> Result<Option<SignaturePlace>, PacketFault> {
    let mut found: Option<SignaturePlace> = None;
    for element in places.iter().flat_map(|place| place.element.elements()) {
        let form = match (element.name(), element.namespace()) {
            ("Signature", SIGNATURE_NAMESPACE) => SignatureForm::XmlSignature,
            ("Signature", NAMESPACE | "") => SignatureForm::PacketNamespace,
            ("DigitalSignature", _) => SignatureForm::DigitalSignature,
            _ => continue,
        };
        let empty = element.elements().next().is_none() && element.text().trim_matches(SPACE).is_empty();
        if empty {
            continue;
        }
        if found.is_some() {
            return Err(PacketFault::ElementRepeated {
                element: element.path(),
            });
        }
        found = Some(SignaturePlace {
            form,
            range: element.range(),
        });
    }
    Ok(found)
}

/// The list of attachments: a sibling of the envelope, by some producers a child of it or of the body.
fn attachment_list<'t, 's: 't, 'l>(
    places: &[Option<Fields<'t, 's, 'l>>],
) -> Result<Option<Fields<'t, 's, 'l>>, PacketFault> {
    let mut lists = places
        .iter()
        .flatten()
        .flat_map(|place| place.many("AttachmentEncoded"));
    let list = lists.next();
    match lists.next() {
        Some(second) => Err(PacketFault::ElementRepeated {
            element: second.element.path(),
        }),
        None => Ok(list),
    }
}
