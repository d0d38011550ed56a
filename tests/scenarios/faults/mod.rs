//! Faults: broker, gateway, connectors and disks die or fail while documents are on the road.
//!
//! | file | what fails |
//! |---|---|
//! | `broker_killed` | the broker, by `kill -9`, in the middle of the stream |
//! | `broker_wiped` | the broker's disk |
//! | `gateway_killed` | the gateway, by `kill -9`, wherever documents stand |
//! | `second_start` | an operator, who starts the gateway twice |
//! | `queue_gone` | a queue that all accounts share |
//! | `poison` | the gateway's process, on a packet that it cannot hold in memory |
//! | `disk_full` | the disk of the gateway |
//! | `locked_out` | the broker's disk, while an agency is suspended |
//! | `foreign_broker` | the data of the gateway: it stands beside a broker that it does not know |
//! | `index_lost` | the index: deleted, cut, overwritten |
//! | `connector_killed` | a connector, between its store and its confirmation |
//! | `turned_away` | a connector's login: wrong password, suspended account, broker away |
//!
//! Every scenario ends with the same oracle ([`Stream::prove`]): every packet that a connector took is answered and
//! settled; everything delivered was sent; contents are equal; nothing is stored twice under one dispatch id and no
//! document under two; the books balance; a fresh packet still goes through; and each scenario counts what it needs to
//! have met for the run to mean anything.
//!
//! **Invariant**: faults come from outside: signals, limits, proxies, file systems. No hook in the code under test.

mod broker_killed;
mod broker_wiped;
mod connector_killed;
mod disk_full;
mod foreign_broker;
mod gateway_killed;
mod index_lost;
mod locked_out;
mod poison;
mod queue_gone;
mod second_start;
mod stream;
mod turned_away;

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use stream::Stream;

/// How long anything may take beside builds on the same two cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each scenario has a broker, a gateway and connectors of its own; more than two at a time only wait for each other.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Waits for one of the places in which fault scenarios run.
async fn place() -> SemaphorePermit<'static> {
    PLACES.acquire().await.expect("the places are never closed")
}

/// Tells what a scenario met, for whoever reads the run.
#[expect(clippy::print_stderr, reason = "what chance brought is seen nowhere else")]
fn tell(line: &str) {
    eprintln!("{line}");
}
