//! The work: edXML packets with one PDF of about 14 KB, signed by a person and by an organisation.
//!
//! **Invariant**: no two packets have a DocumentId or an attachment in common, so that none is answered as a repeat.
//!
//! The size: a page of 1,200 bytes and two revisions, each with 2,850 bytes (5,700 hexadecimal digits) kept for a CMS
//! of RSA-2048 with its leaf and the issuing certificate: about 14,000 bytes in all. With the usual 5,000 bytes kept the
//! file would have 22 KB.

use domain::packet::{
    Attachment, Content, DocumentCode, DocumentPacket, DocumentType, Organization, Packet, Promulgation,
    Reference, SignerInfo, WrittenDate,
};
use harness::{
    pdf::{Pdf, Seal},
    pki::Credential,
};
use jiff::Timestamp;

const PAGE_BYTES: usize = 1_200;
const RESERVED_BYTES: usize = 2_850;

/// Who signs, and between whom the documents go.
#[derive(Debug)]
pub(crate) struct Office {
    /// Of each agency: its code, the official who signs, and its own seal.
    pub(crate) agencies: Vec<(String, Credential, Credential)>,
    pub(crate) signed_at: Timestamp,
}

/// A packet with its places in the list of agencies.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) number: usize,
    pub(crate) sender: usize,
    pub(crate) bytes: Vec<u8>,
}

/// The number in a DocumentId that [`Office`] wrote.
pub(crate) fn number_of(document: &str) -> Option<usize> {
    let (_, rest) = document.rsplit_once(',')?;
    rest.split_once('/')?.0.parse().ok()
}

impl Office {
    /// The documents with these numbers, built by all processors.
    pub(crate) fn build(&self, numbers: std::ops::Range<usize>) -> Vec<Document> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let share = numbers.len().div_ceil(threads).max(1);
        let starts: Vec<usize> = numbers.clone().step_by(share).collect();
        std::thread::scope(|scope| {
            let builders: Vec<_> = starts
                .into_iter()
                .map(|start| {
                    let end = (start + share).min(numbers.end);
                    scope.spawn(move || {
                        (start..end)
                            .map(|number| self.document(number))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let built = builders
                .into_iter()
                .map(|builder| builder.join().expect("building does not panic"));
            built.flatten().collect()
        })
    }

    /// Every agency sends in turn, to every other in turn.
    fn document(&self, number: usize) -> Document {
        let agencies = self.agencies.len();
        let sender = number % agencies;
        let addressee = (sender + 1 + number / agencies % (agencies - 1)) % agencies;
        let pdf = self.pdf(number, sender);
        Document {
            number,
            sender,
            bytes: self.packet(number, [sender, addressee], pdf),
        }
    }

    /// The signed file of a document.
    pub(crate) fn pdf(&self, number: usize, sender: usize) -> Vec<u8> {
        let (_, person, organisation) = &self.agencies[sender];
        let seal = |signer| Seal {
            reserved_bytes: RESERVED_BYTES,
            ..Seal::new(signer, self.signed_at)
        };
        Pdf::new(&format!("Cong van so {number:08}"), PAGE_BYTES)
            .sealed(seal(person))
            .sealed(seal(organisation))
            .into_bytes()
    }

    fn packet(&self, number: usize, [sender, addressee]: [usize; 2], pdf: Vec<u8>) -> Vec<u8> {
        let organization = |agency: usize| Organization {
            organ_id: self.agencies[agency].0.clone(),
            name: format!("Sở thử nghiệm số {agency}"),
            ..Organization::default()
        };
        let (content_id, name) = ("cid:cong-van".to_owned(), "cong-van.pdf".to_owned());
        let content_type = "application/pdf".to_owned();
        let packet = DocumentPacket {
            from: organization(sender),
            to: vec![organization(addressee)],
            document_id: format!("{},2026/11/21,{number}/CV-TN", self.agencies[sender].0),
            code: DocumentCode {
                number: number.to_string(),
                notation: "CV-TN".to_owned(),
            },
            promulgation: Promulgation {
                place: "Tỉnh thử nghiệm".to_owned(),
                date: WrittenDate("2026/11/21".to_owned()),
            },
            document_type: DocumentType {
                code: "1".to_owned(),
                detail: None,
                name: "Công văn".to_owned(),
            },
            subject: format!("Về việc thử tải số {number}"),
            signer: SignerInfo {
                full_name: "Nguyễn Văn Thử".to_owned(),
                ..SignerInfo::default()
            },
            manifest: vec![Reference {
                content_id: content_id.clone(),
                content_type: content_type.clone(),
                description: None,
                name: name.clone(),
            }],
            attachments: vec![Attachment {
                content_id,
                name,
                description: None,
                content_type,
                content: Content::new(pdf),
            }],
            ..DocumentPacket::default()
        };
        let packet = Packet::Document(Box::new(packet));
        packet.write().expect("every text of it can be written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_back_from_the_document_id() {
        assert_eq!(number_of("000.00.01.H53,2026/11/21,4711/CV-TN"), Some(4711));
        assert_eq!(number_of("000.00.01.H53"), None);
    }
}
