//! Every algorithm of the registry beside what must not pass for it.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as lib, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RsaEncoding, RsaKeyPair, RsaPssSaltLength,
};
use proptest::prelude::*;

use super::*;
use crate::asn1::{Reader, write};

const MESSAGE: &[u8] = b"message";
const NULL: &[u8] = &[5, 0];

static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));

fn identifier(algorithm: &ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    write::constructed(tag::SEQUENCE, &[&write::object_identifier(algorithm), parameters])
}

fn key(algorithm: &ObjectIdentifier, parameters: &[u8], octets: &[u8]) -> PublicKey {
    let bits = write::element(tag::BIT_STRING, &[&[0], octets].concat());
    let info = write::constructed(tag::SEQUENCE, &[&identifier(algorithm, parameters), &bits]);
    PublicKey::from_der(&info).expect("a SubjectPublicKeyInfo")
}

fn rsa_key(algorithm: &ObjectIdentifier, parameters: &[u8]) -> PublicKey {
    key(algorithm, parameters, RSA.public_key().as_ref())
}

/// RSASSA-PSS-params of these parts, each absent where it is empty.
fn pss(hash: &[u8], mask: &[u8], salt: &[u8], trailer: &[u8]) -> Vec<u8> {
    let parts = [hash, mask, salt, trailer];
    let tagged = (0..).zip(parts).filter(|(_, part)| !part.is_empty());
    let parts: Vec<u8> = tagged
        .flat_map(|(number, part)| write::element(tag::context_constructed(number), part))
        .collect();
    write::element(tag::SEQUENCE, &parts)
}

fn hash(digest: DigestAlgorithm) -> Vec<u8> {
    identifier(&digest.oid(), NULL)
}

fn mask(digest: DigestAlgorithm) -> Vec<u8> {
    identifier(&oid::RSA_MGF1, &hash(digest))
}

fn read(bytes: &[u8]) -> Result<Option<SignatureAlgorithm>, Asn1Fault> {
    SignatureAlgorithm::read(&Reader::sole(bytes, tag::SEQUENCE).expect("one element"))
}

fn pss_sha256(salt_octets: u16) -> SignatureAlgorithm {
    SignatureAlgorithm::RsaPss(PssParameters {
        digest: DigestAlgorithm::Sha256,
        salt_octets,
    })
}

fn sign_rsa(padding: &'static dyn RsaEncoding) -> Vec<u8> {
    let mut value = vec![0; RSA.public_modulus_len()];
    RSA.sign(padding, &SystemRandom::new(), MESSAGE, &mut value)
        .expect("a signature");
    value
}

#[test]
fn every_algorithm_has_a_place_of_its_own_among_those_of_its_key() {
    use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    let usual = |digest| SignatureAlgorithm::RsaPss(PssParameters::usual(digest));
    let of_rsa = [
        SignatureAlgorithm::RsaPkcs1(Sha1),
        SignatureAlgorithm::RsaPkcs1(Sha256),
        SignatureAlgorithm::RsaPkcs1(Sha384),
        SignatureAlgorithm::RsaPkcs1(Sha512),
        usual(Sha256),
        usual(Sha384),
        usual(Sha512),
    ];
    let mut slots: Vec<usize> = of_rsa.iter().flat_map(|algorithm| algorithm.slot()).collect();
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), of_rsa.len());
    assert!(slots.iter().all(|slot| *slot < SignatureAlgorithm::SLOTS));
    assert_eq!(pss_sha256(20).slot(), None);
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_unsupported() {
    use DigestAlgorithm::{Sha1, Sha256};
    for (algorithm, kind) in [
        (SignatureAlgorithm::Ecdsa(Sha256), KeyKind::Rsa(2048)),
        (SignatureAlgorithm::RsaPkcs1(Sha256), KeyKind::EcP256),
        (pss_sha256(32), KeyKind::EcP521),
        (SignatureAlgorithm::Ecdsa(Sha256), KeyKind::Ed25519),
        (SignatureAlgorithm::Ed25519, KeyKind::Unknown),
        (SignatureAlgorithm::Ecdsa(Sha1), KeyKind::EcP384),
        (
            SignatureAlgorithm::RsaPss(PssParameters::usual(Sha1)),
            KeyKind::Rsa(2048),
        ),
    ] {
        assert!(algorithm.implementation(kind).is_none(), "{algorithm} {kind:?}");
    }
}

