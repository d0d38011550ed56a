//! Why not: refusals and remarks, as codes with values. Their texts stand in `schemas/refusals.csv`.
//!
//! **Invariant:** a refusal is the sender's matter. What is ours to mend is a fault and never comes here.
//! **Invariant:** values are codes, ids and numbers; never a subject, a name or content.

use std::borrow::Cow;

use serde_json::Value;
use trust::Indication;
use trust::pdf::PdfFault;

use crate::ids::{CaseId, DocumentId};
use crate::json::{JsonFault, Reader, Writer};
use crate::packet::PacketFault;

/// The published table, one row a code.
pub const TABLE: &str = include_str!("../../../schemas/refusals.csv");

/// Declares the closed list of codes once, with its published word.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// Why a submission is refused. The word is the stable code of `schemas/refusals.csv`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $variant,)* }

        impl RefusalCode {
            /// Every code, the most helpful first: this is the order in which reasons are reported.
            pub const ALL: &'static [RefusalCode] = &[$(RefusalCode::$variant,)*];

            /// The published word.
            pub fn word(self) -> &'static str {
                match self { $(RefusalCode::$variant => $word,)* }
            }
        }
    };
}

codes! {
    /// Not well-formed, truncated, wrongly encoded, or of another format.
    PacketUnreadable = "PACKET_UNREADABLE",
    /// Larger than the limit of this gateway.
    PacketTooLarge = "PACKET_TOO_LARGE",
    /// `From` names a code the directory does not hold.
    SenderUnknown = "SENDER_UNKNOWN",
    /// `From` names another agency than the authenticated one.
    SenderMismatch = "SENDER_MISMATCH",
    /// The sending agency is suspended or closed.
    SenderInactive = "SENDER_INACTIVE",
    /// A required element or content is missing.
    PacketIncomplete = "PACKET_INCOMPLETE",
    /// A file was changed after signing, or is built so that what was signed cannot be told.
    FileManipulated = "FILE_MANIPULATED",
    /// A PDF is encrypted or bears a password: nobody can tell what was signed.
    FileEncrypted = "FILE_ENCRYPTED",
    /// A signature does not verify.
    SignatureInvalid = "SIGNATURE_INVALID",
    /// A signer's certificate is revoked.
    SignerRevoked = "SIGNER_REVOKED",
    /// No path to a configured anchor.
    SignerUntrusted = "SIGNER_UNTRUSTED",
    /// Valid signatures, none of which belongs to the sender.
    SignerNotSender = "SIGNER_NOT_SENDER",
    /// The packet's own signature is demanded of this agency, and there is none.
    PacketSignatureMissing = "PACKET_SIGNATURE_MISSING",
    /// The packet's own signature does not verify, and one that does is demanded of this agency.
    PacketSignatureInvalid = "PACKET_SIGNATURE_INVALID",
    /// The main document lacks signatures that this gateway demands.
    LegalValueLacking = "LEGAL_VALUE_LACKING",
    /// Nobody is addressed. Journals of before hold it also for addressees that could not receive.
    AddresseeNone = "ADDRESSEE_NONE",
    /// An accepted, unrecalled document of the sender bears the id, with other content.
    DocumentIdTaken = "DOCUMENT_ID_TAKEN",
    /// One submission id for two different packets.
    SubmissionIdReused = "SUBMISSION_ID_REUSED",
    /// A recall, update or replacement of what the sender never sent.
    TargetUnknown = "TARGET_UNKNOWN",
    /// A replacement that names more documents than one packet may.
    TargetsTooMany = "TARGETS_TOO_MANY",
    /// A document that was sent under its id, updated, replaced and recalled as often as one may be.
    ChangesTooMany = "CHANGES_TOO_MANY",
    /// A status about a document that is not known.
    StatusCaseUnknown = "STATUS_CASE_UNKNOWN",
    /// A status of an agency that was not addressed.
    StatusNotAddressee = "STATUS_NOT_ADDRESSEE",
    /// A status that contradicts an earlier one.
    StatusContradiction = "STATUS_CONTRADICTION",
    /// More statuses about one document and addressee than either side may report.
    StatusesTooMany = "STATUSES_TOO_MANY",
    /// What was held could not be settled within its limit.
    HeldTooLong = "HELD_TOO_LONG",
    /// What waited for a person was returned by one.
    PacketReturned = "PACKET_RETURNED",
    // Sayable only when nobody can receive, one for each code in `To`. They stand last, so that where there are more
    // reasons than are told at once, it is some of these that are left out and no other.
    /// An addressee's code is not in the directory.
    AddresseeUnknown = "ADDRESSEE_UNKNOWN",
    /// An addressee is suspended.
    AddresseeSuspended = "ADDRESSEE_SUSPENDED",
    /// An addressee is closed and nobody came after it.
    AddresseeClosed = "ADDRESSEE_CLOSED",
    /// An addressee has no account to receive with.
    AddresseeUnreachable = "ADDRESSEE_UNREACHABLE",
}

