//! The keeper as administration sees it.

use std::sync::{Arc, PoisonError};

use domain::port::Soon;
use trust::{Certificate, RevocationList, Time};

use super::{Request, TrustKeeper};
use crate::administration::{AnchorLine, ListLine, ListState, TrustDesk, TrustDeskFault, TrustStatus};

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

/// An anchor in one line.
pub(super) fn anchor_line(anchor: &Arc<Certificate>) -> AnchorLine {
    AnchorLine {
        subject: anchor.subject().to_string(),
        fingerprint: anchor.fingerprint().to_string(),
        not_after: anchor.not_after(),
    }
}
