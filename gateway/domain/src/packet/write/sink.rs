//! Where canonical XML is written: tags, indentation, escapes.
//!
//! Under the writer, which knows the elements and their order.
//!
//! **Invariant**: every tag opened is closed by `close` with its own name; text is escaped here and nowhere else.

use super::super::NAMESPACE;
use super::super::fault::PacketFault;

/// Prefix of what stands in the envelope.
const PREFIX: &str = "edXML:";

/// XML being written.
pub(super) struct Sink {
    out: String,
    /// Open elements with their prefix, outermost first.
    open: Vec<(&'static str, String)>,
    /// What children are prefixed with: nothing inside `AttachmentEncoded`.
    prefix: &'static str,
    fault: Option<PacketFault>,
}

impl Sink {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            open: Vec::new(),
            prefix: PREFIX,
            fault: None,
        }
    }

    /// Writes everything down to the open `edXMLHeader`.
    pub(super) fn begin_header(&mut self) {
        self.out
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<edXML xmlns=\"");
        self.out.push_str(NAMESPACE);
        self.out.push_str("\">\n");
        self.open.push(("", "edXML".to_owned()));
        self.open_with("edXMLEnvelope", &format!(" xmlns:edXML=\"{NAMESPACE}\""));
        self.open("edXMLHeader");
    }

    pub(super) fn open(&mut self, name: &str) {
        self.open_with(name, "");
    }

    /// Opens an element with attributes, written as they stand.
    pub(super) fn open_with(&mut self, name: &str, attributes: &str) {
        self.indent();
        for part in ["<", self.prefix, name, attributes, ">\n"] {
            self.out.push_str(part);
        }
        self.open.push((self.prefix, name.to_owned()));
    }

    /// Opens an element from which on nothing is prefixed.
    pub(super) fn open_bare(&mut self, name: &str) {
        self.prefix = "";
        self.open(name);
    }

    pub(super) fn close(&mut self) {
        let (prefix, name) = self.open.pop().expect("as many close as open");
        self.indent();
        for part in ["</", prefix, name.as_str(), ">\n"] {
            self.out.push_str(part);
        }
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, "", text);
    }

    /// Writes a leaf unless there is nothing.
    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    /// Writes a `ContentId` under the scheme that references it.
    pub(super) fn content_id(&mut self, content_id: &str) {
        // An absent id stays absent: `cid:` alone would be read as one that is empty, which is the same.
        self.leaf_with("ContentId", "cid:", content_id);
    }

    fn leaf_with(&mut self, name: &str, scheme: &str, text: &str) {
        self.indent();
        for part in ["<", self.prefix, name, ">", scheme] {
            self.out.push_str(part);
        }
        self.text(name, text);
        for part in ["</", self.prefix, name, ">\n"] {
            self.out.push_str(part);
        }
    }

    /// Writes a leaf that declares the prefix for itself; its content needs no escapes.
    pub(super) fn prefixed_leaf(&mut self, name: &str, content: impl FnOnce(&mut String)) {
        self.indent();
        for part in ["<", PREFIX, name, " xmlns:edXML=\"", NAMESPACE, "\">"] {
            self.out.push_str(part);
        }
        content(&mut self.out);
        for part in ["</", PREFIX, name, ">\n"] {
            self.out.push_str(part);
        }
    }

    /// Closes the root.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, PacketFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.close();
        assert!(self.open.is_empty(), "the root is the last element open");
        Ok(self.out.into_bytes())
    }

    fn indent(&mut self) {
        for _ in &self.open {
            self.out.push_str("  ");
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                // Only `]]>` has to be broken; breaking each is simpler and what canonical XML does.
                '>' => self.out.push_str("&gt;"),
                // A bare one would be read back as a line feed.
                '\r' => self.out.push_str("&#13;"),
                other if trust::xml::is_character(other) => self.out.push(other),
                other => self.unwritable(name, other),
            }
        }
    }

    /// Gives the packet up: this cannot be an element's name here.
    pub(super) fn refuse_name(&mut self, name: &str) {
        let element = self.path(name);
        self.fault.get_or_insert(PacketFault::NameUnwritable { element });
    }

    fn unwritable(&mut self, name: &str, character: char) {
        let element = self.path(name);
        let code_point = u32::from(character);
        self.fault
            .get_or_insert(PacketFault::CharacterUnwritable { element, code_point });
    }

    fn path(&self, name: &str) -> String {
        let names = self.open.iter().map(|(_, name)| name.as_str()).chain([name]);
        names.collect::<Vec<_>>().join("/")
    }
}
