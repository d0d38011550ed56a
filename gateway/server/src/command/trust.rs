//! `gateway trust`: trust material.

use std::path::PathBuf;

use clap::Subcommand;
use trust::Digest;

use super::desk::Desk;
use super::text::{Text, print};
use super::{CommandFault, Ending, print_json, read_file};
use crate::administration::{Addition, ListState, Told, Trouble};
use crate::http::view::{
    AbsentListView, AddedCertificateView, AddedView, AddressView, IssuingCertificateView, ListView,
    MaterialView, TrustView,
};

#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// Tình trạng / how it stands.
    Status,
    /// Đọc lại thư mục và tải mọi danh sách / read the folders and fetch all lists now.
    Refresh,
    /// Liệt kê mọi chứng thư và danh sách thu hồi đang dùng / every certificate and revocation list in use.
    List,
    /// Nhận chứng thư của tổ chức cấp chứng thư / take certificates of authorities.
    Add {
        /// Tệp PEM (một hoặc nhiều chứng thư) hoặc DER / the file.
        file: PathBuf,
        /// Nhận làm gốc tin cậy thay vì trung gian / as an anchor, not as candidates.
        #[arg(long, requires = "fingerprint")]
        anchor: bool,
        /// Dấu vân tay SHA-256 của gốc, lấy từ nguồn khác tệp này / the anchor's fingerprint, had from elsewhere.
        #[arg(long, requires = "anchor", value_name = "SHA256")]
        fingerprint: Option<String>,
    },
    /// Nhận một danh sách thu hồi từ tệp / take a revocation list from a file.
    ImportCrl {
        /// Tệp PEM hoặc DER / the file.
        file: PathBuf,
    },
}

pub(super) async fn carry_out(
    desk: &Desk,
    command: &TrustCommand,
    json: bool,
) -> Result<Ending, CommandFault> {
    match command {
        TrustCommand::Status => Ok(tell(&desk.trust_status().await?, json)),
        TrustCommand::Refresh => Ok(tell(&desk.trust_refresh().await?, json)),
        TrustCommand::List => {
            let material = desk.trust_material().await?;
            if json {
                print_json(&material);
            } else {
                material_lines(&material).iter().for_each(|line| print(line));
            }
            Ok(Ending::Done)
        }
        TrustCommand::Add {
            file, fingerprint, ..
        } => {
            let addition = Addition {
                anchor: fingerprint.as_deref().map(parse_fingerprint).transpose()?,
                file: read_file(file)?,
            };
            tell_added(&desk.trust_add(addition).await?, json)
        }
        TrustCommand::ImportCrl { file } => {
            let list = desk.trust_import(read_file(file)?).await?;
            if json {
                print_json(&list);
            } else {
                let number = list.number.as_deref().unwrap_or("-");
                Text::ListImported.say(&[("issuer", &list.issuer), ("number", number)]);
                if list.state == ListState::Overdue.word() {
                    let values = list_values(&list);
                    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                    Text::TrustListOverdue.say(&values);
                }
            }
            Ok(Ending::Done)
        }
    }
}

fn parse_fingerprint(text: &str) -> Result<Digest, CommandFault> {
    let unfit = |_| {
        CommandFault::Told(Told::FingerprintUnfit {
            text: text.to_owned(),
        })
    };
    Digest::from_fingerprint(text).map_err(unfit)
}

/// Done when all of the file is there, not done when anything in it was refused.
fn tell_added(view: &AddedView, json: bool) -> Result<Ending, CommandFault> {
    if json {
        print_json(view);
    } else {
        added_lines(view).iter().for_each(|line| print(line));
    }
    match view.is_taken {
        true => Ok(Ending::Done),
        false => Err(CommandFault::Told(Told::CertificatesRefused {})),
    }
}

fn added_lines(view: &AddedView) -> Vec<String> {
    let line = |one: &AddedCertificateView| {
        let text = match one.became.as_str() {
            "new" if view.is_taken => Text::AddedNew,
            "new" => Text::AddedFit,
            "known" => Text::AddedKnown,
            "expired" => Text::AddedExpired,
            _ => Text::AddedNoAuthority,
        };
        let certificate = &one.certificate;
        let values = [
            ("subject", certificate.subject.as_str()),
            ("until", &certificate.not_after),
            ("fingerprint", &certificate.fingerprint),
        ];
        text.with(&values)
    };
    view.certificates.iter().map(line).collect()
}

