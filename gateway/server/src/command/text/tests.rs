//! Both languages say the same.

use super::*;

fn names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    names.sort_unstable();
    names
}

/// Every text of every theme: its name with that of its theme, and its languages.
fn all() -> Vec<(String, [&'static str; 2])> {
    macro_rules! of {
        ($($kind:ident)*) => {
            [$($kind::ALL.iter().map(|text| (format!("{}::{text:?}", stringify!($kind)), text.languages()))
                .collect::<Vec<_>>(),)*].concat()
        };
    }
    of!(Text VerifyText FailureText SubText RemarkText AdviceText)
}

#[test]
fn both_languages_name_the_same_values() {
    for (text, [vi, en]) in all() {
        assert_eq!(names(vi), names(en), "{text}");
    }
}

#[test]
fn both_languages_say_something() {
    // Nothing but a value, which comes in both languages or from elsewhere.
    let bare = ["Text::Change", "Text::Foreign", "Text::Moved"];
    for (text, [vi, en]) in all() {
        assert!(!vi.trim().is_empty() && !en.trim().is_empty(), "{text}");
        assert_eq!(vi == en, bare.contains(&&*text), "{text} is translated");
    }
}

#[test]
fn vietnamese_comes_first() {
    let said = Text::AgencyAdded.with(&[("agency", "a17")]);
    assert_eq!(said, "Đã thêm a17 / Added a17");
}
