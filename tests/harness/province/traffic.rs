//! Documents and statuses between the agencies of a province, by their connectors, with an eye on the ledger.
//!
//! **Invariant**: whatever a connector takes or hands out here is entered into the ledger.

use std::{collections::BTreeSet, time::Duration};

use connector::{
    Answer, Received,
    report::{StatusReport, Subject, status_packet},
};
use domain::{
    dispatch::{DispatchKind, Rank},
    ids::SubmissionId,
    packet::{Limits, Packet, StatusCode},
    receipt::Receipt,
};

use super::{Agency, Audit, Books, Letter, Province, SubmissionKey};
use crate::{wait_for, wait_until};

/// How long one thing may take beside a build on the same cores.
const PATIENCE: Duration = Duration::from_secs(60);

impl Province {
    /// Gives a letter to the connector of the agency at `sender`.
    ///
    /// # Panics
    /// When the connector is closed or does not take it.
    pub async fn submit(&self, sender: usize, letter: &Letter) -> SubmissionId {
        self.submit_bytes(sender, letter.bytes().to_vec(), letter.rank())
            .await
    }

    /// Gives any bytes to the connector of the agency at `sender`.
    ///
    /// # Panics
    /// When the connector is closed or does not take them.
    pub async fn submit_bytes(&self, sender: usize, bytes: Vec<u8>, rank: Rank) -> SubmissionId {
        let agency = self.agency(sender);
        let submitted = agency.connector().submit(bytes.clone(), rank).await;
        let id = submitted.unwrap_or_else(|fault| panic!("{} cannot submit: {fault}", agency.name()));
        self.ledger.sent(agency.account(), &id, &bytes);
        id
    }

    /// Gives many letters to the connector of the agency at `sender`, in one commit of its outbox.
    ///
    /// # Panics
    /// When the connector is closed or does not take them.
    pub async fn submit_many(&self, sender: usize, letters: &[Letter]) -> Vec<SubmissionId> {
        let agency = self.agency(sender);
        let submission = |letter: &Letter| connector::Submission {
            bytes: letter.bytes().to_vec(),
            rank: letter.rank(),
        };
        let submitted = agency
            .connector()
            .submit_many(letters.iter().map(submission).collect())
            .await;
        let ids = submitted.unwrap_or_else(|fault| panic!("{} cannot submit: {fault}", agency.name()));
        for (id, letter) in ids.iter().zip(letters) {
            self.ledger.sent(agency.account(), id, letter.bytes());
        }
        ids
    }

    /// Reports a status of a document that the agency at `reporter` received.
    ///
    /// # Panics
    /// When `document` is no document packet, or the connector does not take the status.
    pub async fn report(&self, reporter: usize, document: &[u8], code: StatusCode) -> SubmissionId {
        let Ok(Packet::Document(document)) = Packet::open(document, &Limits::default()) else {
            panic!("a status is reported on a document");
        };
        let report = StatusReport {
            code,
            note: Some("Thử nghiệm".to_owned()),
            staff: None,
            at: connector::now(),
        };
        let settings = self.agency(reporter).settings();
        let agency = settings.agency.expect("written into every configuration");
        let bytes = status_packet(&agency, &Subject::of(&document), &report).expect("plain texts");
        self.submit_bytes(reporter, bytes, Rank::of_priority(document.other.priority))
            .await
    }

    /// The final receipt for a submission of the agency at `sender`, opened, and checked under the gateway's
    /// certificate.
    ///
    /// # Panics
    /// When it does not come, or does not check.
    pub async fn answer(&self, sender: usize, submission: &SubmissionId) -> Receipt {
        self.answer_that(sender, submission, "the final receipt", |answer| {
            answer.kind.is_final_answer()
        })
        .await
    }

    /// The first receipt of any kind for a submission, interim notices included.
    ///
    /// # Panics
    /// When it does not come, or does not check.
    pub async fn first_answer(&self, sender: usize, submission: &SubmissionId) -> Receipt {
        self.answer_that(sender, submission, "a first receipt", |_| true)
            .await
    }

