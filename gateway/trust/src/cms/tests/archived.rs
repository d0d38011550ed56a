//! What comes with a signature for the long term: archive time-stamps, lists, responses.

use rcgen::{RevocationReason, date_time_ymd};

use super::*;
use crate::asn1::Element;
use crate::testing::stamp::{Parts, Stamp, algorithm, attribute, stamps};
use crate::testing::{Authority, IsCritical, Leaf, as_is, list_extension};
use crate::tsp::TokenFault;
use crate::{Need, RevocationList, TimeStampKind};

const MAY: &str = "20260520080000Z";

/// What an archive time-stamp is made to say.
#[derive(Clone, Default)]
struct Index {
    /// Digests of what is not there, among those of attributes.
    strangers: Vec<Vec<u8>>,
    /// Leaves out the attributes of the signature.
    is_bare: bool,
    /// Leaves out its certificates.
    is_without_certificates: bool,
    /// Another algorithm than that of the imprint.
    is_of_other_algorithm: bool,
    is_absent: bool,
}

impl Index {
    fn octets(&self, parts: &Parts) -> Vec<u8> {
        let digests = |of: &[Vec<u8>]| {
            let each = of.iter().flat_map(|octets| {
                let digest = DigestAlgorithm::Sha256.digest(&[octets]);
                write::element(tag::OCTET_STRING, digest.as_ref())
            });
            write::element(tag::SEQUENCE, &each.collect::<Vec<u8>>())
        };
        let certificates: &[Vec<u8>] = if self.is_without_certificates {
            &[]
        } else {
            &parts.certificates
        };
        let mut attributes = self.strangers.clone();
        if !self.is_bare {
            attributes.extend(parts.unsigned.iter().map(|attribute| type_and_value(attribute)));
        }
        write::constructed(
            tag::SEQUENCE,
            &[
                &algorithm(if self.is_of_other_algorithm {
                    &oid::DIGEST_SHA512
                } else {
                    &oid::DIGEST_SHA256
                }),
                &digests(certificates),
                &digests(&parts.lists),
                &digests(&attributes),
            ],
        )
    }

    /// The archive time-stamp of a signature as it is.
    fn token(&self, parts: &Parts, authority: &Leaf, time: &str) -> Vec<u8> {
        let index = self.octets(parts);
        let content = DigestAlgorithm::Sha256.digest(&[CONTENT]);
        let stamped = [
            write::object_identifier(&parts.content_type),
            content.as_ref().to_vec(),
            parts.fields.concat(),
            index.clone(),
        ];
        let token = Stamp::over(&stamped.concat(), time).parts(authority);
        if self.is_absent {
            return token.encode();
        }
        token.with(&oid::ATTRIBUTE_ATS_HASH_INDEX_V3, &index).encode()
    }

    /// The signature with that archive time-stamp.
    fn archive(&self, parts: Parts, authority: &Leaf, time: &str) -> Parts {
        let token = self.token(&parts, authority, time);
        parts.with(&oid::ATTRIBUTE_ARCHIVE_TIME_STAMP_V3, &token)
    }
}

/// The type of an attribute and its one value, one after the other.
fn type_and_value(attribute: &[u8]) -> Vec<u8> {
    let mut reader = crate::asn1::Reader::new(attribute)
        .sequence()
        .expect("an attribute");
    let (kind, values): (Element<'_>, Element<'_>) =
        (reader.next().expect("a type"), reader.next().expect("values"));
    [kind.whole, values.content].concat()
}

/// A time-stamp authority whose certificate ended on the last of May.
fn ended(world: &World) -> Leaf {
    world.issuing.changed_leaf("Ended", 201, &|params| {
        stamps(params, &[&oid::PURPOSE_TIME_STAMPING], IsCritical::Yes);
        params.not_after = date_time_ymd(2026, 5, 31);
    })
}

fn lists(world: &World, revoked: &[(u64, RevocationReason)]) -> Vec<Arc<RevocationList>> {
    vec![
        world.root.list(&[]),
        world.issuing.list(revoked),
        world.issuing.list_of(&[], (5, 21), (5, 31)),
    ]
}

