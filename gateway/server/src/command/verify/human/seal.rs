//! One signature or certificate, for people.

use std::sync::Arc;

use domain::receipt::vietnam_time;
use trust::pdf::Coverage;
use trust::report::SealReport;
use trust::{Certificate, Failure, Need, TimeStampKind, TimeStampReport};

use super::Page;
use crate::command::text::{AdviceText, Said, Text, VerifyText};
use crate::command::verify::settled::{Settled, Word, settled};
use crate::command::verify::view::{Grounds, Judged, key_name, needs_of};
use crate::command::verify::words;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Signature,
    Certificate,
}

/// The lines of one of several, at this depth.
pub(super) fn judged(
    judged: &Judged,
    what: What,
    (number, count): (usize, usize),
    (depth, page): (usize, &mut Page),
) {
    let (text, label) = match what {
        What::Signature => (VerifyText::Signature, VerifyText::LabelSigner),
        What::Certificate => (VerifyText::Certificate, VerifyText::LabelSubject),
    };
    let said = text.said().with("number", number).with("count", count);
    let report = &judged.report;
    page.sentence(
        depth,
        &said.about("verdict", &words::indication(report.indication)),
    );
    let depth = depth + 1;
    why(report, (depth, page));
    match judged.grounds {
        Grounds::Path => {}
        Grounds::Pinned => page.sentence(depth, &VerifyText::ReceiptPinned.said()),
        Grounds::Anchor => page.sentence(depth, &VerifyText::AnchorItself.said()),
    }
    if let Some(signer) = &report.signer {
        holder(signer, label, (depth, page));
    }
    if what == What::Signature {
        signing(report, (depth, page));
    }
    path(judged, (depth, page));
    for stamp in &report.time_stamps {
        time_stamp(stamp, (depth, page));
    }
    for (index, counter) in report.counter_signatures.iter().enumerate() {
        let said = VerifyText::CounterSignature.said().with("number", index + 1);
        page.sentence(
            depth,
            &said.about("verdict", &words::indication(counter.indication)),
        );
        why(counter, (depth + 1, page));
        if let Some(signer) = &counter.signer {
            holder(signer, VerifyText::LabelSigner, (depth + 1, page));
        }
    }
    for remark in &report.remarks {
        let said = VerifyText::Remark.said();
        page.sentence(depth, &said.about("remark", &words::remark(*remark).said()));
    }
}

/// Why it does not pass, and what to do about it.
fn why(report: &SealReport, (depth, page): (usize, &mut Page)) {
    let Some(failure) = &report.failure else {
        return;
    };
    let (_, said) = words::failure(failure);
    page.sentence(depth, &VerifyText::Because.said().about("failure", &said));
    let mut advise = |said: &Said| page.sentence(depth, &VerifyText::Do.said().about("advice", said));
    if let Some(advice) = words::advice(failure) {
        advise(&advice.said());
    }
    needs_of(report).for_each(|need| advise(&lacking(need)));
    if matches!(failure, Failure::RevocationUnknown { .. }) {
        advise(&AdviceText::NeedListOfThen.said());
    }
}

/// What is missing, and from where.
pub(in crate::command::verify) fn lacking(need: &Need) -> Said {
    let (text, urls) = match need {
        Need::Crl { urls, .. } => (AdviceText::NeedList, urls),
        Need::Ocsp { urls, .. } => (AdviceText::NeedAnswer, urls),
        Need::Issuer { urls, .. } => (AdviceText::NeedIssuer, urls),
    };
    let said = text.said().with("issuer", need.issuer());
    if urls.is_empty() {
        said.about("urls", &AdviceText::NoAddress.said())
    } else {
        said.with("urls", urls.join(" "))
    }
}

fn holder(certificate: &Certificate, label: VerifyText, (depth, page): (usize, &mut Page)) {
    page.value(depth, label, &certificate.subject().to_string());
    page.value(depth, VerifyText::LabelIssuer, &certificate.issuer().to_string());
    page.value(depth, VerifyText::LabelSerial, &certificate.serial_hex());
    let fingerprint = certificate.fingerprint().to_string();
    page.value(depth, VerifyText::LabelFingerprint, &fingerprint);
    let (from, until) = (certificate.not_before(), certificate.not_after());
    let validity = format!("{} – {}", vietnam_time(from), vietnam_time(until));
    page.value(depth, VerifyText::LabelValidity, &validity);
}

/// Algorithm, times and coverage.
fn signing(report: &SealReport, (depth, page): (usize, &mut Page)) {
    if let Some(algorithm) = report.algorithm {
        let signer = report.signer.as_ref();
        let key = signer.map_or_else(String::new, |signer| format!(", {}", key_name(signer.key_kind())));
        page.value(depth, VerifyText::LabelAlgorithm, &format!("{algorithm}{key}"));
    }
    let claimed = match report.claimed_signing_time {
        Some(time) => vietnam_time(time),
        None => VerifyText::ClaimedNone.said().to_string(),
    };
    page.value(depth, VerifyText::LabelClaimed, &claimed);
    page.value(depth, VerifyText::LabelProven, &proven(report).to_string());
    if let Some(coverage) = &report.coverage {
        page.value(depth, VerifyText::LabelCovers, &covers(coverage).to_string());
    }
}

