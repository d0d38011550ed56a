//! The gateway dies by `kill -9`, again and again, under load.
//!
//! It is killed when its journal has grown by a random number of bytes; a proxy before the broker and connectors that
//! take their time widen the boundaries that chance hits too seldom. Where documents stood is told afterwards, from
//! the journal and the connectors' folders, and each boundary must have caught enough of them.

use std::time::Duration;

use domain::dispatch::{DispatchKind, DispatchState};
use harness::{
    chance::Chance,
    province::{Plan, Province},
    proxy::{Direction, Proxy},
    wait_until,
};

use super::{PATIENCE, Stream, place, stream::open_with, tell};

/// Letters in all.
const LETTERS: usize = 2_100;
/// Letters given to the connectors before each death.
const LETTERS_A_ROUND: usize = 100;
/// What the events of one letter take in the journal, about.
const LETTER_EVENTS_BYTES: u64 = 6_000;
/// The least number of documents that must have stood at each boundary when the process died, over all deaths.
const CAUGHT_MIN: usize = 40;
/// Chance may need more deaths than the letters ask for, but not more than this.
const DEATHS_MAX: usize = 30;

/// How long a process lives, at most, when everything comes to it at once.
const RUSH_MS_MAX: u64 = 20;

/// No connector sends anything again: that could hide a loss.
const NEVER: Duration = Duration::from_secs(86_400);
/// Connectors confirm handovers so late that many are open whenever the gateway dies.
const HANDOVERS_GATHER: Duration = Duration::from_millis(150);

/// Where documents stood when the process died.
#[derive(Debug, Default)]
struct Caught {
    /// The broker had confirmed them, the journal did not know them.
    before_record: usize,
    /// Accepted, and at no addressee.
    after_record: usize,
    /// At the addressee, and by the journal not yet in its inbox.
    after_dispatch: usize,
    /// At the addressee and by the journal in its inbox, but not handed over.
    before_settle: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_at_every_boundary_under_load_loses_and_doubles_nothing() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(4)).await;
    let proxy = Proxy::start(province.broker().amqp_address());
    province.gateway.terminate().await;
    let uri = format!("\"amqp://{}\"", proxy.address());
    province.set("broker", "uri", uri);
    province.gateway.start();
    open_with(&mut province, |settings| {
        settings.limits.confirm_delay = HANDOVERS_GATHER;
        settings.limits.answer_timeout = NEVER;
    })
    .await;
    let mut stream = Stream::new(&province);
    let mut chance = Chance::seeded();
    tell(&format!("chance is seeded with {}", chance.seed()));
    let (mut caught, mut deaths) = (Caught::default(), 0);
    while stream.sent() < LETTERS || (caught.least() < CAUGHT_MIN && deaths < DEATHS_MAX) {
        let end = End::of_life(deaths);
        if matches!(end, End::Rushed) {
            province.gateway.ready().await;
            proxy.silence(Direction::ToClient);
        }
        stream.send(&province, LETTERS_A_ROUND).await;
        if !matches!(end, End::Young) {
            province.gateway.ready().await;
        }
        end.comes(&mut province, &proxy, &mut chance).await;
        deaths += 1;
        rest(&province).await;
        caught.add(&province);
        province.gateway.start();
    }
    province.gateway.ready().await;
    let audit = stream.prove(&province).await;
    tell(&format!(
        "{deaths} deaths, {} letters, {caught:?}, {:?}",
        stream.sent(),
        audit.balance
    ));
    let connectors = province
        .agencies()
        .iter()
        .map(|agency| agency.connector().counters());
    let resubmitted: u64 = connectors.map(|counters| counters.resubmitted).sum();
    assert_eq!(resubmitted, 0, "the broker brought everything again by itself");
    assert!(
        caught.least() >= CAUGHT_MIN,
        "a boundary was hardly met: {caught:?}"
    );
    assert!(
        deaths >= 20 && audit.packets >= 2_000,
        "{deaths} deaths, {audit:?}"
    );
    province.end().await;
}

/// How a life of the gateway ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At any moment.
    Sudden,
    /// Perhaps before it was ready, while it takes up what the one before left.
    Young,
    /// After a while in which nothing reached the broker: what is recorded stays.
    Dumb,
    /// After a while in which nothing came back from the broker: what is dispatched is not known to be.
    Deaf,
    /// A moment after all that was sent comes at once: what is received is not recorded.
    Rushed,
}

