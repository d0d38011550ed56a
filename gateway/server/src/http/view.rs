//! JSON shapes of the internal port, and of the `--json` output of commands.
//!
//! **Invariant:** shapes only; no decision is made here. Times are RFC 3339 in Vietnam time.

mod agency;
mod parked;
mod report;
mod trust;

use ::trust::Time;
use domain::event::Event;
use domain::ids::{AccountId, CaseId};
use domain::port::Recorded;
use domain::receipt::vietnam_time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use agency::{AccountView, AgencyView, BacklogView, CertificateView, DatedView, EndView};
pub use parked::{ParkedView, StandingView};
pub use report::{EndedView, ImportView, MovedView, OpenedView, ReportView, RowView, WarningView};
pub use trust::{AddedCertificateView, AddedView, IssuingCertificateView, MaterialView};

use crate::administration::{ListLine, ProvisionFault, Told, TrustStatus};
use crate::telemetry::Probe;

/// `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// `alive`.
    pub state: String,
    /// Version of the program.
    pub version: String,
}

/// `/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyView {
    /// Whether every part is.
    pub ready: bool,
    /// All parts.
    pub parts: Vec<PartView>,
}

/// One part of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    /// Its name.
    pub part: String,
    /// Whether it can work.
    pub ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ReadyView {
    /// The shape of these answers.
    pub fn of(is_ready: bool, parts: &[(&'static str, Probe)]) -> ReadyView {
        let part = |(part, probe): &(&'static str, Probe)| {
            let reason = match probe {
                Probe::Ready => None,
                Probe::NotReady(reason) => Some(reason.clone()),
            };
            PartView {
                part: (*part).to_owned(),
                ready: reason.is_none(),
                reason,
            }
        };
        ReadyView {
            ready: is_ready,
            parts: parts.iter().map(part).collect(),
        }
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemView {
    /// A stable word: `request`, `unauthorised`, `order`, `directory`, `import`, `conflict`, `case`, `parked`,
    /// `list`, `clock`, `store`.
    pub code: String,
    /// In English words.
    pub detail: String,
    /// As a word with values, for whoever puts it into the words of its reader.
    #[serde(
        default,
        deserialize_with = "if_known",
        skip_serializing_if = "Option::is_none"
    )]
    pub told: Option<Told>,
}

/// A gateway of another version may tell what this program has no name for.
fn if_known<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Told>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(serde_json::from_value(value).ok())
}

/// An account and whether the broker has it as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedView {
    /// Which.
    pub account: String,
    /// Why the broker could not be told; absent when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The same as a word with values.
    #[serde(
        default,
        deserialize_with = "if_known",
        skip_serializing_if = "Option::is_none"
    )]
    pub told: Option<Told>,
}

impl ProvisionedView {
    /// The shape of these results.
    pub fn all(results: &[(AccountId, Result<(), ProvisionFault>)]) -> Vec<ProvisionedView> {
        let one = |(account, result): &(AccountId, Result<(), ProvisionFault>)| {
            ProvisionedView::of(account, result.as_ref().err())
        };
        results.iter().map(one).collect()
    }

