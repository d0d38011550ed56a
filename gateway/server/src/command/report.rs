//! Reports in words.

use std::path::Path;

use domain::agency::Standing;

use super::text::{Said, Text, print};
use super::{Ending, fault};
use crate::administration::Told;
use crate::http::view::{AgencyView, EndedView, ImportView, MovedView, ProvisionedView, ReportView};

/// Single changes are listed up to so many; beyond, numbers tell more.
const CHANGES_LISTED_MAX: usize = 20;

/// Says what an order did, or would do.
pub(super) fn tell(report: &ReportView, password_file: Option<&Path>) {
    if !report.made {
        Text::DryRun.say(&[]);
    }
    if report.changes.len() <= CHANGES_LISTED_MAX {
        for change in &report.changes {
            Text::Change.say(&[("change", &change.to_string())]);
        }
        report
            .added
            .iter()
            .for_each(|agency| Text::AgencyAdded.say(&[("agency", agency)]));
    }
    for [from, to] in &report.renamed {
        Text::AgencyRenamed.say(&[("from", from), ("to", to)]);
    }
    report.ended.iter().for_each(tell_ended);
    if report.moved.len() <= CHANGES_LISTED_MAX {
        report
            .moved
            .iter()
            .for_each(|moved| tell_moved(Text::Moved, moved));
        report
            .codes
            .iter()
            .for_each(|code| tell_moved(Text::CodeMoves, code));
    }
    for warning in &report.warnings {
        let words = in_words(warning.told.as_ref(), &warning.detail);
        print(&Text::Warned.said().about("warning", &words).to_string());
    }
    report.import.iter().for_each(tell_import);
    for opened in &report.opened {
        Text::AccountOpened.say(&[("account", &opened.account), ("agency", &opened.agency)]);
        match password_file {
            Some(file) => Text::PasswordWritten.say(&[("file", &file.display().to_string())]),
            None if opened.password.is_empty() => {}
            None => Text::PasswordShown.say(&[("password", &opened.password)]),
        }
    }
    report.unprovisioned.iter().for_each(tell_unprovisioned);
}

/// Says that the broker does not know of an account, and what to do.
pub(super) fn tell_unprovisioned(account: &ProvisionedView) {
    let words = in_words(
        account.told.as_ref(),
        account.fault.as_deref().unwrap_or_default(),
    );
    let said = Text::AccountNotProvisioned
        .said()
        .with("account", &account.account);
    print(&said.about("fault", &words).to_string());
}

/// In the words of the table where it has some, else as a gateway of another version told it.
fn in_words(told: Option<&Told>, detail: &str) -> Said {
    match told {
        Some(told) => fault::desk::in_words(told),
        None => Text::Foreign.said().with("detail", detail),
    }
}

/// Done in part when a row was left out or the broker could not be told.
pub(super) fn ending(report: &ReportView) -> Ending {
    let rows_bad = report
        .import
        .as_ref()
        .is_some_and(|import| !import.rows_bad.is_empty());
    if rows_bad || !report.unprovisioned.is_empty() {
        Ending::InPart
    } else {
        Ending::Done
    }
}

fn tell_moved(text: Text, moved: &MovedView) {
    let (from, to) = (somebody(moved.from.as_deref()), somebody(moved.to.as_deref()));
    let said = text.said().with("what", &moved.what);
    print(&said.about("from", &from).about("to", &to).to_string());
}

/// Somebody's name, or that there is nobody.
fn somebody(name: Option<&str>) -> Said {
    match name {
        Some(name) => Text::Foreign.said().with("detail", name),
        None => Text::Nobody.said(),
    }
}

fn tell_ended(end: &EndedView) {
    let said = Text::AgencyEnds.said().with("agency", &end.agency);
    let heir = somebody(end.inbox_to.as_deref());
    print(&said.about("heir", &heir).to_string());
    let [incoming, outgoing, held] = [end.incoming, end.outgoing, end.held].map(|count| count.to_string());
    Text::AgencyInFlight.say(&[("incoming", &incoming), ("outgoing", &outgoing), ("held", &held)]);
    let (codes, accounts) = (end.codes_kept.join(", "), end.accounts_closed.join(", "));
    let certificates = end.certificates_ended.to_string();
    Text::AgencyKeeps.say(&[
        ("codes", &codes),
        ("accounts", &accounts),
        ("certificates", &certificates),
    ]);
}

fn tell_import(import: &ImportView) {
    let [read, same, bad] =
        [import.rows_read, import.rows_same, import.rows_bad.len()].map(|rows| rows.to_string());
    Text::ImportRead.say(&[("read", &read), ("same", &same), ("bad", &bad)]);
    for row in &import.rows_bad {
        let words = in_words(row.told.as_ref(), &row.reason);
        let said = Text::ImportRow.said().with("line", row.line);
        print(&said.about("reason", &words).to_string());
    }
    if !import.passed_over.is_empty() {
        Text::ImportPassedOver.say(&[("count", &import.passed_over.len().to_string())]);
    }
    if !import.columns_ignored.is_empty() {
        Text::ImportColumns.say(&[("columns", &import.columns_ignored.join(", "))]);
    }
}

/// One agency, a line for each thing that is known and since when it holds.
pub(super) fn show_agency(agency: &AgencyView, all: &[AgencyView]) {
    for line in lines_of(agency, all) {
        print(&line);
    }
}

