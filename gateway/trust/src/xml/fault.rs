//! Why bytes are not a tree, and where.
//!
//! Goes up the road as the reason of a refusal; the words for people are made elsewhere.
//!
//! **Invariant**: only names and values that the sender wrote are carried, bounded by the limits; no prose.

/// The first fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}, line {line}, {}", place(element))]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where, in bytes from the very first byte handed in (a byte order mark counts).
    pub offset: usize,
    /// The line of that byte, from 1.
    pub line: usize,
    /// Path of local names of the elements open there, root first, joined by `/`; empty outside of the root.
    pub element: String,
}

/// Where in the tree; outside of the root there is no name to tell.
fn place(element: &str) -> String {
    if element.is_empty() {
        "outside of the root".to_owned()
    } else {
        format!("in <{element}>")
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// More bytes than `Limits::bytes_max`.
    #[error("more than {limit} bytes")]
    BytesOverLimit {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More elements open at once than `Limits::depth_max`.
    #[error("deeper than {limit}")]
    DepthOverLimit {
        /// The limit.
        limit: usize,
    },
    /// More nodes than `Limits::nodes_max`.
    #[error("more than {limit} nodes")]
    NodesOverLimit {
        /// The limit.
        limit: usize,
    },
    /// More attributes and declarations in one tag than `Limits::attributes_max`.
    #[error("more than {limit} attributes")]
    AttributesOverLimit {
        /// The limit.
        limit: usize,
    },
    /// More declarations in scope than `Limits::namespaces_max`.
    #[error("more than {limit} namespaces")]
    NamespacesOverLimit {
        /// The limit.
        limit: usize,
    },
    /// A name longer than `Limits::name_bytes_max`.
    #[error("name longer than {limit} bytes")]
    NameOverLimit {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The document declares, or begins like, an encoding other than UTF-8.
    #[error("encoding {name}")]
    EncodingUnsupported {
        /// The encoding's name as declared, or `UTF-16` from a byte order mark.
        name: String,
    },
    /// A character that XML 1.0 forbids, written directly or by reference.
    #[error("forbidden character {code_point:#x}")]
    CharacterForbidden {
        /// Its code point.
        code_point: u32,
    },
    /// The XML declaration is malformed, is not version 1.0, or does not stand first.
    #[error("XML declaration")]
    DeclarationMalformed,
    /// A document type declaration; none is ever read.
    #[error("DOCTYPE")]
    DocumentTypeForbidden,
    /// There is no document element.
    #[error("no document element")]
    NoElement,
    /// Something other than white space before the document element.
    #[error("stray bytes before the document element")]
    StrayBefore,
    /// Something other than white space, comments and processing instructions after the document element.
    #[error("stray bytes after the document element")]
    StrayAfter,
    /// The document ends inside the element named by `Fault::element`.
    #[error("truncated")]
    Truncated,
    /// An end tag that is not the open element's.
    #[error("end tag of {found}")]
    EndTagMismatched {
        /// The name in the end tag.
        found: String,
    },
    /// A tag, comment, CDATA section or processing instruction that XML does not know.
    #[error("malformed markup")]
    MarkupMalformed,
    /// `]]>` in text.
    #[error("]]> in text")]
    TextMalformed,
    /// Not a qualified name.
    #[error("invalid name {name}")]
    NameInvalid {
        /// The name as written.
        name: String,
    },
    /// An attribute without value, quotes, or white space before it, or with `<` in its value.
    #[error("malformed attribute")]
    AttributeMalformed,
    /// Two attributes of one name, as written or as expanded.
    #[error("attribute {name} twice")]
    AttributeRepeated {
        /// Its local name.
        name: String,
    },
    /// A prefix without declaration.
    #[error("undeclared prefix {prefix}")]
    PrefixUndeclared {
        /// The prefix.
        prefix: String,
    },
    /// A declaration that Namespaces in XML forbids (`xml`, `xmlns`, an empty name for a prefix).
    #[error("forbidden declaration of prefix {prefix}")]
    DeclarationForbidden {
        /// The prefix; empty for the default namespace.
        prefix: String,
    },
    /// An entity other than the five predefined ones.
    #[error("undefined entity {name}")]
    EntityUndefined {
        /// Its name.
        name: String,
    },
    /// An ampersand that starts no reference.
    #[error("malformed reference")]
    ReferenceMalformed,
}

/// A fault found deep inside, before line and element are known.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) kind: FaultKind,
    /// Bytes from the start of the text parsed (after a byte order mark).
    pub(super) offset: usize,
}

impl FaultKind {
    pub(super) fn at(self, offset: usize) -> Problem {
        Problem { kind: self, offset }
    }
}
