//! The file that new passwords go into, instead of a terminal.
//!
//! **Invariant:** it is made, empty and for its owner only, before the order that gives passwords out, so that no
//! account gets a password that nobody can read. One that stays without passwords is taken away again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{CommandFault, create_private};
use crate::http::view::{OpenedView, ReportView};

/// A file that waits for passwords.
#[derive(Debug)]
pub(super) struct PasswordFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl PasswordFile {
    /// Makes the file. One that is there already is never overwritten.
    pub(super) fn create(path: &Path) -> Result<PasswordFile, CommandFault> {
        Ok(PasswordFile {
            path: path.to_owned(),
            file: create_private(path)?,
            is_kept: false,
        })
    }

    /// Moves the passwords of a report into the file; without any the file goes. The report has none afterwards,
    /// also when they could not be written.
    pub(super) fn take(mut self, report: &mut ReportView) -> Result<Option<PathBuf>, CommandFault> {
        let is_one = report.import.is_none() && report.opened.len() == 1;
        let form = if is_one { Form::Plain } else { Form::Table };
        self.write(&mut report.opened, form)?;
        Ok(self.is_kept.then(|| self.path.clone()))
    }

    /// Moves these passwords into the file, behind those that are in it; those that were moved already are passed over.
    pub(super) fn write(&mut self, opened: &mut [OpenedView], form: Form) -> Result<(), CommandFault> {
        let opened: Vec<&mut OpenedView> = opened.iter_mut().filter(|one| !one.password.is_empty()).collect();
        if opened.is_empty() {
            return Ok(());
        }
        let mut text = match form {
            Form::Table if !self.is_kept => "account,password,agency\n".to_owned(),
            Form::Table | Form::Plain => String::new(),
        };
        let mut accounts = Vec::new();
        for one in opened {
            text.push_str(&match form {
                Form::Table => row(one),
                Form::Plain => format!("{}\n", one.password),
            });
            accounts.push(one.account.clone());
            one.password.clear();
        }
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_all());
        written.map_err(|error| CommandFault::PasswordsLost {
            path: self.path.clone(),
            accounts: accounts.join(" "),
            error,
        })?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for PasswordFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // An empty file that cannot be removed harms nobody; what matters was told already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// How passwords stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The only one, and nothing else.
    Plain,
    /// CSV with account and agency.
    Table,
}

/// The password of an account as a line of CSV.
fn row(opened: &OpenedView) -> String {
    format!(
        "{},{},\"{}\"\n",
        opened.account,
        opened.password,
        opened.agency.replace('"', "\"\"")
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    /// A report that opened these accounts.
    fn report(passwords: &[&str]) -> ReportView {
        let opened = passwords.iter().enumerate().map(|(place, password)| {
            json!({"agency": format!("a{place} \"x\""), "account": format!("a{place}-1"), "password": password})
        });
        let opened: Vec<_> = opened.collect();
        let report = json!({"made": true, "changes": [], "added": [], "renamed": [], "ended": [], "moved": [],
            "codes": [], "warnings": [], "opened": opened, "unprovisioned": [], "import": null});
        serde_json::from_value(report).expect("a report")
    }

    #[test]
    fn a_password_goes_into_the_file_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let file = PasswordFile::create(&path).expect("made");
        let mut report = report(&["secret"]);
        assert_eq!(file.take(&mut report).expect("written"), Some(path.clone()));
        assert_eq!(fs::read_to_string(&path).expect("readable"), "secret\n");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let shown = serde_json::to_string(&report).expect("JSON");
        assert!(shown.contains("a0-1") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn many_passwords_become_a_table() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passwords");
        let file = PasswordFile::create(&path).expect("made");
        file.take(&mut report(&["one", "two"])).expect("written");
        assert_eq!(
            fs::read_to_string(&path).expect("readable"),
            "account,password,agency\na0-1,one,\"a0 \"\"x\"\"\"\na1-1,two,\"a1 \"\"x\"\"\"\n"
        );
    }

    #[test]
    fn passwords_are_written_as_they_come() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passwords");
        let mut file = PasswordFile::create(&path).expect("made");
        let mut report = report(&["one", "two", "three"]);
        file.write(&mut report.opened[..2], Form::Table).expect("written");
        let first = fs::read_to_string(&path).expect("readable");
        assert_eq!(first.lines().count(), 3, "{first}");
        assert_eq!(file.take(&mut report).expect("written"), Some(path.clone()));
        let whole = fs::read_to_string(&path).expect("readable");
        assert_eq!(whole, first + "a2-1,three,\"a2 \"\"x\"\"\"\n");
        assert!(report.opened.iter().all(|one| one.password.is_empty()));
    }

    #[test]
    fn a_file_without_passwords_goes_again_and_one_that_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        drop(PasswordFile::create(&path).expect("made"));
        assert!(!path.exists(), "the order failed");
        let file = PasswordFile::create(&path).expect("made");
        assert_eq!(file.take(&mut report(&[])).expect("nothing to write"), None);
        assert!(!path.exists(), "the order opened no account");
        fs::write(&path, "older").expect("written");
        let refused = PasswordFile::create(&path).expect_err("never overwritten");
        assert!(matches!(refused, CommandFault::File { .. }), "{refused}");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "older");
    }
}
