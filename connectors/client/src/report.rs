//! Reporting: what this agency says of a document it received (statuses 01–06, 13, 15, 16).
//!
//! **Invariant:** 01 is reported only for what is on disk, and only when asked to.
//! **Invariant:** the automatic report has an id and bytes that follow from the dispatch, so that making it again after
//! a crash makes the same.

use domain::dispatch::Rank;
use domain::ids::{DispatchId, SubmissionId};
use domain::packet::{
    BusinessType, DocumentPacket, Organization, Packet, PacketFault, ResponseFor, Staff, StatusCode,
    StatusPacket, WrittenTime,
};
use jiff::tz::Offset;
use trust::Time;

use crate::account::Account;
use crate::config::Agency;
use crate::inbox::About;
use crate::store::StoreFault;
use crate::store::book::Matter;
use crate::store::record::{Entered, Record};

/// What is said of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// 01–06, 13, 15 or 16.
    pub code: StatusCode,
    /// Text for people; for 02 and 16 the reason.
    pub note: Option<String>,
    /// Who deals with it.
    pub staff: Option<Staff>,
    /// When.
    pub at: Time,
}

/// Which document a status speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Whom the status is for: the document's sender, or for 13 the recipient that is asked to give back.
    pub organ_id: String,
    /// Number and notation in one text.
    pub code: String,
    /// When the document was issued, `yyyy/MM/dd` as written.
    pub promulgation_date: String,
    /// The document's id.
    pub document_id: String,
}

impl Subject {
    /// The document in this packet, for its sender.
    pub fn of(document: &DocumentPacket) -> Subject {
        Subject {
            organ_id: document.from.organ_id.clone(),
            code: format!("{}/{}", document.code.number, document.code.notation),
            promulgation_date: document.promulgation.date.as_str().to_owned(),
            document_id: document.document_id.clone(),
        }
    }
}

/// Writes a status packet.
///
/// # Errors
/// [`PacketFault`]: a text holds what XML cannot carry.
pub fn status_packet(
    agency: &Agency,
    subject: &Subject,
    report: &StatusReport,
) -> Result<Vec<u8>, PacketFault> {
    let department = agency.department.clone().map(|department| Staff {
        department: Some(department),
        ..Staff::default()
    });
    let status = StatusPacket {
        from: Organization {
            organ_id: agency.code.to_string(),
            name: agency.name.clone(),
            ..Organization::default()
        },
        response_for: ResponseFor {
            organ_id: subject.organ_id.clone(),
            code: subject.code.clone(),
            promulgation_date: domain::packet::WrittenDate(subject.promulgation_date.clone()),
            document_id: subject.document_id.clone(),
        },
        staff: report.staff.clone().or(department),
        status: report.code,
        description: report.note.clone(),
        at: written_time(report.at),
    };
    Packet::Status(Box::new(status)).write()
}

/// A time as packets write it, on a Vietnamese clock.
pub(crate) fn written_time(time: Time) -> WrittenTime {
    let instant = jiff::Timestamp::from_second(time.as_seconds()).unwrap_or_default();
    let civil = Offset::constant(7).to_datetime(instant);
    WrittenTime(civil.strftime("%Y/%m/%d %H:%M:%S").to_string())
}

/// The id of the automatic report of one dispatch's arrival (UUIDv8, RFC 9562 §5.8: bytes of our own making).
fn arrival_submission(dispatch: DispatchId) -> SubmissionId {
    let mut bytes = *dispatch.as_bytes();
    // Another id than any for the same dispatch under another version of this rule.
    bytes[0] ^= 1;
    let id = uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string();
    SubmissionId::parse(&id).expect("a UUID is a submission id")
}

/// Puts a status 01 into the outbox for each stored document whose arrival is due.
pub(crate) async fn arrivals(account: &Account) -> Result<(), StoreFault> {
    let Some(agency) = &account.config.agency else {
        return Ok(());
    };
    let due = account.book(|book| book.inbox.arrivals_due());
    let mut records = Vec::with_capacity(due.len());
    for about in due {
        records.push(account.logged(arrival(account, agency, &about)?));
    }
    if records.is_empty() {
        return Ok(());
    }
    account.store.commit(records).await
}

fn arrival(account: &Account, agency: &Agency, about: &About) -> Result<Record, StoreFault> {
    let dispatch = about.dispatch;
    let nothing = Record::Reported { dispatch };
    let place =
        |book: &mut crate::store::book::AccountBook| book.inbox.get(&dispatch).map(|(_, place)| place);
    let Some(stored) = account.fetch(Matter::Dispatch(dispatch), place)? else {
        return Ok(nothing);
    };
    let packet = Packet::open(&stored.into_body(), &account.config.packet_limits());
    let document = match packet {
        Ok(Packet::Document(document)) if document.business.kind != BusinessType::Recall => document,
        Ok(Packet::Document(_) | Packet::Status(_)) => return Ok(nothing),
        Err(fault) => {
            tracing::warn!(account.id = %account.id(), %dispatch, %fault, "no arrival reported: packet not understood");
            return Ok(nothing);
        }
    };
    let report = StatusReport {
        code: StatusCode::Arrived,
        note: None,
        staff: None,
        at: about.stored_at,
    };
    let rank = Rank::of_priority(document.other.priority);
    match status_packet(agency, &Subject::of(&document), &report) {
        Ok(body) => Ok(Record::Entered(Entered {
            submission: arrival_submission(dispatch),
            rank,
            at: about.stored_at,
            reports: Some(dispatch),
            body,
        })),
        Err(fault) => {
            tracing::warn!(account.id = %account.id(), %dispatch, %fault, "no arrival reported: status not writable");
            Ok(nothing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::Code;
    use domain::packet::Limits;

    #[test]
    fn a_status_reads_back_and_is_made_the_same_again() {
        let agency = Agency {
            code: Code::parse("000.00.02.H53").expect("a code"),
            name: "Sở Tài chính".to_owned(),
            place: String::new(),
            department: Some("Văn thư".to_owned()),
        };
        let subject = Subject {
            organ_id: "000.00.01.H53".to_owned(),
            code: "424a/SNV-VP".to_owned(),
            promulgation_date: "2026/11/22".to_owned(),
            document_id: "000.00.01.H53,2026/11/22,424a/SNV-VP".to_owned(),
        };
        for code in StatusCode::ALL {
            let report = StatusReport {
                code,
                note: Some("lý do".to_owned()),
                staff: None,
                at: Time::from_seconds(1_795_282_200),
            };
            let bytes = status_packet(&agency, &subject, &report).expect("a status");
            assert_eq!(status_packet(&agency, &subject, &report).as_ref(), Ok(&bytes));
            let packet = Packet::open(&bytes, &Limits::default()).expect("a packet");
            assert_eq!(packet.completeness(), []);
            let Packet::Status(status) = packet else {
                panic!("not a status")
            };
            assert_eq!(
                (status.status, status.response_for.document_id.as_str()),
                (code, subject.document_id.as_str())
            );
            assert_eq!(status.at.as_str(), "2026/11/22 00:30:00");
        }
    }

    #[test]
    fn the_report_of_an_arrival_has_one_id() {
        let of = |byte| arrival_submission(DispatchId::from_bytes([byte; 16]));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
