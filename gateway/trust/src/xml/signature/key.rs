//! KeyInfo (XML Signature 1.1 §4.5): what the sender says about the key.
//!
//! It is not signed and proves nothing: a key is the signer's because the value verifies under it, a certificate because
//! of its path. What cannot be read is as good as absent, and nothing is followed: neither RetrievalMethod nor
//! KeyInfoReference nor KeyName.
//!
//! **Invariant**: a key that is built here is in DER, and read as those of certificates are.

use std::sync::Arc;

use super::fault::Fault;
use super::read::{XMLDSIG, XMLDSIG11, algorithm, base64, text};
use crate::algorithm::{DigestAlgorithm, KeyKind, PublicKey, SignatureFault, ecdsa_sequence};
use crate::asn1::{oid, tag, write};
use crate::digest::Digest;
use crate::snapshot::Snapshot;
use crate::x509::Certificate;
use crate::xml::Element;

/// Certificates of one KeyInfo.
const CERTIFICATES_MAX: usize = 32;
/// Hints of one KeyInfo.
const HINTS_MAX: usize = 8;
/// Digits of a serial number: 20 octets have 49 (RFC 5280 §4.1.2.2).
const SERIAL_DIGITS_MAX: usize = 64;

/// What KeyInfo holds, as far as it is used.
#[derive(Default)]
pub(super) struct KeyInfo {
    pub(super) certificates: Vec<Arc<Certificate>>,
    /// The first key that stands for itself.
    pub(super) key: Option<PublicKey>,
    hints: Vec<Hint>,
}

/// What X509Data says of a certificate (§4.5.4).
enum Hint {
    /// X509IssuerSerial; only the number, for names are written in too many ways. Content octets of its INTEGER.
    Serial(Vec<u8>),
    /// X509SKI.
    KeyIdentifier(Vec<u8>),
    /// X509Digest.
    Digest(DigestAlgorithm, Vec<u8>),
}

impl Hint {
    fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Serial(serial) => certificate.serial() == serial,
            Self::KeyIdentifier(identifier) => {
                certificate.subject_key_identifier() == Some(identifier.as_slice())
            }
            Self::Digest(algorithm, digest) => {
                algorithm.digest(&[certificate.der()]).as_ref() == digest.as_slice()
            }
        }
    }
}

impl KeyInfo {
    pub(super) fn read(element: Option<Element<'_, '_>>, snapshot: Option<&Snapshot>) -> Result<Self, Fault> {
        let mut info = Self::default();
        let Some(element) = element else {
            return Ok(info);
        };
        let namespace = element.namespace();
        for child in element.elements() {
            if child.is(namespace, "X509Data") {
                child
                    .elements()
                    .try_for_each(|one| info.take(one, namespace, snapshot))?;
            } else if child.is(namespace, "KeyValue") && info.key.is_none() {
                info.key = child
                    .elements()
                    .next()
                    .and_then(|value| key_value(value, namespace));
            } else if child.is(XMLDSIG11, "DEREncodedKeyValue") && info.key.is_none() {
                info.key = base64(child).ok().and_then(|der| PublicKey::from_der(&der).ok());
            }
        }
        Ok(info)
    }

    /// Takes one element of X509Data. A certificate that the snapshot knows is taken from there.
    fn take(
        &mut self,
        element: Element<'_, '_>,
        namespace: &str,
        snapshot: Option<&Snapshot>,
    ) -> Result<(), Fault> {
        if element.is(namespace, "X509Certificate") {
            if self.certificates.len() == CERTIFICATES_MAX {
                return Err(Fault::TooMany("certificates"));
            }
            let read = base64(element).ok().and_then(|der| certificate(&der, snapshot));
            let read = read.filter(|certificate| !self.certificates.contains(certificate));
            self.certificates.extend(read);
            return Ok(());
        }
        let hint = if element.is(namespace, "X509IssuerSerial") {
            let number = element
                .elements()
                .find(|one| one.is(namespace, "X509SerialNumber"));
            number
                .and_then(|number| text(number).ok())
                .and_then(serial)
                .map(Hint::Serial)
        } else if element.is(namespace, "X509SKI") {
            base64(element).ok().map(Hint::KeyIdentifier)
        } else if element.is(XMLDSIG11, "X509Digest") {
            digest_hint(element)
        } else {
            None
        };
        self.hints.extend(hint);
        if self.hints.len() > HINTS_MAX {
            return Err(Fault::TooMany("hints"));
        }
        Ok(())
    }

