//! The store as the ports of `domain` want it.
//!
//! **Invariant:** nothing is decided here: commits go to the writer, questions to the index, bytes to packs and files.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::consequence::Consequences;
use domain::directory::Directory;
use domain::dispatch::DispatchState;
use domain::event::Identity;
use domain::ids::{AccountId, AgencyId, CaseId, DispatchId, DocumentId, SubmissionId};
use domain::port::{
    Appended, Archive, CaseHead, Commit, DispatchHead, HeldPage, HeldSubmission, IssuedHead, Journal,
    OwedReceipt, ParkedSubmission, Recorded, Slot, Soon, StatusHead, StoreFault, SubmissionHead,
};
use domain::receipt::Checkpoint;
use tokio::sync::oneshot;
use trust::{Digest, Time};

use super::fault::{Fault, guarded};
use super::index::key;
use super::index::value::{OwedRecord, WaitingRecord};
use super::index::view::View;
use super::pack::PackPlace;
use super::projection;
use super::writer::{Order, Request};
use super::{Inner, Store};

/// Longer originals are read and written on a thread where waiting for the disk holds nobody up.
const READ_AT_ONCE_BYTES_MAX: u32 = 64 << 10;

fn ended() -> StoreFault {
    StoreFault::Stopped("the process is ending".to_owned())
}

impl Store {
    /// How many submissions are held and how many wait for a person, each up to `rows_max`.
    ///
    /// # Errors
    /// [`StoreFault`] of the index.
    pub fn undecided(&self, rows_max: usize) -> Result<(usize, usize), StoreFault> {
        self.0.ask(|view| view.undecided(rows_max))
    }
}

impl Inner {
    /// Asks the index. Damage there is mended from the journal: not now, then.
    fn ask<T>(&self, question: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, StoreFault> {
        let index = self.shared.index();
        guarded(|| question(&index.view())).map_err(|fault| {
            if matches!(fault, Fault::Index(_)) {
                tracing::error!(%fault, "the index is damaged");
                let _ = self.orders.send(Order::Mend(Arc::clone(&index)));
            }
            fault.into()
        })
    }

    fn owed_receipt(&self, (position, record): (u64, OwedRecord)) -> Result<OwedReceipt, StoreFault> {
        let about = self.shared.sources.journal.read(position, record.location)?;
        let size = position - 1;
        let checkpoint = (0 < size).then_some(Checkpoint {
            size,
            root: record.before,
        });
        Ok(OwedReceipt {
            kind: record.kind,
            about,
            case: record.case,
            to: record.to,
            checkpoint,
        })
    }

    fn checkpoint_before(&self, position: u64) -> Result<Option<Checkpoint>, StoreFault> {
        let Some(size) = position.checked_sub(1).filter(|size| 0 < *size) else {
            return Ok(None);
        };
        let checkpoint = |root| Ok(Some(Checkpoint { size, root }));
        if let Some(before) = self.shared.recent_before(position) {
            return checkpoint(before);
        }
        let Some(mark) = self.ask(|view| view.mark(projection::mark_of(position)))? else {
            return Err(StoreFault::Damaged(format!("there is no event {position}")));
        };
        if position == projection::mark_of(position) {
            return checkpoint(mark.before);
        }
        checkpoint(self.shared.sources.journal.chain_at(size, mark.location)?)
    }

    /// The events of the case itself, and those of the dispatches that these made.
    fn events(&self, case: CaseId) -> Result<Vec<Recorded>, StoreFault> {
        let journal = &self.shared.sources.journal;
        let mut events = BTreeMap::new();
        for (position, location) in self.ask(|view| view.events(case))? {
            let recorded = journal.read(position, location)?;
            for dispatch in Consequences::of(&recorded.event, &recorded.leaf).dispatches {
                let moves = self.moves(dispatch.id)?;
                events.extend(moves.into_iter().map(|moved| (moved.position, moved)));
            }
            events.insert(position, recorded);
        }
        Ok(events.into_values().collect())
    }

    fn moves(&self, dispatch: DispatchId) -> Result<Vec<Recorded>, StoreFault> {
        let places = self.ask(|view| view.moves(dispatch))?;
        let read = |(position, location)| self.shared.sources.journal.read(position, location);
        Ok(places.into_iter().map(read).collect::<Result<_, _>>()?)
    }

    async fn append(&self, commit: Commit) -> Result<Appended, StoreFault> {
        let mut originals = Vec::with_capacity(commit.originals.len());
        for original in commit.originals {
            if original.len() <= self.inline_bytes_max {
                originals.push((Digest::of(&original), original));
            } else {
                self.keep_large(original).await?;
            }
        }
        let place = Arc::clone(&self.queue)
            .acquire_owned()
            .await
            .map_err(|_| ended())?;
        let (answer, answered) = oneshot::channel();
        let Commit {
            happenings, expects, ..
        } = Commit {
            originals: Vec::new(),
            ..commit
        };
        let request = Request {
            happenings,
            originals,
            expects,
            answer,
            _place: place,
        };
        self.orders.send(Order::Commit(request)).map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    /// A large original is durable before its commit is queued: the writer is not held up by it.
    async fn keep_large(&self, original: Arc<[u8]>) -> Result<(), StoreFault> {
        let shared = Arc::clone(&self.shared);
        let keep = move || shared.objects.keep(&Digest::of(&original), &original);
        let kept = tokio::task::spawn_blocking(keep).await;
        kept.map_err(|_| ended())?
            .map_err(|fault| StoreFault::NotNow(fault.to_string()))
    }

    async fn fetch(&self, digest: Digest) -> Result<Option<Arc<[u8]>>, StoreFault> {
        let place = self.ask(|view| view.original(&digest))?;
        if let Some(place) = place
            && place.bytes <= READ_AT_ONCE_BYTES_MAX
        {
            return Ok(self.read_original(&digest, Some(place))?.map(Arc::from));
        }
        let shared = Arc::clone(&self.shared);
        let read = move || read_original(&shared, &digest, place);
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| ended())?;
        Ok(read?.map(Arc::from))
    }

    fn read_original(&self, digest: &Digest, place: Option<PackPlace>) -> Result<Option<Vec<u8>>, Fault> {
        read_original(&self.shared, digest, place)
    }
}

fn read_original(
    shared: &super::shared::Shared,
    digest: &Digest,
    place: Option<PackPlace>,
) -> Result<Option<Vec<u8>>, Fault> {
    match place {
        Some(place) => shared.sources.packs.read(digest, place).map(Some),
        None => shared.objects.read(digest),
    }
}

/// What could be read. Of many, one that cannot be read keeps nobody from the others.
fn readable<T>(read: Result<T, StoreFault>) -> Option<T> {
    read.inspect_err(|fault| tracing::error!(error = %fault, "an event cannot be read back"))
        .ok()
}

impl Archive for Store {
    fn fetch(&self, digest: &Digest) -> Soon<'_, Result<Option<Arc<[u8]>>, StoreFault>> {
        Box::pin(self.0.fetch(*digest))
    }

