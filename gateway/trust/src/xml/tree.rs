//! The tree itself: an arena of nodes over the source, and handles that read it.
//!
//! Stands between the parser, which alone fills it, and the readers of packets and signatures.
//!
//! **Invariant**: nodes stand in document order, a parent before its children; nothing changes after parsing.
//! **Invariant**: everything canonicalisation asks for is kept: prefixes, declarations, attribute order, resolved
//! values, comments and processing instructions, also those outside of the root.

use std::borrow::Cow;
use std::ops::Range;

use super::XML_NAMESPACE;

/// No node.
pub(super) const NONE: u32 = u32::MAX;
/// The namespace of a name without one.
pub(super) const NO_NAMESPACE: u32 = u32::MAX;
/// The namespace of the prefix `xml`, which nobody has to declare.
pub(super) const NAMESPACE_OF_XML: u32 = u32::MAX - 1;

/// A well-formed document, read from bytes it borrows.
#[derive(Debug)]
pub struct Tree<'s> {
    /// After the byte order mark.
    pub(super) source: &'s str,
    /// Bytes of the byte order mark before `source`.
    pub(super) skipped: usize,
    /// Node 0 is the document.
    pub(super) nodes: Vec<NodeData<'s>>,
    pub(super) attributes: Vec<Attribute<'s>>,
    pub(super) declarations: Vec<Declaration<'s>>,
    pub(super) root: u32,
}

#[derive(Debug)]
pub(super) struct NodeData<'s> {
    pub(super) parent: u32,
    pub(super) next: u32,
    pub(super) range: Range<u32>,
    pub(super) kind: Kind<'s>,
}

#[derive(Debug)]
pub(super) enum Kind<'s> {
    Document { first_child: u32 },
    Element(ElementData<'s>),
    Text(Cow<'s, str>),
    Comment(Cow<'s, str>),
    Instruction { target: &'s str, data: Cow<'s, str> },
}

#[derive(Debug)]
pub(super) struct ElementData<'s> {
    pub(super) prefix: &'s str,
    pub(super) local: &'s str,
    pub(super) namespace: u32,
    pub(super) attributes: Range<u32>,
    pub(super) declarations: Range<u32>,
    pub(super) first_child: u32,
    pub(super) content: Range<u32>,
}

/// An attribute that is not a namespace declaration.
#[derive(Debug)]
pub struct Attribute<'s> {
    pub(super) prefix: &'s str,
    pub(super) local: &'s str,
    pub(super) namespace: u32,
    pub(super) value: Cow<'s, str>,
}

/// A namespace declaration (`xmlns="…"` or `xmlns:prefix="…"`).
#[derive(Debug)]
pub struct Declaration<'s> {
    pub(super) prefix: &'s str,
    pub(super) uri: Cow<'s, str>,
}

impl Attribute<'_> {
    /// The prefix as written; empty when there is none.
    pub fn prefix(&self) -> &str {
        self.prefix
    }

    /// The local name.
    pub fn name(&self) -> &str {
        self.local
    }

    /// The value, references resolved and white space normalised.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl Declaration<'_> {
    /// The prefix declared; empty for the default namespace.
    pub fn prefix(&self) -> &str {
        self.prefix
    }

    /// The namespace name; empty where the default namespace is taken back.
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

/// An element of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Element<'t, 's> {
    tree: &'t Tree<'s>,
    index: u32,
}

/// A child.
#[derive(Clone, Copy, Debug)]
pub enum Node<'t, 's> {
    /// An element.
    Element(Element<'t, 's>),
    /// Text: references resolved, line ends normalised, CDATA and neighbours joined.
    Text(&'t Cow<'s, str>),
    /// What stands between `<!--` and `-->`.
    Comment(&'t str),
    /// A processing instruction.
    Instruction {
        /// Its target.
        target: &'t str,
        /// The rest, without leading white space.
        data: &'t str,
    },
}

impl<'s> Tree<'s> {
    /// The document element.
    pub fn root(&self) -> Element<'_, 's> {
        Element {
            tree: self,
            index: self.root,
        }
    }

    /// The children of the document itself: the root, and comments and processing instructions around it.
    pub fn children(&self) -> Children<'_, 's> {
        Children {
            tree: self,
            next: self.first_child(0),
        }
    }

