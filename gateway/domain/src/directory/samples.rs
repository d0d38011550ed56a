//! Made-up agencies and changes for the tests of this module. Few ids, codes and accounts, so that they collide.

use proptest::prelude::*;
use trust::{Digest, Time};

use super::{Addition, Directory, DirectoryChange};
use crate::agency::{Answers, PinnedCertificate, Signatory};
use crate::ids::{AccountId, AgencyId, Code};

pub(crate) fn id(number: u32) -> AgencyId {
    AgencyId::from_number(number)
}

pub(crate) fn code(text: &str) -> Code {
    Code::parse(text).expect("a code")
}

pub(crate) fn account(text: &str) -> AccountId {
    AccountId::parse(text).expect("an account")
}

pub(crate) fn time(micros: i64) -> Time {
    Time::from_micros(micros)
}

pub(crate) fn added(number: u32, codes: &[&str], parent: Option<u32>) -> DirectoryChange {
    DirectoryChange::Added(Addition {
        id: id(number),
        name: format!("Agency {number}"),
        codes: codes.iter().map(|text| code(text)).collect(),
        parent: parent.map(id),
        place: None,
        watcher: None,
        level: String::new(),
    })
}

pub(crate) fn opened(number: u32) -> DirectoryChange {
    let account = account(&format!("a{number}-1"));
    DirectoryChange::AccountOpened {
        id: id(number),
        account,
        answers: Answers::Receipts,
    }
}

pub(crate) fn pinned(number: u32, certificate: &[u8]) -> DirectoryChange {
    let certificate = PinnedCertificate {
        fingerprint: Digest::of(certificate),
        signatory: Signatory::Organisation,
    };
    DirectoryChange::CertificatePinned {
        id: id(number),
        certificate,
    }
}

/// The directory that these changes make, one a microsecond, the first at 1.
pub(crate) fn directory(changes: &[DirectoryChange]) -> Directory {
    let apply =
        |directory: Directory, (at, change)| directory.apply(change, time(at)).expect("a sound change");
    (1..).zip(changes).fold(Directory::new(), apply)
}

/// How many agencies a life begins with.
const FOUNDERS: u32 = 9;

fn any_id() -> impl Strategy<Value = AgencyId> {
    (1..=FOUNDERS).prop_map(id)
}

fn any_ids() -> impl Strategy<Value = Vec<AgencyId>> {
    prop::collection::vec(any_id(), 0..4)
}

fn any_codes() -> impl Strategy<Value = Vec<Code>> {
    let code =
        prop::sample::select(vec!["000.00.00.H53", "000.00.01.H53", "H53", "28.22.H17", "số"]).prop_map(code);
    prop::collection::vec(code, 0..3)
}

fn any_account() -> impl Strategy<Value = AccountId> {
    (1..6_u32).prop_map(|number| account(&format!("x-{number}")))
}

fn any_certificate() -> impl Strategy<Value = PinnedCertificate> {
    let signatory = prop::sample::select(&Signatory::ALL[..]);
    (0..4_u8, signatory).prop_map(|(seed, signatory)| PinnedCertificate {
        fingerprint: Digest::of(&[seed]),
        signatory,
    })
}

fn any_addition() -> impl Strategy<Value = Addition> {
    let relations = (
        prop::option::of(any_id()),
        prop::option::of(any_id()),
        prop::option::of(any_id()),
    );
    (any_id(), "\\PC{0,12}", any_codes(), relations, "[0-9]{0,1}").prop_map(
        |(id, name, codes, relations, level)| {
            let (parent, place, watcher) = relations;
            Addition {
                id,
                name,
                codes,
                parent,
                place,
                watcher,
                level,
            }
        },
    )
}

/// Any change at all, sound or not.
pub(crate) fn change() -> impl Strategy<Value = DirectoryChange> {
    use DirectoryChange as Change;
    let maybe = || prop::option::of(any_id());
    let answers = prop::sample::select(&Answers::ALL[..]);
    prop_oneof![
        any_addition().prop_map(Change::Added),
        (any_id(), "\\PC{0,12}").prop_map(|(id, name)| Change::Renamed { id, name }),
        (any_id(), any_codes(), any_codes()).prop_map(|(id, added, ended)| Change::Recoded {
            id,
            added,
            ended
        }),
        (any_id(), maybe()).prop_map(|(id, parent)| Change::ParentSet { id, parent }),
        (any_id(), maybe()).prop_map(|(id, place)| Change::PlaceSet { id, place }),
        (any_id(), maybe()).prop_map(|(id, watcher)| Change::WatcherSet { id, watcher }),
        (any_id(), any_certificate())
            .prop_map(|(id, certificate)| Change::CertificatePinned { id, certificate }),
        (any_id(), any_certificate()).prop_map(|(id, pin)| Change::CertificateEnded {
            id,
            fingerprint: pin.fingerprint
        }),
        (any_id(), any_account(), answers).prop_map(|(id, account, answers)| Change::AccountOpened {
            id,
            account,
            answers
        }),
        (any_id(), any_account()).prop_map(|(id, account)| Change::AccountClosed { id, account }),
        any_id().prop_map(|id| Change::Suspended { id }),
        any_id().prop_map(|id| Change::Resumed { id }),
        (any_ids(), any_id()).prop_map(|(from, into)| Change::Merged { from, into }),
        (any_id(), any_ids()).prop_map(|(from, into)| Change::Split { from, into }),
        (any_id(), maybe()).prop_map(|(id, successor)| Change::Closed { id, successor }),
    ]
}

/// A long life of a directory: changes, and the time that passes before each. It begins with some agencies in a
/// hierarchy, so that most of what follows finds somebody to happen to.
pub(crate) fn life() -> impl Strategy<Value = Vec<(DirectoryChange, i64)>> {
    let founder = |number: u32| {
        let parent = 0..number;
        parent.prop_map(move |parent| (added(number, &[], Some(parent).filter(|parent| *parent > 0)), 1))
    };
    let founders: Vec<_> = (1..=FOUNDERS).map(founder).collect();
    let later = prop::collection::vec((change(), 0..3_i64), 0..80);
    (founders, later).prop_map(|(founders, later)| founders.into_iter().chain(later).collect())
}

/// The change, with what only a living directory can know put right in an addition: its id, and relations to
/// agencies that have not ended.
pub(crate) fn settled(change: &DirectoryChange, directory: &Directory) -> DirectoryChange {
    let mut change = change.clone();
    if let DirectoryChange::Added(addition) = &mut change {
        let lives = |id: &AgencyId| {
            directory
                .agency(*id)
                .is_some_and(|agency| agency.succession.is_none())
        };
        addition.id = directory.next_id();
        addition.parent = addition.parent.filter(lives);
        addition.place = addition.place.filter(lives);
        addition.watcher = addition.watcher.filter(lives);
    }
    change
}
