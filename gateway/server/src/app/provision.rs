//! Accounts at the broker: what administration decides, carried out with the provisioning credential.
//!
//! Only salted hashes of passwords are kept, one small file an account, so that a broker that lost its disk gets the
//! same users again.
//!
//! **Invariant:** a hash is on disk before the broker knows it; a password is nowhere.

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
use tracing::warn;
use trust::Time;

use super::epochs::Epochs;
use crate::administration::{AccountStep, Provision, ProvisionFault as StepFault, account_standing};
use crate::broker::topology::Limits;
use crate::broker::{Access, Accounts, GatewayUser, PasswordHash, ProvisionFault, Provisioner, Report};
use crate::config::Config;

/// The folder in the data folder that holds account hashes.
const ACCOUNTS_FOLDER: &str = "accounts";

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

    /// Keeps the hash of an account.
    ///
    /// # Errors
    /// Of writing.
    pub fn keep(&self, account: &AccountId, hash: &PasswordHash) -> io::Result<()> {
        write_secret(&self.folder, account.as_str(), hash.as_str())
    }

    /// Forgets an account.
    ///
    /// # Errors
    /// Of removing.
    pub fn forget(&self, account: &AccountId) -> io::Result<()> {
        match fs::remove_file(self.folder.join(account.as_str())) {
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
                    Some(password) => wanted.open.push(Access { account, password }),
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
}

impl BrokerProvision {
    /// With the hashes and the epochs of one data folder.
    pub fn new(provisioner: Provisioner, files: AccountFiles, epochs: Arc<Epochs>) -> BrokerProvision {
        BrokerProvision {
            provisioner,
            files,
            epochs,
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

    /// What all accounts are to be like.
    pub(super) fn wanted(&self, directory: &Directory, now: Time) -> io::Result<Accounts> {
        self.files.wanted(directory, now)
    }

    /// One step at a broker that `is_own`. Whatever becomes of it, a new password's hash is kept: the account is opened with
    /// it later.
    async fn take(
        &self,
        account: &AccountId,
        step: &AccountStep,
        is_own: &Result<(), StepFault>,
    ) -> Result<(), StepFault> {
        if let Some(password) = &step.password {
            let hash = PasswordHash::of(&SecretString::from(password.expose().to_owned()));
            self.files.keep(account, &hash).map_err(|fault| failed(&fault))?;
        }
        is_own.clone()?;
        let report = match step.standing {
            Standing::Active => {
                let Some(password) = self.files.of(account).map_err(|fault| failed(&fault))? else {
                    let missing = "no hash of its password is kept; give the account a new password";
                    return Err(StepFault::Failed(missing.to_owned()));
                };
                let account = account.clone();
                self.open(Access { account, password }, step.password.is_some())
                    .await
            }
            Standing::Suspended => self.provisioner.suspend_account(account).await,
            Standing::Closed => {
                let report = self.provisioner.close_account(account).await;
                self.files.forget(account).map_err(|fault| failed(&fault))?;
                report
            }
        };
        report.map(drop).map_err(|fault| failed(&fault))
    }

    /// Opens an account; under a new password, connections made with the old one end.
    async fn open(&self, access: Access, is_renewed: bool) -> Result<Report, ProvisionFault> {
        let report = self.provisioner.open_account(&access).await?;
        if is_renewed {
            self.provisioner.disconnect(&access.account).await?;
        }
        Ok(report)
    }
}

impl Provision for BrokerProvision {
    fn carry_out<'a>(
        &'a self,
        steps: &'a [(AccountId, AccountStep)],
    ) -> Soon<'a, Vec<Result<(), StepFault>>> {
        Box::pin(async move {
            let is_own = self.check_own().await;
            let mut results = Vec::with_capacity(steps.len());
            for (account, step) in steps {
                results.push(self.take(account, step, &is_own).await);
            }
            results
        })
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
