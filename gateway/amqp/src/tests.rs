//! What a legible line gives: judged by lapin's own readers, over lines that break off anywhere.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::io::AsyncRead;
use lapin::protocol::basic;
use lapin::types::parsing::parse_short_string;
use lapin::types::{AMQPValue, FieldTable};
use proptest::prelude::*;

use crate::legible::Legible;
use crate::payload::{Kind, mend};

/// class-id, weight and body size come before the flags of a content header.
const BEFORE_FLAGS: usize = 12;
/// The flags of two properties.
const HEADERS: u16 = 1 << 13;
const MESSAGE_ID: u16 = 1 << 7;

fn short_string(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short string");
    [&[length][..], text].concat()
}

/// A long string, table, array or byte array, after its type.
fn long(octets: &[u8]) -> Vec<u8> {
    let length = u32::try_from(octets.len()).expect("a long string");
    [&length.to_be_bytes()[..], octets].concat()
}

fn value(kind: u8, octets: &[u8]) -> Vec<u8> {
    [&[kind][..], octets].concat()
}

fn entry(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&short_string(name)[..], value].concat()
}

/// A content header with the properties of these flags; its texts are taken in turn, and come again from the first.
fn content_header(flags: u16, texts: &[Vec<u8>], headers: &[u8]) -> Vec<u8> {
    let mut payload = [&[0_u8, 60][..], &[0; BEFORE_FLAGS - 2], &flags.to_be_bytes()].concat();
    let mut texts = texts.iter().cycle();
    for number in (0_u8..14).filter(|number| flags & (0x8000_u16 >> *number) != 0) {
        match number {
            2 => payload.extend(headers),
            3 | 4 => payload.push(number),
            9 => payload.extend([0xFF; 8]),
            _ => payload.extend(short_string(texts.next().expect("a text"))),
        }
    }
    payload
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, 1][..], &long(payload), &[0xCE]].concat()
}

/// basic.deliver with delivery-tag 0, not redelivered, from the default exchange.
fn deliver(tag: &[u8], key: &[u8]) -> Vec<u8> {
    [&[0_u8, 60, 0, 60][..], tag, &[0; 9], &short_string(b""), key].concat()
}

/// A table in arrays, so deep; the innermost table has a name that is no UTF-8.
fn nested(levels: usize) -> Vec<u8> {
    let mut innermost = value(b'F', &long(&entry(b"\xff", b"V")));
    // Lengths first, from the inside: a copy of all that is inside, at every level, would take for ever.
    let mut heads = Vec::new();
    let mut length = innermost.len();
    for _ in 0..levels {
        let octets = u32::try_from(length).expect("a length").to_be_bytes();
        heads.push(value(b'A', &octets));
        length += 5;
    }
    let mut all: Vec<u8> = heads.into_iter().rev().flatten().collect();
    all.append(&mut innermost);
    long(&entry(b"deep", &all))
}

fn mended(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    mend(kind, &mut payload);
    payload
}

/// What lapin reads of a content header.
fn read(payload: &[u8]) -> Option<basic::AMQPProperties> {
    let (rest, properties) = basic::parse_properties(&payload[BEFORE_FLAGS..]).ok()?;
    rest.is_empty().then_some(properties)
}

fn headers(payload: &[u8]) -> FieldTable {
    let properties = read(payload).expect("lapin reads it");
    properties.headers().clone().expect("headers")
}

/// Gives its octets in reads of the given sizes, which come again from the first; 0 lets the reader wait once.
struct Script {
    octets: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    turn: usize,
}

impl AsyncRead for Script {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let (at, left) = (self.at, self.octets.len() - self.at);
        if size == 0 && left > 0 {
            return Poll::Pending;
        }
        let count = size.min(left).min(into.len());
        into[..count].copy_from_slice(&self.octets[at..at + count]);
        self.at += count;
        Poll::Ready(Ok(count))
    }
}

/// Reads a line to its end, with room for so many octets at a time.
fn through(octets: &[u8], mut sizes: Vec<usize>, room: usize) -> Vec<u8> {
    // Whatever the other sizes are, it goes on.
    sizes.push(7);
    let mut line = Legible::new(Script {
        octets: octets.to_vec(),
        at: 0,
        sizes,
        turn: 0,
    });
    let mut context = Context::from_waker(Waker::noop());
    let (mut out, mut into) = (Vec::new(), vec![0_u8; room]);
    loop {
        match Pin::new(&mut line).poll_read(&mut context, &mut into) {
            Poll::Pending => {}
            Poll::Ready(Ok(0)) => return out,
            Poll::Ready(Ok(count)) => out.extend(&into[..count]),
            Poll::Ready(Err(error)) => panic!("{error}"),
        }
    }
}

