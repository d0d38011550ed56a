//! A time-stamp token or response: read, and judged over some octets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::tsp::{self, Stamped, Token};
use trust::{Policy, RevocationDemand, Snapshot, Time};

fuzz_target!(|bytes: &[u8]| {
    let Ok(token) = Token::from_der(bytes) else {
        return;
    };
    let snapshot = Snapshot::new(Vec::new(), Vec::new(), Vec::new(), Policy::every_algorithm(), 1);
    let at = Time::from_seconds(1_781_481_600);
    let stamped = Stamped::Digest(token.imprint().1);
    let _ = tsp::verify(&token, stamped, &snapshot, at, RevocationDemand::NotAsked);
});
