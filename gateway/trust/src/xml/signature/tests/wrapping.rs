//! Signature wrapping: whatever is put around, beside or inside, what is handed out is what was signed.

use super::*;

/// The eight places where the published attacks put what the victim should read instead.
#[test]
fn what_is_wrapped_is_never_what_is_handed_out() {
    let world = World::new();
    let mut draft = Draft::new(&world.organisation, reference("#a", &[ENVELOPED, EXC_C14N]));
    draft.canonicalisation = format!(r#"<CanonicalizationMethod Algorithm="{EXC_C14N}"/>"#);
    let original = draft.sign(r#"<s:A xmlns:s="urn:s" Id="a"><s:v>good</s:v>{}</s:A>"#);
    let signature = {
        let tree = tree(&original);
        named(&tree, "Signature").source().to_owned()
    };
    let bare = original.replace(&signature, "");
    let holding = signature.replace("</Signature>", &format!("<Object>{bare}</Object></Signature>"));
    let evil =
        |id: &str, inside: &str| format!(r#"<s:A xmlns:s="urn:s" Id="{id}"><s:v>evil</s:v>{inside}</s:A>"#);
    let attacks = |id: &str| {
        [
            original.clone() + &evil(id, ""),
            evil(id, "") + &original,
            evil(id, &original),
            evil(id, &signature) + &bare,
            bare.clone() + &evil(id, &signature),
            evil(id, &holding),
            format!("<x>{}</x>{original}", evil(id, "")),
            format!("{}<x>{bare}</x>", evil(id, &signature)),
        ]
    };
    for (number, attack) in attacks("e").iter().enumerate() {
        let text = format!("<r>{attack}</r>");
        let tree = tree(&text);
        let results = integrity(&tree, Dialect::Standard, None, &Policy::default(), now());
        let [result] = &results[..] else {
            panic!("one signature");
        };
        if number == 5 {
            let nothing = Failure::XmlSignature(Fault::NothingSigned);
            assert_eq!(result.as_ref().map(|_| ()), Err(&nothing));
            continue;
        }
        let [covered] = result.as_ref().expect("the original is intact").covered() else {
            panic!("one reference");
        };
        assert_eq!(named_in(covered.element(), "v").text(), "good");
        let elements = tree.walk().filter_map(|step| match step {
            Step::Enter(Node::Element(element)) => Some(element),
            Step::Enter(_) | Step::Leave(_) => None,
        });
        let good = elements.filter(|one| covered.covers(*one)).collect::<Vec<_>>();
        assert!(good.iter().all(|one| one.name() != "v" || one.text() == "good"));
        assert_eq!(good.len(), 2, "{number}: the assertion and its value");
    }
    for attack in attacks("a") {
        let repeated = Failure::XmlSignature(Fault::IdRepeated("a".to_owned()));
        assert_eq!(failure(&format!("<r>{attack}</r>")), repeated);
    }
}

fn named_in<'t, 's>(element: Element<'t, 's>, name: &str) -> Element<'t, 's> {
    element
        .elements()
        .find(|one| one.name() == name)
        .expect("it is there")
}

#[test]
fn what_stands_in_the_signature_that_was_left_out_is_not_covered() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a><v>good</v>{}</a>");
    let text = text.replace("</Signature>", "<Object><v>evil</v></Object></Signature>");
    let tree = tree(&text);
    let results = integrity(&tree, Dialect::Standard, None, &Policy::default(), now());
    let [covered] = results[0].as_ref().expect("it passes").covered() else {
        panic!("one reference");
    };
    assert!(covered.is_document());
    assert_eq!(covered.without(), Some(named(&tree, "Signature")));
    assert!(covered.covers(tree.root()) && covered.covers(named(&tree, "v")));
    let object = named(&tree, "Object");
    assert!(!covered.covers(object) && !covered.covers(named_in(object, "v")));
}

#[test]
fn an_id_occurs_once_whatever_its_attribute_is_called() {
    let world = World::new();
    let draft = Draft::new(&world.organisation, reference("#i", &[]));
    let text = draft.sign("<a><b Id='i'/><c/>{}</a>");
    assert!(check(&text)[0].is_ok());
    for again in ["Id='i'", "ID='i'", "id='i'", "xml:id='i'"] {
        let repeated = Failure::XmlSignature(Fault::IdRepeated("i".to_owned()));
        assert_eq!(failure(&text.replace("<c/>", &format!("<c {again}/>"))), repeated);
    }
    // Nobody says that these are ids; nothing is found by them, and nothing is hidden.
    for other in ["iD='i'", "x:Id='i' xmlns:x='urn:x'", "AssertionID='i'"] {
        assert!(check(&text.replace("<c/>", &format!("<c {other}/>")))[0].is_ok());
        let hidden = text.replace("<b Id='i'/>", &format!("<b {other}/>"));
        let absent = Failure::XmlSignature(Fault::TargetAbsent("i".to_owned()));
        assert_eq!(failure(&hidden), absent);
    }
    // One element may bear its id under two names; others twice in a document that needs no id are refused all the same.
    assert!(check(&text.replace("<c/>", "<c Id='j' xml:id='j'/>"))[0].is_ok());
    assert!(check(&text.replace("<c/>", "<c Id='j'/><d id='j'/>"))[0].is_err());
}

#[test]
fn a_signature_leaves_out_itself_and_no_other() {
    let world = World::new();
    let inner = Draft::new(&world.person, reference("#b", &[ENVELOPED])).sign("<b Id='b'>1{}</b>");
    let outer = Draft::enveloped(&world.organisation).sign(&format!("<a>{inner}{{}}</a>"));
    let results = check(&outer);
    let inner_alone = results[0].as_ref().expect("the inner passes");
    assert_eq!(inner_alone[0], r#"<b Id="b">1</b>"#);
    let outer_octets = &results[1].as_ref().expect("the outer passes")[0];
    assert!(
        outer_octets.contains("<SignatureValue>"),
        "the inner one is covered by the outer one"
    );
    assert_eq!(
        check(&outer.replacen("<X509Data>", "<X509Data> ", 1))[1],
        Err(Failure::DigestMismatch)
    );
}

#[test]
fn a_signature_inside_another_leaves_out_itself_only() {
    let world = World::new();
    let mut draft = Draft::new(&world.person, reference("#o", &[ENVELOPED]));
    draft.canonicalisation = format!(r#"<CanonicalizationMethod Algorithm="{EXC_C14N}"/>"#);
    let mut outer = Draft::new(&world.organisation, reference("#o", &[]));
    outer.objects = "<Object Id='o'>1{}</Object>".to_owned();
    // The inner one is put into what the outer one covers, so that the outer one breaks.
    let text = draft.sign(&outer.sign("<a>{}</a>"));
    let results = check(&text);
    assert_eq!(results[0], Err(Failure::DigestMismatch));
    let object = r#"<Object xmlns="http://www.w3.org/2000/09/xmldsig#" Id="o">1</Object>"#;
    assert_eq!(results[1].as_deref(), Ok(&[object.to_owned()][..]));
}

#[test]
fn a_reference_to_what_holds_the_signature_is_good_only_where_it_leaves_it_out() {
    let world = World::new();
    let enveloped = Draft::new(&world.organisation, reference("#a", &[ENVELOPED]));
    assert_eq!(
        covered(&enveloped.sign("<r><a Id='a'>1{}</a></r>")),
        [r#"<a Id="a">1</a>"#]
    );
    // Without the transform the digest would have to be part of itself.
    let bare = Draft::new(&world.organisation, reference("#a", &[]));
    assert_eq!(
        failure(&bare.sign("<r><a Id='a'>1{}</a></r>")),
        Failure::DigestMismatch
    );
    let mut empty = Draft::enveloped(&world.organisation);
    empty.objects = "<Object/>".to_owned();
    let text = empty.sign("<r>{}</r>");
    let signature = text.trim_start_matches("<r>").trim_end_matches("</r>");
    assert_eq!(failure(signature), Failure::XmlSignature(Fault::NothingSigned));
}