/// All in one read.
fn at_once(octets: &[u8]) -> Vec<u8> {
    through(octets, vec![octets.len() + 1], octets.len() + 1)
}

#[test]
fn a_message_id_that_is_no_utf_8_becomes_one_of_the_same_length() {
    // The lowest bit announces more flags, which class basic does not have.
    for flags in [MESSAGE_ID, MESSAGE_ID | 1] {
        let payload = content_header(flags, &[b"a\xff\xfe".to_vec()], &[]);
        assert!(read(&payload).is_none(), "what all this is for");
        let properties = read(&mended(Kind::ContentHeader, &payload)).expect("lapin reads it");
        let id = properties.message_id().clone().expect("an id");
        assert_eq!(id.as_str(), "a??");
    }
}

#[test]
fn names_of_headers_are_mended_at_every_level_and_values_stay() {
    let inner = value(b'F', &long(&entry(b"\xc3", &value(b'S', &long(b"\xff\xff")))));
    let array = value(b'A', &long(&[value(b't', &[1]), inner].concat()));
    let table = value(b'F', &long(&entry(b"\xfe", &array)));
    let payload = content_header(HEADERS, &[], &long(&entry(b"x\xff", &table)));
    let headers = headers(&mended(Kind::ContentHeader, &payload));
    let Some(AMQPValue::FieldTable(table)) = headers.inner().get("x?") else {
        panic!("{headers:?}");
    };
    let Some(AMQPValue::FieldArray(array)) = table.inner().get("?") else {
        panic!("{table:?}");
    };
    let [AMQPValue::Boolean(true), AMQPValue::FieldTable(table)] = array.as_slice() else {
        panic!("{array:?}");
    };
    assert_eq!(
        table.inner().get("?"),
        Some(&AMQPValue::LongString(b"\xff\xff".as_slice().into()))
    );
}

#[test]
fn what_is_nested_too_deep_for_a_stack_becomes_a_byte_array() {
    for (levels, closed) in [(14, false), (15, true), (20_000, true)] {
        let payload = content_header(HEADERS, &[], &nested(levels));
        let mended = mended(Kind::ContentHeader, &payload);
        assert_eq!(mended.len(), payload.len());
        assert_eq!(mended.contains(&b'x'), closed, "{levels}");
        assert!(read(&mended).is_some(), "{levels}");
    }
}

#[test]
fn a_content_header_that_outgrows_a_frame_loses_its_headers_and_nothing_else() {
    for size in (66_000..66_016).chain([131_090]) {
        let headers = long(&entry(b"large", &value(b'S', &long(&vec![b'a'; size]))));
        let payload = content_header(HEADERS | MESSAGE_ID, &[b"id".to_vec()], &headers);
        let behind = frame(3, b"body");
        let sent = [frame(2, &payload), behind.clone()].concat();
        for out in [at_once(&sent), through(&sent, vec![1, 0, 50_000], 4_096)] {
            assert_eq!(out.len(), sent.len(), "{size}");
            assert!(out.ends_with(&behind));
            let length = u32::from_be_bytes(*out[3..].first_chunk().expect("a size"));
            let end = 7 + usize::try_from(length).expect("a length");
            assert!(end < 1_000 && out[end] == 0xCE, "{size}: {end}");
            let properties = read(&out[7..end]).expect("lapin reads it");
            assert_eq!(properties.message_id().as_ref().map(|id| id.as_str()), Some("id"));
            let beats = &out[end + 1..out.len() - behind.len()];
            assert!(beats.len().is_multiple_of(8));
            assert!(beats.chunks(8).all(|beat| beat == [8, 0, 0, 0, 0, 0, 0, 0xCE]));
        }
    }
}

