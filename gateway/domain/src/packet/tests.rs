//! Dialects, refusals, identity, and parse after write.

mod dialects;
mod generated;
mod identity;

use super::*;

/// A complete new document with one file.
pub(super) fn document() -> DocumentPacket {
    let organization = |organ_id: &str, name: &str| Organization {
        organ_id: organ_id.into(),
        name: name.into(),
        ..Organization::default()
    };
    DocumentPacket {
        from: organization("000.00.11.H53", "S\u{1EDF} T\u{E0}i ch\u{ED}nh"),
        to: vec![
            organization("000.00.12.H53", "S\u{1EDF} X\u{E2}y d\u{1EF1}ng"),
            organization("H53.14", "S\u{1EDF} Y t\u{1EBF}"),
        ],
        document_id: "000.00.11.H53,2026/03/02,424a/STC-NS".into(),
        code: DocumentCode {
            number: "424a".into(),
            notation: "STC-NS".into(),
        },
        promulgation: Promulgation {
            place: "T\u{E2}y Ninh".into(),
            date: WrittenDate("2026/03/02".into()),
        },
        document_type: DocumentType {
            code: "18".into(),
            detail: None,
            name: "C\u{F4}ng v\u{103}n".into(),
        },
        subject: "V/v <quy\u{1EBF}t to\u{E1}n> & b\u{E1}o c\u{E1}o".into(),
        signer: SignerInfo {
            full_name: "A".into(),
            ..SignerInfo::default()
        },
        manifest: vec![Reference {
            content_id: "1".into(),
            content_type: "application/pdf".into(),
            description: None,
            name: "424a.pdf".into(),
        }],
        attachments: vec![Attachment {
            content_id: "1".into(),
            name: "424a.pdf".into(),
            description: None,
            content_type: "application/pdf".into(),
            content: Content::new(b"%PDF-1.7 nothing".to_vec()),
        }],
        ..DocumentPacket::default()
    }
}

/// A status on that document.
pub(super) fn status() -> StatusPacket {
    StatusPacket {
        from: Organization {
            organ_id: "000.00.12.H53".into(),
            ..Organization::default()
        },
        response_for: ResponseFor {
            organ_id: "000.00.11.H53".into(),
            code: "424a/STC-NS".into(),
            promulgation_date: WrittenDate("2026/03/02".into()),
            document_id: "000.00.11.H53,2026/03/02,424a/STC-NS".into(),
        },
        staff: None,
        status: StatusCode::Accepted,
        description: Some("\u{110}\u{E3} v\u{E0}o s\u{1ED5}".into()),
        at: WrittenTime("2026/03/02 09:00:00".into()),
    }
}

pub(super) fn reopen(bytes: &[u8]) -> Result<Packet, PacketFault> {
    Packet::open(bytes, &Limits::default())
}

#[test]
fn canonical_packets_look_as_the_standard_writes_them() {
    let bytes = document().write().expect("writable");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let in_order = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<edXML xmlns=\"http://www.mic.gov.vn/TBT/QCVN_102_2016\">\n",
        "  <edXML:edXMLEnvelope xmlns:edXML=\"http://www.mic.gov.vn/TBT/QCVN_102_2016\">\n    <edXML:edXMLHeader>",
        "<edXML:From>",
        "<edXML:To>",
        "<edXML:To>",
        "<edXML:DocumentId>",
        "<edXML:CodeNumber>424a</edXML:CodeNumber>",
        "<edXML:PromulgationDate>2026/03/02<",
        "<edXML:TypeName>",
        "<edXML:Subject>V/v &lt;quy\u{1EBF}t to\u{E1}n&gt; &amp; b\u{E1}o c\u{E1}o</edXML:Subject>",
        "<edXML:FullName>",
        "<edXML:Priority>0<",
        "<edXML:BussinessDocType>0<",
        "<edXML:edXMLManifest version=\"1.0\">",
        "<edXML:ContentId>cid:1</edXML:ContentId>",
        "\n  <AttachmentEncoded>\n    <Attachment>\n      <ContentId>cid:1</ContentId>",
        "<edXML:ContentTransferEncoded xmlns:edXML=\"http://www.mic.gov.vn/TBT/QCVN_102_2016\">JVBERi",
        "</AttachmentEncoded>\n</edXML>\n",
    ];
    let mut rest = text.as_str();
    for part in in_order {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part} is missing or misplaced in {text}"));
        rest = &rest[at + part.len()..];
    }
    assert_eq!(
        reopen(text.as_bytes()),
        Ok(Packet::Document(Box::new(document())))
    );
}

