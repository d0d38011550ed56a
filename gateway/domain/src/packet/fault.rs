//! Why a packet cannot be read, is not complete, or cannot be written.
//!
//! Made by the reader, the completeness check and the writer; becomes the reason of a refusal.
//!
//! **Invariant**: every variant is data: the element's path or the attachment's ContentId, and what was found.

use trust::xml;

use crate::refusal::told;

/// One fault of a packet. Paths are local names from the root down, joined by `/`, with `[n]` from 1 where an element
/// may stand several times; names and values are as the sender wrote them. Shown are only values that may be a code, a number
/// or a date ([`told`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketFault {
    /// Not well-formed, not UTF-8, truncated, with a DOCTYPE or over a limit of the XML reader.
    #[error(transparent)]
    Xml(#[from] xml::Fault),
    /// The root is `edXML`, but of another namespace than that of QCVN 102:2016/BTTTT.
    #[error("namespace {}", told(namespace))]
    NamespaceForeign {
        /// The namespace found; empty when there is none.
        namespace: String,
    },
    /// The root is something else.
    #[error("root {{{}}}{}", told(namespace), told(name))]
    RootUnknown {
        /// Its local name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// Both a status and a document: it bears a StatusCode together with a Subject or attachments.
    #[error("both a status and a document")]
    KindAmbiguous,
    /// A required element is absent, or is empty where a value is required.
    #[error("{element} is missing")]
    ElementMissing {
        /// Its path.
        element: String,
    },
    /// An element that may stand once stands twice; readers would choose differently.
    #[error("{element} is repeated")]
    ElementRepeated {
        /// Its path.
        element: String,
    },
    /// An element holds elements where it should hold text.
    #[error("{element} is not text")]
    ElementNotText {
        /// Its path.
        element: String,
    },
    /// A text longer than `Limits::text_bytes_max`.
    #[error("{element} is longer than {limit} bytes")]
    TextOverLimit {
        /// Its path.
        element: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A code that its list does not hold.
    #[error("{element} is {}", told(value))]
    CodeUnknown {
        /// Its path.
        element: String,
        /// The value found; empty when absent.
        value: String,
    },
    /// A date or time that is no date, in neither of the forms met.
    #[error("{element} is {}", told(value))]
    DateInvalid {
        /// Its path.
        element: String,
        /// The value found.
        value: String,
    },
    /// More addressees than `Limits::addressees_max`.
    #[error("more than {limit} addressees")]
    AddresseesOverLimit {
        /// The limit.
        limit: usize,
    },
    /// More attachments, or references to them, than `Limits::attachments_max`.
    #[error("more than {limit} attachments")]
    AttachmentsOverLimit {
        /// The limit.
        limit: usize,
    },
    /// An attachment is not base64.
    #[error("attachment {} is not base64 at {position}", told(content_id))]
    AttachmentNotBase64 {
        /// Its ContentId.
        content_id: String,
        /// Bytes into the text, white space left out.
        position: usize,
    },
    /// An attachment is larger than `Limits::attachment_bytes_max`, or all together than `Limits::contents_bytes_max`.
    #[error("attachment {} is over {limit} bytes", told(content_id))]
    AttachmentOverLimit {
        /// Its ContentId.
        content_id: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A zipped attachment expands more than `Limits::expansion_ratio_max` times.
    #[error("attachment {} expands more than {limit} times", told(content_id))]
    AttachmentExpansion {
        /// Its ContentId.
        content_id: String,
        /// The limit.
        limit: usize,
    },
    /// A zipped attachment cannot be expanded: damaged, encrypted, or of an unknown method.
    #[error("attachment {} cannot be unzipped", told(content_id))]
    AttachmentZipBroken {
        /// Its ContentId.
        content_id: String,
    },
    /// An attachment without content.
    #[error("attachment {} is empty", told(content_id))]
    AttachmentEmpty {
        /// Its ContentId.
        content_id: String,
    },
    /// The manifest names a ContentId that no attachment bears.
    #[error("no attachment {}", told(content_id))]
    ReferenceWithoutAttachment {
        /// The ContentId.
        content_id: String,
    },
    /// An attachment bears a ContentId that the manifest does not name.
    #[error("attachment {} is not in the manifest", told(content_id))]
    AttachmentWithoutReference {
        /// The ContentId.
        content_id: String,
    },
    /// Two attachments, or two references, bear one ContentId.
    #[error("{} is repeated", told(content_id))]
    ContentIdRepeated {
        /// The ContentId.
        content_id: String,
    },
    /// Only when writing: a text holds a character that XML cannot carry.
    #[error("{element} holds {code_point:#x}")]
    CharacterUnwritable {
        /// The element's path.
        element: String,
        /// The character's code point.
        code_point: u32,
    },
    /// Only when writing: an extension's name is no XML name, or not one that may stand there.
    #[error("{element} cannot be written")]
    NameUnwritable {
        /// The element's path.
        element: String,
    },
}
