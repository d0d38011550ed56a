//! Every fault in both languages, with its values.

use std::path::PathBuf;

use domain::ids::{AgencyId, CaseId, Code};
use domain::port::StoreFault;
use trust::Time;

use super::*;
use crate::administration::{AdministrationFault, OrderFault, ParkingFault, Told};
use crate::signer::{Pkcs12Fault, SignerFault};

fn path() -> PathBuf {
    PathBuf::from("/srv/x")
}

fn absent() -> io::Error {
    ErrorKind::NotFound.into()
}

fn text() -> String {
    "x".to_owned()
}

fn own_code() -> Code {
    Code::parse("H53.LT").expect("a code")
}

fn http() -> reqwest::Error {
    reqwest::Client::new()
        .get("http://[")
        .build()
        .expect_err("not an address")
}

fn stored_faults() -> Vec<store::Fault> {
    vec![
        store::Fault::Damaged {
            path: path(),
            offset: 7,
            what: text(),
        },
        store::Fault::Index(text()),
        store::Fault::Full {
            directory: path(),
            free_bytes: 1,
            free_bytes_min: 2,
        },
        store::Fault::Locked { directory: path() },
        store::Fault::Newer {
            path: path(),
            found: 2,
            known: 1,
        },
        store::Fault::System {
            operation: "open",
            path: path(),
            source: absent(),
        },
    ]
}

fn pkcs12_faults() -> impl Iterator<Item = SignerFault> {
    let faults = [
        Pkcs12Fault::Size,
        Pkcs12Fault::Bags,
        Pkcs12Fault::Iterations,
        Pkcs12Fault::Malformed,
        Pkcs12Fault::Unproven,
        Pkcs12Fault::Algorithm(const_oid::db::rfc5911::ID_DATA),
        Pkcs12Fault::Password,
        Pkcs12Fault::KeyAbsent,
        Pkcs12Fault::KeyAmbiguous,
        Pkcs12Fault::KeyUnfit,
        Pkcs12Fault::CertificateAbsent,
        Pkcs12Fault::CertificateUnfit,
        Pkcs12Fault::Mismatch,
    ];
    faults
        .into_iter()
        .map(|fault| SignerFault::Pkcs12 { path: path(), fault })
}

fn signer_faults() -> Vec<SignerFault> {
    let others = vec![
        SignerFault::Read {
            path: path(),
            error: absent(),
        },
        SignerFault::NoCertificate(path()),
        SignerFault::Mismatch {
            certificate: path(),
            key: "receipts".to_owned(),
        },
        SignerFault::Early {
            path: path(),
            subject: text(),
            begins: Time::from_seconds(1_900_000_000),
        },
        SignerFault::Ended {
            path: path(),
            subject: text(),
            ended: Time::from_seconds(1_600_000_000),
        },
    ];
    others.into_iter().chain(pkcs12_faults()).collect()
}

fn app_faults() -> Vec<AppFault> {
    let mut faults = vec![
        AppFault::Broker(BrokerFault::Address),
        AppFault::Broker(BrokerFault::AuthoritiesUnfit {
            path: path(),
            fault: PemFault::Absent,
        }),
        AppFault::Broker(BrokerFault::AuthoritiesUnfit {
            path: path(),
            fault: PemFault::Certificate { number: 2 },
        }),
        AppFault::Broker(BrokerFault::AuthoritiesUnread {
            path: path(),
            error: absent(),
        }),
        AppFault::Broker(BrokerFault::Away),
        AppFault::Broker(BrokerFault::Silent),
        AppFault::CodeTaken {
            code: own_code(),
            agency: AgencyId::from_number(1),
        },
        AppFault::CrashNotes(absent()),
        AppFault::Http(HttpFault::Listen {
            address: "127.0.0.1:9710".parse().expect("an address"),
            error: ErrorKind::AddrInUse.into(),
        }),
        AppFault::Http(HttpFault::Place(PlaceFault::NoAddress { path: path() })),
        AppFault::StageEnded("sweep"),
        AppFault::StoreStopped(text()),
        AppFault::Threads(absent()),
        AppFault::Trust(TrustKeeperFault::NoAnchor(path())),
        AppFault::Trust(TrustKeeperFault::Unpinned {
            folder: path(),
            faults: text(),
        }),
    ];
    faults.extend(stored_faults().into_iter().map(AppFault::Store));
    faults.extend(signer_faults().into_iter().map(AppFault::Signer));
    faults
}

