//! What the profile leaves out is refused by its name.

use super::*;

/// A signature whose parts were changed, signed afterwards.
fn with(change: impl Fn(&mut Draft<'_>)) -> String {
    let world = World::new();
    let mut draft = Draft::enveloped(&world.organisation);
    change(&mut draft);
    // What cannot be read cannot be signed by the tests either: the change is made to the text.
    let original = Draft::enveloped(&world.organisation);
    let text = original.sign("<a>{}</a>");
    let pairs = [
        (&original.canonicalisation, &draft.canonicalisation),
        (&original.method, &draft.method),
        (&original.references, &draft.references),
    ];
    let digest = {
        let tree = tree(&text);
        named(&tree, "DigestValue").text().into_owned()
    };
    pairs.into_iter().fold(text, |text, (from, to)| {
        let (from, to) = (from.replace(PENDING, &digest), to.replace(PENDING, &digest));
        text.replace(&from, &to)
    })
}

fn unsupported(text: &str) -> Unsupported {
    let failure = failure(text);
    let Failure::XmlUnsupported(unsupported) = failure else {
        panic!("{failure}");
    };
    unsupported
}

#[test]
fn methods_outside_of_the_list_are_named() {
    assert!(check(&with(|_| {}))[0].is_ok());
    for method in [
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha224",
        "http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1",
        "",
    ] {
        let text = with(|draft| {
            draft.method = format!(
                r#"<SignatureMethod Algorithm="{method}"><HMACOutputLength>1</HMACOutputLength></SignatureMethod>"#
            );
        });
        assert_eq!(
            unsupported(&text),
            Unsupported::SignatureMethod(method.to_owned())
        );
    }
    let digest = "http://www.w3.org/2001/04/xmldsig-more#md5";
    let text = with(|draft| draft.references = draft.references.replace(SHA256, digest));
    assert_eq!(unsupported(&text), Unsupported::DigestMethod(digest.to_owned()));
    let method = "http://www.w3.org/TR/xml-exc-c14n#";
    let text = with(|draft| {
        draft.canonicalisation = format!(r#"<CanonicalizationMethod Algorithm="{method}"/>"#);
    });
    assert_eq!(
        unsupported(&text),
        Unsupported::CanonicalizationMethod(method.to_owned())
    );
}

#[test]
fn long_and_odd_identifiers_are_repeated_in_part() {
    let long = "\u{85}".to_owned() + &"m".repeat(5000);
    let text = with(|draft| draft.method = format!(r#"<SignatureMethod Algorithm="{long}"/>"#));
    let Unsupported::SignatureMethod(name) = unsupported(&text) else {
        panic!("a method");
    };
    assert_eq!(name.chars().count(), 96);
    assert!(name.starts_with('\u{FFFD}'));
}

#[test]
fn transforms_outside_of_the_list_are_named() {
    for transform in [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
    ] {
        for transforms in [&[transform][..], &[ENVELOPED, transform], &[transform, C14N]] {
            let text = with(|draft| draft.references = reference("", transforms));
            assert_eq!(unsupported(&text), Unsupported::Transform(transform.to_owned()));
        }
    }
    for transforms in [
        &[C14N, ENVELOPED][..],
        &[ENVELOPED, ENVELOPED],
        &[C14N, C14N],
        &[ENVELOPED, C14N, EXC_C14N],
    ] {
        let text = with(|draft| draft.references = reference("", transforms));
        assert_eq!(unsupported(&text), Unsupported::TransformOrder, "{transforms:?}");
    }
}

#[test]
fn references_that_lead_outside_are_named() {
    for uri in [
        "http://example/x",
        "file:///etc/passwd",
        "other.xml#a",
        "cid:1",
        " ",
        "?",
    ] {
        let text = with(|draft| {
            draft.references = draft.references.replace(r#"URI="""#, &format!(r#"URI="{uri}""#))
        });
        assert_eq!(unsupported(&text), Unsupported::Outside(uri.to_owned()));
    }
    for pointer in ["xpointer(/)", "xpointer(id('a'))", "", "a%20b", "1", "a:b"] {
        let uri = format!(r##"URI="#{pointer}""##);
        let text = with(|draft| draft.references = draft.references.replace(r#"URI="""#, &uri));
        assert_eq!(unsupported(&text), Unsupported::XPointer(pointer.to_owned()));
    }
    let text = with(|draft| draft.references = draft.references.replace(r#" URI="""#, ""));
    assert_eq!(unsupported(&text), Unsupported::UriAbsent);
}

#[test]
fn parameters_of_pss_say_what_one_of_the_algorithms_says() {
    const MORE: &str = "http://www.w3.org/2007/05/xmldsig-more#";
    const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";
    let read = |digest: &str, mask: &str, rest: &str| {
        let parameters = format!(
            r#"<p:RSAPSSParams xmlns:p="{MORE}"><DigestMethod Algorithm="{digest}"/><p:MaskGenerationFunction Algorithm="{MORE}MGF1"><DigestMethod Algorithm="{mask}"/></p:MaskGenerationFunction>{rest}</p:RSAPSSParams>"#
        );
        method_of(&parameters)
    };
    fn method_of(parameters: &str) -> Result<SignatureAlgorithm, Failure> {
        let text = format!(
            r#"<SignatureMethod xmlns="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/2007/05/xmldsig-more#rsa-pss">{parameters}</SignatureMethod>"#
        );
        method::signature(tree(&text).root())
    }
    use crate::DigestAlgorithm::{Sha256, Sha512};
    let pss = |digest, salt_octets| SignatureAlgorithm::RsaPss(PssParameters { digest, salt_octets });
    let salt = |octets: &str| format!("<p:SaltLength>{octets}</p:SaltLength>");
    assert_eq!(method_of(""), Ok(pss(Sha256, 32)));
    assert_eq!(read(SHA256, SHA256, &salt("32")), Ok(pss(Sha256, 32)));
    assert_eq!(read(SHA256, SHA256, &salt("20")), Ok(pss(Sha256, 20)));
    let with_trailer = salt("64") + "<p:TrailerField>1</p:TrailerField>";
    assert_eq!(read(SHA512, SHA512, &with_trailer), Ok(pss(Sha512, 64)));
    let unsupported = Err(Failure::XmlUnsupported(Unsupported::Parameters("RSASSA-PSS")));
    for (digest, mask, rest) in [
        (SHA256, SHA512, salt("32")),
        (SHA256, SHA256, salt("-1")),
        (SHA256, SHA256, salt("65536")),
        (SHA256, SHA256, salt("")),
        (SHA256, SHA256, salt("32") + "<p:TrailerField>2</p:TrailerField>"),
        (
            "http://www.w3.org/2000/09/xmldsig#sha1",
            "http://www.w3.org/2000/09/xmldsig#sha1",
            salt("20"),
        ),
    ] {
        assert_eq!(read(digest, mask, &rest), unsupported, "{rest}");
    }
    let absent = Err(Failure::XmlSignature(Fault::ElementAbsent("SaltLength")));
    assert_eq!(read(SHA256, SHA256, ""), absent);
}

#[test]
fn elements_that_do_not_belong_there_are_refused() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a>{}</a>");
    for (from, to, fault) in [
        (
            "<SignatureMethod",
            "<Other/><SignatureMethod",
            Fault::ElementAbsent("SignatureMethod"),
        ),
        (
            "</SignedInfo>",
            "<Other/></SignedInfo>",
            Fault::ElementUnexpected("Other".to_owned()),
        ),
        (
            "</Signature>",
            "<SignedInfo/></Signature>",
            Fault::ElementUnexpected("SignedInfo".to_owned()),
        ),
        (
            "<SignedInfo>",
            "<SignedInfo/><SignedInfo>",
            Fault::ElementAbsent("SignatureValue"),
        ),
        (
            "<SignedInfo>",
            "<SignedInfo>text",
            Fault::Content("SignedInfo".to_owned()),
        ),
        (
            "<DigestValue>",
            "<DigestValue>*",
            Fault::Base64("DigestValue".to_owned()),
        ),
        (
            "<SignatureValue>",
            "<SignatureValue>=",
            Fault::Base64("SignatureValue".to_owned()),
        ),
        (
            "<KeyInfo>",
            "<x:KeyInfo xmlns:x='urn:x'/><KeyInfo>",
            Fault::ElementUnexpected("KeyInfo".to_owned()),
        ),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(failure(&changed), Failure::XmlSignature(fault), "{from} {to}");
    }
    let gone = text.replace(
        &text[text.find("<Reference").expect("it")..text.find("</SignedInfo>").expect("it")],
        "",
    );
    assert_eq!(
        failure(&gone),
        Failure::XmlSignature(Fault::ElementAbsent("Reference"))
    );
}

#[test]
fn base64_may_hold_white_space_and_nothing_else() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a>{}</a>");
    let digits = {
        let tree = tree(&text);
        named(&tree, "SignatureValue").text().into_owned()
    };
    let with = |other: String| text.replace(&digits, &other);
    assert!(check(&with(format!("\n {}\t&#13;{} ", &digits[..5], &digits[5..])))[0].is_ok());
    for bad in [
        digits.replace('=', ""),
        format!("{digits}="),
        format!("{digits}AAAA"),
        digits.replacen('A', "_", 1) + "_",
        digits.replace("==", "===="),
        String::from("\u{A0}") + &digits,
    ] {
        assert!(check(&with(bad.clone()))[0].is_err(), "{bad}");
    }
    // Bits that encode nothing are zero.
    let last = digits.trim_end_matches('=').chars().next_back().expect("a digit");
    let next = char::from(u8::try_from(last).expect("ASCII") + 1);
    let odd = format!(
        "{}{next}==",
        digits.trim_end_matches('=').strip_suffix(last).expect("its last")
    );
    assert_eq!(
        failure(&with(odd)),
        Failure::XmlSignature(Fault::Base64("SignatureValue".to_owned()))
    );
}

#[test]
fn there_are_not_too_many_of_anything() {
    let world = World::new();
    let many = |count: usize| Draft::new(&world.organisation, reference("#b", &[]).repeat(count));
    assert!(check(&many(16).sign("<a><b Id='b'/>{}</a>"))[0].is_ok());
    let text = many(1).sign("<a><b Id='b'/>{}</a>");
    let one = {
        let tree = tree(&text);
        named(&tree, "Reference").source().to_owned()
    };
    let over = text.replace(&one, &one.repeat(17));
    assert_eq!(
        failure(&over),
        Failure::XmlSignature(Fault::TooMany("references"))
    );
    let signature = {
        let tree = tree(&text);
        named(&tree, "Signature").source().to_owned()
    };
    let repeated = |count| text.replace(&signature, &signature.repeat(count));
    assert!(check(&repeated(16)).iter().all(Result::is_ok));
    let results = check(&repeated(17));
    assert!(
        results
            .iter()
            .all(|one| *one == Err(Failure::XmlSignature(Fault::TooMany("signatures"))))
    );
    let digits = certificate(&world.organisation);
    let certificates = |count| text.replace(&digits, &digits.repeat(count));
    assert!(check(&certificates(2))[0].is_ok());
}

#[test]
fn what_the_policy_does_not_allow_is_refused() {
    let world = World::new();
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    let draft = Draft::new(&world.organisation, reference("#b", &[]).replace(SHA256, sha1));
    let text = draft.sign("<a><b Id='b'/>{}</a>");
    assert_eq!(
        failure(&text),
        Failure::DigestRefused(crate::DigestAlgorithm::Sha1)
    );
    let tree = tree(&text);
    let every = integrity(&tree, Dialect::Standard, None, &Policy::every_algorithm(), now());
    assert!(every[0].is_ok());
    let none = Policy {
        signature_checks_max: 0,
        ..Policy::every_algorithm()
    };
    let spent = integrity(&tree, Dialect::Standard, None, &none, now());
    assert_eq!(spent[0].as_ref().err(), Some(&Failure::BudgetSpent));
}
