//! The Signature element (XML Signature 1.1 §4), read from the tree.
//!
//! **Invariant**: only the structure is read here; nothing is believed.
//! **Invariant**: what is not of the schema is refused, in the order of the schema.

use super::fault::{Fault, Unsupported, quoted};
use super::method::{self, Transforms};
use super::read::{Sequence, base64};
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::report::Failure;
use crate::xml::{Canonicalisation, Element, is_name};

/// References of one signature that are followed: packets have one, with properties two.
const REFERENCES_MAX: usize = 16;
/// Objects of one signature.
const OBJECTS_MAX: usize = 16;

pub(super) struct Signature<'t, 's> {
    pub(super) element: Element<'t, 's>,
    /// The namespace of its elements: that of the standard, or that of the packet.
    pub(super) namespace: &'t str,
    pub(super) signed_info: Element<'t, 's>,
    pub(super) canonicalisation: Canonicalisation,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) references: Vec<Reference<'t>>,
    /// SignatureValue, and the octets that it writes.
    pub(super) value_element: Element<'t, 's>,
    pub(super) value: Vec<u8>,
    pub(super) key_info: Option<Element<'t, 's>>,
    pub(super) objects: Vec<Element<'t, 's>>,
}

/// What one Reference says (§4.4.3).
pub(super) struct Reference<'t> {
    pub(super) target: Target<'t>,
    pub(super) transforms: Transforms,
    pub(super) digest_algorithm: DigestAlgorithm,
    pub(super) digest: Vec<u8>,
}

/// Where a Reference leads: never out of the document.
#[derive(Clone, Copy)]
pub(super) enum Target<'t> {
    /// `URI=""`.
    Document,
    /// `URI="#id"`.
    Id(&'t str),
}

impl<'t, 's> Signature<'t, 's> {
    pub(super) fn read(element: Element<'t, 's>) -> Result<Self, Failure> {
        let namespace = element.namespace();
        let mut content = Sequence::of(element)?;
        let signed_info = content.needed(namespace, "SignedInfo")?;
        let value_element = content.needed(namespace, "SignatureValue")?;
        let value = base64(value_element)?;
        let key_info = content.optional(namespace, "KeyInfo");
        let mut objects = Vec::new();
        while let Some(object) = content.optional(namespace, "Object") {
            if objects.len() == OBJECTS_MAX {
                return Err(Fault::TooMany("objects").into());
            }
            objects.push(object);
        }
        content.finish()?;

        let mut info = Sequence::of(signed_info)?;
        let canonicalisation = method::canonicalisation(info.needed(namespace, "CanonicalizationMethod")?)?;
        let algorithm = method::signature(info.needed(namespace, "SignatureMethod")?)?;
        let mut references = vec![Reference::read(info.needed(namespace, "Reference")?)?];
        while let Some(reference) = info.optional(namespace, "Reference") {
            if references.len() == REFERENCES_MAX {
                return Err(Fault::TooMany("references").into());
            }
            references.push(Reference::read(reference)?);
        }
        info.finish()?;
        Ok(Self {
            element,
            namespace,
            signed_info,
            canonicalisation,
            algorithm,
            references,
            value_element,
            value,
            key_info,
            objects,
        })
    }
}

impl<'t> Reference<'t> {
    fn read(element: Element<'t, '_>) -> Result<Self, Failure> {
        let namespace = element.namespace();
        let target = Target::read(element)?;
        let mut content = Sequence::of(element)?;
        let transforms = Transforms::read(content.optional(namespace, "Transforms"), namespace)?;
        let digest_algorithm = method::digest(content.needed(namespace, "DigestMethod")?)?;
        let digest = base64(content.needed(namespace, "DigestValue")?)?;
        content.finish()?;
        Ok(Self {
            target,
            transforms,
            digest_algorithm,
            digest,
        })
    }
}

impl<'t> Target<'t> {
    fn read(reference: Element<'t, '_>) -> Result<Self, Unsupported> {
        let uri = reference.attribute("", "URI").ok_or(Unsupported::UriAbsent)?;
        match uri.strip_prefix('#') {
            None if uri.is_empty() => Ok(Self::Document),
            None => Err(Unsupported::Outside(quoted(uri))),
            Some(id) if is_name(id) => Ok(Self::Id(id)),
            Some(pointer) => Err(Unsupported::XPointer(quoted(pointer))),
        }
    }
}
