//! What is read, what is refused and where, and that nothing panics.

use proptest::prelude::*;

use super::*;

const SMALL: &[u8] = "\u{FEFF}<?xml version='1.0' encoding=\"utf-8\"?>\r\n<!-- before -->\n\
    <p:a xmlns:p='urn:p' xmlns=\"urn:d\" x=\"1 &lt;\r\n\t2\" p:x='&#x1EC7;'><b>Tr\u{1EA7}n &amp; <![CDATA[<b>]]>&#10;\r\nx</b>\
    <?go  now ?><b xmlns=''/></p:a>\n<!-- after -->"
    .as_bytes();

fn parse(text: &str) -> Result<Tree<'_>, Fault> {
    Tree::parse(text.as_bytes(), &Limits::default())
}

#[test]
fn names_values_texts_and_places_are_kept() {
    let tree = Tree::parse(SMALL, &Limits::default()).expect("well-formed");
    let root = tree.root();
    assert!(root.is("urn:p", "a"));
    assert_eq!(
        (root.prefix(), root.declarations().len(), root.attributes().len()),
        ("p", 2, 2)
    );
    assert_eq!(root.attribute("", "x"), Some("1 <  2"));
    assert_eq!(root.attribute("urn:p", "x"), Some("\u{1EC7}"));
    let children: Vec<_> = root.elements().collect();
    assert!(children[0].is("urn:d", "b") && children[1].is("", "b"));
    assert_eq!(children[0].text(), "Tr\u{1EA7}n & <b>\n\nx");
    assert_eq!(
        children[0].children().count(),
        1,
        "text, CDATA and references are one node"
    );
    assert_eq!(children[1].path(), "a/b[2]");
    assert_eq!(&SMALL[children[1].range()], b"<b xmlns=''/>");
    assert!(SMALL[root.range()].starts_with(b"<p:a ") && SMALL[root.range()].ends_with(b"</p:a>"));
    assert_eq!(
        SMALL[root.content_range()].len() + root.source().find('>').map_or(0, |at| at + 1) + 6,
        root.range().len()
    );
    assert!(matches!(
        root.children().nth(1),
        Some(Node::Instruction {
            target: "go",
            data: "now "
        })
    ));
    assert_eq!(tree.children().count(), 3, "comments around the root are kept");
}

#[test]
fn large_texts_are_borrowed() {
    let text = format!("<a><b>{}</b></a>", "QUJD".repeat(1000));
    let tree = parse(&text).expect("well-formed");
    let inner = tree.root().elements().next().expect("one child");
    let found = inner.text();
    assert!(matches!(found, std::borrow::Cow::Borrowed(_)));
    assert_eq!(
        found.as_ptr(),
        text["<a><b>".len()..].as_ptr(),
        "the very bytes of the source"
    );
}

fn assert_refused(table: &[(&str, FaultKind, usize)]) {
    for (text, kind, offset) in table {
        let fault = parse(text).expect_err(text);
        assert_eq!((&fault.kind, fault.offset), (kind, *offset), "{text}");
    }
}

#[test]
fn what_is_not_xml_is_refused_at_its_place() {
    use FaultKind as K;
    let name = |name: &str| name.to_owned();
    assert_refused(&[
        ("", K::NoElement, 0),
        ("  \n", K::NoElement, 3),
        ("1212<?xml version=\"1.0\"?><a/>", K::StrayBefore, 0),
        (" \n x<a/>", K::StrayBefore, 3),
        ("&#65;<a/>", K::StrayBefore, 0),
        ("<a/>\nx", K::StrayAfter, 5),
        ("<a/><b/>", K::StrayAfter, 4),
        ("<a/></a>", K::StrayAfter, 4),
        ("</a>", K::StrayBefore, 0),
        (" <?xml version=\"1.0\"?><a/>", K::DeclarationMalformed, 1),
        ("<?xml version=\"1.1\"?><a/>", K::DeclarationMalformed, 0),
        ("<?xml encoding=\"UTF-8\"?><a/>", K::DeclarationMalformed, 0),
        ("<?xml?><a/>", K::DeclarationMalformed, 0),
        (
            "<?xml version=\"1.0\" version=\"1.0\"?><a/>",
            K::DeclarationMalformed,
            0,
        ),
        (
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
            K::EncodingUnsupported { name: name("UTF-16") },
            30,
        ),
        ("<!DOCTYPE a><a/>", K::DocumentTypeForbidden, 0),
        (
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            K::DocumentTypeForbidden,
            0,
        ),
        ("<a><!DOCTYPE a></a>", K::DocumentTypeForbidden, 3),
        ("<a>&b;</a>", K::EntityUndefined { name: name("b") }, 3),
        ("<a>& b</a>", K::ReferenceMalformed, 3),
        ("<a>&#xD800;</a>", K::CharacterForbidden { code_point: 0xD800 }, 3),
        ("<a>&#0;</a>", K::CharacterForbidden { code_point: 0 }, 3),
        ("<a>&#+65;</a>", K::ReferenceMalformed, 3),
        ("<a b=\"&c;\"/>", K::EntityUndefined { name: name("c") }, 6),
        ("<a>\u{1}</a>", K::CharacterForbidden { code_point: 1 }, 3),
        ("<a>\u{FFFF}</a>", K::CharacterForbidden { code_point: 0xFFFF }, 3),
        ("<a>]]></a>", K::TextMalformed, 3),
    ]);
}

