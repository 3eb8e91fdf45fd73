//! The writer cursor: protobuf's primitives, in one forward pass.
//!
//! How long a nested message is shows when it has been written. Its length
//! prefix gets as many bytes as the message needs at least
//! ([`Message::at_least`](crate::Message::at_least)), most often one, and is
//! filled in at its end. Of one that is too narrow a note is kept, and all such
//! are widened at once when everything has been written ([`Spill`]): no byte
//! moves more than once, at any depth, and nothing is measured beforehand.
//!
//! Invariant: `base..limit + SLACK` is writable memory that only this writer
//! uses, and the cursor lies within it, at its end at the most. What was written
//! before lies between `base` and the cursor. Each write begins with a cursor
//! at `limit` at the most, and writes no more than `SLACK` bytes, unless it has
//! compared with the end.

use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::ptr;

use super::spill::{Large, Spill, Target, Widened, put_padded};
use crate::Blob;
use crate::message::MAX_LEN;
use crate::varint;

/// What a field may take without a further comparison: a tag, a length, and
/// [`SHORT`] bytes.
const SLACK: usize = 64;

/// Bytes up to this length are copied in place.
const SHORT: usize = 32;

/// From this length on, a shared [`Blob`] is not copied into a frame but sent
/// from where it is. Two more entries of a vectored write cost less than a copy
/// of so much.
pub(crate) const BORROW: usize = 16 * 1024;

/// What most messages fit into. Copying so much costs less than moving it
/// because the first guess of its size was wrong.
const SCRATCH: usize = 3 * 1024;

/// Writes a message.
///
/// Made by the functions that encode a message; an implementation of
/// [`Message`](crate::Message) passes it on, or writes fields of its own.
pub struct Writer<'b> {
    cursor: *mut u8,
    limit: *mut u8,
    base: *mut u8,
    /// Bytes of the message that are not before the cursor: large values by
    /// reference, what narrow prefixes lack, what is only counted.
    elsewhere: u64,
    spill: &'b mut Spill,
    memory: PhantomData<&'b mut [u8]>,
}

/// Where a nested message began.
pub(super) struct Mark {
    /// Its first byte behind the prefix, as an offset from the base.
    start: usize,
    /// How many bytes the prefix has.
    width: usize,
    elsewhere: u64,
}

