//! What the disk itself does meanwhile: small appends with fdatasync beside the load, in the same folder.
//!
//! A document waits for six fdatasyncs one after the other (sender's connector, broker, gateway, broker, addressee's
//! connector; the gateway's are two). Where the disk stands still for a tenth of a second, all that is on its way does, and no
//! percentile of latency can be read without knowing how often that was.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Bytes of an append: one page.
const APPEND_BYTES: usize = 4_096;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(10);
/// From here on a call counts as a stall; without load its median is under half a millisecond.
const STALL_MIN: Duration = Duration::from_millis(50);

/// How long appends took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk {
    longest: Duration,
    /// Time in calls of [`STALL_MIN`] and more.
    stalled: Duration,
    watched: Duration,
}

impl Disk {
    /// Percent of the time in which the disk stood still.
    pub(crate) fn stalled_percent(&self) -> f64 {
        self.stalled.as_secs_f64() / self.watched.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0
    }

    /// The longest append, in milliseconds.
    pub(crate) fn longest_ms(&self) -> f64 {
        self.longest.as_secs_f64() * 1e3
    }

    fn note(&mut self, took: Duration) {
        self.longest = self.longest.max(took);
        if STALL_MIN <= took {
            self.stalled += took;
        }
    }
}

/// The thread that appends.
pub(crate) struct DiskWatch {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Disk>,
}

impl DiskWatch {
    /// Begins to append to a file in this folder.
    pub(crate) fn start(folder: &Path) -> DiskWatch {
        let mut file = File::create(folder.join("disk-watch")).expect("the bench's folder can be written");
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let (mut disk, began) = (Disk::default(), Instant::now());
            while !is_over.load(Ordering::Relaxed) {
                let called = Instant::now();
                let written = file.write_all(&[0; APPEND_BYTES]).and_then(|()| file.sync_data());
                written.expect("the bench's folder can be written");
                disk.note(called.elapsed());
                std::thread::sleep(PAUSE);
            }
            disk.watched = began.elapsed();
            disk
        });
        DiskWatch { ended, thread }
    }

    /// Ends, and says what was seen.
    pub(crate) fn end(self) -> Disk {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().expect("it does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_still_is_a_stall() {
        let mut disk = Disk {
            watched: Duration::from_secs(10),
            ..Disk::default()
        };
        disk.note(STALL_MIN - Duration::from_micros(1));
        assert_eq!(disk.stalled_percent(), 0.0);
        disk.note(Duration::from_millis(200));
        disk.note(STALL_MIN);
        assert_eq!(disk.longest, Duration::from_millis(200));
        assert!((disk.stalled_percent() - 2.5).abs() < 1e-9);
    }
}
