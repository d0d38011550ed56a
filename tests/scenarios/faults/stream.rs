//! The stream of documents in which faults happen, and the proof that it came through.

use domain::{ids::SubmissionId, receipt::ReceiptKind};
use harness::province::{Audit, Balance, Letter, Province, Seals};

use super::PATIENCE;

/// Letters from every agency to the next one in turn, one addressee each. They carry one and the same signed file for
/// each sender, under ids of their own: signing thousands of files would take longer than delivering them.
#[derive(Debug)]
pub(super) struct Stream {
    places: Vec<usize>,
    signed: Vec<Letter>,
    submissions: Vec<(usize, SubmissionId)>,
    turn: usize,
}

impl Stream {
    /// A stream among all agencies that has sent nothing yet.
    pub(super) fn new(province: &Province) -> Stream {
        Stream::among(province, province.agencies().len())
    }

    /// A stream among the first `count` agencies.
    pub(super) fn among(province: &Province, count: usize) -> Stream {
        let agencies = &province.agencies()[..count];
        let signed = agencies.iter().map(|agency| agency.draft().to(agency).letter());
        Stream {
            places: (0..count).collect(),
            signed: signed.collect(),
            submissions: Vec::new(),
            turn: 0,
        }
    }

    /// A letter of this sender to this addressee, with the sender's signed file.
    pub(super) fn letter(&self, province: &Province, sender: usize, addressee: usize) -> Letter {
        let draft = province.agency(sender).draft().seals(Seals::None);
        draft
            .to(province.agency(addressee))
            .letter()
            .with_contents_of(&self.signed[sender])
    }

    /// Gives `count` letters to the connectors that are open, shared among them.
    pub(super) async fn send(&mut self, province: &Province, count: usize) {
        let is_open = |place: &usize| province.agency(*place).try_connector().is_some();
        let senders: Vec<usize> = self.places.iter().copied().filter(is_open).collect();
        for (number, sender) in senders.iter().enumerate() {
            let share = count / senders.len() + usize::from(number < count % senders.len());
            let mut letters = Vec::with_capacity(share);
            for _ in 0..share {
                self.turn += 1;
                let all = self.places.len();
                let addressee = (sender + 1 + self.turn % (all - 1)) % all;
                letters.push(self.letter(province, *sender, addressee));
            }
            self.submit(province, *sender, &letters).await;
        }
    }

    /// Gives these letters, of one addressee each, to their sender's connector.
    pub(super) async fn submit(&mut self, province: &Province, sender: usize, letters: &[Letter]) {
        let ids = province.submit_many(sender, letters).await;
        self.submissions.extend(ids.into_iter().map(|id| (sender, id)));
    }

    /// Letters sent so far.
    pub(super) fn sent(&self) -> usize {
        self.submissions.len()
    }

    /// How many letters have a final answer, not counting the first ones that were sent.
    pub(super) fn answered_from(&self, province: &Province, first: usize) -> usize {
        let answer = |(sender, id): &&(usize, SubmissionId)| {
            let answer = province.agency(*sender).connector().answer_of(id);
            answer.is_some_and(|answer| answer.kind.is_final_answer())
        };
        self.submissions[first..].iter().filter(answer).count()
    }

    /// The oracle. Sends one more letter from every agency, waits until all is settled, and holds everything that was
    /// sent and stored against the journal.
    ///
    /// # Panics
    /// When anything was lost, doubled, changed, refused, held or parked, or does not come to its end.
    pub(super) async fn prove(&mut self, province: &Province) -> Audit {
        self.prove_beside(province, Beside::default()).await
    }

    /// The same, with others beside the stream.
    pub(super) async fn prove_beside(&mut self, province: &Province, others: Beside) -> Audit {
        self.send(province, self.places.len()).await;
        let audit = province.settle(PATIENCE).await;
        audit.assert_clean();
        let expected = Balance {
            received: self.sent() + others.settled + others.parked,
            settled: self.sent() + others.settled,
            parked: others.parked,
            ..Balance::default()
        };
        assert_eq!(audit.balance, expected, "{audit:?}");
        let packets = self.sent() + others.packets;
        assert_eq!(audit.packets, packets, "every letter is stored once: {audit:?}");
        for (sender, id) in &self.submissions {
            let answer = province.agency(*sender).connector().answer_of(id);
            let kind = answer.map(|answer| answer.kind);
            assert_eq!(kind, Some(ReceiptKind::SubmissionAcceptance), "{id} of {sender}");
        }
        audit
    }
}

/// What was submitted beside the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// Submissions that are accepted, or repeat one that was.
    pub(super) settled: usize,
    /// Submissions that wait for a person.
    pub(super) parked: usize,
    /// Packets that addressees store because of them.
    pub(super) packets: usize,
}

/// Closes every connector and opens it again with its settings changed.
pub(super) async fn open_with(province: &mut Province, change: impl Fn(&mut connector::Config)) {
    for place in 0..province.agencies().len() {
        let agency = province.agency_mut(place);
        agency.close().await;
        let mut settings = agency.settings();
        change(&mut settings);
        agency.open_as(settings).await;
    }
}
