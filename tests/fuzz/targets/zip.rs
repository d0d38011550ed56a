//! The content of an attachment, which may be a zip around the file.
#![no_main]

use domain::packet::{Attachment, Content, DocumentPacket, Limits, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let attachment = Attachment {
        content_id: "cid:a".to_owned(),
        name: "a.pdf".to_owned(),
        description: None,
        content_type: "application/pdf".to_owned(),
        content: Content::new(bytes.to_vec()),
    };
    let packet = Packet::Document(Box::new(DocumentPacket {
        attachments: vec![attachment],
        ..DocumentPacket::default()
    }));
    if let Ok(written) = packet.write() {
        let _ = Packet::open(&written, &Limits::default());
    }
});
