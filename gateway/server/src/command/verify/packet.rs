//! What a packet is worth: each attachment, and its own signature.
//!
//! **Invariant:** a packet passes only if whatever bears signatures in it passes, and what it is about is signed: its main
//! document, or the whole packet.

use domain::packet::{Attachment, DocumentPacket, Opened, Packet};
use domain::verify::{in_manifest_order, is_detached_signature, is_pdf, judge_detached};
use trust::xml::Tree;
use trust::xml::signature::{PacketSignature, of_packet};

use super::examine::{Bench, Whole, judged, pdf_finding};
use super::view::{About, Finding, Judged, Kind, Object, Place, Size, Verdict};
use crate::command::text::VerifyText;

pub(super) fn examine(opened: &Opened, bytes: &[u8], size: Size, bench: Bench<'_>) -> Whole {
    let (own, covers_packet) = own_signature(bytes, size, bench);
    let mut packet = opened.packet.clone();
    let mut notes = Vec::new();
    let (mut objects, is_main_signed) = match &mut packet {
        Packet::Document(document) => {
            let (objects, signed) = document_objects(document, bench);
            let unsigned = signed.iter().skip(1).filter(|is_signed| !**is_signed).count();
            if 0 < unsigned {
                notes.push(VerifyText::EnclosuresUnsigned.said().with("count", unsigned));
            }
            if !objects.is_empty() && document.attachments.iter().all(is_detached_signature) {
                notes.push(VerifyText::MainMissing.said());
            }
            (objects, signed.first() == Some(&true))
        }
        Packet::Status(_) => (Vec::new(), false),
    };
    objects.push(own);
    let mut verdict = Verdict::worst(objects.iter().filter_map(Object::verdict));
    if !is_main_signed && !covers_packet {
        verdict = verdict.max(Verdict::Unsigned);
        notes.push(VerifyText::MainUnsigned.said());
    }
    Whole {
        kind: Kind::Packet,
        verdict,
        objects,
        about: About::Packet(Box::new(packet)),
        notes,
    }
}

/// The packet's own signature, and whether it passed and covers the whole.
fn own_signature(bytes: &[u8], size: Size, bench: Bench<'_>) -> (Object, bool) {
    let tree = Tree::parse(bytes, bench.xml)
        .expect("a packet that was opened is well-formed within the same limits");
    let signature = of_packet(&tree, bench.snapshot, bench.at);
    let finding = match &signature {
        PacketSignature::Absent => Finding::Unsigned,
        PacketSignature::Placeholder => Finding::Placeholder,
        PacketSignature::Valid(seals) | PacketSignature::Invalid(seals) => {
            let reports = seals.iter().map(|seal| seal.report().clone());
            Finding::Judged(reports.map(Judged::from).collect())
        }
    };
    let mut object = Object::new(Place::PacketSignature, size, finding);
    let covers_packet = match signature {
        PacketSignature::Valid(_) => true,
        PacketSignature::Invalid(seals) => {
            // Each passed, and none is over the whole: what is not covered may be anybody's.
            if seals.iter().all(|seal| seal.report().is_passed()) {
                object.notes.push(VerifyText::PacketNotCovered.said());
                object.is_void = true;
            }
            false
        }
        PacketSignature::Absent | PacketSignature::Placeholder => false,
    };
    (object, covers_packet)
}

/// Each attachment in the order of the manifest; and of those that are no detached signatures, the main document first,
/// whether it bears a signature or one stands beside it.
fn document_objects(document: &mut DocumentPacket, bench: Bench<'_>) -> (Vec<Object>, Vec<bool>) {
    in_manifest_order(document);
    let all = document.attachments.as_slice();
    let mut signed = vec![false; all.len()];
    let mut objects = Vec::new();
    for (index, attachment) in all.iter().enumerate() {
        let (over, finding, is_void) = if is_detached_signature(attachment) {
            let (over, reports) = judge_detached(all, attachment, bench.snapshot, bench.at);
            (over, judged(reports), over.is_none())
        } else if is_pdf(attachment) {
            (Some(index), pdf_finding(attachment.content.bytes(), bench), false)
        } else {
            (None, Finding::Unsigned, false)
        };
        let mut object = object_of(attachment, index, finding);
        object.is_void = is_void;
        if is_void {
            object.notes.push(VerifyText::ObjectOverNothing.said());
        }
        if let Some(over) = over {
            signed[over] |= !object.judged().is_empty();
        }
        objects.push(object);
    }
    let files = all.iter().zip(signed);
    let files = files.filter(|(attachment, _)| !is_detached_signature(attachment));
    (objects, files.map(|(_, is_signed)| is_signed).collect())
}

fn object_of(attachment: &Attachment, index: usize, finding: Finding) -> Object {
    let place = Place::Attachment {
        number: index + 1,
        name: attachment.name.clone(),
    };
    let size = Size {
        digest: attachment.content.digest(),
        bytes: attachment.content.bytes().len(),
    };
    Object::new(place, size, finding)
}
