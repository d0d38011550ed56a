//! Is this signature good, and why?
//!
//! Given bytes, trust material (`Snapshot`: anchors, certificates, CRLs) and a time, this crate says what each
//! signature is worth, in the vocabulary of ETSI EN 319 102-1, with the object that failed and the proof that settled
//! each certificate. It stands below `domain`, knows signatures and nothing of documents or agencies.
//!
//! **Invariant**: no I/O, no clock, no randomness, no global state; whatever is needed is an argument.
//! **Invariant**: no input makes it panic, and none makes it work longer than its limits allow.
//! **Invariant**: unknown is never good: what is not understood fails, what is not known is `Indeterminate`.

mod digest;
mod time;
pub mod xml;

pub use digest::{Digest, DigestFault};
pub use time::{Time, TimeFault};
