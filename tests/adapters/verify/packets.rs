//! Packets: every attachment, and the packet's own signature.

use domain::packet::{
    Attachment, BusinessType, Content, DocumentCode, DocumentPacket, DocumentType, Organization, Packet,
    Promulgation, Reference, SignerInfo, WrittenDate,
};
use harness::cms::{Attributes, detached};

use super::desk::Desk;
use super::page;

fn packet(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let organization = |code: &str| Organization {
        organ_id: code.to_owned(),
        name: code.to_owned(),
        ..Organization::default()
    };
    let attachments: Vec<Attachment> = files
        .iter()
        .map(|(name, bytes)| Attachment {
            content_id: format!("{name}@vidu"),
            name: (*name).to_owned(),
            description: None,
            content_type: "application/octet-stream".to_owned(),
            content: Content::new(bytes.clone()),
        })
        .collect();
    let reference = |one: &Attachment| Reference {
        content_id: one.content_id.clone(),
        content_type: one.content_type.clone(),
        ..Reference::default()
    };
    let mut packet = DocumentPacket {
        from: organization("000.00.01.H53"),
        to: vec![organization("000.00.02.H53")],
        document_id: "000.00.01.H53,2026/11/21,1/CV-TN".to_owned(),
        code: DocumentCode {
            number: "1".to_owned(),
            notation: "CV-TN".to_owned(),
        },
        promulgation: Promulgation {
            place: "Tỉnh thử nghiệm".to_owned(),
            date: WrittenDate("2026/11/21".to_owned()),
        },
        document_type: DocumentType {
            code: "9".to_owned(),
            detail: None,
            name: "Công văn".to_owned(),
        },
        subject: "Trích yếu không được in ra".to_owned(),
        signer: SignerInfo {
            full_name: "Nguyễn Văn Thử".to_owned(),
            ..SignerInfo::default()
        },
        manifest: attachments.iter().map(reference).collect(),
        attachments,
        ..DocumentPacket::default()
    };
    packet.business.kind = BusinessType::New;
    Packet::Document(Box::new(packet)).write().expect("plain texts")
}

#[test]
fn a_packet_passes_when_every_seal_in_it_does() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Ký");
    let signed = page().signed(&person, desk.now).into_bytes();
    let broken = page().signed(&person, desk.now).tampered().into_bytes();
    let table = b"plain".to_vec();
    let signature = detached(&table, &person, desk.now, Attributes::Baseline);
    let good = packet(&[
        ("vb.pdf", signed.clone()),
        ("bang.txt", table.clone()),
        ("bang.txt.p7s", signature.clone()),
    ]);
    let good = desk.write("good.edxml", good);
    let ended = desk.verify(&[&good]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    for part in [
        "gói tin edXML",
        "000.00.01.H53,2026/11/21,1/CV-TN",
        "Tệp đính kèm 1: vb.pdf",
        "Attachment 3: bang.txt.p7s",
        "The packet's own signature",
    ] {
        assert!(ended.stdout.contains(part), "{part} in\n{}", ended.stdout);
    }
    assert!(
        !ended.stdout.contains("Trích yếu"),
        "only names and identifiers: {}",
        ended.stdout
    );
    let report = desk.json(&[&good], 0);
    assert!(!report.to_string().contains("Trích yếu"));
    assert_eq!(report[0]["simple"].as_array().map(Vec::len), Some(2));
    assert_eq!(report[0]["facts"]["packet"]["to"][0], "000.00.02.H53");
    for (name, files, verdict) in [
        (
            "broken",
            vec![("vb.pdf", signed.clone()), ("phu-luc.pdf", broken)],
            "failed",
        ),
        (
            "other",
            vec![
                ("vb.pdf", signed),
                ("bang.txt", b"other".to_vec()),
                ("bang.txt.p7s", signature.clone()),
            ],
            "failed",
        ),
        ("unsigned", vec![("vb.pdf", page().into_bytes())], "unsigned"),
        // What is signed is not what the packet is about.
        (
            "main",
            vec![
                ("vb.pdf", page().into_bytes()),
                ("bang.txt", table),
                ("bang.txt.p7s", signature.clone()),
            ],
            "unsigned",
        ),
        ("nothing", vec![("bang.txt.p7s", signature)], "failed"),
    ] {
        let file = desk.write(name, packet(&files));
        let report = desk.json(&[&file], 1);
        assert_eq!(report[0]["verdict"], verdict, "{name}");
    }
}

#[test]
fn a_signature_of_the_packet_that_proves_nothing_fails_it() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Ký");
    let good = packet(&[("vb.pdf", page().signed(&person, desk.now).into_bytes())]);
    let text = String::from_utf8(good).expect("packets are UTF-8");
    let end = text.rfind("</").expect("a root");
    let with = |signature: &str| format!("{}{signature}{}", &text[..end], &text[end..]);
    let ns = "http://www.w3.org/2000/09/xmldsig#";
    let blank = desk.write("blank.edxml", with(&format!("<Signature xmlns=\"{ns}\"/>")));
    let ended = desk.verify(&[&blank]);
    assert_eq!(ended.code, 0, "{}", ended.text());
    assert!(ended.stdout.contains("a placeholder"), "{}", ended.stdout);
    let forged = format!(
        "<Signature xmlns=\"{ns}\"><SignedInfo><CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/></SignedInfo><SignatureValue>AAAA</SignatureValue>\
         <KeyInfo><KeyValue/></KeyInfo></Signature>"
    );
    let forged = desk.write("forged.edxml", with(&forged));
    let ended = desk.verify(&[&forged]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("KHÔNG ĐẠT"), "{}", ended.stdout);
    assert_eq!(desk.json(&[&forged], 1)[0]["verdict"], "failed");
}

#[test]
fn what_is_two_things_at_once_is_neither() {
    let desk = Desk::new();
    let person = desk.person("Nguyễn Văn Ký");
    let good = packet(&[("vb.pdf", page().signed(&person, desk.now).into_bytes())]);
    let text = String::from_utf8(good).expect("packets are UTF-8");
    let both = text.replacen("?>", "?><!--%PDF-1.7-->", 1);
    assert_ne!(both, text);
    let both = desk.write("both", both);
    let ended = desk.verify(&[&both]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("PDF file + edXML packet"),
        "{}",
        ended.stdout
    );
    assert_eq!(desk.json(&[&both], 1)[0]["verdict"], "unreadable");
}
