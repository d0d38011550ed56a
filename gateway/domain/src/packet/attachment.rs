//! Attachments: base64, then perhaps a zip of one entry, then the file.
//!
//! Stands between the reader and everybody who looks at contents (signatures, secrecy, identity, archive).
//!
//! # When is a zip only a wrapping?
//! Software of the national axis sends a file either as it is or zipped into one entry named `<uuid>.<ext>`. A
//! document may itself be a zip (`.docx`, `.xlsx`, `.zip`), and begins with the same bytes. A content is unwrapped when
//! 1. it is a zip of exactly one file and nothing else: local header, data, data descriptor or none, one directory
//!    record, end record; both headers agree (no two readers can find different entries in it); and
//! 2. the entry is named `<uuid>` or `<uuid>.<ext>` — for an attachment whose own name ends in `.zip` only if `<ext>`
//!    is `zip`; or the entry's extension is the attachment's and that is not `zip` (a real `.docx` holds many entries).
//!
//! Everything else is the file itself.
//!
//! **Invariant**: a `Content` and its digest always belong together.
//! **Invariant**: expansion stops at its limits; a zip bomb costs no more than `Limits::attachment_bytes_max`.

use std::alloc::Layout;
use std::borrow::Cow;
use std::io::{Cursor, ErrorKind, Read};

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use trust::Digest;

use super::Limits;
use super::fault::PacketFault;

/// Padding is optional on reading: some encoders leave it out. What is left over must be zero bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Expansion up to this many bytes is not measured by its ratio: small files of repeated text are harmless.
const RATIO_FREE_BYTES: usize = 1 << 20;

/// A file that travels in a packet (`Attachment`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// `ContentId` without its `cid:`.
    pub content_id: String,
    /// `AttachmentName`.
    pub name: String,
    /// `Description`.
    pub description: Option<String>,
    /// `ContentType`, as declared; not reliable.
    pub content_type: String,
    /// The file itself, decoded and unwrapped.
    pub content: Content,
}

/// The bytes of a file and their name.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    bytes: Vec<u8>,
    digest: Digest,
}

impl Content {
    /// Takes a file.
    pub fn new(bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The file, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes, {})", self.bytes.len(), self.digest)
    }
}

/// What may still be spent on contents of one packet.
pub(super) struct Budget<'l> {
    limits: &'l Limits,
    left: usize,
}

impl<'l> Budget<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            left: limits.contents_bytes_max,
        }
    }

    /// How large the next attachment may be.
    fn bytes_max(&self) -> usize {
        self.limits.attachment_bytes_max.min(self.left)
    }

    /// Decodes and unwraps one attachment's text.
    pub(super) fn content(
        &mut self,
        text: &str,
        content_id: &str,
        name: &str,
    ) -> Result<Content, PacketFault> {
        let content_id = || content_id.to_owned();
        let over = |limit| PacketFault::AttachmentOverLimit {
            content_id: content_id(),
            limit,
        };
        // Four characters carry three bytes; white space may make the text longer, by no more than half.
        if text.len() / 6 * 3 > self.bytes_max() {
            return Err(over(self.bytes_max()));
        }
        let decoded = decode(text).map_err(|position| PacketFault::AttachmentNotBase64 {
            content_id: content_id(),
            position,
        })?;
        if decoded.len() > self.bytes_max() {
            return Err(over(self.bytes_max()));
        }
        let bytes = if is_wrapping(&decoded, name) {
            let ratio = self.limits.expansion_ratio_max;
            let by_ratio = decoded.len().saturating_mul(ratio).max(RATIO_FREE_BYTES);
            match unwrap(&decoded, by_ratio.min(self.bytes_max())) {
                Ok(bytes) => bytes,
                Err(Unwrap::OverLimit) if by_ratio < self.bytes_max() => {
                    return Err(PacketFault::AttachmentExpansion {
                        content_id: content_id(),
                        limit: ratio,
                    });
                }
                Err(Unwrap::OverLimit) => return Err(over(self.bytes_max())),
                Err(Unwrap::Broken) => {
                    return Err(PacketFault::AttachmentZipBroken {
                        content_id: content_id(),
                    });
                }
            }
        } else {
            decoded
        };
        self.left -= bytes.len();
        Ok(Content::new(bytes))
    }
}

/// Base64 with or without line breaks; fails with the position, white space left out.
fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let text = text.trim_matches(super::SPACE);
    // Most encoders write one line. Only when that fails is a copy without white space made.
    if let Ok(bytes) = BASE64.decode(text) {
        return Ok(bytes);
    }
    let bare: Cow<'_, str> = text.replace(super::SPACE, "").into();
    BASE64.decode(bare.as_bytes()).map_err(|error| match error {
        base64::DecodeError::InvalidByte(position, _)
        | base64::DecodeError::InvalidLastSymbol(position, _) => position,
        base64::DecodeError::InvalidLength(length) => length,
        base64::DecodeError::InvalidPadding => bare.len(),
    })
}

/// The lower-case letters behind the last dot of a name.
fn extension(name: &str) -> Option<String> {
    name.rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase())
}

