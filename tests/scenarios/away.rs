//! An agency that is away for very many documents: the broker holds a window of them, the journal the rest.

use domain::{dispatch::DispatchState, receipt::ReceiptKind};
use harness::{
    province::{Letter, Plan, Province, Seals},
    wait_until,
};
use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};

use super::evidence::{PATIENCE, accepted, balance, prove, receipts};

/// Documents that come while the agency is away.
const DOCUMENTS: usize = 10_000;
/// In one commit of the sender's outbox.
const BATCH: usize = 500;
/// Dispatches that the broker may hold of one agency: the defaults of `[broker]` window and window_urgent.
const WINDOW: u32 = 64;
const AWAY: usize = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agency_that_was_away_for_ten_thousand_documents_receives_each_once_but_the_recalled_one() {
    let mut province = Province::start(Plan::new(1)).await;
    province.agency_mut(AWAY).close().await;
    let office = province.agency(0);
    let signed = office.draft().to(province.agency(AWAY)).letter();
    let mut recalled = None;
    let inbox = Inbox::of(&province).await;
    for batch in 0..DOCUMENTS / BATCH {
        let draft = || office.draft().to(province.agency(AWAY)).seals(Seals::None);
        let letters: Vec<Letter> = (0..BATCH)
            .map(|_| draft().letter().with_contents_of(&signed))
            .collect();
        province.submit_many(0, &letters).await;
        if batch == DOCUMENTS / BATCH / 2 {
            recalled = Some(letters[BATCH / 2].clone());
        }
        // The sender's outbox need not hold all of them; and the inbox is looked at again and again.
        wait_until("most of the outbox is answered", PATIENCE, async || {
            let depth = inbox.depth().await;
            assert!(depth <= WINDOW, "{depth} dispatches lie in the broker");
            province.collect().await;
            office.connector().outbox_len() < BATCH
        })
        .await;
    }
    let recalled = recalled.expect("one of them");
    let recall = office.draft().recall_of(&recalled).letter();
    let submission = province.submit(0, &recall).await;
    accepted(&province, 0, &submission).await;
    wait_until("everything is accepted", PATIENCE, async || {
        province.collect().await;
        office.connector().outbox_len() == 0
    })
    .await;
    assert_eq!(
        inbox.depth().await,
        WINDOW,
        "the window, and the rest in the journal"
    );

    province.agency_mut(AWAY).open().await;
    let failure = receipts(&province, 0, 1, ReceiptKind::ContentConsignmentFailure)
        .await
        .remove(0);
    assert_eq!(failure.document.as_deref(), Some(recalled.document_id()));
    let audit = prove(&province, balance(DOCUMENTS + 1, 0)).await;
    assert_eq!(audit.packets, DOCUMENTS - 1, "{audit:?}");
    let books = province.books();
    let withdrawn = books
        .dispatches
        .values()
        .filter(|sent| sent.state == DispatchState::Withdrawn);
    assert_eq!(
        withdrawn.count(),
        2,
        "the document, and the recall of what nobody had seen"
    );
    province.end().await;
}

/// The inbox queue of the agency that is away, asked by the operator.
struct Inbox {
    queue: String,
    channel: Channel,
    _connection: lapin::Connection,
}

impl Inbox {
    async fn of(province: &Province) -> Inbox {
        let admin = province.broker().admin();
        let uri = province
            .broker()
            .amqp_uri(&admin.user, &admin.password, province.vhost());
        let connection = lapin::Connection::connect(&uri, lapin::ConnectionProperties::default()).await;
        let connection = connection.expect("the operator may log in");
        Inbox {
            queue: format!("inbox.{}", province.agency(AWAY).account()),
            channel: connection.create_channel().await.expect("a channel"),
            _connection: connection,
        }
    }

    /// How many messages lie in it: exact, where the management interface is seconds behind.
    async fn depth(&self) -> u32 {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = self
            .channel
            .queue_declare(self.queue.as_str().into(), passive, FieldTable::default());
        queue.await.expect("the inbox is there").message_count()
    }
}
