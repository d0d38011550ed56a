//! What a signature covers: targets found, canonicalised and digested.
//!
//! **Invariant**: a target is a node of the tree that is handed out; nobody has to look for it again.
//! **Invariant**: an id is borne by one element of the document, or the whole document is refused: which of several is
//! meant is what wrapping attacks play with.
//! **Invariant**: what all signatures of a document make us digest is bounded by the size of the document.

use std::collections::HashMap;

use aws_lc_rs::digest;

use super::fault::{Fault, Unsupported, quoted};
use super::structure::{Reference, Target};
use crate::report::Failure;
use crate::xml::{Canonicalisation, Element, Node, Sink, Step, Tree, XML_NAMESPACE};

/// Attributes that are ids, besides `xml:id`. There is no schema that would say so, and nothing is guessed.
const ID_NAMES: [&str; 3] = ["Id", "ID", "id"];

/// Octets that are digested for each octet of the document, all signatures together, and those that are always
/// allowed: a few people sign the whole of it, and a canonical form may be somewhat longer than what was written.
const DIGESTED_PER_OCTET: usize = 8;
const DIGESTED_ALWAYS: usize = 1 << 20;

/// Octets that are gathered before they are hashed.
const HASHED_AT_ONCE: usize = 4096;

/// A part of the document that a signature covers: what was digested, node by node.
#[derive(Clone, Debug)]
pub struct Covered<'t, 's> {
    tree: &'t Tree<'s>,
    element: Element<'t, 's>,
    /// Whether what stands around the root was digested too.
    has_surroundings: bool,
    without: Option<Element<'t, 's>>,
    method: Canonicalisation,
}

impl<'t, 's> Covered<'t, 's> {
    /// The element that was digested with all in it but [`Covered::without`] and comments: the very node, to be read
    /// from here on.
    pub fn element(&self) -> Element<'t, 's> {
        self.element
    }

    /// Whether this is the whole document: its root, with all in it but [`Covered::without`].
    pub fn is_document(&self) -> bool {
        self.element.parent().is_none()
    }

    /// The signature that was left out, where it stands inside. Nothing in it was signed by this reference.
    pub fn without(&self) -> Option<Element<'t, 's>> {
        self.without
    }

    /// Whether this element was digested: it stands in what is covered, and not in the signature that was left out.
    pub fn covers(&self, element: Element<'t, 's>) -> bool {
        is_within(element, self.element) && self.without.is_none_or(|without| !is_within(element, without))
    }

    /// The octets that were digested.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.write(&mut octets)
            .expect("what is covered was canonicalised before");
        octets
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), Unsupported> {
        if self.has_surroundings {
            self.method.document(self.tree, self.without, sink);
            return Ok(());
        }
        let written = self.method.element(self.element, self.without, sink);
        written.map_err(|_| Unsupported::BaseOutside)
    }
}

/// Whether an element is the other one or stands in it. As deep as the document at most.
pub(super) fn is_within(element: Element<'_, '_>, outer: Element<'_, '_>) -> bool {
    let mut current = Some(element);
    while let Some(one) = current {
        if one == outer {
            return true;
        }
        current = one.parent();
    }
    false
}

/// What is known of one document while its signatures are checked.
pub(super) struct Document<'t, 's> {
    tree: &'t Tree<'s>,
    ids: HashMap<&'t str, Element<'t, 's>>,
    /// Octets that may still be digested.
    octets_left: usize,
}

impl<'t, 's> Document<'t, 's> {
    /// Finds the ids of a document.
    pub(super) fn of(tree: &'t Tree<'s>) -> Result<Self, Fault> {
        let mut ids = HashMap::new();
        for step in tree.walk() {
            let Step::Enter(Node::Element(element)) = step else {
                continue;
            };
            for attribute in element.attributes() {
                let is_id = match element.attribute_namespace(attribute) {
                    "" => ID_NAMES.contains(&attribute.name()),
                    XML_NAMESPACE => attribute.name() == "id",
                    _ => false,
                };
                if !is_id {
                    continue;
                }
                let before = ids.insert(attribute.value(), element);
                if before.is_some_and(|before| before != element) {
                    return Err(Fault::IdRepeated(quoted(attribute.value())));
                }
            }
        }
        let octets = tree.root().range().len();
        Ok(Self {
            tree,
            ids,
            octets_left: octets
                .saturating_mul(DIGESTED_PER_OCTET)
                .saturating_add(DIGESTED_ALWAYS),
        })
    }

