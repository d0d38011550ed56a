//! Who certifies a province's officials: one root, an authority whose revocation list is served, and a second one
//! whose list can be made to fail. The second one's certificate is in no folder of the gateway: it comes with the
//! signatures below it, or is fetched from where they say that it is.
//!
//! **Invariant**: the second authority certifies nobody but the officials of [`super::Agency::remote`], so that
//! its failing list holds no other document.

use std::{path::Path, sync::Mutex};

use jiff::{Timestamp, ToSpan};

use crate::{
    crl_server::CrlServer,
    pki::{Authority, Credential, Hierarchy, Holder, RevocationPlan, Validity, certificate_pem},
};

const ROOT_LIST: &str = "root.crl";
const ISSUING_LIST: &str = "issuing.crl";
const REMOTE: &str = "remote";
const REMOTE_LIST: &str = "remote.crl";
const REMOTE_CERTIFICATE: &str = "remote.crt";

/// The certification authorities of a province and the server of their revocation lists.
#[derive(Debug)]
pub struct Authorities {
    /// Root and the authority for everybody.
    pub hierarchy: Hierarchy,
    /// The authority whose list [`Authorities::break_remote_list`] makes fail.
    pub remote: Authority,
    /// Serves the lists.
    pub server: CrlServer,
    now: Timestamp,
    plan: Mutex<RevocationPlan>,
}

impl Authorities {
    /// Makes all of them in the middle of their lives at `now`; every list is served.
    pub(super) fn new(now: Timestamp) -> Authorities {
        let server = CrlServer::start();
        let hierarchy = Hierarchy::new(&server.base(), now);
        let validity = Validity::around(now, 2_500);
        let remote = hierarchy
            .root
            .subordinate("CA thử nghiệm ở xa", &server.base(), REMOTE, validity);
        let plan = RevocationPlan::none(now);
        server.serve(ROOT_LIST, hierarchy.root.revocation_list(&plan));
        let authorities = Authorities {
            hierarchy,
            remote,
            server,
            now,
            plan: Mutex::new(plan),
        };
        authorities.serve_list();
        authorities.mend_remote_list();
        authorities.mend_remote_certificate();
        authorities
    }

    /// From now on the list of the remote authority is answered 503: revocation of its certificates is unknown to
    /// whoever has not fetched it before.
    pub fn break_remote_list(&self) {
        self.server.fail(REMOTE_LIST, 503);
    }

    /// From now on the list of the remote authority is served.
    pub fn mend_remote_list(&self) {
        let list = self.remote.revocation_list(&RevocationPlan::none(self.now));
        self.server.serve(REMOTE_LIST, list);
    }

    /// From now on the certificate of the remote authority is answered 503: signatures without it lead nowhere.
    pub fn break_remote_certificate(&self) {
        self.server.fail(REMOTE_CERTIFICATE, 503);
    }

    /// From now on the certificate of the remote authority is served.
    pub fn mend_remote_certificate(&self) {
        self.server
            .serve(REMOTE_CERTIFICATE, self.remote.certificate.clone());
    }

    /// Revokes a certificate of the ordinary authority since a day ago. A gateway that has the list already sees it
    /// with the next one it fetches.
    pub fn revoke(&self, credential: &Credential) {
        {
            let mut plan = self.plan.lock().expect("nobody panics while holding the plan");
            *plan = plan.clone().and(&credential.serial, self.now - 24.hours());
        }
        self.serve_list();
    }

    /// A person certified by the remote authority.
    pub(super) fn remote_person(&self, name: &str, agency: &str) -> Credential {
        let validity = Validity::around(self.now, 900);
        self.remote.issue(Holder::Person { name, agency }, validity)
    }

    /// Writes anchors and issuing certificates as the gateway's configuration wants them, without the remote authority.
    pub(super) fn write(&self, anchors: &Path, candidates: &Path) {
        let files = [
            (anchors.join("root.pem"), &self.hierarchy.root),
            (candidates.join("issuing.pem"), &self.hierarchy.issuing),
        ];
        for (path, authority) in files {
            std::fs::write(&path, certificate_pem(&authority.certificate))
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        }
    }

    fn serve_list(&self) {
        let plan = self.plan.lock().expect("nobody panics while holding the plan");
        self.server
            .serve(ISSUING_LIST, self.hierarchy.issuing.revocation_list(&plan));
    }
}
