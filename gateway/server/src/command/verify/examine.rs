//! From a file that was read to what was found out about it.
//!
//! Pure: the same file, trust material and time give the same.

use std::sync::Arc;

use domain::receipt::Receipt;
use domain::verify::is_over_its_content;
use trust::pdf::PdfReport;
use trust::report::SealReport;
use trust::{Certificate, Digest, Failure, Indication, Role, Snapshot, Time, cms, pdf};

use super::packet;
use super::subject::{Content, Matter, Subject};
use super::view::{About, Examined, Finding, Grounds, Judged, Kind, Object, Place, Size, Verdict};
use crate::command::text::{Said, VerifyText};

/// What everything is judged with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) at: Time,
    /// Certificates of gateways that are trusted to sign receipts.
    pub(super) gateways: &'a [Digest],
    pub(super) xml: &'a trust::xml::Limits,
}

/// What parts say together.
pub(super) struct Whole {
    pub(super) kind: Kind,
    pub(super) verdict: Verdict,
    pub(super) objects: Vec<Object>,
    pub(super) about: About,
    pub(super) notes: Vec<Said>,
}

impl Whole {
    fn of_one(kind: Kind, object: Object) -> Whole {
        Whole {
            kind,
            verdict: object.verdict().unwrap_or(Verdict::Unsigned),
            objects: vec![object],
            about: About::Nothing,
            notes: Vec::new(),
        }
    }
}

/// Judges a file.
pub(super) fn examine(subject: &Subject, bench: Bench<'_>) -> Examined {
    let whole = match &subject.matter {
        Matter::Pdf(bytes) => {
            let finding = pdf_finding(bytes, bench);
            Whole::of_one(Kind::Pdf, Object::new(Place::File, subject.size, finding))
        }
        Matter::Packet(opened, bytes) => packet::examine(opened, bytes, subject.size, bench),
        Matter::Certificates(certificates) => {
            let finding = Finding::Judged(certificates_judged(certificates, bench));
            Whole::of_one(Kind::Certificate, Object::new(Place::File, subject.size, finding))
        }
        Matter::Attached(cms) => attached(cms, subject.size, bench),
        Matter::Detached(cms, contents) => Whole::of_one(Kind::Cms, detached(cms, contents, bench)),
    };
    Examined {
        path: subject.path.clone(),
        kind: whole.kind,
        size: Some(subject.size),
        at: bench.at,
        verdict: whole.verdict,
        objects: whole.objects,
        about: whole.about,
        notes: whole.notes,
        failed: Vec::new(),
    }
}

/// What a PDF is worth.
pub(super) fn pdf_finding(bytes: &[u8], bench: Bench<'_>) -> Finding {
    match pdf::validate(bytes, bench.snapshot, bench.at) {
        PdfReport::Unsigned => Finding::Unsigned,
        PdfReport::Signed(reports) => judged(reports),
        PdfReport::Refused(fault) => Finding::Refused(fault),
    }
}

/// One finding for each report.
pub(super) fn judged(reports: Vec<SealReport>) -> Finding {
    Finding::Judged(reports.into_iter().map(Judged::from).collect())
}

/// Each by itself, with the others of its file as candidates.
fn certificates_judged(certificates: &[Arc<Certificate>], bench: Bench<'_>) -> Vec<Judged> {
    let Bench { snapshot, at, .. } = bench;
    let is_anchor = |one: &&Arc<Certificate>| snapshot.anchors().any(|anchor| anchor == *one);
    let judge = |one: &Arc<Certificate>| {
        let report = trust::report_certificate(one, Role::of(one), certificates, snapshot, at);
        if is_anchor(&one) {
            anchor_judged(one, report, at)
        } else {
            Judged::from(report)
        }
    };
    certificates.iter().map(judge).collect()
}

/// An anchor is trusted as it stands; it must only be valid.
fn anchor_judged(anchor: &Arc<Certificate>, report: SealReport, at: Time) -> Judged {
    let failure = validity_failure(anchor, at);
    let indication = match &failure {
        None => Indication::TotalPassed,
        Some(failure) => failure.indication(Some(anchor)),
    };
    let report = SealReport {
        indication,
        failure,
        chain: vec![Arc::clone(anchor)],
        revocation: Vec::new(),
        needs: Vec::new(),
        ..report
    };
    let grounds = Grounds::Anchor;
    Judged { report, grounds }
}

