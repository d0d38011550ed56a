//! Two validators, one question: chains made by chance, whole and spoilt, are put to `trust` and to the `openssl` command,
//! and what only `trust` accepts is a wrong accept.
//!
//! `differential [--cases 10000] [--seed N]` prints how often both agree and fails on any wrong accept. What only openssl
//! accepts is counted by the reason for which `trust` refused.
//!
//! **Invariant**: a run can be told by its seed.
//! **Invariant**: a run in which hardly anything passes, or hardly anything fails, has shown nothing, and fails.

mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use clap::Parser;
use harness::chance::Chance;
use harness::pki::pem;
use trust::{Certificate, Demands, Policy, PolicyDemands, RevocationList, Snapshot, Time};
use world::{AT, World};

/// Leaves that share their authorities, and one call of openssl.
const LEAVES: usize = 10;

/// The policies that are accepted, as octets and as text. All of the worlds' are; openssl finds no policy at all where it is
/// told that any will do.
const ACCEPTED: [([u8; 2], &str); 2] = [([0x2A, 1], "1.2.1"), ([0x2A, 2], "1.2.2")];

/// Compares path validation with that of openssl.
#[derive(Parser)]
struct Arguments {
    /// Leaves to be judged.
    #[arg(long, default_value_t = 10_000)]
    cases: usize,
    /// Seed of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Default)]
struct Tally {
    both_accept: usize,
    both_refuse: usize,
    only_openssl: BTreeMap<String, usize>,
    wrong_accepts: Vec<String>,
}

#[expect(clippy::print_stdout, reason = "a command")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut chance = arguments.seed.map_or_else(Chance::seeded, Chance::from_seed);
    println!("chance is seeded with {}", chance.seed());
    let folder = tempfile::tempdir().expect("a folder");
    let mut tally = Tally::default();
    for _ in 0..arguments.cases.div_ceil(LEAVES) {
        tally.compare(&World::new(&mut chance, LEAVES), folder.path());
    }
    let stricter: usize = tally.only_openssl.values().sum();
    let cases = tally.both_accept + tally.both_refuse + stricter + tally.wrong_accepts.len();
    println!(
        "{cases} chains: {} accepted by both, {} refused by both, {stricter} by us alone, {} wrong accepts",
        tally.both_accept,
        tally.both_refuse,
        tally.wrong_accepts.len()
    );
    for (reason, count) in &tally.only_openssl {
        println!("    refused by us alone  {count:>5}  {reason}");
    }
    for wrong in &tally.wrong_accepts {
        println!("    wrong accept  {wrong}");
    }
    let has_shown = tally.both_accept * 10 >= cases && tally.both_refuse * 10 >= cases;
    if tally.wrong_accepts.is_empty() && has_shown {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Tally {
    fn compare(&mut self, world: &World, folder: &Path) {
        let theirs = openssl(world, folder);
        for (leaf, is_accepted) in world.leaves.iter().zip(theirs) {
            match (trust(world, &leaf.der), is_accepted) {
                (Ok(()), true) => self.both_accept += 1,
                (Err(_), false) => self.both_refuse += 1,
                (Err(reason), true) => {
                    // The reason without the names that it begins with.
                    let words = reason.rsplit(", ").next().unwrap_or(&reason);
                    *self.only_openssl.entry(words.to_owned()).or_default() += 1;
                }
                (Ok(()), false) => self
                    .wrong_accepts
                    .push(format!("{:?} above {:?}", leaf.twists, world.twists)),
            }
        }
    }
}

/// The verdict of `trust`.
fn trust(world: &World, leaf: &[u8]) -> Result<(), String> {
    let read = |der: &Vec<u8>| Certificate::from_der(der).ok().map(Arc::new);
    let leaf = Certificate::from_der(leaf).map_err(|fault| fault.to_string())?;
    let anchors = read(&world.root).into_iter().collect();
    let candidates = world.authorities.iter().filter_map(read).collect();
    let lists = world.lists.iter().cloned().map(RevocationList::from_der);
    let lists = lists.filter_map(Result::ok).map(Arc::new).collect();
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let demands = Demands {
        policies: PolicyDemands {
            initial: Some(ACCEPTED.iter().map(|(octets, _)| octets[..].into()).collect()),
            is_explicit: world.is_policy_explicit,
            ..Demands::USUAL.policies
        },
        ..Demands::USUAL
    };
    let passed = trust::validate_path(&Arc::new(leaf), &demands, &snapshot, Time::from_seconds(AT));
    passed.map(drop).map_err(|failure| failure.to_string())
}

/// The verdicts of openssl, leaf by leaf.
fn openssl(world: &World, folder: &Path) -> Vec<bool> {
    let write = |name: &str, label: &str, blocks: &[Vec<u8>]| {
        let text: String = blocks.iter().map(|der| pem(label, der)).collect();
        std::fs::write(folder.join(name), text).expect("the folder can be written");
    };
    write("root.pem", "CERTIFICATE", std::slice::from_ref(&world.root));
    write("authorities.pem", "CERTIFICATE", &world.authorities);
    write("lists.pem", "X509 CRL", &world.lists);
    let names: Vec<String> = (0..world.leaves.len())
        .map(|number| format!("leaf{number}.pem"))
        .collect();
    for (name, leaf) in names.iter().zip(&world.leaves) {
        write(name, "CERTIFICATE", std::slice::from_ref(&leaf.der));
    }
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(["verify", "-attime", &AT.to_string()]);
    command.args([
        "-no-CApath",
        "-no-CAstore",
        "-CAfile",
        "root.pem",
        "-policy_check",
    ]);
    command.args([
        "-CRLfile",
        "lists.pem",
        "-crl_check_all",
        "-extended_crl",
        "-use_deltas",
    ]);
    if !world.authorities.is_empty() {
        command.args(["-untrusted", "authorities.pem"]);
    }
    for (_, policy) in ACCEPTED {
        command.args(["-policy", policy]);
    }
    if world.is_policy_explicit {
        command.arg("-explicit_policy");
    }
    let output = command
        .args(&names)
        .output()
        .expect("openssl is installed: run ops/setup");
    let said = String::from_utf8_lossy(&output.stdout);
    let is_ok = |name: &String| said.lines().any(|line| line == format!("{name}: OK"));
    names.iter().map(is_ok).collect()
}
