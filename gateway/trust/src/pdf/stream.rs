//! Streams: where their octets are, and what those of cross-references and object streams hold (ISO 32000-2 §7.3.8,
//! §7.4.4).
//!
//! **Invariant**: what all streams of a file inflate to is limited (`budget`); of content streams only those are inflated that
//! later revisions show.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::PdfFault;
use super::budget::Budget;
use super::object::{Dictionary, Object};
use super::parse::{Parser, is_space};

/// `stream`, `length` octets, `endstream`; the cursor stands behind the dictionary.
pub(super) fn read_extent(
    bytes: &[u8],
    parser: &mut Parser<'_>,
    length: usize,
) -> Result<Range<usize>, PdfFault> {
    parser.skip_space();
    parser.keyword(b"stream")?;
    let before = parser.at;
    parser.skip_line_end();
    // A lone carriage return is not allowed behind `stream`: readers differ about it (§7.3.8.1).
    if parser.at == before || bytes.get(parser.at - 1) != Some(&b'\n') {
        return Err(PdfFault::Syntax { offset: before });
    }
    let start = parser.at;
    let end = start.checked_add(length).filter(|end| *end <= bytes.len());
    let end = end.ok_or(PdfFault::Syntax { offset: start })?;
    parser.at = end;
    parser.skip_line_end();
    parser.keyword(b"endstream")?;
    Ok(start..end)
}

/// What says in other words where a stream is and how it is packed: abbreviations, and streams in files of their own (§7.3.8.2).
const OTHER_KEYS: [&[u8]; 4] = [b"F", b"DP", b"FFilter", b"FDecodeParms"];

/// The decoded octets: no filter, or FlateDecode with no or a PNG predictor. Of what readers differ about nothing is taken: one
/// that unpacks a stream otherwise finds other objects in it.
pub(super) fn decode(dictionary: &Dictionary, data: &[u8], budget: &Budget) -> Result<Vec<u8>, PdfFault> {
    let is_empty_filter = dictionary.names(b"Filter") && dictionary.get(b"Filter").is_none();
    if is_empty_filter || OTHER_KEYS.iter().any(|key| dictionary.names(key)) {
        return Err(PdfFault::Filter);
    }
    let (filter, parameters) = match (dictionary.get(b"Filter"), dictionary.get(b"DecodeParms")) {
        (None, None) => (None, None),
        (Some(Object::Array(filters)), None) => (Some(sole(filters)?), None),
        (Some(Object::Array(filters)), Some(Object::Array(parameters))) => {
            (Some(sole(filters)?), Some(sole(parameters)?))
        }
        (Some(Object::Array(_)), Some(_)) | (_, Some(Object::Array(_))) | (None, Some(_)) => {
            return Err(PdfFault::Filter);
        }
        (Some(filter), parameters) => (Some(filter), parameters),
    };
    let decoded = match filter {
        None => {
            budget.take_stream_bytes(data.len())?;
            data.to_vec()
        }
        Some(Object::Name(name)) if &**name == b"FlateDecode" => inflate(data, budget)?,
        Some(_) => return Err(PdfFault::Filter),
    };
    match parameters {
        None | Some(Object::Null) => Ok(decoded),
        Some(Object::Dictionary(parameters)) => undo_predictor(parameters, decoded),
        Some(_) => Err(PdfFault::Filter),
    }
}

/// The same of what is drawn: writers of pictures pack it once more in letters (§7.4.2, §7.4.3).
pub(super) fn decode_content(
    dictionary: &Dictionary,
    data: &[u8],
    budget: &Budget,
) -> Result<Vec<u8>, PdfFault> {
    let filters = match (dictionary.get(b"Filter"), dictionary.names(b"DecodeParms")) {
        (Some(Object::Array(filters)), false) => &filters[..],
        (Some(filter), false) => std::slice::from_ref(filter),
        (Some(_) | None, _) => &[],
    };
    let in_letters = filters
        .split_first()
        .and_then(|(first, rest)| match first.as_name()? {
            b"ASCII85Decode" => Some((ascii_85(data), rest)),
            b"ASCIIHexDecode" => Some((ascii_hexadecimal(data), rest)),
            _ => None,
        });
    let Some((unpacked, rest)) = in_letters else {
        return decode(dictionary, data, budget);
    };
    let unpacked = unpacked.ok_or(PdfFault::Filter)?;
    if OTHER_KEYS.iter().any(|key| dictionary.names(key)) {
        return Err(PdfFault::Filter);
    }
    match rest {
        [] => {
            budget.take_stream_bytes(unpacked.len())?;
            Ok(unpacked)
        }
        [Object::Name(name)] if &**name == b"FlateDecode" => inflate(&unpacked, budget),
        _ => Err(PdfFault::Filter),
    }
}

