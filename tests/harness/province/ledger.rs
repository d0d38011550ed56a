//! The ledger: what agencies sent and what they stored, kept apart from the gateway, and held against its books.
//!
//! The oracle of every scenario and fault: every accepted packet is settled; everything delivered was sent, and to whom
//! stored it; contents are equal, byte for byte (by SHA-256); nothing is stored twice under one dispatch id, and no
//! document under two; nobody whom a sender named is passed over; the books balance.
//!
//! **Invariant**: the ledger believes connectors only: what they took into their outbox, and what they handed out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard},
};

use connector::Received;
use domain::packet::{BusinessType, Limits, Packet};
use domain::{
    dispatch::{DispatchKind, DispatchState},
    event::{Happening, Identity},
    ids::{AccountId, CaseId, DispatchId, SubmissionId},
};
use trust::Digest;

use super::books::{Balance, Books, Decision, Sent, SubmissionKey};

/// Faults that are told one by one; the rest is counted.
const TOLD_MAX: usize = 20;

/// A dispatch that a connector stored and handed out.
#[derive(Clone, Debug)]
struct Stored {
    account: AccountId,
    dispatch: DispatchId,
    kind: DispatchKind,
    digest: Digest,
}

#[derive(Debug, Default)]
struct Pages {
    sent: BTreeMap<SubmissionKey, Digest>,
    stored: Vec<Stored>,
    /// Whom the packets with these bytes name; a recall reaches those of its target instead.
    named: BTreeMap<Digest, BTreeSet<String>>,
    /// Whose inboxes take what is for a code.
    accounts: BTreeMap<String, BTreeSet<AccountId>>,
}

impl Pages {
    fn takes(&self, code: &str, account: &AccountId) -> bool {
        self.accounts.get(code).is_some_and(|all| all.contains(account))
    }
}

/// What was sent and stored; shared by all agencies of a province.
#[derive(Debug, Default)]
pub struct Ledger {
    pages: Mutex<Pages>,
}

/// What holding the ledger against the books gave.
#[derive(Debug)]
pub struct Audit {
    /// What is wrong, in sentences; empty when all is well.
    pub faults: Vec<String>,
    /// The gateway's balance.
    pub balance: Balance,
    /// Submissions that connectors took into their outbox.
    pub sent: usize,
    /// Document packets that connectors stored.
    pub packets: usize,
    /// Status packets that connectors stored.
    pub statuses: usize,
    /// Receipts that connectors stored.
    pub receipts: usize,
}

impl Audit {
    /// # Panics
    /// When anything is wrong, with the first things that are.
    pub fn assert_clean(&self) {
        let told: Vec<&str> = self.faults.iter().take(TOLD_MAX).map(String::as_str).collect();
        assert!(
            self.faults.is_empty(),
            "{} faults; {self:?}:\n{}",
            self.faults.len(),
            told.join("\n")
        );
    }
}

impl Ledger {
    /// What is for this code may lie in the inbox of this account: its agency's own, or its heir's.
    pub fn takes(&self, code: &str, account: &str) {
        let mut pages = self.pages();
        let accounts = pages.accounts.entry(code.to_owned()).or_default();
        accounts.insert(account_id(account));
    }

    /// A connector took `bytes` into its outbox under this id.
    ///
    /// # Panics
    /// When the id was taken for other bytes before: the test is wrong.
    pub fn sent(&self, account: &str, submission: &SubmissionId, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        let mut pages = self.pages();
        if let Ok(Packet::Document(packet)) = Packet::open(bytes, &Limits::default())
            && packet.business.kind != BusinessType::Recall
        {
            let named = packet.addressees().into_iter().map(str::to_owned).collect();
            pages.named.insert(digest, named);
        }
        let earlier = pages
            .sent
            .insert((account_id(account), submission.clone()), digest);
        assert!(
            earlier.is_none_or(|earlier| earlier == digest),
            "{submission} is sent with other bytes"
        );
    }

    /// A connector handed out what it had stored.
    pub fn stored(&self, account: &str, received: &Received) {
        let about = &received.about;
        self.stored_as(account, (about.dispatch, about.kind), &received.bytes);
    }

    /// The command of an agency's connector wrote a file.
    pub fn stored_as(&self, account: &str, (dispatch, kind): (DispatchId, DispatchKind), bytes: &[u8]) {
        let stored = Stored {
            account: account_id(account),
            dispatch,
            kind,
            digest: Digest::of(bytes),
        };
        self.pages().stored.push(stored);
    }

    /// Everything that connectors took into their outbox.
    pub fn submissions(&self) -> Vec<SubmissionKey> {
        self.pages().sent.keys().cloned().collect()
    }