impl RefusalCode {
    /// The code that this word names.
    pub fn from_word(word: &str) -> Option<RefusalCode> {
        RefusalCode::ALL.iter().copied().find(|code| code.word() == word)
    }
}

/// Characters of a value in a reason or remark at most; receipts and events stay small whatever a packet holds.
pub const VALUE_CHARS_MAX: usize = 120;

/// The text itself, or its first [`VALUE_CHARS_MAX`] characters with an ellipsis.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// What may be said of something that a sender wrote where a code, a number or a date belongs: itself if it may be one, else
/// only its length. Events are for ever, and software maps its fields wrongly: a person's name where a code belongs stays
/// with its sender.
pub fn told(text: &str) -> Cow<'_, str> {
    const MARKS: &str = "./,:_-@";
    let is_code = |letter: char| letter.is_ascii_alphanumeric() || MARKS.contains(letter);
    if text.len() <= VALUE_CHARS_MAX && text.chars().all(is_code) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("a text of {} characters", text.chars().count()))
    }
}

/// What a reason or a remark may say of something. A text of a sender becomes one only by [`Sayable::written`]; our own words,
/// ids, numbers, indications and faults are taken as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sayable(String);

impl Sayable {
    /// What a sender wrote, as far as it may be said ([`told`]).
    pub fn written(text: &str) -> Sayable {
        Sayable(told(text).into_owned())
    }

    /// Words of ours that are no constants: what an event holds already, the name of an authority.
    pub fn ours(text: &str) -> Sayable {
        Sayable(text.to_owned())
    }

    /// With more behind `joint`.
    #[must_use]
    pub fn and(mut self, joint: &'static str, more: impl Into<Sayable>) -> Sayable {
        self.0.push_str(joint);
        self.0.push_str(&more.into().0);
        self
    }
}

impl From<&'static str> for Sayable {
    fn from(word: &'static str) -> Sayable {
        Sayable::ours(word)
    }
}

/// What says itself by its `Display`: it is ours, or hides what is not but names of elements.
macro_rules! says_itself {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Sayable {
            fn from(it: $kind) -> Sayable {
                Sayable(it.to_string())
            }
        }
    )*};
}

says_itself!(u32, u64, usize, CaseId, &DocumentId, &PacketFault, PdfFault);

impl From<Indication> for Sayable {
    fn from(indication: Indication) -> Sayable {
        Sayable(indication_words(indication))
    }
}

/// The indication in ETSI's words, with the sub-indication behind a slash.
pub fn indication_words(indication: Indication) -> String {
    match indication {
        Indication::TotalPassed => "TOTAL-PASSED".to_owned(),
        Indication::TotalFailed(why) => format!("TOTAL-FAILED/{}", why.name()),
        Indication::Indeterminate(why) => format!("INDETERMINATE/{}", why.name()),
    }
}

/// One reason why not, with the values its text needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// Values for the placeholders of the text, in the order of the table's English text.
    pub values: Vec<(String, String)>,
}

impl Refusal {
    /// A reason without values yet.
    pub fn new(code: RefusalCode) -> Refusal {
        Refusal {
            code,
            values: Vec::new(),
        }
    }

    /// That the time is over in which this could have come.
    pub fn held_too_long(waits: &[Remark]) -> Refusal {
        let waits: Vec<&str> = waits.iter().map(|wait| wait.code.as_str()).collect();
        Refusal::new(RefusalCode::HeldTooLong).with("reason", Sayable::ours(&waits.join(", ")))
    }

    /// With the value of one placeholder; of a value longer than [`VALUE_CHARS_MAX`] only the beginning.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Sayable>) -> Refusal {
        self.values.push((name.to_owned(), shortened(&value.into().0)));
        self
    }

    /// The article of law, the texts and what to do, with the values filled in.
    pub fn text(&self) -> RefusalText {
        let row = row(self.code.word()).expect("a test holds the table and the codes equal");
        let fill = |text: &str| {
            let put =
                |text: String, (name, value): &(String, String)| text.replace(&format!("{{{name}}}"), value);
            self.values.iter().fold(text.to_owned(), put)
        };
        let [_, article, vi, en, action_vi, action_en] = row;
        RefusalText {
            article,
            vi: fill(&vi),
            en: fill(&en),
            action_vi: fill(&action_vi),
            action_en: fill(&action_en),
        }
    }

    /// As an object of a receipt or an event.
    pub fn to_json(&self) -> Value {
        let values = self
            .values
            .iter()
            .fold(Writer::new(), |writer, (name, value)| writer.text(name, value));
        Writer::new()
            .text("code", self.code.word())
            .value("values", values.end())
            .end()
    }

    /// Reads what [`Refusal::to_json`] wrote.
    ///
    /// # Errors
    /// [`JsonFault`] when a field is missing or the code is not known.
    pub fn from_json(object: Reader<'_>) -> Result<Refusal, JsonFault> {
        let code = RefusalCode::from_word(object.str("code")?).ok_or(JsonFault::Wrong("code"))?;
        let mut values = Vec::new();
        for (name, value) in object.object("values")?.entries() {
            values.push((
                name.clone(),
                value.as_str().ok_or(JsonFault::Wrong("values"))?.to_owned(),
            ));
        }
        Ok(Refusal { code, values })
    }
}