#[test]
fn routing_keys_are_mended_where_a_message_comes() {
    let (tag, key) = (short_string(b"tag\xff"), short_string(b"\xff.key"));
    let (exchange, number) = (short_string(b"ex"), [0xFF_u8; 9]);
    let methods = [
        (50_u8, [&[1_u8, 56][..], &tag, &exchange, &key].concat(), true),
        (60, [&tag[..], &number, &exchange, &key].concat(), true),
        (71, [&number[..], &exchange, &key, &[0xFF; 4]].concat(), false),
    ];
    for (method, arguments, with_tag) in methods {
        let payload = mended(Kind::Method, &[&[0, 60, 0, method][..], &arguments].concat());
        let holds = |text: &[u8]| payload.windows(text.len()).any(|window| window == text);
        assert!(holds(b"\x02ex\x05?.key"), "{method}");
        assert_eq!(holds(b"\x04tag?"), with_tag, "{method}");
        assert_eq!(payload.len(), arguments.len() + 4);
    }
    // basic.cancel, and queue.declare-ok: nobody else's words.
    for method in [[0_u8, 60, 0, 30], [0, 50, 0, 11]] {
        let payload = [&method[..], &tag].concat();
        assert_eq!(mended(Kind::Method, &payload), payload);
    }
}

#[test]
fn what_is_not_laid_out_well_stays_as_it_is() {
    let good = content_header(MESSAGE_ID, &[b"\xff".to_vec()], &[]);
    let unknown = content_header(MESSAGE_ID | HEADERS, &[b"\xff".to_vec()], &long(b"\x01\xff?"));
    let mut long_table = content_header(HEADERS, &[], &long(&entry(b"\xff", b"V")));
    long_table[BEFORE_FLAGS + 5] += 1;
    let trailing = [&good[..], &[0]].concat();
    for payload in [
        &good[..good.len() - 1],
        &unknown,
        &long_table,
        &trailing,
        &good[..1],
        &[],
    ] {
        assert_eq!(mended(Kind::ContentHeader, payload), payload);
    }
    let mut frame = frame(2, &good);
    assert_ne!(at_once(&frame), frame);
    *frame.last_mut().expect("its end") = 0;
    assert_eq!(at_once(&frame), frame, "no frame");
}

#[test]
fn large_frames_and_other_kinds_pass_and_what_comes_after_them_is_mended() {
    let good = frame(2, &content_header(MESSAGE_ID, &[b"\xff".to_vec()], &[]));
    let large = entry(b"large", &value(b'S', &long(&vec![0; 256 << 10])));
    let large = content_header(MESSAGE_ID | HEADERS, &[b"\xff".to_vec()], &long(&large));
    for other in [
        frame(2, &large),
        frame(3, &good),
        frame(8, &[]),
        frame(77, &[0xFF; 20]),
    ] {
        let octets = [&other[..], &good, &other].concat();
        let out = through(&octets, vec![3, 5, 40_000], 70_000);
        assert_eq!(out.len(), octets.len());
        assert_eq!(out[..other.len()], other);
        assert_eq!(out[other.len()..][..good.len()], at_once(&good));
        assert_eq!(out[other.len() + good.len()..], other);
    }
    // Some brokers' answer to a version that they do not speak (AMQP 0-9-1 §4.2.2).
    assert_eq!(at_once(b"AMQP\x00\x00\x09\x01"), b"AMQP\x00\x00\x09\x01");
}

#[test]
fn a_line_that_ends_within_a_frame_gives_what_came_of_it() {
    let whole = frame(2, &content_header(MESSAGE_ID, &[b"\xff".to_vec()], &[]));
    for length in 0..whole.len() {
        for sizes in [vec![1], vec![7], vec![100]] {
            assert_eq!(through(&whole[..length], sizes, 100), whole[..length]);
        }
    }
}

/// Texts of short strings: any octets, or only UTF-8.
fn text(utf_8: bool) -> BoxedStrategy<Vec<u8>> {
    let good = "\\PC{0,6}".prop_map(String::into_bytes);
    if utf_8 {
        good.boxed()
    } else {
        prop_oneof![good, prop::collection::vec(any::<u8>(), 0..8)].boxed()
    }
}

