//! What is being settled, in a file beside the tree: so that a crash in the middle leaves nothing half done.
//!
//! The file is durable before the first entry goes into the tree, and the tree is durable before the file is written
//! anew. Whoever opens the index writes all of its entries once more, wherever the crash was: they say what stands under
//! a key afterwards, not what is done to it.
//!
//! Form, numbers big-endian: `magic and version 5 | place before | place after | entries | crc32c 4`; an entry is
//! `key length 2 | key | value length 4, or 0xffffffff for a removal | value`.
//!
//! **Invariant:** a file that is not whole was never begun with: it is as if it were not there.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::value::{Applied, Reader, Value, Writer};
use super::view::Changes;
use crate::store::fault::Fault;
use crate::store::file::sync_directory;

/// Magic and version: the last byte counts up.
const MAGIC: [u8; 5] = *b"redo\x01";
/// In the place of a value's length: the key is removed.
const REMOVED: u32 = u32::MAX;

/// Changes with the places of the journal before and after them.
#[derive(Debug)]
pub(super) struct Redo {
    /// What the tree tells before.
    pub(super) from: Applied,
    /// What it tells afterwards.
    pub(super) to: Applied,
    pub(super) changes: Changes,
}

fn path_in(index: &Path) -> PathBuf {
    index.join("redo")
}

impl Redo {
    /// Writes the file in the folder of the index, durably.
    ///
    /// # Errors
    /// [`Fault::System`] when there is no room for it; [`Fault::Index`] when nobody knows what is on disk.
    pub(super) fn write(&self, index: &Path) -> Result<(), Fault> {
        let (path, bytes) = (path_in(index), self.to_bytes());
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Fault::system("create", &path))?;
        file.write_all_at(&bytes, 0)
            .and_then(|()| file.set_len(bytes.len() as u64))
            .map_err(Fault::system("write", &path))?;
        file.sync_all()
            .map_err(|error| Fault::Index(format!("its redo file cannot be made durable: {error}")))?;
        if is_new { sync_directory(index) } else { Ok(()) }
    }

    /// Reads the file in the folder of the index; `None` when there is no whole one.
    ///
    /// # Errors
    /// [`Fault::System`] when the disk does not answer.
    pub(super) fn read(index: &Path) -> Result<Option<Redo>, Fault> {
        let path = path_in(index);
        match fs::read(&path) {
            Ok(bytes) => Ok(Redo::from_bytes(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::system("read", &path)(error)),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(128 * (2 + self.changes.len()));
        MAGIC.write(&mut out);
        (self.from, self.to).write(&mut out);
        for (key, value) in self.changes.entries() {
            u16::try_from(key.len())
                .expect("a key has ids, a digest and a text of at most 512 bytes")
                .write(&mut out);
            out.extend(key);
            match value {
                Some(value) => {
                    u32::try_from(value.len())
                        .expect("values of the index are small")
                        .write(&mut out);
                    out.extend(value);
                }
                None => REMOVED.write(&mut out),
            }
        }
        let mut bytes = out.into_bytes();
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Redo> {
        let (body, crc) = bytes.split_last_chunk()?;
        if crc32c::crc32c(body) != u32::from_be_bytes(*crc) {
            return None;
        }
        let mut reader = Reader::new(body);
        if <[u8; 5]>::read(&mut reader)? != MAGIC {
            return None;
        }
        let (from, to) = <(Applied, Applied)>::read(&mut reader)?;
        let mut changes = Changes::default();
        while !reader.is_empty() {
            let length = usize::from(u16::read(&mut reader)?);
            let key = reader.bytes(length)?.to_vec();
            let value = match u32::read(&mut reader)? {
                REMOVED => None,
                length => Some(reader.bytes(usize::try_from(length).ok()?)?.into()),
            };
            changes.set(key, value);
        }
        Some(Redo { from, to, changes })
    }
}
