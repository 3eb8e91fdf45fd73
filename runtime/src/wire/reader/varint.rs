//! Varints, eight bytes at a time.
//!
//! Invariant: what is read lies between the two pointers, or in the slice, that
//! are given.

/// The bits of eight bytes that say that a varint goes on.
pub(super) const CONTINUES: u64 = 0x8080_8080_8080_8080;

/// A varint of more than one byte between two pointers, and where it ends: where
/// it begins, if it is none.
///
/// Pointers are passed and returned by value, so that they stay in registers.
/// Both are a reader's.
#[inline(never)]
pub(super) fn long_varint(cursor: *const u8, end: *const u8) -> (u64, *const u8) {
    let left = end as usize - cursor as usize;
    if left >= 8 {
        // SAFETY: eight bytes are left.
        let word = u64::from_le_bytes(unsafe { cursor.cast::<[u8; 8]>().read() });
        if let Some((value, len)) = by_length(word) {
            // SAFETY: less than eight bytes.
            return (value, unsafe { cursor.add(len) });
        }
        // The first byte without a continuation bit ends the varint.
        let stops = !word & CONTINUES;
        if stops != 0 {
            let bits = stops.trailing_zeros() + 1;
            // SAFETY: at most eight bytes.
            let cursor = unsafe { cursor.add(bits as usize / 8) };
            return (squeeze(word & (u64::MAX >> (64 - bits)) & !CONTINUES), cursor);
        }
    }
    let mut value = 0u64;
    for index in 0..left.min(crate::varint::MAX_LEN) {
        // SAFETY: so many bytes are left.
        let byte = unsafe { *cursor.add(index) };
        // Of the tenth byte only one bit fits; protobuf ignores the rest.
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            // SAFETY: as above.
            return (value, unsafe { cursor.add(index + 1) });
        }
    }
    (0, cursor)
}

/// A varint of two to five bytes that begins these eight, and how many they are.
///
/// Each length is a branch, so that what is behind need not wait until this one's
/// is known: the numbers of one field, or of one run, are often alike.
#[expect(clippy::inline_always, reason = "its result, put together in memory, takes twice the time")]
#[inline(always)]
pub(super) fn by_length(word: u64) -> Option<(u64, usize)> {
    match word & CONTINUES {
        ends if ends & 0x8000 == 0 => Some((word & 0x7f | word >> 1 & 0x3f80, 2)),
        ends if ends & 0x80_0000 == 0 => Some((squeeze_half(word & 0x7f_7f7f), 3)),
        ends if ends & 0x8000_0000 == 0 => Some((squeeze_half(word & 0x7f7f_7f7f), 4)),
        ends if ends & 0x80_0000_0000 == 0 => {
            Some((squeeze_half(word & 0x7f7f_7f7f) | word >> 4 & 0x7_f000_0000, 5))
        }
        _ => None,
    }
}

/// How many bytes end a varint.
pub(super) fn count_ends(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    // A byte of its own for each of eight, which holds as many as 255.
    let count = words.chunks(255).map(|words| {
        let ends = words.iter().fold(0, |ends, word| ends + (!u64::from_le_bytes(*word) >> 7 & ONES));
        ends.to_le_bytes().map(usize::from).iter().sum::<usize>()
    });
    count.sum::<usize>() + rest.iter().filter(|&&byte| byte < 0x80).count()
}

/// Moves groups of seven bits, one in each of four bytes, together.
#[inline]
fn squeeze_half(word: u64) -> u64 {
    let word = (word & 0x007f_007f) | (word & 0x7f00_7f00) >> 1;
    (word & 0x3fff) | (word & 0x3fff_0000) >> 2
}

/// Moves groups of seven bits, one in each byte, together.
#[inline]
pub(super) fn squeeze(word: u64) -> u64 {
    let word = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = (word & 0x0000_3fff_0000_3fff) | (word & 0x3fff_0000_3fff_0000) >> 2;
    (word & 0x0fff_ffff) | (word & 0x0fff_ffff_0000_0000) >> 4
}
