//! What follows from a change: the fold step of the directory.
//!
//! **Invariant:** everything is checked before anything is touched.
//! **Invariant:** what ended stays where it was: names, codes and past relations are kept with their dates. A code
//! leaves a closed agency only when another one is given it.

use std::collections::BTreeSet;

use trust::{Digest, Time};

use super::{Addition, DirectoryChange, DirectoryFault, State};
use crate::agency::{
    Account, Agency, Answers, Dated, Ending, History, PinnedCertificate, Relation, Standing, Succession,
    end_spans,
};
use crate::ids::{AccountId, AgencyId, Code};

/// Generous: the longest name in a real provincial directory has 115 bytes.
const TEXT_BYTES_MAX: usize = 512;

impl State {
    /// Makes the change, or leaves everything as it was and says why not.
    pub(super) fn apply(&mut self, change: &DirectoryChange, at: Time) -> Result<(), DirectoryFault> {
        if let Some(latest) = self.latest.filter(|latest| at < *latest) {
            return Err(DirectoryFault::TooEarly { at, latest });
        }
        match change {
            DirectoryChange::Added(addition) => self.add(addition, at)?,
            DirectoryChange::Renamed { id, name } => self.rename(*id, name, at)?,
            DirectoryChange::Recoded { id, added, ended } => self.recode(*id, added, ended, at)?,
            DirectoryChange::ParentSet { id, parent } => self.relate(Relation::Parent, *id, *parent, at)?,
            DirectoryChange::PlaceSet { id, place } => self.relate(Relation::Place, *id, *place, at)?,
            DirectoryChange::WatcherSet { id, watcher } => {
                self.relate(Relation::Watcher, *id, *watcher, at)?
            }
            DirectoryChange::CertificatePinned { id, certificate } => self.pin(*id, *certificate, at)?,
            DirectoryChange::CertificateEnded { id, fingerprint } => self.unpin(*id, fingerprint, at)?,
            DirectoryChange::AccountOpened { id, account, answers } => {
                self.open_account(*id, account, *answers, at)?;
            }
            DirectoryChange::AccountClosed { id, account } => self.close_account(*id, account, at)?,
            DirectoryChange::Suspended { id } => self.stand(*id, Standing::Suspended, at)?,
            DirectoryChange::Resumed { id } => self.stand(*id, Standing::Active, at)?,
            DirectoryChange::Merged { from, into } => self.succeed(from, Ending::Merged, &[*into], at)?,
            DirectoryChange::Split { from, into } => {
                if into.len() < 2 {
                    return Err(DirectoryFault::TooFew);
                }
                self.succeed(&[*from], Ending::Split, into, at)?;
            }
            DirectoryChange::Closed { id, successor } => {
                let heirs: Vec<AgencyId> = successor.iter().copied().collect();
                self.succeed(&[*id], Ending::Closed, &heirs, at)?;
            }
        }
        self.version += 1;
        self.latest = Some(at);
        Ok(())
    }

    /// The agency, if it has not ended.
    fn living(&self, id: AgencyId) -> Result<&Agency, DirectoryFault> {
        let agency = self.agency(id)?;
        if agency.succession.is_some() {
            Err(DirectoryFault::Ended { agency: id })
        } else {
            Ok(agency)
        }
    }

    /// Changes an agency that is known to be there, in a way that is known to be sound.
    fn edit(&mut self, id: AgencyId, edit: impl FnOnce(&mut Agency)) {
        let mut agency = self
            .agency(id)
            .expect("only an agency that was found is edited")
            .clone();
        edit(&mut agency);
        self.put(agency)
            .expect("codes and accounts are checked before an edit");
    }

    fn add(&mut self, addition: &Addition, at: Time) -> Result<(), DirectoryFault> {
        let id = addition.id;
        if self.agencies.contains_key(&id) {
            return Err(DirectoryFault::Known { agency: id });
        }
        if id != self.next_id() {
            return Err(DirectoryFault::NotNext {
                agency: id,
                next: self.next_id(),
            });
        }
        let level_fits = addition.level.is_empty() || text_fits(&addition.level);
        if !text_fits(&addition.name) || !level_fits {
            return Err(DirectoryFault::TextUnfit { agency: id });
        }
        for relation in Relation::ALL {
            addition
                .related(relation)
                .map_or(Ok(()), |to| self.living(to).map(drop))?;
        }
        let released = self.codes_released(id, &addition.codes)?;
        self.release_codes(released, at);
        let related = |relation| {
            let mut history = History::default();
            history.set(addition.related(relation), at);
            history
        };
        let agency = Agency {
            id,
            names: History::since(addition.name.clone(), at),
            codes: addition
                .codes
                .iter()
                .map(|code| Dated::since(code.clone(), at))
                .collect(),
            parents: related(Relation::Parent),
            places: related(Relation::Place),
            watchers: related(Relation::Watcher),
            level: addition.level.clone(),
            certificates: Vec::new(),
            accounts: Vec::new(),
            standings: History::since(Standing::Active, at),
            succession: None,
        };
        self.put(agency)
    }

