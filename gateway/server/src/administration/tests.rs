//! Orders against a real store, with a broker that only takes notes.

use std::sync::Mutex;
use std::time::Duration;

use domain::agency::Standing;
use trust::Digest;

use super::*;
use crate::store::{Store, StoreConfig};

const OWN_CODE: &str = "H53.LT";

/// Takes notes of what it was to do; fails on the accounts that it was told to fail on.
#[derive(Default)]
struct Notes {
    steps: Mutex<Vec<String>>,
    failing: Option<&'static str>,
    has_no_shared: bool,
}

impl Provision for Notes {
    fn make_shared(&self) -> domain::port::Soon<'_, Result<(), ProvisionFault>> {
        let away = || Err(ProvisionFault::Failed("away".to_owned()));
        Box::pin(std::future::ready(if self.has_no_shared {
            away()
        } else {
            Ok(())
        }))
    }

    fn carry_out<'a>(
        &'a self,
        steps: &'a [(AccountId, AccountStep)],
    ) -> domain::port::Soon<'a, Vec<Result<(), ProvisionFault>>> {
        Box::pin(async {
            steps
                .iter()
                .map(|(account, step)| self.note(account, step))
                .collect()
        })
    }
}

impl Notes {
    fn note(&self, account: &AccountId, step: &AccountStep) -> Result<(), ProvisionFault> {
        let password = step
            .password
            .as_ref()
            .map(|password| format!(" with {} characters", password.expose().len()));
        let word = step.standing.word().to_owned() + &password.unwrap_or_default();
        if self.failing == Some(account.as_str()) {
            return Err(ProvisionFault::Failed("away".to_owned()));
        }
        self.steps
            .lock()
            .expect("nobody panicked")
            .push(format!("{account}: {word}"));
        Ok(())
    }
}

struct Office {
    desk: Administration,
    notes: Arc<Notes>,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Office {
    fn open() -> Office {
        Office::with(Notes::default())
    }

    fn with(notes: Notes) -> Office {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::start(Duration::from_secs(30));
        let time = clock.clone();
        let store = Store::open(&StoreConfig::at(folder.path()), move || time.now()).expect("a store");
        let notes = Arc::new(notes);
        let desk = Administration::new(
            Arc::new(store.clone()),
            Arc::clone(&notes) as Arc<dyn Provision>,
            clock,
        )
        .of_gateway(Code::parse(OWN_CODE).expect("a code"));
        Office {
            desk,
            notes,
            store,
            _folder: folder,
        }
    }

    async fn make(&self, order: Order) -> Report {
        self.desk
            .carry_out(&order, Mode::Make)
            .await
            .expect("an order that can be carried out")
    }

    async fn add(&self, name: &str, code: &str) -> Report {
        self.make(addition(name, code)).await
    }

    fn steps(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.steps.lock().expect("nobody panicked"))
    }
}

fn addition(name: &str, code: &str) -> Order {
    Order::Add {
        name: name.to_owned(),
        codes: vec![code.to_owned()],
        parent: None,
        place: None,
        watcher: None,
        level: String::new(),
        answers: Some("receipts".to_owned()),
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn adding_an_agency_opens_its_account_with_a_password_of_its_own() {
    let office = Office::open();
    let (one, two) = (
        office.add("One", "000.00.01.H53").await,
        office.add("Two", "000.00.02.H53").await,
    );
    assert_eq!(
        office.steps(),
        [
            "a1-1: active with 32 characters",
            "a2-1: active with 32 characters"
        ]
    );
    assert_ne!(one.opened[0].password.expose(), two.opened[0].password.expose());
    let directory = office.desk.directory();
    assert_eq!(directory.agencies().len(), 2);
    assert!(directory.account(&one.opened[0].account).is_some());
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    office.add("Two", "000.00.02.H53").await;
    office.steps();
    let before = office.desk.directory();
    let merge = Order::Merge {
        from: vec![text("000.00.01.H53")],
        into: text("a2"),
    };
    let report = office.desk.carry_out(&merge, Mode::DryRun).await.expect("a plan");
    assert_eq!(report.plan.ended.len(), 1);
    assert_eq!(
        report.plan.ended[0].inbox_account.as_ref().map(AccountId::as_str),
        Some("a2-1")
    );
    assert_eq!(office.desk.directory(), before);
    assert!(office.steps().is_empty());
}

#[tokio::test]
async fn merging_closes_the_accounts_of_those_that_end() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    office.add("Two", "000.00.02.H53").await;
    office
        .make(Order::OpenAccounts {
            agencies: vec![text("a1")],
            answers: text("receipts-and-status"),
        })
        .await;
    office.steps();
    office
        .make(Order::Merge {
            from: vec![text("a1")],
            into: text("a2"),
        })
        .await;
    assert_eq!(office.steps(), ["a1-1: closed", "a1-2: closed"]);
    let directory = office.desk.directory();
    assert_eq!(
        directory.agencies().next().expect("a1").standing(),
        Standing::Closed
    );
}

#[tokio::test]
async fn suspending_locks_out_and_resuming_lets_in_again() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    office
        .make(Order::Suspend {
            agency: text("000.00.01.H53"),
        })
        .await;
    office.make(Order::Resume { agency: text("a1") }).await;
    office
        .make(Order::RenewPassword {
            account: text("a1-1"),
        })
        .await;
    office
        .make(Order::CloseAccount {
            account: text("a1-1"),
        })
        .await;
    assert_eq!(
        office.steps()[1..],
        [
            "a1-1: suspended",
            "a1-1: active",
            "a1-1: active with 32 characters",
            "a1-1: closed"
        ]
    );
    let closed = office
        .desk
        .carry_out(
            &Order::RenewPassword {
                account: text("a1-1"),
            },
            Mode::Make,
        )
        .await;
    assert!(
        matches!(
            closed,
            Err(AdministrationFault::Order(OrderFault::AccountUnknown(_)))
        ),
        "{closed:?}"
    );
}

