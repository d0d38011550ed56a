//! What an archive time-stamp covers: archive-time-stamp-v3 with ats-hash-index-v3 (ETSI EN 319 122-1 §5.5.2, §5.5.3).
//!
//! Stands under `proof`. The token is over the signature and an index of digests, which it bears itself as an unsigned
//! attribute; each digest names a certificate, a list or an attribute value of the signature.
//!
//! **Invariant**: a digest of the index that names nothing refuses the time-stamp: something that was covered is gone.
//! **Invariant**: what the index does not name is not covered.

use std::collections::HashSet;

use super::Digests;
use super::attribute::values;
use super::structure::{SignedData, SignerInfo};
use super::verify::{Opened, Profile};
use crate::algorithm::DigestAlgorithm;
use crate::asn1::{Asn1Fault, Element, Reader, oid, tag, write};
use crate::report::Failure;
use crate::tsp::{Token, TokenFault};
use crate::x509::Certificate;

/// Certificates, lists or attribute values that an index names, or that are digested for one, at most.
const MEMBERS_MAX: usize = 4096;

/// A signer and all that came with it, as its archive time-stamps see them.
pub(super) struct Archive<'a> {
    opened: &'a Opened<'a>,
    signed: &'a SignedData<'a>,
    signer: &'a SignerInfo<'a>,
    /// Digests by each algorithm that was asked for.
    known: Vec<(DigestAlgorithm, Items)>,
}

/// The digests of everything that an index may name.
struct Items {
    certificates: HashSet<Vec<u8>>,
    lists: HashSet<Vec<u8>>,
    /// Of each value of the unsigned attributes, in order: its attribute's type and itself.
    attributes: Vec<Vec<u8>>,
}

/// What one archive time-stamp covers.
pub(super) struct Coverage {
    /// What its token must be over.
    pub(super) imprint: Vec<u8>,
    /// Which of the values of the unsigned attributes it names.
    pub(super) is_covered: Vec<bool>,
    /// The algorithm of the index, and the certificates that it names.
    certificates: (DigestAlgorithm, HashSet<Vec<u8>>),
}

impl Coverage {
    /// Whether the index names this certificate, as it stands in DER.
    pub(super) fn covers_certificate(&self, certificate: &Certificate) -> bool {
        let (algorithm, digests) = &self.certificates;
        digests.contains(algorithm.digest(&[certificate.der()]).as_ref())
    }
}

/// `ATSHashIndexV3 ::= SEQUENCE { hashIndAlgorithm, certificatesHashIndex, crlsHashIndex, unsignedAttrValuesHashIndex }`.
struct HashIndex<'a> {
    algorithm: Option<DigestAlgorithm>,
    certificates: Vec<&'a [u8]>,
    lists: Vec<&'a [u8]>,
    attributes: Vec<&'a [u8]>,
}

impl<'a> HashIndex<'a> {
    fn read(octets: &'a [u8]) -> Result<Self, Asn1Fault> {
        let mut body = Reader::sole(octets, tag::SEQUENCE)?.reader();
        let algorithm = DigestAlgorithm::read(&body.expect(tag::SEQUENCE)?)?;
        let mut digests = || -> Result<Vec<&'a [u8]>, Asn1Fault> {
            let mut list = body.sequence()?;
            let mut digests = Vec::new();
            while !list.is_empty() {
                if MEMBERS_MAX <= digests.len() {
                    return Err(Asn1Fault::Size);
                }
                digests.push(list.expect(tag::OCTET_STRING)?.content);
            }
            Ok(digests)
        };
        let (certificates, lists, attributes) = (digests()?, digests()?, digests()?);
        body.finish()?;
        Ok(Self {
            algorithm,
            certificates,
            lists,
            attributes,
        })
    }
}

impl<'a> Archive<'a> {
    pub(super) fn new(
        opened: &'a Opened<'a>,
        signed: &'a SignedData<'a>,
        signer: &'a SignerInfo<'a>,
    ) -> Self {
        Self {
            opened,
            signed,
            signer,
            known: Vec::new(),
        }
    }