#[test]
fn what_is_missing_is_told_all_at_once() {
    assert_eq!(document().completeness(), []);
    assert_eq!(status().completeness(), []);
    let mut poor = document();
    poor.subject.clear();
    poor.to[1].organ_id.clear();
    poor.promulgation.date = WrittenDate("30/02/2026".into());
    poor.manifest.push(Reference {
        content_id: "2".into(),
        ..Reference::default()
    });
    poor.attachments[0].content = Content::new(Vec::new());
    poor.attachments.push(Attachment {
        content_id: "3".into(),
        ..poor.attachments[0].clone()
    });
    poor.attachments.push(poor.attachments[0].clone());
    let message = "edXML/edXMLEnvelope/edXMLHeader/MessageHeader";
    let empty = |id: &str| PacketFault::AttachmentEmpty {
        content_id: id.into(),
    };
    let expected = vec![
        PacketFault::ElementMissing {
            element: format!("{message}/To[2]/OrganId"),
        },
        PacketFault::DateInvalid {
            element: format!("{message}/PromulgationInfo/PromulgationDate"),
            value: "30/02/2026".into(),
        },
        PacketFault::ElementMissing {
            element: format!("{message}/Subject"),
        },
        empty("1"),
        empty("3"),
        PacketFault::AttachmentWithoutReference {
            content_id: "3".into(),
        },
        empty("1"),
        PacketFault::ContentIdRepeated {
            content_id: "1".into(),
        },
        PacketFault::ReferenceWithoutAttachment {
            content_id: "2".into(),
        },
    ];
    assert_eq!(poor.completeness(), expected);
    let bytes = poor.write().expect("writable");
    assert_eq!(
        reopen(&bytes),
        Ok(Packet::Document(Box::new(poor))),
        "incomplete packets are understood"
    );
    assert_eq!(DocumentPacket::default().completeness().len(), 12);
}

#[test]
fn what_xml_cannot_carry_is_not_written() {
    let mut packet = document();
    packet.subject = "a\u{0}".into();
    let element = "edXML/edXMLEnvelope/edXMLHeader/MessageHeader/Subject".into();
    assert_eq!(
        packet.write(),
        Err(PacketFault::CharacterUnwritable {
            element,
            code_point: 0
        })
    );
    for (depth, name) in [(0, "Subject"), (1, "ReplyFors"), (0, "a b"), (0, "")] {
        let mut packet = document();
        packet.extensions = vec![Extension {
            depth,
            name: name.into(),
            text: String::new(),
        }];
        assert!(
            matches!(packet.write(), Err(PacketFault::NameUnwritable { .. })),
            "{name:?}"
        );
    }
}

#[test]
fn summaries_hold_no_subject_and_no_name() {
    let summary = Packet::Document(Box::new(document())).summary().to_string();
    assert_eq!(
        summary,
        "new document 000.00.11.H53,2026/03/02,424a/STC-NS from 000.00.11.H53 to 2 addressees, priority 0, \
         1 attachments of 16 bytes"
    );
    let summary = Packet::Status(Box::new(status())).summary().to_string();
    assert_eq!(
        summary,
        "status 03 of 000.00.11.H53,2026/03/02,424a/STC-NS from 000.00.12.H53 for 000.00.11.H53 at 2026/03/02 09:00:00"
    );
}

#[test]
fn truncation_anywhere_is_refused() {
    let bytes = document().write().expect("writable");
    let end = bytes.len() - 1;
    let root = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'>')
        .nth(1)
        .expect("a declaration, then the root")
        .0;
    for length in 0..end {
        let fault = reopen(&bytes[..length]).expect_err("cut");
        let PacketFault::Xml(fault) = fault else {
            panic!("{length}: {fault:?}")
        };
        let outside = fault.element.is_empty();
        assert_eq!(outside, length <= root, "{length}: {fault:?}");
    }
    assert!(reopen(&bytes[..end]).is_ok(), "the last line feed means nothing");
}
