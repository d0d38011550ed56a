//! How an event is written: one canonical JSON object on one line.

use serde_json::Value;

use super::{
    Accepted, Addressee, Event, Extended, FORMAT, Failed, Happening, Held, Identity, Moved, Parked,
    ReceiptIssued, Refused, Repeated, Reported, SealFact, Submission, Unaddressed,
};
use crate::dispatch::Rank;
use crate::json::{Writer, text};
use crate::refusal::{Refusal, Remark};

impl Event {
    /// The stored bytes: canonical JSON without a line end.
    pub fn encode(&self) -> Vec<u8> {
        let writer = Writer::new()
            .number("v", FORMAT)
            .time("time", self.time)
            .text("event", self.happening.word());
        self.happening.write(writer).end().to_string().into_bytes()
    }
}

impl Happening {
    fn write(&self, writer: Writer) -> Writer {
        match self {
            Happening::Accepted(it) => it.write(writer),
            Happening::Refused(it) => it.write(writer),
            Happening::Held(it) => it.write(writer),
            Happening::Repeated(it) => it.write(writer),
            Happening::Extended(it) => it.write(writer),
            Happening::Reported(it) => it.write(writer),
            Happening::Consigned(it)
            | Happening::HandedOver(it)
            | Happening::Withdrawn(it)
            | Happening::Lost(it) => it.write(writer),
            Happening::Failed(it) => it.write(writer),
            Happening::ReceiptIssued(it) => it.write(writer),
            Happening::Parked(it) => it.write(writer),
            Happening::DirectoryChanged(change) => writer.value("change", change.to_json()),
            Happening::BrokerLost { epoch } => writer.text("epoch", epoch),
        }
    }
}

/// An integer that JSON readers everywhere hold exactly.
fn exact(number: u64) -> i64 {
    i64::try_from(number).expect("lengths and versions stay far below 2^63")
}

fn rank(rank: Rank) -> &'static str {
    match rank {
        Rank::Urgent => "urgent",
        Rank::Normal => "normal",
    }
}

impl Submission {
    fn to_json(&self) -> Value {
        Writer::new()
            .text("id", &self.id)
            .text("account", &self.account)
            .maybe("agency", self.agency)
            .text("packet", self.packet)
            .number("bytes", exact(self.packet_bytes))
            .time("received", self.received_at)
            .end()
    }
}

impl Identity {
    fn to_json(&self) -> Value {
        Writer::new()
            .text("sender", self.sender)
            .text("document", &self.document)
            .text("business", self.business.code())
            .text("contents", self.contents)
            .end()
    }
}

impl Addressee {
    fn to_json(&self) -> Value {
        Writer::new()
            .text("agency", self.agency)
            .text("code", &self.code)
            .maybe("again", self.again)
            .end()
    }
}

impl Unaddressed {
    fn to_json(&self) -> Value {
        Writer::new()
            .text("code", &self.code)
            .text("fault", self.fault.word())
            .end()
    }
}

impl SealFact {
    fn to_json(&self) -> Value {
        let writer = Writer::new()
            .number("attachment", i64::from(self.attachment))
            .number("seal", i64::from(self.seal))
            .text("indication", &self.indication)
            .maybe("signer", self.signer);
        match &self.signatory {
            Some((agency, kind)) => writer.text("agency", agency).text("signatory", kind.word()),
            None => writer,
        }
        .end()
    }
}

impl Accepted {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .value("identity", self.identity.to_json())
            .text("code", &self.sender_code)
            .text("rank", rank(self.rank))
            .list("addressees", self.addressees.iter().map(Addressee::to_json))
            .list("unaddressed", self.unaddressed.iter().map(Unaddressed::to_json))
            .list("targets", self.targets.iter().map(text))
            .list("seals", self.seals.iter().map(SealFact::to_json))
            .list("remarks", self.remarks.iter().map(Remark::to_json))
            .time("expires", self.expires_at)
            .number("trust", exact(self.trust_version))
            .number("directory", exact(self.directory_version))
    }
}

impl Refused {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .maybe("document", self.document.as_ref())
            .text("rank", rank(self.rank))
            .list("reasons", self.reasons.iter().map(Refusal::to_json))
            .list("seals", self.seals.iter().map(SealFact::to_json))
            .maybe("status-packet", self.status_packet)
    }
}

impl Held {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .value("identity", self.identity.to_json())
            .text("rank", rank(self.rank))
            .list("reasons", self.reasons.iter().map(Remark::to_json))
            .time("until", self.until)
    }
}

impl Repeated {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .text("answer", self.answer)
    }
}

impl Extended {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .maybe("code", self.sender_code.as_ref())
            .text("rank", rank(self.rank))
            .list("addressees", self.addressees.iter().map(Addressee::to_json))
            .list("unaddressed", self.unaddressed.iter().map(Unaddressed::to_json))
            .list("seals", self.seals.iter().map(SealFact::to_json))
            .list("remarks", self.remarks.iter().map(Remark::to_json))
            .time("expires", self.expires_at)
            .number("trust", exact(self.trust_version))
            .number("directory", exact(self.directory_version))
    }
}

impl Reported {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .text("addressee", self.addressee)
            .text("to", self.to)
            .maybe("account", self.account.as_ref())
            .maybe("code", self.sender_code.as_ref())
            .text("status", self.status.code())
            .text("meaning", self.meaning)
            .text("rank", rank(self.rank))
    }
}

impl Moved {
    fn write(&self, writer: Writer) -> Writer {
        let writer = writer
            .text("case", self.case)
            .text("dispatch", self.dispatch)
            .text("kind", self.kind.word())
            .text("to", self.to)
            .maybe("account", self.account.as_ref());
        match self.at {
            Some(at) => writer.time("at", at),
            None => writer,
        }
    }
}

impl Failed {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .text("dispatch", self.dispatch)
            .text("kind", self.kind.word())
            .text("to", self.to)
            .text("reason", &self.reason)
            .flag("consigned", self.consigned)
    }
}

impl ReceiptIssued {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .text("kind", self.kind.word())
            .text("about", self.about)
            .text("receipt", self.receipt)
            .text("to", self.to)
            .maybe("submission", self.submission.as_ref())
            .maybe("account", self.account.as_ref())
            .maybe("status-packet", self.status_packet)
            .text("rank", rank(self.rank))
    }
}

impl Parked {
    fn write(&self, writer: Writer) -> Writer {
        writer
            .text("case", self.case)
            .value("submission", self.submission.to_json())
            .text("rank", rank(self.rank))
            .text("reason", &self.reason)
    }
}
