//! Tokens made and judged; each refusal beside the case that passes.

use proptest::prelude::*;
use rcgen::RevocationReason;

use super::*;
use crate::asn1::{oid, write};
use crate::policy::{AlgorithmPolicy, Limit, Policy};
use crate::report::SubIndication;
use crate::testing::stamp::{Parts, Stamp, attribute, signing_certificate, stamps};
use crate::testing::{IsCritical, Leaf, World, now};

const DATA: &[u8] = b"what was stamped";
const TIME: &str = "20260610080000Z";

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

    fn judge(&self, token: &[u8]) -> TimeStampReport {
        let token = Token::from_der(token).expect("a token");
        let stamped = Stamped::Parts(&[DATA]);
        verify(
            &token,
            stamped,
            &self.world.good(),
            now(),
            RevocationDemand::Required,
        )
    }

    fn failure(&self, token: &[u8]) -> Option<Failure> {
        self.judge(token).failure
    }
}

fn fault(stamp: &Stamp) -> Option<TokenFault> {
    let token = stamp.sign(&Office::new().authority);
    Token::from_der(&token).err()
}

#[test]
fn a_token_over_its_data_passes_and_tells_what_it_proves() {
    let office = Office::new();
    let accuracy = write::element(0x30, &[2, 1, 1, 0x80, 2, 1, 0xF4, 0x81, 1, 5]);
    let stamp = Stamp::over(DATA, "20260610080000.25Z")
        .with(accuracy)
        .with(vec![1, 1, 0xFF])
        .with(vec![2, 1, 7]);
    let bytes = stamp.sign(&office.authority);
    let token = Token::from_der(&bytes).expect("a token");
    assert_eq!(token.time().to_string(), "2026-06-10T08:00:00.25Z");
    assert_eq!(token.accuracy_micros(), Some(1_500_005));
    assert_eq!(token.latest().to_string(), "2026-06-10T08:00:01.750005Z");
    assert_eq!(token.imprint(), (DigestAlgorithm::Sha256, &*stamp.imprint));
    assert_eq!(token.policy().as_deref(), Some("2.5.29.37.0"));
    assert_eq!(
        (token.serial(), token.nonce(), token.is_ordered()),
        (&[42][..], Some(&[7][..]), true)
    );
    assert_eq!(token.bytes(), bytes);
    let report = office.judge(&bytes);
    assert_eq!(report.failure, None);
    assert!(report.is_passed());
    assert_eq!(report.time, Some(token.time()));
    assert_eq!(report.signer.as_ref(), Some(&office.authority.certificate));
    assert_eq!((report.chain.len(), report.revocation.len()), (3, 2));
}

#[test]
fn other_data_are_noticed() {
    let office = Office::new();
    let stamp = Stamp::over(DATA, TIME);
    let token = Token::from_der(&stamp.sign(&office.authority)).expect("a token");
    let snapshot = office.world.good();
    let judge = |stamped: Stamped<'_>| verify(&token, stamped, &snapshot, now(), RevocationDemand::Required);
    assert!(judge(Stamped::Digest(&stamp.imprint)).is_passed());
    assert!(judge(Stamped::Parts(&[&DATA[..4], &DATA[4..]])).is_passed());
    for wrong in [
        Stamped::Parts(&[b"other"]),
        Stamped::Digest(&[0; 32]),
        Stamped::Digest(&stamp.imprint[..31]),
        Stamped::Digest(&[]),
    ] {
        let report = judge(wrong);
        assert_eq!(report.failure, Some(Failure::TimeStampImprint));
        assert_eq!(
            report.indication,
            Indication::TotalFailed(SubIndication::HashFailure)
        );
    }
}

#[test]
fn a_response_is_opened_and_a_refusal_told() {
    let office = Office::new();
    let token = Stamp::over(DATA, TIME).sign(&office.authority);
    let response = |status: u8, token: &[u8]| {
        let status = write::element(0x30, &[2, 1, status]);
        write::constructed(0x30, &[&status, token])
    };
    let read = |bytes: &[u8]| Token::from_der(bytes).map(|token| token.bytes().to_vec());
    for status in [0, 1] {
        assert_eq!(read(&response(status, &token)).as_ref(), Ok(&token));
        assert_eq!(read(&response(status, &[])), Err(TokenFault::Status));
    }
    assert_eq!(read(&response(2, &[])), Err(TokenFault::Refused(2)));
    assert_eq!(read(&response(2, &token)), Err(TokenFault::Status));
    let followed = |bytes: &[u8], octet: u8| [bytes, &[0, 0, octet]].concat();
    for bytes in [&response(0, &token), &token] {
        assert!(read(&followed(bytes, 0)).is_ok());
        assert_eq!(read(&followed(bytes, 9)), Err(TokenFault::TrailingOctets));
    }
}

