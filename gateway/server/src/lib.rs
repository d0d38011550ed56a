//! The gateway.

pub mod clock;
pub mod config;
pub mod telemetry;
