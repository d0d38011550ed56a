//! The operators of a content stream (ISO 32000-2 §7.8.2, annex A): whether they give back what they take, and whether
//! they draw anything.
//!
//! What a look may not do to what stands around it is bounded by readers that save their state before it and restore it
//! after it: an operator too many, and the look takes over the page.
//!
//! **Invariant**: of `q` and `Q`, of texts, and of the marks of content, each opens and closes in the stream itself, the last
//! to open first.
//! **Invariant**: what is no operator of the standard is a fault, and so is one in an array or with too few words before it:
//! readers split it and pass over it in ways of their own.

use super::super::PdfFault;
use super::super::budget::Budget;
use super::super::parse::{Parser, is_number, is_regular};

/// Operators that neither draw by themselves nor open or close anything.
const SILENT: &[&[u8]] = &[
    b"BX", b"EX", b"CS", b"cs", b"SC", b"SCN", b"sc", b"scn", b"G", b"g", b"RG", b"rg", b"K", b"k", b"cm",
    b"gs", b"w", b"J", b"j", b"M", b"d", b"ri", b"i", b"m", b"l", b"c", b"v", b"y", b"h", b"re", b"n", b"W",
    b"W*", b"Tc", b"Tw", b"Tz", b"TL", b"Tf", b"Tr", b"Ts", b"Td", b"TD", b"Tm", b"T*", b"MP", b"DP",
];

/// Operators that draw.
const DRAWING: &[&[u8]] = &[
    b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"sh", b"Tj", b"TJ", b"'", b"\"",
];

/// What an operator opened and another one has to close.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// `q`.
    State,
    /// `BMC`, `BDC`.
    Mark,
    /// `BT`.
    Text,
}

/// What was found of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// It draws by itself.
    pub(super) draws: bool,
    /// What of its resources it draws.
    pub(super) invoked: Vec<Box<[u8]>>,
    /// It says that it is a glyph (§9.6.4).
    pub(super) is_glyph: bool,
}

