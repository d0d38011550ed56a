//! An OCSP answer: read, and asked about a certificate.
#![no_main]

use std::sync::Arc;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trust::{Certificate, OcspAnswer, Policy, Snapshot, Time, ocsp};

static CERTIFICATE: LazyLock<Arc<Certificate>> = LazyLock::new(|| {
    let der = include_bytes!("../corpus/certificate/person.der");
    Arc::new(Certificate::from_der(der).expect("a certificate of the corpus"))
});
static ISSUER: LazyLock<Arc<Certificate>> = LazyLock::new(|| {
    let der = include_bytes!("../corpus/certificate/issuing.der");
    Arc::new(Certificate::from_der(der).expect("a certificate of the corpus"))
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(answer) = OcspAnswer::from_der(bytes.to_vec()) else {
        return;
    };
    let _ = format!("{answer:?}");
    let snapshot = Snapshot::new(Vec::new(), Vec::new(), Vec::new(), Policy::every_algorithm(), 1);
    let question = ocsp::Question {
        certificate: &CERTIFICATE,
        issuer: &ISSUER,
        responders: &[],
        nonce: None,
        at: Time::from_seconds(1_781_481_600),
        now: Time::from_seconds(1_781_481_600),
    };
    let _ = answer.judge(question, &snapshot);
});
