//! XAdES-T: what a time-stamp over the signature value proves, and where it proves nothing.

use rcgen::RevocationReason;

use super::properties::{bound, draft};
use super::*;
use crate::asn1::{oid, write};
use crate::report::{Indication, Remark, SubIndication};
use crate::testing::stamp::Stamp;
use crate::testing::{as_is, list_extension};
use crate::tsp::TokenFault;
use crate::{Need, RevocationList, Snapshot, TimeStampKind};

/// Before and after the first of May 2026, when certificates of the tests are revoked.
const APRIL: &str = "20260420080000Z";
const MAY: &str = "20260520080000Z";

/// What is to be put where unsigned properties stand.
const UNSIGNED: &str = "<x:UnsignedProperties><x:UnsignedSignatureProperties>|\
                        </x:UnsignedSignatureProperties></x:UnsignedProperties>";

/// Canonical XML writes the namespaces of ancestors, the exclusive form does not.
const DOCUMENT: &str = "<a xmlns:n='urn:n'>1{}</a>";

struct Office {
    world: World,
    authority: Leaf,
}

impl Office {
    fn new() -> Self {
        let world = World::new();
        let authority = world.issuing.time_stamper(200);
        Self { world, authority }
    }

    /// Signed by the organisation, with a mark for unsigned properties.
    fn signed(&self) -> String {
        let signer = &self.world.organisation;
        draft(signer, &bound(signer, None), UNSIGNED).sign(DOCUMENT)
    }

    /// Signed so, with a time-stamp of this time in this form, which is named where it is not the default.
    fn stamped(&self, time: &str, method: Option<&str>) -> String {
        let text = self.signed();
        let token = Stamp::over(&value_octets(&text, method.unwrap_or(C14N)), time).sign(&self.authority);
        text.replace('|', &property(method, &[token]))
    }

    fn lists(&self, revoked: &[(u64, RevocationReason)]) -> Vec<Arc<RevocationList>> {
        vec![self.world.root.list(&[]), self.world.issuing.list(revoked)]
    }

    /// Where the organisation is revoked since the first of May.
    fn revoking(&self) -> Snapshot {
        self.world
            .snapshot(self.lists(&[(101, RevocationReason::KeyCompromise)]))
    }
}

/// SignatureValue of the first signature in this canonical form.
fn value_octets(text: &str, method: &str) -> Vec<u8> {
    let tree = tree(text);
    let form = match method {
        EXC_C14N => Form::Exclusive {
            inclusive_prefixes: Vec::new(),
        },
        _ => Form::Inclusive,
    };
    let method = Canonicalisation {
        form,
        with_comments: false,
    };
    let mut document = Document::of(&tree).expect("ids");
    let octets = document.canonical(named(&tree, "SignatureValue"), &method);
    octets.expect("a canonical form")
}

