//! What a person decides about agencies and accounts, made durable and carried to the broker.
//!
//! Stands beside the road. One implementation serves the internal port of a running gateway and the commands that open
//! the store themselves when no gateway runs.
//!
//! **Invariant:** a decision is an event in the journal before anything else knows of it; what the broker must do
//! follows from it and can be done again.
//! **Invariant:** while the clock is not steady nothing is recorded, here as on the road.
//! **Invariant:** one decision at a time: each is worked out on the directory that the one before made.
//! **Invariant:** no agency is given the gateway's own code: status packets of the gateway bear it, and would speak in that
//! agency's name.

mod backlog;
mod order;
mod parking;
mod provision;
#[cfg(test)]
mod tests;
mod told;
mod trust_desk;

use std::sync::Arc;

use domain::agency::{Account, Answers};
use domain::directory::import::{Import, ImportFault, import};
use domain::directory::plan::Plan;
use domain::directory::{Directory, DirectoryChange, DirectoryFault};
use domain::event::Happening;
use domain::ids::{AccountId, AgencyId, CaseId, Code};
use domain::port::{Appended, Commit, Journal, Recorded, StoreFault};
use tokio::sync::Mutex;
use tracing::{info, warn};
use trust::Time;

pub use backlog::{AgencyBacklog, Backlog};
pub use order::{CsvFile, Order, OrderFault};
pub use parking::{Parking, ParkingFault, parked_as};
pub use provision::{AccountStep, NotProvisioned, Provision, ProvisionFault, account_standing};
pub use told::Told;
pub use trust_desk::{
    AbsentList, AddedLine, Addition, AdditionFault, AddressLine, Became, Complaint, IssuingCertificate,
    ListLine, ListState, Role, Trouble, TrustDesk, TrustDeskFault, TrustStatus,
};

use crate::clock::{Clock, Unsteady};
use crate::config::Secret;

/// Changes in one commit at most, so that an import of a whole province does not fill a commit group by itself.
const CHANGES_PER_COMMIT: usize = 100;

