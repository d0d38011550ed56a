//! Scenarios: the whole exchange over real services, each test one behaviour, named as a sentence.
//!
//! **Invariant**: nothing of the gateway is called from inside; scenarios see what agencies and operators see, and read
//! the journal as an auditor would.

mod addressees;
mod away;
mod broker_rights;
mod commands;
mod delivery;
mod document_id;
mod evidence;
mod expiry;
mod faults;
mod held;
mod merger;
mod ocsp;
mod refusal_as_status;
mod repeats;
mod seals;
mod second_account;
mod software;
mod statuses;
mod unreadable;
mod unreadable_properties;
mod urgency;
