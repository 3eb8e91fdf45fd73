//! Functions that write at a raw pointer. The pointer is passed and returned by value,
//! so that it stays in a register; behind a reference it would be stored and loaded
//! again for each field.
//!
//! Invariant: each function writes no more bytes than its contract states, and returns
//! a pointer past the encoded value.

use crate::varint;

/// The maximum number of bytes that [`copy_short`] copies.
pub(super) const MAX_SHORT_COPY: usize = 32;

/// Writes an array, and returns a pointer past it.
///
/// # Safety
///
/// `N` bytes at `to` are writable.
#[inline]
pub(super) unsafe fn write_array<const N: usize>(to: *mut u8, bytes: [u8; N]) -> *mut u8 {
    // SAFETY: the caller guarantees `N` writable bytes; an array of bytes has alignment
    // 1.
    unsafe {
        to.cast::<[u8; N]>().write(bytes);
        to.add(N)
    }
}

/// Writes a tag, and returns a pointer past it.
///
/// # Safety
///
/// Five bytes at `to` are writable, which is the maximum length of a tag.
#[inline]
pub(super) unsafe fn write_tag(to: *mut u8, tag: u32) -> *mut u8 {
    // SAFETY: five bytes are writable. The first two branches write one and two;
    // `write_long_varint` writes at most five for a value of 32 bits.
    unsafe {
        if tag < 0x80 {
            let [tag, ..] = tag.to_le_bytes();
            write_array(to, [tag])
        } else if tag < 0x4000 {
            let [low, high, ..] = (tag & 0x7f | 0x80 | (tag >> 7) << 8).to_le_bytes();
            write_array(to, [low, high])
        } else {
            write_long_varint(to, u64::from(tag))
        }
    }
}

/// Writes a varint, and returns a pointer past it.
///
/// # Safety
///
/// Ten bytes at `to` are writable.
#[inline]
pub(super) unsafe fn write_varint(to: *mut u8, value: u64) -> *mut u8 {
    if value < 0x80 {
        let [byte, ..] = value.to_le_bytes();
        // SAFETY: ten bytes are writable, and one is written.
        unsafe { write_array(to, [byte]) }
    } else {
        // SAFETY: the contract is the same.
        unsafe { write_long_varint(to, value) }
    }
}

/// Writes a varint of two or more bytes, and returns a pointer past it.
///
/// Each length up to five bytes is a branch, so that the next write need not wait until
/// the length is known: the values of one field are often of equal length.
///
/// # Safety
///
/// As for [`write_varint`]; five writable bytes are enough for a value below 2^35.
#[inline(never)]
pub(super) unsafe fn write_long_varint(to: *mut u8, value: u64) -> *mut u8 {
    // SAFETY: the branches below 2^35 write four and five bytes. Both calls for larger
    // values need ten writable bytes, which the caller guarantees.
    unsafe {
        if value < 1 << 28 {
            let groups = spread_28(value);
            let (continuation, len) = match value {
                ..0x4000 => (0x80, 2),
                0x4000..0x20_0000 => (0x8080, 3),
                _ => (0x80_8080, 4),
            };
            write_array(to, (groups | continuation).to_le_bytes());
            return to.add(len);
        }
        if value < 1 << 35 {
            let [last, ..] = (value >> 28).to_le_bytes();
            let to = write_array(to, (spread_28(value) | 0x8080_8080).to_le_bytes());
            return write_array(to, [last]);
        }
        let width = VarintWidth::of(value);
        if width.len > 8 { write_longest_varint(to, value) } else { width.put(to, value) }
    }
}

/// The properties that all varints of one length share.
pub(super) struct VarintWidth {
    /// The smallest such value, and how many there are.
    min: u64,
    count: u64,
    pub(super) len: usize,
    /// The continuation bits of the bytes, if there are at most eight.
    continuation: u64,
}

