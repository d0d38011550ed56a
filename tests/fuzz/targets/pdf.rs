//! A PDF file with or without signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::{Policy, pdf};

#[path = "../world.rs"]
mod world;

fuzz_target!(|bytes: &[u8]| {
    let _ = pdf::integrity(bytes, &Policy::every_algorithm(), world::NOW);
    let _ = pdf::validate(bytes, world::snapshot(), world::NOW);
});
