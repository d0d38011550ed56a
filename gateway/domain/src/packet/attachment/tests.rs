//! When a zip is a wrapping, and what contents may cost.

use std::io::Write;

use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::*;

const UUID: &str = "5f0c7a52-3c1d-4d8e-9a4b-0e6f1d2c3b4a";

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .expect("memory");
        writer.write_all(bytes).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// The shape the Java kit writes: sizes and checksum behind the data (flag bit 3), with or without their signature.
fn with_descriptor(zip: &[u8], signature: &[u8]) -> Vec<u8> {
    let end = zip.len() - 22;
    let directory = u32_at(zip, end + 16).expect("zip");
    let mut out = zip[..directory].to_vec();
    let fields = out[14..26].to_vec();
    out[14..26].fill(0);
    out[6] |= 8;
    out.extend_from_slice(signature);
    out.extend_from_slice(&fields);
    let moved = u32::try_from(out.len()).expect("small");
    out.extend_from_slice(&zip[directory..]);
    out[moved as usize + 8] |= 8;
    let end = out.len() - 22;
    out[end + 16..end + 20].copy_from_slice(&moved.to_le_bytes());
    out
}

fn open(bytes: &[u8], name: &str, limits: &Limits) -> Result<Vec<u8>, PacketFault> {
    let text = BASE64_STANDARD.encode(bytes);
    Budget::new(limits)
        .content(&text, "1", name)
        .map(Content::into_bytes)
}

#[test]
fn a_wrapping_is_taken_off_and_a_file_is_left_alone() {
    let limits = Limits::default();
    let uuid_pdf = format!("{UUID}.pdf");
    let wrapped = zipped(&[(&uuid_pdf, b"%PDF")]);
    for name in ["a.pdf", "a.doc", "a", "V\u{103}n b\u{1EA3}n.PDF"] {
        assert_eq!(
            open(&wrapped, name, &limits).as_deref(),
            Ok(&b"%PDF"[..]),
            "{name}"
        );
        for signature in [&b"PK\x07\x08"[..], b""] {
            let streamed = with_descriptor(&wrapped, signature);
            assert_eq!(
                open(&streamed, name, &limits).as_deref(),
                Ok(&b"%PDF"[..]),
                "{name}"
            );
        }
    }
    let same_extension = zipped(&[("x/y.PDF", b"%PDF")]);
    assert_eq!(
        open(&same_extension, "a.pdf", &limits).as_deref(),
        Ok(&b"%PDF"[..])
    );
    let wrapped_zip = zipped(&[(&format!("{UUID}.zip"), b"PK..")]);
    assert_eq!(open(&wrapped_zip, "a.zip", &limits).as_deref(), Ok(&b"PK.."[..]));
    let docx = zipped(&[("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")]);
    let trailing = [wrapped.clone(), b"x".to_vec()].concat();
    let leading = [b"x".to_vec(), wrapped.clone()].concat();
    let hidden = {
        // A second local entry that the directory does not list: other readers would see it.
        let mut bytes = wrapped.clone();
        let end = bytes.len() - 22;
        let directory = u32_at(&bytes, end + 16).expect("zip");
        let moved = u32::try_from(2 * directory).expect("small").to_le_bytes();
        bytes[end + 16..end + 20].copy_from_slice(&moved);
        let first = bytes[..directory].to_vec();
        bytes.splice(directory..directory, first);
        bytes
    };
    let plain: [(&str, &[u8]); 8] = [
        ("a.docx", &docx),
        ("a.zip", &wrapped),
        ("a.zip", &zipped(&[("b.pdf", b"%PDF")])),
        ("a.zip", &zipped(&[("b.zip", b"PK")])),
        ("a.pdf", &trailing),
        ("a.pdf", &leading),
        ("a.pdf", &hidden),
        ("a.pdf", b"PK\x03\x04"),
    ];
    for (name, bytes) in plain {
        assert_eq!(open(bytes, name, &limits).as_deref(), Ok(bytes), "{name}");
    }
}