impl VarintWidth {
    #[inline]
    pub(super) fn of(value: u64) -> Self {
        let len = varint::len(value);
        let bits = 7 * (len - 1);
        let min = if len == 1 { 0 } else { 1 << bits };
        let count = if len > 8 { u64::MAX - min } else { (0x80 << bits) - min };
        let continuation = if len > 8 { 0 } else { 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1) };
        Self { min, count, len, continuation }
    }

    /// Reports whether a value has this length. A width of nine also accepts values of
    /// ten bytes, which the caller writes in the same way.
    #[inline]
    pub(super) fn fits(&self, value: u64) -> bool {
        value.wrapping_sub(self.min) < self.count
    }

    /// Writes a value of this length, and returns a pointer past it. Writes all
    /// groups at once: 7 bits in each byte, and the continuation bit in all but the
    /// last.
    ///
    /// # Safety
    ///
    /// The length is at most eight, and eight bytes at `to` are writable.
    #[inline]
    pub(super) unsafe fn put(&self, to: *mut u8, value: u64) -> *mut u8 {
        // SAFETY: the caller guarantees that eight bytes are writable and that the
        // length is no more.
        unsafe {
            to.cast::<[u8; 8]>().write((spread_56(value) | self.continuation).to_le_bytes());
            to.add(self.len)
        }
    }
}

/// Writes a varint of more than eight bytes, and returns a pointer past it.
///
/// # Safety
///
/// As for [`write_varint`].
#[cold]
#[inline(never)]
unsafe fn write_longest_varint(to: *mut u8, mut value: u64) -> *mut u8 {
    let len = varint::len(value);
    // SAFETY: ten bytes are writable, and no varint is longer.
    unsafe {
        for index in 0..len - 1 {
            to.add(index).write(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        to.add(len - 1).write(value.to_le_bytes()[0]);
        to.add(len)
    }
}

/// Spreads the lower 56 bits over eight bytes, 7 bits in each.
#[inline]
const fn spread_56(value: u64) -> u64 {
    let value = value & 0x0fff_ffff | (value & 0x00ff_ffff_f000_0000) << 4;
    let value = value & 0x0000_3fff_0000_3fff | (value & 0x0fff_c000_0fff_c000) << 2;
    value & 0x007f_007f_007f_007f | (value & 0x3f80_3f80_3f80_3f80) << 1
}

/// Spreads the lower 28 bits over four bytes, 7 bits in each.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "28 bits")]
const fn spread_28(value: u64) -> u32 {
    let value = value as u32;
    let value = value & 0x3fff | (value & 0x0fff_c000) << 2;
    value & 0x007f_007f | (value & 0x3f80_3f80) << 1
}

/// Copies at most [`MAX_SHORT_COPY`] bytes without calling `memcpy`.
///
/// # Safety
///
/// As for `ptr::copy_nonoverlapping`; also `len <= MAX_SHORT_COPY`.
#[inline]
pub(super) unsafe fn copy_short(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: each access lies within the `len` bytes, which the caller guarantees to
    // be readable and writable. In the last three branches, `len` lies between `N` and
    // `2 * N`, so the first and the last `N` bytes cover all of them.
    unsafe {
        match len {
            0 => {}
            1..4 => {
                let (middle, last) = (len / 2, len - 1);
                let bytes = (*from, *from.add(middle), *from.add(last));
                *to = bytes.0;
                *to.add(middle) = bytes.1;
                *to.add(last) = bytes.2;
            }
            4..8 => copy_ends::<4>(from, to, len),
            8..16 => copy_ends::<8>(from, to, len),
            _ => copy_ends::<16>(from, to, len),
        }
    }
}

/// Copies `len` bytes as the first `N` and the last `N` of them, which may overlap.
///
/// # Safety
///
/// As for `ptr::copy_nonoverlapping`; also `N <= len <= 2 * N`.
#[inline]
unsafe fn copy_ends<const N: usize>(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: `N <= len`, so both ends lie within the `len` bytes; arrays of bytes have
    // alignment 1.
    unsafe {
        let first = from.cast::<[u8; N]>().read();
        let last = from.add(len - N).cast::<[u8; N]>().read();
        to.cast::<[u8; N]>().write(first);
        to.add(len - N).cast::<[u8; N]>().write(last);
    }
}