    /// The octets of an element in canonical form.
    pub(super) fn canonical(
        &mut self,
        element: Element<'t, 's>,
        method: &Canonicalisation,
    ) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        let mut limited = Limited {
            sink: &mut octets,
            left: &mut self.octets_left,
        };
        let written = method.element(element, None, &mut limited);
        written.map_err(|_| Unsupported::BaseOutside)?;
        self.check_size()?;
        Ok(octets)
    }

    /// What a reference leads to; `signature` is the one it stands in.
    pub(super) fn target(
        &self,
        reference: &Reference<'t>,
        signature: Element<'t, 's>,
    ) -> Result<Covered<'t, 's>, Fault> {
        let (element, has_surroundings) = match reference.target {
            Target::Document => (self.tree.root(), true),
            Target::Id(id) => {
                let found = self.ids.get(id);
                (*found.ok_or_else(|| Fault::TargetAbsent(quoted(id)))?, false)
            }
        };
        let is_enveloped = reference.transforms.is_enveloped;
        if is_enveloped && is_within(element, signature) {
            return Err(Fault::NothingSigned);
        }
        Ok(Covered {
            tree: self.tree,
            element,
            has_surroundings,
            without: (is_enveloped && is_within(signature, element)).then_some(signature),
            method: Canonicalisation {
                form: reference.transforms.form.clone(),
                with_comments: false,
            },
        })
    }

    /// Whether what a reference leads to is what was signed.
    pub(super) fn check(
        &mut self,
        reference: &Reference<'t>,
        signature: Element<'t, 's>,
    ) -> Result<Covered<'t, 's>, Failure> {
        let covered = self.target(reference, signature)?;
        let mut hasher = Hasher::new(reference.digest_algorithm.context());
        covered.write(&mut Limited {
            sink: &mut hasher,
            left: &mut self.octets_left,
        })?;
        self.check_size()?;
        if hasher.finish().as_ref() == reference.digest {
            Ok(covered)
        } else {
            Err(Failure::DigestMismatch)
        }
    }

    fn check_size(&self) -> Result<(), Fault> {
        if self.octets_left == 0 {
            return Err(Fault::TooLarge);
        }
        Ok(())
    }
}

/// Takes octets until none are left to be taken; what would go beyond is dropped, and nothing is left.
struct Limited<'a, S> {
    sink: &'a mut S,
    left: &'a mut usize,
}

impl<S: Sink> Sink for Limited<'_, S> {
    fn put(&mut self, octets: &[u8]) {
        *self.left = self.left.saturating_sub(octets.len());
        if !self.is_full() {
            self.sink.put(octets);
        }
    }

    fn is_full(&self) -> bool {
        *self.left == 0
    }
}

/// Hashes octets as they come, in larger pieces than they come in.
struct Hasher {
    context: digest::Context,
    waiting: Vec<u8>,
}

impl Hasher {
    fn new(context: digest::Context) -> Self {
        Self {
            context,
            waiting: Vec::with_capacity(HASHED_AT_ONCE),
        }
    }

    fn finish(mut self) -> digest::Digest {
        self.context.update(&self.waiting);
        self.context.finish()
    }
}

impl Sink for Hasher {
    fn put(&mut self, octets: &[u8]) {
        if self.waiting.len() + octets.len() > HASHED_AT_ONCE {
            self.context.update(&self.waiting);
            self.waiting.clear();
        }
        if octets.len() > HASHED_AT_ONCE {
            self.context.update(octets);
        } else {
            self.waiting.extend_from_slice(octets);
        }
    }
}