#[test]
fn parameters_that_are_not_understood_refuse_the_identifier() {
    use DigestAlgorithm::Sha256;
    let (pkcs1, ecdsa) = (
        SignatureAlgorithm::RsaPkcs1(Sha256),
        SignatureAlgorithm::Ecdsa(Sha256),
    );
    let curve = write::object_identifier(&oid::EC_P256);
    let cases: [(ObjectIdentifier, &[u8], Option<SignatureAlgorithm>); 11] = [
        (oid::RSA_SHA256, &[], Some(pkcs1)),
        (oid::RSA_SHA256, NULL, Some(pkcs1)),
        (oid::RSA_SHA256, &[4, 1, 1], None),
        (oid::ECDSA_SHA256, &[], Some(ecdsa)),
        (oid::ECDSA_SHA256, NULL, None),
        (oid::ECDSA_SHA256, &curve, None),
        (oid::ED25519, &[], Some(SignatureAlgorithm::Ed25519)),
        (oid::ED25519, NULL, None),
        (oid::RSA_PSS, &[], None),
        (oid::RSA_PSS, NULL, None),
        (oid::RSA_ENCRYPTION, NULL, None),
    ];
    for (algorithm, parameters, expected) in cases {
        assert_eq!(
            read(&identifier(&algorithm, parameters)),
            Ok(expected),
            "{algorithm}"
        );
    }
    let two = [NULL, NULL].concat();
    assert_eq!(
        read(&identifier(&oid::RSA_SHA256, &two)),
        Err(Asn1Fault::Trailing)
    );
}

#[test]
fn the_parameters_of_pss_are_read_exactly() {
    use DigestAlgorithm::{Sha1, Sha256, Sha384};
    let (h, m) = (hash(Sha256), mask(Sha256));
    let no_mask = identifier(&oid::RSA_SHA256, &hash(Sha256));
    for (parameters, salt_octets) in [
        (pss(&h, &m, &[2, 1, 32], &[]), Some(32)),
        (pss(&h, &m, &[2, 1, 32], &[2, 1, 1]), Some(32)),
        (pss(&h, &m, &[2, 1, 0], &[]), Some(0)),
        (pss(&h, &m, &[2, 2, 0, 222], &[]), Some(222)),
        (pss(&h, &m, &[], &[]), Some(20)),
        (pss(&h, &m, &[2, 1, 32], &[2, 1, 2]), None),
        (pss(&h, &m, &[2, 1, 0xE0], &[]), None),
        (pss(&h, &m, &[2, 3, 1, 0, 32], &[]), None),
        (pss(&h, &mask(Sha384), &[2, 1, 32], &[]), None),
        (pss(&h, &mask(Sha1), &[2, 1, 32], &[]), None),
        (pss(&h, &no_mask, &[2, 1, 32], &[]), None),
        (pss(&h, &[], &[2, 1, 32], &[]), None),
        (pss(&[], &m, &[2, 1, 32], &[]), None),
        (pss(&hash(Sha1), &mask(Sha1), &[2, 1, 20], &[]), None),
        (pss(&[], &[], &[], &[]), None),
    ] {
        let expected = salt_octets.map(pss_sha256);
        assert_eq!(
            read(&identifier(&oid::RSA_PSS, &parameters)),
            Ok(expected),
            "{parameters:x?}"
        );
    }
    for malformed in [
        pss(&h, &m, &[2, 2, 0, 32], &[]),
        pss(&h, &m, &[2, 1, 32, 2, 1, 32], &[]),
        pss(&h, &m, &[4, 1, 32], &[]),
        write::element(tag::SEQUENCE, &[2, 1, 0]),
    ] {
        assert!(
            read(&identifier(&oid::RSA_PSS, &malformed)).is_err(),
            "{malformed:x?}"
        );
    }
}

