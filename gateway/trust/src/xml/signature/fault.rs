//! Why a signature is not read here: it is malformed, or it asks for what the restricted profile leaves out.
//!
//! Goes up as the reason of a `Failure`.
//!
//! **Invariant**: only names and identifiers that the sender wrote are carried, each cut to a bound.

/// Characters of a foreign identifier that are repeated at most.
const QUOTED_CHARACTERS_MAX: usize = 96;

/// What is wrong with an element that should be a signature (XML Signature 1.1 §4, within the limits of this profile).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An element that must be there is absent, or another one stands in its place.
    #[error("the signature lacks {0}")]
    ElementAbsent(&'static str),
    /// An element stands where none of its name belongs.
    #[error("the signature has an element that does not belong there: {0}")]
    ElementUnexpected(String),
    /// An attribute that must be there is absent.
    #[error("the signature lacks the attribute {0}")]
    AttributeAbsent(&'static str),
    /// Text where only elements belong, or anything but text where only text belongs.
    #[error("{0} of the signature has content of the wrong kind")]
    Content(String),
    /// Not base64 (RFC 4648 §4, white space allowed).
    #[error("{0} of the signature is no base64")]
    Base64(String),
    /// Two elements bear one id, so that a reference to it has no certain target.
    #[error("the id {0} occurs twice")]
    IdRepeated(String),
    /// No element bears the id that a reference names.
    #[error("nothing bears the id {0}")]
    TargetAbsent(String),
    /// The target of a reference is the signature that the enveloped-signature transform removes, or lies inside it.
    #[error("a reference leaves nothing to be signed")]
    NothingSigned,
    /// More of something than is read.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// More octets to be digested than the size of the document warrants.
    #[error("the signatures cover too many octets")]
    TooLarge,
}

/// What the restricted profile leaves out. None of it is looked at further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A SignatureMethod outside of the list: HMAC, DSA, MD5, SHA-224 and all else.
    #[error("the signature method {0} is not supported")]
    SignatureMethod(String),
    /// A DigestMethod outside of the list.
    #[error("the digest method {0} is not supported")]
    DigestMethod(String),
    /// A CanonicalizationMethod outside of the list.
    #[error("the canonicalization method {0} is not supported")]
    CanonicalizationMethod(String),
    /// A Transform outside of the list: XPath, XSLT, base64 and all else.
    #[error("the transform {0} is not supported")]
    Transform(String),
    /// Transforms that are allowed each, but not in this number or order.
    #[error("this order of transforms is not supported")]
    TransformOrder,
    /// Parameters of an algorithm that have no equal in the list.
    #[error("the parameters of {0} are not supported")]
    Parameters(&'static str),
    /// A Reference without URI: what it refers to would be known to the application only (§4.4.3.1).
    #[error("a reference without URI is not supported")]
    UriAbsent,
    /// A Reference to something outside of the document.
    #[error("the reference to {0} leads outside of the document")]
    Outside(String),
    /// A Reference into the document by XPointer, but for a bare name.
    #[error("the XPointer {0} is not supported")]
    XPointer(String),
    /// `xml:base` around the target, in Canonical XML 1.1 (`BaseOutside`).
    #[error("xml:base outside of the signed element is not supported")]
    BaseOutside,
    /// QualifyingPropertiesReference: properties of the signature that are elsewhere (ETSI EN 319 132-1 §4.3.1).
    #[error("properties outside of the signature are not supported")]
    PropertiesElsewhere,
}

/// What the sender wrote, as far as it is repeated: cut, and without control characters.
pub(super) fn quoted(text: &str) -> String {
    let characters = text.chars().take(QUOTED_CHARACTERS_MAX);
    characters
        .map(|one| {
            if one.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                one
            }
        })
        .collect()
}
