//! Object streams in which who repairs the signed revision finds objects that no section lists there.

use super::super::super::PdfFault;
use super::super::super::container::Container;
use super::super::super::file::{File, Indirect};
use super::super::super::object::Reference;
use super::super::super::revision::Version;
use super::super::super::xref::Entry;
use super::Survey;

impl Survey {
    /// What an object stream holds and no section lists there is found by who repairs the file.
    pub(super) fn note_contained(
        &mut self,
        file: &File<'_>,
        (stream, offset): (u32, usize),
        container: &Container,
    ) {
        for (number, _) in &container.objects {
            let is_it = |version: &Version| match version.entry {
                Entry::Compressed { container, .. } => {
                    let place = file.container_offset(container, version.revision as usize);
                    container == stream && place == Some(offset)
                }
                Entry::InUse { .. } | Entry::Free { .. } => false,
            };
            let is_listed = file.history.versions(*number).iter().any(is_it);
            if !is_listed && self.uses.contains_key(number) {
                self.strays.insert(*number);
            }
        }
    }

    /// An object that the signed revision does not show any more: who repairs the file reads it all the same.
    pub(super) fn note_superseded(&mut self, file: &File<'_>, version: Version) -> Result<(), PdfFault> {
        let Entry::InUse { offset, generation } = version.entry else {
            return Ok(());
        };
        let (number, revision) = (version.number, version.revision as usize);
        let object = file.read_object(offset, Reference { number, generation }, revision)?;
        if is_container(file, (number, &object), revision)? {
            let container = file.read_container(number, offset, revision)?;
            self.note_contained(file, (number, offset), &container);
            file.budget.release_objects(container.weight());
        }
        file.budget.release_objects(object.weight);
        Ok(())
    }
}

/// The versions of one number that no revision from `first` on shows.
pub(super) fn superseded(versions: &[Version], first: usize) -> impl Iterator<Item = Version> {
    let groups = || versions.chunk_by(|one, other| one.entry == other.entry);
    let shown = groups().zip(groups().skip(1));
    shown
        .filter(move |(_, next)| next[0].revision as usize <= first)
        .map(|(group, _)| group[0])
}

/// Whether it is an object stream; a fault where a stream says by reference that it is one, or a section: some readers follow
/// that.
pub(super) fn is_container(
    file: &File<'_>,
    (number, object): (u32, &Indirect),
    revision: usize,
) -> Result<bool, PdfFault> {
    let kind = object.dictionary().and_then(|stream| stream.get(b"Type"));
    let Some(kind) = kind.filter(|_| object.stream.is_some()) else {
        return Ok(false);
    };
    if kind.as_reference().is_none() {
        return Ok(kind.as_name() == Some(b"ObjStm"));
    }
    let kind = file.follow(kind, revision)?;
    match kind.value.as_name() {
        Some(b"ObjStm" | b"XRef") => Err(PdfFault::Object { number }),
        Some(_) | None => Ok(false),
    }
}
