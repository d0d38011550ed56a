//! An agency: an identity inside the gateway, and everything about it that changes, with dates.
//!
//! Stands under every step of the road: who sent, who is addressed, whose certificate it is, whose inbox. The
//! directory holds all of them and is the only one that changes them.
//!
//! Names, codes, seals and superiors come and go, and provinces, districts and codes were merged, abolished and
//! given anew in 2025 (QĐ 09/2025/QĐ-TTg): what does not change is the [`AgencyId`] alone.
//!
//! **Invariant:** in a [`History`] one value holds at a time, and the spans are in the order of time.
//! **Invariant:** an agency that has a [`Succession`] is closed, for ever; whoever returns gets a new identity.

use trust::{Digest, Time};

use crate::ids::{AccountId, AgencyId, Code};

/// A value and the time during which it holds: from `from`, up to but without `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    /// What holds.
    pub value: T,
    /// Its first microsecond.
    pub from: Time,
    /// The first microsecond after it; `None` while nobody ended it.
    pub until: Option<Time>,
}

impl<T> Dated<T> {
    /// A value that holds from this time on.
    pub fn since(value: T, from: Time) -> Dated<T> {
        Dated {
            value,
            from,
            until: None,
        }
    }

    /// The value, if it holds at this time.
    pub fn at(&self, time: Time) -> Option<&T> {
        (self.from <= time && self.until.is_none_or(|until| time < until)).then_some(&self.value)
    }

    /// Whether both hold at some common time.
    pub(crate) fn meets<U>(&self, other: &Dated<U>) -> bool {
        self.until.is_none_or(|until| other.from < until) && other.until.is_none_or(|until| self.from < until)
    }
}

/// What one thing was in the course of time; at any time it has one value or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<T>(Vec<Dated<T>>);

impl<T> Default for History<T> {
    fn default() -> History<T> {
        History(Vec::new())
    }
}

impl<T> History<T> {
    /// One value from this time on.
    pub fn since(value: T, from: Time) -> History<T> {
        History(vec![Dated::since(value, from)])
    }

    /// All spans, oldest first.
    pub fn spans(&self) -> &[Dated<T>] {
        &self.0
    }

    /// What held at this time.
    pub fn at(&self, time: Time) -> Option<&T> {
        self.0.iter().rev().find_map(|span| span.at(time))
    }

    /// What holds and has no end yet.
    pub fn current(&self) -> Option<&T> {
        self.0
            .last()
            .filter(|span| span.until.is_none())
            .map(|span| &span.value)
    }

    /// The newest value, ended or not.
    pub fn newest(&self) -> Option<&T> {
        self.0.last().map(|span| &span.value)
    }

    /// Ends what holds. What began at this very time never held, and leaves no trace.
    pub(crate) fn end(&mut self, at: Time) {
        end_spans(&mut self.0, at, |_| true);
    }

    /// Lets another value hold from `at` on, or none.
    pub(crate) fn set(&mut self, value: Option<T>, at: Time) {
        self.end(at);
        self.0.extend(value.map(|value| Dated::since(value, at)));
    }
}

/// Ends every open span that `which` picks. A span that would be left without duration goes altogether.
pub(crate) fn end_spans<T>(spans: &mut Vec<Dated<T>>, at: Time, which: impl Fn(&T) -> bool) {
    let ends = |span: &Dated<T>| span.until.is_none() && which(&span.value);
    spans.retain(|span| !(ends(span) && span.from >= at));
    for span in spans.iter_mut() {
        if span.until.is_none() && which(&span.value) {
            span.until = Some(at);
        }
    }
}

/// Who stands behind a certificate (NĐ 30/2020 Đ7: an authorised person's and the organisation's signature).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signatory {
    /// A person who may sign for the agency.
    Person,
    /// The agency itself: its seal.
    Organisation,
    /// A machine of the agency: connections and automatic signatures, never a seal.
    Device,
}

