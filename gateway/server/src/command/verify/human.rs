//! The report for people: Vietnamese first, English beside or beneath.

mod seal;

use domain::packet::Packet;
use domain::receipt::{Receipt, vietnam_time};

use super::plain::plain;
use super::view::{About, Examined, Finding, Kind, Object, Place};
use super::words;
use crate::administration::Trouble;
use crate::command::text::{AdviceText, Said, VerifyText};
use seal::What;
pub(super) use seal::{lacking, stamp_of};

/// How far labels reach; what is longer pushes its value aside.
const LABEL_LETTERS: usize = 42;

/// The lines of one file, each harmless.
pub(super) fn lines(examined: &Examined) -> Vec<String> {
    let mut page = Page::default();
    file(examined, &mut page);
    page.lines.iter().map(|line| plain(line)).collect()
}

/// Lines, each indented as deep as what it belongs to.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
}

impl Page {
    fn line(&mut self, depth: usize, line: &str) {
        self.lines.push(format!("{}{line}", "  ".repeat(depth)));
    }

    /// A short text: both languages on one line.
    fn said(&mut self, depth: usize, said: &Said) {
        self.line(depth, &said.to_string());
    }

    /// A sentence: English beneath.
    fn sentence(&mut self, depth: usize, said: &Said) {
        let [vi, en] = said.languages();
        self.line(depth, &vi);
        self.line(depth + 1, &en);
    }

    fn value(&mut self, depth: usize, label: VerifyText, value: &str) {
        let label = label.said().to_string();
        self.line(depth, &format!("{label:<LABEL_LETTERS$} {value}"));
    }
}

fn file(examined: &Examined, page: &mut Page) {
    page.line(
        0,
        &format!("{} ({})", examined.path.display(), examined.kind.text().said()),
    );
    page.said(1, &words::verdict(examined.verdict));
    if let Some(size) = examined.size {
        page.value(1, VerifyText::LabelDigest, &size.digest.to_string());
    }
    page.value(1, VerifyText::LabelAt, &vietnam_time(examined.at));
    examined.notes.iter().for_each(|note| page.sentence(1, note));
    match &examined.about {
        About::Nothing => {}
        About::Packet(packet) => about_packet(packet, page),
        About::Receipt(receipt) => about_receipt(receipt, page),
    }
    let what = match examined.kind {
        Kind::Certificate => What::Certificate,
        Kind::Pdf | Kind::Packet | Kind::Receipt | Kind::Cms | Kind::Unknown => What::Signature,
    };
    examined.objects.iter().for_each(|one| object(one, what, page));
    for (url, complaint) in &examined.failed {
        let said = AdviceText::NotFetched.said().with("url", url);
        page.sentence(1, &said.with("fault", &complaint.detail));
        if complaint.trouble == Trouble::Forbidden {
            page.sentence(1, &AdviceText::AllowHost.said());
        }
    }
}

/// Names and identifiers only.
fn about_packet(packet: &Packet, page: &mut Page) {
    let from = &packet.from().organ_id;
    match packet {
        Packet::Document(document) => {
            page.value(1, VerifyText::LabelDocument, &document.document_id);
            page.value(1, VerifyText::LabelFrom, from);
            page.value(1, VerifyText::LabelTo, &document.addressees().join(", "));
        }
        Packet::Status(status) => {
            page.value(1, VerifyText::LabelDocument, &status.response_for.document_id);
            page.value(1, VerifyText::LabelFrom, from);
            page.value(1, VerifyText::LabelTo, &status.response_for.organ_id);
            page.value(1, VerifyText::LabelStatus, status.status.code());
        }
    }
}

fn about_receipt(receipt: &Receipt, page: &mut Page) {
    page.value(1, VerifyText::LabelReceiptKind, receipt.kind.word());
    page.value(1, VerifyText::LabelGateway, receipt.gateway.as_str());
    page.value(1, VerifyText::LabelTime, &vietnam_time(receipt.time));
    page.value(1, VerifyText::LabelCase, &receipt.case.to_string());
    let mut maybe = |label, value: Option<String>| {
        if let Some(value) = value {
            page.value(1, label, &value);
        }
    };
    maybe(VerifyText::LabelSubmission, receipt.submission.clone());
    maybe(VerifyText::LabelDocument, receipt.document.clone());
    maybe(
        VerifyText::LabelPacketDigest,
        receipt.packet.map(|digest| digest.to_string()),
    );
    maybe(
        VerifyText::LabelContentsDigest,
        receipt.contents.map(|digest| digest.to_string()),
    );
    maybe(VerifyText::LabelLeaf, Some(receipt.leaf.to_string()));
    for one in &receipt.addressees {
        page.value(1, VerifyText::LabelTo, &format!("{} ({})", one.code, one.result));
    }
    for reason in &receipt.reasons {
        page.value(1, VerifyText::LabelReason, reason.code.word());
    }
}

fn object(object: &Object, what: What, page: &mut Page) {
    let depth = match &object.place {
        Place::File => 1,
        Place::Content(path) => {
            page.said(1, &VerifyText::ObjectContent.said().with("path", path.display()));
            1
        }
        Place::Attachment { number, name } => {
            let said = VerifyText::ObjectAttachment.said().with("number", number);
            page.said(1, &said.with("name", name));
            2
        }
        Place::PacketSignature => {
            page.said(1, &VerifyText::ObjectPacketSignature.said());
            2
        }
    };
    object.notes.iter().for_each(|note| page.sentence(depth, note));
    match &object.finding {
        Finding::Judged(judged) => {
            for (index, one) in judged.iter().enumerate() {
                seal::judged(one, what, (index + 1, judged.len()), (depth, page));
            }
        }
        Finding::Unsigned => page.said(depth, &VerifyText::ObjectUnsigned.said()),
        Finding::Placeholder => page.said(depth, &VerifyText::ObjectPlaceholder.said()),
        Finding::Refused(fault) => {
            let (_, said) = words::pdf_fault(*fault);
            page.sentence(depth, &VerifyText::ObjectRefused.said().about("fault", &said));
        }
    }
}
