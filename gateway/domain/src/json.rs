//! Canonical JSON: how events and receipts are written, and how they are read back strictly.
//!
//! Objects sorted by key, integers and strings only, no blanks: the bytes are a function of the value (a subset of
//! RFC 8785, whose order equals ours for ASCII keys).
//!
//! **Invariant:** reading takes nothing for granted: a missing or ill-typed field is an error that names it.

use std::str::FromStr;

use serde_json::{Map, Value};
use trust::Time;

/// What is wrong with a stored or received JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// A field that must be there is not.
    #[error("field {0} is missing")]
    Missing(&'static str),
    /// Not JSON at all, or not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A format version that this build does not know.
    #[error("format version {0} is not known")]
    Version(i64),
    /// A field is there and is not what it must be.
    #[error("field {0} is not of its kind")]
    Wrong(&'static str),
}

/// A JSON object under construction.
#[derive(Debug, Default)]
pub struct Writer(Map<String, Value>);

impl Writer {
    /// An empty object.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// With a text field.
    #[must_use]
    pub fn text(mut self, key: &str, value: impl ToString) -> Writer {
        self.0.insert(key.to_owned(), Value::String(value.to_string()));
        self
    }

    /// With a text field when there is a value; without the field otherwise.
    #[must_use]
    pub fn maybe(self, key: &str, value: Option<impl ToString>) -> Writer {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// With an integer field.
    #[must_use]
    pub fn number(mut self, key: &str, value: i64) -> Writer {
        self.0.insert(key.to_owned(), Value::from(value));
        self
    }

    /// With a truth value.
    #[must_use]
    pub fn flag(mut self, key: &str, value: bool) -> Writer {
        self.0.insert(key.to_owned(), Value::Bool(value));
        self
    }

    /// With a time, in microseconds since 1970 UTC.
    #[must_use]
    pub fn time(self, key: &str, value: Time) -> Writer {
        self.number(key, value.as_micros())
    }

    /// With a list.
    #[must_use]
    pub fn list(mut self, key: &str, values: impl IntoIterator<Item = Value>) -> Writer {
        self.0
            .insert(key.to_owned(), Value::Array(values.into_iter().collect()));
        self
    }

    /// With a value made elsewhere.
    #[must_use]
    pub fn value(mut self, key: &str, value: Value) -> Writer {
        self.0.insert(key.to_owned(), value);
        self
    }

    /// The object as a value.
    pub fn end(self) -> Value {
        Value::Object(self.0)
    }
}

/// A text as a list element.
pub fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

/// A JSON object being read.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a Map<String, Value>);

impl<'a> Reader<'a> {
    /// Reads a value that must be an object.
    ///
    /// # Errors
    /// [`JsonFault::NotAnObject`].
    pub fn new(value: &'a Value) -> Result<Reader<'a>, JsonFault> {
        value.as_object().map(Reader).ok_or(JsonFault::NotAnObject)
    }

    /// The text under `key`.
    ///
    /// # Errors
    /// [`JsonFault::Missing`] or [`JsonFault::Wrong`], naming the key.
    pub fn str(&self, key: &'static str) -> Result<&'a str, JsonFault> {
        self.0
            .get(key)
            .ok_or(JsonFault::Missing(key))?
            .as_str()
            .ok_or(JsonFault::Wrong(key))
    }

    /// The id or other parsed text under `key`.
    ///
    /// # Errors
    /// As [`Reader::str`]; [`JsonFault::Wrong`] also when it does not parse.
    pub fn parse<T: FromStr>(&self, key: &'static str) -> Result<T, JsonFault> {
        self.str(key)?.parse().map_err(|_| JsonFault::Wrong(key))
    }

    /// The parsed text under `key`, if the key is there.
    ///
    /// # Errors
    /// [`JsonFault::Wrong`] when it is there and does not parse.
    pub fn maybe<T: FromStr>(&self, key: &'static str) -> Result<Option<T>, JsonFault> {
        if self.0.contains_key(key) {
            self.parse(key).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The integer under `key`.
    ///
    /// # Errors
    /// [`JsonFault::Missing`] or [`JsonFault::Wrong`], naming the key.
    pub fn number(&self, key: &'static str) -> Result<i64, JsonFault> {
        self.0
            .get(key)
            .ok_or(JsonFault::Missing(key))?
            .as_i64()
            .ok_or(JsonFault::Wrong(key))
    }

    /// The truth value under `key`.
    ///
    /// # Errors
    /// [`JsonFault::Missing`] or [`JsonFault::Wrong`], naming the key.
    pub fn flag(&self, key: &'static str) -> Result<bool, JsonFault> {
        let value = self.0.get(key).ok_or(JsonFault::Missing(key))?;
        value.as_bool().ok_or(JsonFault::Wrong(key))
    }

    /// The time under `key` (microseconds since 1970 UTC).
    ///
    /// # Errors
    /// As [`Reader::number`].
    pub fn time(&self, key: &'static str) -> Result<Time, JsonFault> {
        self.number(key).map(Time::from_micros)
    }

    /// The time under `key`, if the key is there.
    ///
    /// # Errors
    /// [`JsonFault::Wrong`] when it is there and is not an integer.
    pub fn maybe_time(&self, key: &'static str) -> Result<Option<Time>, JsonFault> {
        if self.0.contains_key(key) {
            self.time(key).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The list under `key`.
    ///
    /// # Errors
    /// [`JsonFault::Missing`] or [`JsonFault::Wrong`], naming the key.
    pub fn list(&self, key: &'static str) -> Result<&'a [Value], JsonFault> {
        let list = self.0.get(key).ok_or(JsonFault::Missing(key))?;
        list.as_array().map(Vec::as_slice).ok_or(JsonFault::Wrong(key))
    }

    /// The list of objects under `key`, each read by `read`.
    ///
    /// # Errors
    /// As [`Reader::list`], and whatever `read` says.
    pub fn objects<T>(
        &self,
        key: &'static str,
        read: impl Fn(Reader<'a>) -> Result<T, JsonFault>,
    ) -> Result<Vec<T>, JsonFault> {
        self.list(key)?
            .iter()
            .map(|value| read(Reader::new(value)?))
            .collect()
    }

    /// The list of parsed texts under `key`.
    ///
    /// # Errors
    /// As [`Reader::list`]; [`JsonFault::Wrong`] when an element does not parse.
    pub fn texts<T: FromStr>(&self, key: &'static str) -> Result<Vec<T>, JsonFault> {
        let one = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        self.list(key)?
            .iter()
            .map(|value| one(value).ok_or(JsonFault::Wrong(key)))
            .collect()
    }

    /// The object under `key`.
    ///
    /// # Errors
    /// [`JsonFault::Missing`] or [`JsonFault::NotAnObject`].
    pub fn object(&self, key: &'static str) -> Result<Reader<'a>, JsonFault> {
        Reader::new(self.0.get(key).ok_or(JsonFault::Missing(key))?)
    }

    /// All keys and values, for open maps.
    pub fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_whatever_the_order_of_writing() {
        let one = Writer::new().text("b", "x").number("a", 1).end().to_string();
        let other = Writer::new().number("a", 1).text("b", "x").end().to_string();
        assert_eq!(one, r#"{"a":1,"b":"x"}"#);
        assert_eq!(
            one, other,
            "serde_json's preserve_order must stay off in the whole workspace"
        );
    }

    #[test]
    fn a_missing_or_wrong_field_is_named() {
        let value = Writer::new().text("a", "x").end();
        let reader = Reader::new(&value).expect("an object");
        assert_eq!(reader.number("a"), Err(JsonFault::Wrong("a")));
        assert_eq!(reader.str("b"), Err(JsonFault::Missing("b")));
        assert_eq!(Reader::new(&Value::Null).err(), Some(JsonFault::NotAnObject));
    }
}