/// A refusal in words, Vietnamese first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalText {
    /// The article of law or regulation that it rests on.
    pub article: String,
    /// What is wrong, in Vietnamese.
    pub vi: String,
    /// What is wrong, in English.
    pub en: String,
    /// What the sender should do, in Vietnamese.
    pub action_vi: String,
    /// What the sender should do, in English.
    pub action_en: String,
}

fn row(word: &str) -> Option<[String; 6]> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let found = reader
        .records()
        .filter_map(Result::ok)
        .find(|record| record.get(0) == Some(word))?;
    let cells: Vec<String> = found.iter().map(str::to_owned).collect();
    cells.try_into().ok()
}

/// Something worth noting that is no reason to refuse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// A stable lower-case code, for instance `enclosure-signature-invalid`.
    pub code: String,
    /// What it is about: an attachment's index, an element, an indication. Never content.
    pub about: String,
}

impl Remark {
    /// A remark with what it is about.
    pub fn new(code: &str, about: impl Into<Sayable>) -> Remark {
        Remark {
            code: code.to_owned(),
            about: shortened(&about.into().0),
        }
    }

    /// As an object of a receipt or an event.
    pub fn to_json(&self) -> Value {
        Writer::new()
            .text("code", &self.code)
            .text("about", &self.about)
            .end()
    }

    /// Reads what [`Remark::to_json`] wrote.
    ///
    /// # Errors
    /// [`JsonFault`] when a field is missing.
    pub fn from_json(object: Reader<'_>) -> Result<Remark, JsonFault> {
        Ok(Remark {
            code: object.str("code")?.to_owned(),
            about: object.str("about")?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_codes_are_equal() {
        let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
        let mut words = Vec::new();
        for record in reader.records() {
            let record = record.expect("a well-formed row");
            assert_eq!(record.len(), 6, "{record:?}");
            assert!(
                record.iter().all(|cell| !cell.trim().is_empty()),
                "an empty cell in {record:?}"
            );
            words.push(record[0].to_owned());
        }
        let mut codes: Vec<&str> = RefusalCode::ALL.iter().map(|code| code.word()).collect();
        words.sort();
        codes.sort_unstable();
        assert_eq!(words, codes);
    }

    #[test]
    fn values_are_filled_into_both_languages() {
        let refusal = Refusal::new(RefusalCode::SenderUnknown).with("code", "000.00.00.X01");
        let text = refusal.text();
        assert!(
            text.vi.contains("000.00.00.X01") && text.en.contains("000.00.00.X01"),
            "{text:?}"
        );
    }

    #[test]
    fn every_placeholder_is_in_both_languages() {
        for record in csv::Reader::from_reader(TABLE.as_bytes()).records() {
            let record = record.expect("a well-formed row");
            let names = |text: &str| {
                let mut names: Vec<String> = text
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| rest.split('}').next().map(str::to_owned))
                    .collect();
                names.sort();
                names
            };
            assert_eq!(names(&record[2]), names(&record[3]), "{}", &record[0]);
        }
    }

    #[test]
    fn a_long_value_is_told_by_its_beginning() {
        let edge = "ă".repeat(VALUE_CHARS_MAX);
        assert_eq!(shortened(&edge), edge);
        assert_eq!(shortened(&format!("{edge}x")), format!("{edge}…"));
        let refusal =
            Refusal::new(RefusalCode::SenderUnknown).with("code", Sayable::ours(&"x".repeat(10_000)));
        assert_eq!(refusal.values[0].1.chars().count(), VALUE_CHARS_MAX + 1);
    }

    #[test]
    fn what_may_be_no_code_is_told_by_its_length() {
        for code in ["", "000.00.01.H53", "2014/02/30", "vxp.saas.03", "a-b_c@d:1,2"] {
            assert_eq!(told(code), code);
        }
        assert_eq!(told("Bà Thử"), "a text of 6 characters");
        assert_eq!(told("Nguyen Van Thu"), "a text of 14 characters");
        assert_eq!(told(&"1".repeat(200)), "a text of 200 characters");
    }

    #[test]
    fn a_remark_tells_ours_whole_and_of_a_senders_text_only_what_may_be_said() {
        let about = Sayable::from(3u32)
            .and("/", 1u32)
            .and(": ", Sayable::written("Bà Thử"));
        let remark = Remark::new("x", about.and(", ", Sayable::ours("CN=Cơ quan chứng thực")));
        assert_eq!(remark.about, "3/1: a text of 6 characters, CN=Cơ quan chứng thực");
    }

    #[test]
    fn a_refusal_reads_back_what_it_writes() {
        let refusal = Refusal::new(RefusalCode::DocumentIdTaken).with("case", "x");
        let value = refusal.to_json();
        assert_eq!(
            Refusal::from_json(Reader::new(&value).expect("an object")),
            Ok(refusal)
        );
    }
}