impl Signatory {
    /// All kinds, for tables and tests.
    pub const ALL: [Signatory; 3] = [Signatory::Person, Signatory::Organisation, Signatory::Device];

    /// The word in events, in the index and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Signatory::Person => "person",
            Signatory::Organisation => "organisation",
            Signatory::Device => "device",
        }
    }

    /// The kind that this word names.
    pub fn from_word(word: &str) -> Option<Signatory> {
        Signatory::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A certificate that the agency declared to be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedCertificate {
    /// SHA-256 of the certificate's DER.
    pub fingerprint: Digest,
    /// Who stands behind it.
    pub signatory: Signatory,
}

/// How the software behind an account wants to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answers {
    /// Signed receipts only.
    Receipts,
    /// Signed receipts, and a refusal once more as edXML status packet 02, for software that knows nothing else.
    ReceiptsAndStatus,
}

impl Answers {
    /// All ways, for tables and tests.
    pub const ALL: [Answers; 2] = [Answers::Receipts, Answers::ReceiptsAndStatus];

    /// The word in events, in the index and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Answers::Receipts => "receipts",
            Answers::ReceiptsAndStatus => "receipts-and-status",
        }
    }

    /// The way that this word names.
    pub fn from_word(word: &str) -> Option<Answers> {
        Answers::ALL.into_iter().find(|way| way.word() == word)
    }
}

/// One document system of an agency, as the broker and the HTTP port know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id, which no other account ever gets again.
    pub id: AccountId,
    /// How it is answered.
    pub answers: Answers,
    /// When it was opened.
    pub opened_at: Time,
    /// When it was closed; `None` while it is open.
    pub closed_at: Option<Time>,
}

impl Account {
    /// Whether it may be used at this time.
    pub fn is_open(&self, time: Time) -> bool {
        self.opened_at <= time && self.closed_at.is_none_or(|closed| time < closed)
    }
}

/// Whether an agency takes part in the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It sends and receives.
    Active,
    /// It neither sends nor is addressed, for a while; its inbox waits for it.
    Suspended,
    /// It has ended. What was its own is its heirs', if it has any.
    Closed,
}

impl Standing {
    /// All standings, for tables and tests.
    pub const ALL: [Standing; 3] = [Standing::Active, Standing::Suspended, Standing::Closed];

    /// The word in the index, in logs and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Active => "active",
            Standing::Suspended => "suspended",
            Standing::Closed => "closed",
        }
    }

    /// The standing that this word names.
    pub fn from_word(word: &str) -> Option<Standing> {
        Standing::ALL.into_iter().find(|standing| standing.word() == word)
    }
}

/// How an agency ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It went into another agency (hợp nhất, sáp nhập).
    Merged,
    /// It was divided into several (chia). An agency that lives on and only gives up a part has not ended.
    Split,
    /// It was abolished (giải thể), with or without a successor.
    Closed,
}

impl Ending {
    /// The word in the index and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Merged => "merged",
            Ending::Split => "split",
            Ending::Closed => "closed",
        }
    }
}

/// The end of an agency and who came after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// How it ended.
    pub ending: Ending,
    /// When.
    pub at: Time,
    /// Who may act for it since: the first also holds its inbox. Empty when nobody came after it.
    pub heirs: Vec<AgencyId>,
}

/// What one agency is to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The next one up in the chain of command.
    Parent,
    /// The territory it sits in. A central body sits in a province without belonging to it.
    Place,
    /// Who follows up its documents: late ones, refused ones.
    Watcher,
}

impl Relation {
    /// All relations.
    pub const ALL: [Relation; 3] = [Relation::Parent, Relation::Place, Relation::Watcher];

    /// The word in events, in faults and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Relation::Parent => "parent",
            Relation::Place => "place",
            Relation::Watcher => "watcher",
        }
    }
}

