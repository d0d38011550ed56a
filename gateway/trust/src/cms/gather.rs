//! What comes with a signature: certificates, revocation lists, OCSP responses.
//!
//! Stands between the structure of a SignedData and `path`, which gets all of it as candidates.
//!
//! **Invariant**: nothing that is gathered here is trusted: each piece is proven where it is used, as are those of the
//! snapshot.
//! **Invariant**: what cannot be read or is too much is left out; only a signature with too many certificates is refused.

use std::sync::{Arc, OnceLock};

use super::attribute::values;
use super::structure::SignedData;
use crate::asn1::{Asn1Fault, Element, Reader, oid, tag, write};
use crate::crl::RevocationList;
use crate::digest::Digest;
use crate::ocsp::OcspAnswer;
use crate::report::Failure;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// Long-term signatures embed some thirty certificates, and as many lists or responses.
const CERTIFICATES_MAX: usize = 128;
const LISTS_MAX: usize = 64;
const RESPONSES_MAX: usize = 256;

/// Octets of all lists of a signature that are read at most: lists of some megabytes are met.
const LIST_BYTES_MAX: usize = 16 << 20;
/// Octets of all responses of a signature that are read at most: a response has some thousands.
const RESPONSE_BYTES_MAX: usize = 4 << 20;

/// An OCSPResponse in DER (RFC 6960 §4.2.1) that came with a signature.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) der: Arc<[u8]>,
    /// By when it is proven to have existed: whoever answered may have ended since.
    pub(crate) proven: Option<Time>,
    answer: Arc<OnceLock<Option<Arc<OcspAnswer>>>>,
}

impl Response {
    fn new(der: Arc<[u8]>) -> Self {
        Self {
            der,
            proven: None,
            answer: Arc::default(),
        }
    }

    /// The answer in it, if it can be read; read once, and only if somebody asks: most are about other certificates.
    pub(crate) fn answer(&self) -> Option<&Arc<OcspAnswer>> {
        let read = || OcspAnswer::from_der(self.der.to_vec()).ok().map(Arc::new);
        self.answer.get_or_init(read).as_ref()
    }
}

/// Candidates that came with a signature, none of them trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) certificates: Vec<Arc<Certificate>>,
    pub(crate) lists: Vec<Arc<RevocationList>>,
    pub(crate) responses: Vec<Response>,
    list_bytes: usize,
    response_bytes: usize,
}

