//! A certificate: read, shown, and judged as a leaf of its own making.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use trust::{Certificate, Demands, Policy, Snapshot, Time};

fuzz_target!(|bytes: &[u8]| {
    let Ok(certificate) = Certificate::from_pem_or_der(bytes) else {
        return;
    };
    let certificate = Arc::new(certificate);
    let _ = format!("{certificate:?} {:?}", certificate.crl_urls());
    let anchors = vec![Arc::clone(&certificate)];
    let snapshot = Snapshot::new(anchors.clone(), anchors, Vec::new(), Policy::every_algorithm(), 1);
    let at = Time::from_seconds(1_781_481_600);
    let _ = trust::validate_path(&certificate, &Demands::USUAL, &snapshot, at);
});
