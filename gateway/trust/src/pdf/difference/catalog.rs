//! What the catalog and the trailer name and is no content: DSS, extensions, metadata, document information.
//!
//! **Invariant**: of the catalog nothing else than that and the form may change.

use super::super::PdfFault;
use super::super::coverage::LaterChange;
use super::super::file::Indirect;
use super::super::material;
use super::super::object::{Dictionary, Object};
use super::Changes;
use super::allowed::Allowed;
use super::place::Place;
use super::survey::TRAILER;

const CATALOG_KEYS: &[&[u8]] = &[b"AcroForm", b"DSS", b"Extensions", b"Version", b"Metadata"];

/// What writers note in the document information; everything else in it is told by the document's makers.
const INFORMATION_KEYS: &[&[u8]] = &[b"ModDate", b"CreationDate", b"Producer", b"Creator"];

impl Allowed {
    pub(super) fn catalog(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let (root, before) = changes.file.catalog(changes.revision - 1)?;
        let (_, after) = changes.file.catalog(changes.revision)?;
        let fault = PdfFault::Changed { number: root.number };
        self.numbers.insert(root.number);
        // Used as something else, it would give what changes in it to the pages.
        self.placed.insert(root.number, &[Place::Root, Place::Data]);
        let (Some(before), Some(after)) = (before.dictionary(), after.dictionary()) else {
            return Err(fault);
        };
        if !before.equals_except(after, CATALOG_KEYS) {
            return Err(fault);
        }
        self.version(root.number, before, after)?;
        self.extensions(changes, root.number, (before, after))?;
        self.metadata(changes, root.number, (before, after))?;
        self.material(changes, (before, after))
    }

    /// The version of PDF may rise (§7.2.2).
    fn version(&mut self, root: u32, before: &Dictionary, after: &Dictionary) -> Result<(), PdfFault> {
        if before.get(b"Version") == after.get(b"Version") {
            return Ok(());
        }
        let (before, after) = (
            before.name(b"Version").unwrap_or_default(),
            after.name(b"Version"),
        );
        match after {
            Some([b'1'..=b'2', b'.', b'0'..=b'9']) if after > Some(before) => {
                self.kinds.insert(LaterChange::Extensions);
                Ok(())
            }
            Some(_) | None => Err(PdfFault::Changed { number: root }),
        }
    }