#[tokio::test]
async fn nothing_lets_a_suspended_agency_in_but_its_resumption() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    office.make(Order::Suspend { agency: text("a1") }).await;
    office.steps();
    office
        .make(Order::RenewPassword {
            account: text("a1-1"),
        })
        .await;
    office
        .make(Order::OpenAccounts {
            agencies: vec![text("a1")],
            answers: text("receipts"),
        })
        .await;
    office.desk.provision_again().await.expect("carried out");
    assert_eq!(
        office.steps(),
        [
            "a1-1: suspended with 32 characters",
            "a1-2: suspended with 32 characters",
            "a1-1: suspended",
            "a1-2: suspended"
        ]
    );
    office.make(Order::Resume { agency: text("a1") }).await;
    assert_eq!(office.steps(), ["a1-1: active", "a1-2: active"]);
    let stranger = AccountId::parse("a9-1").expect("an account id");
    let now = office.desk.clock.now();
    assert_eq!(
        account_standing(&office.desk.directory(), &stranger, now),
        Standing::Closed
    );
}

#[tokio::test]
async fn a_broker_that_is_away_does_not_undo_a_decision() {
    let office = Office::with(Notes {
        failing: Some("a1-1"),
        ..Notes::default()
    });
    let report = office.add("One", "000.00.01.H53").await;
    assert_eq!(report.unprovisioned[0].0.as_str(), "a1-1");
    assert_eq!(office.desk.directory().agencies().len(), 1);
    let again = office.desk.provision_again().await.expect("attempted");
    assert!(again[0].1.is_err(), "{again:?}");
}

#[tokio::test]
async fn what_all_accounts_share_and_is_not_made_is_told_also_where_there_are_no_accounts() {
    let office = Office::with(Notes {
        has_no_shared: true,
        ..Notes::default()
    });
    let again = office.desk.provision_again().await;
    assert!(matches!(again, Err(AdministrationFault::Shared(_))), "{again:?}");
    office.add("One", "000.00.01.H53").await;
    let before = office.steps();
    assert!(office.desk.provision_again().await.is_err());
    assert_eq!(
        (before.len(), office.steps()),
        (1, vec![]),
        "no account was attempted"
    );
}

#[tokio::test]
async fn an_import_keeps_good_rows_reports_bad_ones_and_is_idempotent() {
    let office = Office::open();
    let rows: String = (1..=250)
        .map(|row| format!("000.{:02}.{:02}.H53,Agency {row}\n", row % 100, row / 100 + 1))
        .collect();
    let csv = format!("code,name\n{rows}wrong code,\n");
    let report = office
        .make(Order::Import {
            csv: CsvFile::of(csv.clone()),
        })
        .await;
    let import = report.import.expect("an import");
    assert_eq!((import.rows_read, import.rows_bad.len()), (251, 1));
    assert_eq!(
        office.desk.directory().agencies().len(),
        250,
        "more than one commit"
    );
    let again = office
        .make(Order::Import {
            csv: CsvFile::of(csv),
        })
        .await;
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

#[tokio::test]
async fn orders_that_name_nobody_or_nothing_are_refused() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    let certificate = Digest::of(b"certificate").to_string();
    let pin = |certificate: &str, signatory: &str| Order::Pin {
        agency: text("a1"),
        certificate: text(certificate),
        signatory: text(signatory),
    };
    for order in [
        Order::Suspend { agency: text("a9") },
        Order::Suspend {
            agency: text("000.00.09.H53"),
        },
        pin("abc", "person"),
        pin(&certificate, "robot"),
        addition("Twin", "000.00.01.H53"),
    ] {
        let refused = office.desk.carry_out(&order, Mode::Make).await;
        assert!(refused.is_err(), "{order:?}");
    }
    office.make(pin(&certificate, "organisation")).await;
    office
        .make(Order::Unpin {
            agency: text("a1"),
            certificate,
        })
        .await;
    assert_eq!(
        office.store.figures().events,
        4,
        "added, account, pinned, unpinned"
    );
}

