//! The payload of one frame, with every short string in it made readable: what [`crate::frames`] has done to each frame.
//!
//! AMQP 0-9-1 (§4.2.5.3) says that a short string is UTF-8. RabbitMQ does not look when it takes a message, and hands
//! the octets on as they came; lapin takes the whole connection down over them, and finds the same message first in the
//! next one. Here octets that are no UTF-8 become `?`, one for one. Long strings stay as they are: lapin takes them as
//! octets too.
//!
//! A table inside tables without end is the same trap: lapin's reader and ours call themselves once a level, and a frame
//! has room for more levels than a thread has stack. What lies deeper than [`NESTING_MAX`] is not looked into; its type
//! becomes that of a byte array, which is written in the same way.
//!
//! **Invariant**: no length changes, neither of the payload nor of anything in it.
//! **Invariant**: a payload that is not laid out as its kind demands stays as it is, to the octet.

use std::ops::Range;

/// Levels of tables and arrays in headers, the headers themselves included. What RabbitMQ adds by itself (`x-death`)
/// has three.
const NESTING_MAX: usize = 16;

/// Stands for an octet that is no UTF-8.
const SUBSTITUTE: u8 = b'?';

/// The class of all methods that bring a message (AMQP 0-9-1 §1.8).
const BASIC: u16 = 60;

/// class-id, weight and body size of a content header (AMQP 0-9-1 §4.2.6.1).
const BEFORE_FLAGS: usize = 2 + 2 + 8;

/// Whose payload it is. Other kinds of frames carry no short strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A method (AMQP 0-9-1 §4.2.4). Only those that bring a message hold words of whoever published it.
    Method,
    /// The header of a content, with its properties (§4.2.6.1).
    ContentHeader,
}

/// What comes next in a payload.
#[derive(Debug, Clone, Copy)]
enum Field {
    /// A length of one octet, and a text (§4.2.5.3).
    ShortString,
    /// A length of four octets, and names with values (§4.2.5.5).
    Table,
    /// So many octets of numbers and bits.
    Octets(usize),
}

/// The properties of class basic in the order of their flags, from the highest (AMQP 0-9-1 §1.8).
const PROPERTIES: [Field; 14] = [
    Field::ShortString, // content-type
    Field::ShortString, // content-encoding
    Field::Table,       // headers
    Field::Octets(1),   // delivery-mode
    Field::Octets(1),   // priority
    Field::ShortString, // correlation-id
    Field::ShortString, // reply-to
    Field::ShortString, // expiration
    Field::ShortString, // message-id
    Field::Octets(8),   // timestamp
    Field::ShortString, // type
    Field::ShortString, // user-id
    Field::ShortString, // app-id
    Field::ShortString, // cluster-id
];

/// basic.return (AMQP 0-9-1 §1.8, method 50): reply-code, reply-text, exchange, routing-key.
const RETURN: &[Field] = &[
    Field::Octets(2),
    Field::ShortString,
    Field::ShortString,
    Field::ShortString,
];

/// basic.deliver (method 60): consumer-tag, delivery-tag and redelivered, exchange, routing-key.
const DELIVER: &[Field] = &[
    Field::ShortString,
    Field::Octets(9),
    Field::ShortString,
    Field::ShortString,
];

/// basic.get-ok (method 71): delivery-tag and redelivered, exchange, routing-key, message-count.
const GET_OK: &[Field] = &[
    Field::Octets(9),
    Field::ShortString,
    Field::ShortString,
    Field::Octets(4),
];

/// Makes the short strings of a payload UTF-8, in place.
pub(crate) fn mend(kind: Kind, payload: &mut [u8]) {
    // First only looking: nearly every payload is in order, and one that is not laid out well must stay whole.
    let mut survey = Walk::new(payload, false);
    if survey.payload(kind).is_some() && survey.unfit {
        Walk::new(payload, true).payload(kind);
    }
}

/// Where the table of headers stands in the payload of a content header, its length of four octets included.
pub(crate) fn headers(payload: &mut [u8]) -> Option<Range<usize>> {
    let mut walk = Walk::new(payload, false);
    walk.take(BEFORE_FLAGS)?;
    let flags = walk.short()?;
    for (number, field) in PROPERTIES.into_iter().enumerate() {
        if flags & (0x8000_u16 >> number) == 0 {
            continue;
        }
        let start = walk.at;
        match field {
            Field::Table => {
                walk.long_string()?;
                return Some(start..walk.at);
            }
            Field::ShortString | Field::Octets(_) => walk.field(field)?,
        }
    }
    None
}

/// One way through a payload. Everything that reads gives `None` where the layout does not allow it.
struct Walk<'a> {
    octets: &'a mut [u8],
    at: usize,
    /// Where the table or array ends that is being read, or the payload.
    end: usize,
    mending: bool,
    /// Something was met that lapin would not take.
    unfit: bool,
}