    /// Every dispatch that connectors stored.
    pub fn dispatches(&self) -> BTreeSet<DispatchId> {
        self.pages().stored.iter().map(|stored| stored.dispatch).collect()
    }

    /// Holds the ledger against the books. `open` are the submissions that connectors have no final answer to yet:
    /// they may be unknown to the gateway; and nobody wonders what is not settled while something is open.
    pub fn audit(&self, books: &Books, open: &BTreeSet<SubmissionId>) -> Audit {
        let pages = self.pages();
        let count = |kind| pages.stored.iter().filter(|stored| stored.kind == kind).count();
        let mut audit = Audit {
            faults: Vec::new(),
            balance: books.balance(),
            sent: pages.sent.len(),
            packets: count(DispatchKind::Packet),
            statuses: count(DispatchKind::Status),
            receipts: count(DispatchKind::Receipt),
        };
        audit.faults.extend(lost_or_changed(&pages, books, open));
        audit.faults.extend(unsettled(books, open));
        audit.faults.extend(never_sent(&pages, books));
        audit.faults.extend(not_for_them(&pages));
        audit.faults.extend(passed_over(&pages, books));
        audit.faults.extend(not_stored(&pages, books));
        audit.faults.extend(doubled(&pages, books));
        let Balance {
            received,
            settled,
            refused,
            held,
            parked,
            ..
        } = audit.balance;
        if open.is_empty() && received != settled + refused + held + parked {
            audit
                .faults
                .push(format!("the books do not balance: {:?}", audit.balance));
        }
        audit
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().expect("nobody panics while holding the pages")
    }
}

fn account_id(text: &str) -> AccountId {
    AccountId::parse(text).expect("the gateway gave it")
}

/// What was sent and is unknown to the gateway, or known with other bytes.
fn lost_or_changed(pages: &Pages, books: &Books, open: &BTreeSet<SubmissionId>) -> Vec<String> {
    let fault = |(key, digest): (&SubmissionKey, &Digest)| match books.submissions.get(key) {
        Some(entry) if entry.packet == *digest => None,
        Some(_) => Some(format!(
            "submission {} of {} was recorded with other bytes",
            key.1, key.0
        )),
        None if open.contains(&key.1) => None,
        None => Some(format!(
            "submission {} of {} was answered and is not in the journal",
            key.1, key.0
        )),
    };
    pages.sent.iter().filter_map(fault).collect()
}

/// What was decided and not carried through to the end.
fn unsettled(books: &Books, open: &BTreeSet<SubmissionId>) -> Vec<String> {
    if !open.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for ((account, submission), entry) in &books.submissions {
        let is_final = matches!(entry.decision, Decision::Accepted | Decision::Refused);
        if is_final && !books.is_settled(entry) {
            let waiting = |id: &&DispatchId| !books.dispatches[*id].state.is_settled();
            let count = entry.dispatches.iter().filter(waiting).count();
            faults.push(format!(
                "submission {submission} of {account} ({:?}) is not settled: {count} dispatches wait, answered: {}",
                entry.decision, entry.answered
            ));
        }
    }
    faults
}

/// What was stored and never sent, or not by the gateway's books, or with other bytes.
fn never_sent(pages: &Pages, books: &Books) -> Vec<String> {
    let mut written: BTreeSet<Digest> = pages.sent.values().copied().collect();
    let mut receipts = BTreeSet::new();
    for recorded in &books.events {
        if let Happening::ReceiptIssued(issued) = &recorded.event.happening {
            receipts.insert(issued.receipt);
            written.extend(issued.status_packet); // the gateway's own word for software that only knows edXML
        }
    }
    let mut faults = Vec::new();
    for Stored {
        account,
        dispatch,
        kind,
        digest,
    } in &pages.stored
    {
        let is_known = match kind {
            DispatchKind::Packet | DispatchKind::Status => written.contains(digest),
            DispatchKind::Receipt => receipts.contains(digest),
        };
        if !is_known {
            faults.push(format!(
                "{account} stored a {} that nobody sent, under {dispatch}",
                kind.word()
            ));
        }
        match books.dispatches.get(dispatch) {
            Some(sent) if books.bodies.contains(&(*dispatch, *digest)) && sent.dispatch.kind == *kind => {}
            Some(_) => faults.push(format!(
                "{account} stored other bytes than those of dispatch {dispatch}"
            )),
            None => faults.push(format!(
                "{account} stored dispatch {dispatch}, which nothing caused"
            )),
        }
    }
    faults
}

