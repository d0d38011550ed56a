//! Clocks that jump, lie behind the journal, or lay ahead when events were dated.

use super::*;
use crate::administration::{Administration, AdministrationFault, Mode, NotProvisioned, Order, ParkingFault};
use crate::app::open_store;
use crate::clock::Unsteady;
use crate::stages::inspect::park;

const DAY: i64 = 86_400;

fn desk(bench: &Bench) -> Administration {
    let (journal, clock) = (Arc::clone(&bench.road.journal), bench.road.clock.clone());
    Administration::new(journal, Arc::new(NotProvisioned), clock)
}

fn suspension() -> Order {
    Order::Suspend {
        agency: "a1".to_owned(),
    }
}

#[test]
fn nothing_is_judged_or_recorded_while_the_clock_is_not_steady() {
    let bench = Bench::new();
    let body = letter(1, &[2]).write().expect("a packet");
    let (job, commit) = (
        bench.job("s1", 1, &body),
        bench.judged(&bench.job("s1", 1, &body)),
    );
    bench.road.clock.jump(60);
    assert!(matches!(
        inspect(&bench.road, &job),
        Verdict::NotNow(StoreFault::NotNow(_))
    ));
    assert!(matches!(bench.append(commit.clone()), Err(StoreFault::NotNow(_))));
    bench.road.clock.accept();
    bench.record(commit);
}

/// A bench whose newest event was dated a day ahead.
fn dated_ahead() -> Bench {
    let bench = Bench::new();
    bench.ahead.store(DAY, Ordering::Relaxed);
    bench.add(5);
    bench.ahead.store(0, Ordering::Relaxed);
    assert!(bench.road.clock.now() < bench.store.newest().expect("an event"));
    bench
}

#[test]
fn a_suspension_counts_at_once_although_events_lie_ahead() {
    let bench = dated_ahead();
    let body = |to| letter(1, &[to]).write().expect("a packet");
    assert!(matches!(
        bench.take(&bench.job("before", 1, &body(2))),
        Happening::Accepted(_)
    ));
    let order = suspension();
    let suspended = bench.runtime.block_on(desk(&bench).carry_out(&order, Mode::Make));
    suspended.expect("suspended");
    let Happening::Refused(refused) = bench.take(&bench.job("after", 1, &body(3))) else {
        panic!("not refused")
    };
    assert_eq!(refused.reasons.len(), 1, "{:?}", refused.reasons);
}

#[test]
fn an_unpinning_counts_at_once_although_events_lie_ahead() {
    let bench = dated_ahead();
    let (id, fingerprint) = (AgencyId::from_number(1), Digest::of(b"certificate"));
    let pinned = |sent_at| {
        let directory = bench.store.directory();
        directory
            .pinned(id, &fingerprint, sent_at, bench.road.now())
            .is_some()
    };
    bench.change(DirectoryChange::CertificatePinned {
        id,
        certificate: domain::agency::PinnedCertificate {
            fingerprint,
            signatory: domain::agency::Signatory::Person,
        },
    });
    let sent_at = bench.road.now();
    assert!(pinned(sent_at), "a pinning counts at once, too");
    bench.change(DirectoryChange::CertificateEnded { id, fingerprint });
    assert!(!pinned(sent_at));
}

#[test]
fn what_waited_when_events_lay_ahead_is_not_lost_by_a_suspension() {
    let bench = dated_ahead();
    let job = bench.held(&letter(1, &[2]));
    bench.change(DirectoryChange::Suspended {
        id: AgencyId::from_number(1),
    });
    assert!(matches!(bench.take(&job), Happening::Accepted(_)));
}

#[test]
fn the_desk_writes_nothing_while_the_clock_is_not_steady() {
    let bench = Bench::new();
    let body = letter(1, &[2]).write().expect("a packet");
    let job = bench.job("s1", 1, &body);
    let Verdict::Record(parked) = park(&bench.road, &job, Rank::Normal, "crashed-three-times") else {
        panic!("not parked")
    };
    bench.record(*parked);
    let (desk, order) = (desk(&bench), suspension());
    let written = bench.store.checkpoint().size;
    bench.road.clock.jump(365 * DAY);
    let made = bench.runtime.block_on(desk.carry_out(&order, Mode::Make));
    assert!(
        matches!(made, Err(AdministrationFault::Clock(Unsteady::Jumped { .. }))),
        "{made:?}"
    );
    let refused = bench.runtime.block_on(desk.refuse_parked(job.case));
    assert!(
        matches!(refused, Err(ParkingFault::Clock(Unsteady::Jumped { .. }))),
        "{refused:?}"
    );
    let planned = bench.runtime.block_on(desk.carry_out(&order, Mode::DryRun));
    assert_eq!(planned.expect("a plan").changes.len(), 1);
    assert_eq!(bench.store.checkpoint().size, written);
    bench.road.clock.accept();
    let made = bench.runtime.block_on(desk.carry_out(&order, Mode::Make));
    assert!(made.is_ok(), "{made:?}");
    let refused = bench.runtime.block_on(desk.refuse_parked(job.case));
    assert!(refused.is_ok(), "{refused:?}");
}

#[tokio::test]
async fn a_start_behind_the_journal_is_not_steady_until_a_person_accepts_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = StoreConfig::at(folder.path());
    let clock = Clock::start(Duration::from_secs(30));
    let store = open_store(settings.clone(), &clock).await.expect("a store");
    assert_eq!(clock.steady(), Ok(()), "nothing is newer than an empty journal");
    store.close();
    drop(store);
    let ahead = clock.clone();
    let store = Store::open(&settings, move || ahead.now().plus_seconds(DAY)).expect("a store");
    let lost = Happening::BrokerLost {
        epoch: "e".to_owned(),
    };
    store.append(Commit::of(lost)).await.expect("recorded");
    store.close();
    drop(store);
    let store = open_store(settings, &clock).await.expect("a store");
    assert!(
        matches!(clock.steady(), Err(Unsteady::Behind { .. })),
        "{:?}",
        clock.steady()
    );
    let desk = Administration::new(Arc::new(store.clone()), Arc::new(NotProvisioned), clock.clone());
    let order = Order::Import {
        csv: crate::administration::CsvFile::of("code,name\n000.00.01.H53,One\n".to_owned()),
    };
    let made = desk.carry_out(&order, Mode::Make).await;
    assert!(
        matches!(made, Err(AdministrationFault::Clock(Unsteady::Behind { .. }))),
        "{made:?}"
    );
    clock.accept();
    let made = desk.carry_out(&order, Mode::Make).await;
    assert!(made.is_ok(), "{made:?}");
    desk.carry_out(&suspension(), Mode::Make)
        .await
        .expect("suspended");
    let standing = store
        .directory()
        .standing(AgencyId::from_number(1), clock.now_from(store.newest()));
    assert_eq!(standing, Some(domain::agency::Standing::Suspended));
}
