//! Distribution points of revocation lists, as certificates (RFC 5280 §4.2.1.13) and lists (§5.2.5) name them.
//!
//! **Invariant**: names are kept as they stand; what a name relative to an issuer means is said with that issuer only.

use std::borrow::Cow;

use super::general_name::GeneralName;
use crate::asn1::{Asn1Fault, Element, Reader, tag};
use crate::crl::Reasons;
use crate::name::Name;

/// One entry of cRLDistributionPoints or freshestCRL.
#[derive(Debug)]
pub(crate) struct DistributionPoint {
    pub(crate) name: Option<PointName>,
    /// For which reasons the list of this point is; all where nothing is said.
    pub(crate) reasons: Reasons,
    /// Directory names of whoever issues the list, where that is not who issued the certificate.
    pub(crate) list_issuers: Option<Vec<GeneralName>>,
}

/// DistributionPointName.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PointName {
    /// fullName.
    Full(Vec<GeneralName>),
    /// nameRelativeToCRLIssuer: the content of its SET.
    Relative(Box<[u8]>),
}

impl PointName {
    /// Reads the content of the explicit tag around it.
    pub(crate) fn read(explicit: &Element<'_>) -> Result<PointName, Asn1Fault> {
        let mut reader = explicit.reader();
        let choice = reader.next()?;
        reader.finish()?;
        if choice.tag == tag::context_constructed(0) {
            let names = GeneralName::read_all(choice.content)?;
            if names.is_empty() {
                return Err(Asn1Fault::Unexpected);
            }
            Ok(Self::Full(names))
        } else if choice.tag == tag::context_constructed(1) {
            Ok(Self::Relative(choice.content.into()))
        } else {
            Err(Asn1Fault::Unexpected)
        }
    }

    /// Its names in full, as seen from the issuer of the list.
    pub(crate) fn names(&self, list_issuer: &Name) -> Cow<'_, [GeneralName]> {
        match self {
            Self::Full(names) => Cow::Borrowed(names),
            Self::Relative(part) => {
                let name = list_issuer.with_part(part);
                Cow::Owned(name.into_iter().map(GeneralName::Directory).collect())
            }
        }
    }
}

impl DistributionPoint {
    /// Reads CRLDistributionPoints.
    pub(crate) fn read_all(value: &[u8]) -> Result<Vec<DistributionPoint>, Asn1Fault> {
        let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
        let mut points = Vec::new();
        while !reader.is_empty() {
            let mut body = reader.sequence()?;
            let name = body.optional(tag::context_constructed(0))?;
            let reasons = body.optional(tag::context(1))?;
            let issuers = body.optional(tag::context_constructed(2))?;
            body.finish()?;
            points.push(DistributionPoint {
                name: name.map(|name| PointName::read(&name)).transpose()?,
                reasons: match reasons {
                    Some(reasons) => Reasons::read(reasons.content)?,
                    None => Reasons::ALL,
                },
                list_issuers: issuers
                    .map(|issuers| GeneralName::read_all(issuers.content))
                    .transpose()?,
            });
        }
        Ok(points)
    }

    /// Where the list may be fetched over HTTP.
    pub(crate) fn uris(&self) -> impl Iterator<Item = String> {
        let names = match &self.name {
            Some(PointName::Full(names)) => names.as_slice(),
            Some(PointName::Relative(_)) | None => &[],
        };
        let uris = names.iter().filter_map(GeneralName::web_location);
        uris.map(str::to_owned)
    }
}
