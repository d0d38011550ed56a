//! The spool: how another process hands submissions to the one that holds the folder.
//!
//! A packet that cannot be taken at all stays beside as `<name>.refused`, with the reason in `<submission>.fault`.
//!
//! An answer that nobody takes away is removed when it is as old as the connector remembers anything.
//!
//! `spool/<submission>.<rank>.edxml` waits to be taken into the outbox; `spool/<submission>.receipt` is the final receipt,
//! put there for whoever handed the packet in, who removes it. `spool/<submission>.held` is the gateway's notice that it
//! holds the submission; the final receipt follows.
//!
//! **Invariant:** a file under its final name is whole (written aside, synced, renamed, folder synced).
//! **Invariant:** a packet is removed only after its final receipt lies beside it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use domain::dispatch::Rank;
use domain::ids::SubmissionId;
use trust::Time;

pub use crate::store::make_folder;
use crate::store::{StoreFault, fault};

/// The operation of a [`StoreFault::File`] that could not read a packet of the spool.
pub const READ: &str = "read from the spool";

/// How the files end that are put for senders.
const ANSWERS: [&str; 3] = ["receipt", "held", "fault"];

/// A folder of files on their way between processes.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    remember: Duration,
}

/// A packet that waits in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// Its submission id.
    pub submission: SubmissionId,
    /// Its rank.
    pub rank: Rank,
    path: PathBuf,
}

/// What lies in the spool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What waits, oldest name first (submission ids sort by time).
    pub packets: Vec<Spooled>,
    /// Files that nobody takes, because their names are not those of packets: neither those of the spool itself, nor those
    /// that are still being written (which begin with a dot or end in `.part` or `.tmp`).
    pub strangers: Vec<String>,
}

