//! The writer cursor: protobuf's primitives into memory that was reserved.
//!
//! Invariant: `cursor..end` is writable memory that only this writer uses, and
//! `cursor <= end`. Each write compares against `end` first, so that a
//! hand-written [`Message`](crate::Message) that announces a wrong length
//! panics instead of writing where it may not.

use std::marker::PhantomData;
use std::ptr;

use crate::Blob;
use crate::varint;

/// Bytes that are reserved behind a message, so that short copies may be done
/// with a fixed size up to its end.
pub(crate) const SLACK: usize = 32;

/// From this length on, a shared [`Blob`] is not copied into a frame but sent
/// from where it is. Two more entries of a vectored write cost less than a copy
/// of so much.
pub(crate) const BORROW: usize = 16 * 1024;

/// A large value that stands in a frame by reference.
#[derive(Debug)]
pub(crate) struct Large {
    /// Where it belongs, as an offset into the copied bytes.
    pub(crate) offset: usize,
    /// The bytes.
    pub(crate) blob: Blob,
}

/// Writes a message into reserved memory.
///
/// Made by the functions that encode a message; an implementation of
/// [`Message`](crate::Message) only passes it on.
pub struct Writer<'b> {
    cursor: *mut u8,
    end: *mut u8,
    buffer: *mut Vec<u8>,
    /// Length of the buffer before the message.
    old: usize,
    /// What the message announced.
    len: usize,
    /// Where large values go that need not be copied; `None` to copy all.
    large: Option<&'b mut Vec<Large>>,
    /// Bytes that went there.
    large_len: usize,
    borrow: PhantomData<&'b mut Vec<u8>>,
}

impl<'b> Writer<'b> {
    /// Appends to `buffer` what `write` writes, which must be exactly `len`
    /// bytes, counting those that go to `large`.
    ///
    /// # Panics
    ///
    /// If it is not: the message's two passes disagree.
    pub(crate) fn append(
        buffer: &'b mut Vec<u8>,
        len: usize,
        large: Option<&'b mut Vec<Large>>,
        write: impl FnOnce(&mut Writer<'b>),
    ) {
        // Where large values stay elsewhere, less room is needed than was
        // announced; the rest is reserved when it turns out to be needed.
        let room = if large.is_some() { len.min(BORROW) } else { len };
        buffer.reserve(room + SLACK);
        let old = buffer.len();
        let buffer: *mut Vec<u8> = buffer;
        let mut writer = Writer {
            cursor: ptr::null_mut(),
            end: ptr::null_mut(),
            buffer,
            old,
            len,
            large,
            large_len: 0,
            borrow: PhantomData,
        };
        writer.point_at(old);
        write(&mut writer);
        let written = writer.position() - old;
        if written + writer.large_len != len {
            disagree(written + writer.large_len, len);
        }
        // SAFETY: the bytes up to the cursor were written.
        unsafe { (*buffer).set_len(old + written) };
    }

    /// Points the cursor at an offset of the buffer's spare capacity.
    #[inline]
    fn point_at(&mut self, offset: usize) {
        // SAFETY: the vector is borrowed for 'b and used by nobody else; the
        // offset is at most its capacity, and its spare capacity is writable.
        unsafe {
            let start = (*self.buffer).as_mut_ptr();
            self.cursor = start.add(offset);
            self.end = start.add((*self.buffer).capacity());
        }
    }

    /// Offset of the cursor from the start of the buffer.
    fn position(&self) -> usize {
        // SAFETY: the vector is alive, and nobody else uses it.
        self.cursor as usize - unsafe { (*self.buffer).as_ptr() } as usize
    }

    /// Makes room for `count` bytes that were announced but not reserved.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) {
        let position = self.position();
        let written = position - self.old + self.large_len;
        if written + count > self.len {
            disagree(written + count, self.len);
        }
        // SAFETY: the bytes up to the cursor were written, so that they are
        // kept; nobody else uses the vector.
        unsafe {
            (*self.buffer).set_len(position);
            (*self.buffer).reserve(self.len - written + SLACK);
        }
        self.point_at(position);
    }

    #[inline]
    fn room(&self) -> usize {
        self.end as usize - self.cursor as usize
    }

    /// Panics unless `count` more bytes were announced or can be written.
    #[inline]
    fn need(&mut self, count: usize) {
        if self.room() < count {
            self.grow(count);
        }
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.need(1);
        // SAFETY: there is room for it.
        unsafe {
            self.cursor.write(byte);
            self.cursor = self.cursor.add(1);
        }
    }

    /// A tag: field number and wire type. Of a constant, the compiler keeps
    /// only the branch that is taken.
    #[inline]
    pub fn tag(&mut self, tag: u32) {
        if tag < 0x80 {
            self.byte(tag.to_le_bytes()[0]);
        } else if tag < 0x4000 {
            let [low, high, ..] = (tag & 0x7f | 0x80 | (tag >> 7) << 8).to_le_bytes();
            self.array([low, high]);
        } else {
            self.varint(u64::from(tag));
        }
    }

