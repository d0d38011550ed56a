//! What is wrong with a configuration, and where.

use std::path::PathBuf;

use super::secret::SecretFault;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigFault {
    /// Section and key: `[broker] prefetch_count`.
    pub place: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a value, a key or the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two values that cannot stand together.
    #[error("{0}")]
    Contradiction(&'static str),
    /// There is a text, and nothing in it.
    #[error("must not be empty")]
    Empty,
    /// Another kind of value.
    #[error("must be {wanted}, is {found}")]
    Kind {
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The key must be there.
    #[error("is missing")]
    Missing,
    /// There is no such file.
    #[error("there is no file {0}")]
    NoFile(PathBuf),
    /// There is no such folder.
    #[error("there is no folder {0}")]
    NoFolder(PathBuf),
    /// A secret that is not named by its place.
    #[error("a secret is named by its place: {{ file = \"…\" }} or {{ env = \"NAME\" }}")]
    NotAPlace,
    /// A secret cannot be had.
    #[error("the secret {0}")]
    Secret(SecretFault),
    /// The file is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// Nobody knows this key.
    #[error("is not a known key{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown {
        /// The known key that is nearest.
        near: Option<String>,
    },
    /// The configuration file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// Of the right kind, and not a value it may have.
    #[error("must be {wanted}, is \"{found}\"")]
    Value {
        /// What it may be.
        wanted: String,
        /// What it is.
        found: String,
    },
}
