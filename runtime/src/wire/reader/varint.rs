//! Decodes varints, eight bytes at a time.
//!
//! Invariant: everything that is read lies between the two given pointers, or in the
//! given slice.

/// The continuation bits of eight varint bytes.
pub(super) const CONTINUATION_BITS: u64 = 0x8080_8080_8080_8080;

/// Decodes the varint at `cursor`, and returns the value and a pointer past it. If
/// the bytes up to `end` do not begin with a varint, returns `cursor` unchanged.
///
/// Pointers are passed and returned by value, so that they stay in registers.
///
/// # Safety
///
/// `cursor` is at most `end`, and the bytes between them are readable.
#[inline(never)]
pub(super) unsafe fn long_varint(cursor: *const u8, end: *const u8) -> (u64, *const u8) {
    let left = end as usize - cursor as usize;
    if left >= 8 {
        // SAFETY: eight bytes are left.
        let word = u64::from_le_bytes(unsafe { cursor.cast::<[u8; 8]>().read() });
        if let Some((value, len)) = decode_short(word) {
            // SAFETY: `len` is at most five, and eight bytes are left.
            return (value, unsafe { cursor.add(len) });
        }
        // The first byte without a continuation bit ends the varint.
        let stops = !word & CONTINUATION_BITS;
        if stops != 0 {
            let bits = stops.trailing_zeros() + 1;
            // SAFETY: the varint has at most eight bytes, and eight are left.
            let cursor = unsafe { cursor.add(bits as usize / 8) };
            return (squeeze(word & (u64::MAX >> (64 - bits)) & !CONTINUATION_BITS), cursor);
        }
    }
    let mut value = 0u64;
    for index in 0..left.min(crate::varint::MAX_LEN) {
        // SAFETY: `index` is less than the number of bytes that are left.
        let byte = unsafe { *cursor.add(index) };
        // Only one bit of the tenth byte fits; protobuf ignores the others.
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            // SAFETY: as above; the result is at most `end`.
            return (value, unsafe { cursor.add(index + 1) });
        }
    }
    (0, cursor)
}

/// Decodes a varint of two to five bytes at the start of `word`, and returns its value
/// and length.
///
/// Each length is a branch, so that the next read need not wait until the length is
/// known: the values of one field, or of one run, are often of equal length.
#[expect(
    clippy::inline_always,
    reason = "otherwise the result passes through memory, which takes twice the time"
)]
#[inline(always)]
pub(super) fn decode_short(word: u64) -> Option<(u64, usize)> {
    match word & CONTINUATION_BITS {
        ends if ends & 0x8000 == 0 => Some((word & 0x7f | word >> 1 & 0x3f80, 2)),
        ends if ends & 0x80_0000 == 0 => Some((squeeze_half(word & 0x7f_7f7f), 3)),
        ends if ends & 0x8000_0000 == 0 => Some((squeeze_half(word & 0x7f7f_7f7f), 4)),
        ends if ends & 0x80_0000_0000 == 0 => {
            Some((squeeze_half(word & 0x7f7f_7f7f) | word >> 4 & 0x7_f000_0000, 5))
        }
        _ => None,
    }
}

/// Counts the varints in `bytes`, that is, the bytes that end one.
pub(super) fn count_varints(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    // Eight counters of one byte each, none of which exceeds 255 within a chunk.
    let count = words.chunks(255).map(|words| {
        let ends = words.iter().fold(0, |ends, word| ends + (!u64::from_le_bytes(*word) >> 7 & ONES));
        ends.to_le_bytes().map(usize::from).iter().sum::<usize>()
    });
    count.sum::<usize>() + rest.iter().filter(|&&byte| byte < 0x80).count()
}

/// Packs four groups of seven bits, one in each byte, together.
#[inline]
fn squeeze_half(word: u64) -> u64 {
    let word = (word & 0x007f_007f) | (word & 0x7f00_7f00) >> 1;
    (word & 0x3fff) | (word & 0x3fff_0000) >> 2
}

/// Packs eight groups of seven bits, one in each byte, together.
#[inline]
pub(super) fn squeeze(word: u64) -> u64 {
    let word = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = (word & 0x0000_3fff_0000_3fff) | (word & 0x3fff_0000_3fff_0000) >> 2;
    (word & 0x0fff_ffff) | (word & 0x0fff_ffff_0000_0000) >> 4
}
