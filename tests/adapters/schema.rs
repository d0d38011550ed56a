//! What is written is valid under the published schemas, by a validator that knows nothing of this code.

use std::{path::Path, process::Command};

use domain::packet::{
    Attachment, Business, BusinessType, Content, DocumentCode, DocumentPacket, DocumentType, Organization,
    OtherInfo, Packet, Priority, Promulgation, Receiver, ReceiverType, Reference, Replacement, ResponseFor,
    SignerInfo, Staff, StatusCode, StatusPacket, TraceHeader, UpdateInfo, WrittenDate, WrittenTime,
};

#[test]
fn every_kind_of_document_packet_is_valid_with_and_without_what_is_optional() {
    for kind in [
        BusinessType::New,
        BusinessType::Recall,
        BusinessType::Update,
        BusinessType::Replace,
    ] {
        for packet in [bare(kind), full(kind)] {
            let packet = Packet::Document(Box::new(packet));
            assert_eq!(packet.completeness(), [], "{kind:?}");
            let bytes = packet.write().expect("plain texts");
            assert_eq!(faults("document.xsd", &bytes), "", "{kind:?}");
        }
    }
}

#[test]
fn every_status_packet_is_valid_with_and_without_what_is_optional() {
    for status in StatusCode::ALL {
        for (staff, description) in [(None, None), (Some(staff()), Some("Đã nhận".to_owned()))] {
            let packet = Packet::Status(Box::new(StatusPacket {
                from: organization("02"),
                response_for: response_for(),
                staff,
                status,
                description,
                at: WrittenTime("2026/11/21 10:00:00".to_owned()),
            }));
            let bytes = packet.write().expect("plain texts");
            assert_eq!(faults("status.xsd", &bytes), "", "{status:?}");
        }
    }
}

#[test]
fn the_schemas_refuse_what_is_incomplete() {
    let mut packet = bare(BusinessType::New);
    packet.subject.clear();
    packet.to.clear();
    let bytes = Packet::Document(Box::new(packet)).write().expect("plain texts");
    let told = faults("document.xsd", &bytes);
    assert!(told.contains("fails to validate"), "{told}");
}

/// What the validator says against these bytes; nothing when they are valid.
fn faults(schema: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("packet.edxml");
    std::fs::write(&file, bytes).expect("written");
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/edxml");
    let ended = Command::new("xmllint")
        .args(["--noout", "--nonet", "--huge", "--schema"])
        .arg(schemas.join(schema))
        .arg(&file)
        .output()
        .expect("ops/setup installs xmllint");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.success() {
        assert!(told.trim_end().ends_with("validates"), "{told}");
        return String::new();
    }
    told
}

fn organization(number: &str) -> Organization {
    Organization {
        organ_id: format!("000.00.{number}.X00"),
        name: format!("Cơ quan {number}"),
        ..Organization::default()
    }
}

fn staff() -> Staff {
    Staff {
        department: Some("Văn phòng".to_owned()),
        name: Some("Nguyễn Văn Thử".to_owned()),
        email: Some("thu@vidu.gov.vn".to_owned()),
        mobile: Some("0".to_owned()),
    }
}

fn response_for() -> ResponseFor {
    ResponseFor {
        organ_id: "000.00.01.X00".to_owned(),
        code: "424a/KH-UBND".to_owned(),
        promulgation_date: WrittenDate("2026/11/20".to_owned()),
        document_id: "000.00.01.X00,2026/11/20,424a/KH-UBND".to_owned(),
    }
}

fn bare(kind: BusinessType) -> DocumentPacket {
    DocumentPacket {
        from: organization("01"),
        to: vec![organization("02"), organization("03")],
        document_id: "000.00.01.X00,2026/11/21,13/2020/QĐ-UBND".to_owned(),
        code: DocumentCode {
            number: "13/2020".to_owned(),
            notation: "QĐ-UBND".to_owned(),
        },
        promulgation: Promulgation {
            place: "Tỉnh thử nghiệm".to_owned(),
            date: WrittenDate("2026/11/21".to_owned()),
        },
        document_type: DocumentType {
            code: "2".to_owned(),
            detail: None,
            name: "Quyết định".to_owned(),
        },
        subject: "V/v <thử> & \"nghiệm\"".to_owned(),
        signer: SignerInfo {
            full_name: "Nguyễn Văn Thử".to_owned(),
            ..SignerInfo::default()
        },
        traces: vec![TraceHeader {
            organ_id: "000.00.01.X00".to_owned(),
            at: WrittenTime("2026/11/21 09:00:00".to_owned()),
        }],
        business: Business {
            kind,
            document_id: (kind == BusinessType::Recall || kind == BusinessType::Update)
                .then(|| response_for().document_id),
            replacements: (kind == BusinessType::Replace)
                .then(replacement)
                .into_iter()
                .collect(),
            ..Business::default()
        },
        manifest: vec![Reference {
            content_id: "main@vidu.gov.vn".to_owned(),
            content_type: "application/pdf".to_owned(),
            description: None,
            name: "quyet-dinh.pdf".to_owned(),
        }],
        attachments: vec![Attachment {
            content_id: "main@vidu.gov.vn".to_owned(),
            name: "quyet-dinh.pdf".to_owned(),
            description: None,
            content_type: "application/pdf".to_owned(),
            content: Content::new(b"%PDF-1.7".to_vec()),
        }],
        ..DocumentPacket::default()
    }
}

fn replacement() -> Replacement {
    Replacement {
        document_id: response_for().document_id,
        organ_ids: vec!["000.00.02.X00".to_owned()],
    }
}

/// The same with everything that a producer may add.
fn full(kind: BusinessType) -> DocumentPacket {
    let text = |text: &str| Some(text.to_owned());
    let mut packet = bare(kind);
    packet.content = text("Tóm tắt");
    packet.due_date = Some(WrittenDate("2026/12/01".to_owned()));
    packet.steering_type = text("1");
    packet.responses_for = vec![response_for()];
    packet.to_places = vec!["Như trên".to_owned(), "Lưu: VT".to_owned()];
    packet.document_type.detail = text("1");
    packet.signer.competence = text("TM. ỦY BAN NHÂN DÂN");
    packet.signer.position = text("Chủ tịch");
    packet.other = OtherInfo {
        priority: Priority::Express,
        sphere: text("lưu hành nội bộ"),
        typer_notation: text("VP"),
        promulgation_amount: text("10"),
        page_amount: text("2"),
        direction: text("đi"),
        appendixes: vec!["Phụ lục 1".to_owned()],
    };
    packet.business.reason = text("Sai sót");
    packet.business.paper = text("1");
    packet.business.staff = Some(staff());
    if kind == BusinessType::Update {
        packet.business.update = Some(UpdateInfo {
            document: text("1"),
            receivers_changed: text("1"),
            receivers: vec![Receiver {
                organ_id: "000.00.03.X00".to_owned(),
                kind: ReceiverType::Added,
            }],
        });
    }
    packet.manifest[0].description = text("Văn bản chính");
    packet.attachments[0].description = text("Văn bản chính");
    packet
}
