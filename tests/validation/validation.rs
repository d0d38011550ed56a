//! What does a verdict cost, and what does it cost others? The same files, in the same run, by `trust` on one thread and by
//! pyHanko and signxml.
//!
//! Run: `ops/bench-validation`, which installs the peers into a folder of its own. The last line is one line of JSON.
//!
//! Work: a PDF of 14 KB signed once (RSA-2048, a chain of three certificates, revocation lists checked); an XML document of
//! 13 KB with an enveloped signature; PDF files of 12.5, 25 and 50 MB. Times are the median of rounds, in milliseconds. What
//! the keys of issuers signed is remembered by the snapshot, as in the gateway; the peers keep their trust material, too.
//! `linear` is the time of 50 MB over twice that of 25 MB; `memory_ratio` is what 50 MB took at most, file included, over
//! their size.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints what it found"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use harness::pdf::Pdf;
use harness::pki::{Credential, Hierarchy, RevocationPlan, certificate_pem};
use jiff::Timestamp;
use serde_json::{Value, json};
use trust::xml::signature::{self, Dialect};
use trust::xml::{Limits, Tree};
use trust::{Certificate, PdfReport, Policy, RevocationList, Snapshot, Time, pdf};

const PEERS: &str = include_str!("peers.py");
const PDF_BYTES: usize = 3_500;
const XML_BYTES: usize = 6_000;
const MEGABYTE: usize = 1 << 20;
const ROUNDS: usize = 15;

/// Measures validation beside that of others.
#[derive(Parser)]
struct Arguments {
    /// A Python that has pyHanko and signxml.
    #[arg(long)]
    python: PathBuf,
}

/// Everything that the files are judged under.
struct Desk {
    hierarchy: Hierarchy,
    person: Credential,
    snapshot: Snapshot,
    now: Timestamp,
    folder: tempfile::TempDir,
}

fn main() {
    let Arguments { python } = Arguments::parse();
    let desk = Desk::new();
    let small = desk.pdf(PDF_BYTES);
    desk.write("small.pdf", &small);
    desk.write("plain.xml", plain_xml().as_bytes());
    let theirs = desk.peers(&python);
    let xml = std::fs::read(desk.path("signed.xml")).expect("signxml wrote it");
    let ours_pdf = median(200, || desk.judge_pdf(&small));
    let ours_xml = median(200, || desk.judge_xml(&xml));
    let large = desk.large();
    let (pyhanko, signxml) = (
        milliseconds(&theirs, "pyhanko_ms"),
        milliseconds(&theirs, "signxml_ms"),
    );
    eprintln!(
        "validation: PDF of {} bytes: {ours_pdf:.3} ms, pyHanko {pyhanko:.2} ms",
        small.len()
    );
    eprintln!(
        "validation: XML of {} bytes: {ours_xml:.3} ms, signxml {signxml:.2} ms",
        xml.len()
    );
    println!(
        "{}",
        json!({
            "pdf_bytes": small.len(), "pdf_ms": ours_pdf, "pyhanko_ms": pyhanko, "pdf_ratio": pyhanko / ours_pdf,
            "xml_bytes": xml.len(), "xml_ms": ours_xml, "signxml_ms": signxml, "xml_ratio": signxml / ours_xml,
            "large": large,
        })
    );
}

