//! What travels beside a message: the case, the event behind it, and what software needs before it opens the bytes.

use domain::port::Parcel;
use domain::receipt::vietnam_time;
use domain::wire;
use lapin::types::{AMQPValue, FieldTable};

/// The headers of a parcel.
pub(super) fn headers_of(parcel: &Parcel) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(wire::HEADER_FORMAT.into(), AMQPValue::LongLongInt(wire::FORMAT));
    put(&mut headers, wire::HEADER_CASE, parcel.dispatch.case.to_string());
    put(&mut headers, wire::HEADER_EVENT, parcel.event.to_string());
    let hop = format!("{} {}", parcel.gateway, vietnam_time(parcel.dispatch.id.time()));
    put(&mut headers, wire::HEADER_TRACE, hop);
    if let Some(time) = parcel.dispatch.expires_at {
        put(&mut headers, wire::HEADER_EXPIRES, vietnam_time(time));
    }
    if let Some(sender) = &parcel.dispatch.sender {
        put(&mut headers, wire::HEADER_SENDER, sender.as_str());
    }
    if let Some(document) = &parcel.document {
        put(&mut headers, wire::HEADER_DOCUMENT, document.as_str());
    }
    if let Some(answer) = &parcel.dispatch.answer {
        put(&mut headers, wire::HEADER_RECEIPT, answer.kind.word());
        if let Some(submission) = &answer.submission {
            put(&mut headers, wire::HEADER_SUBMISSION, submission.as_str());
        }
    }
    if !parcel.targets.is_empty() {
        // A recall takes back all updates, which may be any number. Ids rise with time: the newest may still lie in the inbox.
        let mut targets = parcel.targets.clone();
        targets.sort_unstable();
        let newest = targets.iter().rev().take(wire::TARGETS_TOLD_MAX);
        let newest: Vec<String> = newest.map(ToString::to_string).collect();
        put(&mut headers, wire::HEADER_TARGETS, newest.join(" "));
    }
    headers
}

/// Adds a header that is a text.
pub(super) fn put(headers: &mut FieldTable, name: &'static str, value: impl Into<String>) {
    headers.insert(
        name.into(),
        AMQPValue::LongString(value.into().into_bytes().into()),
    );
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use domain::dispatch::{Answer, Dispatch, DispatchKind, Rank};
    use domain::ids::{AgencyId, CaseId, Code, DispatchId, SubmissionId};
    use domain::receipt::ReceiptKind;
    use trust::{Digest, Time};

    pub(in crate::broker::publish) fn parcel(kind: DispatchKind) -> Parcel {
        let leaf = Digest::of(b"event");
        let to = AgencyId::from_number(3);
        let dispatch = Dispatch {
            id: DispatchId::derive(Time::from_micros(0), &leaf, to, kind.letter()),
            case: CaseId::from_bytes([7; 16]),
            to,
            code: None,
            kind,
            body: Digest::of(b"body"),
            rank: Rank::Normal,
            expires_at: None,
            answer: None,
            account: None,
            sender: None,
            submitted_by: None,
        };
        Parcel {
            dispatch,
            event: leaf,
            body: b"body".as_slice().into(),
            gateway: Code::parse("H53.LT").expect("a code"),
            document: None,
            targets: Vec::new(),
        }
    }

    fn text<'a>(headers: &'a FieldTable, name: &str) -> Option<&'a str> {
        match headers.inner().get(name) {
            Some(AMQPValue::LongString(text)) => std::str::from_utf8(text.as_bytes()).ok(),
            _ => None,
        }
    }

    #[test]
    fn a_packet_carries_case_event_and_what_is_known_of_its_document() {
        let mut packet = parcel(DispatchKind::Packet);
        packet.dispatch.expires_at = Some(Time::from_micros(1_790_000_000_000_000));
        packet.dispatch.sender = Code::parse("000.00.01.H53").ok();
        packet.document = Some("số 13/2020".to_owned());
        packet.targets = vec![CaseId::from_bytes([1; 16]), CaseId::from_bytes([2; 16])];
        let headers = headers_of(&packet);
        assert_eq!(
            headers.inner().get(wire::HEADER_FORMAT),
            Some(&AMQPValue::LongLongInt(1))
        );
        assert_eq!(
            text(&headers, wire::HEADER_CASE),
            Some("07070707-0707-0707-0707-070707070707")
        );
        assert_eq!(
            text(&headers, wire::HEADER_EVENT),
            Some(Digest::of(b"event").to_string().as_str())
        );
        assert_eq!(text(&headers, wire::HEADER_DOCUMENT), Some("số 13/2020"));
        assert_eq!(text(&headers, wire::HEADER_SENDER), Some("000.00.01.H53"));
        let trace = text(&headers, wire::HEADER_TRACE).expect("a trace");
        assert_eq!(trace, "H53.LT 1970-01-01T07:00:00+07:00");
        assert!(text(&headers, wire::HEADER_EXPIRES).is_some_and(|time| time.ends_with("+07:00")));
        assert_eq!(
            text(&headers, wire::HEADER_TARGETS).map(|targets| targets.split(' ').count()),
            Some(2)
        );
        assert_eq!(text(&headers, wire::HEADER_RECEIPT), None);
    }

    #[test]
    fn of_very_many_cases_a_recall_carries_the_newest() {
        let case = |number: u16| {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            CaseId::from_bytes(bytes)
        };
        let mut recall = parcel(DispatchKind::Packet);
        let told = |recall: &Parcel| {
            let headers = headers_of(recall);
            let told = text(&headers, wire::HEADER_TARGETS).map(str::to_owned);
            let told = told.expect("a header");
            told.split(' ')
                .map(|id| id.parse().expect("an id"))
                .collect::<Vec<CaseId>>()
        };
        let newest = u16::try_from(wire::TARGETS_TOLD_MAX).expect("small");
        recall.targets = (1..=newest).map(case).collect();
        assert_eq!(told(&recall), (1..=newest).rev().map(case).collect::<Vec<_>>());
        recall.targets.insert(0, case(newest + 1));
        assert_eq!(
            told(&recall),
            (2..=newest + 1).rev().map(case).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_receipt_names_its_kind_and_the_submission_it_answers() {
        let mut receipt = parcel(DispatchKind::Receipt);
        let submission = SubmissionId::parse("0190").ok();
        receipt.dispatch.answer = Some(Answer {
            kind: ReceiptKind::SubmissionAcceptance,
            submission,
        });
        let headers = headers_of(&receipt);
        assert_eq!(text(&headers, wire::HEADER_RECEIPT), Some("SubmissionAcceptance"));
        assert_eq!(text(&headers, wire::HEADER_SUBMISSION), Some("0190"));
        assert_eq!(text(&headers, wire::HEADER_EXPIRES), None);
    }
}
