//! Bytes into a tree.
//!
//! The first thing that happens to what somebody sent. `quick-xml` cuts the bytes into tokens; everything it lets pass
//! and XML does not (names, characters, attributes, end tags, what stands around the root) is judged here.
//!
//! **Invariant**: limits are checked before the memory they protect is taken.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Limits;
use super::character::{find_forbidden, is_name, is_same, is_space, resolve};
use super::fault::{Fault, FaultKind, Problem};
use super::start::Tag;
use super::tag::{Scanner, normalise_line_ends};
use super::token::{check_declaration, classify};
use super::tree::{Kind, NAMESPACE_OF_XML, NONE, NodeData, Tree};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl<'s> Tree<'s> {
    /// Reads a document.
    ///
    /// # Errors
    /// The first `Fault`: not UTF-8, not well-formed, truncated, with a DOCTYPE, or over a limit.
    pub fn parse(bytes: &'s [u8], limits: &Limits) -> Result<Self, Fault> {
        let skipped = if bytes.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        let fault = |problem: Problem, element: String| Fault {
            line: 1 + memchr::memchr_iter(b'\n', &bytes[..(problem.offset + skipped).min(bytes.len())])
                .count(),
            kind: problem.kind,
            offset: problem.offset + skipped,
            element,
        };
        let bytes_max = limits.bytes_max.min(NAMESPACE_OF_XML as usize - 1);
        if bytes.len() > bytes_max {
            return Err(fault(
                FaultKind::BytesOverLimit { limit: bytes_max }.at(0),
                String::new(),
            ));
        }
        if bytes.starts_with(b"\xFE\xFF") || bytes.starts_with(b"\xFF\xFE") {
            let kind = FaultKind::EncodingUnsupported {
                name: "UTF-16".to_owned(),
            };
            return Err(fault(kind.at(0), String::new()));
        }
        let body = &bytes[skipped..];
        let (source, bad) = match std::str::from_utf8(body) {
            Ok(source) => (source, None),
            Err(error) => {
                let good = std::str::from_utf8(&body[..error.valid_up_to()]).expect("valid up to here");
                // Cut in the middle of a character: the end is what is wrong, and the parser says it better.
                let cut = error.error_len().is_none();
                (
                    good,
                    Some(
                        if cut {
                            FaultKind::Truncated
                        } else {
                            FaultKind::NotUtf8
                        }
                        .at(good.len()),
                    ),
                )
            }
        };
        let (source, bad) = match find_forbidden(source) {
            Some((at, code_point)) => (
                &source[..at],
                Some(FaultKind::CharacterForbidden { code_point }.at(at)),
            ),
            None => (source, bad),
        };
        let mut builder = Builder::new(source, skipped, limits);
        let outcome = builder.read();
        match (outcome, bad) {
            (Ok(()), None) => Ok(builder.tree),
            // A bad byte ends the text early: the place it is in is the fault, unless something before was wrong.
            (Ok(()), Some(bad)) => Err(fault(bad, String::new())),
            (
                Err(Problem {
                    kind: FaultKind::Truncated | FaultKind::NoElement,
                    ..
                }),
                Some(bad),
            ) => Err(fault(bad, builder.open_path())),
            (Err(problem), _) => Err(fault(problem, builder.open_path())),
        }
    }
}

/// An element whose end tag has not come.
pub(super) struct Open {
    pub(super) node: u32,
    pub(super) last_child: u32,
    /// How many bindings were in scope before its own.
    pub(super) bindings: usize,
}

/// Text that may go on with the next token.
struct Pending<'s> {
    range: Range<usize>,
    text: Cow<'s, str>,
}

/// A tree being read.
pub(super) struct Builder<'s, 'l> {
    pub(super) tree: Tree<'s>,
    pub(super) limits: &'l Limits,
    /// The document, then the open elements.
    pub(super) open: Vec<Open>,
    /// Indices into `tree.declarations`, innermost last.
    pub(super) bindings: Vec<u32>,
    pending: Option<Pending<'s>>,
}