impl End {
    fn of_life(number: usize) -> End {
        let cycle = [
            End::Sudden,
            End::Deaf,
            End::Dumb,
            End::Young,
            End::Deaf,
            End::Rushed,
        ];
        cycle[number % cycle.len()]
    }

    /// Lets the process live until its journal has grown by chance, and kills it.
    async fn comes(self, province: &mut Province, proxy: &Proxy, chance: &mut Chance) {
        self.draws_near(province, proxy, chance).await;
        province.gateway.kill();
        proxy.cut();
        proxy.restore();
    }

    async fn draws_near(self, province: &Province, proxy: &Proxy, chance: &mut Chance) {
        if matches!(self, End::Rushed) {
            wait_until("all letters are at the broker", PATIENCE, async || {
                outstanding(province) == 0
            })
            .await;
            proxy.restore();
            tokio::time::sleep(Duration::from_millis(chance.below(RUSH_MS_MAX))).await;
            return;
        }
        let all = LETTERS_A_ROUND as u64 * LETTER_EVENTS_BYTES;
        // What comes to addressees unheard must still be under way when nothing comes back any more.
        let growth = chance.below(if matches!(self, End::Deaf) { all / 2 } else { all });
        // It does not grow by so much when little is left to do: then it dies at rest.
        grow(province, growth, Duration::from_secs(3)).await;
        match self {
            End::Sudden | End::Young | End::Rushed => {}
            End::Dumb => {
                proxy.silence(Direction::ToService);
                grow(province, 10 * LETTER_EVENTS_BYTES, Duration::from_millis(500)).await;
            }
            End::Deaf => {
                let before = stored(province);
                proxy.delay(Direction::ToClient, Duration::from_secs(30));
                let more = wait_until("more is stored", PATIENCE, async || {
                    stored(province) > before + 30
                });
                let _ = tokio::time::timeout(Duration::from_millis(500), more).await;
            }
        }
    }
}

/// Waits until the journal has grown by so many bytes, but not longer than this.
async fn grow(province: &Province, bytes: u64, longest: Duration) {
    let goal = journal_bytes(province) + bytes;
    let growing = wait_until("the journal has grown", PATIENCE, async || {
        journal_bytes(province) >= goal
    });
    let _ = tokio::time::timeout(longest, growing).await;
}

/// Dispatches that connectors have stored.
fn stored(province: &Province) -> u64 {
    let agencies = province.agencies().iter();
    agencies.map(|agency| agency.connector().counters().stored).sum()
}

/// Letters that connectors have taken and the broker has not confirmed.
fn outstanding(province: &Province) -> u64 {
    let counters = province
        .agencies()
        .iter()
        .map(|agency| agency.connector().counters());
    counters
        .map(|counters| counters.submitted.saturating_sub(counters.published))
        .sum()
}

/// Waits until connectors have stored whatever the broker still has for them.
async fn rest(province: &Province) {
    let (mut before, mut looks) = (stored(province), 0);
    wait_until("nothing more arrives", PATIENCE, async || {
        let now = stored(province);
        looks = if now == before { looks + 1 } else { 0 };
        before = now;
        looks == 15
    })
    .await;
    province.collect().await;
}

impl Caught {
    /// Documents at the boundary that caught the fewest.
    fn least(&self) -> usize {
        let each = [
            self.before_record,
            self.after_record,
            self.after_dispatch,
            self.before_settle,
        ];
        each.into_iter().min().expect("four of them")
    }

    /// Adds what the dead process left.
    fn add(&mut self, province: &Province) {
        let books = province.books();
        let published: u64 = province
            .agencies()
            .iter()
            .map(|agency| agency.connector().counters().published)
            .sum();
        self.before_record += usize::try_from(published)
            .expect("few")
            .saturating_sub(books.submissions.len());
        let stored = province.ledger.dispatches();
        for sent in books
            .dispatches
            .values()
            .filter(|sent| sent.dispatch.kind == DispatchKind::Packet)
        {
            let is_there = stored.contains(&sent.dispatch.id);
            match (sent.state, is_there) {
                (DispatchState::Due, false) => self.after_record += 1,
                (DispatchState::Due, true) => self.after_dispatch += 1,
                (DispatchState::Consigned, true) => self.before_settle += 1,
                (DispatchState::Consigned, false)
                | (DispatchState::HandedOver | DispatchState::Failed | DispatchState::Withdrawn, _) => {}
            }
        }
    }
}

fn journal_bytes(province: &Province) -> u64 {
    let folder = province.gateway.data().join("journal");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum()
}
