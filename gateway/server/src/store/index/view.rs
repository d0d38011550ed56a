//! One consistent look at the index: changes of one's own over the newest ones over those on their way into the tree over
//! the tree.
//!
//! **Invariant:** while a view lives, the index does not change under it; so views are short.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::RwLockReadGuard;

use sled::{IVec, Tree};

use super::value::Value;
use super::{Pending, key};
use crate::store::fault::Fault;

/// What stands under a key afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    /// `None` removes the key.
    value: Option<IVec>,
    /// Nothing stands under the key below these changes: to remove it again leaves no trace.
    is_new: bool,
}

/// Changes that are not in the tree yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    entries: BTreeMap<Vec<u8>, Change>,
    /// Bytes that they add to (or take from) all keys and values.
    live_bytes: i64,
}

impl Changes {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Keys with what is put under them; `None` removes.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Vec<u8>, &Option<IVec>)> {
        self.entries.iter().map(|(key, change)| (key, &change.value))
    }

    /// Keys under which something stands afterwards.
    pub(super) fn put(&self) -> impl Iterator<Item = &Vec<u8>> {
        let put = self.entries.iter().filter(|(_, change)| change.value.is_some());
        put.map(|(key, _)| key)
    }

    pub(super) fn live_bytes(&self) -> i64 {
        self.live_bytes
    }

    /// What stands under a key afterwards, whatever stood there before.
    pub(super) fn set(&mut self, key: Vec<u8>, value: Option<IVec>) {
        self.entries.insert(key, Change { value, is_new: false });
    }

    pub(super) fn absorb(&mut self, newer: Changes) {
        // Not `append`: that builds the whole map anew.
        for (key, change) in newer.entries {
            self.add(key, change);
        }
        self.live_bytes += newer.live_bytes;
    }

    /// Adds a change that was made over these.
    fn add(&mut self, key: Vec<u8>, newer: Change) {
        match self.entries.entry(key) {
            Entry::Vacant(place) => drop(place.insert(newer)),
            Entry::Occupied(place) if place.get().is_new && newer.value.is_none() => drop(place.remove()),
            Entry::Occupied(mut place) => place.get_mut().value = newer.value,
        }
    }
}

/// A key and what stands under it.
pub(crate) type Found = (Vec<u8>, IVec);

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
        match self.layers().find_map(|layer| layer.entries.get(key)) {
            Some(change) => Ok(change.value.clone()),
            None => Ok(self.tree.get(key)?),
        }
    }

    /// What is not in the tree, the newest first.
    fn layers(&self) -> impl Iterator<Item = &Changes> {
        let Pending {
            changes, settling, ..
        } = &*self.pending;
        [
            Some(&self.own),
            Some(changes),
            settling.as_deref().map(|redo| &redo.changes),
        ]
        .into_iter()
        .flatten()
    }

    /// What stands under a key, read.
    pub(crate) fn get<T: Value>(&self, key: &[u8]) -> Result<Option<T>, Fault> {
        self.bytes(key)?.map(|bytes| T::from_bytes(&bytes)).transpose()
    }

    /// At most `limit` entries within `prefix`, in order.
    pub(crate) fn scan(&self, prefix: &[u8], limit: usize) -> Result<Vec<Found>, Fault> {
        self.scan_from(prefix, prefix, limit)
    }

    /// At most `limit` entries within `row` from `start` on, in order. `start` is where the row or a part of it begins: what
    /// is known to be gone from there on is not read again.
    pub(crate) fn scan_row(&self, row: &[u8], start: &[u8], limit: usize) -> Result<Vec<Found>, Fault> {
        // Fronts are of what others see, not of changes of one's own.
        if 0 < self.own.len() {
            return self.scan_from(row, start, limit);
        }
        let front = self.pending.fronts.of(start);
        let found = self.scan_from(row, front.as_deref().unwrap_or(start), limit)?;
        let first = found
            .first()
            .map_or_else(|| key::behind_all(row), |(key, _)| key.clone());
        self.pending.fronts.tell(start, first);
        Ok(found)
    }

    /// At most `limit` entries within `prefix` from the key `from` on, in order.
    pub(crate) fn scan_from(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<Found>, Fault> {
        let bounds = (Bound::Included(from), Bound::Unbounded);
        let mut layers: Vec<_> = self
            .layers()
            .map(|layer| layer.entries.range::<[u8], _>(bounds).peekable())
            .collect();
        let mut tree = self.tree.range::<&[u8], _>(bounds);
        let mut in_tree = tree.next().transpose()?;
        let mut found = Vec::new();
        while found.len() < limit {
            let keys = layers
                .iter_mut()
                .filter_map(|layer| layer.peek().map(|(key, _)| key.as_slice()));
            let in_memory = keys.min();
            let next = match (in_memory, in_tree.as_ref().map(|(key, _)| key.as_ref())) {
                (Some(one), Some(other)) => one.min(other),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => break,
            };
            if !next.starts_with(prefix) {
                break;
            }
            let next = next.to_vec();
            // Of equal keys the newest layer wins; all of them are passed.
            let mut wins = None;
            for layer in &mut layers {
                if let Some((_, change)) = layer.next_if(|(key, _)| **key == next) {
                    wins = wins.or(Some(change.value.clone()));
                }
            }
            if in_tree.as_ref().is_some_and(|(key, _)| *key == next) {
                let (_, value) = in_tree.take().expect("just looked at");
                wins = wins.or(Some(Some(value)));
                in_tree = tree.next().transpose()?;
            }
            if let Some(value) = wins.flatten() {
                found.push((next, value));
            }
        }
        Ok(found)
    }

    /// Puts a value where none stands: without looking.
    pub(crate) fn insert(&mut self, key: Vec<u8>, value: &impl Value) {
        let value = value.to_bytes();
        self.own.live_bytes += signed(key.len() + value.len());
        let change = Change {
            value: Some(value.into()),
            is_new: true,
        };
        self.own.add(key, change);
    }

    /// Puts a value in the place of what stands there, if something does.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: &impl Value) -> Result<(), Fault> {
        let value = value.to_bytes();
        let old = self.bytes(&key)?;
        self.own.live_bytes += signed(value.len());
        self.own.live_bytes += match &old {
            Some(old) => -signed(old.len()),
            None => signed(key.len()),
        };
        let change = Change {
            value: Some(value.into()),
            is_new: old.is_none(),
        };
        self.own.add(key, change);
        Ok(())
    }

    /// Removes what stands under a key, if something does.
    pub(crate) fn remove(&mut self, key: Vec<u8>) -> Result<(), Fault> {
        let Some(old) = self.bytes(&key)? else {
            return Ok(());
        };
        self.own.live_bytes -= signed(key.len() + old.len());
        let change = Change {
            value: None,
            is_new: false,
        };
        self.own.add(key, change);
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
