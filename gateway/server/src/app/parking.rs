//! Has parked packets judged again, on the road that everything takes.

use std::sync::Arc;

use domain::dispatch::Rank;
use domain::ids::CaseId;
use domain::port::{CaseState, Soon, StoreFault};
use tokio::sync::oneshot;
use tracing::info;

use crate::administration::{Parking, ParkingFault, parked_as};
use crate::stages::inspect::{Job, Occasion};
use crate::stages::poison::CrashNotes;
use crate::stages::receive::{Inspectors, Travelling};
use crate::stages::{Acknowledge, Road};

/// The way from the desk to the inspectors.
pub(super) struct Releasing {
    pub(super) road: Road,
    pub(super) inspectors: Inspectors,
    pub(super) notes: Arc<CrashNotes>,
}

impl Parking for Releasing {
    fn release(&self, case: CaseId) -> Soon<'_, Result<CaseState, ParkingFault>> {
        Box::pin(self.release_one(case))
    }
}

impl Releasing {
    async fn release_one(&self, case: CaseId) -> Result<CaseState, ParkingFault> {
        self.road.clock.steady()?;
        let journal = &self.road.journal;
        let parked = parked_as(&**journal, case)?;
        let packet = parked.submission.packet;
        let Some(body) = self.road.archive.fetch(&packet).await? else {
            return Err(StoreFault::Damaged(format!("the packet of parked case {case} is missing")).into());
        };
        let not_now = |fault: std::io::Error| StoreFault::NotNow(format!("crash notes: {fault}"));
        self.notes.forget(&packet).map_err(not_now)?;
        let urgent = parked.rank == Rank::Urgent;
        let still_parked = ParkingFault::StillParked(case);
        let Ok(place) = self.inspectors.place(urgent).await else {
            return Err(still_parked);
        };
        let (handle, judged) = oneshot::channel();
        info!(stage = "receive", case.id = %case, "a parked packet is judged again");
        self.inspectors.hand_over(Travelling {
            job: Job {
                body,
                submission: parked.submission,
                case,
                occasion: Occasion::Released,
                asked: false,
            },
            // It goes alone and under a note, as what it was parked for.
            deliveries: 1,
            conflicts: 0,
            urgent,
            handle: Box::new(Judged(handle)),
            place,
        });
        // Without an answer nothing was recorded: it crashed its inspector again, or the store is away.
        judged.await.map_err(|_| still_parked)?;
        let head = journal.case(case)?.ok_or(ParkingFault::NotParked(case))?;
        Ok(head.state)
    }
}

/// Tells whoever waits that the verdict is recorded.
struct Judged(oneshot::Sender<()>);

impl Acknowledge for Judged {
    fn done(self: Box<Self>) {
        // Whoever asked may have hung up.
        let _ = self.0.send(());
    }

    fn not_now(self: Box<Self>) {}
}
