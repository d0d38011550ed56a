//! Puts other people's validation cases to `trust`, and says of each suite how many it answered rightly.
//!
//! Stands beside the road: the suites come from elsewhere and are no part of this repository, so that the folder is an
//! argument. `vectors FOLDER` fails on every case that must not pass and passes, when a suite is missing or holds fewer
//! cases than it should, and when fewer valid cases pass than once did. Valid cases that are refused are counted.
//!
//! **Invariant**: every case of every suite is asked, or counted as one of a question that `trust` does not answer.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use serde_json::Value;
use trust::algorithm::PublicKey;
use trust::{
    Certificate, Digest, DigestAlgorithm, PdfIntegrity, Policy, RevocationList, SignatureAlgorithm, Snapshot,
    Time, cms, pdf, xml,
};

/// A suite, how many cases it has, and how many valid ones pass at least.
struct Suite {
    name: &'static str,
    cases_min: usize,
    passed_min: usize,
}

const SUITES: &[Suite] = &[
    suite("pkits", 246, 38),
    suite("openssl-ocsp", 79, 0),
    suite("wycheproof", 7141, 1674),
    suite("pyhanko-pdf", 111, 9),
    suite("pdf-attacks", 33, 5),
    suite("dss-cades", 98, 63),
    suite("xmldsig-xmlsec", 2257, 2025),
    suite("rfc3161", 14, 0),
];

const fn suite(name: &'static str, cases_min: usize, passed_min: usize) -> Suite {
    Suite {
        name,
        cases_min,
        passed_min,
    }
}

/// The time at which integrity is asked for: no algorithm of the policy ends before it.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Puts validation cases of other people to the validator.
#[derive(Parser)]
struct Arguments {
    /// The folder that holds one folder for each suite.
    folder: PathBuf,
    /// Says of each valid case that is refused why, and which passed of those that the suite leaves open.
    #[arg(long)]
    list: bool,
}

