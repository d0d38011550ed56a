//! The entries of a list: who is revoked, since when, why.
//!
//! **Invariant**: looking up a certificate is a binary search, whatever the size of the list.

use std::collections::HashMap;

use super::scope::Scope;
use super::{Revocation, RevocationListFault, RevocationReason};
use crate::asn1::{Asn1Fault, Element, Reader, oid, read_time, tag};
use crate::name::Name;
use crate::time::Time;
use crate::x509::{ExtensionsReader, GeneralName};

/// One revoked certificate: since when (the earlier of revocationDate and invalidityDate), where its serial number stands
/// in the DER, whose certificate it is.
#[derive(Clone, Copy)]
struct Entry {
    revoked_at: Time,
    serial_start: u32,
    serial_length: u8,
    reason: RevocationReason,
    /// Place of the certificate's issuer among the issuers.
    issuer: u16,
}

/// All entries of a list.
pub(super) struct Entries {
    /// Sorted by the octets of the serial number, then by issuer.
    entries: Box<[Entry]>,
    /// Issuers of revoked certificates. The first is the list's own.
    issuers: Vec<Name>,
}

impl Entries {
    /// No entry, in a list of this issuer.
    pub(super) fn none(list_issuer: &Name) -> Entries {
        Entries {
            entries: Box::default(),
            issuers: vec![list_issuer.clone()],
        }
    }

