//! Which certificates a list speaks of: issuingDistributionPoint (RFC 5280 §5.2.5) and critical extensions.
//!
//! **Invariant**: a scope that is not processed (attribute certificates, anything critical that is unknown) covers
//! nothing.

use super::Reasons;
use crate::asn1::{Asn1Fault, Element, Reader, oid, read_boolean, tag};
use crate::name::Name;
use crate::x509::{Certificate, DistributionPoint, GeneralName, PointName, RawExtension};

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

#[derive(Debug)]
struct IssuingDistributionPoint {
    /// The extension as it stands: lists of one scope say it in the same octets.
    der: Box<[u8]>,
    name: Option<PointName>,
    is_for_users_only: bool,
    is_for_authorities_only: bool,
    reasons: Reasons,
    is_indirect: bool,
}

/// One distribution point of a certificate, as seen from that certificate.
#[derive(Debug)]
pub(crate) struct Point {
    /// Its names; none where it has no name of its own.
    pub(crate) names: Vec<GeneralName>,
    pub(crate) reasons: Reasons,
    /// Who issues its list, where that is not who issued the certificate.
    pub(crate) list_issuers: Option<Vec<GeneralName>>,
}

impl Point {
    /// The points of a certificate, and at last the one that every certificate has: any list of its issuer, under the
    /// issuer's name (§6.3.3, last paragraph).
    pub(crate) fn of(certificate: &Certificate) -> Vec<Point> {
        let own = &certificate.extensions().crl_distribution_points;
        let mut points: Vec<Point> = own
            .iter()
            .map(|point| Point::seen_from(certificate, point))
            .collect();
        points.push(Point {
            names: vec![GeneralName::Directory(certificate.issuer().clone())],
            reasons: Reasons::ALL,
            list_issuers: None,
        });
        points
    }

    fn seen_from(certificate: &Certificate, point: &DistributionPoint) -> Point {
        let directories = point.list_issuers.iter().flatten();
        let list_issuer = directories.filter_map(GeneralName::directory).next();
        let list_issuer = list_issuer.unwrap_or(certificate.issuer());
        Point {
            names: point
                .name
                .as_ref()
                .map_or_else(Vec::new, |name| name.names(list_issuer)),
            reasons: point.reasons,
            list_issuers: point.list_issuers.clone(),
        }
    }

    /// Whether lists of this issuer belong to the point.
    fn is_served_by(&self, list_issuer: &Name, certificate: &Certificate) -> bool {
        match &self.list_issuers {
            None => list_issuer == certificate.issuer(),
            Some(issuers) => issuers
                .iter()
                .filter_map(GeneralName::directory)
                .any(|name| name == list_issuer),
        }
    }
}

impl Scope {
    /// Octets that are equal for equal scopes, and only for those.
    pub(super) fn write(&self, octets: &mut Vec<u8>) {
        octets.extend([
            u8::from(self.is_forbidden),
            u8::from(self.point.is_some()),
            u8::from(self.base.is_some()),
        ]);
        if let Some(point) = &self.point {
            octets.extend_from_slice(&point.der);
        }
    }

    pub(super) fn forbid(&mut self) {
        self.is_forbidden = true;
    }

    /// Whether the list may hold certificates of others than its issuer.
    pub(super) fn is_indirect(&self) -> bool {
        self.point.as_ref().is_some_and(|point| point.is_indirect)
    }

    /// Takes an extension of the list.
    pub(super) fn take(&mut self, extension: &RawExtension<'_>) -> Result<(), Asn1Fault> {
        let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == extension.oid;
        if is(oid::ISSUING_DISTRIBUTION_POINT) {
            match IssuingDistributionPoint::read(extension.value)? {
                Some(point) => self.point = Some(point),
                None => self.forbid(),
            }
        } else if is(oid::DELTA_CRL_INDICATOR) {
            self.base = Some(Reader::sole(extension.value, tag::INTEGER)?.content.into());
        } else if is(oid::FRESHEST_CRL) {
            let points = DistributionPoint::read_all(extension.value)?;
            self.freshest = Some(points.iter().flat_map(DistributionPoint::uris).collect());
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
        let der = |scope: &Scope| scope.point.as_ref().map(|point| point.der.clone());
        self.is_forbidden == other.is_forbidden && der(self) == der(other)
    }

    /// For which reasons a list of this issuer speaks about the certificate through this point of it (RFC 5280 §6.3.3 b
    /// and d); `None` where it does not.
    pub(super) fn reasons_through(
        &self,
        point: &Point,
        list_issuer: &Name,
        certificate: &Certificate,
    ) -> Option<Reasons> {
        if self.is_forbidden || !point.is_served_by(list_issuer, certificate) {
            return None;
        }
        let Some(own) = &self.point else {
            // Without the extension the list is about certificates of its issuer alone.
            return (list_issuer == certificate.issuer()).then_some(point.reasons);
        };
        if list_issuer != certificate.issuer() && !own.is_indirect
            || own.is_for_users_only && certificate.is_ca()
            || own.is_for_authorities_only && !certificate.is_ca()
        {
            return None;
        }
        if let Some(name) = &own.name {
            let names = name.names(list_issuer);
            let named = match (&point.names[..], &point.list_issuers) {
                ([], Some(issuers)) => issuers.as_slice(),
                (names, _) => names,
            };
            if !named.iter().any(|one| names.contains(one)) {
                return None;
            }
        }
        Some(point.reasons.and(own.reasons))
    }
}

impl IssuingDistributionPoint {
    /// `None`: a scope that is not processed here.
    fn read(value: &[u8]) -> Result<Option<IssuingDistributionPoint>, Asn1Fault> {
        let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
        let name = reader.optional(tag::context_constructed(0))?;
        let users = read_flag(reader.optional(tag::context(1))?)?;
        let authorities = read_flag(reader.optional(tag::context(2))?)?;
        let reasons = reader.optional(tag::context(3))?;
        let indirect = read_flag(reader.optional(tag::context(4))?)?;
        let attributes = read_flag(reader.optional(tag::context(5))?)?;
        reader.finish()?;
        if attributes || (users && authorities) {
            return Ok(None);
        }
        Ok(Some(IssuingDistributionPoint {
            der: value.into(),
            name: name.map(|name| PointName::read(&name)).transpose()?,
            is_for_users_only: users,
            is_for_authorities_only: authorities,
            reasons: match reasons {
                Some(reasons) => Reasons::read(reasons.content)?,
                None => Reasons::ALL,
            },
            is_indirect: indirect,
        }))
    }
}

fn read_flag(flag: Option<Element<'_>>) -> Result<bool, Asn1Fault> {
    flag.map_or(Ok(false), |flag| read_boolean(flag.content))
}