    fn of(account: &AccountId, fault: Option<&ProvisionFault>) -> ProvisionedView {
        ProvisionedView {
            account: account.to_string(),
            fault: fault.map(ToString::to_string),
            told: fault.map(Told::from),
        }
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseView {
    /// Which.
    pub case: String,
    /// Its events, in order.
    pub events: Vec<EventView>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Its number in the journal.
    pub position: u64,
    /// Its leaf hash.
    pub leaf: String,
    /// When.
    pub time: String,
    /// What, in one word.
    pub word: String,
    /// The event as it is stored.
    pub event: Value,
}

impl CaseView {
    /// The shape of these events.
    pub fn of(case: CaseId, events: &[Recorded]) -> CaseView {
        CaseView {
            case: case.to_string(),
            events: events.iter().map(EventView::of).collect(),
        }
    }
}

impl EventView {
    fn of(recorded: &Recorded) -> EventView {
        let event: &Event = &recorded.event;
        EventView {
            position: recorded.position,
            leaf: recorded.leaf.to_string(),
            time: vietnam_time(event.time),
            word: event.happening.word().to_owned(),
            event: serde_json::from_slice(&event.encode()).expect("an event encodes to JSON"),
        }
    }
}

/// How trust stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustView {
    /// Version of the material in use.
    pub version: u64,
    /// All anchors.
    pub anchors: Vec<AnchorView>,
    /// Number of issuing certificates.
    pub candidates: usize,
    /// Number of OCSP answers.
    #[serde(default)]
    pub answers: usize,
    /// All revocation lists.
    pub lists: Vec<ListView>,
    /// Lists that are needed and were never obtained.
    pub absent_lists: Vec<AbsentListView>,
    /// All addresses.
    pub addresses: Vec<AddressView>,
    /// Files that could not be used.
    pub faults: Vec<String>,
}

/// One anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorView {
    /// Its subject.
    pub subject: String,
    /// SHA-256 of its DER.
    pub fingerprint: String,
    /// When it ends.
    pub not_after: String,
}

/// One revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListView {
    /// Its issuer.
    pub issuer: String,
    /// Its number in hexadecimal.
    pub number: Option<String>,
    /// When it was made.
    pub this_update: String,
    /// By when the next one is there.
    pub next_update: Option<String>,
    /// How many certificates it revokes.
    pub entries: usize,
    /// How it stands: `fresh`, `overdue`, or `ended` when no certificate depends on it any more.
    pub state: String,
    /// The addresses that gave it; none: it came as a file.
    pub urls: Vec<String>,
}

/// A revocation list that was never obtained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentListView {
    /// Its issuer; absent: of an address that the configuration names.
    pub issuer: Option<String>,
    /// Where it should be.
    pub urls: Vec<String>,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressView {
    /// The address.
    pub url: String,
    /// When it last gave what was wanted.
    pub fetched_at: Option<String>,
    /// Since when it gives nothing of use.
    pub failing_since: Option<String>,
    /// The kind of what was wrong the last time: `unreachable`, `forbidden`, `wrong-answer`, `unsigned`, `outdated`,
    /// `ours`.
    pub trouble: Option<String>,
    /// What was wrong the last time, for technicians.
    pub fault: Option<String>,
    /// Until when it is not asked again.
    pub resting_until: Option<String>,
}

impl ListView {
    /// The shape of this list.
    pub fn of(line: &ListLine) -> ListView {
        ListView {
            issuer: line.issuer.clone(),
            number: line.number.clone(),
            this_update: vietnam_time(line.this_update),
            next_update: line.next_update.map(vietnam_time),
            entries: line.entries,
            state: line.state.word().to_owned(),
            urls: line.urls.clone(),
        }
    }
}

impl TrustView {
    /// The shape of this status.
    pub fn of(status: &TrustStatus) -> TrustView {
        let anchors = status.anchors().map(|anchor| AnchorView {
            subject: anchor.subject.clone(),
            fingerprint: anchor.fingerprint.clone(),
            not_after: vietnam_time(anchor.not_after),
        });
        let time = |time: Option<Time>| time.map(vietnam_time);
        let addresses = status.addresses.iter().map(|address| AddressView {
            url: address.url.clone(),
            fetched_at: time(address.fetched_at),
            failing_since: time(address.failing_since),
            trouble: address
                .fault
                .as_ref()
                .map(|fault| fault.trouble.word().to_owned()),
            fault: address.fault.as_ref().map(|fault| fault.detail.clone()),
            resting_until: time(address.resting_until),
        });
        let absent = status.absent_lists.iter().map(|list| AbsentListView {
            issuer: list.issuer.clone(),
            urls: list.urls.clone(),
        });
        TrustView {
            version: status.version,
            anchors: anchors.collect(),
            candidates: status.candidates(),
            answers: status.answers,
            lists: status.lists.iter().map(ListView::of).collect(),
            absent_lists: absent.collect(),
            addresses: addresses.collect(),
            faults: status.faults.clone(),
        }
    }
}
