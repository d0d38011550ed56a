//! Files for the long term: answers of responders that have ended since.

use rcgen::date_time_ymd;

use super::stamps::{STAMP, stamped_in};
use super::*;
use crate::testing::answer::{Draft, unasked};
use crate::testing::stamp::Stamp;
use crate::testing::{Change, Leaf};
use crate::{Policy, Snapshot, Time};

/// Somebody who signed, and who answers about him; both have ended in the middle of May, a month before now.
struct Ended {
    world: World,
    person: Leaf,
    answer: Vec<u8>,
}

fn at(text: &str) -> Time {
    text.parse().expect("an instant")
}

impl Ended {
    fn new() -> Self {
        let world = World::new();
        let until_may: Change = |params| params.not_after = date_time_ymd(2026, 5, 15);
        let person = world.issuing.leaf("Person", 130, until_may);
        let responder = world.issuing.leaf("Responder", 131, |params| {
            unasked(params);
            params.not_after = date_time_ymd(2026, 5, 15);
        });
        let draft = Draft {
            this_update: at("2026-04-21T08:00:00Z"),
            next_update: Some(at("2026-04-22T08:00:00Z")),
            produced_at: at("2026-04-21T08:00:00Z"),
            ..Draft::about(&person.certificate, &world.issuing.certificate)
        };
        let answer = draft.by_delegate(&responder).der().to_vec();
        Self {
            world,
            person,
            answer,
        }
    }

    /// The list of the issuing authority is of now, and says nothing about who has expired; the authority of the
    /// time-stamps is in it.
    fn judge(&self, file: &[u8]) -> SealReport {
        let World { root, issuing, .. } = &self.world;
        let anchors = vec![Arc::clone(&root.certificate)];
        let candidates = vec![Arc::clone(&issuing.certificate)];
        let lists = vec![root.list(&[]), issuing.list(&[])];
        let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
        reports(validate(file, &snapshot, now())).remove(0)
    }
}

/// An update with a DSS that holds these answers.
fn answered(file: &[u8], answers: &[Vec<u8>]) -> PdfWriter {
    let mut writer = PdfWriter::update(file);
    let mut references = String::new();
    for (number, answer) in (21..).zip(answers) {
        let head = format!("<< /Length {} >>\nstream\n", answer.len());
        writer.object(number, [head.as_bytes(), answer, b"\nendstream"].concat());
        references.push_str(&format!("{number} 0 R "));
    }
    writer.object(20, format!("<< /OCSPs [{references}] >>"));
    writer
}

const DSS: &str = "/DSS 20 0 R";

/// The same and nothing else; these are the fields of the file.
fn answered_only(file: &[u8], fields: &str, answers: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = answered(file, answers);
    let form = format!("<< /Fields [{fields}] /SigFlags 3 >>");
    writer.object(
        1,
        format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} {DSS} >>"),
    );
    writer.finish_update()
}

#[test]
fn of_very_many_answers_the_newest_are_heard() {
    let world = World::new();
    let signed = sign_pdf(&PdfWriter::page(), &world.person, 5, &[]);
    let about = |minutes: i64| {
        let made = now().plus_seconds(-60 * minutes);
        let draft = Draft {
            this_update: made,
            produced_at: made,
            next_update: Some(made.plus_seconds(60)),
            ..Draft::about(&world.person.certificate, &world.issuing.certificate)
        };
        draft.signed_by(&world.issuing).expect("an answer").der().to_vec()
    };
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        vec![Arc::clone(&world.issuing.certificate)],
        vec![world.root.list(&[])],
        Policy::default(),
        1,
    );
    let overdue: Vec<Vec<u8>> = (30..60).rev().map(about).collect();
    let judge = |answers: &[Vec<u8>]| {
        let file = answered_only(&signed, "5 0 R", answers);
        reports(validate(&file, &snapshot, now())).remove(0).indication
    };
    let unproven = judge(&overdue);
    assert!(matches!(unproven, Indication::Indeterminate(_)), "{unproven:?}");
    let newest = [overdue, vec![about(0)]].concat();
    assert_eq!(judge(&newest), Indication::TotalPassed);
}

#[test]
fn an_answer_under_a_document_time_stamp_outlives_its_responder() {
    let ended = Ended::new();
    let authority = ended.world.issuing.time_stamper(200);
    let stamp = |time: &'static str| {
        let authority = &authority;
        move |covered: &[u8]| Stamp::over(covered, time).sign(authority)
    };
    let signed = sign_pdf(&PdfWriter::page(), &ended.person, 5, &[]);
    // The signature is proven to have existed by the 20th, the answer by the 22nd of April.
    let form = (STAMP, "[0 0 0 0]");
    let once = stamped_in(
        PdfWriter::update(&signed),
        (7, "5 0 R"),
        form,
        "",
        stamp("20260420080000Z"),
    );
    let twice = |time| {
        let writer = answered(&once, std::slice::from_ref(&ended.answer));
        stamped_in(writer, (9, "5 0 R 7 0 R"), form, DSS, stamp(time))
    };
    let report = ended.judge(&twice("20260422080000Z"));
    assert_eq!(report.failure, None);
    assert_eq!(report.best_signature_time, at("2026-04-20T08:00:00Z"));
    // Stamped after the responder ended, or not at all, nothing tells whether he signed it while he might.
    let late = ended.judge(&twice("20260520080000Z"));
    let bare = answered_only(&once, "5 0 R 7 0 R", std::slice::from_ref(&ended.answer));
    for report in [late, ended.judge(&bare)] {
        assert!(
            matches!(report.failure, Some(Failure::RevocationUnknown { .. })),
            "{:?}",
            report.failure
        );
    }
}
