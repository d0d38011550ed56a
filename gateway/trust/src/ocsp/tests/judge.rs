//! What an answer says of a certificate, and when it says nothing.

use super::*;
use crate::path::Budget;
use crate::policy::{Limit, Policy};
use crate::snapshot::Snapshot;
use crate::testing::as_is;

fn snapshot(policy: Policy) -> Snapshot {
    Snapshot::new(Vec::new(), Vec::new(), Vec::new(), policy, 1)
}

fn question(world: &World) -> Question<'_> {
    Question {
        certificate: &world.organisation.certificate,
        issuer: &world.issuing.certificate,
        responders: &[],
        nonce: None,
        at: now(),
        now: now(),
    }
}

/// The status that the answer gives the organisation under default policy.
fn status(world: &World, draft: &Draft) -> Result<CertificateStatus, Unusable> {
    let answer = draft.signed_by(&world.issuing).expect("an answer");
    let verdict = answer.judge(question(world), &snapshot(Policy::default()))?;
    assert_eq!(verdict.responder, Responder::Issuer);
    Ok(verdict.status)
}

#[test]
fn the_issuer_says_what_it_says() {
    let (world, draft) = honest();
    let at = now().plus_seconds(-3600);
    let revocation = |reason| CertificateStatus::Revoked(Revocation { at, reason });
    for (status_der, expected) in [
        (GOOD.to_vec(), CertificateStatus::Good),
        (UNKNOWN.to_vec(), CertificateStatus::Unknown),
        (revoked(at, &[]), revocation(RevocationReason::Unspecified)),
        (
            revoked(at, &reason(1)),
            revocation(RevocationReason::KeyCompromise),
        ),
        (
            revoked(at, &reason(6)),
            revocation(RevocationReason::CertificateHold),
        ),
    ] {
        for responder in [
            by_name(&world.issuing.certificate),
            by_key(&world.issuing.certificate),
        ] {
            let draft = Draft {
                status: status_der.clone(),
                responder,
                ..draft.clone()
            };
            assert_eq!(status(&world, &draft), Ok(expected));
        }
    }
}

#[test]
fn the_certificate_is_recomputed_with_every_digest() {
    let (world, draft) = honest();
    let (organisation, issuing) = (&world.organisation.certificate, &world.issuing.certificate);
    for digest in [
        DigestAlgorithm::Sha1,
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ] {
        let right = CertificateId::of(organisation, issuing, digest);
        let others = [
            CertificateId::of(&world.person.certificate, issuing, digest),
            // The name of the issuer's own issuer; the key of it.
            CertificateId {
                issuer_name: CertificateId::of(issuing, &world.root.certificate, digest).issuer_name,
                ..right.clone()
            },
            CertificateId::of(organisation, &world.root.certificate, digest),
        ];
        let about = |id: &CertificateId| Draft {
            id: id.to_der(),
            ..draft.clone()
        };
        assert_eq!(status(&world, &about(&right)), Ok(CertificateStatus::Good));
        for other in others {
            assert_eq!(status(&world, &about(&other)), Err(Unusable::OtherCertificate));
        }
    }
    // A digest that is not known names nobody.
    let mut unknown = draft;
    let at = memchr::memmem::find(&unknown.id, oid::DIGEST_SHA1.as_bytes()).expect("SHA-1");
    unknown.id[at] += 1;
    assert_eq!(status(&world, &unknown), Err(Unusable::OtherCertificate));
}

#[test]
fn the_issuer_must_be_the_one_that_issued() {
    let (world, draft) = honest();
    let answer = draft.signed_by(&world.issuing).expect("an answer");
    let with = |issuer| Question {
        issuer,
        ..question(&world)
    };
    let plain = snapshot(Policy::default());
    let mismatch = Err(Unusable::IssuerMismatch);
    assert_eq!(answer.judge(with(&world.root.certificate), &plain), mismatch);
    // The same name, another key, and an answer in its name about the certificate that it never issued.
    let impostor = world.root.authority("Issuing", 9, as_is);
    let draft = Draft::about(&world.organisation.certificate, &impostor.certificate);
    let forged = draft.signed_by(&impostor).expect("an answer");
    assert_eq!(forged.judge(with(&impostor.certificate), &plain), mismatch);
    assert_eq!(
        forged.judge(question(&world), &plain),
        Err(Unusable::OtherCertificate)
    );
}

