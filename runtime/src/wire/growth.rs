//! Growth of the vectors that values are decoded into.
//!
//! Invariant: all capacity that a vector gains is charged to the budget of the
//! [`Context`], so that no input allocates more than
//! [`DecodeLimits`](crate::DecodeLimits) allows for its size.

use super::{Context, Reader};
use crate::error::DecodeError;

/// Vectors of values up to this size start with a capacity of four; larger values often
/// occur only once.
const SMALL_VALUE: usize = 64;

/// The maximum number of values to reserve on an estimate. Beyond it, doubling costs
/// little, whereas a wrong estimate would cost much.
const MAX_ESTIMATE: usize = 4096;

/// Ensures capacity for one more value.
#[inline]
pub(super) fn reserve_one<'a, V>(
    values: &mut Vec<V>,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    if values.len() < values.capacity() { Ok(()) } else { grow(values, input.clone(), ctx) }
}

/// Doubles the capacity, or makes the first allocation.
#[expect(clippy::needless_pass_by_value, reason = "a caller would have to keep the reader in memory")]
#[cold]
#[inline(never)]
fn grow<'a, V>(values: &mut Vec<V>, input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
    let first = if size_of::<V>() <= SMALL_VALUE { 4 } else { 1 };
    let more = values.len().max(first);
    ctx.charge(more.saturating_mul(size_of::<V>()), &input)?;
    reserve(values, more);
    Ok(())
}

/// Reserves capacity for `more` values beyond those that the vector holds.
#[inline]
fn reserve<V>(values: &mut Vec<V>, more: usize) {
    if values.capacity() == 0 {
        // Avoids the code path of `Vec` that also moves existing elements.
        std::mem::forget(std::mem::replace(values, Vec::with_capacity(more)));
    } else {
        values.reserve_exact(more);
    }
}

/// Reserves capacity for a run of values: for as many as `left` bytes hold if each
/// takes `first`, plus an eighth, as far as the budget allows.
#[inline]
pub(super) fn reserve_run<V>(values: &mut Vec<V>, first: usize, left: usize, ctx: &mut Context<'_>) {
    let more = left / first.max(1);
    reserve_affordable(values, (more + more / 8 + 1).min(MAX_ESTIMATE), ctx);
}

/// Appends `count` default values, and returns them to be overwritten.
#[inline]
pub(super) fn extend_default<'v, 'a, V: Copy + Default>(
    values: &'v mut Vec<V>,
    count: usize,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<&'v mut [V], DecodeError> {
    reserve_all(values, count, input, ctx)?;
    let before = values.len();
    values.resize(before + count, V::default());
    Ok(&mut values[before..])
}

/// Reserves capacity for `count` more values, or fails if the budget does not allow it.
#[inline]
pub(super) fn reserve_all<'a, V>(
    values: &mut Vec<V>,
    count: usize,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    reserve_affordable(values, count, ctx);
    let missing = (values.len() + count).saturating_sub(values.capacity());
    if missing > 0 {
        ctx.charge(missing.saturating_mul(size_of::<V>()), input)?;
    }
    Ok(())
}

/// Reserves capacity for `more` values, as far as the budget allows.
#[inline]
pub(super) fn reserve_affordable<V>(values: &mut Vec<V>, more: usize, ctx: &mut Context<'_>) {
    // Mostly so, and then nothing below matters.
    if values.capacity() == 0 {
        let more = ctx.take_budget(more, size_of::<V>());
        return reserve(values, more);
    }
    let spare = values.capacity() - values.len();
    if spare >= more || size_of::<V>() == 0 {
        return;
    }
    // At least doubles the capacity; otherwise many short runs of one field would move
    // the vector once for each run.
    let wanted = if values.len() > 1 { more.max(values.len()) } else { more };
    let more = ctx.take_budget(wanted - spare, size_of::<V>());
    reserve(values, spare + more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeLimits;

    #[test]
    fn capacity_is_charged_and_bounded() {
        let input = [0; 1000];
        let limits = DecodeLimits { expansion: 0, ..DecodeLimits::DEFAULT };
        let (mut ctx, reader) = Context::new(&input, None, &limits);
        let mut values: Vec<[u8; 100]> = Vec::new();
        // 64 KiB are allowed for any input.
        let refused = (0..10_000).find(|_| {
            let refused = reserve_one(&mut values, &reader, &mut ctx).is_err();
            if !refused {
                values.push([0; 100]);
            }
            refused
        });
        assert!(refused.is_some());
        assert!(values.capacity() * 100 <= 64 * 1024);
    }

    #[test]
    fn guesses_are_cut_to_what_the_budget_allows() {
        let input = [0; 10];
        let limits = DecodeLimits { expansion: 0, ..DecodeLimits::DEFAULT };
        let (mut ctx, _) = Context::new(&input, None, &limits);
        let mut all: Vec<Vec<[u8; 100]>> = Vec::new();
        for _ in 0..100 {
            let mut values = vec![[0; 100]];
            reserve_run(&mut values, 2, 1_000_000, &mut ctx);
            all.push(values);
        }
        let capacity: usize = all.iter().map(|values| values.capacity() - 1).sum();
        assert!(capacity * 100 <= 64 * 1024, "{capacity}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes under Miri")]
    fn short_runs_do_not_move_the_vector_each_time() {
        let input = vec![0; 1_000_000];
        let (mut ctx, _) = Context::new(&input, None, &DecodeLimits::DEFAULT);
        let mut values: Vec<u64> = Vec::new();
        let mut moves = 0;
        for _ in 0..10_000 {
            let before = values.capacity();
            reserve_affordable(&mut values, 2, &mut ctx);
            moves += usize::from(values.capacity() != before);
            values.extend([1, 2]);
        }
        assert!(moves < 20, "{moves}");
    }

    #[test]
    fn what_is_reserved_is_charged_up_to_the_last_byte() {
        let limits = DecodeLimits { expansion: 0, ..DecodeLimits::DEFAULT };
        let (mut ctx, _) = Context::new(&[], None, &limits);
        let mut capacity_of_two = || {
            let mut values: Vec<[u8; 100]> = Vec::new();
            reserve_affordable(&mut values, 2, &mut ctx);
            values.capacity()
        };
        // 64 KiB hold 655 values.
        assert!((0..327).all(|_| capacity_of_two() == 2));
        assert_eq!([capacity_of_two(), capacity_of_two()], [1, 0]);
    }
}