/// What stands before the end of data, which must be there; nothing but white space follows it.
fn before_end<'d>(data: &'d [u8], end: &[u8]) -> Option<impl Iterator<Item = u8> + 'd> {
    let at = memchr::memmem::find(data, end)?;
    let is_over = data[at + end.len()..].iter().all(|octet| is_space(*octet));
    is_over.then(|| data[..at].iter().copied().filter(|octet| !is_space(*octet)))
}

fn ascii_hexadecimal(data: &[u8]) -> Option<Vec<u8>> {
    let digits = before_end(data, b">")?.map(crate::digest::hex_value);
    let mut digits: Vec<u8> = digits.collect::<Option<_>>()?;
    if digits.len() % 2 == 1 {
        digits.push(0);
    }
    Some(
        digits
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[high, low]| high << 4 | low)
            .collect(),
    )
}

fn ascii_85(data: &[u8]) -> Option<Vec<u8>> {
    let mut group = Vec::with_capacity(5);
    let mut octets = Vec::new();
    for letter in before_end(data, b"~>")? {
        match letter {
            b'z' if group.is_empty() => octets.extend([0; 4]),
            b'!'..=b'u' => group.push(letter - b'!'),
            _ => return None,
        }
        if group.len() == 5 {
            octets.extend(base_85(&group)?);
            group.clear();
        }
    }
    let rest = group.len();
    if rest > 0 {
        group.resize(5, 84);
        octets.extend(
            base_85(&group)?
                .into_iter()
                .take(rest.checked_sub(1).filter(|rest| *rest > 0)?),
        );
    }
    Some(octets)
}

fn base_85(digits: &[u8]) -> Option<[u8; 4]> {
    let value = digits
        .iter()
        .fold(0_u64, |value, digit| value * 85 + u64::from(*digit));
    u32::try_from(value).ok().map(u32::to_be_bytes)
}

fn inflate(data: &[u8], budget: &Budget) -> Result<Vec<u8>, PdfFault> {
    let mut decoded = Vec::new();
    let limit = u64::try_from(budget.stream_bytes_left())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut decoder = ZlibDecoder::new(data);
    (&mut decoder)
        .take(limit)
        .read_to_end(&mut decoded)
        .map_err(|_| PdfFault::Filter)?;
    budget.take_stream_bytes(decoded.len())?;
    let taken = usize::try_from(decoder.total_in()).map_err(|_| PdfFault::Filter)?;
    // What follows, another reader may find.
    let is_whole = data
        .get(taken..)
        .is_some_and(|rest| rest.iter().all(|octet| is_space(*octet)));
    is_whole.then_some(decoded).ok_or(PdfFault::Filter)
}

/// The only item of an array.
fn sole(items: &[Object]) -> Result<&Object, PdfFault> {
    match items {
        [one] => Ok(one),
        _ => Err(PdfFault::Filter),
    }
}

/// A number that is written as one, or what is meant where it is absent.
fn number(parameters: &Dictionary, key: &[u8], otherwise: i64) -> Result<i64, PdfFault> {
    match parameters.get(key) {
        None => Ok(otherwise),
        Some(number) => number.as_integer().ok_or(PdfFault::Filter),
    }
}

fn undo_predictor(parameters: &Dictionary, data: Vec<u8>) -> Result<Vec<u8>, PdfFault> {
    let is_octets =
        number(parameters, b"Colors", 1)? == 1 && number(parameters, b"BitsPerComponent", 8)? == 8;
    let columns = number(parameters, b"Columns", 1)?;
    match number(parameters, b"Predictor", 1)? {
        1 => return Ok(data),
        10..=15 => {}
        _ => return Err(PdfFault::Filter),
    }
    let columns = usize::try_from(columns)
        .ok()
        .filter(|columns| is_octets && (1..=4096).contains(columns));
    let columns = columns.ok_or(PdfFault::Filter)?;
    let mut rows = data.chunks_exact(columns + 1);
    let mut decoded = Vec::with_capacity(data.len());
    let mut above = vec![0_u8; columns];
    for row in rows.by_ref() {
        let (kind, row) = (row[0], &row[1..]);
        let mut left = 0_u8;
        let mut above_left = 0_u8;
        for (column, octet) in row.iter().enumerate() {
            let up = above[column];
            let predicted = match kind {
                0 => 0,
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => paeth(left, up, above_left),
                _ => return Err(PdfFault::Filter),
            };
            left = octet.wrapping_add(predicted);
            above_left = up;
            above[column] = left;
        }
        decoded.extend_from_slice(&above);
    }
    if rows.remainder().is_empty() {
        Ok(decoded)
    } else {
        Err(PdfFault::Filter)
    }
}

