//! What a file brings along for its validation: the DSS (ISO 32000-2 §12.8.4.3, ETSI EN 319 142-1 §5.4.2) and document
//! time-stamps (§12.8.5).
//!
//! Stands beside the road: whoever judges paths and times asks for it before.
//!
//! **Invariant**: nothing of it is believed here; it is octets that somebody put into the file.

use std::collections::HashSet;
use std::ops::Range;

use super::PdfFault;
use super::file::{File, Indirect};
use super::object::{Dictionary, Object, Reference};
use super::signature::{self, Signature};
use super::stream;
use crate::policy::Policy;

/// Objects of a DSS at most: long-term files of the field hold some fifty.
const OBJECTS_MAX: usize = 4096;

/// What a file brings along. Nothing is decoded nor judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationMaterial {
    /// Certs of the DSS and its VRI: each a certificate in DER.
    pub certificates: Vec<Vec<u8>>,
    /// CRLs: each a revocation list in DER.
    pub revocation_lists: Vec<Vec<u8>>,
    /// OCSPs: each an OCSPResponse in DER.
    pub ocsp_responses: Vec<Vec<u8>>,
    /// Where each response stands in the file: what is over these octets proves by when it existed.
    pub(super) response_places: Vec<Range<usize>>,
    /// Document time-stamps, oldest first.
    pub time_stamps: Vec<DocumentTimeStamp>,
}

/// A time-stamp token over a whole revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentTimeStamp {
    /// The token (RFC 3161 §2.4.2), perhaps with zero octets behind it.
    pub token: Vec<u8>,
    /// What its imprint is the digest of: these two ranges of the file, one after the other.
    pub covered: [Range<usize>; 2],
    /// The revision that it closes, the first being 1. It proves that everything in this revision and before existed.
    pub revision: usize,
}

impl DocumentTimeStamp {
    pub(super) fn of(signature: &Signature) -> Self {
        Self {
            token: signature.contents.to_vec(),
            covered: signature.covered.clone(),
            revision: signature.revision + 1,
        }
    }
}

/// What the latest revision of a file brings along for its validation.
///
/// # Errors
/// A structure that cannot be trusted to say what is signed ([`PdfFault`]). Whether the history of the file stands is not
/// asked: that is the matter of [`super::validate`].
pub fn validation_material(file: &[u8], policy: &Policy) -> Result<ValidationMaterial, PdfFault> {
    let file = File::open(file, policy.pdf_objects_max)?;
    let signatures = signature::find(&file)?;
    of(&file, &signatures)
}

/// The same for a file that is open, and its signatures.
pub(super) fn of(file: &File<'_>, signatures: &[Signature]) -> Result<ValidationMaterial, PdfFault> {
    let stamps = signatures.iter().filter(|signature| !signature.is_seal());
    let mut material = ValidationMaterial {
        time_stamps: stamps.map(DocumentTimeStamp::of).collect(),
        ..ValidationMaterial::default()
    };
    for (kind, reference) in read(file, file.latest())?.streams {
        let object = file.resolve(reference, file.latest())?;
        let (octets, place) = octets(file, &object)?;
        match kind {
            Kind::Certificate => material.certificates.push(octets),
            Kind::RevocationList => material.revocation_lists.push(octets),
            Kind::OcspResponse => {
                material.ocsp_responses.push(octets);
                material.response_places.push(place);
            }
        }
    }
    Ok(material)
}

