//! What later revisions write, and what holds it: found before everything that was signed is looked at.

use std::collections::HashMap;

use super::super::PdfFault;
use super::super::field::Form;
use super::super::file::{File, Indirect};
use super::super::material;
use super::super::object::Reference;
use super::super::xref::Entry;
use super::survey::Use;

/// What later revisions write; and what must belong to one holder alone where its parts are written: appearances of
/// fields, and the DSS. A field is there when the first revision is signed, or is written later.
pub(super) fn targets<'m>(
    file: &File<'_>,
    first: usize,
    material: impl Iterator<Item = &'m u32>,
) -> Result<HashMap<u32, Vec<Use>>, PdfFault> {
    let mut targets: HashMap<u32, Vec<Use>> = material.map(|number| (*number, Vec::new())).collect();
    let mut appearance = |object: &Indirect| {
        if let Some(appearance) = object.dictionary().and_then(|one| one.reference(b"AP")) {
            targets.insert(appearance.number, Vec::new());
        }
    };
    for field in Form::read(file, first)?.fields {
        appearance(&*file.resolve(field.reference, first)?);
    }
    for revision in first + 1..=file.latest() {
        for (number, entry) in file.revisions[revision].entries() {
            let generation = entry.generation();
            let reference = Reference {
                number: *number,
                generation,
            };
            appearance(&*file.resolve(reference, revision)?);
        }
    }
    for revision in &file.revisions[first + 1..] {
        let written = revision.entries().iter().map(|(number, _)| *number);
        targets.extend(
            written
                .chain(revision.stream_number)
                .map(|number| (number, Vec::new())),
        );
    }
    Ok(targets)
}

/// Every number that was ever an object stream, with the first revision that says so.
pub(super) fn containers(file: &File<'_>) -> HashMap<u32, u32> {
    let mut containers: HashMap<u32, u32> = HashMap::new();
    for version in file.history.numbers().flatten() {
        if let Entry::Compressed { container, .. } = version.entry {
            let since = containers.entry(container).or_insert(version.revision);
            *since = version.revision.min(*since);
        }
    }
    containers
}

/// Objects of the DSS, with the first revision in which they were. What is malformed is refused where it changes.
pub(super) fn material_nodes(file: &File<'_>) -> HashMap<u32, usize> {
    let mut nodes = HashMap::new();
    for revision in 0..file.latest() {
        for node in material::read(file, revision).unwrap_or_default().nodes {
            nodes.entry(node).or_insert(revision);
        }
    }
    nodes
}