impl<'b> Writer<'b> {
    /// Appends to a buffer `header` and what `write` writes, and says how many
    /// bytes the latter is, those of [`Spill::take_large`] included.
    ///
    /// # Errors
    ///
    /// How many bytes it would have been, if they are more than `max`, which is
    /// [`MAX_LEN`] at the most. Nothing is appended then, nor if `write` panics.
    #[inline]
    pub(crate) fn append<const N: usize>(
        spill: &'b mut Spill,
        header: [u8; N],
        max: usize,
        write: impl FnOnce(&mut Writer<'b>),
    ) -> Result<usize, u64> {
        spill.begin();
        spill.buffer.reserve(2 * SLACK);
        let start = spill.buffer.len();
        let mut out = Self::new(spill);
        out.point_at(start);
        out.array(header);
        write(&mut out);
        let position = out.position();
        let len = (position - start).wrapping_sub(N) as u64;
        let len = len.wrapping_add(out.elsewhere);
        let spill = out.spill;
        if len > max as u64 {
            return Err(len);
        }
        debug_assert!(spill.target == Target::Buffer);
        // SAFETY: the bytes up to the cursor were written.
        unsafe { spill.buffer.set_len(position) };
        if !spill.widened.is_empty() {
            spill.widen();
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than 2 GiB")]
        Ok(len as usize)
    }

    /// A vector of what `write` writes.
    ///
    /// # Errors
    ///
    /// How many bytes it would have, if they are more than [`MAX_LEN`].
    #[inline]
    pub(crate) fn collect(write: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<u8>, u64> {
        let mut scratch = [MaybeUninit::uninit(); SCRATCH];
        let mut spill = Spill::new(Vec::new(), Target::Scratch);
        let mut out = Writer::on(&mut scratch, &mut spill);
        write(&mut out);
        let total = out.position() as u64 + out.elsewhere;
        if total > MAX_LEN as u64 {
            return Err(total);
        }
        // SAFETY: the bytes up to the cursor were written.
        let written = unsafe { std::slice::from_raw_parts(out.base, out.position()) };
        if spill.target == Target::Scratch && spill.widened.is_empty() {
            return Ok(written.to_vec());
        }
        let position = written.len();
        Ok(spill.into_vec(position, written))
    }

    /// How many bytes `write` writes.
    pub(crate) fn count(write: impl FnOnce(&mut Writer<'_>)) -> u64 {
        let mut scratch = [MaybeUninit::uninit(); 4 * SLACK];
        let mut spill = Spill::new(Vec::new(), Target::Nowhere);
        let mut out = Writer::on(&mut scratch, &mut spill);
        write(&mut out);
        out.position() as u64 + out.elsewhere
    }

    #[inline]
    fn new(spill: &'b mut Spill) -> Self {
        let nowhere = ptr::null_mut();
        Self { cursor: nowhere, limit: nowhere, base: nowhere, elsewhere: 0, spill, memory: PhantomData }
    }

    /// A writer that begins with memory of the caller's.
    #[inline]
    fn on(scratch: &'b mut [MaybeUninit<u8>], spill: &'b mut Spill) -> Self {
        let base: *mut u8 = scratch.as_mut_ptr().cast();
        // SAFETY: scratch memory is longer than that.
        let limit = unsafe { base.add(scratch.len() - SLACK) };
        Self { cursor: base, limit, base, ..Self::new(spill) }
    }

    /// Points the cursor at an offset of the buffer, of which `SLACK` bytes
    /// behind it are spare.
    #[inline]
    fn point_at(&mut self, offset: usize) {
        let capacity = self.spill.buffer.capacity();
        debug_assert!(offset + SLACK <= capacity);
        self.base = self.spill.buffer.as_mut_ptr();
        // SAFETY: both lie within the allocation, which is larger than `SLACK`.
        // The buffer is borrowed for 'b, and its spare capacity is writable.
        unsafe {
            self.cursor = self.base.add(offset);
            self.limit = self.base.add(capacity - SLACK);
        }
    }

    /// Offset of the cursor from the base.
    #[inline]
    fn position(&self) -> usize {
        self.cursor as usize - self.base as usize
    }

    /// Makes sure that `SLACK` bytes may be written.
    #[inline]
    fn ready(&mut self) {
        if self.cursor > self.limit {
            self.grow(0);
        }
    }

    /// Makes room for `count` bytes and `SLACK` more. `false` if there is none
    /// for so many, since nobody wants them.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) -> bool {
        let position = self.position();
        let start = self.spill.buffer.len();
        let len = position.wrapping_sub(start) as u64;
        match self.spill.target {
            Target::Buffer if len + self.elsewhere <= (MAX_LEN + SLACK) as u64 => {
                // SAFETY: the bytes up to the cursor were written, so that they
                // are kept.
                unsafe { self.spill.buffer.set_len(position) };
                self.spill.buffer.reserve(count + 2 * SLACK);
                self.spill.buffer.truncate(start);
                self.point_at(position);
                return true;
            }
            Target::Scratch => {
                // SAFETY: as above.
                let written = unsafe { std::slice::from_raw_parts(self.base, position) };
                self.spill.leave_scratch(written, count + 4 * SLACK);
                self.spill.buffer.truncate(0);
                self.point_at(position);
                return true;
            }
            // Too much to be a message: from here on it is only counted.
            Target::Buffer => self.spill.target = Target::Nowhere,
            Target::Nowhere => {}
        }
        // What was written is written over. Prefixes are filled in as always:
        // they lie within the same memory, and behind what was there before.
        self.elsewhere += len;
        // SAFETY: the start lies before the cursor.
        self.cursor = unsafe { self.base.add(start) };
        count <= self.limit as usize - self.cursor as usize
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.array([byte]);
    }

    /// A tag: field number and wire type. Of a constant, the compiler keeps
    /// only the branch that is taken.
    #[inline]
    pub fn tag(&mut self, tag: u32) {
        self.ready();
        // SAFETY: `SLACK` bytes may be written.
        self.cursor = unsafe { tag_at(self.cursor, tag) };
    }

    /// A varint.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        self.ready();
        // SAFETY: `SLACK` bytes may be written.
        self.cursor = unsafe { varint_at(self.cursor, value) };
    }

    /// A tag and a varint.
    #[inline]
    pub(crate) fn varint_field(&mut self, tag: u32, value: u64) {
        self.ready();
        // SAFETY: `SLACK` bytes may be written, which are more than both take.
        self.cursor = unsafe { varint_at(tag_at(self.cursor, tag), value) };
    }

    /// Varints, one behind the other.
    #[inline]
    pub(super) fn varints<V>(&mut self, values: &[V], bits: impl Fn(&V) -> u64) {
        for some in values.chunks(SLACK / varint::MAX_LEN) {
            self.ready();
            for value in some {
                // SAFETY: as many varints of any length fit into `SLACK`.
                self.cursor = unsafe { varint_at(self.cursor, bits(value)) };
            }
        }
    }

    /// Bytes of a length known to the compiler.
    ///
    /// No more than 16.
    #[inline]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        const { assert!(N <= 16, "longer arrays are written as `raw`") };
        self.ready();
        // SAFETY: `SLACK` bytes may be written; the array is no part of them.
        unsafe {
            self.cursor.cast::<[u8; N]>().write(bytes);
            self.cursor = self.cursor.add(N);
        }
    }

    /// A tag, and bytes of a length known to the compiler.
    #[inline]
    pub(super) fn array_field<const N: usize>(&mut self, tag: u32, bytes: [u8; N]) {
        const { assert!(N <= 16, "no scalar is that long") };
        self.ready();
        // SAFETY: as for `array`; a tag and `N` bytes are fewer than `SLACK`.
        unsafe {
            let to = tag_at(self.cursor, tag);
            to.cast::<[u8; N]>().write(bytes);
            self.cursor = to.add(N);
        }
    }

    /// Values of the same length, one behind the other.
    #[inline]
    pub(super) fn arrays<V, const N: usize>(&mut self, values: &[V], bytes: impl Fn(&V) -> [u8; N]) {
        for some in values.chunks(SLACK / N) {
            self.ready();
            for value in some {
                // SAFETY: as many values fit into `SLACK`.
                unsafe {
                    self.cursor.cast::<[u8; N]>().write(bytes(value));
                    self.cursor = self.cursor.add(N);
                }
            }
        }
    }

    /// Bytes as they are.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        if len > self.limit as usize + SLACK - self.cursor as usize && !self.grow(len) {
            self.elsewhere += len as u64;
            return;
        }
        // SAFETY: there is room for them; a shared slice is no part of memory
        // that this writer has to itself.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.cursor, len);
            self.cursor = self.cursor.add(len);
        }
    }

    /// A length and that many bytes.
    #[inline]
    pub fn delimited(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// A tag, a length and that many bytes.
    #[inline]
    pub(super) fn bytes_field(&mut self, tag: u32, bytes: &[u8]) {
        let len = bytes.len();
        if len > SHORT {
            self.long_field(tag, bytes);
            return;
        }
        self.ready();
        // SAFETY: a tag, a byte and `SHORT` bytes are fewer than `SLACK`.
        unsafe {
            let to = tag_at(self.cursor, tag);
            #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
            to.write(len as u8);
            copy_short(bytes.as_ptr(), to.add(1), len);
            self.cursor = to.add(1 + len);
        }
    }

    #[inline(never)]
    fn long_field(&mut self, tag: u32, bytes: &[u8]) {
        self.varint_field(tag, bytes.len() as u64);
        self.raw(bytes);
    }

    /// A tag, a length and a blob's bytes, of which large ones need not be
    /// copied.
    #[inline]
    pub(super) fn blob_field(&mut self, tag: u32, blob: &Blob) {
        let Some((start, len)) = blob.as_inline() else {
            self.long_blob_field(tag, blob);
            return;
        };
        self.ready();
        // SAFETY: a tag, a byte and a whole blob are fewer than `SLACK`. Of the
        // blob the first `len` bytes count, and the rest is written over.
        unsafe {
            let to = tag_at(self.cursor, tag);
            #[expect(clippy::cast_possible_truncation, reason = "at most 23")]
            to.write(len as u8);
            ptr::copy_nonoverlapping(start, to.add(1).cast(), size_of::<Blob>());
            self.cursor = to.add(1 + len);
        }
    }

    #[inline(never)]
    fn long_blob_field(&mut self, tag: u32, blob: &Blob) {
        self.varint_field(tag, blob.len() as u64);
        self.long_blob(blob);
    }

    /// A length and a blob's bytes, of which large ones need not be copied.
    pub(super) fn blob(&mut self, blob: &Blob) {
        self.varint(blob.len() as u64);
        self.long_blob(blob);
    }

    fn long_blob(&mut self, blob: &Blob) {
        if blob.len() < BORROW || !self.spill.refers || self.spill.target == Target::Nowhere {
            self.raw(blob);
            return;
        }
        self.elsewhere += blob.len() as u64;
        self.spill.large.push(Large { offset: self.position(), blob: blob.clone() });
    }

    /// Begins a nested message of `at_least` so many bytes.
    #[inline]
    pub(super) fn open(&mut self, at_least: usize) -> Mark {
        self.ready();
        let width = if at_least < 0x80 { 1 } else { varint::len(at_least as u64) };
        // SAFETY: a varint is shorter than `SLACK`. It is written when the
        // message ends.
        self.cursor = unsafe { self.cursor.add(width) };
        Mark { start: self.position(), width, elsewhere: self.elsewhere }
    }

    /// Ends a nested message, whose length is known now.
    #[inline]
    pub(super) fn close(&mut self, mark: Mark) {
        let len = self.position().wrapping_sub(mark.start);
        if len < 0x80 && mark.width == 1 && mark.elsewhere == self.elsewhere {
            // SAFETY: the prefix lies before the cursor, in memory of this
            // writer's.
            #[expect(clippy::cast_possible_truncation, reason = "less than 128")]
            unsafe {
                self.base.add(mark.start - 1).write(len as u8);
            }
        } else {
            self.close_long(&mark);
        }
    }

    #[inline(never)]
    fn close_long(&mut self, mark: &Mark) {
        // Where bytes are only counted, the cursor may have gone back.
        let here = self.position() as u64;
        let len = here.wrapping_sub(mark.start as u64).wrapping_add(self.elsewhere - mark.elsewhere);
        let (width, needs, offset) = (mark.width, varint::len(len), mark.start - mark.width);
        if needs > width {
            self.elsewhere += (needs - width) as u64;
            if self.spill.target != Target::Nowhere {
                self.spill.widened.push(Widened { offset, width, needs, len });
            }
            return;
        }
        // SAFETY: as in `close`; the prefix is written to before it is a slice.
        let prefix = unsafe {
            let prefix = self.base.add(offset);
            prefix.write_bytes(0, width);
            std::slice::from_raw_parts_mut(prefix, width)
        };
        put_padded(prefix, len);
    }
}

