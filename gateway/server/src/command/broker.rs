//! `gateway broker`: sets the broker up with the provisioning credential.

use clap::Subcommand;
use domain::event::Happening;
use domain::port::{Commit, Journal};

use super::desk::{Desk, Direct};
use super::text::Text;
use super::{CommandFault, Ending, report};
use crate::administration::AdministrationFault;
use crate::app::{self, AccountFiles, AppFault, EPOCH_FILE, Epochs};
use crate::broker::{Address, Provisioner, Report, Standing};
use crate::config::Config;
use crate::http::view::ProvisionedView;

#[derive(Debug, Subcommand)]
pub(super) enum BrokerCommand {
    /// Tạo vhost, hàng đợi, người dùng của cổng và mọi tài khoản / make vhost, queues, the gateway's user, all accounts.
    Provision,
}

pub(super) async fn carry_out(config: &Config, command: &BrokerCommand) -> Result<Ending, CommandFault> {
    let BrokerCommand::Provision = command;
    let desk = Desk::open(config).await?;
    match &desk {
        // A running gateway sets up a new broker by itself; what may be missing is accounts.
        Desk::Running(_) => Ok(tell_accounts(&desk.provision_again().await?)),
        Desk::Direct(direct) => {
            let Some(provisioner) = app::provisioner(config)? else {
                return Err(CommandFault::Problem(Text::CheckUnprovisioned.with(&[])));
            };
            Ok(tell(&set_up(config, direct, &provisioner).await?))
        }
    }
}

/// The broker as the gateway itself would reach it.
pub(super) fn address(config: &Config) -> Result<Address, CommandFault> {
    Ok(app::broker_address(&config.broker).map_err(AppFault::from)?)
}

/// Makes everything under the known epoch where the broker still has it, else under a new one; a loss is journaled,
/// so that the next start fills the inboxes again.
async fn set_up(config: &Config, direct: &Direct, provisioner: &Provisioner) -> Result<Report, CommandFault> {
    let data_dir = &config.gateway.data_dir;
    let fault = |error| CommandFault::File {
        path: data_dir.join(EPOCH_FILE),
        error,
    };
    let epochs = Epochs::open(data_dir)?;
    let known = epochs.known();
    provisioner.check_own(&known).await?;
    let (directory, now) = (
        direct.store.directory(),
        direct.clock.now_from(direct.store.newest()),
    );
    let accounts = AccountFiles::open(data_dir)
        .and_then(|files| files.wanted(&directory, now))
        .map_err(CommandFault::Accounts)?;
    for epoch in known.iter() {
        if provisioner.standing(epoch).await? == Standing::Kept {
            epochs.remember(epoch).map_err(fault)?;
            return Ok(provisioner.restore(epoch, &accounts).await?);
        }
    }
    let epoch = Epochs::new_name();
    if !known.is_empty() {
        // An event carries its time for ever.
        direct.clock.steady().map_err(AdministrationFault::from)?;
        let lost = Happening::BrokerLost { epoch: epoch.clone() };
        direct.store.append(Commit::of(lost)).await?;
    }
    epochs.remember(&epoch).map_err(fault)?;
    Ok(provisioner.restore(&epoch, &accounts).await?)
}

fn tell(report: &Report) -> Ending {
    for made in &report.made {
        Text::ProvisionMade.say(&[("made", made)]);
    }
    Text::ProvisionKept.say(&[("count", &report.kept.to_string())]);
    for what in &report.differing {
        Text::ProvisionDiffers.say(&[("what", what)]);
    }
    if report.differing.is_empty() {
        Ending::Done
    } else {
        Ending::InPart
    }
}

fn tell_accounts(accounts: &[ProvisionedView]) -> Ending {
    let mut ending = Ending::Done;
    for account in accounts {
        if account.fault.is_some() {
            report::tell_unprovisioned(account);
            ending = Ending::InPart;
        }
    }
    let done = accounts.iter().filter(|account| account.fault.is_none()).count();
    Text::AccountProvisioned.say(&[("count", &done.to_string())]);
    ending
}
