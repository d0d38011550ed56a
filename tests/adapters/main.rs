//! Adapters of the gateway against the real service, where a scenario could not bring about what they must withstand, and
//! what is published against other people's programs.

mod accounts;
mod pkcs12;
mod returned;
mod schema;
mod token;
mod verify;
