//! What the broker must do after a decision about accounts.

use domain::agency::Standing;
use domain::directory::{Directory, DirectoryChange};
use domain::ids::{AccountId, AgencyId};
use domain::port::Soon;
use trust::Time;

use super::order::Order;
use crate::config::Secret;

/// One thing that the broker must do about an account. Doing it twice is doing it once.
#[derive(Debug, Clone)]
pub enum AccountStep {
    /// User with this password, its permissions, its queues.
    Open(Secret),
    /// Another password; connections made with the old one end.
    Renew(Secret),
    /// Permissions and queues, as they should be; the password stays.
    Restore,
    /// No permissions, and no live connection; the inbox waits.
    Suspend,
    /// No user and no live connection; the gateway empties the inbox into the heir's.
    Close,
}

/// Why the broker was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionFault {
    /// The broker could not be asked, or refused.
    #[error("{0}")]
    Failed(String),
    /// The configuration has no `[broker.provision]`.
    #[error("the configuration has no [broker.provision]: make the account at the broker by hand")]
    NotConfigured,
}

/// The way to the broker's users, permissions and queues, with a credential that the road does not have.
pub trait Provision: Send + Sync {
    /// Takes one step for one account.
    fn carry_out(&self, account: AccountId, step: AccountStep) -> Soon<'_, Result<(), ProvisionFault>>;
}

/// Where the configuration names no provisioning credential: each step is left to a person, and said so.
#[derive(Debug, Clone, Copy)]
pub struct NotProvisioned;

impl Provision for NotProvisioned {
    fn carry_out(&self, _: AccountId, _: AccountStep) -> Soon<'_, Result<(), ProvisionFault>> {
        Box::pin(async { Err(ProvisionFault::NotConfigured) })
    }
}

/// A step, and the password that its account gets by it.
pub(super) struct Step {
    pub(super) account: AccountId,
    pub(super) what: AccountStep,
    pub(super) opened: Option<(AgencyId, Secret)>,
}

impl Step {
    fn of(account: AccountId, what: AccountStep) -> Step {
        Step {
            account,
            what,
            opened: None,
        }
    }
}

/// What an account of an agency of this standing is to be like at the broker.
pub(super) fn standing_step(standing: Standing) -> AccountStep {
    match standing {
        Standing::Active => AccountStep::Restore,
        Standing::Suspended => AccountStep::Suspend,
        Standing::Closed => AccountStep::Close,
    }
}

/// The steps that follow from an order and its changes.
pub(super) fn steps(order: &Order, changes: &[DirectoryChange], before: &Directory, now: Time) -> Vec<Step> {
    if let Order::RenewPassword { account } = order {
        let account = AccountId::parse(account).ok();
        let owner = account
            .as_ref()
            .and_then(|account| before.agency_of_account(account));
        return account
            .zip(owner)
            .map(|(account, owner)| renew(account, owner))
            .into_iter()
            .collect();
    }
    changes
        .iter()
        .flat_map(|change| steps_of(change, before, now))
        .collect()
}

fn renew(account: AccountId, owner: AgencyId) -> Step {
    let password = new_password();
    Step {
        account,
        what: AccountStep::Renew(password.clone()),
        opened: Some((owner, password)),
    }
}

fn steps_of(change: &DirectoryChange, before: &Directory, now: Time) -> Vec<Step> {
    let all = |id: &AgencyId, what: AccountStep| -> Vec<Step> {
        let accounts = before.agency(*id).into_iter().flat_map(|agency| &agency.accounts);
        let open = accounts.filter(|account| account.is_open(now));
        open.map(|account| Step::of(account.id.clone(), what.clone()))
            .collect()
    };
    match change {
        DirectoryChange::AccountOpened { id, account, .. } => {
            let password = new_password();
            let what = AccountStep::Open(password.clone());
            vec![Step {
                account: account.clone(),
                what,
                opened: Some((*id, password)),
            }]
        }
        DirectoryChange::AccountClosed { account, .. } => vec![Step::of(account.clone(), AccountStep::Close)],
        DirectoryChange::Suspended { id } => all(id, AccountStep::Suspend),
        DirectoryChange::Resumed { id } => all(id, AccountStep::Restore),
        DirectoryChange::Merged { from, .. } => {
            from.iter().flat_map(|id| all(id, AccountStep::Close)).collect()
        }
        DirectoryChange::Split { from, .. } => all(from, AccountStep::Close),
        DirectoryChange::Closed { id, .. } => all(id, AccountStep::Close),
        DirectoryChange::Added(_)
        | DirectoryChange::Renamed { .. }
        | DirectoryChange::Recoded { .. }
        | DirectoryChange::ParentSet { .. }
        | DirectoryChange::PlaceSet { .. }
        | DirectoryChange::WatcherSet { .. }
        | DirectoryChange::CertificatePinned { .. }
        | DirectoryChange::CertificateEnded { .. } => Vec::new(),
    }
}

/// 192 random bits, in characters that no shell, URI or configuration file minds.
fn new_password() -> Secret {
    use base64::Engine;
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives randomness");
    Secret::of(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
