//! Variable-length integers: encoded lengths, and the zigzag mapping.
//!
//! The reader and the writer decode and encode varints themselves, since both need the
//! cursor. Invariant: [`len`] of a value is the number of bytes that the writer writes
//! for it.

/// The maximum length of a 64-bit varint in bytes.
pub const MAX_LEN: usize = 10;

/// Returns how many bytes `value` takes as a varint: 1 to 10.
///
/// ```
/// assert_eq!(riak_runtime::varint::len(127), 1);
/// assert_eq!(riak_runtime::varint::len(128), 2);
/// assert_eq!(riak_runtime::varint::len(u64::MAX), 10);
/// ```
#[inline]
#[must_use]
pub const fn len(value: u64) -> usize {
    // One byte per seven bits: ceil(bits / 7) = (bits * 9 + 64) / 64 for 1 to 64 bits.
    // Zero counts as one bit.
    let bits = 64 - (value | 1).leading_zeros();
    ((bits * 9 + 64) / 64) as usize
}

/// Maps a signed integer to an unsigned one, so that values near zero stay small.
#[inline]
#[must_use]
pub const fn zigzag64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Reverses [`zigzag64`].
#[inline]
#[must_use]
pub const fn unzigzag64(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Maps a signed integer to an unsigned one, so that values near zero stay small.
#[inline]
#[must_use]
pub const fn zigzag32(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)).cast_unsigned()
}

/// Reverses [`zigzag32`].
#[inline]
#[must_use]
pub const fn unzigzag32(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn len_counts_groups_of_seven_bits() {
        for bits in 0..64u32 {
            let value = 1u64 << bits;
            assert_eq!(len(value), (bits as usize) / 7 + 1, "2^{bits}");
            if bits > 0 {
                assert_eq!(len(value - 1), (bits as usize - 1) / 7 + 1, "2^{bits} - 1");
            }
        }
        assert_eq!(len(u64::MAX), MAX_LEN);
    }

    #[test]
    fn zigzag_is_a_bijection_that_keeps_small_numbers_small() {
        assert_eq!([0, -1, 1, -2, 2].map(zigzag64), [0, 1, 2, 3, 4]);
        for value in [0, 1, -1, i64::MAX, i64::MIN, -5, 1 << 40] {
            assert_eq!(unzigzag64(zigzag64(value)), value);
        }
        for value in [0, 1, -1, i32::MAX, i32::MIN, -5] {
            assert_eq!(unzigzag32(zigzag32(value)), value);
        }
    }
}
