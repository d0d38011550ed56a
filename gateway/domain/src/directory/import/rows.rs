//! The rows of an import file: text in, typed rows and faults with line numbers out.
//!
//! **Invariant:** a row is one line. A quotation mark that is never closed costs its line, not the rest of the file.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::agency::Relation;
use crate::directory::DirectoryFault;
use crate::directory::code_form::CodeForm;
use crate::ids::{AgencyId, Code};

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportFault {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The first line is no header in UTF-8; spreadsheets also save Windows-1258.
    #[error("the first line is not UTF-8 text")]
    HeaderUnreadable,
    /// UTF-16, which spreadsheets save as "Unicode text".
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    /// A column that must be there is not.
    #[error("column {0} is missing")]
    ColumnMissing(&'static str),
    /// Two columns have one name.
    #[error("column {0} is there twice")]
    ColumnRepeated(String),
}

/// A row, or a part of one, that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Where: the line in the file, the header being line 1.
    pub line: u64,
    /// Why.
    pub reason: RowReason,
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowReason {
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// A quotation mark is not closed on the line.
    #[error("a quotation mark is not closed on the line")]
    QuoteOpen,
    /// More fields than the header has: often a name with a comma and without quotation marks.
    #[error("{found} fields instead of {expected}")]
    FieldCount {
        /// How many the row has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// A field that must be filled is empty.
    #[error("{0} is empty")]
    FieldEmpty(&'static str),
    /// No code at all: too long, or with control characters.
    #[error("{column} is no code: {text:?}")]
    CodeUnfit {
        /// In which column.
        column: &'static str,
        /// What stands there.
        text: String,
    },
    /// The code is neither in the directory nor of a form of QCVN 102 or QĐ 20/2020. If it is right, add the agency
    /// by itself.
    #[error("{column} {code} has neither the form of QCVN 102 nor of QĐ 20/2020")]
    CodeForm {
        /// In which column.
        column: &'static str,
        /// The code.
        code: Code,
    },
    /// An earlier row gives the same code another name or other relations; the earlier one is kept.
    #[error("line {line} says something else about the same code")]
    Contradicts {
        /// The earlier line.
        line: u64,
    },
    /// The two codes of the row belong to two agencies.
    #[error("the codes belong to two agencies, {one} and {other}")]
    TwoAgencies {
        /// Whose is `code`.
        one: AgencyId,
        /// Whose is `code_qd20`.
        other: AgencyId,
    },
    /// The code is that of an agency that has ended. Whoever was given it anew is added by itself, on purpose.
    #[error("the code belongs to {agency}, which has ended")]
    Ended {
        /// Which.
        agency: AgencyId,
    },
    /// Neither file nor directory knows the agency that the row names; the row counts, without the relation.
    #[error("{} {code} is unknown; the agency is kept without it", relation.word())]
    RelatedUnknown {
        /// What it was to be.
        relation: Relation,
        /// How it is named.
        code: Code,
    },
    /// The directory cannot take it.
    #[error(transparent)]
    Directory(#[from] DirectoryFault),
}

/// One row that can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) code: Code,
    pub(super) code_qd20: Option<Code>,
    pub(super) name: String,
    pub(super) level: String,
    pub(super) parent: Option<Code>,
    pub(super) place: Option<Code>,
    pub(super) watcher: Option<Code>,
}

impl Row {
    pub(super) fn related(&self, relation: Relation) -> Option<&Code> {
        match relation {
            Relation::Parent => self.parent.as_ref(),
            Relation::Place => self.place.as_ref(),
            Relation::Watcher => self.watcher.as_ref(),
        }
    }

    /// Whether the other row only repeats this one; capitals in names do not matter.
    pub(super) fn says_the_same(&self, other: &Row) -> bool {
        let name = |row: &Row| row.name.to_lowercase();
        let rest = |row: &Row| Row {
            line: 0,
            name: String::new(),
            ..row.clone()
        };
        name(self) == name(other) && rest(self) == rest(other)
    }
}

/// All rows of a file.
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    pub(super) rows_bad: Vec<RowFault>,
    pub(super) rows_read: usize,
    pub(super) columns_ignored: Vec<String>,
}

const COLUMNS: [&str; 7] = ["code", "name", "code_qd20", "level", "parent", "place", "watcher"];

impl Table {
    /// Reads the whole file; `known` says whether the directory holds a code.
    pub(super) fn read(file: &[u8], known: &dyn Fn(&Code) -> bool) -> Result<Table, ImportFault> {
        let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
        let mut lines = (1..).zip(file.split(|byte| *byte == b'\n'));
        let is_blank = |line: &[u8]| line.iter().all(|byte| b" \t\r,;".contains(byte));
        let header = lines
            .by_ref()
            .map(|(_, line)| line)
            .find(|line| !is_blank(line))
            .ok_or(ImportFault::Empty)?;
        // A header holds no NUL, and in UTF-16 each letter of it brings one; not every program writes its mark.
        if file.starts_with(b"\xFF\xFE") || file.starts_with(b"\xFE\xFF") || header.contains(&0) {
            return Err(ImportFault::Utf16);
        }
        let header = std::str::from_utf8(header).map_err(|_| ImportFault::HeaderUnreadable)?;
        let header = Header::read(header)?;
        let columns_ignored = header.columns_ignored.clone();
        let mut table = Table {
            rows: Vec::new(),
            rows_bad: Vec::new(),
            rows_read: 0,
            columns_ignored,
        };
        for (line, bytes) in lines.filter(|(_, bytes)| !is_blank(bytes)) {
            table.rows_read += 1;
            match header.row(line, bytes, known) {
                Ok(row) => table.rows.push(row),
                Err(reason) => table.rows_bad.push(RowFault { line, reason }),
            }
        }
        Ok(table)
    }
}

struct Header {
    delimiter: u8,
    places: BTreeMap<&'static str, usize>,
    columns: usize,
    columns_ignored: Vec<String>,
}

impl Header {
    fn read(line: &str) -> Result<Header, ImportFault> {
        // Spreadsheets set to Vietnamese write semicolons, because the comma is their decimal sign.
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|delimiter| {
            let count = line.bytes().filter(|byte| byte == delimiter).count();
            (count, *delimiter == b',')
        });
        let delimiter = delimiter.unwrap_or(b',');
        let names = fields(line, delimiter);
        let mut header = Header {
            delimiter,
            places: BTreeMap::new(),
            columns: names.len(),
            columns_ignored: vec![],
        };
        for (place, name) in names.iter().enumerate() {
            let Some(column) = COLUMNS
                .into_iter()
                .find(|column| name.eq_ignore_ascii_case(column))
            else {
                header
                    .columns_ignored
                    .extend((!name.is_empty()).then(|| name.clone()));
                continue;
            };
            if header.places.insert(column, place).is_some() {
                return Err(ImportFault::ColumnRepeated(name.clone()));
            }
        }
        for column in ["code", "name"] {
            if !header.places.contains_key(column) {
                return Err(ImportFault::ColumnMissing(column));
            }
        }
        Ok(header)
    }

    fn row(&self, line: u64, bytes: &[u8], known: &dyn Fn(&Code) -> bool) -> Result<Row, RowReason> {
        let text = std::str::from_utf8(bytes).map_err(|_| RowReason::NotUtf8)?;
        if text.matches('"').count() % 2 == 1 {
            return Err(RowReason::QuoteOpen);
        }
        let fields = fields(text, self.delimiter);
        if fields.iter().skip(self.columns).any(|field| !field.is_empty()) {
            return Err(RowReason::FieldCount {
                found: fields.len(),
                expected: self.columns,
            });
        }
        let field = |column: &'static str| {
            let field = self.places.get(column).and_then(|place| fields.get(*place));
            field.filter(|field| !field.is_empty())
        };
        let any_code = |column: &'static str| {
            let unfit = |text: &String| RowReason::CodeUnfit {
                column,
                text: text.clone(),
            };
            field(column)
                .map(|text| Code::parse(text).map_err(|_| unfit(text)))
                .transpose()
        };
        let own_code = |column: &'static str| match any_code(column)? {
            Some(code) if CodeForm::of(&code) == CodeForm::Neither && !known(&code) => {
                Err(RowReason::CodeForm { column, code })
            }
            code => Ok(code),
        };
        let code = own_code("code")?.ok_or(RowReason::FieldEmpty("code"))?;
        Ok(Row {
            line,
            code_qd20: own_code("code_qd20")?.filter(|other| *other != code),
            code,
            name: field("name").ok_or(RowReason::FieldEmpty("name"))?.clone(),
            level: field("level").cloned().unwrap_or_default(),
            parent: any_code("parent")?,
            place: any_code("place")?,
            watcher: any_code("watcher")?,
        })
    }
}

/// The fields of one line, NFC-normalised (lists typed on other systems come decomposed), each run of blanks one.
fn fields(line: &str, delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    let tidy = |field: &str| {
        let words: Vec<String> = field
            .split_whitespace()
            .map(|word| word.nfc().collect())
            .collect();
        words.join(" ")
    };
    record.iter().map(tidy).collect()
}
