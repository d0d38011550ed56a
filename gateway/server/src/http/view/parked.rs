//! What waits for a person, as it is shown.

use domain::event::Happening;
use domain::ids::CaseId;
use domain::port::{CaseState, ParkedSubmission};
use domain::receipt::vietnam_time;
use serde::{Deserialize, Serialize};

/// A packet that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedView {
    /// Its case.
    pub case: String,
    /// The agency that submitted it.
    pub agency: Option<String>,
    /// Through which account.
    pub account: String,
    /// Under which name.
    pub submission: String,
    /// SHA-256 of its bytes.
    pub packet: String,
    /// Their number.
    pub bytes: u64,
    /// When it came.
    pub received_at: String,
    /// When it was parked.
    pub parked_at: String,
    /// Why.
    pub reason: String,
}

impl ParkedView {
    /// The shape of all of them.
    pub fn all(parked: &[ParkedSubmission]) -> Vec<ParkedView> {
        parked.iter().filter_map(ParkedView::of).collect()
    }

    fn of(waiting: &ParkedSubmission) -> Option<ParkedView> {
        let event = &waiting.parked.event;
        let Happening::Parked(parked) = &event.happening else {
            return None;
        };
        let submission = &parked.submission;
        Some(ParkedView {
            case: waiting.case.to_string(),
            agency: submission.agency.map(|agency| agency.to_string()),
            account: submission.account.to_string(),
            submission: submission.id.to_string(),
            packet: submission.packet.to_string(),
            bytes: submission.packet_bytes,
            received_at: vietnam_time(submission.received_at),
            parked_at: vietnam_time(event.time),
            reason: parked.reason.clone(),
        })
    }
}

/// A case and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingView {
    /// Which.
    pub case: String,
    /// How it stands, in one word.
    pub state: String,
}

impl StandingView {
    /// The shape of this standing.
    pub fn of(case: CaseId, state: CaseState) -> StandingView {
        StandingView {
            case: case.to_string(),
            state: state.word().to_owned(),
        }
    }
}
