//! Revocation lists (RFC 5280 section 5), as old, as new and as full as a test wants them.

use jiff::{Timestamp, ToSpan};
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
    date_time_ymd,
};

use super::{Authority, since_epoch};

/// One certificate that is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its serial number, big-endian.
    pub serial: Vec<u8>,
    /// Since when.
    pub at: Timestamp,
}

/// What a revocation list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationPlan {
    /// CRL number; grows from list to list.
    pub number: u64,
    /// When it was issued.
    pub this_update: Timestamp,
    /// By when the next one will be; later than `this_update`.
    pub next_update: Timestamp,
    /// Which certificates are revoked.
    pub revoked: Vec<Revocation>,
}

impl RevocationPlan {
    /// A fresh list that revokes nobody: issued an hour before `now`, the next due a day after.
    pub fn none(now: Timestamp) -> RevocationPlan {
        RevocationPlan {
            number: 1,
            this_update: now - 1.hour(),
            next_update: now + 24.hours(),
            revoked: Vec::new(),
        }
    }

    /// The same with one more certificate revoked at `at`, under the next number.
    #[must_use]
    pub fn and(mut self, serial: &[u8], at: Timestamp) -> RevocationPlan {
        self.number += 1;
        self.revoked.push(Revocation {
            serial: serial.to_vec(),
            at,
        });
        self
    }
}

impl Authority {
    /// Signs the list that `plan` describes, in DER.
    pub fn revocation_list(&self, plan: &RevocationPlan) -> Vec<u8> {
        let epoch = date_time_ymd(1970, 1, 1);
        let revoked_certs = plan
            .revoked
            .iter()
            .map(|revocation| RevokedCertParams {
                serial_number: SerialNumber::from_slice(&revocation.serial),
                revocation_time: epoch + since_epoch(revocation.at),
                reason_code: Some(RevocationReason::CessationOfOperation),
                invalidity_date: None,
            })
            .collect();
        let params = CertificateRevocationListParams {
            this_update: epoch + since_epoch(plan.this_update),
            next_update: epoch + since_epoch(plan.next_update),
            crl_number: SerialNumber::from(plan.number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params
            .signed_by(&self.issuer())
            .expect("next update is later than this update");
        list.der().to_vec()
    }
}
