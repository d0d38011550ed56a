//! What can happen to the directory: the changes that events carry and that commands make.
//!
//! The directory is the fold of its changes, in the order of the journal.
//!
//! **Invariant:** a change says what was decided, not what follows from it: whose children moved where is worked out
//! by [`super::Directory::apply`], the same way at every replay.
//! **Invariant:** the encoding is canonical and carries a version; a newer gateway reads every older one.

use serde_json::Value;
use trust::Digest;

use crate::agency::{Answers, PinnedCertificate, Relation, Signatory};
use crate::ids::{AccountId, AgencyId, Code};
use crate::json::{JsonFault, Reader, Writer, text};

/// The version of the encoding written by this build.
const FORMAT: i64 = 1;

/// One decision about agencies. It holds from the time of the event that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryChange {
    /// An agency takes part from now on.
    Added(Addition),
    /// It has another name.
    Renamed {
        /// Who.
        id: AgencyId,
        /// The new name.
        name: String,
    },
    /// It has other codes. A code of a closed agency may be given to another one; that of a living one may not.
    Recoded {
        /// Who.
        id: AgencyId,
        /// Codes that it has from now on.
        added: Vec<Code>,
        /// Codes that it has no more.
        ended: Vec<Code>,
    },
    /// It has another superior, or none.
    ParentSet {
        /// Who.
        id: AgencyId,
        /// The next one up in the chain of command.
        parent: Option<AgencyId>,
    },
    /// It sits in another territory, or in none.
    PlaceSet {
        /// Who.
        id: AgencyId,
        /// The agency that governs the territory.
        place: Option<AgencyId>,
    },
    /// Another agency follows it up, or none.
    WatcherSet {
        /// Who.
        id: AgencyId,
        /// Who follows it up.
        watcher: Option<AgencyId>,
    },
    /// A certificate is its own from now on.
    CertificatePinned {
        /// Who.
        id: AgencyId,
        /// The certificate, and who stands behind it.
        certificate: PinnedCertificate,
    },
    /// A certificate is its own no more.
    CertificateEnded {
        /// Who.
        id: AgencyId,
        /// SHA-256 of the certificate's DER.
        fingerprint: Digest,
    },
    /// A document system of the agency is connected.
    AccountOpened {
        /// Whose.
        id: AgencyId,
        /// The account, which nobody had before.
        account: AccountId,
        /// How it is answered.
        answers: Answers,
    },
    /// A document system is disconnected.
    AccountClosed {
        /// Whose.
        id: AgencyId,
        /// The account.
        account: AccountId,
    },
    /// It takes no part for a while.
    Suspended {
        /// Who.
        id: AgencyId,
    },
    /// It takes part again.
    Resumed {
        /// Who.
        id: AgencyId,
    },
    /// Agencies ended and went into another one.
    Merged {
        /// Those that ended.
        from: Vec<AgencyId>,
        /// Their heir.
        into: AgencyId,
    },
    /// An agency ended and was divided.
    Split {
        /// The one that ended.
        from: AgencyId,
        /// Its heirs, at least two; the first one inherits the inbox.
        into: Vec<AgencyId>,
    },
    /// An agency was abolished.
    Closed {
        /// The one that ended.
        id: AgencyId,
        /// Its heir, if it has one.
        successor: Option<AgencyId>,
    },
}

/// A new agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// Its identity: [`super::Directory::next_id`].
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// Its codes; none while they are still another's.
    pub codes: Vec<Code>,
    /// The next one up in the chain of command.
    pub parent: Option<AgencyId>,
    /// The agency that governs the territory it sits in.
    pub place: Option<AgencyId>,
    /// Who follows it up.
    pub watcher: Option<AgencyId>,
    /// Its level, as the province names it; may be empty.
    pub level: String,
}

