//! Consuming: dispatches from the inbox queue, stored before they are acknowledged.
//!
//! What has come is stored together (one commit) and told. The broker and the gateway hear of it a little later, of
//! much at once: each word to the broker is an entry in the log of its queue, and costs it as much as a message. The
//! acknowledgement goes from here, the confirmation of handover from [`crate::publish`].
//!
//! **Invariant:** nothing is acknowledged before it is on disk; when the folder takes nothing, the session ends and the
//! broker keeps what it has.
//! **Invariant:** a repeat is not stored again, and is acknowledged and confirmed again.
//! **Invariant:** between two batches at most half of the prefetch is stored and not acknowledged, and no more bytes than
//! one batch holds: the broker always has leave to send.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::dispatch::DispatchKind;
use domain::ids::{CaseId, Code, DispatchId, DocumentId, SubmissionId};
use domain::packet::{BusinessType, Packet};
use domain::receipt::ReceiptKind;
use domain::wire;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::watch;

use crate::account::Account;
use crate::clock;
use crate::config::{Arrival, Receipts};
use crate::event::{Event, Side, add};
use crate::receipt::{Claim, ReceiptFault, Standing, is_of_document};
use crate::report;
use crate::session::{Ended, Session};
use crate::store::StoreFault;
use crate::store::book::Matter;
use crate::store::record::{Arrived, Due, Logged, Record};

/// When we close, the acknowledgement of what is stored may take so long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of packets that one commit gathers, and of what is stored and not acknowledged.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// How often it is tried whether the folder takes what it did not.
const ROOM_LOOK: Duration = Duration::from_secs(2);

/// Consumes until the session ends.
pub(crate) async fn work(account: &Account, session: &Session, closing: watch::Receiver<bool>) -> Ended {
    let Err(ended) = run(account, session, closing).await;
    if let Ended::Store(fault) = &ended {
        account.tell(Event::StoreFailed(fault.to_string()));
    }
    ended
}

/// Waits until what could not be stored can be: each time that the broker gets it back brings it nearer to being laid aside.
pub(crate) async fn room(account: &Account) {
    loop {
        let bytes = account.starved.load(Ordering::Relaxed);
        if bytes == 0 {
            return;
        }
        let store = account.store.clone();
        let tried = tokio::task::spawn_blocking(move || store.has_room(bytes));
        if tried.await.is_ok_and(|has_room| has_room) {
            account.starved.store(0, Ordering::Relaxed);
            return;
        }
        tokio::time::sleep(ROOM_LOOK).await;
    }
}

