//! Certificate policies along a path (RFC 5280 §6.1, with the graph of RFC 9618 in place of the tree).
//!
//! Only the last level of the graph is kept. Of each node it knows which policies of the first level it comes from, which
//! is all that is asked of the levels above: a node without children matters to nobody.
//!
//! **Invariant**: work is bounded by the policies that certificates name, never by the ways through them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::demands::{Demands, PolicyDemands};
use crate::asn1::oid;
use crate::x509::{Certificate, Policies, PolicyId};

/// The first policies of the ways that lead to a node.
type Origins = Rc<BTreeSet<PolicyId>>;

/// A policy that is valid so far.
struct Node {
    /// Under which policies the next certificate may continue it.
    expected: BTreeSet<PolicyId>,
    origins: Origins,
}

/// The last level of the graph.
#[derive(Default)]
struct Level {
    named: BTreeMap<PolicyId, Node>,
    /// The node anyPolicy: every policy is valid so far.
    has_any: bool,
}

impl Level {
    fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.has_any
    }
}

/// The state variables of §6.1.2.
struct State {
    /// `None`: no policy is valid.
    level: Option<Level>,
    explicit: u32,
    mapping: u32,
    any: u32,
}

/// Whether the path, leaf first, anchor last, satisfies its own policies and what is demanded.
pub(super) fn are_satisfied(chain: &[Arc<Certificate>], demands: &Demands) -> bool {
    let demands = &demands.policies;
    let length = u32::try_from(chain.len()).unwrap_or(u32::MAX);
    // n + 1 where n certificates follow the anchor.
    let unless = |is_set: bool| if is_set { 0 } else { length };
    let mut state = State {
        level: Some(Level {
            named: BTreeMap::new(),
            has_any: true,
        }),
        explicit: unless(demands.is_explicit),
        mapping: unless(demands.is_mapping_inhibited),
        any: unless(demands.is_any_inhibited),
    };
    for (place, certificate) in chain.iter().enumerate().rev() {
        let (is_anchor, is_leaf) = (place + 1 == chain.len(), place == 0);
        // An anchor without policies was trusted for all (RFC 5937 §3).
        if !is_anchor || certificate.extensions().policies.is_some() {
            state.take(certificate, is_leaf);
        }
        if state.explicit == 0 && state.level.is_none() {
            return false;
        }
        if is_leaf {
            state.wrap_up(certificate);
        } else if !state.prepare(certificate, is_anchor) {
            return false;
        }
    }
    state.explicit > 0 || state.is_valid_for(demands)
}

impl State {
    /// §6.1.3 (d) and (e).
    fn take(&mut self, certificate: &Certificate, is_leaf: bool) {
        let Some(before) = self.level.take() else { return };
        let Some(policies) = &certificate.extensions().policies else {
            return;
        };
        let is_any_allowed = self.any > 0 || (!is_leaf && certificate.is_self_issued());
        let level = next_level(&before, policies, policies.has_any && is_any_allowed);
        self.level = Some(level).filter(|level| !level.is_empty());
    }

    /// §6.1.4 (a), (b) and (h) to (j). `false`: anyPolicy was mapped.
    fn prepare(&mut self, certificate: &Certificate, is_anchor: bool) -> bool {
        let extensions = certificate.extensions();
        let any = oid::ANY_POLICY.as_bytes();
        let mut mapped: BTreeMap<&PolicyId, BTreeSet<PolicyId>> = BTreeMap::new();
        for (of_issuer, of_subject) in &extensions.policy_mappings {
            if **of_issuer == *any || **of_subject == *any {
                return false;
            }
            mapped.entry(of_issuer).or_default().insert(of_subject.clone());
        }
        if let Some(level) = &mut self.level {
            for (of_issuer, of_subject) in mapped {
                level.map(of_issuer, of_subject, self.mapping > 0);
            }
        }
        self.level = self.level.take().filter(|level| !level.is_empty());
        // The anchor is none of the n certificates (§6.1.1), whoever issued it.
        if !is_anchor && !certificate.is_self_issued() {
            for skip in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *skip = skip.saturating_sub(1);
            }
        }
        let constraints = extensions.policy_constraints;
        lower(&mut self.explicit, constraints.require_explicit);
        lower(&mut self.mapping, constraints.inhibit_mapping);
        lower(&mut self.any, extensions.inhibit_any);
        true
    }

    /// §6.1.5 (a) and (b).
    fn wrap_up(&mut self, leaf: &Certificate) {
        self.explicit = self.explicit.saturating_sub(1);
        if leaf.extensions().policy_constraints.require_explicit == Some(0) {
            self.explicit = 0;
        }
    }

    /// §6.1.5 (g): whether a policy is left that is demanded.
    fn is_valid_for(&self, demands: &PolicyDemands) -> bool {
        let Some(level) = &self.level else { return false };
        match &demands.initial {
            None => true,
            Some(initial) => {
                level.has_any && !initial.is_empty()
                    || level
                        .named
                        .values()
                        .any(|node| node.origins.iter().any(|origin| initial.contains(origin)))
            }
        }
    }
}

impl Level {
    /// §6.1.4 (b): one policy of the issuer, and what the subject calls it.
    fn map(&mut self, of_issuer: &PolicyId, of_subject: BTreeSet<PolicyId>, is_allowed: bool) {
        if !is_allowed {
            self.named.remove(of_issuer);
        } else if let Some(node) = self.named.get_mut(of_issuer) {
            node.expected = of_subject;
        } else if self.has_any {
            let node = Node {
                expected: of_subject,
                origins: Rc::new(BTreeSet::from([of_issuer.clone()])),
            };
            self.named.insert(of_issuer.clone(), node);
        }
    }
}

/// The level below, under the policies of a certificate.
fn next_level(before: &Level, policies: &Policies, may_continue_any: bool) -> Level {
    // Whoever expects a policy is a parent of its node.
    let mut parents: BTreeMap<&PolicyId, Vec<&Origins>> = BTreeMap::new();
    for node in before.named.values() {
        for expected in &node.expected {
            parents.entry(expected).or_default().push(&node.origins);
        }
    }
    let mut named = BTreeMap::new();
    for policy in &policies.named {
        let origins = match parents.get(policy) {
            Some(parents) => union(parents),
            None if before.has_any => Rc::new(BTreeSet::from([policy.clone()])),
            None => continue,
        };
        named.insert(policy.clone(), node(policy, origins));
    }
    if may_continue_any {
        for (policy, parents) in parents {
            if !named.contains_key(policy) {
                named.insert(policy.clone(), node(policy, union(&parents)));
            }
        }
    }
    Level {
        named,
        has_any: may_continue_any && before.has_any,
    }
}

fn node(policy: &PolicyId, origins: Origins) -> Node {
    Node {
        expected: BTreeSet::from([policy.clone()]),
        origins,
    }
}

fn union(parents: &[&Origins]) -> Origins {
    match parents {
        [one] => Rc::clone(one),
        several => Rc::new(several.iter().flat_map(|one| one.iter().cloned()).collect()),
    }
}

fn lower(skip: &mut u32, to: Option<u32>) {
    *skip = to.map_or(*skip, |to| to.min(*skip));
}
