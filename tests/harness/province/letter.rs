//! Letters: real document packets with one PDF, signed by an official and sealed by the agency, in every way that a
//! test wants them right or wrong.
//!
//! **Invariant**: a letter is made once; its bytes and digests never change. [`Letter::rebuilt`] and the like make
//! another one.

use domain::{
    dispatch::Rank,
    packet::{
        Attachment, Business, BusinessType, Content, DocumentCode, DocumentPacket, DocumentType,
        Organization, OtherInfo, Packet, Priority, Promulgation, Receiver, ReceiverType, Reference,
        Replacement, SignerInfo, TraceHeader, UpdateInfo, WrittenDate, WrittenTime,
    },
};
use jiff::{Timestamp, ToSpan, tz::Offset};
use trust::Digest;

use super::agency::Agency;
use crate::{pdf::Pdf, pki::Credential};

/// Bytes of the page before it is signed; each signature adds about 11,000.
const PAGE_BYTES: usize = 2_500;

/// How the PDF of a letter is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seals {
    /// By an official, then by the agency: as it should be.
    Both,
    /// By nobody.
    None,
    /// By both, and changed afterwards.
    Broken,
    /// By an official whose certificate is revoked, then by the agency.
    Revoked,
    /// By an official certified by the remote authority, then by the agency.
    Remote,
    /// The same, but without the remote authority's certificate in the signature.
    Unaccompanied,
    /// By an official and an agency that is another than the sender.
    Foreign,
    /// By the agency's document software alone, with the certificate that the directory has for it.
    Device,
}

/// What a letter is to be; [`Draft::letter`] makes it. Begin with [`Agency::draft`].
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    sender: &'a Agency,
    to: Vec<Organization>,
    number: u32,
    seals: Seals,
    foreign: Option<&'a Agency>,
    official: &'a Credential,
    priority: Priority,
    text: String,
    business: Business,
    at: Timestamp,
}

impl<'a> Draft<'a> {
    pub(super) fn new(sender: &'a Agency, number: u32, at: Timestamp) -> Draft<'a> {
        Draft {
            sender,
            to: Vec::new(),
            number,
            seals: Seals::Both,
            foreign: None,
            official: &sender.person,
            priority: Priority::Normal,
            text: format!("Cong van so {number}"),
            business: Business::default(),
            at,
        }
    }

    /// With one more addressee.
    #[must_use]
    pub fn to(mut self, agency: &Agency) -> Draft<'a> {
        self.to.push(agency.organization());
        self
    }

    /// With one more addressee, by a code that nobody may have.
    #[must_use]
    pub fn to_code(mut self, code: &str) -> Draft<'a> {
        self.to.push(Organization {
            organ_id: code.to_owned(),
            name: code.to_owned(),
            ..Organization::default()
        });
        self
    }

    /// Hỏa tốc: travels in the urgent queues.
    #[must_use]
    pub fn urgent(mut self) -> Draft<'a> {
        self.priority = Priority::Express;
        self
    }

    /// Signed in another way than by both.
    #[must_use]
    pub fn seals(mut self, seals: Seals) -> Draft<'a> {
        self.seals = seals;
        self
    }

    /// Signed by the officials of another agency.
    #[must_use]
    pub fn sealed_by(mut self, other: &'a Agency) -> Draft<'a> {
        self.seals = Seals::Foreign;
        self.foreign = Some(other);
        self
    }

    /// Signed by another official than the agency's usual one, and by the agency.
    #[must_use]
    pub fn official(mut self, official: &'a Credential) -> Draft<'a> {
        self.official = official;
        self
    }

    /// With this text on its page (printable ASCII without parentheses and backslashes): other content.
    #[must_use]
    pub fn text(mut self, text: &str) -> Draft<'a> {
        text.clone_into(&mut self.text);
        self
    }

    /// A recall of `target`, under the id of the target.
    #[must_use]
    pub fn recall_of(self, target: &Letter) -> Draft<'a> {
        self.acting(BusinessType::Recall, target)
    }

    /// An update of `target` that adds `agency` to its receivers, under the id of the target.
    #[must_use]
    pub fn update_of(self, target: &Letter, agency: &Agency) -> Draft<'a> {
        let mut draft = self.acting(BusinessType::Update, target);
        draft.business.update = Some(UpdateInfo {
            document: None,
            receivers_changed: Some("1".to_owned()),
            receivers: vec![Receiver {
                organ_id: agency.code().to_owned(),
                kind: ReceiverType::Added,
            }],
        });
        draft
    }

    /// A replacement of `target`, under an id of its own.
    #[must_use]
    pub fn replacement_of(mut self, target: &Letter) -> Draft<'a> {
        self.business = Business {
            kind: BusinessType::Replace,
            reason: Some("Thay thế".to_owned()),
            replacements: vec![Replacement {
                document_id: target.document_id().to_owned(),
                organ_ids: target.packet.to.iter().map(|to| to.organ_id.clone()).collect(),
            }],
            ..Business::default()
        };
        self
    }

    /// Makes the letter.
    ///
    /// # Panics
    /// When it has no addressee.
    pub fn letter(self) -> Letter {
        assert!(!self.to.is_empty(), "a letter goes to somebody");
        let files = vec![("cong-van.pdf".to_owned(), self.pdf())];
        let date = local(self.at, "%Y/%m/%d");
        let code = self.sender.code();
        let notation = "CV-TN";
        let own_id = format!("{code},{date},{}/{notation}", self.number);
        let acts_on = self.business.document_id.clone();
        let attachments: Vec<Attachment> = files.into_iter().map(attachment).collect();
        let packet = DocumentPacket {
            from: self.sender.organization(),
            to: self.to,
            document_id: acts_on.unwrap_or(own_id),
            code: DocumentCode {
                number: self.number.to_string(),
                notation: notation.to_owned(),
            },
            promulgation: Promulgation {
                place: "Tỉnh thử nghiệm".to_owned(),
                date: WrittenDate(date),
            },
            document_type: DocumentType {
                code: "9".to_owned(),
                detail: None,
                name: "Công văn".to_owned(),
            },
            subject: format!("Về việc thử nghiệm số {}", self.number),
            signer: SignerInfo {
                full_name: "Nguyễn Văn Thử".to_owned(),
                ..SignerInfo::default()
            },
            other: OtherInfo {
                priority: self.priority,
                ..OtherInfo::default()
            },
            traces: vec![TraceHeader {
                organ_id: code.to_owned(),
                at: WrittenTime(local(self.at, "%Y/%m/%d %H:%M:%S")),
            }],
            business: self.business,
            manifest: attachments.iter().map(reference).collect(),
            attachments,
            ..DocumentPacket::default()
        };
        Letter::of(packet, self.at)
    }

    fn acting(mut self, kind: BusinessType, target: &Letter) -> Draft<'a> {
        self.business = Business {
            kind,
            document_id: Some(target.document_id().to_owned()),
            reason: Some("Thử nghiệm".to_owned()),
            ..Business::default()
        };
        if self.to.is_empty() {
            self.to.clone_from(&target.packet.to);
        }
        self
    }

    fn pdf(&self) -> Vec<u8> {
        let page = Pdf::new(&self.text, PAGE_BYTES);
        let sender = self.sender;
        let signed = |official: &Credential, agency: &Agency| {
            page.clone()
                .signed(official, self.at)
                .signed(&agency.organisation, self.at)
        };
        let pdf = match self.seals {
            Seals::None => page,
            Seals::Both => signed(self.official, sender),
            Seals::Broken => signed(self.official, sender).tampered(),
            Seals::Revoked => signed(&sender.revoked, sender),
            Seals::Remote => signed(&sender.remote, sender),
            Seals::Unaccompanied => {
                let alone = Credential {
                    chain: Vec::new(),
                    ..sender.remote.clone()
                };
                signed(&alone, sender)
            }
            Seals::Device => page.signed(&sender.device, self.at),
            Seals::Foreign => {
                let other = self.foreign.expect("set with the seals by sealed_by");
                signed(&other.person, other)
            }
        };
        pdf.into_bytes()
    }
}

