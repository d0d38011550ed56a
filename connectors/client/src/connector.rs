//! The connector that an agency's software holds.

mod view;

use std::sync::Arc;
use std::time::Duration;

use domain::dispatch::Rank;
use domain::ids::{DispatchId, SubmissionId};
use domain::packet::{Packet, PacketFault};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use trust::Digest;
use uuid::Uuid;

use crate::account::Account;
use crate::clock;
use crate::config::Config;
use crate::entering::Entering;
use crate::event::{Side, add};
use crate::inbox::About;
use crate::outbox::Answer;
use crate::receipt::{Check, ReceiptFault, is_answered_by, is_same};
use crate::report::{self, StatusReport, Subject};
use crate::session;
use crate::store::book::{AccountBook, Matter};
use crate::store::record::{Entered, Record};
use crate::store::{Store, StoreFault};

/// How often the store is asked whether it has stopped.
const STOPPED_LOOK: Duration = Duration::from_millis(500);

/// Why a connector cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The folder.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A configured gateway certificate is none.
    #[error("a gateway certificate cannot be read")]
    Certificate,
}

/// Why a submission was not taken into the outbox.
#[derive(Debug, thiserror::Error)]
pub enum SubmitFault {
    /// The folder takes nothing now; nothing was kept.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// Larger than `limits.packet_bytes_max`.
    #[error("the packet has {bytes} bytes, more than the {bytes_max} allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// No `[agency]` is configured, so no packet can be built in its name.
    #[error("[agency] is not configured")]
    NoAgency,
    /// A text holds what XML cannot carry.
    #[error(transparent)]
    Packet(#[from] PacketFault),
    /// The id was used for another document, or for other addressees, before.
    #[error("the submission id {0} was used for another packet")]
    IdReused(SubmissionId),
    /// A status can be reported on a document packet only.
    #[error("not a document")]
    NotADocument,
}

/// A packet to be submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// edXML as it is to travel.
    pub bytes: Vec<u8>,
    /// Urgent ones overtake.
    pub rank: Rank,
}

/// A dispatch handed to the software.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What is known of it.
    pub about: About,
    /// edXML, or DER of a receipt.
    pub bytes: Vec<u8>,
}

/// One account at the gateway: submits, receives, confirms, for as long as it is open. Works in the background; the
/// broker need not be reachable.
#[derive(Debug)]
pub struct Connector {
    account: Arc<Account>,
    entering: Arc<Entering>,
    /// Its two sides, in the order in which they close: what the one still takes in, the other confirms.
    sides: Mutex<[Working; 2]>,
    owns_store: Ownership,
}

/// One side at work.
#[derive(Debug)]
struct Working {
    closing: watch::Sender<bool>,
    task: JoinSet<()>,
}

#[derive(Debug, PartialEq, Eq)]
enum Ownership {
    Own,
    Shared,
}