    /// What a token covers, if it is over what this says.
    pub(super) fn coverage(&mut self, token: &Token, digests: &mut Digests<'_>) -> Result<Coverage, Failure> {
        let malformed = || Failure::TimeStampMalformed(TokenFault::HashIndex);
        let (algorithm, _) = token.imprint();
        let octets = index_of(token.bytes())?;
        let index = HashIndex::read(&octets).map_err(|_| malformed())?;
        // §5.5.2: the algorithm of the index is that of the imprint.
        if index.algorithm != Some(algorithm) {
            return Err(malformed());
        }
        let imprint = self.imprint(algorithm, &octets, digests);
        let items = self.items(algorithm);
        let is_whole = index
            .certificates
            .iter()
            .all(|digest| items.certificates.contains(*digest))
            && index.lists.iter().all(|digest| items.lists.contains(*digest))
            && {
                let attributes: HashSet<&[u8]> = items.attributes.iter().map(Vec::as_slice).collect();
                index.attributes.iter().all(|digest| attributes.contains(digest))
            };
        if !is_whole {
            return Err(Failure::TimeStampImprint);
        }
        let named: HashSet<&[u8]> = index.attributes.into_iter().collect();
        let attributes = items.attributes.iter();
        let is_covered = attributes
            .map(|digest| named.contains(digest.as_slice()))
            .collect();
        let certificates = index.certificates.into_iter().map(<[u8]>::to_vec).collect();
        Ok(Coverage {
            imprint,
            is_covered,
            certificates: (algorithm, certificates),
        })
    }

    /// §5.5.3: the type of the content, the digest of the content, the signer's fields from version to signature, and
    /// the index; all as they were sent.
    fn imprint(&self, algorithm: DigestAlgorithm, index: &[u8], digests: &mut Digests<'_>) -> Vec<u8> {
        let content_type = write::element(tag::OBJECT_IDENTIFIER, self.signed.content_type);
        let content = digests.of(algorithm);
        let mut parts: Vec<&[u8]> = vec![&content_type, content.as_ref()];
        parts.extend(self.signer.fields.iter().map(|field| self.opened.sent(field)));
        parts.push(index);
        algorithm.digest(&parts).as_ref().to_vec()
    }

    fn items(&mut self, algorithm: DigestAlgorithm) -> &Items {
        let known = self.known.iter().position(|(known, _)| *known == algorithm);
        let place = known.unwrap_or_else(|| {
            let items = self.digest_items(algorithm);
            self.known.push((algorithm, items));
            self.known.len() - 1
        });
        &self.known[place].1
    }

    fn digest_items(&self, algorithm: DigestAlgorithm) -> Items {
        let digest = |parts: &[&[u8]]| algorithm.digest(parts).as_ref().to_vec();
        let members = |set: Option<Element<'_>>| {
            let mut digests = HashSet::new();
            let mut reader = set.map_or(Reader::new(&[]), |set| set.reader());
            for _ in 0..MEMBERS_MAX {
                let Ok(member) = reader.next() else { break };
                digests.insert(digest(&[self.opened.sent(member.whole)]));
            }
            digests
        };
        let attributes = values(self.signer.unsigned_attributes)
            .into_iter()
            .map(|(oid, value)| {
                let identifier = write::element(tag::OBJECT_IDENTIFIER, oid);
                digest(&[&identifier, self.opened.sent(value.whole)])
            });
        Items {
            certificates: members(self.signed.certificates),
            lists: members(self.signed.lists),
            attributes: attributes.collect(),
        }
    }
}

/// The ats-hash-index-v3 of a token, as it was sent: the one value of one unsigned attribute.
fn index_of(token: &[u8]) -> Result<Vec<u8>, Failure> {
    let opened = Opened::read(token)?;
    let signed = opened.signed_data(Profile::TimeStamp)?;
    let unsigned = signed
        .signers
        .first()
        .and_then(|signer| signer.unsigned_attributes);
    let mut found = values(unsigned)
        .into_iter()
        .filter(|(oid, _)| *oid == oid::ATTRIBUTE_ATS_HASH_INDEX_V3.as_bytes());
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(opened.sent(value.whole).to_vec()),
        (None, _) | (_, Some(_)) => Err(Failure::TimeStampMalformed(TokenFault::HashIndex)),
    }
}
