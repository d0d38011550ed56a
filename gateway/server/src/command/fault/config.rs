//! Faults of the configuration, in words.

use super::{system_kind, term};
use crate::command::text::{Said, Text};
use crate::config::{ConfigFault, Problem, SecretFault};

/// In words: where, what, and what to do.
pub(in crate::command) fn in_words(fault: &ConfigFault) -> Said {
    let said = |text: Text| text.said().with("place", &fault.place);
    match &fault.problem {
        Problem::Contradiction(fault) => said(Text::ConfigContradiction).with("fault", fault),
        Problem::Empty => said(Text::ConfigEmpty),
        Problem::Kind { wanted, found } => said(Text::ConfigKind)
            .about("wanted", &term(wanted))
            .with("found", found),
        Problem::Missing => said(Text::ConfigMissing),
        Problem::NoFile(path) => said(Text::ConfigNoFile).with("path", path.display()),
        Problem::NoFolder(path) => said(Text::ConfigNoFolder).with("path", path.display()),
        Problem::NotAPlace => said(Text::ConfigNotAPlace),
        Problem::Secret(SecretFault::Empty) => said(Text::ConfigSecretEmpty),
        Problem::Secret(SecretFault::NoVariable(name)) => said(Text::ConfigSecretVariable).with("name", name),
        Problem::Secret(SecretFault::Unreadable { path, error }) => said(Text::ConfigSecretUnread)
            .with("path", path.display())
            .about("fault", &system_kind(*error)),
        Problem::Syntax(fault) => said(Text::ConfigSyntax).with("fault", fault),
        Problem::Unknown { near: None } => said(Text::ConfigUnknown),
        Problem::Unknown { near: Some(near) } => said(Text::ConfigNear).with("near", near),
        Problem::Unreadable(kind) => said(Text::ConfigUnread).about("fault", &system_kind(*kind)),
        Problem::Value { wanted, found } => said(Text::ConfigValue)
            .about("wanted", &term(wanted))
            .with("found", found),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_configuration_that_is_not_there_is_named_with_what_to_do() {
        let faults = Config::load(Path::new("/nowhere/gateway.toml")).expect_err("no file");
        let [vi, en] = in_words(&faults[0]).languages();
        assert_eq!(
            vi,
            "Không đọc được tệp cấu hình /nowhere/gateway.toml: không có tệp hoặc thư mục này; kiểm tra đường dẫn; \
            chỉ tệp khác bằng --config TỆP"
        );
        assert!(
            en.contains("/nowhere/gateway.toml") && en.contains("--config FILE"),
            "{en}"
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, "[gateway\n").expect("written");
        let faults = Config::load(&path).expect_err("no TOML");
        for half in in_words(&faults[0]).languages() {
            assert!(half.starts_with(&path.display().to_string()), "{half}");
        }
    }

    #[test]
    fn every_problem_has_its_values() {
        let text = || "x".to_owned();
        let problems = [
            Problem::Contradiction("x"),
            Problem::Empty,
            Problem::Kind {
                wanted: "a text",
                found: "integer",
            },
            Problem::Missing,
            Problem::NoFile("x".into()),
            Problem::NoFolder("x".into()),
            Problem::NotAPlace,
            Problem::Secret(SecretFault::Empty),
            Problem::Secret(SecretFault::NoVariable(text())),
            Problem::Secret(SecretFault::Unreadable {
                path: "x".into(),
                error: std::io::ErrorKind::PermissionDenied,
            }),
            Problem::Syntax(text()),
            Problem::Unknown { near: None },
            Problem::Unknown { near: Some(text()) },
            Problem::Unreadable(std::io::ErrorKind::NotFound),
            Problem::Value {
                wanted: text(),
                found: text(),
            },
        ];
        for problem in problems {
            let said = in_words(&ConfigFault {
                place: text(),
                problem,
            });
            assert!(said.missing().is_empty(), "{said}");
        }
    }
}
