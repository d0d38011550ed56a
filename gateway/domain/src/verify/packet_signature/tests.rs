//! Packets signed here with a key of the moment: valid, changed afterwards, placeholders, and what is demanded of each.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SerialNumber, date_time_ymd,
};
use trust::xml::{Canonicalisation, Element, Form, Limits, Node, Step};
use trust::{Certificate, Policy, RevocationList, Signer, SoftwareKey};

use super::*;
use crate::directory::{Directory, samples};

const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

/// Who signs packets, and what is needed to believe it.
struct Office {
    certificate: Certificate,
    key: SoftwareKey,
    root: Arc<Certificate>,
    list: Arc<RevocationList>,
}

fn now() -> Time {
    Time::from_seconds(1_790_000_000) // in September 2026
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

impl Office {
    fn new() -> Office {
        let mut root = params("Root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_key = KeyPair::generate().expect("a key");
        let root_certificate = root.self_signed(&root_key).expect("a certificate");
        let issuer = Issuer::new(root, root_key);
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 9, 1),
            next_update: date_time_ymd(2026, 12, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&issuer).expect("a list");
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
        let mut leaf = params("Office");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
        Office {
            certificate: Certificate::from_der(leaf.der()).expect("a certificate"),
            key: SoftwareKey::from_pkcs8(key.serialized_der()).expect("a key that signs"),
            root: Arc::new(Certificate::from_der(root_certificate.der()).expect("a certificate")),
            list: Arc::new(RevocationList::from_pem_or_der(list.der()).expect("a list")),
        }
    }

    fn snapshot(&self, has_list: bool) -> Snapshot {
        let lists = has_list.then(|| Arc::clone(&self.list));
        Snapshot::new(
            vec![Arc::clone(&self.root)],
            vec![],
            lists.into_iter().collect(),
            Policy::default(),
            1,
        )
    }

    /// A document of this content that bears an enveloped signature over all of it.
    fn sign(&self, content: &str) -> String {
        self.sign_part(
            content,
            "",
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        )
    }

    /// The same, over what this reference with this transform says.
    fn sign_part(&self, content: &str, uri: &str, transform: &str) -> String {
        let unsigned = |digest: &str, value: &str| {
            format!(
                r#"<edXML>{content}<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><Reference URI="{uri}"><Transforms><Transform Algorithm="{transform}"/></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>{digest}</DigestValue></Reference></SignedInfo><SignatureValue>{value}</SignatureValue><KeyInfo><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo></Signature></edXML>"#,
                STANDARD.encode(self.certificate.der())
            )
        };
        let part = (!uri.is_empty()).then_some("Part");
        let digest = STANDARD.encode(Digest::of(&canonical(&unsigned("", ""), part)).as_bytes());
        let signed_info = canonical(&unsigned(&digest, ""), Some("SignedInfo"));
        let value = self.key.sign(&signed_info).expect("a signature");
        unsigned(&digest, &STANDARD.encode(value))
    }

    fn judge(&self, packet: &str, has_list: bool) -> PacketSeal {
        let tree = Tree::parse(packet.as_bytes(), &Limits::default()).expect("well-formed");
        PacketSeal::judge(&tree, &self.snapshot(has_list), now())
    }
}

/// The canonical form of the last element of this name, or of the document without its last signature.
fn canonical(text: &str, element: Option<&str>) -> Vec<u8> {
    let tree = Tree::parse(text.as_bytes(), &Limits::default()).expect("well-formed");
    let find = |name: &str| -> Element<'_, '_> {
        let elements = tree.walk().filter_map(|step| match step {
            Step::Enter(Node::Element(element)) => Some(element),
            Step::Enter(Node::Text(_) | Node::Comment(_) | Node::Instruction { .. }) | Step::Leave(_) => None,
        });
        let named = elements.filter(|one| one.name() == name);
        named.last().expect("it is there")
    };
    let canonicalisation = Canonicalisation {
        form: Form::Inclusive,
        with_comments: false,
    };
    let mut octets = Vec::new();
    match element {
        Some(name) => canonicalisation
            .element(find(name), None, &mut octets)
            .expect("no base outside"),
        None => canonicalisation.document(&tree, Some(find("Signature")), &mut octets),
    }
    octets
}

#[test]
fn a_packets_own_signature_is_valid_until_anything_in_it_changes() {
    let office = Office::new();
    let signed = office.sign("<MessageHeader>1</MessageHeader>");
    assert_eq!(office.judge(&signed, true).worth(), PacketWorth::Valid);
    let changed = signed.replace("<MessageHeader>1", "<MessageHeader>2");
    let hash = Indication::TotalFailed(SubIndication::HashFailure);
    assert_eq!(office.judge(&changed, true).worth(), PacketWorth::Invalid(hash));
    let unknown = office.judge(&signed, false);
    assert_eq!(
        unknown.worth(),
        PacketWorth::NotNow,
        "nobody knows whether it is revoked"
    );
    assert!(
        matches!(unknown.needs[..], [Need::Crl { .. }]),
        "{:?}",
        unknown.needs
    );
}

#[test]
fn none_and_what_only_looks_like_one_are_told_apart() {
    let office = Office::new();
    let worth = |packet: &str| office.judge(packet, true).worth();
    assert_eq!(worth("<edXML><MessageHeader/></edXML>"), PacketWorth::Absent);
    assert_eq!(worth("<edXML><Signature/></edXML>"), PacketWorth::Placeholder);
}

#[test]
fn what_is_demanded_decides_what_gates() {
    let office = Office::new();
    let signed = office.sign("<MessageHeader/>");
    let spoilt = signed.replace("<MessageHeader/>", "<MessageHeader>x</MessageHeader>");
    let own = office.certificate.fingerprint();
    let gate = |packet: &str, has_list: bool, demand: PacketDemand, is_own: bool| {
        let seal = office.judge(packet, has_list);
        let (refusal, needs) = seal.gate(demand, |signer| is_own && *signer == own);
        (refusal.map(|refusal| refusal.code), needs.len())
    };
    use PacketDemand::{Nothing, Sound, SoundIfPresent};
    let (missing, invalid) = (
        Some(RefusalCode::PacketSignatureMissing),
        Some(RefusalCode::PacketSignatureInvalid),
    );
    let bare = "<edXML><Signature/></edXML>";
    for (packet, has_list, is_own, expected) in [
        (bare, true, true, [(None, 0), (None, 0), (missing, 0)]),
        (&*signed, true, true, [(None, 0), (None, 0), (None, 0)]),
        (
            &signed,
            true,
            false,
            [
                (None, 0),
                (Some(RefusalCode::SignerNotSender), 0),
                (Some(RefusalCode::SignerNotSender), 0),
            ],
        ),
        (&spoilt, true, true, [(None, 0), (invalid, 0), (invalid, 0)]),
        (&signed, false, true, [(None, 0), (None, 1), (None, 1)]),
    ] {
        let found = [Nothing, SoundIfPresent, Sound].map(|demand| gate(packet, has_list, demand, is_own));
        assert_eq!(found, expected, "{packet}");
    }
}

#[test]
fn a_signature_over_a_part_says_nothing_of_the_packet_whosever_it_is() {
    // One office signs a part; another one puts that into a packet of its own, and signs the whole.
    let (honest, other) = (Office::new(), Office::new());
    let part = honest.sign_part("<Part Id=\"a\">x</Part>", "#a", C14N);
    let start = part.find("<Part").expect("a part");
    let inner = &part[start..part.len() - "</edXML>".len()];
    let packet = other.sign(inner);
    let snapshot = Snapshot::new(
        vec![Arc::clone(&honest.root), Arc::clone(&other.root)],
        vec![],
        vec![Arc::clone(&honest.list), Arc::clone(&other.list)],
        Policy::default(),
        1,
    );
    let tree = Tree::parse(packet.as_bytes(), &Limits::default()).expect("well-formed");
    let seal = PacketSeal::judge(&tree, &snapshot, now());
    assert_eq!(
        seal.worth(),
        PacketWorth::Valid,
        "all pass, and one covers the packet"
    );
    let gate = |own: Digest| seal.gate(PacketDemand::Sound, |signer| *signer == own).0;
    assert_eq!(gate(other.certificate.fingerprint()), None);
    let refusal = gate(honest.certificate.fingerprint()).map(|refusal| refusal.code);
    assert_eq!(refusal, Some(RefusalCode::SignerNotSender));
}

#[test]
fn a_demand_of_one_agency_is_found_by_its_code() {
    let directory = samples::directory(&[samples::added(1, &["X01"], None)]);
    let (agency, code) = (samples::id(1), samples::code("X01"));
    let demands = PacketDemands {
        usual: PacketDemand::SoundIfPresent,
        named: vec![(code, PacketDemand::Sound)],
    };
    assert_eq!(demands.of(agency, &directory, now()), PacketDemand::Sound);
    assert_eq!(
        demands.of(agency, &Directory::new(), now()),
        PacketDemand::SoundIfPresent
    );
    assert!(demands.unknown(&directory, now()).is_empty());
    assert_eq!(demands.unknown(&Directory::new(), now()), [&samples::code("X01")]);
}

#[test]
fn what_it_is_worth_is_remarked_whatever_is_demanded() {
    let office = Office::new();
    let signed = office.sign("<MessageHeader/>");
    let remark = |packet: &str, has_list| office.judge(packet, has_list).remark();
    let told = |about: &'static str| Some(Remark::new("packet-signature", about));
    assert_eq!(remark(&signed, true), told("valid"));
    assert_eq!(remark(&signed, false), told("not now"));
    assert_eq!(remark("<edXML><Signature/></edXML>", true), told("placeholder"));
    let spoilt = signed.replace("<MessageHeader/>", "<MessageHeader>x</MessageHeader>");
    assert_eq!(remark(&spoilt, true), told("invalid: TOTAL-FAILED/HASH_FAILURE"));
    assert_eq!(remark("<edXML/>", true), None);
}
