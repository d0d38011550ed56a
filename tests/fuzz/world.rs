//! What those targets trust that judge signatures: the root of the seeds, with its list.

use std::sync::{Arc, OnceLock};

use trust::crl::RevocationList;
use trust::{Certificate, Policy, Snapshot, Time};

/// When everything is judged: the seeds were made an hour before, and the lists last until the day after.
pub const NOW: Time = Time::from_seconds(include!("corpus/now"));

/// The material.
pub fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let certificate = |der: &[u8]| Arc::new(Certificate::from_der(der).expect("a seed"));
        let list = |der: &[u8]| Arc::new(RevocationList::from_der(der.to_vec()).expect("a seed"));
        // The others come with what is judged.
        Snapshot::new(
            vec![certificate(include_bytes!("corpus/certificate/root.der"))],
            vec![],
            vec![list(include_bytes!("corpus/crl/root.crl"))],
            Policy::every_algorithm(),
            1,
        )
    })
}
