//! What a change would do, before it is made: the answer to `--dry-run`.
//!
//! **Invariant:** worked out by making the change on a copy and comparing; there is no second opinion that could
//! differ from what then happens.

use std::collections::BTreeMap;

use trust::{Digest, Time};

use super::{Directory, DirectoryChange, DirectoryFault};
use crate::agency::{Agency, Dated, Relation, Standing};
use crate::ids::{AccountId, AgencyId, Code};

/// What is under way for one agency, counted by the caller from the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Dispatches to it that are not handed over.
    pub incoming: u64,
    /// Cases that it sent and that are not settled.
    pub outgoing: u64,
    /// Submissions of it that are held.
    pub held: u64,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// New names, old one first.
    pub renamed: Vec<Renaming>,
    /// Agencies that end, and what becomes of what is theirs.
    pub ended: Vec<Inheritance>,
    /// Relations that point elsewhere afterwards, the changed agency's own and those of its neighbours.
    pub moved: Vec<Move>,
    /// Codes that begin or end.
    pub codes: Vec<CodeMove>,
    /// What a person should know before saying yes.
    pub warnings: Vec<PlanWarning>,
}

/// An agency and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renaming {
    /// Which.
    pub agency: AgencyId,
    /// Its name before.
    pub from: String,
    /// Its name afterwards.
    pub to: String,
}

/// What becomes of what is an ended agency's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inheritance {
    /// The agency that ends.
    pub agency: AgencyId,
    /// Who gets its inbox; `None` when nobody does.
    pub inbox_to: Option<AgencyId>,
    /// The account that reads that inbox; `None` when the heir has no document system yet.
    pub inbox_account: Option<AccountId>,
    /// Who may recall and update its documents and report their status afterwards.
    pub rights_to: Vec<AgencyId>,
    /// What is under way for it.
    pub in_flight: InFlight,
    /// Codes that it keeps, until another agency is given them: what is addressed to them reaches the heir.
    pub codes_kept: Vec<Code>,
    /// Accounts that close.
    pub accounts_closed: Vec<AccountId>,
    /// Certificates that are good for nothing new afterwards.
    pub certificates_ended: Vec<Digest>,
}

/// A relation that points elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Which relation.
    pub relation: Relation,
    /// Whose.
    pub agency: AgencyId,
    /// To whom it pointed.
    pub from: Option<AgencyId>,
    /// To whom it points.
    pub to: Option<AgencyId>,
}

/// A code that changes hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeMove {
    /// The code.
    pub code: Code,
    /// Whose it was.
    pub from: Option<AgencyId>,
    /// Whose it is.
    pub to: Option<AgencyId>,
}

/// Something that is allowed and perhaps not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanWarning {
    /// Documents are under way to an agency that ends without heir; they will fail.
    WillFail {
        /// To which.
        agency: AgencyId,
        /// How many.
        incoming: u64,
    },
    /// The heir has no document system: what is for the agency that ends waits until an account is opened.
    HeirWithoutAccount {
        /// The heir.
        heir: AgencyId,
    },
    /// The heir is suspended.
    HeirSuspended {
        /// The heir.
        heir: AgencyId,
    },
    /// The heir has no certificate, so it cannot seal anything yet.
    HeirWithoutCertificate {
        /// The heir.
        heir: AgencyId,
    },
}

impl Plan {
    /// What these changes would do, made together at one time. `in_flight` holds the counts of the agencies
    /// concerned; who is not in it has nothing under way.
    ///
    /// # Errors
    /// [`DirectoryFault`] when they cannot be made.
    pub fn new(
        before: &Directory,
        changes: &[DirectoryChange],
        at: Time,
        in_flight: &BTreeMap<AgencyId, InFlight>,
    ) -> Result<Plan, DirectoryFault> {
        let after = before.apply_all(changes, at)?;
        let mut plan = Plan {
            renamed: vec![],
            ended: vec![],
            moved: vec![],
            codes: vec![],
            warnings: vec![],
        };
        for agency in after.agencies() {
            let was = before.agency(agency.id);
            if was == Some(agency) {
                continue;
            }
            plan.compare(was, agency);
            if agency.succession.is_some() && was.is_none_or(|was| was.succession.is_none()) {
                let count = in_flight.get(&agency.id).copied().unwrap_or_default();
                let inheritance = Inheritance::of(&after, agency, at, count);
                plan.warn(&after, &inheritance);
                plan.ended.push(inheritance);
            }
        }
        plan.codes = code_moves(before, &after);
        Ok(plan)
    }