impl Spill {
    /// A vector of what was written: up to `position` in the buffer, or all of
    /// `scratch`.
    #[cold]
    #[inline(never)]
    fn into_vec(mut self, position: usize, scratch: &[u8]) -> Vec<u8> {
        if self.target == Target::Scratch {
            let more = self.widened.iter().map(|prefix| prefix.needs - prefix.width).sum::<usize>();
            self.buffer.reserve_exact(scratch.len() + more);
            self.buffer.extend_from_slice(scratch);
        } else {
            // SAFETY: the bytes up to there were written.
            unsafe { self.buffer.set_len(position) };
        }
        self.widen();
        if self.buffer.capacity() / 2 > self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
        mem::take(&mut self.buffer)
    }

    /// The large values of the message that was written last.
    pub(crate) fn take_large(&mut self) -> impl Iterator<Item = Large> + '_ {
        self.large.drain(..)
    }
}

/// Writes a tag, and says where it ends.
///
/// # Safety
///
/// As many bytes as a tag may have can be written, which are five.
#[inline]
unsafe fn tag_at(to: *mut u8, tag: u32) -> *mut u8 {
    // SAFETY: no tag is longer.
    unsafe {
        if tag < 0x80 {
            to.write(tag.to_le_bytes()[0]);
            to.add(1)
        } else if tag < 0x4000 {
            let [low, high, ..] = (tag & 0x7f | 0x80 | (tag >> 7) << 8).to_le_bytes();
            to.cast::<[u8; 2]>().write([low, high]);
            to.add(2)
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
unsafe fn varint_at(to: *mut u8, value: u64) -> *mut u8 {
    if value < 0x80 {
        // SAFETY: one of ten bytes.
        unsafe {
            to.write(value.to_le_bytes()[0]);
            to.add(1)
        }
    } else {
        // SAFETY: as for this function.
        unsafe { long_varint_at(to, value) }
    }
}

/// The same for more than one byte.
///
/// # Safety
///
/// As for [`varint_at`].
#[inline(never)]
unsafe fn long_varint_at(to: *mut u8, mut value: u64) -> *mut u8 {
    let len = varint::len(value);
    // SAFETY: ten bytes can be written, and no varint is longer.
    unsafe {
        if len <= 8 {
            // All groups at once: 7 bits of each byte, and all but the last
            // continue.
            let more = 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1);
            to.cast::<[u8; 8]>().write((spread(value) | more).to_le_bytes());
            return to.add(len);
        }
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

/// Copies at most [`SHORT`] bytes, without calling `memcpy`.
///
/// # Safety
///
/// As for `ptr::copy_nonoverlapping`; `len <= SHORT`.
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

