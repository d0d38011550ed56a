//! Object streams in which who repairs the signed revision finds objects that no section lists there.

use super::super::super::PdfFault;
use super::super::super::container::Container;
use super::super::super::file::{File, Indirect};
use super::super::super::object::Reference;
use super::super::super::revision::Version;
use super::super::super::xref::Entry;
use super::super::repair;
use super::Survey;

impl Survey {
    /// An object stream has one place up to the first signature: readers and this crate would not agree which is meant by what
    /// was listed before it moved.
    pub(super) fn check_containers(&self, file: &File<'_>) -> Result<(), PdfFault> {
        for &number in self.containers.keys() {
            let versions = file.history.versions(number).iter();
            let signed = versions.take_while(|version| version.revision as usize <= self.first);
            let mut places = signed.filter_map(|version| match version.entry {
                Entry::InUse { offset, .. } => Some(offset),
                Entry::Free { .. } | Entry::Compressed { .. } => None,
            });
            let place = places.next();
            if places.any(|other| Some(other) != place) {
                return Err(PdfFault::Object { number });
            }
        }
        Ok(())
    }

    /// What later revisions write and the signed one heads otherwise than its sections say, for whoever reads it backwards.
    pub(super) fn note_misread(&mut self, file: &File<'_>) -> Result<(), PdfFault> {
        let mut misread = Vec::new();
        for &number in self.uses.keys() {
            let Some((Entry::InUse { offset, .. }, _)) = file.entry(number, self.first) else {
                continue;
            };
            if !repair::is_headed(file, offset, number)? {
                misread.push(number);
            }
        }
        self.strays.extend(misread);
        Ok(())
    }

    /// Reads object streams out of which no shown object is read.
    pub(super) fn note_unread(
        &mut self,
        file: &File<'_>,
        streams: &[(u32, usize, usize)],
    ) -> Result<(), PdfFault> {
        for &(number, offset, revision) in streams {
            file.look_into((number, offset), revision, |container| {
                self.note_contained(file, (number, offset), container);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// What an object stream holds and no section lists there is found by who repairs the file; so is what is shown from
    /// further ahead.
    pub(super) fn note_contained(
        &mut self,
        file: &File<'_>,
        (stream, offset): (u32, usize),
        container: &Container,
    ) {
        for (number, _) in &container.objects {
            if !self.uses.contains_key(number) {
                continue;
            }
            let is_it = |version: &Version| match version.entry {
                Entry::Compressed { container, .. } => {
                    let place = file.container_offset(container, version.revision as usize);
                    container == stream && place == Some(offset)
                }
                Entry::InUse { .. } | Entry::Free { .. } => false,
            };
            let is_listed = file.history.versions(*number).iter().any(is_it);
            let shown = match file.entry(*number, self.first) {
                Some((Entry::InUse { offset, .. }, _)) => Some(offset),
                Some((Entry::Compressed { container, .. }, revision)) => {
                    file.container_offset(container, revision)
                }
                Some((Entry::Free { .. }, _)) | None => None,
            };
            if !is_listed || shown.is_some_and(|shown| shown < offset) {
                self.strays.insert(*number);
            }
        }
    }

    /// An object that the signed revision does not show any more: who repairs the file reads it all the same. One that is
    /// damaged was perhaps the reason to write it anew.
    pub(super) fn note_superseded(&mut self, file: &File<'_>, version: Version) -> Result<(), PdfFault> {
        let Entry::InUse { offset, generation } = version.entry else {
            return Ok(());
        };
        let (number, revision) = (version.number, version.revision as usize);
        let object = match file.read_object(offset, Reference { number, generation }, revision) {
            Err(PdfFault::TooLarge) => return Err(PdfFault::TooLarge),
            Err(_) => return repair::check_damaged(file, (number, offset)),
            Ok(object) => object,
        };
        if is_plain_object_stream(file, (number, &object))? {
            self.note_unread(file, &[(number, offset, revision)])?;
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

/// Whether a stream is an object stream, also to whoever looks for objects himself. A fault where it says by reference what
/// it is, or that it is a section and is none: some readers believe that.
pub(super) fn is_plain_object_stream(
    file: &File<'_>,
    (number, object): (u32, &Indirect),
) -> Result<bool, PdfFault> {
    let kind = object.dictionary().and_then(|stream| stream.get(b"Type"));
    let Some(kind) = kind.filter(|_| object.stream.is_some()) else {
        return Ok(false);
    };
    let is_false_section = kind.as_name() == Some(b"XRef") && !file.is_section(object);
    if kind.as_reference().is_some() || is_false_section {
        return Err(PdfFault::Object { number });
    }
    Ok(kind.as_name() == Some(b"ObjStm"))
}
