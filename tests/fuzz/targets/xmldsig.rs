//! An XML document with signatures, in both dialects.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::Policy;
use trust::xml::signature::{self, Dialect};
use trust::xml::{Limits, Tree};

#[path = "../world.rs"]
mod world;

fuzz_target!(|bytes: &[u8]| {
    let Ok(tree) = Tree::parse(bytes, &Limits::default()) else {
        return;
    };
    for dialect in [Dialect::Standard, Dialect::Packet] {
        let intact = signature::integrity(&tree, dialect, None, &Policy::every_algorithm(), world::NOW);
        for intact in intact.into_iter().flatten() {
            let _ = format!("{intact:?}");
        }
        let _ = signature::validate(&tree, dialect, world::snapshot(), world::NOW);
    }
    let _ = signature::of_packet(&tree, world::snapshot(), world::NOW);
});
