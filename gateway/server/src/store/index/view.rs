//! One consistent look at the index: changes of one's own over changes not yet in the tree over the tree.
//!
//! **Invariant:** while a view lives, the index does not change under it; so views are short.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::RwLockReadGuard;

use sled::{IVec, Tree};

use super::Pending;
use super::value::Value;
use crate::store::fault::Fault;

/// Changes that are not in the tree yet; `None` removes a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    entries: BTreeMap<Vec<u8>, Option<IVec>>,
    /// Bytes that they add to (or take from) all keys and values.
    live_bytes: i64,
}

impl Changes {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Keys with what is put under them; `None` removes.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Vec<u8>, &Option<IVec>)> {
        self.entries.iter()
    }

    pub(super) fn live_bytes(&self) -> i64 {
        self.live_bytes
    }

    fn first_in(&self, range: (Bound<&[u8]>, Bound<&[u8]>)) -> Option<(Vec<u8>, Option<IVec>)> {
        let (key, value) = self.entries.range::<[u8], _>(range).next()?;
        Some((key.clone(), value.clone()))
    }

    pub(super) fn absorb(&mut self, newer: Changes) {
        // Not `append`: that builds the whole map anew.
        self.entries.extend(newer.entries);
        self.live_bytes += newer.live_bytes;
    }
}

/// A key and what stands under it.
pub(crate) type Entry = (Vec<u8>, IVec);

/// A look at the index, with changes of one's own.
pub(crate) struct View<'a> {
    own: Changes,
    pending: RwLockReadGuard<'a, Pending>,
    tree: &'a Tree,
}

/// A length as a signed number of bytes.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).expect("values of the index are small")
}

impl<'a> View<'a> {
    pub(super) fn new(pending: RwLockReadGuard<'a, Pending>, tree: &'a Tree) -> View<'a> {
        View {
            own: Changes::default(),
            pending,
            tree,
        }
    }

    /// What stands under a key.
    pub(crate) fn bytes(&self, key: &[u8]) -> Result<Option<IVec>, Fault> {
        if let Some(found) = self
            .own
            .entries
            .get(key)
            .or_else(|| self.pending.changes.entries.get(key))
        {
            return Ok(found.clone());
        }
        Ok(self.tree.get(key)?)
    }

    /// What stands under a key, read.
    pub(crate) fn get<T: Value>(&self, key: &[u8]) -> Result<Option<T>, Fault> {
        self.bytes(key)?.map(|bytes| T::from_bytes(&bytes)).transpose()
    }

    /// The first entry within `prefix` from `bound` on.
    pub(crate) fn next(&self, prefix: &[u8], bound: Bound<&[u8]>) -> Result<Option<Entry>, Fault> {
        let mut bound: Bound<Vec<u8>> = bound.map(<[u8]>::to_vec);
        loop {
            let range = (bound.as_ref().map(Vec::as_slice), Bound::Unbounded);
            let in_tree = self.tree.range::<&[u8], _>(range).next().transpose()?;
            let found = [
                self.own.first_in(range),
                self.pending.changes.first_in(range),
                in_tree.map(|(key, value)| (key.to_vec(), Some(value))),
            ];
            // Of equal keys the first wins: newer changes come first.
            let first = found
                .into_iter()
                .flatten()
                .reduce(|a, b| if b.0 < a.0 { b } else { a });
            match first {
                Some((key, _)) if !key.starts_with(prefix) => return Ok(None),
                Some((key, Some(value))) => return Ok(Some((key, value))),
                Some((key, None)) => bound = Bound::Excluded(key),
                None => return Ok(None),
            }
        }
    }

    /// At most `limit` entries within `prefix`, in order.
    pub(crate) fn scan(&self, prefix: &[u8], limit: usize) -> Result<Vec<Entry>, Fault> {
        let mut found: Vec<Entry> = Vec::new();
        while found.len() < limit {
            let bound = match found.last() {
                Some((key, _)) => Bound::Excluded(key.as_slice()),
                None => Bound::Included(prefix),
            };
            match self.next(prefix, bound)? {
                Some(entry) => found.push(entry),
                None => break,
            }
        }
        Ok(found)
    }

    /// Puts a value where none stands: without looking.
    pub(crate) fn insert(&mut self, key: Vec<u8>, value: &impl Value) {
        let value = value.to_bytes();
        self.own.live_bytes += signed(key.len() + value.len());
        self.own.entries.insert(key, Some(value.into()));
    }

    /// Puts a value in the place of what stands there, if something does.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: &impl Value) -> Result<(), Fault> {
        let value = value.to_bytes();
        self.own.live_bytes += signed(value.len());
        self.own.live_bytes += match self.bytes(&key)? {
            Some(old) => -signed(old.len()),
            None => signed(key.len()),
        };
        self.own.entries.insert(key, Some(value.into()));
        Ok(())
    }

    /// Removes what stands under a key, if something does.
    pub(crate) fn remove(&mut self, key: Vec<u8>) -> Result<(), Fault> {
        let Some(old) = self.bytes(&key)? else {
            return Ok(());
        };
        self.own.live_bytes -= signed(key.len() + old.len());
        self.own.entries.insert(key, None);
        Ok(())
    }

    /// The changes that were made in this view.
    pub(crate) fn into_changes(self) -> Changes {
        self.own
    }

    /// How many changes were made in this view.
    pub(crate) fn changed(&self) -> usize {
        self.own.len()
    }
}