    /// Bytes before the text that ranges count from: 3 where a byte order mark stood, else 0.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Everything from the document element down, in document order, without recursion.
    pub fn walk(&self) -> Walk<'_, 's> {
        self.root().walk()
    }

    fn node(&self, index: u32) -> &NodeData<'s> {
        &self.nodes[index as usize]
    }

    fn first_child(&self, index: u32) -> u32 {
        match &self.node(index).kind {
            Kind::Document { first_child } => *first_child,
            Kind::Element(element) => element.first_child,
            Kind::Text(_) | Kind::Comment(_) | Kind::Instruction { .. } => NONE,
        }
    }

    fn view(&self, index: u32) -> Node<'_, 's> {
        match &self.node(index).kind {
            Kind::Text(text) => Node::Text(text),
            Kind::Comment(text) => Node::Comment(text),
            Kind::Instruction { target, data } => Node::Instruction { target, data },
            Kind::Element(_) | Kind::Document { .. } => Node::Element(Element { tree: self, index }),
        }
    }

    fn namespace(&self, index: u32) -> &str {
        match index {
            NO_NAMESPACE => "",
            NAMESPACE_OF_XML => XML_NAMESPACE,
            declared => &self.declarations[declared as usize].uri,
        }
    }
}

impl PartialEq for Element<'_, '_> {
    /// Whether both are the same element of the same tree.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.index == other.index
    }
}

impl Eq for Element<'_, '_> {}

impl<'t, 's> Element<'t, 's> {
    fn data(&self) -> &'t ElementData<'s> {
        match &self.tree.node(self.index).kind {
            Kind::Element(element) => element,
            Kind::Document { .. } | Kind::Text(_) | Kind::Comment(_) | Kind::Instruction { .. } => {
                unreachable!("a handle is made for elements only")
            }
        }
    }

    /// The local name.
    pub fn name(&self) -> &'s str {
        self.data().local
    }

    /// The prefix as written; empty when there is none.
    pub fn prefix(&self) -> &'s str {
        self.data().prefix
    }

    /// The namespace name; empty when the element is in none.
    pub fn namespace(&self) -> &'t str {
        self.tree.namespace(self.data().namespace)
    }

    /// Whether this is the element of this namespace and local name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The attributes in the order written, without declarations.
    pub fn attributes(&self) -> &'t [Attribute<'s>] {
        let range = &self.data().attributes;
        &self.tree.attributes[range.start as usize..range.end as usize]
    }

    /// The value of an attribute; `namespace` is empty for one without prefix.
    pub fn attribute(&self, namespace: &str, name: &str) -> Option<&'t str> {
        self.attributes()
            .iter()
            .find(|attribute| attribute.local == name && self.attribute_namespace(attribute) == namespace)
            .map(|attribute| attribute.value.as_ref())
    }

    /// The namespace of one of this tree's attributes; empty without prefix.
    pub fn attribute_namespace(&self, attribute: &Attribute<'_>) -> &'t str {
        self.tree.namespace(attribute.namespace)
    }

    /// The namespace declarations of this element, in the order written.
    pub fn declarations(&self) -> &'t [Declaration<'s>] {
        let range = &self.data().declarations;
        &self.tree.declarations[range.start as usize..range.end as usize]
    }

    /// The parent; nothing for the root.
    pub fn parent(&self) -> Option<Self> {
        match self.tree.node(self.index).parent {
            0 | NONE => None,
            index => Some(Self {
                tree: self.tree,
                index,
            }),
        }
    }

    /// The children in document order.
    pub fn children(&self) -> Children<'t, 's> {
        Children {
            tree: self.tree,
            next: self.data().first_child,
        }
    }

    /// The children that are elements.
    pub fn elements(&self) -> impl Iterator<Item = Self> + use<'t, 's> {
        self.children().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) | Node::Instruction { .. } => None,
        })
    }

    /// The texts among the children, joined. Borrowed where there is one text that needed no change.
    pub fn text(&self) -> Cow<'t, str> {
        let mut texts = self.children().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_ref()),
            Node::Element(_) | Node::Comment(_) | Node::Instruction { .. } => None,
        });
        let Some(first) = texts.next() else {
            return Cow::Borrowed("");
        };
        let Some(second) = texts.next() else {
            return Cow::Borrowed(first);
        };
        let mut joined = String::with_capacity(first.len() + second.len());
        joined.extend([first, second].into_iter().chain(texts));
        Cow::Owned(joined)
    }

    /// Where the element stands in the bytes handed in, from `<` of its start tag to behind its end tag.
    pub fn range(&self) -> Range<usize> {
        self.place(&self.tree.node(self.index).range)
    }

    /// Where its content stands: between its tags; empty at the end of an empty-element tag.
    pub fn content_range(&self) -> Range<usize> {
        self.place(&self.data().content)
    }

    fn place(&self, range: &Range<u32>) -> Range<usize> {
        range.start as usize + self.tree.skipped..range.end as usize + self.tree.skipped
    }

    /// The element as written.
    pub fn source(&self) -> &'s str {
        let range = &self.tree.node(self.index).range;
        &self.tree.source[range.start as usize..range.end as usize]
    }

    /// Local names from the root down, joined by `/`, with `[n]` (from 1) where siblings share a name.
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut current = Some(*self);
        while let Some(element) = current {
            steps.push(element.step());
            current = element.parent();
        }
        steps.reverse();
        steps.join("/")
    }

    fn step(&self) -> String {
        let Some(parent) = self.parent() else {
            return self.name().to_owned();
        };
        let name = self.name();
        let (mut count, mut place) = (0_usize, 0);
        for sibling in parent.elements().filter(|sibling| sibling.name() == name) {
            count += 1;
            if sibling.index == self.index {
                place = count;
            }
        }
        if count > 1 {
            format!("{name}[{place}]")
        } else {
            name.to_owned()
        }
    }

    /// This element and everything in it, in document order, without recursion.
    pub fn walk(&self) -> Walk<'t, 's> {
        Walk {
            tree: self.tree,
            top: self.index,
            next: Some(Visit::Enter(self.index)),
        }
    }
}

