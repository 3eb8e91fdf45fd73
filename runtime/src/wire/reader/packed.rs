//! Packed runs: many numbers behind one length.
//!
//! Invariant: how many values there are is known before the first is read, so
//! that their vector grows once, and is charged for.

use super::Reader;
use super::varint::{CONTINUES, by_length, count_ends, squeeze};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::{Context, growth};

/// So many varints are read at once, if they are equally long.
const BLOCK: usize = 8;

impl<'a> Reader<'a> {
    /// A packed run of varints, which are made values.
    ///
    /// # Errors
    ///
    /// If the input ends within it, one of them is malformed, or they take too
    /// much memory.
    #[expect(clippy::inline_always, reason = "the reader stays in registers")]
    #[inline(always)]
    pub(in crate::wire) fn packed_varints<V: Copy + Default>(
        &mut self,
        values: &mut Vec<V>,
        of: impl Fn(u64) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        self.nested(ctx)?.varints(values, of, ctx)
    }

    /// All that is left, as varints.
    fn varints<V: Copy + Default>(
        mut self,
        values: &mut Vec<V>,
        of: impl Fn(u64) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let count = count_ends(self.rest_of());
        let mut left = growth::places(values, count, &self, ctx)?;
        while !left.is_empty() {
            let (read, len) = alike(self.rest_of(), left, &of);
            // SAFETY: these are bytes of the rest.
            self.cursor = unsafe { self.cursor.add(len) };
            let (_, others) = left.split_at_mut(read);
            // Looked for again only after it was worth it.
            let next = if read == 0 { others.len() } else { others.len().min(BLOCK) };
            let (others, rest) = others.split_at_mut(next);
            for value in others {
                *value = of(self.varint_of_run(ctx)?);
            }
            left = rest;
        }
        if self.is_empty() { Ok(()) } else { Err(self.no_varint(ctx)) }
    }

    /// A varint, of one byte most likely, or as long as the one before it.
    #[expect(clippy::inline_always, reason = "its result, put together in memory, takes twice the time")]
    #[inline(always)]
    fn varint_of_run(&mut self, ctx: &Context<'a>) -> Result<u64, DecodeError> {
        if self.remaining() < 8 {
            return self.varint(ctx);
        }
        // SAFETY: eight bytes are left.
        let word = u64::from_le_bytes(unsafe { self.cursor.cast::<[u8; 8]>().read() });
        let (value, len) = if word & 0x80 == 0 {
            (word & 0x7f, 1)
        } else if let Some(found) = by_length(word) {
            found
        } else if word & 1 << 47 == 0 {
            // A time in milliseconds. Alone, one more branch costs what it gains.
            (squeeze(word & 0x7f7f_7f7f_7f7f), 6)
        } else {
            return self.varint(ctx);
        };
        // SAFETY: no more than the eight bytes.
        self.cursor = unsafe { self.cursor.add(len) };
        Ok(value)
    }

    /// A packed run of values of the same length.
    ///
    /// # Errors
    ///
    /// If the input ends within it, or they take too much memory.
    #[expect(clippy::inline_always, reason = "the reader stays in registers")]
    #[inline(always)]
    pub(in crate::wire) fn packed_arrays<V: Copy + Default, const N: usize>(
        &mut self,
        values: &mut Vec<V>,
        of: impl Fn([u8; N]) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        self.nested(ctx)?.arrays(values, of, ctx)
    }

    /// All that is left, as values of the same length.
    fn arrays<V: Copy + Default, const N: usize>(
        mut self,
        values: &mut Vec<V>,
        of: impl Fn([u8; N]) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let (arrays, rest) = self.rest_of().as_chunks();
        growth::expect_all(values, arrays.len(), &self, ctx)?;
        values.extend(arrays.iter().map(|bytes| of(*bytes)));
        if rest.is_empty() {
            return Ok(());
        }
        self.cursor = self.end;
        Err(ctx.fail(&self, DecodeErrorKind::Truncated))
    }
}

