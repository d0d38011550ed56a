//! What a dry run says, and that it is what then happens.

use proptest::prelude::*;

use super::*;
use crate::directory::samples::{account, added, code, directory, id, life, opened, pinned, settled, time};

fn plan(before: &Directory, change: &DirectoryChange, in_flight: &[(u32, InFlight)]) -> Plan {
    let in_flight = in_flight
        .iter()
        .map(|(number, count)| (id(*number), *count))
        .collect();
    Plan::new(before, std::slice::from_ref(change), time(100), &in_flight).expect("a sound change")
}

#[test]
fn a_merger_moves_inbox_rights_children_and_watched() {
    let before = directory(&[
        added(1, &["H53"], None),
        added(2, &["H54"], None),
        added(3, &[], Some(1)),
        DirectoryChange::WatcherSet {
            id: id(3),
            watcher: Some(id(1)),
        },
        opened(1),
        pinned(1, b"seal"),
        opened(2),
    ]);
    let count = InFlight {
        incoming: 3,
        outgoing: 2,
        held: 1,
    };
    let merged = DirectoryChange::Merged {
        from: vec![id(1)],
        into: id(2),
    };
    let plan = plan(&before, &merged, &[(1, count)]);
    let inheritance = Inheritance {
        agency: id(1),
        inbox_to: Some(id(2)),
        inbox_account: Some(account("a2-1")),
        rights_to: vec![id(2)],
        in_flight: count,
        codes_kept: vec![code("H53")],
        accounts_closed: vec![account("a1-1")],
        certificates_ended: vec![Digest::of(b"seal")],
    };
    assert_eq!(plan.ended, [inheritance]);
    let moved = |relation| Move {
        relation,
        agency: id(3),
        from: Some(id(1)),
        to: Some(id(2)),
    };
    assert_eq!(plan.moved, [moved(Relation::Parent), moved(Relation::Watcher)]);
    assert!(plan.codes.is_empty() && plan.renamed.is_empty());
    assert_eq!(
        plan.warnings,
        [PlanWarning::HeirWithoutCertificate { heir: id(2) }]
    );
    assert_eq!(plan.concerned(), [id(1), id(2), id(3)]);
}

#[test]
fn closing_without_successor_warns_of_what_will_fail() {
    let before = directory(&[added(1, &[], None)]);
    let closed = DirectoryChange::Closed {
        id: id(1),
        successor: None,
    };
    let count = InFlight {
        incoming: 7,
        ..InFlight::default()
    };
    let warnings = plan(&before, &closed, &[(1, count)]).warnings;
    assert_eq!(
        warnings,
        [PlanWarning::WillFail {
            agency: id(1),
            incoming: 7
        }]
    );
    assert!(plan(&before, &closed, &[]).warnings.is_empty());
}

#[test]
fn a_split_gives_the_inbox_to_the_first_and_the_rights_to_all() {
    let before = directory(&[
        added(1, &[], None),
        added(2, &[], None),
        added(3, &[], None),
        DirectoryChange::Suspended { id: id(2) },
    ]);
    let split = DirectoryChange::Split {
        from: id(1),
        into: vec![id(2), id(3)],
    };
    let plan = plan(&before, &split, &[]);
    assert_eq!(
        (plan.ended[0].inbox_to, plan.ended[0].rights_to.as_slice()),
        (Some(id(2)), [id(2), id(3)].as_slice())
    );
    assert!(
        plan.warnings
            .contains(&PlanWarning::HeirSuspended { heir: id(2) })
    );
    assert!(
        plan.warnings
            .contains(&PlanWarning::HeirWithoutAccount { heir: id(2) })
    );
}

#[test]
fn a_merger_that_takes_over_the_code_is_planned_as_one() {
    let before = directory(&[added(1, &["H53"], None), added(2, &["H54"], None)]);
    let changes = [
        DirectoryChange::Merged {
            from: vec![id(1)],
            into: id(2),
        },
        DirectoryChange::Recoded {
            id: id(2),
            added: vec![code("H53")],
            ended: vec![code("H54")],
        },
        DirectoryChange::Renamed {
            id: id(2),
            name: "Both".to_owned(),
        },
    ];
    let plan = Plan::new(&before, &changes, time(100), &BTreeMap::new()).expect("sound changes");
    let taken = CodeMove {
        code: code("H53"),
        from: Some(id(1)),
        to: Some(id(2)),
    };
    let ended = CodeMove {
        code: code("H54"),
        from: Some(id(2)),
        to: None,
    };
    assert_eq!(plan.codes, [taken, ended]);
    let renamed = Renaming {
        agency: id(2),
        from: "Agency 2".to_owned(),
        to: "Both".to_owned(),
    };
    assert_eq!(plan.renamed, [renamed]);
}

#[test]
fn what_cannot_be_done_cannot_be_planned() {
    let before = directory(&[added(1, &[], None)]);
    let merged = DirectoryChange::Merged {
        from: vec![id(1)],
        into: id(2),
    };
    let plan = Plan::new(&before, &[merged], time(100), &BTreeMap::new());
    assert_eq!(plan, Err(DirectoryFault::Unknown { agency: id(2) }));
}

proptest! {
    #[test]
    fn a_plan_exists_when_and_only_when_the_change_can_be_made(life in life()) {
        let mut before = Directory::new();
        let mut now = 0;
        for (change, pause) in &life {
            now += pause;
            let change = settled(change, &before);
            let plan = Plan::new(&before, std::slice::from_ref(&change), time(now), &BTreeMap::new());
            let Ok(after) = before.apply(&change, time(now)) else {
                prop_assert!(plan.is_err());
                continue;
            };
            for moved in plan.expect("the change can be made").moved {
                let agency = after.agency(moved.agency).expect("known");
                prop_assert_eq!(agency.relation(moved.relation).current().copied(), moved.to);
            }
            before = after;
        }
    }
}
