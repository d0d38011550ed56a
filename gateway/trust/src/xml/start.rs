//! Start tags: their attributes, the prefixes they bind and the namespaces they mean.
//!
//! Part of the parser. Namespaces are resolved when the whole tag is known, because a declaration counts for the very
//! tag it stands in.
//!
//! **Invariant**: no attribute occurs twice, neither by its name as written nor by its expanded name.

use std::borrow::Cow;
use std::ops::Range;

use super::character::is_same;
use super::fault::{FaultKind, Problem};
use super::parse::{Builder, Open};
use super::tag::{Scanner, attribute_value};
use super::tree::{Attribute, Declaration, ElementData, Kind, NAMESPACE_OF_XML, NO_NAMESPACE, NONE};

impl<'s> Builder<'s, '_> {
    pub(super) fn start(&mut self, range: Range<usize>, tag: Tag) -> Result<(), Problem> {
        if self.open.len() == 1 && self.tree.root != NONE {
            return Err(FaultKind::StrayAfter.at(range.start));
        }
        if self.open.len() > self.limits.depth_max {
            return Err(FaultKind::DepthOverLimit {
                limit: self.limits.depth_max,
            }
            .at(range.start));
        }
        let source = self.tree.source;
        let inside = &source[range.start + 1..range.end - tag.closing_length()];
        let mut scanner = Scanner::new(inside, range.start + 1, self.limits);
        let (prefix, local) = scanner.name()?;
        let bindings = self.bindings.len();
        let attributes_from = self.tree.attributes.len();
        let declarations_from = self.tree.declarations.len() as u32;
        self.take_attributes(&mut scanner)?;
        let attributes_to = self.resolve_attributes(attributes_from, range.start)?;
        let element = ElementData {
            prefix,
            local,
            namespace: self
                .resolve(prefix, DefaultNamespace::Applies)
                .map_err(|kind| kind.at(range.start))?,
            attributes: attributes_from as u32..attributes_to as u32,
            declarations: declarations_from..self.tree.declarations.len() as u32,
            first_child: NONE,
            content: range.end as u32..range.end as u32,
        };
        let node = self.append(Kind::Element(element), range)?;
        if self.tree.root == NONE {
            self.tree.root = node;
        }
        match tag {
            Tag::Start => self.open.push(Open {
                node,
                last_child: NONE,
                bindings,
            }),
            Tag::Empty => self.bindings.truncate(bindings),
        }
        Ok(())
    }

    /// Takes attributes and declarations of one tag; namespaces of attributes are resolved when all are known.
    fn take_attributes(&mut self, scanner: &mut Scanner<'s>) -> Result<(), Problem> {
        let limit = self.limits.attributes_max;
        let attributes_from = self.tree.attributes.len();
        let declarations_from = self.tree.declarations.len();
        let mut count = 0;
        while let Some(raw) = scanner.attribute()? {
            count += 1;
            if count > limit {
                return Err(FaultKind::AttributesOverLimit { limit }.at(raw.offset));
            }
            // Attributes take memory as nodes do, and are counted with them.
            let nodes = self.tree.nodes.len() + self.tree.attributes.len() + self.tree.declarations.len();
            if nodes > self.limits.nodes_max {
                let limit = self.limits.nodes_max;
                return Err(FaultKind::NodesOverLimit { limit }.at(raw.offset));
            }
            let value = attribute_value(&raw)?;
            let declared = match (raw.prefix, raw.local) {
                ("", "xmlns") => Some(""),
                ("xmlns", prefix) => Some(prefix),
                _ => None,
            };
            if let Some(prefix) = declared {
                if self.tree.declarations[declarations_from..]
                    .iter()
                    .any(|other| other.prefix == prefix)
                {
                    return Err(FaultKind::AttributeRepeated {
                        name: raw.local.to_owned(),
                    }
                    .at(raw.offset));
                }
                self.declare(prefix, value).map_err(|kind| kind.at(raw.offset))?;
                continue;
            }
            let repeated = |other: &Attribute<'_>| other.prefix == raw.prefix && other.local == raw.local;
            if self.tree.attributes[attributes_from..].iter().any(repeated) {
                return Err(FaultKind::AttributeRepeated {
                    name: raw.local.to_owned(),
                }
                .at(raw.offset));
            }
            let (prefix, local) = (raw.prefix, raw.local);
            self.tree.attributes.push(Attribute {
                prefix,
                local,
                namespace: NO_NAMESPACE,
                value,
            });
        }
        Ok(())
    }

    /// Binds a prefix (Namespaces in XML 1.0, sections 2.2 and 3).
    fn declare(&mut self, prefix: &'s str, uri: Cow<'s, str>) -> Result<(), FaultKind> {
        const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";
        let limit = self.limits.namespaces_max;
        let of_xml = uri == super::XML_NAMESPACE;
        let forbidden = prefix == "xmlns"
            || uri == XMLNS_NAMESPACE
            || of_xml != (prefix == "xml")
            || (uri.is_empty() && !prefix.is_empty());
        if forbidden {
            return Err(FaultKind::DeclarationForbidden {
                prefix: prefix.to_owned(),
            });
        }
        if self.bindings.len() >= limit {
            return Err(FaultKind::NamespacesOverLimit { limit });
        }
        self.bindings.push(self.tree.declarations.len() as u32);
        self.tree.declarations.push(Declaration { prefix, uri });
        Ok(())
    }

    fn resolve(&self, prefix: &str, default: DefaultNamespace) -> Result<u32, FaultKind> {
        match (prefix, default) {
            ("", DefaultNamespace::Ignored) => return Ok(NO_NAMESPACE),
            ("xml", _) => return Ok(NAMESPACE_OF_XML),
            _ => {}
        }
        let declared = |index: &&u32| is_same(self.tree.declarations[**index as usize].prefix, prefix);
        match self.bindings.iter().rev().find(declared) {
            Some(index) if self.tree.declarations[*index as usize].uri.is_empty() => Ok(NO_NAMESPACE),
            Some(index) => Ok(*index),
            None if prefix.is_empty() => Ok(NO_NAMESPACE),
            None => Err(FaultKind::PrefixUndeclared {
                prefix: prefix.to_owned(),
            }),
        }
    }

    /// Gives the attributes from `from` on their namespaces and finds expanded names that occur twice.
    fn resolve_attributes(&mut self, from: usize, offset: usize) -> Result<usize, Problem> {
        let to = self.tree.attributes.len();
        for index in from..to {
            let prefix = self.tree.attributes[index].prefix;
            if prefix.is_empty() {
                continue;
            }
            let namespace = self
                .resolve(prefix, DefaultNamespace::Ignored)
                .map_err(|kind| kind.at(offset))?;
            self.tree.attributes[index].namespace = namespace;
            let uri = self.uri(namespace);
            let local = self.tree.attributes[index].local;
            let twice = self.tree.attributes[from..index].iter().any(|other| {
                other.local == local && !other.prefix.is_empty() && self.uri(other.namespace) == uri
            });
            if twice {
                return Err(FaultKind::AttributeRepeated {
                    name: local.to_owned(),
                }
                .at(offset));
            }
        }
        Ok(to)
    }

    fn uri(&self, namespace: u32) -> &str {
        match namespace {
            NO_NAMESPACE => "",
            NAMESPACE_OF_XML => super::XML_NAMESPACE,
            index => &self.tree.declarations[index as usize].uri,
        }
    }
}

/// How a tag that opens an element ends.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    Start,
    Empty,
}

impl Tag {
    /// Bytes of `>` or `/>`.
    fn closing_length(self) -> usize {
        match self {
            Self::Start => 1,
            Self::Empty => 2,
        }
    }
}

/// Whether the default namespace counts: for elements it does, for attributes never.
#[derive(Clone, Copy)]
enum DefaultNamespace {
    Applies,
    Ignored,
}
