//! Segment files: the log on disk, `log/00000001.seg` and following.
//!
//! A segment begins with a version; frames follow. Only the newest is written to.
//!
//! **Invariant:** a segment is begun only after its predecessor is on disk, so only the newest that holds records can
//! have a torn tail. One whose beginning failed (a full disk) holds none, and is removed when the log is read.
//! **Invariant:** a torn tail is set aside, never overwritten unseen: it holds nothing that anybody was told is stored.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::frame::{self, Frame};
use super::record::Logged;
use super::{Place, StoreFault, fault, make_folder};

/// Version line at the head of each segment.
const HEAD: &[u8; 16] = b"connector-log/1\n";

/// The segments of one folder.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    /// Open for reading.
    files: Mutex<BTreeMap<u32, Arc<File>>>,
}

/// The newest segment.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) number: u32,
    pub(crate) bytes: u64,
    pub(crate) file: Arc<File>,
}

impl Segments {
    /// Opens or makes the folder.
    pub(crate) fn open(folder: &Path) -> Result<Segments, StoreFault> {
        make_folder(folder)?;
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(fault("list", folder))? {
            let path = entry.map_err(fault("list", folder))?.path();
            let Some(number) = number_of(&path) else { continue };
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(&path)
                .map_err(fault("open", &path))?;
            files.insert(number, Arc::new(file));
        }
        Ok(Segments {
            folder: folder.to_owned(),
            files: Mutex::new(files),
        })
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:08}.seg"))
    }

    fn file(&self, number: u32) -> Option<Arc<File>> {
        self.files
            .lock()
            .expect("no code under this lock panics")
            .get(&number)
            .cloned()
    }

    /// The numbers of all segments, oldest first.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.files
            .lock()
            .expect("no code under this lock panics")
            .keys()
            .copied()
            .collect()
    }

    /// Reads all records in order, sets a torn tail aside, and gives the segment to go on writing.
    pub(crate) fn replay(&self, mut apply: impl FnMut(&Logged, Place)) -> Result<Head, StoreFault> {
        self.remove_unbegun()?;
        let numbers = self.numbers();
        let Some(newest) = numbers.last().copied() else {
            return self.begin(1);
        };
        let mut end = 0;
        for number in numbers {
            let path = self.path(number);
            let bytes = fs::read(&path).map_err(fault("read", &path))?;
            if bytes.len() >= HEAD.len() && !bytes.starts_with(HEAD) && bytes.iter().any(|byte| *byte != 0) {
                // Of another version, or not ours at all.
                return Err(StoreFault::Damaged {
                    segment: number,
                    offset: 0,
                });
            }
            end = read_segment(&bytes, number, &mut apply);
            if end < bytes.len() && number != newest {
                return Err(StoreFault::Damaged {
                    segment: number,
                    offset: end as u64,
                });
            }
            if end < bytes.len() {
                self.set_aside(number, &bytes, end)?;
            }
        }
        let file = self.file(newest).expect("just listed");
        if end < HEAD.len() {
            file.write_all_at(HEAD, 0)
                .map_err(fault("begin", &self.path(newest)))?;
            file.sync_all().map_err(fault("sync", &self.path(newest)))?;
            end = HEAD.len();
        }
        Ok(Head {
            number: newest,
            bytes: end as u64,
            file,
        })
    }

    /// Removes the newest segments while they hold no record: the log went on in the one before when beginning them failed.
    fn remove_unbegun(&self) -> Result<(), StoreFault> {
        while let [.., _, newest] = self.numbers()[..] {
            if self.bytes(newest) > HEAD.len() as u64 {
                break;
            }
            self.remove(newest)?;
        }
        Ok(())
    }

    /// Copies a torn tail into a file of its own and cuts it off.
    fn set_aside(&self, number: u32, bytes: &[u8], end: usize) -> Result<(), StoreFault> {
        let path = self.folder.join(format!("{number:08}.{end}.torn"));
        let mut copy = File::create(&path).map_err(fault("set aside", &path))?;
        copy.write_all(&bytes[end..]).map_err(fault("set aside", &path))?;
        copy.sync_all().map_err(fault("sync", &path))?;
        tracing::warn!(
            segment = number,
            offset = end,
            bytes = bytes.len() - end,
            "torn tail set aside"
        );
        let file = self.file(number).expect("just read");
        file.set_len(end as u64)
            .map_err(fault("cut", &self.path(number)))?;
        file.sync_all().map_err(fault("sync", &self.path(number)))?;
        self.sync_folder()
    }

    /// Begins a segment: file and folder are on disk when this returns; otherwise nothing is left of it.
    pub(crate) fn begin(&self, number: u32) -> Result<Head, StoreFault> {
        self.try_begin(number).inspect_err(|_| {
            // Best effort: a file that stays holds no record, and is removed when the log is read.
            let _ = fs::remove_file(self.path(number));
        })
    }

    fn try_begin(&self, number: u32) -> Result<Head, StoreFault> {
        let path = self.path(number);
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(fault("begin", &path))?;
        file.write_all_at(HEAD, 0).map_err(fault("begin", &path))?;
        file.sync_all().map_err(fault("sync", &path))?;
        self.sync_folder()?;
        let file = Arc::new(file);
        self.files
            .lock()
            .expect("no code under this lock panics")
            .insert(number, Arc::clone(&file));
        Ok(Head {
            number,
            bytes: HEAD.len() as u64,
            file,
        })
    }

    /// Removes a segment. A crash may bring it back, which does no harm: what it held was carried forward or is done.
    pub(crate) fn remove(&self, number: u32) -> Result<(), StoreFault> {
        self.files
            .lock()
            .expect("no code under this lock panics")
            .remove(&number);
        fs::remove_file(self.path(number)).map_err(fault("remove", &self.path(number)))?;
        self.sync_folder()
    }

    /// The record at a place.
    pub(crate) fn read(&self, place: Place) -> Result<Logged, StoreFault> {
        let damaged = StoreFault::Damaged {
            segment: place.segment,
            offset: place.offset,
        };
        let Some(file) = self.file(place.segment) else {
            return Err(damaged);
        };
        let mut bytes = vec![0; place.bytes as usize];
        file.read_exact_at(&mut bytes, place.offset)
            .map_err(fault("read", &self.path(place.segment)))?;
        match frame::read(&bytes) {
            Frame::Whole(payload, _) => Logged::decode(payload).ok_or(damaged),
            Frame::Short | Frame::Damaged => Err(damaged),
        }
    }

    /// Bytes of one segment on disk.
    pub(crate) fn bytes(&self, number: u32) -> u64 {
        self.file(number)
            .and_then(|file| file.metadata().ok())
            .map_or(0, |metadata| metadata.len())
    }

    fn sync_folder(&self) -> Result<(), StoreFault> {
        let sync = || -> io::Result<()> { File::open(&self.folder)?.sync_all() };
        sync().map_err(fault("sync folder", &self.folder))
    }
}

fn number_of(path: &Path) -> Option<u32> {
    if path.extension()? != "seg" {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// Applies the whole frames of a segment; gives where they end.
fn read_segment(bytes: &[u8], segment: u32, apply: &mut impl FnMut(&Logged, Place)) -> usize {
    if !bytes.starts_with(HEAD) {
        return 0;
    }
    let mut offset = HEAD.len();
    while let Frame::Whole(payload, frame_bytes) = frame::read(&bytes[offset..]) {
        let Some(logged) = Logged::decode(payload) else {
            break;
        };
        let frame_bytes_u32 = u32::try_from(frame_bytes).expect("a frame's length is a u32");
        apply(
            &logged,
            Place {
                segment,
                offset: offset as u64,
                bytes: frame_bytes_u32,
            },
        );
        offset += frame_bytes;
    }
    offset
}