/// Reads a whole stream, decoded.
pub(super) fn read(octets: &[u8], budget: &Budget) -> Result<Content, PdfFault> {
    let mut parser = Parser::new(octets, 0);
    let mut content = Content::default();
    // Readers that unwind differently see different things where these cross.
    let mut opened: Vec<Opened> = Vec::new();
    let (mut name, mut operands, mut is_in_text) = (None, 0_usize, false);
    loop {
        parser.skip_space();
        let fault = PdfFault::Syntax { offset: parser.at };
        let Some(next) = octets.get(parser.at) else { break };
        if matches!(next, b'(' | b'<' | b'/' | b'[') {
            let before = budget.objects_left();
            let operand = parser.object(budget)?;
            budget.release_objects(before - budget.objects_left());
            // There are none in a content: readers see three words.
            if super::has_references(&operand) {
                return Err(fault);
            }
            name = operand.as_name().map(Box::from);
            operands += 1;
            continue;
        }
        let rest = &octets[parser.at..];
        let length = rest.iter().take_while(|octet| is_regular(**octet)).count();
        let word = &rest[..length];
        parser.at += length;
        if is_number(word) || matches!(word, b"true" | b"false" | b"null") {
            name = None;
            operands += 1;
            continue;
        }
        match (word, operands) {
            (b"q", 0) => opened.push(Opened::State),
            (b"BMC", 1) | (b"BDC", 2) => opened.push(Opened::Mark),
            // Of texts none is inside another.
            (b"BT", 0) if !is_in_text => {
                is_in_text = true;
                opened.push(Opened::Text);
            }
            (b"Q", 0) if opened.last() == Some(&Opened::State) => drop(opened.pop()),
            (b"EMC", 0) if opened.last() == Some(&Opened::Mark) => drop(opened.pop()),
            (b"ET", 0) if opened.last() == Some(&Opened::Text) => {
                is_in_text = false;
                opened.pop();
            }
            (b"Do", 1) => content.invoked.push(name.take().ok_or(fault)?),
            (b"d0", 2) | (b"d1", 6) => content.is_glyph = true,
            (b"q" | b"Q" | b"BMC" | b"BDC" | b"EMC" | b"Do" | b"BT" | b"ET" | b"d0" | b"d1", _) => {
                return Err(fault);
            }
            _ if DRAWING.contains(&word) => content.draws = true,
            _ if SILENT.contains(&word) => {}
            _ => return Err(fault),
        }
        (name, operands) = (None, 0);
    }
    if opened.is_empty() && operands == 0 {
        Ok(content)
    } else {
        Err(PdfFault::Syntax { offset: octets.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(octets: &[u8]) -> Option<Content> {
        read(octets, &Budget::new(octets.len(), 1000)).ok()
    }

    #[test]
    fn what_draws_is_told_from_what_does_not() {
        let content = |draws: bool, invoked: &[&[u8]]| Content {
            draws,
            invoked: invoked.iter().map(|name| Box::from(*name)).collect(),
            is_glyph: false,
        };
        for (octets, draws, invoked) in [
            (&b""[..], false, &[][..]),
            (b"% DSBlank\n", false, &[]),
            (b"q 1 0 0 1 0 -.5 cm BT /F1 12 Tf ET Q", false, &[]),
            (b"q /n0 Do Q /n#31 Do", false, &[&b"n0"[..], b"n1"]),
            (b"0 0 9 9 re n", false, &[]),
            (b"0 0 9 9 re f", true, &[]),
            (b"BT (Q) Tj ET", true, &[]),
            (b"[(Q) -1.5 <51>] TJ", true, &[]),
            (b"/Tx BMC q Q EMC", false, &[]),
            (b"q /Tx BMC BT ET EMC Q BT /Tx BMC EMC ET", false, &[]),
            (b"/OC << /Q [1] >> BDC EMC", false, &[]),
            (b"[3 5] 6 d", false, &[]),
        ] {
            let found = of(octets);
            assert_eq!(
                found,
                Some(content(draws, invoked)),
                "{}",
                String::from_utf8_lossy(octets)
            );
        }
    }

    #[test]
    fn what_takes_more_than_it_gives_back_is_a_fault() {
        for octets in [
            &b"Q"[..],
            b"q Q Q q",
            b"q",
            b"EMC",
            b"/Tx BMC",
            b"QQ",
            b"1Q",
            b"q 1..2 w Q",
            b"BI /W 1 ID x EI",
            b"qQ",
            b")",
            b">",
            b"{ }",
            b"(open",
            b"foo",
            b"BX foo EX",
            b"[ q q ] Q Q q q",
            b"[q] 0 d",
            b"]",
            b"[1",
            b"BMC EMC",
            b"/OC BDC EMC",
            b"Do",
            b"(X) Do",
            b"1 /X Do",
            b"1 q Q",
            b"[1 0 R] TJ",
            b"1",
            b"Q% \nq",
            b"1-",
            b"-",
            b".",
            b"BT",
            b"ET",
            b"BT BT ET ET",
            b"BT q ET Q",
            b"q BT Q ET",
            b"/Tx BMC q EMC Q",
            b"q /Tx BMC Q EMC",
            b"BT /Tx BMC ET EMC",
            b"BT q BT ET Q ET",
            b"1 BT ET",
            b"9 0 d1",
        ] {
            assert_eq!(of(octets), None, "{}", String::from_utf8_lossy(octets));
        }
    }

    #[test]
    fn a_glyph_says_that_it_is_one() {
        for (octets, is_glyph) in [
            (&b"9 0 d0"[..], true),
            (b"9 0 0 0 9 9 d1 0 0 9 9 re f", true),
            (b"", false),
        ] {
            assert_eq!(of(octets).map(|found| found.is_glyph), Some(is_glyph));
        }
    }

    proptest! {
        #[test]
        fn no_content_panics(octets in "[qQBMCDE <>/()\\[\\]0-9.%\\\\\n-]{0,60}") {
            let _ = of(octets.as_bytes());
        }
    }
}
