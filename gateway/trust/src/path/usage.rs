//! What the key of a leaf was used for, and whether its certificate and those above it allow that.

use std::sync::Arc;

use crate::asn1::oid;
use crate::report::Failure;
use crate::x509::{Certificate, KeyUsage};

/// What the key of a leaf was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    /// A document was signed.
    Document,
    /// A time-stamp token was signed (RFC 3161).
    TimeStamp,
    /// A revocation list was signed.
    RevocationList,
    /// Nothing: the certificate is asked for by itself.
    Nothing,
}

impl Usage {
    /// Purposes of which one is enough. For documents those under which they are signed in the field: those of persons
    /// and of documents, not those of servers, time-stamps or OCSP answers.
    fn purposes(self) -> &'static [const_oid::ObjectIdentifier] {
        match self {
            Self::Document => &[
                oid::PURPOSE_ANY,
                oid::PURPOSE_CLIENT_AUTHENTICATION,
                oid::PURPOSE_EMAIL_PROTECTION,
                oid::PURPOSE_DOCUMENT_SIGNING,
                oid::PURPOSE_MICROSOFT_DOCUMENT_SIGNING,
                oid::PURPOSE_ADOBE_DOCUMENT_SIGNING,
            ],
            Self::TimeStamp => &[oid::PURPOSE_TIME_STAMPING],
            Self::RevocationList | Self::Nothing => &[],
        }
    }

    /// Whether the leaf may do what it did.
    pub(super) fn check_leaf(self, leaf: &Arc<Certificate>) -> Result<(), Failure> {
        let may_sign = |usage: KeyUsage| match self {
            Self::Document | Self::TimeStamp => {
                usage.allows(KeyUsage::DIGITAL_SIGNATURE) || usage.allows(KeyUsage::NON_REPUDIATION)
            }
            Self::RevocationList => usage.allows(KeyUsage::CRL_SIGN),
            Self::Nothing => true,
        };
        if leaf.extensions().key_usage.is_some_and(|usage| !may_sign(usage)) {
            return Err(Failure::KeyUsage {
                certificate: Arc::clone(leaf),
            });
        }
        let extended = &leaf.extensions().extended_key_usage;
        let is_allowed = match (self, extended) {
            (Self::RevocationList | Self::Nothing, _) | (Self::Document, None) => true,
            (Self::Document, Some(extended)) => extended.names_any(self.purposes()),
            // RFC 3161 §2.3: the extension is there, critical, and names this purpose alone.
            (Self::TimeStamp, extended) => extended.as_ref().is_some_and(|extended| {
                extended.is_critical && extended.purposes.len() == 1 && extended.names_any(self.purposes())
            }),
        };
        is_allowed.then_some(()).ok_or_else(|| Failure::KeyPurpose {
            certificate: Arc::clone(leaf),
        })
    }

    /// Whether one purpose of this use is allowed by the leaf and by everybody above it: who may certify for one purpose
    /// does not certify for another. A certificate without the extension allows every purpose.
    pub(super) fn check_purposes(self, chain: &[Arc<Certificate>]) -> Result<(), Failure> {
        let mut left = self.purposes().to_vec();
        if left.is_empty() {
            return Ok(());
        }
        for certificate in chain {
            let Some(extended) = certificate.extensions().extended_key_usage.as_ref() else {
                continue;
            };
            if !extended.names_any(&[oid::PURPOSE_ANY]) {
                left.retain(|purpose| extended.names_any(&[*purpose]));
            }
            if left.is_empty() {
                return Err(Failure::KeyPurpose {
                    certificate: Arc::clone(certificate),
                });
            }
        }
        Ok(())
    }
}
