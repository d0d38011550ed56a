//! What the sweep finds: a wait that is over ends, whatever became of the packet.

use domain::port::Archive;
use domain::refusal::RefusalCode;

use super::*;
use crate::stages::poison::CrashNotes;
use crate::stages::receive::Inspectors;
use crate::stages::sweep::sweep;

/// An archive of which nothing can be read back, and at first nobody knows that.
struct Rotten {
    unknown: AtomicI64,
}

impl Archive for Rotten {
    fn fetch(&self, _: &Digest) -> Soon<'_, Result<Option<Arc<[u8]>>, StoreFault>> {
        let fault = if self.unknown.fetch_sub(1, Ordering::SeqCst) > 0 {
            StoreFault::NotNow("no file can be opened".to_owned())
        } else {
            StoreFault::Damaged("a flipped bit".to_owned())
        };
        Box::pin(std::future::ready(Err(fault)))
    }

    fn length(&self, _: &Digest) -> Result<Option<u64>, StoreFault> {
        unreachable!("nothing is sent")
    }
}

#[test]
fn a_held_document_that_cannot_be_read_any_more_is_returned_when_its_time_is_over() {
    let mut bench = Bench::new();
    // One look at each fails before.
    bench.road.archive = Arc::new(Rotten {
        unknown: AtomicI64::new(2),
    });
    let (waiting, over) = (
        bench.held(&letter(1, &[2])),
        bench.held_until(&letter(2, &[3]), ("over", 2), bench.road.now().plus_seconds(-1)),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let notes = Arc::new(CrashNotes::open(folder.path()).expect("a folder of notes"));
    let (inspectors, _judged) = Inspectors::start(&bench.road, &notes, 1, 8).expect("a thread");
    let state = |job: &Job| bench.store.case(job.case).expect("told").expect("a case").state;
    bench.runtime.block_on(async {
        let until = async {
            while state(&over) != CaseState::Refused {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = sweep(bench.road.clone(), inspectors) => panic!("a sweep does not end"),
            ended = tokio::time::timeout(Duration::from_secs(60), until) => ended.expect("it ends"),
        }
    });
    assert_eq!(state(&waiting), CaseState::Held);
    let events = bench.store.events(over.case).expect("told");
    let Some(Happening::Refused(refused)) = events.last().map(|last| &last.event.happening) else {
        panic!("the last thing that happened: {events:?}")
    };
    assert!(refused.ran_out());
    assert_eq!(refused.reasons[0].code, RefusalCode::HeldTooLong);
}
