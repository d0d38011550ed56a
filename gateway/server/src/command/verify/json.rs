//! The report for programs, as `schemas/verify-report.json` describes it: facts, the simple and the detailed report, each
//! referring to facts by their ids.
//!
//! **Invariant:** every field is always there, null or empty where there is nothing to say.

mod detailed;
mod facts;

use domain::packet::Packet;
use domain::receipt::{Receipt, vietnam_time};
use serde_json::{Value, json};
use trust::report::SealReport;
use trust::{Indication, SubIndication};

use super::view::{About, Examined, Finding, Judged, Object, Place, Verdict};
use super::words;
use crate::command::text::Said;
use facts::Facts;

/// One file.
pub(super) fn of(examined: &Examined) -> Value {
    let mut facts = Facts::default();
    let (mut simple, mut details, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    for (index, object) in examined.objects.iter().enumerate() {
        let id = format!("d{}", index + 1);
        objects.push(object_of(&id, object));
        for judged in object.judged() {
            let signature = format!("s{}", simple.len() + 1);
            simple.push(simple_of((&signature, &id), judged, &mut facts));
            details.extend(detailed::of((&signature, &id), examined.kind, judged, &mut facts));
        }
    }
    let failed = examined.failed.iter();
    let failed = failed.map(|(url, complaint)| json!({"url": url, "fault": complaint.detail}));
    let digest = examined.size.map(|size| size.digest.to_string());
    let facts = json!({
        "judgedAt": vietnam_time(examined.at),
        "sha256": digest,
        "bytes": examined.size.map(|size| size.bytes),
        "objects": objects,
        "certificates": facts.certificates(),
        "lists": facts.lists(),
        "answers": facts.answers(),
        "timeStamps": facts.time_stamps(),
        "failedAddresses": failed.collect::<Vec<_>>(),
        "packet": packet_of(&examined.about),
        "receipt": receipt_of(&examined.about),
    });
    json!({
        "file": examined.path.display().to_string(),
        "kind": examined.kind.word(),
        "verdict": examined.verdict.word(),
        "notes": examined.notes.iter().map(both).collect::<Vec<_>>(),
        "facts": facts,
        "simple": simple,
        "detailed": details,
    })
}

/// A text in both languages.
fn both(said: &Said) -> Value {
    let [vi, en] = said.languages();
    json!({"vi": vi, "en": en})
}

/// The same with the code of the text.
fn coded(text: impl std::fmt::Debug, said: &Said) -> Value {
    let [vi, en] = said.languages();
    json!({"code": words::code(text), "vi": vi, "en": en})
}

fn indication_word(indication: Indication) -> &'static str {
    match indication {
        Indication::TotalPassed => "TOTAL-PASSED",
        Indication::TotalFailed(_) => "TOTAL-FAILED",
        Indication::Indeterminate(_) => "INDETERMINATE",
    }
}

fn sub_indication_word(indication: Indication) -> Option<&'static str> {
    match indication {
        Indication::TotalPassed => None,
        Indication::TotalFailed(why) | Indication::Indeterminate(why) => Some(SubIndication::name(why)),
    }
}

fn simple_of((signature, object): (&str, &str), judged: &Judged, facts: &mut Facts) -> Value {
    let report = &judged.report;
    json!({
        "signature": signature,
        "object": object,
        "indication": indication_word(report.indication),
        "subIndication": sub_indication_word(report.indication),
        "signer": report.signer.as_ref().map(|signer| facts.certificate(signer)),
        "bestSignatureTime": best_signature_time(report),
        "claimedSigningTime": report.claimed_signing_time.map(vietnam_time),
    })
}

/// Null where nothing proves when the signature existed.
fn best_signature_time(report: &SealReport) -> Option<String> {
    super::human::stamp_of(report).map(|_| vietnam_time(report.best_signature_time))
}

fn object_of(id: &str, object: &Object) -> Value {
    let (place, number, name) = match &object.place {
        Place::File => ("file", None, None),
        Place::Content(path) => ("content", None, Some(path.display().to_string())),
        Place::Attachment { number, name } => ("attachment", Some(*number), Some(name.clone())),
        Place::PacketSignature => ("packetSignature", None, None),
    };
    let (finding, failure) = match &object.finding {
        Finding::Judged(_) => ("judged", None),
        Finding::Unsigned => ("unsigned", None),
        Finding::Placeholder => ("placeholder", None),
        Finding::Refused(fault) => {
            let (text, said) = words::pdf_fault(*fault);
            ("refused", Some(coded(text, &said)))
        }
    };
    json!({
        "id": id,
        "place": place,
        "number": number,
        "name": name,
        "sha256": object.size.digest.to_string(),
        "bytes": object.size.bytes,
        "finding": finding,
        "verdict": object.verdict().map(Verdict::word),
        "failure": failure,
        "notes": object.notes.iter().map(both).collect::<Vec<_>>(),
    })
}

/// Identifiers only.
fn packet_of(about: &About) -> Value {
    let About::Packet(packet) = about else {
        return Value::Null;
    };
    let from = &packet.from().organ_id;
    match &**packet {
        Packet::Document(document) => json!({
            "kind": "document",
            "documentId": document.document_id,
            "from": from,
            "to": document.addressees(),
            "status": null,
        }),
        Packet::Status(status) => json!({
            "kind": "status",
            "documentId": status.response_for.document_id,
            "from": from,
            "to": [status.response_for.organ_id],
            "status": status.status.code(),
        }),
    }
}

fn receipt_of(about: &About) -> Value {
    match about {
        About::Receipt(receipt) => receipt_value(receipt),
        About::Nothing | About::Packet(_) => Value::Null,
    }
}

fn receipt_value(receipt: &Receipt) -> Value {
    let addressees = receipt.addressees.iter();
    let addressees = addressees.map(|one| json!({"code": one.code, "result": one.result}));
    let reasons = receipt.reasons.iter().map(|reason| reason.code.word());
    json!({
        "kind": receipt.kind.word(),
        "gateway": receipt.gateway.as_str(),
        "case": receipt.case.to_string(),
        "time": vietnam_time(receipt.time),
        "submission": receipt.submission,
        "documentId": receipt.document,
        "packetSha256": receipt.packet.map(|digest| digest.to_string()),
        "contentsSha256": receipt.contents.map(|digest| digest.to_string()),
        "leaf": receipt.leaf.to_string(),
        "dispatch": receipt.dispatch.map(|dispatch| dispatch.to_string()),
        "addressees": addressees.collect::<Vec<_>>(),
        "reasons": reasons.collect::<Vec<_>>(),
    })
}
