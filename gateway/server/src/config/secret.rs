//! Secrets: where they are named in the configuration, and what holds them afterwards.
//!
//! **Invariant:** the configuration file never holds a secret, only the place of one: `{ file = "…" }` or
//! `{ env = "NAME" }`. What was read cannot be printed.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// A secret that was read from its place, or made just now.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable of this name.
    Environment(String),
    /// In a file, whose last line end does not count.
    File(PathBuf),
}

/// Why a secret could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// The place is there and holds nothing.
    #[error("holds nothing")]
    Empty,
    /// The environment has no such variable, or one that is not text.
    #[error("the environment has no {0}")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::ErrorKind,
    },
}

impl Secret {
    /// A secret that did not come from a configuration: made just now, or in a test.
    pub fn of(value: String) -> Secret {
        Secret(value.into())
    }

    /// Reads a secret from its place.
    ///
    /// # Errors
    /// [`SecretFault`].
    pub fn read(source: &SecretSource) -> Result<Secret, SecretFault> {
        let text = match source {
            SecretSource::Environment(name) => read_variable(name)?,
            SecretSource::File(path) => read_file(path)?,
        };
        let value = text.trim_end_matches(['\r', '\n']);
        if value.is_empty() {
            return Err(SecretFault::Empty);
        }
        Ok(Secret(value.to_owned().into()))
    }

    /// The secret itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[expect(clippy::disallowed_methods, reason = "only config reads the environment")]
fn read_variable(name: &str) -> Result<String, SecretFault> {
    std::env::var(name).map_err(|_| SecretFault::NoVariable(name.to_owned()))
}

fn read_file(path: &Path) -> Result<String, SecretFault> {
    let fault = |error: std::io::Error| SecretFault::Unreadable {
        path: path.to_owned(),
        error: error.kind(),
    };
    std::fs::read_to_string(path).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_end_and_is_never_printed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "m\u{1ead}t kh\u{1ea9}u \n").expect("written");
        let secret = Secret::read(&SecretSource::File(path)).expect("a secret");
        assert_eq!(secret.expose(), "m\u{1ead}t kh\u{1ea9}u ");
        assert!(!format!("{secret:?}").contains("kh\u{1ea9}u"));
    }

    #[test]
    fn a_secret_that_is_not_there_is_a_fault() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let missing = Secret::read(&SecretSource::File(path.clone())).expect_err("no file");
        assert_eq!(
            missing,
            SecretFault::Unreadable {
                path: path.clone(),
                error: std::io::ErrorKind::NotFound
            }
        );
        std::fs::write(&path, "\n").expect("written");
        assert_eq!(
            Secret::read(&SecretSource::File(path)).expect_err("empty"),
            SecretFault::Empty
        );
        let name = "GATEWAY_A_VARIABLE_THAT_NOBODY_SETS".to_owned();
        let missing = Secret::read(&SecretSource::Environment(name.clone())).expect_err("no variable");
        assert_eq!(missing, SecretFault::NoVariable(name));
    }
}
