//! Addresses are asked when their time has come, and no more often.

use super::*;

use crate::administration::Trouble;

const URL: &str = "http://crl.example/x.crl";

fn complaint() -> Complaint {
    Complaint {
        trouble: Trouble::WrongAnswer,
        detail: "the answer was 500".to_owned(),
    }
}

fn errand() -> Errand {
    Errand::list(URL)
}

fn list_until(seconds: i64) -> Answer {
    Answer::List {
        series: Digest::of(b"a series"),
        next_update: Some(at(seconds)),
    }
}

fn at(seconds: i64) -> Time {
    Time::from_seconds(1_000_000 + seconds)
}

fn schedule() -> Schedule {
    let mut schedule = Schedule::new(3600, 600);
    assert!(schedule.learn(&errand()));
    schedule
}

#[test]
fn a_list_is_fetched_ahead_of_its_next_update() {
    let mut schedule = schedule();
    assert_eq!(schedule.due(at(0)), [errand()]);
    schedule.asking(&errand(), at(0));
    assert!(schedule.due(at(0)).is_empty(), "it is asked already");
    schedule.succeeded(&errand(), at(1), list_until(2000));
    assert!(schedule.due(at(1399)).is_empty());
    assert_eq!(schedule.due(at(1400)), [errand()], "600 s before its nextUpdate");
}

#[test]
fn a_list_that_is_late_is_asked_for_less_and_less_often_until_it_comes() {
    let (mut schedule, mut now, mut rests) = (schedule(), 0, Vec::new());
    for _ in 0..8 {
        schedule.asking(&errand(), at(now));
        schedule.succeeded(&errand(), at(now), list_until(100));
        let rested = (0..)
            .find(|seconds| schedule.due(at(now + seconds)) == [errand()])
            .expect("asked again");
        rests.push(rested);
        now += rested;
    }
    assert_eq!(rests, [5, 10, 20, 40, 80, 160, 160, 160]);
    schedule.asking(&errand(), at(now));
    schedule.succeeded(&errand(), at(now), list_until(now + 2000));
    assert!(schedule.due(at(now + 1399)).is_empty(), "the new one is not late");
}

#[test]
fn a_list_of_a_long_life_is_looked_at_again_all_the_same() {
    let mut schedule = schedule();
    schedule.asking(&errand(), at(0));
    schedule.succeeded(&errand(), at(1), list_until(1_000_000));
    assert!(schedule.due(at(3600)).is_empty());
    assert_eq!(schedule.due(at(3601)), [errand()]);
}

#[test]
fn an_address_that_fails_rests_longer_each_time_and_is_never_given_up() {
    let (mut schedule, mut now, mut rests) = (schedule(), 0, Vec::new());
    for _ in 0..12 {
        schedule.asking(&errand(), at(now));
        schedule.failed(&errand(), at(now), complaint(), Blame::Address);
        let rested = (0..)
            .find(|seconds| schedule.may_ask(&errand(), at(now + seconds)))
            .expect("asked again");
        rests.push(rested);
        now += rested;
    }
    assert_eq!(rests, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
    schedule.asking(&errand(), at(now));
    schedule.succeeded(&errand(), at(now), list_until(now + 2000));
    assert_eq!(schedule.addresses[&errand()].fault, None);
}

#[test]
fn the_number_of_addresses_is_bounded() {
    let mut schedule = schedule();
    for number in 1..LISTS_MAX {
        assert!(schedule.learn(&Errand::list(&format!("http://crl.example/{number}"))));
    }
    assert!(!schedule.learn(&Errand::list("http://crl.example/one-more")));
    assert!(schedule.learn(&errand()), "what is known stays known");
}

#[test]
fn addresses_of_issuers_take_no_place_from_lists_and_the_oldest_give_way() {
    let mut schedule = schedule();
    let issuer = |number| Errand::issuer(&format!("http://ca.example/{number}"));
    for number in 0..ISSUERS_MAX {
        let seconds = i64::try_from(number).expect("few");
        assert!(schedule.need(&issuer(number), NeededFor::Anybody, at(seconds)));
    }
    schedule.asking(&issuer(0), at(0));
    assert!(schedule.need(&issuer(ISSUERS_MAX), NeededFor::Anybody, at(10_000)));
    assert_eq!(schedule.count(Wanted::Issuer), ISSUERS_MAX);
    assert!(schedule.addresses.contains_key(&issuer(0)), "it is being asked");
    assert!(!schedule.addresses.contains_key(&issuer(1)), "needed longest ago");
    assert!(schedule.learn(&Errand::list("http://crl.example/other")));
}

#[test]
fn one_address_may_be_asked_for_two_things() {
    let mut schedule = schedule();
    assert!(schedule.need(&Errand::issuer(URL), NeededFor::Anybody, at(0)));
    assert_eq!(schedule.due(at(0)), [errand(), Errand::issuer(URL)]);
}

#[test]
fn an_address_is_forgotten_when_nothing_names_it_and_nobody_needs_it() {
    let mut schedule = schedule();
    let (needed, ended) = (
        Errand::issuer("http://ca.example/x"),
        Errand::list("http://crl.example/old"),
    );
    assert!(schedule.need(&needed, NeededFor::Anybody, at(0)) && schedule.learn(&ended));
    schedule.succeeded(&ended, at(0), list_until(100));
    let mut left = |now, serves: bool| {
        schedule.forget(at(now), |url| url == URL, |_| serves);
        schedule.addresses.keys().cloned().collect::<Vec<_>>()
    };
    let all = [needed, ended, errand()];
    assert_eq!(left(1, true), all);
    assert_eq!(left(1, false), [all[0].clone(), errand()], "its series has ended");
    assert_eq!(left(FORGET_SECONDS, false), [errand()]);
}

#[test]
fn a_silent_host_is_not_held_against_the_address() {
    let mut schedule = schedule();
    for _ in 0..5 {
        schedule.asking(&errand(), at(0));
        schedule.failed(&errand(), at(0), complaint(), Blame::Host);
    }
    assert!(schedule.may_ask(&errand(), at(5)));
    schedule.asking(&errand(), at(10));
    schedule.turned_away(&errand(), at(10), complaint());
    assert!(schedule.may_ask(&errand(), at(10)), "it was not asked");
    assert_eq!(schedule.addresses[&errand()].failing_since, Some(at(0)));
}