impl Gathered {
    /// Nothing.
    pub(crate) fn nothing() -> &'static Self {
        static NOTHING: Gathered = Gathered {
            certificates: Vec::new(),
            lists: Vec::new(),
            responses: Vec::new(),
            list_bytes: 0,
            response_bytes: 0,
        };
        &NOTHING
    }

    /// These certificates.
    pub(crate) fn of(certificates: Vec<Arc<Certificate>>) -> Self {
        Self {
            certificates,
            ..Self::default()
        }
    }

    /// The certificates of a SignedData. What is no certificate that can be read is left out, for it cannot be needed.
    /// Those that the snapshot knows are taken from there.
    pub(super) fn certificates_of(
        signed: &SignedData<'_>,
        snapshot: Option<&Snapshot>,
    ) -> Result<Self, Failure> {
        let mut gathered = Self::default();
        let Some(set) = signed.certificates else {
            return Ok(gathered);
        };
        let mut reader = set.reader();
        let mut count = 0_usize;
        while !reader.is_empty() {
            let choice = reader.next().map_err(Failure::Structure)?;
            count += 1;
            if CERTIFICATES_MAX < count {
                return Err(Failure::TooLarge);
            }
            gathered.add_certificate(&choice, snapshot);
        }
        Ok(gathered)
    }

    /// Everything else that came with it: `crls`, adbe-revocationInfoArchival, certificate-values, revocation-values.
    pub(super) fn add_rest(&mut self, signed: &SignedData<'_>, snapshot: &Snapshot) {
        for choice in signed.lists.iter().flat_map(elements) {
            self.add_revocation_choice(&choice);
        }
        for signer in &signed.signers {
            for (oid, value) in values(signer.signed_attributes) {
                if oid == oid::ATTRIBUTE_ADBE_REVOCATION.as_bytes() {
                    self.add_revocation_values(&value);
                }
            }
            for (oid, value) in values(signer.unsigned_attributes) {
                if oid == oid::ATTRIBUTE_REVOCATION_VALUES.as_bytes() {
                    self.add_revocation_values(&value);
                } else if oid == oid::ATTRIBUTE_CERTIFICATE_VALUES.as_bytes() {
                    for certificate in elements(&value) {
                        self.add_certificate(&certificate, Some(snapshot));
                    }
                }
            }
        }
    }

    /// What came with something around or beside.
    pub(crate) fn add_all(&mut self, other: &Gathered) {
        for certificate in &other.certificates {
            if !self.certificates.contains(certificate) {
                self.certificates.push(Arc::clone(certificate));
            }
        }
        self.lists.extend(other.lists.iter().map(Arc::clone));
        self.responses.extend_from_slice(&other.responses);
    }

    /// What a file brings along: certificates, lists and OCSPResponses in DER. What cannot be read is left out.
    pub(crate) fn add_octets(&mut self, certificates: &[Vec<u8>], lists: &[Vec<u8>], responses: &[Vec<u8>]) {
        let add = |all: &[Vec<u8>], add: &mut dyn FnMut(&Element<'_>)| {
            for octets in all {
                if let Ok(element) = Reader::sole(octets, tag::SEQUENCE) {
                    add(&element);
                }
            }
        };
        add(certificates, &mut |element| self.add_certificate(element, None));
        add(lists, &mut |element| self.add_list(element));
        add(responses, &mut |element| self.add_response(element));
    }

    fn add_certificate(&mut self, choice: &Element<'_>, snapshot: Option<&Snapshot>) {
        // Other choices (attribute certificates, those of PKCS #6) bear other tags.
        if choice.tag != tag::SEQUENCE || CERTIFICATES_MAX <= self.certificates.len() {
            return;
        }
        let known = snapshot.and_then(|snapshot| snapshot.certificate(&Digest::of(choice.whole)));
        let certificate = match known {
            Some(known) => Arc::clone(known),
            None => match Certificate::from_der(choice.whole) {
                Ok(certificate) => Arc::new(certificate),
                Err(_) => return,
            },
        };
        if !self.certificates.contains(&certificate) {
            self.certificates.push(certificate);
        }
    }

    /// RevocationInfoChoice (RFC 5652 §10.2.1): a list, or `[1]` another format, of which that of OCSP is known.
    fn add_revocation_choice(&mut self, choice: &Element<'_>) {
        if choice.tag == tag::SEQUENCE {
            return self.add_list(choice);
        }
        let mut other = choice.reader();
        let (Ok(format), Ok(value)) = (other.object_identifier(), other.next()) else {
            return;
        };
        let is_known = [oid::REVOCATION_OCSP_RESPONSE, oid::OCSP_BASIC]
            .iter()
            .any(|known| known.as_bytes() == format);
        if choice.tag == tag::context_constructed(1) && is_known {
            self.add_response(&value);
        }
    }

    /// RevocationValues (ETSI EN 319 122-1 §5.4.2.2) and RevocationInfoArchival (ISO 32000-2 §12.8.3.3.2): both are
    /// `{ [0] lists OPTIONAL, [1] responses OPTIONAL, [2] others OPTIONAL }`.
    fn add_revocation_values(&mut self, values: &Element<'_>) {
        for part in elements(values) {
            let Ok(sequence) = Reader::sole(part.content, tag::SEQUENCE) else {
                continue;
            };
            for value in elements(&sequence) {
                if part.tag == tag::context_constructed(0) {
                    self.add_list(&value);
                } else if part.tag == tag::context_constructed(1) {
                    self.add_response(&value);
                }
            }
        }
    }

    fn add_list(&mut self, list: &Element<'_>) {
        self.list_bytes += list.whole.len();
        if LISTS_MAX <= self.lists.len() || LIST_BYTES_MAX < self.list_bytes {
            return;
        }
        if let Ok(list) = RevocationList::from_der(list.whole.to_vec()) {
            self.lists.push(Arc::new(list));
        }
    }

    fn add_response(&mut self, response: &Element<'_>) {
        self.response_bytes += response.whole.len();
        if RESPONSES_MAX <= self.responses.len() || RESPONSE_BYTES_MAX < self.response_bytes {
            return;
        }
        let is_whole = response.reader().peek() == Some(tag::ENUMERATED);
        let der = if is_whole {
            response.whole.into()
        } else {
            whole_response(response.whole).into()
        };
        self.responses.push(Response::new(der));
    }
}

/// OCSPResponse around a BasicOCSPResponse: successful, of the basic type (RFC 6960 §4.2.1).
fn whole_response(basic: &[u8]) -> Vec<u8> {
    let bytes = write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(&oid::OCSP_BASIC),
            &write::element(tag::OCTET_STRING, basic),
        ],
    );
    let status = [tag::ENUMERATED, 1, 0];
    let explicit = write::element(tag::context_constructed(0), &bytes);
    write::constructed(tag::SEQUENCE, &[&status, &explicit])
}

/// The elements inside, up to the first that cannot be read.
fn elements<'a>(outer: &Element<'a>) -> impl Iterator<Item = Element<'a>> + use<'a> {
    let mut reader = outer.reader();
    std::iter::from_fn(move || -> Option<Element<'a>> {
        let element: Result<Element<'a>, Asn1Fault> = reader.next();
        element.ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_read_up_to_their_limit_in_octets() {
        let whole = RESPONSE_BYTES_MAX / 4;
        // Tag, and a length of three octets with its own.
        let response = write::element(tag::SEQUENCE, &vec![0; whole - 5]);
        let mut reader = Reader::new(&response);
        let element = reader.next().expect("an element");
        assert_eq!(element.whole.len(), whole);
        let mut gathered = Gathered::default();
        for _ in 0..5 {
            gathered.add_response(&element);
        }
        assert_eq!(gathered.responses.len(), 4);
    }
}
