//! Which document gates, and which file a detached signature is over.

use trust::{Policy, SoftwareKey};

use super::*;
use crate::packet::{Content, Reference};

fn now() -> Time {
    Time::from_seconds(1_790_000_000)
}

/// A packet with these files, named in the manifest in this order.
fn packet(files: &[(&str, &[u8])]) -> DocumentPacket {
    let reference = |(name, _): &(&str, &[u8])| Reference {
        content_id: (*name).to_owned(),
        content_type: String::new(),
        description: None,
        name: (*name).to_owned(),
    };
    let attachment = |(name, content): &(&str, &[u8])| Attachment {
        content_id: (*name).to_owned(),
        name: (*name).to_owned(),
        description: None,
        content_type: String::new(),
        content: Content::new(content.to_vec()),
    };
    DocumentPacket {
        manifest: files.iter().map(reference).collect(),
        attachments: files.iter().map(attachment).collect(),
        ..DocumentPacket::default()
    }
}

fn verified(packet: DocumentPacket) -> VerifiedPacket {
    let trust = Snapshot::new(vec![], vec![], vec![], Policy::default(), 1);
    let belief = Belief {
        trust: &trust,
        directory: &Directory::new(),
        sent_at: now(),
        now: now(),
        time_of_day: now(),
        demands: &SealDemands::default(),
    };
    verify(packet, &PacketSeal::absent(), AgencyId::from_number(1), belief)
}

fn codes(verified: &VerifiedPacket) -> Vec<RefusalCode> {
    verified.refusals().iter().map(|refusal| refusal.code).collect()
}

/// A detached signature over this content, by somebody whom nobody knows.
fn signature(content: &[u8]) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().expect("a key");
    let signed = rcgen::CertificateParams::default()
        .self_signed(&key)
        .expect("a certificate");
    let certificate = trust::Certificate::from_der(signed.der()).expect("a certificate");
    let signer = SoftwareKey::from_pkcs8(&key.serialize_der()).expect("a key that signs");
    trust::cms::sign(
        trust::cms::Content::Detached(content),
        &signer,
        &[&certificate],
        now(),
    )
    .expect("signed")
}

/// What was found of the seal in this attachment.
fn indication(verified: &VerifiedPacket, attachment: u32) -> &str {
    let seal = verified.seals().iter().find(|seal| seal.attachment == attachment);
    seal.expect("a seal").indication.as_str()
}

const UNKNOWN: &str = "INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND";
const CHANGED: &str = "TOTAL-FAILED/HASH_FAILURE";

#[test]
fn the_manifest_names_the_main_document_wherever_it_stands_in_the_packet() {
    let mut packet = packet(&[("main.pdf", b"%PDF-1.7 broken"), ("annex.txt", b"text")]);
    packet.attachments.reverse();
    let verified = verified(packet);
    assert_eq!(
        codes(&verified),
        [RefusalCode::FileManipulated],
        "{:?}",
        verified.remarks()
    );
    let first = ("attachment".to_owned(), "1".to_owned());
    assert!(verified.refusals()[0].values.contains(&first));
}

#[test]
fn a_packet_of_signatures_alone_has_no_document() {
    let seal = signature(b"text");
    let verified = verified(packet(&[("a.p7s", &seal), ("b.p7s", &seal)]));
    assert!(
        codes(&verified).contains(&RefusalCode::PacketIncomplete),
        "{:?}",
        codes(&verified)
    );
}

#[test]
fn an_encrypted_file_is_refused_by_a_code_of_its_own() {
    let pdf = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \n\
                trailer\n<< /Size 2 /Root 1 0 R /Encrypt << /Filter /Standard >> >>\nstartxref\n45\n%%EOF\n";
    let verified = verified(packet(&[("main.pdf", pdf)]));
    assert_eq!(
        codes(&verified),
        [RefusalCode::FileEncrypted],
        "{:?}",
        verified.refusals()
    );
}

