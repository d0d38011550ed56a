//! The parts that packets are made of.
//!
//! Filled by the reader from what a sender wrote, or by agency software that builds a packet. Names follow QCVN
//! 102:2016/BTTTT; the section in brackets is where it treats the element.
//!
//! **Invariant**: texts are as written, without the white space around them; numbers are text (`13/2020`, `424a`).
//! **Invariant**: an optional element that is empty is absent (`None`), never `Some("")`.

use super::codes::{BusinessType, Priority, ReceiverType};
use super::date::{WrittenDate, WrittenTime};

/// A sender or an addressee (1.1 `From`, 1.2 `To`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organization {
    /// `OrganId`: the agency's code, of QCVN 102 or of QĐ 20/2020; only the directory knows whether it is one.
    pub organ_id: String,
    /// `OrganizationInCharge`: the agency above it.
    pub in_charge: Option<String>,
    /// `OrganName`.
    pub name: String,
    /// `OrganAdd`: postal address.
    pub address: Option<String>,
    /// `Email`.
    pub email: Option<String>,
    /// `Telephone`.
    pub telephone: Option<String>,
    /// `Fax`.
    pub fax: Option<String>,
    /// `Website`.
    pub website: Option<String>,
}

/// Number and notation of a document (1.3 `Code`): `7816` and `VPCP-TTĐT`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentCode {
    /// `CodeNumber`.
    pub number: String,
    /// `CodeNotation`.
    pub notation: String,
}

/// Where and when a document was issued (1.4 `PromulgationInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promulgation {
    /// `Place`.
    pub place: String,
    /// `PromulgationDate`.
    pub date: WrittenDate,
}

/// The type of a document (1.5 `DocumentType`). Lists differ between producers: kept as given, never interpreted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentType {
    /// `Type`.
    pub code: String,
    /// `TypeDetail`.
    pub detail: Option<String>,
    /// `TypeName`: `Công văn`.
    pub name: String,
}

/// Who signed (1.8 `SignerInfo`). A claim; the signature in the attachment is what proves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerInfo {
    /// `Competence`: in whose place (`TL. BỘ TRƯỞNG`).
    pub competence: Option<String>,
    /// `Position`.
    pub position: Option<String>,
    /// `FullName`.
    pub full_name: String,
}

/// What else is said of a document (1.11 `OtherInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherInfo {
    /// `Priority`; normal when absent.
    pub priority: Priority,
    /// `SphereOfPromulgation`.
    pub sphere: Option<String>,
    /// `TyperNotation`.
    pub typer_notation: Option<String>,
    /// `PromulgationAmount`: copies issued, as written.
    pub promulgation_amount: Option<String>,
    /// `PageAmount`: pages, as written.
    pub page_amount: Option<String>,
    /// `Direction`: `true` or `false` as written.
    pub direction: Option<String>,
    /// `Appendixes`, empty ones left out.
    pub appendixes: Vec<String>,
}

/// A document that this one answers (1.12 `ResponseFor`), or that a status speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseFor {
    /// `OrganId`: whose document it is; in a status, the organisation the status is for.
    pub organ_id: String,
    /// `Code`: number and notation in one text, `7816/VPCP-TTĐT`.
    pub code: String,
    /// `PromulgationDate`; may be a day that never was.
    pub promulgation_date: WrittenDate,
    /// `DocumentId`.
    pub document_id: String,
}

/// The clerk to ask (2.2.8 `StaffInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staff {
    /// `Department`.
    pub department: Option<String>,
    /// `Staff`: a person's name.
    pub name: Option<String>,
    /// `Email`.
    pub email: Option<String>,
    /// `Mobile`.
    pub mobile: Option<String>,
}

/// One hop (2.1 `TraceHeader`). Unsigned and rewritten on every retry: never part of an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceHeader {
    /// `OrganId`: the hop.
    pub organ_id: String,
    /// `Timestamp`.
    pub at: WrittenTime,
}

/// What the packet does, and to which documents (2.2 `Bussiness`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Business {
    /// `BussinessDocType`; a new document when there is no `Bussiness` at all.
    pub kind: BusinessType,
    /// `DocumentId`: the document acted on. Producers leave old values in it for new documents, where it means nothing.
    pub document_id: Option<String>,
    /// `BussinessDocReason`.
    pub reason: Option<String>,
    /// `Paper`: whether (some say: of how many pages) a paper copy follows; as written.
    pub paper: Option<String>,
    /// `BussinessDocumentInfo`: what an update changes.
    pub update: Option<UpdateInfo>,
    /// `ReplacementInfoList`: what a replacement replaces.
    pub replacements: Vec<Replacement>,
    /// `StaffInfo`.
    pub staff: Option<Staff>,
}

/// What an update changes (`BussinessDocumentInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateInfo {
    /// `DocumentInfo`: `1` when the document's information changes; as written.
    pub document: Option<String>,
    /// `DocumentReceiver`: `1` when its receivers change; as written.
    pub receivers_changed: Option<String>,
    /// `ReceiverList`.
    pub receivers: Vec<Receiver>,
}

/// A receiver that an update adds or removes (`Receiver`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receiver {
    /// `OrganId`.
    pub organ_id: String,
    /// `ReceiverType`.
    pub kind: ReceiverType,
}

/// A document that is replaced (`ReplacementInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replacement {
    /// `DocumentId`.
    pub document_id: String,
    /// `OrganIdList`: at whom it is replaced.
    pub organ_ids: Vec<String>,
}

/// A line of the manifest (`Reference`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// `ContentId` (or `xlink:href`) without its `cid:`.
    pub content_id: String,
    /// `ContentType`, as declared; not reliable.
    pub content_type: String,
    /// `Description`.
    pub description: Option<String>,
    /// `AttachmentName`.
    pub name: String,
}

/// An element of one of the optional subtrees whose shape is not standardised (`ResponseForTask`, `ApplicationType`,
/// `ReferenceCodes`, `ReplyFors` in the `MessageHeader`). What they hold is kept and written again, not understood.
/// Subtrees are listed in document order: an element is followed by what stands in it, one deeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// 0 for one of the four, 1 for its children, and so on.
    pub depth: usize,
    /// Local name.
    pub name: String,
    /// Its text; empty for an element that holds elements.
    pub text: String,
}
