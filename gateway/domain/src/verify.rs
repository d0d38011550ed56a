//! From an opened packet to a verified one: every seal of it judged, and whose it is.
//!
//! Only the main document's seals gate (rules §8.5); those of enclosures are reported one by one. The main document is
//! the first attachment in manifest order that is not itself a detached signature; a packet that brings nothing but
//! signatures has none, and is refused. A detached signature that is over no file of the packet gates too: it may be the
//! main document's, of which another version came.
//!
//! **Invariant:** [`VerifiedPacket`] is made here and nowhere else.
//! **Invariant:** unknown revocation is *not now*, never good.

mod consequence;
mod legal_value;
mod packet_signature;

use trust::pdf::{PdfFault, PdfReport};
use trust::{Digest, Indication, Need, SealReport, Snapshot, SubIndication, Time};

use crate::agency::Signatory;
use crate::directory::Directory;
use crate::event::SealFact;
use crate::ids::AgencyId;
use crate::packet::{Attachment, BusinessType, DocumentPacket};
use crate::refusal::{Refusal, RefusalCode, Remark, Sayable, indication_words};

pub use consequence::{Consequence, consequence, published};
pub use legal_value::{LegalValue, LegalValueDemand};
pub use packet_signature::{PacketDemand, PacketDemands, PacketSeal, PacketWorth};

/// What names of detached signatures end in.
const SIGNATURE_SUFFIX: &str = ".p7s";

/// What a packet is verified against: all of one moment.
#[derive(Debug, Clone, Copy)]
pub struct Belief<'a> {
    /// Anchors, candidates, CRLs and policy.
    pub trust: &'a Snapshot,
    /// Who has which certificates.
    pub directory: &'a Directory,
    /// When the packet was sent: whose certificates they are counts as of then.
    pub sent_at: Time,
    /// The moment, as events are dated: it counts for what the directory says.
    pub now: Time,
    /// The time of day, by which certificates and lists are in force. It lies before `now` only while events are dated
    /// ahead of it.
    pub time_of_day: Time,
    /// What is demanded of the seals.
    pub demands: &'a SealDemands,
}

/// What is demanded of the seals of a packet beside being good.
#[derive(Debug, Clone, Default)]
pub struct SealDemands {
    /// Of the packet's own signature.
    pub packet: PacketDemands,
    /// Of those over the main document, together.
    pub legal_value: LegalValueDemand,
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
    open: Vec<Remark>,
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

    /// Signatures that nobody can tell yet, and of which nobody can tell what would settle them either.
    pub fn open(&self) -> &[Remark] {
        &self.open
    }
}

/// Judges every seal of `packet`, sent by `sender`; `over_packet` is the packet's own.
pub fn verify(
    mut packet: DocumentPacket,
    over_packet: &PacketSeal,
    sender: AgencyId,
    belief: Belief<'_>,
) -> VerifiedPacket {
    in_manifest_order(&mut packet);
    let mut bench = Bench {
        sender,
        belief,
        seals: vec![],
        remarks: over_packet.remark().into_iter().collect(),
        refusals: vec![],
        needs: vec![],
        open: vec![],
    };
    bench.gate_packet(over_packet);
    let all = packet.attachments.as_slice();
    let main = all.iter().position(|one| !is_detached_signature(one));
    let mut over_main = Vec::new();
    for (index, attachment) in all.iter().enumerate() {
        let number = number(index);
        if !is_detached_signature(attachment) {
            let gates = Some(index) == main;
            bench.judge_file(Part { number, gates }, attachment);
            over_main.extend(gates.then_some(number));
            continue;
        }
        let (signed, reports) = judge_detached(all, attachment, belief.trust, belief.time_of_day);
        let gates = signed.is_none() || signed == main;
        if signed.is_none() {
            bench.remarks.push(Remark::new("signature-without-file", number));
        }
        bench.judge_seals(Part { number, gates }, &reports);
        over_main.extend((signed.is_some() && gates).then_some(number));
    }
    match main {
        Some(main) => bench.bind_to_sender(&over_main, number(main)),
        None if all.is_empty() => bench.without_files(packet.business.kind),
        None => {
            let missing = Refusal::new(RefusalCode::PacketIncomplete);
            bench.refusals.push(missing.with("element", "Attachment"));
        }
    }
    let Bench {
        seals,
        remarks,
        refusals,
        needs,
        open,
        ..
    } = bench;
    VerifiedPacket {
        packet,
        sender,
        seals,
        remarks,
        refusals,
        needs,
        open,
    }
}