#[test]
fn only_what_is_fresh_counts() {
    let (world, draft) = honest();
    let after = |seconds| now().plus_seconds(seconds);
    let good = Ok(CertificateStatus::Good);
    for (this_update, produced_at, next_update, expected) in [
        (-60, -60, Some(0), good),
        (-60, -60, Some(-1), Err(Unusable::Overdue)),
        (300, 300, Some(400), good),
        (301, 300, Some(400), Err(Unusable::Future)),
        (0, 301, Some(400), Err(Unusable::Future)),
        (-600, -600, None, good),
        (-601, -60, None, Err(Unusable::Overdue)),
        (10, 10, Some(9), Err(Unusable::Times)),
        (0, -300, Some(60), good),
        (0, -301, Some(60), Err(Unusable::Times)),
        // Prepared long ago, and still in force.
        (-86_400, -86_400, Some(86_400), good),
    ] {
        let draft = Draft {
            this_update: after(this_update),
            produced_at: after(produced_at),
            next_update: next_update.map(after),
            ..draft.clone()
        };
        let times = (this_update, produced_at, next_update);
        assert_eq!(status(&world, &draft), expected, "{times:?}");
    }
}

#[test]
fn how_old_an_answer_without_an_end_may_be_is_policy() {
    let (world, mut draft) = honest();
    draft.next_update = None;
    let answer = draft.signed_by(&world.issuing).expect("an answer");
    for (ocsp_age_seconds_max, is_fresh) in [(60, true), (59, false), (0, false)] {
        let policy = Policy {
            ocsp_age_seconds_max,
            ..Policy::default()
        };
        let verdict = answer.judge(question(&world), &snapshot(policy));
        assert_eq!(verdict.is_ok(), is_fresh, "{ocsp_age_seconds_max}");
    }
}

#[test]
fn a_nonce_that_was_sent_must_come_back() {
    let (world, draft) = honest();
    let nonce = |octets: &[u8]| OcspNonce::new(octets).expect("a nonce");
    let (mine, other) = (nonce(b"mine"), nonce(b"other"));
    let repeats = |octets: &[u8]| Draft {
        extensions: extensions(&[nonce_extension(octets)]),
        ..draft.clone()
    };
    let plain = snapshot(Policy::default());
    for (draft, sent, expected) in [
        (&draft, None, None),
        (&repeats(b"mine"), None, None),
        (&repeats(b"mine"), Some(&mine), None),
        (&repeats(b"mine"), Some(&other), Some(Unusable::NonceMismatch)),
        (&draft, Some(&mine), Some(Unusable::NonceAbsent)),
    ] {
        let answer = draft.signed_by(&world.issuing).expect("an answer");
        let question = Question {
            nonce: sent,
            ..question(&world)
        };
        assert_eq!(answer.judge(question, &plain).err(), expected);
    }
}

#[test]
fn a_critical_extension_that_is_not_known_silences_the_answer() {
    let (world, draft) = honest();
    let with = |is_critical| extensions(&[extension(&oid::FRESHEST_CRL, is_critical, &[5, 0])]);
    for (is_critical, expected) in [
        (false, Ok(CertificateStatus::Good)),
        (true, Err(Unusable::CriticalExtension)),
    ] {
        let whole = Draft {
            extensions: with(is_critical),
            ..draft.clone()
        };
        assert_eq!(status(&world, &whole), expected);
        let single = Draft {
            single_extensions: with(is_critical),
            ..draft.clone()
        };
        assert_eq!(status(&world, &single), expected);
    }
    // That of another certificate does not matter, and a critical nonce is known.
    let mut other = Draft::about(&world.person.certificate, &world.issuing.certificate);
    other.single_extensions = with(true);
    let nonce = write::element(tag::OCTET_STRING, b"nonce");
    let both = Draft {
        singles: other.single(),
        extensions: extensions(&[extension(&oid::OCSP_NONCE, true, &nonce)]),
        ..draft
    };
    assert_eq!(status(&world, &both), Ok(CertificateStatus::Good));
}

