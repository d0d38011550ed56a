//! Which certificates a list speaks of: issuingDistributionPoint (RFC 5280 §5.2.5) and critical extensions.
//!
//! **Invariant**: a scope that is not processed (indirect, only some reasons, attribute certificates, relative names,
//! anything critical that is unknown) covers nothing.

use crate::asn1::{Asn1Fault, Element, Reader, oid, read_boolean, tag};
use crate::x509::{Certificate, RawExtension, read_distribution_points, read_general_names};

/// Which certificates a list settles.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Something about the list is not processed here: it settles nothing.
    is_forbidden: bool,
    point: Option<IssuingDistributionPoint>,
    /// For a delta list: the number of the list that it is the difference to (RFC 5280 §5.2.4).
    base: Option<Box<[u8]>>,
    /// Where deltas to this list are (freshestCRL, §5.2.6); they must be asked too.
    freshest: Option<Vec<String>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct IssuingDistributionPoint {
    /// The names of fullName as they stand; empty where no distribution point is named.
    names: Vec<Box<[u8]>>,
    is_for_users_only: bool,
    is_for_authorities_only: bool,
}

impl Scope {
    /// Octets that are equal for equal scopes, and only for those.
    pub(super) fn write(&self, octets: &mut Vec<u8>) {
        octets.extend([
            u8::from(self.is_forbidden),
            u8::from(self.point.is_some()),
            u8::from(self.base.is_some()),
        ]);
        let Some(point) = &self.point else { return };
        octets.extend([
            u8::from(point.is_for_users_only),
            u8::from(point.is_for_authorities_only),
        ]);
        for name in &point.names {
            octets.extend((name.len() as u64).to_be_bytes());
            octets.extend_from_slice(name);
        }
    }

    pub(super) fn forbid(&mut self) {
        self.is_forbidden = true;
    }

    /// Takes an extension of the list.
    pub(super) fn take(&mut self, extension: &RawExtension<'_>) -> Result<(), Asn1Fault> {
        let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == extension.oid;
        if is(oid::ISSUING_DISTRIBUTION_POINT) {
            match read_point(extension.value)? {
                Some(point) => self.point = Some(point),
                None => self.forbid(),
            }
        } else if is(oid::DELTA_CRL_INDICATOR) {
            self.base = Some(Reader::sole(extension.value, tag::INTEGER)?.content.into());
        } else if is(oid::FRESHEST_CRL) {
            let points = read_distribution_points(extension.value)?;
            self.freshest = Some(points.into_iter().flat_map(|point| point.uris).collect());
        } else if is(oid::CRL_NUMBER) || is(oid::AUTHORITY_KEY_IDENTIFIER) || is(oid::ISSUER_ALTERNATIVE_NAME)
        {
            // They change nothing about what the list covers.
        } else if extension.is_critical {
            self.forbid();
        }
        Ok(())
    }

    /// For a delta list: the number of its base.
    pub(super) fn base(&self) -> Option<&[u8]> {
        self.base.as_deref()
    }

    /// Where deltas are, if there are any.
    pub(super) fn freshest(&self) -> Option<&[String]> {
        self.freshest.as_deref()
    }

    /// Whether both speak of the same certificates, be one of them a delta or not.
    pub(super) fn is_as_wide_as(&self, other: &Scope) -> bool {
        self.is_forbidden == other.is_forbidden && self.point == other.point
    }

    /// RFC 5280 §6.3.3 (b): the certificate is inside the scope, through one of its own distribution points where the
    /// list names one.
    pub(super) fn covers(&self, certificate: &Certificate) -> bool {
        if self.is_forbidden {
            return false;
        }
        let Some(point) = &self.point else { return true };
        if point.is_for_users_only && certificate.is_ca()
            || point.is_for_authorities_only && !certificate.is_ca()
        {
            return false;
        }
        point.names.is_empty()
            || certificate
                .extensions()
                .crl_distribution_points
                .iter()
                .filter(|of_certificate| !of_certificate.is_partial)
                .any(|of_certificate| of_certificate.names.iter().any(|name| point.names.contains(name)))
    }
}

/// `None`: a scope that is not processed here.
fn read_point(value: &[u8]) -> Result<Option<IssuingDistributionPoint>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let name = reader.optional(tag::context_constructed(0))?;
    let users = read_flag(reader.optional(tag::context(1))?)?;
    let authorities = read_flag(reader.optional(tag::context(2))?)?;
    let reasons = reader.optional(tag::context(3))?;
    let indirect = read_flag(reader.optional(tag::context(4))?)?;
    let attributes = read_flag(reader.optional(tag::context(5))?)?;
    reader.finish()?;
    if reasons.is_some() || indirect || attributes || (users && authorities) {
        return Ok(None);
    }
    let mut names = Vec::new();
    if let Some(name) = name {
        let mut choice = name.reader();
        let full = choice.next()?;
        choice.finish()?;
        if full.tag != tag::context_constructed(0) {
            return Ok(None);
        }
        names = read_general_names(full.content)?;
        if names.is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(IssuingDistributionPoint {
        names,
        is_for_users_only: users,
        is_for_authorities_only: authorities,
    }))
}

fn read_flag(flag: Option<Element<'_>>) -> Result<bool, Asn1Fault> {
    flag.map_or(Ok(false), |flag| read_boolean(flag.content))
}
