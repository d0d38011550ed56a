//! Receipts: signed evidence of one event, named as in ETSI EN 319 522-1 §6.
//!
//! A receipt is CMS SignedData over canonical JSON, so that `openssl cms -verify` checks it without the gateway.
//!
//! **Invariant:** a receipt is persisted before it is published; its bytes never differ.
//! **Invariant:** it names ids, codes and digests, never a subject or a person.

use jiff::tz::Offset;
use serde_json::Value;
use trust::{Digest, Time};

use crate::event::{Accepted, Extended, Happening, Identity, Refused, Submission};
use crate::ids::{CaseId, Code, DispatchId};
use crate::json::{JsonFault, Reader, Writer, text};
use crate::refusal::{Refusal, Remark, Sayable};

/// The version that new receipts are written in.
pub const FORMAT: i64 = 1;

/// Which evidence a receipt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptKind {
    /// The gateway took the submission over (EN 319 522 A.1).
    SubmissionAcceptance,
    /// The gateway refused it, with all reasons (A.2).
    SubmissionRejection,
    /// The gateway waits for something; not evidence of the standard but an interim notice.
    SubmissionHeld,
    /// Not a receipt of its own: the earlier answer is given again.
    Repeat,
    /// The content lies in the addressee's inbox (D.1).
    ContentConsignment,
    /// It never got there (D.2).
    ContentConsignmentFailure,
    /// The addressee's connector stored it (E.1).
    ContentHandover,
    /// It was not fetched in time (E.2).
    ContentHandoverFailure,
}

impl ReceiptKind {
    /// All of them.
    pub const ALL: [ReceiptKind; 8] = [
        ReceiptKind::SubmissionAcceptance,
        ReceiptKind::SubmissionRejection,
        ReceiptKind::SubmissionHeld,
        ReceiptKind::Repeat,
        ReceiptKind::ContentConsignment,
        ReceiptKind::ContentConsignmentFailure,
        ReceiptKind::ContentHandover,
        ReceiptKind::ContentHandoverFailure,
    ];

    /// The word in receipts, events and logs.
    pub fn word(self) -> &'static str {
        match self {
            ReceiptKind::SubmissionAcceptance => "SubmissionAcceptance",
            ReceiptKind::SubmissionRejection => "SubmissionRejection",
            ReceiptKind::SubmissionHeld => "SubmissionHeld",
            ReceiptKind::Repeat => "Repeat",
            ReceiptKind::ContentConsignment => "ContentConsignment",
            ReceiptKind::ContentConsignmentFailure => "ContentConsignmentFailure",
            ReceiptKind::ContentHandover => "ContentHandover",
            ReceiptKind::ContentHandoverFailure => "ContentHandoverFailure",
        }
    }

    /// The kind that this word names.
    pub fn from_word(word: &str) -> Option<ReceiptKind> {
        ReceiptKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether the submission it answers is decided for ever.
    pub fn is_final_answer(self) -> bool {
        match self {
            ReceiptKind::SubmissionAcceptance | ReceiptKind::SubmissionRejection => true,
            ReceiptKind::SubmissionHeld
            | ReceiptKind::Repeat
            | ReceiptKind::ContentConsignment
            | ReceiptKind::ContentConsignmentFailure
            | ReceiptKind::ContentHandover
            | ReceiptKind::ContentHandoverFailure => false,
        }
    }
}

/// A place in the journal that the event of this receipt comes after: who holds two receipts holds a witness that
/// nothing before was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many events the journal held.
    pub size: u64,
    /// Its hash chain (later: Merkle root) at that size.
    pub root: Digest,
}

/// What became of one addressee, as a receipt tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddresseeResult {
    /// The code as the sender wrote it.
    pub code: String,
    /// `accepted`, or why not: `unknown`, `suspended`, `closed`, `unreachable`.
    pub result: String,
}

/// What a receipt says, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which evidence.
    pub kind: ReceiptKind,
    /// The gateway that says so, by its own code.
    pub gateway: Code,
    /// When the event happened.
    pub time: Time,
    /// The case.
    pub case: CaseId,
    /// Leaf hash of the event.
    pub leaf: Digest,
    /// A place in the journal before the event.
    pub checkpoint: Option<Checkpoint>,
    /// The submission id it answers.
    pub submission: Option<String>,
    /// The document id, as the sender wrote it.
    pub document: Option<String>,
    /// Digest of the decoded contents of the case's document: what stays when software builds its packet anew.
    pub contents: Option<Digest>,
    /// SHA-256 of the packet's bytes.
    pub packet: Option<Digest>,
    /// The dispatch that was consigned, handed over or given up.
    pub dispatch: Option<DispatchId>,
    /// Addressees with what became of them.
    pub addressees: Vec<AddresseeResult>,
    /// All reasons of a rejection.
    pub reasons: Vec<Refusal>,
    /// Worth noting; what a held submission waits for.
    pub remarks: Vec<Remark>,
}

