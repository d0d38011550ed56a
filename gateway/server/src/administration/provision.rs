//! What the broker must do after a decision about accounts.

use domain::agency::Standing;
use domain::directory::{Directory, DirectoryChange};
use domain::ids::{AccountId, AgencyId};
use domain::port::Soon;
use trust::Time;

use super::OpenedAccount;
use super::order::Order;
use crate::config::Secret;

/// What an account is to be like at the broker. Brought about twice it is brought about once.
#[derive(Debug, Clone)]
pub struct AccountStep {
    /// `Active`: user, permissions and queues. `Suspended`: queues only, no user and no live connection; the inbox
    /// waits. `Closed`: neither user nor inbox; the gateway gives what was in it to the heir.
    pub standing: Standing,
    /// The password that it gets; connections made with an old one end. `None`: it stays as it is.
    pub password: Option<Secret>,
}

impl AccountStep {
    /// What the directory says of the account now; its password stays.
    pub fn of(directory: &Directory, account: &AccountId, now: Time) -> AccountStep {
        AccountStep {
            standing: account_standing(directory, account, now),
            password: None,
        }
    }
}

/// What an account is to be like at the broker: whoever makes, restores or renews one asks here. An account that the
/// directory does not hold, or that is closed, has no rights; an open one those of its agency.
pub fn account_standing(directory: &Directory, account: &AccountId, now: Time) -> Standing {
    let is_open = directory.account(account).is_some_and(|own| own.is_open(now));
    let agency = directory.agency_of_account(account).filter(|_| is_open);
    let standing = agency.and_then(|agency| directory.standing(agency, now));
    standing.unwrap_or(Standing::Closed)
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
    /// Makes what all accounts share, where it is missing.
    fn make_shared(&self) -> Soon<'_, Result<(), ProvisionFault>>;

    /// Takes these steps, one after the other, however the ones before ended; gives how each did, in their order.
    fn carry_out<'a>(
        &'a self,
        steps: &'a [(AccountId, AccountStep)],
    ) -> Soon<'a, Vec<Result<(), ProvisionFault>>>;
}

/// Where the configuration names no provisioning credential: each step is left to a person, and said so.
#[derive(Debug, Clone, Copy)]
pub struct NotProvisioned;

impl Provision for NotProvisioned {
    fn make_shared(&self) -> Soon<'_, Result<(), ProvisionFault>> {
        Box::pin(std::future::ready(Err(ProvisionFault::NotConfigured)))
    }

    fn carry_out<'a>(
        &'a self,
        steps: &'a [(AccountId, AccountStep)],
    ) -> Soon<'a, Vec<Result<(), ProvisionFault>>> {
        Box::pin(async { steps.iter().map(|_| Err(ProvisionFault::NotConfigured)).collect() })
    }
}

/// The steps that follow from an order, and the accounts that get a password by them, with their agencies.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) steps: Vec<(AccountId, AccountStep)>,
    pub(super) opened: Vec<OpenedAccount>,
}

/// The steps that follow from an order that made this directory out of the one before.
pub(super) fn steps(
    order: &Order,
    changes: &[DirectoryChange],
    (before, after): (&Directory, &Directory),
    now: Time,
) -> Steps {
    let now = after.latest().map_or(now, |latest| latest.max(now));
    let renewed = if let Order::RenewPassword { account } = order {
        AccountId::parse(account).ok()
    } else {
        None
    };
    let renewed = renewed.map(|account| {
        let owner = after.agency_of_account(&account);
        (account, owner)
    });
    let changed = changes.iter().flat_map(|change| accounts_of(change, before, now));
    let mut all = Steps::default();
    for (account, owner) in renewed.into_iter().chain(changed) {
        let password = owner.map(|agency| {
            let password = new_password();
            all.opened.push(OpenedAccount {
                agency,
                account: account.clone(),
                password: password.clone(),
            });
            password
        });
        let step = AccountStep::of(after, &account, now);
        all.steps.push((account, AccountStep { password, ..step }));
    }
    all
}

/// The accounts that a change concerns; with its agency the one that it opens, which gets a password.
fn accounts_of(
    change: &DirectoryChange,
    before: &Directory,
    now: Time,
) -> Vec<(AccountId, Option<AgencyId>)> {
    let all = |id: &AgencyId| -> Vec<(AccountId, Option<AgencyId>)> {
        let accounts = before.agency(*id).into_iter().flat_map(|agency| &agency.accounts);
        let open = accounts.filter(|account| account.is_open(now));
        open.map(|account| (account.id.clone(), None)).collect()
    };
    match change {
        DirectoryChange::AccountOpened { id, account, .. } => vec![(account.clone(), Some(*id))],
        DirectoryChange::AccountClosed { account, .. } => vec![(account.clone(), None)],
        DirectoryChange::Suspended { id }
        | DirectoryChange::Resumed { id }
        | DirectoryChange::Split { from: id, .. }
        | DirectoryChange::Closed { id, .. } => all(id),
        DirectoryChange::Merged { from, .. } => from.iter().flat_map(all).collect(),
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