    fn length(&self, digest: &Digest) -> Result<Option<u64>, StoreFault> {
        match self.0.ask(|view| view.original(digest))? {
            Some(place) => Ok(Some(u64::from(place.bytes))),
            None => Ok(self.0.shared.objects.length(digest)?),
        }
    }
}

impl Store {
    /// The event that a waiting submission waits by.
    fn event_of(&self, record: WaitingRecord) -> Result<Recorded, Fault> {
        let journal = &self.0.shared.sources.journal;
        journal.read(record.position, record.location)
    }
}

impl Journal for Store {
    fn append(&self, commit: Commit) -> Soon<'_, Result<Appended, StoreFault>> {
        Box::pin(self.0.append(commit))
    }

    fn directory(&self) -> Arc<Directory> {
        self.0.shared.directory()
    }

    fn seen(&self, slot: &Slot) -> Result<u64, StoreFault> {
        self.0.ask(|view| view.seen(slot))
    }

    fn submission(
        &self,
        account: &AccountId,
        id: &SubmissionId,
    ) -> Result<Option<SubmissionHead>, StoreFault> {
        self.0.ask(|view| view.submission(account, id))
    }

    fn case(&self, case: CaseId) -> Result<Option<CaseHead>, StoreFault> {
        self.0.ask(|view| view.case(case))
    }

    fn same(&self, identity: &Identity) -> Result<Option<CaseHead>, StoreFault> {
        self.0.ask(|view| view.same(identity))
    }

    fn bearer(&self, sender: AgencyId, document: &DocumentId) -> Result<Option<CaseHead>, StoreFault> {
        self.0.ask(|view| view.bearer(sender, document))
    }

    fn named(&self, sender: AgencyId, document: &DocumentId) -> Result<Vec<CaseHead>, StoreFault> {
        self.0.ask(|view| view.named(sender, document))
    }

    fn actions(&self, target: CaseId) -> Result<Vec<CaseHead>, StoreFault> {
        self.0.ask(|view| view.actions(target))
    }

    fn addressed(&self, case: CaseId, agency: AgencyId) -> Result<Option<DispatchHead>, StoreFault> {
        self.0.ask(|view| view.addressed(case, agency))
    }

    fn addressees(&self, case: CaseId) -> Result<Vec<DispatchHead>, StoreFault> {
        self.0.ask(|view| view.addressees(case))
    }

    fn statuses(&self, case: CaseId, addressee: AgencyId) -> Result<Vec<StatusHead>, StoreFault> {
        self.0.ask(|view| view.statuses(case, addressee))
    }

    fn dispatch(&self, id: DispatchId) -> Result<Option<DispatchHead>, StoreFault> {
        self.0.ask(|view| view.dispatch(id))
    }

    fn due(&self, to: AgencyId, limit: usize) -> Result<Vec<DispatchHead>, StoreFault> {
        self.0.ask(|view| view.due(to, limit))
    }

    fn due_by_system(
        &self,
        to: AgencyId,
        passed_over: &dyn Fn(DispatchId) -> bool,
        wanted: &mut dyn FnMut(&DispatchHead) -> usize,
    ) -> Result<Vec<Vec<DispatchHead>>, StoreFault> {
        self.0.ask(|view| view.due_by_system(to, passed_over, wanted))
    }

    fn waiting(&self) -> Result<Vec<AgencyId>, StoreFault> {
        self.0.ask(|view| view.agencies(key::DUE))
    }

    fn in_flight(&self, to: AgencyId) -> Result<Vec<DispatchHead>, StoreFault> {
        let mut heads = self.in_inbox(to)?;
        heads.retain(|head| head.state == DispatchState::Consigned);
        Ok(heads)
    }

    fn in_inbox(&self, to: AgencyId) -> Result<Vec<DispatchHead>, StoreFault> {
        self.0.ask(|view| view.in_inbox(to))
    }

    fn flying(&self) -> Result<Vec<AgencyId>, StoreFault> {
        self.0.ask(|view| view.agencies(key::FLYING))
    }

    fn owed(&self, limit: usize) -> Result<Vec<OwedReceipt>, StoreFault> {
        let owed = self.0.ask(|view| view.owed(limit))?;
        let read = owed.into_iter().map(|one| self.0.owed_receipt(one));
        Ok(read.filter_map(readable).collect())
    }

    fn owed_for(&self, position: u64) -> Result<Option<OwedReceipt>, StoreFault> {
        let record = self.0.ask(|view| view.owed_for(position))?;
        record
            .map(|record| self.0.owed_receipt((position, record)))
            .transpose()
    }

    fn receipt_about(&self, case: CaseId, about: &Digest) -> Result<Option<IssuedHead>, StoreFault> {
        self.0.ask(|view| view.receipt_about(case, about))
    }

    fn moves(&self, dispatch: DispatchId) -> Result<Vec<Recorded>, StoreFault> {
        self.0.moves(dispatch)
    }

    fn held(&self, after: Option<(Time, CaseId)>, limit: usize) -> Result<HeldPage, StoreFault> {
        let held = self.0.ask(|view| view.held(after, limit))?;
        let last = held.last().filter(|_| held.len() == limit);
        let last = last.map(|(case, until, _)| (*until, *case));
        let read = |(case, until, record): (CaseId, Time, WaitingRecord)| {
            let held = self.event_of(record)?;
            Ok(HeldSubmission { case, until, held })
        };
        let held = held.into_iter().map(read).filter_map(readable).collect();
        Ok(HeldPage { held, last })
    }

    fn held_case(&self, case: CaseId) -> Result<Option<HeldSubmission>, StoreFault> {
        let held = self.0.ask(|view| view.held_case(case))?;
        let read = |(until, record)| {
            let held = self.event_of(record)?;
            Ok(HeldSubmission { case, until, held })
        };
        held.map(read).transpose()
    }

    fn parked(&self, limit: usize) -> Result<Vec<ParkedSubmission>, StoreFault> {
        let parked = self.0.ask(|view| view.parked(limit))?;
        let read = |(case, record): (CaseId, WaitingRecord)| {
            let parked = self.event_of(record)?;
            Ok(ParkedSubmission { case, parked })
        };
        Ok(parked.into_iter().map(read).filter_map(readable).collect())
    }

    fn expired(&self, now: Time, limit: usize) -> Result<Vec<DispatchHead>, StoreFault> {
        self.0.ask(|view| view.expired(now, limit))
    }

    fn events(&self, case: CaseId) -> Result<Vec<Recorded>, StoreFault> {
        self.0.events(case)
    }

    fn newest(&self) -> Option<Time> {
        let tip = self.0.shared.ends().tip;
        (0 < tip.position).then_some(tip.time)
    }

    fn checkpoint(&self) -> Checkpoint {
        let tip = self.0.shared.ends().tip;
        Checkpoint {
            size: tip.position,
            root: tip.chain,
        }
    }

    fn checkpoint_before(&self, position: u64) -> Result<Option<Checkpoint>, StoreFault> {
        self.0.checkpoint_before(position)
    }
}