    /// Extensions of developers (§7.12): words about the file without references.
    fn extensions(
        &mut self,
        changes: &Changes<'_, '_>,
        root: u32,
        (before, after): (&Dictionary, &Dictionary),
    ) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed { number: root };
        let Some(extensions) = after.get(b"Extensions") else {
            return before.get(b"Extensions").map_or(Ok(()), |_| Err(fault));
        };
        let reference = extensions.as_reference();
        let is_written = reference.is_some_and(|reference| changes.writes(reference.number));
        if before.get(b"Extensions") == Some(extensions) && !is_written {
            return Ok(());
        }
        let followed = changes.file.follow(extensions, changes.revision)?;
        let is_plain = followed.stream.is_none()
            && followed.dictionary().is_some()
            && !super::has_references(&followed.value);
        if !is_plain {
            return Err(fault);
        }
        if let Some(reference) = reference {
            self.write(changes, reference.number, (root, Place::Extensions));
        }
        self.kinds.insert(LaterChange::Extensions);
        Ok(())
    }

    /// The XMP packet of the file as a whole, used by the catalog alone: writers note there when they wrote.
    fn metadata(
        &mut self,
        changes: &Changes<'_, '_>,
        root: u32,
        (before, after): (&Dictionary, &Dictionary),
    ) -> Result<(), PdfFault> {
        let fault = PdfFault::Changed { number: root };
        let (before, after) = (before.get(b"Metadata"), after.get(b"Metadata"));
        let is_written = |metadata: &Object| {
            metadata
                .as_reference()
                .is_some_and(|metadata| changes.writes(metadata.number))
        };
        if before == after && !after.is_some_and(is_written) {
            return Ok(());
        }
        let number = after.and_then(Object::as_reference).ok_or(fault)?.number;
        let is_packet = |object: &Indirect| {
            object.stream.is_some()
                && object.dictionary().is_some_and(|stream| {
                    stream.name(b"Type") == Some(b"Metadata") && stream.name(b"Subtype") == Some(b"XML")
                })
        };
        let (before, after) = (changes.before(number)?, changes.after(number)?);
        let was_packet = !changes.old.contains(&number) || is_packet(&before);
        if !was_packet || !is_packet(&after) {
            return Err(PdfFault::Changed { number });
        }
        self.write(changes, number, (root, Place::Metadata));
        self.streams.insert(number);
        self.kinds.insert(LaterChange::Metadata);
        Ok(())
    }

    /// Material for validation may come and change: it is believed by nobody unproven, and nothing else refers to it.
    fn material(
        &mut self,
        changes: &Changes<'_, '_>,
        (before, after): (&Dictionary, &Dictionary),
    ) -> Result<(), PdfFault> {
        if after.get(b"DSS").is_none() && before.get(b"DSS").is_none() {
            return Ok(());
        }
        let dss = material::read(changes.file, changes.revision)?;
        if after.get(b"DSS").is_none() {
            return Err(PdfFault::ValidationMaterial);
        }
        let all = dss.nodes.iter().chain(&dss.leaves).copied();
        self.material = all.filter(|number| changes.writes(*number)).collect();
        for number in &changes.new {
            if !self.material.contains(number) && is_left_over(changes, *number)? {
                self.material.insert(*number);
            }
        }
        if self.material.is_empty() && before.get(b"DSS") == after.get(b"DSS") {
            return Ok(());
        }
        for leaf in dss.leaves.intersection(&self.material.iter().copied().collect()) {
            if changes.after(*leaf)?.stream.is_none() {
                return Err(PdfFault::Changed { number: *leaf });
            }
        }
        self.numbers.extend(&self.material);
        self.streams.extend(&dss.leaves);
        // Whoever may refer to what changes is itself referred to by the DSS alone.
        material::read(changes.file, changes.revision - 1)?;
        self.material_holders = changes.context.survey.material(changes.revision - 1).collect();
        self.material.extend(&self.material_holders);
        for number in self.material.clone() {
            self.uses.entry(number).or_default();
        }
        self.kinds.insert(LaterChange::ValidationMaterial);
        Ok(())
    }

    /// Document information says nothing of the content: text about the file, used by the trailer alone.
    pub(super) fn information(&mut self, changes: &Changes<'_, '_>) -> Result<(), PdfFault> {
        let before = changes.file.revisions[changes.revision - 1].trailer.get(b"Info");
        let after = changes.update.trailer.get(b"Info");
        let number = match after {
            Some(Object::Reference(information)) => information.number,
            None if before.is_none() => return Ok(()),
            Some(_) | None => return Err(PdfFault::Changed { number: TRAILER }),
        };
        if !changes.writes(number) {
            return if before == after {
                Ok(())
            } else {
                Err(PdfFault::Changed { number: TRAILER })
            };
        }
        let (object, fault) = (changes.after(number)?, PdfFault::Changed { number });
        if changes.old.contains(&number) && before != after {
            return Err(fault);
        }
        let known = match before {
            Some(before) => changes.file.follow(before, changes.revision - 1)?,
            None => changes
                .file
                .follow(&Object::Dictionary(Dictionary::default()), changes.revision)?,
        };
        let (Some(known), Some(told), None) = (known.dictionary(), object.dictionary(), &object.stream)
        else {
            return Err(fault);
        };
        let is_text = |value: &Object| matches!(value, Object::Text(_) | Object::Name(_));
        if !known.equals_except(told, INFORMATION_KEYS) || !told.iter().all(|(_, value)| is_text(value)) {
            return Err(fault);
        }
        if changes.writes(number) {
            self.numbers.insert(number);
        }
        self.placed.insert(number, &[Place::Information]);
        self.kinds.insert(LaterChange::Metadata);
        Ok(())
    }
}

/// Whether the object is a well-formed VRI: writers leave such without referring to them.
fn is_left_over(changes: &Changes<'_, '_>, number: u32) -> Result<bool, PdfFault> {
    let object = changes.after(number)?;
    let is_named = object
        .dictionary()
        .is_some_and(|related| related.name(b"Type") == Some(b"VRI"));
    let reference = changes.reference(number, changes.revision);
    Ok(is_named && material::is_related(changes.file, changes.revision, reference))
}
