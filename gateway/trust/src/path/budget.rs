//! What a verdict may cost.
//!
//! **Invariant**: whoever does public-key work, or looks at a candidate or an answer, has taken it from here before.

use crate::digest::Digest;

/// Steps of the search (candidates looked at) for each public-key operation that is allowed.
const STEPS_PER_CHECK: u32 = 50;

/// Octets that are digested in about the time of one public-key operation, with room to spare.
const OCTETS_PER_CHECK: usize = 1 << 20;

/// Issuers of lists, and responders, that are judged inside one another at most.
const INSIDE_MAX: usize = 8;

/// What a verdict may still cost.
pub(crate) struct Budget {
    checks: u32,
    steps: u32,
    /// Something was asked for that could not be paid: whatever comes of it is not to be believed.
    is_overdrawn: bool,
    /// Keys of list issuers whose own paths are being judged: they cannot vouch for themselves.
    inside: Vec<Digest>,
}

impl Budget {
    pub(crate) fn new(signature_checks_max: u32) -> Self {
        Self {
            checks: signature_checks_max,
            steps: signature_checks_max.saturating_mul(STEPS_PER_CHECK),
            is_overdrawn: false,
            inside: Vec::new(),
        }
    }

    /// Judges something for the sake of something else that rests on this key; `None` where the key is its own support, or
    /// the supports are too many.
    pub(crate) fn inside<T>(&mut self, key: Digest, judge: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.inside.contains(&key) {
            return None;
        }
        if self.inside.len() >= INSIDE_MAX {
            // What was not looked at may be what speaks against it.
            self.is_overdrawn = true;
            return None;
        }
        self.inside.push(key);
        let judged = judge(self);
        self.inside.pop();
        Some(judged)
    }

    /// Whether the path of this key is being judged.
    pub(crate) fn is_inside(&self, key: &Digest) -> bool {
        self.inside.contains(key)
    }

    /// Takes one public-key operation; `false` where none is left.
    pub(crate) fn spend(&mut self) -> bool {
        self.spend_for(0)
    }

    /// The same over so many octets of the sender, which are digested first: each [`OCTETS_PER_CHECK`] count as one operation more.
    pub(crate) fn spend_for(&mut self, octets: usize) -> bool {
        let cost = u32::try_from(octets / OCTETS_PER_CHECK).unwrap_or(u32::MAX);
        let left = self.checks.checked_sub(cost.saturating_add(1));
        self.is_overdrawn |= left.is_none();
        self.checks = left.unwrap_or(0);
        left.is_some()
    }

    /// Takes one step: a candidate that is looked at; `false` where none is left.
    pub(crate) fn step(&mut self) -> bool {
        let left = self.steps.checked_sub(1);
        self.is_overdrawn |= left.is_none();
        self.steps = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether more was asked for than there was.
    pub(super) fn is_spent(&self) -> bool {
        self.is_overdrawn
    }
}