/// What `trust` says of a case.
enum Answer {
    Passed,
    Unsigned,
    Refused(String),
    /// A question that it does not answer.
    NotAsked(&'static str),
}

/// What is to be thought of the answer.
enum Verdict {
    /// As expected; whether a valid case passed.
    Right {
        is_pass: bool,
    },
    /// The suite leaves it open; doubtful where it passes although the suite itself does not expect so.
    Open {
        is_doubtful: bool,
    },
    /// A valid case that is refused.
    TooStrict(String),
    /// A case that must not pass and passes.
    WrongAccept,
    NotAsked(&'static str),
}

#[derive(Default)]
struct Tally {
    cases: usize,
    right: usize,
    passed: usize,
    open: usize,
    doubtful: Vec<String>,
    too_strict: Vec<String>,
    wrong_accepts: Vec<String>,
    not_asked: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn count(&mut self, id: &str, verdict: Verdict) {
        self.cases += 1;
        match verdict {
            Verdict::Right { is_pass } => {
                self.right += 1;
                self.passed += usize::from(is_pass);
            }
            Verdict::Open { is_doubtful } => {
                self.open += 1;
                self.doubtful.extend(is_doubtful.then(|| id.to_owned()));
            }
            Verdict::TooStrict(reason) => self.too_strict.push(format!("{id}: {reason}")),
            Verdict::WrongAccept => self.wrong_accepts.push(id.to_owned()),
            Verdict::NotAsked(kind) => *self.not_asked.entry(kind).or_default() += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:>5} cases, {:>5} right ({} valid), {:>4} too strict, {:>3} open, {} wrong accepts",
            self.cases,
            self.right,
            self.passed,
            self.too_strict.len(),
            self.open,
            self.wrong_accepts.len()
        )?;
        for (kind, count) in &self.not_asked {
            write!(formatter, ", {count} not asked ({kind})")?;
        }
        Ok(())
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]
fn main() -> ExitCode {
    let Arguments { folder, list } = Arguments::parse();
    let mut faults = Vec::new();
    for suite in SUITES {
        let tally = match run(&folder.join(suite.name), suite) {
            Ok(tally) => tally,
            Err(reason) => {
                faults.push(format!("{}: {reason}", suite.name));
                continue;
            }
        };
        println!("{:<15}{tally}", suite.name);
        if list {
            for case in &tally.too_strict {
                println!("    too strict  {case}");
            }
            for case in &tally.doubtful {
                println!("    doubtful    {case} passes, and may be refused");
            }
        }
        let wrong = tally.wrong_accepts.iter();
        faults.extend(wrong.map(|case| format!("{}: {case} must not pass, and passes", suite.name)));
        if tally.passed < suite.passed_min {
            faults.push(format!(
                "{}: {} valid cases pass, and {} once did",
                suite.name, tally.passed, suite.passed_min
            ));
        }
    }
    for fault in &faults {
        eprintln!("vectors: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Asks every case of the suite in this folder.
fn run(folder: &Path, suite: &Suite) -> Result<Tally, String> {
    let path = folder.join("cases.json");
    let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let whole: Value = serde_json::from_slice(&text).map_err(|error| format!("cases.json: {error}"))?;
    let cases = whole["cases"].as_array().ok_or("cases.json has no cases")?;
    if cases.len() < suite.cases_min {
        return Err(format!("{} cases, {} are expected", cases.len(), suite.cases_min));
    }
    let mut tally = Tally::default();
    for case in cases {
        let case = Case { folder, value: case };
        let id = case.text("id")?;
        let verdict = case.judge().map_err(|reason| format!("{id}: {reason}"))?;
        tally.count(id, verdict);
    }
    Ok(tally)
}

struct Case<'a> {
    folder: &'a Path,
    value: &'a Value,
}

impl<'a> Case<'a> {
    fn text(&self, key: &str) -> Result<&'a str, String> {
        self.value[key].as_str().ok_or_else(|| format!("no {key}"))
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        fs::read(self.folder.join(name)).map_err(|error| format!("{name}: {error}"))
    }

    /// The files of a list of names.
    fn files(&self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let names = self.value[key].as_array().ok_or_else(|| format!("no {key}"))?;
        names
            .iter()
            .map(|name| self.file(name.as_str().ok_or_else(|| format!("{key}: no name"))?))
            .collect()
    }

    fn octets(&self, key: &str) -> Result<Vec<u8>, String> {
        let digits = self.text(key)?;
        let pairs = (0..digits.len()).step_by(2).map(|at| {
            let pair = digits.get(at..at + 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        pairs
            .collect::<Option<_>>()
            .ok_or_else(|| format!("{key}: no hex"))
    }

    fn time(&self) -> Result<Time, String> {
        self.text("at")?.parse().map_err(|error| format!("at: {error}"))
    }

    fn judge(&self) -> Result<Verdict, String> {
        let kind = self.text("kind")?;
        let expected = if kind == "c14n" {
            "accept"
        } else {
            self.text("expect")?
        };
        let answer = match kind {
            "path" => self.path()?,
            "c14n" => self.canonical()?,
            "cms" => self.cms()?,
            "pdf" => self.pdf()?,
            "signature" => self.signature()?,
            "ocsp" => Answer::NotAsked("OCSP"),
            "timestamp" => Answer::NotAsked("time-stamps"),
            "xmldsig" => Answer::NotAsked("XML signatures"),
            _ => return Err(format!("an unknown kind: {kind}")),
        };
        Ok(match (expected, answer) {
            (_, Answer::NotAsked(kind)) => Verdict::NotAsked(kind),
            ("accept", Answer::Passed) => Verdict::Right { is_pass: true },
            ("accept", Answer::Unsigned) => Verdict::TooStrict("taken for unsigned".to_owned()),
            ("accept" | "unsigned", Answer::Refused(reason)) => Verdict::TooStrict(reason),
            ("reject" | "unsigned", Answer::Passed) => Verdict::WrongAccept,
            ("unsigned", Answer::Unsigned) | ("reject", Answer::Refused(_) | Answer::Unsigned) => {
                Verdict::Right { is_pass: false }
            }
            ("either", answer) => Verdict::Open {
                is_doubtful: matches!(answer, Answer::Passed) && self.value["nominal"] != "accept",
            },
            (_, _) => return Err(format!("an unknown expectation: {expected}")),
        })
    }

    /// A path at a time. Revocation is always required here: that is stricter than "if-given" and "none".
    fn path(&self) -> Result<Answer, String> {
        if self.value["policies"]["explicit"] == Value::Bool(true) {
            return Ok(Answer::NotAsked("explicit policies"));
        }
        if !self.value["eku"].is_null() || !self.value["max_depth"].is_null() {
            return Ok(Answer::NotAsked("purposes and depths"));
        }
        let at = self.time()?;
        // What cannot be read is as good as absent, but for the leaf.
        let certificates = |key: &str| -> Result<Vec<Arc<Certificate>>, String> {
            let files = self.files(key)?;
            let read = files.iter().flat_map(|file| Certificate::from_pem_or_der(file));
            Ok(read.map(Arc::new).collect())
        };
        let lists = self.files("crls")?;
        let lists = lists
            .iter()
            .flat_map(|file| RevocationList::from_pem_or_der(file))
            .map(Arc::new)
            .collect();
        let (anchors, candidates) = (certificates("anchors")?, certificates("candidates")?);
        let leaf = match Certificate::from_pem_or_der(&self.file(self.text("leaf")?)?) {
            Ok(leaf) => Arc::new(leaf),
            Err(fault) => return Ok(Answer::Refused(fault.to_string())),
        };
        let snapshot = Snapshot::new(anchors, candidates, lists, Policy::every_algorithm(), 1);
        Ok(match trust::validate_certificate(&leaf, &[], &snapshot, at) {
            Ok(_) => Answer::Passed,
            Err(failure) => Answer::Refused(failure.to_string()),
        })
    }

    /// A document in canonical form, against its digest.
    fn canonical(&self) -> Result<Answer, String> {
        let (form, with_comments) = match self.text("method")? {
            "c14n10" => (xml::Form::Inclusive, false),
            "c14n10-comments" => (xml::Form::Inclusive, true),
            "c14n11" => (xml::Form::Inclusive11, false),
            "exc-c14n10" => (exclusive(), false),
            "exc-c14n10-comments" => (exclusive(), true),
            method => return Err(format!("an unknown method: {method}")),
        };
        let file = self.file(self.text("file")?)?;
        let tree = match xml::Tree::parse(&file, &xml::Limits::default()) {
            Ok(tree) => tree,
            Err(fault) => return Ok(Answer::Refused(fault.to_string())),
        };
        let mut octets = Vec::new();
        xml::Canonicalisation { form, with_comments }.document(&tree, &mut octets);
        Ok(if Digest::of(&octets).to_string() == self.text("sha256")? {
            Answer::Passed
        } else {
            Answer::Refused("other octets".to_owned())
        })
    }

    fn cms(&self) -> Result<Answer, String> {
        let signature = self.file(self.text("signature")?)?;
        let content = match self.value["content"].as_str() {
            None => None,
            Some(name) => Some(self.file(name)?),
        };
        let results = cms::integrity(&signature, content.as_deref(), &Policy::every_algorithm(), now()?);
        Ok(worst(results))
    }

    fn pdf(&self) -> Result<Answer, String> {
        let file = self.file(self.text("file")?)?;
        Ok(match pdf::integrity(&file, &Policy::every_algorithm(), now()?) {
            PdfIntegrity::Unsigned => Answer::Unsigned,
            PdfIntegrity::Refused(fault) => Answer::Refused(fault.to_string()),
            PdfIntegrity::Signed(results) => worst(results),
        })
    }

    fn signature(&self) -> Result<Answer, String> {
        let Some(algorithm) = algorithm(self.text("algorithm")?) else {
            return Ok(Answer::NotAsked("algorithms that are not known"));
        };
        let key = match PublicKey::from_der(&self.octets("spki")?) {
            Ok(key) => key,
            Err(fault) => return Ok(Answer::Refused(fault.to_string())),
        };
        let (message, value) = (self.octets("message")?, self.octets("signature")?);
        Ok(match key.verify(algorithm, &message, &value) {
            Ok(()) => Answer::Passed,
            Err(fault) => Answer::Refused(fault.to_string()),
        })
    }
}

fn exclusive() -> xml::Form {
    xml::Form::Exclusive {
        inclusive_prefixes: Vec::new(),
    }
}

fn now() -> Result<Time, String> {
    NOW.parse().map_err(|error| format!("{NOW}: {error}"))
}

/// A file counts for as much as the worst of its signatures.
fn worst<T, F: fmt::Display>(results: Vec<Result<T, F>>) -> Answer {
    match results.into_iter().find_map(Result::err) {
        None => Answer::Passed,
        Some(failure) => Answer::Refused(failure.to_string()),
    }
}

/// The algorithm of that name in the suites; `None`: none of the registry.
fn algorithm(name: &str) -> Option<SignatureAlgorithm> {
    use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    Some(match name {
        "rsa-pkcs1-sha1" => SignatureAlgorithm::RsaPkcs1(Sha1),
        "rsa-pkcs1-sha256" => SignatureAlgorithm::RsaPkcs1(Sha256),
        "rsa-pkcs1-sha384" => SignatureAlgorithm::RsaPkcs1(Sha384),
        "rsa-pkcs1-sha512" => SignatureAlgorithm::RsaPkcs1(Sha512),
        "rsa-pss-sha256-mgf1-sha256-salt32" => SignatureAlgorithm::RsaPss(Sha256),
        "rsa-pss-sha384-mgf1-sha384-salt48" => SignatureAlgorithm::RsaPss(Sha384),
        "rsa-pss-sha512-mgf1-sha512-salt64" => SignatureAlgorithm::RsaPss(Sha512),
        "ecdsa-p256-sha256" | "ecdsa-p384-sha256" => SignatureAlgorithm::Ecdsa(Sha256),
        "ecdsa-p256-sha384" | "ecdsa-p384-sha384" => SignatureAlgorithm::Ecdsa(Sha384),
        "ecdsa-p256-sha512" | "ecdsa-p384-sha512" => SignatureAlgorithm::Ecdsa(Sha512),
        "ed25519" => SignatureAlgorithm::Ed25519,
        _ => return None,
    })
}
