//! How an event is read back. A newer gateway reads every older version.

use serde_json::Value;

use super::{
    Accepted, Addressee, AddresseeFault, Event, Extended, FORMAT, Failed, Happening, Held, Identity, Moved,
    Parked, ReceiptIssued, Refused, Repeated, Reported, SealFact, Submission, Unaddressed,
};
use crate::agency::Signatory;
use crate::directory::DirectoryChange;
use crate::dispatch::{DispatchKind, Rank};
use crate::json::{JsonFault, Reader};
use crate::packet::{BusinessType, StatusCode};
use crate::receipt::ReceiptKind;
use crate::refusal::{Refusal, Remark};

impl Event {
    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`JsonFault`]: not an event of a version that this build knows.
    pub fn decode(stored: &[u8]) -> Result<Event, JsonFault> {
        let value: Value = serde_json::from_slice(stored).map_err(|_| JsonFault::NotAnObject)?;
        let reader = Reader::new(&value)?;
        let version = reader.number("v")?;
        if version != FORMAT {
            return Err(JsonFault::Version(version));
        }
        Ok(Event {
            time: reader.time("time")?,
            happening: happening(reader)?,
        })
    }
}

fn happening(reader: Reader<'_>) -> Result<Happening, JsonFault> {
    Ok(match reader.str("event")? {
        "accepted" => Happening::Accepted(accepted(reader)?),
        "refused" => Happening::Refused(refused(reader)?),
        "held" => Happening::Held(held(reader)?),
        "repeated" => Happening::Repeated(Repeated {
            case: reader.parse("case")?,
            submission: submission(reader.object("submission")?)?,
            answer: reader.parse("answer")?,
        }),
        "extended" => Happening::Extended(extended(reader)?),
        "reported" => Happening::Reported(reported(reader)?),
        "consigned" => Happening::Consigned(moved(reader)?),
        "handed-over" => Happening::HandedOver(moved(reader)?),
        "failed" => Happening::Failed(Failed {
            case: reader.parse("case")?,
            dispatch: reader.parse("dispatch")?,
            kind: kind(reader)?,
            to: reader.parse("to")?,
            reason: reader.parse("reason")?,
            consigned: reader.flag("consigned")?,
        }),
        "withdrawn" => Happening::Withdrawn(moved(reader)?),
        "lost" => Happening::Lost(moved(reader)?),
        "receipt-issued" => Happening::ReceiptIssued(receipt_issued(reader)?),
        "parked" => Happening::Parked(Parked {
            case: reader.parse("case")?,
            rank: rank(reader)?,
            submission: submission(reader.object("submission")?)?,
            reason: reader.parse("reason")?,
        }),
        "directory-changed" => {
            Happening::DirectoryChanged(DirectoryChange::from_json(reader.object("change")?)?)
        }
        "broker-lost" => Happening::BrokerLost {
            epoch: reader.parse("epoch")?,
        },
        _ => return Err(JsonFault::Wrong("event")),
    })
}

fn natural(reader: Reader<'_>, key: &'static str) -> Result<u64, JsonFault> {
    u64::try_from(reader.number(key)?).map_err(|_| JsonFault::Wrong(key))
}

fn kind(reader: Reader<'_>) -> Result<DispatchKind, JsonFault> {
    DispatchKind::from_word(reader.str("kind")?).ok_or(JsonFault::Wrong("kind"))
}

fn rank(reader: Reader<'_>) -> Result<Rank, JsonFault> {
    match reader.str("rank")? {
        "urgent" => Ok(Rank::Urgent),
        "normal" => Ok(Rank::Normal),
        _ => Err(JsonFault::Wrong("rank")),
    }
}

fn submission(reader: Reader<'_>) -> Result<Submission, JsonFault> {
    Ok(Submission {
        id: reader.parse("id")?,
        account: reader.parse("account")?,
        agency: reader.maybe("agency")?,
        packet: reader.parse("packet")?,
        packet_bytes: natural(reader, "bytes")?,
        received_at: reader.time("received")?,
    })
}

fn identity(reader: Reader<'_>) -> Result<Identity, JsonFault> {
    Ok(Identity {
        sender: reader.parse("sender")?,
        document: reader.parse("document")?,
        business: BusinessType::parse(reader.str("business")?).ok_or(JsonFault::Wrong("business"))?,
        contents: reader.parse("contents")?,
    })
}

fn addressee(reader: Reader<'_>) -> Result<Addressee, JsonFault> {
    Ok(Addressee {
        agency: reader.parse("agency")?,
        code: reader.parse("code")?,
        again: reader.maybe("again")?,
    })
}

