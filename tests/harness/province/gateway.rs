//! The gateway of a province: its folder, its configuration, its process and its commands, as an operator has them.
//!
//! ```text
//! FOLDER/gateway.toml  gateway.key  gateway.pem  *.password  anchors/  candidates/  data/  gateway.log
//! ```
//!
//! **Invariant**: only the real binary runs here; nothing of it is called from inside.

use std::{
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use serde_json::Value;

use crate::{
    offspring::Signal,
    process::{self, Ended, Process, Program},
    wait_until,
};

/// Opening a store after a crash takes seconds beside a build on the same cores.
const START: Duration = Duration::from_secs(120);
/// A graceful end lets what is on the road be recorded.
const END: Duration = Duration::from_secs(60);

/// Keys of `gateway.toml` in their sections, each with its value as TOML writes it.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, BTreeMap<String, String>>);

impl Settings {
    /// Sets a key to a number, or to TOML that is already written.
    pub fn set(&mut self, section: &str, key: &str, value: impl Display) {
        let section = self.0.entry(section.to_owned()).or_default();
        section.insert(key.to_owned(), value.to_string());
    }

    /// Sets a key to a text.
    pub fn text(&mut self, section: &str, key: &str, value: impl Display) {
        let quoted = Value::String(value.to_string()); // JSON's escapes are among those of TOML
        self.set(section, key, quoted);
    }

    /// Takes over everything that `others` set.
    pub(super) fn overrule(&mut self, others: &Settings) {
        for (section, keys) in &others.0 {
            for (key, value) in keys {
                self.set(section, key, value);
            }
        }
    }

    fn toml(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.0 {
            text.push_str(&format!("[{section}]\n"));
            for (key, value) in keys {
                text.push_str(&format!("{key} = {value}\n"));
            }
            text.push('\n');
        }
        text
    }
}

/// The gateway: killed when dropped.
#[derive(Debug)]
pub struct Gateway {
    folder: PathBuf,
    process: Option<Process>,
    client: reqwest::Client,
}

impl Gateway {
    /// Writes the configuration into `folder`; nothing is started.
    pub(super) fn new(folder: &Path, settings: &Settings) -> Gateway {
        write(&folder.join("gateway.toml"), settings.toml().as_bytes());
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0) // runtimes of tests come and go, and a pooled connection dies with its own
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client without certificates can be built");
        Gateway {
            folder: folder.to_owned(),
            process: None,
            client,
        }
    }

    /// Where everything of it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its data folder: journal, packs, index.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("gateway.log")
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.join("gateway.toml")
    }

    /// The certificate that its receipts are signed under, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("gateway.pem")
    }

    /// Writes other settings; they hold from the next start on.
    pub(super) fn configure(&self, settings: &Settings) {
        write(&self.config(), settings.toml().as_bytes());
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it runs already, ends, or is not ready in time; the message names its log.
    pub async fn start_again(&mut self) {
        self.start();
        self.ready().await;
    }

    /// Starts it without waiting.
    ///
    /// # Panics
    /// When it runs already.
    pub fn start(&mut self) {
        assert!(
            self.process.is_none(),
            "the gateway runs; kill or terminate it first"
        );
        // Left over of the run before: the port that it names is nobody's now.
        let _ = std::fs::remove_file(self.address_file());
        let config = self.config();
        let arguments = ["run", "--config", utf8(&config)];
        self.process = Some(Process::start(Program::Gateway, &arguments, &[], &self.log()));
    }

    /// Waits until it says that it is ready.
    ///
    /// # Panics
    /// When it ends, or is not ready in time; the message names its log.
    pub async fn ready(&mut self) {
        let log = self.log();
        let what = format!("the gateway is ready (its log: {})", log.display());
        wait_until(&what, START, async || {
            if let Some(status) = self.exit_status() {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let end = lines[lines.len().saturating_sub(20)..].join("\n");
                panic!(
                    "the gateway ended ({status}) before it was ready; {}:\n{end}",
                    log.display()
                );
            }
            self.is_ready().await
        })
        .await;
    }

    /// Whether `/ready` says yes now.
    pub async fn is_ready(&self) -> bool {
        match self.try_get("ready").await {
            Some(response) => response.status().is_success(),
            None => false,
        }
    }

    /// What `/ready` says, once it listens.
    pub async fn readiness(&self) -> Option<String> {
        self.try_get("ready").await?.text().await.ok()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it does not run, or does not end in time.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the gateway runs");
        process.terminate(END).await
    }

    /// Sends it a signal: stopped and continued are states of a process, too.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(process) = &mut self.process {
            process.signal(signal);
        }
    }

    /// How it ended, if it ended by itself.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.as_mut()?.exit_status()
    }

    /// Process id, while it runs.
    ///
    /// # Panics
    /// When it does not.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the gateway runs").pid()
    }

    /// `http://127.0.0.1:PORT` of its internal port, once it listens.
    pub fn address(&self) -> Option<String> {
        let address = std::fs::read_to_string(self.address_file()).ok()?;
        Some(format!("http://{}", address.trim()))
    }

    /// Its metrics, in the text that Prometheus reads.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn metrics(&self) -> String {
        let response = self.try_get("metrics").await.expect("the gateway answers");
        response.text().await.expect("metrics are text")
    }

    /// One number of its metrics, such as `gateway_held_submissions` or `gateway_events_total{event="accepted"}`; 0
    /// for a series that was never counted.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.metrics().await;
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?.strip_prefix(' ')?;
            rest.split(' ').next()?.parse().ok()
        };
        text.lines().find_map(value).unwrap_or(0.0)
    }

    /// What `/administration/PATH` says.
    ///
    /// # Panics
    /// When it does not answer, or answers with an error.
    pub async fn administration(&self, path: &str) -> Value {
        let path = format!("administration/{path}");
        let response = self.try_get(&path).await.expect("the gateway answers");
        let (status, text) = (
            response.status(),
            response.text().await.expect("an answer is text"),
        );
        assert!(status.is_success(), "{path} was answered {status}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path} is not JSON: {error}: {text}"))
    }

    async fn try_get(&self, path: &str) -> Option<reqwest::Response> {
        let url = format!("{}/{path}", self.address()?);
        let token = std::fs::read_to_string(self.data().join("administration.token")).ok()?;
        self.client.get(url).bearer_auth(token.trim()).send().await.ok()
    }

    /// Runs a command of the gateway to its end, whatever that is: `["agency", "list"]`.
    ///
    /// # Panics
    /// When it cannot be started, or does not end in time.
    pub async fn try_command(&self, arguments: &[&str]) -> Ended {
        let config = self.config();
        let arguments = [arguments, &["--config", utf8(&config)]].concat();
        process::run(Program::Gateway, &arguments).await
    }

    /// Runs a command that must succeed, and returns what it printed.
    ///
    /// # Panics
    /// When it fails, with what it complained of.
    pub async fn command(&self, arguments: &[&str]) -> String {
        let ended = self.try_command(arguments).await;
        let (status, name) = (ended.status, arguments.join(" "));
        assert!(
            status.success(),
            "gateway {name} ended with {status}:\n{}{}",
            ended.output,
            ended.errors
        );
        ended.output
    }

    fn address_file(&self) -> PathBuf {
        self.data().join("http.address")
    }
}

/// Writes a file that others may not read: some hold passwords.
pub(super) fn write(path: &Path, bytes: &[u8]) {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let written = std::fs::File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// Folders of tests have names of ASCII.
pub(super) fn utf8(path: &Path) -> &str {
    path.to_str().expect("folders of the harness have UTF-8 names")
}
