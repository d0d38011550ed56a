//! The desk of an auditor: files, a folder of what to trust, and the command.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::pki::{Credential, Hierarchy, Holder, RevocationPlan, Validity};
use harness::process::Program;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::schema;

/// Where lists would be, which nobody asks: the tests fetch from elsewhere.
const NOWHERE: &str = "http://ca.example";

pub(super) struct Desk {
    folder: tempfile::TempDir,
    pub(super) hierarchy: Hierarchy,
    pub(super) now: Timestamp,
}

/// How the command ended.
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

impl Desk {
    pub(super) fn new() -> Desk {
        Desk::at(NOWHERE)
    }

    /// Lists are to be found below this address.
    pub(super) fn at(urls: &str) -> Desk {
        let now = Timestamp::now();
        let desk = Desk {
            folder: tempfile::tempdir().expect("a folder"),
            hierarchy: Hierarchy::new(urls, now),
            now,
        };
        std::fs::create_dir(desk.path("trust")).expect("a folder");
        desk.trust(&RevocationPlan::none(now));
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the folder can be written");
        path
    }

    /// Fills the folder of what to trust: both authorities and their lists.
    pub(super) fn trust(&self, plan: &RevocationPlan) {
        self.hierarchy.write(&self.path("trust"), plan);
    }

    pub(super) fn remove_trust(&self, name: &str) {
        std::fs::remove_file(self.path("trust").join(name)).expect("it was there");
    }

    pub(super) fn person(&self, name: &str) -> Credential {
        self.hierarchy.person(name, "Sở Thử nghiệm")
    }

    /// A person whose certificate is in force for the 100 days before this end.
    pub(super) fn person_until(&self, name: &str, end: Timestamp) -> Credential {
        let holder = Holder::Person {
            name,
            agency: "Sở Thử nghiệm",
        };
        self.hierarchy.issuing.issue(holder, ending(end))
    }

    /// `gateway verify --trust trust --offline` of these files.
    pub(super) fn verify(&self, files: &[&Path]) -> Ended {
        self.verify_as(files, &[])
    }

    /// The same with further arguments.
    pub(super) fn verify_as(&self, files: &[&Path], arguments: &[&str]) -> Ended {
        let trust = self.path("trust");
        let trust = trust.to_str().expect("a path in UTF-8");
        self.run(files, &[&["--trust", trust, "--offline"], arguments].concat())
    }

    /// `gateway verify` with these arguments alone.
    pub(super) fn run(&self, files: &[&Path], arguments: &[&str]) -> Ended {
        let mut command = Command::new(Program::Gateway.path());
        command.arg("verify").args(arguments).args(files);
        let output = command.output().expect("the gateway runs");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let ended = Ended {
            code: output.status.code().expect("it ended by itself"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended
    }

    /// What programs are told, valid under the published schema.
    pub(super) fn json(&self, files: &[&Path], code: i32) -> Value {
        self.json_as(files, &[], code)
    }

    /// The same with further arguments.
    pub(super) fn json_as(&self, files: &[&Path], arguments: &[&str], code: i32) -> Value {
        let ended = self.verify_as(files, &[arguments, &["--json"]].concat());
        assert_eq!(ended.code, code, "{}", ended.text());
        let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        schema::assert_valid(&report);
        report
    }
}

/// The 100 days before an end.
pub(super) fn ending(end: Timestamp) -> Validity {
    Validity {
        not_before: end - (24 * 100).hours(),
        not_after: end,
    }
}