fn judge(world: &World, parts: &Parts, lists: Vec<Arc<RevocationList>>) -> SealReport {
    let snapshot = world.snapshot(lists);
    sole(validate(&parts.encode(), CONTENT, &snapshot, now()))
}

/// A signature with a signature-time-stamp of April by an authority that has ended since.
fn stamped_by_ended(world: &World) -> Parts {
    let mut parts = Parts::of_data(&world.organisation, CONTENT, &[]);
    parts.lists = vec![world.root.list(&[]).der().to_vec()];
    let token = Stamp::over(&parts.value, "20260420080000Z").sign(&ended(world));
    parts.stamped(&token)
}

#[test]
fn an_archive_time_stamp_keeps_an_older_one_alive() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let alone = judge(&world, &stamped_by_ended(&world), lists(&world, &[]));
    assert!(alone.is_passed());
    assert_eq!(alone.best_signature_time, now());
    assert!(matches!(
        alone.time_stamps[0].failure,
        Some(Failure::Expired { .. })
    ));
    let parts = Index::default().archive(stamped_by_ended(&world), &authority, MAY);
    let report = judge(&world, &parts, lists(&world, &[]));
    let kinds: Vec<(TimeStampKind, bool)> = report
        .time_stamps
        .iter()
        .map(|stamp| (stamp.kind, stamp.is_passed()))
        .collect();
    assert_eq!(
        kinds,
        [(TimeStampKind::Archive, true), (TimeStampKind::Signature, true)]
    );
    assert_eq!(report.best_signature_time.to_string(), "2026-04-20T08:00:00Z");
    // So that a signer revoked in May is excused.
    let revoked = lists(&world, &[(101, RevocationReason::KeyCompromise)]);
    assert!(judge(&world, &parts, revoked).is_passed());
}

/// A snapshot in which an issuer of time-stamp authorities has no list yet but these.
fn snapshot_with(world: &World, timing: &Authority, lists: Vec<Arc<RevocationList>>) -> Snapshot {
    let candidates = [&world.issuing.certificate, &timing.certificate].map(Arc::clone);
    let anchors = vec![Arc::clone(&world.root.certificate)];
    Snapshot::new(anchors, candidates.to_vec(), lists, Policy::default(), 1)
}

#[test]
fn a_signature_waits_for_an_archive_time_stamp_that_would_save_it() {
    let world = World::new();
    let timing = world.root.authority("Timing", 3, as_is);
    let authority = timing.time_stamper(200);
    let judge = |parts: &Parts, more: Vec<Arc<RevocationList>>| {
        let revoked = lists(&world, &[(101, RevocationReason::KeyCompromise)]);
        let snapshot = snapshot_with(&world, &timing, [revoked, more].concat());
        sole(validate(&parts.encode(), CONTENT, &snapshot, now()))
    };
    let waits_only_for_timing = |report: &SealReport| {
        let is_its_list =
            |need: &Need| matches!(need, Need::Crl { issuers, .. } if issuers[0] == timing.certificate);
        report.is_try_later() && matches!(&report.needs[..], [need] if is_its_list(need))
    };
    // Before the first of May, when the signer was revoked.
    let plain = Parts::of_data(&world.organisation, CONTENT, &[]);
    let archived = Index::default().archive(plain, &authority, "20260420080000Z");
    assert!(waits_only_for_timing(&judge(&archived, Vec::new())));
    assert!(judge(&archived, vec![timing.list(&[])]).is_passed());
    // After; but it keeps one alive that is from before.
    let kept = Index::default().archive(stamped_by_ended(&world), &authority, MAY);
    let report = judge(&kept, Vec::new());
    assert!(waits_only_for_timing(&report), "{:?}", report.failure);
    assert_eq!(report.best_signature_time, now());
    assert!(judge(&kept, vec![timing.list(&[])]).is_passed());
    // Which it does not where it does not name it, is from after its end, or alleges to be older than it.
    let bare = Index {
        is_bare: true,
        ..Index::default()
    };
    for (index, time) in [
        (bare, MAY),
        (Index::default(), "20260602080000Z"),
        (Index::default(), "20260410080000Z"),
    ] {
        let parts = index.archive(stamped_by_ended(&world), &authority, time);
        let report = judge(&parts, Vec::new());
        if time == "20260410080000Z" {
            // By itself it is from before, so that it would save the signature if the other one did not pass.
            assert!(report.is_try_later(), "{:?}", report.failure);
        } else {
            assert_eq!(
                report.indication,
                Indication::Indeterminate(SubIndication::RevokedNoPoe),
                "{time}"
            );
            assert!(report.needs.is_empty());
        }
    }
}

