//! A file that only grows at its end, and knows how much of it is durable.
//!
//! Stands under journal and packs.
//!
//! **Invariant:** nothing before the durable length is ever written again, but for a start, which writes the newest bytes as
//! they are.
//! **Invariant:** what a failed write left behind is cut off before anything else is written.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// Where the good part of a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Its bytes.
    pub(super) length: u64,
    /// Where its newest write begins; 0 where there was none behind the header.
    pub(super) newest: u64,
}

/// A file that is written at its end.
#[derive(Debug)]
pub(super) struct GrowingFile {
    file: File,
    path: PathBuf,
    length: u64,
    durable: u64,
}

impl GrowingFile {
    /// Makes a file that begins with `header`, durably, name included. What a failed attempt left is replaced.
    pub(super) fn create(path: PathBuf, header: &[u8]) -> Result<GrowingFile, Fault> {
        let made = Self::write_new(&path, header);
        if made.is_err() {
            // Best effort: a file without a whole header is removed at the next start too.
            let _ = fs::remove_file(&path);
        }
        let file = made?;
        let length = header.len() as u64;
        Ok(GrowingFile {
            file,
            path,
            length,
            durable: length,
        })
    }

    fn write_new(path: &Path, header: &[u8]) -> Result<File, Fault> {
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path);
        let file = options.map_err(Fault::system("create", path))?;
        file.write_all_at(header, 0)
            .map_err(Fault::system("write", path))?;
        file.sync_all().map_err(Fault::system("sync", path))?;
        sync_directory(path.parent().expect("a file of the store stands in a directory"))?;
        Ok(file)
    }

    /// Opens a file to grow from `end.length` on; what stands behind is cut off.
    pub(super) fn open(path: PathBuf, end: End) -> Result<GrowingFile, Fault> {
        let length = end.length;
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(Fault::system("open", &path))?;
        let found = file.metadata().map_err(Fault::system("read", &path))?.len();
        if length < found {
            file.set_len(length).map_err(Fault::system("truncate", &path))?;
        }
        write_again(&file, end, &path)?;
        // Also where nothing was cut: what is there may have been written and never synced before a crash.
        file.sync_all().map_err(Fault::system("sync", &path))?;
        Ok(GrowingFile {
            file,
            path,
            length,
            durable: length,
        })
    }

    /// Bytes in the file, durable or not.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Writes at the end. After an error call [`GrowingFile::roll_back`].
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file
            .write_all_at(bytes, self.length)
            .map_err(Fault::system("write", &self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes everything written durable. An error leaves unknown what is on disk: never try again.
    pub(super) fn sync(&mut self) -> Result<(), Fault> {
        self.file.sync_data().map_err(Fault::system("sync", &self.path))?;
        self.durable = self.length;
        Ok(())
    }

    /// Cuts off what is not durable.
    pub(super) fn roll_back(&mut self) -> Result<(), Fault> {
        self.cut(self.durable)
    }

    /// Cuts the file to an earlier length of its own: for bytes that nothing refers to yet.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), Fault> {
        assert!(length <= self.length, "a file is only cut, never stretched");
        self.file
            .set_len(length)
            .map_err(Fault::system("truncate", &self.path))?;
        self.length = length;
        self.durable = self.durable.min(length);
        Ok(())
    }
}

/// The newest write of a file goes back into its own place as it is read. After a sync that failed, what it was to write
/// counts as written though it is only in memory: no later sync would bring it to the disk, and readers find it there all
/// the same. What stands before was durable when the newest write began.
fn write_again(file: &File, end: End, path: &Path) -> Result<(), Fault> {
    let mut window = vec![0; WINDOW_BYTES];
    let mut offset = end.newest;
    while offset < end.length {
        let left = usize::try_from(end.length - offset).unwrap_or(usize::MAX);
        let piece = &mut window[..WINDOW_BYTES.min(left)];
        file.read_exact_at(piece, offset)
            .map_err(Fault::system("read", path))?;
        file.write_all_at(piece, offset)
            .map_err(Fault::system("write", path))?;
        offset += piece.len() as u64;
    }
    Ok(())
}