/// Each certificate and each list in a line.
fn material_lines(view: &MaterialView) -> Vec<String> {
    let certificate = |one: &IssuingCertificateView| {
        let role = match one.role.as_str() {
            "anchor" => Text::RoleAnchor,
            "candidate" => Text::RoleCandidate,
            "learned" => Text::RoleLearned,
            _ => Text::RoleStranger,
        };
        let said = Text::TrustCertificate.said().about("role", &role.said());
        let said = said.with("subject", &one.subject).with("issuer", &one.issuer);
        let said = said
            .with("serial", &one.serial)
            .with("fingerprint", &one.fingerprint);
        let said = said.with("from", &one.not_before).with("until", &one.not_after);
        said.to_string()
    };
    let certificates = view.certificates.iter().map(certificate);
    certificates.chain(view.lists.iter().map(list_line)).collect()
}

/// Done in part when an address or a file could not be used, or a list is old.
fn tell(view: &TrustView, json: bool) -> Ending {
    if json {
        print_json(view);
    } else {
        lines(view).iter().for_each(|line| print(line));
    }
    let is_whole = view.faults.is_empty()
        && view.absent_lists.is_empty()
        && view.addresses.iter().all(|address| address.fault.is_none())
        && view
            .lists
            .iter()
            .all(|list| list.state != ListState::Overdue.word());
    if is_whole { Ending::Done } else { Ending::InPart }
}

/// What a person reads: what is in use, and after each thing that is not well what to do about it.
fn lines(view: &TrustView) -> Vec<String> {
    let mut lines = vec![Text::TrustVersion.with(&[("version", &view.version.to_string())])];
    for anchor in &view.anchors {
        lines.push(Text::TrustAnchor.with(&[("subject", &anchor.subject), ("until", &anchor.not_after)]));
    }
    lines.push(Text::TrustAnswers.with(&[("count", &view.answers.to_string())]));
    for list in &view.lists {
        list_lines(view, list, &mut lines);
    }
    for list in &view.absent_lists {
        absent_lines(view, list, &mut lines);
    }
    for address in &view.addresses {
        address_lines(address, &mut lines);
    }
    for fault in &view.faults {
        lines.push(Text::TrustFault.with(&[("fault", fault)]));
    }
    lines
}