#[test]
fn what_the_index_does_not_name_is_not_kept_alive() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let bare = Index {
        is_bare: true,
        ..Index::default()
    };
    let parts = bare.archive(stamped_by_ended(&world), &authority, MAY);
    let report = judge(&world, &parts, lists(&world, &[]));
    assert!(report.time_stamps[0].is_passed());
    assert!(!report.time_stamps[1].is_passed());
    // The archive time-stamp itself proves the signature to have existed.
    assert_eq!(report.best_signature_time.to_string(), "2026-05-20T08:00:00Z");
}

#[test]
fn an_archive_time_stamp_is_over_all_that_it_names() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let first_failure = |parts: &Parts| {
        let report = judge(&world, parts, lists(&world, &[]));
        assert_eq!(report.time_stamps[0].kind, TimeStampKind::Archive);
        report.time_stamps[0].failure.clone()
    };
    let of = |index: Index| first_failure(&index.archive(stamped_by_ended(&world), &authority, MAY));
    assert_eq!(of(Index::default()), None);
    let stranger = Index {
        strangers: vec![b"gone".to_vec()],
        ..Index::default()
    };
    assert_eq!(of(stranger), Some(Failure::TimeStampImprint));
    let malformed = Some(Failure::TimeStampMalformed(TokenFault::HashIndex));
    let absent = Index {
        is_absent: true,
        ..Index::default()
    };
    assert_eq!(of(absent), malformed);
    let other = Index {
        is_of_other_algorithm: true,
        ..Index::default()
    };
    assert_eq!(of(other), malformed);
    // A list that is gone, a certificate that is gone, another signature.
    let archived = || Index::default().archive(stamped_by_ended(&world), &authority, MAY);
    let mut changed = archived();
    changed.lists.clear();
    assert_eq!(first_failure(&changed), Some(Failure::TimeStampImprint));
    let mut changed = archived();
    changed.unsigned.remove(0);
    assert_eq!(first_failure(&changed), Some(Failure::TimeStampImprint));
    let mut changed = archived();
    let again = Parts::of_data(&world.organisation, CONTENT, &[]);
    changed.fields = again.fields;
    assert_eq!(first_failure(&changed), Some(Failure::TimeStampImprint));
    // What was added since is not covered, and harms nothing.
    let mut changed = archived();
    changed.certificates.push(world.person.certificate.der().to_vec());
    assert_eq!(first_failure(&changed), None);
}