/// One agency, with its past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its identity.
    pub id: AgencyId,
    /// Its name, as the decision that founded or renamed it writes it.
    pub names: History<String>,
    /// Its codes, several at a time: QCVN 102, QĐ 20/2020, and forms that fit neither but are used.
    pub codes: Vec<Dated<Code>>,
    /// The next ones up in the chain of command.
    pub parents: History<AgencyId>,
    /// The territories it sat in.
    pub places: History<AgencyId>,
    /// Who followed it up.
    pub watchers: History<AgencyId>,
    /// Its level of administration, as the province names it: levels are data (the district level ended in 2025).
    pub level: String,
    /// The certificates that it may seal and sign with.
    pub certificates: Vec<Dated<PinnedCertificate>>,
    /// Its document systems, in the order of opening.
    pub accounts: Vec<Account>,
    /// Whether it takes part.
    pub standings: History<Standing>,
    /// Its end, if it has come.
    pub succession: Option<Succession>,
}

impl Agency {
    /// Its newest name, for display.
    pub fn name(&self) -> &str {
        self.names
            .newest()
            .expect("an agency is added with a name")
            .as_str()
    }

    /// The codes that hold and have no end yet.
    pub fn codes_current(&self) -> impl Iterator<Item = &Code> {
        self.codes
            .iter()
            .filter(|code| code.until.is_none())
            .map(|code| &code.value)
    }

    /// Its standing now, after the last change.
    pub fn standing(&self) -> Standing {
        *self.standings.current().expect("an agency always has a standing")
    }

    /// What it is to others in this relation, with dates.
    pub fn relation(&self, relation: Relation) -> &History<AgencyId> {
        match relation {
            Relation::Parent => &self.parents,
            Relation::Place => &self.places,
            Relation::Watcher => &self.watchers,
        }
    }

    pub(crate) fn relation_mut(&mut self, relation: Relation) -> &mut History<AgencyId> {
        match relation {
            Relation::Parent => &mut self.parents,
            Relation::Place => &mut self.places,
            Relation::Watcher => &mut self.watchers,
        }
    }

    /// The account whose inbox is the agency's: the oldest that is open.
    pub fn receiving_account(&self, time: Time) -> Option<&Account> {
        self.accounts.iter().find(|account| account.is_open(time))
    }

    /// An account id that this agency has not had: `a17-1`, `a17-2` and so on. Opaque to everybody else.
    pub fn next_account(&self) -> AccountId {
        let text = format!("{}-{}", self.id, self.accounts.len() + 1);
        AccountId::parse(&text).expect("letters, digits and a hyphen are an account id")
    }

    /// The signatory behind a certificate that was the agency's own at `sent_at` and was not unpinned by `now`. That
    /// the agency ended meanwhile is no unpinning.
    pub fn pinned(&self, fingerprint: &Digest, sent_at: Time, now: Time) -> Option<Signatory> {
        let ended = self.succession.as_ref().map(|succession| succession.at);
        let own = |pin: &&Dated<PinnedCertificate>| {
            let unpinned = pin.until.filter(|_| pin.until != ended);
            pin.value.fingerprint == *fingerprint && unpinned.is_none_or(|at| now < at)
        };
        let mut pins = self.certificates.iter().filter(own);
        pins.find_map(|pin| pin.at(sent_at)).map(|pin| pin.signatory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(micros: i64) -> Time {
        Time::from_micros(micros)
    }

    #[test]
    fn one_value_holds_at_a_time_and_ends_where_the_next_begins() {
        let mut names = History::since("one", time(10));
        names.set(Some("two"), time(20));
        assert_eq!(
            [9, 10, 19, 20].map(|t| names.at(time(t)).copied()),
            [None, Some("one"), Some("one"), Some("two")]
        );
        names.end(time(30));
        assert_eq!(
            (names.at(time(30)), names.current(), names.newest()),
            (None, None, Some(&"two"))
        );
    }

    #[test]
    fn what_is_replaced_at_the_same_time_never_held() {
        let mut names = History::since("one", time(10));
        names.set(Some("two"), time(10));
        assert_eq!(names.spans(), [Dated::since("two", time(10))]);
    }
}