/// Puts attachments into the order in which they are numbered. The manifest says which document is the main one; the
/// order in which files stand in the packet says nothing.
pub fn in_manifest_order(packet: &mut DocumentPacket) {
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

/// Whether a file is to be judged as PDF: by name, or by its header.
pub fn is_pdf(attachment: &Attachment) -> bool {
    attachment.name.to_lowercase().ends_with(".pdf") || has_pdf_header(attachment.content.bytes())
}

/// Whether a header of PDF stands where readers look for one (within the first 1,024 bytes).
pub fn has_pdf_header(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    head.windows(5).any(|window| window == b"%PDF-")
}

/// Whether a file is a detached signature: by name; a PDF under such a name is a document all the same.
pub fn is_detached_signature(attachment: &Attachment) -> bool {
    attachment.name.to_lowercase().ends_with(SIGNATURE_SUFFIX)
        && !attachment.content.bytes().starts_with(b"%PDF-")
}

/// The files that a detached signature may be over: those with its name less `.p7s` (`vb.pdf.p7s` over `vb.pdf`), else
/// those whose own stem that is (`vb.p7s`), else all.
fn files_for(all: &[Attachment], signature: &Attachment) -> Vec<usize> {
    let name = signature.name.to_lowercase();
    let base = name.strip_suffix(SIGNATURE_SUFFIX).unwrap_or(&name);
    let files = || (0..all.len()).filter(|&place| !is_detached_signature(&all[place]));
    let named = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
        files()
            .filter(|&place| is_it(&all[place].name.to_lowercase()))
            .collect()
    };
    let by_stem = |name: &str| name.rsplit_once('.').is_some_and(|(stem, _)| stem == base);
    [named(&|name| name == base), named(&by_stem)]
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_else(|| files().collect())
}

/// Which file a detached signature is over, and what it is worth over that. Of several it may be over, the one whose
/// digest it holds; over none of them it fails.
pub fn judge_detached(
    all: &[Attachment],
    signature: &Attachment,
    trust: &Snapshot,
    time_of_day: Time,
) -> (Option<usize>, Vec<SealReport>) {
    let judged = |place: usize| {
        let (signature, file) = (signature.content.bytes(), all[place].content.bytes());
        trust::cms::validate(signature, file, trust, time_of_day)
    };
    let files = files_for(all, signature);
    if let [only] = files[..] {
        return (Some(only), judged(only));
    }
    let found = files.iter().map(|&place| (place, judged(place)));
    match found
        .into_iter()
        .find(|(_, reports)| is_over_its_content(reports))
    {
        Some((place, reports)) => (Some(place), reports),
        None => (None, files.first().map_or_else(Vec::new, |&place| judged(place))),
    }
}

/// Whether the reports of a detached signature say of one signer at least that it is over the content it was judged with.
pub fn is_over_its_content(reports: &[SealReport]) -> bool {
    let another = Indication::TotalFailed(SubIndication::HashFailure);
    reports.iter().any(|report| report.indication != another)
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
    open: Vec<Remark>,
}