/// A table after its type, with names of these.
fn table(names: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let leaf = prop_oneof![
        Just(b"V".to_vec()),
        any::<u8>().prop_map(|octet| value(b't', &[octet])),
        any::<[u8; 2]>().prop_map(|octets| value(b's', &octets)),
        any::<[u8; 5]>().prop_map(|octets| value(b'D', &octets)),
        any::<[u8; 8]>().prop_map(|octets| value(b'l', &octets)),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(|octets| value(b'S', &long(&octets))),
    ];
    let inner_names = names.clone();
    let values = leaf.prop_recursive(4, 16, 3, move |inner| {
        let entries = prop::collection::vec((inner_names.clone(), inner.clone()), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(|values| value(b'A', &long(&values.concat()))),
            entries.prop_map(|entries| value(b'F', &of_entries(&entries))),
        ]
    });
    prop::collection::vec((names, values), 0..4)
        .prop_map(|entries| of_entries(&entries))
        .boxed()
}

fn of_entries(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(|(name, value)| entry(name, value)).collect();
    long(&entries.concat())
}

fn any_content_header(utf_8: bool) -> BoxedStrategy<Vec<u8>> {
    let texts = prop::collection::vec(text(utf_8), 10);
    (any::<u16>(), texts, table(text(utf_8)))
        .prop_map(|(flags, texts, headers)| content_header(flags, &texts, &headers))
        .boxed()
}

/// Whole frames of all kinds that bring messages.
fn stream(utf_8: bool) -> impl Strategy<Value = Vec<u8>> {
    let delivers = (text(utf_8), text(utf_8))
        .prop_map(|(tag, key)| frame(1, &deliver(&short_string(&tag), &short_string(&key))));
    let frames = prop_oneof![
        delivers,
        any_content_header(utf_8).prop_map(|payload| frame(2, &payload)),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|body| frame(3, &body)),
        Just(frame(8, &[])),
    ];
    prop::collection::vec(frames, 0..6).prop_map(|frames| frames.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..30, 0..20)
}

proptest! {
    #[test]
    fn however_the_octets_come_the_same_goes_out(octets in stream(false), sizes in sizes(), room in 1_usize..60) {
        let out = through(&octets, sizes, room);
        prop_assert_eq!(out.len(), octets.len());
        prop_assert_eq!(&out, &at_once(&octets));
        prop_assert_eq!(&out, &at_once(&out), "once mended, nothing is left to mend");
    }

    #[test]
    fn utf_8_passes_unchanged(octets in stream(true), sizes in sizes(), room in 1_usize..60) {
        prop_assert_eq!(through(&octets, sizes, room), octets);
    }

    #[test]
    fn whatever_the_texts_are_lapin_reads_the_properties(payload in any_content_header(false)) {
        let mended = mended(Kind::ContentHeader, &payload);
        prop_assert_eq!(mended.len(), payload.len());
        prop_assert!(read(&mended).is_some());
        prop_assert!(read(&payload).is_none_or(|_| payload == mended), "what lapin reads is not touched");
    }

    #[test]
    fn whatever_the_texts_are_lapin_reads_the_routing_key(tag in text(false), key in text(false)) {
        let (tag, key) = (short_string(&tag), short_string(&key));
        let payload = deliver(&tag, &key);
        let mended = mended(Kind::Method, &payload);
        prop_assert_eq!(mended.len(), payload.len());
        prop_assert!(parse_short_string(&mended[4..]).is_ok());
        prop_assert!(parse_short_string(&mended[payload.len() - key.len()..]).is_ok());
    }

    #[test]
    fn nothing_that_comes_is_lost(
        octets in prop::collection::vec(any::<u8>(), 0..300),
        kinds in prop::collection::vec(0_u8..4, 0..6),
        sizes in sizes(),
        room in 1_usize..60,
    ) {
        // Noise alone is hardly ever a frame that is looked at.
        let frames: Vec<_> = kinds.iter().map(|kind| frame(*kind, &octets)).collect();
        let octets = [frames.concat(), octets].concat();
        prop_assert_eq!(through(&octets, sizes, room).len(), octets.len());
    }

    #[test]
    fn no_payload_is_too_odd(octets in prop::collection::vec(any::<u8>(), 0..200), flags in any::<u16>()) {
        let header = [&[0_u8; BEFORE_FLAGS][..], &flags.to_be_bytes(), &octets].concat();
        prop_assert_eq!(mended(Kind::ContentHeader, &header).len(), header.len());
        for method in [50_u8, 60, 71] {
            let payload = [&[0, 60, 0, method][..], &octets].concat();
            prop_assert_eq!(mended(Kind::Method, &payload).len(), payload.len());
        }
    }
}
