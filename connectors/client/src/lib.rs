//! The connector: what an agency's document software uses to exchange documents through the gateway.
//!
//! ```text
//! software ─submit─▶ outbox ─publish─▶ broker ─▶ gateway        (waiting → published → answered)
//! software ◀─next── inbox ◀─consume── broker ◀─ gateway         (stored → acknowledged, handover confirmed)
//! ```
//!
//! [`Connector`] is the whole of it; [`Config`] says where the broker and the folder are. The other modules are what it
//! is made of. The contract at the broker is [`domain::wire`]. One software that serves several accounts opens one
//! [`Store`] and a [`Connector::open_in`] for each: they share every write and fdatasync. For `amqps` the process
//! installs a rustls provider before (aws-lc-rs everywhere in this project).
//!
//! **Invariant:** what [`Connector::submit`] returned for is on disk, and leaves the outbox with its final receipt only.
//! **Invariant:** what was acknowledged to the broker is on disk; a dispatch id is stored once.
//! **Invariant:** everything in doubt is done again under the same id; the gateway and the store drop repeats.

mod account;
mod clock;
pub mod compose;
pub mod config;
mod connector;
mod consume;
mod entering;
mod event;
mod inbox;
mod outbox;
mod publish;
pub mod receipt;
pub mod report;
mod session;
pub mod spool;
mod standing;
mod store;
pub mod text;

pub use account::Link;
pub use clock::now;
pub use config::Config;
pub use connector::{Connector, OpenFault, Received, Settled, Submission, SubmitFault};
pub use event::{Counters, Event, NotTaken, Side};
pub use inbox::About;
pub use outbox::Answer;
pub use standing::{Standing, Trouble};
pub use store::{Store, StoreFault, StoreLimits};
