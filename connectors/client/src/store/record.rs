//! Records: what the log of a connector is made of.
//!
//! Each is one thing that happened to one account's outbox or inbox. State is the fold of records in log order, live
//! and after a restart alike ([`Book::apply`](super::book::Book::apply)).
//!
//! Layout: `tag u8 | account | fields | body`; texts are `length u16 | UTF-8`, times are `i64` microseconds,
//! little-endian. The version stands at the head of each segment.
//!
//! **Invariant:** `decode(encode(record)) == record`; bytes of another shape are refused.

use domain::dispatch::{DispatchKind, Rank};
use domain::ids::{AccountId, CaseId, DispatchId, SubmissionId};
use domain::receipt::ReceiptKind;
use trust::Time;

/// What a payload begins with.
pub(super) const TAGS: std::ops::RangeInclusive<u8> = 1..=10;

/// A record and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) account: AccountId,
    pub(crate) record: Record,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// A packet is to be submitted.
    Entered(Entered),
    /// The broker confirmed a submission.
    Published { submission: SubmissionId, at: Time },
    /// A dispatch was taken from the inbox queue.
    Arrived(Arrived),
    /// The gateway's broker holds our confirmation of these handovers.
    Confirmed { dispatches: Vec<DispatchId> },
    /// The agency's software has the dispatch.
    Taken { dispatch: DispatchId },
    /// A recall came before the software took the dispatch.
    Withdrawn { dispatch: DispatchId, by: DispatchId },
    /// Its arrival (status 01) is reported, or not to be.
    Reported { dispatch: DispatchId },
    /// Ids carried forward from a segment that goes.
    Known { ids: Vec<Known> },
    /// The notice that a submission is held, carried forward from a segment that goes.
    Held(Held),
    /// It was answered by the receipt of another submission of its case.
    Settled { submission: SubmissionId },
}

/// A submission that waits for its final receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(crate) submission: SubmissionId,
    pub(crate) rank: Rank,
    pub(crate) at: Time,
    /// The dispatch whose arrival this packet reports.
    pub(crate) reports: Option<DispatchId>,
    pub(crate) body: Vec<u8>,
}

/// A dispatch as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) dispatch: DispatchId,
    pub(crate) at: Time,
    pub(crate) kind: DispatchKind,
    pub(crate) case: Option<CaseId>,
    pub(crate) sender: Option<String>,
    pub(crate) document: Option<String>,
    /// For a receipt: its kind by its header.
    pub(crate) receipt: Option<ReceiptKind>,
    /// For a receipt: the submission that it answers.
    pub(crate) submission: Option<SubmissionId>,
    pub(crate) due: Due,
    pub(crate) body: Vec<u8>,
}

/// A notice of the gateway that it holds a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) submission: SubmissionId,
    /// What brought the notice.
    pub(crate) dispatch: DispatchId,
    pub(crate) at: Time,
    /// The case whose decision answers it.
    pub(crate) case: Option<CaseId>,
    /// The receipt.
    pub(crate) body: Vec<u8>,
}

/// What a stored dispatch still asks of the connector, besides being handed to the software.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// Its arrival is to be reported (status 01).
    Arrival,
    /// It is a receipt that was checked: its submission is answered.
    Answer,
}

/// One id that is remembered to drop repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) dispatch: DispatchId,
    pub(crate) at: Time,
    pub(crate) handover: Handover,
}

/// Whether the handover of a stored dispatch is confirmed to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handover {
    /// The broker holds the confirmation.
    Confirmed,
    /// To be confirmed (again).
    Open,
}

impl Logged {
    /// Appends the payload.
    pub(crate) fn encode(&self, buffer: &mut Vec<u8>) {
        let tag = match &self.record {
            Record::Entered(_) => 1,
            Record::Published { .. } => 2,
            Record::Arrived(_) => 3,
            Record::Confirmed { .. } => 4,
            Record::Taken { .. } => 5,
            Record::Withdrawn { .. } => 6,
            Record::Reported { .. } => 7,
            Record::Known { .. } => 8,
            Record::Held(_) => 9,
            Record::Settled { .. } => 10,
        };
        let mut put = Put(buffer);
        put.byte(tag);
        put.text(self.account.as_str());
        match &self.record {
            Record::Entered(entered) => entered.encode(&mut put),
            Record::Published { submission, at } => {
                put.text(submission.as_str());
                put.time(*at);
            }
            Record::Arrived(arrived) => arrived.encode(&mut put),
            Record::Confirmed { dispatches } => {
                dispatches.iter().for_each(|dispatch| put.dispatch(*dispatch))
            }
            Record::Taken { dispatch } | Record::Reported { dispatch } => put.dispatch(*dispatch),
            Record::Withdrawn { dispatch, by } => {
                put.dispatch(*dispatch);
                put.dispatch(*by);
            }
            Record::Known { ids } => ids.iter().for_each(|known| {
                put.dispatch(known.dispatch);
                put.time(known.at);
                put.byte(u8::from(known.handover == Handover::Open));
            }),
            Record::Held(held) => held.encode(&mut put),
            Record::Settled { submission } => put.text(submission.as_str()),
        }
    }

