//! Files for the long term: answers of responders that have ended since.

use rcgen::date_time_ymd;

use super::*;
use crate::testing::answer::{Draft, by_name, response};
use crate::testing::stamp::Stamp;
use crate::testing::{Change, IsCritical, Leaf, extension, fill_contents};
use crate::{Policy, Signer, Snapshot, Time};

const STAMP: &str = "/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161";

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
            params.not_after = date_time_ymd(2026, 5, 15);
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
            let nocheck = extension(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], &[5, 0], IsCritical::No);
            params.custom_extensions.push(nocheck);
        });
        let draft = Draft {
            this_update: at("2026-04-21T08:00:00Z"),
            next_update: Some(at("2026-04-22T08:00:00Z")),
            produced_at: at("2026-04-21T08:00:00Z"),
            responder: by_name(&responder.certificate),
            certificates: vec![Arc::clone(&responder.certificate)],
            ..Draft::about(&person.certificate, &world.issuing.certificate)
        };
        let answer = response(&draft.basic(|octets| responder.key.sign(octets).expect("a signature")));
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

/// An update with a document time-stamp in the new field `number`, and the DSS with this answer if there is one.
fn stamped(
    file: &[u8],
    (number, fields): (u32, &str),
    dss: Option<&[u8]>,
    made: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let value = number + 1;
    let mut writer = PdfWriter::update(file);
    if let Some(answer) = dss {
        let head = format!("<< /Length {} >>\nstream\n", answer.len());
        writer.object(21, [head.as_bytes(), answer, b"\nendstream"].concat());
        writer.object(20, "<< /OCSPs [21 0 R] >>");
    }
    let form = format!("<< /Fields [{fields} {number} 0 R] /SigFlags 3 >>");
    writer.object(
        1,
        format!("<< /Type /Catalog /Pages 2 0 R /AcroForm {form} /DSS 20 0 R >>"),
    );
    let page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R";
    writer.object(3, format!("<< {page} /Annots [{fields} {number} 0 R] >>"));
    let widget = "/Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F 132 /P 3 0 R";
    writer.object(
        number,
        format!("<< /FT /Sig /T (Stamp{number}) {widget} /V {value} 0 R >>"),
    );
    writer.signature = STAMP.to_owned();
    fill_contents(writer.finish_open(value), made)
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
    let once = stamped(&signed, (7, "5 0 R"), Some(b"0"), stamp("20260420080000Z"));
    let twice = |time| stamped(&once, (9, "5 0 R 7 0 R"), Some(&ended.answer), stamp(time));
    let report = ended.judge(&twice("20260422080000Z"));
    assert_eq!(report.failure, None);
    assert_eq!(report.best_signature_time, at("2026-04-20T08:00:00Z"));
    // Stamped after the responder ended, or not at all, nothing tells whether he signed it while he might.
    let late = ended.judge(&twice("20260520080000Z"));
    let bare = update_dss(&once, &ended.answer);
    for report in [late, ended.judge(&bare)] {
        assert!(
            matches!(report.failure, Some(Failure::RevocationUnknown { .. })),
            "{:?}",
            report.failure
        );
    }
}

/// An update with the answer alone.
fn update_dss(file: &[u8], answer: &[u8]) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    let head = format!("<< /Length {} >>\nstream\n", answer.len());
    writer.object(21, [head.as_bytes(), answer, b"\nendstream"].concat());
    writer.finish_update()
}
