//! Canonical XML: the octets that a signature over XML is made of.
//!
//! Stands between the tree that a packet was read from and the digests of its signatures: what is canonicalised is the
//! very tree that is handed on, never a second reading of the bytes.
//!
//! **Invariant**: document order is kept and nothing recurses.
//! **Invariant**: a namespace is written where the canonical form needs it and no output ancestor wrote the same.
//!
//! Sources: Canonical XML 1.0 (W3C 2001), 1.1 (W3C 2008), Exclusive XML Canonicalization 1.0 (W3C 2002).

use super::XML_NAMESPACE;
use super::character::is_same;
use super::tree::{Attribute, Element, Node, Step, Tree};

/// The prefix that is bound without a declaration, and never declared in canonical form.
const XML_PREFIX: &str = "xml";
/// What a list of inclusive prefixes calls the default namespace (Exclusive C14N, section 4).
const DEFAULT_WORD: &str = "#default";

/// Which canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Canonical XML 1.0: an element brings the namespaces and `xml:` attributes of its surroundings.
    Inclusive,
    /// Canonical XML 1.1: the same, but `xml:id` stays where it is.
    Inclusive11,
    /// Exclusive: an element brings only the namespaces it visibly uses.
    Exclusive {
        /// Prefixes treated as the inclusive form does (`InclusiveNamespaces`); `#default` is the default namespace.
        inclusive_prefixes: Vec<String>,
    },
}

/// How to canonicalise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonicalisation {
    /// The form.
    pub form: Form,
    /// Whether comments are kept.
    pub with_comments: bool,
}

/// Canonical XML 1.1 would have to join the `xml:base` of ancestors that are left out (section 2.4). No document of
/// the exchange does that, and a wrong join would be a wrong digest: it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("xml:base outside of the signed element")]
pub struct BaseOutside;

/// Takes octets as they come: a buffer, or a digest.
pub trait Sink {
    /// The next ones.
    fn put(&mut self, octets: &[u8]);

    /// Whether it takes no more: then nothing more is written, and what was put is no canonical form.
    fn is_full(&self) -> bool {
        false
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

impl Canonicalisation {
    /// The whole document, but for `without` (the signature that it envelopes).
    pub fn document(&self, tree: &Tree<'_>, without: Option<Element<'_, '_>>, sink: &mut impl Sink) {
        let mut writer = Writer::new(self, without, sink);
        let mut is_behind_root = false;
        for node in tree.children() {
            match node {
                Node::Element(root) => {
                    writer.tree_of(root, &[]);
                    is_behind_root = true;
                }
                Node::Comment(_) if !self.with_comments => {}
                Node::Comment(_) | Node::Instruction { .. } => {
                    if is_behind_root {
                        writer.sink.put(b"\n");
                    }
                    writer.leaf(node);
                    if !is_behind_root {
                        writer.sink.put(b"\n");
                    }
                }
                Node::Text(_) => {} // white space around the root is no part of the data model
            }
        }
    }

    /// One element with all in it, but for `without` (the signature that it envelopes).
    ///
    /// # Errors
    /// [`BaseOutside`].
    pub fn element(
        &self,
        element: Element<'_, '_>,
        without: Option<Element<'_, '_>>,
        sink: &mut impl Sink,
    ) -> Result<(), BaseOutside> {
        let inherited = self.inherited(element)?;
        Writer::new(self, without, sink).tree_of(element, &inherited);
        Ok(())
    }

    /// The `xml:` attributes of ancestors that the element takes along, the nearest of each name.
    fn inherited<'t, 's>(&self, element: Element<'t, 's>) -> Result<Vec<&'t Attribute<'s>>, BaseOutside> {
        let mut inherited: Vec<&Attribute<'_>> = Vec::new();
        if matches!(self.form, Form::Exclusive { .. }) {
            return Ok(inherited);
        }
        let mut outer = element.parent();
        while let Some(ancestor) = outer {
            for attribute in ancestor
                .attributes()
                .iter()
                .filter(|one| is_of_xml(ancestor, one))
            {
                let is_known = inherited.iter().any(|one| one.name() == attribute.name())
                    || element.attribute(XML_NAMESPACE, attribute.name()).is_some();
                match (&self.form, attribute.name()) {
                    (Form::Inclusive11, "base") => return Err(BaseOutside),
                    (Form::Inclusive11, "lang" | "space") | (Form::Inclusive, _) if !is_known => {
                        inherited.push(attribute);
                    }
                    _ => {}
                }
            }
            outer = ancestor.parent();
        }
        Ok(inherited)
    }
}

fn is_of_xml(element: Element<'_, '_>, attribute: &Attribute<'_>) -> bool {
    element.attribute_namespace(attribute) == XML_NAMESPACE
}

struct Writer<'a, 't, 's, S> {
    method: &'a Canonicalisation,
    without: Option<Element<'t, 's>>,
    sink: &'a mut S,
    /// The namespaces that open output elements wrote, outermost first.
    written: Vec<(&'t str, &'t str)>,
    /// How many of them each open element wrote.
    counts: Vec<usize>,
}

impl<'a, 't, 's, S: Sink> Writer<'a, 't, 's, S> {
    fn new(method: &'a Canonicalisation, without: Option<Element<'t, 's>>, sink: &'a mut S) -> Self {
        Writer {
            method,
            without,
            sink,
            written: Vec::new(),
            counts: Vec::new(),
        }
    }

