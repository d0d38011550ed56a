//! Signatures in CMS (RFC 5652), detached, written element by element.
//!
//! **Invariant**: nothing here comes from the crate `trust`, whose reader these signatures are to try.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{Timestamp, tz::TimeZone};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    der::{oid, sequence, set_of, sorted, tagged, unsigned},
    pki::Credential,
};

const DATA: [u64; 7] = [1, 2, 840, 113_549, 1, 7, 1];
const SIGNED_DATA: [u64; 7] = [1, 2, 840, 113_549, 1, 7, 2];
const CONTENT_TYPE: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 4];
const SIGNING_TIME: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 5];
const SIGNING_CERTIFICATE_V2: [u64; 9] = [1, 2, 840, 113_549, 1, 9, 16, 2, 47];
const SHA_256: [u64; 9] = [2, 16, 840, 1, 101, 3, 4, 2, 1];
const RSA_ENCRYPTION: [u64; 7] = [1, 2, 840, 113_549, 1, 1, 1];

/// Which signed attributes a signature carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attributes {
    /// contentType, messageDigest and signingTime, as PDF signatures of the government are met in the field.
    Plain,
    /// contentType, messageDigest and signingCertificateV2 (RFC 5035), as CAdES and PAdES baseline want them.
    Baseline,
}

/// A detached signature over `content`, made at `at`, in DER. The signer's certificate and the authorities above it
/// but the root go along: what a `.p7s` file holds.
pub fn detached(content: &[u8], signer: &Credential, at: Timestamp, attributes: Attributes) -> Vec<u8> {
    let signed = signed_attributes(content, signer, at, attributes);
    let signature = signer.key.sign(&set_of(&signed));
    let signer_info = sequence(&[
        unsigned(&[1]),
        issuer_and_serial(signer),
        algorithm(&SHA_256),
        tagged(0xa0, &sorted(&signed)),
        algorithm(&RSA_ENCRYPTION),
        tagged(0x04, &signature),
    ]);
    let certificates = [vec![signer.certificate.clone()], signer.chain.clone()].concat();
    let signed_data = sequence(&[
        unsigned(&[1]),
        set_of(&[algorithm(&SHA_256)]),
        sequence(&[oid(&DATA)]),
        tagged(0xa0, &sorted(&certificates)),
        set_of(&[signer_info]),
    ]);
    sequence(&[oid(&SIGNED_DATA), tagged(0xa0, &signed_data)])
}

fn signed_attributes(
    content: &[u8],
    signer: &Credential,
    at: Timestamp,
    attributes: Attributes,
) -> Vec<Vec<u8>> {
    let attribute = |name: &[u64], value: Vec<u8>| sequence(&[oid(name), set_of(&[value])]);
    let message_digest = tagged(0x04, digest(&SHA256, content).as_ref());
    let mut signed = vec![
        attribute(&CONTENT_TYPE, oid(&DATA)),
        attribute(&MESSAGE_DIGEST, message_digest),
    ];
    signed.push(match attributes {
        Attributes::Plain => attribute(&SIGNING_TIME, utc_time(at)),
        Attributes::Baseline => {
            // SHA-256 is the default of hashAlgorithm, which DER leaves out.
            let hash = tagged(0x04, digest(&SHA256, &signer.certificate).as_ref());
            attribute(
                &SIGNING_CERTIFICATE_V2,
                sequence(&[sequence(&[sequence(&[hash])])]),
            )
        }
    });
    signed
}

/// UTCTime, good until 2049 (RFC 5652 section 11.3).
fn utc_time(at: Timestamp) -> Vec<u8> {
    let text = at.to_zoned(TimeZone::UTC).strftime("%y%m%d%H%M%SZ").to_string();
    tagged(0x17, text.as_bytes())
}

/// The issuer's name is taken from the certificate byte by byte.
fn issuer_and_serial(signer: &Credential) -> Vec<u8> {
    let (_, certificate) = X509Certificate::from_der(&signer.certificate).expect("the harness made it");
    sequence(&[certificate.issuer().as_raw().to_vec(), unsigned(&signer.serial)])
}

fn algorithm(name: &[u64]) -> Vec<u8> {
    sequence(&[oid(name), tagged(0x05, &[])])
}
