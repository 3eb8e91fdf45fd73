//! [`Hll`]: an estimate of how many distinct elements there were.
//!
//! Invariant: the registers are those that Riak has for the same elements, so
//! that estimates of up to the threshold of linear counting (11,500 elements at
//! the precision of 14) are Riak's as well. Above it, up to five times the number
//! of registers, Riak takes its bias out of tables of measurements; here stands
//! Ertl's estimator, which has none ("New cardinality estimation algorithms for
//! `HyperLogLog` sketches", 2017). Both err by about a hundredth at that precision.

use riak_runtime::Blob;

use crate::sha1;

/// What a bucket type has that says nothing else.
pub(crate) const DEFAULT_PRECISION: u32 = 14;

/// Up to which estimate linear counting is the better one, for the precisions
/// from 4 on.
const THRESHOLDS: [f64; 13] =
    [10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1_800.0, 3_100.0, 6_500.0, 11_500.0, 20_000.0, 50_000.0];

/// A `HyperLogLog`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hll {
    /// Between 4 and 16.
    precision: u32,
    /// Two to the power of the precision.
    registers: Vec<u8>,
}

impl Hll {
    /// One that has seen nothing.
    pub(crate) fn new(precision: Option<u32>) -> Self {
        // A real node has no bucket type with any other.
        let precision = precision.unwrap_or(DEFAULT_PRECISION).clamp(4, 16);
        Self { precision, registers: vec![0; 1 << precision] }
    }

    /// Shows it elements.
    pub(crate) fn observe(&mut self, elements: &[Blob]) {
        let other = 32 - self.precision;
        for element in elements {
            let [b0, b1, b2, b3, ..] = sha1::digest(element);
            let hash = u32::from_be_bytes([b0, b1, b2, b3]);
            // The first bits of the hash choose a register, and as many bits behind
            // them, not all of the rest, are what it remembers.
            let zeros = ((hash << self.precision) >> other).leading_zeros() - other;
            let register = &mut self.registers[(hash >> other) as usize];
            *register = (*register).max(u8::try_from(zeros + 1).unwrap_or(u8::MAX));
        }
    }

    /// How many distinct elements it has seen, more or less.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "estimates are positive, and smaller than a hash of 32 bits can tell apart"
    )]
    pub(crate) fn estimate(&self) -> u64 {
        let counts = self.counts();
        let most = f64::from(1_u32 << self.precision);
        let sum: f64 = (0_i32..).zip(&counts).map(|(value, count)| count * 2_f64.powi(-value)).sum();
        let raw = alpha(self.precision) * most * most / sum;
        let estimate = if raw <= 5.0 * most { unbiased(&counts, most) } else { raw };
        let linear = if counts[0] == 0.0 { estimate } else { most * (most / counts[0]).ln() };
        let threshold = THRESHOLDS[self.precision as usize - 4];
        (if linear <= threshold { linear } else { estimate }).round() as u64
    }

    /// How many registers have each value, up to the highest that there is.
    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.precision as usize + 2];
        for register in &self.registers {
            counts[usize::from(*register)] += 1.0;
        }
        counts
    }

    pub(super) fn registers(&self) -> &[u8] {
        &self.registers
    }
}

fn alpha(precision: u32) -> f64 {
    match precision {
        4 => 0.673,
        5 => 0.697,
        6 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / f64::from(1_u32 << precision)),
    }
}

/// Ertl's estimate from how many registers have each value.
fn unbiased(counts: &[f64], most: f64) -> f64 {
    // Registers have at least the values 0 and 1.
    let [none, between @ .., full] = counts else { return 0.0 };
    let mut sum = most * tau(1.0 - full / most);
    for count in between.iter().rev() {
        sum = 0.5 * (sum + count);
    }
    sum += most * sigma(none / most);
    most * most / (2.0 * std::f64::consts::LN_2 * sum)
}

/// What registers that were never hit add.
fn sigma(share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (share, 1.0, share);
    loop {
        power *= power;
        let next = sum + power * factor;
        if next <= sum {
            return sum;
        }
        sum = next;
        factor *= 2.0;
    }
}

/// What registers that can grow no more add.
fn tau(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let (mut root, mut factor, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        root = root.sqrt();
        factor *= 0.5;
        let next = sum - (1.0 - root) * (1.0 - root) * factor;
        if next >= sum {
            return sum / 3.0;
        }
        sum = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_close_at_any_size() {
        for precision in [4, 10, 14] {
            let mut hll = Hll::new(Some(precision));
            let mut shown = 0;
            for count in [0, 1, 2, 10, 100, 1_000, 10_000, 15_000, 40_000, 90_000] {
                let more: Vec<Blob> = (shown..count).map(|number| number.to_string().into()).collect();
                hll.observe(&more);
                shown = count;
                let estimate = hll.estimate();
                // Four times the standard error, and rounding.
                let margin = f64::from(count) * 4.0 * 1.04 / f64::from(1_u32 << precision).sqrt() + 1.0;
                let off = (i128::from(estimate) - i128::from(count)).unsigned_abs();
                // From where the values in the registers run out, Riak's are too low.
                if f64::from(count) < 2_f64.powi(2 * precision.cast_signed() - 3) {
                    let off = u32::try_from(off).unwrap();
                    assert!(f64::from(off) <= margin, "{count} at {precision}: {estimate}");
                }
            }
        }
    }

    #[test]
    fn what_was_seen_before_changes_nothing() {
        let mut hll = Hll::new(None);
        hll.observe(&(0..100).map(|number| number.to_string().into()).collect::<Vec<Blob>>());
        let before = hll.clone();
        hll.observe(&["7".into(), "99".into()]);
        assert_eq!((&hll, hll.estimate()), (&before, 100));
    }

    #[test]
    fn precisions_that_there_are_not_become_those_next_to_them() {
        assert_eq!(Hll::new(Some(2)), Hll::new(Some(4)));
        assert_eq!(Hll::new(Some(99)), Hll::new(Some(16)));
        assert_eq!(Hll::new(None), Hll::new(Some(14)));
    }
}
