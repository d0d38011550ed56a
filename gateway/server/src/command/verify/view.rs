//! What was found out about a file, before it is told to people or programs.
//!
//! **Invariant:** a file passed only if at least one signature of it, or the certificate that it is, passed, and nothing
//! in it failed; the verdict of a whole follows from its parts by [`Verdict::worst`] and nobody chooses it.

use std::path::PathBuf;

use domain::packet::Packet;
use domain::receipt::Receipt;
use trust::algorithm::KeyKind;
use trust::{Digest, Indication, Need, PdfFault, SealReport, Time};

use crate::administration::Complaint;
use crate::command::text::{Said, VerifyText};

/// What a whole is worth; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Everything that was to be proven is.
    Passed,
    /// Nothing was proven, for nobody signed.
    Unsigned,
    /// Not proven.
    Indeterminate,
    /// Proven to be wrong.
    Failed,
    /// It could not be read or judged.
    Unreadable,
}

impl Verdict {
    /// As programs are told it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Unsigned => "unsigned",
            Verdict::Indeterminate => "indeterminate",
            Verdict::Failed => "failed",
            Verdict::Unreadable => "unreadable",
        }
    }

    pub(super) fn of(indication: Indication) -> Verdict {
        match indication {
            Indication::TotalPassed => Verdict::Passed,
            Indication::TotalFailed(_) => Verdict::Failed,
            Indication::Indeterminate(_) => Verdict::Indeterminate,
        }
    }

    /// Of several the worst; of none that nothing is proven.
    pub(super) fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().max().unwrap_or(Verdict::Unsigned)
    }
}

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pdf,
    Packet,
    Receipt,
    Certificate,
    Cms,
    /// None of these, or several.
    Unknown,
}

impl Kind {
    pub(super) fn text(self) -> VerifyText {
        match self {
            Kind::Pdf => VerifyText::KindPdf,
            Kind::Packet => VerifyText::KindPacket,
            Kind::Receipt => VerifyText::KindReceipt,
            Kind::Certificate => VerifyText::KindCertificate,
            Kind::Cms => VerifyText::KindCms,
            Kind::Unknown => VerifyText::KindUnknown,
        }
    }

    /// As programs are told it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Pdf => "pdf",
            Kind::Packet => "packet",
            Kind::Receipt => "receipt",
            Kind::Certificate => "certificate",
            Kind::Cms => "cms",
            Kind::Unknown => "unknown",
        }
    }
}

/// Where in a file something stands that bears signatures, or could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The file itself.
    File,
    /// The file that a detached signature was judged with.
    Content(PathBuf),
    /// An attachment of a packet, numbered from 1 in the order of its manifest.
    Attachment { number: usize, name: String },
    /// The packet as XML.
    PacketSignature,
}

/// What was found there.
#[derive(Debug, Clone)]
pub(super) enum Finding {
    /// Signatures, or certificates that are judged by themselves; at least one.
    Judged(Vec<Judged>),
    /// No signature.
    Unsigned,
    /// Elements that look like a signature and hold nothing.
    Placeholder,
    /// A PDF whose structure cannot be trusted to say what is signed.
    Refused(PdfFault),
}

/// One signature or certificate, judged.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) report: SealReport,
    /// Whether it passes because its certificate was named on the command line, or is an anchor itself.
    pub(super) grounds: Grounds,
}

/// By what a signer is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grounds {
    /// A path to an anchor, as the report says.
    Path,
    /// It was named with `--gateway-certificate`.
    Pinned,
    /// It is an anchor.
    Anchor,
}

impl From<SealReport> for Judged {
    fn from(report: SealReport) -> Judged {
        Judged {
            report,
            grounds: Grounds::Path,
        }
    }
}

/// One place and what was found there.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) place: Place,
    pub(super) size: Size,
    pub(super) finding: Finding,
    /// Whether its signatures, whatever they are worth, are over nothing that was to be signed.
    pub(super) is_void: bool,
    /// Worth saying besides.
    pub(super) notes: Vec<Said>,
}

/// Octets, counted and digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) digest: Digest,
    pub(super) bytes: usize,
}

impl Size {
    pub(super) fn of(bytes: &[u8]) -> Size {
        Size {
            digest: Digest::of(bytes),
            bytes: bytes.len(),
        }
    }
}

impl Object {
    pub(super) fn new(place: Place, size: Size, finding: Finding) -> Object {
        Object {
            place,
            size,
            finding,
            is_void: false,
            notes: Vec::new(),
        }
    }

    pub(super) fn judged(&self) -> &[Judged] {
        match &self.finding {
            Finding::Judged(judged) => judged,
            Finding::Unsigned | Finding::Placeholder | Finding::Refused(_) => &[],
        }
    }

    /// `None` where nothing is said about anything.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        if self.is_void {
            return Some(Verdict::Failed);
        }
        match &self.finding {
            Finding::Judged(judged) => {
                let verdicts = judged.iter().map(|one| Verdict::of(one.report.indication));
                Some(Verdict::worst(verdicts))
            }
            Finding::Refused(_) => Some(Verdict::Failed),
            Finding::Unsigned | Finding::Placeholder => None,
        }
    }
}

/// What a file says of itself, beside its signatures.
#[derive(Debug, Clone)]
pub(super) enum About {
    Nothing,
    Packet(Box<Packet>),
    Receipt(Box<Receipt>),
}

/// All that was found out about one file.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// `None` where it could not be read.
    pub(super) size: Option<Size>,
    /// As of when it was judged.
    pub(super) at: Time,
    pub(super) verdict: Verdict,
    pub(super) objects: Vec<Object>,
    pub(super) about: About,
    /// What concerns the whole: why it could not be read, or does not pass.
    pub(super) notes: Vec<Said>,
    /// Addresses that were asked and gave nothing of use.
    pub(super) failed: Vec<(String, Complaint)>,
}

impl Examined {
    /// A file of which nothing is known but why.
    pub(super) fn unreadable(path: PathBuf, size: Option<Size>, at: Time, why: Said) -> Examined {
        Examined {
            path,
            kind: Kind::Unknown,
            size,
            at,
            verdict: Verdict::Unreadable,
            objects: Vec::new(),
            about: About::Nothing,
            notes: vec![why],
            failed: Vec::new(),
        }
    }

    /// What would settle what is open, of every part.
    pub(super) fn needs(&self) -> Vec<Need> {
        let judged = self.objects.iter().flat_map(Object::judged);
        let reports = judged.map(|one| &one.report);
        reports.flat_map(needs_of).cloned().collect()
    }
}

/// What a report lacks, that of its time-stamps included.
pub(super) fn needs_of(report: &SealReport) -> impl Iterator<Item = &Need> {
    let stamps = report.time_stamps.iter().flat_map(|stamp| &stamp.needs);
    report.needs.iter().chain(stamps)
}

/// Kind and size of a key, as the field writes it.
pub(super) fn key_name(key: KeyKind) -> String {
    match key {
        KeyKind::Rsa(bits) => format!("RSA-{bits}"),
        KeyKind::EcP256 => "P-256".to_owned(),
        KeyKind::EcP384 => "P-384".to_owned(),
        KeyKind::EcP521 => "P-521".to_owned(),
        KeyKind::Ed25519 => "Ed25519".to_owned(),
        KeyKind::Unknown => "?".to_owned(),
    }
}
