//! Time-stamps of an XML signature (XAdES-T, ETSI EN 319 132-1 §5.3), and what came with it for its validation (§5.4).
//!
//! Stands between the unsigned properties of a signature and `tsp`. Time-stamps of other kinds are noted and not read.
//!
//! **Invariant**: a token counts only where it stands among the properties of the very signature it is over; what it must be
//! over is made here, of the SignatureValue that was verified.
//! **Invariant**: nobody signed unsigned properties: whatever is wrong with them fails a token, never the signature.

use std::sync::Arc;

use super::key::is_signature_namespace;
use super::method;
use super::properties::{Properties, XADES};
use super::read::{Sequence, XMLDSIG, base64};
use super::reference::Document;
use super::structure::Signature;
use crate::cms::{Circumstances, Gathered};
use crate::path::Budget;
use crate::report::Failure;
use crate::tsp::{self, Judged, Over, Proofs, Stamped, TimeStampKind, Token};
use crate::x509::Certificate;
use crate::xml::{Canonicalisation, Element, Form};

/// Tokens of one signature that are judged at most.
const TOKENS_MAX: usize = 16;

/// Encodings of a token that are read (§5.1.3: DER where nothing is said); BER comprises both others.
const ENCODINGS: [&str; 3] = [
    "http://uri.etsi.org/01903/v1.2.2#DER",
    "http://uri.etsi.org/01903/v1.2.2#BER",
    "http://uri.etsi.org/01903/v1.2.2#CER",
];

/// What came with a signature: certificates of KeyInfo and CertificateValues, lists and responses of RevocationValues. None
/// of it is trusted.
pub(super) fn gather(certificates: &[Arc<Certificate>], properties: &Properties<'_, '_>) -> Gathered {
    let mut gathered = Gathered::of(certificates.to_vec());
    let (mut more, mut lists, mut responses) = (Vec::new(), Vec::new(), Vec::new());
    let take = |octets: &mut Vec<Vec<u8>>, element: Element<'_, '_>| octets.extend(base64(element));
    for values in properties.unsigned() {
        if values.is(XADES, "CertificateValues") {
            let certificates = values.elements();
            certificates
                .filter(|one| one.is(XADES, "EncapsulatedX509Certificate"))
                .for_each(|one| take(&mut more, one));
        } else if values.is(XADES, "RevocationValues") {
            for value in values.elements().flat_map(|kind| kind.elements()) {
                if value.is(XADES, "EncapsulatedCRLValue") {
                    take(&mut lists, value);
                } else if value.is(XADES, "EncapsulatedOCSPValue") {
                    take(&mut responses, value);
                }
            }
        }
    }
    gathered.add_octets(&more, &lists, &responses);
    gathered
}

/// The time-stamps of one signature, judged one after another.
pub(super) struct TimeStamps<'a, 't, 's> {
    pub(super) document: &'a mut Document<'t, 's>,
    pub(super) signature: &'a Signature<'t, 's>,
    pub(super) circumstances: Circumstances<'a>,
    pub(super) budget: &'a mut Budget,
}

