//! Vectors that grow while they are read.
//!
//! Invariant: whatever a vector's capacity becomes, it was charged to the
//! budget of the [`Context`], so that no input makes more of it than
//! [`DecodeLimits`](crate::DecodeLimits) allows for its size.

use super::{Context, Reader};
use crate::error::DecodeError;

/// Values up to this size begin with room for four; of larger ones there is
/// often only one.
const SMALL: usize = 64;

/// The most that a guess reserves at once: from there on doubling costs little,
/// and a wrong guess would.
const MOST: usize = 4096;

/// Makes room for one more value.
#[inline]
pub(super) fn room<'a, V>(
    values: &mut Vec<V>,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    if values.len() < values.capacity() { Ok(()) } else { grow(values, input, ctx) }
}

/// Makes room for as many values as there are.
#[cold]
#[inline(never)]
fn grow<'a, V>(values: &mut Vec<V>, input: &Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
    let first = if size_of::<V>() <= SMALL { 4 } else { 1 };
    let more = values.len().max(first);
    ctx.charge(more.saturating_mul(size_of::<V>()), input)?;
    reserve(values, more);
    Ok(())
}

/// Reserves room for `more` values behind those that are there.
#[inline]
fn reserve<V>(values: &mut Vec<V>, more: usize) {
    if values.capacity() == 0 {
        // Not the way of vectors that grow, which have something to be moved.
        std::mem::forget(std::mem::replace(values, Vec::with_capacity(more)));
    } else {
        values.reserve_exact(more);
    }
}

/// Makes room for a run of values of which the first took `first` bytes and
/// `left` are left, with an eighth to spare, as far as the budget allows.
#[inline]
pub(super) fn guess<V>(values: &mut Vec<V>, first: usize, left: usize, ctx: &mut Context<'_>) {
    let more = left / first.max(1);
    expect(values, (more + more / 8 + 1).min(MOST), ctx);
}

/// Adds `count` values, and gives the places where they belong.
#[inline]
pub(super) fn places<'v, 'a, V: Copy + Default>(
    values: &'v mut Vec<V>,
    count: usize,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<&'v mut [V], DecodeError> {
    expect_all(values, count, input, ctx)?;
    let before = values.len();
    values.resize(before + count, V::default());
    Ok(&mut values[before..])
}

/// Makes room for `count` values, or says that they are too many.
#[inline]
pub(super) fn expect_all<'a, V>(
    values: &mut Vec<V>,
    count: usize,
    input: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    expect(values, count, ctx);
    let lacking = (values.len() + count).saturating_sub(values.capacity());
    if lacking > 0 {
        ctx.charge(lacking.saturating_mul(size_of::<V>()), input)?;
    }
    Ok(())
}

/// Makes room for `more` values, as far as the budget allows.
#[inline]
pub(super) fn expect<V>(values: &mut Vec<V>, more: usize, ctx: &mut Context<'_>) {
    let spare = values.capacity() - values.len();
    if spare >= more || size_of::<V>() == 0 {
        return;
    }
    // Many short runs of one field would else move the vector once for each.
    let wanted = if values.len() > 1 { more.max(values.len()) } else { more };
    let more = ctx.afford(wanted - spare, size_of::<V>());
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
            let refused = room(&mut values, &reader, &mut ctx).is_err();
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
            guess(&mut values, 2, 1_000_000, &mut ctx);
            all.push(values);
        }
        let capacity: usize = all.iter().map(|values| values.capacity() - 1).sum();
        assert!(capacity * 100 <= 64 * 1024, "{capacity}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes there")]
    fn short_runs_do_not_move_the_vector_each_time() {
        let input = vec![0; 1_000_000];
        let (mut ctx, _) = Context::new(&input, None, &DecodeLimits::DEFAULT);
        let mut values: Vec<u64> = Vec::new();
        let mut moves = 0;
        for _ in 0..10_000 {
            let before = values.capacity();
            expect(&mut values, 2, &mut ctx);
            moves += usize::from(values.capacity() != before);
            values.extend([1, 2]);
        }
        assert!(moves < 20, "{moves}");
    }
}