#[test]
fn an_archive_time_stamp_proves_a_certificate_that_it_names_where_none_is_bound() {
    let world = World::new();
    let timing = world.root.authority("Timing", 3, as_is);
    let revoked = || lists(&world, &[(101, RevocationReason::KeyCompromise)]);
    let unbound = || Parts::sign(&world.organisation, oid::CONTENT_DATA, CONTENT, &[]);
    let with = |index: Index, parts: Parts, authority: &Leaf| {
        let archived = index.archive(parts, authority, "20260420080000Z");
        let snapshot = snapshot_with(&world, &timing, revoked());
        sole(validate(&archived.encode(), CONTENT, &snapshot, now()))
    };
    let silent = Index {
        is_without_certificates: true,
        ..Index::default()
    };
    let refused =
        |report: SealReport| report.indication == Indication::Indeterminate(SubIndication::RevokedNoPoe);
    let authority = world.issuing.time_stamper(200);
    let report = with(Index::default(), unbound(), &authority);
    assert_eq!(report.failure, None);
    assert_eq!(report.best_signature_time.to_string(), "2026-04-20T08:00:00Z");
    assert!(refused(with(silent.clone(), unbound(), &authority)));
    let bound = Parts::of_data(&world.organisation, CONTENT, &[]);
    assert!(with(silent.clone(), bound, &authority).is_passed());
    // One that is put in afterwards is not named.
    let mut swapped = unbound();
    let own = std::mem::take(&mut swapped.certificates);
    let mut swapped = Index::default().archive(swapped, &authority, "20260420080000Z");
    swapped.certificates = own;
    assert!(refused(judge(&world, &swapped, revoked())));
    // What would prove nothing is not waited for.
    let authority = timing.time_stamper(200);
    assert!(with(Index::default(), unbound(), &authority).is_try_later());
    assert!(refused(with(silent, unbound(), &authority)));
}

#[test]
fn an_archive_time_stamp_older_than_what_it_covers_is_out_of_order() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let mut parts = Parts::of_data(&world.organisation, CONTENT, &[]);
    let token = Stamp::over(&parts.value, MAY).sign(&authority);
    parts = parts.stamped(&token);
    let archived = Index::default().archive(parts, &authority, "20260420080000Z");
    let report = judge(&world, &archived, lists(&world, &[]));
    assert_eq!(report.failure, Some(Failure::TimeStampOrder));
}

#[test]
fn lists_that_come_with_the_signature_are_used_and_not_believed() {
    let (world, other) = (World::new(), World::new());
    let archival = |lists: &[Arc<RevocationList>]| {
        let lists: Vec<u8> = lists.iter().flat_map(|list| list.der().to_vec()).collect();
        let lists = write::element(tag::SEQUENCE, &lists);
        write::element(tag::SEQUENCE, &write::element(0xA0, &lists))
    };
    let signed_with = |lists: &[Arc<RevocationList>], place: usize| {
        let adbe = attribute(&oid::ATTRIBUTE_ADBE_REVOCATION, &archival(lists));
        let signed = if place == 0 { vec![adbe] } else { Vec::new() };
        let mut parts = Parts::of_data(&world.organisation, CONTENT, &signed);
        match place {
            0 => parts,
            1 => parts.with(&oid::ATTRIBUTE_REVOCATION_VALUES, &archival(lists)),
            _ => {
                parts.lists = lists.iter().map(|list| list.der().to_vec()).collect();
                parts
            }
        }
    };
    let number = || list_extension(&oid::CRL_NUMBER, false, &[tag::INTEGER, 1, 8]);
    let good = [&world.root, &world.issuing].map(|authority| authority.list_with(&[], &[number()]));
    let revoked = [
        world.root.list(&[]),
        world.issuing.list(&[(101, RevocationReason::KeyCompromise)]),
    ];
    let strange = [other.root.list(&[]), other.issuing.list(&[])];
    for place in 0..3 {
        let report = judge(&world, &signed_with(&good, place), Vec::new());
        assert_eq!(report.failure, None);
        assert_eq!(report.revocation.len(), 2);
        let report = judge(&world, &signed_with(&revoked, place), Vec::new());
        assert!(matches!(report.failure, Some(Failure::Revoked { .. })));
        assert!(judge(&world, &signed_with(&strange, place), Vec::new()).is_try_later());
    }
    // The newer list speaks first, wherever it is.
    let of_snapshot = vec![world.root.list(&[]), world.issuing.list_of(&[], (5, 1), (7, 1))];
    assert!(judge(&world, &signed_with(&[], 2), of_snapshot.clone()).is_passed());
    let report = judge(&world, &signed_with(&revoked, 2), of_snapshot);
    assert!(matches!(report.failure, Some(Failure::Revoked { .. })));
    let old = [world.root.list(&[]), world.issuing.list_of(&[], (5, 1), (7, 1))];
    let newer = vec![world.issuing.list(&[(101, RevocationReason::KeyCompromise)])];
    // What the sender chose long ago can only revoke.
    assert!(judge(&world, &signed_with(&old, 2), Vec::new()).is_try_later());
    assert!(judge(&world, &signed_with(&[], 2), old.to_vec()).is_passed());
    let report = judge(&world, &signed_with(&old, 2), newer);
    assert!(matches!(report.failure, Some(Failure::Revoked { .. })));
}

