//! What is demanded of a path beside being good: the inputs of RFC 5280 §6.1.1 (c) to (g), and how revocation is asked.

use std::collections::BTreeSet;

/// What is demanded of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Certificate policies.
    pub policies: PolicyDemands,
    /// Purposes (content octets of object identifiers) that the leaf must allow, all of them; a leaf without extKeyUsage
    /// allows every purpose.
    pub purposes: Vec<Box<[u8]>>,
    /// Certificates between leaf and anchor at most, self-issued ones not counted.
    pub intermediates_max: Option<usize>,
    /// How revocation is asked.
    pub revocation: RevocationDemand,
}

/// user-initial-policy-set and its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDemands {
    /// Content octets of the acceptable policies; `None`: any-policy.
    pub initial: Option<BTreeSet<Box<[u8]>>>,
    /// initial-explicit-policy.
    pub is_explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub is_mapping_inhibited: bool,
    /// initial-any-policy-inhibit.
    pub is_any_inhibited: bool,
}

/// How the revocation of each certificate but the anchor is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationDemand {
    /// It must be proven to be good.
    Required,
    /// Where something speaks about it, it must be proven to be good.
    IfGiven,
    /// Not at all: the answer says nothing about revocation.
    NotAsked,
}

impl Demands {
    /// What signatures under documents must meet: revocation proven, any policy.
    pub const USUAL: Demands = Demands::with(RevocationDemand::Required);

    const fn with(revocation: RevocationDemand) -> Demands {
        Demands {
            policies: PolicyDemands {
                initial: None,
                is_explicit: false,
                is_mapping_inhibited: false,
                is_any_inhibited: false,
            },
            purposes: Vec::new(),
            intermediates_max: None,
            revocation,
        }
    }
}

/// [`Demands::USUAL`] where a reference is wanted.
pub(crate) static USUAL: Demands = Demands::USUAL;

static IF_GIVEN: Demands = Demands::with(RevocationDemand::IfGiven);

static NOT_ASKED: Demands = Demands::with(RevocationDemand::NotAsked);

impl RevocationDemand {
    /// The usual demands but for this.
    pub(crate) fn usual(self) -> &'static Demands {
        match self {
            Self::Required => &USUAL,
            Self::IfGiven => &IF_GIVEN,
            Self::NotAsked => &NOT_ASKED,
        }
    }
}