fn validity_failure(certificate: &Arc<Certificate>, at: Time) -> Option<Failure> {
    let certificate = Arc::clone(certificate);
    if at < certificate.not_before() {
        Some(Failure::NotYetValid { certificate })
    } else if certificate.not_after().as_seconds() < at.as_seconds() {
        Some(Failure::Expired { certificate })
    } else {
        None
    }
}

/// A CMS with its content: a receipt, if that is what it holds.
fn attached(signature: &[u8], size: Size, bench: Bench<'_>) -> Whole {
    let (reports, content) = cms::validate_attached(signature, bench.snapshot, bench.at);
    let receipt = content.and_then(|content| Receipt::decode(&content).ok());
    let Some(receipt) = receipt else {
        return Whole::of_one(Kind::Cms, Object::new(Place::File, size, judged(reports)));
    };
    let integrity = cms::integrity(signature, None, bench.snapshot.policy(), bench.at);
    let pinned = reports.into_iter().zip(integrity);
    let finding = pinned.map(|(report, integrity)| pinned_judged(report, integrity.ok(), bench));
    let finding = Finding::Judged(finding.collect());
    let mut object = Object::new(Place::File, size, finding);
    let is_unknown = |one: &Judged| {
        one.grounds == Grounds::Path && !one.report.is_passed() && is_without_path(&one.report)
    };
    if object.judged().iter().any(is_unknown) {
        object.notes.push(VerifyText::ReceiptUnpinned.said());
    }
    let mut whole = Whole {
        about: About::Receipt(Box::new(receipt)),
        ..Whole::of_one(Kind::Receipt, object)
    };
    check_gateway(&mut whole, bench);
    whole
}

/// Who signs well is not for that a gateway: where its certificate was named, no other will do.
fn check_gateway(whole: &mut Whole, bench: Bench<'_>) {
    let signers = whole.objects.iter().flat_map(Object::judged);
    let is_named = |one: &Judged| {
        let signer = one.report.signer.as_ref();
        signer.is_some_and(|signer| bench.gateways.contains(&signer.fingerprint()))
    };
    let are_named = signers.into_iter().all(is_named);
    if !bench.gateways.is_empty() && !are_named {
        whole.verdict = whole.verdict.max(Verdict::Indeterminate);
        whole.notes.push(VerifyText::ReceiptForeign.said());
    } else if bench.gateways.is_empty() && whole.verdict == Verdict::Passed {
        whole.notes.push(VerifyText::ReceiptByPath.said());
    }
}

/// Whether nothing failed but that no path of the signer reached an anchor. Where one did, it is something else that leads
/// to no anchor: a time-stamp that the signer waits for, because it failed by itself.
fn is_without_path(report: &SealReport) -> bool {
    let has_none = matches!(
        report.failure,
        Some(Failure::NoPath { .. } | Failure::IssuerUnknown { .. })
    );
    has_none && report.chain.is_empty()
}

/// A signer that leads to no anchor is believed where its certificate was named, its signature is intact and it is valid.
fn pinned_judged(report: SealReport, intact: Option<Arc<Certificate>>, bench: Bench<'_>) -> Judged {
    let Some(signer) = intact.filter(|signer| bench.gateways.contains(&signer.fingerprint())) else {
        return Judged::from(report);
    };
    if !is_without_path(&report) || report.signer.as_ref() != Some(&signer) {
        return Judged::from(report);
    }
    let failure = validity_failure(&signer, bench.at);
    let indication = match &failure {
        None => Indication::TotalPassed,
        Some(failure) => failure.indication(Some(&signer)),
    };
    let report = SealReport {
        indication,
        failure,
        needs: Vec::new(),
        ..report
    };
    let grounds = Grounds::Pinned;
    Judged { report, grounds }
}

/// A detached signature over the first file whose digest it holds; over none of them it is told of the first.
fn detached(signature: &[u8], contents: &[Content], bench: Bench<'_>) -> Object {
    let judge = |content: &Content| cms::validate(signature, &content.bytes, bench.snapshot, bench.at);
    let all = contents.iter().map(|content| (content, judge(content)));
    let all: Vec<_> = all.collect();
    let place = all.iter().position(|(_, reports)| is_over_its_content(reports));
    let (content, reports) = all
        .into_iter()
        .nth(place.unwrap_or(0))
        .expect("a detached signature is looked at with at least one file");
    let size = Size::of(&content.bytes);
    Object::new(Place::Content(content.path.clone()), size, judged(reports))
}