impl<'s, 'l> Builder<'s, 'l> {
    fn new(source: &'s str, skipped: usize, limits: &'l Limits) -> Self {
        let document = NodeData {
            parent: NONE,
            next: NONE,
            range: 0..source.len() as u32,
            kind: Kind::Document { first_child: NONE },
        };
        let mut nodes = Vec::with_capacity((source.len() / 64).clamp(16, 512));
        nodes.push(document);
        let tree = Tree {
            source,
            skipped,
            nodes,
            attributes: Vec::new(),
            declarations: Vec::new(),
            root: NONE,
        };
        let open = vec![Open {
            node: 0,
            last_child: NONE,
            bindings: 0,
        }];
        Self {
            tree,
            limits,
            open,
            bindings: Vec::new(),
            pending: None,
        }
    }

    /// Local names of the open elements, root first.
    fn open_path(&self) -> String {
        let names: Vec<&str> = self.open[1..]
            .iter()
            .filter_map(|open| match &self.tree.nodes[open.node as usize].kind {
                Kind::Element(element) => Some(element.local),
                Kind::Document { .. } | Kind::Text(_) | Kind::Comment(_) | Kind::Instruction { .. } => None,
            })
            .collect();
        names.join("/")
    }

    fn read(&mut self) -> Result<(), Problem> {
        let source = self.tree.source;
        // quick-xml would swallow a second byte order mark.
        if source.starts_with('\u{FEFF}') {
            return Err(FaultKind::StrayBefore.at(0));
        }
        let mut reader = Reader::from_str(source);
        // Ours to judge: names of end tags need no second stack of copies.
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let mut start = 0;
        loop {
            let event = reader.read_event();
            let end = usize::try_from(reader.buffer_position())
                .unwrap_or(source.len())
                .min(source.len());
            let event = event.map_err(|error| classify(&error, source, start, end))?;
            let at_end = matches!(event, Event::Eof);
            self.token(&event, start..end)?;
            if at_end {
                return Ok(());
            }
            start = end;
        }
    }

    fn token(&mut self, event: &Event<'s>, range: Range<usize>) -> Result<(), Problem> {
        let source = self.tree.source;
        let raw = &source[range.clone()];
        match event {
            Event::Text(_) => return self.text(range),
            Event::CData(_) => {
                let inside = &raw["<![CDATA[".len()..raw.len() - "]]>".len()];
                return self.add_text(normalise_line_ends(inside), range);
            }
            Event::GeneralRef(_) => {
                let name = &raw[1..raw.len() - 1];
                let character = resolve(name).map_err(|kind| kind.at(range.start))?;
                return self.add_text(Cow::Owned(character.to_string()), range);
            }
            Event::Start(_)
            | Event::Empty(_)
            | Event::End(_)
            | Event::Comment(_)
            | Event::PI(_)
            | Event::Decl(_)
            | Event::DocType(_)
            | Event::Eof => self.flush_text()?,
        }
        match event {
            Event::Start(_) => self.start(range, Tag::Start),
            Event::Empty(_) => self.start(range, Tag::Empty),
            Event::End(_) => self.end(range),
            Event::Comment(_) => self.comment(range),
            Event::PI(_) => self.instruction(range),
            Event::Decl(_) => check_declaration(raw, range.start, self.limits),
            Event::DocType(_) => Err(FaultKind::DocumentTypeForbidden.at(range.start)),
            Event::Eof if self.open.len() > 1 => Err(FaultKind::Truncated.at(source.len())),
            Event::Eof if self.tree.root == NONE => Err(FaultKind::NoElement.at(source.len())),
            Event::Eof | Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => Ok(()),
        }
    }

    /// What anything but white space is at the top level.
    fn stray(&self) -> FaultKind {
        if self.tree.root == NONE {
            FaultKind::StrayBefore
        } else {
            FaultKind::StrayAfter
        }
    }

    fn text(&mut self, range: Range<usize>) -> Result<(), Problem> {
        let source = self.tree.source;
        let raw = &source[range.clone()];
        if self.open.len() == 1 {
            return match raw.bytes().position(|byte| !is_space(byte)) {
                Some(at) => Err(self.stray().at(range.start + at)),
                None => Ok(()),
            };
        }
        if let Some(at) = memchr::memmem::find(raw.as_bytes(), b"]]>") {
            return Err(FaultKind::TextMalformed.at(range.start + at));
        }
        self.add_text(normalise_line_ends(raw), range)
    }