impl Receipt {
    /// A receipt that says no more yet than which event it is evidence of.
    pub fn new(kind: ReceiptKind, gateway: Code, case: CaseId, time: Time, leaf: Digest) -> Receipt {
        Receipt {
            kind,
            gateway,
            time,
            case,
            leaf,
            checkpoint: None,
            submission: None,
            document: None,
            contents: None,
            packet: None,
            dispatch: None,
            addressees: Vec::new(),
            reasons: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// With all that `happening` itself tells: submission, document, addressees, reasons, remarks, dispatch.
    #[must_use]
    pub fn telling(mut self, happening: &Happening) -> Receipt {
        if let Some(submission) = happening.submission() {
            self.tell_submission(submission);
        }
        match happening {
            Happening::Accepted(it) => self.tell_accepted(it),
            Happening::Refused(it) => self.tell_refused(it),
            Happening::Extended(it) => self.tell_extended(it),
            Happening::Held(it) => {
                self.tell_identity(&it.identity);
                self.remarks = it.reasons.clone();
            }
            Happening::Parked(it) => {
                self.remarks
                    .push(Remark::new("waits-for-a-person", Sayable::ours(&it.reason)));
            }
            Happening::Reported(it) => {
                self.remarks.push(Remark::new("status", it.status.code()));
            }
            Happening::Consigned(it) | Happening::HandedOver(it) | Happening::Withdrawn(it) => {
                self.dispatch = Some(it.dispatch);
            }
            Happening::Failed(it) => {
                self.dispatch = Some(it.dispatch);
                self.remarks
                    .push(Remark::new("failure", Sayable::ours(&it.reason)));
            }
            Happening::Repeated(_)
            | Happening::Lost(_)
            | Happening::ReceiptIssued(_)
            | Happening::DirectoryChanged(_)
            | Happening::BrokerLost { .. } => {}
        }
        self
    }

    fn tell_submission(&mut self, submission: &Submission) {
        self.submission = Some(submission.id.to_string());
        self.packet = Some(submission.packet);
    }

    /// With the document that the case is about.
    pub fn tell_identity(&mut self, identity: &Identity) {
        self.document = Some(identity.document.to_string());
        self.contents = Some(identity.contents);
    }

    fn tell_accepted(&mut self, it: &Accepted) {
        self.tell_identity(&it.identity);
        self.tell_addressees(&it.addressees, &it.unaddressed);
        self.remarks = it.remarks.clone();
    }

    fn tell_refused(&mut self, it: &Refused) {
        self.document = it.document.as_ref().map(ToString::to_string);
        self.reasons = it.reasons.clone();
    }

    fn tell_extended(&mut self, it: &Extended) {
        self.tell_addressees(&it.addressees, &it.unaddressed);
    }

    fn tell_addressees(&mut self, yes: &[crate::event::Addressee], no: &[crate::event::Unaddressed]) {
        let accepted = |one: &crate::event::Addressee| AddresseeResult {
            code: one.code.to_string(),
            result: "accepted".to_owned(),
        };
        let not = |one: &crate::event::Unaddressed| AddresseeResult {
            code: one.code.clone(),
            result: one.fault.word().to_owned(),
        };
        self.addressees = yes.iter().map(accepted).chain(no.iter().map(not)).collect();
    }

    /// The bytes to sign: canonical JSON. `leaf`, `checkpoint` and `format` are there from the first version on.
    pub fn encode(&self) -> Vec<u8> {
        let checkpoint = match self.checkpoint {
            Some(Checkpoint { size, root }) => {
                let size = i64::try_from(size).expect("a journal stays far below 2^63 events");
                Writer::new().number("size", size).text("root", root).end()
            }
            None => Value::Null,
        };
        let result = |one: &AddresseeResult| {
            Writer::new()
                .text("code", &one.code)
                .text("result", &one.result)
                .end()
        };
        Writer::new()
            .number("format", FORMAT)
            .text("kind", self.kind.word())
            .text("gateway", &self.gateway)
            .text("time", vietnam_time(self.time))
            .time("time-micros", self.time)
            .text("case", self.case)
            .text("leaf", self.leaf)
            .value("checkpoint", checkpoint)
            .maybe("submission", self.submission.as_ref())
            .maybe("document", self.document.as_ref())
            .maybe("contents-sha256", self.contents)
            .maybe("packet-sha256", self.packet)
            .maybe("dispatch", self.dispatch)
            .list("addressees", self.addressees.iter().map(result))
            .list("reasons", self.reasons.iter().map(reason))
            .list("remarks", self.remarks.iter().map(Remark::to_json))
            .end()
            .to_string()
            .into_bytes()
    }

    /// Reads what [`Receipt::encode`] wrote.
    ///
    /// # Errors
    /// [`JsonFault`]: not a receipt of a version that this build knows.
    pub fn decode(bytes: &[u8]) -> Result<Receipt, JsonFault> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| JsonFault::NotAnObject)?;
        let reader = Reader::new(&value)?;
        let version = reader.number("format")?;
        if version != FORMAT {
            return Err(JsonFault::Version(version));
        }
        let checkpoint = match value.get("checkpoint") {
            Some(Value::Null) => None,
            Some(_) => {
                let object = reader.object("checkpoint")?;
                let size = u64::try_from(object.number("size")?).map_err(|_| JsonFault::Wrong("size"))?;
                Some(Checkpoint {
                    size,
                    root: object.parse("root")?,
                })
            }
            None => return Err(JsonFault::Missing("checkpoint")),
        };
        Ok(Receipt {
            kind: ReceiptKind::from_word(reader.str("kind")?).ok_or(JsonFault::Wrong("kind"))?,
            gateway: reader.parse("gateway")?,
            time: reader.time("time-micros")?,
            case: reader.parse("case")?,
            leaf: reader.parse("leaf")?,
            checkpoint,
            submission: reader.maybe("submission")?,
            document: reader.maybe("document")?,
            contents: reader.maybe("contents-sha256")?,
            packet: reader.maybe("packet-sha256")?,
            dispatch: reader.maybe("dispatch")?,
            addressees: reader.objects("addressees", |one| {
                Ok(AddresseeResult {
                    code: one.parse("code")?,
                    result: one.parse("result")?,
                })
            })?,
            reasons: reader.objects("reasons", Refusal::from_json)?,
            remarks: reader.objects("remarks", Remark::from_json)?,
        })
    }
}

