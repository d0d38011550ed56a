//! The detailed report: each signature's checks in the order of ETSI EN 319 102-1, with ids of facts.

use serde_json::{Value, json};
use trust::report::SealReport;
use trust::{Failure, Need, TimeStampReport};

use super::facts::Facts;
use super::{both, coded, indication_word, sub_indication_word};
use crate::command::text::AdviceText;
use crate::command::verify::human::lacking;
use crate::command::verify::settled::{Settled, Word, settled};
use crate::command::verify::stage::{Outcome, Stage};
use crate::command::verify::view::{Grounds, Judged, Kind, needs_of};
use crate::command::verify::words;

/// A signature or certificate and those that signed it after: one entry each.
pub(super) fn of(
    (signature, object): (&str, &str),
    kind: Kind,
    judged: &Judged,
    facts: &mut Facts,
) -> Vec<Value> {
    let what = match kind {
        Kind::Certificate => "certificate",
        Kind::Pdf | Kind::Packet | Kind::Receipt | Kind::Cms | Kind::Unknown => "signature",
    };
    let mut entries = vec![entry((signature, object, what), judged, facts)];
    for (index, counter) in judged.report.counter_signatures.iter().enumerate() {
        let id = format!("{signature}.{}", index + 1);
        let counter = Judged::from(counter.clone());
        entries.push(entry((&id, object, "counterSignature"), &counter, facts));
    }
    entries
}

fn entry((signature, object, what): (&str, &str, &str), judged: &Judged, facts: &mut Facts) -> Value {
    let report = &judged.report;
    let grounds = match judged.grounds {
        Grounds::Path => "path",
        Grounds::Pinned => "pinned",
        Grounds::Anchor => "anchor",
    };
    let remarks = report.remarks.iter().map(|remark| {
        let text = words::remark(*remark);
        coded(text, &text.said())
    });
    let remarks: Vec<Value> = remarks.collect();
    json!({
        "signature": signature,
        "object": object,
        "what": what,
        "indication": indication_word(report.indication),
        "subIndication": sub_indication_word(report.indication),
        "grounds": grounds,
        "algorithm": report.algorithm.map(|algorithm| algorithm.to_string()),
        "coverage": coverage(report),
        "checks": checks(report, what, facts),
        "remarks": remarks,
        "needs": needs_of(report).map(need).collect::<Vec<_>>(),
        "advice": advice(report),
    })
}

/// One check: `certificate` is whose, where the check is of each certificate of a path.
fn check(stage: &str, outcome: Outcome, failure: Option<&Failure>, facts: Vec<String>) -> Value {
    let failure = failure.map(|failure| {
        let (text, said) = words::failure(failure);
        coded(text, &said)
    });
    json!({
        "check": stage,
        "result": outcome.word(),
        "certificate": null,
        "failure": failure,
        "facts": facts,
    })
}

fn checks(report: &SealReport, what: &str, facts: &mut Facts) -> Vec<Value> {
    let signer: Vec<String> = report.signer.iter().map(|one| facts.certificate(one)).collect();
    let path: Vec<String> = report.chain.iter().map(|one| facts.certificate(one)).collect();
    let failing = report.failure.as_ref().map(Stage::of);
    let stage = |stage: Stage, used: Vec<String>| {
        let own = report.failure.as_ref().filter(|_| failing == Some(stage));
        check(stage.word(), stage.outcome(report), own, used)
    };
    let mut checks = Vec::new();
    if what != "certificate" {
        checks.push(stage(Stage::Format, Vec::new()));
        checks.push(stage(Stage::SigningCertificate, signer));
        checks.push(stage(Stage::Cryptography, Vec::new()));
    }
    checks.push(stage(Stage::Path, path));
    revocation(report, facts, &mut checks);
    if what == "certificate" {
        return checks;
    }
    checks.push(stage(Stage::Acceptance, Vec::new()));
    if failing == Some(Stage::TimeStamps) {
        checks.push(stage(Stage::TimeStamps, Vec::new()));
    }
    for stamp in &report.time_stamps {
        checks.push(time_stamp(stamp, facts));
        let settled = Settled::all(&stamp.revocation, (&stamp.chain, stamp.failure.as_ref()));
        each(&settled, stamp.failure.as_ref(), facts, &mut checks);
    }
    if report.time_stamps.is_empty() && failing != Some(Stage::TimeStamps) {
        let none = Vec::new();
        checks.push(check(
            Stage::TimeStamps.word(),
            Outcome::NotApplicable,
            None,
            none,
        ));
    }
    let covered = match &report.coverage {
        Some(_) => Outcome::Passed,
        None => Outcome::NotApplicable,
    };
    checks.push(check("coverage", covered, None, Vec::new()));
    checks
}