impl Spool {
    /// The spool of a connector's data folder, in which answers wait so long at most.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn open(data: &Path, remember: Duration) -> Result<Spool, StoreFault> {
        let folder = data.join("spool");
        make_folder(&folder)?;
        Ok(Spool { folder, remember })
    }

    /// Hands a packet in.
    ///
    /// # Errors
    /// [`StoreFault::File`]: nothing was handed in.
    pub fn put(&self, submission: &SubmissionId, rank: Rank, bytes: &[u8]) -> Result<(), StoreFault> {
        write_whole(&self.folder, &format!("{submission}.{}.edxml", word(rank)), bytes)
    }

    /// What lies in the folder.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn list(&self) -> Result<Listing, StoreFault> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.folder).map_err(fault("list", &self.folder))? {
            let path = entry.map_err(fault("list", &self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_known = ["part", "tmp", "refused", "fault"]
                .iter()
                .chain(&ANSWERS)
                .any(|ending| path.extension() == Some(ending.as_ref()));
            let is_stranger = !name.starts_with('.') && !is_known;
            let name = name.into_owned();
            match spooled(path) {
                Some(packet) => listing.packets.push(packet),
                None if is_stranger => listing.strangers.push(name),
                None => {}
            }
        }
        listing
            .packets
            .sort_by(|one, other| one.submission.cmp(&other.submission));
        listing.strangers.sort();
        Ok(listing)
    }

    /// How many bytes a packet that waits has.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn bytes(&self, spooled: &Spooled) -> Result<u64, StoreFault> {
        let file = fs::metadata(&spooled.path).map_err(fault(READ, &spooled.path))?;
        Ok(file.len())
    }

    /// Sets a packet aside that can never be taken, and says why.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn refuse(&self, spooled: &Spooled, reason: &str) -> Result<(), StoreFault> {
        write_whole(
            &self.folder,
            &format!("{}.fault", spooled.submission),
            reason.as_bytes(),
        )?;
        let mut aside = spooled.path.clone().into_os_string();
        aside.push(".refused");
        fs::rename(&spooled.path, &aside).map_err(fault("set aside", &spooled.path))
    }

    /// Takes the reason away why a packet was set aside, if it was.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn take_fault(&self, submission: &SubmissionId) -> Result<Option<String>, StoreFault> {
        let reason = self.take(&format!("{submission}.fault"))?;
        Ok(reason.map(|reason| String::from_utf8_lossy(&reason).into_owned()))
    }

    /// The bytes of a packet that waits.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn read(&self, spooled: &Spooled) -> Result<Vec<u8>, StoreFault> {
        fs::read(&spooled.path).map_err(fault(READ, &spooled.path))
    }

    /// Removes a packet whose final receipt was put.
    ///
    /// # Errors
    /// [`StoreFault::File`]: it will be taken again, under the same id, which changes nothing.
    pub fn remove(&self, spooled: &Spooled) -> Result<(), StoreFault> {
        fs::remove_file(&spooled.path).map_err(fault("remove", &spooled.path))
    }

    /// Puts the final receipt of a submission where its sender looks.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn answer(&self, submission: &SubmissionId, receipt: &[u8]) -> Result<(), StoreFault> {
        write_whole(&self.folder, &format!("{submission}.receipt"), receipt)?;
        self.take_notice(submission).map(drop)
    }

    /// Puts the notice that a submission is held where its sender looks.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn notify(&self, submission: &SubmissionId, receipt: &[u8]) -> Result<(), StoreFault> {
        write_whole(&self.folder, &format!("{submission}.held"), receipt)
    }

    /// Takes the final receipt of a submission away, if it is there.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn take_answer(&self, submission: &SubmissionId) -> Result<Option<Vec<u8>>, StoreFault> {
        self.take(&format!("{submission}.receipt"))
    }

    /// Takes the notice that a submission is held away, if it is there.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn take_notice(&self, submission: &SubmissionId) -> Result<Option<Vec<u8>>, StoreFault> {
        self.take(&format!("{submission}.held"))
    }

    /// Removes what was put for senders so long ago that nobody will take it away; how many files. Packets stay, also refused
    /// ones.
    ///
    /// # Errors
    /// [`StoreFault::File`].
    pub fn forget_old(&self, now: Time) -> Result<usize, StoreFault> {
        let now = Duration::from_secs(u64::try_from(now.as_seconds()).unwrap_or(0));
        let mut removed = 0;
        for entry in fs::read_dir(&self.folder).map_err(fault("list", &self.folder))? {
            let path = entry.map_err(fault("list", &self.folder))?.path();
            let is_answer = ANSWERS
                .iter()
                .any(|ending| path.extension() == Some(ending.as_ref()));
            // What is gone in between was taken.
            let Some(Ok(written)) = is_answer.then(|| fs::metadata(&path).and_then(|file| file.modified()))
            else {
                continue;
            };
            let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
            if now.saturating_sub(written) > self.remember {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                removed += usize::from(self.take(&name)?.is_some());
            }
        }
        Ok(removed)
    }

    fn take(&self, name: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        let path = self.folder.join(name);
        let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        let receipt = match fs::read(&path) {
            Ok(receipt) => receipt,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(fault("read", &path)(error)),
        };
        match fs::remove_file(&path) {
            // Taken by the other side in between: it was here all the same.
            Err(error) if !is_missing(&error) => Err(fault("remove", &path)(error)),
            Ok(()) | Err(_) => Ok(Some(receipt)),
        }
    }
}

fn word(rank: Rank) -> &'static str {
    match rank {
        Rank::Urgent => "urgent",
        Rank::Normal => "normal",
    }
}

fn spooled(path: PathBuf) -> Option<Spooled> {
    let name = path.file_name()?.to_str()?.strip_suffix(".edxml")?;
    let (submission, rank) = name.rsplit_once('.')?;
    let rank = [Rank::Urgent, Rank::Normal]
        .into_iter()
        .find(|one| word(*one) == rank)?;
    Some(Spooled {
        submission: SubmissionId::parse(submission).ok()?,
        rank,
        path,
    })
}