impl DirectoryChange {
    /// The word of the change in events, commands and pages.
    pub fn word(&self) -> &'static str {
        match self {
            DirectoryChange::Added(_) => "added",
            DirectoryChange::Renamed { .. } => "renamed",
            DirectoryChange::Recoded { .. } => "recoded",
            DirectoryChange::ParentSet { .. } => "parent-set",
            DirectoryChange::PlaceSet { .. } => "place-set",
            DirectoryChange::WatcherSet { .. } => "watcher-set",
            DirectoryChange::CertificatePinned { .. } => "certificate-pinned",
            DirectoryChange::CertificateEnded { .. } => "certificate-ended",
            DirectoryChange::AccountOpened { .. } => "account-opened",
            DirectoryChange::AccountClosed { .. } => "account-closed",
            DirectoryChange::Suspended { .. } => "suspended",
            DirectoryChange::Resumed { .. } => "resumed",
            DirectoryChange::Merged { .. } => "merged",
            DirectoryChange::Split { .. } => "split",
            DirectoryChange::Closed { .. } => "closed",
        }
    }

    /// The change that makes `to` what the agency's `relation` points at.
    pub fn related(relation: Relation, id: AgencyId, to: Option<AgencyId>) -> DirectoryChange {
        match relation {
            Relation::Parent => DirectoryChange::ParentSet { id, parent: to },
            Relation::Place => DirectoryChange::PlaceSet { id, place: to },
            Relation::Watcher => DirectoryChange::WatcherSet { id, watcher: to },
        }
    }

    /// As the object that events hold: `{"change":"merged","format":1,"from":["a1","a2"],"into":"a3"}`.
    pub fn to_json(&self) -> Value {
        let json = Writer::new().number("format", FORMAT).text("change", self.word());
        match self {
            DirectoryChange::Added(addition) => addition.write(json),
            DirectoryChange::Renamed { id, name } => json.text("agency", id).text("name", name),
            DirectoryChange::Recoded { id, added, ended } => json
                .text("agency", id)
                .list("added", added.iter().map(text))
                .list("ended", ended.iter().map(text)),
            DirectoryChange::ParentSet { id, parent: to }
            | DirectoryChange::PlaceSet { id, place: to }
            | DirectoryChange::WatcherSet { id, watcher: to } => json.text("agency", id).maybe("to", *to),
            DirectoryChange::CertificatePinned { id, certificate } => json
                .text("agency", id)
                .text("fingerprint", certificate.fingerprint)
                .text("signatory", certificate.signatory.word()),
            DirectoryChange::CertificateEnded { id, fingerprint } => {
                json.text("agency", id).text("fingerprint", fingerprint)
            }
            DirectoryChange::AccountOpened { id, account, answers } => json
                .text("agency", id)
                .text("account", account)
                .text("answers", answers.word()),
            DirectoryChange::AccountClosed { id, account } => {
                json.text("agency", id).text("account", account)
            }
            DirectoryChange::Suspended { id } | DirectoryChange::Resumed { id } => json.text("agency", id),
            DirectoryChange::Merged { from, into } => {
                json.list("from", from.iter().map(text)).text("into", into)
            }
            DirectoryChange::Split { from, into } => {
                json.text("from", from).list("into", into.iter().map(text))
            }
            DirectoryChange::Closed { id, successor } => {
                json.text("agency", id).maybe("successor", *successor)
            }
        }
        .end()
    }

    /// Reads what [`DirectoryChange::to_json`] wrote.
    ///
    /// # Errors
    /// [`JsonFault`] naming the field that is missing or wrong, or the version that this build does not know.
    pub fn from_json(json: Reader<'_>) -> Result<DirectoryChange, JsonFault> {
        check_format(json)?;
        let id = || json.parse("agency");
        Ok(match json.str("change")? {
            "added" => DirectoryChange::Added(Addition::read(json)?),
            "renamed" => DirectoryChange::Renamed {
                id: id()?,
                name: json.str("name")?.to_owned(),
            },
            "recoded" => DirectoryChange::Recoded {
                id: id()?,
                added: json.texts("added")?,
                ended: json.texts("ended")?,
            },
            "parent-set" => DirectoryChange::ParentSet {
                id: id()?,
                parent: json.maybe("to")?,
            },
            "place-set" => DirectoryChange::PlaceSet {
                id: id()?,
                place: json.maybe("to")?,
            },
            "watcher-set" => DirectoryChange::WatcherSet {
                id: id()?,
                watcher: json.maybe("to")?,
            },
            "certificate-pinned" => {
                let signatory = word(json, "signatory", Signatory::from_word)?;
                let certificate = PinnedCertificate {
                    fingerprint: json.parse("fingerprint")?,
                    signatory,
                };
                DirectoryChange::CertificatePinned {
                    id: id()?,
                    certificate,
                }
            }
            "certificate-ended" => DirectoryChange::CertificateEnded {
                id: id()?,
                fingerprint: json.parse("fingerprint")?,
            },
            "account-opened" => {
                let answers = word(json, "answers", Answers::from_word)?;
                DirectoryChange::AccountOpened {
                    id: id()?,
                    account: json.parse("account")?,
                    answers,
                }
            }
            "account-closed" => DirectoryChange::AccountClosed {
                id: id()?,
                account: json.parse("account")?,
            },
            "suspended" => DirectoryChange::Suspended { id: id()? },
            "resumed" => DirectoryChange::Resumed { id: id()? },
            "merged" => DirectoryChange::Merged {
                from: json.texts("from")?,
                into: json.parse("into")?,
            },
            "split" => DirectoryChange::Split {
                from: json.parse("from")?,
                into: json.texts("into")?,
            },
            "closed" => DirectoryChange::Closed {
                id: id()?,
                successor: json.maybe("successor")?,
            },
            _ => return Err(JsonFault::Wrong("change")),
        })
    }
}