    /// The certificates that may be the signer's, the likeliest first: of those at hand the ones that a hint names, then
    /// the ones that issued none of the others; otherwise those of the snapshot that a hint or the bare key names.
    pub(super) fn candidates(&self, snapshot: Option<&Snapshot>) -> Vec<Arc<Certificate>> {
        let is_hinted = |one: &Arc<Certificate>| self.hints.iter().any(|hint| hint.names(one));
        if !self.certificates.is_empty() {
            let mut candidates = self.certificates.clone();
            let is_issuer = |one: &Arc<Certificate>| {
                let mut others = self.certificates.iter().filter(|other| *other != one);
                others.any(|other| other.issuer() == one.subject())
            };
            candidates.sort_by_cached_key(|one| (!is_hinted(one), is_issuer(one)));
            return candidates;
        }
        let key = self.key.as_ref().map(|key| Digest::of(key.info_der()));
        let known = snapshot.into_iter().flat_map(Snapshot::certificates);
        let named = known.filter(|one| is_hinted(one) || key == Some(one.key_digest()));
        named.take(CERTIFICATES_MAX).map(Arc::clone).collect()
    }
}

fn certificate(der: &[u8], snapshot: Option<&Snapshot>) -> Option<Arc<Certificate>> {
    let known = snapshot.and_then(|snapshot| snapshot.certificate(&Digest::of(der)));
    match known {
        Some(known) => Some(Arc::clone(known)),
        None => Certificate::from_der(der).ok().map(Arc::new),
    }
}

fn digest_hint(element: Element<'_, '_>) -> Option<Hint> {
    let algorithm = super::method::digest_named(algorithm(element).ok()?)?;
    Some(Hint::Digest(algorithm, base64(element).ok()?))
}

/// The content octets of the INTEGER that these decimal digits write.
pub(super) fn serial(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.trim();
    if digits.is_empty()
        || digits.len() > SERIAL_DIGITS_MAX
        || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    // Little-endian while it grows.
    let mut octets: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for octet in &mut octets {
            let value = u16::from(*octet) * 10 + carry;
            *octet = value.to_le_bytes()[0];
            carry = value >> 8;
        }
        if carry > 0 {
            octets.push(carry.to_le_bytes()[0]);
        }
    }
    octets.reverse();
    Some(write::integer(&octets))
}

/// The key that a KeyValue writes (§4.5.2): RSAKeyValue or ECKeyValue with a named curve.
fn key_value(value: Element<'_, '_>, namespace: &str) -> Option<PublicKey> {
    let child = |namespace: &str, name: &str| value.elements().find(|one| one.is(namespace, name));
    let info = if value.is(namespace, "RSAKeyValue") {
        let number = |name| Some(write::integer(&base64(child(namespace, name)?).ok()?));
        rsa_info(&number("Modulus")?, &number("Exponent")?)
    } else if value.is(XMLDSIG11, "ECKeyValue") {
        let curve = child(XMLDSIG11, "NamedCurve")?.attribute("", "URI")?;
        let curve = const_oid::ObjectIdentifier::new(curve.strip_prefix("urn:oid:")?).ok()?;
        let point = base64(child(XMLDSIG11, "PublicKey")?).ok()?;
        key_info(&[oid::EC_PUBLIC_KEY, curve], None, &point)
    } else {
        return None;
    };
    PublicKey::from_der(&info).ok()
}

fn rsa_info(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let (modulus, exponent) = (
        write::element(tag::INTEGER, modulus),
        write::element(tag::INTEGER, exponent),
    );
    let key = write::constructed(tag::SEQUENCE, &[&modulus, &exponent]);
    key_info(&[oid::RSA_ENCRYPTION], Some(&[tag::NULL, 0]), &key)
}

/// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of an algorithm, its parameters and a key.
fn key_info(identifiers: &[const_oid::ObjectIdentifier], parameters: Option<&[u8]>, key: &[u8]) -> Vec<u8> {
    let mut algorithm: Vec<u8> = identifiers.iter().flat_map(write::object_identifier).collect();
    algorithm.extend_from_slice(parameters.unwrap_or_default());
    let bits = write::element(tag::BIT_STRING, &[&[0], key].concat());
    write::constructed(
        tag::SEQUENCE,
        &[&write::element(tag::SEQUENCE, &algorithm), &bits],
    )
}

/// The SEQUENCE of r and s that `crate::algorithm` reads, of the two numbers side by side as XML Signature writes them
/// (§6.4.3): both of one length, that of the order of the curve. Old libraries leave out the zeros that both begin with
/// (P-521 has many of them), which is taken, since it says the same two numbers; more octets are not.
pub(super) fn ecdsa_value(value: &[u8], key: KeyKind) -> Result<Vec<u8>, SignatureFault> {
    let length = match key {
        KeyKind::EcP256 => 32,
        KeyKind::EcP384 => 48,
        KeyKind::EcP521 => 66,
        KeyKind::Rsa(_) | KeyKind::Ed25519 | KeyKind::Unknown => return Err(SignatureFault::Unsupported),
    };
    if value.len() > 2 * length || !value.len().is_multiple_of(2) {
        return Err(SignatureFault::Wrong);
    }
    Ok(ecdsa_sequence(value))
}

/// Whether a namespace is that of the standard's elements in a signature whose own elements are in `own`.
pub(super) fn is_signature_namespace(namespace: &str, own: &str) -> bool {
    namespace == own || namespace == XMLDSIG
}
