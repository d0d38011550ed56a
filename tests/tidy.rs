//! House rules that no lint sees: lengths of files, arrows between crates and modules, words, module documents.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests crate lies in the workspace")
        .to_owned()
}

/// All source files with this ending, with their paths relative to the root.
fn sources(ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = ["gateway", "connectors", "tests"]
        .map(|folder| root().join(folder))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                let name = path
                    .strip_prefix(root())
                    .expect("below the root")
                    .to_string_lossy()
                    .into_owned();
                found.push((name, fs::read_to_string(&path).expect("UTF-8")));
            }
        }
    }
    assert!(found.len() > 20 || ending != "rs", "the walk found the sources");
    found.sort();
    found
}

fn complain(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_are_short() {
    let long = |(name, text): (String, String)| {
        let lines = text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{name}: {lines} lines, at most {FILE_LINES_MAX}"))
    };
    complain(&sources("rs").into_iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn every_module_opens_with_what_it_is() {
    let mute = |(name, text): (String, String)| {
        let said = text.starts_with("//!") || text.starts_with("#![doc");
        (!said).then(|| format!("{name}: does not open with //!"))
    };
    complain(&sources("rs").into_iter().filter_map(mute).collect::<Vec<_>>());
}

/// What must not be named where: (files below, forbidden text, why).
const ARROWS: &[(&str, &str, &str)] = &[
    (
        "gateway/trust/",
        "domain::",
        "trust knows signatures and nothing of documents",
    ),
    ("gateway/trust/", "tokio", "trust is pure"),
    ("gateway/amqp/", "domain::", "a call carries no document"),
    ("gateway/domain/", "tokio", "domain is pure"),
    (
        "gateway/domain/",
        "serde::",
        "domain types derive no serialisation",
    ),
    ("gateway/domain/", "std::fs", "domain does no I/O"),
    ("gateway/domain/", "SystemTime", "time is an argument"),
    (
        "connectors/",
        "gateway::",
        "a connector relies on the contract, not on the gateway",
    ),
];

/// The gateway's modules and whom each may import. The adapters (`broker`, `http`, `store`, `trustkeeper`) never import
/// one another.
const MODULES: &[(&str, &[&str])] = &[
    ("administration", &["clock", "config"]),
    ("app", &ALL_BUT_COMMAND),
    ("broker", &[]),
    ("clock", &[]),
    ("command", &ALL_BUT_COMMAND),
    ("config", &[]),
    ("http", &["administration", "clock", "config", "telemetry"]),
    ("signer", &["config", "stages"]),
    ("stages", &["clock", "telemetry"]),
    ("store", &[]),
    ("telemetry", &["config"]),
    ("trustkeeper", &["administration", "clock", "config", "telemetry"]),
];

const ALL_BUT_COMMAND: [&str; 11] = [
    "administration",
    "app",
    "broker",
    "clock",
    "config",
    "http",
    "signer",
    "stages",
    "store",
    "telemetry",
    "trustkeeper",
];

const SERVER: &str = "gateway/server/src/";

fn code_of(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// First names after `crate::`, also those of a group.
fn imported(code: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        let path = path.trim_start().chars();
        path.take_while(|sign| sign.is_alphanumeric() || *sign == '_')
            .collect()
    };
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            found.push(name(rest));
            continue;
        };
        let inside = group.chars().scan(1_usize, |depth, sign| {
            match sign {
                '{' => *depth += 1,
                '}' => *depth -= 1,
                _ => {}
            }
            (*depth > 0).then_some((*depth, sign))
        });
        let outermost = inside.filter(|(depth, _)| *depth == 1);
        let outermost: String = outermost.map(|(_, sign)| sign).collect();
        found.extend(outermost.split(',').map(name));
    }
    found.retain(|one| !one.is_empty());
    found
}

#[test]
fn imports_of_groups_are_seen() {
    let code = "use crate::store::{Store, Place};\nuse crate::{broker::Broker, http::{self, view}, clock};\n\
                fn f() { lock }\nlet a = crate::config::Config::load();";
    assert_eq!(imported(code), ["store", "broker", "http", "clock", "config"]);
}

#[test]
fn imports_follow_the_arrows() {
    let mut faults = Vec::new();
    for (name, text) in sources("rs") {
        let code = code_of(&text);
        for (below, forbidden, why) in ARROWS {
            if name.starts_with(below) && code.contains(forbidden) {
                faults.push(format!("{name}: {forbidden}: {why}"));
            }
        }
        let Some(inside) = name.strip_prefix(SERVER) else {
            continue;
        };
        let module = inside.split(['/', '.']).next().expect("a module");
        if module != "broker" && code.replace("\"lapin::", "").contains("lapin::") {
            faults.push(format!("{name}: lapin stays in broker"));
        }
        // Tests put a part together with what it stands on.
        let is_test = inside.contains("/tests");
        let Some((_, allowed)) = MODULES.iter().find(|(one, _)| *one == module) else {
            assert!(
                ["lib", "main"].contains(&module),
                "{module} is not in the list of modules"
            );
            continue;
        };
        let modules: Vec<&str> = MODULES.iter().map(|(one, _)| *one).collect();
        for one in imported(&code) {
            let is_own = one == module || allowed.contains(&&*one) || !modules.contains(&&*one);
            if !is_own && !is_test {
                faults.push(format!("{name}: {module} must not import {one}"));
            }
        }
    }
    complain(&faults);
}

/// Words that hide what a thing does, or that leave work undone.
const WORDS: &[&str] = &[
    "struct Manager",
    "Manager {",
    "Helper {",
    "Utils",
    "mod util",
    "mod helpers",
    "#[ignore",
    "todo!(",
    "unimplemented!(",
    "// TODO",
    "// FIXME",
    "// XXX",
    "// HACK",
];

#[test]
fn banned_words_are_absent() {
    let mut faults = Vec::new();
    for (name, text) in sources("rs") {
        if name == "tests/tidy.rs" {
            continue;
        }
        for word in WORDS {
            if text.contains(word) {
                faults.push(format!("{name}: {word}"));
            }
        }
    }
    complain(&faults);
}

/// What is shown and never set stands at zero for ever, and an alarm on it never rings.
#[test]
fn every_metric_is_fed() {
    let (telemetry, rest): (Vec<_>, Vec<_>) = sources("rs")
        .into_iter()
        .filter(|(name, _)| name.starts_with(SERVER))
        .partition(|(name, _)| name.starts_with("gateway/server/src/telemetry"));
    let own = |wanted: &str| {
        let found = telemetry.iter().find(|(name, _)| name.ends_with(wanted));
        found.expect("a file of telemetry").1.clone()
    };
    let mut wanted = Vec::new();
    for list in own("names.rs").split("pub enum ").skip(1) {
        let (name, variants) = list.split_once(" {\n").expect("an enum");
        let variants = variants.split("\n}").next().expect("its variants").lines();
        let variants = variants.filter_map(|line| line.trim().strip_suffix(','));
        wanted.extend(variants.map(|variant| format!("{name}::{variant}")));
    }
    let own = own("metrics.rs");
    let methods = own.lines().filter_map(|line| line.trim().strip_prefix("pub fn "));
    let names = methods.filter_map(|method| method.split(['(', '<']).next());
    wanted.extend(
        names
            .filter(|name| *name != "new")
            .map(|name| format!(".{name}(")),
    );
    assert!(wanted.len() > 20, "{wanted:?}");
    let is_fed = |one: &String| rest.iter().any(|(_, text)| text.contains(one.as_str()));
    wanted.retain(|one| !is_fed(one));
    complain(&wanted);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace manifest");
    let table = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .expect("shared versions");
    let table = table.split("\n[").next().expect("the table itself");
    let mute = table
        .lines()
        .filter(|line| line.contains(" = ") && !line.contains("path = "));
    let mute: Vec<String> = mute
        .filter(|line| !line.contains('#'))
        .map(str::to_owned)
        .collect();
    complain(&mute);
}
