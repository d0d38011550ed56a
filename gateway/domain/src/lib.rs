//! What is true of a document on the road: packets, agencies, cases, receipts and the verdicts on them.
//!
//! **Invariant:** pure. No I/O, no clock, no randomness: time, trust material, the directory and what the index
//! knows come in as arguments.
//! **Invariant:** no type here derives a serialisation. The formats that are kept or exchanged are written and
//! read by explicit code beside the type, carry a version, and are listed in [`wire`].

pub mod agency;
pub mod consequence;
pub mod directory;
pub mod dispatch;
pub mod event;
pub mod ids;
pub mod json;
pub mod judge;
pub mod packet;
pub mod port;
pub mod receipt;
pub mod refusal;
pub mod verify;
pub mod wire;
