//! What a signature covers of its file, and what came after: for reports to people and programs.

use std::fmt;
use std::ops::Range;

/// Where a signature stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The octets that are covered: the two ranges of ByteRange, with the signature value between them (ISO 32000-2
    /// §12.8.1). They begin at 0 and end with a revision.
    pub ranges: [Range<usize>; 2],
    /// Which revision that is; the first is 1.
    pub revision: usize,
    /// How many revisions the file has.
    pub revisions: usize,
    /// What later revisions brought, each thing once: nothing, or what is on the white list.
    pub later: Vec<LaterChange>,
}

impl Coverage {
    /// Whether nothing came after: the signature covers the whole file but its own value.
    pub fn is_whole(&self) -> bool {
        self.revision == self.revisions
    }
}

/// What may be done to a file after it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaterChange {
    /// A further signature.
    Signature,
    /// A document time-stamp (ISO 32000-2 §12.8.5).
    DocumentTimeStamp,
    /// A signature field that waits empty.
    SignatureField,
    /// Values of form fields, and how they look, where every earlier signature says that they may change.
    FormFilled,
    /// Certificates, revocation lists and OCSP responses (§12.8.4.3).
    ValidationMaterial,
    /// When, and with what, the file was written.
    Metadata,
    /// The version and the extensions of PDF that the file makes use of (§7.12).
    Extensions,
}

impl fmt::Display for LaterChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "a further signature",
            Self::DocumentTimeStamp => "a document time-stamp",
            Self::SignatureField => "an empty signature field",
            Self::FormFilled => "form fields filled in",
            Self::ValidationMaterial => "material for validation",
            Self::Metadata => "metadata",
            Self::Extensions => "version and extensions",
        })
    }
}