impl Connector {
    /// Opens the folder of the configuration and starts to work.
    ///
    /// # Errors
    /// [`OpenFault`]: the folder is in use or damaged, or a certificate cannot be read.
    pub async fn open(config: Config) -> Result<Connector, OpenFault> {
        let (folder, limits) = (config.folder.clone(), config.store);
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder, limits)).await;
        let store = opened.expect("opening a store does not panic")?;
        Connector::start(config, store, Ownership::Own)
    }

    /// Starts to work over a store that several accounts of one software share: one write and one fdatasync for all of
    /// them. The folder of the configuration is not used.
    ///
    /// # Errors
    /// [`OpenFault::Certificate`].
    pub fn open_in(config: Config, store: &Store) -> Result<Connector, OpenFault> {
        Connector::start(config, store.clone(), Ownership::Shared)
    }

    fn start(config: Config, store: Store, owns_store: Ownership) -> Result<Connector, OpenFault> {
        let check =
            Check::new(&config.gateway_certificates).map_err(|_: ReceiptFault| OpenFault::Certificate)?;
        let account = Arc::new(Account::new(config, store, check));
        account.book(|book| {
            book.inbox.confirm_open();
            book.outbox.reckon(clock::steady());
            // What the log tells was told when it happened.
            drop(book.outbox.take_answered_alike());
        });
        let sides = [Side::Consuming, Side::Publishing].map(|side| {
            let (closing, closed) = watch::channel(false);
            let (mut task, account) = (JoinSet::new(), Arc::clone(&account));
            task.spawn(async move { session::keep(&account, side, closed).await });
            Working { closing, task }
        });
        Ok(Connector {
            account,
            entering: Arc::default(),
            sides: Mutex::new(sides),
            owns_store,
        })
    }

    /// Takes a packet into the outbox, under a new id. It is on disk when this returns, and leaves with its answer only.
    ///
    /// # Errors
    /// [`SubmitFault`]: nothing was kept.
    pub async fn submit(&self, bytes: Vec<u8>, rank: Rank) -> Result<SubmissionId, SubmitFault> {
        let id = new_submission();
        self.submit_as(id.clone(), Submission { bytes, rank }).await?;
        Ok(id)
    }

    /// The same under an id that the software chose: repeated by a retry, new for a new attempt.
    ///
    /// # Errors
    /// [`SubmitFault`]: nothing was kept.
    pub async fn submit_as(&self, id: SubmissionId, submission: Submission) -> Result<(), SubmitFault> {
        self.enter(vec![(id, submission)]).await
    }

    /// Takes many packets into the outbox with one commit. All or none.
    ///
    /// # Errors
    /// [`SubmitFault`]: nothing was kept.
    pub async fn submit_many(&self, submissions: Vec<Submission>) -> Result<Vec<SubmissionId>, SubmitFault> {
        let entries: Vec<_> = submissions
            .into_iter()
            .map(|submission| (new_submission(), submission))
            .collect();
        let ids = entries.iter().map(|(id, _)| id.clone()).collect();
        self.enter(entries).await?;
        Ok(ids)
    }

    /// Whether a packet of so many bytes may be submitted.
    ///
    /// # Errors
    /// [`SubmitFault::TooLarge`].
    pub fn admits(&self, bytes: usize) -> Result<(), SubmitFault> {
        let bytes_max = self.account.config.limits.packet_bytes_max;
        if bytes > bytes_max {
            return Err(SubmitFault::TooLarge { bytes, bytes_max });
        }
        Ok(())
    }

    async fn enter(&self, entries: Vec<(SubmissionId, Submission)>) -> Result<(), SubmitFault> {
        for (_, submission) in &entries {
            self.admits(submission.bytes.len())?;
        }
        // Whoever else enters one of these ids meanwhile waits, and finds what became of it.
        let claim = self.entering.claim(entries.iter().map(|(id, _)| id)).await;
        let entries = self.fresh(entries)?;
        if entries.is_empty() {
            return Ok(());
        }
        let (count, at) = (entries.len(), clock::now());
        let record = |(submission, Submission { bytes, rank }): (SubmissionId, Submission)| {
            let entered = Entered {
                submission,
                rank,
                at,
                reports: None,
                body: bytes,
            };
            self.account.logged(Record::Entered(entered))
        };
        self.account
            .store
            .commit_claimed(entries.into_iter().map(record).collect(), Some(claim))
            .await?;
        add(&self.account.counting.submitted, count);
        Ok(())
    }

    /// Those that are not there yet: an id that is already in the outbox or answered is the same submission, nothing new to
    /// keep.
    fn fresh(
        &self,
        entries: Vec<(SubmissionId, Submission)>,
    ) -> Result<Vec<(SubmissionId, Submission)>, SubmitFault> {
        let mut fresh = Vec::with_capacity(entries.len());
        for (id, submission) in entries {
            match self.is_repeated(&id, &submission.bytes)? {
                None => fresh.push((id, submission)),
                Some(true) => {}
                Some(false) => return Err(SubmitFault::IdReused(id)),
            }
        }
        Ok(fresh)
    }

    /// Waits until the store has stopped, which it does when nobody knows any more what is on the disk: nothing more is
    /// sent or taken then, and only another process can go on.
    pub async fn stopped(&self) {
        while !self.account.store.is_stopped() {
            tokio::time::sleep(STOPPED_LOOK).await;
        }
    }

    /// Whether this id stands for the same document to the same addressees; `None`: it stands for nothing yet. Software
    /// builds its packet anew for a retry, so that bytes may differ.
    fn is_repeated(&self, id: &SubmissionId, bytes: &[u8]) -> Result<Option<bool>, SubmitFault> {
        let limits = self.account.config.packet_limits();
        let matter = Matter::Submission(id.clone());
        if let Some(known) = self.account.fetch(matter, |book| book.outbox.place(id))? {
            let known = known.into_body();
            return Ok(Some(known == bytes || is_same(&known, bytes, &limits)));
        }
        let Some(answer) = self.account.book(|book| book.outbox.answer(id).cloned()) else {
            return Ok(None);
        };
        let receipt = match self.receipt_bytes(&answer) {
            Err(StoreFault::Damaged { .. }) => {
                self.ask_again(id);
                return Ok(None);
            }
            bytes => self.account.check.open(&bytes?, clock::now()),
        };
        // What cannot be read tells nothing against it; the gateway looks at the id again.
        Ok(Some(receipt.map_or(true, |receipt| {
            receipt.packet == Some(Digest::of(bytes)) || is_answered_by(&receipt, bytes, &limits)
        })))
    }

    /// What was answered to a submission, as far as it is remembered (the newest 100,000, also over restarts while the
    /// receipts are in the log).
    pub fn answer_of(&self, submission: &SubmissionId) -> Option<Answer> {
        self.account.book(|book| book.outbox.answer(submission).cloned())
    }

    /// Forgets the answer to a submission, because the receipt behind it cannot be read back: when it is submitted again
    /// under its id, the gateway gives the receipt again.
    pub fn ask_again(&self, submission: &SubmissionId) {
        self.account.book(|book| book.outbox.forget_answer(submission));
    }

    /// Waits for the final answer to a submission.
    pub async fn final_answer(&self, submission: &SubmissionId) -> Answer {
        self.answer_that(submission, |answer| answer.kind.is_final_answer())
            .await
    }

    /// Waits for an answer to a submission: the final one, or that the gateway holds it.
    pub async fn first_answer(&self, submission: &SubmissionId) -> Answer {
        self.answer_that(submission, |_| true).await
    }

    async fn answer_that(&self, submission: &SubmissionId, is_it: impl Fn(&Answer) -> bool) -> Answer {
        loop {
            let mut answered = std::pin::pin!(self.account.signals.answered.notified());
            answered.as_mut().enable();
            if let Some(answer) = self.answer_of(submission).filter(&is_it) {
                return answer;
            }
            answered.await;
        }
    }

    /// The receipt behind an answer, opened; checked when certificates are configured.
    ///
    /// # Errors
    /// [`StoreFault`] when its bytes are no longer in the log; [`ReceiptFault`] inside when it does not check.
    pub fn receipt_of(
        &self,
        answer: &Answer,
    ) -> Result<Result<domain::receipt::Receipt, ReceiptFault>, StoreFault> {
        Ok(self
            .account
            .check
            .open(&self.receipt_bytes(answer)?, clock::now()))
    }

    /// The receipt behind an answer, DER.
    ///
    /// # Errors
    /// [`StoreFault`] when its bytes are no longer in the log.
    pub fn receipt_bytes(&self, answer: &Answer) -> Result<Vec<u8>, StoreFault> {
        Ok(self.account.store.read(answer.place)?.record.into_body())
    }

    /// Opens a received receipt; checked when certificates are configured.
    ///
    /// # Errors
    /// [`ReceiptFault`].
    pub fn open_receipt(&self, received: &Received) -> Result<domain::receipt::Receipt, ReceiptFault> {
        self.account.check.open(&received.bytes, clock::now())
    }

    /// The next dispatch for the software, in order of arrival; waits for one. It comes again after a restart unless
    /// [`Connector::done`] was called.
    ///
    /// # Errors
    /// [`StoreFault::File`]: it cannot be read now; ask again. What can never be read back is set aside, told by
    /// [`crate::Event::DamagedIncoming`], and the one after it comes.
    pub async fn next_received(&self) -> Result<Received, StoreFault> {
        loop {
            if let Some(received) = self.try_next_received()? {
                // Another caller may wait for the one after it.
                self.account.signals.received.notify_one();
                return Ok(received);
            }
            self.account.signals.received.notified().await;
        }
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`Connector::next_received`].
    pub fn try_next_received(&self) -> Result<Option<Received>, StoreFault> {
        while let Some(about) = self.account.book(|book| book.inbox.next()) {
            let dispatch = about.dispatch;
            let find = |book: &mut AccountBook| book.inbox.get(&dispatch).map(|(_, place)| place);
            match self.account.read(find) {
                Ok(Some(record)) => {
                    let bytes = record.into_body();
                    return Ok(Some(Received { about, bytes }));
                }
                // Withdrawn in between.
                Ok(None) => {}
                Err(fault) => {
                    self.account.book(|book| book.inbox.not_handed(dispatch));
                    if fault.is_transient() {
                        return Err(fault);
                    }
                    self.account.fetch(Matter::Dispatch(dispatch), find)?;
                }
            }
        }
        Ok(None)
    }

    /// The software has the dispatch: it is not handed out again, and its bytes may be forgotten here.
    ///
    /// # Errors
    /// [`StoreFault`]: it comes again after a restart.
    pub async fn done(&self, dispatch: DispatchId) -> Result<(), StoreFault> {
        self.account
            .store
            .commit(vec![self.account.logged(Record::Taken { dispatch })])
            .await
    }

    /// The same for many, and without waiting for the disk: after a crash some may come again.
    ///
    /// # Errors
    /// [`StoreFault`]: they come again after a restart.
    pub async fn done_many(&self, dispatches: &[DispatchId]) -> Result<(), StoreFault> {
        let record = |dispatch: &DispatchId| self.account.logged(Record::Taken { dispatch: *dispatch });
        self.account
            .store
            .note(dispatches.iter().map(record).collect())
            .await
    }

    /// Reports a status of a received document (edXML bytes) to its sender.
    ///
    /// # Errors
    /// [`SubmitFault`]: nothing was kept.
    pub async fn report_status(
        &self,
        document: &[u8],
        report: &StatusReport,
    ) -> Result<SubmissionId, SubmitFault> {
        match Packet::open(document, &self.account.config.packet_limits())? {
            Packet::Document(document) => {
                let rank = Rank::of_priority(document.other.priority);
                self.report_on(&Subject::of(&document), report, rank).await
            }
            Packet::Status(_) => Err(SubmitFault::NotADocument),
        }
    }

    /// Reports a status of a document that the software knows by its fields.
    ///
    /// # Errors
    /// [`SubmitFault`]: nothing was kept.
    pub async fn report_on(
        &self,
        subject: &Subject,
        report: &StatusReport,
        rank: Rank,
    ) -> Result<SubmissionId, SubmitFault> {
        let agency = self.account.config.agency.as_ref().ok_or(SubmitFault::NoAgency)?;
        let bytes = report::status_packet(agency, subject, report)?;
        self.submit(bytes, rank).await
    }

    /// Ends the sessions, after what is outstanding, and the store. What is not done goes on at the next start.
    pub async fn close(&self) {
        for side in self.sides.lock().await.iter_mut() {
            let _ = side.closing.send(true);
            while let Some(ended) = side.task.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a task of the connector died");
                }
            }
        }
        if self.owns_store == Ownership::Own {
            self.account.store.close().await;
        }
    }

    /// Waits until everything in the outbox is answered and every handover confirmed; whether that came in time.
    pub async fn settle(&self, patience: Duration) -> Settled {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let settled = async {
            loop {
                tick.tick().await;
                if self.outbox_len() == 0 && self.open_handovers() == 0 {
                    return;
                }
            }
        };
        match tokio::time::timeout(patience, settled).await {
            Ok(()) => Settled::Yes,
            Err(_) => Settled::NotYet,
        }
    }
}

/// Whether nothing is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Nothing.
    Yes,
    /// Something still waits.
    NotYet,
}

/// A submission id that sorts by time (UUIDv7).
fn new_submission() -> SubmissionId {
    SubmissionId::parse(&Uuid::now_v7().to_string()).expect("a UUID is a submission id")
}

#[cfg(test)]
mod tests;