/// Writes a file that is either not there or whole.
///
/// # Errors
/// [`StoreFault::File`].
pub fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreFault> {
    let (aside, path) = (folder.join(format!(".{name}.part")), folder.join(name));
    let mut file = File::create(&aside).map_err(fault("write", &aside))?;
    file.write_all(bytes).map_err(fault("write", &aside))?;
    file.sync_all().map_err(fault("sync", &aside))?;
    fs::rename(&aside, &path).map_err(fault("rename to", &path))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(fault("sync folder", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn what_is_handed_in_is_found_whole_and_answered_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), HOUR).expect("a spool");
        let (first, second) = (
            SubmissionId::parse("01-a").expect("an id"),
            SubmissionId::parse("02-b").expect("an id"),
        );
        spool.put(&second, Rank::Urgent, b"two").expect("a file");
        spool.put(&first, Rank::Normal, b"one").expect("a file");
        fs::write(folder.path().join("spool/.03-c.normal.edxml.part"), "half").expect("a file");
        let found = spool.list().expect("a list").packets;
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.submission.as_str(), one.rank))
            .collect();
        assert_eq!(told, [("01-a", Rank::Normal), ("02-b", Rank::Urgent)]);
        assert_eq!(spool.read(&found[0]).expect("bytes"), b"one");
        spool.remove(&found[0]).expect("removed");
        assert_eq!(spool.list().expect("a list").packets.len(), 1);
        assert_eq!(spool.take_answer(&first).expect("no fault"), None);
        spool.answer(&first, b"receipt").expect("a file");
        assert_eq!(
            spool.take_answer(&first).expect("no fault"),
            Some(b"receipt".to_vec())
        );
        assert_eq!(spool.take_answer(&first).expect("no fault"), None);
    }

    #[test]
    fn files_under_other_names_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), HOUR).expect("a spool");
        let submission = SubmissionId::parse("01-a").expect("an id");
        spool.put(&submission, Rank::Normal, b"packet").expect("a file");
        spool.answer(&submission, b"receipt").expect("a file");
        for name in [
            ".hidden",
            "half.part",
            "hello.edxml",
            "ok1.high.edxml",
            "x.edxml.refused",
        ] {
            fs::write(folder.path().join("spool").join(name), b"x").expect("a file");
        }
        assert_eq!(
            spool.list().expect("a list").strangers,
            ["hello.edxml", "ok1.high.edxml"]
        );
    }

    #[test]
    fn what_cannot_be_taken_is_set_aside_with_its_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), HOUR).expect("a spool");
        let submission = SubmissionId::parse("01-a").expect("an id");
        spool.put(&submission, Rank::Normal, b"packet").expect("a file");
        let found = spool.list().expect("a list").packets;
        assert_eq!(spool.bytes(&found[0]).expect("its size"), 6);
        spool.refuse(&found[0], "too large").expect("set aside");
        assert_eq!(spool.list().expect("a list").packets, []);
        let kept = fs::read(folder.path().join("spool/01-a.normal.edxml.refused"));
        assert_eq!(kept.expect("it is kept"), b"packet");
        let reason = spool.take_fault(&submission).expect("no fault");
        assert_eq!(reason.as_deref(), Some("too large"));
        assert_eq!(spool.take_fault(&submission).expect("no fault"), None);
    }

    #[test]
    fn what_nobody_takes_away_is_removed_in_the_end_and_no_packet_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), HOUR).expect("a spool");
        let submission = SubmissionId::parse("01-a").expect("an id");
        let refused = SubmissionId::parse("02-b").expect("an id");
        spool.put(&submission, Rank::Normal, b"packet").expect("a file");
        spool.put(&refused, Rank::Normal, b"packet").expect("a file");
        let found = spool.list().expect("a list").packets;
        spool.refuse(&found[1], "too large").expect("set aside");
        spool.notify(&refused, b"held").expect("a file");
        spool.answer(&submission, b"receipt").expect("a file");
        assert_eq!(spool.forget_old(crate::clock::now()).expect("no fault"), 0);
        let later = crate::clock::now().plus_seconds(2 * 3_600);
        assert_eq!(spool.forget_old(later).expect("no fault"), 3);
        let left = fs::read_dir(folder.path().join("spool")).expect("a folder");
        let mut left: Vec<_> = left.map(|one| one.expect("a file").file_name()).collect();
        left.sort();
        assert_eq!(left, ["01-a.normal.edxml", "02-b.normal.edxml.refused"]);
    }

    #[test]
    fn a_notice_is_taken_once_and_goes_with_the_final_receipt() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), HOUR).expect("a spool");
        let submission = SubmissionId::parse("01-a").expect("an id");
        assert_eq!(spool.take_notice(&submission).expect("no fault"), None);
        spool.notify(&submission, b"held").expect("a file");
        assert_eq!(spool.list().expect("a list").packets, [], "no packet");
        let notice = spool.take_notice(&submission).expect("no fault");
        assert_eq!(notice, Some(b"held".to_vec()));
        spool.notify(&submission, b"held").expect("a file");
        spool.answer(&submission, b"receipt").expect("a file");
        assert_eq!(spool.take_notice(&submission).expect("no fault"), None);
        let answer = spool.take_answer(&submission).expect("no fault");
        assert_eq!(answer, Some(b"receipt".to_vec()));
    }
}