#[test]
fn what_an_authority_says_is_read_strictly() {
    let good = Stamp::over(DATA, TIME);
    assert_eq!(fault(&good), None);
    let of = |change: &dyn Fn(&mut Stamp)| {
        let mut stamp = good.clone();
        change(&mut stamp);
        fault(&stamp)
    };
    assert_eq!(of(&|stamp| stamp.version = 2), Some(TokenFault::Version));
    assert_eq!(
        of(&|stamp| stamp.imprint_algorithm = oid::RSA_MGF1),
        Some(TokenFault::ImprintAlgorithm)
    );
    assert_eq!(
        of(&|stamp| stamp.imprint_algorithm = oid::DIGEST_SHA512),
        Some(TokenFault::ImprintLength)
    );
    assert_eq!(
        of(&|stamp| stamp.imprint.push(0)),
        Some(TokenFault::ImprintLength)
    );
    let accuracy = |content: &[u8]| fault(&good.clone().with(write::element(0x30, content)));
    assert_eq!(accuracy(&[0x80, 2, 3, 0xE7]), None);
    assert_eq!(accuracy(&[0x80, 2, 3, 0xE8]), Some(TokenFault::Accuracy));
    assert_eq!(accuracy(&[0x81, 2, 3, 0xE8]), Some(TokenFault::Accuracy));
    assert_eq!(accuracy(&[2, 1, 0xFF]), Some(TokenFault::Accuracy));
    assert_eq!(accuracy(&[2, 5, 1, 0, 0, 0, 0]), Some(TokenFault::Accuracy));
    assert_eq!(accuracy(&[0x81, 0]), Some(TokenFault::Accuracy));
    let trailing = fault(&good.clone().with(vec![4, 1, 1]));
    assert_eq!(trailing, Some(TokenFault::Structure(Asn1Fault::Trailing)));
}

#[test]
fn policies_are_told_in_dots() {
    let dotted = |octets: &[u8]| info::dotted(octets);
    // The two of the field among them.
    assert_eq!(
        dotted(&[0x60, 0x85, 0x40, 1, 1, 1, 2]).as_deref(),
        Some("2.16.704.1.1.1.2")
    );
    assert_eq!(dotted(&[0x29, 2]).as_deref(), Some("1.1.2"));
    assert_eq!(dotted(&[0x88, 0x37, 3]).as_deref(), Some("2.999.3"));
    assert_eq!(dotted(&[]), None);
    assert_eq!(dotted(&[&[0xFF; 10][..], &[1]].concat()), None);
}

#[test]
fn times_are_in_the_form_of_the_standard() {
    for (time, is_good) in [
        ("20260610080000Z", true),
        ("20260610080000.5Z", true),
        ("20260610080000.123456789Z", true),
        ("20260610080000.50Z", false),
        ("20260610080000.0Z", false),
        ("20260610080000.Z", false),
        ("20260610080000,5Z", false),
        ("20260610080000.1234567891Z", false),
        ("20260610080000", false),
        ("20260610080000+0700", false),
        ("202606100800Z", false),
        ("20260631080000Z", false),
        ("260610080000Z", false),
    ] {
        let expected = (!is_good).then_some(TokenFault::Time);
        assert_eq!(fault(&Stamp::over(DATA, time)), expected, "{time}");
    }
    let token = Stamp::over(DATA, "20260610080000.0000001Z").sign(&Office::new().authority);
    let token = Token::from_der(&token).expect("a token");
    assert_eq!(token.time().to_string(), "2026-06-10T08:00:00.000001Z");
}

#[test]
fn a_critical_extension_refuses_the_token() {
    let extension = |is_critical: &[u8]| {
        let parts = [
            &write::object_identifier(&oid::PURPOSE_ANY)[..],
            is_critical,
            &[4, 0],
        ];
        write::element(0xA1, &write::element(0x30, &parts.concat()))
    };
    let stamp = Stamp::over(DATA, TIME);
    assert_eq!(fault(&stamp.clone().with(extension(&[]))), None);
    assert_eq!(
        fault(&stamp.clone().with(extension(&[1, 1, 0xFF]))),
        Some(TokenFault::CriticalExtension)
    );
    assert_eq!(
        fault(&stamp.with(vec![0xA1, 0])),
        Some(TokenFault::Structure(Asn1Fault::Unexpected))
    );
}

