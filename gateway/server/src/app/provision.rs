//! Accounts at the broker: what administration decides, carried out with the provisioning credential.
//!
//! Only salted hashes of passwords are kept, one small file an account, so that a broker that lost its disk gets the
//! same users again.
//!
//! **Invariant:** a hash is on disk before the broker knows it; a password is nowhere.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::agency::Standing;
use domain::directory::Directory;
use domain::ids::AccountId;
use domain::port::Soon;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::warn;
use trust::Time;

use super::epochs::Epochs;
use crate::administration::{AccountStep, Provision, ProvisionFault as StepFault, account_standing};
use crate::broker::topology::Limits;
use crate::broker::{Access, Accounts, GatewayUser, PasswordHash, ProvisionFault, Provisioner, Report};
use crate::config::Config;

/// Accounts that are opened with one request.
const OPENED_AT_ONCE: usize = 200;
/// The folder in the data folder that holds account hashes.
const ACCOUNTS_FOLDER: &str = "accounts";

/// What its name ends with; account ids have no full stop.
const RENEWAL: &str = ".renewed";

/// The hashes of accounts, one file each, readable by the gateway's user only.
#[derive(Debug, Clone)]
pub struct AccountFiles {
    folder: PathBuf,
}

impl AccountFiles {
    /// In this data folder; made if missing.
    ///
    /// # Errors
    /// Of making the folder.
    pub fn open(data_dir: &Path) -> io::Result<AccountFiles> {
        let folder = data_dir.join(ACCOUNTS_FOLDER);
        fs::create_dir_all(&folder)?;
        Ok(AccountFiles { folder })
    }

    /// Keeps the hash of an account, and notes that the broker has still to be told: until then an old password opens it.
    ///
    /// # Errors
    /// Of writing.
    pub fn keep(&self, account: &AccountId, hash: &PasswordHash) -> io::Result<()> {
        write_secret(&self.folder, &renewal_of(account), "")?;
        write_secret(&self.folder, account.as_str(), hash.as_str())
    }

    /// Forgets an account.
    ///
    /// # Errors
    /// Of removing.
    pub fn forget(&self, account: &AccountId) -> io::Result<()> {
        self.remove(account.as_str())?;
        self.remove(&renewal_of(account))
    }

    /// Whether the broker has still to be told of a new password of this account.
    pub fn is_renewed(&self, account: &AccountId) -> bool {
        self.folder.join(renewal_of(account)).exists()
    }

