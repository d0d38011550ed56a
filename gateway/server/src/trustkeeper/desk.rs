//! The keeper as administration sees it.

use std::sync::{Arc, PoisonError};

use domain::port::Soon;
use trust::{Certificate, RevocationList, Time};

use super::{Request, TrustKeeper};
use crate::administration::{
    AddedLine, Addition, AdditionFault, Became, IssuingCertificate, ListLine, ListState, Role, TrustDesk,
    TrustDeskFault, TrustStatus,
};

impl TrustDesk for TrustKeeper {
    fn status(&self) -> TrustStatus {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.now();
        for list in &mut status.lists {
            list.state = list.state_at(now);
        }
        status
    }

    fn refresh(&self) -> Soon<'_, TrustStatus> {
        Box::pin(async {
            // A keeper that has ended has nothing newer to say.
            let _ = self.ask(Request::Refresh).await;
            self.status()
        })
    }

    fn import(&self, list: Vec<u8>) -> Soon<'_, Result<ListLine, TrustDeskFault>> {
        Box::pin(async {
            let ended = || Err(TrustDeskFault::NotKept("the trust keeper has ended".to_owned()));
            self.ask(|answer| Request::Import(list, answer))
                .await
                .unwrap_or_else(ended)
        })
    }

    fn add(&self, addition: Addition) -> Soon<'_, Result<Vec<AddedLine>, AdditionFault>> {
        Box::pin(async move {
            let (shelves, now) = (self.shelves.clone(), self.clock.now());
            let added = tokio::task::spawn_blocking(move || shelves.add(&addition, now)).await;
            let crashed = |_| AdditionFault::NotKept("the write crashed".to_owned());
            let added = added.map_err(crashed)??;
            let is_taken = added.iter().all(|line| line.became.is_taken());
            if is_taken && added.iter().any(|line| line.became == Became::New) {
                // A keeper that has ended reads the folder at its next start.
                let _ = self.ask(Request::Refresh).await;
            }
            Ok(added)
        })
    }
}

/// A list in one line: where it comes from, until when it matters, and how it stands now.
pub(super) fn list_line(
    list: &Arc<RevocationList>,
    urls: Vec<String>,
    matters_until: Option<Time>,
    now: Time,
) -> ListLine {
    let hexadecimal = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let line = ListLine {
        issuer: list.issuer().to_string(),
        number: list.number().map(hexadecimal),
        this_update: list.this_update(),
        next_update: list.next_update(),
        entries: list.entry_count(),
        matters_until,
        urls,
        state: ListState::Fresh,
    };
    let state = line.state_at(now);
    ListLine { state, ..line }
}

/// A certificate in one line.
pub(super) fn certificate_line(certificate: &Certificate, role: Role) -> IssuingCertificate {
    IssuingCertificate {
        role,
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.serial_hex(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        fingerprint: certificate.fingerprint().to_string(),
    }
}
