//! Small real PDF files, and signatures in them: each signature is an incremental update (ISO 32000-1 section
//! 7.5.6) with a classic cross-reference section, as signing software in the field writes them.
//!
//! **Invariant**: a signature covers the whole file as it stands when it is made, except its own `Contents`.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    cms::{self, Attributes},
    pki::Credential,
};

/// Objects of every file: catalog, page tree, page, text, font, filler.
const CATALOG: usize = 1;
const PAGE: usize = 3;
const FILLER: usize = 6;
const OBJECTS: usize = 6;

/// What a signature's dictionary says about its `Contents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubFilter {
    /// `adbe.pkcs7.detached`, with the plain signed attributes of the field.
    Adobe,
    /// `ETSI.CAdES.detached`, with signingCertificateV2 (PAdES baseline B).
    Cades,
}

impl SubFilter {
    fn name(self) -> &'static str {
        match self {
            SubFilter::Adobe => "adbe.pkcs7.detached",
            SubFilter::Cades => "ETSI.CAdES.detached",
        }
    }

    fn attributes(self) -> Attributes {
        match self {
            SubFilter::Adobe => Attributes::Plain,
            SubFilter::Cades => Attributes::Baseline,
        }
    }
}

/// How a signature is made. [`Seal::new`] gives what is usual.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// Who signs.
    pub signer: &'a Credential,
    /// The claimed time of signing.
    pub at: Timestamp,
    /// Kind of signature.
    pub sub_filter: SubFilter,
    /// Bytes kept for the signature; `Contents` is twice as many hexadecimal digits, filled up with zeros.
    pub reserved_bytes: usize,
}

impl<'a> Seal<'a> {
    /// An `adbe.pkcs7.detached` signature in 5,000 bytes, as the government's signing software reserves.
    pub fn new(signer: &'a Credential, at: Timestamp) -> Seal<'a> {
        Seal {
            signer,
            at,
            sub_filter: SubFilter::Adobe,
            reserved_bytes: 5_000,
        }
    }
}

/// A file of one page, signed any number of times.
#[derive(Clone, Debug)]
pub struct Pdf {
    bytes: Vec<u8>,
    objects: usize,
    cross_reference: usize,
    fields: Vec<usize>,
}

impl Pdf {
    /// A page with `title` on it (printable ASCII without parentheses and backslashes), in a file of exactly
    /// `bytes` (at least 1,200), most of them a stream that does not compress.
    pub fn new(title: &str, bytes: usize) -> Pdf {
        // The filler's length is written into the file, so that one more digit may move the mark once or twice.
        let mut filler = bytes.saturating_sub(1_000);
        for _ in 0..8 {
            let pdf = Pdf::with_filler(title, filler);
            if pdf.bytes.len() == bytes {
                return pdf;
            }
            filler = (filler + bytes).saturating_sub(pdf.bytes.len());
        }
        panic!("no file of one page has {bytes} bytes");
    }

    /// The file as it stands.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file as it stands.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Signed in the usual way.
    #[must_use]
    pub fn signed(self, signer: &Credential, at: Timestamp) -> Pdf {
        self.sealed(Seal::new(signer, at))
    }

    /// Signed as `seal` says, as one more revision of the file.
    ///
    /// # Panics
    /// When the signature does not fit into the bytes reserved for it.
    #[must_use]
    pub fn sealed(mut self, seal: Seal<'_>) -> Pdf {
        let gap = self.append_revision(&seal);
        let digits = 2 * seal.reserved_bytes;
        let range = ByteRange {
            before: gap,
            after: gap + digits + 2,
            end: self.bytes.len(),
        };
        range.write_into(&mut self.bytes);
        let covered = [&self.bytes[..range.before], &self.bytes[range.after..]].concat();
        let signature = cms::detached(&covered, seal.signer, seal.at, seal.sub_filter.attributes());
        assert!(
            signature.len() <= seal.reserved_bytes,
            "a signature of {} bytes does not fit",
            signature.len()
        );
        for (index, byte) in signature.iter().enumerate() {
            let place = gap + 1 + 2 * index;
            self.bytes[place..place + 2].copy_from_slice(format!("{byte:02x}").as_bytes());
        }
        self
    }

    /// With a document security store (ISO 32000-2 section 12.8.4.3) as one more revision: certificates, lists and OCSP
    /// answers in DER.
    #[must_use]
    pub fn with_material(mut self, [certificates, lists, answers]: [&[&[u8]]; 3]) -> Pdf {
        let first = self.objects + 1;
        let material: Vec<&[u8]> = [certificates, lists, answers].concat();
        let mut next = first;
        let mut row = |name: &str, values: &[&[u8]]| {
            let numbers: Vec<usize> = (next..next + values.len()).collect();
            next += values.len();
            format!("/{name} [{}]", references(&numbers))
        };
        let rows = [
            row("Certs", certificates),
            row("CRLs", lists),
            row("OCSPs", answers),
        ]
        .join(" ");
        let fields = references(&self.fields);
        let mut offsets = vec![self.append_object(
            CATALOG,
            format!(
                "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{fields}] /SigFlags 3 >> /DSS << {rows} >> >>"
            ),
        )];
        for (number, octets) in (first..).zip(material) {
            let head = format!("<< /Length {} >>\nstream\n", octets.len());
            let body = [head.as_bytes(), octets, b"\nendstream"].concat();
            offsets.push(self.append_object(number, &body));
            self.objects = number;
        }
        self.append_cross_reference(&offsets);
        self
    }