    fn rename(&mut self, id: AgencyId, name: &str, at: Time) -> Result<(), DirectoryFault> {
        if !text_fits(name) {
            return Err(DirectoryFault::TextUnfit { agency: id });
        }
        if self.living(id)?.name() == name {
            return Err(DirectoryFault::Unchanged { agency: id });
        }
        self.edit(id, |agency| agency.names.set(Some(name.to_owned()), at));
        Ok(())
    }

    fn recode(
        &mut self,
        id: AgencyId,
        added: &[Code],
        ended: &[Code],
        at: Time,
    ) -> Result<(), DirectoryFault> {
        let agency = self.living(id)?;
        if added.is_empty() && ended.is_empty() {
            return Err(DirectoryFault::Unchanged { agency: id });
        }
        if let Some(code) = ended
            .iter()
            .find(|code| !agency.codes_current().any(|own| own == *code))
        {
            return Err(DirectoryFault::CodeNotHeld {
                code: code.clone(),
                agency: id,
            });
        }
        let released = self.codes_released(id, added)?;
        self.release_codes(released, at);
        self.edit(id, |agency| {
            end_spans(&mut agency.codes, at, |code| ended.contains(code));
            agency
                .codes
                .extend(added.iter().map(|code| Dated::since(code.clone(), at)));
        });
        Ok(())
    }

    /// The closed agencies that lose these codes when another agency is given them.
    fn codes_released(&self, to: AgencyId, codes: &[Code]) -> Result<Vec<(AgencyId, Code)>, DirectoryFault> {
        let mut released = Vec::new();
        for (place, code) in codes.iter().enumerate() {
            if codes[..place].contains(code) {
                return Err(DirectoryFault::CodeTaken {
                    code: code.clone(),
                    owner: to,
                });
            }
            let owners = self.owners.get(code).into_iter().flatten();
            let Some(owner) = owners.rev().find(|owner| owner.until.is_none()) else {
                continue;
            };
            if self.living(owner.value).is_ok() {
                return Err(DirectoryFault::CodeTaken {
                    code: code.clone(),
                    owner: owner.value,
                });
            }
            released.push((owner.value, code.clone()));
        }
        Ok(released)
    }

    fn release_codes(&mut self, released: Vec<(AgencyId, Code)>, at: Time) {
        for (owner, code) in released {
            self.edit(owner, |agency| {
                end_spans(&mut agency.codes, at, |own| *own == code)
            });
        }
    }

    fn relate(
        &mut self,
        relation: Relation,
        id: AgencyId,
        to: Option<AgencyId>,
        at: Time,
    ) -> Result<(), DirectoryFault> {
        if self.living(id)?.relation(relation).current().copied() == to {
            return Err(DirectoryFault::Unchanged { agency: id });
        }
        if let Some(to) = to {
            self.living(to)?;
            if self.would_circle(relation, id, to) {
                return Err(DirectoryFault::Cycle {
                    relation,
                    agency: id,
                    to,
                });
            }
        }
        self.edit(id, |agency| agency.relation_mut(relation).set(to, at));
        Ok(())
    }

    fn pin(&mut self, id: AgencyId, pin: PinnedCertificate, at: Time) -> Result<(), DirectoryFault> {
        let pins = &self.living(id)?.certificates;
        if pins
            .iter()
            .any(|own| own.until.is_none() && own.value.fingerprint == pin.fingerprint)
        {
            return Err(DirectoryFault::CertificatePinned { agency: id });
        }
        self.edit(id, |agency| agency.certificates.push(Dated::since(pin, at)));
        Ok(())
    }

    fn unpin(&mut self, id: AgencyId, fingerprint: &Digest, at: Time) -> Result<(), DirectoryFault> {
        let pins = &self.living(id)?.certificates;
        if !pins
            .iter()
            .any(|own| own.until.is_none() && own.value.fingerprint == *fingerprint)
        {
            return Err(DirectoryFault::CertificateNotPinned { agency: id });
        }
        self.edit(id, |agency| {
            end_spans(&mut agency.certificates, at, |pin| {
                pin.fingerprint == *fingerprint
            })
        });
        Ok(())
    }

