//! From an opened packet to a verified one: every seal of it judged, and whose it is.
//!
//! Only the main document's seals gate (rules §8.5); those of enclosures are reported one by one. The main document is
//! the first attachment in manifest order that is not itself a detached signature.
//!
//! **Invariant:** [`VerifiedPacket`] is made here and nowhere else.
//! **Invariant:** unknown revocation is *not now*, never good.

use trust::pdf::PdfReport;
use trust::{Indication, Need, SealReport, Snapshot, SubIndication, Time};

use crate::directory::Directory;
use crate::event::SealFact;
use crate::ids::AgencyId;
use crate::packet::{Attachment, DocumentPacket};
use crate::refusal::{Refusal, RefusalCode, Remark};

/// What a packet is verified against: all of one moment.
#[derive(Debug, Clone, Copy)]
pub struct Belief<'a> {
    /// Anchors, candidates, CRLs and policy.
    pub trust: &'a Snapshot,
    /// Who has which certificates.
    pub directory: &'a Directory,
    /// The moment.
    pub now: Time,
}

/// A packet whose every seal was judged, with what came out.
#[derive(Debug, Clone)]
pub struct VerifiedPacket {
    packet: DocumentPacket,
    sender: AgencyId,
    seals: Vec<SealFact>,
    remarks: Vec<Remark>,
    refusals: Vec<Refusal>,
    needs: Vec<Need>,
}

impl VerifiedPacket {
    /// The packet.
    pub fn packet(&self) -> &DocumentPacket {
        &self.packet
    }

    /// The authenticated sender it was verified for.
    pub fn sender(&self) -> AgencyId {
        self.sender
    }

    /// What was found of each signature.
    pub fn seals(&self) -> &[SealFact] {
        &self.seals
    }

    /// Worth noting.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// Why its signatures do not let it pass; empty when they do.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// What must be known before it can be told; empty when all is known.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }
}

/// Judges every seal of `packet`, sent by `sender`.
pub fn verify(mut packet: DocumentPacket, sender: AgencyId, belief: Belief<'_>) -> VerifiedPacket {
    in_manifest_order(&mut packet);
    let mut bench = Bench {
        sender,
        belief,
        seals: vec![],
        remarks: vec![],
        refusals: vec![],
        needs: vec![],
    };
    let main = packet
        .attachments
        .iter()
        .position(|one| !is_detached_signature(one));
    for (index, attachment) in packet.attachments.iter().enumerate() {
        let part = Part {
            number: number(index),
            gates: Some(index) == main,
        };
        if !is_detached_signature(attachment) {
            bench.judge_file(part, attachment);
        }
    }
    for (index, signature) in packet.attachments.iter().enumerate() {
        if is_detached_signature(signature) {
            let signed = signed_by(&packet.attachments, signature);
            let part = Part {
                number: number(index),
                gates: signed.is_some() && signed == main,
            };
            bench.judge_detached(part, signature, signed.map(|place| &packet.attachments[place]));
        }
    }
    if let Some(main) = main {
        bench.bind_to_sender(&packet.attachments, main);
    }
    let Bench {
        seals,
        remarks,
        refusals,
        needs,
        ..
    } = bench;
    VerifiedPacket {
        packet,
        sender,
        seals,
        remarks,
        refusals,
        needs,
    }
}

/// The manifest says which document is the main one; the order in which files stand in the packet says nothing.
fn in_manifest_order(packet: &mut DocumentPacket) {
    let manifest = &packet.manifest;
    let place = |attachment: &Attachment| {
        let listed = manifest
            .iter()
            .position(|reference| reference.content_id == attachment.content_id);
        listed.unwrap_or(usize::MAX)
    };
    packet.attachments.sort_by_cached_key(place);
}

/// An attachment's number as refusals and remarks name it: from 1, in manifest order.
fn number(index: usize) -> u32 {
    u32::try_from(index + 1).expect("the packet's limits keep attachments few")
}

/// By name, or by a header where PDF readers look for one (within the first 1,024 bytes).
fn is_pdf(attachment: &Attachment) -> bool {
    let bytes = attachment.content.bytes();
    let head = &bytes[..bytes.len().min(1024)];
    attachment.name.to_lowercase().ends_with(".pdf") || head.windows(5).any(|window| window == b"%PDF-")
}

/// An indication as events and receipts write it: `TOTAL-FAILED/REVOKED`.
fn words(indication: Indication) -> String {
    match indication {
        Indication::TotalPassed => "TOTAL-PASSED".to_owned(),
        Indication::TotalFailed(why) => format!("TOTAL-FAILED/{}", why.name()),
        Indication::Indeterminate(why) => format!("INDETERMINATE/{}", why.name()),
    }
}

fn is_detached_signature(attachment: &Attachment) -> bool {
    attachment.name.to_lowercase().ends_with(".p7s")
}

/// Which attachment a detached signature belongs to: the one with its name less `.p7s`, else the only other one.
fn signed_by(all: &[Attachment], signature: &Attachment) -> Option<usize> {
    let name = signature.name.to_lowercase();
    let base = name.strip_suffix(".p7s").unwrap_or(&name);
    let files: Vec<usize> = (0..all.len())
        .filter(|&place| !is_detached_signature(&all[place]))
        .collect();
    let named = files
        .iter()
        .copied()
        .find(|&place| all[place].name.to_lowercase() == base);
    named.or(match files[..] {
        [only] => Some(only),
        _ => None,
    })
}

/// The attachment that is being judged.
#[derive(Clone, Copy)]
struct Part {
    number: u32,
    gates: bool,
}

struct Bench<'a> {
    sender: AgencyId,
    belief: Belief<'a>,
    seals: Vec<SealFact>,
    remarks: Vec<Remark>,
    refusals: Vec<Refusal>,
    needs: Vec<Need>,
}

