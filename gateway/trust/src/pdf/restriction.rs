//! What a signature allows to be done after it: DocMDP, FieldMDP and the Lock of its field (ISO 32000-2 §12.7.5.5,
//! §12.8.2).
//!
//! Stands between `signature`, which reads it, and `difference`, which asks.
//!
//! **Invariant**: what is not understood allows nothing.

use super::PdfFault;
use super::field::{Name, text_string};
use super::file::File;
use super::object::{Dictionary, Object};

/// Transforms of one signature at most.
const REFERENCES_MAX: usize = 16;

/// P of DocMDP and of Lock; annotations are never allowed here, so that 3 is no more than 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Validation material and document time-stamps alone.
    Nothing,
    /// Values of fields, and signatures.
    Forms,
}

/// The fields that FieldMDP and Lock speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lock {
    All,
    Include(Vec<Name>),
    Exclude(Vec<Name>),
}

impl Lock {
    /// Whether the field must stay as it is.
    fn covers(&self, name: &Name) -> bool {
        match self {
            Self::All => true,
            Self::Include(fields) => fields
                .iter()
                .any(|field| is_same_or_below(name, field).unwrap_or(true)),
            Self::Exclude(fields) => !fields
                .iter()
                .any(|field| is_same_or_below(name, field).unwrap_or(false)),
        }
    }
}

/// Whether a field bears this name or stands below the field that does; `None`: that is not known.
fn is_same_or_below(name: &Name, field: &Name) -> Option<bool> {
    let rest = match name.as_ref()?.strip_prefix(field.as_ref()?) {
        Some(rest) => rest,
        None => return Some(false),
    };
    Some(rest.is_empty() || rest.starts_with('.'))
}

/// What one signature says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Restrictions {
    level: Option<Level>,
    locks: Vec<Lock>,
    /// Has a DocMDP transform: it certifies the file.
    pub(super) is_certification: bool,
    /// Says something that is not understood.
    is_unknown: bool,
}

impl Restrictions {
    /// Reads Reference of the signature dictionary and Lock of the field, as the revision shows them.
    pub(super) fn read(
        file: &File<'_>,
        revision: usize,
        signature: &Dictionary,
        field: &Dictionary,
    ) -> Result<Self, PdfFault> {
        let mut restrictions = Self::default();
        if let Some(references) = signature.get(b"Reference") {
            let references = file.follow(references, revision)?;
            match references.array() {
                Some(references) if references.len() <= REFERENCES_MAX => {
                    for reference in references {
                        restrictions.add_transform(file, revision, reference)?;
                    }
                }
                Some(_) | None => restrictions.is_unknown = true,
            }
        }
        if let Some(lock) = field.get(b"Lock") {
            let lock = file.follow(lock, revision)?;
            match lock.dictionary() {
                Some(lock) => restrictions.add_lock(file, revision, lock)?,
                None => restrictions.is_unknown = true,
            }
        }
        Ok(restrictions)
    }

    fn add_transform(
        &mut self,
        file: &File<'_>,
        revision: usize,
        reference: &Object,
    ) -> Result<(), PdfFault> {
        let reference = file.follow(reference, revision)?;
        let Some(reference) = reference.dictionary() else {
            self.is_unknown = true;
            return Ok(());
        };
        let method = match reference.get(b"TransformMethod") {
            Some(method) => file.follow(method, revision)?,
            None => {
                self.is_unknown = true;
                return Ok(());
            }
        };
        let none = Object::Dictionary(Dictionary::default());
        let parameters = reference.get(b"TransformParams").unwrap_or(&none);
        let parameters = file.follow(parameters, revision)?;
        match (method.value.as_name(), parameters.dictionary()) {
            (Some(b"DocMDP"), Some(parameters)) => {
                self.is_certification = true;
                // P is 2 where it is absent (table 257).
                let level = match parameters.get(b"P") {
                    None => Some(Level::Forms),
                    Some(level) => level_of(&file.follow(level, revision)?.value),
                };
                self.restrict(level);
            }
            (Some(b"FieldMDP"), Some(parameters)) => self.add_fields(file, revision, parameters)?,
            _ => self.is_unknown = true,
        }
        Ok(())
    }

