//! Orders: what a person says on a command line or in a request, and the changes it comes to.
//!
//! **Invariant:** texts here are as somebody typed them; they become ids and codes when an order is resolved against a
//! directory, and nowhere else.

use std::str::FromStr;

use domain::agency::{Answers, PinnedCertificate, Relation, Signatory};
use domain::directory::{Addition, Directory, DirectoryChange};
use domain::ids::{AccountId, AgencyId, Code, NotAnId};
use serde::{Deserialize, Serialize};
use trust::{Digest, Time};

/// An order. An agency is named by its id (`a17`) or by a code that it has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// A new agency, with an account where `answers` says how it is answered.
    Add {
        /// Its name.
        name: String,
        /// Its codes.
        codes: Vec<String>,
        /// The next one up in the chain of command.
        parent: Option<String>,
        /// The agency that governs the territory it sits in.
        place: Option<String>,
        /// Who follows it up.
        watcher: Option<String>,
        /// Its level, as the province names it.
        level: String,
        /// `receipts` or `receipts-and-status`; without it no account is opened.
        answers: Option<String>,
    },
    /// A list of agencies in CSV.
    Import {
        /// The file: a text, or `{"base64": …}` of one that is not UTF-8.
        csv: CsvFile,
    },
    /// Another name.
    Rename {
        /// Who.
        agency: String,
        /// The new name.
        name: String,
    },
    /// Other codes.
    Recode {
        /// Who.
        agency: String,
        /// Codes that begin.
        added: Vec<String>,
        /// Codes that end.
        ended: Vec<String>,
    },
    /// Another superior, territory or watcher.
    Relate {
        /// Who.
        agency: String,
        /// `parent`, `place` or `watcher`.
        relation: String,
        /// To whom; nobody when absent.
        to: Option<String>,
    },
    /// No part in the exchange for a while.
    Suspend {
        /// Who.
        agency: String,
    },
    /// Part in it again.
    Resume {
        /// Who.
        agency: String,
    },
    /// Agencies end and go into another one.
    Merge {
        /// Those that end.
        from: Vec<String>,
        /// Their heir.
        into: String,
    },
    /// An agency ends and is divided.
    Split {
        /// The one that ends.
        from: String,
        /// Its heirs; the first one inherits the inbox.
        into: Vec<String>,
    },
    /// An agency is abolished.
    Close {
        /// Who.
        agency: String,
        /// Its heir, if it has one.
        successor: Option<String>,
    },
    /// A certificate is the agency's own.
    Pin {
        /// Whose.
        agency: String,
        /// SHA-256 of its DER, in hexadecimal.
        certificate: String,
        /// `person`, `organisation` or `device`.
        signatory: String,
    },
    /// A certificate is the agency's own no more.
    Unpin {
        /// Whose.
        agency: String,
        /// SHA-256 of its DER, in hexadecimal.
        certificate: String,
    },
    /// A further document system for each of these.
    OpenAccounts {
        /// Whose.
        agencies: Vec<String>,
        /// `receipts` or `receipts-and-status`.
        answers: String,
    },
    /// A document system less.
    CloseAccount {
        /// Which.
        account: String,
    },
    /// Another password for a document system.
    RenewPassword {
        /// Which.
        account: String,
    },
}

/// A file as it was read. JSON holds text only, and a list with one byte that is none is still read row by row: it
/// travels in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CsvShape", into = "CsvShape")]
pub struct CsvFile(Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CsvShape {
    Text(String),
    Bytes {
        #[serde(with = "in_base64")]
        base64: Vec<u8>,
    },
}

mod in_base64 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD
            .decode(String::deserialize(from)?)
            .map_err(D::Error::custom)
    }
}

