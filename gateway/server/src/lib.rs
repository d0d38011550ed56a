//! Placeholder.

pub mod broker;
