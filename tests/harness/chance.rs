//! Chance that a failed run can be told by: xorshift64*, from a seed that is told.

/// A row of numbers that follow from their seed.
#[derive(Clone, Debug)]
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// Another row each time.
    ///
    /// # Panics
    /// When the system gives no random bytes.
    pub fn seeded() -> Chance {
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed).expect("the system gives random bytes");
        Chance::from_seed(u64::from_le_bytes(seed))
    }

    /// The row of this seed.
    pub fn from_seed(seed: u64) -> Chance {
        let seed = seed | 1;
        Chance { seed, state: seed }
    }

    /// What it was seeded with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number less than `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }

    /// One of these.
    ///
    /// # Panics
    /// When there are none.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).expect("a place")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_row() {
        let row = |seed| {
            let mut chance = Chance::from_seed(seed);
            [(); 20].map(|()| chance.below(1000))
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(9));
        assert!(row(7).iter().all(|number| *number < 1000));
    }
}
