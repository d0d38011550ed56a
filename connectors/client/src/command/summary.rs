//! What a packet says, for whoever looks before sending it.

use connector::text::Text;
use domain::json::{Writer, text};
use domain::packet::{BusinessType, DocumentPacket, Limits, Packet, StatusPacket};
use serde_json::Value;
use trust::Digest;

use super::delivery::Form;
use super::{Ending, say};

/// What would keep a packet from being sent on, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    fields: Vec<Field>,
    /// Why the gateway would refuse it as it is: not readable, or incomplete. Signatures are not looked at.
    faults: Vec<String>,
}

/// One line: a name for programs, one for people, and the values.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: &'static str,
    label: Text,
    values: Vec<String>,
}

fn field(name: &'static str, label: Text, values: Vec<String>) -> Field {
    Field { name, label, values }
}

impl Summary {
    /// Of a packet's bytes.
    pub(crate) fn of(bytes: &[u8], limits: &Limits) -> Summary {
        let mut fields = vec![
            field("bytes", Text::LabelBytes, vec![bytes.len().to_string()]),
            field("sha256", Text::LabelSha, vec![Digest::of(bytes).to_string()]),
        ];
        let faults = match Packet::open(bytes, limits) {
            Ok(packet) => {
                fields.extend(match &packet {
                    Packet::Document(document) => of_document(document),
                    Packet::Status(status) => of_status(status),
                });
                packet.completeness()
            }
            Err(fault) => vec![fault],
        };
        Summary {
            fields,
            faults: faults.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether the gateway would refuse it for its form.
    pub(crate) fn ending(&self) -> Ending {
        if self.faults.is_empty() {
            Ending::Done
        } else {
            Ending::Refused
        }
    }

    /// Shows it.
    pub(crate) fn tell(&self, name: &str, form: Form) {
        match form {
            Form::Json => say(&self.json(name)),
            Form::Text => self.lines(name).iter().for_each(|line| say(line)),
        }
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let mut lines = vec![Text::ShownOnly.with(&[("name", name)])];
        for Field { label, values, .. } in &self.fields {
            if !values.is_empty() {
                lines.push(format!("  {}: {}", label.with(&[]), values.join("; ")));
            }
        }
        lines.extend(
            self.faults
                .iter()
                .map(|fault| Text::ShownFault.with(&[("fault", fault)])),
        );
        lines
    }

    fn json(&self, name: &str) -> String {
        let list = |values: &[String]| Value::Array(values.iter().map(text).collect());
        let object = self
            .fields
            .iter()
            .fold(Writer::new().text("packet", name), |object, one| {
                object.value(one.name, list(&one.values))
            });
        object
            .text("result", "not-sent")
            .value("faults", list(&self.faults))
            .end()
            .to_string()
    }
}

fn of_document(document: &DocumentPacket) -> Vec<Field> {
    let strings = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
    let business = match document.business.kind {
        BusinessType::New => Text::KindNew,
        BusinessType::Recall => Text::KindRecall,
        BusinessType::Update => Text::KindUpdate,
        BusinessType::Replace => Text::KindReplace,
    };
    let files = document.attachments.iter().map(|one| {
        let bytes = one.content.bytes();
        format!("{} ({} bytes, {})", one.name, bytes.len(), Digest::of(bytes))
    });
    vec![
        field(
            "document",
            Text::LabelDocument,
            vec![document.document_id.clone()],
        ),
        field("business", Text::LabelBusiness, vec![business.with(&[])]),
        field("targets", Text::LabelTargets, strings(document.targets())),
        field(
            "reason",
            Text::LabelReason,
            document.business.reason.iter().cloned().collect(),
        ),
        field("from", Text::LabelFrom, vec![document.from.organ_id.clone()]),
        field("to", Text::LabelTo, strings(document.addressees())),
        field("subject", Text::LabelSubject, vec![document.subject.clone()]),
        field(
            "priority",
            Text::LabelPriority,
            vec![document.other.priority.code().to_owned()],
        ),
        field("files", Text::LabelFiles, files.collect()),
    ]
}

fn of_status(status: &StatusPacket) -> Vec<Field> {
    vec![
        field("status", Text::LabelStatus, vec![status.status.code().to_owned()]),
        field(
            "document",
            Text::LabelDocument,
            vec![status.response_for.document_id.clone()],
        ),
        field("from", Text::LabelFrom, vec![status.from.organ_id.clone()]),
        field("to", Text::LabelTo, vec![status.response_for.organ_id.clone()]),
        field(
            "note",
            Text::LabelNote,
            status.description.iter().cloned().collect(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use domain::packet::{Business, Organization};

    use super::*;

    fn packet(business: Business) -> Vec<u8> {
        let organization = |code: &str| Organization {
            organ_id: code.to_owned(),
            ..Organization::default()
        };
        let document = DocumentPacket {
            from: organization("000.00.01.H53"),
            to: vec![organization("000.00.02.H53"), organization("000.00.03.H53")],
            document_id: "000.00.01.H53,2026/11/22,7/SNV".to_owned(),
            subject: "V/v thử".to_owned(),
            business,
            ..DocumentPacket::default()
        };
        Packet::Document(Box::new(document)).write().expect("a packet")
    }

    #[test]
    fn a_packet_is_shown_with_what_it_acts_on_and_what_is_missing() {
        let business = Business {
            kind: BusinessType::Recall,
            document_id: Some("target".to_owned()),
            reason: Some("sai".to_owned()),
            ..Business::default()
        };
        let summary = Summary::of(&packet(business), &Limits::default());
        let shown = summary.lines("one").join("\n");
        for expected in [
            "thu hồi / recall",
            "acts on: target",
            "reason: sai",
            "to: 000.00.02.H53; 000.00.03.H53",
            "CodeNumber",
        ] {
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
        assert_eq!(
            summary.ending(),
            Ending::Refused,
            "number, notation and more are missing"
        );
        let json: Value = serde_json::from_str(&summary.json("one")).expect("JSON");
        assert_eq!(json["targets"][0], "target");
        assert_eq!(json["to"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn what_cannot_be_read_is_shown_too() {
        let summary = Summary::of(b"no packet", &Limits::default());
        assert_eq!((summary.faults.len(), summary.ending()), (1, Ending::Refused));
        assert!(summary.lines("one").join(" ").contains("SHA-256"));
    }
}