    async fn answer_that(
        &self,
        sender: usize,
        submission: &SubmissionId,
        what: &str,
        is_it: impl Fn(&Answer) -> bool,
    ) -> Receipt {
        let agency = self.agency(sender);
        let what = format!("{what} for {submission} reaches {}", agency.name());
        let answer = wait_for(&what, PATIENCE, async || {
            agency.connector().answer_of(submission).filter(&is_it)
        })
        .await;
        let receipt = agency
            .connector()
            .receipt_of(&answer)
            .expect("the connector keeps its receipts");
        receipt.unwrap_or_else(|fault| panic!("the receipt for {submission}: {fault}"))
    }

    /// Takes what the agency at `place` received, in order, until `count` things that `wanted` picks are there, and
    /// returns those; `what` they are is for the message. Everything taken goes into the ledger; the rest is dropped.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn take(
        &self,
        place: usize,
        (count, what): (usize, &str),
        wanted: impl Fn(&Received) -> bool,
    ) -> Vec<Received> {
        let agency = self.agency(place);
        let what = format!("{count} × {what} at {}", agency.name());
        let mut taken = Vec::new();
        wait_until(&what, PATIENCE, async || {
            while taken.len() < count {
                let Some(received) = self.next(place).await else {
                    break;
                };
                if wanted(&received) {
                    taken.push(received);
                }
            }
            taken.len() >= count
        })
        .await;
        taken
    }

    /// Takes the document packet with this id that the agency at `place` received.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn take_document(&self, place: usize, letter: &Letter) -> Received {
        let id = letter.document_id();
        let is_it = |received: &Received| {
            received.about.kind == DispatchKind::Packet && received.about.document.as_deref() == Some(id)
        };
        let mut taken = self.take(place, (1, id), is_it).await;
        taken.remove(0)
    }

    /// Takes everything that every open connector has received by now, and returns how much that was.
    pub async fn collect(&self) -> usize {
        let mut count = 0;
        for place in 0..self.agencies.len() {
            while self.next(place).await.is_some() {
                count += 1;
            }
        }
        count
    }

    async fn next(&self, place: usize) -> Option<Received> {
        let agency = self.agency(place);
        let connector = agency.try_connector()?;
        let received = connector
            .try_next_received()
            .expect("the connector's folder can be read")?;
        self.ledger.stored(agency.account(), &received);
        let dispatch = [received.about.dispatch];
        connector
            .done_many(&dispatch)
            .await
            .expect("the connector's folder can be written");
        Some(received)
    }

    /// What the gateway's journal says by now; also when no gateway runs.
    pub fn books(&self) -> Books {
        Books::read(&self.gateway.data())
    }

    /// Takes what is there and holds the ledger against the books, as they stand.
    pub async fn audit(&self) -> Audit {
        self.collect().await;
        self.ledger.audit(&self.books(), &self.open_submissions())
    }

    /// Waits until everything is answered, stored, confirmed and settled, taking all that arrives, and returns the
    /// audit; after `patience` with what is still wrong then.
    pub async fn settle(&self, patience: Duration) -> Audit {
        let settling = async {
            loop {
                self.collect().await;
                if self.is_quiet() {
                    let audit = self.audit().await;
                    if audit.faults.is_empty() {
                        return audit;
                    }
                }
                // Reading the books of a long run takes a moment; asking more often would slow what is awaited.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        match tokio::time::timeout(patience, settling).await {
            Ok(audit) => audit,
            Err(_) => self.audit().await,
        }
    }

    /// Whether no open connector waits for an answer, a confirmation or its software.
    fn is_quiet(&self) -> bool {
        let connectors = self.agencies.iter().filter_map(Agency::try_connector);
        connectors
            .into_iter()
            .all(|it| it.outbox_len() == 0 && it.open_handovers() == 0 && it.inbox_len() == 0)
    }

    fn open_submissions(&self) -> BTreeSet<SubmissionId> {
        let is_open = |(account, id): &SubmissionKey| {
            let agency = self
                .agencies
                .iter()
                .find(|agency| agency.account() == account.as_str());
            agency
                .and_then(Agency::try_connector)
                .is_some_and(|connector| connector.is_open(id))
        };
        let sent = self.ledger.submissions();
        sent.into_iter().filter(is_open).map(|(_, id)| id).collect()
    }
}
