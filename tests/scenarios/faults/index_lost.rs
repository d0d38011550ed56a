//! The index is deleted, cut or overwritten while the gateway is down. It is derived from the journal: every answer is
//! the same afterwards.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use domain::{ids::SubmissionId, receipt::ReceiptKind};
use harness::{
    province::{Letter, Plan, Province, Seals},
    wait_until,
};
use serde_json::Value;

use super::{PATIENCE, Stream, place, stream::Beside};

/// The agency that is away: more lies in its inbox and behind it than fits into its window.
const AWAY: usize = 3;
/// Letters for it.
const WAITING: usize = 90;
/// Letters that are settled before anything happens.
const SETTLED: usize = 120;
/// What the gateway logs when it makes another index.
const MADE_AGAIN: &str = "an index is made from the journal";

/// What happens to the folder of the index.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// It is gone.
    Deleted,
    /// Every file has lost its second half.
    Truncated,
    /// Every file has lost everything.
    Emptied,
    /// One bit in each KB of every file is another.
    Flipped,
    /// One bit in the last KB of every file is another.
    FlippedAtTheEnd,
    /// A page of zeros stands in the middle of every file.
    Zeroed,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_deleted_cut_or_overwritten_is_made_again_and_answers_the_same() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(3)).await;
    province.authorities.break_remote_list();
    let mut stream = Stream::new(&province);
    stream.send(&province, SETTLED).await;
    province.settle(PATIENCE).await.assert_clean();
    let letter = stream.letter(&province, 1, 2);
    let first = province.submit(1, &letter).await;
    let first = province.answer(1, &first).await;
    let held = hold(&province).await;
    leave_waiting(&mut province, &mut stream).await;
    let damages = [
        Damage::Deleted,
        Damage::Truncated,
        Damage::Emptied,
        Damage::Flipped,
        Damage::FlippedAtTheEnd,
        Damage::Zeroed,
    ];
    for (turn, damage) in damages.into_iter().enumerate() {
        calm(&province).await;
        let answers = Answers::of(&province).await;
        let made = made_again(&province);
        match turn % 2 {
            0 => province.gateway.kill(),
            _ => assert!(province.gateway.terminate().await.success()),
        }
        damage.happens(&province.gateway.data().join("index"));
        province.gateway.start_again().await;
        answers.assert_same(&Answers::of(&province).await, damage);
        let made = made_again(&province) - made;
        assert!(
            made == 1 || damage.may_be_harmless(),
            "{damage:?}: the index was trusted"
        );
        let again = province.submit(1, &letter.rebuilt()).await;
        assert_eq!(
            province.answer(1, &again).await,
            first,
            "{damage:?}: a repeat has the same answer"
        );
    }
    province.agency_mut(AWAY).open().await;
    province.authorities.mend_remote_list();
    province.gateway.command(&["trust", "refresh"]).await; // rather than when it is asked again by itself
    let settled = 2 + damages.len();
    let audit = stream
        .prove_beside(
            &province,
            Beside {
                settled,
                packets: 2,
                parked: 0,
            },
        )
        .await;
    assert!(audit.packets > SETTLED + WAITING, "{audit:?}");
    assert_eq!(
        province.answer(0, &held).await.kind,
        ReceiptKind::SubmissionAcceptance
    );
    province.end().await;
}

/// A letter that waits because nobody knows whether its signer's certificate is revoked.
async fn hold(province: &Province) -> SubmissionId {
    let letter = province
        .agency(0)
        .draft()
        .seals(Seals::Remote)
        .to(province.agency(1))
        .letter();
    let submission = province.submit(0, &letter).await;
    let receipt = province.first_answer(0, &submission).await;
    assert_eq!(receipt.kind, ReceiptKind::SubmissionHeld);
    submission
}

/// Fills the inbox of an agency that is away, and leaves more behind it.
async fn leave_waiting(province: &mut Province, stream: &mut Stream) {
    province.agency_mut(AWAY).close().await;
    let letters: Vec<Letter> = (0..WAITING).map(|_| stream.letter(province, 0, AWAY)).collect();
    stream.submit(province, 0, &letters).await;
    let accepted = SETTLED + 1 + WAITING;
    wait_until("all letters are accepted", PATIENCE, async || {
        province.books().count("accepted") == accepted
    })
    .await;
}