#[test]
fn certificates_of_certificate_values_are_candidates() {
    let world = World::new();
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let lists = vec![world.root.list(&[]), world.issuing.list(&[])];
    let snapshot = Snapshot::new(anchors, Vec::new(), lists, Policy::default(), 1);
    let judge = |parts: &Parts| sole(validate(&parts.encode(), CONTENT, &snapshot, now()));
    let parts = Parts::of_data(&world.organisation, CONTENT, &[]);
    assert!(matches!(judge(&parts).failure, Some(Failure::NoPath { .. })));
    let values = write::element(tag::SEQUENCE, world.issuing.certificate.der());
    let parts = parts.with(&oid::ATTRIBUTE_CERTIFICATE_VALUES, &values);
    assert!(judge(&parts).is_passed());
}

#[test]
fn responses_are_gathered_whole_wherever_they_stand() {
    let world = World::new();
    // What is inside does not matter here: a response begins with its status, a basic one with what is signed.
    let whole = write::constructed(tag::SEQUENCE, &[&[tag::ENUMERATED, 1, 0], &[0xA0, 0]]);
    let basic = write::element(tag::SEQUENCE, &[tag::SEQUENCE, 0]);
    let values = write::element(tag::SEQUENCE, &[&whole[..], &basic].concat());
    let values = write::element(tag::SEQUENCE, &write::element(0xA1, &values));
    let choice = |format: &const_oid::ObjectIdentifier, value: &[u8]| {
        write::constructed(0xA1, &[&write::object_identifier(format), value])
    };
    let mut parts =
        Parts::of_data(&world.organisation, CONTENT, &[]).with(&oid::ATTRIBUTE_REVOCATION_VALUES, &values);
    parts.lists = vec![
        choice(&oid::REVOCATION_OCSP_RESPONSE, &whole),
        choice(&oid::OCSP_BASIC, &basic),
        choice(&oid::PURPOSE_ANY, &whole),
    ];
    let bytes = parts.encode();
    let opened = verify::Opened::read(&bytes).expect("a CMS");
    let signed = opened.signed_data(Profile::Detached).expect("a SignedData");
    let mut gathered = Gathered::default();
    gathered.add_rest(&signed, &world.good());
    let bytes_of = write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(&oid::OCSP_BASIC),
            &write::element(tag::OCTET_STRING, &basic),
        ],
    );
    let explicit = write::element(0xA0, &bytes_of);
    let wrapped = write::constructed(tag::SEQUENCE, &[&[tag::ENUMERATED, 1, 0], &explicit]);
    let expected: [&[u8]; 4] = [&whole, &wrapped, &whole, &wrapped];
    let found: Vec<&[u8]> = gathered.responses.iter().map(|response| &*response.der).collect();
    assert_eq!(found, expected);
}

#[test]
fn no_damage_to_what_comes_with_a_signature_panics() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let signature = Index::default()
        .archive(stamped_by_ended(&world), &authority, MAY)
        .encode();
    let snapshot = world.snapshot(lists(&world, &[]));
    let best = sole(validate(&signature, CONTENT, &snapshot, now())).best_signature_time;
    proptest!(ProptestConfig::with_cases(1000), |(at in 0..signature.len(), octet: u8)| {
        let mut damaged = signature.clone();
        damaged[at] = octet;
        for report in validate(&damaged, CONTENT, &snapshot, now()) {
            // No damage proves more than the whole.
            prop_assert!(best <= report.best_signature_time);
        }
    });
}