#[test]
fn a_pss_signature_verifies_with_its_own_salt_only() {
    let key = rsa_key(&oid::RSA_ENCRYPTION, NULL);
    // 256 octets of modulus, 32 of digest, 2 more.
    let most = 222;
    let signed: [(u16, &'static dyn RsaEncoding); 4] = [
        (
            0,
            &const { lib::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(0)) },
        ),
        (
            20,
            &const { lib::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(20)) },
        ),
        (32, &lib::RSA_PSS_SHA256),
        (
            most,
            &const { lib::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max) },
        ),
    ];
    for (salt_octets, padding) in signed {
        let value = sign_rsa(padding);
        for claimed in [0, 20, 28, 32, 48, 64, most] {
            let expected = if claimed == salt_octets {
                Ok(())
            } else {
                Err(SignatureFault::Wrong)
            };
            let verified = key.verify(pss_sha256(claimed), MESSAGE, &value);
            assert_eq!(verified, expected, "{salt_octets} claimed as {claimed}");
        }
        let pkcs1 = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
        assert_eq!(key.verify(pkcs1, MESSAGE, &value), Err(SignatureFault::Wrong));
        let other = SignatureAlgorithm::RsaPss(PssParameters {
            digest: DigestAlgorithm::Sha512,
            salt_octets,
        });
        assert!(key.verify(other, MESSAGE, &value).is_err());
        // A length that is none of the closed list.
        assert_eq!(
            key.verify(pss_sha256(33), MESSAGE, &value),
            Err(SignatureFault::Unsupported)
        );
    }
}

#[test]
fn a_key_that_is_bound_to_pss_verifies_nothing_else() {
    use DigestAlgorithm::{Sha256, Sha512};
    let pss_value = sign_rsa(&lib::RSA_PSS_SHA256);
    let pkcs1_value = sign_rsa(&lib::RSA_PKCS1_SHA256);
    let pkcs1 = SignatureAlgorithm::RsaPkcs1(Sha256);
    let bound = |digest, salt| {
        rsa_key(
            &oid::RSA_PSS,
            &pss(&hash(digest), &mask(digest), &[2, 1, salt], &[]),
        )
    };
    for (key, is_fit) in [
        (rsa_key(&oid::RSA_PSS, &[]), true),
        (bound(Sha256, 32), true),
        (bound(Sha256, 20), true),
        (bound(Sha256, 48), false),
        (bound(Sha512, 32), false),
        (rsa_key(&oid::RSA_PSS, &pss(&[], &[], &[], &[])), false),
        (rsa_key(&oid::RSA_PSS, NULL), false),
    ] {
        let expected = if is_fit {
            Ok(())
        } else {
            Err(SignatureFault::Unsupported)
        };
        assert_eq!(key.verify(pss_sha256(32), MESSAGE, &pss_value), expected);
        let refused = Err(SignatureFault::Unsupported);
        assert_eq!(key.verify(pkcs1, MESSAGE, &pkcs1_value), refused);
    }
    let any = rsa_key(&oid::RSA_ENCRYPTION, NULL);
    assert_eq!(any.verify(pkcs1, MESSAGE, &pkcs1_value), Ok(()));
    assert_eq!(rsa_key(&oid::RSA_ENCRYPTION, &[]).kind(), KeyKind::Unknown);
}

