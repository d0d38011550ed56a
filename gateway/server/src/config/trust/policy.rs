//! `[trust.policy]`: what is good enough, and how much work a verdict may cost.
//!
//! The keys are named like the fields of [`Policy`]; ends of algorithms are `sha1_until`, `sha2_until`, `rsa_1024_until`,
//! `rsa_2048_until`, `rsa_3072_until` (moduli of at least so many bits) and `curves_until`.
//!
//! **Invariant:** what is left out keeps the default of [`Policy`], which refuses what is not known to be good.

use trust::policy::{AlgorithmPolicy, Limit};
use trust::{Policy, Time};

use super::super::fault::Problem;
use super::super::reader::Section;
use super::super::sections::DAY_SECONDS;

/// Reads the section.
pub(super) fn read(mut section: Section<'_>) -> Policy {
    let algorithms = algorithms(&mut section);
    let default = Policy::default();
    let days = |count: u64| i64::try_from(count * DAY_SECONDS).expect("some days");
    let policy = Policy {
        algorithms,
        clock_skew_seconds: section.number("clock_skew_seconds", 0..=3600, default.clock_skew_seconds),
        ocsp_age_seconds_max: section.number(
            "ocsp_age_seconds_max",
            0..=days(7),
            default.ocsp_age_seconds_max,
        ),
        is_silent_responder_asked: section.flag("silent_responder_asked", default.is_silent_responder_asked),
        ocsp_responders: super::fingerprints(&mut section, "ocsp_responders"),
        may_status_precede_proof: section.flag("status_may_precede_proof", default.may_status_precede_proof),
        beside_age_seconds_max: section.number(
            "beside_age_seconds_max",
            0..=days(30),
            default.beside_age_seconds_max,
        ),
        signature_checks_max: section.number(
            "signature_checks_max",
            8..=10_000,
            default.signature_checks_max,
        ),
        path_certificates_max: section.number("path_certificates_max", 2..=32, default.path_certificates_max),
        pdf_objects_max: section.number("pdf_objects_max", 1_000..=20_000_000, default.pdf_objects_max),
    };
    section.end();
    policy
}

fn algorithms(section: &mut Section<'_>) -> AlgorithmPolicy {
    let mut algorithms = AlgorithmPolicy::default();
    limit(section, "sha1_until", &mut algorithms.sha1);
    limit(section, "sha2_until", &mut algorithms.sha2);
    limit(section, "curves_until", &mut algorithms.curves);
    for (bits, until) in &mut algorithms.rsa_bits {
        let key = match bits {
            1024 => "rsa_1024_until",
            2048 => "rsa_2048_until",
            3072 => "rsa_3072_until",
            _ => unreachable!("the default policy has these sizes"),
        };
        limit(section, key, until);
    }
    algorithms
}

/// `always`, `never`, or the day from which a signature is no longer believed without a proof that it is older.
fn limit(section: &mut Section<'_>, key: &'static str, limit: &mut Limit) {
    let Some(text) = section.text(key) else {
        return;
    };
    let midnight = format!("{text}T00:00:00+07:00");
    match (text.as_str(), midnight.parse::<Time>()) {
        ("always", _) => *limit = Limit::Always,
        ("never", _) => *limit = Limit::Never,
        (_, Ok(end)) => *limit = Limit::Until(end),
        (_, Err(_)) => section.fault(
            key,
            Problem::Value {
                wanted: "always | never | a day (2017-01-01)".to_owned(),
                found: text,
            },
        ),
    }
}
