//! What a file is, told by its content alone.
//!
//! **Invariant:** a file that is two things at once is neither: two programs would read two documents.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::packet::{Limits, Opened, Packet, PacketFault};
use domain::verify::has_pdf_header;
use trust::xml::Tree;
use trust::{Certificate, Failure, Policy, Time, cms};

use super::file;
use super::view::{Kind, Size};
use crate::command::text::{Said, VerifyText};

/// What the names of detached signatures end in.
const SIGNATURE_SUFFIX: &str = ".p7s";

/// Files beside a detached signature that are tried at most.
const CONTENTS_MAX: usize = 8;

/// A file that was read and understood.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) path: PathBuf,
    pub(super) size: Size,
    pub(super) matter: Matter,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Matter {
    Pdf(Vec<u8>),
    /// With its XML.
    Packet(Box<Opened>, Vec<u8>),
    /// One certificate, or all of a PEM text.
    Certificates(Vec<Arc<Certificate>>),
    /// A CMS that holds its content, which may be a receipt.
    Attached(Vec<u8>),
    /// A CMS over another file, and the files that may be that: at least one.
    Detached(Vec<u8>, Vec<Content>),
}

/// A file that a detached signature may be over.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// How files are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    /// The signed file of detached signatures, as somebody named it.
    pub(super) content: Option<&'a Path>,
    /// Octets of one file at most.
    pub(super) bytes_max: u64,
    pub(super) limits: &'a Limits,
}

impl Subject {
    /// Reads a file and finds out what it is.
    ///
    /// # Errors
    /// In words: why it is nothing that could be verified; with its size where it was read.
    pub(super) fn open(path: &Path, look: Look<'_>) -> Result<Subject, (Option<Size>, Said)> {
        let bytes = file::read(path, look.bytes_max).map_err(|fault| (None, fault))?;
        let size = Size::of(&bytes);
        let matter = recognise(path, bytes, look).map_err(|fault| (Some(size), fault))?;
        let path = path.to_owned();
        Ok(Subject { path, size, matter })
    }

    pub(super) fn is_detached(&self) -> bool {
        match self.matter {
            Matter::Detached(..) => true,
            Matter::Pdf(_) | Matter::Packet(..) | Matter::Certificates(_) | Matter::Attached(_) => false,
        }
    }
}

fn recognise(path: &Path, bytes: Vec<u8>, look: Look<'_>) -> Result<Matter, Said> {
    let certificates = certificates(&bytes)?;
    let cms = cms_of(&bytes);
    let opened = Tree::parse(&bytes, &look.limits.xml)
        .map_err(PacketFault::from)
        .and_then(|tree| Packet::of_tree(&tree, look.limits));
    let found = [
        (has_pdf_header(&bytes), Kind::Pdf),
        (opened.is_ok(), Kind::Packet),
        (!certificates.is_empty(), Kind::Certificate),
        (cms.is_some(), Kind::Cms),
    ];
    let kinds: Vec<Kind> = found
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, kind)| kind)
        .collect();
    if kinds.len() > 1 {
        let [vi, en] = [0, 1].map(|language| {
            let names = kinds.iter().map(|kind| kind.text().languages()[language]);
            names.collect::<Vec<_>>().join(" + ")
        });
        return Err(VerifyText::SeveralKinds.said().with_languages("kinds", [vi, en]));
    }
    match (opened, cms) {
        (Ok(opened), _) => Ok(Matter::Packet(Box::new(opened), bytes)),
        (Err(_), Some(cms)) => of_cms(path, cms, look),
        (Err(_), None) if !certificates.is_empty() => Ok(Matter::Certificates(certificates)),
        (Err(_), None) if has_pdf_header(&bytes) => Ok(Matter::Pdf(bytes)),
        (Err(fault), None) => match pem_certificates(&bytes) {
            // Tools write what a certificate says before it (RFC 7468 §5.2).
            Ok(certificates) if !certificates.is_empty() => Ok(Matter::Certificates(certificates)),
            Ok(_) | Err(_) => Err(VerifyText::NotAnyKind.said().with("packet", fault)),
        },
    }
}