    fn tree_of(&mut self, apex: Element<'t, 's>, inherited: &[&Attribute<'s>]) {
        let mut left_out: Option<Element<'_, '_>> = None;
        for step in apex.walk() {
            if self.sink.is_full() {
                return;
            }
            match step {
                Step::Leave(element) if left_out == Some(element) => left_out = None,
                _ if left_out.is_some() => {}
                Step::Enter(Node::Element(element)) if self.without == Some(element) => {
                    left_out = Some(element);
                }
                Step::Enter(Node::Element(element)) => {
                    let inherited = if element == apex { inherited } else { &[] };
                    self.start(element, element == apex, inherited);
                }
                Step::Leave(element) => self.end(element),
                Step::Enter(node) => self.leaf(node),
            }
        }
    }

    fn start(&mut self, element: Element<'t, 's>, is_apex: bool, inherited: &[&Attribute<'s>]) {
        self.sink.put(b"<");
        self.name(element.prefix(), element.name());
        let mut needed = match &self.method.form {
            Form::Inclusive | Form::Inclusive11 => in_scope(element, is_apex),
            Form::Exclusive { inclusive_prefixes } => used(element, is_apex, inclusive_prefixes),
        };
        needed.sort_unstable_by_key(|(prefix, _)| *prefix);
        let before = self.written.len();
        for (prefix, uri) in needed {
            if prefix != XML_PREFIX && self.bound(prefix) != uri {
                self.sink
                    .put(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
                self.sink.put(prefix.as_bytes());
                self.value(uri);
                self.written.push((prefix, uri));
            }
        }
        self.counts.push(self.written.len() - before);
        let own = element
            .attributes()
            .iter()
            .map(|one| (element.attribute_namespace(one), one));
        let mut attributes: Vec<_> = own
            .chain(inherited.iter().map(|one| (XML_NAMESPACE, *one)))
            .collect();
        attributes.sort_by_key(|(namespace, one)| (*namespace, one.name()));
        for (_, attribute) in attributes {
            self.sink.put(b" ");
            self.name(attribute.prefix(), attribute.name());
            self.value(attribute.value());
        }
        self.sink.put(b">");
    }

    fn end(&mut self, element: Element<'t, 's>) {
        self.sink.put(b"</");
        self.name(element.prefix(), element.name());
        self.sink.put(b">");
        let count = self.counts.pop().expect("every end has its start");
        self.written.truncate(self.written.len() - count);
    }

    /// What an output ancestor bound the prefix to; empty when none did.
    fn bound(&self, prefix: &str) -> &'t str {
        let nearest = self
            .written
            .iter()
            .rev()
            .find(|(written, _)| is_same(written, prefix));
        nearest.map_or("", |(_, uri)| uri)
    }

    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.sink.put(prefix.as_bytes());
            self.sink.put(b":");
        }
        self.sink.put(local.as_bytes());
    }

