//! Composing: from a document's fields and files to canonical edXML.
//!
//! **Invariant:** what is composed reads back complete, or is not composed.

use domain::ids::Code;
use domain::packet::{
    Attachment, Business, Content, DocumentCode, DocumentPacket, DocumentType, Organization, OtherInfo,
    Packet, PacketFault, Priority, Promulgation, Reference, SignerInfo, TraceHeader, WrittenDate,
};
use jiff::tz::Offset;
use trust::Time;

use crate::config::Agency;
use crate::report::written_time;

/// A document as its clerk knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Codes of the addressees, with their names where known.
    pub to: Vec<Addressee>,
    /// `CodeNumber`.
    pub number: String,
    /// `CodeNotation`.
    pub notation: String,
    /// `DocumentType`: code and name.
    pub document_type: DocumentType,
    /// `Subject`.
    pub subject: String,
    /// Who signed.
    pub signer: SignerInfo,
    /// `PromulgationDate`, `yyyy/MM/dd`; the day of composing when absent.
    pub date: Option<WrittenDate>,
    /// `DocumentId`; `OrganId,yyyy/MM/dd,Number/Notation` when absent.
    pub document_id: Option<String>,
    /// `Priority`.
    pub priority: Priority,
    /// What the packet does: a new document, or a recall, update or replacement of one.
    pub business: Business,
    /// The files, the signed document first.
    pub files: Vec<File>,
}

/// An addressee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// `OrganId`.
    pub code: Code,
    /// `OrganName`; the code when not known.
    pub name: Option<String>,
}

/// A file to attach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a draft cannot become a packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeFault {
    /// Elements are missing.
    #[error("incomplete: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Incomplete(Vec<PacketFault>),
    /// A text holds what XML cannot carry.
    #[error(transparent)]
    Unwritable(#[from] PacketFault),
}

/// Composes a document packet of the agency at this moment.
///
/// # Errors
/// [`ComposeFault`]: everything that is missing, or what cannot be written.
pub fn compose(agency: &Agency, draft: Draft, now: Time) -> Result<Vec<u8>, ComposeFault> {
    let packet = Packet::Document(Box::new(document(agency, draft, now)));
    let missing = packet.completeness();
    if !missing.is_empty() {
        return Err(ComposeFault::Incomplete(missing));
    }
    Ok(packet.write()?)
}

fn document(agency: &Agency, draft: Draft, now: Time) -> DocumentPacket {
    let own = Organization {
        organ_id: agency.code.to_string(),
        name: agency.name.clone(),
        ..Organization::default()
    };
    let date = draft.date.unwrap_or_else(|| today(now));
    let document_id = draft.document_id.unwrap_or_else(|| {
        format!(
            "{},{},{}/{}",
            agency.code,
            date.as_str(),
            draft.number,
            draft.notation
        )
    });
    let addressee = |one: Addressee| Organization {
        name: one.name.unwrap_or_else(|| one.code.to_string()),
        organ_id: one.code.to_string(),
        ..Organization::default()
    };
    let attachments: Vec<Attachment> = draft.files.into_iter().enumerate().map(attachment).collect();
    DocumentPacket {
        to: draft.to.into_iter().map(addressee).collect(),
        document_id,
        code: DocumentCode {
            number: draft.number,
            notation: draft.notation,
        },
        promulgation: Promulgation {
            place: agency.place.clone(),
            date,
        },
        document_type: draft.document_type,
        subject: draft.subject,
        signer: draft.signer,
        other: OtherInfo {
            priority: draft.priority,
            ..OtherInfo::default()
        },
        business: draft.business,
        traces: vec![TraceHeader {
            organ_id: own.organ_id.clone(),
            at: written_time(now),
        }],
        manifest: attachments.iter().map(reference).collect(),
        attachments,
        from: own,
        ..DocumentPacket::default()
    }
}

fn today(now: Time) -> WrittenDate {
    let instant = jiff::Timestamp::from_second(now.as_seconds()).unwrap_or_default();
    WrittenDate(
        Offset::constant(7)
            .to_datetime(instant)
            .strftime("%Y/%m/%d")
            .to_string(),
    )
}

