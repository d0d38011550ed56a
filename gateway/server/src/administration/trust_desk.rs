//! What a person asks of the trust keeper, in words that need no keeper to be read.

use domain::port::Soon;
use trust::{Digest, Time};

/// What an issuing certificate is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person trusts it.
    Anchor,
    /// A person put it there; it proves nothing without an anchor.
    Candidate,
    /// It came from elsewhere, and one that is known here issued it.
    Learned,
    /// It came from elsewhere, and nobody who is known here issued it.
    Stranger,
}

impl Role {
    /// The word that outside parties see.
    pub fn word(self) -> &'static str {
        match self {
            Role::Anchor => "anchor",
            Role::Candidate => "candidate",
            Role::Learned => "learned",
            Role::Stranger => "stranger",
        }
    }
}

/// One issuing certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuingCertificate {
    /// What it is here.
    pub role: Role,
    /// Its subject, for people.
    pub subject: String,
    /// Its issuer, for people.
    pub issuer: String,
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// When it begins.
    pub not_before: Time,
    /// When it ends.
    pub not_after: Time,
    /// SHA-256 of its DER.
    pub fingerprint: String,
}

/// A file of certificates that a person brings.
#[derive(Debug, Clone)]
pub struct Addition {
    /// PEM with one or more, or DER.
    pub file: Vec<u8>,
    /// `None`: as candidates. Otherwise the one certificate becomes an anchor, if this is its fingerprint, which the person
    /// has from elsewhere.
    pub anchor: Option<Digest>,
}

/// What became of a certificate that was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It is in use now.
    New,
    /// It was there already.
    Known,
    /// Refused: it may not issue certificates.
    NoAuthority,
    /// Refused: it has expired.
    Expired,
}

impl Became {
    /// The word that outside parties see.
    pub fn word(self) -> &'static str {
        match self {
            Became::New => "new",
            Became::Known => "known",
            Became::NoAuthority => "no-authority",
            Became::Expired => "expired",
        }
    }

    /// Whether it is no reason to refuse the file.
    pub fn is_taken(self) -> bool {
        matches!(self, Became::New | Became::Known)
    }
}

/// What became of one certificate of a file. When one is refused nothing of the file is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedLine {
    /// Which.
    pub certificate: IssuingCertificate,
    /// What became of it.
    pub became: Became,
}

/// Why a file of certificates was not taken at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdditionFault {
    /// It holds no certificate, or one that cannot be read.
    #[error("no certificates can be read from the file: {0}")]
    Unreadable(String),
    /// It holds more than this many certificates.
    #[error("the file holds more than {0} certificates")]
    TooMany(usize),
    /// The configuration names no folder of candidates.
    #[error("the configuration names no folder of candidates")]
    NoFolder,
    /// An anchor comes alone; the file holds so many certificates.
    #[error("an anchor comes alone, the file holds {0} certificates")]
    SeveralAnchors(usize),
    /// It is not the certificate that the person means.
    #[error("the certificate has the fingerprint {found}, not {given}")]
    Another {
        /// The fingerprint that the person gave.
        given: Digest,
        /// That of the certificate.
        found: Digest,
    },
    /// Another issued it: it can be a candidate, and no anchor.
    #[error("{0} did not sign its own certificate")]
    NotSelfSigned(String),
    /// The configuration does not pin it: it would lie in the folder and be no anchor.
    #[error("the configuration does not pin {0}")]
    Unpinned(Digest),
    /// It could not be written.
    #[error("the certificates could not be kept: {0}")]
    NotKept(String),
}

/// How a revocation list stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListState {
    /// It is good.
    Fresh,
    /// A newer one should be there: what it would settle is held.
    Overdue,
    /// No certificate that could pass depends on it any more: its issuer has expired or has no anchor.
    Ended,
}