/// Whether an order is only thought through, or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Say what would happen.
    DryRun,
    /// Make it happen.
    Make,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationFault {
    /// The order cannot be understood against this directory.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// The directory cannot take it.
    #[error(transparent)]
    Directory(#[from] DirectoryFault),
    /// The file cannot be read as a list of agencies.
    #[error(transparent)]
    Import(#[from] ImportFault),
    /// The time of day cannot be believed, and an event carries it for ever.
    #[error(transparent)]
    Clock(#[from] Unsteady),
    /// The store could not take it, or not all of it.
    #[error("the store did not take it: {0}")]
    Store(#[from] StoreFault),
    /// The directory changed meanwhile, by other means than this one.
    #[error("the directory changed meanwhile; look and try again")]
    Conflict,
    /// What all accounts share could not be made at the broker; no account was attempted.
    #[error("what all accounts share is not at the broker: {0}")]
    Shared(ProvisionFault),
}

/// An account that was opened or got a new password. The password is known here and at the broker, nowhere else.
#[derive(Debug)]
pub struct OpenedAccount {
    /// Whose.
    pub agency: AgencyId,
    /// Which.
    pub account: AccountId,
    /// Its password.
    pub password: Secret,
}

/// What an order did, or would do.
#[derive(Debug)]
pub struct Report {
    /// Whether it was made.
    pub mode: Mode,
    /// The decisions, in their order.
    pub changes: Vec<DirectoryChange>,
    /// What they do to the directory and to what is in flight.
    pub plan: Plan,
    /// The directory afterwards, for names.
    pub directory: Arc<Directory>,
    /// Accounts with their new passwords.
    pub opened: Vec<OpenedAccount>,
    /// Accounts that the broker could not be told about; the decision stands, and can be carried there again.
    pub unprovisioned: Vec<(AccountId, ProvisionFault)>,
    /// For an import: what became of the rows.
    pub import: Option<Import>,
}

type Listener = Arc<dyn Fn(&[Recorded]) + Send + Sync>;

/// The desk where orders are carried out.
pub struct Administration {
    journal: Arc<dyn Journal>,
    provision: Arc<dyn Provision>,
    clock: Clock,
    told: Listener,
    own_code: Option<Code>,
    turn: Mutex<()>,
}

impl std::fmt::Debug for Administration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Administration")
    }
}

impl Administration {
    /// A desk over this journal. `provision` carries account steps to the broker.
    pub fn new(journal: Arc<dyn Journal>, provision: Arc<dyn Provision>, clock: Clock) -> Administration {
        Administration {
            journal,
            provision,
            clock,
            told: Arc::new(|_| {}),
            own_code: None,
            turn: Mutex::new(()),
        }
    }

    /// With somebody who is told of each event of this desk: the road does what follows from it.
    #[must_use]
    pub fn telling(mut self, told: impl Fn(&[Recorded]) + Send + Sync + 'static) -> Administration {
        self.told = Arc::new(told);
        self
    }

    /// Of the gateway with this code, which no agency may have.
    #[must_use]
    pub fn of_gateway(mut self, code: Code) -> Administration {
        self.own_code = Some(code);
        self
    }

    /// The directory as of the last change.
    pub fn directory(&self) -> Arc<Directory> {
        self.journal.directory()
    }

    /// The events of a case, in order; empty when nobody knows it.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn case(&self, case: CaseId) -> Result<Vec<Recorded>, StoreFault> {
        self.journal.events(case)
    }

    /// What is under way, agency by agency.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn backlog(&self) -> Result<Backlog, StoreFault> {
        Backlog::count(&*self.journal)
    }

    /// Carries out an order, or says what it would do.
    ///
    /// # Errors
    /// [`AdministrationFault`]. After [`AdministrationFault::Store`] a long import may have been made in part; the
    /// same file a second time makes the rest.
    pub async fn carry_out(&self, order: &Order, mode: Mode) -> Result<Report, AdministrationFault> {
        let _turn = self.turn.lock().await;
        let before = self.journal.directory();
        let now = self.now();
        let imported = if let Order::Import { csv } = order {
            Some(import(csv.bytes(), &before, now)?)
        } else {
            None
        };
        let changes = match &imported {
            Some(imported) => imported.changes.clone(),
            None => order.changes(&before, now)?,
        };
        self.keep_own_code(&changes)?;
        let plan = self.plan(&before, &changes, now)?;
        let mut report = Report {
            mode,
            plan,
            directory: Arc::new(before.apply_all(&changes, now)?),
            changes,
            opened: Vec::new(),
            unprovisioned: Vec::new(),
            import: imported,
        };
        if mode == Mode::DryRun {
            return Ok(report);
        }
        self.record(&report.changes).await?;
        report.directory = self.journal.directory();
        let all = provision::steps(order, &report.changes, (&before, &report.directory), now);
        let results = self.provision.carry_out(&all.steps).await;
        for ((account, _), result) in all.steps.into_iter().zip(results) {
            if let Err(fault) = result {
                warn!(account.id = %account, %fault, "the broker was not told about an account");
                report.unprovisioned.push((account, fault));
            }
        }
        report.opened = all.opened;
        Ok(report)
    }

    /// Carries what all accounts share, and every account's rights, queues and password, to the broker again: after a broker
    /// was set up anew, or was away when an account was opened or closed. Gives how each account did.
    ///
    /// # Errors
    /// [`AdministrationFault::Shared`].
    pub async fn provision_again(
        &self,
    ) -> Result<Vec<(AccountId, Result<(), ProvisionFault>)>, AdministrationFault> {
        let _turn = self.turn.lock().await;
        let (directory, now) = (self.journal.directory(), self.now());
        let accounts = directory.agencies().flat_map(|agency| &agency.accounts);
        let step = |account: &Account| {
            let step = AccountStep::of(&directory, &account.id, now);
            (account.id.clone(), step)
        };
        let steps: Vec<(AccountId, AccountStep)> = accounts.map(step).collect();
        self.provision
            .make_shared()
            .await
            .map_err(AdministrationFault::Shared)?;
        let results = self.provision.carry_out(&steps).await;
        let accounts = steps.into_iter().map(|(account, _)| account);
        Ok(accounts.zip(results).collect())
    }

    /// A list with the gateway's code is refused whole: most often the list is right and the configuration is not, and
    /// the agency that was left out would be missing above all others.
    fn keep_own_code(&self, changes: &[DirectoryChange]) -> Result<(), OrderFault> {
        let given = |own: &&Code| {
            changes
                .iter()
                .any(|change| order::codes_given(change).contains(*own))
        };
        match self.own_code.as_ref().filter(given) {
            Some(own) => Err(OrderFault::CodeOfGateway(own.clone())),
            None => Ok(()),
        }
    }

    fn plan(
        &self,
        before: &Directory,
        changes: &[DirectoryChange],
        now: Time,
    ) -> Result<Plan, AdministrationFault> {
        let draft = Plan::new(before, changes, now, &Default::default())?;
        if draft.ended.is_empty() {
            return Ok(draft);
        }
        let in_flight = Backlog::count(&*self.journal)?.in_flight();
        Ok(Plan::new(before, changes, now, &in_flight)?)
    }

    async fn record(&self, changes: &[DirectoryChange]) -> Result<(), AdministrationFault> {
        for some in changes.chunks(CHANGES_PER_COMMIT) {
            let happenings = some.iter().cloned().map(Happening::DirectoryChanged).collect();
            let commit = Commit {
                happenings,
                ..Commit::default()
            };
            if !self.append::<AdministrationFault>(commit).await? {
                return Err(AdministrationFault::Conflict);
            }
        }
        for change in changes {
            info!(change = change.word(), "the directory changed");
        }
        Ok(())
    }

    /// The moment at which the next event is recorded: the time of day, and after the newest event.
    fn now(&self) -> Time {
        let newest = self.journal.newest();
        let after = newest.map(|newest| Time::from_micros(newest.as_micros() + 1));
        self.clock.now_from(after)
    }

    /// Records a commit and tells of it; false when it conflicts. Every write of this desk goes through here: a change
    /// that is dated by a clock that jumped would hold back all that come after it.
    async fn append<F>(&self, commit: Commit) -> Result<bool, F>
    where
        F: From<Unsteady> + From<StoreFault>,
    {
        self.clock.steady()?;
        match self.journal.append(commit).await? {
            Appended::Done(recorded) => {
                (self.told)(&recorded);
                Ok(true)
            }
            Appended::Conflict => Ok(false),
        }
    }
}

/// How software of an account is answered when nobody says otherwise.
pub const ANSWERS_DEFAULT: Answers = Answers::Receipts;
