//! Why a change cannot be: it contradicts the directory.
//!
//! **Invariant:** values only; the command or page that asked for the change puts them into words for its user.

use trust::Time;

use crate::agency::{Relation, Standing};
use crate::ids::{AccountId, AgencyId, Code};

/// What a change, or a kept directory, contradicts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryFault {
    /// The id is another agency's already.
    #[error("{agency} is in the directory already")]
    Known {
        /// The id.
        agency: AgencyId,
    },
    /// No agency has the id.
    #[error("{agency} is not in the directory")]
    Unknown {
        /// The id.
        agency: AgencyId,
    },
    /// A new agency must have the next id.
    #[error("a new agency must be {next}, not {agency}")]
    NotNext {
        /// The id given.
        agency: AgencyId,
        /// The id that is next.
        next: AgencyId,
    },
    /// The agency has ended; nothing about it changes any more.
    #[error("{agency} has ended")]
    Ended {
        /// Which.
        agency: AgencyId,
    },
    /// It is so already.
    #[error("nothing would change for {agency}")]
    Unchanged {
        /// For which.
        agency: AgencyId,
    },
    /// Only an agency of another standing can be suspended or resumed.
    #[error("{agency} is {}", standing.word())]
    StandingWrong {
        /// Which.
        agency: AgencyId,
        /// Its standing.
        standing: Standing,
    },
    /// Empty, with control characters or blanks at its ends, or longer than 512 bytes.
    #[error("the name or level of {agency} is empty, too long or holds control characters")]
    TextUnfit {
        /// Whose.
        agency: AgencyId,
    },
    /// The code is a living agency's.
    #[error("code {code} belongs to {owner}")]
    CodeTaken {
        /// The code.
        code: Code,
        /// Whose it is.
        owner: AgencyId,
    },
    /// The code to be ended is not the agency's.
    #[error("code {code} does not belong to {agency}")]
    CodeNotHeld {
        /// The code.
        code: Code,
        /// Whose it is not.
        agency: AgencyId,
    },
    /// An agency would stand above itself.
    #[error("{to} as {} of {agency} would make a circle", relation.word())]
    Cycle {
        /// In which relation.
        relation: Relation,
        /// Whose superior was to be set.
        agency: AgencyId,
        /// To whom.
        to: AgencyId,
    },
    /// The certificate is the agency's own already.
    #[error("the certificate is pinned to {agency} already")]
    CertificatePinned {
        /// Whose.
        agency: AgencyId,
    },
    /// The certificate is not the agency's.
    #[error("the certificate is not pinned to {agency}")]
    CertificateNotPinned {
        /// Whose it is not.
        agency: AgencyId,
    },
    /// The account is, or was, somebody's already.
    #[error("account {account} belongs to {owner}")]
    AccountTaken {
        /// The account.
        account: AccountId,
        /// Whose it is.
        owner: AgencyId,
    },
    /// The agency has no such open account.
    #[error("{agency} has no open account {account}")]
    AccountNotOpen {
        /// The account.
        account: AccountId,
        /// Whose it was to be.
        agency: AgencyId,
    },
    /// An agency that ends cannot be its own heir. One that lives on and gives up a part is not split: the part is
    /// added.
    #[error("{agency} cannot succeed itself")]
    SuccessorOfItself {
        /// Which.
        agency: AgencyId,
    },
    /// An agency is named twice.
    #[error("{agency} is named twice")]
    Repeated {
        /// Which.
        agency: AgencyId,
    },
    /// A merger of nobody, or a split into fewer than two.
    #[error("a merger needs one agency that ends, a split two that follow")]
    TooFew,
    /// The change is earlier than the directory.
    #[error("a change at {at} is earlier than the newest at {latest}")]
    TooEarly {
        /// The time of the change.
        at: Time,
        /// The time of the newest change.
        latest: Time,
    },
}