fn unaddressed(reader: Reader<'_>) -> Result<Unaddressed, JsonFault> {
    let word = reader.str("fault")?;
    let fault = AddresseeFault::ALL.into_iter().find(|fault| fault.word() == word);
    Ok(Unaddressed {
        code: reader.parse("code")?,
        fault: fault.ok_or(JsonFault::Wrong("fault"))?,
    })
}

fn seal(reader: Reader<'_>) -> Result<SealFact, JsonFault> {
    let small = |key| u32::try_from(reader.number(key)?).map_err(|_| JsonFault::Wrong(key));
    let signatory = match reader.maybe("agency")? {
        Some(agency) => {
            let kind = Signatory::from_word(reader.str("signatory")?);
            Some((agency, kind.ok_or(JsonFault::Wrong("signatory"))?))
        }
        None => None,
    };
    Ok(SealFact {
        attachment: small("attachment")?,
        seal: small("seal")?,
        indication: reader.parse("indication")?,
        signer: reader.maybe("signer")?,
        signatory,
    })
}

fn accepted(reader: Reader<'_>) -> Result<Accepted, JsonFault> {
    Ok(Accepted {
        case: reader.parse("case")?,
        submission: submission(reader.object("submission")?)?,
        identity: identity(reader.object("identity")?)?,
        sender_code: reader.parse("code")?,
        rank: rank(reader)?,
        addressees: reader.objects("addressees", addressee)?,
        unaddressed: reader.objects("unaddressed", unaddressed)?,
        targets: reader.texts("targets")?,
        seals: reader.objects("seals", seal)?,
        remarks: reader.objects("remarks", Remark::from_json)?,
        expires_at: reader.time("expires")?,
        trust_version: natural(reader, "trust")?,
        directory_version: natural(reader, "directory")?,
    })
}

fn refused(reader: Reader<'_>) -> Result<Refused, JsonFault> {
    Ok(Refused {
        case: reader.parse("case")?,
        submission: submission(reader.object("submission")?)?,
        document: reader.maybe("document")?,
        reasons: reader.objects("reasons", Refusal::from_json)?,
        rank: rank(reader)?,
        seals: reader.objects("seals", seal)?,
        status_packet: reader.maybe("status-packet")?,
    })
}

fn held(reader: Reader<'_>) -> Result<Held, JsonFault> {
    Ok(Held {
        case: reader.parse("case")?,
        submission: submission(reader.object("submission")?)?,
        identity: identity(reader.object("identity")?)?,
        rank: rank(reader)?,
        reasons: reader.objects("reasons", Remark::from_json)?,
        until: reader.time("until")?,
    })
}

fn extended(reader: Reader<'_>) -> Result<Extended, JsonFault> {
    Ok(Extended {
        case: reader.parse("case")?,
        submission: submission(reader.object("submission")?)?,
        sender_code: reader.maybe("code")?,
        rank: rank(reader)?,
        addressees: reader.objects("addressees", addressee)?,
        unaddressed: reader.objects("unaddressed", unaddressed)?,
        seals: reader.objects("seals", seal)?,
        remarks: reader.objects("remarks", Remark::from_json)?,
        expires_at: reader.time("expires")?,
        trust_version: natural(reader, "trust")?,
        directory_version: natural(reader, "directory")?,
    })
}

fn reported(reader: Reader<'_>) -> Result<Reported, JsonFault> {
    let submission = submission(reader.object("submission")?)?;
    Ok(Reported {
        case: reader.parse("case")?,
        meaning: reader.maybe("meaning")?.unwrap_or(submission.packet),
        submission,
        addressee: reader.parse("addressee")?,
        to: reader.parse("to")?,
        account: reader.maybe("account")?,
        sender_code: reader.maybe("code")?,
        status: StatusCode::parse(reader.str("status")?).ok_or(JsonFault::Wrong("status"))?,
        rank: rank(reader)?,
    })
}

fn moved(reader: Reader<'_>) -> Result<Moved, JsonFault> {
    Ok(Moved {
        case: reader.parse("case")?,
        dispatch: reader.parse("dispatch")?,
        kind: kind(reader)?,
        to: reader.parse("to")?,
        account: reader.maybe("account")?,
        at: reader.maybe_time("at")?,
    })
}

fn receipt_issued(reader: Reader<'_>) -> Result<ReceiptIssued, JsonFault> {
    Ok(ReceiptIssued {
        case: reader.parse("case")?,
        kind: ReceiptKind::from_word(reader.str("kind")?).ok_or(JsonFault::Wrong("kind"))?,
        about: reader.parse("about")?,
        receipt: reader.parse("receipt")?,
        to: reader.parse("to")?,
        submission: reader.maybe("submission")?,
        account: reader.maybe("account")?,
        status_packet: reader.maybe("status-packet")?,
        rank: rank(reader)?,
    })
}
