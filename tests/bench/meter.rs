//! What processes cost, as the kernel accounts for it: processor time by thread, and memory by kind.

use std::collections::BTreeMap;

/// Kernel ticks a second in /proc/PID/stat, on every Linux of this architecture.
const TICKS_PER_SECOND: f64 = 100.0;
const KIB_PER_MIB: f64 = 1024.0;

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Anonymous and shared memory: what the process cannot be without.
    pub(crate) held: f64,
    /// Mapped pages of files, which the kernel takes back when it likes.
    pub(crate) mapped: f64,
}

impl Memory {
    /// Of a process now; nothing when it is gone.
    pub(crate) fn of(pid: u32) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let field = |name: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
            number.and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / KIB_PER_MIB
        };
        Memory {
            held: field("RssAnon") + field("RssShmem"),
            mapped: field("RssFile"),
        }
    }

    /// The larger of each.
    pub(crate) fn or_more(self, other: Memory) -> Memory {
        Memory {
            held: self.held.max(other.held),
            mapped: self.mapped.max(other.mapped),
        }
    }
}

/// Processor seconds that a process has used, user and system together.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    ticks(&format!("/proc/{pid}/stat")).map_or(0.0, |(_, ticks)| ticks / TICKS_PER_SECOND)
}

/// The same by thread name; numbers at the end of a name are left out, so that a pool counts as one.
pub(crate) fn cpu_seconds_by_thread(pid: u32) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return seconds;
    };
    for task in tasks.flatten() {
        let stat = task.path().join("stat");
        if let Some((name, ticks)) = ticks(&stat.to_string_lossy()) {
            let pool = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            *seconds.entry(pool.to_owned()).or_default() += ticks / TICKS_PER_SECOND;
        }
    }
    seconds
}

/// Name and user + system ticks of a stat file (proc_pid_stat(5): fields 2, 14 and 15).
fn ticks(path: &str) -> Option<(String, f64)> {
    let stat = std::fs::read_to_string(path).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((name, number(11)? + number(12)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_uses_memory_and_time() {
        let pid = std::process::id();
        assert!(Memory::of(pid).held > 0.1);
        let threads: f64 = cpu_seconds_by_thread(pid).values().sum();
        assert!(threads <= cpu_seconds(pid) + 0.1);
    }
}
