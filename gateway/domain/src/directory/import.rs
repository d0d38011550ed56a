//! A province's list of agencies, as a spreadsheet gives it: CSV in, changes out.
//!
//! Used by `gateway agency import` only. The file speaks for what it names: agencies that it does not name stay as
//! they are, and nothing is ever closed by an import.
//!
//! **Invariant:** a bad row costs itself and nothing else, and is reported with its line.
//! **Invariant:** the changes apply to the directory they were made for, in their order, all of them.
//! **Invariant:** the same file a second time makes no changes.

mod rows;

use std::collections::BTreeMap;

use trust::Time;
use unicode_normalization::UnicodeNormalization;

pub use self::rows::{ImportFault, RowFault, RowReason};
use self::rows::{Row, Table};
use super::code_form::superior_codes;
use super::{Addition, Directory, DirectoryChange};
use crate::agency::{Agency, Relation};
use crate::ids::{AgencyId, Code};

/// What a file says, against a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What to apply, in this order and at one time.
    pub changes: Vec<DirectoryChange>,
    /// The rows, or parts of rows, that are left out, in the order of the file.
    pub rows_bad: Vec<RowFault>,
    /// Rows with content, header not counted.
    pub rows_read: usize,
    /// Rows that only repeat an earlier row, or what the directory says already.
    pub rows_same: usize,
    /// The agencies that good rows name, as the directory knows them then.
    pub agencies: Vec<AgencyId>,
    /// Columns that mean nothing to us; a typing mistake in a header shows here.
    pub columns_ignored: Vec<String>,
}

/// Reads a CSV file in UTF-8, with or without byte order mark, separated by comma, semicolon or tab, one agency a
/// line, with a header. Columns `code` and `name`; where wanted `code_qd20`, `level`, and `parent`, `place`,
/// `watcher`, which hold codes. A new agency without parent column is put under the nearest agency that the
/// structure of its code names. A code may be of any form if the directory holds it; a new one must be of QCVN 102
/// or QĐ 20/2020, because in a list other forms are mistakes more often than codes.
///
/// # Errors
/// [`ImportFault`] when the file as a whole cannot be read: no header, or not the columns that must be there.
pub fn import(file: &[u8], directory: &Directory, at: Time) -> Result<Import, ImportFault> {
    let table = Table::read(file, &|code| directory.by_code(code, at).is_some())?;
    let Table {
        rows,
        rows_bad,
        rows_read,
        columns_ignored,
    } = table;
    let changes = Vec::new();
    let import = Import {
        changes,
        rows_bad,
        rows_read,
        rows_same: 0,
        agencies: Vec::new(),
        columns_ignored,
    };
    let mut importing = Importing {
        import,
        directory: directory.clone(),
        at,
    };
    let mut rows = importing.without_repeats(rows);
    // Superiors first, so that an agency is added under one that is there.
    rows.sort_by_key(|row| superior_codes(&row.code).len());
    let touched: Vec<(Row, Option<AgencyId>)> = rows
        .into_iter()
        .map(|row| {
            let id = importing.identify(&row);
            (row, id)
        })
        .collect();
    importing.import.agencies = touched.iter().filter_map(|(_, id)| *id).collect();
    for (row, id) in touched.iter().filter_map(|(row, id)| Some((row, (*id)?))) {
        importing.relate(row, id);
    }
    Ok(importing.finish(directory, &touched))
}

struct Importing {
    import: Import,
    /// The directory as the changes so far make it.
    directory: Directory,
    at: Time,
}

impl Importing {
    /// Leaves of rows with one code the first. One that says something else is reported: which of them is right is
    /// for a person to say.
    fn without_repeats(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let mut first: BTreeMap<Code, usize> = BTreeMap::new();
        let mut kept: Vec<Row> = Vec::new();
        for row in rows {
            match first.get(&row.code).map(|place| &kept[*place]) {
                None => {
                    first.insert(row.code.clone(), kept.len());
                    kept.push(row);
                }
                Some(earlier) if earlier.says_the_same(&row) => self.import.rows_same += 1,
                Some(earlier) => {
                    let reason = RowReason::Contradicts { line: earlier.line };
                    self.import.rows_bad.push(RowFault {
                        line: row.line,
                        reason,
                    });
                }
            }
        }
        kept
    }

