//! Chance that can be repeated: xorshift64*, seeded.

use std::ops::Range;

pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn seeded(seed: u64) -> Self {
        // The generator must not begin at 0, and neighbouring seeds should begin far apart.
        Rng(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub(crate) fn within(&mut self, range: Range<i64>) -> i64 {
        let width = (range.end - range.start).unsigned_abs();
        range.start + i64::try_from(self.next() % width).expect("below the width")
    }

    /// Once in `n` times.
    pub(crate) fn one_in(&mut self, n: i64) -> bool {
        self.within(0..n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        let length = i64::try_from(from.len()).expect("a length");
        from.get(usize::try_from(self.within(0..length)).expect("an index"))
    }
}

/// What whoever runs the tests has chosen, or this.
pub(crate) fn from_environment(name: &str, default: u64) -> u64 {
    text_from_environment(name).map_or(default, |value| value.parse().expect("a number"))
}

/// What whoever runs the tests has chosen, if anything.
pub(crate) fn text_from_environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "another walk is asked for by whoever runs the tests")]
    std::env::var(name).ok()
}