fn attachment((index, file): (usize, File)) -> Attachment {
    Attachment {
        content_id: format!("file-{}", index + 1),
        content_type: content_type(&file.name).to_owned(),
        name: file.name,
        description: None,
        content: Content::new(file.bytes),
    }
}

fn reference(attachment: &Attachment) -> Reference {
    Reference {
        content_id: attachment.content_id.clone(),
        content_type: attachment.content_type.clone(),
        description: None,
        name: attachment.name.clone(),
    }
}

/// By the extension alone; readers do not rely on it.
fn content_type(name: &str) -> &'static str {
    match name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "pdf" => "application/pdf",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "p7s" => "application/pkcs7-signature",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::packet::{BusinessType, Limits};

    fn agency() -> Agency {
        Agency {
            code: Code::parse("000.00.01.H53").expect("a code"),
            name: "Sở Nội vụ".to_owned(),
            place: "Tây Ninh".to_owned(),
            department: None,
        }
    }

    fn draft() -> Draft {
        let code = |text| Code::parse(text).expect("a code");
        Draft {
            to: vec![
                Addressee {
                    code: code("000.00.02.H53"),
                    name: Some("Sở Tài chính".to_owned()),
                },
                Addressee {
                    code: code("000.00.03.H53"),
                    name: None,
                },
            ],
            number: "424a".to_owned(),
            notation: "SNV-VP".to_owned(),
            document_type: DocumentType {
                code: "18".to_owned(),
                detail: None,
                name: "Công văn".to_owned(),
            },
            subject: "V/v <thử> & \"nghiệm\"".to_owned(),
            signer: SignerInfo {
                full_name: "Người Ký".to_owned(),
                ..SignerInfo::default()
            },
            date: None,
            document_id: None,
            priority: Priority::Express,
            business: Business::default(),
            files: vec![File {
                name: "cong-van.pdf".to_owned(),
                bytes: b"%PDF-1.7 ...".to_vec(),
            }],
        }
    }

    /// Half past midnight of 22 November 2026 in Vietnam: still the 21st in Greenwich.
    const NOW: Time = Time::from_seconds(1_795_282_200);

    #[test]
    fn what_is_composed_reads_back() {
        let bytes = compose(&agency(), draft(), NOW).expect("a packet");
        let Ok(Packet::Document(document)) = Packet::open(&bytes, &Limits::default()) else {
            panic!("not a document: {}", String::from_utf8_lossy(&bytes));
        };
        assert_eq!(document.document_id, "000.00.01.H53,2026/11/22,424a/SNV-VP");
        assert_eq!(document.addressees(), ["000.00.02.H53", "000.00.03.H53"]);
        assert_eq!(document.subject, draft().subject);
        assert_eq!(document.other.priority, Priority::Express);
        assert_eq!(document.attachments[0].content.bytes(), draft().files[0].bytes);
        assert_eq!(document.traces[0].at.as_str(), "2026/11/22 00:30:00");
        assert_eq!(document.completeness(), []);
    }

    #[test]
    fn a_recall_names_its_target() {
        let business = Business {
            kind: BusinessType::Recall,
            document_id: Some("000.00.01.H53,2026/11/01,1/SNV".to_owned()),
            ..Business::default()
        };
        let bytes = compose(&agency(), Draft { business, ..draft() }, NOW).expect("a packet");
        let Ok(Packet::Document(document)) = Packet::open(&bytes, &Limits::default()) else {
            panic!("no document")
        };
        assert_eq!(document.targets(), ["000.00.01.H53,2026/11/01,1/SNV"]);
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let bare = Draft {
            subject: String::new(),
            number: String::new(),
            to: Vec::new(),
            ..draft()
        };
        let fault = compose(&agency(), bare, NOW).expect_err("incomplete");
        let ComposeFault::Incomplete(missing) = &fault else {
            panic!("{fault}")
        };
        assert_eq!(missing.len(), 3, "{fault}");
    }
}
