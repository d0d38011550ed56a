//! `gateway check`: everything that can be known before the start.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use domain::receipt::vietnam_time;

use super::desk::Desk;
use super::fault;
use super::text::{Said, Text, print};
use super::{CommandFault, Ending};
use crate::administration::TrustDesk;
use crate::app::{self, AppFault, Epochs};
use crate::broker::{Accounts, Address, Broker, BrokerState, ConsumeLimits, PublishLimits};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::HttpFault;
use crate::http::view::AgencyView;
use crate::signer::{Validity, load_seal};
use crate::trustkeeper::TrustKeeper;

#[cfg(test)]
mod tests;

/// How long the broker may take to let the gateway in. Refusals are tried again meanwhile, like everything.
const REACH_WAIT: Duration = Duration::from_secs(10);

/// Validates folder, key, certificate and trust material, says what would run, and tries the broker if asked. All faults
/// are told at once.
pub(super) async fn check(config: &Config, online: bool) -> Result<Ending, CommandFault> {
    let gateway = &config.gateway;
    let data = gateway.data_dir.display().to_string();
    Text::CheckIdentity.say(&[("code", gateway.code.as_str()), ("data", &data)]);
    let mut faults = Vec::new();
    faults.extend(data_dir(&gateway.data_dir).err());
    faults.extend(key(config).err());
    let broker = &config.broker;
    Text::CheckBroker.say(&[
        ("uri", &broker.uri),
        ("vhost", &broker.vhost),
        ("user", &broker.user),
    ]);
    if broker.provision.is_none() {
        Text::CheckUnprovisioned.say(&[]);
    }
    let mut ending = Ending::Done;
    match trust(config) {
        Ok(found) => ending = found,
        Err(fault) => faults.push(fault),
    }
    Text::CheckListen.say(&[("listen", &config.http.listen.to_string())]);
    if !config.http.listen.ip().is_loopback() {
        Text::CheckNotLoopback.say(&[]);
    }
    faults.extend(listen(config.http.listen).err());
    faults.extend(directory(config).await.err());
    match super::broker::address(config) {
        Ok(address) if online => faults.extend(reach_broker(&address).await.err()),
        Ok(_) => {}
        Err(fault) => faults.push(fault),
    }
    if online {
        faults.extend(reach_management(config).await.err());
    }
    if faults.is_empty() {
        Text::CheckGood.say(&[]);
        return Ok(ending);
    }
    Err(CommandFault::Several(faults))
}

/// Whether the data folder can be made or written: tried where it is, or where it would be made, and taken back. It is not
/// made here, because who checks may be another user than the one whom it is to belong to.
fn data_dir(data_dir: &Path) -> Result<(), CommandFault> {
    let there = data_dir
        .ancestors()
        .find(|folder| folder.symlink_metadata().is_ok())
        .unwrap_or(data_dir);
    let probe = there.join(format!(".gateway-check-{}", std::process::id()));
    let tried = std::fs::create_dir(&probe).and_then(|()| std::fs::remove_dir(&probe));
    tried.map_err(|error| CommandFault::File {
        path: data_dir.to_owned(),
        error,
    })
}

fn key(config: &Config) -> Result<(), CommandFault> {
    let now = Clock::start(config.gateway.clock_jump_max).now();
    let seal = load_seal(&config.gateway, now)?;
    let own = seal.certificates.first().expect("a seal has its own certificate");
    let until = vietnam_time(own.not_after());
    Text::CheckKey.say(&[("subject", &own.subject().to_string()), ("until", &until)]);
    if let Validity::Ending { days } = Validity::of(own, now, config.gateway.certificate_notice) {
        Text::CheckKeyEnds.say(&[("days", &days.to_string())]);
    }
    Ok(())
}

fn trust(config: &Config) -> Result<Ending, CommandFault> {
    // In a folder of its own: the data folder may belong to a running gateway.
    let scratch = std::env::temp_dir().join(format!("gateway-check-{}", std::process::id()));
    let keeper = TrustKeeper::start(
        &config.trust,
        &scratch,
        Clock::start(config.gateway.clock_jump_max),
    );
    let removed = std::fs::remove_dir_all(&scratch);
    let status = keeper?.status();
    removed.map_err(|error| CommandFault::File { path: scratch, error })?;
    let counts =
        [status.anchors().count(), status.candidates(), status.lists.len()].map(|count| count.to_string());
    Text::CheckAnchors.say(&[
        ("anchors", &counts[0]),
        ("candidates", &counts[1]),
        ("lists", &counts[2]),
    ]);
    status
        .faults
        .iter()
        .for_each(|fault| Text::TrustFault.say(&[("fault", fault)]));
    Ok(if status.faults.is_empty() {
        Ending::Done
    } else {
        Ending::InPart
    })
}

