//! Reads a TOML table key by key and gathers every fault instead of stopping at the first.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use amqp::{Authorities, PemFault};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use toml::{Table, Value};

use crate::text::Text;

/// The keys of one section that were not read yet.
pub(super) struct Fields<'a> {
    name: String,
    table: Table,
    base: &'a Path,
    faults: Rc<RefCell<Vec<String>>>,
}

impl<'a> Fields<'a> {
    pub(super) fn root(table: Table, base: &'a Path) -> Fields<'a> {
        Fields {
            name: String::new(),
            table,
            base,
            faults: Rc::default(),
        }
    }

    /// A section, if it is there.
    pub(super) fn section(&mut self, name: &str) -> Option<Fields<'a>> {
        let faults = Rc::clone(&self.faults);
        if let Value::Table(table) = self.table.remove(name)? {
            return Some(Fields {
                name: format!("{name}."),
                table,
                base: self.base,
                faults,
            });
        }
        self.tell(name, Text::ConfigSection);
        None
    }

    /// All faults; what was never read is one each.
    pub(super) fn end(self) -> Vec<String> {
        let faults = Rc::clone(&self.faults);
        drop(self);
        let mut faults = faults.take();
        faults.sort();
        faults
    }

    pub(super) fn fault(&self, key: &str, what: &str) {
        self.faults
            .borrow_mut()
            .push(format!("{}{key}: {what}", self.name));
    }

    pub(super) fn tell(&self, key: &str, text: Text) {
        self.fault(key, &text.with(&[]));
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.borrow().is_empty()
    }

    /// The text of a key that may be missing.
    pub(super) fn maybe_text(&mut self, key: &str) -> Option<String> {
        let value = self.table.remove(key)?;
        let text = value
            .as_str()
            .map(str::to_owned)
            .filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.tell(key, Text::ConfigText);
        }
        text
    }

    /// The text of a key that must be there.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.tell(key, Text::ConfigMissing);
        }
        self.maybe_text(key)
    }

    pub(super) fn parsed<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|fault| self.fault(key, &fault)).ok()
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.table.remove(key)?;
        if value.as_bool().is_none() {
            self.tell(key, Text::ConfigFlag);
        }
        value.as_bool()
    }

    pub(super) fn number(&mut self, key: &str, range: RangeInclusive<u64>, usual: u64) -> u64 {
        let Some(value) = self.table.remove(key) else {
            return usual;
        };
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
        match number.filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                let (from, to) = (range.start().to_string(), range.end().to_string());
                let told = Text::ConfigNumber.with(&[("from", &from), ("to", &to)]);
                self.fault(key, &told);
                usual
            }
        }
    }

    pub(super) fn count(&mut self, key: &str, range: RangeInclusive<u64>, usual: usize) -> usize {
        usize::try_from(self.number(key, range, usual as u64)).unwrap_or(usual)
    }

    pub(super) fn seconds(&mut self, key: &str, range: RangeInclusive<u64>, usual: Duration) -> Duration {
        Duration::from_secs(self.number(key, range, usual.as_secs()))
    }

    pub(super) fn millis(&mut self, key: &str, range: RangeInclusive<u64>, usual: Duration) -> Duration {
        let usual = u64::try_from(usual.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.number(key, range, usual))
    }

    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.text(key).map(|text| self.base.join(text))
    }

    /// The content of the file that a key names.
    pub(super) fn maybe_file(&mut self, key: &str) -> Option<String> {
        let path = self.base.join(self.maybe_text(key)?);
        let read = std::fs::read_to_string(&path);
        read.map_err(|error| self.fault(key, &format!("{}: {error}", path.display())))
            .ok()
    }

    /// The content of the file that a key names, without the line end behind it.
    pub(super) fn maybe_secret_file(&mut self, key: &str) -> Option<SecretString> {
        let text = self.maybe_file(key)?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            self.tell(key, Text::ConfigEmpty);
            return None;
        }
        Some(SecretString::from(secret))
    }

    /// The authorities in the PEM file that a key names.
    pub(super) fn maybe_authorities(&mut self, key: &str) -> Option<Authorities> {
        let pem = self.maybe_file(key)?;
        let read = Authorities::from_pem(pem.as_bytes());
        read.map_err(|fault| self.unfit(key, fault)).ok()
    }

    /// Tells that the PEM file that a key names gives no certificates.
    pub(super) fn unfit(&self, key: &str, fault: PemFault) {
        match fault {
            PemFault::Absent => self.tell(key, Text::ConfigPemNone),
            PemFault::Certificate { number } => {
                let number = number.to_string();
                self.fault(key, &Text::ConfigPemUnfit.with(&[("number", &number)]));
            }
        }
    }

    /// The content of the environment variable that a key names.
    #[expect(
        clippy::disallowed_methods,
        reason = "configuration is what reads the environment"
    )]
    pub(super) fn maybe_environment(&mut self, key: &str) -> Option<SecretString> {
        let name = self.maybe_text(key)?;
        let value = std::env::var(&name);
        value
            .map(SecretString::from)
            .map_err(|error| self.fault(key, &format!("{name}: {error}")))
            .ok()
    }

    /// DER of all certificates in the PEM files that a key lists.
    pub(super) fn certificates(&mut self, key: &str) -> Vec<Vec<u8>> {
        let Some(value) = self.table.remove(key) else {
            return Vec::new();
        };
        let names = value
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            self.tell(key, Text::ConfigPem);
            return Vec::new();
        };
        let mut found = Vec::new();
        for name in names {
            let path = self.base.join(name);
            match std::fs::read_to_string(&path).map(|text| pem_certificates(&text)) {
                Ok(Some(certificates)) => found.extend(certificates),
                Ok(None) => {
                    let file = path.display().to_string();
                    self.fault(key, &Text::ConfigNoCertificate.with(&[("file", &file)]));
                }
                Err(error) => self.fault(key, &format!("{}: {error}", path.display())),
            }
        }
        found
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        for key in self.table.keys() {
            self.tell(key, Text::ConfigUnknown);
        }
    }
}

/// DER of every certificate of a PEM text (RFC 7468); `None` when there is none or one is broken.
pub(crate) fn pem_certificates(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (body, _) = part.split_once("-----END CERTIFICATE-----")?;
        let body: String = body.split_whitespace().collect();
        found.push(STANDARD.decode(body).ok()?);
    }
    (!found.is_empty()).then_some(found)
}
