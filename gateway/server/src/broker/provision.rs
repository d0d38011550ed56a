//! Provisioning: virtual host, topology and users, made through the management interface.
//!
//! Beside the road: *agency add*, *suspend* and *close* call it, and so does a start that finds a broker without its
//! disk. It uses a credential of its own; the running gateway's user can configure nothing.
//!
//! **Invariant:** every call may be repeated: what stands already is kept and reported, what is missing is made.
//! **Invariant:** the epoch's queue is made last, so that where it stands everything stands.
//! **Invariant:** a queue that exists with other arguments is reported, never deleted: it may hold messages.

mod definitions;
mod management;
mod password;

use std::collections::HashSet;
use std::time::Duration;

use domain::ids::AccountId;
use domain::wire;
use secrecy::SecretString;
use serde_json::json;

use super::topology::{self, Limits};
use definitions::{Definitions, Section};
use management::Management;
pub use management::ProvisionFault;
pub use password::PasswordHash;

/// Accounts in one import, so that no request runs into a time limit.
const BATCH: usize = 200;

/// The broker answers with an error when a connection that it is to end ends under its hands, as those of a user that was
/// just deleted do. So often it is told, with a pause between.
const DISCONNECTS_MAX: usize = 5;
const DISCONNECT_PAUSE: Duration = Duration::from_millis(200);

/// The gateway's own user at the broker.
#[derive(Debug, Clone)]
pub struct GatewayUser {
    /// Its name.
    pub name: String,
    /// Its password, as a hash.
    pub password: PasswordHash,
}

/// An account and how it proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Which.
    pub account: AccountId,
    /// Its password, as a hash; [`PasswordHash::none`] where only a client certificate admits it.
    pub password: PasswordHash,
}

/// What all accounts of the directory are to be like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    /// Those in use: user, permissions, queues.
    pub open: Vec<Access>,
    /// Those of suspended agencies: queues, and no user.
    pub locked: Vec<AccountId>,
    /// Those in use whose password is new: it is set, and connections made with an old one end.
    pub renewed: Vec<AccountId>,
    /// Closed ones: no user. Their queues are left to whoever empties them.
    pub ended: Vec<AccountId>,
}

/// What a call did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Made or changed, each in a few words.
    pub made: Vec<String>,
    /// How many things stood already as wanted.
    pub kept: usize,
    /// Queues and exchanges that exist with other arguments than wanted: a person must move them.
    pub differing: Vec<String>,
}

impl Report {
    fn add(&mut self, other: Report) {
        self.made.extend(other.made);
        self.kept += other.kept;
        self.differing.extend(other.differing);
    }
}

/// Whether the broker still has what was put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The epoch's queue is there.
    Kept,
    /// It is not: the broker is new or lost its disk.
    Lost,
}

/// Makes and unmakes what a gateway needs at its broker.
#[derive(Debug, Clone)]
pub struct Provisioner {
    management: Management,
    vhost: String,
    gateway: GatewayUser,
    limits: Limits,
}

impl Provisioner {
    /// A provisioner at the management interface `uri` (`http://127.0.0.1:15672`), as `user`, who needs the
    /// `administrator` tag because users and definitions are made.
    ///
    /// # Errors
    /// [`ProvisionFault::Client`] when no HTTP client can be built.
    pub fn new(
        uri: &str,
        (user, password): (&str, SecretString),
        vhost: &str,
        gateway: GatewayUser,
        limits: Limits,
    ) -> Result<Provisioner, ProvisionFault> {
        let management = Management::new(uri, user, password)?;
        Ok(Provisioner {
            management,
            vhost: vhost.to_owned(),
            gateway,
            limits,
        })
    }

    /// Makes virtual host, common topology, the gateway's user and, last, the epoch's queue.
    ///
    /// # Errors
    /// [`ProvisionFault`]; what was made before it stays.
    pub async fn set_up(&self, epoch: &str) -> Result<Report, ProvisionFault> {
        self.restore(epoch, &Accounts::default()).await
    }