#[test]
fn a_pdf_under_the_name_of_a_signature_is_the_document() {
    let verified = verified(packet(&[("a.pdf.p7s", b"%PDF-1.7 broken"), ("b.txt", b"text")]));
    assert_eq!(codes(&verified), [RefusalCode::FileManipulated]);
}

#[test]
fn a_detached_signature_is_over_the_file_of_its_name_or_stem_or_digest() {
    let seal = signature(b"main");
    for name in ["main.txt.p7s", "MAIN.P7S", "chu-ky.p7s"] {
        let files: [(&str, &[u8]); 3] = [("annex.txt", b"annex"), ("main.txt", b"main"), (name, &seal)];
        let over_annex = verified(packet(&files));
        assert_eq!(indication(&over_annex, 3), UNKNOWN, "{name}");
        assert_eq!(
            codes(&over_annex),
            [],
            "{name}: an enclosure's seal gates nothing"
        );
        let files: [(&str, &[u8]); 3] = [("main.txt", b"main"), ("annex.txt", b"annex"), (name, &seal)];
        let over_main = verified(packet(&files));
        assert!(
            codes(&over_main).contains(&RefusalCode::SignerUntrusted),
            "{name}"
        );
    }
}

#[test]
fn a_signature_over_another_version_is_refused_whatever_it_is_named() {
    let seal = signature(b"the version that was signed");
    for name in ["main.txt.p7s", "main.p7s", "chu-ky.p7s"] {
        let files: [(&str, &[u8]); 3] = [("main.txt", b"another"), ("annex.txt", b"annex"), (name, &seal)];
        let verified = verified(packet(&files));
        assert_eq!(indication(&verified, 3), CHANGED, "{name}");
        assert!(
            codes(&verified).contains(&RefusalCode::SignatureInvalid),
            "{name}"
        );
    }
}

#[test]
fn a_packet_without_files_has_no_legal_value_unless_it_acts_on_an_earlier_one() {
    let trust = Snapshot::new(vec![], vec![], vec![], Policy::default(), 1);
    let demands = SealDemands {
        legal_value: LegalValueDemand::Full,
        ..SealDemands::default()
    };
    let belief = Belief {
        trust: &trust,
        directory: &Directory::new(),
        sent_at: now(),
        now: now(),
        time_of_day: now(),
        demands: &demands,
    };
    for (kind, refused) in [
        (BusinessType::New, true),
        (BusinessType::Replace, true),
        (BusinessType::Recall, false),
        (BusinessType::Update, false),
    ] {
        let mut empty = packet(&[]);
        empty.business.kind = kind;
        let verified = verify(empty, &PacketSeal::absent(), AgencyId::from_number(1), belief);
        let is_refused = codes(&verified) == [RefusalCode::LegalValueLacking];
        assert_eq!(is_refused, refused, "{kind:?}");
    }
}

#[test]
fn what_is_not_there_is_remarked() {
    let remarks = |packet: DocumentPacket| verified(packet).remarks;
    let main = packet(&[("main.txt", b"text")]);
    assert_eq!(remarks(main), [Remark::new("unsigned", 1u32)]);
    assert_eq!(remarks(packet(&[])), [Remark::new("unsigned", "packet")]);
}

#[test]
fn the_key_of_a_machine_makes_no_signature_of_the_agency() {
    let pinned = |signatory: Signatory| SealFact {
        signatory: Some((AgencyId::from_number(7), signatory)),
        ..stranger()
    };
    assert!(!is_by_sender(&pinned(Signatory::Device)));
    assert!(!is_by_sender(&stranger()));
    assert!(is_by_sender(&pinned(Signatory::Person)) && is_by_sender(&pinned(Signatory::Organisation)));
}

/// What the record says of a seal that the directory gives to nobody.
fn stranger() -> SealFact {
    let files = [("a.txt", &b"a"[..]), ("a.txt.p7s", &signature(b"a"))];
    verified(packet(&files)).seals.remove(0)
}