#[test]
fn a_token_has_one_signer_and_a_tst_info() {
    let office = Office::new();
    let stamp = Stamp::over(DATA, TIME);
    let mut parts = stamp.parts(&office.authority);
    let info = parts.signer_info();
    let twice = parts.encode_with(&[&info[..], &info].concat());
    assert_eq!(Token::from_der(&twice).err(), Some(TokenFault::Signer));
    assert_eq!(
        Token::from_der(&parts.encode_with(&[])).err(),
        Some(TokenFault::Signer)
    );
    parts.content_type = oid::CONTENT_DATA;
    assert_eq!(
        Token::from_der(&parts.encode()).err(),
        Some(TokenFault::ContentType)
    );
    parts.content_type = oid::CONTENT_TST_INFO;
    parts.content = None;
    assert_eq!(
        Token::from_der(&parts.encode()).err(),
        Some(TokenFault::ContentType)
    );
    // Announced as one type, signed as another.
    let bound = [signing_certificate(&office.authority.certificate)];
    let mut other = Parts::sign(&office.authority, oid::CONTENT_DATA, &stamp.info(), &bound);
    other.content_type = oid::CONTENT_TST_INFO;
    other.content = Some(stamp.info());
    assert_eq!(office.failure(&other.encode()), Some(Failure::ContentType));
}

#[test]
fn a_token_binds_its_certificate() {
    let office = Office::new();
    let stamp = Stamp::over(DATA, TIME);
    let made = |attributes: &[Vec<u8>]| {
        let mut parts = Parts::sign(
            &office.authority,
            oid::CONTENT_TST_INFO,
            &stamp.info(),
            attributes,
        );
        parts.content = Some(stamp.info());
        office.failure(&parts.encode())
    };
    assert_eq!(made(&[signing_certificate(&office.authority.certificate)]), None);
    let sha1 = DigestAlgorithm::Sha1.digest(&[office.authority.certificate.der()]);
    let reference = write::element(0x30, &write::element(0x04, sha1.as_ref()));
    let of_old = write::element(0x30, &write::element(0x30, &reference));
    let of_old = attribute(&oid::ATTRIBUTE_SIGNING_CERTIFICATE, &of_old);
    assert_eq!(made(&[of_old]), None);
    assert_eq!(made(&[]), Some(Failure::SigningCertificateAbsent));
    assert_eq!(
        made(&[signing_certificate(&office.world.person.certificate)]),
        Some(Failure::SigningCertificateMismatch)
    );
}

#[test]
fn the_certificate_is_for_time_stamps_alone() {
    let office = Office::new();
    let stamping = &oid::PURPOSE_TIME_STAMPING;
    let of = |purposes: &[&const_oid::ObjectIdentifier], is_critical| {
        let issuing = &office.world.issuing;
        let leaf = issuing.changed_leaf("Time", 201, &|params| stamps(params, purposes, is_critical));
        office.failure(&Stamp::over(DATA, TIME).sign(&leaf))
    };
    assert_eq!(of(&[stamping], IsCritical::Yes), None);
    for (purposes, is_critical) in [
        (&[stamping][..], IsCritical::No),
        (&[stamping, &oid::PURPOSE_EMAIL_PROTECTION], IsCritical::Yes),
        (&[&oid::PURPOSE_ANY], IsCritical::Yes),
        (&[&oid::PURPOSE_DOCUMENT_SIGNING], IsCritical::Yes),
    ] {
        assert!(matches!(
            of(purposes, is_critical),
            Some(Failure::KeyPurpose { .. })
        ));
    }
    let plain = Stamp::over(DATA, TIME).sign(&office.world.organisation);
    assert!(matches!(office.failure(&plain), Some(Failure::KeyPurpose { .. })));
}

#[test]
fn the_name_of_the_authority_is_that_of_its_certificate() {
    let office = Office::new();
    let named = |name: &[u8]| {
        let stamp = Stamp::over(DATA, TIME).with(write::element(0xA0, name));
        office.failure(&stamp.sign(&office.authority))
    };
    let directory = |leaf: &Leaf| write::element(0xA4, leaf.certificate.subject().der());
    assert_eq!(named(&directory(&office.authority)), None);
    assert_eq!(
        named(&directory(&office.world.person)),
        Some(Failure::TimeStampAuthority)
    );
    assert_eq!(named(&write::element(0x86, b"http://time.example/")), None);
}

#[test]
fn a_token_is_neither_from_the_future_nor_older_than_its_certificate() {
    let office = Office::new();
    let at = |time: &str| office.failure(&Stamp::over(DATA, time).sign(&office.authority));
    // It is eight o'clock, and clocks may differ by five minutes.
    assert_eq!(at("20260615080459Z"), None);
    assert_eq!(at("20260615080501Z"), Some(Failure::TimeStampFuture));
    assert_eq!(at("20250101000000Z"), None);
    assert!(matches!(at("20241231235959Z"), Some(Failure::NotYetValid { .. })));
    let short = office.world.issuing.changed_leaf("Time", 202, &|params| {
        stamps(params, &[&oid::PURPOSE_TIME_STAMPING], IsCritical::Yes);
        params.not_after = rcgen::date_time_ymd(2026, 6, 1);
    });
    // The certificate was good at the time of the token, and is not now: nobody proves that the token is as old.
    let report = office.judge(&Stamp::over(DATA, "20260520080000Z").sign(&short));
    assert!(matches!(report.failure, Some(Failure::Expired { .. })));
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::OutOfBoundsNoPoe)
    );
}