impl ListState {
    /// The word that outside parties see.
    pub fn word(self) -> &'static str {
        match self {
            ListState::Fresh => "fresh",
            ListState::Overdue => "overdue",
            ListState::Ended => "ended",
        }
    }
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
    /// Until when certificates may depend on it; `None`: they do no more.
    pub matters_until: Option<Time>,
    /// The addresses that gave it, or that gave its predecessors; none: it came as a file.
    pub urls: Vec<String>,
    /// How it stood when this was told.
    pub state: ListState,
}

impl ListLine {
    /// How it stands at this time.
    pub fn state_at(&self, now: Time) -> ListState {
        if self.matters_until.is_none_or(|until| until < now) {
            ListState::Ended
        } else if self.next_update.is_none_or(|next| next < now) {
            ListState::Overdue
        } else {
            ListState::Fresh
        }
    }
}

/// What is wrong with an address, by what a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The host cannot be resolved, gives no answer, or breaks off.
    Unreachable,
    /// The address is private, or not of a kind that is followed.
    Forbidden,
    /// An answer that is not what is wanted.
    WrongAnswer,
    /// No issuer that is known here signed it.
    Unsigned,
    /// Older than what is here, or from the future.
    Outdated,
    /// It could not be kept or handled here.
    Ours,
}

impl Trouble {
    /// Every trouble with its word.
    const TABLE: [(Trouble, &'static str); 6] = [
        (Trouble::Unreachable, "unreachable"),
        (Trouble::Forbidden, "forbidden"),
        (Trouble::WrongAnswer, "wrong-answer"),
        (Trouble::Unsigned, "unsigned"),
        (Trouble::Outdated, "outdated"),
        (Trouble::Ours, "ours"),
    ];

    /// The word that outside parties see.
    pub fn word(self) -> &'static str {
        let found = Self::TABLE.iter().find(|(trouble, _)| *trouble == self);
        found.expect("the table holds all").1
    }

    /// The trouble of this word; what a newer gateway may say is not known.
    pub fn parse(word: &str) -> Option<Trouble> {
        let found = Self::TABLE.iter().find(|(_, one)| *one == word);
        found.map(|(trouble, _)| *trouble)
    }
}

/// Why an address gave nothing of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its kind.
    pub trouble: Trouble,
    /// What was seen, for technicians.
    pub detail: String,
}

/// One address that is fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLine {
    /// The address.
    pub url: String,
    /// When it last gave what was wanted.
    pub fetched_at: Option<Time>,
    /// Since when it gives nothing of use, if so.
    pub failing_since: Option<Time>,
    /// What was wrong the last time, if something was.
    pub fault: Option<Complaint>,
    /// Until when it is not asked again, because it or its host failed.
    pub resting_until: Option<Time>,
}

/// A revocation list that is needed and was never obtained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentList {
    /// Its issuer; `None`: of an address that the configuration names.
    pub issuer: Option<String>,
    /// Where it should be; none: nothing says where.
    pub urls: Vec<String>,
}

/// How trust stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustStatus {
    /// Version of the material in use.
    pub version: u64,
    /// All issuing certificates, anchors first.
    pub certificates: Vec<IssuingCertificate>,
    /// Number of OCSP answers.
    pub answers: usize,
    /// All revocation lists.
    pub lists: Vec<ListLine>,
    /// Lists that are needed for authorities in use, or that the configuration names, and were never obtained.
    pub absent_lists: Vec<AbsentList>,
    /// All addresses.
    pub addresses: Vec<AddressLine>,
    /// Files that could not be used, with the reason.
    pub faults: Vec<String>,
}

impl TrustStatus {
    /// All anchors.
    pub fn anchors(&self) -> impl Iterator<Item = &IssuingCertificate> {
        self.certificates.iter().filter(|one| one.role == Role::Anchor)
    }

    /// How many certificates may stand between an anchor and a signer.
    pub fn candidates(&self) -> usize {
        let between = |one: &&IssuingCertificate| matches!(one.role, Role::Candidate | Role::Learned);
        self.certificates.iter().filter(between).count()
    }
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

    /// Puts certificates that a person brings into their folder, and refreshes if any is new.
    fn add(&self, addition: Addition) -> Soon<'_, Result<Vec<AddedLine>, AdditionFault>>;
}