/// Waits until nothing moves any more: answers are compared that do not change by themselves. A disk that stands still
/// for a moment is no such time; nobody who is there has anything in its inbox then.
async fn calm(province: &Province) {
    let (mut events, mut looks) = (0, 0);
    wait_until("nothing more happens", PATIENCE, async || {
        province.collect().await;
        let now = province.books().events.len();
        looks = if now == events { looks + 1 } else { 0 };
        events = now;
        looks >= 25 && inboxes_with_something(province).await == 1
    })
    .await;
}

async fn inboxes_with_something(province: &Province) -> usize {
    let backlog = province.gateway.administration("backlog").await;
    let agencies = backlog.as_array().expect("a list of agencies");
    let filled = agencies.iter().filter(|agency| agency["inbox"] != 0);
    filled.count()
}

/// Everything that an operator can ask for.
struct Answers {
    agencies: Value,
    backlog: Value,
    cases: Vec<Value>,
}

impl Answers {
    async fn of(province: &Province) -> Answers {
        let mut cases = Vec::new();
        let ids: std::collections::BTreeSet<_> = province
            .books()
            .submissions
            .values()
            .filter_map(|entry| entry.case)
            .collect();
        for case in ids {
            cases.push(province.gateway.administration(&format!("cases/{case}")).await);
        }
        Answers {
            agencies: province.gateway.administration("agencies").await,
            backlog: province.gateway.administration("backlog").await,
            cases,
        }
    }

    fn assert_same(&self, other: &Answers, damage: Damage) {
        assert_eq!(self.agencies, other.agencies, "{damage:?}");
        assert_eq!(self.backlog, other.backlog, "{damage:?}");
        assert!(self.cases.len() > SETTLED, "enough cases were asked for");
        assert_eq!(self.cases, other.cases, "{damage:?}");
    }
}

impl Damage {
    /// An empty index is only behind, and the end of a file may hold nothing.
    fn may_be_harmless(self) -> bool {
        match self {
            Damage::Emptied | Damage::FlippedAtTheEnd => true,
            Damage::Deleted | Damage::Truncated | Damage::Flipped | Damage::Zeroed => false,
        }
    }

    fn happens(self, index: &Path) {
        let files = files(index);
        assert!(!files.is_empty(), "there is an index to damage");
        for path in files {
            let length = std::fs::metadata(&path).expect("a file of the index").len();
            let file = File::options()
                .read(true)
                .write(true)
                .open(&path)
                .expect("a file of the index");
            match self {
                Damage::Deleted => std::fs::remove_file(&path).expect("a file of the index"),
                Damage::Truncated => file.set_len(length / 2).expect("a file can be cut"),
                Damage::Emptied => file.set_len(0).expect("a file can be cut"),
                Damage::Flipped => (0..length).step_by(1024).for_each(|at| flip(&file, at)),
                Damage::FlippedAtTheEnd => flip(&file, length.saturating_sub(512)),
                Damage::Zeroed => {
                    let zeros = vec![0; usize::try_from(4096.min(length / 2)).expect("a page")];
                    file.write_all_at(&zeros, length / 2)
                        .expect("a file can be written");
                }
            }
        }
        if matches!(self, Damage::Deleted) {
            std::fs::remove_dir_all(index).expect("the index can be deleted");
        }
    }
}

fn flip(file: &File, at: u64) {
    let mut byte = [0];
    if file.read_at(&mut byte, at).expect("a file can be read") == 1 {
        file.write_all_at(&[byte[0] ^ 0x10], at)
            .expect("a file can be written");
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the index is there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// How often the log tells that another index was made.
fn made_again(province: &Province) -> usize {
    let log = std::fs::read_to_string(province.gateway.log()).expect("the gateway has a log");
    log.matches(MADE_AGAIN).count()
}
