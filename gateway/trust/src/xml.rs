//! The one XML tree: what edXML packets and XMLDSig signatures are read from.
//!
//! Stands at the very start of the road, between bytes that anybody may have sent and the packet reader, and later
//! under canonicalisation and signature verification, which must see the very nodes the packet was read from.
//! Tokens come from `quick-xml`, which is lenient; well-formedness (XML 1.0, fifth edition), namespaces (Namespaces in
//! XML 1.0) and limits are judged here. The tree borrows its source: large texts are not copied.
//!
//! **Invariant**: a `Tree` exists only for well-formed, namespace-well-formed UTF-8 without DOCTYPE, within its limits.
//! **Invariant**: nothing here recurses; depth costs heap within `Limits`, never stack.
//! **Invariant**: adjoining text, CDATA and references are one text node, as the XPath data model has it.
//! **Invariant**: no input panics; the first fault names its place by byte offset, line and open element.

mod canonical;
mod character;
mod fault;
mod parse;
pub mod signature;
mod start;
mod tag;
mod token;
mod tree;

pub use canonical::{BaseOutside, Canonicalisation, Form, Sink};
pub use character::{is_character, is_name};
pub use fault::{Fault, FaultKind};
pub use tree::{Attribute, Children, Declaration, Element, Node, Step, Tree, Walk};

/// The namespace that the prefix `xml` is always bound to (Namespaces in XML 1.0, section 3).
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// How much one document may ask for. Exceeding any of these is a `Fault`, found before the memory is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document. Never above `u32::MAX`, whatever is configured: offsets are kept in 32 bits.
    pub bytes_max: usize,
    /// Elements open at once. edXML needs 8, XMLDSig inside it 13.
    pub depth_max: usize,
    /// Elements, texts, comments and processing instructions together. A node costs about 100 bytes of memory.
    pub nodes_max: usize,
    /// Attributes and namespace declarations of one element.
    pub attributes_max: usize,
    /// Namespace declarations in scope at once; a prefix is looked up by walking through them.
    pub namespaces_max: usize,
    /// Bytes of one name, prefix included.
    pub name_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 16 << 20,
            depth_max: 64,
            nodes_max: 250_000,
            attributes_max: 32,
            namespaces_max: 64,
            name_bytes_max: 256,
        }
    }
}

#[cfg(test)]
mod tests;
