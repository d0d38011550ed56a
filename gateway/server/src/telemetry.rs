//! Logs and metrics: what an operator sees of the road while it is travelled.
//!
//! Started once by `main`; [`Metrics`] is handed to the stages and adapters, which count and time, and to `http`, which
//! shows. A log line reads alone and carries the fields `packet.id`, `agency.id`, `stage` and `duration_ms`.
//!
//! **Invariant:** metrics count events of the journal, so that dashboard and journal cannot disagree.
//! **Invariant:** neither carries a document's content, its title, a person's name or a secret.

mod metrics;
mod names;
mod processor;
mod readiness;

pub use metrics::{CrlMeasure, Metrics};
pub use names::{Measure, Stage, Total};
pub use processor::Metered;
pub use readiness::{Probe, Readiness};

use std::io::IsTerminal;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{LogConfig, LogFormat};

/// What is logged. The AMQP library is not heard at all: it tells returned messages with their bodies, and every
/// disconnect as an error; what matters of both is told by the broker module.
fn filter(level: Level) -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN.min(LevelFilter::from_level(level)))
        .with_target("lapin", LevelFilter::OFF)
        .with_target("gateway", level)
}

/// Begins to log to standard error. Libraries are heard from `warn` on only, so that a level for our own lines does
/// not drown them.
///
/// # Errors
/// When this process logs already.
pub fn start(config: &LogConfig) -> Result<(), TryInitError> {
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal);
    let registry = tracing_subscriber::registry().with(filter(config.level));
    match config.format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(lines.with_target(false)).try_init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_amqp_library_is_not_heard_because_it_tells_contents() {
        let filter = filter(Level::TRACE);
        assert!(filter.would_enable("gateway::stages::record", &Level::TRACE));
        assert!(filter.would_enable("sled", &Level::WARN));
        assert!(!filter.would_enable("sled", &Level::INFO));
        assert!(!filter.would_enable("lapin::returned_messages", &Level::ERROR));
    }
}
