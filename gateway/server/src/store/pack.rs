//! Packs: originals and receipts up to the inline limit, one behind the other in files.
//!
//! A pack begins with `magic and version 8 | number 4 | crc32c 4`. Records follow: `mark 4 | payload length 4 | batch 8
//! | SHA-256 of the payload 32 | crc32c of the payload 4 | crc32c of all before 4 | payload`. `batch` is the offset where the
//! write began that the record belongs to. Records can be listed by their heads alone.
//!
//! **Invariant:** bytes are kept under their digest once, unless they can no longer be read, and before the journal names
//! them.
//! **Invariant:** what is fetched has the digest it was asked for, or is a fault.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use trust::Digest;

use super::fault::Fault;
use super::file::{End, GrowingFile, WindowReader, numbered, sync_directory};

const MAGIC: [u8; 8] = *b"archive\x01";
/// Version of packs that this build writes.
const FORMAT: u64 = 1;
const HEADER_BYTES: usize = 16;
const MARK: [u8; 4] = *b"orig";
const HEAD_BYTES: usize = 56;
const EXTENSION: &str = "pack";

/// Where the bytes of an original stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackPlace {
    /// The pack's number.
    pub(super) number: u32,
    /// Offset of its record, in bytes.
    pub(super) offset: u64,
    /// Length of the payload.
    pub(super) bytes: u32,
}

/// A place between records of packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackEnd {
    /// The pack's number.
    pub(super) number: u32,
    /// Offset behind the last record, in bytes.
    pub(super) offset: u64,
}

impl PackEnd {
    /// Before the first record.
    pub(super) const START: PackEnd = PackEnd {
        number: 1,
        offset: HEADER_BYTES as u64,
    };
}

fn pack_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:08}.{EXTENSION}"))
}

fn header(number: u32) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// The head of a record.
#[derive(Debug, Clone, Copy)]
struct Head {
    bytes: u32,
    batch: u64,
    digest: Digest,
    payload_crc: u32,
}

impl Head {
    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&MARK);
        out.extend_from_slice(&self.bytes.to_be_bytes());
        out.extend_from_slice(&self.batch.to_be_bytes());
        out.extend_from_slice(self.digest.as_bytes());
        out.extend_from_slice(&self.payload_crc.to_be_bytes());
        let crc = crc32c::crc32c(&out[start..]);
        out.extend_from_slice(&crc.to_be_bytes());
    }

    fn parse(head: &[u8]) -> Option<Head> {
        let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let whole = head[..4] == MARK && crc32c::crc32c(&head[..52]) == number(52);
        whole.then(|| Head {
            bytes: number(4),
            batch: u64::from_be_bytes(head[8..16].try_into().expect("eight bytes")),
            digest: Digest::from_bytes(head[16..48].try_into().expect("32 bytes")),
            payload_crc: number(48),
        })
    }
}

/// How much of a record is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// The head.
    Head,
    /// The head and the payload's checksum: may a crash have spoiled it?
    Payload,
    /// The head and the payload's digest: found by searching, it may be bytes of another record's payload.
    Digest,
}

fn record_at(window: &mut WindowReader, offset: u64, check: Check) -> Result<Option<Head>, Fault> {
    let Some(head) = window.at(offset, HEAD_BYTES)? else {
        return Ok(None);
    };
    let Some(head) = Head::parse(head) else {
        return Ok(None);
    };
    let payload_at = offset + HEAD_BYTES as u64;
    if window.length() - payload_at < u64::from(head.bytes) {
        return Ok(None);
    }
    if check == Check::Head {
        return Ok(Some(head));
    }
    let payload = window.at(payload_at, head.bytes as usize)?;
    let good = payload.is_some_and(|payload| match check {
        Check::Head => true,
        Check::Payload => crc32c::crc32c(payload) == head.payload_crc,
        Check::Digest => Digest::of(payload) == head.digest,
    });
    Ok(good.then_some(head))
}

/// The first record behind a bad place.
fn search(window: &mut WindowReader, after: u64) -> Result<Option<(u64, Head)>, Fault> {
    for offset in after + 1..window.length() {
        let Some(mark) = window.at(offset, MARK.len())? else {
            break;
        };
        if mark == MARK
            && let Some(head) = record_at(window, offset, Check::Digest)?
        {
            return Ok(Some((offset, head)));
        }
    }
    Ok(None)
}