    /// Bytes of the packet or receipt in it.
    pub(crate) fn body_bytes(&self) -> usize {
        match &self.record {
            Record::Entered(entered) => entered.body.len(),
            Record::Arrived(arrived) => arrived.body.len(),
            Record::Held(held) => held.body.len(),
            Record::Published { .. }
            | Record::Confirmed { .. }
            | Record::Taken { .. }
            | Record::Withdrawn { .. }
            | Record::Reported { .. }
            | Record::Known { .. }
            | Record::Settled { .. } => 0,
        }
    }

    /// Reads a payload; `None` when it is of another shape.
    pub(crate) fn decode(payload: &[u8]) -> Option<Logged> {
        let mut get = Get(payload);
        let tag = get.byte()?;
        let account = AccountId::parse(get.text()?).ok()?;
        let record = match tag {
            1 => Record::Entered(Entered::decode(&mut get)?),
            2 => Record::Published {
                submission: get.submission()?,
                at: get.time()?,
            },
            3 => Record::Arrived(Arrived::decode(&mut get)?),
            4 => Record::Confirmed {
                dispatches: get.all(Get::dispatch)?,
            },
            5 => Record::Taken {
                dispatch: get.dispatch()?,
            },
            6 => Record::Withdrawn {
                dispatch: get.dispatch()?,
                by: get.dispatch()?,
            },
            7 => Record::Reported {
                dispatch: get.dispatch()?,
            },
            8 => Record::Known {
                ids: get.all(Get::known)?,
            },
            9 => Record::Held(Held::decode(&mut get)?),
            10 => Record::Settled {
                submission: get.submission()?,
            },
            _ => return None,
        };
        get.0.is_empty().then_some(Logged { account, record })
    }
}

impl Record {
    /// The packet or receipt in it.
    pub(crate) fn into_body(self) -> Vec<u8> {
        match self {
            Record::Entered(entered) => entered.body,
            Record::Arrived(arrived) => arrived.body,
            Record::Held(held) => held.body,
            Record::Published { .. }
            | Record::Confirmed { .. }
            | Record::Taken { .. }
            | Record::Withdrawn { .. }
            | Record::Reported { .. }
            | Record::Known { .. }
            | Record::Settled { .. } => Vec::new(),
        }
    }
}

impl Entered {
    fn encode(&self, put: &mut Put<'_>) {
        put.text(self.submission.as_str());
        put.byte(match self.rank {
            Rank::Urgent => 0,
            Rank::Normal => 1,
        });
        put.time(self.at);
        put.maybe_dispatch(self.reports);
        put.0.extend_from_slice(&self.body);
    }

    fn decode(get: &mut Get<'_>) -> Option<Entered> {
        let submission = get.submission()?;
        let rank = match get.byte()? {
            0 => Rank::Urgent,
            1 => Rank::Normal,
            _ => return None,
        };
        Some(Entered {
            submission,
            rank,
            at: get.time()?,
            reports: get.maybe_dispatch()?,
            body: get.rest(),
        })
    }
}

impl Held {
    fn encode(&self, put: &mut Put<'_>) {
        put.text(self.submission.as_str());
        put.dispatch(self.dispatch);
        put.time(self.at);
        put.text(&self.case.map(|case| case.to_string()).unwrap_or_default());
        put.0.extend_from_slice(&self.body);
    }

    fn decode(get: &mut Get<'_>) -> Option<Held> {
        Some(Held {
            submission: get.submission()?,
            dispatch: get.dispatch()?,
            at: get.time()?,
            case: get.maybe(|text| text.parse().ok())?,
            body: get.rest(),
        })
    }
}

impl Arrived {
    fn encode(&self, put: &mut Put<'_>) {
        put.dispatch(self.dispatch);
        put.time(self.at);
        put.byte(self.kind.letter());
        put.byte(match self.due {
            Due::Nothing => 0,
            Due::Arrival => 1,
            Due::Answer => 2,
        });
        put.text(&self.case.map(|case| case.to_string()).unwrap_or_default());
        put.text(self.sender.as_deref().unwrap_or_default());
        put.text(self.document.as_deref().unwrap_or_default());
        put.text(self.receipt.map(ReceiptKind::word).unwrap_or_default());
        put.text(
            self.submission
                .as_ref()
                .map(SubmissionId::as_str)
                .unwrap_or_default(),
        );
        put.0.extend_from_slice(&self.body);
    }

