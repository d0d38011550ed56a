//! One packet, status or receipt for one agency, and how far it has come.

use trust::{Digest, Time};

use crate::ids::{AccountId, AgencyId, CaseId, Code, DispatchId, SubmissionId};
use crate::packet::Priority;
use crate::receipt::ReceiptKind;

/// What a dispatch carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DispatchKind {
    /// A document packet, byte for byte as its sender handed it over.
    Packet,
    /// A receipt: DER CMS over canonical JSON.
    Receipt,
    /// A status packet, of an addressee or (02 only) of the gateway itself.
    Status,
}

impl DispatchKind {
    /// All kinds, for tables and tests.
    pub const ALL: [DispatchKind; 3] = [DispatchKind::Packet, DispatchKind::Receipt, DispatchKind::Status];

    /// The word in message headers, events and logs.
    pub fn word(self) -> &'static str {
        match self {
            DispatchKind::Packet => "packet",
            DispatchKind::Receipt => "receipt",
            DispatchKind::Status => "status",
        }
    }

    /// The kind that this word names.
    pub fn from_word(word: &str) -> Option<DispatchKind> {
        DispatchKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The letter that goes into the dispatch id.
    pub fn letter(self) -> u8 {
        self.word().as_bytes()[0]
    }
}

/// Which of two dispatches goes first. Urgent ones overtake at every stage (QĐ 28 Đ6.2, NĐ 30 Đ24.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Priority 1 to 4: khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ; and what answers such a packet.
    Urgent,
    /// Everything else.
    Normal,
}

impl Rank {
    /// The rank of an edXML `Priority`.
    pub fn of_priority(priority: Priority) -> Rank {
        if priority.is_urgent() {
            Rank::Urgent
        } else {
            Rank::Normal
        }
    }
}

/// One thing to be put into one agency's inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// Made of event, addressee and kind; the same after a restart.
    pub id: DispatchId,
    /// The case it belongs to.
    pub case: CaseId,
    /// The agency that was addressed. Its inbox today may be a successor's.
    pub to: AgencyId,
    /// For a packet: its code, as the sender wrote it.
    pub code: Option<Code>,
    /// What it carries.
    pub kind: DispatchKind,
    /// SHA-256 of the bytes to carry; the archive holds them.
    pub body: Digest,
    /// Its turn.
    pub rank: Rank,
    /// When a dispatch not handed over has failed; `None` for receipts, which wait for ever.
    pub expires_at: Option<Time>,
    /// For a receipt: what it answers. `None` for everything else.
    pub answer: Option<Answer>,
    /// The account whose document system waits for it: who submitted what it answers or reports about. `None`: any of the
    /// addressee's.
    pub account: Option<AccountId>,
    /// For a packet or a status: its sender's code as it wrote it. `None` for what the gateway says, and in journals of before.
    pub sender: Option<Code>,
    /// The account that submitted what it carries: its document system hears what becomes of it. `None` for a receipt.
    pub submitted_by: Option<AccountId>,
}

impl Dispatch {
    /// Which document system waits for it: 0 for what is for the agency; else agency and number of the account (`a17-2` is
    /// 17 and 2 in one number). The account may be an heir's, so that its number alone would be another system's, too.
    pub fn system(&self) -> u64 {
        let number = |account: &AccountId| {
            let (agency, number) = account.as_str().strip_prefix('a')?.split_once('-')?;
            let (agency, number): (u32, u16) = (agency.parse().ok()?, number.parse().ok()?);
            Some(u64::from(agency) << 16 | u64::from(number))
        };
        self.account.as_ref().and_then(number).unwrap_or(0)
    }
}

/// What a receipt in an inbox is, told beside it so that software can match it without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which evidence.
    pub kind: ReceiptKind,
    /// The submission that it answers, when it answers one.
    pub submission: Option<SubmissionId>,
}

/// How far a dispatch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispatchState {
    /// Recorded, waiting for a place in the inbox.
    Due,
    /// In the broker's inbox, confirmed.
    Consigned,
    /// Stored by the addressee's connector, which said so.
    HandedOver,
    /// Given up: expired, or its addressee is closed without successor.
    Failed,
    /// Taken back by its sender before it reached the inbox.
    Withdrawn,
}

impl DispatchState {
    /// The word in the index, in logs and on pages.
    pub fn word(self) -> &'static str {
        match self {
            DispatchState::Due => "due",
            DispatchState::Consigned => "consigned",
            DispatchState::HandedOver => "handed-over",
            DispatchState::Failed => "failed",
            DispatchState::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing more is to be done for the dispatch.
    pub fn is_settled(self) -> bool {
        match self {
            DispatchState::HandedOver | DispatchState::Failed | DispatchState::Withdrawn => true,
            DispatchState::Due | DispatchState::Consigned => false,
        }
    }
}