impl Addition {
    /// What this agency's `relation` is to point at.
    pub fn related(&self, relation: Relation) -> Option<AgencyId> {
        match relation {
            Relation::Parent => self.parent,
            Relation::Place => self.place,
            Relation::Watcher => self.watcher,
        }
    }

    fn write(&self, json: Writer) -> Writer {
        json.text("agency", self.id)
            .text("name", &self.name)
            .list("codes", self.codes.iter().map(text))
            .maybe("parent", self.parent)
            .maybe("place", self.place)
            .maybe("watcher", self.watcher)
            .text("level", &self.level)
    }

    fn read(json: Reader<'_>) -> Result<Addition, JsonFault> {
        Ok(Addition {
            id: json.parse("agency")?,
            name: json.str("name")?.to_owned(),
            codes: json.texts("codes")?,
            parent: json.maybe("parent")?,
            place: json.maybe("place")?,
            watcher: json.maybe("watcher")?,
            level: json.str("level")?.to_owned(),
        })
    }
}

fn check_format(json: Reader<'_>) -> Result<(), JsonFault> {
    match json.number("format")? {
        FORMAT => Ok(()),
        other => Err(JsonFault::Version(other)),
    }
}

fn word<T>(json: Reader<'_>, key: &'static str, read: fn(&str) -> Option<T>) -> Result<T, JsonFault> {
    read(json.str(key)?).ok_or(JsonFault::Wrong(key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::directory::samples;

    #[test]
    fn a_change_of_another_version_or_kind_is_not_read() {
        let read = |json: Value| DirectoryChange::from_json(Reader::new(&json).expect("an object"));
        let json = Writer::new()
            .number("format", 2)
            .text("change", "suspended")
            .text("agency", "a1");
        assert_eq!(read(json.end()), Err(JsonFault::Version(2)));
        let json = Writer::new()
            .number("format", 1)
            .text("change", "vanished")
            .text("agency", "a1");
        assert_eq!(read(json.end()), Err(JsonFault::Wrong("change")));
        let json = Writer::new().number("format", 1).text("change", "suspended");
        assert_eq!(read(json.end()), Err(JsonFault::Missing("agency")));
    }

    #[test]
    fn the_encoding_is_the_one_that_journals_hold() {
        let [one, two, three] = [1, 2, 3].map(AgencyId::from_number);
        let merged = DirectoryChange::Merged {
            from: vec![one, two],
            into: three,
        };
        assert_eq!(
            merged.to_json().to_string(),
            r#"{"change":"merged","format":1,"from":["a1","a2"],"into":"a3"}"#
        );
        let orphaned = DirectoryChange::ParentSet {
            id: one,
            parent: None,
        };
        assert_eq!(
            orphaned.to_json().to_string(),
            r#"{"agency":"a1","change":"parent-set","format":1}"#
        );
    }

    proptest! {
        #[test]
        fn a_change_reads_back_what_it_writes(change in samples::change()) {
            let bytes = change.to_json().to_string();
            let value: Value = serde_json::from_str(&bytes).expect("JSON");
            prop_assert_eq!(DirectoryChange::from_json(Reader::new(&value).expect("an object")), Ok(change));
            prop_assert_eq!(value.to_string(), bytes);
        }
    }
}