#[test]
fn p_521_verifies_with_the_digest_that_was_signed() {
    use DigestAlgorithm::{Sha256, Sha384, Sha512};
    let signing: [(DigestAlgorithm, &'static EcdsaSigningAlgorithm); 3] = [
        (Sha256, &lib::ECDSA_P521_SHA256_ASN1_SIGNING),
        (Sha384, &lib::ECDSA_P521_SHA384_ASN1_SIGNING),
        (Sha512, &lib::ECDSA_P521_SHA512_ASN1_SIGNING),
    ];
    let curve = write::object_identifier(&oid::EC_P521);
    for (digest, algorithm) in signing {
        let pair = EcdsaKeyPair::generate(algorithm).expect("a key");
        let point = pair.public_key().as_ref();
        let public = key(&oid::EC_PUBLIC_KEY, &curve, point);
        assert_eq!(public.kind(), KeyKind::EcP521);
        let value = pair.sign(&SystemRandom::new(), MESSAGE).expect("a signature");
        for claimed in [Sha256, Sha384, Sha512] {
            let verified = public.verify(SignatureAlgorithm::Ecdsa(claimed), MESSAGE, value.as_ref());
            let expected = if claimed == digest {
                Ok(())
            } else {
                Err(SignatureFault::Wrong)
            };
            assert_eq!(verified, expected);
        }
        let other_curve = write::object_identifier(&oid::EC_P384);
        for (parameters, point) in [(&curve, &point[..132]), (&other_curve, point)] {
            let kind = key(&oid::EC_PUBLIC_KEY, parameters, point).kind();
            assert_eq!(kind, KeyKind::Unknown);
        }
    }
}

/// SubjectPublicKeyInfo and signature of `openssl dgst -sha1 -sign` over the message; the library signs nothing with
/// SHA-1.
const ECDSA_SHA1: [(&str, &str); 3] = [
    (
        "3076301006072a8648ce3d020106052b8104002203620004a4cc4b45297a5d102d9271534d34f7b1e1414c3b9b49113232554c3c\
         5e6c2669c6db26f502277eca314b043d1f7155fab6fb1c45beac1c7bae4d9e02e116b8a6c635b92f10ab7f44c87ca70e9ae6124e\
         c992d1e1c7b4446d74b6a623cb651d86",
        "306502307251687ee2aed77b489936d9117e07981cdd6f42d2054ac7a7934f70c38c43766d0213f1c7fcc25c91d160d0caabf8ae\
         023100d41abaa0ba2622f7de603c4e4c0e5140d7f0de66c3e38a91b827dd86101619e589023c73457295cf2216cdfe6aa4f167",
    ),
    (
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004accdecb508507eafeb421aec66dfa3a69c383b6f7c2d8ebc36b2\
         742d8b4538d14df5b4c3d566f37593b590ec8652c337fbb416abebb5b7ff20d06156018cc53e",
        "30440220033773502bcbb5d832879c6034237f30a49265b295e6c27cd5f9cab54f2d5d7202201eb42eea2ae9759990297fde2af84b\
         8d023ec94a2abfa1eebe04d59cdeb1c618",
    ),
    (
        "30819b301006072a8648ce3d020106052b81040023038186000400061b46310fb3a101c03164670c9b8a8e935d6b67349d4a400b07\
         298955f5909c76233fad1dee92729e8ec2f54ab16228c70575dde9edd1e40977bf6feb524c92c5017bf7eb9e19b682669523b04585\
         6f0e04f391c215eb0cb5f9cf7b6f13cd1ee712ab254da0200a6953075bdbae3ecbbf030655d1de20eb2a88b32f9792338c42a564",
        "30818802420187196ae55c509044df3d8eb873591c420b02d60642e7fa98f361e2cd5b9b024a3c562a5d391739bd28ebb7abae895d\
         78b36d6176967e3543237b157c160bfbf59702420109e09abca44218a04c4ac476f5b02cb3bbbb76c78b97769f1a6133f4a19ee3c8\
         9af6e41f2b96c5eb3d38689a324c7a049a49b4ea5d3b99c6449ba5f8ac15c0574f",
    ),
];

#[test]
fn ecdsa_with_sha_1_is_known_on_every_curve() {
    let octets = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().flat_map(crate::digest::hex_value).collect();
        digits
            .chunks_exact(2)
            .map(|pair| (pair[0] << 4) | pair[1])
            .collect()
    };
    for (info, value) in ECDSA_SHA1 {
        let (key, value) = (PublicKey::from_der(&octets(info)).expect("a key"), octets(value));
        let sha1 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1);
        assert_eq!(key.verify(sha1, MESSAGE, &value), Ok(()));
        assert_eq!(key.verify(sha1, b"another", &value), Err(SignatureFault::Wrong));
        let by_digest =
            |message: &[u8]| key.verify_digest(sha1, &DigestAlgorithm::Sha1.digest(&[message]), &value);
        assert_eq!(by_digest(MESSAGE), Ok(()));
        assert_eq!(by_digest(b"another"), Err(SignatureFault::Wrong));
        let sha256 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        assert_eq!(key.verify(sha256, MESSAGE, &value), Err(SignatureFault::Wrong));
    }
}

proptest! {
    #[test]
    fn no_key_and_no_identifier_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let parameters = write::element(tag::SEQUENCE, &bytes);
        let _ = read(&identifier(&oid::RSA_PSS, &parameters));
        let _ = read(&write::element(tag::SEQUENCE, &bytes));
        let _ = PublicKey::from_der(&write::element(tag::SEQUENCE, &bytes));
    }
}

#[test]
fn numbers_side_by_side_become_a_sequence_in_der() {
    assert_eq!(ecdsa_sequence(&[1, 2]), [0x30, 6, 2, 1, 1, 2, 1, 2]);
    assert_eq!(
        ecdsa_sequence(&[0, 1, 0x80, 0]),
        [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0]
    );
    assert_eq!(ecdsa_sequence(&[0, 0, 0, 5]), [0x30, 6, 2, 1, 0, 2, 1, 5]);
}