/// The lines of one agency; `all` tells whom it came after.
fn lines_of(agency: &AgencyView, all: &[AgencyView]) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", agency.id, agency.name)];
    let mut line = |label: Text, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {:<28} {value}", label.with(&[])));
        }
    };
    for name in &agency.names_held {
        line(
            Text::LabelName,
            &dated(&name.value, &name.from, name.until.as_deref()),
        );
    }
    for code in &agency.codes_held {
        line(
            Text::LabelCode,
            &dated(&code.value, &code.from, code.until.as_deref()),
        );
    }
    for standing in &agency.standings {
        let word = standing_in_words(&standing.value);
        line(
            Text::LabelStanding,
            &dated(&word, &standing.from, standing.until.as_deref()),
        );
    }
    line(Text::LabelLevel, &agency.level);
    let related = [
        (Text::LabelParent, &agency.parent),
        (Text::LabelPlace, &agency.place),
        (Text::LabelWatcher, &agency.watcher),
    ];
    for (label, to) in related {
        line(label, to.as_deref().unwrap_or_default());
    }
    if let Some(end) = &agency.ended {
        let heirs = match agency.heirs.join(", ") {
            heirs if heirs.is_empty() => Text::Nobody.with(&[]),
            heirs => heirs,
        };
        line(Text::LabelHeirs, &dated(&heirs, &end.at, None));
    }
    for before in all.iter().filter(|one| one.heirs.contains(&agency.id)) {
        let since = before.ended.as_ref().map(|end| dated(&before.id, &end.at, None));
        line(Text::LabelSucceeds, &since.unwrap_or_else(|| before.id.clone()));
    }
    for account in &agency.accounts {
        let what = format!("{} ({})", account.id, account.answers);
        line(
            Text::LabelAccount,
            &dated(&what, &account.opened_at, account.closed_at.as_deref()),
        );
    }
    for certificate in &agency.certificates {
        let what = format!("{} ({})", certificate.fingerprint, certificate.signatory);
        line(Text::LabelCertificate, &dated(&what, &certificate.from, None));
    }
    lines
}

/// Something with the times between which it holds.
fn dated(what: &str, from: &str, until: Option<&str>) -> String {
    let since = Text::Since.with(&[]);
    let until = until.map(|until| format!(", {} {}", Text::Until.with(&[]), to_the_second(until)));
    format!(
        "{what}, {since} {}{}",
        to_the_second(from),
        until.unwrap_or_default()
    )
}

/// `2026-11-28T18:56:23.123456+07:00` without the fraction: people compare these with decisions on paper.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, rest)) => {
            let offset = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{seconds}{offset}")
        }
        None => time.to_owned(),
    }
}

fn standing_in_words(word: &str) -> String {
    let text = match Standing::from_word(word) {
        Some(Standing::Active) => Text::StandingActive,
        Some(Standing::Suspended) => Text::StandingSuspended,
        Some(Standing::Closed) => Text::StandingClosed,
        None => return word.to_owned(),
    };
    text.with(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::administration::{Administration, CsvFile, Mode, NotProvisioned, Order};
    use crate::clock::Clock;
    use crate::store::{Store, StoreConfig};

    /// Two agencies with a past: the second one went into the first.
    async fn agencies() -> Vec<AgencyView> {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::start(std::time::Duration::from_secs(30));
        let time = clock.clone();
        let store = Store::open(&StoreConfig::at(folder.path()), move || time.now()).expect("a store");
        let desk = Administration::new(
            std::sync::Arc::new(store),
            std::sync::Arc::new(NotProvisioned),
            clock,
        );
        let text = |text: &str| text.to_owned();
        let rows = "code,name\n000.00.01.H53,Cũ\n000.00.02.H53,Đi\n";
        let orders = [
            Order::Import {
                csv: CsvFile::of(rows),
            },
            Order::Rename {
                agency: text("a1"),
                name: text("Mới"),
            },
            Order::Recode {
                agency: text("a1"),
                added: vec![text("000.00.03.H53")],
                ended: vec![],
            },
            Order::OpenAccounts {
                agencies: vec![text("a1")],
                answers: text("receipts"),
            },
            Order::Pin {
                agency: text("a1"),
                certificate: "ab".repeat(32),
                signatory: text("person"),
            },
            Order::Suspend { agency: text("a1") },
            Order::Resume { agency: text("a1") },
            Order::Merge {
                from: vec![text("a2")],
                into: text("a1"),
            },
        ];
        for order in orders {
            desk.carry_out(&order, Mode::Make)
                .await
                .expect("an order that can be carried out");
        }
        desk.directory().agencies().map(AgencyView::of).collect()
    }

    #[tokio::test]
    async fn everything_that_is_shown_of_an_agency_says_since_when() {
        let all = agencies().await;
        let lines = lines_of(&all[0], &all);
        let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        assert_eq!(
            (
                count("tên / name"),
                count("mã / code"),
                count("trạng thái / standing")
            ),
            (2, 2, 3)
        );
        assert_eq!(
            (
                count("a1-1 (receipts)"),
                count("(person)"),
                count("tiếp nhận / succeeds")
            ),
            (1, 1, 1)
        );
        let undated: Vec<&String> = lines
            .iter()
            .skip(1)
            .filter(|line| !line.contains(", từ / since 2"))
            .collect();
        assert!(undated.is_empty(), "{undated:?}");
        assert_eq!(count("+07:00"), lines.len() - 1);
        assert_eq!(
            count(", đến / until 2"),
            3,
            "a name and two standings ended: {lines:#?}"
        );
        let ended = lines_of(&all[1], &all);
        assert!(
            ended
                .iter()
                .any(|line| line.contains("kế thừa / heirs") && line.contains("a1, từ / since 2")),
            "{ended:#?}"
        );
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(
            to_the_second("2026-11-28T18:56:23.123456+07:00"),
            "2026-11-28T18:56:23+07:00"
        );
        assert_eq!(
            to_the_second("2026-11-28T18:56:23+07:00"),
            "2026-11-28T18:56:23+07:00"
        );
    }
}