#[test]
fn names_and_attributes_that_are_not_xml_are_refused_at_their_place() {
    use FaultKind as K;
    let name = |name: &str| name.to_owned();
    assert_refused(&[
        ("<p:a/>", K::PrefixUndeclared { prefix: name("p") }, 0),
        ("<a p:b=''/>", K::PrefixUndeclared { prefix: name("p") }, 0),
        (
            "<a xmlns:p=''/>",
            K::DeclarationForbidden { prefix: name("p") },
            3,
        ),
        (
            "<a xmlns:xml='urn:x'/>",
            K::DeclarationForbidden { prefix: name("xml") },
            3,
        ),
        (
            "<a xmlns:xmlns='urn:x'/>",
            K::DeclarationForbidden {
                prefix: name("xmlns"),
            },
            3,
        ),
        (
            "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
            K::DeclarationForbidden { prefix: name("") },
            3,
        ),
        ("<a b='' b=''/>", K::AttributeRepeated { name: name("b") }, 8),
        (
            "<a xmlns='u' xmlns='u'/>",
            K::AttributeRepeated { name: name("xmlns") },
            13,
        ),
        (
            "<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
            K::AttributeRepeated { name: name("b") },
            0,
        ),
        ("<a b=1/>", K::AttributeMalformed, 5),
        ("<a b/>", K::AttributeMalformed, 4),
        ("<a b='1'c='2'/>", K::AttributeMalformed, 8),
        ("<a b='<'/>", K::AttributeMalformed, 6),
        ("<1a/>", K::NameInvalid { name: name("1a") }, 1),
        ("<a:b:c xmlns:a='u'/>", K::NameInvalid { name: name("a:b:c") }, 1),
        ("< a/>", K::NameInvalid { name: name("") }, 1),
        ("<a></b>", K::EndTagMismatched { found: name("b") }, 3),
        ("<a></a b=''>", K::AttributeMalformed, 7),
        ("<a><!-- -- --></a>", K::MarkupMalformed, 3),
        ("<a><!--a---></a>", K::MarkupMalformed, 3),
        ("<a><?XML x?></a>", K::MarkupMalformed, 3),
        ("<a><!x></a>", K::MarkupMalformed, 3),
        ("<a><b>", K::Truncated, 6),
    ]);
}

#[test]
fn wrong_bytes_are_named_with_their_line_and_element() {
    let fault = Tree::parse(b"<a>\n<b>\n caf\xE9</b></a>", &Limits::default()).expect_err("Latin-1");
    assert_eq!(
        fault,
        Fault {
            kind: FaultKind::NotUtf8,
            offset: 12,
            line: 3,
            element: "a/b".into()
        }
    );
    let fault = Tree::parse(b"\xFF\xFE<\0a\0", &Limits::default()).expect_err("UTF-16");
    assert_eq!(
        fault.kind,
        FaultKind::EncodingUnsupported {
            name: "UTF-16".into()
        }
    );
    let declared = b"<?xml version='1.0' encoding='windows-1258'?><a>\xE2</a>";
    let fault = Tree::parse(declared, &Limits::default()).expect_err("another encoding");
    assert_eq!(
        fault.kind,
        FaultKind::EncodingUnsupported {
            name: "windows-1258".into()
        }
    );
    let fault = Tree::parse(b"\xEF\xBB\xBF1<a/>", &Limits::default()).expect_err("stray");
    assert_eq!(
        (fault.kind, fault.offset),
        (FaultKind::StrayBefore, 3),
        "the mark counts"
    );
}

#[test]
fn truncation_anywhere_is_refused_naming_the_open_element() {
    let end = Tree::parse(SMALL, &Limits::default())
        .expect("well-formed")
        .root()
        .range()
        .end;
    let begin = Tree::parse(SMALL, &Limits::default())
        .expect("well-formed")
        .root()
        .content_range()
        .start;
    for length in 0..end {
        let fault = Tree::parse(&SMALL[..length], &Limits::default()).expect_err("cut");
        assert!(
            matches!(fault.kind, FaultKind::Truncated | FaultKind::NoElement),
            "{length}: {fault:?}"
        );
        assert_eq!(fault.element.is_empty(), length < begin, "{length}: {fault:?}");
    }
    let fault = Tree::parse(&SMALL[..begin + 7], &Limits::default()).expect_err("cut");
    assert_eq!(fault.element, "a/b");
}

