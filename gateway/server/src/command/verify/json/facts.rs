//! The material that verdicts rest on, each thing once, with an id that the rest refers to.

use domain::receipt::vietnam_time;
use serde_json::{Value, json};
use trust::report::RevocationSource;
use trust::{Certificate, Digest, TimeStampKind, TimeStampReport};

use crate::command::verify::settled::{Settled, hex};
use crate::command::verify::view::key_name;

/// What was met so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    certificates: Vec<(Digest, Value)>,
    lists: Vec<(Digest, Value)>,
    /// An answer may speak of several certificates: each is a fact.
    answers: Vec<((Digest, Digest), Value)>,
    time_stamps: Vec<Value>,
}

/// The id of what has this key; it is made when it is met first.
fn id_of<K: PartialEq>(
    known: &mut Vec<(K, Value)>,
    (letter, key): (char, K),
    make: impl FnOnce(&str) -> Value,
) -> String {
    let place = known.iter().position(|(one, _)| *one == key);
    let id = format!("{letter}{}", place.unwrap_or(known.len()) + 1);
    if place.is_none() {
        let value = make(&id);
        known.push((key, value));
    }
    id
}

fn values<K>(known: &[(K, Value)]) -> Vec<Value> {
    known.iter().map(|(_, value)| value.clone()).collect()
}

impl Facts {
    pub(super) fn certificates(&self) -> Vec<Value> {
        values(&self.certificates)
    }

    pub(super) fn lists(&self) -> Vec<Value> {
        values(&self.lists)
    }

    pub(super) fn answers(&self) -> Vec<Value> {
        values(&self.answers)
    }

    pub(super) fn time_stamps(&self) -> Vec<Value> {
        self.time_stamps.clone()
    }

    pub(super) fn certificate(&mut self, certificate: &Certificate) -> String {
        let fingerprint = certificate.fingerprint();
        id_of(&mut self.certificates, ('c', fingerprint), |id| {
            json!({
                "id": id,
                "subject": certificate.subject().to_string(),
                "issuer": certificate.issuer().to_string(),
                "serial": certificate.serial_hex(),
                "notBefore": vietnam_time(certificate.not_before()),
                "notAfter": vietnam_time(certificate.not_after()),
                "sha256": fingerprint.to_string(),
                "key": key_name(certificate.key_kind()),
                "keySha256": certificate.key_digest().to_string(),
            })
        })
    }

    /// The list or the answer that spoke about a certificate.
    pub(super) fn source(&mut self, settled: &Settled) -> String {
        let certificate = self.certificate(&settled.certificate);
        match &settled.source {
            RevocationSource::List(list) => {
                let fingerprint = list.fingerprint();
                id_of(&mut self.lists, ('l', fingerprint), |id| {
                    json!({
                        "id": id,
                        "issuer": list.issuer().to_string(),
                        "number": list.number().map(hex),
                        "thisUpdate": vietnam_time(list.this_update()),
                        "nextUpdate": list.next_update().map(vietnam_time),
                        "sha256": fingerprint.to_string(),
                    })
                })
            }
            RevocationSource::Answer(answer) => {
                let key = (answer.fingerprint(), settled.certificate.fingerprint());
                let statement = settled.statement;
                id_of(&mut self.answers, ('o', key), |id| {
                    json!({
                        "id": id,
                        "certificate": certificate,
                        "responder": answer.responder_name(),
                        "producedAt": vietnam_time(answer.produced_at()),
                        "thisUpdate": statement.map(|one| vietnam_time(one.this_update)),
                        "nextUpdate": statement.and_then(|one| one.next_update).map(vietnam_time),
                        "sha256": answer.fingerprint().to_string(),
                    })
                })
            }
        }
    }

    pub(super) fn time_stamp(&mut self, stamp: &TimeStampReport) -> String {
        let id = format!("t{}", self.time_stamps.len() + 1);
        let kind = match stamp.kind {
            TimeStampKind::Data => "document",
            TimeStampKind::Content => "content",
            TimeStampKind::Signature => "signature",
            TimeStampKind::Archive => "archive",
        };
        let signer = stamp.signer.as_ref().map(|signer| self.certificate(signer));
        let path: Vec<String> = stamp.chain.iter().map(|one| self.certificate(one)).collect();
        self.time_stamps.push(json!({
            "id": id,
            "kind": kind,
            "time": stamp.time.map(vietnam_time),
            "accuracyMicros": stamp.accuracy_micros,
            "imprintAlgorithm": stamp.imprint_algorithm.map(|algorithm| algorithm.to_string()),
            "signer": signer,
            "path": path,
        }));
        id
    }
}
