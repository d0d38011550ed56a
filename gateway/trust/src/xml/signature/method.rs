//! The identifiers of algorithms that are known here, and what they mean.
//!
//! Between `structure`, which finds them, and `crate::algorithm`. Whether a known algorithm is good enough is the
//! matter of the policy.
//!
//! **Invariant**: an identifier that is not listed is refused by its name; a parameter that is not understood refuses
//! its algorithm.
//!
//! Sources: XML Signature 1.1 §6; RFC 9231 for what is named `xmldsig-more`; Exclusive XML Canonicalization 1.0 §4.

use super::fault::{Fault, Unsupported, quoted};
use super::read::{Sequence, XMLDSIG, algorithm, text};
use crate::algorithm::{DigestAlgorithm, PssParameters, SignatureAlgorithm};
use crate::report::Failure;
use crate::xml::{Canonicalisation, Element, Form};

/// Transforms of one reference: enveloped-signature and one canonical form.
const TRANSFORMS_MAX: usize = 2;
/// Prefixes that a canonicalisation may be told to treat inclusively.
const INCLUSIVE_PREFIXES_MAX: usize = 16;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// How the kit of the national axis names the same, in transforms: after the address of the recommendation.
const EXCLUSIVE_OF_KIT: &str = "http://www.w3.org/TR/xml-exc-c14n#";
const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// RFC 9231 §2.3.9: the namespace of the parameters of RSASSA-PSS, and where its identifiers begin.
const MORE_2007: &str = "http://www.w3.org/2007/05/xmldsig-more#";
const RSA_PSS: &str = "http://www.w3.org/2007/05/xmldsig-more#rsa-pss";
const MGF1: &str = "http://www.w3.org/2007/05/xmldsig-more#MGF1";

/// The digest that a DigestMethod names (§6.2).
pub(super) fn digest(method: Element<'_, '_>) -> Result<DigestAlgorithm, Failure> {
    let identifier = algorithm(method)?;
    let known = digest_named(identifier).ok_or_else(|| Unsupported::DigestMethod(quoted(identifier)))?;
    Sequence::of(method)?.finish()?;
    Ok(known)
}

/// The digest of this identifier; `None`: none that is known.
pub(super) fn digest_named(identifier: &str) -> Option<DigestAlgorithm> {
    Some(match identifier {
        "http://www.w3.org/2000/09/xmldsig#sha1" => DigestAlgorithm::Sha1,
        "http://www.w3.org/2001/04/xmlenc#sha256" => DigestAlgorithm::Sha256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => DigestAlgorithm::Sha384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => DigestAlgorithm::Sha512,
        _ => return None,
    })
}

/// The algorithm that a SignatureMethod names (§6.4; RFC 9231 §2.3).
pub(super) fn signature(method: Element<'_, '_>) -> Result<SignatureAlgorithm, Failure> {
    use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    use SignatureAlgorithm::{Ecdsa, Ed25519, RsaPkcs1, RsaPss};
    let identifier = algorithm(method)?;
    let known = match identifier {
        RSA_PSS => return pss(method),
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => RsaPkcs1(Sha1),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => RsaPkcs1(Sha256),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => RsaPkcs1(Sha384),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => RsaPkcs1(Sha512),
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" => RsaPss(PssParameters::usual(Sha256)),
        "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1" => RsaPss(PssParameters::usual(Sha384)),
        "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1" => RsaPss(PssParameters::usual(Sha512)),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1" => Ecdsa(Sha1),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => Ecdsa(Sha256),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => Ecdsa(Sha384),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512" => Ecdsa(Sha512),
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519" => Ed25519,
        _ => return Err(Unsupported::SignatureMethod(quoted(identifier)).into()),
    };
    Sequence::of(method)?.finish()?;
    Ok(known)
}

/// RSASSA-PSS with parameters (RFC 9231 §2.3.9): without any it is that with SHA-256. With some, all that matter must be
/// there, for the defaults of the others are read differently by different people.
fn pss(method: Element<'_, '_>) -> Result<SignatureAlgorithm, Failure> {
    let mut content = Sequence::of(method)?;
    let parameters = content.optional(MORE_2007, "RSAPSSParams");
    content.finish()?;
    let Some(parameters) = parameters else {
        let usual = PssParameters::usual(DigestAlgorithm::Sha256);
        return Ok(SignatureAlgorithm::RsaPss(usual));
    };
    let mut parameters = Sequence::of(parameters)?;
    let hash = digest(parameters.needed(XMLDSIG, "DigestMethod")?)?;
    let mask = parameters.needed(MORE_2007, "MaskGenerationFunction")?;
    let salt_octets = text(parameters.needed(MORE_2007, "SaltLength")?)?;
    let trailer = parameters.optional(MORE_2007, "TrailerField");
    parameters.finish()?;
    let is_mgf1 = mask.attribute("", "Algorithm").is_none_or(|name| name == MGF1);
    let mut mask = Sequence::of(mask)?;
    let mask_hash = digest(mask.needed(XMLDSIG, "DigestMethod")?)?;
    mask.finish()?;
    let is_known = is_mgf1
        && mask_hash == hash
        && hash != DigestAlgorithm::Sha1
        && trailer.map_or(Ok("1"), text)?.trim() == "1";
    match salt_octets.trim().parse() {
        Ok(salt_octets) if is_known => Ok(SignatureAlgorithm::RsaPss(PssParameters {
            digest: hash,
            salt_octets,
        })),
        Ok(_) | Err(_) => Err(Unsupported::Parameters("RSASSA-PSS").into()),
    }
}