fn open_window(path: &Path, number: u32) -> Result<Option<WindowReader>, Fault> {
    let mut window = WindowReader::open(path)?;
    let length = window.length();
    let Some(found) = window.at(0, HEADER_BYTES)? else {
        return Ok(None);
    };
    if found[..7] == MAGIC[..7] && MAGIC[7] < found[7] {
        let found = u64::from(found[7]);
        return Err(Fault::Newer {
            path: path.to_owned(),
            found,
            known: FORMAT,
        });
    }
    if found != header(number) {
        let torn = length == HEADER_BYTES as u64;
        return if torn {
            Ok(None)
        } else {
            Err(Fault::damaged(path, 0, "the header is not whole"))
        };
    }
    Ok(Some(window))
}

/// The packs, open for writing.
#[derive(Debug)]
pub(super) struct Packs {
    directory: PathBuf,
    pack_bytes_max: u64,
    number: u32,
    file: GrowingFile,
}

/// Originals that are to be written together.
#[derive(Debug)]
pub(super) struct PackDraft {
    bytes: Vec<u8>,
    start: PackEnd,
}

impl PackDraft {
    /// Adds an original and says where it will stand.
    pub(super) fn add(&mut self, digest: Digest, payload: &[u8]) -> PackPlace {
        let end = self.end();
        let bytes = u32::try_from(payload.len()).expect("the inline limit is far below 4 GiB");
        let payload_crc = crc32c::crc32c(payload);
        Head {
            bytes,
            batch: self.start.offset,
            digest,
            payload_crc,
        }
        .write(&mut self.bytes);
        self.bytes.extend_from_slice(payload);
        PackPlace {
            number: end.number,
            offset: end.offset,
            bytes,
        }
    }

    /// Whether the place is in this draft.
    pub(super) fn holds(&self, place: PackPlace) -> bool {
        (self.start.number, self.start.offset) <= (place.number, place.offset)
    }