/// The Paeth predictor (RFC 2083 §6.6).
fn paeth(left: u8, up: u8, above_left: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(above_left);
    let distance = |octet: u8| (estimate - i16::from(octet)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(above_left) {
        left
    } else if distance(up) <= distance(above_left) {
        up
    } else {
        above_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_up_predictor_is_undone() {
        let text = b"<< /Predictor 12 /Columns 2 >>";
        let Ok(Object::Dictionary(parameters)) = Parser::new(text, 0).object(&Budget::new(text.len(), 9))
        else {
            panic!("a dictionary");
        };
        assert_eq!(
            undo_predictor(&parameters, vec![2, 1, 2, 2, 1, 1]),
            Ok(vec![1, 2, 2, 3])
        );
        assert_eq!(undo_predictor(&parameters, vec![2, 1]), Err(PdfFault::Filter));
    }

    #[test]
    fn what_is_packed_in_letters_is_unpacked_to_its_end() {
        for (letters, expected) in [
            (&b"87cURD]i,\"Ebo80~>"[..], Some(&b"Hello World!"[..])),
            (b"87cUR D]i,\"\nEbo7~>", Some(b"Hello World")),
            (b"z~> \n", Some(&[0; 4])),
            (b"~>", Some(b"")),
            (b"5~>", None),
            (b"87cUz~>", None),
            (b"uuuuu~>", None),
            (b"87cUR", None),
            (b"87cUR~>x", None),
            (b"87cU\xFF~>", None),
        ] {
            assert_eq!(
                ascii_85(letters).as_deref(),
                expected,
                "{}",
                String::from_utf8_lossy(letters)
            );
        }
        for (letters, expected) in [
            (&b"61 6A7>"[..], Some(&b"aj\x70"[..])),
            (b">", Some(b"")),
            (b"61", None),
            (b"6g>", None),
            (b"61>61", None),
        ] {
            assert_eq!(ascii_hexadecimal(letters).as_deref(), expected);
        }
    }

    #[test]
    fn what_readers_would_unpack_otherwise_is_not_unpacked() {
        let of = |text: &str, data: &[u8]| {
            let budget = Budget::new(1000, 100);
            let Ok(Object::Dictionary(dictionary)) = Parser::new(text.as_bytes(), 0).object(&budget) else {
                panic!("a dictionary");
            };
            decode(&dictionary, data, &budget)
        };
        let packed = [0x78, 0x9C, 0x4B, 0x4C, 0x4A, 0x06, 0x00, 0x02, 0x4D, 0x01, 0x27];
        let good: &[&str] = &[
            "<< /Filter /FlateDecode >>",
            "<< /Filter [/FlateDecode] >>",
            "<< /Filter /FlateDecode /DecodeParms null >>",
            "<< /Filter [/FlateDecode] /DecodeParms [null] >>",
            "<< /Filter /FlateDecode /DecodeParms << /Predictor 1 >> >>",
        ];
        for text in good {
            assert_eq!(of(text, &packed), Ok(b"abc".to_vec()), "{text}");
        }
        // A line may end behind it; nothing else does.
        let with = |more: &[u8]| of("<< /Filter /FlateDecode >>", &[&packed[..], more].concat());
        assert_eq!(with(b"\r\n"), Ok(b"abc".to_vec()));
        assert_eq!(with(b"q"), Err(PdfFault::Filter));
        for text in [
            "<< /Filter null >>",
            "<< /F null >>",
            "<< /Filter /FlateDecode /F null >>",
        ] {
            assert_eq!(of(text, &packed), Err(PdfFault::Filter), "{text}");
        }
        assert_eq!(of("<< >>", b"abc"), Ok(b"abc".to_vec()));
        for text in [
            "<< /DecodeParms << /Predictor 15 /Columns 2 >> >>",
            "<< /Filter null /DecodeParms << /Predictor 15 /Columns 2 >> >>",
            "<< /Filter [/FlateDecode] /DecodeParms << /Predictor 1 >> >>",
            "<< /Filter /FlateDecode /DecodeParms [<< /Predictor 1 >>] >>",
            "<< /Filter [/FlateDecode /FlateDecode] >>",
            "<< /Filter /FlateDecode /DecodeParms << /Predictor 5 0 R >> >>",
            "<< /Filter /FlateDecode /DecodeParms << /Predictor 15. >> >>",
            "<< /Filter /FlateDecode /DecodeParms << /Columns 2. >> >>",
            "<< /Filter /FlateDecode /DP << /Predictor 15 >> >>",
            "<< /Filter /FlateDecode /F /RL >>",
            "<< /Filter /FlateDecode /FFilter /RL >>",
        ] {
            assert_eq!(of(text, &packed), Err(PdfFault::Filter), "{text}");
        }
    }
}