/// A packet ready to be submitted, with what is expected of it.
#[derive(Clone, Debug)]
pub struct Letter {
    packet: DocumentPacket,
    bytes: Vec<u8>,
    at: Timestamp,
}

impl Letter {
    fn of(packet: DocumentPacket, at: Timestamp) -> Letter {
        let missing = Packet::Document(Box::new(packet.clone())).completeness();
        assert!(missing.is_empty(), "a letter is complete: {missing:?}");
        let bytes = packet.write().expect("every text of a letter can be written");
        Letter { packet, bytes, at }
    }

    /// The edXML that travels.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says.
    pub fn packet(&self) -> &DocumentPacket {
        &self.packet
    }

    /// Its turn.
    pub fn rank(&self) -> Rank {
        Rank::of_priority(self.packet.other.priority)
    }

    /// Its document id.
    pub fn document_id(&self) -> &str {
        &self.packet.document_id
    }

    /// SHA-256 of its bytes: the digest that receipts name and that every addressee must get.
    pub fn packet_digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The digest of its decoded contents: what a rebuilt retry has in common with it.
    pub fn contents_digest(&self) -> Digest {
        self.packet.contents_digest()
    }

    /// The same document built again, as software does on every retry: another trace time and other white space,
    /// hence other bytes.
    #[must_use]
    pub fn rebuilt(&self) -> Letter {
        let at = self.at + 61.seconds();
        let mut packet = self.packet.clone();
        for trace in &mut packet.traces {
            trace.at = WrittenTime(local(at, "%Y/%m/%d %H:%M:%S"));
        }
        let mut letter = Letter::of(packet, at);
        let text = String::from_utf8(letter.bytes).expect("packets are written in UTF-8");
        letter.bytes = text.replace(">\n", ">\r\n\t").into_bytes();
        letter
    }

    /// The same document, addressed to one more agency.
    #[must_use]
    pub fn also_to(&self, agency: &Agency) -> Letter {
        let mut packet = self.packet.clone();
        packet.to.push(agency.organization());
        Letter::of(packet, self.at)
    }

    /// The same id, addressees and fields with another file: other content.
    #[must_use]
    pub fn with_contents_of(&self, other: &Letter) -> Letter {
        let packet = DocumentPacket {
            manifest: other.packet.manifest.clone(),
            attachments: other.packet.attachments.clone(),
            ..self.packet.clone()
        };
        Letter::of(packet, self.at)
    }
}

fn attachment((name, bytes): (String, Vec<u8>)) -> Attachment {
    Attachment {
        content_id: format!("{}@vidu.gov.vn", Digest::of(&bytes)),
        name,
        description: None,
        content_type: "application/pdf".to_owned(),
        content: Content::new(bytes),
    }
}

fn reference(attachment: &Attachment) -> Reference {
    Reference {
        content_id: attachment.content_id.clone(),
        content_type: attachment.content_type.clone(),
        description: None,
        name: attachment.name.clone(),
    }
}

/// On a Vietnamese clock, as packets write it.
fn local(at: Timestamp, form: &str) -> String {
    Offset::constant(7).to_datetime(at).strftime(form).to_string()
}
