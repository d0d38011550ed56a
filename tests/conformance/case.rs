//! One case of a suite: its fields, its files, and what may be answered to it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use trust::Time;

/// The time at which integrity is asked for: no algorithm of the policy ends before it.
const NOW: &str = "2026-01-01T00:00:00Z";

/// What `trust` says of a case.
pub(crate) enum Answer {
    /// Good.
    Passed,
    /// Proven to be revoked.
    Revoked,
    /// The answer says that it does not know.
    Unknown,
    /// A file without signatures.
    Unsigned,
    /// Not good, and why.
    Refused(String),
    /// A question that it does not answer, and which.
    Unsupported(&'static str),
}

/// A case as it stands in `cases.json`; its files are below `folder`.
pub(crate) struct Case<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) value: &'a Value,
}

impl<'a> Case<'a> {
    pub(crate) fn text(&self, key: &str) -> Result<&'a str, String> {
        self.maybe_text(key).ok_or_else(|| format!("no {key}"))
    }

    /// The text, or `None` where the field is null or absent.
    pub(crate) fn maybe_text(&self, key: &str) -> Option<&'a str> {
        self.value[key].as_str()
    }

    /// The content of the file that a field names.
    pub(crate) fn file(&self, key: &str) -> Result<Vec<u8>, String> {
        self.read(self.text(key)?)
    }

    /// The same, or `None` where the field is null or absent.
    pub(crate) fn maybe_file(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.maybe_text(key).map(|name| self.read(name)).transpose()
    }

    /// The files of a list of names; an absent list is empty.
    pub(crate) fn files(&self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let names = self.value[key].as_array().map_or(&[][..], Vec::as_slice);
        names
            .iter()
            .map(|name| self.read(name.as_str().ok_or_else(|| format!("{key}: no name"))?))
            .collect()
    }

    /// The octets that a field gives in hexadecimal digits.
    pub(crate) fn octets(&self, key: &str) -> Result<Vec<u8>, String> {
        let digits = self.text(key)?;
        let pairs = (0..digits.len()).step_by(2).map(|at| {
            let pair = digits.get(at..at + 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        pairs
            .collect::<Option<_>>()
            .ok_or_else(|| format!("{key}: no hex"))
    }

    /// `at`, the time of the question.
    pub(crate) fn time(&self) -> Result<Time, String> {
        self.text("at")?.parse().map_err(|error| format!("at: {error}"))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        fs::read(self.folder.join(name)).map_err(|error| format!("{name}: {error}"))
    }
}

/// The time at which integrity is asked for.
pub(crate) fn now() -> Result<Time, String> {
    NOW.parse().map_err(|error| format!("{NOW}: {error}"))
}
