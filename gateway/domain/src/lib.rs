//! Placeholder.
pub mod packet;