    /// Whether it has to be told of any.
    ///
    /// # Errors
    /// Of reading.
    pub fn has_renewals(&self) -> io::Result<bool> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            if !name.as_encoded_bytes().starts_with(b".")
                && name.as_encoded_bytes().ends_with(RENEWAL.as_bytes())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The broker knows the password that is kept, or lets nobody in, and no connection was made with an older one.
    ///
    /// # Errors
    /// Of removing.
    pub fn renewal_done(&self, account: &AccountId) -> io::Result<()> {
        self.remove(&renewal_of(account))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.folder.join(name)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The hash of an account, if one is kept.
    ///
    /// # Errors
    /// Of reading.
    pub fn of(&self, account: &AccountId) -> io::Result<Option<PasswordHash>> {
        match fs::read_to_string(self.folder.join(account.as_str())) {
            Ok(text) => Ok(PasswordHash::parse(text.trim()).ok()),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What all accounts are to be like at the broker. One without a usable hash is told and left out: it needs a new
    /// password.
    ///
    /// # Errors
    /// Of reading.
    pub fn wanted(&self, directory: &Directory, now: Time) -> io::Result<Accounts> {
        let mut wanted = Accounts::default();
        for account in directory.agencies().flat_map(|agency| &agency.accounts) {
            let account = account.id.clone();
            match account_standing(directory, &account, now) {
                Standing::Active => match self.of(&account)? {
                    Some(password) => {
                        if self.is_renewed(&account) {
                            wanted.renewed.push(account.clone());
                        }
                        wanted.open.push(Access { account, password });
                    }
                    None => {
                        warn!(account.id = %account, "no usable hash is kept; give the account a new password");
                    }
                },
                Standing::Suspended => wanted.locked.push(account),
                Standing::Closed => wanted.ended.push(account),
            }
        }
        Ok(wanted)
    }
}

/// The file beside the hash that says what the broker has still to be told.
fn renewal_of(account: &AccountId) -> String {
    format!("{account}{RENEWAL}")
}

/// Writes a small file whole or not at all, readable by its owner only.
pub(super) fn write_secret(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let fresh = folder.join(format!(".{name}.new"));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, folder.join(name))?;
    fs::File::open(folder)?.sync_all()
}

/// The provisioner that the configuration names, if it names one.
///
/// # Errors
/// [`ProvisionFault`] when no client can be built.
pub fn provisioner(config: &Config) -> Result<Option<Provisioner>, ProvisionFault> {
    let Some(provision) = &config.broker.provision else {
        return Ok(None);
    };
    let secret = |text: &str| SecretString::from(text.to_owned());
    let gateway = GatewayUser {
        name: config.broker.user.clone(),
        password: PasswordHash::of(&secret(config.broker.password.expose())),
    };
    let credential = (provision.user.as_str(), secret(provision.password.expose()));
    Provisioner::new(
        &provision.management_uri,
        credential,
        &config.broker.vhost,
        gateway,
        Limits::default(),
    )
    .map(Some)
}

/// The broker's accounts as administration changes them.
#[derive(Debug)]
pub struct BrokerProvision {
    provisioner: Provisioner,
    files: AccountFiles,
    epochs: Arc<Epochs>,
    /// Held from the reading of a hash until the broker has it: an older one must never come after a newer one.
    turn: Mutex<()>,
}

impl BrokerProvision {
    /// With the hashes and the epochs of one data folder.
    pub fn new(provisioner: Provisioner, files: AccountFiles, epochs: Arc<Epochs>) -> BrokerProvision {
        BrokerProvision {
            provisioner,
            files,
            epochs,
            turn: Mutex::new(()),
        }
    }

    /// Refuses a broker that holds what another gateway put into it: accounts bear the same names there.
    pub(super) async fn check_own(&self) -> Result<(), StepFault> {
        let checked = self.provisioner.check_own(&self.epochs.known()).await;
        checked.map_err(|fault| failed(&fault))
    }

    /// The provisioner itself.
    pub(super) fn provisioner(&self) -> &Provisioner {
        &self.provisioner
    }

    /// Makes everything at the broker anew, under this epoch, with the accounts of the directory as they are to be then.
    pub(super) async fn restore(
        &self,
        epoch: &str,
        (directory, now): (&Directory, Time),
    ) -> Result<Report, StepFault> {
        let _turn = self.turn.lock().await;
        let accounts = self
            .files
            .wanted(directory, now)
            .map_err(|fault| failed(&fault))?;
        let restored = self.provisioner.restore(epoch, &accounts).await;
        restored.map_err(|fault| failed(&fault))
    }

    /// Whether an account has a new password that the broker does not know for sure. What cannot be read now is looked for again.
    pub(super) fn has_renewals(&self) -> bool {
        self.files.has_renewals().unwrap_or(true)
    }

    /// Makes all accounts what the directory says, new passwords included.
    pub(super) async fn reconcile(&self, directory: &Directory, now: Time) -> Result<Report, StepFault> {
        let _turn = self.turn.lock().await;
        let accounts = self
            .files
            .wanted(directory, now)
            .map_err(|fault| failed(&fault))?;
        let report = self.provisioner.reconcile(&accounts).await;
        let report = report.map_err(|fault| failed(&fault))?;
        for account in accounts.renewed.iter().chain(&accounts.locked) {
            self.files.renewal_done(account).map_err(|fault| failed(&fault))?;
        }
        for account in &accounts.ended {
            self.files.forget(account).map_err(|fault| failed(&fault))?;
        }
        Ok(report)
    }

    /// Keeps the hash of a new password. Whatever becomes of the step, the account is opened with it later.
    fn keep(&self, account: &AccountId, step: &AccountStep) -> Result<(), StepFault> {
        let Some(password) = &step.password else {
            return Ok(());
        };
        let hash = PasswordHash::of(&SecretString::from(password.expose().to_owned()));
        self.files.keep(account, &hash).map_err(|fault| failed(&fault))
    }

    fn access(&self, account: &AccountId) -> Result<Access, StepFault> {
        let missing = "no hash of its password is kept; give the account a new password";
        let password = self.files.of(account).map_err(|fault| failed(&fault))?;
        Ok(Access {
            account: account.clone(),
            password: password.ok_or_else(|| StepFault::Failed(missing.to_owned()))?,
        })
    }

    /// Opens accounts, some hundred with a request, and ends connections that were made with passwords of before.
    async fn open(&self, accesses: &[Access]) -> Vec<Result<(), StepFault>> {
        let is_renewed = |access: &Access| self.files.is_renewed(&access.account);
        let before = if accesses.iter().any(is_renewed) {
            self.provisioner.users().await
        } else {
            Ok(HashSet::new())
        };
        let before = match before {
            Ok(before) => before,
            Err(fault) => return vec![Err(failed(&fault)); accesses.len()],
        };
        let mut results = Vec::with_capacity(accesses.len());
        for batch in accesses.chunks(OPENED_AT_ONCE) {
            let opened = self.provisioner.open_accounts(batch).await;
            let opened = opened.map(drop).map_err(|fault| failed(&fault));
            for access in batch {
                results.push(match &opened {
                    Ok(()) => self.end_renewal(&access.account, &before).await,
                    Err(fault) => Err(fault.clone()),
                });
            }
        }
        results
    }

    async fn end_renewal(&self, account: &AccountId, before: &HashSet<String>) -> Result<(), StepFault> {
        if !self.files.is_renewed(account) {
            return Ok(());
        }
        let ended = self.provisioner.end_connections(account, before).await;
        ended.map_err(|fault| failed(&fault))?;
        self.files.renewal_done(account).map_err(|fault| failed(&fault))
    }

    async fn shut(&self, account: &AccountId, standing: Standing) -> Result<(), StepFault> {
        let is_closed = standing == Standing::Closed;
        let shut = if is_closed {
            self.provisioner.close_account(account).await
        } else {
            self.provisioner.suspend_account(account).await
        };
        shut.map_err(|fault| failed(&fault))?;
        let noted = if is_closed {
            self.files.forget(account)
        } else {
            self.files.renewal_done(account)
        };
        noted.map_err(|fault| failed(&fault))
    }

    async fn take_all(&self, steps: &[(AccountId, AccountStep)]) -> Vec<Result<(), StepFault>> {
        let _turn = self.turn.lock().await;
        let mut results: Vec<_> = steps
            .iter()
            .map(|(account, step)| self.keep(account, step))
            .collect();
        if steps.is_empty() {
            return results;
        }
        if let Err(foreign) = self.check_own().await {
            return results
                .into_iter()
                .map(|kept| kept.and(Err(foreign.clone())))
                .collect();
        }
        let (mut places, mut opening) = (Vec::new(), Vec::new());
        for (place, (account, step)) in steps.iter().enumerate() {
            if results[place].is_err() {
                continue;
            }
            match step.standing {
                Standing::Active => match self.access(account) {
                    Ok(access) => {
                        places.push(place);
                        opening.push(access);
                    }
                    Err(fault) => results[place] = Err(fault),
                },
                Standing::Suspended | Standing::Closed => {
                    results[place] = self.shut(account, step.standing).await;
                }
            }
        }
        for (place, opened) in places.into_iter().zip(self.open(&opening).await) {
            results[place] = opened;
        }
        results
    }
}

impl Provision for BrokerProvision {
    fn make_shared(&self) -> Soon<'_, Result<(), StepFault>> {
        Box::pin(async {
            self.check_own().await?;
            let made = self.provisioner.make_shared().await;
            made.map(drop).map_err(|fault| failed(&fault))
        })
    }

    fn carry_out<'a>(
        &'a self,
        steps: &'a [(AccountId, AccountStep)],
    ) -> Soon<'a, Vec<Result<(), StepFault>>> {
        Box::pin(self.take_all(steps))
    }
}