/// Makes names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), Fault> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(Fault::system("sync", path))
}

/// Makes a directory and its name durable; one that is there already is fine.
pub(super) fn make_directory(path: &Path) -> Result<(), Fault> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(Fault::system("create", path))?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        Some(_) | None => Ok(()),
    }
}

/// The numbers that files `<number>.<extension>` in a directory carry, ascending. Other names are left alone.
pub(super) fn numbered(directory: &Path, extension: &str) -> Result<Vec<u64>, Fault> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(Fault::system("list", directory))? {
        let path = entry.map_err(Fault::system("list", directory))?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.parse().ok());
        if let Some(number) = number
            && path.extension().is_some_and(|found| found == extension)
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads pieces of a file through a window, forwards.
#[derive(Debug)]
pub(super) struct WindowReader {
    file: File,
    path: PathBuf,
    length: u64,
    window: Vec<u8>,
    start: u64,
}

/// Bytes read at once: large enough that a rebuild reads at the disk's speed.
const WINDOW_BYTES: usize = 1 << 20;

impl WindowReader {
    pub(super) fn open(path: &Path) -> Result<WindowReader, Fault> {
        let file = File::open(path).map_err(Fault::system("open", path))?;
        let length = file.metadata().map_err(Fault::system("read", path))?.len();
        Ok(WindowReader {
            file,
            path: path.to_owned(),
            length,
            window: Vec::new(),
            start: 0,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes at this place, if the file has so many.
    pub(super) fn at(&mut self, offset: u64, bytes: usize) -> Result<Option<&[u8]>, Fault> {
        let Some(left) = self
            .length
            .checked_sub(offset)
            .filter(|left| bytes as u64 <= *left)
        else {
            return Ok(None);
        };
        let inside = self.start <= offset && offset + bytes as u64 <= self.start + self.window.len() as u64;
        if !inside {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(WINDOW_BYTES.max(bytes));
            self.window.resize(wanted, 0);
            self.start = offset;
            let read = self.file.read_exact_at(&mut self.window, offset);
            read.map_err(Fault::system("read", &self.path))?;
        }
        let from = usize::try_from(offset - self.start).expect("an offset inside the window");
        Ok(Some(&self.window[from..from + bytes]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that this thread has given to the page cache to be written (proc_pid_io(5)).
    fn written() -> u64 {
        let figures = fs::read_to_string("/proc/thread-self/io").expect("the kernel counts");
        let line = figures
            .lines()
            .find_map(|line| line.strip_prefix("write_bytes: "));
        line.and_then(|bytes| bytes.parse().ok()).expect("a figure")
    }

    #[test]
    fn what_a_start_goes_on_from_is_written_again_and_stays_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let mut file = GrowingFile::create(path.clone(), b"header").expect("made");
        let bytes: Vec<u8> = (0..8 * WINDOW_BYTES + 5_000)
            .map(|at| at.to_le_bytes()[1])
            .collect();
        file.append(&bytes).expect("written");
        file.sync().expect("durable");
        drop(file);
        let length = 6 + bytes.len() as u64 - 10;
        for newest in [0, length - 20_000] {
            let before = written();
            let opened = GrowingFile::open(path.clone(), End { length, newest }).expect("opened");
            assert_eq!(opened.length(), length);
            let (again, newest) = (written() - before, length - newest);
            assert!(newest <= again, "a clean page is no proof that it is on the disk");
            // Pages may be large ones.
            assert!(again <= newest + length / 2, "older ones were durable before");
        }
        let kept = fs::read(path).expect("read");
        assert_eq!(kept, [b"header", &bytes[..bytes.len() - 10]].concat());
    }
}
