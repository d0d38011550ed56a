//! Agencies as they are shown.

use domain::agency::{Account, Agency, Dated, PinnedCertificate, Relation};
use domain::receipt::vietnam_time;
use serde::{Deserialize, Serialize};

use crate::administration::Backlog;

/// One agency, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyView {
    /// Its identity, `a17`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its codes.
    pub codes: Vec<String>,
    /// Its level.
    pub level: String,
    /// `active`, `suspended` or `closed`.
    pub standing: String,
    /// The next one up.
    pub parent: Option<String>,
    /// Whose territory it sits in.
    pub place: Option<String>,
    /// Who follows it up.
    pub watcher: Option<String>,
    /// Who came after it.
    pub heirs: Vec<String>,
    /// How and when it ended, if it has.
    #[serde(default)]
    pub ended: Option<EndView>,
    /// Its names, oldest first.
    #[serde(default)]
    pub names_held: Vec<DatedView>,
    /// Its codes, those that ended too.
    #[serde(default)]
    pub codes_held: Vec<DatedView>,
    /// Its standings, oldest first.
    #[serde(default)]
    pub standings: Vec<DatedView>,
    /// Its document systems.
    pub accounts: Vec<AccountView>,
    /// Its certificates that hold now.
    pub certificates: Vec<CertificateView>,
}

/// What held for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedView {
    /// What.
    pub value: String,
    /// Since when.
    pub from: String,
    /// Until when; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// The end of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndView {
    /// `merged`, `split` or `closed`.
    pub ending: String,
    /// When.
    pub at: String,
}

/// One document system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id, and broker user.
    pub id: String,
    /// How it is answered.
    pub answers: String,
    /// Since when.
    pub opened_at: String,
    /// Until when.
    pub closed_at: Option<String>,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// SHA-256 of its DER.
    pub fingerprint: String,
    /// Who stands behind it.
    pub signatory: String,
    /// Since when it is the agency's own.
    pub from: String,
}

impl AgencyView {
    /// The shape of this agency.
    pub fn of(agency: &Agency) -> AgencyView {
        let related = |relation| agency.relation(relation).current().map(ToString::to_string);
        let pins = agency.certificates.iter().filter(|pin| pin.until.is_none());
        let certificate = |pin: &Dated<PinnedCertificate>| CertificateView {
            fingerprint: pin.value.fingerprint.to_string(),
            signatory: pin.value.signatory.word().to_owned(),
            from: vietnam_time(pin.from),
        };
        let heirs = agency.succession.iter().flat_map(|end| &end.heirs);
        AgencyView {
            id: agency.id.to_string(),
            name: agency.name().to_owned(),
            codes: agency.codes_current().map(ToString::to_string).collect(),
            level: agency.level.clone(),
            standing: agency.standing().word().to_owned(),
            parent: related(Relation::Parent),
            place: related(Relation::Place),
            watcher: related(Relation::Watcher),
            heirs: heirs.map(ToString::to_string).collect(),
            ended: agency.succession.as_ref().map(|end| EndView {
                ending: end.ending.word().to_owned(),
                at: vietnam_time(end.at),
            }),
            names_held: DatedView::all(agency.names.spans(), String::clone),
            codes_held: DatedView::all(&agency.codes, ToString::to_string),
            standings: DatedView::all(agency.standings.spans(), |one| one.word().to_owned()),
            accounts: agency.accounts.iter().map(AccountView::of).collect(),
            certificates: pins.map(certificate).collect(),
        }
    }
}

impl DatedView {
    fn all<T>(spans: &[Dated<T>], text: impl Fn(&T) -> String) -> Vec<DatedView> {
        let one = |span: &Dated<T>| DatedView {
            value: text(&span.value),
            from: vietnam_time(span.from),
            until: span.until.map(vietnam_time),
        };
        spans.iter().map(one).collect()
    }
}

impl AccountView {
    fn of(account: &Account) -> AccountView {
        AccountView {
            id: account.id.to_string(),
            answers: account.answers.word().to_owned(),
            opened_at: vietnam_time(account.opened_at),
            closed_at: account.closed_at.map(vietnam_time),
        }
    }
}

/// What is under way for one agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogView {
    /// Which.
    pub agency: String,
    /// Dispatches to it that wait for a place in its inbox.
    pub due: u64,
    /// Dispatches in its inbox.
    pub inbox: u64,
    /// Cases that it sent and that some addressee has not taken.
    pub outgoing: u64,
    /// Submissions of it that are held.
    pub held: u64,
}

impl BacklogView {
    /// The shape of these counts.
    pub fn all(backlog: &Backlog) -> Vec<BacklogView> {
        let one =
            |(agency, counts): (&domain::ids::AgencyId, &crate::administration::AgencyBacklog)| BacklogView {
                agency: agency.to_string(),
                due: counts.due,
                inbox: counts.inbox,
                outgoing: counts.outgoing,
                held: counts.held,
            };
        backlog.0.iter().map(one).collect()
    }
}
