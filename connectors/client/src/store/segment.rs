//! Segment files: the log on disk, `log/00000001.seg` and following.
//!
//! A segment begins with a version; frames follow. Only the newest is written to.
//!
//! **Invariant:** a segment is begun only after its predecessor is on disk, so only the newest that holds records can
//! have a torn tail. One whose beginning failed (a full disk) holds none, and is removed when the log is read.
//! **Invariant:** damage before the newest record is set aside in `<segment>.<offset>.damaged`, told, and bars nothing.
//! **Invariant:** a torn tail is set aside, never overwritten unseen: it holds nothing that anybody was told is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::frame::{self, Frame};
use super::record::Logged;
use super::{Place, StoreFault, damage, fault, make_folder};

/// Version line at the head of each segment.
const HEAD: &[u8; 16] = b"connector-log/1\n";

/// What every version begins with.
const HEAD_OF_ANY_VERSION: &[u8] = b"connector-log/";

/// What Linux says when a disk does not give back what is on it (`EIO`).
const DISK_ERROR: i32 = 5;

/// The segments of one folder.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    /// Open for reading.
    files: Mutex<BTreeMap<u32, Arc<File>>>,
    /// With records that the disk does not give: never deleted.
    kept: Mutex<BTreeSet<u32>>,
}

/// What a log turned out to be.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) head: Head,
    /// Places that hold no record where one should be.
    pub(crate) damaged: usize,
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
            kept: Mutex::default(),
        })
    }

    /// Where the segments are, and what was set aside.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
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

    /// Reads all records in order, sets aside what is none, and gives the segment to go on writing.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] at offset 0: a segment of another version, which another build must read.
    pub(crate) fn replay(&self, mut apply: impl FnMut(&Logged, Place)) -> Result<Replayed, StoreFault> {
        self.remove_unbegun()?;
        let numbers = self.numbers();
        let Some(newest) = numbers.last().copied() else {
            let head = self.begin(1)?;
            return Ok(Replayed { head, damaged: 0 });
        };
        let (mut end, mut damaged, mut last) = (0, 0, Vec::new());
        for number in numbers {
            let path = self.path(number);
            let bytes = fs::read(&path).map_err(fault("read", &path))?;
            if !bytes.starts_with(HEAD) && bytes.starts_with(HEAD_OF_ANY_VERSION) {
                return Err(StoreFault::Damaged {
                    segment: number,
                    offset: 0,
                });
            }
            let mut holes = damage::read_records(&bytes, HEAD, number, &mut apply);
            end = holes.end;
            if number != newest && (end < bytes.len() || end < HEAD.len()) {
                // The next one was begun after all of this was on disk.
                holes.damaged.push(end..bytes.len());
            } else if end < bytes.len() {
                self.set_tail_aside(number, &bytes, end)?;
            }
            for hole in &holes.damaged {
                let (offset, lost) = (hole.start, hole.len());
                self.set_aside(number, offset as u64, &bytes[hole.clone()])?;
                tracing::error!(
                    segment = number,
                    offset,
                    bytes = lost,
                    "damage in the log set aside"
                );
            }
            damaged += holes.damaged.len();
            last = bytes;
        }
        let file = self.file(newest).expect("just listed");
        if end < HEAD.len() {
            file.write_all_at(HEAD, 0)
                .map_err(fault("begin", &self.path(newest)))?;
            file.sync_all().map_err(fault("sync", &self.path(newest)))?;
            end = HEAD.len();
        } else {
            // What was read may only be in memory: a process that dies before its sync leaves it there, and after a sync that
            // failed it counts as written. What is acknowledged from here on is on disk.
            file.write_all_at(&last[..end], 0)
                .map_err(fault("write", &self.path(newest)))?;
            file.sync_all().map_err(fault("sync", &self.path(newest)))?;
        }
        let head = Head {
            number: newest,
            bytes: end as u64,
            file,
        };
        Ok(Replayed { head, damaged })
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
    fn set_tail_aside(&self, number: u32, bytes: &[u8], end: usize) -> Result<(), StoreFault> {
        let path = self.folder.join(format!("{number:08}.{end}.torn"));
        self.copy(&path, &bytes[end..])?;
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

    /// Copies damaged bytes into a file of their own. They also stay where they are: every start finds them again.
    fn set_aside(&self, number: u32, offset: u64, bytes: &[u8]) -> Result<PathBuf, StoreFault> {
        let path = self.folder.join(format!("{number:08}.{offset}.damaged"));
        if !path.exists() {
            self.copy(&path, bytes)?;
            self.sync_folder()?;
        }
        Ok(path)
    }

    /// Sets a record aside that cannot be read back, and gives the file with what is left of it. What the disk does not
    /// give at all stays in its segment, which is never deleted then.
    ///
    /// # Errors
    /// [`StoreFault::File`]: it is not set aside now.
    pub(crate) fn set_record_aside(&self, place: Place) -> Result<PathBuf, StoreFault> {
        let mut bytes = vec![0; place.bytes as usize];
        let read = self
            .file(place.segment)
            .map(|file| file.read_exact_at(&mut bytes, place.offset));
        if let Some(Ok(())) = read {
            return self.set_aside(place.segment, place.offset, &bytes);
        }
        let mut kept = self.kept.lock().expect("no code under this lock panics");
        kept.insert(place.segment);
        Ok(self.path(place.segment))
    }

    fn copy(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreFault> {
        let mut copy = File::create(path).map_err(fault("set aside", path))?;
        copy.write_all(bytes).map_err(fault("set aside", path))?;
        copy.sync_all().map_err(fault("sync", path))
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
        let path = self.path(number);
        let is_kept = self
            .kept
            .lock()
            .expect("no code under this lock panics")
            .contains(&number);
        if is_kept {
            let aside = self.folder.join(format!("{number:08}.seg.damaged"));
            fs::rename(&path, aside).map_err(fault("set aside", &path))?;
        } else {
            fs::remove_file(&path).map_err(fault("remove", &path))?;
        }
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
        match file.read_exact_at(&mut bytes, place.offset) {
            Err(error) if is_lost(&error) => return Err(damaged),
            read => read.map_err(fault("read", &self.path(place.segment)))?,
        }
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

/// Whether reading again would help no more than now: the file ends before, or the disk does not give it.
fn is_lost(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || error.raw_os_error() == Some(DISK_ERROR)
}

fn number_of(path: &Path) -> Option<u32> {
    if path.extension()? != "seg" {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}