impl<'t, 's> TimeStamps<'_, 't, 's> {
    /// What those among these properties prove of the signature, which was made with this certificate.
    pub(super) fn proofs(mut self, properties: &Properties<'t, 's>, signer: &Arc<Certificate>) -> Proofs {
        let over = if properties.binds_certificate() {
            Over::Signature
        } else {
            Over::Value
        };
        let mut proofs = Proofs::default();
        let mut pending = Vec::new();
        proofs.has_ignored = properties.has_content_time_stamps();
        for property in properties.unsigned() {
            if !property.is(XADES, "SignatureTimeStamp") {
                proofs.has_ignored |= is_time_stamp(property);
                continue;
            }
            let left = TOKENS_MAX.saturating_sub(proofs.len());
            let (judged, is_whole) = self.judge(property, left);
            proofs.has_ignored |= !is_whole;
            for Judged { report, pending: one } in judged {
                proofs.take(report, over);
                pending.extend(one);
            }
        }
        if over == Over::Signature {
            let skew = self.circumstances.snapshot.policy().clock_skew_seconds;
            proofs.await_all(pending.iter(), signer, skew);
        }
        proofs
    }

    /// Judges so many tokens of one property at most, and says whether that was all of it.
    fn judge(&mut self, property: Element<'t, 's>, tokens_max: usize) -> (Vec<Judged>, bool) {
        if tokens_max == 0 {
            return (Vec::new(), false);
        }
        let failed = |failure| {
            (
                vec![Judged::failed(TimeStampKind::Signature, None, failure)],
                true,
            )
        };
        let stamp = match SignatureTimeStamp::read(property, self.signature.namespace) {
            Ok(Some(stamp)) => stamp,
            Ok(None) => return (Vec::new(), false),
            Err(failure) => return failed(failure),
        };
        let value = self.signature.value_element;
        let octets = match self.document.canonical(value, &stamp.canonicalisation) {
            Ok(octets) => octets,
            Err(failure) => return failed(failure),
        };
        let is_whole = stamp.tokens.len() <= tokens_max;
        let tokens = stamp.tokens.into_iter().take(tokens_max);
        let judged = tokens.map(|token| self.judge_token(token, &octets)).collect();
        (judged, is_whole)
    }

    fn judge_token(&mut self, token: Element<'t, 's>, octets: &[u8]) -> Judged {
        let kind = TimeStampKind::Signature;
        let read = |der: Vec<u8>| Token::from_der(&der).map_err(Failure::TimeStampMalformed);
        match base64(token).map_err(Failure::from).and_then(read) {
            Err(failure) => Judged::failed(kind, None, failure),
            // The namespaces that a value inherits may be long.
            Ok(token) if !self.budget.spend_for(octets.len()) => {
                Judged::failed(kind, Some(&token), Failure::BudgetSpent)
            }
            Ok(token) => {
                let stamped = Stamped::Parts(&[octets]);
                tsp::judge(&token, (kind, stamped), &self.circumstances, self.budget)
            }
        }
    }
}

/// What a SignatureTimeStamp says (§5.1.4.3: XAdESTimeStampType).
struct SignatureTimeStamp<'t, 's> {
    /// In which form SignatureValue was digested; Canonical XML 1.0 where none is named.
    canonicalisation: Canonicalisation,
    /// Each over the same.
    tokens: Vec<Element<'t, 's>>,
}

impl<'t, 's> SignatureTimeStamp<'t, 's> {
    /// `None`: something in it is not read: a token in XML, an encoding, or a choice of what it is over.
    fn read(property: Element<'t, 's>, namespace: &str) -> Result<Option<Self>, Failure> {
        let is_read = |element: Element<'_, '_>| {
            let encoding = element.attribute("", "Encoding");
            is_signature_namespace(element.namespace(), namespace)
                || element.is(XADES, "EncapsulatedTimeStamp")
                    && encoding.is_none_or(|encoding| ENCODINGS.contains(&encoding))
        };
        if !property.elements().all(is_read) {
            return Ok(None);
        }
        let mut content = Sequence::of(property)?;
        let named = [namespace, XMLDSIG]
            .into_iter()
            .find_map(|namespace| content.optional(namespace, "CanonicalizationMethod"));
        let canonicalisation = match named {
            Some(method) => method::canonicalisation(method)?,
            None => Canonicalisation {
                form: Form::Inclusive,
                with_comments: false,
            },
        };
        let mut tokens = vec![content.needed(XADES, "EncapsulatedTimeStamp")?];
        while let Some(token) = content.optional(XADES, "EncapsulatedTimeStamp") {
            tokens.push(token);
        }
        content.finish()?;
        Ok(Some(Self {
            canonicalisation,
            tokens,
        }))
    }
}

/// Whether a property is a time-stamp of any kind.
pub(super) fn is_time_stamp(property: Element<'_, '_>) -> bool {
    let name = property.name();
    name.ends_with("TimeStamp") || name.ends_with("TimeStampV2")
}