/// The decoded octets of a stream, and where it stands in the file.
fn octets(file: &File<'_>, object: &Indirect) -> Result<(Vec<u8>, Range<usize>), PdfFault> {
    match (object.dictionary(), &object.stream) {
        (Some(dictionary), Some(range)) => {
            let octets = stream::decode(dictionary, &file.bytes[range.clone()], &file.budget)?;
            Ok((octets, range.clone()))
        }
        _ => Err(PdfFault::ValidationMaterial),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Certificate,
    RevocationList,
    OcspResponse,
}

/// A DSS as one revision shows it.
#[derive(Default)]
pub(super) struct Dss {
    /// What it is made of: dictionaries and arrays that are objects of their own.
    pub(super) nodes: HashSet<u32>,
    /// What it refers to, each once.
    pub(super) streams: Vec<(Kind, Reference)>,
    /// The numbers of the streams, and of those of time-stamps in VRI (TS), which nobody reads.
    pub(super) leaves: HashSet<u32>,
}

/// Reads the DSS of the catalog; empty where there is none.
pub(super) fn read(file: &File<'_>, revision: usize) -> Result<Dss, PdfFault> {
    let mut reader = Reader::new(file, revision);
    let (_, catalog) = file.catalog(revision)?;
    if let Some(dss) = catalog.dictionary().and_then(|catalog| catalog.get(b"DSS")) {
        reader.root(dss)?;
    }
    Ok(reader.dss)
}

/// Whether the object is the VRI of some signature.
pub(super) fn is_related(file: &File<'_>, revision: usize, reference: Reference) -> bool {
    let mut reader = Reader::new(file, revision);
    reader.related(&Object::Reference(reference)).is_ok()
}

struct Reader<'f, 'a> {
    file: &'f File<'a>,
    revision: usize,
    dss: Dss,
    seen: HashSet<(Kind, Reference)>,
}

impl<'f, 'a> Reader<'f, 'a> {
    fn new(file: &'f File<'a>, revision: usize) -> Self {
        Self {
            file,
            revision,
            dss: Dss::default(),
            seen: HashSet::new(),
        }
    }

    /// Table 261.
    fn root(&mut self, dss: &Object) -> Result<(), PdfFault> {
        self.dictionary(dss, |reader, key, value| match key {
            b"Type" if value.as_name() == Some(b"DSS") => Ok(()),
            b"Certs" => reader.streams(Kind::Certificate, value),
            b"CRLs" => reader.streams(Kind::RevocationList, value),
            b"OCSPs" => reader.streams(Kind::OcspResponse, value),
            b"VRI" => reader.dictionary(value, |reader, _, value| reader.related(value)),
            _ => Err(PdfFault::ValidationMaterial),
        })
    }

    /// VRI of one signature (table 262).
    fn related(&mut self, related: &Object) -> Result<(), PdfFault> {
        self.dictionary(related, |reader, key, value| match (key, value) {
            (b"Type", Object::Name(name)) if &**name == b"VRI" => Ok(()),
            (b"Cert", value) => reader.streams(Kind::Certificate, value),
            (b"CRL", value) => reader.streams(Kind::RevocationList, value),
            (b"OCSP", value) => reader.streams(Kind::OcspResponse, value),
            (b"TU", Object::Text(_)) => Ok(()),
            (b"TS", Object::Reference(reference)) => {
                reader.dss.leaves.insert(reference.number);
                reader.check_size()
            }
            _ => Err(PdfFault::ValidationMaterial),
        })
    }

    /// Every entry of a dictionary, which may be an object of its own.
    fn dictionary(
        &mut self,
        object: &Object,
        mut entry: impl FnMut(&mut Self, &[u8], &Object) -> Result<(), PdfFault>,
    ) -> Result<(), PdfFault> {
        let followed = self.follow(object)?;
        let dictionary: &Dictionary = followed
            .dictionary()
            .filter(|_| followed.stream.is_none())
            .ok_or(PdfFault::ValidationMaterial)?;
        self.file.budget.take_looks(followed.weight)?;
        for (key, value) in dictionary.iter() {
            entry(self, key, value)?;
        }
        Ok(())
    }

    /// An array of streams.
    fn streams(&mut self, kind: Kind, object: &Object) -> Result<(), PdfFault> {
        let followed = self.follow(object)?;
        let items = followed.array().ok_or(PdfFault::ValidationMaterial)?;
        self.file.budget.take_looks(followed.weight)?;
        for item in items {
            let reference = item.as_reference().ok_or(PdfFault::ValidationMaterial)?;
            self.dss.leaves.insert(reference.number);
            if self.seen.insert((kind, reference)) {
                self.dss.streams.push((kind, reference));
            }
            self.check_size()?;
        }
        Ok(())
    }

    fn follow(&mut self, object: &Object) -> Result<std::rc::Rc<Indirect>, PdfFault> {
        if let Some(reference) = object.as_reference() {
            self.dss.nodes.insert(reference.number);
            self.check_size()?;
        }
        self.file.follow(object, self.revision)
    }

    fn check_size(&self) -> Result<(), PdfFault> {
        if self.dss.nodes.len() + self.dss.leaves.len() > OBJECTS_MAX {
            return Err(PdfFault::TooLarge);
        }
        Ok(())
    }
}