    fn add_lock(&mut self, file: &File<'_>, revision: usize, lock: &Dictionary) -> Result<(), PdfFault> {
        if let Some(level) = lock.get(b"P") {
            let level = level_of(&file.follow(level, revision)?.value);
            self.restrict(level);
        }
        self.add_fields(file, revision, lock)
    }

    /// Action and Fields (tables 236 and 259).
    fn add_fields(&mut self, file: &File<'_>, revision: usize, lock: &Dictionary) -> Result<(), PdfFault> {
        let mut names = Vec::new();
        if let Some(fields) = lock.get(b"Fields") {
            let fields = file.follow(fields, revision)?;
            let Some(fields) = fields.array() else {
                self.is_unknown = true;
                return Ok(());
            };
            for field in fields {
                let field = file.follow(field, revision)?;
                let octets: Option<&[u8]> = match &field.value {
                    Object::Text(text) => Some(&text.bytes),
                    Object::Null
                    | Object::Boolean(_)
                    | Object::Integer(_)
                    | Object::Real(_)
                    | Object::Name(_)
                    | Object::Array(_)
                    | Object::Dictionary(_)
                    | Object::Reference(_) => None,
                };
                file.budget.take_name(octets.map_or(0, <[u8]>::len))?;
                names.push(octets.and_then(text_string));
            }
        }
        let Some(action) = lock.get(b"Action") else {
            self.is_unknown = true;
            return Ok(());
        };
        match file.follow(action, revision)?.value.as_name() {
            Some(b"All") => self.locks.push(Lock::All),
            Some(b"Include") => self.locks.push(Lock::Include(names)),
            Some(b"Exclude") => self.locks.push(Lock::Exclude(names)),
            Some(_) | None => self.is_unknown = true,
        }
        Ok(())
    }

    fn restrict(&mut self, level: Option<Level>) {
        match level {
            Some(level) => self.level = Some(self.level.map_or(level, |known| known.min(level))),
            None => self.is_unknown = true,
        }
    }
}

fn level_of(object: &Object) -> Option<Level> {
    match object.as_integer() {
        Some(1) => Some(Level::Nothing),
        Some(2 | 3) => Some(Level::Forms),
        Some(_) | None => None,
    }
}

/// What all signatures together allow that stand before a revision.
pub(super) struct Rights<'a>(Vec<&'a Restrictions>);

impl<'a> Rights<'a> {
    pub(super) fn after(earlier: impl Iterator<Item = &'a Restrictions>) -> Self {
        Self(earlier.collect())
    }

    /// How many names it takes to answer about one.
    pub(super) fn weight(&self) -> usize {
        let names = |lock: &Lock| match lock {
            Lock::All => 1,
            Lock::Include(names) | Lock::Exclude(names) => names.len(),
        };
        self.0.iter().flat_map(|one| &one.locks).map(names).sum()
    }

    /// Whether anything may change at all.
    pub(super) fn may_extend(&self) -> bool {
        !self.0.iter().any(|one| one.is_unknown)
    }

    /// Whether anything may be added but validation material and document time-stamps.
    pub(super) fn may_change(&self) -> bool {
        self.may_extend() && self.0.iter().all(|one| one.level != Some(Level::Nothing))
    }

    /// Whether a signature field of this name may be made or signed.
    pub(super) fn may_sign(&self, name: &Name) -> bool {
        self.may_change() && !self.locks(name)
    }

    /// Whether a signature locks the field of this name (Lock, FieldMDP).
    pub(super) fn locks(&self, name: &Name) -> bool {
        let mut locks = self.0.iter().flat_map(|one| &one.locks);
        locks.any(|lock| lock.covers(name))
    }

    /// Whether the value of this field may change. Nobody who signs without a word about fields wants another value to
    /// stand above the signature: either the file is certified for being filled in, or every signature says which fields
    /// it leaves open.
    pub(super) fn may_fill(&self, name: &Name) -> bool {
        let is_certified = self
            .0
            .iter()
            .any(|one| one.is_certification && one.level == Some(Level::Forms));
        let is_open = !self.0.is_empty() && self.0.iter().all(|one| !one.locks.is_empty());
        (is_certified || is_open) && self.may_sign(name)
    }
}

#[cfg(test)]
mod tests;
