//! Who may exchange: all agencies of one moment, with their past.
//!
//! Stands beside the road: receive asks whose account it is, inspect whose certificate, address whose code, dispatch
//! whose inbox, settle who may act for whom. A snapshot is handed to each document, and its version is recorded with
//! the verdict.
//!
//! **Invariant:** immutable. A change makes another snapshot ([`Directory::apply`]), or a fault and nothing.
//! **Invariant:** chains of command, territories and successions have no cycle.
//! **Invariant:** at any time a code has at most one owner; an account has one agency, for ever.
//! **Invariant:** an agency that has not ended points only at agencies that have not ended.

mod apply;
pub mod change;
pub mod code_form;
mod fault;
pub mod import;
pub mod plan;
#[cfg(test)]
pub(crate) mod samples;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trust::{Digest, Time};

pub use self::change::{Addition, DirectoryChange};
pub use self::fault::DirectoryFault;
use crate::agency::{Account, Agency, Dated, Relation, Signatory, Standing};
use crate::dispatch::Dispatch;
use crate::ids::{AccountId, AgencyId, Code};

/// The agencies of one moment. A clone costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory(Arc<State>);

/// The agencies, and what is derived from them for look-ups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    agencies: BTreeMap<AgencyId, Arc<Agency>>,
    /// Who had the code when; derived from `Agency::codes`.
    owners: BTreeMap<Code, Vec<Dated<AgencyId>>>,
    /// Whose account it is or was; derived from `Agency::accounts`.
    accounts: BTreeMap<AccountId, AgencyId>,
    /// Whose heir it is; derived from `Agency::succession`.
    predecessors: BTreeMap<AgencyId, Vec<AgencyId>>,
    version: u64,
    /// The time of the newest change.
    latest: Option<Time>,
}

impl Directory {
    /// A directory without agencies.
    pub fn new() -> Directory {
        Directory::default()
    }

    /// How many changes made this directory.
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// The time of the newest change; a further one must not be earlier.
    pub fn latest(&self) -> Option<Time> {
        self.0.latest
    }

    /// The id that the next agency added must have. Ids count up from `a1` and are never given twice.
    pub fn next_id(&self) -> AgencyId {
        self.0.next_id()
    }

    /// All agencies, also closed ones, in the order of their ids.
    pub fn agencies(&self) -> impl ExactSizeIterator<Item = &Agency> {
        self.0.agencies.values().map(AsRef::as_ref)
    }

    /// The agency with this id.
    pub fn agency(&self, id: AgencyId) -> Option<&Agency> {
        self.0.agencies.get(&id).map(AsRef::as_ref)
    }

    /// Whose account this is, or was: also when it or the agency is closed, so that what it sent before is still
    /// somebody's. [`Directory::account`] says whether it is open.
    pub fn agency_of_account(&self, account: &AccountId) -> Option<AgencyId> {
        self.0.accounts.get(account).copied()
    }

    /// The account itself.
    pub fn account(&self, account: &AccountId) -> Option<&Account> {
        let owner = self.agency(self.agency_of_account(account)?)?;
        owner.accounts.iter().find(|own| own.id == *account)
    }

    /// Who had the code at this time. A closed agency keeps its codes until another one is given them, so that
    /// what is still addressed to it reaches its heir.
    pub fn by_code(&self, code: &Code, time: Time) -> Option<AgencyId> {
        self.0
            .owners
            .get(code)?
            .iter()
            .rev()
            .find_map(|owner| owner.at(time))
            .copied()
    }

    /// Everybody who ever had the code, with dates, oldest first.
    pub fn owners(&self, code: &Code) -> &[Dated<AgencyId>] {
        self.0.owners.get(code).map_or(&[], Vec::as_slice)
    }

    /// Whether the agency took part at this time; `None` when it is unknown or was not there yet.
    pub fn standing(&self, id: AgencyId, time: Time) -> Option<Standing> {
        self.agency(id)?.standings.at(time).copied()
    }

    /// Who holds the agency's inbox at this time: itself, or at the end of the chain of its successors the one that
    /// has not ended. `None` when nobody came after it, or it is unknown.
    pub fn heir(&self, id: AgencyId, time: Time) -> Option<AgencyId> {
        let mut agency = self.agency(id)?;
        while let Some(succession) = agency
            .succession
            .as_ref()
            .filter(|succession| succession.at <= time)
        {
            agency = self.agency(*succession.heirs.first()?)?;
        }
        Some(agency.id)
    }

