//! [`Hll`]: an estimate of the number of distinct elements.
//!
//! Invariant: the registers equal Riak's for the same elements, so estimates up to
//! the threshold of linear counting (11,500 elements at a precision of 14) equal
//! Riak's as well. Above it, up to five times the number of registers, Riak corrects
//! its bias from empirical tables. This file uses Ertl's estimator instead, which has
//! no bias ("New cardinality estimation algorithms for `HyperLogLog` sketches", 2017).
//! At that precision, both err by about one percent.

use riak_runtime::Blob;

use crate::sha1;

/// The precision of a bucket type that sets none.
pub(crate) const DEFAULT_PRECISION: u32 = 14;

/// The highest estimate for which linear counting is more accurate, for each precision
/// from 4 on.
const THRESHOLDS: [f64; 13] =
    [10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1_800.0, 3_100.0, 6_500.0, 11_500.0, 20_000.0, 50_000.0];

/// A `HyperLogLog`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hll {
    /// The precision, between 4 and 16.
    precision: u32,
    /// The registers, two to the power of the precision.
    registers: Vec<u8>,
}

impl Hll {
    /// Creates an empty sketch.
    pub(crate) fn new(precision: Option<u32>) -> Self {
        // A real node has no bucket type with another precision.
        let precision = precision.unwrap_or(DEFAULT_PRECISION).clamp(4, 16);
        Self { precision, registers: vec![0; 1 << precision] }
    }

    /// Adds elements.
    pub(crate) fn insert_all(&mut self, elements: &[Blob]) {
        let other = 32 - self.precision;
        for element in elements {
            let [b0, b1, b2, b3, ..] = sha1::digest(element);
            let hash = u32::from_be_bytes([b0, b1, b2, b3]);
            // The first bits of the hash choose a register. Its value is computed from
            // the next `precision` bits only, as in Riak.
            let zeros = ((hash << self.precision) >> other).leading_zeros() - other;
            let register = &mut self.registers[(hash >> other) as usize];
            *register = (*register).max(u8::try_from(zeros + 1).unwrap_or(u8::MAX));
        }
    }

    /// Returns the estimated number of distinct elements.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "estimates are positive, and smaller than a hash of 32 bits can tell apart"
    )]
    pub(crate) fn estimate(&self) -> u64 {
        let counts = self.counts();
        let m = f64::from(1_u32 << self.precision);
        let sum: f64 = (0_i32..).zip(&counts).map(|(value, count)| count * 2_f64.powi(-value)).sum();
        let raw = alpha(self.precision) * m * m / sum;
        let estimate = if raw <= 5.0 * m { unbiased(&counts, m) } else { raw };
        let linear = if counts[0] == 0.0 { estimate } else { m * (m / counts[0]).ln() };
        let threshold = THRESHOLDS[self.precision as usize - 4];
        (if linear <= threshold { linear } else { estimate }).round() as u64
    }

    /// Returns the number of registers with each value, up to the highest possible one.
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

/// Returns Ertl's estimate from the number of registers with each value.
fn unbiased(counts: &[f64], m: f64) -> f64 {
    // There are always counts for the values 0 and 1.
    let [none, between @ .., full] = counts else { return 0.0 };
    let mut sum = m * tau(1.0 - full / m);
    for count in between.iter().rev() {
        sum = 0.5 * (sum + count);
    }
    sum += m * sigma(none / m);
    m * m / (2.0 * std::f64::consts::LN_2 * sum)
}

/// Returns the contribution of registers that were never hit.
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

/// Returns the contribution of saturated registers.
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
    fn estimates_are_within_four_standard_errors() {
        for precision in [4, 10, 14] {
            let mut hll = Hll::new(Some(precision));
            let mut shown = 0;
            for count in [0, 1, 2, 10, 100, 1_000, 10_000, 15_000, 40_000, 90_000] {
                let more: Vec<Blob> = (shown..count).map(|number| number.to_string().into()).collect();
                hll.insert_all(&more);
                shown = count;
                let estimate = hll.estimate();
                // Four times the standard error, and rounding.
                let margin = f64::from(count) * 4.0 * 1.04 / f64::from(1_u32 << precision).sqrt() + 1.0;
                let off = (i128::from(estimate) - i128::from(count)).unsigned_abs();
                // Beyond this count registers saturate, and Riak's estimates are too low.
                if f64::from(count) < 2_f64.powi(2 * precision.cast_signed() - 3) {
                    let off = u32::try_from(off).unwrap();
                    assert!(f64::from(off) <= margin, "{count} at {precision}: {estimate}");
                }
            }
        }
    }

    #[test]
    fn repeated_elements_change_nothing() {
        let mut hll = Hll::new(None);
        hll.insert_all(&(0..100).map(|number| number.to_string().into()).collect::<Vec<Blob>>());
        let before = hll.clone();
        hll.insert_all(&["7".into(), "99".into()]);
        assert_eq!((&hll, hll.estimate()), (&before, 100));
    }

    #[test]
    fn precisions_are_clamped_to_the_valid_range() {
        assert_eq!(Hll::new(Some(2)), Hll::new(Some(4)));
        assert_eq!(Hll::new(Some(99)), Hll::new(Some(16)));
        assert_eq!(Hll::new(None), Hll::new(Some(14)));
    }
}
