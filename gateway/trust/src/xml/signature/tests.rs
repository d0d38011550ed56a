//! XML signatures: each refusal beside the case that passes. Documents are signed here, by keys of the moment.

mod canonical;
mod keys;
mod packets;
mod profile;
mod properties;
mod seals;
mod time_stamps;
mod wrapping;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::reference::Document;
use super::structure::Signature;
use super::*;
use crate::algorithm::{KeyKind, PssParameters};
use crate::asn1::{Reader, tag};
use crate::cms::Signer;
use crate::testing::{Leaf, World, now};
use crate::xml::{Canonicalisation, Form, Limits};

/// Three octets in base64, which stand for a digest until it is known.
const PENDING: &str = "AAAA";

const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const C14N_COMMENTS: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
const C14N11: &str = "http://www.w3.org/2006/12/xml-c14n11";
const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

fn tree(text: &str) -> Tree<'_> {
    Tree::parse(text.as_bytes(), &Limits::default()).expect("well-formed")
}

/// The first element of this local name.
fn named<'t, 's>(tree: &'t Tree<'s>, name: &str) -> Element<'t, 's> {
    let mut elements = tree.walk().filter_map(|step| match step {
        Step::Enter(Node::Element(element)) => Some(element),
        Step::Enter(_) | Step::Leave(_) => None,
    });
    elements.find(|one| one.name() == name).expect("it is there")
}