async fn run(
    account: &Account,
    session: &Session,
    mut closing: watch::Receiver<bool>,
) -> Result<std::convert::Infallible, Ended> {
    // Those of the last run that were stored and not reported.
    if account.config.arrival == Arrival::Reported {
        report::arrivals(account).await?;
    }
    let channel = &session.channel;
    let prefetch = channel.basic_qos(account.config.limits.prefetch, BasicQosOptions::default());
    session.answer(prefetch).await?;
    let queue = wire::inbox_queue(account.id());
    let consume = channel.basic_consume(
        queue.into(),
        "".into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut consumer = session.answer(consume).await?;
    account.ready(Side::Consuming);
    let mut owed = Owed::default();
    loop {
        let first = tokio::select! {
            first = consumer.next() => first.ok_or(Ended::Cancelled)??,
            () = clock::sleep_until(owed.due) => {
                owed.acknowledge(session).await?;
                continue;
            }
            _ = closing.changed() => {
                // What it does not hear comes again.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, owed.acknowledge(session)).await;
                return Err(Ended::Closing);
            }
        };
        let mut bytes = first.data.len();
        let mut batch = vec![first];
        while bytes < BATCH_BYTES_MAX
            && batch.len() < usize::from(account.config.limits.prefetch)
            && let Some(Some(delivery)) = consumer.next().now_or_never()
        {
            let delivery = delivery?;
            bytes += delivery.data.len();
            batch.push(delivery);
        }
        let count = batch.len();
        match take_in(account, session, batch).await {
            Ok(Some(tag)) => owed.add(tag, (count, bytes), account.config.limits.confirm_delay),
            Ok(None) => {}
            Err(ended) => {
                if let Ended::Store(fault) = &ended
                    && fault.is_transient()
                {
                    account.starved.store(bytes, Ordering::Relaxed);
                }
                // What was stored before need not come again.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, owed.acknowledge(session)).await;
                return Err(ended);
            }
        }
        if account.config.limits.gathered_max() < owed.count || BATCH_BYTES_MAX <= owed.bytes {
            owed.acknowledge(session).await?;
        }
    }
}

/// What is stored, and the broker was not told yet.
#[derive(Default)]
struct Owed {
    /// Everything up to here.
    tag: u64,
    count: usize,
    bytes: usize,
    due: Option<Instant>,
}

impl Owed {
    fn add(&mut self, tag: u64, (count, bytes): (usize, usize), delay: Duration) {
        self.tag = tag;
        self.count += count;
        self.bytes += bytes;
        self.due.get_or_insert_with(|| Instant::now() + delay);
    }

    async fn acknowledge(&mut self, session: &Session) -> Result<(), Ended> {
        let Owed { tag, count, .. } = std::mem::take(self);
        if count == 0 {
            return Ok(());
        }
        let acknowledge = session.channel.basic_ack(tag, BasicAckOptions { multiple: true });
        session.answer(acknowledge).await
    }
}

/// One batch: store, have it confirmed, tell. Gives up to where it can be acknowledged.
async fn take_in(account: &Account, session: &Session, batch: Vec<Delivery>) -> Result<Option<u64>, Ended> {
    let mut intake = Intake::default();
    for delivery in batch {
        intake.sort(account, session, delivery).await?;
    }
    let stored = intake.arrived.iter().map(Stored::of).collect::<Vec<_>>();
    // What came together with its recall is stored as withdrawn: in between nobody sees it.
    let withdrawn = intake.recalled_at_once();
    let mut records = Vec::with_capacity(stored.len() + withdrawn.len());
    for arrived in intake.arrived {
        let is_kept = arrived.kind == DispatchKind::Receipt && account.config.receipts == Receipts::Kept;
        let dispatch = arrived.dispatch;
        records.push(account.logged(Record::Arrived(arrived)));
        if is_kept {
            records.push(account.logged(Record::Taken { dispatch }));
        }
    }
    records.extend(withdrawn.iter().map(|one| record_of(account, one)));
    if !records.is_empty() {
        account.store.commit(records).await?;
        account.proven(Side::Consuming);
    }
    account.book(|book| {
        let all = stored
            .iter()
            .map(|stored| stored.dispatch)
            .chain(intake.repeats.iter().copied());
        all.for_each(|dispatch| book.inbox.confirm(dispatch));
    });
    account.signals.publish.notify_one();
    tell(account, stored, &intake.repeats);
    tell_withdrawn(account, withdrawn);
    settle_alike(account).await?;
    recall(account, &intake.recalls).await?;
    if account.config.arrival == Arrival::Reported {
        report::arrivals(account).await?;
    }
    Ok(intake.last_tag)
}

/// What is told of a stored dispatch.
struct Stored {
    dispatch: DispatchId,
    kind: DispatchKind,
    case: Option<CaseId>,
    document: Option<String>,
    answers: Option<(SubmissionId, ReceiptKind)>,
}

impl Stored {
    fn of(arrived: &Arrived) -> Stored {
        let answers = match arrived.due {
            Due::Answer => arrived.submission.clone().zip(arrived.receipt),
            Due::Nothing | Due::Arrival => None,
        };
        Stored {
            dispatch: arrived.dispatch,
            kind: arrived.kind,
            case: arrived.case,
            document: arrived.document.clone(),
            answers,
        }
    }
}

fn tell(account: &Account, stored: Vec<Stored>, repeats: &[DispatchId]) {
    let counting = &account.counting;
    let at = clock::now();
    add(&counting.stored, stored.len());
    add(
        &counting.stored_packets,
        stored
            .iter()
            .filter(|one| one.kind == DispatchKind::Packet)
            .count(),
    );
    add(&counting.repeats, repeats.len());
    for one in stored {
        if let Some((submission, kind)) = one.answers {
            add(&counting.answered, usize::from(kind.is_final_answer()));
            account.tell(Event::Answered(submission, kind));
        }
        let Stored {
            dispatch,
            kind,
            case,
            document,
            ..
        } = one;
        account.tell(Event::Stored {
            dispatch,
            kind,
            case,
            document,
            at,
        });
    }
    for dispatch in repeats {
        account.tell(Event::Repeated(*dispatch));
    }
}

/// What was held and is answered now by the receipt of another submission of its case: told like any other answer, and
/// noted, because that receipt may go from the log before what it answered.
async fn settle_alike(account: &Account) -> Result<(), Ended> {
    let alike = account.book(|book| book.outbox.take_answered_alike());
    if alike.is_empty() {
        return Ok(());
    }
    let mut records = Vec::with_capacity(alike.len());
    for (submission, kind) in alike {
        add(&account.counting.answered, 1);
        records.push(account.logged(Record::Settled {
            submission: submission.clone(),
        }));
        account.tell(Event::Answered(submission, kind));
    }
    Ok(account.store.note(records).await?)
}

/// What one batch holds.
#[derive(Default)]
struct Intake {
    arrived: Vec<Arrived>,
    new: HashSet<DispatchId>,
    repeats: Vec<DispatchId>,
    recalls: Vec<Recall>,
    /// Everything up to here can be acknowledged once it is stored.
    last_tag: Option<u64>,
}

/// A recall, and the cases it takes back.
struct Recall {
    dispatch: DispatchId,
    cases: Vec<CaseId>,
}

impl Intake {
    /// Documents of the batch that a recall of it takes back, each with that recall.
    fn recalled_at_once(&self) -> Vec<(DispatchId, DispatchId)> {
        let recall_of = |arrived: &Arrived| {
            let case = arrived.case.filter(|_| arrived.kind == DispatchKind::Packet)?;
            let recall = self.recalls.iter().find(|recall| recall.cases.contains(&case))?;
            Some((arrived.dispatch, recall.dispatch))
        };
        self.arrived.iter().filter_map(recall_of).collect()
    }

    async fn sort(&mut self, account: &Account, session: &Session, delivery: Delivery) -> Result<(), Ended> {
        let (tag, acker) = (delivery.delivery_tag, delivery.acker.clone());
        let (mut arrived, targets) = match read(delivery) {
            Ok(read) => read,
            Err(reason) => {
                // Not of the contract: back to the broker, which lays it aside for a person (dead letter).
                tracing::error!(account.id = %account.id(), reason, "a message of the inbox cannot be read");
                add(&account.counting.unreadable, 1);
                account.tell(Event::Unreadable(reason.to_owned()));
                let reject = acker.reject(BasicRejectOptions { requeue: false });
                session.answer(reject).await?;
                return Ok(());
            }
        };
        let dispatch = arrived.dispatch;
        // Also when it comes again: the session may have ended before all was withdrawn that it recalls.
        if !targets.is_empty() && is_recall(account, &arrived.body) {
            self.recalls.push(Recall {
                dispatch,
                cases: targets,
            });
        }
        if !self.new.insert(dispatch) || account.book(|book| book.inbox.knows(&dispatch)) {
            self.last_tag = Some(tag);
            self.repeats.push(dispatch);
            return Ok(());
        }
        arrived.due = due(account, &mut arrived)?;
        self.last_tag = Some(tag);
        self.arrived.push(arrived);
        Ok(())
    }
}

/// Reads a message by its headers.
fn read(delivery: Delivery) -> Result<(Arrived, Vec<CaseId>), &'static str> {
    let properties = delivery.properties;
    let message_id = properties.message_id().as_ref().map(|id| id.as_str());
    let dispatch = message_id
        .and_then(|id| id.parse::<DispatchId>().ok())
        .ok_or("no dispatch id")?;
    let kind = properties
        .kind()
        .as_ref()
        .and_then(|kind| DispatchKind::from_word(kind.as_str()));
    let kind = kind.ok_or("no known message type")?;
    let headers = properties.headers().as_ref();
    let text = |name: &str| headers.and_then(|headers| header(headers, name));
    let targets = text(wire::HEADER_TARGETS).unwrap_or_default();
    let arrived = Arrived {
        dispatch,
        at: clock::now(),
        kind,
        case: text(wire::HEADER_CASE).and_then(|text| text.parse().ok()),
        sender: text(wire::HEADER_SENDER)
            .filter(|text| Code::parse(text).is_ok())
            .map(str::to_owned),
        document: text(wire::HEADER_DOCUMENT)
            .filter(|text| DocumentId::parse(text).is_ok())
            .map(str::to_owned),
        receipt: text(wire::HEADER_RECEIPT).and_then(ReceiptKind::from_word),
        submission: text(wire::HEADER_SUBMISSION).and_then(|text| SubmissionId::parse(text).ok()),
        due: Due::Nothing,
        body: delivery.data,
    };
    let cases = targets
        .split_ascii_whitespace()
        .filter_map(|case| case.parse().ok())
        .collect();
    Ok((arrived, cases))
}