/// What was stored by somebody whom its sender did not name.
fn not_for_them(pages: &Pages) -> Vec<String> {
    let fault = |stored: &Stored| {
        let named = pages.named.get(&stored.digest)?;
        let is_for_them = named.iter().any(|code| pages.takes(code, &stored.account));
        let Stored {
            account, dispatch, ..
        } = stored;
        (!is_for_them).then(|| format!("{account} stored {dispatch}, which was not for them"))
    };
    let packets = pages
        .stored
        .iter()
        .filter(|stored| stored.kind == DispatchKind::Packet);
    packets.filter_map(fault).collect()
}

/// Whom a sender named, and whom the gateway neither took for an addressee nor told to be none.
fn passed_over(pages: &Pages, books: &Books) -> Vec<String> {
    let mut faults = Vec::new();
    for recorded in &books.events {
        let Happening::Accepted(it) = &recorded.event.happening else {
            continue;
        };
        let Some(named) = pages.named.get(&it.submission.packet) else {
            continue;
        };
        let addressed: BTreeSet<&str> = it.addressees.iter().map(|one| one.code.as_str()).collect();
        let told: BTreeSet<&str> = it.unaddressed.iter().map(|one| one.code.as_str()).collect();
        let shares_an_inbox = |code: &str| {
            let accounts = pages.accounts.get(code).into_iter().flatten();
            let mut addressed = addressed.iter();
            accounts
                .into_iter()
                .any(|account| addressed.any(|other| pages.takes(other, account)))
        };
        for code in named {
            let code = code.as_str();
            if !addressed.contains(code) && !told.contains(code) && !shares_an_inbox(code) {
                faults.push(format!("{code} was passed over in case {}", it.case));
            }
        }
    }
    faults
}

/// What was handed over by the books and is not at the account that took it.
fn not_stored(pages: &Pages, books: &Books) -> Vec<String> {
    let stored: BTreeSet<(&AccountId, DispatchId)> = pages
        .stored
        .iter()
        .map(|stored| (&stored.account, stored.dispatch))
        .collect();
    let handed_over = books
        .dispatches
        .values()
        .filter(|sent| sent.state == DispatchState::HandedOver);
    // A document for several agencies that were merged lies with their heir once.
    let has_twin = |account: &AccountId, sent: &Sent| {
        let twins = books.dispatches.values().filter(|other| {
            other.dispatch.kind == DispatchKind::Packet && other.dispatch.case == sent.dispatch.case
        });
        let mut twins = twins.map(|other| (account, other.dispatch.id));
        sent.dispatch.kind == DispatchKind::Packet && twins.any(|twin| stored.contains(&twin))
    };
    let fault = |sent: &Sent| {
        let (id, kind) = (sent.dispatch.id, sent.dispatch.kind.word());
        match &sent.account {
            Some(account) if stored.contains(&(account, id)) || has_twin(account, sent) => None,
            Some(account) => Some(format!(
                "{kind} {id} is handed over to {account}, which never had it"
            )),
            None => Some(format!("{kind} {id} is handed over to nobody")),
        }
    };
    handed_over.filter_map(fault).collect()
}

/// What was stored twice under one dispatch id, documents stored by one account under two, and statuses that were
/// recorded twice.
fn doubled(pages: &Pages, books: &Books) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen: HashMap<DispatchId, &AccountId> = HashMap::new();
    let mut documents: BTreeMap<(&AccountId, &Identity), Vec<CaseId>> = BTreeMap::new();
    for stored in &pages.stored {
        if let Some(earlier) = seen.insert(stored.dispatch, &stored.account) {
            let (id, account) = (stored.dispatch, &stored.account);
            faults.push(format!(
                "dispatch {id} was stored twice, by {earlier} and by {account}"
            ));
            continue;
        }
        let Some(sent) = books.dispatches.get(&stored.dispatch) else {
            continue;
        };
        if let (DispatchKind::Packet, Some(identity)) =
            (stored.kind, books.identities.get(&sent.dispatch.case))
        {
            let cases = documents.entry((&stored.account, identity)).or_default();
            cases.push(sent.dispatch.case);
        }
    }
    for ((account, identity), cases) in documents {
        // A recalled document frees its id; only one of the cases may stand.
        let standing = cases.iter().filter(|case| !books.recalled.contains(case)).count();
        let distinct: BTreeSet<&CaseId> = cases.iter().collect();
        if standing > 1 || distinct.len() < cases.len() {
            let document = &identity.document;
            faults.push(format!(
                "{account} stored {document} under {} dispatch ids",
                cases.len()
            ));
        }
    }
    let mut reported = BTreeSet::new();
    for recorded in &books.events {
        if let Happening::Reported(it) = &recorded.event.happening
            && !reported.insert((it.case, it.addressee, it.meaning))
        {
            faults.push(format!("a status in case {} was taken twice", it.case));
        }
    }
    faults
}