impl CsvFile {
    /// A file of these bytes.
    pub fn of(bytes: impl Into<Vec<u8>>) -> CsvFile {
        CsvFile(bytes.into())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<CsvShape> for CsvFile {
    fn from(shape: CsvShape) -> CsvFile {
        match shape {
            CsvShape::Text(text) => CsvFile(text.into_bytes()),
            CsvShape::Bytes { base64 } => CsvFile(base64),
        }
    }
}

impl From<CsvFile> for CsvShape {
    fn from(file: CsvFile) -> CsvShape {
        match String::from_utf8(file.0) {
            Ok(text) => CsvShape::Text(text),
            Err(bytes) => CsvShape::Bytes {
                base64: bytes.into_bytes(),
            },
        }
    }
}

/// Why an order comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    /// A text is not an id or code.
    #[error("{text:?} is {fault}")]
    NotAnId {
        /// The text.
        text: String,
        /// What it was to be.
        fault: NotAnId,
    },
    /// A word that is none of those it may be.
    #[error("{text:?} is not one of {wanted}")]
    NotAWord {
        /// The text.
        text: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// Not 64 hexadecimal digits.
    #[error("{0:?} is not a SHA-256 fingerprint")]
    NotADigest(String),
    /// Nobody has the code or id.
    #[error("no agency is named {0}")]
    AgencyUnknown(String),
    /// Nobody has the account, or it is closed.
    #[error("there is no open account {0}")]
    AccountUnknown(String),
    /// An agency would have the gateway's own code.
    #[error("{0} is the gateway's own code and cannot be an agency's")]
    CodeOfGateway(Code),
}

impl Order {
    /// The changes that this order comes to. An import is read by the directory itself.
    pub(super) fn changes(
        &self,
        directory: &Directory,
        now: Time,
    ) -> Result<Vec<DirectoryChange>, OrderFault> {
        let who = |text: &String| agency(text, directory, now);
        let one = |change: DirectoryChange| Ok(vec![change]);
        match self {
            Order::Add { .. } => self.addition(directory, now),
            Order::Import { .. } => Ok(Vec::new()),
            Order::RenewPassword { account } => open_account(account, directory, now).map(|_| Vec::new()),
            Order::Rename { agency, name } => one(DirectoryChange::Renamed {
                id: who(agency)?,
                name: name.clone(),
            }),
            Order::Recode { agency, added, ended } => one(DirectoryChange::Recoded {
                id: who(agency)?,
                added: codes(added)?,
                ended: codes(ended)?,
            }),
            Order::Relate { agency, relation, to } => {
                let relation = word(relation, &Relation::ALL, Relation::word, "parent, place, watcher")?;
                let to = to.as_ref().map(who).transpose()?;
                one(DirectoryChange::related(relation, who(agency)?, to))
            }
            Order::Suspend { agency } => one(DirectoryChange::Suspended { id: who(agency)? }),
            Order::Resume { agency } => one(DirectoryChange::Resumed { id: who(agency)? }),
            Order::Merge { .. } | Order::Split { .. } | Order::Close { .. } => self.ending(directory, now),
            Order::Pin {
                agency,
                certificate,
                signatory,
            } => {
                let wanted = "person, organisation, device";
                let signatory = word(signatory, &Signatory::ALL, Signatory::word, wanted)?;
                let certificate = PinnedCertificate {
                    fingerprint: digest(certificate)?,
                    signatory,
                };
                one(DirectoryChange::CertificatePinned {
                    id: who(agency)?,
                    certificate,
                })
            }
            Order::Unpin { agency, certificate } => one(DirectoryChange::CertificateEnded {
                id: who(agency)?,
                fingerprint: digest(certificate)?,
            }),
            Order::OpenAccounts { agencies, answers } => {
                let answers = answers_word(answers)?;
                let opened = |agency: &String| {
                    let id = who(agency)?;
                    let known = directory.agency(id);
                    let known = known.ok_or_else(|| OrderFault::AgencyUnknown(agency.clone()))?;
                    Ok(DirectoryChange::AccountOpened {
                        id,
                        account: known.next_account(),
                        answers,
                    })
                };
                agencies.iter().map(opened).collect()
            }
            Order::CloseAccount { account } => {
                let (id, account) = open_account(account, directory, now)?;
                one(DirectoryChange::AccountClosed { id, account })
            }
        }
    }

    /// The change by which agencies end.
    fn ending(&self, directory: &Directory, now: Time) -> Result<Vec<DirectoryChange>, OrderFault> {
        let who = |text: &String| agency(text, directory, now);
        let all = |texts: &[String]| {
            texts
                .iter()
                .map(who)
                .collect::<Result<Vec<AgencyId>, OrderFault>>()
        };
        let change = if let Order::Merge { from, into } = self {
            DirectoryChange::Merged {
                from: all(from)?,
                into: who(into)?,
            }
        } else if let Order::Split { from, into } = self {
            DirectoryChange::Split {
                from: who(from)?,
                into: all(into)?,
            }
        } else if let Order::Close { agency, successor } = self {
            let successor = successor.as_ref().map(who).transpose()?;
            DirectoryChange::Closed {
                id: who(agency)?,
                successor,
            }
        } else {
            return Ok(Vec::new());
        };
        Ok(vec![change])
    }

    fn addition(&self, directory: &Directory, now: Time) -> Result<Vec<DirectoryChange>, OrderFault> {
        let Order::Add {
            name,
            codes: own,
            parent,
            place,
            watcher,
            level,
            answers,
        } = self
        else {
            return Ok(Vec::new());
        };
        let who = |text: &Option<String>| text.as_ref().map(|text| agency(text, directory, now)).transpose();
        let id = directory.next_id();
        let addition = Addition {
            id,
            name: name.clone(),
            codes: codes(own)?,
            parent: who(parent)?,
            place: who(place)?,
            watcher: who(watcher)?,
            level: level.clone(),
        };
        let mut changes = vec![DirectoryChange::Added(addition)];
        if let Some(answers) = answers {
            let account = AccountId::parse(&format!("{id}-1")).expect("an id and a number are an account id");
            changes.push(DirectoryChange::AccountOpened {
                id,
                account,
                answers: answers_word(answers)?,
            });
        }
        Ok(changes)
    }
}

/// The codes that this change gives to an agency.
pub(super) fn codes_given(change: &DirectoryChange) -> &[Code] {
    match change {
        DirectoryChange::Added(addition) => &addition.codes,
        DirectoryChange::Recoded { added, .. } => added,
        DirectoryChange::Renamed { .. }
        | DirectoryChange::ParentSet { .. }
        | DirectoryChange::PlaceSet { .. }
        | DirectoryChange::WatcherSet { .. }
        | DirectoryChange::CertificatePinned { .. }
        | DirectoryChange::CertificateEnded { .. }
        | DirectoryChange::AccountOpened { .. }
        | DirectoryChange::AccountClosed { .. }
        | DirectoryChange::Suspended { .. }
        | DirectoryChange::Resumed { .. }
        | DirectoryChange::Merged { .. }
        | DirectoryChange::Split { .. }
        | DirectoryChange::Closed { .. } => &[],
    }
}

/// The agency that a person names by id or by a code.
fn agency(text: &str, directory: &Directory, now: Time) -> Result<AgencyId, OrderFault> {
    let unknown = || OrderFault::AgencyUnknown(text.to_owned());
    if let Ok(id) = AgencyId::from_str(text) {
        return directory.agency(id).map(|agency| agency.id).ok_or_else(unknown);
    }
    let code = code(text)?;
    directory.by_code(&code, now).ok_or_else(unknown)
}

fn code(text: &str) -> Result<Code, OrderFault> {
    Code::parse(text).map_err(|fault| OrderFault::NotAnId {
        text: text.to_owned(),
        fault,
    })
}

fn codes(texts: &[String]) -> Result<Vec<Code>, OrderFault> {
    texts.iter().map(|text| code(text)).collect()
}

fn digest(text: &str) -> Result<Digest, OrderFault> {
    text.replace(':', "")
        .parse()
        .map_err(|_| OrderFault::NotADigest(text.to_owned()))
}

fn answers_word(text: &str) -> Result<Answers, OrderFault> {
    word(
        text,
        &Answers::ALL,
        Answers::word,
        "receipts, receipts-and-status",
    )
}

fn word<T: Copy>(
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
    wanted: &'static str,
) -> Result<T, OrderFault> {
    let found = all.iter().copied().find(|one| name(*one) == text);
    found.ok_or_else(|| OrderFault::NotAWord {
        text: text.to_owned(),
        wanted,
    })
}

fn open_account(text: &str, directory: &Directory, now: Time) -> Result<(AgencyId, AccountId), OrderFault> {
    let unknown = || OrderFault::AccountUnknown(text.to_owned());
    let account = AccountId::parse(text).map_err(|_| unknown())?;
    let known = directory
        .account(&account)
        .filter(|account| account.is_open(now))
        .ok_or_else(unknown)?;
    let owner = directory.agency_of_account(&known.id).ok_or_else(unknown)?;
    Ok((owner, account))
}
