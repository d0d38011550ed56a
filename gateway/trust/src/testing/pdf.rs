//! PDF files as tests write them: objects, updates, signatures.

use super::{Leaf, World};

/// Octets of a PDF as it is written: objects, then a classic section.
pub(crate) struct PdfWriter {
    pub(crate) bytes: Vec<u8>,
    /// Number, generation, offset.
    offsets: Vec<(u32, u16, usize)>,
    previous: Option<usize>,
    /// One more than the highest number so far.
    size: u32,
    /// What a signature dictionary says beside ByteRange and Contents.
    pub(crate) signature: String,
    /// What the trailer says beside Size, Root and Prev.
    pub(crate) trailer: &'static str,
}

/// What a signature dictionary ordinarily says.
pub(crate) const SIGNATURE: &str = "/Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached";

impl PdfWriter {
    /// One page with one content stream; objects 1 to 4.
    pub(crate) fn page() -> Vec<u8> {
        let mut writer = Self {
            bytes: b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec(),
            offsets: Vec::new(),
            previous: None,
            size: 1,
            signature: SIGNATURE.to_owned(),
            trailer: "",
        };
        writer.object(1, b"<< /Type /Catalog /Pages 2 0 R >>");
        writer.object(2, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
        writer.object(
            3,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
        );
        writer.object(4, b"<< /Length 12 >>\nstream\nBT (A) Tj ET\nendstream");
        writer.finish(5)
    }

    /// An update of a file.
    pub(crate) fn update(file: &[u8]) -> Self {
        let start = memchr::memmem::rfind(file, b"startxref").expect("a PDF") + 10;
        let digits = file[start..].iter().take_while(|octet| octet.is_ascii_digit());
        let previous = digits.fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
        Self {
            bytes: file.to_vec(),
            offsets: Vec::new(),
            previous: Some(previous),
            size: size_of(file),
            signature: SIGNATURE.to_owned(),
            trailer: "",
        }
    }

    pub(crate) fn object(&mut self, number: u32, value: impl AsRef<[u8]>) {
        self.object_of((number, 0), value);
    }

    pub(crate) fn object_of(&mut self, (number, generation): (u32, u16), value: impl AsRef<[u8]>) {
        self.entry((number, generation), self.bytes.len());
        self.bytes
            .extend_from_slice(format!("{number} {generation} obj\n").as_bytes());
        self.bytes.extend_from_slice(value.as_ref());
        self.bytes.extend_from_slice(b"\nendobj\n");
    }

    /// An entry of the cross-reference section, whatever stands at that offset.
    pub(crate) fn entry(&mut self, (number, generation): (u32, u16), offset: usize) {
        self.offsets.push((number, generation, offset));
        self.size = self.size.max(number + 1);
    }

    /// Ends with a signature dictionary whose placeholder is still to be filled.
    pub(crate) fn finish_open(mut self, value: u32) -> Vec<u8> {
        let zeros = "0".repeat(CONTENTS_DIGITS);
        let dictionary = format!(
            "<< {} /ByteRange [0 {:010} {:010} {:010}] /Contents <{zeros}> >>",
            self.signature, 0, 0, 0
        );
        self.object(value, dictionary);
        self.finish_update()
    }

    /// Ends with the size that it has.
    pub(crate) fn finish_update(self) -> Vec<u8> {
        let size = self.size;
        self.finish(size)
    }

    pub(crate) fn finish(mut self, size: u32) -> Vec<u8> {
        let xref = self.bytes.len();
        let mut text = String::from("xref\n");
        if self.previous.is_none() {
            text.push_str("0 1\n0000000000 65535 f \n");
        }
        self.offsets.sort_unstable();
        for (number, generation, offset) in &self.offsets {
            text.push_str(&format!("{number} 1\n{offset:010} {generation:05} n \n"));
        }
        let more = self.trailer;
        let previous = self
            .previous
            .map(|previous| format!(" /Prev {previous}"))
            .unwrap_or_default();
        text.push_str(&format!(
            "trailer\n<< /Size {size} /Root 1 0 R{previous} {more}>>\nstartxref\n{xref}\n%%EOF\n"
        ));
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes
    }
}

/// What the last trailer says.
fn size_of(file: &[u8]) -> u32 {
    let start = memchr::memmem::rfind(file, b"/Size ").expect("a PDF") + 6;
    let digits = file[start..].iter().take_while(|octet| octet.is_ascii_digit());
    digits.fold(0, |n, digit| n * 10 + u32::from(digit - b'0'))
}

/// Places of hexadecimal digits kept for a signature.
const CONTENTS_DIGITS: usize = 8192;

/// Adds one signature: field and widget `first`, signature dictionary `first + 1`; `fields` are those already there.
pub(crate) fn sign_pdf(file: &[u8], signer: &Leaf, first: u32, fields: &[u32]) -> Vec<u8> {
    sign_pdf_with(file, signer, (first, fields), |_| {})
}

/// The same with further objects in the update.
pub(crate) fn sign_pdf_with(
    file: &[u8],
    signer: &Leaf,
    (first, fields): (u32, &[u32]),
    more: impl FnOnce(&mut PdfWriter),
) -> Vec<u8> {
    sign_pdf_at(file, signer, (first, fields), "[0 0 0 0]", more)
}

/// The same with a widget that is seen in this rectangle.
pub(crate) fn sign_pdf_at(
    file: &[u8],
    signer: &Leaf,
    (first, fields): (u32, &[u32]),
    rectangle: &str,
    more: impl FnOnce(&mut PdfWriter),
) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    let list: String = fields
        .iter()
        .chain([&first])
        .map(|field| format!("{field} 0 R "))
        .collect();
    writer.object(
        1,
        format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{list}] /SigFlags 3 >> >>"),
    );
    writer.object(
        3,
        format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [{list}] >>"),
    );
    let value = first + 1;
    writer.object(
        first,
        format!(
            "<< /FT /Sig /T (S{first}) /Type /Annot /Subtype /Widget /Rect {rectangle} /F 132 /P 3 0 R \
             /V {value} 0 R >>"
        ),
    );
    more(&mut writer);
    finish_signature(writer, signer, value)
}