/// Whether the internal port can be opened. An address in use is only remarked: the gateway itself may be running.
fn listen(address: SocketAddr) -> Result<(), CommandFault> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Text::CheckListenTaken.say(&[("listen", &address.to_string())]);
            Ok(())
        }
        Err(error) => Err(AppFault::Http(HttpFault::Listen { address, error }).into()),
    }
}

/// Whether an agency bears the gateway's code, where there is a directory already. A running gateway is asked; without one
/// the store is opened here, which only its own user may do: what another one's process writes, the gateway could not
/// read.
async fn directory(config: &Config) -> Result<(), CommandFault> {
    let data_dir = &config.gateway.data_dir;
    if !data_dir.join("journal").is_dir() {
        return Ok(());
    }
    let owner = std::fs::metadata(data_dir).map(|folder| folder.uid());
    if !owner.is_ok_and(|owner| owner == rustix::process::geteuid().as_raw()) {
        remark_unread(&Text::CheckFolderOfAnother.said());
        return Ok(());
    }
    let agencies = match agencies(config).await {
        Ok(agencies) => agencies,
        Err(fault) if is_passing(&fault) => {
            fault::in_words(&fault).iter().for_each(remark_unread);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    let code = &config.gateway.code;
    let bears = |agency: &&AgencyView| agency.codes.iter().any(|own| own == code.as_str());
    // A code may still stand with a closed agency beside its living owner.
    let bearer = agencies
        .iter()
        .filter(bears)
        .max_by_key(|agency| agency.standing != "closed");
    match bearer.and_then(|agency| agency.id.parse().ok()) {
        Some(agency) => Err(AppFault::CodeTaken {
            code: code.clone(),
            agency,
        }
        .into()),
        None => Ok(()),
    }
}

async fn agencies(config: &Config) -> Result<Vec<AgencyView>, CommandFault> {
    Desk::open(config).await?.agencies().await
}

/// Whether this says only that a gateway has the data and does not answer now: nothing is wrong with the configuration.
fn is_passing(fault: &CommandFault) -> bool {
    matches!(
        fault,
        CommandFault::Answered(_)
            | CommandFault::Busy(_)
            | CommandFault::Exchange(_)
            | CommandFault::Place(_)
            | CommandFault::Told(_)
    )
}

fn remark_unread(why: &Said) {
    print(&Text::CheckDirectoryUnread.said().about("fault", why).to_string());
}

/// Connects as the gateway would, with both its connections, and hangs up.
async fn reach_broker(address: &Address) -> Result<(), CommandFault> {
    let (broker, _lanes) = Broker::new(address, PublishLimits::default(), ConsumeLimits::default())
        .map_err(|fault| CommandFault::BrokerAway(fault.to_string()))?;
    // A gateway may be running: nothing is taken from its queues.
    broker.intake.stop_taking();
    let mut states = broker.publisher.states();
    let connected = states.wait_for(|state| *state == BrokerState::Connected);
    let reached = tokio::select! {
        () = broker.clone().run() => false,
        reached = tokio::time::timeout(REACH_WAIT, connected) => reached.is_ok(),
    };
    broker.close().await;
    if reached {
        Text::CheckBrokerReached.say(&[]);
        Ok(())
    } else {
        Err(CommandFault::BrokerAway(format!("{REACH_WAIT:?}")))
    }
}

/// Asks what only the provisioning credential may ask. The accounts of nobody are made what they are to be: it reads who
/// is there, and changes nothing.
async fn reach_management(config: &Config) -> Result<(), CommandFault> {
    let Some(provisioner) = app::provisioner(config)? else {
        return Ok(());
    };
    let data_dir = &config.gateway.data_dir;
    let epochs = Epochs::open(data_dir)?;
    provisioner.check_own(&epochs.known()).await?;
    provisioner.reconcile(&Accounts::default()).await?;
    Text::CheckManagementReached.say(&[]);
    Ok(())
}