    fn add_text(&mut self, text: Cow<'s, str>, range: Range<usize>) -> Result<(), Problem> {
        if self.open.len() == 1 {
            return Err(self.stray().at(range.start));
        }
        match &mut self.pending {
            Some(pending) => {
                pending.text.to_mut().push_str(&text);
                pending.range.end = range.end;
            }
            None if text.is_empty() => {}
            None => self.pending = Some(Pending { range, text }),
        }
        Ok(())
    }

    fn flush_text(&mut self) -> Result<(), Problem> {
        match self.pending.take() {
            Some(pending) => self.append(Kind::Text(pending.text), pending.range).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Adds a node behind the last child of the innermost open element.
    pub(super) fn append(&mut self, kind: Kind<'s>, range: Range<usize>) -> Result<u32, Problem> {
        let taken = self.tree.nodes.len() + self.tree.attributes.len() + self.tree.declarations.len();
        if taken > self.limits.nodes_max {
            return Err(FaultKind::NodesOverLimit {
                limit: self.limits.nodes_max,
            }
            .at(range.start));
        }
        let index = self.tree.nodes.len() as u32;
        let open = self.open.last_mut().expect("the document is never closed");
        let before = std::mem::replace(&mut open.last_child, index);
        let parent = open.node;
        if before == NONE {
            match &mut self.tree.nodes[parent as usize].kind {
                Kind::Document { first_child } => *first_child = index,
                Kind::Element(element) => element.first_child = index,
                Kind::Text(_) | Kind::Comment(_) | Kind::Instruction { .. } => {
                    unreachable!("only the document and elements are open")
                }
            }
        } else {
            self.tree.nodes[before as usize].next = index;
        }
        let range = range.start as u32..range.end as u32;
        self.tree.nodes.push(NodeData {
            parent,
            next: NONE,
            range,
            kind,
        });
        Ok(index)
    }

    fn comment(&mut self, range: Range<usize>) -> Result<(), Problem> {
        let source = self.tree.source;
        let inside = &source[range.start + "<!--".len()..range.end - "-->".len()];
        if inside.contains("--") || inside.ends_with('-') {
            return Err(FaultKind::MarkupMalformed.at(range.start));
        }
        self.append(Kind::Comment(normalise_line_ends(inside)), range)
            .map(|_| ())
    }

    fn instruction(&mut self, range: Range<usize>) -> Result<(), Problem> {
        let source = self.tree.source;
        let inside = &source[range.start + "<?".len()..range.end - "?>".len()];
        let length = inside.bytes().position(is_space).unwrap_or(inside.len());
        let (target, data) = inside.split_at(length);
        if !is_name(target) || target.eq_ignore_ascii_case("xml") || target.len() > self.limits.name_bytes_max
        {
            return Err(FaultKind::MarkupMalformed.at(range.start));
        }
        let data = normalise_line_ends(data.trim_start_matches([' ', '\t', '\r', '\n']));
        self.append(Kind::Instruction { target, data }, range).map(|_| ())
    }

    fn end(&mut self, range: Range<usize>) -> Result<(), Problem> {
        let source = self.tree.source;
        let inside = &source[range.start + "</".len()..range.end - 1];
        let mut scanner = Scanner::new(inside, range.start + 2, self.limits);
        let found = scanner.name()?;
        scanner.finish()?;
        if self.open.len() == 1 {
            return Err(self.stray().at(range.start));
        }
        let open = self.open.last().expect("more than the document is open");
        let node = &mut self.tree.nodes[open.node as usize];
        let Kind::Element(element) = &mut node.kind else {
            unreachable!("only elements are opened")
        };
        if !is_same(element.prefix, found.0) || !is_same(element.local, found.1) {
            return Err(FaultKind::EndTagMismatched {
                found: inside.trim_end().to_owned(),
            }
            .at(range.start));
        }
        element.content.end = range.start as u32;
        node.range.end = range.end as u32;
        self.bindings.truncate(open.bindings);
        self.open.pop();
        Ok(())
    }
}
