//! What is changed again and again is changed no more, and can be taken back all the same.

use domain::packet::{BusinessType, Replacement};
use domain::refusal::{Refusal, RefusalCode};

use super::*;

/// Agency 1 sends what it wrote under the usual id.
fn sent(bench: &Bench, kind: BusinessType, text: &str) -> Happening {
    let mut packet = letter(1, &[2]);
    packet.business.kind = kind;
    packet.attachments[0].content = Content::new(text.as_bytes().to_vec());
    if kind == BusinessType::Recall {
        (packet.attachments, packet.manifest) = (Vec::new(), Vec::new());
    }
    bench.take(&bench.job(text, 1, &packet.write().expect("a packet")))
}

/// An update of agency 1 that it sent before, to these now.
fn resent(bench: &Bench, text: &str, to: &[u32]) -> Happening {
    let mut packet = letter(1, to);
    packet.business.kind = BusinessType::Update;
    packet.attachments[0].content = Content::new(text.as_bytes().to_vec());
    bench.take(&bench.job("resent", 1, &packet.write().expect("a packet")))
}

#[test]
fn replacements_that_bear_the_id_count_once_each() {
    let bench = Bench::new();
    for number in 0..=CHANGES_MAX {
        let mut packet = letter(1, &[2]);
        if 0 < number {
            packet.business.kind = BusinessType::Replace;
            packet.business.replacements = vec![Replacement {
                document_id: DOCUMENT.to_owned(),
                organ_ids: Vec::new(),
            }];
        }
        packet.attachments[0].content = Content::new(format!("version {number}").into_bytes());
        let job = bench.job(&format!("v{number}"), 1, &packet.write().expect("a packet"));
        let is_accepted = matches!(bench.take(&job), Happening::Accepted(_));
        assert_eq!(is_accepted, number < CHANGES_MAX, "{number}");
    }
}

#[test]
fn a_document_is_sent_updated_and_replaced_so_often_and_can_then_only_be_recalled() {
    let bench = Bench::new();
    let mut accepted = Vec::new();
    let mut kind = BusinessType::New;
    let mut last = String::new();
    for number in 0..CHANGES_MAX {
        let Happening::Accepted(change) = sent(&bench, kind, &format!("change-{number}")) else {
            panic!("change {number} is not accepted")
        };
        accepted.push(change.case);
        last = format!("change-{number}");
        kind = BusinessType::Update;
    }
    let refused = |kind, text| {
        let Happening::Refused(refused) = sent(&bench, kind, text) else {
            panic!("{text} is not refused")
        };
        refused.reasons
    };
    let too_many = |count: usize| {
        let refusal = Refusal::new(RefusalCode::ChangesTooMany);
        vec![refusal.with("count", count).with("limit", CHANGES_MAX)]
    };
    assert_eq!(refused(BusinessType::Update, "one-more"), too_many(CHANGES_MAX));
    let further = resent(&bench, &last, &[2, 3]);
    assert!(matches!(further, Happening::Extended(_)), "{further:?}");
    let Happening::Accepted(recall) = sent(&bench, BusinessType::Recall, "recall") else {
        panic!("what counts can be recalled")
    };
    let mut taken_back = recall.targets;
    taken_back.sort_unstable();
    accepted.sort_unstable();
    assert_eq!(taken_back, accepted);
    // The same recall is a repeat, not one more.
    let repeated = sent(&bench, BusinessType::Recall, "recall-again");
    assert!(matches!(repeated, Happening::Repeated(_)), "{repeated:?}");
    let again = refused(BusinessType::New, "again");
    assert!(
        again
            .iter()
            .any(|reason| reason.code == RefusalCode::ChangesTooMany),
        "{again:?}"
    );
}