    /// Whether `actor` may act at this time for what `owner` sent or received: it is the owner itself, or one of
    /// its successors. After a split every part may: which part a document fell to is not ours to know.
    pub fn may_act_for(&self, actor: AgencyId, owner: AgencyId, time: Time) -> bool {
        let mut ask = vec![owner];
        let mut asked = BTreeSet::new();
        while let Some(id) = ask.pop() {
            if id == actor {
                return self.agency(id).is_some();
            }
            let succession = self.agency(id).and_then(|agency| agency.succession.as_ref());
            if let Some(succession) = succession.filter(|succession| succession.at <= time)
                && asked.insert(id)
            {
                ask.extend(&succession.heirs);
            }
        }
        false
    }

    /// The account into whose inbox goes what is for the agency: its heir's oldest open one. `None` when it has no
    /// heir, or the heir has no document system yet; in the latter case dispatches wait.
    pub fn inbox_account(&self, id: AgencyId, time: Time) -> Option<AccountId> {
        let heir = self.agency(self.heir(id, time)?)?;
        heir.receiving_account(time).map(|account| account.id.clone())
    }

    /// The account into whose inbox a dispatch goes: that of the document system which waits for it, as long as it is open
    /// and its agency's, or its heir's; else the agency's ([`Directory::inbox_account`]).
    pub fn inbox_of(&self, dispatch: &Dispatch, time: Time) -> Option<AccountId> {
        let heir = self.heir(dispatch.to, time);
        let asked = dispatch.account.as_ref().filter(|account| {
            let is_open = self.account(account).is_some_and(|own| own.is_open(time));
            is_open && heir.is_some() && self.agency_of_account(account) == heir
        });
        asked.cloned().or_else(|| self.inbox_account(dispatch.to, time))
    }

    /// Every account into whose inbox something for the agency may go: those of its heir that are open.
    pub fn inbox_accounts(&self, id: AgencyId, time: Time) -> Vec<AccountId> {
        let heir = self.heir(id, time).and_then(|heir| self.agency(heir));
        let accounts = heir.into_iter().flat_map(|heir| &heir.accounts);
        let open = accounts.filter(|account| account.is_open(time));
        open.map(|account| account.id.clone()).collect()
    }

    /// Who stands behind a certificate that the agency might use at `sent_at`: its own, or one of an agency that it
    /// succeeded and that had not ended yet then. The seal of an agency that was merged is good for what it sent
    /// before, not for anything after; one that was unpinned by `now` is good for nothing that is still to be judged.
    pub fn pinned(&self, id: AgencyId, fingerprint: &Digest, sent_at: Time, now: Time) -> Option<Signatory> {
        let mut ask = vec![id];
        let mut asked = BTreeSet::new();
        while let Some(id) = ask.pop() {
            if let Some(signatory) = self
                .agency(id)
                .and_then(|agency| agency.pinned(fingerprint, sent_at, now))
            {
                return Some(signatory);
            }
            if asked.insert(id) {
                ask.extend(self.predecessors(id));
            }
        }
        None
    }

    /// Those that went into this agency directly.
    pub fn predecessors(&self, id: AgencyId) -> &[AgencyId] {
        self.0.predecessors.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The agency and everybody it succeeded, itself first.
    pub fn lineage(&self, id: AgencyId) -> Vec<AgencyId> {
        let mut all = vec![id];
        let mut next = 0;
        while let Some(&agency) = all.get(next) {
            for &before in self.predecessors(agency) {
                if !all.contains(&before) {
                    all.push(before);
                }
            }
            next += 1;
        }
        all
    }

    /// Those whose inbox the agency holds at this time: itself, and of everybody it succeeded those whose heir it is
    /// ([`Directory::heir`]); after a split the inbox fell to one part alone.
    pub fn inbox_lineage(&self, holder: AgencyId, time: Time) -> Vec<AgencyId> {
        let mut all = self.lineage(holder);
        all.retain(|&agency| agency == holder || self.heir(agency, time) == Some(holder));
        all
    }

    /// Everybody under whose name documents of the agency may be: its own lineage, and those of all who came after it.
    /// Itself first.
    pub fn kin(&self, id: AgencyId) -> Vec<AgencyId> {
        let mut holders = vec![id];
        let mut next = 0;
        while let Some(&agency) = holders.get(next) {
            let succession = self.agency(agency).and_then(|agency| agency.succession.as_ref());
            for &heir in succession.iter().flat_map(|succession| &succession.heirs) {
                if !holders.contains(&heir) {
                    holders.push(heir);
                }
            }
            next += 1;
        }
        let mut all = Vec::new();
        for agency in holders.into_iter().flat_map(|holder| self.lineage(holder)) {
            if !all.contains(&agency) {
                all.push(agency);
            }
        }
        all
    }

    /// The agency and everything below it in today's chain of command, itself first; empty when it is unknown.
    pub fn subtree(&self, id: AgencyId) -> Vec<AgencyId> {
        let mut below: BTreeMap<AgencyId, Vec<AgencyId>> = BTreeMap::new();
        for agency in self.agencies() {
            if let Some(parent) = agency.parents.current() {
                below.entry(*parent).or_default().push(agency.id);
            }
        }
        let mut tree: Vec<AgencyId> = self.agency(id).map(|agency| agency.id).into_iter().collect();
        let mut next = 0;
        while let Some(id) = tree.get(next) {
            tree.extend(below.get(id).into_iter().flatten());
            next += 1;
        }
        tree
    }

    /// Every code that any agency has or had.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        self.0.owners.keys()
    }