impl Desk {
    fn new() -> Desk {
        let now = Timestamp::now();
        let hierarchy = Hierarchy::new("http://127.0.0.1", now);
        let person = hierarchy.person("Người Ký", "Sở thử nghiệm");
        let plan = RevocationPlan::none(now);
        let certificate =
            |der: &[u8]| Arc::new(Certificate::from_der(der).expect("a certificate of the harness"));
        let list = |der| Arc::new(RevocationList::from_der(der).expect("a list of the harness"));
        let lists = vec![
            list(hierarchy.root.revocation_list(&plan)),
            list(hierarchy.issuing.revocation_list(&plan)),
        ];
        let anchors = vec![certificate(&hierarchy.root.certificate)];
        let candidates = vec![certificate(&hierarchy.issuing.certificate)];
        let folder = tempfile::tempdir().expect("a folder");
        hierarchy.write(folder.path(), &plan);
        person.write(folder.path(), "person");
        let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
        Desk {
            hierarchy,
            person,
            snapshot,
            now,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("the folder can be written");
    }

    fn pdf(&self, bytes: usize) -> Vec<u8> {
        Pdf::new("Cong van", bytes)
            .signed(&self.person, self.now)
            .into_bytes()
    }

    fn at(&self) -> Time {
        Time::from_seconds(self.now.as_second())
    }

    fn judge_pdf(&self, file: &[u8]) {
        let PdfReport::Signed(reports) = pdf::validate(file, &self.snapshot, self.at()) else {
            panic!("the file is signed");
        };
        assert!(reports.iter().all(trust::SealReport::is_passed), "{reports:?}");
        black_box(reports);
    }

    fn judge_xml(&self, file: &[u8]) {
        let tree = Tree::parse(file, &Limits::default()).expect("XML of signxml");
        let seals = signature::validate(&tree, Dialect::Standard, &self.snapshot, self.at());
        assert!(
            !seals.is_empty() && seals.iter().all(|seal| seal.covers_document()),
            "{seals:?}"
        );
        black_box(seals);
    }

    /// What the peers say of the same files.
    fn peers(&self, python: &Path) -> Value {
        self.write("peers.py", PEERS.as_bytes());
        self.write(
            "chain.pem",
            certificate_pem(&self.hierarchy.issuing.certificate).as_bytes(),
        );
        let mut command = Command::new(python);
        command.current_dir(self.folder.path()).arg("peers.py");
        let output = command.output().expect("Python runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the peers: {errors}");
        let last = said.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|_| panic!("the peers said {said}{errors}"))
    }

    /// Time by size, and what the largest took of memory.
    fn large(&self) -> Value {
        let (mut times, mut peak) = (Vec::new(), 0.0);
        for size in [25 * MEGABYTE / 2, 25 * MEGABYTE, 50 * MEGABYTE] {
            let file = self.pdf(size);
            // The process holds the file already, and what was left by making it, which is not the matter.
            forget_peak();
            let before = peak_bytes();
            self.judge_pdf(&file);
            peak = peak_bytes() - before + file.len() as f64;
            times.push(median(1, || self.judge_pdf(&file)));
            eprintln!(
                "validation: PDF of {size} bytes: {:.1} ms",
                times[times.len() - 1]
            );
        }
        json!({
            "ms": times,
            "linear": times[2] / (2.0 * times[1]),
            "memory_ratio": peak / (50 * MEGABYTE) as f64,
        })
    }
}

/// The median of some rounds of so many runs each, in milliseconds a run.
fn median(runs: u32, mut run: impl FnMut()) -> f64 {
    run();
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            (0..runs).for_each(|_| run());
            begin.elapsed().as_secs_f64() * 1_000.0 / f64::from(runs)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// From here on the peak is counted anew (proc_pid_clear_refs(5)).
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux lets a process do so");
}

/// The most that this process has held at a time (proc_pid_status(5), VmHWM).
fn peak_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("Linux tells it") * 1024.0
}

fn milliseconds(theirs: &Value, name: &str) -> f64 {
    theirs[name]
        .as_f64()
        .unwrap_or_else(|| panic!("the peers told no {name}"))
}

fn plain_xml() -> String {
    let mut text = String::from("<van-ban xmlns=\"urn:thu-nghiem\">");
    let mut number = 0;
    while text.len() < XML_BYTES {
        number += 1;
        text.push_str(&format!(
            "<muc so=\"{number}\">Nội dung thử nghiệm số {number}</muc>"
        ));
    }
    text.push_str("</van-ban>");
    text
}
