//! Processes that end with us: each child runs in a process group of its own, and one watchdog per test process
//! ends all groups that are left when the test process dies, however it dies.
//!
//! The watchdog is a shell that reads a pipe whose only writer is the test process. The kernel closes the pipe on
//! any death, `kill -9` and Ctrl-C included; the shell then ends the groups it was told of. `PR_SET_PDEATHSIG` will
//! not do: it fires when the *thread* that started the child ends, and tests run in threads that come and go.
//!
//! **Invariant**: a group is told to the watchdog right after it is started and taken back before its leader is
//! reaped, so that the watchdog never ends a group whose number the kernel may have given to somebody else.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, OnceLock},
    time::Duration,
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::wait_for;

/// Killed processes need a moment to go (a broker gives back its memory), so the folder is erased only after the
/// groups are gone; a defunct leader that nobody reaps still counts as there, hence the bound of 5 s.
const WATCHDOG: &str = r#"
groups= folders=
while read -r action what; do
  case $action in
    guard) groups="$groups $what" ;;
    release) kept=; for group in $groups; do [ "$group" = "$what" ] || kept="$kept $group"; done; groups=$kept ;;
    erase) folders="$folders
$what" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
turns=0
for group in $groups; do
  while kill -s 0 -- "-$group" 2>/dev/null && [ $turns -lt 100 ]; do sleep 0.05; turns=$((turns + 1)); done
done
printf '%s\n' "$folders" | while read -r folder; do [ -z "$folder" ] || rm -rf -- "$folder"; done
"#;

/// A child process, leader of its own group; ended when dropped.
#[derive(Debug)]
pub struct Offspring {
    child: Child,
    ended: Option<ExitStatus>,
    name: String,
}

impl Offspring {
    /// Starts `command` in a group of its own. `name` is for messages.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Offspring {
        watchdog(); // first, so that no child is ever without one
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name} ({:?}): {error}", command.get_program()));
        tell("guard", &child.id().to_string());
        Offspring {
            child,
            ended: None,
            name: name.to_owned(),
        }
    }

    /// Process id of the group's leader; also the number of the group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends `signal` to the leader alone. Nothing happens when it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.exit_status().is_none() {
            // It may end between the question and the signal; it is not yet reaped, so the id is still its own.
            let _ = kill_process(self.leader(), signal);
        }
    }

    /// `kill -9` for the whole group, and waits until the leader is gone.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            let _ = kill_process_group(self.leader(), Signal::KILL); // gone already: nothing to do
            tell("release", &self.pid().to_string());
            self.ended = self.child.wait().ok();
        }
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            tell("release", &self.pid().to_string());
            self.ended = Some(status);
        }
        self.ended
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it still runs after `deadline`.
    pub async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("{} (process {}) has ended", self.name, self.pid());
        wait_for(&what, deadline, async || self.exit_status()).await
    }

    fn leader(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Offspring {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Has `folder` erased when this process ends, after the last child is gone: for folders held by statics, which
/// are never dropped.
pub(crate) fn erase_at_end(folder: &Path) {
    tell(
        "erase",
        folder
            .to_str()
            .expect("folders made by the harness have UTF-8 names"),
    );
}

fn tell(action: &str, what: &str) {
    let mut shell = watchdog().lock().expect("nobody panics while holding the pipe");
    let pipe = shell.stdin.as_mut().expect("stdin is a pipe");
    writeln!(pipe, "{action} {what}").expect("the watchdog lives as long as we do");
}

fn watchdog() -> &'static Mutex<Child> {
    static SHELL: OnceLock<Mutex<Child>> = OnceLock::new();
    SHELL.get_or_init(|| {
        let shell = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "harness-watchdog"])
            .process_group(0) // Ctrl-C at the terminal must not reach it
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("/bin/sh starts");
        Mutex::new(shell)
    })
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, path::PathBuf};

    use super::*;

    fn state(pid: &str) -> Option<char> {
        let stat = std::fs::read_to_string(PathBuf::from("/proc").join(pid).join("stat")).ok()?;
        stat.rsplit(") ").next()?.chars().next()
    }

    #[tokio::test]
    async fn a_dropped_child_takes_its_own_children_along() {
        let folder = tempfile::tempdir().expect("a folder");
        let note = folder.path().join("grandchild");
        let script = format!("sleep 600 & echo $! >{}; wait", note.display());
        let child = Offspring::start("a shell", Command::new("/bin/sh").args(["-c", &script]));
        let grandchild = wait_for("the grandchild is noted", Duration::from_secs(5), async || {
            std::fs::read_to_string(&note)
                .ok()
                .filter(|text| text.ends_with('\n'))
        })
        .await;
        drop(child);
        wait_until_gone(grandchild.trim()).await;
    }

    #[tokio::test]
    async fn a_signal_reaches_the_leader() {
        let mut child = Offspring::start("sleep", Command::new("sleep").arg("600"));
        child.signal(Signal::TERM);
        let status = child.ended(Duration::from_secs(5)).await;
        assert_eq!(status.signal(), Some(15));
    }

    /// The watchdog's script alone, with a child that nobody drops: what is left when the test process is killed.
    #[tokio::test]
    async fn the_watchdog_ends_what_a_killed_process_leaves_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let left = folder.path().join("left behind");
        std::fs::create_dir(&left).expect("a folder inside");
        let mut orphan = Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .expect("sleep starts");
        let mut kept = Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .expect("sleep starts");
        let mut shell = Command::new("/bin/sh")
            .args(["-c", WATCHDOG])
            .stdin(Stdio::piped())
            .spawn()
            .expect("/bin/sh starts");
        let mut pipe = shell.stdin.take().expect("stdin is a pipe");
        writeln!(
            pipe,
            "guard {}\nguard {}\nrelease {}",
            orphan.id(),
            kept.id(),
            kept.id()
        )
        .expect("it reads");
        writeln!(pipe, "erase {}", left.display()).expect("it reads");
        drop(pipe);
        assert_eq!(orphan.wait().expect("it was ours").signal(), Some(9));
        assert!(shell.wait().expect("it was ours").success());
        assert!(!left.exists(), "the folder is erased");
        assert_eq!(
            state(&kept.id().to_string()),
            Some('S'),
            "a released group is left alone"
        );
        kept.kill().expect("it was ours");
        kept.wait().expect("it was ours");
    }

    async fn wait_until_gone(pid: &str) {
        crate::wait_until(
            &format!("process {pid} is gone"),
            Duration::from_secs(5),
            async || matches!(state(pid), None | Some('Z')),
        )
        .await;
    }
}
