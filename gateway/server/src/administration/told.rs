//! Why not, as values that cross the internal port: whoever shows them puts them into words for its reader.
//!
//! **Invariant:** one variant for each thing a person may have to be told, so that a translation that lacks one does
//! not compile.

use domain::agency::Standing;
use domain::directory::DirectoryFault;
use domain::directory::import::{ImportFault, RowReason};
use domain::directory::plan::PlanWarning;
use domain::ids::AgencyId;
use domain::port::StoreFault;
use domain::receipt::vietnam_time;
use serde::{Deserialize, Serialize};

use super::{AdditionFault, AdministrationFault, OrderFault, ParkingFault, ProvisionFault, TrustDeskFault};
use crate::clock::Unsteady;

/// Declares what may be told; every value is a text.
macro_rules! told {
    ($($(#[$doc:meta])* $name:ident { $($value:ident),* };)*) => {
        /// Why something was not done, or what a person should know of it. Ids, codes and names are as people write
        /// them; `fault` is what a part or the system said, in English.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "word", rename_all = "kebab-case")]
        #[expect(missing_docs, reason = "a value is named after what it is")]
        pub enum Told { $($(#[$doc])* $name { $($value: String),* },)* }
    };
}

told! {
    /// The account belongs to another agency.
    AccountTaken { account, owner };
    /// No account of this id is open.
    AccountUnknown { account };
    /// The account is not open at this agency.
    AccountNotOpen { account, agency };
    /// The broker could not be told about the account.
    ProvisionFailed { fault };
    /// The agency has ended.
    AgencyEnded { agency };
    /// The id is taken.
    AgencyKnown { agency };
    /// Nobody has this id or code.
    AgencyUnknown { agency };
    /// Another id comes next.
    AgencyNotNext { agency, next };
    /// It takes part already.
    AgencyActive { agency };
    /// It is suspended.
    AgencySuspended { agency };
    /// It was named twice.
    AgencyTwice { agency };
    /// An anchor comes alone.
    AnchorsSeveral { count };
    /// The certificate has another fingerprint.
    AnchorAnother { given, found };
    /// The certificate is not self-signed.
    AnchorIssued { subject };
    /// The configuration does not pin the certificate.
    AnchorUnpinned { fingerprint };
    /// The configuration names no folder of candidates.
    CandidatesUnset {};
    /// Nobody knows the case.
    CaseUnknown { case };
    /// The case does not wait for a person.
    CaseNotParked { case };
    /// The parked case could not be judged this time either.
    CaseStillParked { case };
    /// It would stand above itself.
    Circle { agency, relation, to };
    /// The certificate is the agency's already.
    CertificatePinned { agency };
    /// The certificate is not the agency's.
    CertificateNotPinned { agency };
    /// The file holds too many certificates.
    CertificatesMany { most };
    /// The certificates could not be kept.
    CertificatesNotKept { fault };
    /// The file holds a certificate that is refused.
    CertificatesRefused {};
    /// The file holds no certificate that can be read.
    CertificatesUnread { fault };
    /// The time of day lies before the newest event.
    ClockBehind { newest };
    /// The time of day jumped.
    ClockJumped { seconds };
    /// The code is the gateway's own.
    CodeOfGateway { code };
    /// The code is another agency's.
    CodeTaken { code, owner };
    /// The code is not the agency's.
    CodeNotHeld { code, agency };
    /// The directory changed meanwhile.
    Conflict {};
    /// The file says no columns `code` and `name`.
    ColumnMissing { column };
    /// Two columns have one name.
    ColumnRepeated { column };
    /// The change is earlier than the newest.
    Earlier { at, latest };
    /// The file is empty.
    FileEmpty {};
    /// The header is not UTF-8.
    FileNotUtf8 {};
    /// The file is UTF-16.
    FileUtf16 {};
    /// Too few agencies for a merger or split.
    FewAgencies {};
    /// Not a fingerprint.
    FingerprintUnfit { text };
    /// The heir has no account.
    HeirWithoutAccount { agency };
    /// The heir is suspended.
    HeirSuspended { agency };
    /// The heir has no certificate.
    HeirWithoutCertificate { agency };
    /// Not an id or code.
    IdUnfit { text, kind };
    /// The revocation list cannot be used.
    ListRefused { fault };
    /// The revocation list could not be kept.
    ListNotKept { fault };
    /// Agencies under way to will not get it.
    NobodyInherits { agency, incoming };
    /// The configuration names no provisioning credential.
    NotProvisioning {};
    /// The request is not understood.
    RequestUnfit { fault };
    /// The row's code is of neither form.
    RowCodeForm { column, code };
    /// The row has no usable code.
    RowCodeUnfit { column, text };
    /// The row contradicts an earlier one.
    RowContradicts { line };
    /// The row's agency has ended.
    RowEnded { agency };
    /// The row has too many fields.
    RowFields { found, expected };
    /// A field of the row is empty.
    RowFieldEmpty { column };
    /// The row is not UTF-8.
    RowNotUtf8 {};
    /// The row has an open quotation mark.
    RowQuoteOpen {};
    /// Whom the row relates to is unknown.
    RowRelatedUnknown { relation, code };
    /// The row's codes are two agencies'.
    RowTwoAgencies { one, other };
    /// The store is damaged.
    StoreDamaged { fault };
    /// The store takes nothing now.
    StoreNotNow { fault };
    /// The store has stopped.
    StoreStopped { fault };
    /// An agency would be its own heir.
    SuccessorOfItself { agency };
    /// A name or level that cannot be.
    NameUnfit { agency };
    /// The token is not the one of the data folder.
    TokenWrong {};
    /// Nothing would change.
    Unchanged { agency };
    /// The word is none of those.
    WordUnfit { text, wanted };
}

impl From<&OrderFault> for Told {
    fn from(fault: &OrderFault) -> Told {
        match fault.clone() {
            OrderFault::NotAnId { text, fault } => Told::IdUnfit {
                text,
                kind: fault.kind.to_owned(),
            },
            OrderFault::NotAWord { text, wanted } => Told::WordUnfit {
                text,
                wanted: wanted.to_owned(),
            },
            OrderFault::NotADigest(text) => Told::FingerprintUnfit { text },
            OrderFault::AgencyUnknown(agency) => Told::AgencyUnknown { agency },
            OrderFault::AccountUnknown(account) => Told::AccountUnknown { account },
            OrderFault::CodeOfGateway(code) => Told::CodeOfGateway {
                code: code.to_string(),
            },
        }
    }
}

impl From<&DirectoryFault> for Told {
    fn from(fault: &DirectoryFault) -> Told {
        let one = |agency: &AgencyId| agency.to_string();
        match fault {
            DirectoryFault::Known { agency } => Told::AgencyKnown { agency: one(agency) },
            DirectoryFault::Unknown { agency } => Told::AgencyUnknown { agency: one(agency) },
            DirectoryFault::NotNext { agency, next } => Told::AgencyNotNext {
                agency: one(agency),
                next: one(next),
            },
            DirectoryFault::Ended { agency } => Told::AgencyEnded { agency: one(agency) },
            DirectoryFault::Unchanged { agency } => Told::Unchanged { agency: one(agency) },
            DirectoryFault::StandingWrong { agency, standing } => match standing {
                Standing::Active => Told::AgencyActive { agency: one(agency) },
                Standing::Suspended => Told::AgencySuspended { agency: one(agency) },
                Standing::Closed => Told::AgencyEnded { agency: one(agency) },
            },
            DirectoryFault::TextUnfit { agency } => Told::NameUnfit { agency: one(agency) },
            DirectoryFault::CodeTaken { code, owner } => Told::CodeTaken {
                code: code.to_string(),
                owner: one(owner),
            },
            DirectoryFault::CodeNotHeld { code, agency } => Told::CodeNotHeld {
                code: code.to_string(),
                agency: one(agency),
            },
            DirectoryFault::Cycle { relation, agency, to } => Told::Circle {
                agency: one(agency),
                relation: relation.word().to_owned(),
                to: one(to),
            },
            DirectoryFault::CertificatePinned { agency } => Told::CertificatePinned { agency: one(agency) },
            DirectoryFault::CertificateNotPinned { agency } => {
                Told::CertificateNotPinned { agency: one(agency) }
            }
            DirectoryFault::AccountTaken { account, owner } => Told::AccountTaken {
                account: account.to_string(),
                owner: one(owner),
            },
            DirectoryFault::AccountNotOpen { account, agency } => Told::AccountNotOpen {
                account: account.to_string(),
                agency: one(agency),
            },
            DirectoryFault::SuccessorOfItself { agency } => Told::SuccessorOfItself { agency: one(agency) },
            DirectoryFault::Repeated { agency } => Told::AgencyTwice { agency: one(agency) },
            DirectoryFault::TooFew => Told::FewAgencies {},
            DirectoryFault::TooEarly { at, latest } => Told::Earlier {
                at: vietnam_time(*at),
                latest: vietnam_time(*latest),
            },
        }
    }
}

impl From<&ImportFault> for Told {
    fn from(fault: &ImportFault) -> Told {
        match fault {
            ImportFault::Empty => Told::FileEmpty {},
            ImportFault::HeaderUnreadable => Told::FileNotUtf8 {},
            ImportFault::Utf16 => Told::FileUtf16 {},
            ImportFault::ColumnMissing(column) => Told::ColumnMissing {
                column: (*column).to_owned(),
            },
            ImportFault::ColumnRepeated(column) => Told::ColumnRepeated {
                column: column.clone(),
            },
        }
    }
}

impl From<&RowReason> for Told {
    fn from(reason: &RowReason) -> Told {
        match reason {
            RowReason::NotUtf8 => Told::RowNotUtf8 {},
            RowReason::QuoteOpen => Told::RowQuoteOpen {},
            RowReason::FieldCount { found, expected } => Told::RowFields {
                found: found.to_string(),
                expected: expected.to_string(),
            },
            RowReason::FieldEmpty(column) => Told::RowFieldEmpty {
                column: (*column).to_owned(),
            },
            RowReason::CodeUnfit { column, text } => Told::RowCodeUnfit {
                column: (*column).to_owned(),
                text: text.clone(),
            },
            RowReason::CodeForm { column, code } => Told::RowCodeForm {
                column: (*column).to_owned(),
                code: code.to_string(),
            },
            RowReason::Contradicts { line } => Told::RowContradicts {
                line: line.to_string(),
            },
            RowReason::TwoAgencies { one, other } => Told::RowTwoAgencies {
                one: one.to_string(),
                other: other.to_string(),
            },
            RowReason::Ended { agency } => Told::RowEnded {
                agency: agency.to_string(),
            },
            RowReason::RelatedUnknown { relation, code } => Told::RowRelatedUnknown {
                relation: relation.word().to_owned(),
                code: code.to_string(),
            },
            RowReason::Directory(fault) => Told::from(fault),
        }
    }
}

impl From<&Unsteady> for Told {
    fn from(unsteady: &Unsteady) -> Told {
        match *unsteady {
            Unsteady::Jumped { .. } => Told::ClockJumped {
                seconds: unsteady.seconds().to_string(),
            },
            Unsteady::Behind { newest, .. } => Told::ClockBehind {
                newest: vietnam_time(newest),
            },
        }
    }
}

impl From<&StoreFault> for Told {
    fn from(fault: &StoreFault) -> Told {
        match fault.clone() {
            StoreFault::NotNow(fault) => Told::StoreNotNow { fault },
            StoreFault::Stopped(fault) => Told::StoreStopped { fault },
            StoreFault::Damaged(fault) => Told::StoreDamaged { fault },
        }
    }
}

impl From<&ParkingFault> for Told {
    fn from(fault: &ParkingFault) -> Told {
        match fault {
            ParkingFault::NotParked(case) => Told::CaseNotParked {
                case: case.to_string(),
            },
            ParkingFault::StillParked(case) => Told::CaseStillParked {
                case: case.to_string(),
            },
            ParkingFault::Clock(unsteady) => Told::from(unsteady),
            ParkingFault::Store(fault) => Told::from(fault),
        }
    }
}

impl From<&AdministrationFault> for Told {
    fn from(fault: &AdministrationFault) -> Told {
        match fault {
            AdministrationFault::Order(fault) => Told::from(fault),
            AdministrationFault::Directory(fault) => Told::from(fault),
            AdministrationFault::Import(fault) => Told::from(fault),
            AdministrationFault::Clock(unsteady) => Told::from(unsteady),
            AdministrationFault::Store(fault) => Told::from(fault),
            AdministrationFault::Conflict => Told::Conflict {},
            AdministrationFault::Shared(fault) => Told::from(fault),
        }
    }
}

impl From<&ProvisionFault> for Told {
    fn from(fault: &ProvisionFault) -> Told {
        match fault {
            ProvisionFault::Failed(fault) => Told::ProvisionFailed { fault: fault.clone() },
            ProvisionFault::NotConfigured => Told::NotProvisioning {},
        }
    }
}

impl From<&TrustDeskFault> for Told {
    fn from(fault: &TrustDeskFault) -> Told {
        match fault.clone() {
            TrustDeskFault::Refused(fault) => Told::ListRefused { fault },
            TrustDeskFault::NotKept(fault) => Told::ListNotKept { fault },
        }
    }
}

impl From<&AdditionFault> for Told {
    fn from(fault: &AdditionFault) -> Told {
        match fault {
            AdditionFault::Unreadable(fault) => Told::CertificatesUnread { fault: fault.clone() },
            AdditionFault::TooMany(most) => Told::CertificatesMany {
                most: most.to_string(),
            },
            AdditionFault::NoFolder => Told::CandidatesUnset {},
            AdditionFault::SeveralAnchors(count) => Told::AnchorsSeveral {
                count: count.to_string(),
            },
            AdditionFault::Another { given, found } => Told::AnchorAnother {
                given: given.to_string(),
                found: found.to_string(),
            },
            AdditionFault::NotSelfSigned(subject) => Told::AnchorIssued {
                subject: subject.clone(),
            },
            AdditionFault::Unpinned(fingerprint) => Told::AnchorUnpinned {
                fingerprint: fingerprint.to_string(),
            },
            AdditionFault::NotKept(fault) => Told::CertificatesNotKept { fault: fault.clone() },
        }
    }
}

impl Told {
    /// What a plan warns of, with agencies named by `name`.
    pub fn warning(warning: &PlanWarning, name: impl Fn(AgencyId) -> String) -> Told {
        match *warning {
            PlanWarning::WillFail { agency, incoming } => Told::NobodyInherits {
                agency: name(agency),
                incoming: incoming.to_string(),
            },
            PlanWarning::HeirWithoutAccount { heir } => Told::HeirWithoutAccount { agency: name(heir) },
            PlanWarning::HeirSuspended { heir } => Told::HeirSuspended { agency: name(heir) },
            PlanWarning::HeirWithoutCertificate { heir } => {
                Told::HeirWithoutCertificate { agency: name(heir) }
            }
        }
    }
}
