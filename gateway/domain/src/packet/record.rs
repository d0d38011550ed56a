//! Fields laid out so that a digest over them is a digest over what they mean.

use trust::Digest;

/// Fields one after another, each under its length, so that no two lists of fields give the same bytes.
pub(super) struct Record {
    bytes: Vec<u8>,
}

impl Record {
    pub(super) fn new(purpose: &str) -> Self {
        let mut record = Self {
            bytes: Vec::with_capacity(256),
        };
        record.text(purpose);
        record
    }

    pub(super) fn count(&mut self, count: usize) {
        let count = u64::try_from(count).expect("a usize has at most 64 bits");
        self.bytes.extend_from_slice(&count.to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A text that may be missing, which is something else than an empty one.
    pub(super) fn optional(&mut self, text: Option<&str>) {
        self.count(usize::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    /// Bytes of a length that never differs at this place.
    pub(super) fn fixed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}