fn header<'a>(headers: &'a FieldTable, name: &str) -> Option<&'a str> {
    let AMQPValue::LongString(text) = headers.inner().get(name)? else {
        return None;
    };
    std::str::from_utf8(text.as_bytes()).ok()
}

/// What is to be done for it besides handing it out. A receipt answers only after its check.
fn due(account: &Account, arrived: &mut Arrived) -> Result<Due, Ended> {
    match arrived.kind {
        DispatchKind::Packet if account.config.arrival == Arrival::Reported => Ok(Due::Arrival),
        DispatchKind::Packet | DispatchKind::Status => Ok(Due::Nothing),
        DispatchKind::Receipt => match believe(account, arrived) {
            Ok(due) => Ok(due),
            Err(Doubt::Receipt(fault)) => {
                tracing::error!(account.id = %account.id(), dispatch = %arrived.dispatch, %fault, "receipt not believed");
                add(&account.counting.doubted, 1);
                account.tell(Event::ReceiptDoubted(arrived.dispatch, fault.to_string()));
                Ok(Due::Nothing)
            }
            Err(Doubt::Store(fault)) => Err(Ended::Store(fault)),
        },
    }
}

/// Why it is not known that a receipt answers its submission.
#[derive(Debug, thiserror::Error)]
enum Doubt {
    #[error(transparent)]
    Receipt(#[from] ReceiptFault),
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Whether a receipt answers its submission. What is signed counts; where nothing is checked, the headers do.
fn believe(account: &Account, arrived: &mut Arrived) -> Result<Due, Doubt> {
    let (Some(submission), Some(kind)) = (&arrived.submission, arrived.receipt) else {
        return Ok(Due::Nothing);
    };
    if !kind.is_final_answer() && kind != ReceiptKind::SubmissionHeld {
        return Ok(Due::Nothing);
    }
    let claim = Claim { submission, kind };
    match account.check.confirm(&arrived.body, claim, arrived.at)? {
        Standing::Unchecked => {}
        Standing::Signed(case) => arrived.case = Some(case),
        Standing::Repeat(receipt) => {
            let matter = Matter::Submission(submission.clone());
            let Some(entered) = account.fetch(matter, |book| book.outbox.place(submission))? else {
                // Answered already, set aside, or submitted from another folder of this account: nobody here waits.
                return Ok(Due::Nothing);
            };
            if !is_of_document(&receipt, &entered.into_body(), &account.config.packet_limits()) {
                return Err(ReceiptFault::Other.into());
            }
            arrived.case = Some(receipt.case);
        }
    }
    Ok(Due::Answer)
}

/// Only a recall takes documents back; updates and replacements name targets too.
fn is_recall(account: &Account, body: &[u8]) -> bool {
    match Packet::open(body, &account.config.packet_limits()) {
        Ok(Packet::Document(document)) => document.business.kind == BusinessType::Recall,
        Ok(Packet::Status(_)) | Err(_) => false,
    }
}

/// What was recalled before it was handed out is not handed out any more. The recall itself is.
async fn recall(account: &Account, recalls: &[Recall]) -> Result<(), Ended> {
    let mut withdrawn = Vec::new();
    account.book(|book| {
        for recall in recalls {
            let held = recall
                .cases
                .iter()
                .flat_map(|case| book.inbox.hold_back(*case))
                .collect::<Vec<_>>();
            withdrawn.extend(held.into_iter().map(|dispatch| (dispatch, recall.dispatch)));
        }
    });
    if withdrawn.is_empty() {
        return Ok(());
    }
    let records = withdrawn.iter().map(|one| record_of(account, one)).collect();
    let kept = account.store.commit(records).await;
    if let Err(fault) = kept {
        // The recall comes once more, and finds them again.
        account.book(|book| {
            for (dispatch, _) in &withdrawn {
                book.inbox.not_handed(*dispatch);
            }
        });
        return Err(fault.into());
    }
    tell_withdrawn(account, withdrawn);
    Ok(())
}

/// That a document is withdrawn by its recall.
fn record_of(account: &Account, &(dispatch, by): &(DispatchId, DispatchId)) -> Logged {
    account.logged(Record::Withdrawn { dispatch, by })
}

fn tell_withdrawn(account: &Account, withdrawn: Vec<(DispatchId, DispatchId)>) {
    add(&account.counting.recalled, withdrawn.len());
    for (dispatch, by) in withdrawn {
        account.tell(Event::Recalled { dispatch, by });
    }
}
