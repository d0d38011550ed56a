//! Why a PDF file is refused as a whole.
//!
//! Every module beside this one answers with it; `pdf` hands it on.

/// Why a PDF file is refused before its signatures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfFault {
    /// The file does not begin with `%PDF-`.
    #[error("the file does not begin as PDF")]
    Header,
    /// No `startxref` at the end.
    #[error("the end of the file names no cross-reference section")]
    StartXref,
    /// A cross-reference section that is malformed or does not fit the file.
    #[error("the cross-reference section at {offset} is malformed")]
    Xref {
        /// Where.
        offset: usize,
    },
    /// A cross-reference section for two kinds of readers (§7.5.8.4) that shows them two files, or that came after a
    /// signature.
    #[error("the file has a hybrid cross-reference section")]
    HybridXref,
    /// Encrypted.
    #[error("the file is encrypted")]
    Encrypted,
    /// Octets behind the last revision.
    #[error("octets follow the end of the file at {offset}")]
    TrailingOctets {
        /// Where.
        offset: usize,
    },
    /// An object that is malformed.
    #[error("malformed at offset {offset}")]
    Syntax {
        /// Where.
        offset: usize,
    },
    /// A key that occurs twice in a dictionary.
    #[error("a key occurs twice in the dictionary that ends at {offset}")]
    DuplicateKey {
        /// Where.
        offset: usize,
    },
    /// An object that is not where, or not what, it should be.
    #[error("object {number} is not what the file says")]
    Object {
        /// Its number.
        number: u32,
    },
    /// A filter of a structural stream that is not read here, or octets that do not decode.
    #[error("a stream of the structure cannot be decoded")]
    Filter,
    /// Deeper than is read.
    #[error("the structure is nested too deep")]
    TooDeep,
    /// Larger than is read.
    #[error("the structure is too large")]
    TooLarge,
    /// No catalog.
    #[error("the file has no catalog")]
    Catalog,
    /// An interactive form that is malformed.
    #[error("the form is malformed")]
    Form,
    /// A form in XFA (§12.7.9) in a file that was extended after it was signed: readers show it, or the pages.
    #[error("the file holds a form in XFA, and was extended after it was signed")]
    Xfa,
    /// A signature field whose value is no signature dictionary.
    #[error("a signature dictionary is malformed")]
    SignatureDictionary,
    /// A kind of signature other than `adbe.pkcs7.detached`, `ETSI.CAdES.detached` and `ETSI.RFC3161`.
    #[error("the kind of signature is not supported")]
    SubFilter,
    /// /Contents that is no plain hexadecimal string in the file itself.
    #[error("the place of the signature value is malformed")]
    Contents,
    /// /ByteRange that does not cover the whole revision but /Contents.
    #[error("the signature does not cover its whole revision")]
    ByteRange,
    /// One signature dictionary in two fields, or two signatures that end together.
    #[error("a signature occurs twice")]
    SignatureRepeated,
    /// A signature dictionary that belongs to no field.
    #[error("the file holds a signature that no field shows")]
    StraySignature,
    /// A revision after a signature that adds nothing that is on the white list.
    #[error("the file was extended after it was signed, to no purpose that is known")]
    UnsignedRevision,
    /// A change after a signature that is not on the white list.
    #[error("object {number} was changed after the file was signed")]
    Changed {
        /// The number of the object; 0 for the trailer.
        number: u32,
    },
    /// A later revision shows more than a seal over pages that were signed, or anything without a signature.
    #[error("object {number} covers what was signed before")]
    Overlaid {
        /// The number of its largest widget.
        number: u32,
    },
    /// Octets in a later revision that belong to none of its objects.
    #[error("octets at {offset} belong to no object of their revision")]
    Unaccounted {
        /// Where.
        offset: usize,
    },
    /// A change that would be on the white list, but that an earlier signature does not allow (DocMDP, FieldMDP, Lock:
    /// ISO 32000-2 §12.7.5.5, §12.8.2).
    #[error("an earlier signature does not allow this change")]
    Restricted,
    /// A certification signature that is not the first signature, or a catalog that names another (§12.8.2.2, §12.8.6).
    #[error("the certification of the file is not its first signature")]
    Certification,
    /// Validation material (DSS, §12.8.4.3) that is malformed.
    #[error("the validation material is malformed")]
    ValidationMaterial,
}
