//! A refusal in edXML: the status packet 02 that software without receipts understands.
//!
//! Written where the document was opened and judged: what ends a thread or a process there is never opened again for this.
//! Nothing is written about what could not be opened, or was no document: a status 02 about somebody's document would read
//! as if that had been refused.
//!
//! **Invariant:** `From` is the gateway's own code; nothing is ever said in an addressee's name.

use domain::agency::Answers;
use domain::directory::Directory;
use domain::event::Refused;
use domain::ids::AccountId;
use domain::packet::{
    DocumentPacket, Organization, Packet, ResponseFor, StatusCode, StatusPacket, WrittenTime,
};
use domain::receipt::vietnam_time;

use super::Road;

/// Whether the software of this account only knows edXML.
pub(super) fn is_wanted(directory: &Directory, account: &AccountId) -> bool {
    match directory.account(account).map(|account| account.answers) {
        Some(Answers::ReceiptsAndStatus) => true,
        Some(Answers::Receipts) | None => false,
    }
}

/// The bytes of the packet that says that this document is refused.
pub(super) fn write(road: &Road, refused: &Refused, document: &DocumentPacket) -> Option<Vec<u8>> {
    let response_for = response_for(document);
    let words: Vec<String> = refused
        .reasons
        .iter()
        .map(|reason| {
            let text = reason.text();
            format!("{}: {}. {}.", reason.code.word(), text.vi, text.action_vi)
        })
        .collect();
    let packet = StatusPacket {
        from: Organization {
            organ_id: road.rules.gateway.to_string(),
            ..Organization::default()
        },
        response_for,
        staff: None,
        status: StatusCode::Refused,
        description: Some(words.join(" ")),
        at: WrittenTime(edxml_time(road)),
    };
    Packet::Status(Box::new(packet)).write().ok()
}

fn response_for(packet: &DocumentPacket) -> ResponseFor {
    ResponseFor {
        organ_id: packet.from.organ_id.clone(),
        code: format!("{}/{}", packet.code.number, packet.code.notation),
        promulgation_date: packet.promulgation.date.clone(),
        document_id: packet.document_id.clone(),
    }
}

/// `yyyy/MM/dd HH:mm:ss` in Vietnam time, as status packets write it.
fn edxml_time(road: &Road) -> String {
    let text = vietnam_time(road.now());
    text.get(..19)
        .unwrap_or(&text)
        .replace('-', "/")
        .replace('T', " ")
}
