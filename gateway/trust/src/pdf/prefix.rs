//! The digests of what the signatures of a file cover, without hashing the file once for each of them.
//!
//! Every signature covers the file from its beginning to its own value, and from there to the end of its revision. What
//! lies before a value is what lies before the value of the signature before, and some more: one running digest goes on
//! from value to value, and a copy of it finishes with the rest of each revision.
//!
//! **Invariant**: for each algorithm the file is hashed at most twice, however many signatures it has.

use std::cell::RefCell;
use std::ops::Range;

use aws_lc_rs::digest::{Context, Digest};

use crate::algorithm::DigestAlgorithm;

/// A digest that goes on.
struct Running {
    algorithm: DigestAlgorithm,
    context: Context,
    /// How much of the file it has taken.
    at: usize,
}

/// The running digests over one file.
pub(super) struct Prefixes<'a> {
    file: &'a [u8],
    running: RefCell<Vec<Running>>,
}

impl<'a> Prefixes<'a> {
    pub(super) fn of(file: &'a [u8]) -> Self {
        Self {
            file,
            running: RefCell::default(),
        }
    }

    /// The digest of these two ranges of the file, the first from its beginning. Cheap where ranges are asked for in the
    /// order of their ends.
    pub(super) fn digest(&self, [before, after]: &[Range<usize>; 2], algorithm: DigestAlgorithm) -> Digest {
        let mut all = self.running.borrow_mut();
        let known = all
            .iter()
            .position(|one| one.algorithm == algorithm && one.at <= before.end);
        let place = known.unwrap_or_else(|| {
            all.push(Running {
                algorithm,
                context: algorithm.context(),
                at: 0,
            });
            all.len() - 1
        });
        let running = &mut all[place];
        running.context.update(&self.file[running.at..before.end]);
        running.at = before.end;
        let mut whole = running.context.clone();
        whole.update(&self.file[after.clone()]);
        whole.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digest_is_that_of_its_ranges() {
        let file: Vec<u8> = (0..=255).collect();
        let prefixes = Prefixes::of(&file);
        for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
            for ranges in [[0..10, 20..50], [0..60, 80..90], [0..60, 61..256], [0..5, 6..7]] {
                let parts = ranges.clone().map(|range| &file[range]);
                let expected = algorithm.digest(&parts);
                assert_eq!(
                    prefixes.digest(&ranges, algorithm).as_ref(),
                    expected.as_ref(),
                    "{ranges:?}"
                );
            }
        }
    }
}
