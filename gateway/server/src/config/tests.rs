//! Faults are told all at once, and the published example is what the code does.

use std::path::Path;

use super::*;

use ::trust::policy::Limit;

const EXAMPLE: &str = include_str!("../../../../ops/gateway.toml");
const SECTIONS_SOURCES: [&str; 3] = [
    include_str!("sections.rs"),
    include_str!("trust.rs"),
    include_str!("trust/policy.rs"),
];

/// A folder with all that the example names, and the example with its paths in that folder.
fn example() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "gateway.key",
        "gateway.pem",
        "broker-ca.pem",
        "broker.password",
        "provision.password",
    ] {
        std::fs::write(folder.path().join(name), "secret-text\n").expect("written");
    }
    for name in ["anchors", "candidates", "crl"] {
        std::fs::create_dir(folder.path().join(name)).expect("made");
    }
    let text = EXAMPLE
        .replace("/etc/gateway/", "")
        .replace("/var/lib/gateway", "data");
    (folder, text)
}

/// The example with every default written out.
fn with_defaults(text: &str) -> String {
    let is_default = |line: &str| {
        let key = line.strip_prefix('#').and_then(|rest| rest.split_once(" = "));
        key.is_some_and(|(key, _)| {
            key.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
    };
    let line = |line: &str| {
        if is_default(line) {
            line[1..].to_owned()
        } else {
            line.to_owned()
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn faults(text: &str, folder: &Path) -> Vec<String> {
    let faults = Config::parse(text, folder).expect_err("faults");
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_a_configuration_and_its_comments_are_the_defaults() {
    let (folder, text) = example();
    let config = Config::parse(&text, folder.path()).expect("a configuration");
    let mut written = Config::parse(&with_defaults(&text), folder.path()).expect("a configuration");
    assert!(written.broker.ca_file.take().is_some());
    assert!(written.trust.candidates_dir.take().is_some() && written.trust.crl_dir.take().is_some());
    assert_eq!(format!("{config:?}"), format!("{written:?}"));
    assert_eq!(config.gateway.data_dir, folder.path().join("data"));
}

#[test]
fn the_example_shows_every_key() {
    let keys = SECTIONS_SOURCES
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.trim().strip_prefix("/// `")?.split_once("`: "));
    let keys: Vec<&str> = keys
        .map(|(key, _)| key)
        .filter(|key| !key.starts_with('['))
        .collect();
    assert!(keys.len() > 50, "{keys:?}");
    let shown = with_defaults(EXAMPLE);
    for key in keys {
        assert!(
            shown.lines().any(|line| line.starts_with(&format!("{key} = "))),
            "{key} is not in the example"
        );
    }
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let (folder, _) = example();
    let text = r#"
        colour = 1
        [gateway]
        code = " x"
        data_dir = "gateway.key"
        key_file = "nowhere.key"
        [broker]
        uri = "amqp://user:secret-text@host:5672"
        password = "secret-text"
        prefetch_cuont = 3
        prefetch_count = "many"
        window = 0
        [broker.provision]
        management_uri = "http://127.0.0.1:15672"
        password = { env = "GATEWAY_A_VARIABLE_THAT_NOBODY_SETS" }
        shoe = 43
        [store]
        segment_bytes_max = 1048576
        inline_bytes_max = 2097152
        [trust]
        anchors_dir = "nowhere"
        crl_urls = ["ftp://x", 7]
        [http]
        listen = "here"
        [log]
        format = "xml"
        [lgo]
    "#;
    let faults = faults(text, folder.path());
    let expected = [
        "[gateway] code: must be an agency code, is \" x\"",
        "[gateway] data_dir: there is no folder",
        "[gateway] key_file: there is no file",
        "[gateway] certificate_file: is missing",
        "[broker] uri: must be amqp://",
        "[broker] password: a secret is named by its place",
        "[broker] prefetch_count: must be a whole number, is string",
        "[broker] window: must be 1 .. 10000, is \"0\"",
        "[broker.provision] user: is missing",
        "[broker.provision] password: the secret the environment has no GATEWAY_A_VARIABLE_THAT_NOBODY_SETS",
        "[broker.provision] shoe: is not a known key",
        "[broker] prefetch_cuont: is not a known key; did you mean prefetch_count?",
        "[store] segment_bytes_max: must not be smaller than inline_bytes_max",
        "[trust] anchors_dir: there is no folder",
        "[trust] crl_urls: must be a list of texts, is integer",
        "[trust] crl_urls: must be an http:// or https:// address, is \"ftp://x\"",
        "[http] listen: must be an address with port",
        "[log] format: must be text | json, is \"xml\"",
        "colour: is not a known key",
        "[lgo]: is not a known key; did you mean log?",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault} / {expected}");
    }
    assert!(
        !faults.join("\n").contains("secret-text"),
        "a password in a fault: {faults:#?}"
    );
}

#[test]
fn what_is_there_and_empty_is_a_fault_as_any_other() {
    let (folder, _) = example();
    let text = r#"
        [gateway]
        code = ""
        data_dir = " "
        key_file = "gateway.key"
        certificate_file = "gateway.pem"
        [broker]
        user = ""
        password = { file = "broker.password" }
        vhost = ""
        window = 0
        [broker.provision]
        management_uri = ""
        user = ""
        password = { file = "provision.password" }
        [trust]
        anchors_dir = "anchors"
    "#;
    let empty = |place: &str| format!("{place}: must not be empty");
    let expected = [
        empty("[gateway] code"),
        empty("[gateway] data_dir"),
        empty("[broker] user"),
        empty("[broker] vhost"),
        "[broker] window: must be 1 .. 10000, is \"0\"".to_owned(),
        empty("[broker.provision] management_uri"),
        empty("[broker.provision] user"),
    ];
    assert_eq!(faults(text, folder.path()), expected);
}

#[test]
fn the_largest_packet_that_may_be_set_goes_through_every_queue_on_its_way() {
    /// RabbitMQ's `max_message_size` where nobody has set it (3.10).
    const MESSAGE_BYTES_MAX: u64 = 134_217_728;
    let (folder, text) = example();
    let text = with_defaults(&text);
    let queues = crate::broker::topology::Limits::default();
    let narrowest = [
        queues.intake_bytes_max,
        queues.urgent_bytes_max,
        queues.inbox_bytes_max,
    ];
    let narrowest = narrowest.into_iter().min().expect("three queues");
    assert!(narrowest <= MESSAGE_BYTES_MAX);
    let set = |bytes: u64| {
        text.replace(
            "packet_bytes_max = 16777216",
            &format!("packet_bytes_max = {bytes}"),
        )
    };
    let config = Config::parse(&set(narrowest), folder.path()).expect("a configuration");
    assert_eq!(config.limits.packet_bytes_max, narrowest);
    let beyond = narrowest + 1;
    assert_eq!(
        faults(&set(beyond), folder.path()),
        [format!(
            "[limits] packet_bytes_max: must be 1024 .. {narrowest}, is \"{beyond}\""
        )]
    );
}

#[test]
fn the_example_gives_the_gateway_a_code_that_is_no_agencys() {
    use domain::directory::code_form::{CodeForm, superior_codes};
    let (folder, text) = example();
    let code = Config::parse(&text, folder.path())
        .expect("a configuration")
        .gateway
        .code;
    assert_eq!(CodeForm::of(&code), CodeForm::Qd20, "agencies' software takes it");
    let province = superior_codes(&code).pop().expect("it is below the province's");
    assert_eq!(province.as_str(), "H53");
}

#[test]
fn the_key_stands_in_one_place() {
    let (folder, text) = example();
    let written = |key: &str, sections: &str| {
        let (head, tail) = text.split_once("[broker]").expect("the example has a broker");
        let files = |line: &&str| !line.starts_with("key_file") && !line.starts_with("certificate_file");
        let head: Vec<&str> = head.lines().filter(files).collect();
        format!("{}\n{key}\n{sections}\n[broker]{tail}", head.join("\n"))
    };
    let token = "[gateway.token]\nmodule = \"gateway.key\"\nlabel = \"x\"\nkey = \"x\"\n\
                 password = { file = \"broker.password\" }";
    let pkcs12 = "[gateway.pkcs12]\nfile = \"gateway.key\"\npassword = { file = \"broker.password\" }";
    let (key, certificate) = ("key_file = \"gateway.key\"", "certificate_file = \"gateway.pem\"");
    let both = format!("{key}\n{certificate}");
    for (files, sections) in [(&both[..], ""), (certificate, token), ("", pkcs12)] {
        let config = Config::parse(&written(files, sections), folder.path()).expect("a configuration");
        assert!(!format!("{config:?}").contains("secret-text"));
    }
    let two = format!("{token}\n{pkcs12}");
    let in_file = "the key is in the file of [gateway.pkcs12]";
    let beside = "the certificates are in the file of [gateway.pkcs12]";
    for (files, sections, expected) in [
        (key, "", vec!["[gateway] certificate_file: is missing".to_owned()]),
        (
            &both,
            token,
            vec!["[gateway] key_file: the key is in the token of [gateway.token]".to_owned()],
        ),
        (
            "",
            token,
            vec!["[gateway] certificate_file: is missing".to_owned()],
        ),
        ("", &two, vec![format!("[gateway] token: {in_file}")]),
        (
            &both,
            pkcs12,
            vec![
                format!("[gateway] key_file: {in_file}"),
                format!("[gateway] certificate_file: {beside}"),
            ],
        ),
        (
            "",
            "[gateway.pkcs12]\nfle = \"gateway.key\"",
            vec![
                "[gateway.pkcs12] file: is missing".to_owned(),
                "[gateway.pkcs12] password: is missing".to_owned(),
                "[gateway.pkcs12] fle: is not a known key; did you mean file?".to_owned(),
            ],
        ),
    ] {
        assert_eq!(faults(&written(files, sections), folder.path()), expected);
    }
}

#[test]
fn an_empty_file_names_all_that_must_be_set() {
    let faults = faults("", Path::new("/"));
    let needed = [
        "gateway] code",
        "] data_dir",
        "] key_file",
        "] certificate_file",
        "broker] password",
        "] anchors_dir",
    ];
    assert_eq!(faults.len(), needed.len(), "{faults:#?}");
    for (fault, needed) in faults.iter().zip(needed) {
        assert!(
            fault.contains(needed) && fault.ends_with("is missing"),
            "{fault} / {needed}"
        );
    }
}

#[test]
fn algorithms_end_on_the_day_that_is_set_and_anchors_are_those_that_are_pinned() {
    let (folder, text) = example();
    let with = |places: &[(&str, &str)]| {
        let mut text = with_defaults(&text);
        for (key, value) in places {
            let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")));
            let line = line.expect("the example shows it").to_owned();
            text = text.replace(&line, &format!("{key} = {value}"));
        }
        Config::parse(&text, folder.path())
    };
    let roots = with(&[])
        .expect("a configuration")
        .trust
        .anchor_fingerprints
        .len();
    let trust = with(&[
        ("sha1_until", "\"never\""),
        ("rsa_1024_until", "\"always\""),
        ("curves_until", "\"2030-12-31\""),
        ("public_authorities", "true"),
        ("status_may_precede_proof", "true"),
    ]);
    let trust = trust.expect("a configuration").trust;
    let algorithms = &trust.policy.algorithms;
    assert_eq!(algorithms.sha1, Limit::Never);
    assert_eq!(algorithms.rsa_bits[0], (1024, Limit::Always));
    let end = "2030-12-30T17:00:00Z".parse().expect("a time");
    assert_eq!(algorithms.curves, Limit::Until(end), "midnight in Vietnam");
    assert!(trust.policy.may_status_precede_proof);
    assert_eq!(trust.anchor_fingerprints.len(), roots + 1, "the national root");
    let faults = with(&[
        ("sha1_until", "\"2017-02-30\""),
        ("anchor_fingerprints", "[\"F0:4B\"]"),
    ]);
    let faults = faults.expect_err("faults");
    let [pinned, until] = [0, 1].map(|place: usize| faults[place].to_string());
    assert!(
        pinned.starts_with("[trust] anchor_fingerprints: must be SHA-256"),
        "{pinned}"
    );
    assert!(
        until.starts_with("[trust.policy] sha1_until: must be always | never | a day"),
        "{until}"
    );
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let faults = faults("[gateway]\ncode = ", Path::new("/"));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("line 2"), "{faults:?}");
}

#[test]
fn a_configuration_prints_no_secret() {
    let (folder, text) = example();
    let config = Config::parse(&text, folder.path()).expect("a configuration");
    assert_eq!(config.broker.password.expose(), "secret-text");
    assert!(!format!("{config:?}").contains("secret-text"));
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = Config::load(&folder.path().join("gateway.toml")).expect_err("no file");
    assert!(faults[0].to_string().contains("cannot be read"), "{faults:?}");
}

#[test]
fn every_number_is_taken_up_to_its_edges_and_not_beyond() {
    let (folder, text) = example();
    let text = with_defaults(&text);
    let lines: Vec<&str> = text.lines().collect();
    // What is said of the key in this line when it has this value. Other keys may contradict it: not the matter here.
    let said = |place: usize, key: &str, number: i64| {
        let mut lines = lines.clone();
        let line = format!("{key} = {number}");
        lines[place] = &line;
        let faults = Config::parse(&lines.join("\n"), folder.path())
            .err()
            .unwrap_or_default();
        let said = faults.iter().map(ToString::to_string);
        said.filter_map(|fault| Some(fault.split_once(&format!(" {key}: must be "))?.1.to_owned()))
            .find(|fault| fault.ends_with(&format!("\"{number}\"")))
    };
    let mut numbers = 0;
    for (place, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ") else {
            continue;
        };
        if value.trim().parse::<i64>().is_err() {
            continue;
        }
        numbers += 1;
        let range = said(place, key, i64::MIN).unwrap_or_else(|| panic!("{key} has no least value"));
        let (from, rest) = range.split_once(" .. ").expect("a range");
        let (to, _) = rest.split_once(", is").expect("a range");
        let [from, to] = [from, to].map(|edge| edge.parse::<i64>().expect("a number"));
        for (number, is_taken) in [(from - 1, false), (from, true), (to, true), (to + 1, false)] {
            assert_eq!(said(place, key, number).is_none(), is_taken, "{key} = {number}");
        }
    }
    assert!(numbers > 40, "{numbers} numbers in the example");
}
