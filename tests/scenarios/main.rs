//! Scenarios: the whole exchange over real services, each test one behaviour, named as a sentence.
//!
//! **Invariant**: nothing of the gateway is called from inside; scenarios see what agencies and operators see, and read
//! the journal as an auditor would.

mod faults;