    /// The place behind this draft.
    pub(super) fn end(&self) -> PackEnd {
        PackEnd {
            offset: self.start.offset + self.bytes.len() as u64,
            ..self.start
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Packs {
    /// Opens the newest pack and cuts off what a crash left at its end.
    pub(super) fn open(directory: &Path, pack_bytes_max: u64) -> Result<Packs, Fault> {
        let mut numbers = numbered(directory, EXTENSION)?;
        let made = |number, file| Packs {
            directory: directory.to_owned(),
            pack_bytes_max,
            number,
            file,
        };
        while let Some(number) = numbers.pop() {
            let number = u32::try_from(number).expect("packs are numbered in 32 bits");
            let path = pack_path(directory, number);
            match open_window(&path, number)? {
                Some(window) => return Ok(made(number, GrowingFile::open(path, good_end(window)?)?)),
                None => {
                    fs::remove_file(&path).map_err(Fault::system("remove", &path))?;
                    sync_directory(directory)?;
                }
            }
        }
        Ok(made(1, GrowingFile::create(pack_path(directory, 1), &header(1))?))
    }

    /// The place behind the last record.
    pub(super) fn end(&self) -> PackEnd {
        PackEnd {
            number: self.number,
            offset: self.file.length(),
        }
    }

    /// An empty draft; begins another pack when the present one is full.
    pub(super) fn draft(&mut self) -> Result<PackDraft, Fault> {
        if self.pack_bytes_max <= self.file.length() {
            let number = self.number + 1;
            self.file = GrowingFile::create(pack_path(&self.directory, number), &header(number))?;
            self.number = number;
        }
        Ok(PackDraft {
            bytes: Vec::new(),
            start: self.end(),
        })
    }

    /// Writes a draft, not yet durable.
    pub(super) fn write(&mut self, draft: &PackDraft) -> Result<(), Fault> {
        self.file.append(&draft.bytes)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&mut self) -> Result<(), Fault> {
        self.file.sync()
    }

    /// Forgets a draft, synced or not, that the journal does not name.
    pub(super) fn withdraw(&mut self, draft: &PackDraft) -> Result<(), Fault> {
        // A write that failed did not count as length, yet may have left bytes.
        self.file.roll_back()?;
        if draft.start.offset < self.file.length() {
            self.file.cut(draft.start.offset)
        } else {
            Ok(())
        }
    }
}

/// The end of the newest pack without what a crash left. Damage in the middle stays: the rest is still good.
fn good_end(mut window: WindowReader) -> Result<End, Fault> {
    let mut end = End {
        length: HEADER_BYTES as u64,
        newest: 0,
    };
    while end.length < window.length() {
        let offset = end.length;
        if let Some(head) = record_at(&mut window, offset, Check::Payload)? {
            end.length += HEAD_BYTES as u64 + u64::from(head.bytes);
            // Never behind the record itself, whatever it says.
            end.newest = head.batch.min(offset);
            continue;
        }
        match search(&mut window, offset)? {
            Some((found, head)) if offset < head.batch => {
                tracing::error!(pack = %window.path().display(), offset, "an original is damaged");
                end.length = found;
            }
            Some(_) | None => break,
        }
    }
    Ok(end)
}

/// Reads packs, from any thread.
#[derive(Debug, Clone)]
pub(super) struct PackReader {
    directory: PathBuf,
}

impl PackReader {
    pub(super) fn new(directory: PathBuf) -> PackReader {
        PackReader { directory }
    }

    /// The packs end before an original that the index has seen: what was durable and answered for is gone.
    pub(super) fn lost(&self, end: PackEnd) -> Fault {
        let what = "the index has seen originals behind this end: put the packs back from their copy";
        Fault::damaged(&pack_path(&self.directory, end.number), end.offset, what)
    }

    /// The bytes at a place that the index gave.
    pub(super) fn read(&self, digest: &Digest, place: PackPlace) -> Result<Vec<u8>, Fault> {
        let path = pack_path(&self.directory, place.number);
        let file = File::open(&path).map_err(Fault::kept("open", &path))?;
        let size = file.metadata().map_err(Fault::kept("read", &path))?.len();
        let wrong = |what: &str| Fault::damaged(&path, place.offset, what);
        let payload_at = place.offset + HEAD_BYTES as u64;
        if size < payload_at + u64::from(place.bytes) {
            return Err(wrong("the pack ends before the original"));
        }
        let mut payload = vec![0; place.bytes as usize];
        file.read_exact_at(&mut payload, payload_at)
            .map_err(Fault::kept("read", &path))?;
        if Digest::of(&payload) == *digest {
            Ok(payload)
        } else {
            Err(wrong("the original has another digest"))
        }
    }

    /// Gives every record from `from` up to `until` to `sink`, by heads alone. Damaged ones are passed over.
    pub(super) fn list(
        &self,
        from: PackEnd,
        until: PackEnd,
        sink: &mut dyn FnMut(Digest, PackPlace, PackEnd) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let numbers = numbered(&self.directory, EXTENSION)?.into_iter();
        let numbers = numbers.map(|number| u32::try_from(number).expect("packs are numbered in 32 bits"));
        for number in numbers.filter(|number| (from.number..=until.number).contains(number)) {
            let path = pack_path(&self.directory, number);
            let Some(mut window) = open_window(&path, number)? else {
                continue;
            };
            let end = if number == until.number {
                until.offset
            } else {
                window.length()
            };
            let mut offset = if number == from.number {
                from.offset
            } else {
                HEADER_BYTES as u64
            };
            while offset < end {
                let (at, head) = match record_at(&mut window, offset, Check::Head)? {
                    Some(head) => (offset, head),
                    None => {
                        tracing::error!(pack = %path.display(), offset, "originals are damaged");
                        let Some(found) = search(&mut window, offset)? else {
                            break;
                        };
                        found
                    }
                };
                offset = at + HEAD_BYTES as u64 + u64::from(head.bytes);
                let place = PackPlace {
                    number,
                    offset: at,
                    bytes: head.bytes,
                };
                sink(head.digest, place, PackEnd { number, offset })?;
            }
        }
        Ok(())
    }
}
