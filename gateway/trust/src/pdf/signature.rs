//! The signatures of a file: its signature fields, their dictionaries, and what each covers (ISO 32000-2 §12.8).
//!
//! **Invariant**: the octets that a signature does not cover are exactly its own /Contents token; it begins at 0 and
//! ends at the end of the revision that holds its dictionary.
//! **Invariant**: no /ByteRange stands in the file that does not belong to a signature of a field.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use super::PdfFault;
use super::file::{File, Indirect};
use super::object::{Dictionary, Object, Reference};
use crate::cms::Profile;

/// Fields of a form at most, and how deep they nest.
const FIELDS_MAX: usize = 100_000;
const FIELD_DEPTH_MAX: usize = 32;

pub(super) struct Signature {
    /// The field, and the signature dictionary that is its value.
    pub(super) field: Reference,
    pub(super) value: Reference,
    /// The revision at whose end the signature ends.
    pub(super) revision: usize,
    pub(super) covered: [Range<usize>; 2],
    pub(super) profile: Profile,
    /// The CMS with its padding.
    pub(super) contents: Box<[u8]>,
    /// Whether it restricts later changes (DocMDP, FieldMDP, Lock), which is not processed here.
    pub(super) has_restrictions: bool,
    /// Whether it can be seen on pages that were signed before; found when its revision is checked.
    pub(super) shows_over_signed: bool,
}

/// The signatures of the latest revision, oldest first.
pub(super) fn find(file: &File<'_>) -> Result<Vec<Signature>, PdfFault> {
    let mut fields = Fields {
        file,
        seen: HashSet::new(),
        values: HashSet::new(),
        found: Vec::new(),
    };
    fields.collect()?;
    let mut signatures = Vec::new();
    for (field, value, has_lock) in fields.found {
        signatures.push(read_signature(file, field, value, has_lock)?);
    }
    signatures.sort_by_key(|signature| signature.revision);
    let is_repeated = |pair: &[Signature]| pair[0].revision == pair[1].revision;
    if signatures.windows(2).any(is_repeated) {
        return Err(PdfFault::SignatureRepeated);
    }
    // A signature dictionary that no field shows would be invisible here and visible to a laxer reader.
    let written = memchr::memmem::find_iter(file.bytes, b"/ByteRange").count();
    if written != signatures.len() {
        return Err(PdfFault::StraySignature);
    }
    Ok(signatures)
}

struct Fields<'f, 'a> {
    file: &'f File<'a>,
    seen: HashSet<Reference>,
    values: HashSet<Reference>,
    /// Field, value, and whether the field has a Lock.
    found: Vec<(Reference, Reference, bool)>,
}

impl Fields<'_, '_> {
    fn collect(&mut self) -> Result<(), PdfFault> {
        let latest = self.file.latest();
        let (_, catalog) = self.file.catalog(latest)?;
        let Some(form) = catalog.dictionary().and_then(|catalog| catalog.get(b"AcroForm")) else {
            return Ok(());
        };
        let form = self.file.follow(form, latest)?;
        let form = form.dictionary().ok_or(PdfFault::Form)?;
        let Some(fields) = form.get(b"Fields") else {
            return Ok(());
        };
        let fields = self.file.follow(fields, latest)?;
        self.walk(fields.array().ok_or(PdfFault::Form)?, None, 0)
    }

    fn walk(&mut self, fields: &[Object], inherited: Option<&[u8]>, depth: usize) -> Result<(), PdfFault> {
        if depth > FIELD_DEPTH_MAX {
            return Err(PdfFault::TooDeep);
        }
        for field in fields {
            let Object::Reference(reference) = field else {
                return Err(PdfFault::Form);
            };
            if !self.seen.insert(*reference) || self.seen.len() > FIELDS_MAX {
                return Err(PdfFault::Form);
            }
            let field = self.file.resolve(*reference, self.file.latest())?;
            let dictionary = field.dictionary().ok_or(PdfFault::Form)?;
            let kind = match dictionary.get(b"FT") {
                Some(Object::Name(kind)) => Some(&**kind),
                Some(_) => return Err(PdfFault::Form),
                None => inherited,
            };
            if kind == Some(b"Sig") {
                self.take(*reference, dictionary)?;
            }
            if let Some(kids) = dictionary.get(b"Kids") {
                let kids = self.file.follow(kids, self.file.latest())?;
                self.walk(kids.array().ok_or(PdfFault::Form)?, kind, depth + 1)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, field: Reference, dictionary: &Dictionary) -> Result<(), PdfFault> {
        match dictionary.get(b"V") {
            None => Ok(()),
            Some(Object::Reference(value)) => {
                if !self.values.insert(*value) {
                    return Err(PdfFault::SignatureRepeated);
                }
                self.found
                    .push((field, *value, dictionary.get(b"Lock").is_some()));
                Ok(())
            }
            Some(_) => Err(PdfFault::SignatureDictionary),
        }
    }
}

fn read_signature(
    file: &File<'_>,
    field: Reference,
    value: Reference,
    has_lock: bool,
) -> Result<Signature, PdfFault> {
    let latest = file.latest();
    let object: Rc<Indirect> = file.resolve(value, latest)?;
    let dictionary = object.dictionary().ok_or(PdfFault::SignatureDictionary)?;
    if dictionary.get(b"Type").is_some() && dictionary.name(b"Type") != Some(b"Sig") {
        return Err(PdfFault::SubFilter);
    }
    let profile = match dictionary.name(b"SubFilter") {
        Some(b"adbe.pkcs7.detached") => Profile::PdfPkcs7,
        Some(b"ETSI.CAdES.detached") => Profile::PdfCades,
        Some(_) | None => return Err(PdfFault::SubFilter),
    };
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
    let ends_here = |end_of: &super::file::Revision| (end_of.end..=end_of.end_of_line).contains(&end);
    let revision = file
        .revisions
        .iter()
        .position(ends_here)
        .ok_or(PdfFault::ByteRange)?;
    if file.entry(value.number, latest).map(|(_, owner)| owner) != Some(revision) {
        return Err(PdfFault::ByteRange);
    }
    Ok(Signature {
        field,
        value,
        revision,
        covered: [0..gap_start, gap_end..end],
        profile,
        contents: contents.bytes.clone(),
        has_restrictions: has_lock || dictionary.get(b"Reference").is_some(),
        shows_over_signed: false,
    })
}

fn byte_range(dictionary: &Dictionary) -> Option<[usize; 4]> {
    let Some(Object::Array(items)) = dictionary.get(b"ByteRange") else {
        return None;
    };
    let numbers = items.iter().map(Object::as_size);
    numbers.collect::<Option<Vec<usize>>>()?.try_into().ok()
}
