//! Who comes after whom: inboxes, rights, seals and chains of command of agencies that ended.

use super::*;

#[test]
fn heirs_of_heirs_hold_the_inbox_and_all_parts_may_act() {
    let directory = directory(&[
        added(1, &[], None),
        added(2, &[], None),
        added(3, &[], None),
        added(4, &[], None),
        opened(3),
        DirectoryChange::Merged {
            from: vec![id(1)],
            into: id(2),
        },
        DirectoryChange::Split {
            from: id(2),
            into: vec![id(3), id(4)],
        },
    ]);
    let now = time(LATER);
    assert_eq!(directory.heir(id(1), now), Some(id(3)));
    assert_eq!(directory.inbox_account(id(1), now), Some(account("a3-1")));
    let may = |actor| directory.may_act_for(id(actor), id(1), now);
    assert_eq!([1, 2, 3, 4, 5].map(may), [true, true, true, true, false]);
    assert!(
        !directory.may_act_for(id(1), id(3), now),
        "rights go to successors, never back"
    );
    assert!(
        !directory.may_act_for(id(4), id(1), time(6)),
        "not before the split"
    );
    assert_eq!(directory.predecessors(id(4)), [id(2)]);
    assert_eq!(directory.inbox_lineage(id(3), now), [id(3), id(2), id(1)]);
    assert_eq!(
        directory.inbox_lineage(id(4), now),
        [id(4)],
        "the inbox is not divided"
    );
}

#[test]
fn an_agency_closed_without_successor_has_no_inbox() {
    let directory = directory(&[
        added(1, &["H53"], None),
        opened(1),
        DirectoryChange::Closed {
            id: id(1),
            successor: None,
        },
    ]);
    assert_eq!(directory.heir(id(1), time(2)), Some(id(1)));
    assert_eq!(directory.heir(id(1), time(3)), None);
    assert_eq!(directory.inbox_account(id(1), time(3)), None);
    assert_eq!(directory.standing(id(1), time(3)), Some(Standing::Closed));
    assert_eq!(
        directory.agency_of_account(&account("a1-1")),
        Some(id(1)),
        "what it sent before is still its own"
    );
    assert_eq!(
        directory
            .account(&account("a1-1"))
            .map(|account| account.is_open(time(3))),
        Some(false)
    );
    let again = DirectoryChange::Renamed {
        id: id(1),
        name: "Back".to_owned(),
    };
    assert_eq!(
        directory.apply(&again, time(4)),
        Err(DirectoryFault::Ended { agency: id(1) })
    );
}

#[test]
fn a_predecessors_seal_is_good_for_what_it_sealed_before_it_ended() {
    let directory = directory(&[
        added(1, &[], None),
        added(2, &[], None),
        pinned(1, b"old seal"),
        pinned(2, b"new seal"),
        DirectoryChange::Merged {
            from: vec![id(1)],
            into: id(2),
        },
    ]);
    let pinned = |id, seal: &[u8], at| directory.pinned(id, &Digest::of(seal), time(at), time(at));
    assert_eq!(pinned(id(2), b"old seal", 4), Some(Signatory::Organisation));
    assert_eq!(pinned(id(2), b"old seal", 5), None);
    assert_eq!(pinned(id(2), b"new seal", 5), Some(Signatory::Organisation));
    assert_eq!(
        pinned(id(1), b"new seal", 5),
        None,
        "an heir's seal is not its predecessor's"
    );
    assert_eq!(pinned(id(2), b"nobody's", 5), None);
}

#[test]
fn a_seal_outlives_the_end_of_its_agency_for_what_waits_and_no_unpinning() {
    let mut life = vec![added(1, &[], None), added(2, &[], None), pinned(1, b"seal")];
    let fingerprint = Digest::of(b"seal");
    life.push(DirectoryChange::Merged {
        from: vec![id(1)],
        into: id(2),
    });
    let of = |life: &[DirectoryChange], sent_at, now| {
        directory(life).pinned(id(1), &fingerprint, time(sent_at), time(now))
    };
    let organisation = Some(Signatory::Organisation);
    assert_eq!(
        of(&life, 3, 9),
        organisation,
        "sent before the merger, judged after it"
    );
    assert_eq!(of(&life, 4, 9), None, "sent after it");
    life[3] = DirectoryChange::CertificateEnded {
        id: id(1),
        fingerprint,
    };
    assert_eq!(of(&life, 3, 3), organisation);
    assert_eq!(of(&life, 3, 4), None, "unpinned while it waited");
}

#[test]
fn when_the_district_level_ends_communes_come_under_the_province() {
    let directory = directory(&[
        added(1, &[], None),
        added(2, &[], Some(1)),
        added(3, &[], Some(2)),
        DirectoryChange::WatcherSet {
            id: id(3),
            watcher: Some(id(2)),
        },
        DirectoryChange::PlaceSet {
            id: id(3),
            place: Some(id(2)),
        },
        DirectoryChange::Closed {
            id: id(2),
            successor: None,
        },
    ]);
    let commune = directory.agency(id(3)).expect("added");
    assert_eq!(commune.parents.current(), Some(&id(1)));
    assert_eq!(commune.parents.at(time(5)), Some(&id(2)), "the past stays");
    assert_eq!(
        (commune.places.current(), commune.watchers.current()),
        (None, None)
    );
    assert_eq!(directory.subtree(id(1)), [id(1), id(3)]);
}

#[test]
fn an_heir_below_its_predecessor_rises_to_its_height() {
    let directory = directory(&[
        added(1, &[], None),
        added(2, &[], Some(1)),
        added(3, &[], Some(2)),
        added(4, &[], Some(3)),
        DirectoryChange::Merged {
            from: vec![id(2)],
            into: id(4),
        },
    ]);
    let parent = |number| {
        directory
            .agency(id(number))
            .and_then(|agency| agency.parents.current().copied())
    };
    assert_eq!([1, 2, 3, 4].map(parent), [None, None, Some(id(4)), Some(id(1))]);
}

#[test]
fn two_that_follow_each_other_up_do_not_end_up_following_themselves() {
    let watch = |one, other| DirectoryChange::WatcherSet {
        id: id(one),
        watcher: Some(id(other)),
    };
    let before = directory(&[added(1, &[], None), added(2, &[], None), watch(1, 2), watch(2, 1)]);
    for end in [
        DirectoryChange::Closed {
            id: id(1),
            successor: None,
        },
        DirectoryChange::Merged {
            from: vec![id(1)],
            into: id(2),
        },
    ] {
        let after = before.apply(&end, time(9)).expect("a sound change");
        assert_eq!(
            after.agency(id(2)).expect("added").watchers.current(),
            None,
            "{end:?}"
        );
    }
}