    /// The directory after this change, which holds from `at` on.
    ///
    /// # Errors
    /// [`DirectoryFault`]: the change contradicts the directory, and nothing happened.
    pub fn apply(&self, change: &DirectoryChange, at: Time) -> Result<Directory, DirectoryFault> {
        self.apply_all([change], at)
    }

    /// The directory after these changes, in their order, which all hold from `at` on. Cheaper than one by one.
    ///
    /// # Errors
    /// [`DirectoryFault`] of the first change that contradicts the directory; then none of them happened.
    pub fn apply_all<'a>(
        &self,
        changes: impl IntoIterator<Item = &'a DirectoryChange>,
        at: Time,
    ) -> Result<Directory, DirectoryFault> {
        let mut next = State::clone(&self.0);
        for change in changes {
            next.apply(change, at)?;
        }
        Ok(Directory(Arc::new(next)))
    }
}

impl Directory {
    /// Makes a change in place: for folds that make many, and copies once.
    fn change(&mut self, change: &DirectoryChange, at: Time) -> Result<(), DirectoryFault> {
        Arc::make_mut(&mut self.0).apply(change, at)
    }
}

impl State {
    fn next_id(&self) -> AgencyId {
        let newest = self.agencies.last_key_value().map_or(0, |(id, _)| id.number());
        AgencyId::from_number(newest.saturating_add(1))
    }

    fn agency(&self, id: AgencyId) -> Result<&Agency, DirectoryFault> {
        self.agencies
            .get(&id)
            .map(AsRef::as_ref)
            .ok_or(DirectoryFault::Unknown { agency: id })
    }

    /// Puts an agency in the place of its earlier self, and into the look-ups.
    fn put(&mut self, agency: Agency) -> Result<(), DirectoryFault> {
        let id = agency.id;
        for code in self.agencies.get(&id).iter().flat_map(|before| &before.codes) {
            if let Entry::Occupied(mut owners) = self.owners.entry(code.value.clone()) {
                owners.get_mut().retain(|owner| owner.value != id);
                if owners.get().is_empty() {
                    owners.remove();
                }
            }
        }
        for code in &agency.codes {
            let owner = Dated {
                value: id,
                from: code.from,
                until: code.until,
            };
            let owners = self.owners.entry(code.value.clone()).or_default();
            if let Some(other) = owners.iter().find(|other| other.meets(&owner)) {
                return Err(DirectoryFault::CodeTaken {
                    code: code.value.clone(),
                    owner: other.value,
                });
            }
            owners.insert(owners.partition_point(|other| other.from <= owner.from), owner);
        }
        for account in &agency.accounts {
            let owner = *self.accounts.entry(account.id.clone()).or_insert(id);
            if owner != id {
                return Err(DirectoryFault::AccountTaken {
                    account: account.id.clone(),
                    owner,
                });
            }
        }
        for heir in agency.succession.iter().flat_map(|succession| &succession.heirs) {
            let before = self.predecessors.entry(*heir).or_default();
            if let Err(place) = before.binary_search(&id) {
                before.insert(place, id);
            }
        }
        self.agencies.insert(id, Arc::new(agency));
        Ok(())
    }

    /// Whether `agency` would come to stand above itself if its `relation` pointed at `to`. Watchers form no chain:
    /// two agencies may follow each other up, but none itself.
    fn would_circle(&self, relation: Relation, agency: AgencyId, to: AgencyId) -> bool {
        let mut above = Some(to);
        // A chain cannot be longer than there are agencies.
        for _ in 0..=self.agencies.len() {
            match above {
                None => return false,
                Some(id) if id == agency => return true,
                Some(_) if relation == Relation::Watcher => return false,
                Some(id) => {
                    above = self
                        .agencies
                        .get(&id)
                        .and_then(|next| next.relation(relation).current().copied())
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
