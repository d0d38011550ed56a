//! Behaviour of the directory, and its invariants over random lives.

mod succession;

use proptest::prelude::*;

use super::samples::{account, added, code, directory, id, life, opened, pinned, settled, time};
use super::*;

/// Far after every change of a test.
const LATER: i64 = 1_000_000;

#[test]
fn a_code_given_anew_means_whoever_had_it_at_that_time() {
    let directory = directory(&[
        added(1, &["000.00.00.H53"], None),
        added(2, &[], None),
        DirectoryChange::Merged {
            from: vec![id(1)],
            into: id(2),
        },
        DirectoryChange::Recoded {
            id: id(2),
            added: vec![code("000.00.00.H53")],
            ended: vec![],
        },
    ]);
    let owner = |at| directory.by_code(&code("000.00.00.H53"), time(at));
    assert_eq!(
        [0, 1, 3, 4].map(owner),
        [None, Some(id(1)), Some(id(1)), Some(id(2))]
    );
    assert_eq!(
        directory.heir(id(1), time(2)),
        Some(id(1)),
        "before the merger it is its own"
    );
    assert_eq!(directory.heir(id(1), time(3)), Some(id(2)));
}

#[test]
fn the_code_of_a_living_agency_is_not_given_to_another() {
    let directory = directory(&[added(1, &["H53"], None), added(2, &[], None)]);
    let recoded = DirectoryChange::Recoded {
        id: id(2),
        added: vec![code("H53")],
        ended: vec![],
    };
    let taken = DirectoryFault::CodeTaken {
        code: code("H53"),
        owner: id(1),
    };
    assert_eq!(directory.apply(&recoded, time(9)), Err(taken.clone()));
    assert_eq!(directory.apply(&added(3, &["H53"], None), time(9)), Err(taken));
    let not_held = DirectoryChange::Recoded {
        id: id(2),
        added: vec![],
        ended: vec![code("H53")],
    };
    let fault = DirectoryFault::CodeNotHeld {
        code: code("H53"),
        agency: id(2),
    };
    assert_eq!(directory.apply(&not_held, time(9)), Err(fault));
}

#[test]
fn circles_are_refused() {
    let directory = directory(&[
        added(1, &[], None),
        added(2, &[], Some(1)),
        added(3, &[], Some(2)),
    ]);
    for relation in [Relation::Parent, Relation::Place, Relation::Watcher] {
        let change = DirectoryChange::related(relation, id(1), Some(id(1)));
        let fault = DirectoryFault::Cycle {
            relation,
            agency: id(1),
            to: id(1),
        };
        assert_eq!(directory.apply(&change, time(9)), Err(fault));
    }
    let change = DirectoryChange::ParentSet {
        id: id(1),
        parent: Some(id(3)),
    };
    let fault = DirectoryFault::Cycle {
        relation: Relation::Parent,
        agency: id(1),
        to: id(3),
    };
    assert_eq!(directory.apply(&change, time(9)), Err(fault));
    let merged = DirectoryChange::Merged {
        from: vec![id(1), id(2)],
        into: id(2),
    };
    assert_eq!(
        directory.apply(&merged, time(9)),
        Err(DirectoryFault::SuccessorOfItself { agency: id(2) })
    );
}

#[test]
fn a_central_body_sits_in_a_province_without_belonging_to_it() {
    let directory = directory(&[
        added(1, &["000.00.00.H53"], None),
        added(2, &["000.00.00.G24"], None),
        added(3, &["000.00.80.G24"], Some(2)),
        DirectoryChange::PlaceSet {
            id: id(3),
            place: Some(id(1)),
        },
    ]);
    assert_eq!(directory.subtree(id(1)), [id(1)]);
    assert_eq!(directory.subtree(id(2)), [id(2), id(3)]);
    assert_eq!(
        directory.agency(id(3)).expect("added").places.current(),
        Some(&id(1))
    );
}

#[test]
fn an_agency_is_suspended_and_resumed_once() {
    let suspend = DirectoryChange::Suspended { id: id(1) };
    let directory = directory(&[added(1, &[], None), suspend.clone()]);
    let wrong = DirectoryFault::StandingWrong {
        agency: id(1),
        standing: Standing::Suspended,
    };
    assert_eq!(directory.apply(&suspend, time(3)), Err(wrong));
    let resumed = directory
        .apply(&DirectoryChange::Resumed { id: id(1) }, time(3))
        .expect("suspended before");
    let standing = |at| resumed.standing(id(1), time(at));
    assert_eq!(
        [0, 1, 2, 3].map(standing),
        [
            None,
            Some(Standing::Active),
            Some(Standing::Suspended),
            Some(Standing::Active)
        ]
    );
}

