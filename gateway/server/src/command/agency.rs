//! `gateway agency`: the directory.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use trust::Certificate;

use super::agency_arguments::{AccountCommand, AgencyArguments, AgencyCommand, AnswersWord};
use super::desk::Desk;
use super::password_file::{Form, PasswordFile};
use super::report;
use super::text::{Text, print};
use super::{CommandFault, Ending, print_json, read_file};
use crate::administration::{CsvFile, Mode, Order, Told};
use crate::http::view::{AgencyView, ReportView};

pub(super) async fn carry_out(
    desk: &Desk,
    arguments: &AgencyArguments,
    json: bool,
) -> Result<Ending, CommandFault> {
    let command = &arguments.command;
    if let AgencyCommand::List { all } = command {
        return list(desk, *all, json).await;
    }
    if let AgencyCommand::Show { agency } = command {
        return show(desk, agency, json).await;
    }
    if let AgencyCommand::Import { file, accounts } = command {
        return import(desk, arguments, (file, *accounts), json).await;
    }
    let order = order(command)?;
    let passwords = password_file(arguments)?;
    let mut report = desk.order(&order, mode(arguments)).await?;
    let written = passwords.map(|file| file.take(&mut report)).transpose();
    tell(&report, written, json)
}

/// The file that the command line names for passwords, open before anything is ordered. A dry run gives none out.
fn password_file(arguments: &AgencyArguments) -> Result<Option<PasswordFile>, CommandFault> {
    let wanted = arguments.password_file.as_deref();
    let wanted = wanted.filter(|_| mode(arguments) == Mode::Make);
    wanted.map(PasswordFile::create).transpose()
}

fn mode(arguments: &AgencyArguments) -> Mode {
    if arguments.dry_run {
        Mode::DryRun
    } else {
        Mode::Make
    }
}

/// What the command line orders. Lists, single views and imports are no orders of one piece.
fn order(command: &AgencyCommand) -> Result<Order, CommandFault> {
    Ok(match command {
        AgencyCommand::Add(add) => Order::Add {
            name: add.name.clone(),
            codes: add.codes.clone(),
            parent: add.parent.clone(),
            place: add.place.clone(),
            watcher: add.watcher.clone(),
            level: add.level.clone(),
            answers: (!add.no_account).then(|| add.answers.word()),
        },
        AgencyCommand::Import { file, .. } => Order::Import {
            csv: CsvFile::of(read_file(file)?),
        },
        AgencyCommand::List { .. } | AgencyCommand::Show { .. } => unreachable!("these are answered before"),
        AgencyCommand::Suspend { agency } => Order::Suspend {
            agency: agency.clone(),
        },
        AgencyCommand::Resume { agency } => Order::Resume {
            agency: agency.clone(),
        },
        AgencyCommand::Rename { agency, name } => Order::Rename {
            agency: agency.clone(),
            name: name.clone(),
        },
        AgencyCommand::Recode { agency, added, ended } => Order::Recode {
            agency: agency.clone(),
            added: added.clone(),
            ended: ended.clone(),
        },
        AgencyCommand::Relate { agency, relation, to } => Order::Relate {
            agency: agency.clone(),
            relation: relation.word(),
            to: to.clone(),
        },
        AgencyCommand::Merge { from, into } => Order::Merge {
            from: from.clone(),
            into: into.clone(),
        },
        AgencyCommand::Split { from, into } => Order::Split {
            from: from.clone(),
            into: into.clone(),
        },
        AgencyCommand::Close { agency, successor } => Order::Close {
            agency: agency.clone(),
            successor: successor.clone(),
        },
        AgencyCommand::Pin {
            agency,
            certificate,
            signatory,
        } => Order::Pin {
            agency: agency.clone(),
            certificate: fingerprint(certificate)?,
            signatory: signatory.word(),
        },
        AgencyCommand::Unpin { agency, fingerprint } => Order::Unpin {
            agency: agency.clone(),
            certificate: fingerprint.clone(),
        },
        AgencyCommand::Account(AccountCommand::Open { agency, answers }) => Order::OpenAccounts {
            agencies: vec![agency.clone()],
            answers: answers.word(),
        },
        AgencyCommand::Account(AccountCommand::Close { account }) => Order::CloseAccount {
            account: account.clone(),
        },
        AgencyCommand::Account(AccountCommand::Renew { account }) => Order::RenewPassword {
            account: account.clone(),
        },
    })
}

fn fingerprint(file: &Path) -> Result<String, CommandFault> {
    let read = Certificate::from_pem_or_der(&read_file(file)?);
    let certificate = read.map_err(|fault| CommandFault::Certificate {
        path: file.to_owned(),
        fault: fault.to_string(),
    })?;
    if certificate.is_ca() {
        return Err(CommandFault::Problem(Text::CertificateIsAuthority.with(&[])));
    }
    Ok(certificate.fingerprint().to_string())
}

