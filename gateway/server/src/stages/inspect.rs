//! Inspect: from bytes to a verdict, on threads of its own. Opens, identifies, verifies, gathers facts, judges.
//!
//! Pure but for short reads of the index; what it decides is written by record.
//!
//! **Invariant:** the trust material, the directory and the time of one verdict are of one moment.
//! **Invariant:** a verdict that needs what is not at hand says so; it is never guessed.

use std::sync::Arc;

use domain::dispatch::{DispatchState, Rank};
use domain::event::{Happening, Parked, Refused, Repeated, Submission};
use domain::ids::{AgencyId, CaseId};
use domain::judge::{Matter, Moment, identify, identity_of, judge, judge_status, rank_of};
use domain::packet::{DocumentPacket, Opened, Packet, PacketFault, StatusPacket};
use domain::port::{CaseState, Commit, Expectation, Slot, StoreFault};
use domain::refusal::{Refusal, RefusalCode};
use domain::verify::{Belief, PacketSeal, verify};
use trust::xml::Tree;
use trust::{Digest, Need, Time};

use super::Road;
use super::facts::{self, unchanged};
use super::refusal_status;

/// Why something is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It came.
    Arrived,
    /// It is held until this time at most, and what it waits for may be there.
    Held(Time),
    /// It was parked, and a person gives it back.
    Released,
}

/// Bytes to be judged, and what is known of how they came.
#[derive(Debug, Clone)]
pub struct Job {
    /// The bytes.
    pub body: Arc<[u8]>,
    /// How they came; the agency is looked up here, at the moment of the verdict.
    pub submission: Submission,
    /// The case that waits, or a new id.
    pub case: CaseId,
    /// Why it is judged.
    pub occasion: Occasion,
    /// Whether what was missing has been asked for already.
    pub asked: bool,
}

/// What came out.
#[derive(Debug)]
pub enum Verdict {
    /// This is to be recorded.
    Record(Box<Commit>),
    /// The very submission was recorded before; it is only to be acknowledged.
    Known,
    /// It waits on, for this if it waits for trust material, and there is nothing new to record.
    StillHeld(Vec<Need>),
    /// This must be fetched first, within a bounded wait.
    Needs(Vec<Need>),
    /// Our trouble: judge again later.
    NotNow(StoreFault),
}

/// Judges one job.
pub fn inspect(road: &Road, job: &Job) -> Verdict {
    match try_inspect(road, job) {
        Ok(verdict) => verdict,
        Err(fault) => Verdict::NotNow(fault),
    }
}

/// Leaves a job to a person, unless it was decided meanwhile. The bytes are kept, so that there is something to decide
/// about.
pub fn park(road: &Road, job: &Job, rank: Rank, reason: &str) -> Verdict {
    let park = |mut bench: Bench<'_>| {
        if let Some(verdict) = bench.decided()? {
            return Ok(verdict);
        }
        let parked = Parked {
            case: job.case,
            submission: job.submission.clone(),
            rank,
            reason: reason.to_owned(),
        };
        Ok(bench.finish(Happening::Parked(parked)))
    };
    at_this_moment(road, job, |bench, _| park(bench)).unwrap_or_else(Verdict::NotNow)
}

fn try_inspect(road: &Road, job: &Job) -> Result<Verdict, StoreFault> {
    at_this_moment(road, job, |mut bench, trust| match bench.decided()? {
        Some(verdict) => Ok(verdict),
        None => bench.judged(trust),
    })
}

/// Asks for a verdict that rests on one moment.
fn at_this_moment(
    road: &Road,
    job: &Job,
    verdict: impl FnOnce(Bench<'_>, &trust::Snapshot) -> Result<Verdict, StoreFault>,
) -> Result<Verdict, StoreFault> {
    let now = road.sure_now()?;
    let directory = road.journal.directory();
    let trust = road.trust.snapshot();
    let moment = Moment {
        directory: &directory,
        terms: &road.rules.terms,
        trust_version: trust.version(),
        now,
    };
    let bench = Bench {
        road,
        job,
        moment,
        expects: Vec::new(),
    };
    verdict(bench, &trust)
}

struct Bench<'a> {
    road: &'a Road,
    job: &'a Job,
    moment: Moment<'a>,
    expects: Vec<Expectation>,
}

