//! What an order did, or would do, as it is shown.

use domain::agency::Agency;
use domain::directory::Directory;
use domain::directory::import::Import;
use domain::directory::plan::{Inheritance, PlanWarning};
use domain::ids::AgencyId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ProvisionedView;
use crate::administration::{Mode, Report, Told};

/// What an order did, or would do. Agencies are named `a17 (000.01.02.H53) name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportView {
    /// Whether it was made; false for a dry run.
    pub made: bool,
    /// The decisions, as events hold them.
    pub changes: Vec<Value>,
    /// Agencies that were added.
    pub added: Vec<String>,
    /// Names that change, old one first.
    pub renamed: Vec<[String; 2]>,
    /// Agencies that end.
    pub ended: Vec<EndedView>,
    /// Relations that point elsewhere.
    pub moved: Vec<MovedView>,
    /// Codes, whose they were and whose they are.
    pub codes: Vec<MovedView>,
    /// What a person should know.
    pub warnings: Vec<WarningView>,
    /// Accounts with their new passwords. Shown this once.
    pub opened: Vec<OpenedView>,
    /// Accounts that the broker could not be told about.
    pub unprovisioned: Vec<ProvisionedView>,
    /// What became of the rows of an import.
    pub import: Option<ImportView>,
}

/// An agency that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedView {
    /// Which.
    pub agency: String,
    /// Who gets its inbox.
    pub inbox_to: Option<String>,
    /// Through which account.
    pub inbox_account: Option<String>,
    /// Who may act for it.
    pub rights_to: Vec<String>,
    /// Dispatches to it that are not handed over.
    pub incoming: u64,
    /// Cases it sent that are not settled.
    pub outgoing: u64,
    /// Submissions of it that are held.
    pub held: u64,
    /// Codes that lead to its heir from now on.
    pub codes_kept: Vec<String>,
    /// Accounts that close.
    pub accounts_closed: Vec<String>,
    /// Number of certificates that end.
    pub certificates_ended: usize,
}

/// Something that points elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedView {
    /// The agency with its relation (`a3 … · parent`), or the code.
    pub what: String,
    /// To whom it pointed.
    pub from: Option<String>,
    /// To whom it points.
    pub to: Option<String>,
}

/// An account with its new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedView {
    /// Whose.
    pub agency: String,
    /// Its broker user.
    pub account: String,
    /// Its password; empty, and left out, where it went elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
}

/// What became of the rows of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    /// Rows with content.
    pub rows_read: usize,
    /// Rows that say nothing new.
    pub rows_same: usize,
    /// Rows, or parts of rows, that were left out.
    pub rows_bad: Vec<RowView>,
    /// Ids of the agencies that good rows name.
    #[serde(default)]
    pub agencies: Vec<String>,
    /// Ids of those that got no account because they have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// Columns that mean nothing to us.
    pub columns_ignored: Vec<String>,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningView {
    /// In English words.
    pub detail: String,
    /// As a word with values.
    #[serde(
        default,
        deserialize_with = "super::if_known",
        skip_serializing_if = "Option::is_none"
    )]
    pub told: Option<Told>,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowView {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    /// Why, in English words.
    pub reason: String,
    /// The same as a word with values.
    #[serde(
        default,
        deserialize_with = "super::if_known",
        skip_serializing_if = "Option::is_none"
    )]
    pub told: Option<Told>,
}