/// An update of these objects, and of the signature dictionary `value`, which a field of them must show.
pub(crate) fn sign_pdf_raw(
    file: &[u8],
    signer: &Leaf,
    value: u32,
    objects: impl FnOnce(&mut PdfWriter),
) -> Vec<u8> {
    let mut writer = PdfWriter::update(file);
    objects(&mut writer);
    finish_signature(writer, signer, value)
}

fn finish_signature(writer: PdfWriter, signer: &Leaf, value: u32) -> Vec<u8> {
    fill_signature(writer.finish_open(value), signer)
}

/// Fills the last placeholder of the file.
fn fill_signature(bytes: Vec<u8>, signer: &Leaf) -> Vec<u8> {
    fill_contents(bytes, |covered| signer.sign(covered))
}

/// The same with what is made of the covered octets.
pub(crate) fn fill_contents(mut bytes: Vec<u8>, made: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let gap = memchr::memmem::rfind(&bytes, b"/Contents <").expect("a placeholder") + 10;
    let gap_end = gap + CONTENTS_DIGITS + 2;
    let range = format!("[0 {gap:010} {gap_end:010} {:010}]", bytes.len() - gap_end);
    let at = memchr::memmem::rfind(&bytes, b"/ByteRange ").expect("a placeholder") + 11;
    bytes[at..at + range.len()].copy_from_slice(range.as_bytes());
    let covered = [&bytes[..gap], &bytes[gap_end..]].concat();
    let digits: String = made(&covered)
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    bytes[gap + 1..gap + 1 + digits.len()].copy_from_slice(digits.as_bytes());
    bytes
}

impl World {
    /// The page signed by the person, then by the organisation.
    pub(crate) fn signed_twice(&self) -> Vec<u8> {
        let once = sign_pdf(&PdfWriter::page(), &self.person, 5, &[]);
        sign_pdf(&once, &self.organisation, 7, &[5])
    }
}