impl Bench<'_> {
    fn judged(self, trust: &trust::Snapshot) -> Result<Verdict, StoreFault> {
        let (body, rules) = (&self.job.body, &self.road.rules);
        if body.len() > rules.packet_bytes_max {
            let too_large = Refusal::new(RefusalCode::PacketTooLarge).with("limit", rules.packet_bytes_max);
            return Ok(self.finish(self.refused(vec![too_large], Rank::Normal)));
        }
        let tree = match Tree::parse(body, &rules.limits.xml) {
            Ok(tree) => tree,
            Err(fault) => return Ok(self.unreadable(&fault.into())),
        };
        match Packet::of_tree(&tree, &rules.limits) {
            Ok(Opened {
                packet: Packet::Document(packet),
                signature,
            }) => self.document(*packet, signature.map(|_| &tree), trust),
            Ok(Opened {
                packet: Packet::Status(packet),
                ..
            }) => self.status(&packet),
            Err(fault) => Ok(self.unreadable(&fault)),
        }
    }

    fn unreadable(&self, fault: &PacketFault) -> Verdict {
        let unreadable = Refusal::new(RefusalCode::PacketUnreadable).with("fault", fault);
        self.finish(self.refused(vec![unreadable], Rank::Normal))
    }

    /// The verdict on what needs none any more.
    fn decided(&mut self) -> Result<Option<Verdict>, StoreFault> {
        match self.job.occasion {
            Occasion::Arrived => self.known(),
            Occasion::Held(_) => self.no_longer(CaseState::Held),
            Occasion::Released => self.no_longer(CaseState::Parked),
        }
    }

    fn has_come_before(&self) -> bool {
        self.job.occasion != Occasion::Arrived
    }

    /// The verdict on a submission id that came before. Whoever sends it again although its answer was handed over has
    /// lost that, and gets it once more.
    fn known(&mut self) -> Result<Option<Verdict>, StoreFault> {
        let (journal, submission) = (&self.road.journal, &self.job.submission);
        let slot = Slot::Submission(submission.account.clone(), submission.id.clone());
        let expectation = unchanged(&**journal, slot)?;
        match journal.submission(&submission.account, &submission.id)? {
            Some(known) if known.packet == submission.packet => {
                return Ok(Some(match facts::lost_answer(&**journal, &known)? {
                    Some(answer) => {
                        let (case, submission) = (known.case, submission.clone());
                        self.finish(Happening::Repeated(Repeated {
                            case,
                            submission,
                            answer,
                        }))
                    }
                    None => Verdict::Known,
                }));
            }
            Some(_) => {
                let reused = Refusal::new(RefusalCode::SubmissionIdReused);
                return Ok(Some(self.finish(self.refused(vec![reused], Rank::Normal))));
            }
            None => self.expects.push(expectation),
        }
        Ok(None)
    }

    /// The verdict on a waiting case that was decided meanwhile. Looks may overlap, and a case is decided once.
    fn no_longer(&mut self, waiting: CaseState) -> Result<Option<Verdict>, StoreFault> {
        let journal = &self.road.journal;
        let expectation = unchanged(&**journal, Slot::Case(self.job.case))?;
        if journal.case(self.job.case)?.map(|head| head.state) != Some(waiting) {
            return Ok(Some(Verdict::Known));
        }
        self.expects.push(expectation);
        Ok(None)
    }

    /// The moment at which it counts who may send, and whose certificates are whose: for what waited, when it came.
    /// That its sender was suspended or merged while we waited takes nothing from it.
    fn sent_at(&self) -> Moment<'_> {
        let now = if self.has_come_before() {
            self.job.submission.received_at
        } else {
            self.moment.now
        };
        Moment { now, ..self.moment }
    }

    /// The verdict on a document; `signed` is the tree of a packet that bears a signature of its own.
    fn document(
        mut self,
        packet: DocumentPacket,
        signed: Option<&Tree<'_>>,
        trust: &trust::Snapshot,
    ) -> Result<Verdict, StoreFault> {
        let rank = rank_of(&packet);
        let sender = match identify(&packet.from.organ_id, &self.job.submission, &self.sent_at()) {
            Ok(sender) => sender,
            Err(reasons) => return Ok(self.decide(self.refused(reasons, rank), &packet)),
        };
        let identity = match identity_of(&packet, sender) {
            Ok(identity) => identity,
            Err(reason) => return Ok(self.decide(self.refused(vec![reason], rank), &packet)),
        };
        let own = self.has_come_before().then_some(self.job.case);
        let directory = self.moment.directory;
        let gathered = facts::of_document(
            &*self.road.journal,
            (directory, self.sent_at().now),
            &packet,
            &identity,
            own,
        )?;
        self.expects.extend(gathered.expects);
        let belief = Belief {
            trust,
            directory,
            sent_at: self.sent_at().now,
            now: self.moment.now,
            time_of_day: self.road.clock.now(),
            demands: &self.moment.terms.seals,
        };
        let over_packet = signed.map_or_else(PacketSeal::absent, |tree| {
            PacketSeal::judge(tree, trust, belief.time_of_day)
        });
        let verified = verify(packet, &over_packet, sender, belief);
        let happening = judge(
            &verified,
            &identity,
            &gathered.facts,
            &self.matter(),
            &self.moment,
        );
        let needs = !self.job.asked && !verified.needs().is_empty();
        let waits = matches!(happening, Happening::Held(_));
        let ran_out = matches!(&happening, Happening::Refused(refused) if refused.ran_out());
        if needs && (waits || ran_out) {
            return Ok(Verdict::Needs(verified.needs().to_vec()));
        }
        if waits {
            self.road.waits.note(self.job.case, verified.needs(), trust);
        } else if self.has_come_before() {
            self.road.waits.forget(self.job.case);
        }
        if waits && matches!(self.job.occasion, Occasion::Held(_)) {
            Ok(Verdict::StillHeld(verified.needs().to_vec()))
        } else {
            Ok(self.decide(happening, verified.packet()))
        }
    }

    /// The commit for what was decided about this document: a refusal is said in edXML, too, to whom knows nothing else.
    fn decide(&self, mut happening: Happening, document: &DocumentPacket) -> Verdict {
        let mut status = None;
        if let Happening::Refused(refused) = &mut happening
            && refusal_status::is_wanted(self.moment.directory, &self.job.submission.account)
        {
            status = refusal_status::write(self.road, refused, document);
            refused.status_packet = status.as_deref().map(Digest::of);
        }
        let mut verdict = self.finish(happening);
        if let (Verdict::Record(commit), Some(status)) = (&mut verdict, status) {
            commit.originals.push(Arc::from(status));
        }
        verdict
    }

    fn status(mut self, packet: &StatusPacket) -> Result<Verdict, StoreFault> {
        let reporter: AgencyId = match identify(&packet.from.organ_id, &self.job.submission, &self.sent_at())
        {
            Ok(reporter) => reporter,
            Err(reasons) => return Ok(self.finish(self.refused(reasons, Rank::Normal))),
        };
        let (journal, directory) = (&*self.road.journal, self.moment.directory);
        let gathered = facts::of_status(journal, directory, packet, reporter, self.moment.now)?;
        self.expects.extend(gathered.expects);
        let happening = judge_status(packet, reporter, &gathered.facts, &self.matter(), &self.moment);
        Ok(self.finish(happening))
    }

    fn matter(&self) -> Matter {
        Matter {
            case: self.job.case,
            submission: self.job.submission.clone(),
            held_until: match self.job.occasion {
                Occasion::Held(until) => Some(until),
                Occasion::Arrived | Occasion::Released => None,
            },
        }
    }

    fn refused(&self, reasons: Vec<Refusal>, rank: Rank) -> Happening {
        Happening::Refused(Refused {
            case: self.job.case,
            submission: self.job.submission.clone(),
            document: None,
            reasons,
            rank,
            seals: Vec::new(),
            status_packet: None,
        })
    }

    /// The commit for what was decided. A repeat's bytes are not kept: the first ones say the same.
    fn finish(&self, happening: Happening) -> Verdict {
        let keeps = match &happening {
            Happening::Repeated(_) => false,
            Happening::Accepted(_)
            | Happening::Refused(_)
            | Happening::Held(_)
            | Happening::Extended(_)
            | Happening::Reported(_)
            | Happening::Parked(_) => !self.has_come_before(),
            Happening::Consigned(_)
            | Happening::HandedOver(_)
            | Happening::Failed(_)
            | Happening::Withdrawn(_)
            | Happening::Lost(_)
            | Happening::ReceiptIssued(_)
            | Happening::DirectoryChanged(_)
            | Happening::BrokerLost { .. } => unreachable!("no verdict on a submission"),
        };
        let expects = given_up_still(&happening);
        let mut commit = Commit::of(happening);
        if keeps {
            commit = commit.keeping(Arc::clone(&self.job.body));
        }
        commit.expects.extend(self.expects.iter().cloned().chain(expects));
        Verdict::Record(Box::new(commit))
    }
}

/// What goes again must still be given up: an addressee that confirmed it meanwhile has it.
fn given_up_still(happening: &Happening) -> Vec<Expectation> {
    let Happening::Extended(it) = happening else {
        return Vec::new();
    };
    let again = it.addressees.iter().filter_map(|addressee| addressee.again);
    let states = &[DispatchState::Failed];
    again.map(|id| Expectation::Dispatch { id, states }).collect()
}

/// The submission as the receiver of the bytes knows it.
pub fn submission_of(road: &Road, arrival: &super::Arrival) -> Submission {
    Submission {
        id: arrival.submission.clone(),
        account: arrival.account.clone(),
        agency: road.journal.directory().agency_of_account(&arrival.account),
        packet: Digest::of(&arrival.body),
        packet_bytes: arrival.body.len() as u64,
        received_at: arrival.received_at,
    }
}
