//! The store against a model, against damage, and against its own promises.

mod model;
mod promises;
mod recovery;
mod support;
