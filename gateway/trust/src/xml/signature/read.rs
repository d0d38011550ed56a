//! Content of elements: sequences of elements, and simple values.
//!
//! Under everything of this folder that reads.
//!
//! **Invariant**: a value is one piece of text, without comment, processing instruction or element in it, so that no
//! canonical form can show another value than the one that is read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fault::{Fault, quoted};
use crate::xml::{Element, Node};

/// XML Signature 1.1 §1.3.
pub(super) const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The elements that version 1.1 adds.
pub(super) const XMLDSIG11: &str = "http://www.w3.org/2009/xmldsig11#";

/// White space of XML (XML 1.0 §2.3).
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The elements of an element that holds nothing else, one after another.
pub(super) struct Sequence<'t, 's> {
    rest: std::iter::Peekable<std::vec::IntoIter<Element<'t, 's>>>,
}

impl<'t, 's> Sequence<'t, 's> {
    /// Refuses text between the elements; comments and processing instructions mean nothing there.
    pub(super) fn of(element: Element<'t, 's>) -> Result<Self, Fault> {
        let mut elements = Vec::new();
        for node in element.children() {
            match node {
                Node::Element(child) => elements.push(child),
                Node::Text(text) if text.trim_matches(SPACE).is_empty() => {}
                Node::Text(_) => return Err(Fault::Content(quoted(element.name()))),
                Node::Comment(_) | Node::Instruction { .. } => {}
            }
        }
        Ok(Self {
            rest: elements.into_iter().peekable(),
        })
    }

    /// The next element, if it is this one.
    pub(super) fn optional(&mut self, namespace: &str, name: &str) -> Option<Element<'t, 's>> {
        self.rest.next_if(|next| next.is(namespace, name))
    }

    /// The next element, which must be this one.
    pub(super) fn needed(&mut self, namespace: &str, name: &'static str) -> Result<Element<'t, 's>, Fault> {
        self.optional(namespace, name).ok_or(Fault::ElementAbsent(name))
    }

    /// Everything must have been read.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        match self.rest.next() {
            None => Ok(()),
            Some(next) => Err(Fault::ElementUnexpected(quoted(next.name()))),
        }
    }
}

/// The text of an element that holds nothing else.
pub(super) fn text<'t>(element: Element<'t, '_>) -> Result<&'t str, Fault> {
    let mut children = element.children();
    match (children.next(), children.next()) {
        (None, _) => Ok(""),
        (Some(Node::Text(text)), None) => Ok(text.as_ref()),
        (Some(_), _) => Err(Fault::Content(quoted(element.name()))),
    }
}

/// The octets that the text of an element writes in base64; white space may stand anywhere.
pub(super) fn base64(element: Element<'_, '_>) -> Result<Vec<u8>, Fault> {
    let digits: Vec<u8> = text(element)?
        .bytes()
        .filter(|octet| !SPACE.contains(&char::from(*octet)))
        .collect();
    STANDARD
        .decode(digits)
        .map_err(|_| Fault::Base64(quoted(element.name())))
}

/// The Algorithm attribute of an element.
pub(super) fn algorithm<'t>(element: Element<'t, '_>) -> Result<&'t str, Fault> {
    element
        .attribute("", "Algorithm")
        .ok_or(Fault::AttributeAbsent("Algorithm"))
}

/// Whether an element holds nothing but white space.
pub(super) fn is_blank(element: Element<'_, '_>) -> bool {
    element.children().all(|node| match node {
        Node::Text(text) => text.trim_matches(SPACE).is_empty(),
        Node::Comment(_) | Node::Instruction { .. } => true,
        Node::Element(_) => false,
    })
}
