//! Packed runs: many numbers after one length prefix.
//!
//! Invariant: the values are counted before the first one is read, so that their vector
//! grows once, and is charged to the budget in advance.

use super::Reader;
use super::varint::{CONTINUATION_BITS, count_varints, decode_short, squeeze};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::{Context, growth};

/// The number of varints that are read at once if they are equally long.
const BLOCK: usize = 8;

impl<'a> Reader<'a> {
    /// Reads a packed run of varints, and converts each of them with `of`.
    ///
    /// # Errors
    ///
    /// If the input ends within the run, a varint is malformed, or the values take too
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

    /// Reads all remaining bytes as varints.
    fn varints<V: Copy + Default>(
        mut self,
        values: &mut Vec<V>,
        of: impl Fn(u64) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let count = count_varints(self.peek_rest());
        let mut left = growth::extend_default(values, count, &self, ctx)?;
        while !left.is_empty() {
            let (read, len) = read_equal_width(self.peek_rest(), left, &of);
            // SAFETY: `len` counts bytes of `peek_rest`, so they are left.
            self.cursor = unsafe { self.cursor.add(len) };
            let (_, others) = left.split_at_mut(read);
            // After a failed attempt, read the rest one by one; after a success, try
            // again after the next block.
            let next = if read == 0 { others.len() } else { others.len().min(BLOCK) };
            let (others, rest) = others.split_at_mut(next);
            for value in others {
                *value = of(self.run_varint(ctx)?);
            }
            left = rest;
        }
        if self.is_empty() { Ok(()) } else { Err(self.varint_error(ctx)) }
    }

    /// Reads a varint that is most likely one byte long, or as long as the previous
    /// one.
    #[expect(
        clippy::inline_always,
        reason = "otherwise the result passes through memory, which takes twice the time"
    )]
    #[inline(always)]
    fn run_varint(&mut self, ctx: &Context<'a>) -> Result<u64, DecodeError> {
        if self.remaining() < 8 {
            return self.varint(ctx);
        }
        // SAFETY: eight bytes are left.
        let word = u64::from_le_bytes(unsafe { self.cursor.cast::<[u8; 8]>().read() });
        let (value, len) = if word & 0x80 == 0 {
            (word & 0x7f, 1)
        } else if let Some(found) = decode_short(word) {
            found
        } else if word & 1 << 47 == 0 {
            // Most likely a time in milliseconds. In `decode_short`, a branch for this
            // length would cost as much as it gains.
            (squeeze(word & 0x7f7f_7f7f_7f7f), 6)
        } else {
            return self.varint(ctx);
        };
        // SAFETY: `len` is at most 6, and eight bytes are left.
        self.cursor = unsafe { self.cursor.add(len) };
        Ok(value)
    }

    /// Reads a packed run of fixed-size values, and converts each of them with `of`.
    ///
    /// # Errors
    ///
    /// If the input ends within the run, or the values take too much memory.
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

    /// Reads all remaining bytes as fixed-size values.
    fn arrays<V: Copy + Default, const N: usize>(
        mut self,
        values: &mut Vec<V>,
        of: impl Fn([u8; N]) -> V,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let (arrays, rest) = self.peek_rest().as_chunks();
        growth::reserve_all(values, arrays.len(), &self, ctx)?;
        values.extend(arrays.iter().map(|bytes| of(*bytes)));
        if rest.is_empty() {
            return Ok(());
        }
        self.cursor = self.end;
        Err(ctx.fail(&self, DecodeErrorKind::Truncated))
    }
}

/// Reads varints, a block at a time, as long as they have the same length as the first
/// one. Returns how many values and how many bytes were read.
///
/// Timestamps and counters are of equal length for long stretches, where this needs no
/// branch per value.
fn read_equal_width<V>(bytes: &[u8], values: &mut [V], of: &impl Fn(u64) -> V) -> (usize, usize) {
    let Some(first) = bytes.first_chunk() else { return (0, 0) };
    let ends = !u64::from_le_bytes(*first) & CONTINUATION_BITS;
    if ends == 0 {
        return (0, 0);
    }
    // All bits up to the end of the first byte that ends a varint.
    let mask = ends ^ (ends - 1);
    let continuation = CONTINUATION_BITS & mask >> 8;
    let len = mask.count_ones() as usize / 8;
    let mut read = 0;
    for block in values.chunks_exact_mut(BLOCK) {
        // The last varint of the block also needs eight readable bytes.
        let Some(bytes) = bytes.get(read * len..).and_then(|rest| rest.get(..(BLOCK - 1) * len + 8)) else {
            break;
        };
        let mut differences = 0;
        for (index, value) in block.iter_mut().enumerate() {
            // SAFETY: `index < BLOCK`, and `bytes` holds `(BLOCK - 1) * len + 8` bytes,
            // so eight bytes are readable at `index * len`.
            let word = unsafe { bytes.as_ptr().add(index * len).cast::<[u8; 8]>().read() };
            let word = u64::from_le_bytes(word) & mask;
            differences |= word & CONTINUATION_BITS ^ continuation;
            *value = of(squeeze(word & !CONTINUATION_BITS));
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

    /// Decodes the run one varint at a time.
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
            // A malformed run gives the same error as reading it one by one.
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
