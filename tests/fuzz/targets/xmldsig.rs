//! An XML document with signatures, in both dialects.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::xml::signature::{self, Dialect};
use trust::xml::{Limits, Tree};
use trust::{Policy, Time};

fuzz_target!(|bytes: &[u8]| {
    let Ok(tree) = Tree::parse(bytes, &Limits::default()) else {
        return;
    };
    let at = Time::from_seconds(1_781_481_600);
    for dialect in [Dialect::Standard, Dialect::Packet] {
        for intact in signature::integrity(&tree, dialect, None, &Policy::every_algorithm(), at).into_iter().flatten() {
            let _ = format!("{intact:?}");
        }
    }
});