/// Reads varints as long as they have the length of the first one, a block at a
/// time. Returns how many values that were, and how many bytes.
///
/// Times, and numbers that something counts, are equally long for long stretches:
/// then no branch asks for the length of each.
fn alike<V>(bytes: &[u8], values: &mut [V], of: &impl Fn(u64) -> V) -> (usize, usize) {
    let Some(first) = bytes.first_chunk() else { return (0, 0) };
    let ends = !u64::from_le_bytes(*first) & CONTINUES;
    if ends == 0 {
        return (0, 0);
    }
    // All bits up to the end of the first byte that ends a varint.
    let within = ends ^ (ends - 1);
    let goes_on = CONTINUES & within >> 8;
    let len = within.count_ones() as usize / 8;
    let mut read = 0;
    for block in values.chunks_exact_mut(BLOCK) {
        // Of the last one, too, eight bytes are looked at.
        let Some(bytes) = bytes.get(read * len..).and_then(|rest| rest.get(..(BLOCK - 1) * len + 8)) else {
            break;
        };
        let mut differences = 0;
        for (index, value) in block.iter_mut().enumerate() {
            // SAFETY: the block is no longer than BLOCK.
            let word = unsafe { bytes.as_ptr().add(index * len).cast::<[u8; 8]>().read() };
            let word = u64::from_le_bytes(word) & within;
            differences |= word & CONTINUES ^ goes_on;
            *value = of(squeeze(word & !CONTINUES));
        }
        if differences != 0 {
            break;
        }
        read += BLOCK;
    }
    (read, read * len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeLimits;
    use crate::dice::Dice;
    use crate::wire::{Fixed32, Int64, Reads, Uint64, Writer, Writes};

    /// What reading the run one by one gives.
    fn one_by_one(bytes: &[u8]) -> Result<Vec<u64>, DecodeErrorKind> {
        let (ctx, mut input) = Context::new(bytes, None, &DecodeLimits::DEFAULT);
        let mut run = input.nested(&ctx).map_err(|error| error.kind().clone())?;
        let mut values = Vec::new();
        while run.remaining() > 0 {
            values.push(run.varint(&ctx).map_err(|error| error.kind().clone())?);
        }
        Ok(values)
    }

    #[test]
    fn runs_of_numbers_of_any_length_are_read_as_one_by_one() {
        let mut dice = Dice::new(5);
        for _ in 0..Dice::times(20_000) {
            let bits = dice.below(64);
            let values: Vec<u64> = (0..dice.below(40))
                .map(|_| dice.word() >> if dice.below(4) == 0 { dice.below(64) } else { bits })
                .collect();
            let mut bytes = Writer::collect("", 0, |out| Uint64::put_packed(0x0a, &values, out));
            if bytes.is_empty() {
                continue;
            }
            let (mut ctx, mut input) = Context::new(&bytes[1..], None, &DecodeLimits::DEFAULT);
            let mut read = Vec::new();
            Uint64::read_packed(&mut read, &mut input, &mut ctx).unwrap();
            assert_eq!((read, input.remaining()), (values, 0));
            // And what is wrong with a run is said as if it were read one by one.
            let at = 1 + dice.below(bytes.len() - 1);
            bytes[at] ^= 0x80;
            let (mut ctx, mut input) = Context::new(&bytes[1..], None, &DecodeLimits::DEFAULT);
            let mut read = Vec::new();
            let ours = Uint64::read_packed(&mut read, &mut input, &mut ctx);
            assert_eq!(ours.map(|()| read).map_err(|error| error.kind().clone()), one_by_one(&bytes[1..]));
        }
    }

    #[test]
    fn a_run_that_ends_within_a_value_is_refused() {
        let (mut ctx, mut input) = Context::new(&[5, 1, 2, 3, 4, 5], None, &DecodeLimits::DEFAULT);
        let error = Fixed32::read_packed(&mut Vec::new(), &mut input, &mut ctx).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (&DecodeErrorKind::Truncated, 6));
    }

    #[test]
    fn a_run_costs_no_more_than_is_allowed() {
        let limits = DecodeLimits { expansion: 0, ..DecodeLimits::DEFAULT };
        let values = vec![0; 10_000];
        let bytes = Writer::collect("", 0, |out| Int64::put_packed(0x0a, &values, out));
        let (mut ctx, mut input) = Context::new(&bytes[1..], None, &limits);
        let error = Int64::read_packed(&mut Vec::new(), &mut input, &mut ctx).unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::TooManyElements);
    }
}
