//! Writing at a pointer, which is passed on by value: it stays in a register, where
//! one behind a reference would be stored and loaded again for each field.
//!
//! Invariant: each function writes no more than it says, and returns a pointer
//! behind what it wrote.

use crate::varint;

/// Bytes up to this length are copied by [`copy_short`].
pub(super) const SHORT: usize = 32;

/// Writes bytes of a length known to the compiler, and says where they end.
///
/// # Safety
///
/// As many can be written.
#[inline]
pub(super) unsafe fn array_at<const N: usize>(to: *mut u8, bytes: [u8; N]) -> *mut u8 {
    // SAFETY: as for this function; an array of bytes needs no alignment.
    unsafe {
        to.cast::<[u8; N]>().write(bytes);
        to.add(N)
    }
}

/// Writes a tag, and says where it ends.
///
/// # Safety
///
/// As many bytes as a tag may have can be written, which are five.
#[inline]
pub(super) unsafe fn tag_at(to: *mut u8, tag: u32) -> *mut u8 {
    // SAFETY: no tag is longer.
    unsafe {
        if tag < 0x80 {
            let [tag, ..] = tag.to_le_bytes();
            array_at(to, [tag])
        } else if tag < 0x4000 {
            let [low, high, ..] = (tag & 0x7f | 0x80 | (tag >> 7) << 8).to_le_bytes();
            array_at(to, [low, high])
        } else {
            long_varint_at(to, u64::from(tag))
        }
    }
}

/// Writes a varint, and says where it ends.
///
/// The cursor is passed on by value, so that it stays in a register.
///
/// # Safety
///
/// Ten bytes can be written.
#[inline]
pub(super) unsafe fn varint_at(to: *mut u8, value: u64) -> *mut u8 {
    if value < 0x80 {
        let [byte, ..] = value.to_le_bytes();
        // SAFETY: one of ten bytes.
        unsafe { array_at(to, [byte]) }
    } else {
        // SAFETY: as for this function.
        unsafe { long_varint_at(to, value) }
    }
}

/// The same for more than one byte.
///
/// Up to five bytes, each length is a branch, so that what is written next need
/// not wait until this one's is known: one field's numbers are often alike.
///
/// # Safety
///
/// As for [`varint_at`].
#[inline(never)]
pub(super) unsafe fn long_varint_at(to: *mut u8, value: u64) -> *mut u8 {
    // SAFETY: as for this function; five bytes of ten at the most, or as `put` says.
    unsafe {
        if value < 1 << 28 {
            let groups = spread_half(value);
            let (more, len) = match value {
                ..0x4000 => (0x80, 2),
                0x4000..0x20_0000 => (0x8080, 3),
                _ => (0x80_8080, 4),
            };
            array_at(to, (groups | more).to_le_bytes());
            return to.add(len);
        }
        if value < 1 << 35 {
            let [last, ..] = (value >> 28).to_le_bytes();
            let to = array_at(to, (spread_half(value) | 0x8080_8080).to_le_bytes());
            return array_at(to, [last]);
        }
        let width = Width::of(value);
        if width.len > 8 { longest_varint_at(to, value) } else { width.put(to, value) }
    }
}

/// What varints of one length have in common.
pub(super) struct Width {
    /// The least of them, and how many there are.
    least: u64,
    count: u64,
    pub(super) len: usize,
    /// The bits that say that a varint goes on, if it has up to eight bytes.
    more: u64,
}

impl Width {
    #[inline]
    pub(super) fn of(value: u64) -> Self {
        let len = varint::len(value);
        let bits = 7 * (len - 1);
        let least = if len == 1 { 0 } else { 1 << bits };
        let count = if len > 8 { u64::MAX - least } else { (0x80 << bits) - least };
        let more = if len > 8 { 0 } else { 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1) };
        Self { least, count, len, more }
    }

    /// Whether a value has this length.
    #[inline]
    pub(super) fn fits(&self, value: u64) -> bool {
        value.wrapping_sub(self.least) < self.count
    }

    /// Writes a value of this length, and says where it ends: all groups at once,
    /// 7 bits of each byte, of which all but the last say that it goes on.
    ///
    /// # Safety
    ///
    /// Ten bytes can be written.
    #[inline]
    pub(super) unsafe fn put(&self, to: *mut u8, value: u64) -> *mut u8 {
        // SAFETY: as for this function; the length is at most that.
        unsafe {
            to.cast::<[u8; 8]>().write((spread(value) | self.more).to_le_bytes());
            to.add(self.len)
        }
    }
}

/// The same for more than eight bytes.
///
/// # Safety
///
/// As for [`varint_at`].
#[cold]
#[inline(never)]
unsafe fn longest_varint_at(to: *mut u8, mut value: u64) -> *mut u8 {
    let len = varint::len(value);
    // SAFETY: ten bytes can be written, and no varint is longer.
    unsafe {
        for index in 0..len - 1 {
            to.add(index).write(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        to.add(len - 1).write(value.to_le_bytes()[0]);
        to.add(len)
    }
}

/// Gives each group of 7 of the lower 56 bits a byte of its own.
#[inline]
const fn spread(value: u64) -> u64 {
    let value = value & 0x0fff_ffff | (value & 0x00ff_ffff_f000_0000) << 4;
    let value = value & 0x0000_3fff_0000_3fff | (value & 0x0fff_c000_0fff_c000) << 2;
    value & 0x007f_007f_007f_007f | (value & 0x3f80_3f80_3f80_3f80) << 1
}

/// Gives each group of 7 of the lower 28 bits a byte of its own.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "28 bits")]
const fn spread_half(value: u64) -> u32 {
    let value = value as u32;
    let value = value & 0x3fff | (value & 0x0fff_c000) << 2;
    value & 0x007f_007f | (value & 0x3f80_3f80) << 1
}

/// Copies at most [`SHORT`] bytes, without calling `memcpy`.
///
/// # Safety
///
/// As for `ptr::copy_nonoverlapping`; `len <= SHORT`.
#[inline]
pub(super) unsafe fn copy_short(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: each access lies within the `len` bytes: two reads that overlap
    // in the middle cover them.
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

/// Copies the first and the last `N` bytes of `len`.
///
/// # Safety
///
/// As for `ptr::copy_nonoverlapping`; `N <= len <= 2 * N`.
#[inline]
unsafe fn copy_ends<const N: usize>(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: both ends lie within the `len` bytes.
    unsafe {
        let first = from.cast::<[u8; N]>().read();
        let last = from.add(len - N).cast::<[u8; N]>().read();
        to.cast::<[u8; N]>().write(first);
        to.add(len - N).cast::<[u8; N]>().write(last);
    }
}
