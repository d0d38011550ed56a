//! `c14n`: a document in canonical form, against its digest.

use trust::{Digest, xml};

use crate::case::{Answer, Case};

pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let (form, with_comments) = match case.text("method")? {
        "c14n10" => (xml::Form::Inclusive, false),
        "c14n10-comments" => (xml::Form::Inclusive, true),
        "c14n11" => (xml::Form::Inclusive11, false),
        "exc-c14n10" => (exclusive(), false),
        "exc-c14n10-comments" => (exclusive(), true),
        method => return Err(format!("an unknown method: {method}")),
    };
    let file = case.file("file")?;
    let tree = match xml::Tree::parse(&file, &xml::Limits::default()) {
        Ok(tree) => tree,
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let mut octets = Vec::new();
    xml::Canonicalisation { form, with_comments }.document(&tree, None, &mut octets);
    Ok(if Digest::of(&octets).to_string() == case.text("sha256")? {
        Answer::Passed
    } else {
        Answer::Refused("other octets".to_owned())
    })
}

fn exclusive() -> xml::Form {
    xml::Form::Exclusive {
        inclusive_prefixes: Vec::new(),
    }
}