/// A reason with its texts, so that whoever reads the receipt needs no table.
fn reason(refusal: &Refusal) -> Value {
    let words = refusal.text();
    let values = refusal
        .values
        .iter()
        .fold(Writer::new(), |writer, (name, value)| writer.text(name, value));
    Writer::new()
        .text("code", refusal.code.word())
        .value("values", values.end())
        .text("article", words.article)
        .text("vi", words.vi)
        .text("en", words.en)
        .list("action", [text(words.action_vi), text(words.action_en)])
        .end()
}

/// RFC 3339 in Vietnam time (QĐ 28 Đ14.4), to the microsecond.
pub fn vietnam_time(time: Time) -> String {
    match jiff::Timestamp::from_microsecond(time.as_micros()) {
        Ok(instant) => instant.display_with_offset(Offset::constant(7)).to_string(),
        Err(_) => format!("{} us", time.as_micros()),
    }
}

/// Reads an RFC 3339 time of any offset.
pub fn parse_time(text: &str) -> Option<Time> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(|instant| Time::from_micros(instant.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::refusal::RefusalCode;

    fn full() -> Receipt {
        let gateway = Code::parse("000.00.00.X99").expect("a code");
        let time = Time::from_micros(1_790_000_000_123_456);
        let case = CaseId::from_bytes([7; 16]);
        let leaf = Digest::of(b"event");
        let mut receipt = Receipt::new(ReceiptKind::SubmissionRejection, gateway, case, time, leaf);
        receipt.checkpoint = Some(Checkpoint {
            size: 41,
            root: Digest::of(b"chain"),
        });
        receipt.submission = Some("s1".to_owned());
        receipt.document = Some("000.00.00.X01,2026/11/21,13/2020/QĐ-UBND".to_owned());
        receipt.contents = Some(Digest::of(b"contents"));
        receipt.packet = Some(Digest::of(b"packet"));
        receipt.dispatch = Some(DispatchId::from_bytes([1; 16]));
        receipt.addressees = vec![AddresseeResult {
            code: "000.00.00.X02".to_owned(),
            result: "accepted".to_owned(),
        }];
        receipt.reasons = vec![Refusal::new(RefusalCode::DocumentIdTaken).with("case", "c")];
        receipt.remarks = vec![Remark::new("unsigned", 1u32)];
        receipt
    }

    #[test]
    fn a_receipt_reads_back_what_it_writes() {
        let receipt = full();
        assert_eq!(Receipt::decode(&receipt.encode()), Ok(receipt.clone()));
        let bare = Receipt {
            checkpoint: None,
            dispatch: None,
            ..receipt
        };
        assert_eq!(Receipt::decode(&bare.encode()), Ok(bare));
    }

    #[test]
    fn times_are_written_in_vietnam_and_read_back() {
        let receipt = full();
        let text = vietnam_time(receipt.time);
        assert!(text.ends_with("+07:00"), "{text}");
        assert_eq!(parse_time(&text), Some(receipt.time));
    }

    #[test]
    fn the_published_schema_names_every_field_and_kind() {
        let schema = include_str!("../../../schemas/receipt.schema.json");
        let schema: Value = serde_json::from_str(schema).expect("JSON");
        let names = |value: &Value| -> BTreeSet<String> {
            value.as_object().expect("an object").keys().cloned().collect()
        };
        let written: Value = serde_json::from_slice(&full().encode()).expect("JSON");
        assert_eq!(names(&schema["properties"]), names(&written));
        let reason = &schema["properties"]["reasons"]["items"]["properties"];
        assert_eq!(names(reason), names(&written["reasons"][0]));
        let kinds: BTreeSet<&str> = ReceiptKind::ALL
            .iter()
            .filter(|kind| **kind != ReceiptKind::Repeat)
            .map(|kind| kind.word())
            .collect();
        let listed = schema["properties"]["kind"]["enum"].as_array().expect("a list");
        assert_eq!(
            listed.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>(),
            kinds
        );
    }
}
