//! Tokens that are judged by themselves: the XML declaration, and what `quick-xml` could not cut.
//!
//! Under the parser.
//!
//! **Invariant**: an input that ends too early is `Truncated`, whatever the token it ends in.

use quick_xml::Error;

use super::Limits;
use super::fault::{FaultKind, Problem};
use super::tag::Scanner;

/// Checks `<?xml version="1.0" encoding="UTF-8" standalone="…"?>` (XML 1.0 sections 2.8, 2.9 and 4.3.3).
pub(super) fn check_declaration(raw: &str, offset: usize, limits: &Limits) -> Result<(), Problem> {
    let malformed = || FaultKind::DeclarationMalformed.at(offset);
    if offset != 0 {
        return Err(malformed());
    }
    let inside = &raw["<?xml".len()..raw.len() - "?>".len()];
    let mut scanner = Scanner::new(inside, "<?xml".len(), limits);
    let mut expected: &[&str] = &["version", "encoding", "standalone"];
    while let Some(attribute) = scanner.attribute()? {
        let place = expected
            .iter()
            .position(|name| *name == attribute.local)
            .ok_or_else(malformed)?;
        let ok = match attribute.local {
            "version" => attribute.value == "1.0",
            "standalone" => matches!(attribute.value, "yes" | "no"),
            _ if !attribute.value.eq_ignore_ascii_case("UTF-8") => {
                let name = attribute.value.chars().take(limits.name_bytes_max / 4).collect();
                return Err(FaultKind::EncodingUnsupported { name }.at(attribute.value_offset));
            }
            _ => true,
        };
        let first = expected.len() == 3;
        if !ok || !attribute.prefix.is_empty() || first != (attribute.local == "version") {
            return Err(malformed());
        }
        expected = &expected[place + 1..];
    }
    if expected.len() == 3 {
        Err(malformed())
    } else {
        Ok(())
    }
}

/// What an error of `quick-xml` means; `start` is where its token begins, `end` how far it read.
pub(super) fn classify(error: &Error, source: &str, start: usize, end: usize) -> Problem {
    use quick_xml::errors::{IllFormedError, SyntaxError};
    // An ampersand is consumed before its error is raised; text and markup are not.
    let rest = &source[start..];
    let unfinished = end == source.len()
        || ["<!--", "<![CDATA["]
            .iter()
            .any(|opening| opening.starts_with(rest));
    match error {
        Error::Syntax(SyntaxError::UnclosedDoctype)
        | Error::IllFormed(IllFormedError::MissingDoctypeName) => FaultKind::DocumentTypeForbidden.at(start),
        Error::Syntax(_) if unfinished => FaultKind::Truncated.at(source.len()),
        Error::IllFormed(IllFormedError::UnclosedReference) if unfinished => {
            FaultKind::Truncated.at(source.len())
        }
        Error::IllFormed(IllFormedError::UnclosedReference) => FaultKind::ReferenceMalformed.at(start),
        Error::Syntax(_)
        | Error::IllFormed(_)
        | Error::Io(_)
        | Error::InvalidAttr(_)
        | Error::Encoding(_)
        | Error::Escape(_)
        | Error::Namespace(_) => FaultKind::MarkupMalformed.at(start),
    }
}
