//! What waits for a person: packets that no inspector survived. A person looks at one, has it judged again, or returns
//! it to its sender.
//!
//! **Invariant:** whatever is decided is an event; until then the packet stays where it is, and is told.

use domain::event::{Happening, Parked, Refused};
use domain::ids::CaseId;
use domain::port::{
    CaseHead, CaseState, Commit, Expectation, Journal, ParkedSubmission, Slot, Soon, StoreFault,
};
use domain::refusal::{Refusal, RefusalCode};

use super::Administration;
use crate::clock::Unsteady;

/// Packets shown at most. More of them at a time say that the gateway is broken, not they.
const SHOWN_MAX: usize = 1000;

/// Why nothing was done about a parked packet.
#[derive(Debug, thiserror::Error)]
pub enum ParkingFault {
    /// It is not, or no longer, one that waits for a person.
    #[error("case {0} does not wait for a person")]
    NotParked(CaseId),
    /// It could not be judged this time either.
    #[error("case {0} could not be judged and still waits for a person")]
    StillParked(CaseId),
    /// The time of day cannot be believed: nothing is judged or recorded.
    #[error(transparent)]
    Clock(#[from] Unsteady),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Where parked packets are judged again: only a running gateway can.
pub trait Parking: Send + Sync {
    /// Has it judged once more, and says how it stands then.
    fn release(&self, case: CaseId) -> Soon<'_, Result<CaseState, ParkingFault>>;
}

/// What was parked as this case, if it still is.
///
/// # Errors
/// [`ParkingFault::NotParked`], or of the store.
pub fn parked_as(journal: &dyn Journal, case: CaseId) -> Result<Parked, ParkingFault> {
    let waits = |head: CaseHead| head.state == CaseState::Parked;
    if !journal.case(case)?.is_some_and(waits) {
        return Err(ParkingFault::NotParked(case));
    }
    let mut newest_first = journal.events(case)?.into_iter().rev();
    let parked = newest_first.find_map(|recorded| {
        let Happening::Parked(parked) = recorded.event.happening else {
            return None;
        };
        Some(parked)
    });
    parked.ok_or(ParkingFault::NotParked(case))
}

impl Administration {
    /// What waits for a person, the oldest first.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn parked(&self) -> Result<Vec<ParkedSubmission>, StoreFault> {
        self.journal.parked(SHOWN_MAX)
    }

    /// Returns a parked packet to its sender, with a receipt.
    ///
    /// # Errors
    /// [`ParkingFault`].
    pub async fn refuse_parked(&self, case: CaseId) -> Result<(), ParkingFault> {
        let slot = Slot::Case(case);
        let seen = self.journal.seen(&slot)?;
        let parked = parked_as(&*self.journal, case)?;
        let refused = Refused {
            case,
            submission: parked.submission,
            document: None,
            reasons: vec![Refusal::new(RefusalCode::PacketReturned)],
            rank: parked.rank,
            seals: Vec::new(),
            status_packet: None,
        };
        let commit = Commit::of(Happening::Refused(refused));
        let commit = commit.expecting(Expectation::Unchanged { slot, seen });
        if self.append::<ParkingFault>(commit).await? {
            Ok(())
        } else {
            Err(ParkingFault::NotParked(case))
        }
    }
}
