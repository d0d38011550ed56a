//! The signatures of a file: its signature fields, their dictionaries, and what each covers (ISO 32000-2 §12.8).
//!
//! **Invariant**: the octets that a signature does not cover are exactly its own /Contents token; it begins at 0 and
//! ends at the end of the revision that holds its dictionary.
//! **Invariant**: no /ByteRange stands in the file that does not belong to a signature of a field.
//! **Invariant**: of all signatures only the first certifies the file.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use super::PdfFault;
use super::coverage::{Coverage, LaterChange};
use super::field::{Form, Kind as FieldKind, Name};
use super::file::{File, Indirect};
use super::object::{Dictionary, Object, Reference};
use super::restriction::Restrictions;
use crate::cms::Profile;

/// What a signature dictionary holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The signature of a person or an organisation.
    Seal(Profile),
    /// A document time-stamp (§12.8.5).
    TimeStamp,
}

pub(super) struct Signature {
    /// The field, and the signature dictionary that is its value.
    pub(super) field: Reference,
    pub(super) value: Reference,
    pub(super) field_name: Name,
    /// The revision at whose end the signature ends.
    pub(super) revision: usize,
    pub(super) covered: [Range<usize>; 2],
    pub(super) kind: Kind,
    /// The CMS with its padding.
    pub(super) contents: Box<[u8]>,
    pub(super) restrictions: Restrictions,
    /// Whether it can be seen on pages that were signed before; found when its revision is checked.
    pub(super) is_shown_over_signed: bool,
    /// What later revisions brought; found when they are checked.
    pub(super) later: Vec<LaterChange>,
}

impl Signature {
    pub(super) fn is_seal(&self) -> bool {
        match self.kind {
            Kind::Seal(_) => true,
            Kind::TimeStamp => false,
        }
    }

    pub(super) fn coverage(&self, revisions: usize) -> Coverage {
        Coverage {
            ranges: self.covered.clone(),
            revision: self.revision + 1,
            revisions,
            later: self.later.clone(),
        }
    }
}

/// The signatures of the latest revision, oldest first.
pub(super) fn find(file: &File<'_>) -> Result<Vec<Signature>, PdfFault> {
    let latest = file.latest();
    let form = Form::read(file, latest)?;
    let mut values = HashSet::new();
    let mut found = Vec::new();
    for (place, field) in form.fields.iter().enumerate() {
        if field.kind != Some(FieldKind::Signature) {
            continue;
        }
        let object = file.resolve(field.reference, latest)?;
        match object.dictionary().and_then(|field| field.get(b"V")) {
            None => {}
            Some(Object::Reference(value)) => {
                if !values.insert(*value) {
                    return Err(PdfFault::SignatureRepeated);
                }
                found.push((place, *value));
            }
            Some(_) => return Err(PdfFault::SignatureDictionary),
        }
    }
    // A signature dictionary that no field shows would be invisible here and visible to a laxer reader.
    let written = memchr::memmem::find_iter(file.bytes, b"/ByteRange").count();
    if written != found.len() {
        return Err(PdfFault::StraySignature);
    }
    // Each ends a revision of its own: what more there are of need not be read.
    if file.revisions.len() < found.len() {
        return Err(PdfFault::SignatureRepeated);
    }
    let mut signatures = Vec::new();
    for (place, value) in found {
        let name = form.name(file, place)?;
        let field = form.fields[place].reference;
        signatures.push(read_signature(file, (field, name), value)?);
    }
    signatures.sort_by_key(|signature| signature.revision);
    let is_repeated = |pair: &[Signature]| pair[0].revision == pair[1].revision;
    if signatures.windows(2).any(is_repeated) {
        return Err(PdfFault::SignatureRepeated);
    }
    check_certification(file, &signatures)?;
    Ok(signatures)
}

