//! Lists as provinces keep them, good and bad.

use proptest::prelude::*;

use super::*;
use crate::directory::DirectoryFault;
use crate::directory::samples::{added, code, directory, id, time};

const AT: i64 = 100;

fn read(file: impl AsRef<[u8]>, before: &Directory) -> Import {
    import(file.as_ref(), before, time(AT)).expect("a readable file")
}

fn after(import: &Import, before: &Directory) -> Directory {
    before
        .apply_all(&import.changes, time(AT))
        .expect("changes that apply")
}

fn bad(import: &Import) -> Vec<(u64, RowReason)> {
    import
        .rows_bad
        .iter()
        .map(|bad| (bad.line, bad.reason.clone()))
        .collect()
}

fn by_code<'a>(directory: &'a Directory, text: &str) -> &'a Agency {
    directory
        .agency(directory.by_code(&code(text), time(AT)).expect("an owner"))
        .expect("known")
}

#[test]
fn a_list_becomes_agencies_under_the_superiors_that_their_codes_name() {
    let file = "\u{feff}code,name\r\n000.02.01.H53,Trung tâm\r\n000.00.00.H53,\"Ủy ban, tỉnh\"\r\n\
        000.00.01.H53,Văn phòng\r\n005.07.09.H53,Đội\r\n";
    let import = read(file, &Directory::new());
    assert_eq!((import.rows_read, bad(&import)), (4, vec![]));
    let directory = after(&import, &Directory::new());
    let parent = |text| {
        by_code(&directory, text)
            .parents
            .current()
            .map(|id| directory.agency(*id).expect("known"))
    };
    assert_eq!(parent("000.02.01.H53").map(Agency::name), Some("Văn phòng"));
    assert_eq!(parent("000.00.01.H53").map(Agency::name), Some("Ủy ban, tỉnh"));
    assert_eq!(
        parent("005.07.09.H53").map(Agency::name),
        Some("Ủy ban, tỉnh"),
        "the nearest that is there"
    );
    assert_eq!(parent("000.00.00.H53"), None);
    assert_eq!(
        import.changes.len(),
        4,
        "superiors are added first, so nothing is set afterwards"
    );
}

#[test]
fn the_same_file_again_changes_nothing() {
    let file = "code,name,code_qd20,place\n000.00.00.H53,Tỉnh,H53,\n000.00.80.G24,Bảo hiểm,,H53\n";
    let directory = after(&read(file, &Directory::new()), &Directory::new());
    let again = read(file, &directory);
    assert_eq!(
        (again.changes.len(), again.rows_same, bad(&again)),
        (0, 2, vec![])
    );
}

#[test]
fn bad_rows_are_reported_with_their_line_and_good_ones_kept() {
    let mut file = b"code,name\n000.1137.H53,Typo\n,Nobody\n000.00.01.H53,\n000.00.02.H53,One, two\n\
        \"000.00.03.H53,Open\n\n,\n"
        .to_vec();
    file.extend(b"000.00.04.H53,\xFFnot text\n000.00.05.H53,Good\n");
    let import = read(&file, &Directory::new());
    assert_eq!(
        bad(&import),
        [
            (
                2,
                RowReason::CodeForm {
                    column: "code",
                    code: code("000.1137.H53")
                }
            ),
            (3, RowReason::FieldEmpty("code")),
            (4, RowReason::FieldEmpty("name")),
            (
                5,
                RowReason::FieldCount {
                    found: 3,
                    expected: 2
                }
            ),
            (6, RowReason::QuoteOpen),
            (9, RowReason::NotUtf8),
        ]
    );
    assert_eq!(import.rows_read, 7);
    let directory = after(&import, &Directory::new());
    assert_eq!(
        directory.agencies().map(Agency::name).collect::<Vec<_>>(),
        ["Good"]
    );
}

#[test]
fn a_code_of_no_form_is_taken_when_the_directory_holds_it() {
    let before = directory(&[added(1, &["28.22.H17"], None)]);
    let import = read("code,name\n28.22.H17,Cục\n", &before);
    assert_eq!(
        import.changes,
        [DirectoryChange::Renamed {
            id: id(1),
            name: "Cục".to_owned()
        }]
    );
}

#[test]
fn of_rows_with_one_code_the_first_counts_and_contradictions_are_reported() {
    let file = "code,name\n000.00.00.G15,Bộ Tư Pháp\n000.00.00.G15,Bộ Tư pháp\n000.00.00.G15,Cơ quan khác\n";
    let import = read(file, &Directory::new());
    assert_eq!((import.changes.len(), import.rows_same), (1, 1));
    assert_eq!(bad(&import), [(4, RowReason::Contradicts { line: 2 })]);
}

#[test]
fn names_are_normalised_so_that_two_ways_of_typing_are_one() {
    let composed = "code,name\n000.00.00.H53,Tỉnh  ủy\n";
    let decomposed: String = composed.nfd().collect();
    assert_ne!(composed, decomposed);
    let directory = after(&read(&decomposed, &Directory::new()), &Directory::new());
    assert_eq!(by_code(&directory, "000.00.00.H53").name(), "Tỉnh ủy");
    assert!(read(composed, &directory).changes.is_empty());
}

