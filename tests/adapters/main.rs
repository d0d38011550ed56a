//! Adapters of the gateway against the real service, where a scenario could not bring about what they must withstand.

mod returned;
