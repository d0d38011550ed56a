//! The harness: everything a scenario, a bench or the demonstration needs around the gateway, and nothing of the
//! gateway itself. It starts real services on private loopback ports, makes keys, certificates, revocation lists
//! and signed PDF files, and puts faults between the parts from outside.
//!
//! **Invariant**: whatever is started here ends with the process that started it, even when that one is killed;
//! nothing is ever ended by its name (`offspring`).
//! **Invariant**: signatures are made without the crate `trust`, so that a fault in its encoder and its decoder
//! cannot cancel out.
//! **Invariant**: nothing listens outside 127.0.0.1, and nothing here reads a file outside the folder it was given.

pub mod broker;
pub mod chance;
pub mod cms;
pub mod crl_server;
pub mod ocsp_server;
pub mod offspring;
pub mod pdf;
pub mod pki;
pub mod process;
pub mod province;
pub mod proxy;

mod der;
mod ports;
mod service;
mod wait;

pub use wait::{wait_for, wait_until};