/// The certificates of a file: one in DER, or all of a PEM text; none is no fault, a damaged one among others is.
fn certificates(bytes: &[u8]) -> Result<Vec<Arc<Certificate>>, Said> {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        return Ok(vec![Arc::new(certificate)]);
    }
    let begin = b"-----BEGIN CERTIFICATE-----";
    if bytes.trim_ascii_start().starts_with(begin) {
        pem_certificates(bytes)
    } else {
        Ok(Vec::new())
    }
}

/// All certificates of a PEM text, in which nothing else is.
fn pem_certificates(bytes: &[u8]) -> Result<Vec<Arc<Certificate>>, Said> {
    let unfit = || VerifyText::PemUnfit.said();
    let found = Certificate::all_from_pem(bytes).map_err(|_| unfit())?;
    if found.len() == file::pem_blocks(bytes) {
        Ok(found.into_iter().map(Arc::new).collect())
    } else {
        Err(unfit())
    }
}

/// The CMS SignedData that a file is, in DER or BER.
fn cms_of(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Some(block) = cms::from_pem(bytes).filter(|_| file::pem_blocks(bytes) == 1) {
        return is_signed_data(&block).then_some(block);
    }
    is_signed_data(bytes).then(|| bytes.to_vec())
}

/// Whether octets begin a SignedData, whatever it is worth. What is over its limits or has something behind it is one too.
fn is_signed_data(bytes: &[u8]) -> bool {
    // SEQUENCE, and within its first octets the identifier 1.2.840.113549.1.7.2.
    const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let head = &bytes[..bytes.len().min(24)];
    bytes.first() == Some(&0x30)
        && head
            .windows(SIGNED_DATA.len())
            .any(|window| window == SIGNED_DATA)
}

fn of_cms(path: &Path, cms: Vec<u8>, look: Look<'_>) -> Result<Matter, Said> {
    if holds_content(&cms) {
        return Ok(Matter::Attached(cms));
    }
    let paths = match look.content {
        Some(content) => vec![content.to_owned()],
        None => contents_beside(path),
    };
    if paths.is_empty() {
        return Err(VerifyText::ContentNone.said());
    }
    if paths.len() > CONTENTS_MAX {
        return Err(VerifyText::ContentAmbiguous.said().with("count", paths.len()));
    }
    let contents = paths
        .into_iter()
        .map(|path| match file::read(&path, look.bytes_max) {
            Ok(bytes) => Ok(Content { path, bytes }),
            Err(fault) => {
                let told = VerifyText::ContentUnread.said().with("path", path.display());
                Err(told.about("fault", &fault))
            }
        });
    Ok(Matter::Detached(cms, contents.collect::<Result<_, _>>()?))
}

/// Whether a CMS holds a content of its own.
fn holds_content(cms: &[u8]) -> bool {
    let epoch = Time::from_micros(0);
    let results = cms::integrity(cms, None, &Policy::every_algorithm(), epoch);
    !results
        .iter()
        .any(|result| matches!(result, Err(Failure::ContentMisplaced)))
}

/// The files that a detached signature may be over: that of its name less `.p7s` (`vb.pdf.p7s` over `vb.pdf`), else those
/// whose own stem that is (`vb.p7s`), as in a packet.
fn contents_beside(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path
        .file_name()
        .and_then(|name| name.to_str())
        .map(str::to_lowercase)
    else {
        return Vec::new();
    };
    let Some(base) = name.strip_suffix(SIGNATURE_SUFFIX) else {
        return Vec::new();
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let named = |is_it: &dyn Fn(&str) -> bool| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let found = entries.filter(|entry| {
            let own = entry.file_name().to_string_lossy().to_lowercase();
            !own.ends_with(SIGNATURE_SUFFIX) && is_it(&own) && entry.path().is_file()
        });
        let mut found: Vec<PathBuf> = found.map(|entry| entry.path()).collect();
        found.sort();
        found
    };
    let by_stem = |own: &str| own.rsplit_once('.').is_some_and(|(stem, _)| stem == base);
    let exact = named(&|own| own == base);
    if exact.is_empty() { named(&by_stem) } else { exact }
}