    /// All agencies that the changes of `moved` and `ended` touch, for instance to count what is in flight.
    pub fn concerned(&self) -> Vec<AgencyId> {
        let ended = self
            .ended
            .iter()
            .flat_map(|end| end.rights_to.iter().copied().chain([end.agency]));
        let mut all: Vec<AgencyId> = ended.chain(self.moved.iter().map(|moved| moved.agency)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn compare(&mut self, was: Option<&Agency>, agency: &Agency) {
        if let Some(was) = was.filter(|was| was.name() != agency.name()) {
            let (from, to) = (was.name().to_owned(), agency.name().to_owned());
            self.renamed.push(Renaming {
                agency: agency.id,
                from,
                to,
            });
        }
        for relation in Relation::ALL {
            let from = was.and_then(|was| was.relation(relation).current().copied());
            let to = agency.relation(relation).current().copied();
            if from != to {
                self.moved.push(Move {
                    relation,
                    agency: agency.id,
                    from,
                    to,
                });
            }
        }
    }

    fn warn(&mut self, after: &Directory, inheritance: &Inheritance) {
        let mut warn = |warning: PlanWarning| {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        };
        let Some(heir) = inheritance.inbox_to.and_then(|heir| after.agency(heir)) else {
            let incoming = inheritance.in_flight.incoming;
            if incoming > 0 {
                warn(PlanWarning::WillFail {
                    agency: inheritance.agency,
                    incoming,
                });
            }
            return;
        };
        if heir.standing() == Standing::Suspended {
            warn(PlanWarning::HeirSuspended { heir: heir.id });
        }
        if inheritance.inbox_account.is_none() {
            warn(PlanWarning::HeirWithoutAccount { heir: heir.id });
        }
        if heir.certificates.iter().all(|pin| pin.until.is_some()) {
            warn(PlanWarning::HeirWithoutCertificate { heir: heir.id });
        }
    }
}

impl Inheritance {
    fn of(after: &Directory, agency: &Agency, at: Time, in_flight: InFlight) -> Inheritance {
        let closed = agency
            .accounts
            .iter()
            .filter(|account| account.closed_at == Some(at));
        let ended = agency.certificates.iter().filter(|pin| pin.until == Some(at));
        let heirs = agency
            .succession
            .iter()
            .flat_map(|succession| succession.heirs.iter().copied());
        Inheritance {
            agency: agency.id,
            inbox_to: after.heir(agency.id, at),
            inbox_account: after.inbox_account(agency.id, at),
            rights_to: heirs.collect(),
            in_flight,
            codes_kept: agency.codes_current().cloned().collect(),
            accounts_closed: closed.map(|account| account.id.clone()).collect(),
            certificates_ended: ended.map(|pin| pin.value.fingerprint).collect(),
        }
    }
}

/// Codes whose present owner differs.
fn code_moves(before: &Directory, after: &Directory) -> Vec<CodeMove> {
    let open = |owners: &[Dated<AgencyId>]| {
        owners
            .iter()
            .find(|owner| owner.until.is_none())
            .map(|owner| owner.value)
    };
    let codes = |directory: &Directory| directory.codes().cloned().collect::<Vec<Code>>();
    let mut all = [codes(before), codes(after)].concat();
    all.sort_unstable();
    all.dedup();
    let moves = all.into_iter().map(|code| {
        let (from, to) = (open(before.owners(&code)), open(after.owners(&code)));
        CodeMove { code, from, to }
    });
    moves.filter(|moved| moved.from != moved.to).collect()
}

#[cfg(test)]
mod tests;