fn list_line(list: &ListView) -> String {
    let values = list_values(list);
    Text::TrustList.with(&values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

fn list_values(list: &ListView) -> [(&'static str, String); 6] {
    let from = match list.urls.as_slice() {
        [] => "-".to_owned(),
        urls => urls.join(" "),
    };
    [
        ("issuer", list.issuer.clone()),
        ("number", or_none(&list.number)),
        ("entries", list.entries.to_string()),
        ("made", list.this_update.clone()),
        ("until", or_none(&list.next_update)),
        ("from", from),
    ]
}

fn list_lines(view: &TrustView, list: &ListView, lines: &mut Vec<String>) {
    let values = list_values(list);
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    lines.push(Text::TrustList.with(&values));
    if list.state == ListState::Ended.word() {
        lines.push(Text::TrustListEnded.with(&values));
    }
    if list.state != ListState::Overdue.word() {
        return;
    }
    lines.push(Text::TrustListOverdue.with(&values));
    let gave = |address: &&AddressView| list.urls.contains(&address.url);
    let is_failing = view.addresses.iter().filter(gave).any(|one| one.fault.is_some());
    lines.push(match list.urls.as_slice() {
        [] => Text::TrustDoBring.with(&values),
        // What is wrong with the address, and what to do about it, stands below it.
        _ if is_failing => Text::TrustDoAddress.with(&values),
        _ => Text::TrustDoAskIssuer.with(&values),
    });
}

fn absent_lines(view: &TrustView, list: &AbsentListView, lines: &mut Vec<String>) {
    let from = list.urls.join(" ");
    let values = [("issuer", list.issuer.as_deref().unwrap_or("-")), ("from", &from)];
    lines.push(Text::TrustListAbsent.with(&values));
    let is_asked = view
        .addresses
        .iter()
        .any(|address| list.urls.contains(&address.url));
    lines.push(match is_asked {
        true => Text::TrustDoAddress.with(&values),
        false => Text::TrustDoBring.with(&values),
    });
}

fn address_lines(address: &AddressView, lines: &mut Vec<String>) {
    let fetched = or_none(&address.fetched_at);
    let Some(fault) = &address.fault else {
        lines.push(Text::TrustAddress.with(&[("url", &address.url), ("fetched", &fetched)]));
        return;
    };
    let since = or_none(&address.failing_since);
    let values = [
        ("url", address.url.as_str()),
        ("fetched", &fetched),
        ("since", &since),
        ("fault", fault),
    ];
    lines.push(Text::TrustAddressFails.with(&values));
    lines.push(what_to_do(address.trouble.as_deref()).with(&values));
    if let Some(until) = &address.resting_until {
        lines.push(Text::TrustAddressRests.with(&[("until", until)]));
    }
}

fn or_none(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "-".to_owned())
}

fn what_to_do(trouble: Option<&str>) -> Text {
    match trouble.and_then(Trouble::parse) {
        Some(Trouble::Unreachable) => Text::TrustDoReach,
        Some(Trouble::Forbidden) => Text::TrustDoAllow,
        Some(Trouble::WrongAnswer) => Text::TrustDoCorrect,
        Some(Trouble::Unsigned) => Text::TrustDoIssuer,
        Some(Trouble::Outdated) => Text::TrustDoOutdated,
        Some(Trouble::Ours) | None => Text::TrustDoLog,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command::Cli;

    const URL: &str = "http://ca.example/g2.crl";

    fn view(state: ListState, urls: &[&str], trouble: Option<Trouble>) -> TrustView {
        let list = ListView {
            issuer: "CN=CA G2".to_owned(),
            number: Some("0a".to_owned()),
            this_update: "2026-11-01T08:00:00+07:00".to_owned(),
            next_update: Some("2026-11-08T08:00:00+07:00".to_owned()),
            entries: 3,
            state: state.word().to_owned(),
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        };
        let address = AddressView {
            url: URL.to_owned(),
            fetched_at: Some("2026-11-07T08:00:00+07:00".to_owned()),
            failing_since: trouble.map(|_| "2026-11-07T09:00:00+07:00".to_owned()),
            trouble: trouble.map(|trouble| trouble.word().to_owned()),
            fault: trouble.map(|_| "the answer was 500".to_owned()),
            resting_until: None,
        };
        TrustView {
            version: 7,
            anchors: Vec::new(),
            candidates: 1,
            answers: 2,
            lists: vec![list],
            absent_lists: Vec::new(),
            addresses: vec![address],
            faults: Vec::new(),
        }
    }

    #[test]
    fn an_old_list_is_told_with_its_address_since_when_and_what_to_do() {
        let told = |urls: &[&str], trouble| lines(&view(ListState::Overdue, urls, trouble)).join("\n");
        let failing = told(&[URL], Some(Trouble::WrongAnswer));
        for part in [
            "QUÁ HẠN từ 2026-11-08T08:00:00+07:00",
            "CN=CA G2",
            &format!("nguồn {URL}"),
            "không lấy được từ 2026-11-07T09:00:00+07:00",
            "the answer was 500",
            "→",
        ] {
            assert!(failing.contains(part), "{part} in\n{failing}");
        }
        assert!(
            told(&[URL], None).contains("chưa phát hành danh sách mới"),
            "the issuer is late"
        );
        assert!(
            told(&[], None).contains("gateway trust import-crl"),
            "it came as a file"
        );
        assert_eq!(
            tell(&view(ListState::Overdue, &[URL], None), true),
            Ending::InPart
        );
    }

    #[test]
    fn a_list_that_no_certificate_depends_on_asks_nothing_of_anybody() {
        let ended = view(ListState::Ended, &[URL], None);
        let told = lines(&ended).join("\n");
        assert!(!told.contains("QUÁ HẠN") && !told.contains('→'), "{told}");
        assert_eq!(tell(&ended, true), Ending::Done);
    }

    #[test]
    fn a_list_that_never_came_is_told_with_what_to_do() {
        let absent = |urls: &[&str]| {
            let mut view = view(ListState::Fresh, &[], Some(Trouble::Unreachable));
            view.absent_lists.push(AbsentListView {
                issuer: Some("CN=Root".to_owned()),
                urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            });
            assert_eq!(tell(&view, true), Ending::InPart);
            lines(&view).join("\n")
        };
        let failing = absent(&[URL]);
        for part in ["CHƯA CÓ", "CN=Root", URL, "xem lỗi của địa chỉ ở dưới"] {
            assert!(failing.contains(part), "{part} in\n{failing}");
        }
        assert!(absent(&[]).contains("gateway trust import-crl"));
    }

    #[test]
    fn each_trouble_has_its_own_advice() {
        let troubles = [
            Trouble::Unreachable,
            Trouble::Forbidden,
            Trouble::WrongAnswer,
            Trouble::Unsigned,
            Trouble::Outdated,
            Trouble::Ours,
        ];
        let mut told: Vec<String> = troubles
            .iter()
            .map(|trouble| what_to_do(Some(trouble.word())).with(&[]))
            .collect();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), troubles.len());
        assert!(told.iter().all(|line| line.contains('→')), "{told:?}");
    }

    fn added(became: &[&str]) -> AddedView {
        let certificate = IssuingCertificateView {
            role: "candidate".to_owned(),
            subject: "CN=CA G2".to_owned(),
            issuer: "CN=Root".to_owned(),
            serial: "0a".to_owned(),
            not_before: "2026-11-01T08:00:00+07:00".to_owned(),
            not_after: "2030-11-01T08:00:00+07:00".to_owned(),
            fingerprint: "0b".repeat(32),
        };
        let one = |became: &&str| AddedCertificateView {
            became: (*became).to_owned(),
            certificate: certificate.clone(),
        };
        AddedView {
            is_taken: became.iter().all(|became| ["new", "known"].contains(became)),
            certificates: became.iter().map(one).collect(),
        }
    }

    #[test]
    fn each_certificate_of_a_file_is_told_and_one_that_is_refused_fails_the_command() {
        let taken = added(&["new", "known"]);
        assert!(matches!(tell_added(&taken, true), Ok(Ending::Done)));
        let lines = added_lines(&taken);
        assert!(
            lines[0].contains("mới: CN=CA G2") && lines[1].contains("đã có"),
            "{lines:?}"
        );
        let refused = added(&["new", "expired", "no-authority"]);
        let fault = tell_added(&refused, true).expect_err("refused");
        assert!(matches!(fault, CommandFault::Told(Told::CertificatesRefused {})));
        let lines = added_lines(&refused);
        let told = ["dùng được", "hết hạn từ", "không phải chứng thư của tổ chức"];
        for (line, told) in lines.iter().zip(told) {
            assert!(line.contains(told) && line.contains(&"0b".repeat(32)), "{line}");
        }
    }

    #[test]
    fn every_certificate_and_list_stands_in_a_line_with_its_role() {
        let mut certificate = added(&["new"]).certificates.remove(0).certificate;
        certificate.role = "anchor".to_owned();
        let material = MaterialView {
            certificates: vec![certificate],
            lists: view(ListState::Fresh, &[URL], None).lists,
        };
        let lines = material_lines(&material);
        assert_eq!(lines.len(), 2);
        for part in [
            "gốc: CN=CA G2",
            "số 0a",
            "do CN=Root cấp",
            "SHA-256 0b0b",
            "anchor: CN=CA G2",
        ] {
            assert!(lines[0].contains(part), "{part} in {}", lines[0]);
        }
        assert!(lines[1].contains("danh sách thu hồi CN=CA G2"), "{}", lines[1]);
    }

    #[test]
    fn an_anchor_is_named_by_a_fingerprint_in_any_usual_form_and_never_without() {
        let plain = "0b".repeat(32);
        let expected: Digest = plain.parse().expect("a fingerprint");
        let colons = vec!["0B"; 32].join(":");
        for text in [plain.as_str(), &colons, &plain.to_uppercase()] {
            assert_eq!(parse_fingerprint(text).expect("a fingerprint"), expected);
        }
        for text in ["", "0b", &plain[1..], &format!("{plain}0b")] {
            assert!(parse_fingerprint(text).is_err(), "{text}");
        }
        let parsed = |options: &[&str]| {
            let words = ["gateway", "trust", "add", "file"].iter().chain(options);
            Cli::try_parse_from(words).is_ok()
        };
        assert!(parsed(&[]) && parsed(&["--anchor", "--fingerprint", "x"]));
        assert!(!parsed(&["--anchor"]) && !parsed(&["--fingerprint", "x"]));
    }
}