    /// Reads revokedCertificates. Critical extensions that are not known forbid the scope.
    pub(super) fn read(
        der: &[u8],
        list_issuer: &Name,
        mut list: Reader<'_>,
        is_v2: bool,
        scope: &mut Scope,
    ) -> Result<Entries, RevocationListFault> {
        let mut issuers = vec![list_issuer.clone()];
        let mut places = HashMap::from([(list_issuer.clone(), 0_u16)]);
        let (mut entries, mut issuer) = (Vec::new(), 0_u16);
        while !list.is_empty() {
            let mut body = list.sequence()?;
            let serial = body.integer()?;
            let revoked_at = read_time(&body.next()?)?;
            let mut said = Said::default();
            if !body.is_empty() {
                if !is_v2 {
                    return Err(RevocationListFault::Version);
                }
                let extensions = body.expect(tag::SEQUENCE)?;
                body.finish()?;
                said = Said::read(&extensions, scope)?;
            }
            if let Some(name) = said.issuer {
                // Holds for the entries that follow, too (§5.3.3).
                issuer = match places.get(&name) {
                    Some(place) => *place,
                    None => {
                        let place = u16::try_from(issuers.len()).map_err(|_| RevocationListFault::Size)?;
                        issuers.push(name.clone());
                        places.insert(name, place);
                        place
                    }
                };
            }
            entries.push(Entry {
                revoked_at: said
                    .invalid_since
                    .map_or(revoked_at, |since| since.min(revoked_at)),
                serial_start: u32::try_from(serial.as_ptr() as usize - der.as_ptr() as usize)
                    .map_err(|_| RevocationListFault::Size)?,
                serial_length: u8::try_from(serial.len()).map_err(|_| Asn1Fault::Value)?,
                reason: said.reason,
                issuer,
            });
        }
        // What occurs twice counts with its hardest reason, and its earliest date: hold and its end are ordered last.
        entries.sort_by(|one, other| {
            let keys = (one.key(der)).cmp(&other.key(der));
            keys.then_with(|| one.reason.cmp(&other.reason))
        });
        entries.dedup_by(|later, earlier| {
            let is_same = later.key(der) == earlier.key(der);
            if is_same {
                earlier.revoked_at = earlier.revoked_at.min(later.revoked_at);
            }
            is_same
        });
        Ok(Entries {
            entries: entries.into(),
            issuers,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether certificates of others than the list's issuer are among them.
    pub(super) fn are_of_others(&self) -> bool {
        self.issuers.len() > 1
    }

    /// What is said of the certificate with this serial number, of this issuer.
    pub(super) fn find(&self, der: &[u8], issuer: &Name, serial: &[u8]) -> Option<Revocation> {
        let place = self.issuers.iter().position(|one| one == issuer)?;
        let key = (serial, u16::try_from(place).ok()?);
        let found = self
            .entries
            .binary_search_by(|entry| entry.key(der).cmp(&key))
            .ok()?;
        let entry = &self.entries[found];
        Some(Revocation {
            at: entry.revoked_at,
            reason: entry.reason,
        })
    }
}

impl Entry {
    fn key<'d>(&self, der: &'d [u8]) -> (&'d [u8], u16) {
        let start = self.serial_start as usize;
        (&der[start..start + usize::from(self.serial_length)], self.issuer)
    }
}

/// What the extensions of an entry say.
struct Said {
    reason: RevocationReason,
    issuer: Option<Name>,
    /// invalidityDate (§5.3.2): since when the key is suspected.
    invalid_since: Option<Time>,
}

impl Default for Said {
    fn default() -> Said {
        Said {
            reason: RevocationReason::Unspecified,
            issuer: None,
            invalid_since: None,
        }
    }
}

impl Said {
    fn read(extensions: &Element<'_>, scope: &mut Scope) -> Result<Said, RevocationListFault> {
        let mut said = Said::default();
        let mut reader = ExtensionsReader::of_sequence(extensions)?;
        while let Some(extension) = reader.next()? {
            if extension.oid == oid::CRL_REASON.as_bytes() {
                // Revoked it is in any case.
                said.reason = read_reason(extension.value).unwrap_or(RevocationReason::Unspecified);
            } else if extension.oid == oid::CERTIFICATE_ISSUER.as_bytes() {
                let names = GeneralName::read_all(Reader::sole(extension.value, tag::SEQUENCE)?.content)?;
                let name = names.iter().find_map(GeneralName::directory);
                said.issuer = Some(name.ok_or(Asn1Fault::Value)?.clone());
            } else if extension.oid == oid::INVALIDITY_DATE.as_bytes() {
                said.invalid_since = Some(read_invalidity_date(extension.value));
            } else if extension.is_critical {
                scope.forbid();
            }
        }
        Ok(said)
    }
}

/// InvalidityDate ::= GeneralizedTime. Where it cannot be read nobody knows since when the key is suspected: as good as from
/// its beginning.
pub(crate) fn read_invalidity_date(value: &[u8]) -> Time {
    let time = Reader::sole(value, tag::GENERALIZED_TIME).and_then(|time| {
        // Fractions of a second, which must not be there, say nothing here.
        let dot = time.content.iter().position(|octet| *octet == b'.');
        let split = dot.map(|dot| time.content.split_at(dot));
        match split {
            Some((whole, [b'.', fraction @ .., b'Z'])) if fraction.iter().all(u8::is_ascii_digit) => {
                let whole = [whole, b"Z"].concat();
                read_time(&Element {
                    content: &whole,
                    ..time
                })
            }
            Some(_) | None => read_time(&time),
        }
    });
    time.unwrap_or(Time::from_micros(0))
}

/// CRLReason ::= ENUMERATED.
pub(crate) fn read_reason(value: &[u8]) -> Result<RevocationReason, Asn1Fault> {
    Ok(match Reader::sole(value, tag::ENUMERATED)?.content {
        [0] => RevocationReason::Unspecified,
        [1] => RevocationReason::KeyCompromise,
        [2] => RevocationReason::CaCompromise,
        [3] => RevocationReason::AffiliationChanged,
        [4] => RevocationReason::Superseded,
        [5] => RevocationReason::CessationOfOperation,
        [6] => RevocationReason::CertificateHold,
        [8] => RevocationReason::RemovedFromList,
        [9] => RevocationReason::PrivilegeWithdrawn,
        [10] => RevocationReason::AaCompromise,
        _ => RevocationReason::Other,
    })
}
