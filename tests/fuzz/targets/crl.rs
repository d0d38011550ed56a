//! A revocation list: read, and asked about serial numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::RevocationList;

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = RevocationList::from_pem_or_der(bytes) else {
        return;
    };
    let _ = format!("{list:?} {:?}", list.series());
    for serial in [&[][..], &[1], bytes] {
        let _ = list.revocation_of(serial);
    }
});