#[test]
fn relations_may_name_rows_below_and_unknown_ones_are_reported() {
    let file = "code;name;parent;place;watcher\n000.00.80.G24;Bảo hiểm;000.00.00.G24;000.00.00.H53;000.00.99.H53\n\
        000.00.00.G24;Trung ương;;;\n000.00.00.H53;Tỉnh;;;000.00.80.G24\n";
    let import = read(file, &Directory::new());
    let unknown = RowReason::RelatedUnknown {
        relation: Relation::Watcher,
        code: code("000.00.99.H53"),
    };
    assert_eq!(bad(&import), [(2, unknown)]);
    let directory = after(&import, &Directory::new());
    let [body, centre, province] =
        ["000.00.80.G24", "000.00.00.G24", "000.00.00.H53"].map(|c| by_code(&directory, c));
    assert_eq!(body.parents.current(), Some(&centre.id));
    assert_eq!(body.places.current(), Some(&province.id));
    assert_eq!(province.watchers.current(), Some(&body.id));
}

#[test]
fn a_circle_in_a_file_costs_one_relation() {
    let file = "code,name,parent\n000.00.01.H53,One,000.00.02.H53\n000.00.02.H53,Two,000.00.01.H53\n";
    let import = read(file, &Directory::new());
    assert!(
        matches!(
            bad(&import)[..],
            [(_, RowReason::Directory(DirectoryFault::Cycle { .. }))]
        ),
        "{import:?}"
    );
    assert_eq!(after(&import, &Directory::new()).agencies().len(), 2);
}

#[test]
fn an_ended_agency_is_not_brought_back_by_a_list() {
    let closed = DirectoryChange::Closed {
        id: id(1),
        successor: None,
    };
    let before = directory(&[added(1, &["000.00.01.H53"], None), closed]);
    let import = read("code,name\n000.00.01.H53,Again\n", &before);
    assert_eq!(
        (import.changes.len(), bad(&import)),
        (0, vec![(2, RowReason::Ended { agency: id(1) })])
    );
}

#[test]
fn the_second_code_of_an_agency_is_added_or_contradicts() {
    let before = directory(&[added(1, &["000.00.01.H53"], None), added(2, &["H53.2"], None)]);
    let import = read("code,name,code_qd20\n000.00.01.H53,Agency 1,H53.1\n", &before);
    let recoded = DirectoryChange::Recoded {
        id: id(1),
        added: vec![code("H53.1")],
        ended: vec![],
    };
    assert_eq!(import.changes, [recoded]);
    let import = read("code,name,code_qd20\n000.00.01.H53,Agency 1,H53.2\n", &before);
    assert_eq!(
        bad(&import),
        [(
            2,
            RowReason::TwoAgencies {
                one: id(1),
                other: id(2)
            }
        )]
    );
}

#[test]
fn files_without_what_is_needed_are_refused_whole() {
    let fault = |file: &[u8]| import(file, &Directory::new(), time(AT)).expect_err("an unreadable file");
    assert_eq!(fault(b"\n \n"), ImportFault::Empty);
    assert_eq!(fault(b"code,ten\n"), ImportFault::ColumnMissing("name"));
    assert_eq!(fault(b"name\n"), ImportFault::ColumnMissing("code"));
    assert_eq!(
        fault(b"code,name,Code\n"),
        ImportFault::ColumnRepeated("Code".to_owned())
    );
    assert_eq!(fault(b"code,t\xEAn\n"), ImportFault::HeaderUnreadable);
    assert_eq!(
        read("Code\tNAME\tplase\n", &Directory::new()).columns_ignored,
        ["plase"]
    );
}

proptest! {
    #[test]
    fn no_file_panics_and_all_changes_apply(rows in prop::collection::vec("[0-2.H,\"\\n;é ]{0,24}", 0..12)) {
        let before = directory(&[added(1, &["28.22.H17"], None)]);
        let file = format!("code,name,parent,code_qd20\n{}", rows.join("\n"));
        after(&read(&file, &before), &before);
    }

    #[test]
    fn any_table_is_settled_after_one_import(
        rows in prop::collection::vec(("00[01].0[01].0[01].H5[34]", "[A-C]", "(00[01].00.00.H5[34])?"), 0..20),
    ) {
        let lines = rows.iter().map(|(code, name, parent)| format!("{code},{name},{parent}\n"));
        let file = format!("code,name,parent\n{}", lines.collect::<String>());
        let first = read(&file, &Directory::new());
        let settled = after(&first, &Directory::new());
        prop_assert_eq!(read(&file, &settled).changes, vec![]);
    }

    #[test]
    fn no_bytes_panic(file in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = import(&file, &Directory::new(), time(AT));
    }
}

#[test]
fn utf_16_is_refused_by_name_with_and_without_its_mark() {
    let wide =
        |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(bytes).collect() };
    for text in ["\u{feff}code,name\n000.00.00.H53,T\u{1EC9}nh\n", "code,name\n"] {
        for bytes in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
            let file = wide(text, bytes);
            assert_eq!(
                import(&file, &Directory::new(), time(AT)),
                Err(ImportFault::Utf16)
            );
        }
    }
}