    fn value(&mut self, value: &str) {
        self.sink.put(b"=\"");
        self.escaped(value, |octet| match octet {
            b'&' => Some(b"&amp;"),
            b'<' => Some(b"&lt;"),
            b'"' => Some(b"&quot;"),
            b'\t' => Some(b"&#x9;"),
            b'\n' => Some(b"&#xA;"),
            b'\r' => Some(b"&#xD;"),
            _ => None,
        });
        self.sink.put(b"\"");
    }

    /// A node without children.
    fn leaf(&mut self, node: Node<'t, 's>) {
        match node {
            Node::Text(text) => self.escaped(text, |octet| match octet {
                b'&' => Some(b"&amp;"),
                b'<' => Some(b"&lt;"),
                b'>' => Some(b"&gt;"),
                b'\r' => Some(b"&#xD;"),
                _ => None,
            }),
            Node::Comment(text) if self.method.with_comments => {
                self.sink.put(b"<!--");
                self.sink.put(text.as_bytes());
                self.sink.put(b"-->");
            }
            Node::Instruction { target, data } => {
                self.sink.put(b"<?");
                self.sink.put(target.as_bytes());
                if !data.is_empty() {
                    self.sink.put(b" ");
                    self.sink.put(data.as_bytes());
                }
                self.sink.put(b"?>");
            }
            Node::Comment(_) | Node::Element(_) => {}
        }
    }

    fn escaped(&mut self, text: &str, escape: impl Fn(u8) -> Option<&'static [u8]>) {
        let mut rest = text.as_bytes();
        while let Some((at, escaped)) = rest
            .iter()
            .enumerate()
            .find_map(|(at, octet)| escape(*octet).map(|escaped| (at, escaped)))
        {
            self.sink.put(&rest[..at]);
            self.sink.put(escaped);
            rest = &rest[at + 1..];
        }
        self.sink.put(rest);
    }
}

/// Prefixes and what they are bound to; a handful, so that looking through them is cheapest.
type Bindings<'t> = Vec<(&'t str, &'t str)>;

/// Adds a binding unless the prefix is bound already.
fn bind<'t>(bindings: &mut Bindings<'t>, prefix: &'t str, uri: &'t str) {
    if bindings.iter().all(|(bound, _)| *bound != prefix) {
        bindings.push((prefix, uri));
    }
}

/// The namespaces that the inclusive forms may have to write here: the apex brings all that are in scope, everything
/// below only what it declares.
fn in_scope<'t>(element: Element<'t, '_>, is_apex: bool) -> Bindings<'t> {
    let mut found = Bindings::new();
    let mut current = Some(element);
    while let Some(declaring) = current {
        for declaration in declaring.declarations() {
            bind(&mut found, declaration.prefix(), declaration.uri());
        }
        current = if is_apex { declaring.parent() } else { None };
    }
    found
}

/// The namespaces that the exclusive form may have to write here: those of the names in the start tag, and of those
/// listed the ones that the inclusive forms would.
fn used<'t>(element: Element<'t, '_>, is_apex: bool, inclusive_prefixes: &[String]) -> Bindings<'t> {
    let mut found = vec![(element.prefix(), element.namespace())];
    for attribute in element.attributes().iter().filter(|one| !one.prefix().is_empty()) {
        bind(
            &mut found,
            attribute.prefix(),
            element.attribute_namespace(attribute),
        );
    }
    if inclusive_prefixes.is_empty() {
        return found;
    }
    for (prefix, uri) in in_scope(element, is_apex) {
        let is_listed = |listed: &String| listed == prefix || (prefix.is_empty() && listed == DEFAULT_WORD);
        if inclusive_prefixes.iter().any(is_listed) {
            bind(&mut found, prefix, uri);
        }
    }
    found
}

#[cfg(test)]
mod tests;
