//! Who receives a document, and who was named and does not.

use crate::ids::{AgencyId, Code, DispatchId};

/// One addressee that receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Who, as the directory resolved the code at acceptance.
    pub agency: AgencyId,
    /// The code as the sender wrote it.
    pub code: Code,
    /// The dispatch that was given up before and is due again, when the document is sent anew because of that. Its
    /// id stays, so that a connector that got it after all drops the repeat.
    pub again: Option<DispatchId>,
}

/// Why an addressee does not receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddresseeFault {
    /// The directory holds no such code.
    Unknown,
    /// The agency is suspended.
    Suspended,
    /// The agency is closed and nobody took over its inbox.
    Closed,
    /// The agency has no account to receive with.
    Unreachable,
}

impl AddresseeFault {
    /// All of them.
    pub const ALL: [AddresseeFault; 4] = [
        AddresseeFault::Unknown,
        AddresseeFault::Suspended,
        AddresseeFault::Closed,
        AddresseeFault::Unreachable,
    ];

    /// The word in events and receipts.
    pub fn word(self) -> &'static str {
        match self {
            AddresseeFault::Unknown => "unknown",
            AddresseeFault::Suspended => "suspended",
            AddresseeFault::Closed => "closed",
            AddresseeFault::Unreachable => "unreachable",
        }
    }
}

/// One addressee that does not receive, and why. The others do (QĐ 28 Đ8.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unaddressed {
    /// The code as the sender wrote it; possibly of no grammar at all.
    pub code: String,
    /// Why not.
    pub fault: AddresseeFault,
}
