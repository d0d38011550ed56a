//! Whether a report is what `schemas/verify-report.json` says, field by field.
//!
//! The schema uses a handful of keywords; one that is not known here fails, so that nothing of it is passed over.

use std::collections::BTreeSet;

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../schemas/verify-report.json");

/// Keywords that say nothing about values.
const WORDS: [&str; 4] = ["$schema", "$defs", "title", "description"];

pub(super) fn assert_valid(report: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let mut faults = Vec::new();
    check(&schema, (&schema, report), "", &mut faults);
    assert!(faults.is_empty(), "{}\n{report:#}", faults.join("\n"));
}

/// Checks a value against a part of the schema; `place` is where the value stands.
fn check(root: &Value, (schema, value): (&Value, &Value), place: &str, faults: &mut Vec<String>) {
    for (keyword, said) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$ref" => {
                let pointer = said
                    .as_str()
                    .and_then(|name| name.strip_prefix('#'))
                    .expect("a reference");
                let target = root.pointer(pointer).expect("a definition");
                check(root, (target, value), place, faults);
                true
            }
            "type" => {
                let kinds = said.as_array().map_or(std::slice::from_ref(said), Vec::as_slice);
                kinds.iter().any(|kind| is_of(kind, value))
            }
            "enum" => said.as_array().expect("a list").contains(value),
            "required" | "additionalProperties" => true,
            "properties" => {
                properties(root, (schema, value), place, faults);
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, (said, item), &format!("{place}[{index}]"), faults);
                }
                true
            }
            word => WORDS.contains(&word),
        };
        if !holds {
            faults.push(format!("{place}: {keyword} {said} does not hold for {value}"));
        }
    }
}

fn properties(root: &Value, (schema, value): (&Value, &Value), place: &str, faults: &mut Vec<String>) {
    let known = schema["properties"].as_object().expect("an object");
    let names: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    let required = schema["required"].as_array().expect("a list").iter();
    let required: BTreeSet<&str> = required.filter_map(Value::as_str).collect();
    // Every field is always there, and no other is.
    assert_eq!(names, required, "{place}");
    assert_eq!(schema["additionalProperties"], false, "{place}");
    let Some(object) = value.as_object() else {
        return;
    };
    let own: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    if own != names {
        faults.push(format!("{place}: fields {own:?} and not {names:?}"));
    }
    for (name, part) in known {
        if let Some(value) = object.get(name) {
            check(root, (part, value), &format!("{place}.{name}"), faults);
        }
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("array") => value.is_array(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("null") => value.is_null(),
        Some("object") => value.is_object(),
        Some("string") => value.is_string(),
        Some(_) | None => false,
    }
}

#[test]
fn what_is_not_in_the_schema_is_a_fault() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    for wrong in [
        serde_json::json!({}),
        serde_json::json!([{"file": "x"}]),
        serde_json::json!([{"file": 1, "kind": "pdf", "verdict": "good", "notes": [], "facts": {}, "simple": [], "detailed": []}]),
    ] {
        let mut faults = Vec::new();
        check(&schema, (&schema, &wrong), "", &mut faults);
        assert!(!faults.is_empty(), "{wrong}");
    }
}