    /// A varint.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.byte(value.to_le_bytes()[0]);
        } else if value < 0x4000 {
            let [low, high, ..] = (value & 0x7f | 0x80 | (value >> 7) << 8).to_le_bytes();
            self.array([low, high]);
        } else {
            self.long_varint(value);
        }
    }

    fn long_varint(&mut self, mut value: u64) {
        let len = varint::len(value);
        self.need(len);
        // SAFETY: there is room for as many bytes as the value takes.
        unsafe {
            while value >= 0x80 {
                self.cursor.write(value.to_le_bytes()[0] | 0x80);
                self.cursor = self.cursor.add(1);
                value >>= 7;
            }
            self.cursor.write(value.to_le_bytes()[0]);
            self.cursor = self.cursor.add(1);
        }
    }

    /// Bytes of a length known to the compiler.
    #[inline]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.need(N);
        // SAFETY: there is room for them; the array is no part of the buffer.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.cursor, N);
            self.cursor = self.cursor.add(N);
        }
    }

    /// Bytes as they are.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        self.need(len);
        // SAFETY: there is room for them; a shared slice is no part of the
        // buffer that this writer has to itself.
        unsafe {
            copy_short(bytes.as_ptr(), self.cursor, len);
            self.cursor = self.cursor.add(len);
        }
    }

    /// A length and that many bytes.
    #[inline]
    pub fn delimited(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// A length and a blob's bytes, of which large ones need not be copied.
    #[inline]
    pub fn blob(&mut self, blob: &Blob) {
        match blob.as_inline() {
            Some((start, len)) if self.room() > size_of::<Blob>() => {
                // SAFETY: there is room for the length and a whole blob, of
                // which the first `len` bytes count; the rest will be written
                // over, or lies behind the message.
                unsafe {
                    #[expect(clippy::cast_possible_truncation, reason = "at most 23")]
                    self.cursor.write(len as u8);
                    ptr::copy_nonoverlapping(start, self.cursor.add(1).cast(), size_of::<Blob>());
                    self.cursor = self.cursor.add(1 + len);
                }
            }
            _ => self.long_blob(blob),
        }
    }

    #[inline(never)]
    fn long_blob(&mut self, blob: &Blob) {
        self.varint(blob.len() as u64);
        if blob.len() < BORROW || self.large.is_none() {
            self.raw(blob);
            return;
        }
        let offset = self.position();
        // Checked now, since the sum of many could wrap where addresses have 32
        // bits, as the length that was announced may have.
        if blob.len() > self.len - self.large_len {
            disagree(self.large_len.saturating_add(blob.len()), self.len);
        }
        if let Some(large) = &mut self.large {
            self.large_len += blob.len();
            large.push(Large { offset, blob: blob.clone() });
        }
    }
}

#[cold]
#[inline(never)]
fn disagree(written: usize, announced: usize) -> ! {
    panic!(
        "a message wrote {written} bytes and had announced {announced}: its encoded_len and encode disagree"
    );
}

/// Copies `len` bytes, short ones without calling `memcpy`.
///
/// # Safety
///
/// As for `ptr::copy_nonoverlapping`.
#[inline]
unsafe fn copy_short(from: *const u8, to: *mut u8, len: usize) {
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
            16..=32 => copy_ends::<16>(from, to, len),
            _ => ptr::copy_nonoverlapping(from, to, len),
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

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "small numbers as test data")]
mod tests {
    use super::*;

    /// The reference that the cursor is compared with.
    fn varint_bytes(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                bytes.push(low);
                return bytes;
            }
            bytes.push(low | 0x80);
        }
    }

    fn written(len: usize, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut buffer = vec![0xee];
        Writer::append(&mut buffer, len, None, write);
        assert_eq!(buffer.remove(0), 0xee);
        buffer
    }

    #[test]
    fn varints_and_tags_agree_with_the_reference() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let expected = varint_bytes(value);
                assert_eq!(written(expected.len(), |out| out.varint(value)), expected);
                if let Ok(tag) = u32::try_from(value) {
                    assert_eq!(written(expected.len(), |out| out.tag(tag)), expected);
                }
            }
        }
    }

    #[test]
    fn copies_of_every_length_agree_with_the_reference() {
        let source: Vec<u8> = (0..=255).collect();
        for len in 0..=source.len() {
            let expected = [varint_bytes(len as u64), source[..len].to_vec()].concat();
            assert_eq!(written(expected.len(), |out| out.delimited(&source[..len])), expected);
            let blob = Blob::from(&source[..len]);
            assert_eq!(written(expected.len(), |out| out.blob(&blob)), expected);
        }
    }

    #[test]
    fn large_blobs_are_not_copied_when_they_need_not_be() {
        let blob = Blob::from(vec![7; BORROW]);
        let (mut buffer, mut large) = (Vec::new(), Vec::new());
        Writer::append(&mut buffer, 3 + BORROW + 1, Some(&mut large), |out| {
            out.blob(&blob);
            out.byte(9);
        });
        assert_eq!(buffer, [varint_bytes(BORROW as u64), vec![9]].concat());
        assert_eq!(large.len(), 1);
        assert_eq!((large[0].offset, large[0].blob.as_ptr()), (3, blob.as_ptr()));
    }

    #[test]
    fn many_small_values_in_a_frame_make_room_as_they_come() {
        let blob = Blob::from(vec![7; 100]);
        let (mut buffer, mut large) = (vec![1, 2, 3], Vec::new());
        Writer::append(&mut buffer, 1000 * 101, Some(&mut large), |out| {
            for _ in 0..1000 {
                out.blob(&blob);
            }
        });
        assert_eq!(buffer.len(), 3 + 1000 * 101);
        assert!(buffer[3..].chunks(101).all(|chunk| chunk[0] == 100 && chunk[1..] == blob));
    }

    #[test]
    #[should_panic(expected = "encoded_len and encode disagree")]
    fn writing_less_than_announced_panics() {
        written(3, |out| out.byte(1));
    }

    #[test]
    #[should_panic(expected = "encoded_len and encode disagree")]
    fn writing_far_more_than_announced_panics() {
        written(1, |out| out.raw(&[0; 100]));
    }
}
