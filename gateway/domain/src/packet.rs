//! edXML packets: what agencies' document software writes and reads (QCVN 102:2016/BTTTT).
//!
//! The second step of the road: an envelope's bytes become a `Packet`, understood and not believed. Every dialect that
//! carries meaning is read — any element order, any prefix or none, `cid:` or not, `Manifest` for `edXMLManifest`,
//! references by `xlink:href`, contents raw or zipped — and one canonical form is written. The gateway delivers the
//! original bytes; it writes packets only where it makes them (agency software, statuses).
//!
//! Not here: whether a code is known, a date plausible, a signature good. Elements this module does not know are left
//! out, except the four of [`Extension`].
//!
//! **Invariant**: `Packet::open(packet.write()) == packet` for every packet that `open` gives.
//! **Invariant**: what could be read in two ways (an element twice, a status that is also a document) is refused.
//! **Invariant**: no input panics, and none costs more than its `Limits` allow.

mod attachment;
mod codes;
mod complete;
mod date;
mod document;
mod fault;
mod fields;
mod read;
mod record;
mod status;
mod summary;
mod write;

use std::ops::Range;

use trust::xml::Tree;

pub use attachment::{Attachment, Content};
pub use codes::{BusinessType, Priority, ReceiverType, StatusCode};
pub use date::{WrittenDate, WrittenTime};
pub use document::DocumentPacket;
pub use fault::PacketFault;
pub use fields::{
    Business, DocumentCode, DocumentType, Extension, Organization, OtherInfo, Promulgation, Receiver,
    Reference, Replacement, ResponseFor, SignerInfo, Staff, TraceHeader, UpdateInfo,
};
pub use status::StatusPacket;
pub use summary::Summary;

/// The namespace of every element of a packet.
pub const NAMESPACE: &str = "http://www.mic.gov.vn/TBT/QCVN_102_2016";

/// White space in XML; other white space is a character like any other.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The four elements kept as [`Extension`]s.
const EXTENSIONS: [&str; 4] = [
    "ResponseForTask",
    "ApplicationType",
    "ReferenceCodes",
    "ReplyFors",
];

/// How much one packet may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Limits of the XML reader; its `bytes_max` is that of the packet (16 MiB).
    pub xml: trust::xml::Limits,
    /// `To` elements. A province writes to about 1,300 agencies at most.
    pub addressees_max: usize,
    /// Attachments, and references to them.
    pub attachments_max: usize,
    /// Bytes of one attachment, decoded and unwrapped. Axes allow 50 MB (QĐ 161/2025 Ninh Bình, Điều 8.4).
    pub attachment_bytes_max: usize,
    /// Bytes of all attachments together, decoded and unwrapped.
    pub contents_bytes_max: usize,
    /// How many times larger than its zip a file may be, above 1 MiB. Deflate reaches 1032.
    pub expansion_ratio_max: usize,
    /// Bytes of one text. The longest field of NĐ 30/2020 Phụ lục VI has 1,000 characters.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml: trust::xml::Limits::default(),
            addressees_max: 5_000,
            attachments_max: 200,
            attachment_bytes_max: 50_000_000,
            contents_bytes_max: 64 << 20,
            expansion_ratio_max: 100,
            text_bytes_max: 64 << 10,
        }
    }
}

/// An opened envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A document, or a recall, update or replacement of one.
    Document(Box<DocumentPacket>),
    /// What an addressee says of a document, or a request to give it back.
    Status(Box<StatusPacket>),
}

/// A packet and what belongs to its bytes alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it means.
    pub packet: Packet,
    /// The packet's own signature, not verified; nothing when absent or empty. It covers the bytes, so that no written
    /// packet bears the one that was read.
    pub signature: Option<SignaturePlace>,
}

/// Where a packet's signature stands in its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignaturePlace {
    /// How it is written.
    pub form: SignatureForm,
    /// The bytes of its element.
    pub range: Range<usize>,
}

/// How a packet's signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureForm {
    /// `Signature` in the namespace of XML Signature.
    XmlSignature,
    /// `Signature` in the namespace of the packet: the kit of the national axis forgets the declaration.
    PacketNamespace,
    /// `DigitalSignature`.
    DigitalSignature,
}

impl Packet {
    /// Understands an envelope's bytes.
    ///
    /// # Errors
    /// The first `PacketFault` that leaves the meaning open. What is merely missing is found by [`Self::completeness`].
    pub fn open(bytes: &[u8], limits: &Limits) -> Result<Self, PacketFault> {
        let tree = Tree::parse(bytes, &limits.xml)?;
        Self::of_tree(&tree, limits).map(|opened| opened.packet)
    }

    /// Understands an envelope that was parsed, and says where its own signature stands.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_tree(tree: &Tree<'_>, limits: &Limits) -> Result<Opened, PacketFault> {
        read::open(tree, limits)
    }

    /// Writes the canonical form: UTF-8, the element order of the standard, prefixes as in the official samples,
    /// contents raw.
    ///
    /// # Errors
    /// `CharacterUnwritable` for a text that XML cannot carry; never for a packet that was read.
    pub fn write(&self) -> Result<Vec<u8>, PacketFault> {
        match self {
            Self::Document(document) => document.write(),
            Self::Status(status) => status.write(),
        }
    }

    /// Everything that is missing, all at once; empty when complete.
    pub fn completeness(&self) -> Vec<PacketFault> {
        match self {
            Self::Document(document) => document.completeness(),
            Self::Status(status) => status.completeness(),
        }
    }

    /// Who says it has sent this.
    pub fn from(&self) -> &Organization {
        match self {
            Self::Document(document) => &document.from,
            Self::Status(status) => &status.from,
        }
    }

    /// One line for people, without subject or names of persons.
    pub fn summary(&self) -> Summary<'_> {
        Summary(self)
    }
}

#[cfg(test)]
mod tests;