impl Bench<'_> {
    fn judge_file(&mut self, part: Part, attachment: &Attachment) {
        let bytes = attachment.content.bytes();
        if !is_pdf(attachment) {
            return;
        }
        match trust::pdf::validate(bytes, self.belief.trust, self.belief.now) {
            PdfReport::Unsigned => {}
            PdfReport::Signed(reports) => self.judge_seals(part, &reports),
            PdfReport::Refused(fault) => {
                let about = part.number;
                if part.gates {
                    let refusal = Refusal::new(RefusalCode::FileManipulated);
                    self.refusals
                        .push(refusal.with("attachment", about).with("fault", fault));
                } else {
                    self.remarks
                        .push(Remark::new("enclosure-file", format!("{about}: {fault}")));
                }
            }
        }
    }

    fn judge_detached(&mut self, part: Part, signature: &Attachment, signed: Option<&Attachment>) {
        let Some(signed) = signed else {
            self.remarks
                .push(Remark::new("signature-without-file", part.number));
            return;
        };
        let reports = trust::cms::validate(
            signature.content.bytes(),
            signed.content.bytes(),
            self.belief.trust,
            self.belief.now,
        );
        self.judge_seals(part, &reports);
    }

    fn judge_seals(&mut self, part: Part, reports: &[SealReport]) {
        let earlier = self
            .seals
            .iter()
            .filter(|seal| seal.attachment == part.number)
            .count();
        for (index, report) in reports.iter().enumerate() {
            let seal = number(earlier + index);
            self.seals.push(self.fact(part, seal, report));
            if part.gates {
                self.gate(part, seal, report);
            } else if report.indication != Indication::TotalPassed {
                let about = format!("{}/{seal}: {}", part.number, words(report.indication));
                self.remarks.push(Remark::new("enclosure-seal", about));
            }
        }
    }

    fn fact(&self, part: Part, seal: u32, report: &SealReport) -> SealFact {
        let signer = report
            .signer
            .as_ref()
            .map(|certificate| certificate.fingerprint());
        let pinned = signer.and_then(|fingerprint| {
            self.belief
                .directory
                .pinned(self.sender, &fingerprint, self.belief.now)
        });
        SealFact {
            attachment: part.number,
            seal,
            indication: words(report.indication),
            signer,
            signatory: pinned.map(|signatory| (self.sender, signatory.word().to_owned())),
        }
    }

    fn gate(&mut self, part: Part, seal: u32, report: &SealReport) {
        let because = |code| {
            Refusal::new(code)
                .with("attachment", part.number)
                .with("seal", seal)
        };
        match &report.indication {
            Indication::TotalPassed => {}
            Indication::Indeterminate(SubIndication::TryLater) => self.needs.extend(report.needs.clone()),
            Indication::TotalFailed(SubIndication::Revoked) => {
                self.refusals.push(because(RefusalCode::SignerRevoked));
            }
            Indication::Indeterminate(SubIndication::NoCertificateChainFound) => {
                self.refusals.push(because(RefusalCode::SignerUntrusted));
            }
            Indication::TotalFailed(_) | Indication::Indeterminate(_) => {
                let refusal = because(RefusalCode::SignatureInvalid);
                self.refusals
                    .push(refusal.with("indication", words(report.indication)));
            }
        }
    }

    /// A signed main document needs one seal at least that the directory gives to the sender; an unsigned one is for
    /// information only (QĐ 28 Đ4.2), which is a remark.
    fn bind_to_sender(&mut self, attachments: &[Attachment], main: usize) {
        let over_main = |seal: &&SealFact| {
            let place = seal.attachment as usize - 1;
            place == main || signed_by(attachments, &attachments[place]) == Some(main)
        };
        let seals: Vec<&SealFact> = self.seals.iter().filter(over_main).collect();
        if seals.is_empty() {
            self.remarks.push(Remark::new("unsigned", number(main)));
        } else if !seals.iter().any(|seal| seal.signatory.is_some()) {
            let refusal = Refusal::new(RefusalCode::SignerNotSender);
            self.refusals.push(refusal.with("attachment", number(main)));
        }
    }
}

#[cfg(test)]
mod tests {
    use trust::Policy;

    use super::*;
    use crate::packet::{Content, Reference};

    #[test]
    fn the_manifest_names_the_main_document_wherever_it_stands_in_the_packet() {
        let reference = |id: &str| Reference {
            content_id: id.to_owned(),
            content_type: String::new(),
            description: None,
            name: id.to_owned(),
        };
        let attachment = |id: &str, content: &[u8]| Attachment {
            content_id: id.to_owned(),
            name: id.to_owned(),
            description: None,
            content_type: String::new(),
            content: Content::new(content.to_vec()),
        };
        let packet = DocumentPacket {
            manifest: vec![reference("main.pdf"), reference("annex.txt")],
            attachments: vec![
                attachment("annex.txt", b"text"),
                attachment("main.pdf", b"%PDF-1.7 broken"),
            ],
            ..DocumentPacket::default()
        };
        let trust = Snapshot::new(vec![], vec![], vec![], Policy::default(), 1);
        let belief = Belief {
            trust: &trust,
            directory: &Directory::new(),
            now: Time::from_seconds(1_790_000_000),
        };
        let verified = verify(packet, AgencyId::from_number(1), belief);
        let codes: Vec<_> = verified.refusals().iter().map(|refusal| refusal.code).collect();
        assert_eq!(codes, [RefusalCode::FileManipulated], "{:?}", verified.remarks());
        assert!(
            verified.refusals()[0]
                .values
                .contains(&("attachment".to_owned(), "1".to_owned()))
        );
    }
}