/// The rule of this module's head.
fn is_wrapping(bytes: &[u8], attachment_name: &str) -> bool {
    let Some(entry) = sole_entry(bytes) else {
        return false;
    };
    let own = extension(attachment_name);
    let inner = extension(entry);
    let of_zip = own.as_deref() == Some("zip");
    let stem = entry.split_once('.').map_or(entry, |(stem, _)| stem);
    // Other lengths are other spellings of a UUID, which the kit does not write.
    if stem.len() == 36 && uuid::Uuid::try_parse(stem).is_ok() {
        return !of_zip || inner.as_deref() == Some("zip");
    }
    !of_zip && own.is_some() && own == inner
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(field.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(field.try_into().ok()?)).ok()
}

/// The name of the only entry of a zip that holds nothing else (PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16).
fn sole_entry(bytes: &[u8]) -> Option<&str> {
    const LOCAL: (&[u8], usize) = (b"PK\x03\x04", 30);
    const DIRECTORY: (&[u8], usize) = (b"PK\x01\x02", 46);
    const END: (&[u8], usize) = (b"PK\x05\x06", 22);
    let end = bytes.len().checked_sub(END.1)?;
    if !bytes.starts_with(LOCAL.0) || !bytes[end..].starts_with(END.0) {
        return None;
    }
    let (disks, entries) = (
        u32_at(bytes, end + 4)?,
        (u16_at(bytes, end + 8)?, u16_at(bytes, end + 10)?),
    );
    let (size, directory, comment) = (
        u32_at(bytes, end + 12)?,
        u32_at(bytes, end + 16)?,
        u16_at(bytes, end + 20)?,
    );
    if disks != 0 || entries != (1, 1) || comment != 0 || directory.checked_add(size)? != end {
        return None;
    }
    let record = bytes.get(directory..end)?;
    let name_length = u16_at(record, 28)?;
    let lengths = name_length + u16_at(record, 30)? + u16_at(record, 32)?;
    let starts_at_zero = u32_at(record, 42)? == 0;
    if !record.starts_with(DIRECTORY.0) || DIRECTORY.1 + lengths != size || !starts_at_zero {
        return None;
    }
    let name = record.get(DIRECTORY.1..DIRECTORY.1 + name_length)?;
    let local_name_length = u16_at(bytes, 26)?;
    let data = LOCAL.1 + local_name_length + u16_at(bytes, 28)?;
    if bytes.get(LOCAL.1..LOCAL.1 + local_name_length)? != name || name.ends_with(b"/") {
        return None;
    }
    let behind = directory.checked_sub(data.checked_add(u32_at(record, 20)?)?)?;
    let has_descriptor = u16_at(record, 8)? & 8 != 0;
    if !agrees_with_directory(bytes, record, has_descriptor)? {
        return None;
    }
    let tight = behind == 0 || (has_descriptor && matches!(behind, 12 | 16));
    if tight {
        std::str::from_utf8(name).ok()
    } else {
        None
    }
}

/// Whether whoever reads the entry from its front, as streaming software does, gets what the directory says: else one
/// content would be verified and another one unpacked. Flags, method, checksum and both lengths are compared; before a
/// data descriptor the last three may be zero, and then only deflated data says itself where it ends.
fn agrees_with_directory(local: &[u8], record: &[u8], has_descriptor: bool) -> Option<bool> {
    const DEFLATED: usize = 8;
    let (flags, method) = (
        (u16_at(local, 6)?, u16_at(record, 8)?),
        (u16_at(local, 8)?, u16_at(record, 10)?),
    );
    if flags.0 != flags.1 || method.0 != method.1 || (has_descriptor && method.0 != DEFLATED) {
        return Some(false);
    }
    for (at, listed_at) in [(14, 16), (18, 20), (22, 24)] {
        let (front, listed) = (u32_at(local, at)?, u32_at(record, listed_at)?);
        if front != listed && !(has_descriptor && front == 0) {
            return Some(false);
        }
    }
    Some(true)
}

enum Unwrap {
    OverLimit,
    Broken,
}

/// Expands the only entry, up to a limit; its checksum is verified.
fn unwrap(bytes: &[u8], bytes_max: usize) -> Result<Vec<u8>, Unwrap> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Unwrap::Broken)?;
    let entry = archive.by_index(0).map_err(|_| Unwrap::Broken)?;
    let claimed = usize::try_from(entry.size()).unwrap_or(usize::MAX);
    if claimed > bytes_max {
        return Err(Unwrap::OverLimit);
    }
    // The claim is the sender's: it never decides how much memory is taken at once.
    let mut content = Vec::with_capacity(claimed.min(RATIO_FREE_BYTES));
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    if let Err(fault) = entry.take(limit).read_to_end(&mut content) {
        if fault.kind() == ErrorKind::OutOfMemory {
            // Our trouble, as at any other allocation; the sender's zip must not be blamed for it.
            std::alloc::handle_alloc_error(Layout::for_value(content.as_slice()));
        }
        return Err(Unwrap::Broken);
    }
    if content.len() > bytes_max {
        Err(Unwrap::OverLimit)
    } else {
        Ok(content)
    }
}

#[cfg(test)]
mod tests;