#[test]
fn expansion_and_size_stop_at_their_limits() {
    let zeros = vec![0; 5 << 20];
    let bomb = zipped(&[(&format!("{UUID}.pdf"), &zeros)]);
    let fault = open(&bomb, "a.pdf", &Limits::default()).expect_err("a thousand times larger");
    assert_eq!(
        fault,
        PacketFault::AttachmentExpansion {
            content_id: "1".into(),
            limit: 100
        }
    );
    let patient = Limits {
        expansion_ratio_max: 2000,
        attachment_bytes_max: 4 << 20,
        ..Limits::default()
    };
    let over = |limit| PacketFault::AttachmentOverLimit {
        content_id: "1".into(),
        limit,
    };
    assert_eq!(open(&bomb, "a.pdf", &patient), Err(over(4 << 20)));
    // The claimed size is the sender's, and may lie.
    let mut lying = bomb;
    let end = lying.len() - 22;
    let directory = u32_at(&lying, end + 16).expect("zip");
    lying[directory + 24..directory + 28].copy_from_slice(&10_u32.to_le_bytes());
    lying[22..26].copy_from_slice(&10_u32.to_le_bytes());
    assert!(open(&lying, "a.pdf", &patient).is_err());
    let small = Limits {
        attachment_bytes_max: 10,
        contents_bytes_max: 15,
        ..Limits::default()
    };
    assert_eq!(open(&[1; 11], "a", &small), Err(over(10)));
    let mut budget = Budget::new(&small);
    let text = BASE64_STANDARD.encode([1; 9]);
    assert!(budget.content(&text, "1", "a").is_ok());
    assert_eq!(budget.content(&text, "1", "a"), Err(over(6)), "all together");
}

#[test]
fn a_damaged_wrapping_is_named() {
    let mut damaged = zipped(&[(&format!("{UUID}.txt"), b"some text")]);
    let end = damaged.len() - 22;
    let directory = u32_at(&damaged, end + 16).expect("zip");
    damaged[directory + 16] ^= 1;
    damaged[14] ^= 1;
    let fault = open(&damaged, "a.txt", &Limits::default()).expect_err("wrong checksum");
    assert_eq!(
        fault,
        PacketFault::AttachmentZipBroken {
            content_id: "1".into()
        }
    );
}

#[test]
fn base64_is_read_with_line_breaks_and_without_padding() {
    let limits = Limits::default();
    let content = |text: &str| {
        Budget::new(&limits)
            .content(text, "1", "a")
            .map(Content::into_bytes)
    };
    for text in ["QUJDRA==", "QUJDRA", " QUJD\r\n RA==\t", "Q U J D R A = ="] {
        assert_eq!(content(text).as_deref(), Ok(&b"ABCD"[..]), "{text:?}");
    }
    assert_eq!(content("").as_deref(), Ok(&b""[..]));
    for (text, position) in [("QUJD*A==", 4), ("QU JD*A==", 4), ("QUJDRB==", 5), ("QUJDR", 5)] {
        let fault = content(text).expect_err(text);
        assert!(
            matches!(fault, PacketFault::AttachmentNotBase64 { position: found, .. } if found <= position),
            "{fault:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_zip_panics(at in 0..200_usize, byte in any::<u8>(), length in 0..300_usize) {
        let mut bytes = with_descriptor(&zipped(&[(&format!("{UUID}.pdf"), b"%PDF-1.7 some text some text")]), b"");
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(length);
        let limits = Limits { attachment_bytes_max: 1000, ..Limits::default() };
        if let Ok(content) = open(&bytes, "a.pdf", &limits) {
            prop_assert!(content.len() <= 1000);
        }
    }

    #[test]
    fn any_content_survives_unless_it_is_a_wrapping(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(open(&bytes, "a.pdf", &Limits::default()), Ok(bytes));
    }
}

#[test]
fn a_zip_whose_front_says_otherwise_than_its_directory_is_no_wrapping() {
    let limits = Limits::default();
    let wrapped = zipped(&[(&format!("{UUID}.pdf"), b"%PDF-1.7 some text some text some text")]);
    assert_ne!(open(&wrapped, "a.pdf", &limits).as_deref(), Ok(&wrapped[..]));
    // Flags, method, checksum, both lengths, as streaming readers find them.
    for at in [6, 8, 14, 18, 22] {
        let mut bytes = wrapped.clone();
        bytes[at] ^= 1;
        assert_eq!(open(&bytes, "a.pdf", &limits).as_deref(), Ok(&bytes[..]), "{at}");
    }
}
