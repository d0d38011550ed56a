//! Reports in words.

use std::path::Path;

use super::Ending;
use super::text::{Text, print};
use crate::http::view::{AgencyView, EndedView, ImportView, ReportView};

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
    let nobody = Text::Nobody.with(&[]);
    let name = |one: &Option<String>| one.clone().unwrap_or_else(|| nobody.clone());
    if report.moved.len() <= CHANGES_LISTED_MAX {
        for moved in &report.moved {
            Text::Moved.say(&[
                ("what", &moved.what),
                ("from", &name(&moved.from)),
                ("to", &name(&moved.to)),
            ]);
        }
        for code in &report.codes {
            Text::CodeMoves.say(&[
                ("code", &code.what),
                ("from", &name(&code.from)),
                ("to", &name(&code.to)),
            ]);
        }
    }
    report
        .warnings
        .iter()
        .for_each(|warning| Text::Warned.say(&[("warning", warning)]));
    report.import.iter().for_each(tell_import);
    for opened in &report.opened {
        Text::AccountOpened.say(&[("account", &opened.account), ("agency", &opened.agency)]);
        match password_file {
            Some(file) => Text::PasswordWritten.say(&[("file", &file.display().to_string())]),
            None => Text::PasswordShown.say(&[("password", &opened.password)]),
        }
    }
    for account in &report.unprovisioned {
        let fault = account.fault.as_deref().unwrap_or_default();
        Text::AccountNotProvisioned.say(&[("account", &account.account), ("fault", fault)]);
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

fn tell_ended(end: &EndedView) {
    let nobody = Text::Nobody.with(&[]);
    let heir = end.inbox_to.as_deref().unwrap_or(&nobody);
    Text::AgencyEnds.say(&[("agency", &end.agency), ("heir", heir)]);
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
        Text::ImportRow.say(&[("line", &row.line.to_string()), ("reason", &row.reason)]);
    }
    if !import.columns_ignored.is_empty() {
        Text::ImportColumns.say(&[("columns", &import.columns_ignored.join(", "))]);
    }
}

/// One agency, a line for each thing that is known.
pub(super) fn show_agency(agency: &AgencyView) {
    print(&format!("{}  {}", agency.id, agency.name));
    let line = |label: &str, value: &str| {
        if !value.is_empty() {
            print(&format!("  {label:<28} {value}"));
        }
    };
    line("mã / codes", &agency.codes.join(", "));
    line("trạng thái / standing", &agency.standing);
    line("cấp / level", &agency.level);
    line("cấp trên / parent", agency.parent.as_deref().unwrap_or_default());
    line("địa bàn / place", agency.place.as_deref().unwrap_or_default());
    line(
        "theo dõi / watcher",
        agency.watcher.as_deref().unwrap_or_default(),
    );
    line("kế thừa / heirs", &agency.heirs.join(", "));
    for account in &agency.accounts {
        let until = account
            .closed_at
            .as_deref()
            .map(|until| format!(" – {until}"))
            .unwrap_or_default();
        line(
            "tài khoản / account",
            &format!(
                "{} ({}) {}{until}",
                account.id, account.answers, account.opened_at
            ),
        );
    }
    for certificate in &agency.certificates {
        line(
            "chứng thư / certificate",
            &format!("{} ({})", certificate.fingerprint, certificate.signatory),
        );
    }
}
