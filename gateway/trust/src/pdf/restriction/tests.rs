//! Names that locks cover.

use super::*;

fn name(text: &str) -> Name {
    Some(text.to_owned())
}

#[test]
fn a_name_covers_what_stands_below_it() {
    let include = Lock::Include(vec![name("a.b")]);
    assert!(include.covers(&name("a.b")) && include.covers(&name("a.b.c")));
    assert!(!include.covers(&name("a")) && !include.covers(&name("a.bc")) && !include.covers(&name("b")));
    let exclude = Lock::Exclude(vec![name("a.b")]);
    assert!(!exclude.covers(&name("a.b")) && !exclude.covers(&name("a.b.c")));
    assert!(exclude.covers(&name("a")) && exclude.covers(&name("a.bc")));
}

#[test]
fn a_name_that_is_not_known_is_covered() {
    for lock in [
        Lock::All,
        Lock::Include(vec![name("a")]),
        Lock::Exclude(vec![name("a")]),
    ] {
        assert!(lock.covers(&None), "{lock:?}");
    }
    assert!(Lock::Include(vec![None]).covers(&name("a")));
    assert!(Lock::Exclude(vec![None]).covers(&name("a")));
}

#[test]
fn nobody_signed_is_no_permission_to_fill_in() {
    assert!(!Rights::after([].into_iter()).may_fill(&name("a")));
    let plain = Restrictions::default();
    let rights = Rights::after([&plain].into_iter());
    assert!(rights.may_sign(&name("a")) && !rights.may_fill(&name("a")));
    let open = Restrictions {
        locks: vec![Lock::Include(vec![name("b")])],
        ..Restrictions::default()
    };
    assert!(Rights::after([&open].into_iter()).may_fill(&name("a")));
    assert!(!Rights::after([&open, &plain].into_iter()).may_fill(&name("a")));
}
