//! Certificates of the trust keeper, as they go over the port.

use domain::receipt::vietnam_time;
use serde::{Deserialize, Serialize};

use super::ListView;
use crate::administration::{AddedLine, IssuingCertificate, TrustStatus};

/// All that paths and revocations are judged with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialView {
    /// All certificates in use.
    pub certificates: Vec<IssuingCertificateView>,
    /// All revocation lists.
    pub lists: Vec<ListView>,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuingCertificateView {
    /// What it is here: `anchor`, `candidate`, `learned`, `stranger`.
    pub role: String,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// When it begins.
    pub not_before: String,
    /// When it ends.
    pub not_after: String,
    /// SHA-256 of its DER.
    pub fingerprint: String,
}

/// What became of a file of certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedView {
    /// Whether it was taken: all of it, or nothing.
    pub is_taken: bool,
    /// Each of its certificates.
    pub certificates: Vec<AddedCertificateView>,
}

/// What became of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedCertificateView {
    /// `new`, `known`; or why the file was refused: `no-authority`, `expired`.
    pub became: String,
    /// Which.
    pub certificate: IssuingCertificateView,
}

impl MaterialView {
    /// The shape of the material of this status.
    pub fn of(status: &TrustStatus) -> MaterialView {
        MaterialView {
            certificates: status
                .certificates
                .iter()
                .map(IssuingCertificateView::of)
                .collect(),
            lists: status.lists.iter().map(ListView::of).collect(),
        }
    }
}

impl IssuingCertificateView {
    fn of(line: &IssuingCertificate) -> IssuingCertificateView {
        IssuingCertificateView {
            role: line.role.word().to_owned(),
            subject: line.subject.clone(),
            issuer: line.issuer.clone(),
            serial: line.serial.clone(),
            not_before: vietnam_time(line.not_before),
            not_after: vietnam_time(line.not_after),
            fingerprint: line.fingerprint.clone(),
        }
    }
}

impl AddedView {
    /// The shape of what became of a file.
    pub fn of(added: &[AddedLine]) -> AddedView {
        let certificates = added.iter().map(|line| AddedCertificateView {
            became: line.became.word().to_owned(),
            certificate: IssuingCertificateView::of(&line.certificate),
        });
        AddedView {
            is_taken: added.iter().all(|line| line.became.is_taken()),
            certificates: certificates.collect(),
        }
    }
}
