//! The gateway: what runs. Read `gateway/ARCHITECTURE.md` first.

pub mod administration;
pub mod app;
pub mod broker;
pub mod clock;
pub mod command;
pub mod config;
pub mod http;
pub mod signer;
pub mod stages;
pub mod store;
pub mod telemetry;
pub mod trustkeeper;