fn broker_faults() -> Vec<ProvisionFault> {
    vec![
        ProvisionFault::Client(http()),
        ProvisionFault::Request(http()),
        ProvisionFault::Credential { path: text() },
        ProvisionFault::Status {
            method: reqwest::Method::PUT,
            path: text(),
            status: reqwest::StatusCode::NOT_FOUND,
            reason: text(),
        },
        ProvisionFault::Foreign {
            vhost: text(),
            epoch: text(),
        },
        ProvisionFault::Answer { path: text() },
    ]
}

fn faults() -> Vec<CommandFault> {
    let file = || CommandFault::File {
        path: path(),
        error: absent(),
    };
    let mut faults = vec![
        CommandFault::Accounts(absent()),
        CommandFault::Administration(AdministrationFault::Order(OrderFault::AgencyUnknown(text()))),
        CommandFault::Administration(AdministrationFault::Order(OrderFault::CodeOfGateway(own_code()))),
        CommandFault::Administration(AdministrationFault::Shared(
            crate::administration::ProvisionFault::NotConfigured,
        )),
        CommandFault::Answered(reqwest::StatusCode::BAD_GATEWAY),
        CommandFault::BrokerAway(text()),
        CommandFault::Busy(path()),
        CommandFault::CaseUnfit(text()),
        CommandFault::CaseUnknown(CaseId::from_bytes([1; 16])),
        CommandFault::Certificate {
            path: path(),
            fault: text(),
        },
        CommandFault::CodeUnfit(text()),
        CommandFault::Exchange(http()),
        CommandFault::Key(rcgen::Error::KeyGenerationUnavailable),
        CommandFault::NoGateway,
        CommandFault::Parking(ParkingFault::StillParked(CaseId::from_bytes([1; 16]))),
        CommandFault::PasswordsLost {
            path: path(),
            accounts: text(),
            error: absent(),
        },
        CommandFault::Place(PlaceFault::Read {
            path: path(),
            error: absent(),
        }),
        CommandFault::Problem(Text::CertificateIsAuthority.with(&[])),
        CommandFault::Several(vec![file(), file()]),
        CommandFault::StoreAway(StoreFault::NotNow(text())),
        CommandFault::Telemetry,
        CommandFault::Told(Told::Conflict {}),
        CommandFault::Trust(TrustKeeperFault::Folder {
            folder: path(),
            error: absent(),
        }),
    ];
    faults.extend(app_faults().into_iter().map(CommandFault::App));
    faults.extend(stored_faults().into_iter().map(CommandFault::Store));
    faults.extend(signer_faults().into_iter().map(CommandFault::Signer));
    faults.extend(broker_faults().into_iter().map(CommandFault::Provision));
    faults
}

#[test]
fn every_fault_is_said_in_both_languages_with_its_values() {
    for fault in faults() {
        for said in in_words(&fault) {
            assert!(said.missing().is_empty(), "{fault:?}: {said}");
            let [vi, en] = said.languages();
            let is_said_already = matches!(fault, CommandFault::Problem(_));
            assert!(vi != en || is_said_already, "{fault:?}: {vi}");
            assert!(!vi.contains("entity not found"), "{vi}");
        }
    }
    assert_eq!(
        in_words(&CommandFault::Several(vec![
            CommandFault::NoGateway,
            CommandFault::NoGateway
        ]))
        .len(),
        2
    );
}

#[test]
fn a_certificate_that_ended_is_told_with_its_day_and_what_to_do() {
    let faults = signer_faults();
    let ended = faults
        .iter()
        .find(|fault| matches!(fault, SignerFault::Ended { .. }));
    for half in signer(ended.expect("one of them")).languages() {
        for told in ["/srv/x", "2020-09-13", "gateway key new"] {
            assert!(half.contains(told), "{half} / {told}");
        }
    }
}

#[test]
fn a_folder_in_use_names_the_process_and_the_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = std::fs::File::create(folder.path().join("lock")).expect("made");
    lock.try_lock().expect("free");
    let directory = folder.path().to_owned();
    let said = stored(&store::Fault::Locked { directory });
    let process = std::process::id().to_string();
    for half in said.languages() {
        assert!(half.contains(&process) && half.contains("/lock"), "{half}");
    }
}

#[test]
fn what_a_value_should_be_is_said_in_vietnamese_too() {
    assert_eq!(term("a whole number").to_string(), "số nguyên / a whole number");
    assert_eq!(
        term("agency id").to_string(),
        "số hiệu cơ quan (a17) / an agency id (a17)"
    );
    assert_eq!(term("json | text").to_string(), "json | text");
}
