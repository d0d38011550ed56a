//! Packets that crash their inspector: counted on disk, and parked at the third time.
//!
//! A message that comes again after its connection died is a suspect. A suspect is inspected alone, under a note with
//! its count; if the process dies, the note stays, and only the packet under inspection is blamed.
//!
//! A packet that a person returned to its sender keeps its note: the same bytes wait for a person at once when they come
//! again, and cost no crash. Only having it judged again takes the note back.
//!
//! **Invariant:** a restart by an operator blames nobody but the one suspect under inspection at that moment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use trust::Digest;

/// Crashes after which a packet waits for a person.
pub const CRASHES_MAX: u32 = 3;

/// The notes of crashes, one small file a suspect.
#[derive(Debug)]
pub struct CrashNotes {
    folder: PathBuf,
    alone: Mutex<()>,
}

/// What is to be done with a packet.
#[derive(Debug)]
pub enum Admission<'a> {
    /// Inspect it; the note is taken back when this is [dismissed](Suspect::dismiss).
    Inspect(Option<Suspect<'a>>),
    /// It crashed its inspector too often.
    Park,
}

/// A suspect under inspection. While it lives no other suspect is inspected.
#[derive(Debug)]
pub struct Suspect<'a> {
    note: PathBuf,
    _alone: MutexGuard<'a, ()>,
}

impl CrashNotes {
    /// Notes in this folder, which is made if missing.
    ///
    /// # Errors
    /// Of making the folder.
    pub fn open(folder: &Path) -> io::Result<CrashNotes> {
        fs::create_dir_all(folder)?;
        Ok(CrashNotes {
            folder: folder.to_owned(),
            alone: Mutex::new(()),
        })
    }

    /// Admits a packet: fresh ones freely, those handed over before one at a time and under a note.
    ///
    /// # Errors
    /// Of reading or writing the note: not now.
    pub fn admit(&self, packet: &Digest, deliveries: u32) -> io::Result<Admission<'_>> {
        let note = self.folder.join(packet.to_string());
        if deliveries == 0 && !note.exists() {
            return Ok(Admission::Inspect(None));
        }
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        // The delivery before this one may have been the first crash; it left no note.
        let crashes = read_count(&note)?.unwrap_or(u32::from(deliveries > 0));
        if crashes >= CRASHES_MAX {
            return Ok(Admission::Park);
        }
        fs::write(&note, (crashes + 1).to_string())?;
        Ok(Admission::Inspect(Some(Suspect { note, _alone: alone })))
    }

    /// Notes a crash that this process survived (a panic caught at the edge of the inspector).
    ///
    /// # Errors
    /// Of reading or writing the note.
    pub fn blame(&self, packet: &Digest) -> io::Result<()> {
        let note = self.folder.join(packet.to_string());
        let crashes = read_count(&note)?.unwrap_or(0);
        fs::write(&note, (crashes + 1).to_string())
    }

    /// Forgets a packet: a person took it over.
    ///
    /// # Errors
    /// Of removing the note.
    pub fn forget(&self, packet: &Digest) -> io::Result<()> {
        remove(&self.folder.join(packet.to_string()))
    }
}

impl Suspect<'_> {
    /// The inspection came to an end: no crash.
    ///
    /// # Errors
    /// Of removing the note.
    pub fn dismiss(self) -> io::Result<()> {
        remove(&self.note)
    }
}

fn remove(note: &Path) -> io::Result<()> {
    match fs::remove_file(note) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The count on a note; a note that cannot be read as a number was cut by the crash itself and counts as one.
fn read_count(note: &Path) -> io::Result<Option<u32>> {
    match fs::read_to_string(note) {
        Ok(text) => Ok(Some(text.trim().parse().unwrap_or(1))),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(notes: &CrashNotes, packet: &Digest, deliveries: u32) -> bool {
        match notes.admit(packet, deliveries).expect("notes can be written") {
            // Dropped without being dismissed, as a dying process would.
            Admission::Inspect(_) => true,
            Admission::Park => false,
        }
    }

    #[test]
    fn a_packet_is_parked_after_its_third_crash() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = CrashNotes::open(folder.path()).expect("a folder of notes");
        let packet = Digest::of(b"poison");
        assert!(crash(&notes, &packet, 0), "first delivery");
        assert!(crash(&notes, &packet, 1), "second");
        assert!(crash(&notes, &packet, 2), "third");
        assert!(!crash(&notes, &packet, 3), "the fourth is parked");
        assert!(
            !crash(&notes, &packet, 0),
            "and so is the same when it comes anew"
        );
        notes.forget(&packet).expect("the note goes");
        assert!(crash(&notes, &packet, 1), "a person gave it back");
    }

    #[test]
    fn a_panic_that_was_caught_counts_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = CrashNotes::open(folder.path()).expect("a folder of notes");
        let packet = Digest::of(b"poison");
        for _ in 0..CRASHES_MAX {
            notes.blame(&packet).expect("a note");
        }
        assert!(!crash(&notes, &packet, 0));
    }

    #[test]
    fn a_suspect_that_comes_through_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = CrashNotes::open(folder.path()).expect("a folder of notes");
        let packet = Digest::of(b"innocent");
        for deliveries in 1..10 {
            match notes.admit(&packet, deliveries).expect("notes can be written") {
                Admission::Inspect(Some(suspect)) => suspect.dismiss().expect("the note goes"),
                Admission::Inspect(None) | Admission::Park => panic!("a suspect is inspected under a note"),
            }
        }
    }
}
