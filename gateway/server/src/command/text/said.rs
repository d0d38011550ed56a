//! A text with its values, before it is known where it is shown.
//!
//! **Invariant:** what a value says stays in its language: a fault within a text is told once a half.

use std::fmt::{self, Display};

/// A text of the table with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::command) struct Said {
    /// Vietnamese and English, with the names of values in braces.
    languages: [&'static str; 2],
    values: Vec<(&'static str, [String; 2])>,
}

impl Said {
    pub(super) fn of(languages: [&'static str; 2]) -> Said {
        Said {
            languages,
            values: Vec::new(),
        }
    }

    /// With a value that is the same in both languages.
    #[must_use]
    pub(in crate::command) fn with(mut self, name: &'static str, value: impl Display) -> Said {
        let value = value.to_string();
        self.values.push((name, [value.clone(), value]));
        self
    }

    /// With a value that is a text itself.
    #[must_use]
    pub(in crate::command) fn about(mut self, name: &'static str, value: &Said) -> Said {
        self.values.push((name, value.languages()));
        self
    }

    /// With a value that was put together in each language.
    #[must_use]
    pub(in crate::command) fn with_languages(mut self, name: &'static str, value: [String; 2]) -> Said {
        self.values.push((name, value));
        self
    }

    /// Vietnamese and English, with the values filled in.
    pub(in crate::command) fn languages(&self) -> [String; 2] {
        let [vi, en] = self.languages;
        [self.filled(vi, 0), self.filled(en, 1)]
    }

    /// Fills in one pass, so that braces in what somebody typed are left as they are.
    fn filled(&self, text: &str, language: usize) -> String {
        let mut parts = text.split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = self.values.iter().find(|(known, _)| *known == name);
            filled.push_str(value.map_or(name, |(_, value)| &value[language]));
            filled.push_str(rest);
        }
        filled
    }

    /// The values that the text asks for and that it was not given.
    #[cfg(test)]
    pub(in crate::command) fn missing(&self) -> Vec<&'static str> {
        let names = self.languages[0].split('{').skip(1);
        let names = names.filter_map(|rest| rest.split('}').next());
        names
            .filter(|name| !self.values.iter().any(|(known, _)| known == name))
            .collect()
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [vi, en] = self.languages();
        if vi.trim() == en.trim() {
            f.write_str(&vi)
        } else {
            write!(f, "{vi} / {en}")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::command::text::Text;

    #[test]
    fn a_fault_within_a_text_is_told_in_its_language_only() {
        let absent = Text::SystemAbsent.said();
        let told = Text::FileUnfit
            .said()
            .with("path", "{fault}")
            .about("fault", &absent);
        let [vi, en] = told.languages();
        assert!(
            vi.contains("{fault}: không có tệp") && !vi.contains("there is no"),
            "{vi}"
        );
        assert!(
            en.contains("{fault}") && en.contains("there is no such file"),
            "{en}"
        );
        assert_eq!(told.missing(), [""; 0]);
    }
}