    /// Makes one change, or reports the row.
    fn change(&mut self, line: u64, change: DirectoryChange) -> bool {
        match self.directory.change(&change, self.at) {
            Ok(()) => {
                self.import.changes.push(change);
                true
            }
            Err(fault) => {
                self.import.rows_bad.push(RowFault {
                    line,
                    reason: RowReason::Directory(fault),
                });
                false
            }
        }
    }

    /// The agency that the row is about, added or renamed where needed.
    fn identify(&mut self, row: &Row) -> Option<AgencyId> {
        let bad = |reason| {
            Some(RowFault {
                line: row.line,
                reason,
            })
        };
        let by_code = self.directory.by_code(&row.code, self.at);
        let by_other = row
            .code_qd20
            .as_ref()
            .and_then(|code| self.directory.by_code(code, self.at));
        let fault = match (by_code, by_other) {
            (None, None) => return self.add(row),
            (Some(one), Some(other)) if one != other => bad(RowReason::TwoAgencies { one, other }),
            (Some(id), _) | (None, Some(id)) => {
                let agency = self
                    .directory
                    .agency(id)
                    .expect("an owner of a code is an agency");
                if agency.succession.is_none() {
                    return self.update(row, &agency.clone());
                }
                bad(RowReason::Ended { agency: id })
            }
        };
        self.import.rows_bad.extend(fault);
        None
    }

    fn add(&mut self, row: &Row) -> Option<AgencyId> {
        let id = self.directory.next_id();
        let related = |relation| row.related(relation).and_then(|code| self.living(code));
        let by_structure = || {
            superior_codes(&row.code)
                .iter()
                .find_map(|code| self.living(code))
        };
        let parent = if row.parent.is_some() {
            related(Relation::Parent)
        } else {
            by_structure()
        };
        let addition = Addition {
            id,
            name: row.name.clone(),
            codes: [&row.code].into_iter().chain(&row.code_qd20).cloned().collect(),
            parent,
            place: related(Relation::Place),
            watcher: related(Relation::Watcher),
            level: row.level.clone(),
        };
        self.change(row.line, DirectoryChange::Added(addition))
            .then_some(id)
    }

    fn update(&mut self, row: &Row, agency: &Agency) -> Option<AgencyId> {
        let id = agency.id;
        if agency.name().nfc().ne(row.name.chars()) {
            self.change(
                row.line,
                DirectoryChange::Renamed {
                    id,
                    name: row.name.clone(),
                },
            );
        }
        let codes = [&row.code].into_iter().chain(&row.code_qd20);
        let added: Vec<Code> = codes
            .filter(|code| !agency.codes_current().any(|own| own == *code))
            .cloned()
            .collect();
        if !added.is_empty() {
            self.change(
                row.line,
                DirectoryChange::Recoded {
                    id,
                    added,
                    ended: Vec::new(),
                },
            );
        }
        Some(id)
    }

    /// The agency that has this code and has not ended.
    fn living(&self, code: &Code) -> Option<AgencyId> {
        let agency = self.directory.agency(self.directory.by_code(code, self.at)?)?;
        agency.succession.is_none().then_some(agency.id)
    }

    /// Sets what the row names and is not so yet: relations of agencies that were there, and those to rows below.
    fn relate(&mut self, row: &Row, id: AgencyId) {
        for relation in Relation::ALL {
            let Some(code) = row.related(relation) else {
                continue;
            };
            let Some(to) = self.living(code) else {
                let reason = RowReason::RelatedUnknown {
                    relation,
                    code: code.clone(),
                };
                self.import.rows_bad.push(RowFault {
                    line: row.line,
                    reason,
                });
                continue;
            };
            let agency = self
                .directory
                .agency(id)
                .expect("a row's agency is in the directory");
            if agency.relation(relation).current() != Some(&to) {
                self.change(row.line, DirectoryChange::related(relation, id, Some(to)));
            }
        }
    }

    fn finish(mut self, before: &Directory, touched: &[(Row, Option<AgencyId>)]) -> Import {
        let is_same = |(row, id): &&(Row, Option<AgencyId>)| {
            let unchanged = id.is_some_and(|id| self.directory.agency(id) == before.agency(id));
            unchanged && !self.import.rows_bad.iter().any(|bad| bad.line == row.line)
        };
        self.import.rows_same += touched.iter().filter(is_same).count();
        self.import.rows_bad.sort_by_key(|bad| bad.line);
        self.import
    }
}

#[cfg(test)]
mod tests;