impl ReportView {
    /// The shape of this report.
    pub fn of(report: &Report) -> ReportView {
        let name = |id: &AgencyId| named(&report.directory, *id);
        let related = |id: Option<AgencyId>| id.as_ref().map(name);
        let plan = &report.plan;
        let moved = plan.moved.iter().map(|moved| MovedView {
            what: format!("{} · {}", name(&moved.agency), moved.relation.word()),
            from: related(moved.from),
            to: related(moved.to),
        });
        let codes = plan.codes.iter().map(|code| MovedView {
            what: code.code.to_string(),
            from: related(code.from),
            to: related(code.to),
        });
        let opened = report.opened.iter().map(|opened| OpenedView {
            agency: name(&opened.agency),
            account: opened.account.to_string(),
            password: opened.password.expose().to_owned(),
        });
        let unprovisioned = report
            .unprovisioned
            .iter()
            .map(|(account, fault)| ProvisionedView::of(account, Some(fault)));
        ReportView {
            made: report.mode == Mode::Make,
            changes: report
                .changes
                .iter()
                .map(domain::directory::DirectoryChange::to_json)
                .collect(),
            added: added(report).iter().map(name).collect(),
            renamed: plan
                .renamed
                .iter()
                .map(|one| [one.from.clone(), one.to.clone()])
                .collect(),
            ended: plan
                .ended
                .iter()
                .map(|end| EndedView::of(&report.directory, end))
                .collect(),
            moved: moved.collect(),
            codes: codes.collect(),
            warnings: plan
                .warnings
                .iter()
                .map(|warning| WarningView {
                    detail: warned(&report.directory, warning),
                    told: Some(Told::warning(warning, |id| named(&report.directory, id))),
                })
                .collect(),
            opened: opened.collect(),
            unprovisioned: unprovisioned.collect(),
            import: report.import.as_ref().map(ImportView::of),
        }
    }
}

impl EndedView {
    fn of(directory: &Directory, end: &Inheritance) -> EndedView {
        EndedView {
            agency: named(directory, end.agency),
            inbox_to: end.inbox_to.map(|heir| named(directory, heir)),
            inbox_account: end.inbox_account.as_ref().map(ToString::to_string),
            rights_to: end.rights_to.iter().map(|heir| named(directory, *heir)).collect(),
            incoming: end.in_flight.incoming,
            outgoing: end.in_flight.outgoing,
            held: end.in_flight.held,
            codes_kept: end.codes_kept.iter().map(ToString::to_string).collect(),
            accounts_closed: end.accounts_closed.iter().map(ToString::to_string).collect(),
            certificates_ended: end.certificates_ended.len(),
        }
    }
}

impl ImportView {
    fn of(import: &Import) -> ImportView {
        let row = |bad: &domain::directory::import::RowFault| RowView {
            line: bad.line,
            reason: bad.reason.to_string(),
            told: Some(Told::from(&bad.reason)),
        };
        ImportView {
            rows_read: import.rows_read,
            rows_same: import.rows_same,
            rows_bad: import.rows_bad.iter().map(row).collect(),
            agencies: import.agencies.iter().map(ToString::to_string).collect(),
            passed_over: Vec::new(),
            columns_ignored: import.columns_ignored.clone(),
        }
    }
}

/// An agency as people recognise it: id, code, name.
fn named(directory: &Directory, id: AgencyId) -> String {
    let Some(agency) = directory.agency(id) else {
        return id.to_string();
    };
    let code = Agency::codes_current(agency)
        .next()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    format!("{id}{code} {}", agency.name())
}

fn added(report: &Report) -> Vec<AgencyId> {
    use domain::directory::DirectoryChange;
    let id = |change: &DirectoryChange| {
        if let DirectoryChange::Added(addition) = change {
            Some(addition.id)
        } else {
            None
        }
    };
    report.changes.iter().filter_map(id).collect()
}

fn warned(directory: &Directory, warning: &PlanWarning) -> String {
    match warning {
        PlanWarning::WillFail { agency, incoming } => {
            format!(
                "{incoming} dispatches under way to {} will fail: nobody comes after it",
                named(directory, *agency)
            )
        }
        PlanWarning::HeirWithoutAccount { heir } => {
            format!(
                "{} has no account yet: what is for it waits",
                named(directory, *heir)
            )
        }
        PlanWarning::HeirSuspended { heir } => format!("{} is suspended", named(directory, *heir)),
        PlanWarning::HeirWithoutCertificate { heir } => {
            format!(
                "{} has no certificate yet: it cannot seal",
                named(directory, *heir)
            )
        }
    }
}
