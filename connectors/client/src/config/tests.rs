//! A configuration is read whole, or all that is wrong with it is told.

use super::*;

/// The example that agencies start from.
const WHOLE: &str = include_str!("../../connector.example.toml");

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), "secret\n").expect("a file");
    folder
}

#[test]
fn a_whole_configuration_is_read() {
    let folder = folder();
    let config = Config::parse(WHOLE, folder.path()).expect("a good configuration");
    assert_eq!(config.broker.account.as_str(), "a17");
    assert_eq!(config.broker.uri.vhost, "lienthong");
    assert_eq!(
        config.broker.password.expect("a password").expose_secret(),
        "secret"
    );
    assert_eq!(config.folder, folder.path().join("data"));
    assert_eq!(config.store.remember, Duration::from_secs(30 * 86_400));
    assert_eq!(
        (config.store, config.limits),
        (StoreLimits::default(), Limits::default()),
        "it shows the defaults"
    );
    assert_eq!((config.limits.prefetch, config.arrival), (100, Arrival::Reported));
}

#[test]
fn all_faults_are_reported_at_once() {
    let folder = folder();
    let text = r#"
        surprise = 1
        [broker]
        uri = "amqp://user:secret@host/"
        account = "A.17"
        password_file = "nowhere"
        colour = "red"
        [store]
        remember_days = 0
        [limits]
        prefetch = "many"
        [receipts]
        gateway_certificates = ["password"]
    "#;
    let ConfigFaults(faults) = Config::parse(text, folder.path()).expect_err("full of faults");
    let named: Vec<&str> = faults
        .iter()
        .filter_map(|fault| fault.split(':').next())
        .collect();
    let expected = [
        "broker.account",
        "broker.colour",
        "broker.password_file",
        "broker.uri",
        "limits.prefetch",
        "receipts.gateway_certificates",
        "store.folder",
        "store.remember_days",
        "surprise",
    ];
    assert_eq!(named, expected, "{faults:#?}");
}

#[test]
fn neither_password_nor_certificate_is_a_fault() {
    let folder = folder();
    let text = WHOLE.replace("password_file = ", "# ");
    let ConfigFaults(faults) = Config::parse(&text, folder.path()).expect_err("no way to log in");
    assert!(faults[0].starts_with("broker.password_file"), "{faults:?}");
    let missing = Config::parse("", folder.path()).expect_err("nothing at all");
    assert!(missing.0[0].contains("[broker]"), "{missing}");
}

#[test]
fn a_password_is_never_printed() {
    let folder = folder();
    std::fs::write(folder.path().join("password"), "open-sesame").expect("a file");
    let config = Config::parse(WHOLE, folder.path()).expect("a good configuration");
    assert!(!format!("{config:?}").contains("sesame"), "{config:?}");
}

#[test]
fn files_without_certificates_or_key_are_refused() {
    let folder = folder();
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, text) in [("none", ""), ("hollow", hollow)] {
        std::fs::write(folder.path().join(file), text).expect("a file");
    }
    let faults = |lines: &str| {
        let text = WHOLE.replace("password_file = ", &format!("{lines}\npassword_file = "));
        let ConfigFaults(faults) = Config::parse(&text, folder.path()).expect_err("a fault");
        faults
    };
    for (lines, told) in [
        (
            "authorities_file = \"none\"",
            "broker.authorities_file: tệp không có chứng thư PEM",
        ),
        (
            "authorities_file = \"hollow\"",
            "broker.authorities_file: không dùng được chứng thư thứ 1",
        ),
        (
            "certificate_file = \"none\"\nkey_file = \"password\"",
            "broker.certificate_file: tệp không có chứng thư PEM",
        ),
    ] {
        let faults = faults(lines);
        assert!(faults.len() == 1 && faults[0].starts_with(told), "{faults:?}");
    }
}

#[test]
fn every_number_is_taken_up_to_its_edges_and_not_beyond() {
    let folder = folder();
    let lines: Vec<&str> = WHOLE.lines().collect();
    let said = |place: usize, key: &str, number: i64| {
        let mut lines = lines.clone();
        let line = format!("{key} = {number}");
        lines[place] = &line;
        let ConfigFaults(faults) = Config::parse(&lines.join("\n"), folder.path()).err()?;
        faults
            .into_iter()
            .find(|fault| fault.contains(&format!(".{key}:")))
    };
    let mut numbers = 0;
    for (place, line) in lines.iter().enumerate() {
        let Some((key, rest)) = line.split_once(" = ") else {
            continue;
        };
        let value = rest.split('#').next().unwrap_or_default().trim();
        if value.parse::<i64>().is_err() {
            continue;
        }
        numbers += 1;
        let fault = said(place, key, i64::MIN).unwrap_or_else(|| panic!("{key} has no least value"));
        let edges = fault
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|word| word.parse::<i64>().ok());
        let edges: Vec<i64> = edges.take(2).collect();
        let [from, to] = edges[..] else {
            panic!("no range in {fault}");
        };
        for (number, is_taken) in [(from - 1, false), (from, true), (to, true), (to + 1, false)] {
            assert_eq!(
                said(place, key, number).is_none(),
                is_taken,
                "{key} = {number}: {fault}"
            );
        }
    }
    assert!(numbers > 8, "{numbers} numbers in the example");
}
