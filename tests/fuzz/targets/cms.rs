//! A CMS signature, detached and attached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::{Policy, Time, cms};

fuzz_target!(|bytes: &[u8]| {
    let (policy, at) = (Policy::every_algorithm(), Time::from_seconds(1_781_481_600));
    let _ = cms::integrity(bytes, None, &policy, at);
    let _ = cms::integrity(bytes, Some(b"content"), &policy, at);
});
