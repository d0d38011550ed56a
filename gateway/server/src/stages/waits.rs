//! What each held submission waits for, so that new trust material wakes those that it may release, and no other.
//!
//! **Invariant:** only a shortcut: every held submission is judged again now and then, whatever is noted here.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::ids::CaseId;
use trust::{Digest, Need, Snapshot};

/// A case is noted when it is judged, and held when that is recorded: so long it may be noted and not held.
const RECORDED_WITHIN: Duration = Duration::from_secs(60);

/// What one case waits for.
#[derive(Debug)]
struct Wait {
    /// What is missing, and what was at hand of it when the case was judged.
    needs: Vec<(Need, Vec<Digest>)>,
    /// The version of the last material that had no more of it.
    version: u64,
    since: Instant,
}

/// All waits of this process.
#[derive(Debug, Default)]
pub struct Waits(Mutex<HashMap<CaseId, Wait>>);

impl Waits {
    fn table(&self) -> MutexGuard<'_, HashMap<CaseId, Wait>> {
        // Each entry is whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A case waits for these, judged by this material.
    pub(super) fn note(&self, case: CaseId, needs: &[Need], judged_by: &Snapshot) {
        let needs = needs.iter();
        let wait = Wait {
            needs: needs
                .map(|need| (need.clone(), judged_by.at_hand(need)))
                .collect(),
            version: judged_by.version(),
            since: Instant::now(),
        };
        self.table().insert(case, wait);
    }

    /// A case is being judged again, or waits no more.
    pub(super) fn forget(&self, case: CaseId) {
        self.table().remove(&case);
    }

    /// A case is not held: forgets it, unless it may be about to be.
    pub(super) fn forget_unheld(&self, case: CaseId) {
        let mut table = self.table();
        let wait = table.get(&case);
        if wait.is_some_and(|wait| RECORDED_WITHIN <= wait.since.elapsed()) {
            table.remove(&case);
        }
    }

    /// Those that may be judged otherwise by this material.
    pub(super) fn concerned(&self, now: &Snapshot) -> HashSet<CaseId> {
        let came = |(need, before): &(Need, Vec<Digest>)| now.at_hand(need) != *before;
        let mut concerned = HashSet::new();
        for (case, wait) in self.table().iter_mut() {
            if wait.version == now.version() {
                continue;
            }
            if wait.needs.iter().any(came) {
                concerned.insert(*case);
            } else {
                wait.version = now.version();
            }
        }
        concerned
    }

    /// Forgets what is not held and not about to be.
    pub(super) fn retain(&self, held: &HashSet<CaseId>) {
        let waits =
            |case: &CaseId, wait: &Wait| held.contains(case) || wait.since.elapsed() < RECORDED_WITHIN;
        self.table().retain(|case, wait| waits(case, wait));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
    use trust::{Certificate, Policy};

    use super::*;

    fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name.to_owned());
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
    }

    fn read(certificate: &rcgen::Certificate) -> Arc<Certificate> {
        Arc::new(Certificate::from_der(certificate.der()).expect("a certificate"))
    }

    fn with(candidates: Vec<Arc<Certificate>>, version: u64) -> Snapshot {
        Snapshot::new(vec![], candidates, vec![], Policy::default(), version)
    }

    #[test]
    fn only_what_was_waited_for_wakes_a_case() {
        let (wanted, other) = (issuer("wanted"), issuer("other"));
        let leaf = CertificateParams::new(["leaf".to_owned()])
            .and_then(|params| params.signed_by(&KeyPair::generate()?, &wanted))
            .expect("a leaf");
        let need = Need::Issuer {
            of: read(&leaf),
            urls: Vec::new(),
        };
        let case = CaseId::from_bytes([1; 16]);
        let waits = Waits::default();
        waits.note(case, &[need], &with(vec![], 1));
        let unrelated = with(vec![read(other.as_ref())], 2);
        assert!(waits.concerned(&unrelated).is_empty());
        let came = with(vec![read(other.as_ref()), read(wanted.as_ref())], 3);
        assert_eq!(waits.concerned(&came), HashSet::from([case]));
        waits.retain(&HashSet::new());
        assert_eq!(waits.concerned(&came).len(), 1, "it may be recorded yet");
        waits.forget(case);
        assert!(waits.concerned(&came).is_empty());
    }
}
