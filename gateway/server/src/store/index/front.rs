//! Where rows of what is due begin: what came first in them is the first to go, and to pass over what is gone would cost
//! each look as much as all that went since the index was settled.
//!
//! **Invariant:** nothing stands in a row between its start and its front.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::key;

/// Fronts of rows and of their parts, by where these begin.
#[derive(Debug, Default)]
pub(super) struct Fronts(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Fronts {
    /// The key before which nothing stands from `start` on, if one is known.
    pub(super) fn of(&self, start: &[u8]) -> Option<Vec<u8>> {
        let fronts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fronts.get(start).cloned()
    }

    /// Nothing stands before `front` from `start` on, now.
    pub(super) fn tell(&self, start: &[u8], front: Vec<u8>) {
        let mut fronts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fronts.get_mut(start) {
            Some(known) => *known = front,
            None => drop(fronts.insert(start.to_owned(), front)),
        }
    }

    /// Something is put under these keys.
    pub(super) fn put<'a>(&mut self, keys: impl Iterator<Item = &'a Vec<u8>>) {
        let fronts = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for put in keys {
            let Some(agency) = key::agency_of_row(put).filter(|_| put.first() == Some(&key::DUE)) else {
                continue;
            };
            let starts = key::row_of(key::DUE, agency)..=put.clone();
            for (_, front) in fronts.range_mut(starts).filter(|(_, front)| put < *front) {
                front.clone_from(put);
            }
        }
    }
}
