//! Reads one section of the configuration key by key, and goes on after a fault, so that all of them are told at once.
//!
//! `serde` stops at the first fault of a section; an operator who mends one at a time restarts ten times.
//!
//! **Invariant:** a key that nobody asked for is a fault: [`Section::end`] says so of everything that is left.
//! **Invariant:** a key with a fault reads as its default, so that reading goes on; the faults decide in the end.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::{Table, Value};

use super::fault::{ConfigFault, Problem};
use super::secret::{Secret, SecretSource};

/// One section while it is read.
#[derive(Debug)]
pub(super) struct Section<'a> {
    name: &'a str,
    table: Table,
    asked: Vec<&'static str>,
    folder: &'a Path,
    faults: &'a mut Vec<ConfigFault>,
}

impl<'a> Section<'a> {
    /// Begins to read. Relative paths count from `folder`, where the configuration file stands.
    pub(super) fn new(
        name: &'a str,
        table: Table,
        folder: &'a Path,
        faults: &'a mut Vec<ConfigFault>,
    ) -> Section<'a> {
        Section {
            name,
            table,
            asked: Vec::new(),
            folder,
            faults,
        }
    }

    /// The section of this name in `root`; empty when it is not there. A value that is no section is a fault.
    pub(super) fn of(
        root: &mut Table,
        name: &'a str,
        folder: &'a Path,
        faults: &'a mut Vec<ConfigFault>,
    ) -> Section<'a> {
        let table = match root.remove(name) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                let problem = Problem::Kind {
                    wanted: "a section",
                    found: other.type_str(),
                };
                faults.push(ConfigFault {
                    place: format!("[{name}]"),
                    problem,
                });
                Table::new()
            }
        };
        Section::new(name, table, folder, faults)
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The section of this table within this one; `name` is its full name.
    pub(super) fn nested<'b>(&'b mut self, name: &'b str, table: Table) -> Section<'b> {
        Section::new(name, table, self.folder, self.faults)
    }

    /// A section within this one, if it is there.
    pub(super) fn inner(&mut self, key: &'static str) -> Option<Table> {
        let value = self.take(key)?;
        if let Value::Table(table) = value {
            return Some(table);
        }
        self.wrong_kind(key, "a section", &value);
        None
    }

    /// A text; `None` when it is not there.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key)?;
        if let Value::String(text) = value {
            return Some(text);
        }
        self.wrong_kind(key, "a text", &value);
        None
    }

    /// A text that holds something; `None` when it is not there.
    pub(super) fn words(&mut self, key: &'static str) -> Option<String> {
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.fault(key, Problem::Empty);
        }
        Some(text)
    }

    /// A text that must be there and hold something.
    pub(super) fn needed(&mut self, key: &'static str) -> String {
        self.note_missing(key);
        self.words(key).unwrap_or_default()
    }

    /// A text that parses to a `T`; `wanted` says in words what that is.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &'static str, wanted: &'static str) -> Option<T> {
        let text = self.text(key)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.fault(
                key,
                Problem::Value {
                    wanted: wanted.to_owned(),
                    found: text,
                },
            );
        }
        value
    }

    /// One word of a closed list.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(key) else {
            return default;
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => *value,
            None => {
                let wanted = words
                    .iter()
                    .map(|(word, _)| *word)
                    .collect::<Vec<_>>()
                    .join(" | ");
                self.fault(key, Problem::Value { wanted, found: text });
                default
            }
        }
    }

    /// A whole number within a range.
    pub(super) fn number<T>(&mut self, key: &'static str, range: RangeInclusive<T>, default: T) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let number = match self.take(key) {
            None => return default,
            Some(Value::Integer(number)) => number,
            Some(other) => {
                self.wrong_kind(key, "a whole number", &other);
                return default;
            }
        };
        match T::try_from(number).ok().filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                let wanted = format!("{} .. {}", range.start(), range.end());
                self.fault(
                    key,
                    Problem::Value {
                        wanted,
                        found: number.to_string(),
                    },
                );
                default
            }
        }
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Boolean(value)) => value,
            Some(other) => {
                self.wrong_kind(key, "true or false", &other);
                default
            }
        }
    }

    /// A list of texts; empty when it is not there.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let list = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.wrong_kind(key, "a list of texts", &other);
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(list.len());
        for value in list {
            if let Value::String(text) = value {
                texts.push(text);
            } else {
                self.wrong_kind(key, "a list of texts", &value);
            }
        }
        texts
    }

    /// A path, made absolute from the folder of the configuration file.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(|text| self.folder.join(text))
    }

    /// A path that must be named.
    pub(super) fn needed_path(&mut self, key: &'static str) -> PathBuf {
        let text = self.needed(key);
        self.folder.join(text)
    }

    /// A file that is there, if it is named.
    pub(super) fn file(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = self.path(key)?;
        if !path.is_file() {
            self.fault(key, Problem::NoFile(path.clone()));
        }
        Some(path)
    }

    /// The secret `password`, which must be there.
    pub(super) fn needed_secret(&mut self) -> Secret {
        self.note_missing("password");
        self.secret("password")
            .unwrap_or_else(|| Secret::of(String::new()))
    }

    /// A file that must be named and be there.
    pub(super) fn needed_file(&mut self, key: &'static str) -> PathBuf {
        self.note_missing(key);
        self.file(key).unwrap_or_default()
    }

    /// A folder that is there, if it is named.
    pub(super) fn folder(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = self.path(key)?;
        if !path.is_dir() {
            self.fault(key, Problem::NoFolder(path.clone()));
        }
        Some(path)
    }

    /// A folder that must be named and be there.
    pub(super) fn needed_folder(&mut self, key: &'static str) -> PathBuf {
        self.note_missing(key);
        self.folder(key).unwrap_or_default()
    }

    /// A secret, read from where the configuration says it stands: `{ file = "…" }` or `{ env = "NAME" }`.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<Secret> {
        let value = self.take(key)?;
        let Some(source) = self.source(&value) else {
            self.fault(key, Problem::NotAPlace);
            return None;
        };
        match Secret::read(&source) {
            Ok(secret) => Some(secret),
            Err(fault) => {
                self.fault(key, Problem::Secret(fault));
                None
            }
        }
    }

    fn source(&self, value: &Value) -> Option<SecretSource> {
        let table = value.as_table().filter(|table| table.len() == 1)?;
        let (kind, place) = table.iter().next()?;
        match (kind.as_str(), place.as_str()?) {
            ("file", path) => Some(SecretSource::File(self.folder.join(path))),
            ("env", name) => Some(SecretSource::Environment(name.to_owned())),
            _ => None,
        }
    }

    /// Notes that the value of a key will not do.
    pub(super) fn fault(&mut self, key: &str, problem: Problem) {
        self.faults.push(ConfigFault {
            place: format!("[{}] {key}", self.name),
            problem,
        });
    }

    /// Ends the section: every key that nobody asked for is unknown.
    pub(super) fn end(mut self) {
        for key in std::mem::take(&mut self.table).keys() {
            let near = nearest(key, &self.asked).map(str::to_owned);
            self.fault(key, Problem::Unknown { near });
        }
    }

    fn note_missing(&mut self, key: &'static str) {
        if !self.has(key) {
            self.fault(key, Problem::Missing);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.table.remove(key)
    }

    fn wrong_kind(&mut self, key: &str, wanted: &'static str, found: &Value) {
        self.fault(
            key,
            Problem::Kind {
                wanted,
                found: found.type_str(),
            },
        );
    }
}

/// The known word that an unknown one was probably meant to be: at most two letters away.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|one| (distance(word, one), *one)).min()?;
    (near.0 <= 2).then_some(near.1)
}

/// How many letters must be put in, taken out or changed to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_told_what_it_was_meant_to_be() {
        let known = ["prefetch_count", "prefetch_bytes_max"];
        assert_eq!(nearest("prefetch_cuont", &known), Some("prefetch_count"));
        assert_eq!(nearest("prefetch_bytes", &known), None);
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(
            (
                distance("", "abc"),
                distance("abc", "abc"),
                distance("kitten", "sitting")
            ),
            (3, 0, 3)
        );
    }
}
