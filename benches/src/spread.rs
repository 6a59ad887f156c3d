//! Samples and what is said about them.

/// What a figure was, over the rounds in which it was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    pub(crate) fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    pub(crate) fn median(&self) -> f64 {
        quantile(&self.sorted(), 0.5)
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// A quantile over all samples.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        quantile(&self.sorted(), part)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The ratio to another figure, round by round: what a busy moment does to both cancels out.
    pub(crate) fn over(&self, other: &Rounds) -> Rounds {
        Rounds(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

/// A quantile of samples in rising order: the least one that so large a part is not above. Of none, it is no
/// number.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((quantile(&hundred, 0.5), quantile(&hundred, 0.99)), (50.0, 99.0));
        assert_eq!((quantile(&[7.0], 0.5), quantile(&[7.0], 0.99)), (7.0, 7.0));
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let rounds = |samples: [f64; 3]| Rounds(samples.to_vec());
        let ratio = rounds([1.0, 20.0, 3.0]).over(&rounds([2.0, 40.0, 6.0]));
        assert_eq!((ratio.least(), ratio.median(), ratio.most()), (0.5, 0.5, 0.5));
    }
}