    /// Makes everything anew after the broker lost its disk: common topology, all accounts, then the epoch.
    ///
    /// The caller has made sure that the broker is its own ([`Provisioner::check_own`]): another's holds accounts of the same
    /// names.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn restore(&self, epoch: &str, accounts: &Accounts) -> Result<Report, ProvisionFault> {
        let mut report = self.make_vhost().await?;
        report.add(self.make_shared().await?);
        report.add(self.lock_out_others(accounts).await?);
        report.add(self.open_accounts(&accounts.open).await?);
        report.add(self.make_queues(&accounts.locked).await?);
        let mut last = Definitions::new(&self.vhost);
        last.push(
            Section::Queues,
            topology::queue_row(&topology::epoch_queue(epoch)),
        );
        report.add(self.import(last).await?);
        Ok(report)
    }

    /// Makes what all accounts share where it is missing: exchanges, queues, the gateway's own user.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn make_shared(&self) -> Result<Report, ProvisionFault> {
        self.import(self.common()).await
    }

    /// Makes queues, users and permissions of accounts, a few hundred a request, or changes their passwords.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn open_accounts(&self, accounts: &[Access]) -> Result<Report, ProvisionFault> {
        let mut report = Report::default();
        for batch in accounts.chunks(BATCH) {
            let mut definitions = Definitions::new(&self.vhost);
            for access in batch {
                self.push_account(&mut definitions, access);
            }
            report.add(self.import(definitions).await?);
        }
        Ok(report)
    }

    /// Makes all accounts what they are to be: opens those in use, locks out all others. A user that is there keeps its
    /// password, unless that is a new one.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn reconcile(&self, accounts: &Accounts) -> Result<Report, ProvisionFault> {
        let mut report = self.lock_out_others(accounts).await?;
        let users = self.users().await?;
        let (there, missing): (Vec<Access>, Vec<Access>) =
            accounts.open.iter().cloned().partition(|access| {
                users.contains(access.account.as_str()) && !accounts.renewed.contains(&access.account)
            });
        report.add(self.open_accounts(&missing).await?);
        for renewed in &accounts.renewed {
            self.end_connections(renewed, &users).await?;
        }
        for batch in there.chunks(BATCH) {
            let mut rights = Definitions::new(&self.vhost);
            batch
                .iter()
                .for_each(|access| self.push_rights(&mut rights, &access.account));
            report.add(self.import(rights).await?);
        }
        report.add(self.make_queues(&accounts.locked).await?);
        Ok(report)
    }

    /// An epoch that the virtual host is marked with and that is none of these: it holds what another gateway put into it.
    ///
    /// # Errors
    /// [`ProvisionFault`] when the broker cannot be asked.
    pub async fn foreign_epoch(&self, known: &[String]) -> Result<Option<String>, ProvisionFault> {
        let path = ["queues", self.vhost.as_str()];
        // Only the marks, of which there is one: thousands of queues may stand beside it.
        let query = "page=1&page_size=100&name=%5Eepoch%5C.&use_regex=true&columns=name";
        let Some(found) = self.management.find(&path, query).await? else {
            return Ok(None);
        };
        let queues = found["items"].as_array().cloned().unwrap_or_default();
        let names = queues.iter().filter_map(|queue| queue["name"].as_str());
        let mut epochs = names.filter_map(topology::epoch_of);
        let foreign = epochs.find(|epoch| !known.iter().any(|one| one == epoch));
        Ok(foreign.map(str::to_owned))
    }

    /// Refuses a virtual host that holds what another gateway put into it, or this one before it lost its data: accounts are
    /// numbered anew then, and inboxes would go to others.
    ///
    /// # Errors
    /// [`ProvisionFault::Foreign`], and what [`Provisioner::foreign_epoch`] says.
    pub async fn check_own(&self, known: &[String]) -> Result<(), ProvisionFault> {
        match self.foreign_epoch(known).await? {
            None => Ok(()),
            Some(epoch) => Err(ProvisionFault::Foreign {
                vhost: self.vhost.clone(),
                epoch,
            }),
        }
    }

    /// The names of the users that there are.
    ///
    /// # Errors
    /// [`ProvisionFault`].
    pub async fn users(&self) -> Result<HashSet<String>, ProvisionFault> {
        let section = Section::Users;
        let path = section.path(&self.vhost);
        let users = self.management.list(&path, section.columns()).await?;
        let name = |user: &serde_json::Value| user["name"].as_str().map(str::to_owned);
        Ok(users.iter().filter_map(name).collect())
    }

    async fn lock_out_others(&self, accounts: &Accounts) -> Result<Report, ProvisionFault> {
        let users = self.users().await?;
        let mut report = Report::default();
        for account in accounts.locked.iter().chain(&accounts.ended) {
            if users.contains(account.as_str()) {
                report.add(self.lock_out(account).await?);
            }
        }
        Ok(report)
    }

    async fn make_queues(&self, accounts: &[AccountId]) -> Result<Report, ProvisionFault> {
        let mut report = Report::default();
        for batch in accounts.chunks(BATCH) {
            let mut queues = Definitions::new(&self.vhost);
            for account in batch {
                queues.push_part(&topology::of_account(account, &self.limits));
            }
            report.add(self.import(queues).await?);
        }
        Ok(report)
    }

    /// Locks an account out: its user is gone and its connections are closed. Its queues stay with what they hold, and
    /// are made where they are missing. [`Provisioner::open_accounts`] lets it in again.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn suspend_account(&self, account: &AccountId) -> Result<Report, ProvisionFault> {
        let mut report = self.lock_out(account).await?;
        report.add(self.make_queues(std::slice::from_ref(account)).await?);
        Ok(report)
    }

    /// Ends the live connections of an account, whose password was changed; `before` are the users that there were then:
    /// nobody came in as another one.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn end_connections(
        &self,
        account: &AccountId,
        before: &HashSet<String>,
    ) -> Result<(), ProvisionFault> {
        if before.contains(account.as_str()) {
            self.disconnect(account).await?;
        }
        Ok(())
    }

    async fn disconnect(&self, account: &AccountId) -> Result<(), ProvisionFault> {
        let connections = ["connections", "username", account.as_str()];
        for _ in 1..DISCONNECTS_MAX {
            match self.management.delete(&connections).await {
                Err(fault) if fault.is_transient() => tokio::time::sleep(DISCONNECT_PAUSE).await,
                ended => return ended.map(drop),
            }
        }
        self.management.delete(&connections).await.map(drop)
    }

    async fn lock_out(&self, account: &AccountId) -> Result<Report, ProvisionFault> {
        let user = ["users", account.as_str()];
        let report = self.delete(&user, format!("user {account} deleted")).await?;
        // In this order, or it would be back before the door is shut.
        self.disconnect(account).await?;
        Ok(report)
    }

    /// Locks an account out and deletes its inbox: what was in it, the journal gives to a successor. The intake
    /// stays until it is empty ([`Provisioner::delete_intake`]).
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn close_account(&self, account: &AccountId) -> Result<Report, ProvisionFault> {
        let mut report = self.lock_out(account).await?;
        report.add(self.delete_queue(&wire::inbox_queue(account)).await?);
        Ok(report)
    }

    /// Deletes the intake of a closed account. The caller has seen that it is empty and that its last arrival is
    /// settled: what it still holds is lost.
    ///
    /// # Errors
    /// [`ProvisionFault`]; repeat the call.
    pub async fn delete_intake(&self, account: &AccountId) -> Result<Report, ProvisionFault> {
        self.delete_queue(&topology::intake_queue(account)).await
    }

    /// Whether the broker still has what this epoch put into it. Unlike a connection of the gateway's user, this
    /// also answers when users and virtual host are gone.
    ///
    /// # Errors
    /// [`ProvisionFault`] when the broker cannot be asked.
    pub async fn standing(&self, epoch: &str) -> Result<Standing, ProvisionFault> {
        let queue = topology::epoch_queue(epoch).name;
        let path = ["queues", self.vhost.as_str(), queue.as_str()];
        let found = self.management.find(&path, "columns=name").await?;
        Ok(if found.is_some() {
            Standing::Kept
        } else {
            Standing::Lost
        })
    }

    async fn make_vhost(&self) -> Result<Report, ProvisionFault> {
        let path = ["vhosts", self.vhost.as_str()];
        let mut report = Report {
            kept: 1,
            ..Report::default()
        };
        if self.management.find(&path, "columns=name").await?.is_none() {
            self.management.put(&path, &json!({})).await?;
            report = Report {
                made: vec![format!("virtual host {}", self.vhost)],
                ..Report::default()
            };
        }
        // Deleting a queue goes through the virtual host's own permissions.
        let own = ["permissions", self.vhost.as_str(), self.management.user()];
        self.management
            .put(&own, &json!({"configure": ".*", "write": ".*", "read": ".*"}))
            .await?;
        Ok(report)
    }

    fn common(&self) -> Definitions {
        let mut definitions = Definitions::new(&self.vhost);
        for exchange in topology::exchanges() {
            definitions.push(Section::Exchanges, topology::exchange_row(&exchange));
        }
        definitions.push_part(&topology::common(&self.limits));
        definitions.push_user(&self.gateway.name, &self.gateway.password);
        definitions.push_permission(&self.gateway.name, &topology::gateway_permission());
        definitions
    }

    fn push_account(&self, definitions: &mut Definitions, access: &Access) {
        definitions.push_user(access.account.as_str(), &access.password);
        self.push_rights(definitions, &access.account);
    }

    fn push_rights(&self, definitions: &mut Definitions, account: &AccountId) {
        definitions.push_part(&topology::of_account(account, &self.limits));
        definitions.push_permission(account.as_str(), &topology::account_permission(account));
        definitions.push_topic_permission(account.as_str(), &topology::account_topic_permission(account));
    }

    /// Makes what is missing of `wanted`, in one request.
    async fn import(&self, wanted: Definitions) -> Result<Report, ProvisionFault> {
        let mut report = Report::default();
        let mut missing = Definitions::new(&self.vhost);
        for section in Section::ALL {
            if wanted.rows(section).is_empty() {
                continue;
            }
            let standing = self
                .management
                .list(&section.path(&self.vhost), section.columns())
                .await?;
            missing.take_missing(section, &wanted, &standing, &mut report);
        }
        if !missing.is_empty() {
            let missing = missing.into_json();
            let imported = match self.management.import(&missing).await {
                // Somebody made one of these users at this moment: once more, and what is there now is changed.
                Err(fault) if fault.is_lost_race() => self.management.import(&missing).await,
                imported => imported,
            };
            imported?;
        }
        Ok(report)
    }

    async fn delete_queue(&self, queue: &str) -> Result<Report, ProvisionFault> {
        self.delete(
            &["queues", self.vhost.as_str(), queue],
            format!("queue {queue} deleted"),
        )
        .await
    }

    async fn delete(&self, path: &[&str], done: String) -> Result<Report, ProvisionFault> {
        let mut report = Report::default();
        match self.management.delete(path).await? {
            Some(_) => report.made.push(done),
            None => report.kept += 1,
        }
        Ok(report)
    }
}
