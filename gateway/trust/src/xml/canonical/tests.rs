//! Canonical forms: expectations follow the three recommendations rule by rule.

use proptest::prelude::*;

use super::*;
use crate::xml::Limits;

fn tree(text: &str) -> Tree<'_> {
    Tree::parse(text.as_bytes(), &Limits::default()).expect("well-formed")
}

fn exclusive(prefixes: &[&str]) -> Form {
    Form::Exclusive {
        inclusive_prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
    }
}

fn document(text: &str, form: Form, with_comments: bool) -> String {
    let mut octets = Vec::new();
    Canonicalisation { form, with_comments }.document(&tree(text), None, &mut octets);
    String::from_utf8(octets).expect("canonical form is UTF-8")
}

/// The element of this name, without the one of the other name.
fn element(text: &str, name: &str, without: &str, form: Form) -> Result<String, BaseOutside> {
    let tree = tree(text);
    let find = |name: &str| {
        tree.walk().find_map(|step| match step {
            Step::Enter(Node::Element(element)) if element.name() == name => Some(element),
            Step::Enter(_) | Step::Leave(_) => None,
        })
    };
    let mut octets = Vec::new();
    let method = Canonicalisation {
        form,
        with_comments: false,
    };
    method.element(find(name).expect("it is there"), find(without), &mut octets)?;
    Ok(String::from_utf8(octets).expect("canonical form is UTF-8"))
}

#[test]
fn tags_quotes_order_and_references_have_one_form() {
    let written = "<?xml version='1.0'?>\n<!--before--><a z='1' b = \"&lt;&#9;&#10;&#13;&quot;'>\" >\r\n&gt;&amp;<![CDATA[<]]>&#13;<e/></a><?end?>\n";
    let canonical = "<a b=\"&lt;&#x9;&#xA;&#xD;&quot;'>\" z=\"1\">\n&gt;&amp;&lt;&#xD;<e></e></a>\n<?end?>";
    assert_eq!(document(written, Form::Inclusive, false), canonical);
    let commented = format!("<!--before-->\n{canonical}");
    assert_eq!(document(written, Form::Inclusive, true), commented);
    assert_eq!(document(written, Form::Inclusive11, true), commented);
    assert_eq!(document(written, exclusive(&[]), true), commented);
}

#[test]
fn attributes_are_ordered_by_namespace_and_then_by_name() {
    let written = r#"<a xmlns:y="urn:1" xmlns:x="urn:2" x:a="3" y:b="2" y:a="1" c="0"></a>"#;
    let canonical = r#"<a xmlns:x="urn:2" xmlns:y="urn:1" c="0" y:a="1" y:b="2" x:a="3"></a>"#;
    assert_eq!(document(written, Form::Inclusive, false), canonical);
}

#[test]
fn a_namespace_is_written_once_and_taken_back_where_it_was_written() {
    let written = r#"<a xmlns="urn:1" xmlns:p="urn:p"><b xmlns="urn:1"><c xmlns=""><d xmlns=""/></c></b><p:e xmlns:p="urn:p"/></a>"#;
    let inclusive = r#"<a xmlns="urn:1" xmlns:p="urn:p"><b><c xmlns=""><d></d></c></b><p:e></p:e></a>"#;
    assert_eq!(document(written, Form::Inclusive, false), inclusive);
    let only_used = r#"<a xmlns="urn:1"><b><c xmlns=""><d></d></c></b><p:e xmlns:p="urn:p"></p:e></a>"#;
    assert_eq!(document(written, exclusive(&[]), false), only_used);
    assert_eq!(document(written, exclusive(&["p"]), false), inclusive);
}

const SURROUNDED: &str = r#"<o xmlns="urn:o" xmlns:u="urn:u" xml:lang="vi" xml:space="default" xml:id="i"><m xml:space="preserve"><s a="1"><t/></s></m></o>"#;

#[test]
fn an_element_brings_its_surroundings_in_the_inclusive_forms_only() {
    assert_eq!(
        element(SURROUNDED, "s", "-", Form::Inclusive).as_deref(),
        Ok(
            r#"<s xmlns="urn:o" xmlns:u="urn:u" a="1" xml:id="i" xml:lang="vi" xml:space="preserve"><t></t></s>"#
        )
    );
    assert_eq!(
        element(SURROUNDED, "s", "-", Form::Inclusive11).as_deref(),
        Ok(r#"<s xmlns="urn:o" xmlns:u="urn:u" a="1" xml:lang="vi" xml:space="preserve"><t></t></s>"#)
    );
    assert_eq!(
        element(SURROUNDED, "s", "-", exclusive(&[])).as_deref(),
        Ok(r#"<s xmlns="urn:o" a="1"><t></t></s>"#)
    );
    assert_eq!(
        element(SURROUNDED, "s", "-", exclusive(&["u", "#default"])).as_deref(),
        Ok(r#"<s xmlns="urn:o" xmlns:u="urn:u" a="1"><t></t></s>"#)
    );
}

#[test]
fn the_signature_inside_is_left_out_with_all_in_it() {
    let written = "<a>1<sig xmlns:q=\"urn:q\"><q:b>2</q:b><sig/></sig>3<c/></a>";
    assert_eq!(
        element(written, "a", "sig", exclusive(&[])).as_deref(),
        Ok("<a>13<c></c></a>")
    );
}

#[test]
fn a_base_outside_is_refused_where_it_would_have_to_be_joined() {
    let written = r#"<a xml:base="http://x/"><b/></a>"#;
    assert_eq!(element(written, "b", "-", Form::Inclusive11), Err(BaseOutside));
    assert_eq!(
        element(written, "b", "-", Form::Inclusive).as_deref(),
        Ok(r#"<b xml:base="http://x/"></b>"#)
    );
    assert!(element(written, "a", "-", Form::Inclusive11).is_ok());
}

/// Some documents with namespaces, attributes and references.
fn written() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "p:c", "q:d"]);
    let scope = prop::sample::select(vec![
        "",
        " xmlns='urn:1'",
        " xmlns=''",
        " xmlns:q='urn:3'",
        " z='&#9;' p:y='>'",
    ]);
    let text = prop::sample::select(vec![
        "",
        "x &amp; y",
        "\r\n&#13;",
        "<![CDATA[]]>",
        "<!--c-->",
        "<?i d?>",
    ]);
    let leaf = (name.clone(), scope.clone(), text.clone())
        .prop_map(|(name, scope, text)| format!("<{name}{scope}>{text}</{name}>"));
    let inner = leaf.prop_recursive(4, 24, 4, move |inner| {
        let children = prop::collection::vec(inner, 0..4);
        (name.clone(), scope.clone(), text.clone(), children).prop_map(|(name, scope, text, children)| {
            format!("<{name}{scope}>{text}{}</{name}>", children.concat())
        })
    });
    inner.prop_map(|inner| format!("<r xmlns:p='urn:2' xmlns:q='urn:2'>{inner}</r>"))
}

proptest! {
    /// What is canonical stays as it is, in every form, and says the same.
    #[test]
    fn a_canonical_form_is_its_own(text in written(), with_comments: bool) {
        for form in [Form::Inclusive, Form::Inclusive11, exclusive(&[]), exclusive(&["p", "q"])] {
            let once = document(&text, form.clone(), with_comments);
            prop_assert_eq!(&document(&once, form.clone(), with_comments), &once);
            prop_assert_eq!(&document(&once, exclusive(&[]), with_comments), &document(&text, exclusive(&[]), with_comments));
        }
    }
}
