//! A CMS signature, detached and attached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::{Policy, cms};

#[path = "../world.rs"]
mod world;

fuzz_target!(|bytes: &[u8]| {
    let policy = Policy::every_algorithm();
    let _ = cms::integrity(bytes, None, &policy, world::NOW);
    let _ = cms::integrity(bytes, Some(b"content"), &policy, world::NOW);
    let _ = cms::validate(bytes, b"content", world::snapshot(), world::NOW);
    let _ = cms::validate_attached(bytes, world::snapshot(), world::NOW);
});
