//! Extensions about certificate policies (RFC 5280 §4.2.1.4, 5, 11, 14), as they stand.
//!
//! Stands under `extension`; `path::policy` makes something of them.

use std::collections::BTreeSet;

use crate::asn1::{Asn1Fault, Reader, oid, tag};

/// Content octets of an object identifier.
pub(crate) type PolicyId = Box<[u8]>;

/// Policies, or mappings of them, of one certificate at most; real ones have one or two.
const POLICIES_MAX: usize = 128;

/// certificatePolicies: what the certificate was issued under.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// All but anyPolicy.
    pub(crate) named: BTreeSet<PolicyId>,
    /// Whether anyPolicy is among them.
    pub(crate) has_any: bool,
}

/// policyConstraints and inhibitAnyPolicy: after how many certificates something begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PolicyConstraints {
    /// requireExplicitPolicy.
    pub(crate) require_explicit: Option<u32>,
    /// inhibitPolicyMapping.
    pub(crate) inhibit_mapping: Option<u32>,
}

pub(super) fn read_policies(value: &[u8]) -> Result<Policies, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    if reader.is_empty() {
        return Err(Asn1Fault::Unexpected);
    }
    let mut policies = Policies::default();
    while !reader.is_empty() {
        let mut information = reader.sequence()?;
        let id = information.object_identifier()?;
        // Qualifiers inform people only; policies that mark the extension critical do so for their identifiers.
        information.optional(tag::SEQUENCE)?;
        information.finish()?;
        let is_new = if id == oid::ANY_POLICY.as_bytes() {
            !std::mem::replace(&mut policies.has_any, true)
        } else {
            policies.named.insert(id.into())
        };
        if !is_new {
            return Err(Asn1Fault::Value);
        }
        if POLICIES_MAX < policies.named.len() {
            return Err(Asn1Fault::Size);
        }
    }
    Ok(policies)
}

/// policyMappings: pairs of the issuer's and the subject's policy.
pub(super) fn read_mappings(value: &[u8]) -> Result<Vec<(PolicyId, PolicyId)>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut mappings = Vec::new();
    while !reader.is_empty() {
        let mut mapping = reader.sequence()?;
        let of_issuer = mapping.object_identifier()?.into();
        let of_subject = mapping.object_identifier()?.into();
        mapping.finish()?;
        mappings.push((of_issuer, of_subject));
        if POLICIES_MAX < mappings.len() {
            return Err(Asn1Fault::Size);
        }
    }
    if mappings.is_empty() {
        return Err(Asn1Fault::Unexpected);
    }
    Ok(mappings)
}

pub(super) fn read_constraints(value: &[u8]) -> Result<PolicyConstraints, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut skip = |number: u8| -> Result<Option<u32>, Asn1Fault> {
        let element = reader.optional(tag::context(number))?;
        element.map(|element| read_skip(element.content)).transpose()
    };
    let constraints = PolicyConstraints {
        require_explicit: skip(0)?,
        inhibit_mapping: skip(1)?,
    };
    reader.finish()?;
    if constraints.require_explicit.is_none() && constraints.inhibit_mapping.is_none() {
        return Err(Asn1Fault::Unexpected);
    }
    Ok(constraints)
}

pub(super) fn read_inhibit_any(value: &[u8]) -> Result<u32, Asn1Fault> {
    read_skip(Reader::sole(value, tag::INTEGER)?.content)
}

/// SkipCerts ::= INTEGER (0..MAX).
fn read_skip(content: &[u8]) -> Result<u32, Asn1Fault> {
    let octets = crate::asn1::check_integer(content)?;
    if octets[0] & 0x80 != 0 {
        return Err(Asn1Fault::Value);
    }
    Ok(octets.iter().fold(0_u32, |number, octet| {
        number.saturating_mul(256).saturating_add(u32::from(*octet))
    }))
}