/// A Reference with these transforms.
fn reference(uri: &str, transforms: &[&str]) -> String {
    let transforms: String = transforms
        .iter()
        .map(|one| format!(r#"<Transform Algorithm="{one}"/>"#))
        .collect();
    let transforms = if transforms.is_empty() {
        transforms
    } else {
        format!("<Transforms>{transforms}</Transforms>")
    };
    format!(
        r#"<Reference URI="{uri}">{transforms}<DigestMethod Algorithm="{SHA256}"/><DigestValue>{PENDING}</DigestValue></Reference>"#
    )
}

/// What a Signature is made of.
#[derive(Clone)]
struct Draft<'a> {
    /// Attributes of Signature.
    attributes: String,
    canonicalisation: String,
    method: String,
    references: String,
    /// `None`: the certificate of the signer.
    key_info: Option<String>,
    objects: String,
    signer: &'a Leaf,
}

impl<'a> Draft<'a> {
    fn new(signer: &'a Leaf, references: String) -> Self {
        let method = if is_rsa(signer) { RSA_SHA256 } else { ECDSA_SHA256 };
        Self {
            attributes: r#" xmlns="http://www.w3.org/2000/09/xmldsig#""#.to_owned(),
            canonicalisation: format!(r#"<CanonicalizationMethod Algorithm="{C14N}"/>"#),
            method: format!(r#"<SignatureMethod Algorithm="{method}"/>"#),
            references,
            key_info: None,
            objects: String::new(),
            signer,
        }
    }

    /// Over the whole document but itself.
    fn enveloped(signer: &'a Leaf) -> Self {
        Self::new(signer, reference("", &[ENVELOPED, EXC_C14N]))
    }

    /// Signs, the element standing where `{}` is in the document.
    fn sign(&self, document: &str) -> String {
        let key_info = match &self.key_info {
            Some(key_info) => key_info.clone(),
            None => format!(
                "<KeyInfo><X509Data>{}</X509Data></KeyInfo>",
                certificate(self.signer)
            ),
        };
        let Self {
            attributes,
            canonicalisation,
            method,
            references,
            objects,
            ..
        } = self;
        let signature = format!(
            "<Signature{attributes}><SignedInfo>{canonicalisation}{method}{references}</SignedInfo>\
             <SignatureValue>BBBB</SignatureValue>{key_info}{objects}</Signature>"
        );
        fill(&document.replacen("{}", &signature, 1), self.signer)
    }
}

fn is_rsa(signer: &Leaf) -> bool {
    matches!(signer.certificate.key_kind(), KeyKind::Rsa(_))
}

fn certificate(signer: &Leaf) -> String {
    let digits = STANDARD.encode(signer.certificate.der());
    format!("<X509Certificate>{digits}</X509Certificate>")
}

/// Puts digests and value of the first signature that has none where they belong.
fn fill(text: &str, signer: &Leaf) -> String {
    let digests: Vec<String> = {
        let tree = tree(text);
        let signature = Signature::read(pending(&tree)).expect("a signature");
        let document = Document::of(&tree).expect("ids");
        let digest = |reference| {
            let covered = document.target(reference, signature.element).expect("a target");
            STANDARD.encode(reference.digest_algorithm.digest(&[&covered.octets()]))
        };
        signature.references.iter().map(digest).collect()
    };
    let mut text = text.to_owned();
    for digest in digests {
        text = text.replacen(&format!(">{PENDING}<"), &format!(">{digest}<"), 1);
    }
    let value = {
        let tree = tree(&text);
        let signature = Signature::read(pending(&tree)).expect("a signature");
        let mut document = Document::of(&tree).expect("ids");
        let octets = document.canonical(signature.signed_info, &signature.canonicalisation);
        value(signer, &octets.expect("a canonical form"))
    };
    text.replacen(">BBBB<", &format!(">{}<", STANDARD.encode(value)), 1)
}

fn pending<'t, 's>(tree: &'t Tree<'s>) -> Element<'t, 's> {
    let mut signatures = find(tree, Dialect::Packet);
    let is_pending = |one: &Element<'_, '_>| {
        one.elements()
            .any(|value| value.name() == "SignatureValue" && value.text() == "BBBB")
    };
    signatures.find(is_pending).expect("a signature to be filled")
}

/// A signature value as XML Signature writes it.
fn value(signer: &Leaf, octets: &[u8]) -> Vec<u8> {
    let value = signer.key.sign(octets).expect("a value");
    if is_rsa(signer) {
        return value;
    }
    let mut pair = Reader::sole(&value, tag::SEQUENCE).expect("a sequence").reader();
    let mut raw = Vec::new();
    for _ in 0..2 {
        let number = pair.integer().expect("a number");
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        raw.extend(std::iter::repeat_n(0, 32 - number.len()));
        raw.extend_from_slice(number);
    }
    raw
}

/// The integrity of every signature, in words: what is covered, or the failure.
fn check(text: &str) -> Vec<Result<Vec<String>, Failure>> {
    let tree = tree(text);
    let results = integrity(&tree, Dialect::Packet, None, &Policy::default(), now());
    let covered = |intact: Intact<'_, '_>| {
        let octets = intact.covered().iter().map(Covered::octets);
        octets
            .map(|octets| String::from_utf8(octets).expect("UTF-8"))
            .collect()
    };
    results.into_iter().map(|result| result.map(covered)).collect()
}

/// What is wrong with the only signature.
fn failure(text: &str) -> Failure {
    let [result] = &check(text)[..] else {
        panic!("one signature");
    };
    result.clone().expect_err("it must not pass")
}

/// What the only signature covers.
fn covered(text: &str) -> Vec<String> {
    let [result] = &check(text)[..] else {
        panic!("one signature");
    };
    result.clone().expect("it passes")
}

#[test]
fn an_enveloped_signature_covers_all_but_itself() {
    let world = World::new();
    for signer in [&world.person, &world.organisation] {
        let text = Draft::enveloped(signer).sign("<?p?><a>1<!--c--><b x='2'/>{}</a>");
        assert_eq!(
            covered(&text),
            [r#"<a>1<b x="2"></b></a>"#.to_owned()].map(|a| format!("<?p?>\n{a}"))
        );
        assert_eq!(failure(&text.replace("<a>1", "<a>2")), Failure::DigestMismatch);
        let changed = text.replacen(EXC_C14N, C14N, 1);
        assert_eq!(failure(&changed), Failure::SignatureWrong);
    }
    assert!(check("<a/>").is_empty());
    // The exclusive form as the kit of the national axis names it.
    let kit = reference("", &[ENVELOPED, "http://www.w3.org/TR/xml-exc-c14n#"]);
    let text = Draft::new(&world.person, kit).sign("<a xmlns:u='urn:u'>1{}</a>");
    assert_eq!(covered(&text), ["<a>1</a>"]);
}

#[test]
fn an_enveloping_and_a_detached_signature_cover_what_bears_the_id() {
    let world = World::new();
    let mut draft = Draft::new(&world.organisation, reference("#o", &[]));
    draft.objects = "<Object Id='o'>text</Object>".to_owned();
    let text = draft.sign("{}");
    let object = r#"<Object xmlns="http://www.w3.org/2000/09/xmldsig#" Id="o">text</Object>"#;
    assert_eq!(covered(&text), [object]);
    assert_eq!(failure(&text.replace("text", "test")), Failure::DigestMismatch);
    let two = reference("#x", &[EXC_C14N]) + &reference("#y", &[]);
    let text = Draft::new(&world.organisation, two).sign("<a><b ID='x'>1</b><c xml:id='y'/>{}</a>");
    assert_eq!(covered(&text), [r#"<b ID="x">1</b>"#, r#"<c xml:id="y"></c>"#]);
    assert_eq!(failure(&text.replace(">1<", ">2<")), Failure::DigestMismatch);
    assert_eq!(
        failure(&text.replace("<c xml", "<d/><c y='' xml")),
        Failure::DigestMismatch
    );
}

#[test]
fn every_signature_is_reported_by_itself() {
    let world = World::new();
    let once = Draft::enveloped(&world.person).sign("<a><b/>{}|</a>");
    let twice = Draft::new(&world.organisation, reference("", &[ENVELOPED])).sign(&once.replace('|', "{}"));
    // The second was put into what the first had signed; the first was there when the second came.
    let results = check(&twice);
    assert_eq!(results[0], Err(Failure::DigestMismatch));
    assert!(results[1].is_ok());
    let ids = Draft::new(&world.person, reference("#b", &[])).sign("<a><b Id='b'/>{}|</a>");
    let ids = Draft::new(&world.organisation, reference("#b", &[])).sign(&ids.replace('|', "{}"));
    assert!(check(&ids).iter().all(Result::is_ok));
    assert_eq!(check(&ids).len(), 2);
}

/// A signed document, from which any octet may be taken or changed.
fn signed() -> String {
    let world = World::new();
    let objects = "<Object Id='o'><x:y xmlns:x='urn:x'>1</x:y></Object>";
    let mut draft = Draft::new(
        &world.organisation,
        reference("", &[ENVELOPED, EXC_C14N]) + &reference("#o", &[C14N11]),
    );
    draft.objects = objects.to_owned();
    draft.sign("<a xmlns='urn:a' id='i'><b>text</b>{}</a>")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_change_panics_and_none_of_what_is_covered_passes(at in 0_usize..8000, with: u8, length in 0_usize..3) {
        static SIGNED: std::sync::LazyLock<String> = std::sync::LazyLock::new(signed);
        let mut bytes = SIGNED.clone().into_bytes();
        let at = at % bytes.len();
        let end = (at + length).min(bytes.len());
        let before = bytes.splice(at..end, [with]).collect::<Vec<_>>();
        let Ok(tree) = Tree::parse(&bytes, &Limits::default()) else {
            return Ok(());
        };
        for result in integrity(&tree, Dialect::Packet, None, &Policy::default(), now()) {
            let Ok(intact) = result else { continue };
            // Whatever still passes covers what it did: the change was of no meaning, or outside.
            let octets: Vec<Vec<u8>> = intact.covered().iter().map(Covered::octets).collect();
            let whole = r#"<a xmlns="urn:a" id="i"><b>text</b></a>"#;
            prop_assert_eq!(&octets[0], whole.as_bytes(), "{:?} at {}", before, at);
            prop_assert!(String::from_utf8_lossy(&octets[1]).contains(">1<"));
        }
    }

    #[test]
    fn no_text_in_the_place_of_a_part_panics(part in 0_usize..8, text in "[ -~]{0,40}") {
        static SIGNED: std::sync::LazyLock<String> = std::sync::LazyLock::new(signed);
        let parts = ["SignatureValue", "DigestValue", "X509Certificate", "Transforms", "SignedInfo", "KeyInfo", "Reference", "X509Data"];
        let (open, close) = (format!("<{}>", parts[part]), format!("</{}>", parts[part]));
        let (Some(from), Some(to)) = (SIGNED.find(&open), SIGNED.find(&close)) else {
            return Ok(());
        };
        let changed = format!("{}{text}{}", &SIGNED[..from + open.len()], &SIGNED[to..]);
        if let Ok(tree) = Tree::parse(changed.as_bytes(), &Limits::default()) {
            let _ = integrity(&tree, Dialect::Packet, None, &Policy::default(), now());
        }
    }
}