    /// Changes one byte of the page's filler, which every signature covers; the file stays well-formed.
    #[must_use]
    pub fn tampered(mut self) -> Pdf {
        let start = find(&self.bytes, b"% filler\n").expect("every file has a filler") + b"% filler\n".len();
        self.bytes[start] = if self.bytes[start] == b'A' { b'B' } else { b'A' };
        self
    }

    fn with_filler(title: &str, filler: usize) -> Pdf {
        let text = format!("BT /F1 14 Tf 72 770 Td ({title}) Tj ET\n");
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            page(&[]),
            stream(&text),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
            stream(&format!("% filler\n{}\n", noise(filler))),
        ];
        let mut pdf = Pdf {
            bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(),
            objects: OBJECTS,
            cross_reference: 0,
            fields: Vec::new(),
        };
        let offsets: Vec<(usize, usize)> = objects
            .iter()
            .enumerate()
            .map(|(index, body)| pdf.append_object(index + 1, body))
            .collect();
        pdf.append_cross_reference(&offsets);
        pdf
    }

    /// Appends the objects of one more signature, and returns where its empty `Contents` begins (at its `<`).
    fn append_revision(&mut self, seal: &Seal<'_>) -> usize {
        let (signature, field) = (self.objects + 1, self.objects + 2);
        self.objects += 2;
        self.fields.push(field);
        let number = self.fields.len();
        let at = seal
            .at
            .to_zoned(TimeZone::UTC)
            .strftime("%Y%m%d%H%M%S+00'00'")
            .to_string();
        let fields = references(&self.fields);
        let bodies = [
            (
                CATALOG,
                format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{fields}] /SigFlags 3 >> >>"),
            ),
            (PAGE, page(&self.fields)),
            (
                signature,
                format!(
                    "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /{} /M (D:{at})\n/ByteRange {}\n/Contents <{}> >>",
                    seal.sub_filter.name(),
                    ByteRange::BLANK,
                    "0".repeat(2 * seal.reserved_bytes),
                ),
            ),
            (
                field,
                format!(
                    "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature{number}) /V {signature} 0 R \
                     /Rect [0 0 0 0] /F 132 /P {PAGE} 0 R >>"
                ),
            ),
        ];
        let offsets: Vec<(usize, usize)> = bodies
            .iter()
            .map(|(number, body)| self.append_object(*number, body))
            .collect();
        self.append_cross_reference(&offsets);
        let object = offsets[2].1;
        let contents = find(&self.bytes[object..], b"/Contents <").expect("just written");
        object + contents + b"/Contents ".len()
    }

    /// Returns the object's number and offset.
    fn append_object(&mut self, number: usize, body: impl AsRef<[u8]>) -> (usize, usize) {
        let (offset, head) = (self.bytes.len(), format!("{number} 0 obj\n"));
        for piece in [head.as_bytes(), body.as_ref(), b"\nendobj\n"] {
            self.bytes.extend_from_slice(piece);
        }
        (number, offset)
    }

    /// Appends cross-reference section, trailer and end of file for these objects, in ascending order; the first
    /// revision also lists the head of the free objects.
    fn append_cross_reference(&mut self, offsets: &[(usize, usize)]) {
        let start = self.bytes.len();
        let mut section = String::from("xref\n");
        if self.cross_reference == 0 {
            section.push_str("0 1\n0000000000 65535 f \n");
        }
        for (number, offset) in offsets {
            section.push_str(&format!("{number} 1\n{offset:010} 00000 n \n"));
        }
        let previous = if self.cross_reference == 0 {
            String::new()
        } else {
            format!(" /Prev {}", self.cross_reference)
        };
        section.push_str(&format!(
            "trailer\n<< /Size {} /Root {CATALOG} 0 R{previous} >>\nstartxref\n{start}\n%%EOF\n",
            self.objects + 1
        ));
        self.bytes.extend_from_slice(section.as_bytes());
        self.cross_reference = start;
    }
}

/// The bytes that a signature covers: all but `Contents` with its angle brackets (ISO 32000-1 section 12.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ByteRange {
    before: usize,
    after: usize,
    end: usize,
}

impl ByteRange {
    /// Space for four numbers of up to ten digits.
    const BLANK: &'static str = "[0 0000000000 0000000000 0000000000]";

    fn write_into(self, bytes: &mut [u8]) {
        let mark = format!("/ByteRange {}", ByteRange::BLANK);
        let place = bytes
            .windows(mark.len())
            .rposition(|window| window == mark.as_bytes())
            .expect("just written");
        let numbers = format!("[0 {} {} {}]", self.before, self.after, self.end - self.after);
        let text = format!("{numbers:<width$}", width = ByteRange::BLANK.len());
        let start = place + "/ByteRange ".len();
        bytes[start..start + text.len()].copy_from_slice(text.as_bytes());
    }
}

fn page(annotations: &[usize]) -> String {
    let annotations = if annotations.is_empty() {
        String::new()
    } else {
        format!(" /Annots [{}]", references(annotations))
    };
    format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [4 0 R {FILLER} 0 R] \
         /Resources << /Font << /F1 5 0 R >> >>{annotations} >>"
    )
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}endstream", content.len())
}

fn references(objects: &[usize]) -> String {
    let references: Vec<String> = objects.iter().map(|number| format!("{number} 0 R")).collect();
    references.join(" ")
}

/// Letters and digits that look random and are the same every time: a comment in the page's content.
fn noise(length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(ALPHABET[(state >> 58) as usize])
    };
    (0..length).map(next).collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests;
