//! Which certificates a list speaks of: issuingDistributionPoint (RFC 5280 §5.2.5) and critical extensions.
//!
//! **Invariant**: a scope that is not processed (attribute certificates, anything critical that is unknown) covers
//! nothing.

use std::borrow::Cow;

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
pub(crate) struct Point<'c> {
    names: PointNames<'c>,
    reasons: Reasons,
    /// Who issues its list, where that is not who issued the certificate.
    list_issuers: Option<&'c [GeneralName]>,
}

/// The names of a distribution point.
#[derive(Debug)]
enum PointNames<'c> {
    /// Its own; none where it has no name.
    Own(Cow<'c, [GeneralName]>),
    /// That of who issued the certificate.
    Issuer(&'c Name),
}

impl PointNames<'_> {
    /// Whether one of these is among them.
    fn meet(&self, others: &[GeneralName]) -> bool {
        match self {
            Self::Own(names) => names.iter().any(|name| others.contains(name)),
            Self::Issuer(issuer) => others.iter().any(|other| other.directory() == Some(*issuer)),
        }
    }

    fn are_none(&self) -> bool {
        match self {
            Self::Own(names) => names.is_empty(),
            Self::Issuer(_) => false,
        }
    }
}

impl<'c> Point<'c> {
    /// The points of a certificate, and at last the one that every certificate has: any list of its issuer, under the
    /// issuer's name (§6.3.3, last paragraph).
    pub(crate) fn of(certificate: &'c Certificate) -> impl Iterator<Item = Point<'c>> {
        let own = &certificate.extensions().crl_distribution_points;
        let own = own.iter().map(|point| Point::seen_from(certificate, point));
        own.chain(std::iter::once(Point {
            names: PointNames::Issuer(certificate.issuer()),
            reasons: Reasons::ALL,
            list_issuers: None,
        }))
    }

    fn seen_from(certificate: &'c Certificate, point: &'c DistributionPoint) -> Point<'c> {
        let directories = point.list_issuers.iter().flatten();
        let list_issuer = directories.filter_map(GeneralName::directory).next();
        let list_issuer = list_issuer.unwrap_or(certificate.issuer());
        let names = point.name.as_ref().map(|name| name.names(list_issuer));
        Point {
            names: PointNames::Own(names.unwrap_or_default()),
            reasons: point.reasons,
            list_issuers: point.list_issuers.as_deref(),
        }
    }

    /// Whose lists belong to the point.
    pub(crate) fn issuers(&self, certificate: &'c Certificate) -> impl Iterator<Item = &'c Name> {
        let own = self.list_issuers.is_none().then(|| certificate.issuer());
        let others = self.list_issuers.unwrap_or_default().iter();
        own.into_iter().chain(others.filter_map(GeneralName::directory))
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
        point: &Point<'_>,
        list_issuer: &Name,
        certificate: &Certificate,
    ) -> Option<Reasons> {
        let is_served = || point.issuers(certificate).any(|issuer| issuer == list_issuer);
        if self.is_forbidden || !is_served() {
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
            let is_named = match point.list_issuers {
                Some(issuers) if point.names.are_none() => issuers.iter().any(|one| names.contains(one)),
                Some(_) | None => point.names.meet(&names),
            };
            if !is_named {
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