/// One check for each certificate of the path but the anchor.
fn revocation(report: &SealReport, facts: &mut Facts, checks: &mut Vec<Value>) {
    let settled = settled(report);
    let failure = report.failure.as_ref();
    let below_anchor = report.chain.len().saturating_sub(1);
    let start = checks.len();
    for certificate in &report.chain[..below_anchor] {
        let own: Vec<Settled> = settled
            .iter()
            .filter(|one| one.certificate == *certificate)
            .cloned()
            .collect();
        if !own.is_empty() {
            each(&own, failure, facts, checks);
            continue;
        }
        let about = failure.filter(|failure| is_about(failure, certificate));
        let outcome = match about {
            Some(_) => Outcome::of(report.indication),
            None => Outcome::NotReached,
        };
        let mut value = check(Stage::Revocation.word(), outcome, about, Vec::new());
        value["certificate"] = facts.certificate(certificate).into();
        checks.push(value);
    }
    if checks.len() == start {
        let outcome = match failure {
            None => Outcome::NotApplicable,
            Some(_) => Stage::Revocation.outcome(report),
        };
        checks.push(check(Stage::Revocation.word(), outcome, None, Vec::new()));
    }
}

/// One check for each object that spoke.
fn each(settled: &[Settled], failure: Option<&Failure>, facts: &mut Facts, checks: &mut Vec<Value>) {
    for one in settled {
        let about = failure.filter(|failure| is_about(failure, &one.certificate));
        let outcome = match (one.word, about) {
            (Word::Good | Word::RevokedAfter(_), None) => Outcome::Passed,
            (Word::Good | Word::RevokedAfter(_), Some(_)) => Outcome::Indeterminate,
            (Word::Revoked(_), Some(Failure::OnHold { .. })) => Outcome::Indeterminate,
            (Word::Revoked(_), _) => Outcome::Failed,
        };
        let source = facts.source(one);
        let mut value = check(Stage::Revocation.word(), outcome, about, vec![source]);
        value["certificate"] = facts.certificate(&one.certificate).into();
        checks.push(value);
    }
}

/// Whether a failure is of the revocation of this certificate.
fn is_about(failure: &Failure, certificate: &trust::Certificate) -> bool {
    if let Failure::Revoked { certificate: of, .. }
    | Failure::OnHold { certificate: of, .. }
    | Failure::RevocationUnknown { certificate: of } = failure
    {
        **of == *certificate
    } else {
        false
    }
}

fn time_stamp(stamp: &TimeStampReport, facts: &mut Facts) -> Value {
    let id = facts.time_stamp(stamp);
    let outcome = Outcome::of(stamp.indication);
    check(
        Stage::TimeStamps.word(),
        outcome,
        stamp.failure.as_ref(),
        vec![id],
    )
}

/// What a PDF signature covers: a file whose revisions do not hold is refused before there is a report.
fn coverage(report: &SealReport) -> Option<Value> {
    report.coverage.as_ref().map(|coverage| {
        let later = coverage.later.iter().map(words::code);
        let ranges = coverage.ranges.iter().map(|range| [range.start, range.end]);
        json!({
            "isWhole": coverage.is_whole(),
            "revision": coverage.revision,
            "revisions": coverage.revisions,
            "ranges": ranges.collect::<Vec<_>>(),
            "later": later.collect::<Vec<_>>(),
        })
    })
}

fn need(need: &Need) -> Value {
    let (wanted, urls) = match need {
        Need::Crl { urls, .. } => ("revocationList", urls),
        Need::Ocsp { urls, .. } => ("ocspAnswer", urls),
        Need::Issuer { urls, .. } => ("issuerCertificate", urls),
    };
    json!({"wanted": wanted, "issuer": need.issuer(), "urls": urls})
}

/// What to do, in both languages.
fn advice(report: &SealReport) -> Vec<Value> {
    let own = report.failure.as_ref().and_then(words::advice);
    let own = own.map(|advice: AdviceText| both(&advice.said()));
    own.into_iter()
        .chain(needs_of(report).map(|need| both(&lacking(need))))
        .collect()
}
