//! A refusal in edXML: the status packet 02 that software without receipts understands.
//!
//! **Invariant:** `From` is the gateway's own code; nothing is ever said in an addressee's name.

use domain::event::Refused;
use domain::packet::{
    DocumentPacket, Organization, Packet, ResponseFor, StatusCode, StatusPacket, WrittenTime,
};
use domain::receipt::vietnam_time;

use super::Road;

/// The packet's bytes, or nothing when the refused one was no document: a status 02 about somebody's document would read
/// as if that had been refused.
pub(super) fn write(road: &Road, refused: &Refused, original: &[u8]) -> Option<Vec<u8>> {
    let response_for = match Packet::open(original, &road.rules.limits) {
        Ok(Packet::Document(packet)) => response_for(&packet),
        Ok(Packet::Status(_)) | Err(_) => return None,
    };
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