#[test]
fn a_weak_imprint_is_good_until_its_end() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let mut stamp = Stamp::over(DATA, TIME);
    stamp.imprint_algorithm = oid::DIGEST_SHA1;
    stamp.imprint = DigestAlgorithm::Sha1.digest(&[DATA]).as_ref().to_vec();
    let token = Token::from_der(&stamp.sign(&authority)).expect("a token");
    let judge = |sha1: Limit| {
        let policy = Policy {
            algorithms: AlgorithmPolicy {
                sha1,
                ..Policy::default().algorithms
            },
            ..Policy::default()
        };
        let snapshot = Snapshot::new(
            vec![Arc::clone(&world.root.certificate)],
            vec![Arc::clone(&world.issuing.certificate)],
            vec![world.root.list(&[]), world.issuing.list(&[])],
            policy,
            1,
        );
        let stamped = Stamped::Parts(&[DATA]);
        verify(&token, stamped, &snapshot, now(), RevocationDemand::Required).failure
    };
    let refused = Some(Failure::DigestRefused(DigestAlgorithm::Sha1));
    assert_eq!(judge(Limit::Never), refused);
    assert_eq!(judge(Limit::Until(token.time())), refused);
    assert_eq!(judge(Limit::Until(token.time().plus_seconds(1))), None);
}

#[test]
fn the_authority_is_proven_not_to_be_revoked() {
    let office = Office::new();
    let token = Stamp::over(DATA, TIME).sign(&office.authority);
    let token = Token::from_der(&token).expect("a token");
    let judge = |lists, revocation| {
        let snapshot = office.world.snapshot(lists);
        verify(&token, Stamped::Parts(&[DATA]), &snapshot, now(), revocation)
    };
    let root = office.world.root.list(&[]);
    let revoked = office
        .world
        .issuing
        .list(&[(200, RevocationReason::KeyCompromise)]);
    let report = judge(vec![Arc::clone(&root), revoked], RevocationDemand::Required);
    assert!(matches!(report.failure, Some(Failure::Revoked { .. })));
    let report = judge(vec![root], RevocationDemand::Required);
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::TryLater)
    );
    assert_eq!(report.needs.len(), 1);
    // Whoever does not ask is not told.
    assert!(judge(Vec::new(), RevocationDemand::NotAsked).is_passed());
}

#[test]
fn an_authority_under_no_anchor_proves_nothing() {
    let (office, other) = (Office::new(), Office::new());
    let token = Stamp::over(DATA, TIME).sign(&other.authority);
    assert!(matches!(office.failure(&token), Some(Failure::NoPath { .. })));
}

#[test]
fn every_octet_of_a_token_counts() {
    let office = Office::new();
    let snapshot = office.world.good();
    let bytes = Stamp::over(DATA, TIME).sign(&office.authority);
    let honest = Token::from_der(&bytes).expect("a token");
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bit;
            let Ok(token) = Token::from_der(&damaged) else {
                continue;
            };
            let report = verify(
                &token,
                Stamped::Parts(&[DATA]),
                &snapshot,
                now(),
                RevocationDemand::Required,
            );
            let is_same = token.time() == honest.time()
                && report.signer.as_ref() == Some(&office.authority.certificate);
            assert!(!report.is_passed() || is_same, "octet {at} was changed unnoticed");
        }
    }
}

#[test]
fn no_damaged_token_panics() {
    let office = Office::new();
    let snapshot = office.world.good();
    let accuracy = write::element(0x30, &[2, 1, 1, 0x80, 2, 1, 0xF4]);
    let name = write::element(0xA4, office.authority.certificate.subject().der());
    let stamp = Stamp::over(DATA, "20260610080000.25Z")
        .with(accuracy)
        .with(write::element(0xA0, &name));
    let bytes = stamp.sign(&office.authority);
    proptest!(ProptestConfig::with_cases(2000), |(at in 0..bytes.len(), octet: u8, cut in 0..bytes.len())| {
        let mut damaged = bytes.clone();
        damaged[at] = octet;
        prop_assert!(Token::from_der(&damaged[..cut]).is_err());
        if let Ok(token) = Token::from_der(&damaged) {
            let stamped = Stamped::Parts(&[DATA]);
            let _ = verify(&token, stamped, &snapshot, now(), RevocationDemand::Required);
        }
    });
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Token::from_der(&bytes);
        let _ = TstInfo::read(&bytes);
        let _ = TstInfo::read(&write::element(0x30, &bytes));
    }
}
