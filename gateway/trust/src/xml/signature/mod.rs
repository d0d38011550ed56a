//! XML signatures (W3C XML Signature 1.1), restricted to what a receiver can be sure of.
//!
//! Stands between the tree and `path`. What is followed: references inside the document (`""` and `#id`),
//! enveloped-signature, the three canonical forms, SHA-1 and SHA-2, RSA, ECDSA and Ed25519. What is not (XPath, XSLT,
//! external references, XPointer, HMAC, DSA, MD5 …) is refused by its name (`Unsupported`); the tree has already refused
//! DOCTYPE. A Manifest is digested as any element and not followed: what it lists is not signed. Of XAdES the bound certificate
//! counts, and time-stamps over the signature value with what came for its validation (`time_stamp`).
//!
//! **Invariant**: what was verified is handed out as nodes of the very tree that was given (`Covered`), and only where
//! the signature passed. Whoever reads from those nodes cannot be wrapped; there is nothing to look up.
//! **Invariant**: a signature without a reference is never good; every reference must be right.
//! **Invariant**: signatures, references, transforms, certificates, digested octets and public-key operations are
//! bounded, for all signatures of a document together.

mod fault;
mod key;
mod method;
mod packet;
mod properties;
mod read;
mod reference;
mod structure;
mod time_stamp;
mod verify;

use std::sync::Arc;

pub use fault::{Fault, Unsupported};
pub use packet::{PacketSignature, of_packet};
pub use reference::Covered;

use super::{Element, Node, Step, Tree};
use crate::algorithm::{PublicKey, SignatureAlgorithm};
use crate::policy::Policy;
use crate::report::{Failure, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// Where the elements of a signature are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// In the namespace of XML Signature.
    Standard,
    /// Also in the namespace of the document element, and in none: kits of the exchange (QCVN 102:2016) write the
    /// elements of a signature without declaring their namespace. All elements of one signature are in one namespace.
    Packet,
}

/// A signature whose structure, digests and value are intact. No path, no revocation, no claim of trust.
#[derive(Clone, Debug)]
pub struct Intact<'t, 's> {
    signature: Element<'t, 's>,
    algorithm: SignatureAlgorithm,
    certificate: Option<Arc<Certificate>>,
    covered: Vec<Covered<'t, 's>>,
}

impl<'t, 's> Intact<'t, 's> {
    /// The Signature element.
    pub fn signature(&self) -> Element<'t, 's> {
        self.signature
    }

    /// The algorithm of its value.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The certificate whose key made it; `None` where a bare key did.
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.certificate.as_ref()
    }

    /// What it covers, a part for each reference.
    pub fn covered(&self) -> &[Covered<'t, 's>] {
        &self.covered
    }
}

/// One signature of a document, judged.
#[derive(Clone, Debug)]
pub struct XmlSeal<'t, 's> {
    signature: Element<'t, 's>,
    report: SealReport,
    covered: Vec<Covered<'t, 's>>,
}

impl<'t, 's> XmlSeal<'t, 's> {
    /// The Signature element.
    pub fn signature(&self) -> Element<'t, 's> {
        self.signature
    }

    /// What it is worth.
    pub fn report(&self) -> &SealReport {
        &self.report
    }

    /// What it covers, a part for each reference; empty unless the signature passed.
    pub fn covered(&self) -> &[Covered<'t, 's>] {
        &self.covered
    }

    /// Whether it passed and covers the whole document but for itself.
    pub fn covers_document(&self) -> bool {
        self.covered.iter().any(Covered::is_document)
    }
}

/// Judges every signature of a document at the time `now`, in document order; empty where there is none.
pub fn validate<'t, 's>(
    tree: &'t Tree<'s>,
    dialect: Dialect,
    snapshot: &Snapshot,
    now: Time,
) -> Vec<XmlSeal<'t, 's>> {
    verify::seals(tree, dialect, snapshot, now)
}

/// Whether structure, digests and value of every signature are intact, in document order; empty where there is none.
/// The key is that of the embedded certificate, else the embedded one, else `key`.
///
/// # Errors
/// One for each signature that is not: what failed first.
pub fn integrity<'t, 's>(
    tree: &'t Tree<'s>,
    dialect: Dialect,
    key: Option<&PublicKey>,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Intact<'t, 's>, Failure>> {
    verify::integrity(tree, dialect, key, policy, now)
}

/// The Signature elements of a document, wherever they stand, those inside others included.
fn find<'t, 's>(tree: &'t Tree<'s>, dialect: Dialect) -> impl Iterator<Item = Element<'t, 's>> {
    let own = tree.root().namespace();
    tree.walk().filter_map(move |step| match step {
        Step::Enter(Node::Element(element)) => {
            let namespace = element.namespace();
            let is_of_dialect = match dialect {
                Dialect::Standard => false,
                Dialect::Packet => namespace == own || namespace.is_empty(),
            };
            let is_signature = element.name() == "Signature" && (namespace == read::XMLDSIG || is_of_dialect);
            is_signature.then_some(element)
        }
        Step::Enter(Node::Text(_) | Node::Comment(_) | Node::Instruction { .. }) | Step::Leave(_) => None,
    })
}

#[cfg(test)]
mod tests;