/// A SignatureTimeStamp with these tokens.
fn property(method: Option<&str>, tokens: &[Vec<u8>]) -> String {
    let method = method.map(|method| format!(r#"<CanonicalizationMethod Algorithm="{method}"/>"#));
    let tokens: String = tokens.iter().map(|token| encapsulated(token)).collect();
    let method = method.unwrap_or_default();
    format!("<x:SignatureTimeStamp>{method}{tokens}</x:SignatureTimeStamp>")
}

fn encapsulated(token: &[u8]) -> String {
    format!(
        "<x:EncapsulatedTimeStamp>{}</x:EncapsulatedTimeStamp>",
        STANDARD.encode(token)
    )
}

fn judge(text: &str, snapshot: &Snapshot) -> SealReport {
    let tree = tree(text);
    let seals = validate(&tree, Dialect::Standard, snapshot, now());
    seals.first().expect("a signature").report().clone()
}

fn is_refused(report: &SealReport) -> bool {
    report.indication == Indication::Indeterminate(SubIndication::RevokedNoPoe) && report.needs.is_empty()
}

#[test]
fn a_time_stamp_gives_the_best_signature_time_and_saves_who_was_revoked_later() {
    let office = Office::new();
    let good = office.world.good();
    for method in [None, Some(C14N), Some(EXC_C14N)] {
        let text = office.stamped(APRIL, method);
        let report = judge(&text, &good);
        assert_eq!(report.failure, None);
        assert!(report.remarks.is_empty(), "{:?}", report.time_stamps);
        assert_eq!(report.best_signature_time.to_string(), "2026-04-20T08:00:00Z");
        let [stamp] = &report.time_stamps[..] else {
            panic!("one time-stamp");
        };
        assert_eq!(
            (stamp.kind, stamp.revocation.len()),
            (TimeStampKind::Signature, 2)
        );
        assert!(judge(&text, &office.revoking()).is_passed());
        assert!(is_refused(&judge(
            &office.stamped(MAY, method),
            &office.revoking()
        )));
    }
    assert!(is_refused(&judge(
        &office.signed().replace('|', ""),
        &office.revoking()
    )));
}

#[test]
fn the_earliest_of_several_tokens_counts_and_too_many_are_not_read() {
    let office = Office::new();
    let text = office.signed();
    let octets = value_octets(&text, C14N);
    let token = |time: &str| Stamp::over(&octets, time).sign(&office.authority);
    let two = property(None, &[token(MAY), token(APRIL)]);
    for more in [
        two,
        property(None, &[token(MAY)]) + &property(None, &[token(APRIL)]),
    ] {
        let report = judge(&text.replace('|', &more), &office.revoking());
        assert_eq!(report.failure, None);
        assert_eq!(report.time_stamps.len(), 2);
        assert_eq!(report.best_signature_time.to_string(), "2026-04-20T08:00:00Z");
    }
    let late = token(MAY);
    let many = |count: usize| property(None, &vec![late.clone(); count]);
    for more in [
        many(15) + &property(None, &[token(APRIL)]),
        many(16) + &many(0).replace("TimeStamp", "Other"),
    ] {
        let report = judge(&text.replace('|', &more), &office.world.good());
        assert_eq!(report.time_stamps.len(), 16);
        assert!(report.remarks.is_empty());
    }
    for more in [many(16) + &property(None, &[token(APRIL)]), many(17)] {
        let report = judge(&text.replace('|', &more), &office.revoking());
        assert_eq!(report.time_stamps.len(), 16);
        assert_eq!(report.remarks, [Remark::TimeStampIgnored]);
        assert!(is_refused(&report));
    }
}

#[test]
fn what_each_token_digests_is_paid_for_by_its_size() {
    let office = Office::new();
    let signer = &office.world.organisation;
    // Two MiB of a namespace that SignatureValue inherits.
    let document = DOCUMENT.replace("urn:n", &"u".repeat(2 << 20));
    let mut draft = draft(signer, &bound(signer, None), UNSIGNED);
    draft.canonicalisation = draft.canonicalisation.replace(C14N, EXC_C14N);
    let text = draft.sign(&document);
    let token = Stamp::over(&value_octets(&text, C14N), APRIL).sign(&office.authority);
    let text = text.replace('|', &property(None, &[token]));
    let stamp = |signature_checks_max: u32| {
        let policy = Policy {
            signature_checks_max,
            ..Policy::default()
        };
        let anchors = vec![Arc::clone(&office.world.root.certificate)];
        let candidates = vec![Arc::clone(&office.world.issuing.certificate)];
        let snapshot = Snapshot::new(anchors, candidates, office.lists(&[]), policy, 1);
        judge(&text, &snapshot).time_stamps.remove(0)
    };
    // Three for the octets, one for the token, two for its path, two for the lists.
    assert!(stamp(8).is_passed());
    assert_eq!(stamp(7).failure, Some(Failure::BudgetSpent));
    assert_eq!(stamp(2).failure, Some(Failure::BudgetSpent));
}

#[test]
fn a_token_over_anything_else_proves_nothing() {
    let office = Office::new();
    let text = office.signed();
    let with = |property: &str| judge(&text.replace('|', property), &office.revoking());
    let token = |octets: &[u8]| Stamp::over(octets, APRIL).sign(&office.authority);
    let inclusive = value_octets(&text, C14N);
    let exclusive = value_octets(&text, EXC_C14N);
    assert_ne!(inclusive, exclusive);
    let unknown = "http://www.w3.org/TR/xml-exc-c14n#";
    let value = {
        let tree = tree(&text);
        STANDARD
            .decode(named(&tree, "SignatureValue").text().as_ref())
            .expect("base64")
    };
    let cases = [
        // Another signature's value, the octets of the value, the value in another form than is named.
        (
            property(None, &[token(&value_octets(&office.signed(), C14N))]),
            Failure::TimeStampImprint,
        ),
        (property(None, &[token(&value)]), Failure::TimeStampImprint),
        (
            property(Some(EXC_C14N), &[token(&inclusive)]),
            Failure::TimeStampImprint,
        ),
        (property(None, &[token(&exclusive)]), Failure::TimeStampImprint),
        (
            property(Some(unknown), &[token(&inclusive)]),
            Unsupported::CanonicalizationMethod(unknown.to_owned()).into(),
        ),
        (
            property(None, &[token(&inclusive)]).replace("<x:Enc", "text<x:Enc"),
            Fault::Content("SignatureTimeStamp".to_owned()).into(),
        ),
        (
            property(None, &[]),
            Fault::ElementAbsent("EncapsulatedTimeStamp").into(),
        ),
        (
            property(None, &[token(&inclusive)]).replace("</x:Enc", "!</x:Enc"),
            Fault::Base64("EncapsulatedTimeStamp".to_owned()).into(),
        ),
    ];
    for (property, failure) in cases {
        let report = with(&property);
        assert!(is_refused(&report), "{failure}: {:?}", report.failure);
        assert_eq!(report.time_stamps[0].failure, Some(failure));
        assert_eq!(report.remarks, [Remark::TimeStampInvalid]);
        assert_eq!(report.best_signature_time, now());
        // Nor does it harm.
        assert!(judge(&text.replace('|', &property), &office.world.good()).is_passed());
    }
    let report = with(&property(None, &[b"\x04\x01a".to_vec()]));
    let malformed = report.time_stamps[0].failure.clone();
    assert!(matches!(
        malformed,
        Some(Failure::TimeStampMalformed(TokenFault::Structure(_)))
    ));
    // A stranger's token is over the right octets.
    let stranger = Office::new();
    let report = with(&property(
        None,
        &[Stamp::over(&inclusive, APRIL).sign(&stranger.authority)],
    ));
    assert!(is_refused(&report));
    assert!(matches!(
        report.time_stamps[0].failure,
        Some(Failure::NoPath { .. })
    ));
}

#[test]
fn a_time_stamp_counts_only_where_it_stands_among_the_properties_of_its_signature() {
    let office = Office::new();
    let text = office.signed();
    let token = Stamp::over(&value_octets(&text, C14N), APRIL).sign(&office.authority);
    let stamp = property(None, &[token]);
    let holder = text.replace('|', "");
    let wrapped = UNSIGNED.replace('|', &stamp);
    let empty = UNSIGNED.replace('|', "");
    let declared = format!(r#"xmlns:x="{}""#, super::super::properties::XADES);
    let places = [
        // Deeper, beside, of another namespace, in an object of its own, around the signature.
        text.replace('|', &format!("<x:Other>{stamp}</x:Other>")),
        holder.replace(
            &empty,
            &format!("<x:UnsignedProperties>{stamp}</x:UnsignedProperties>"),
        ),
        text.replace(
            '|',
            &stamp.replace("x:SignatureTimeStamp>", "x:Signaturetimestamp>"),
        ),
        text.replace(
            '|',
            &stamp
                .replace("<x:SignatureTimeStamp>", "<y:SignatureTimeStamp xmlns:y='urn:y'>")
                .replace("</x:SignatureTimeStamp>", "</y:SignatureTimeStamp>"),
        ),
        holder.replace(
            "</Signature>",
            &format!("<Object {declared}>{wrapped}</Object></Signature>"),
        ),
        holder.replace(&empty, &format!("{empty}<x:Other>{wrapped}</x:Other>")),
    ];
    for text in places {
        let report = judge(&text, &office.revoking());
        assert!(is_refused(&report), "{text}");
        assert!(report.time_stamps.is_empty());
    }
    assert!(judge(&text.replace('|', &stamp), &office.revoking()).is_passed());
}

#[test]
fn time_stamps_of_other_kinds_are_noted() {
    let office = Office::new();
    let text = office.signed();
    let octets = value_octets(&text, C14N);
    let stamp = property(None, &[Stamp::over(&octets, APRIL).sign(&office.authority)]);
    let encoded = |encoding: &str| {
        let attribute =
            format!("<x:EncapsulatedTimeStamp Encoding='http://uri.etsi.org/01903/v1.2.2#{encoding}'>");
        stamp.replace("<x:EncapsulatedTimeStamp>", &attribute)
    };
    for property in [
        stamp.replace("SignatureTimeStamp", "SigAndRefsTimeStamp"),
        stamp.replace("SignatureTimeStamp", "ArchiveTimeStamp"),
        stamp.replace("SignatureTimeStamp", "RefsOnlyTimeStampV2"),
        stamp.replace("EncapsulatedTimeStamp", "XMLTimeStamp"),
        stamp.replace("<x:Enc", "<x:Include URI='#s'/><x:Enc"),
        encoded("XER"),
    ] {
        let report = judge(&text.replace('|', &property), &office.revoking());
        assert!(is_refused(&report), "{property}");
        assert_eq!(report.remarks, [Remark::TimeStampIgnored]);
    }
    for encoding in ["DER", "BER"] {
        assert!(judge(&text.replace('|', &encoded(encoding)), &office.revoking()).is_passed());
    }
    let content = "<x:SignedDataObjectProperties><x:AllDataObjectsTimeStamp/></x:SignedDataObjectProperties>";
    let signer = &office.world.organisation;
    let mut draft = draft(signer, &bound(signer, None), "");
    draft.objects = draft.objects.replace(
        "</x:SignedProperties>",
        &format!("{content}</x:SignedProperties>"),
    );
    let report = judge(&draft.sign(DOCUMENT), &office.world.good());
    assert!(report.is_passed());
    assert_eq!(report.remarks, [Remark::TimeStampIgnored]);
}

#[test]
fn a_certificate_that_is_not_bound_gains_nothing() {
    let office = Office::new();
    let signer = &office.world.organisation;
    let text = draft(signer, "", UNSIGNED).sign(DOCUMENT);
    let token = Stamp::over(&value_octets(&text, C14N), APRIL).sign(&office.authority);
    let text = text.replace('|', &property(None, &[token]));
    let report = judge(&text, &office.revoking());
    assert!(is_refused(&report));
    assert!(report.time_stamps[0].is_passed());
    assert_eq!(report.best_signature_time, now());
    assert!(judge(&text, &office.world.good()).is_passed());
}

#[test]
fn a_signature_waits_for_a_time_stamp_that_would_save_it() {
    let office = Office::new();
    let timing = office.world.root.authority("Timing", 3, as_is);
    let authority = timing.time_stamper(200);
    let snapshot = |more: Vec<Arc<RevocationList>>| {
        let candidates = [&office.world.issuing.certificate, &timing.certificate].map(Arc::clone);
        let anchors = vec![Arc::clone(&office.world.root.certificate)];
        let lists = office.lists(&[(101, RevocationReason::KeyCompromise)]);
        Snapshot::new(
            anchors,
            candidates.to_vec(),
            [lists, more].concat(),
            Policy::default(),
            1,
        )
    };
    let with = |time: &str| {
        let text = office.signed();
        let token = Stamp::over(&value_octets(&text, C14N), time).sign(&authority);
        text.replace('|', &property(None, &[token]))
    };
    let text = with(APRIL);
    let report = judge(&text, &snapshot(Vec::new()));
    assert!(report.is_try_later());
    assert!(matches!(&report.needs[..], [Need::Crl { issuers, .. }] if issuers[0] == timing.certificate));
    assert!(judge(&text, &snapshot(vec![timing.list(&[])])).is_passed());
    let revoked = timing.list(&[(200, RevocationReason::KeyCompromise)]);
    assert!(is_refused(&judge(&text, &snapshot(vec![revoked]))));
    assert!(is_refused(&judge(&with(MAY), &snapshot(Vec::new()))));
    let changed = judge(&text.replace("1<", "2<"), &snapshot(Vec::new()));
    assert_eq!(changed.failure, Some(Failure::DigestMismatch));
}

#[test]
fn what_came_with_a_signature_is_used_and_not_believed() {
    let (office, stranger) = (Office::new(), World::new());
    let world = &office.world;
    let values = |authorities: &[&Arc<Certificate>], lists: &[Arc<RevocationList>]| {
        let certificates: String = authorities
            .iter()
            .map(|one| {
                format!(
                    "<x:EncapsulatedX509Certificate>{}</x:EncapsulatedX509Certificate>",
                    STANDARD.encode(one.der())
                )
            })
            .collect();
        let lists: String = lists
            .iter()
            .map(|list| {
                format!(
                    "<x:EncapsulatedCRLValue>{}</x:EncapsulatedCRLValue>",
                    STANDARD.encode(list.der())
                )
            })
            .collect();
        let text = format!(
            "<x:CertificateValues>{certificates}</x:CertificateValues>\
             <x:RevocationValues><x:CRLValues>{lists}</x:CRLValues></x:RevocationValues>"
        );
        office.signed().replace('|', &text)
    };
    let bare = |lists: Vec<Arc<RevocationList>>| {
        let anchors = vec![Arc::clone(&world.root.certificate)];
        Snapshot::new(anchors, Vec::new(), lists, Policy::default(), 1)
    };
    let issuing = &world.issuing.certificate;
    let number = || list_extension(&oid::CRL_NUMBER, false, &[2, 1, 8]);
    let young = [&world.root, &world.issuing].map(|authority| authority.list_with(&[], &[number()]));
    assert!(judge(&values(&[issuing], &young), &bare(Vec::new())).is_passed());
    assert!(judge(&values(&[issuing], &[]), &bare(office.lists(&[]))).is_passed());
    let alone = judge(&values(&[], &young), &bare(Vec::new()));
    assert!(matches!(alone.failure, Some(Failure::NoPath { .. })));
    // Too old to settle the present, of others, and what revokes.
    assert!(judge(&values(&[issuing], &office.lists(&[])), &bare(Vec::new())).is_try_later());
    let strange = [&stranger.root, &stranger.issuing].map(|authority| authority.list_with(&[], &[number()]));
    assert!(judge(&values(&[issuing], &strange), &bare(Vec::new())).is_try_later());
    let revoked = office.lists(&[(101, RevocationReason::KeyCompromise)]);
    assert!(is_refused(&judge(
        &values(&[issuing], &revoked),
        &bare(office.lists(&[]))
    )));
    let foreign = judge(
        &values(&[&stranger.issuing.certificate], &young),
        &bare(Vec::new()),
    );
    assert!(matches!(foreign.failure, Some(Failure::NoPath { .. })));
    let spoilt = values(&[issuing], &young).replace("<x:EncapsulatedCRLValue>", "<x:EncapsulatedCRLValue>!");
    assert!(judge(&spoilt, &bare(Vec::new())).is_try_later());
}

#[test]
fn responses_of_revocation_values_are_gathered() {
    let office = Office::new();
    let response = write::constructed(0x30, &[&[0x0A, 1, 0], &[0xA0, 0]]);
    let values = format!(
        "<x:RevocationValues><x:OCSPValues><x:EncapsulatedOCSPValue>{}</x:EncapsulatedOCSPValue></x:OCSPValues></x:RevocationValues>",
        STANDARD.encode(&response)
    );
    let text = office.signed().replace('|', &values);
    let tree = tree(&text);
    let signature = Signature::read(named(&tree, "Signature")).expect("a signature");
    let properties = super::super::properties::Properties::read(&signature).expect("properties");
    let gathered = time_stamp::gather(&[], &properties);
    assert_eq!(
        gathered.responses.iter().map(|one| &*one.der).collect::<Vec<_>>(),
        [&response[..]]
    );
}