#[tokio::test]
async fn no_agency_is_given_the_code_of_the_gateway() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    let before = office.desk.directory();
    let recoded = Order::Recode {
        agency: text("a1"),
        added: vec![text("000.00.09.H53"), text(OWN_CODE)],
        ended: Vec::new(),
    };
    let listed = |csv: String| Order::Import {
        csv: CsvFile::of(csv),
    };
    let first = listed(format!("code,name\n{OWN_CODE},Tỉnh\n000.00.02.H53,Sở\n"));
    let second = listed(format!(
        "code,name,code_qd20\n000.00.02.H53,Sở,\n000.00.01.H53,One,{OWN_CODE}\n"
    ));
    for order in [addition("Tỉnh", OWN_CODE), recoded, first, second] {
        for mode in [Mode::DryRun, Mode::Make] {
            let refused = office.desk.carry_out(&order, mode).await;
            let Err(AdministrationFault::Order(OrderFault::CodeOfGateway(code))) = refused else {
                panic!("{order:?} {mode:?}: {refused:?}")
            };
            assert_eq!(code.as_str(), OWN_CODE);
        }
    }
    assert_eq!(office.desk.directory(), before);
    office.add("Two", "000.00.02.H53").await;
    office
        .make(Order::Relate {
            agency: text("a2"),
            relation: text("parent"),
            to: Some(text("000.00.01.H53")),
        })
        .await;
}

#[tokio::test]
async fn the_road_is_told_of_each_change() {
    let told = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    let Office { desk, _folder, .. } = Office::open();
    let desk = desk.telling(move |recorded| {
        counted.fetch_add(recorded.len(), std::sync::atomic::Ordering::Relaxed);
    });
    desk.carry_out(&addition("One", "000.00.01.H53"), Mode::Make)
        .await
        .expect("added");
    assert_eq!(
        told.load(std::sync::atomic::Ordering::Relaxed),
        2,
        "the agency and its account"
    );
}

#[tokio::test]
async fn a_list_with_a_byte_that_is_no_text_loses_that_row_only() {
    let office = Office::open();
    let mut rows = b"\xEF\xBB\xBFcode,name\n000.00.01.H53,S\xE1\n".to_vec();
    rows.extend("000.00.02.H53,Sở Nội vụ\n".as_bytes());
    let order = Order::Import {
        csv: CsvFile::of(rows),
    };
    let wire = serde_json::to_value(&order).expect("JSON");
    assert!(wire["csv"]["base64"].is_string(), "{wire}");
    let order: Order = serde_json::from_value(wire).expect("an order");
    let report = office.make(order).await;
    let import = report.import.expect("rows");
    let bad: Vec<u64> = import.rows_bad.iter().map(|bad| bad.line).collect();
    assert_eq!(bad, [2]);
    let names: Vec<_> = office
        .desk
        .directory()
        .agencies()
        .map(|one| one.name().to_owned())
        .collect();
    assert_eq!(names, ["Sở Nội vụ"]);
}

#[tokio::test]
async fn accounts_of_many_agencies_are_opened_by_one_order_or_none() {
    let office = Office::open();
    office.add("One", "000.00.01.H53").await;
    office.add("Two", "000.00.02.H53").await;
    office.steps();
    let order = |agencies: Vec<String>| Order::OpenAccounts {
        agencies,
        answers: text("receipts"),
    };
    let unknown = order(vec![text("a1"), text("a9")]);
    assert!(office.desk.carry_out(&unknown, Mode::Make).await.is_err());
    assert!(office.steps().is_empty(), "nothing was opened");
    office.make(order(vec![text("a1"), text("a2")])).await;
    let opened = [
        "a1-2: active with 32 characters",
        "a2-2: active with 32 characters",
    ];
    assert_eq!(office.steps(), opened);
}
