//! What cannot be understood is refused with its place and its reason, and nothing else suffers.

use domain::{dispatch::Rank, refusal::RefusalCode};
use harness::province::{Plan, Province};

use super::evidence::{balance, codes, prove, refused, send};

/// The largest packet that this province takes.
const PACKET_BYTES_MAX: usize = 256 << 10;

/// Something that is no packet, with the code and the words of its refusal.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    code: RefusalCode,
    words: &'static [&'static str],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_refused_with_its_place_and_nothing_is_lost() {
    let province = Province::start(Plan::new(1).set("limits", "packet_bytes_max", PACKET_BYTES_MAX)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let text = std::str::from_utf8(letter.bytes()).expect("packets are UTF-8");
    let cases: Vec<Case> = not_well_formed(text)
        .into_iter()
        .chain(not_a_packet(text))
        .collect();
    let count = cases.len();
    for case in cases {
        let submission = province.submit_bytes(0, case.bytes, Rank::Normal).await;
        let receipt = refused(&province, 0, &submission).await;
        assert_eq!(codes(&receipt), [case.code], "{}", case.name);
        let said = &receipt.reasons[0].values[0].1;
        for word in case.words {
            assert!(said.contains(word), "{}: {said:?} names {word:?}", case.name);
        }
    }
    send(&province, 0, &letter).await;
    assert_eq!(province.take_document(1, &letter).await.bytes, letter.bytes());
    let audit = prove(&province, balance(1, count)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

fn not_well_formed(text: &str) -> Vec<Case> {
    let unreadable = |name, bytes, words| Case {
        name,
        bytes,
        code: RefusalCode::PacketUnreadable,
        words,
    };
    let (declaration, rest) = text
        .split_once("?>")
        .expect("a packet begins with its declaration");
    let in_subject = text.find("</edXML:Subject>").expect("a subject");
    let doctype = format!("{declaration}?><!DOCTYPE edXML [<!ENTITY x \"y\">]>{rest}");
    vec![
        unreadable("garbage", vec![0xff; 100], &["byte 0", "line 1"]),
        unreadable("nothing", Vec::new(), &["no document element"]),
        unreadable(
            "truncated in its header",
            text.as_bytes()[..in_subject].to_vec(),
            &["truncated at byte", "line", "/Subject>"],
        ),
        unreadable("a document type", doctype.into_bytes(), &["DOCTYPE", "byte"]),
    ]
}

fn not_a_packet(text: &str) -> Vec<Case> {
    let case = |name, text: String, code, words| Case {
        name,
        bytes: text.into_bytes(),
        code,
        words,
    };
    let wrong_priority = text.replace("<edXML:Priority>0<", "<edXML:Priority>9<");
    let too_large = format!("{text}{}", " ".repeat(PACKET_BYTES_MAX));
    let (unreadable, incomplete) = (RefusalCode::PacketUnreadable, RefusalCode::PacketIncomplete);
    vec![
        case(
            "another root",
            text.replace("edXML", "edXNL"),
            unreadable,
            &["edXNL"],
        ),
        case(
            "a code of no list",
            wrong_priority,
            unreadable,
            &["Priority", "9"],
        ),
        case(
            "no subject",
            without_subject(text),
            incomplete,
            &["Subject", "missing"],
        ),
        case("too large", too_large, RefusalCode::PacketTooLarge, &["262144"]),
    ]
}

fn without_subject(text: &str) -> String {
    let (before, rest) = text.split_once("<edXML:Subject>").expect("a subject");
    let (_, behind) = rest.split_once("</edXML:Subject>").expect("it ends");
    format!("{before}{behind}")
}
