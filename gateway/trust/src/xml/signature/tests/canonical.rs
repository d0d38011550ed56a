//! Which octets are digested: comments, prefixes and what is inherited.

use super::*;

#[test]
fn comments_are_no_part_of_what_a_reference_covers() {
    let world = World::new();
    for uri in ["", "#i"] {
        for form in [
            C14N,
            C14N_COMMENTS,
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        ] {
            let draft = Draft::new(&world.organisation, reference(uri, &[ENVELOPED, form]));
            let text = draft.sign("<a Id='i'><v>user<!--1-->.evil</v>{}</a>");
            assert_eq!(covered(&text), [r#"<a Id="i"><v>user.evil</v></a>"#]);
            // A comment may come and go, and the value read from the tree stays the one that was signed.
            for other in ["user.evil", "us<!---->er.evil", "<!-- -->user.evil"] {
                let moved = text.replace("user<!--1-->.evil", other);
                assert_eq!(covered(&moved), [r#"<a Id="i"><v>user.evil</v></a>"#]);
                assert_eq!(named(&tree(&moved), "v").text(), "user.evil");
            }
            assert_eq!(
                failure(&text.replace("<!--1-->", "<?p?>")),
                Failure::DigestMismatch
            );
        }
    }
}

#[test]
fn comments_of_signed_info_count_where_its_method_says_so() {
    let world = World::new();
    let commented = |method: &str| {
        let mut draft = Draft::enveloped(&world.organisation);
        draft.canonicalisation = format!(r#"<CanonicalizationMethod Algorithm="{method}"/>"#);
        draft
            .sign("<a>{}</a>")
            .replace("<Reference", "<!--c--><Reference")
    };
    assert!(check(&commented(C14N))[0].is_ok());
    assert_eq!(failure(&commented(C14N_COMMENTS)), Failure::SignatureWrong);
    assert!(check(&commented(C14N_COMMENTS).replace("<!--c-->", ""))[0].is_ok());
}

/// A canonical form without comments would show a value that nobody reads.
#[test]
fn values_are_one_piece_of_text() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a>{}</a>");
    for name in ["DigestValue", "SignatureValue"] {
        for inside in ["<!---->", "<?p?>", "<b/>"] {
            let open = format!("<{name}>");
            let changed = text.replace(&open, &format!("{open}{inside}"));
            let content = Failure::XmlSignature(Fault::Content(name.to_owned()));
            assert_eq!(failure(&changed), content, "{name} {inside}");
        }
    }
}

#[test]
fn a_prefix_means_what_it_is_bound_to() {
    let world = World::new();
    for form in [EXC_C14N, C14N] {
        let draft = Draft::new(&world.organisation, reference("#i", &[form]));
        let text = draft.sign("<a xmlns:p='urn:1'><b Id='i' xmlns:p='urn:2'><p:c/></b>{}</a>");
        assert_eq!(
            covered(&text)[0].replace(" xmlns:p=\"urn:2\"", ""),
            r#"<b Id="i"><p:c></p:c></b>"#
        );
        assert!(covered(&text)[0].contains("urn:2") && !covered(&text)[0].contains("urn:1"));
        let elsewhere = text.replace("<b Id='i' xmlns:p='urn:2'>", "<b Id='i'>");
        assert_eq!(failure(&elsewhere), Failure::DigestMismatch);
        let shadowed = text.replace("<p:c/>", "<p:c xmlns:p='urn:1'/>");
        assert_eq!(failure(&shadowed), Failure::DigestMismatch);
    }
}

#[test]
fn the_inclusive_forms_inherit_and_the_exclusive_one_does_not() {
    let world = World::new();
    let sign = |form| {
        let draft = Draft::new(&world.organisation, reference("#i", &[form]));
        draft.sign("<a xml:lang='vi' xmlns:u='urn:u'><m xml:space='preserve'><b Id='i'/></m>{}</a>")
    };
    let inherited = r#"<b xmlns:u="urn:u" Id="i" xml:lang="vi" xml:space="preserve"></b>"#;
    for form in [C14N, C14N11] {
        assert_eq!(covered(&sign(form)), [inherited]);
        // SignedInfo inherits by its own method; only what is around the target changes here.
        let changed = sign(form).replace("'preserve'", "'default'");
        assert_eq!(failure(&changed), Failure::DigestMismatch);
    }
    assert_eq!(covered(&sign(EXC_C14N)), [r#"<b Id="i"></b>"#]);
    assert!(check(&sign(EXC_C14N).replace("'preserve'", "'default'"))[0].is_ok());
}

#[test]
fn signed_info_inherits_too() {
    let world = World::new();
    let text = Draft::new(&world.organisation, reference("#i", &[EXC_C14N]))
        .sign("<a xml:lang='vi'><b Id='i'/>{}</a>");
    assert!(check(&text)[0].is_ok());
    assert_eq!(failure(&text.replace("'vi'", "'en'")), Failure::SignatureWrong);
}

#[test]
fn a_base_outside_is_refused_in_canonical_xml_11_only() {
    let world = World::new();
    let text = |form| {
        Draft::new(&world.organisation, reference("#i", &[form]))
            .sign("<a xml:base='http://x/'><b xml:base='y' Id='i'/>{}</a>")
    };
    assert_eq!(covered(&text(C14N)), [r#"<b Id="i" xml:base="y"></b>"#]);
    let signed = text(C14N).replacen(
        &format!(r#"<Transform Algorithm="{C14N}"#),
        &format!(r#"<Transform Algorithm="{C14N11}"#),
        1,
    );
    // The value is over another SignedInfo by now; so that the reference is reached, all of it is asked for directly.
    let tree = tree(&signed);
    let signature = Signature::read(named(&tree, "Signature")).expect("a signature");
    let mut document = Document::of(&tree).expect("ids");
    let checked = document.check(&signature.references[0], signature.element);
    assert_eq!(
        checked.err(),
        Some(Failure::XmlUnsupported(Unsupported::BaseOutside))
    );
}

#[test]
fn listed_prefixes_are_treated_inclusively() {
    let world = World::new();
    let list = format!(
        r#"<Transforms><Transform Algorithm="{EXC_C14N}"><n:InclusiveNamespaces xmlns:n="{EXC_C14N}" PrefixList="u #default"/></Transform></Transforms>"#
    );
    let listed = reference("#i", &[EXC_C14N]);
    let listed = listed.replace(
        &format!(r#"<Transforms><Transform Algorithm="{EXC_C14N}"/></Transforms>"#),
        &list,
    );
    let text =
        Draft::new(&world.organisation, listed).sign("<a xmlns:u='urn:u' xmlns='urn:d'><b Id='i'/>{}</a>");
    assert_eq!(
        covered(&text),
        [r#"<b xmlns="urn:d" xmlns:u="urn:u" Id="i"></b>"#]
    );
}

#[test]
fn what_all_references_digest_is_bounded_by_the_document() {
    let world = World::new();
    let long = "x".repeat(300_000);
    let once = Draft::new(&world.organisation, reference("#i", &[]))
        .sign(&format!("<a><b Id='i'>{long}</b>{{}}</a>"));
    assert!(check(&once)[0].is_ok());
    // A namespace of 100,000 octets that 2000 elements have to write each, in a document of 120,000.
    let uri = "u".repeat(100_000);
    let heavy = format!(
        "<a xmlns:p='{uri}'><b Id='i'>{}</b>{{}}</a>",
        "<p:c/>".repeat(2000)
    );
    let text =
        Draft::new(&world.organisation, reference("#j", &[])).sign(&heavy.replace("{}", "<j Id='j'/>{}"));
    let tree = tree(&text);
    let mut document = Document::of(&tree).expect("ids");
    let exclusive = Canonicalisation {
        form: Form::Exclusive {
            inclusive_prefixes: Vec::new(),
        },
        with_comments: false,
    };
    let canonical = document.canonical(named(&tree, "b"), &exclusive);
    assert_eq!(canonical, Err(Failure::XmlSignature(Fault::TooLarge)));
    // What was spent is spent for the other signatures, too.
    let rest = document.canonical(named(&tree, "j"), &exclusive);
    assert_eq!(rest, Err(Failure::XmlSignature(Fault::TooLarge)));
}

#[test]
fn what_each_key_digests_is_paid_for_by_its_size() {
    let world = World::new();
    // Two MiB that mean nothing, in SignedInfo.
    let mut draft = Draft::enveloped(&world.organisation);
    draft.canonicalisation.push_str(&" ".repeat(2 << 20));
    let text = draft.sign("<a>{}</a>");
    let tree = tree(&text);
    let failure = |signature_checks_max: u32| {
        let policy = Policy {
            signature_checks_max,
            ..Policy::default()
        };
        let results = integrity(&tree, Dialect::Standard, None, &policy, now());
        results.into_iter().next().expect("a signature").err()
    };
    assert_eq!(failure(2), Some(Failure::BudgetSpent));
    assert_eq!(failure(3), None);
}