impl Bench<'_> {
    fn judge_file(&mut self, part: Part, attachment: &Attachment) {
        let bytes = attachment.content.bytes();
        if !is_pdf(attachment) {
            return;
        }
        match trust::pdf::validate(bytes, self.belief.trust, self.belief.time_of_day) {
            PdfReport::Unsigned => {}
            PdfReport::Signed(reports) => self.judge_seals(part, &reports),
            PdfReport::Refused(fault) => {
                let about = part.number;
                if part.gates {
                    let refusal = if fault == PdfFault::Encrypted {
                        Refusal::new(RefusalCode::FileEncrypted)
                    } else {
                        Refusal::new(RefusalCode::FileManipulated).with("fault", fault)
                    };
                    self.refusals.push(refusal.with("attachment", about));
                } else {
                    let about = Sayable::from(about).and(": ", fault);
                    self.remarks.push(Remark::new("enclosure-file", about));
                }
            }
        }
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
            let about = Sayable::from(part.number).and("/", seal);
            if report.remarks.contains(&trust::report::Remark::ShownOverSigned) {
                self.remarks
                    .push(Remark::new("seal-shown-over-signed", about.clone()));
            }
            if part.gates {
                self.gate(part, seal, report);
            } else if report.indication != Indication::TotalPassed {
                let about = about.and(": ", report.indication);
                self.remarks.push(Remark::new("enclosure-seal", about));
            }
        }
    }

    fn fact(&self, part: Part, seal: u32, report: &SealReport) -> SealFact {
        let signer = report
            .signer
            .as_ref()
            .map(|certificate| certificate.fingerprint());
        let Belief {
            directory,
            sent_at,
            now,
            ..
        } = self.belief;
        let pinned = signer.and_then(|signer| directory.pinned(self.sender, &signer, sent_at, now));
        SealFact {
            attachment: part.number,
            seal,
            indication: indication_words(report.indication),
            signer,
            signatory: pinned.map(|signatory| (self.sender, signatory)),
        }
    }

    fn gate(&mut self, part: Part, seal: u32, report: &SealReport) {
        let because = |code| {
            Refusal::new(code)
                .with("attachment", part.number)
                .with("seal", seal)
        };
        match consequence(report.indication) {
            Consequence::Pass => {}
            // What is not told is never good, whether anybody knows what would tell it or not.
            Consequence::Hold if report.needs.is_empty() => {
                let about = Sayable::from(part.number).and("/", seal);
                self.open.push(Remark::new("revocation-unknown", about));
            }
            Consequence::Hold => self.needs.extend(report.needs.clone()),
            Consequence::Refuse(code) => {
                let refusal = because(code);
                self.refusals.push(if code == RefusalCode::SignatureInvalid {
                    refusal.with("indication", report.indication)
                } else {
                    refusal
                });
            }
        }
    }

    fn gate_packet(&mut self, seal: &PacketSeal) {
        let Belief {
            directory,
            sent_at,
            now,
            demands,
            ..
        } = self.belief;
        let demand = demands.packet.of(self.sender, directory, sent_at);
        let is_own = |signer: &Digest| directory.pinned(self.sender, signer, sent_at, now).is_some();
        let (refusal, needs) = seal.gate(demand, is_own);
        self.refusals.extend(refusal);
        self.needs.extend_from_slice(needs);
    }

    /// Nobody signed anything. A recall or an update acts on a document that was sent before.
    fn without_files(&mut self, business: BusinessType) {
        self.remarks.push(Remark::new("unsigned", "packet"));
        if matches!(business, BusinessType::New | BusinessType::Replace) {
            let demand = self.belief.demands.legal_value;
            self.refusals.extend(demand.refusal(LegalValue::Information));
        }
    }

    /// A signed main document needs one seal at least that the directory gives to the sender; an unsigned one is for
    /// information only (QĐ 28 Đ4.2), which is a remark.
    fn bind_to_sender(&mut self, over_main: &[u32], main: u32) {
        let is_over = |seal: &&SealFact| over_main.contains(&seal.attachment);
        let mut seals = self.seals.iter().filter(is_over).peekable();
        if seals.peek().is_none() {
            self.remarks.push(Remark::new("unsigned", main));
        } else if !seals.any(is_by_sender) {
            let refusal = Refusal::new(RefusalCode::SignerNotSender);
            self.refusals.push(refusal.with("attachment", main));
        }
        let value = legal_value::legal_value(self.seals.iter().filter(is_over), main);
        self.refusals
            .extend(self.belief.demands.legal_value.refusal(value));
    }
}

/// Whether a person or an organisation of the sender made it; the key of a machine speaks for nobody.
fn is_by_sender(seal: &SealFact) -> bool {
    match seal.signatory {
        Some((_, Signatory::Person | Signatory::Organisation)) => true,
        Some((_, Signatory::Device)) | None => false,
    }
}

#[cfg(test)]
mod tests;