#[test]
fn of_several_words_about_a_certificate_the_hardest_counts() {
    let (world, draft) = honest();
    let at = now().plus_seconds(-3600);
    let with = |status: Vec<u8>| Draft {
        status,
        ..draft.clone()
    };
    let (good, unknown) = (draft.clone(), with(UNKNOWN.to_vec()));
    let (hold, dead) = (with(revoked(at, &reason(6))), with(revoked(at, &reason(1))));
    let stale = Draft {
        next_update: Some(now().plus_seconds(-1)),
        ..draft.clone()
    };
    let revocation = |reason| Ok(CertificateStatus::Revoked(Revocation { at, reason }));
    for (one, other, expected) in [
        (&good, &good, Ok(CertificateStatus::Good)),
        (&good, &unknown, Ok(CertificateStatus::Unknown)),
        (&good, &stale, Err(Unusable::Overdue)),
        (&unknown, &stale, Err(Unusable::Overdue)),
        (&stale, &hold, revocation(RevocationReason::CertificateHold)),
        (&good, &dead, revocation(RevocationReason::KeyCompromise)),
        (&hold, &dead, revocation(RevocationReason::KeyCompromise)),
    ] {
        for (first, second) in [(one, other), (other, one)] {
            let both = Draft {
                singles: first.single(),
                ..second.clone()
            };
            assert_eq!(status(&world, &both), expected);
        }
    }
}

#[test]
fn policy_says_which_algorithms_count() {
    let (world, draft) = honest();
    let with = |parameters: &[u8], algorithm: &const_oid::ObjectIdentifier| Draft {
        algorithm: write::constructed(tag::SEQUENCE, &[&write::object_identifier(algorithm), parameters]),
        ..draft.clone()
    };
    let (key, sha1) = (
        crate::algorithm::KeyKind::EcP256,
        SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1),
    );
    let refused = Unusable::AlgorithmRefused { algorithm: sha1, key };
    assert_eq!(status(&world, &with(&[], &oid::ECDSA_SHA1)), Err(refused));
    assert_eq!(
        status(&world, &with(&[5, 0], &oid::ECDSA_SHA256)),
        Err(Unusable::AlgorithmUnknown)
    );
    assert_eq!(
        status(&world, &with(&[], &oid::ECDSA_SHA384)),
        Err(Unusable::SignatureWrong)
    );
    let mut policy = Policy::default();
    policy.algorithms.curves = Limit::Until(now());
    let answer = draft.signed_by(&world.issuing).expect("an answer");
    let verdict = answer.judge(question(&world), &snapshot(policy));
    assert!(matches!(verdict, Err(Unusable::AlgorithmRefused { .. })));
}

#[test]
fn public_key_operations_are_counted_and_remembered() {
    let (world, draft) = honest();
    let answer = draft.signed_by(&world.issuing).expect("an answer");
    let plain = snapshot(Policy::default());
    let ask = |checks| judge(&answer, question(&world), &plain, &mut Budget::new(checks));
    assert_eq!(ask(0), Err(Unusable::BudgetSpent));
    assert!(ask(1).is_ok());
    assert!(ask(0).is_ok());
    // What did not verify is not remembered.
    let forged = draft.signed_by(&world.root).expect("an answer");
    let ask = |checks| judge(&forged, question(&world), &plain, &mut Budget::new(checks));
    assert_eq!(ask(1), Err(Unusable::SignatureWrong));
    assert_eq!(ask(0), Err(Unusable::BudgetSpent));
}

#[test]
fn no_bit_of_an_answer_can_be_changed() {
    let (world, draft) = honest();
    let der = response(&draft.basic(|octets| world.issuing.sign(octets)));
    let plain = snapshot(Policy::every_algorithm());
    let judged = |der: Vec<u8>| {
        let answer = OcspAnswer::from_der(der).ok()?;
        answer.judge(question(&world), &plain).ok()
    };
    assert!(judged(der.clone()).is_some());
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut changed = der.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(judged(changed), None, "bit {bit} of octet {at}");
        }
    }
}