    fn open_account(
        &mut self,
        id: AgencyId,
        account: &AccountId,
        answers: Answers,
        at: Time,
    ) -> Result<(), DirectoryFault> {
        self.living(id)?;
        if let Some(owner) = self.accounts.get(account) {
            return Err(DirectoryFault::AccountTaken {
                account: account.clone(),
                owner: *owner,
            });
        }
        let opened = Account {
            id: account.clone(),
            answers,
            opened_at: at,
            closed_at: None,
        };
        self.edit(id, |agency| agency.accounts.push(opened));
        Ok(())
    }

    fn close_account(&mut self, id: AgencyId, account: &AccountId, at: Time) -> Result<(), DirectoryFault> {
        let open = |own: &Account| own.id == *account && own.closed_at.is_none();
        let Some(place) = self.living(id)?.accounts.iter().position(open) else {
            return Err(DirectoryFault::AccountNotOpen {
                account: account.clone(),
                agency: id,
            });
        };
        self.edit(id, |agency| agency.accounts[place].closed_at = Some(at));
        Ok(())
    }

    fn stand(&mut self, id: AgencyId, standing: Standing, at: Time) -> Result<(), DirectoryFault> {
        let before = self.living(id)?.standing();
        if before == standing {
            return Err(DirectoryFault::StandingWrong { agency: id, standing });
        }
        self.edit(id, |agency| agency.standings.set(Some(standing), at));
        Ok(())
    }

    /// Ends agencies and puts their heirs into their place.
    fn succeed(
        &mut self,
        ended: &[AgencyId],
        ending: Ending,
        heirs: &[AgencyId],
        at: Time,
    ) -> Result<(), DirectoryFault> {
        if ended.is_empty() {
            return Err(DirectoryFault::TooFew);
        }
        let mut named = BTreeSet::new();
        for id in ended {
            self.living(*id)?;
            if !named.insert(*id) {
                return Err(DirectoryFault::Repeated { agency: *id });
            }
        }
        for (place, id) in heirs.iter().enumerate() {
            self.living(*id)?;
            if ended.contains(id) {
                return Err(DirectoryFault::SuccessorOfItself { agency: *id });
            }
            if heirs[..place].contains(id) {
                return Err(DirectoryFault::Repeated { agency: *id });
            }
        }
        for id in ended {
            for relation in Relation::ALL {
                self.rehang(relation, *id, heirs, at);
            }
            let succession = Succession {
                ending,
                at,
                heirs: heirs.to_vec(),
            };
            self.edit(*id, |agency| agency.end(succession, at));
        }
        Ok(())
    }

    /// Lets those who pointed at an agency that ends point at its first heir, or, without one, at whom it pointed
    /// at itself. An heir that stood below it rises to its height, or the chain would become a circle.
    fn rehang(&mut self, relation: Relation, ended: AgencyId, heirs: &[AgencyId], at: Time) {
        let current = |state: &State, id| state.agencies[&id].relation(relation).current().copied();
        let above = current(self, ended);
        for heir in heirs {
            let below = current(self, *heir).is_some_and(|to| self.would_circle(relation, ended, to));
            if below {
                let to = above.filter(|to| to != heir);
                self.edit(*heir, |agency| agency.relation_mut(relation).set(to, at));
            }
        }
        let pointing = |id: &AgencyId| *id != ended && current(self, *id) == Some(ended);
        let pointing: Vec<AgencyId> = self.agencies.keys().copied().filter(pointing).collect();
        for id in pointing {
            let to = heirs.first().copied().or(above).filter(|to| *to != id);
            self.edit(id, |agency| agency.relation_mut(relation).set(to, at));
        }
    }
}

impl Agency {
    fn end(&mut self, succession: Succession, at: Time) {
        for relation in Relation::ALL {
            self.relation_mut(relation).end(at);
        }
        end_spans(&mut self.certificates, at, |_| true);
        for account in &mut self.accounts {
            account.closed_at.get_or_insert(at);
        }
        self.standings.set(Some(Standing::Closed), at);
        self.succession = Some(succession);
    }
}

/// Whether a text may be a name or a level: it is shown in lists and mails, one line each.
fn text_fits(text: &str) -> bool {
    let bytes = 1..=TEXT_BYTES_MAX;
    bytes.contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
}
