//! What a verdict may cost.
//!
//! **Invariant**: whoever does public-key work or looks at a candidate has taken it from here before.

use crate::digest::Digest;

/// Steps of the search (candidates looked at) for each public-key operation that is allowed.
const STEPS_PER_CHECK: u32 = 50;

/// Issuers of lists whose paths are judged inside one another at most.
const INSIDE_MAX: usize = 3;

/// What a verdict may still cost.
pub(crate) struct Budget {
    checks: u32,
    steps: u32,
    /// Keys of list issuers whose own paths are being judged: they cannot vouch for themselves.
    inside: Vec<Digest>,
}

impl Budget {
    pub(crate) fn new(signature_checks_max: u32) -> Self {
        Self {
            checks: signature_checks_max,
            steps: signature_checks_max.saturating_mul(STEPS_PER_CHECK),
            inside: Vec::new(),
        }
    }

    /// Judges something for the sake of something else that rests on this key; `None` where the key is its own support, or
    /// the supports are too many.
    pub(crate) fn inside<T>(&mut self, key: Digest, judge: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.inside.len() >= INSIDE_MAX || self.inside.contains(&key) {
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
        let left = self.checks.checked_sub(1);
        self.checks = left.unwrap_or(0);
        left.is_some()
    }

    pub(super) fn step(&mut self) -> bool {
        let left = self.steps.checked_sub(1);
        self.steps = left.unwrap_or(0);
        left.is_some()
    }

    pub(super) fn is_spent(&self) -> bool {
        self.checks == 0 || self.steps == 0
    }
}
