//! A certificate that is not valid signs nothing.

use super::*;
use crate::config::testing::desk;

const DAY: i64 = 86_400;

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

#[test]
fn a_certificate_signs_from_its_first_second_to_its_last_and_not_outside() {
    let (folder, config) = desk("X", (2026, 2028), "");
    let file = folder.path().join("gateway.pem");
    for at in ["2026-01-01T00:00:00Z", "2028-01-01T00:00:00.5Z"] {
        assert!(load_seal(&config.gateway, time(at)).is_ok(), "{at}");
    }
    let early = load_seal(&config.gateway, time("2025-12-31T23:59:59Z")).err();
    let Some(SignerFault::Early { path, begins, .. }) = &early else {
        panic!("{early:?}")
    };
    assert_eq!((path, *begins), (&file, time("2026-01-01T00:00:00Z")));
    let ended = load_seal(&config.gateway, time("2028-01-01T00:00:01Z")).err();
    let Some(SignerFault::Ended { path, ended, .. }) = &ended else {
        panic!("{ended:?}")
    };
    assert_eq!((path, *ended), (&file, time("2028-01-01T00:00:00Z")));
}

#[test]
fn the_end_is_told_as_long_before_as_is_wanted() {
    let (_folder, config) = desk("X", (2026, 2028), "");
    let seal = load_seal(&config.gateway, time("2026-06-01T00:00:00Z")).expect("a seal");
    let own = &seal.certificates[0];
    let notice = Duration::from_secs(30 * 86_400);
    let at = |seconds: i64| Validity::of(own, own.not_after().plus_seconds(seconds), notice);
    assert_eq!(at(-30 * DAY - 1), Validity::Good);
    assert_eq!(at(-30 * DAY), Validity::Ending { days: 30 });
    assert_eq!(at(-DAY + 1), Validity::Ending { days: 0 });
    assert_eq!((at(0), at(1)), (Validity::Ending { days: 0 }, Validity::Ended));
    let first = own.not_before();
    assert_eq!(Validity::of(own, first.plus_seconds(-1), notice), Validity::Early);
    assert_eq!(remaining_seconds(own, own.not_after().plus_seconds(7)), -7);
}
