//! Names of things: newtypes that only `parse` can make, so that a text of one kind is never taken for another.

use std::fmt;
use std::str::FromStr;

use trust::{Digest, Time};
use uuid::Uuid;

/// Why a text is not an id of the kind wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}")]
pub struct NotAnId {
    /// The kind that was wanted, in the words of this project.
    pub kind: &'static str,
}

/// An agency's internal identity. Codes, names and accounts change and are reused; this never does.
/// Written `a17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgencyId(u32);

impl AgencyId {
    /// The agency with this number; the directory alone gives numbers out.
    pub fn from_number(number: u32) -> AgencyId {
        AgencyId(number)
    }

    /// The number behind the id.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for AgencyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

impl FromStr for AgencyId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<AgencyId, NotAnId> {
        let wrong = NotAnId { kind: "agency id" };
        let digits = text.strip_prefix('a').ok_or(wrong.clone())?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong);
        }
        digits.parse().map(AgencyId).map_err(|_| wrong)
    }
}

/// Makes a newtype over a text that obeys a grammar of its own.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it obeys the grammar.
            ///
            /// # Errors
            /// [`NotAnId`] when it does not.
            pub fn parse(text: &str) -> Result<$name, NotAnId> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) { Ok($name(text.to_owned())) } else { Err(NotAnId { kind: $kind }) }
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<$name, NotAnId> {
                $name::parse(text)
            }
        }
    };
}

fn printable(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && text.trim() == text && !text.chars().any(char::is_control)
}

text_id!(
    /// A broker account of an agency: opaque, because codes change and their dots would split routing keys.
    AccountId,
    "account id",
    |text| !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);

text_id!(
    /// An agency code as written in `OrganId`: QCVN 102, QĐ 20/2020 or neither (the directory decides, not syntax).
    /// At most 35 characters in law (QĐ 20 Đ4); 64 bytes here, because real traffic holds other forms too.
    Code,
    "agency code",
    |text| printable(text, 64)
);

text_id!(
    /// The id a sender gave its document (`DocumentId`, QCVN 102 1.14): text, kept as written.
    DocumentId,
    "document id",
    |text| printable(text, 512)
);

text_id!(
    /// One submission, as its sender named it (AMQP `message-id`): repeated by a retry, new for a new attempt.
    SubmissionId,
    "submission id",
    |text| printable(text, 128) && text.is_ascii()
);

/// All that is known of one packet is a case; this is its name (UUIDv7, so that cases sort by time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(Uuid);

impl CaseId {
    /// The case with this UUID; the caller brings time and randomness.
    pub fn from_uuid(uuid: Uuid) -> CaseId {
        CaseId(uuid)
    }

    /// The sixteen bytes, for index keys.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The case whose sixteen bytes these are.
    pub fn from_bytes(bytes: [u8; 16]) -> CaseId {
        CaseId(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for CaseId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<CaseId, NotAnId> {
        Uuid::try_parse(text)
            .map(CaseId)
            .map_err(|_| NotAnId { kind: "case id" })
    }
}

/// One thing for one agency. Made of event, addressee and kind, so that a restart makes the same one and the connector
/// can drop repeats. Ids of a later event sort behind: whoever keeps them in order writes at one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DispatchId([u8; 16]);

impl DispatchId {
    /// The milliseconds of the time of the event that caused it (48 bits, as in a UUIDv7), then the first 80 bits of
    /// SHA-256 over a version, the event's leaf hash, the addressee and the kind's own letter.
    pub fn derive(time: Time, leaf: &Digest, to: AgencyId, kind: u8) -> DispatchId {
        let mut input = Vec::with_capacity(64);
        input.extend_from_slice(b"dispatch/1\0");
        input.extend_from_slice(leaf.as_bytes());
        input.extend_from_slice(&to.number().to_be_bytes());
        input.push(kind);
        let whole = Digest::of(&input);
        // Below zero only with a clock before 1970.
        let milliseconds = u64::try_from(time.as_micros() / 1000).unwrap_or(0);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&whole.as_bytes()[..10]);
        DispatchId(bytes)
    }

    /// The time of the event that caused it, to the millisecond.
    pub fn time(&self) -> Time {
        let milliseconds = self.0[..6]
            .iter()
            .fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
        Time::from_micros(milliseconds * 1000)
    }

    /// The sixteen bytes, for index keys.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The dispatch whose sixteen bytes these are.
    pub fn from_bytes(bytes: [u8; 16]) -> DispatchId {
        DispatchId(bytes)
    }
}

impl fmt::Display for DispatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for DispatchId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<DispatchId, NotAnId> {
        let wrong = NotAnId { kind: "dispatch id" };
        let bytes = text.as_bytes();
        if bytes.len() != 32 {
            return Err(wrong);
        }
        let mut half = [0; 16];
        for (place, pair) in half.iter_mut().zip(bytes.chunks_exact(2)) {
            let digit = |b: u8| match b {
                b'0'..=b'9' => Some(b - b'0'),
                b'a'..=b'f' => Some(b - b'a' + 10),
                _ => None,
            };
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong);
            };
            *place = high << 4 | low;
        }
        Ok(DispatchId(half))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_write() {
        let agency = AgencyId::from_number(17);
        assert_eq!(agency.to_string().parse(), Ok(agency));
        let dispatch = DispatchId::derive(Time::from_micros(1), &Digest::of(b"event"), agency, b'p');
        assert_eq!(dispatch.to_string().parse(), Ok(dispatch));
        let case = CaseId::from_bytes([7; 16]);
        assert_eq!(case.to_string().parse(), Ok(case));
    }

    #[test]
    fn a_dispatch_id_depends_on_event_addressee_and_kind() {
        let (at, leaf, to) = (
            Time::from_micros(1_790_000_000_123_456),
            Digest::of(b"event"),
            AgencyId::from_number(1),
        );
        let id = DispatchId::derive(at, &leaf, to, b'p');
        assert_eq!(id, DispatchId::derive(at, &leaf, to, b'p'));
        assert_eq!(id.time().as_micros(), at.as_micros() / 1000 * 1000);
        assert_ne!(id, DispatchId::derive(at, &leaf, to, b'r'));
        assert_ne!(id, DispatchId::derive(at, &leaf, AgencyId::from_number(2), b'p'));
        assert_ne!(id, DispatchId::derive(at, &Digest::of(b"other"), to, b'p'));
    }

    #[test]
    fn dispatch_ids_of_later_events_sort_behind() {
        let id = |micros, leaf: &[u8]| {
            let at = Time::from_micros(micros);
            DispatchId::derive(at, &Digest::of(leaf), AgencyId::from_number(1), b'p')
        };
        let ids: Vec<_> = (0..100_i64)
            .map(|n| id(1_790_000_000_000_000 + n * 1000, &n.to_be_bytes()))
            .collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn texts_that_break_a_grammar_are_no_ids() {
        for wrong in ["", "A17", "17", "a", "a-1", "a99999999999"] {
            assert!(wrong.parse::<AgencyId>().is_err(), "{wrong:?}");
        }
        assert!(AccountId::parse("a17-1").is_ok());
        for wrong in ["", "a.17", "A17", "a#", &"a".repeat(41)] {
            assert!(AccountId::parse(wrong).is_err(), "{wrong:?}");
        }
        for wrong in ["", " 000.00.00.H53", "000.00\n.00.H53", &"0".repeat(65)] {
            assert!(Code::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(SubmissionId::parse("số").is_err());
    }
}