/// The canonical form of SignedInfo that a CanonicalizationMethod names (§4.4.1).
pub(super) fn canonicalisation(method: Element<'_, '_>) -> Result<Canonicalisation, Failure> {
    let identifier = algorithm(method)?;
    let known = form(method, identifier)?;
    known.ok_or_else(|| Unsupported::CanonicalizationMethod(quoted(identifier)).into())
}

/// The canonical form of this identifier (§6.5); `None`: none that is known.
fn form(method: Element<'_, '_>, identifier: &str) -> Result<Option<Canonicalisation>, Failure> {
    let (form, with_comments) = match identifier {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" => (Form::Inclusive, false),
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments" => (Form::Inclusive, true),
        "http://www.w3.org/2006/12/xml-c14n11" => (Form::Inclusive11, false),
        "http://www.w3.org/2006/12/xml-c14n11#WithComments" => (Form::Inclusive11, true),
        EXCLUSIVE => (exclusive(method)?, false),
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments" => (exclusive(method)?, true),
        _ => return Ok(None),
    };
    if !matches!(form, Form::Exclusive { .. }) {
        Sequence::of(method)?.finish()?;
    }
    Ok(Some(Canonicalisation { form, with_comments }))
}

/// The exclusive form with its list of prefixes (Exclusive XML Canonicalization 1.0 §4).
fn exclusive(method: Element<'_, '_>) -> Result<Form, Failure> {
    let mut content = Sequence::of(method)?;
    let list = content.optional(EXCLUSIVE, "InclusiveNamespaces");
    content.finish()?;
    let mut inclusive_prefixes = Vec::new();
    if let Some(list) = list {
        Sequence::of(list)?.finish()?;
        let prefixes = list
            .attribute("", "PrefixList")
            .ok_or(Fault::AttributeAbsent("PrefixList"))?;
        inclusive_prefixes.extend(prefixes.split_ascii_whitespace().map(str::to_owned));
        if inclusive_prefixes.len() > INCLUSIVE_PREFIXES_MAX {
            return Err(Fault::TooMany("inclusive prefixes").into());
        }
    }
    Ok(Form::Exclusive { inclusive_prefixes })
}

/// What the transforms of a reference come to: perhaps the signature is left out, then the canonical form is written.
pub(super) struct Transforms {
    /// Whether enveloped-signature is among them (§6.6.4).
    pub(super) is_enveloped: bool,
    /// The canonical form; Canonical XML 1.0 where none is named (§4.4.3.2). Never with comments: a reference inside
    /// the document that is no XPointer has none in its node-set (§4.4.3.3), whatever is asked for then.
    pub(super) form: Form,
}

impl Transforms {
    /// Reads Transforms, where present. Anything behind a canonical form would have to read octets anew.
    pub(super) fn read(transforms: Option<Element<'_, '_>>, namespace: &str) -> Result<Self, Failure> {
        let mut read = Self {
            is_enveloped: false,
            form: Form::Inclusive,
        };
        let Some(transforms) = transforms else {
            return Ok(read);
        };
        let mut transforms = Sequence::of(transforms)?;
        let mut is_canonical = false;
        for count in 0.. {
            let Some(transform) = transforms.optional(namespace, "Transform") else {
                break;
            };
            let identifier = algorithm(transform)?;
            if identifier == ENVELOPED_SIGNATURE {
                Sequence::of(transform)?.finish()?;
                if count > 0 {
                    return Err(Unsupported::TransformOrder.into());
                }
                read.is_enveloped = true;
                continue;
            }
            let known = match identifier {
                EXCLUSIVE_OF_KIT => EXCLUSIVE,
                other => other,
            };
            let Some(canonicalisation) = form(transform, known)? else {
                return Err(Unsupported::Transform(quoted(identifier)).into());
            };
            if is_canonical || count >= TRANSFORMS_MAX {
                return Err(Unsupported::TransformOrder.into());
            }
            is_canonical = true;
            read.form = canonicalisation.form;
        }
        transforms.finish()?;
        Ok(read)
    }
}