#[test]
fn an_account_is_never_anothers_again() {
    let close = DirectoryChange::AccountClosed {
        id: id(1),
        account: account("a1-1"),
    };
    let directory = directory(&[added(1, &[], None), added(2, &[], None), opened(1), close.clone()]);
    let answers = crate::agency::Answers::ReceiptsAndStatus;
    let open = DirectoryChange::AccountOpened {
        id: id(2),
        account: account("a1-1"),
        answers,
    };
    let taken = DirectoryFault::AccountTaken {
        account: account("a1-1"),
        owner: id(1),
    };
    assert_eq!(directory.apply(&open, time(9)), Err(taken));
    assert!(matches!(
        directory.apply(&close, time(9)),
        Err(DirectoryFault::AccountNotOpen { .. })
    ));
    assert_eq!(
        directory.agency(id(1)).expect("added").next_account(),
        account("a1-2")
    );
}

#[test]
fn changes_come_in_the_order_of_time_and_ids() {
    let directory = directory(&[added(1, &[], None)]);
    let early = DirectoryFault::TooEarly {
        at: time(0),
        latest: time(1),
    };
    assert_eq!(directory.apply(&added(2, &[], None), time(0)), Err(early));
    let next = DirectoryFault::NotNext {
        agency: id(3),
        next: id(2),
    };
    assert_eq!(directory.apply(&added(3, &[], None), time(1)), Err(next));
    assert_eq!(
        directory.apply(&added(1, &[], None), time(1)),
        Err(DirectoryFault::Known { agency: id(1) })
    );
}

#[test]
fn several_changes_happen_together_or_not_at_all() {
    let before = Directory::new();
    let changes = [added(1, &[], None), added(1, &[], None)];
    assert_eq!(
        before.apply_all(&changes, time(1)),
        Err(DirectoryFault::Known { agency: id(1) })
    );
    assert_eq!((before.version(), before.agencies().len()), (0, 0));
}

/// What must be true of every directory, whatever happened to it; worked out anew from the agencies.
fn assert_sound(directory: &Directory, now: Time) {
    let agencies: Vec<Agency> = directory.agencies().cloned().collect();
    let mut again = State::default();
    for agency in agencies.iter().cloned() {
        again.put(agency).expect("no code and no account of two");
    }
    assert_eq!(again.owners, directory.0.owners);
    assert_eq!(again.accounts, directory.0.accounts);
    assert_eq!(again.predecessors, directory.0.predecessors);
    for agency in &agencies {
        for relation in Relation::ALL {
            let mut above = agency.relation(relation).current();
            let mut steps = 0;
            while let Some(next) = above.filter(|_| relation != Relation::Watcher) {
                steps += 1;
                assert!(steps <= agencies.len(), "a circle of {}", relation.word());
                above = directory
                    .agency(*next)
                    .expect("known")
                    .relation(relation)
                    .current();
            }
        }
        let heir = directory
            .heir(agency.id, now)
            .map(|heir| directory.agency(heir).expect("known"));
        assert!(
            heir.is_none_or(|heir| heir.succession.is_none()),
            "an heir has not ended"
        );
        assert!(heir.is_none_or(|heir| directory.may_act_for(heir.id, agency.id, now)));
        assert_eq!(agency.succession.is_some(), agency.standing() == Standing::Closed);
        for own in &agency.codes {
            assert_eq!(directory.by_code(&own.value, own.from), Some(agency.id));
            let open = |other: &&Agency| other.codes_current().any(|code| *code == own.value);
            assert!(
                agencies.iter().filter(open).count() <= 1,
                "{} has two owners",
                own.value
            );
        }
    }
}

proptest! {
    #[test]
    fn no_life_breaks_the_invariants(life in life()) {
        let mut directory = Directory::new();
        let mut now = 0;
        for (change, pause) in &life {
            now += pause;
            let change = settled(change, &directory);
            let Ok(next) = directory.apply(&change, time(now)) else { continue };
            prop_assert_eq!(next.version(), directory.version() + 1);
            prop_assert!(next.0.agencies != directory.0.agencies, "a change changes something");
            directory = next;
            assert_sound(&directory, time(now));
        }
    }

    #[test]
    fn changes_out_of_nowhere_never_panic(life in life()) {
        let mut directory = Directory::new();
        for (change, at) in &life {
            if let Ok(next) = directory.apply(change, time(*at)) {
                directory = next;
            }
        }
        assert_sound(&directory, time(LATER));
    }
}
