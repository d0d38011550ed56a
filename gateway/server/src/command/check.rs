//! `gateway check`: everything that can be known before the start.

use std::time::Duration;

use domain::receipt::vietnam_time;

use super::text::Text;
use super::{CommandFault, Ending};
use crate::administration::TrustDesk;
use crate::broker::{Address, Broker, BrokerState, ConsumeLimits, PublishLimits};
use crate::clock::Clock;
use crate::config::Config;
use crate::signer::load_seal;
use crate::trustkeeper::TrustKeeper;

/// How long the broker may take to let the gateway in. Refusals are tried again meanwhile, like everything.
const REACH_WAIT: Duration = Duration::from_secs(10);

/// Validates key, certificate and trust material, says what would run, and tries the broker if asked. All faults are
/// told at once.
pub(super) async fn check(config: &Config, online: bool) -> Result<Ending, CommandFault> {
    let gateway = &config.gateway;
    let data = gateway.data_dir.display().to_string();
    Text::CheckIdentity.say(&[("code", gateway.code.as_str()), ("data", &data)]);
    let mut faults = Vec::new();
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
    match super::broker::address(config) {
        Ok(address) if online => faults.extend(reach_broker(&address).await.err()),
        Ok(_) => {}
        Err(fault) => faults.push(fault),
    }
    if faults.is_empty() {
        Text::CheckGood.say(&[]);
        return Ok(ending);
    }
    Err(CommandFault::Several(faults))
}

fn key(config: &Config) -> Result<(), CommandFault> {
    let seal = load_seal(&config.gateway)?;
    let own = seal.certificates.first().expect("a seal has its own certificate");
    let until = vietnam_time(own.not_after());
    Text::CheckKey.say(&[("subject", &own.subject().to_string()), ("until", &until)]);
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