fn read_signature(
    file: &File<'_>,
    (field, field_name): (Reference, Name),
    value: Reference,
) -> Result<Signature, PdfFault> {
    let latest = file.latest();
    let object: Rc<Indirect> = file.resolve(value, latest)?;
    let dictionary = object.dictionary().ok_or(PdfFault::SignatureDictionary)?;
    let kind = kind(dictionary)?;
    let Some(Object::Text(contents)) = dictionary.get(b"Contents") else {
        return Err(PdfFault::Contents);
    };
    let (Some(extent), true) = (&object.extent, contents.is_plain_hex) else {
        return Err(PdfFault::Contents);
    };
    let [start, gap_start, gap_end, length] = byte_range(dictionary).ok_or(PdfFault::ByteRange)?;
    let end = gap_end.checked_add(length).ok_or(PdfFault::ByteRange)?;
    let is_whole = start == 0
        && (gap_start..gap_end) == contents.token
        && extent.start < gap_start
        && gap_end < extent.end
        && extent.end <= end;
    if !is_whole {
        return Err(PdfFault::ByteRange);
    }
    let ends_here = |end_of: &super::revision::Revision| (end_of.end..=end_of.end_of_line).contains(&end);
    let revision = file
        .revisions
        .iter()
        .position(ends_here)
        .ok_or(PdfFault::ByteRange)?;
    // An entry that is written again makes no other version.
    let versions = file.history.versions(value.number);
    let shown = versions.chunk_by(|one, other| one.entry == other.entry).last();
    if shown.map(|group| group[0].revision as usize) != Some(revision) {
        return Err(PdfFault::ByteRange);
    }
    let signed_field = file.resolve(field, revision)?;
    let signed_field = signed_field.dictionary().ok_or(PdfFault::Form)?;
    Ok(Signature {
        field,
        value,
        field_name,
        revision,
        covered: [0..gap_start, gap_end..end],
        kind,
        contents: contents.bytes.clone(),
        restrictions: Restrictions::read(file, revision, dictionary, signed_field)?,
        is_shown_over_signed: false,
        later: Vec::new(),
    })
}

/// SubFilter and Type (table 255).
fn kind(dictionary: &Dictionary) -> Result<Kind, PdfFault> {
    let is_named = dictionary.get(b"Type").is_some();
    match (dictionary.name(b"SubFilter"), dictionary.name(b"Type")) {
        (Some(b"ETSI.RFC3161"), Some(b"DocTimeStamp")) => Ok(Kind::TimeStamp),
        (Some(b"adbe.pkcs7.detached"), kind) if kind == Some(b"Sig") || !is_named => {
            Ok(Kind::Seal(Profile::PdfPkcs7))
        }
        (Some(b"ETSI.CAdES.detached"), kind) if kind == Some(b"Sig") || !is_named => {
            Ok(Kind::Seal(Profile::PdfCades))
        }
        _ => Err(PdfFault::SubFilter),
    }
}

fn byte_range(dictionary: &Dictionary) -> Option<[usize; 4]> {
    let Some(Object::Array(items)) = dictionary.get(b"ByteRange") else {
        return None;
    };
    let numbers = items.iter().map(Object::as_size);
    numbers.collect::<Option<Vec<usize>>>()?.try_into().ok()
}

/// Only the first signature certifies, and the catalog names no other (§12.8.2.2, §12.8.6).
fn check_certification(file: &File<'_>, signatures: &[Signature]) -> Result<(), PdfFault> {
    if signatures
        .iter()
        .skip(1)
        .any(|signature| signature.restrictions.is_certification)
    {
        return Err(PdfFault::Certification);
    }
    let latest = file.latest();
    let (_, catalog) = file.catalog(latest)?;
    let Some(permissions) = catalog.dictionary().and_then(|catalog| catalog.get(b"Perms")) else {
        return Ok(());
    };
    let permissions = file.follow(permissions, latest)?;
    let permissions = permissions.dictionary().ok_or(PdfFault::Certification)?;
    let Some(named) = permissions.get(b"DocMDP") else {
        return Ok(());
    };
    let is_first = signatures.first().is_some_and(|first| {
        first.restrictions.is_certification && named.as_reference() == Some(first.value)
    });
    if is_first {
        Ok(())
    } else {
        Err(PdfFault::Certification)
    }
}
