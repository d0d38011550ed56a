//! The signature of a packet: absent, a placeholder, valid or invalid.
//!
//! Packets of the field bear no signature at all, or the one of an example that somebody copied along with the rest.
//! What is required of a packet is the matter of whoever receives it; this module only tells these cases apart.
//!
//! **Invariant**: valid means that every signature of the packet passed and one of them covers the whole of it.
//! **Invariant**: a placeholder holds nothing that could be verified by anybody; it is worth as much as none.

use super::read::is_blank;
use super::{Dialect, XmlSeal, find, validate};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::xml::{Element, Node, Step, Tree};

/// Digits of base64 that the shortest certificate takes: one with a key of P-256 and names of one letter has about 300
/// octets. The dummies of the field have a dozen digits.
const CERTIFICATE_DIGITS_MIN: usize = 200;

/// What the signature of a packet is worth.
#[derive(Clone, Debug)]
pub enum PacketSignature<'t, 's> {
    /// There is none.
    Absent,
    /// There are only elements that look like one and hold nothing: empty ones, or those of an example.
    Placeholder,
    /// All pass, and one covers the whole packet.
    Valid(Vec<XmlSeal<'t, 's>>),
    /// One does not pass, or none covers the whole packet. It may be only "not now" ([`PacketSignature::is_try_later`]).
    Invalid(Vec<XmlSeal<'t, 's>>),
}

impl<'t, 's> PacketSignature<'t, 's> {
    /// The signatures that were judged; empty where there is none.
    pub fn seals(&self) -> &[XmlSeal<'t, 's>] {
        match self {
            Self::Absent | Self::Placeholder => &[],
            Self::Valid(seals) | Self::Invalid(seals) => seals,
        }
    }

    /// Whether it is invalid only because something has to be fetched.
    pub fn is_try_later(&self) -> bool {
        let mut open = self
            .seals()
            .iter()
            .filter(|seal| !seal.report.is_passed())
            .peekable();
        open.peek().is_some() && open.all(|seal| seal.report.is_try_later())
    }
}

/// Judges the signature of a packet at the time `now`.
pub fn of_packet<'t, 's>(tree: &'t Tree<'s>, snapshot: &Snapshot, now: Time) -> PacketSignature<'t, 's> {
    let mut signatures = find(tree, Dialect::Packet).peekable();
    if signatures.peek().is_none() {
        return if has_blank_digital_signature(tree) {
            PacketSignature::Placeholder
        } else {
            PacketSignature::Absent
        };
    }
    if signatures.all(is_placeholder) {
        return PacketSignature::Placeholder;
    }
    let seals = validate(tree, Dialect::Packet, snapshot, now);
    let is_valid =
        seals.iter().all(|seal| seal.report.is_passed()) && seals.iter().any(XmlSeal::covers_document);
    if is_valid {
        PacketSignature::Valid(seals)
    } else {
        PacketSignature::Invalid(seals)
    }
}

/// Whether a Signature holds nothing to be verified: no text at all, or no key but in certificates that are too short
/// to be any.
fn is_placeholder(signature: Element<'_, '_>) -> bool {
    let mut is_silent = true;
    let mut certificates = 0_usize;
    for step in signature.walk() {
        let element = match step {
            Step::Enter(Node::Element(element)) => element,
            Step::Enter(Node::Text(text)) => {
                is_silent &= text.trim_ascii().is_empty();
                continue;
            }
            Step::Enter(Node::Comment(_) | Node::Instruction { .. }) | Step::Leave(_) => continue,
        };
        match element.name() {
            "X509Certificate" if element.text().trim_ascii().len() < CERTIFICATE_DIGITS_MIN => {
                certificates += 1
            }
            "X509Certificate" | "KeyValue" | "DEREncodedKeyValue" | "X509IssuerSerial" | "X509SKI"
            | "X509Digest" => {
                return false;
            }
            _ => {}
        }
    }
    is_silent || certificates > 0
}

/// An empty DigitalSignature, as another kit writes it into every packet.
fn has_blank_digital_signature(tree: &Tree<'_>) -> bool {
    tree.walk().any(|step| match step {
        Step::Enter(Node::Element(element)) => element.name() == "DigitalSignature" && is_blank(element),
        Step::Enter(Node::Text(_) | Node::Comment(_) | Node::Instruction { .. }) | Step::Leave(_) => false,
    })
}
