//! An edXML packet: what can be opened can be written, and says the same then.
#![no_main]

use domain::packet::{Limits, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(packet) = Packet::open(bytes, &limits) else {
        return;
    };
    let _ = packet.completeness();
    // A file inside a zip may be a zip of one file again, and is unwrapped each time: only packets without files are equal.
    let Packet::Document(document) = &packet else {
        return;
    };
    if document.attachments.is_empty()
        && let Ok(written) = packet.write()
    {
        let again = Packet::open(&written, &limits).expect("what was written can be opened");
        assert_eq!(again, packet);
    }
});
