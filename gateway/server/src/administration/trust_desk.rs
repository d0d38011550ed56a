//! What a person asks of the trust keeper, in words that need no keeper to be read.

use domain::port::Soon;
use trust::Time;

/// One anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorLine {
    /// Its subject, for people.
    pub subject: String,
    /// SHA-256 of its DER.
    pub fingerprint: String,
    /// When it ends.
    pub not_after: Time,
}

/// One revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLine {
    /// Its issuer, for people.
    pub issuer: String,
    /// Its number in hexadecimal, if it has one.
    pub number: Option<String>,
    /// When it was made.
    pub this_update: Time,
    /// By when the next one is there.
    pub next_update: Option<Time>,
    /// How many certificates it revokes.
    pub entries: usize,
}

/// One address that is fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLine {
    /// The address.
    pub url: String,
    /// When it last gave what was wanted.
    pub fetched_at: Option<Time>,
    /// What was wrong the last time, if something was.
    pub fault: Option<String>,
    /// Until when it is not asked again, because it failed too often.
    pub resting_until: Option<Time>,
}

/// How trust stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustStatus {
    /// Version of the material in use.
    pub version: u64,
    /// All anchors.
    pub anchors: Vec<AnchorLine>,
    /// Number of issuing certificates.
    pub candidates: usize,
    /// All revocation lists.
    pub lists: Vec<ListLine>,
    /// All addresses.
    pub addresses: Vec<AddressLine>,
    /// Files that could not be used, with the reason.
    pub faults: Vec<String>,
}

/// Why a revocation list was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustDeskFault {
    /// It cannot be used: not a list, not signed by a known issuer, older than the one there.
    #[error("the revocation list was not taken: {0}")]
    Refused(String),
    /// It could not be kept.
    #[error("the revocation list could not be kept: {0}")]
    NotKept(String),
}

/// The trust keeper, as administration sees it.
pub trait TrustDesk: Send + Sync {
    /// How it stands.
    fn status(&self) -> TrustStatus;

    /// Reads the folders and asks every address now; answers when that is done.
    fn refresh(&self) -> Soon<'_, TrustStatus>;

    /// Takes a revocation list that a person brings, in PEM or DER.
    fn import(&self, list: Vec<u8>) -> Soon<'_, Result<ListLine, TrustDeskFault>>;
}