/// The children of an element or of the document.
#[derive(Clone, Debug)]
pub struct Children<'t, 's> {
    tree: &'t Tree<'s>,
    next: u32,
}

impl<'t, 's> Iterator for Children<'t, 's> {
    type Item = Node<'t, 's>;

    fn next(&mut self) -> Option<Node<'t, 's>> {
        if self.next == NONE {
            return None;
        }
        let index = self.next;
        self.next = self.tree.node(index).next;
        Some(self.tree.view(index))
    }
}

/// One step of a walk.
#[derive(Clone, Copy, Debug)]
pub enum Step<'t, 's> {
    /// A start tag, or a node without children.
    Enter(Node<'t, 's>),
    /// An end tag.
    Leave(Element<'t, 's>),
}

/// Document order over an element.
#[derive(Clone, Debug)]
pub struct Walk<'t, 's> {
    tree: &'t Tree<'s>,
    top: u32,
    next: Option<Visit>,
}

#[derive(Clone, Copy, Debug)]
enum Visit {
    Enter(u32),
    Leave(u32),
}

impl Walk<'_, '_> {
    /// What comes behind a node that is finished.
    fn behind(&self, index: u32) -> Option<Visit> {
        if index == self.top {
            return None;
        }
        let node = self.tree.node(index);
        Some(if node.next == NONE {
            Visit::Leave(node.parent)
        } else {
            Visit::Enter(node.next)
        })
    }
}

impl<'t, 's> Iterator for Walk<'t, 's> {
    type Item = Step<'t, 's>;

    fn next(&mut self) -> Option<Step<'t, 's>> {
        match self.next? {
            Visit::Leave(index) => {
                self.next = self.behind(index);
                Some(Step::Leave(Element {
                    tree: self.tree,
                    index,
                }))
            }
            Visit::Enter(index) => {
                let view = self.tree.view(index);
                self.next = match view {
                    Node::Element(_) => Some(match self.tree.first_child(index) {
                        NONE => Visit::Leave(index),
                        child => Visit::Enter(child),
                    }),
                    Node::Text(_) | Node::Comment(_) | Node::Instruction { .. } => self.behind(index),
                };
                Some(Step::Enter(view))
            }
        }
    }
}