/// Where passwords went, or why nowhere.
type Written = Result<Option<Option<PathBuf>>, CommandFault>;

/// Tells what was done before it tells that passwords could not be written: it was done all the same.
fn tell(report: &ReportView, written: Written, json: bool) -> Result<Ending, CommandFault> {
    let file = written.as_ref().ok().and_then(Option::as_ref);
    if json {
        print_json(report);
    } else {
        report::tell(report, file.and_then(Option::as_deref));
    }
    written?;
    Ok(report::ending(report))
}

async fn list(desk: &Desk, all: bool, json: bool) -> Result<Ending, CommandFault> {
    let mut agencies = desk.agencies().await?;
    agencies.retain(|agency| all || agency.standing != "closed");
    if json {
        print_json(&agencies);
        return Ok(Ending::Done);
    }
    for agency in &agencies {
        let accounts = agency
            .accounts
            .iter()
            .filter(|account| account.closed_at.is_none())
            .count();
        let codes = agency.codes.join(", ");
        print(&format!(
            "{:<7} {:<32} {:<10} {accounts:>2}  {}",
            agency.id, codes, agency.standing, agency.name
        ));
    }
    Ok(Ending::Done)
}

async fn show(desk: &Desk, wanted: &str, json: bool) -> Result<Ending, CommandFault> {
    let agencies = desk.agencies().await?;
    let is_wanted =
        |agency: &&AgencyView| agency.id == wanted || agency.codes.iter().any(|code| code == wanted);
    // A code may still stand with a closed agency beside its living owner: the living one is meant.
    let living = agencies
        .iter()
        .filter(is_wanted)
        .find(|agency| agency.standing != "closed");
    let Some(agency) = living.or_else(|| agencies.iter().find(is_wanted)) else {
        let agency = wanted.to_owned();
        return Err(CommandFault::Told(Told::AgencyUnknown { agency }));
    };
    if json {
        print_json(agency);
    } else {
        report::show_agency(agency, &agencies);
    }
    Ok(Ending::Done)
}

async fn import(
    desk: &Desk,
    arguments: &AgencyArguments,
    (file, accounts): (&Path, Option<AnswersWord>),
    json: bool,
) -> Result<Ending, CommandFault> {
    let order = order(&arguments.command)?;
    let mut passwords = password_file(arguments)?;
    let mut report = desk.order(&order, mode(arguments)).await?;
    let opened = match accounts.filter(|_| mode(arguments) == Mode::Make) {
        Some(answers) => open_accounts(desk, &mut report, passwords.as_mut(), answers).await,
        None => Ok(()),
    };
    let written = passwords.map(|file| file.take(&mut report)).transpose();
    if !json {
        print(&file.display().to_string());
    }
    let ending = tell(&report, written, json)?;
    opened?;
    Ok(ending)
}

/// Accounts that are opened with one order.
const OPENED_AT_ONCE: usize = 50;

/// Opens an account for every agency of the file that has none, some with each order, with progress on a terminal. Passwords
/// are written as they come: nobody can ask for them again. Broken off, the same file a second time goes on.
async fn open_accounts(
    desk: &Desk,
    report: &mut ReportView,
    mut passwords: Option<&mut PasswordFile>,
    answers: AnswersWord,
) -> Result<(), CommandFault> {
    let named = report.import.as_ref().map_or(&[][..], |import| &import.agencies);
    let mut all = desk.agencies().await?;
    all.retain(|agency| named.contains(&agency.id));
    let has_account = |agency: &AgencyView| agency.accounts.iter().any(|account| account.closed_at.is_none());
    let (passed_over, agencies): (Vec<AgencyView>, Vec<AgencyView>) = all.into_iter().partition(has_account);
    if let Some(import) = &mut report.import {
        import.passed_over = passed_over.into_iter().map(|agency| agency.id).collect();
    }
    let agencies: Vec<String> = agencies.into_iter().map(|agency| agency.id).collect();
    let style = ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len} {eta}").expect("a template");
    let bar = ProgressBar::new(agencies.len() as u64).with_style(style);
    bar.set_message(Text::AccountsOpening.with(&[]));
    for some in agencies.chunks(OPENED_AT_ONCE) {
        let order = Order::OpenAccounts {
            agencies: some.to_vec(),
            answers: answers.word(),
        };
        let mut opened = desk.order(&order, Mode::Make).await?;
        if let Some(file) = &mut passwords {
            file.write(&mut opened.opened, Form::Table)?;
        }
        report.opened.extend(opened.opened);
        report.unprovisioned.extend(opened.unprovisioned);
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}