    fn decode(get: &mut Get<'_>) -> Option<Arrived> {
        let (dispatch, at, letter) = (get.dispatch()?, get.time()?, get.byte()?);
        let due = match get.byte()? {
            0 => Due::Nothing,
            1 => Due::Arrival,
            2 => Due::Answer,
            _ => return None,
        };
        Some(Arrived {
            dispatch,
            at,
            kind: DispatchKind::ALL
                .into_iter()
                .find(|kind| kind.letter() == letter)?,
            due,
            case: get.maybe(|text| text.parse().ok())?,
            sender: get.maybe(|text| Some(text.to_owned()))?,
            document: get.maybe(|text| Some(text.to_owned()))?,
            receipt: get.maybe(ReceiptKind::from_word)?,
            submission: get.maybe(|text| SubmissionId::parse(text).ok())?,
            body: get.rest(),
        })
    }
}

struct Put<'a>(&'a mut Vec<u8>);

impl Put<'_> {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("ids and headers are limited far below 64 KiB");
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn time(&mut self, time: Time) {
        self.0.extend_from_slice(&time.as_micros().to_le_bytes());
    }

    fn dispatch(&mut self, dispatch: DispatchId) {
        self.0.extend_from_slice(dispatch.as_bytes());
    }

    fn maybe_dispatch(&mut self, dispatch: Option<DispatchId>) {
        self.byte(u8::from(dispatch.is_some()));
        if let Some(dispatch) = dispatch {
            self.dispatch(dispatch);
        }
    }
}

struct Get<'a>(&'a [u8]);

impl<'a> Get<'a> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn byte(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::from(u16::from_le_bytes(self.chunk()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// A text that may be empty, which says that there is none.
    fn maybe<T>(&mut self, read: impl FnOnce(&'a str) -> Option<T>) -> Option<Option<T>> {
        match self.text()? {
            "" => Some(None),
            text => read(text).map(Some),
        }
    }

    fn time(&mut self) -> Option<Time> {
        self.chunk()
            .map(|bytes| Time::from_micros(i64::from_le_bytes(bytes)))
    }

    fn dispatch(&mut self) -> Option<DispatchId> {
        self.chunk().map(DispatchId::from_bytes)
    }

    fn maybe_dispatch(&mut self) -> Option<Option<DispatchId>> {
        match self.byte()? {
            0 => Some(None),
            1 => self.dispatch().map(Some),
            _ => None,
        }
    }

    fn submission(&mut self) -> Option<SubmissionId> {
        SubmissionId::parse(self.text()?).ok()
    }

    fn known(&mut self) -> Option<Known> {
        let (dispatch, at) = (self.dispatch()?, self.time()?);
        let handover = match self.byte()? {
            0 => Handover::Confirmed,
            1 => Handover::Open,
            _ => return None,
        };
        Some(Known {
            dispatch,
            at,
            handover,
        })
    }

    fn all<T>(&mut self, read: impl Fn(&mut Get<'a>) -> Option<T>) -> Option<Vec<T>> {
        let mut found = Vec::new();
        while !self.0.is_empty() {
            found.push(read(self)?);
        }
        Some(found)
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account() -> AccountId {
        AccountId::parse("a17").expect("an account")
    }

    fn reads_back(record: Record) {
        let logged = Logged {
            account: account(),
            record,
        };
        let mut bytes = Vec::new();
        logged.encode(&mut bytes);
        assert_eq!(Logged::decode(&bytes), Some(logged));
    }

    proptest! {
        #[test]
        fn records_read_back(
            id in any::<[u8; 16]>(), micros in any::<i64>(), body in prop::collection::vec(any::<u8>(), 0..64),
            document in "[a-z0-9,/ ]{0,20}",
        ) {
            let (dispatch, at) = (DispatchId::from_bytes(id), Time::from_micros(micros));
            let submission = SubmissionId::parse("0190-x").expect("an id");
            reads_back(Record::Held(Held {
                submission: submission.clone(), dispatch, at, case: Some(CaseId::from_bytes(id)), body: body.clone(),
            }));
            reads_back(Record::Entered(Entered {
                submission: submission.clone(), rank: Rank::Urgent, at, reports: Some(dispatch), body: body.clone(),
            }));
            reads_back(Record::Published { submission: submission.clone(), at });
            reads_back(Record::Settled { submission: submission.clone() });
            reads_back(Record::Arrived(Arrived {
                dispatch, at, kind: DispatchKind::Receipt, case: Some(CaseId::from_bytes(id)), sender: None,
                document: (!document.is_empty()).then_some(document), due: Due::Answer,
                receipt: Some(ReceiptKind::SubmissionAcceptance), submission: Some(submission), body,
            }));
            reads_back(Record::Confirmed { dispatches: vec![dispatch, dispatch] });
            reads_back(Record::Taken { dispatch });
            reads_back(Record::Withdrawn { dispatch, by: dispatch });
            reads_back(Record::Reported { dispatch });
            reads_back(Record::Known { ids: vec![Known { dispatch, at, handover: Handover::Open }] });
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(logged) = Logged::decode(&bytes) {
                let mut again = Vec::new();
                logged.encode(&mut again);
                prop_assert_eq!(Logged::decode(&again), Some(logged));
            }
        }
    }
}
