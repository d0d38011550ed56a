//! The gateway.

pub mod administration;
pub mod clock;
pub mod config;
pub mod http;
pub mod telemetry;