#[test]
fn limits_hold() {
    let limits = Limits {
        bytes_max: 64,
        depth_max: 3,
        nodes_max: 6,
        attributes_max: 2,
        namespaces_max: 2,
        name_bytes_max: 5,
    };
    let kind = |text: &str| {
        Tree::parse(text.as_bytes(), &limits)
            .map(|_| ())
            .map_err(|fault| fault.kind)
    };
    assert_eq!(kind("<a><b><c/></b></a>"), Ok(()));
    assert_eq!(
        kind("<a><b><c><d/></c></b></a>"),
        Err(FaultKind::DepthOverLimit { limit: 3 })
    );
    assert_eq!(kind("<a><b/><b/><b/><b/><b/></a>"), Ok(()));
    assert_eq!(
        kind("<a><b/><b/><b/><b/><b/><b/></a>"),
        Err(FaultKind::NodesOverLimit { limit: 6 })
    );
    assert_eq!(kind("<a b='' c=''><b d=''/></a>"), Ok(()));
    assert_eq!(
        kind("<a b='' c=''><b d='' e=''><c/></b></a>"),
        Err(FaultKind::NodesOverLimit { limit: 6 }),
        "attributes are counted with the nodes"
    );
    assert_eq!(
        kind("<a b='' c='' d=''/>"),
        Err(FaultKind::AttributesOverLimit { limit: 2 })
    );
    assert_eq!(kind("<a xmlns='u'><b xmlns='u'/><b xmlns='u'/></a>"), Ok(()));
    let three = "<a xmlns='u'><b xmlns='u'><b xmlns='u'/></b></a>";
    assert_eq!(kind(three), Err(FaultKind::NamespacesOverLimit { limit: 2 }));
    assert_eq!(kind("<abcdef/>"), Err(FaultKind::NameOverLimit { limit: 5 }));
    assert_eq!(
        kind(&" ".repeat(65)),
        Err(FaultKind::BytesOverLimit { limit: 64 })
    );
}

#[test]
fn depth_costs_no_stack() {
    let depth = 100_000;
    let text = "<a>".repeat(depth) + &"</a>".repeat(depth);
    let limits = Limits {
        depth_max: depth,
        ..Limits::default()
    };
    let tree = Tree::parse(text.as_bytes(), &limits).expect("deep, and allowed to be");
    assert_eq!(tree.walk().count(), 2 * depth);
}

/// Enters and leaves must pair, and every element must lie inside its parent.
fn check_shape(tree: &Tree<'_>) {
    let mut open = Vec::new();
    for step in tree.walk() {
        match step {
            Step::Enter(Node::Element(element)) => {
                assert_eq!(element.parent(), open.last().copied());
                if let Some(parent) = element.parent() {
                    let (inner, outer) = (element.range(), parent.content_range());
                    assert!(outer.start <= inner.start && inner.end <= outer.end);
                }
                open.push(element);
            }
            Step::Enter(Node::Text(text)) => assert!(!text.is_empty()),
            Step::Enter(Node::Comment(_) | Node::Instruction { .. }) => {}
            Step::Leave(element) => assert_eq!(open.pop(), Some(element)),
        }
    }
    assert!(open.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tree) = Tree::parse(&bytes, &Limits::default()) {
            check_shape(&tree);
        }
    }

    #[test]
    fn no_markup_panics(pieces in proptest::collection::vec(prop::sample::select(vec![
        "<", ">", "/>", "</", "<a", "<a>", "</a>", "<p:b", " xmlns:p='u'", " xmlns=''", " x='1'", "=", "'", "\"", "&", "&amp;",
        "&#10;", ";", "<!--", "-->", "--", "<![CDATA[", "]]>", "<?", "?>", "<?xml version='1.0'?>", "<!DOCTYPE", "[", "]",
        " ", "\r", "\n", "\u{1EC7}", "\u{FEFF}", "a", ":", "<!", "<!D", "<?x", "!",
    ]), 0..24)) {
        let text = pieces.concat();
        match Tree::parse(text.as_bytes(), &Limits::default()) {
            Ok(tree) => check_shape(&tree),
            Err(fault) => prop_assert!(fault.offset <= text.len() && fault.line >= 1),
        }
    }

    #[test]
    fn a_changed_document_never_panics(at in 0..SMALL.len(), byte in any::<u8>(), cut in 0..8_usize) {
        let mut bytes = SMALL.to_vec();
        bytes[at] = byte;
        bytes.drain(at..(at + cut).min(SMALL.len()));
        if let Ok(tree) = Tree::parse(&bytes, &Limits::default()) {
            check_shape(&tree);
        }
    }
}

#[test]
fn a_fault_outside_of_the_root_names_no_element() {
    let told = |text: &str| parse(text).expect_err("not a tree").to_string();
    assert_eq!(
        told("tr\u{1EAF}ng"),
        "stray bytes before the document element at byte 0, line 1, outside of the root"
    );
    assert!(told("<a><b>").ends_with(", in <a/b>"), "{}", told("<a><b>"));
}
