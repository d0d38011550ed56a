//! The real binaries, as an operator or an agency would start them: with arguments, environment and a log.
//!
//! **Invariant**: the binary that runs is built from the sources that are there: it is built again (which costs
//! nothing when nothing changed) before it is first used in a process.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::Duration,
};

use crate::{
    offspring::{Offspring, Signal},
    wait_until,
};

/// A binary of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// An agency's connector.
    Connector,
    /// The gateway.
    Gateway,
}

impl Program {
    /// Where the binary is, of the same profile as the running test; built when needed.
    ///
    /// # Panics
    /// When it does not build, with what the compiler said.
    pub fn path(self) -> &'static Path {
        static CONNECTOR: OnceLock<PathBuf> = OnceLock::new();
        static GATEWAY: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Program::Connector => CONNECTOR.get_or_init(|| build("connector")),
            Program::Gateway => GATEWAY.get_or_init(|| build("gateway")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Program::Connector => "connector",
            Program::Gateway => "gateway",
        }
    }
}

/// A running binary, ended (`kill -9`) when dropped and when the test process ends.
#[derive(Debug)]
pub struct Process {
    offspring: Offspring,
    program: Program,
    log: PathBuf,
}

impl Process {
    /// Starts `program`. Its output and errors are appended to `log`; `environment` is added to our own.
    ///
    /// # Panics
    /// When it cannot be built or started.
    pub fn start(program: Program, arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Process {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .unwrap_or_else(|error| panic!("cannot write the log {}: {error}", log.display()));
        let errors = output.try_clone().expect("a file can be shared");
        let mut command = Command::new(program.path());
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(output)
            .stderr(errors);
        let offspring = Offspring::start(program.name(), &mut command);
        Process {
            offspring,
            program,
            log: log.to_owned(),
        }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.offspring.pid()
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it still runs after `deadline`.
    pub async fn terminate(&mut self, deadline: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended(deadline).await
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        self.offspring.kill();
    }

    /// Sends it a signal; nothing happens when it has ended.
    pub fn signal(&mut self, signal: Signal) {
        self.offspring.signal(signal);
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.offspring.exit_status()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it still runs after `deadline`.
    pub async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        self.offspring.ended(deadline).await
    }

    /// Waits until its log contains `text`.
    ///
    /// # Panics
    /// When `deadline` passes or the process ends first; the message ends with the last lines of the log.
    pub async fn logged(&mut self, text: &str, deadline: Duration) {
        let name = self.program.name();
        let what = format!("the {name} logs {text:?} in {}", self.log.display());
        wait_until(&what, deadline, async || {
            if self.log_text().contains(text) {
                return true;
            }
            if let Some(status) = self.exit_status() {
                panic!(
                    "the {name} ended ({status}) before it logged {text:?}:\n{}",
                    self.log_end()
                );
            }
            false
        })
        .await;
    }

    /// Everything it has written so far.
    pub fn log_text(&self) -> String {
        let bytes = std::fs::read(&self.log).expect("the log was made by us");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_end(&self) -> String {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// A command longer than this hangs: it opens a store or asks a running gateway, and waits for a receipt at most.
const COMMAND: Duration = Duration::from_secs(180);

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed.
    pub output: String,
    /// What it complained of.
    pub errors: String,
}

/// Runs `program` to its end, whatever that is.
///
/// # Panics
/// When it cannot be started, or does not end in time.
pub async fn run(program: Program, arguments: &[&str]) -> Ended {
    let name = format!("{} {}", program.name(), arguments.join(" "));
    let child = tokio::process::Command::new(program.path())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    let ended = tokio::time::timeout(COMMAND, child.wait_with_output()).await;
    let ended = ended
        .unwrap_or_else(|_| panic!("{name} did not end within {COMMAND:?}"))
        .expect("the output of a command can be read");
    Ended {
        status: ended.status,
        output: String::from_utf8_lossy(&ended.stdout).into_owned(),
        errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

/// Builds `name` into the target folder and profile that the running binary was built into.
fn build(name: &str) -> PathBuf {
    let profile_folder = profile_folder();
    let path = profile_folder.join(name);
    let profile = match profile_folder.file_name().and_then(|folder| folder.to_str()) {
        Some("debug") => "dev",
        Some(other) => other,
        None => panic!(
            "the running binary lies outside a target folder: {}",
            profile_folder.display()
        ),
    };
    let target = profile_folder
        .parent()
        .expect("a profile's folder lies in the target folder");
    // Together with the tests, so that dependencies have the features they were built with for those.
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "tests",
            "--package",
            name,
            "--bin",
            name,
        ])
        .args(["--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("cannot start cargo to build {name}: {error}"));
    assert!(
        output.status.success() && path.exists(),
        "{} could not be built:\n{}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    path
}

/// `target/debug` of `target/debug/deps/scenarios-1f…` or of `target/debug/bench`.
fn profile_folder() -> PathBuf {
    let running = std::env::current_exe().expect("the system knows what runs");
    let folder = running.parent().expect("a file lies in a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("deps lies in a profile").to_owned()
    } else {
        folder.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_binary_is_built_started_and_logged() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("gateway.log");
        let mut process = Process::start(Program::Gateway, &["--help"], &[], &log);
        let status = process.ended(Duration::from_secs(60)).await;
        assert!(status.success(), "{status}: {}", process.log_text());
        assert!(Program::Gateway.path().starts_with(profile_folder()));
    }
}