fn failed(fault: &dyn std::fmt::Display) -> StepFault {
    StepFault::Failed(fault.to_string())
}

/// What the configuration allows. Without a usable credential accounts are left to a person, and said so.
pub(super) fn of(config: &Config, epochs: &Arc<Epochs>) -> Option<Arc<BrokerProvision>> {
    let provisioner = match provisioner(config) {
        Ok(provisioner) => provisioner?,
        Err(fault) => {
            warn!(error = %fault, "the provisioning credential cannot be used");
            return None;
        }
    };
    match AccountFiles::open(&config.gateway.data_dir) {
        Ok(files) => Some(Arc::new(BrokerProvision::new(
            provisioner,
            files,
            Arc::clone(epochs),
        ))),
        Err(fault) => {
            warn!(error = %fault, "the folder of account hashes cannot be opened");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(password: &str) -> PasswordHash {
        PasswordHash::of(&SecretString::from(password.to_owned()))
    }

    #[test]
    fn a_new_password_is_noted_until_the_broker_knows_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = AccountFiles::open(folder.path()).expect("a folder of hashes");
        let account = AccountId::parse("a1-1").expect("an account id");
        let (first, second) = (hash("1"), hash("2"));
        files.keep(&account, &first).expect("kept");
        files.renewal_done(&account).expect("removed");
        assert!(!files.has_renewals().expect("readable"));
        files.keep(&account, &second).expect("kept");
        let again = AccountFiles::open(folder.path()).expect("a folder of hashes");
        assert!(again.has_renewals().expect("readable") && again.is_renewed(&account));
        assert_eq!(again.of(&account).expect("readable"), Some(second));
        files.forget(&account).expect("removed");
        assert!(!files.has_renewals().expect("readable"));
        assert_eq!(files.of(&account).expect("readable"), None);
    }
}
