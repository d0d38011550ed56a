//! A PDF file with or without signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::{Policy, Time, pdf};

fuzz_target!(|bytes: &[u8]| {
    let _ = pdf::integrity(bytes, &Policy::every_algorithm(), Time::from_seconds(1_781_481_600));
});
