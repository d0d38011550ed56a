//! `path`: a certificate at a time, under anchors, with status information and policies (RFC 5280 §6).

use std::sync::Arc;

use serde_json::Value;
use trust::{
    Certificate, Demands, Failure, OcspAnswer, Policy, PolicyDemands, RevocationDemand, RevocationList,
    Snapshot,
};

use super::certificates;
use crate::case::{Answer, Case};

pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let at = case.time()?;
    let lists = case.files("crls")?;
    let lists = lists
        .iter()
        .flat_map(|file| RevocationList::from_pem_or_der(file))
        .map(Arc::new)
        .collect();
    let (anchors, candidates) = (certificates(case, "anchors")?, certificates(case, "candidates")?);
    let leaf = match Certificate::from_pem_or_der(&case.file("leaf")?) {
        Ok(leaf) => Arc::new(leaf),
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let answers = case.files("ocsp")?.into_iter();
    let answers = answers.flat_map(OcspAnswer::from_der).map(Arc::new);
    let policy = Policy {
        is_silent_responder_asked: false,
        ..Policy::every_algorithm()
    };
    let snapshot = Snapshot::new(anchors, candidates, lists, policy, 1);
    let snapshot = snapshot.with_ocsp(answers);
    let demands = demands(case)?;
    Ok(match trust::validate_path(&leaf, &demands, &snapshot, at) {
        Ok(_) => Answer::Passed,
        Err(Failure::Revoked { .. }) => Answer::Revoked,
        Err(Failure::RevocationUnknown { .. }) => Answer::Unknown,
        Err(failure) => Answer::Refused(failure.to_string()),
    })
}

fn demands(case: &Case<'_>) -> Result<Demands, String> {
    let policies = &case.value["policies"];
    let is_set = |key: &str| policies[key] == Value::Bool(true);
    let initial = identifiers(&policies["initial"])?;
    Ok(Demands {
        policies: PolicyDemands {
            initial: initial.map(|all| all.into_iter().collect()),
            is_explicit: is_set("explicit"),
            is_mapping_inhibited: is_set("inhibit_mapping"),
            is_any_inhibited: is_set("inhibit_any"),
        },
        purposes: identifiers(&case.value["eku"])?.unwrap_or_default(),
        intermediates_max: match case.value["max_depth"].as_u64() {
            Some(max) => Some(usize::try_from(max).map_err(|error| error.to_string())?),
            None => None,
        },
        revocation: match case.text("revocation")? {
            "required" => RevocationDemand::Required,
            "if-given" => RevocationDemand::IfGiven,
            "none" => RevocationDemand::NotAsked,
            other => return Err(format!("revocation: {other}")),
        },
    })
}

/// The content octets of each object identifier of a list; `None`: null.
fn identifiers(list: &Value) -> Result<Option<Vec<Box<[u8]>>>, String> {
    let Some(list) = list.as_array() else {
        return Ok(None);
    };
    let octets = |text: &Value| -> Result<Box<[u8]>, String> {
        let text = text.as_str().ok_or("no identifier")?;
        let numbers = text.split('.').map(str::parse::<u64>);
        let numbers: Vec<u64> = numbers
            .collect::<Result<_, _>>()
            .map_err(|error| format!("{text}: {error}"))?;
        let [first, second, rest @ ..] = &numbers[..] else {
            return Err(format!("{text}: too short"));
        };
        let mut octets = Vec::new();
        for number in std::iter::once(&(first * 40 + second)).chain(rest) {
            let sevens = (64 - number.leading_zeros()).div_ceil(7).max(1);
            octets.extend((0..sevens).rev().map(|place| {
                let bits = u8::try_from(number >> (7 * place) & 0x7F).unwrap_or(0);
                bits | if place == 0 { 0 } else { 0x80 }
            }));
        }
        Ok(octets.into())
    };
    list.iter().map(octets).collect::<Result<_, _>>().map(Some)
}