impl Walk<'_> {
    fn new(octets: &mut [u8], mending: bool) -> Walk<'_> {
        let end = octets.len();
        Walk {
            octets,
            at: 0,
            end,
            mending,
            unfit: false,
        }
    }

    fn payload(&mut self, kind: Kind) -> Option<()> {
        match kind {
            Kind::Method => self.method(),
            Kind::ContentHeader => self.content_header(),
        }
    }

    fn method(&mut self) -> Option<()> {
        let fields = match (self.short()?, self.short()?) {
            (BASIC, 50) => RETURN,
            (BASIC, 60) => DELIVER,
            (BASIC, 71) => GET_OK,
            _ => return Some(()),
        };
        for field in fields {
            self.field(*field)?;
        }
        self.ended()
    }

    fn content_header(&mut self) -> Option<()> {
        self.take(BEFORE_FLAGS)?;
        // The lowest bit would announce more flags (§4.2.6.1). Class basic has none; RabbitMQ and lapin both do not
        // look at the bit, and whoever did would let a message through that sets it for nothing.
        let flags = self.short()?;
        for (number, field) in PROPERTIES.into_iter().enumerate() {
            if flags & (0x8000_u16 >> number) != 0 {
                self.field(field)?;
            }
        }
        self.ended()
    }

    fn field(&mut self, field: Field) -> Option<()> {
        match field {
            Field::ShortString => self.short_string(),
            Field::Table => self.table(1),
            Field::Octets(count) => self.skip(count),
        }
    }

    fn short_string(&mut self) -> Option<()> {
        let length = usize::from(self.octet()?);
        let mending = self.mending;
        let text = self.take(length)?;
        if std::str::from_utf8(text).is_err() {
            if mending {
                substitute(text);
            }
            self.unfit = true;
        }
        Some(())
    }

    fn table(&mut self, level: usize) -> Option<()> {
        let outer = self.enter()?;
        while self.at < self.end {
            self.short_string()?;
            self.value(level)?;
        }
        self.end = outer;
        Some(())
    }

    fn array(&mut self, level: usize) -> Option<()> {
        let outer = self.enter()?;
        while self.at < self.end {
            self.value(level)?;
        }
        self.end = outer;
        Some(())
    }

    /// A value in a table or array of this level. The types are those that RabbitMQ knows (the errata of AMQP 0-9-1,
    /// not its §4.2.1, where `s` is a short string): it takes no message with others.
    fn value(&mut self, level: usize) -> Option<()> {
        let kind_at = self.at;
        match self.octet()? {
            b'V' => Some(()),
            b't' | b'b' | b'B' => self.skip(1),
            b's' | b'U' | b'u' => self.skip(2),
            b'I' | b'i' | b'f' => self.skip(4),
            b'D' => self.skip(5),
            b'l' | b'L' | b'd' | b'T' => self.skip(8),
            b'S' | b'x' => self.long_string(),
            b'A' | b'F' if level >= NESTING_MAX => self.close_up(kind_at),
            b'A' => self.array(level + 1),
            b'F' => self.table(level + 1),
            _ => None,
        }
    }

    /// Makes a byte array of the table or array whose type is at `kind_at` and has just been read.
    fn close_up(&mut self, kind_at: usize) -> Option<()> {
        self.unfit = true;
        if self.mending {
            *self.octets.get_mut(kind_at)? = b'x';
        }
        self.long_string()
    }

    fn long_string(&mut self) -> Option<()> {
        let length = self.length()?;
        self.skip(length)
    }

    /// Reads a length, and lets what it is the length of be the end. Gives the end of before.
    fn enter(&mut self) -> Option<usize> {
        let length = self.length()?;
        let end = self.at.checked_add(length).filter(|end| *end <= self.end)?;
        Some(std::mem::replace(&mut self.end, end))
    }

    fn ended(&self) -> Option<()> {
        (self.at == self.end).then_some(())
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_be_bytes(*self.take(4)?.first_chunk()?)).ok()
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count)?;
        Some(())
    }

    fn take(&mut self, count: usize) -> Option<&mut [u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.end)?;
        let taken = self.octets.get_mut(self.at..end)?;
        self.at = end;
        Some(taken)
    }
}

/// Puts [`SUBSTITUTE`] for every octet that is no part of UTF-8.
fn substitute(mut text: &mut [u8]) {
    while let Err(fault) = std::str::from_utf8(text) {
        let good = fault.valid_up_to();
        // Without a length the text ends within a character.
        let bad = fault.error_len().unwrap_or(text.len() - good);
        text[good..good + bad].fill(SUBSTITUTE);
        text = &mut text[good + bad..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_that_is_no_utf_8_is_substituted_by_one() {
        let cases: [(&[u8], &str); 5] = [
            (b"\xff\xfe", "??"),
            (b"a\xe2\x82b", "a??b"),
            (b"\xc3\xa9\xc3", "é?"),
            (b"\xed\xa0\x80", "???"),
            (b"\x00\x7f", "\x00\x7f"),
        ];
        for (text, readable) in cases {
            let mut text = text.to_vec();
            substitute(&mut text);
            assert_eq!(text, readable.as_bytes());
        }
    }
}