/// The best-signature-time and the time-stamp that it is from.
fn proven(report: &SealReport) -> Said {
    let best = report.best_signature_time;
    match stamp_of(report) {
        None => VerifyText::ProvenByNothing.said(),
        Some(stamp) => VerifyText::ProvenByStamp
            .said()
            .with("time", vietnam_time(best))
            .about("authority", &authority(stamp)),
    }
}

/// The time-stamp that gave the best-signature-time.
pub(in crate::command::verify) fn stamp_of(report: &SealReport) -> Option<&TimeStampReport> {
    let is_over_signature = |stamp: &&TimeStampReport| match stamp.kind {
        TimeStampKind::Signature | TimeStampKind::Archive | TimeStampKind::Data => true,
        TimeStampKind::Content => false,
    };
    let passed = report.time_stamps.iter().filter(|stamp| stamp.is_passed());
    passed.filter(is_over_signature).min_by_key(|stamp| stamp.time)
}

fn authority(stamp: &TimeStampReport) -> Said {
    match &stamp.signer {
        Some(signer) => Text::Foreign.said().with("detail", signer.subject()),
        None => VerifyText::AuthorityUnknown.said(),
    }
}

fn covers(coverage: &Coverage) -> Said {
    let text = match coverage.is_whole() {
        true => VerifyText::CoversFile,
        false => VerifyText::CoversRevision,
    };
    let said = text
        .said()
        .with("revision", coverage.revision)
        .with("revisions", coverage.revisions);
    if coverage.is_whole() {
        return said;
    }
    if coverage.later.is_empty() {
        return said.about("later", &VerifyText::LaterNothing.said());
    }
    let later = [0, 1].map(|language| {
        let each = coverage.later.iter();
        let each = each.map(|one| words::later(*one).languages()[language]);
        each.collect::<Vec<_>>().join(", ")
    });
    said.with_languages("later", later)
}

/// Each certificate of the path with what settled it.
fn path(judged: &Judged, (depth, page): (usize, &mut Page)) {
    let report = &judged.report;
    if report.chain.is_empty() {
        if judged.grounds == Grounds::Path && report.signer.is_some() {
            let none = VerifyText::PathNone.said().to_string();
            page.value(depth, VerifyText::LabelPath, &none);
        }
        return;
    }
    page.line(depth, &VerifyText::LabelPath.said().to_string());
    links(&report.chain, &settled(report), (depth + 1, page));
}

fn links(chain: &[Arc<Certificate>], settled: &[Settled], (depth, page): (usize, &mut Page)) {
    for (index, certificate) in chain.iter().enumerate() {
        let subject = certificate.subject().to_string();
        if index + 1 == chain.len() {
            let anchor = VerifyText::LinkAnchor.said();
            page.line(depth, &format!("{}. {subject}: {anchor}", index + 1));
            continue;
        }
        page.line(depth, &format!("{}. {subject}", index + 1));
        let own = settled.iter().filter(|one| one.certificate == *certificate);
        let own: Vec<&Settled> = own.collect();
        if own.is_empty() {
            page.said(depth + 1, &VerifyText::LinkUnsettled.said());
        }
        own.iter().for_each(|one| page.sentence(depth + 1, &link(one)));
    }
}

fn link(settled: &Settled) -> Said {
    let said = match settled.word {
        Word::Good => VerifyText::LinkNotRevoked.said(),
        Word::Revoked(at) => VerifyText::LinkRevoked.said().with("at", vietnam_time(at)),
        Word::RevokedAfter(at) => VerifyText::LinkRevokedAfter.said().with("at", vietnam_time(at)),
    };
    said.about("source", &settled.source_in_words())
}

fn time_stamp(stamp: &TimeStampReport, (depth, page): (usize, &mut Page)) {
    let time = stamp.time.map_or_else(|| "-".to_owned(), vietnam_time);
    let said = VerifyText::StampLine
        .said()
        .about("kind", &words::stamp_kind(stamp.kind).said())
        .with("time", time)
        .about("verdict", &words::indication(stamp.indication))
        .about("authority", &authority(stamp));
    page.sentence(depth, &said);
    if let Some(failure) = &stamp.failure {
        let (_, said) = words::failure(failure);
        page.sentence(depth + 1, &VerifyText::Because.said().about("failure", &said));
    }
    if !stamp.chain.is_empty() {
        let settled = Settled::all(&stamp.revocation, (&stamp.chain, stamp.failure.as_ref()));
        links(&stamp.chain, &settled, (depth + 1, page));
    }
}
