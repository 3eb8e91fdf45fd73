//! The writer cursor: protobuf's primitives, in one forward pass.
//!
//! How long a nested message is shows when it has been written. Its length
//! prefix gets as many bytes as the message needs at least
//! ([`Message::at_least`](crate::Message::at_least)), most often one, and is
//! filled in at its end. Of one that is too narrow a note is kept, and all such
//! are widened at once when everything has been written ([`Spill`]): no byte
//! moves more than once, at any depth, and nothing is measured beforehand.
//!
//! Invariant: `base..limit + SLACK` of a [`Memory`] is writable memory that only this writer
//! uses, and the cursor lies within it, at its end at the most. What was written
//! before lies between `base` and the cursor. Each write begins with a cursor
//! at `limit` at the most, and writes no more than `SLACK` bytes, unless it has
//! compared with the end.

use std::mem::MaybeUninit;
use std::ptr;

use super::spill::{MUCH, Spill, Target, Widened, put_padded};
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

/// A message that is smaller in memory is a list, most likely, or what is around
/// another message: memory for it is allocated when its first value shows how
/// much it needs. A larger one has its values in itself.
const FLAT: usize = 128;

/// Writes a message.
///
/// Made by the functions that encode a message. Whatever writes takes it and
/// gives it back, moved on: two words that stay in registers, where a reference
/// would make each field wait for the one before it to reach memory.
///
/// ```
/// use riak_runtime::{Message, wire};
///
/// struct Greeting(&'static str);
///
/// impl Message for Greeting {
///     const NAME: &'static str = "Greeting";
///
///     fn encode<'w>(&self, out: wire::Writer<'w>) -> wire::Writer<'w> {
///         out.tag(0x0a).delimited(self.0.as_bytes())
///     }
/// }
///
/// assert_eq!(Greeting("hi").encode_to_vec(), b"\x0a\x02hi");
/// ```
#[must_use = "what has been written is where the writer stands"]
pub struct Writer<'w> {
    cursor: *mut u8,
    memory: &'w mut Memory<'w>,
}

/// Where a writer writes.
pub(super) struct Memory<'w> {
    limit: *mut u8,
    base: *mut u8,
    /// Bytes of the message that are not before the cursor: large values by
    /// reference, what narrow prefixes lack, what is only counted.
    elsewhere: u64,
    spill: &'w mut Spill,
}

/// Where a nested message began.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Its first byte behind the prefix, as an offset from the base.
    start: usize,
    /// How many bytes the prefix has.
    width: usize,
    elsewhere: u64,
}

/// Where a writer begins: its base, its cursor, and the limit of that.
type Start = [*mut u8; 3];

/// A start at an offset of the buffer, of which `SLACK` bytes behind that are
/// spare.
#[inline]
fn in_buffer(buffer: &mut Vec<u8>, offset: usize) -> Start {
    let capacity = buffer.capacity();
    debug_assert!(offset + SLACK <= capacity);
    let base = buffer.as_mut_ptr();
    // SAFETY: both lie within the allocation, which is larger than `SLACK`.
    unsafe { [base, base.add(offset), base.add(capacity - SLACK)] }
}

/// A start where nothing can be written: the first write makes room.
#[inline]
fn nowhere() -> Start {
    let base = ptr::without_provenance_mut(SLACK);
    [base, base, ptr::null_mut()]
}

/// The same in memory of the caller's.
#[inline]
fn in_scratch<const N: usize>(scratch: &mut [MaybeUninit<u8>; N]) -> Start {
    const { assert!(N > SLACK) };
    let base: *mut u8 = scratch.as_mut_ptr().cast();
    // SAFETY: scratch memory is longer than that.
    unsafe { [base, base, base.add(N - SLACK)] }
}

impl Memory<'_> {
    #[inline]
    fn position(&self, cursor: *mut u8) -> usize {
        cursor as usize - self.base as usize
    }

    /// Makes room for `count` bytes and `SLACK` more, and says where. There may
    /// be too little where nobody wants the bytes.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, cursor: *mut u8, count: usize) -> *mut u8 {
        let position = self.position(cursor);
        let start = self.spill.buffer.len();
        let len = position.wrapping_sub(start) as u64;
        match self.spill.target {
            Target::Buffer if len + self.elsewhere <= (MAX_LEN + SLACK) as u64 => {
                // SAFETY: the bytes up to the cursor were written, so that they
                // are kept.
                unsafe { self.spill.buffer.set_len(position) };
                self.spill.reserve(count + 2 * SLACK);
                self.spill.buffer.truncate(start);
                return self.moved(position);
            }
            // Too much to be a message: from here on it is only counted.
            Target::Buffer => self.spill.give_up(),
            Target::Nowhere => {}
        }
        // What was written is written over. Prefixes are filled in as always:
        // they lie within the same memory, and behind what was there before.
        self.elsewhere += len;
        // SAFETY: the start lies before the cursor.
        unsafe { self.base.add(start) }
    }

    /// Goes on in the buffer, which has moved.
    fn moved(&mut self, position: usize) -> *mut u8 {
        let [base, cursor, limit] = in_buffer(&mut self.spill.buffer, position);
        (self.limit, self.base) = (limit, base);
        cursor
    }

    #[inline(never)]
    fn close_long(&mut self, cursor: *mut u8, mark: &Mark) {
        // Where bytes are only counted, the cursor may have gone back.
        let here = self.position(cursor) as u64;
        let len = here.wrapping_sub(mark.start as u64).wrapping_add(self.elsewhere - mark.elsewhere);
        let (width, needs, offset) = (mark.width, varint::len(len), mark.start - mark.width);
        if needs > width {
            self.elsewhere += (needs - width) as u64;
            if self.spill.target != Target::Nowhere {
                self.spill.push_widened(Widened { offset, width, needs, len });
            }
            return;
        }
        // SAFETY: the prefix lies before the cursor, in memory of this writer's;
        // it is written to before it is a slice.
        let prefix = unsafe {
            let prefix = self.base.add(offset);
            prefix.write_bytes(0, width);
            std::slice::from_raw_parts_mut(prefix, width)
        };
        put_padded(prefix, len);
    }
}

impl Writer<'_> {
    /// Appends to a buffer `header` and what `write` writes, and says how many
    /// bytes the latter is, those of [`Spill::take_large`] included.
    ///
    /// # Errors
    ///
    /// How many bytes it would have been, if they are more than `max`, which is
    /// [`MAX_LEN`] at the most. Nothing is appended then, nor if `write` panics.
    #[inline]
    pub(crate) fn append<const N: usize>(
        spill: &mut Spill,
        header: [u8; N],
        max: usize,
        write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>,
    ) -> Result<usize, u64> {
        spill.begin();
        spill.buffer.reserve(2 * SLACK);
        let start = spill.buffer.len();
        let from = in_buffer(&mut spill.buffer, start);
        let (position, elsewhere) = Writer::run(from, spill, |out| write(out.array(header)));
        let len = ((position - start).wrapping_sub(N) as u64).wrapping_add(elsewhere);
        if len > max as u64 {
            return Err(len);
        }
        // SAFETY: the bytes up to the cursor were written.
        unsafe { spill.buffer.set_len(position) };
        if elsewhere != 0 {
            spill.end();
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than 2 GiB")]
        Ok(len as usize)
    }

    /// A vector of what `write` writes: most likely no more than `guess` bytes.
    /// Fewer are not copied once more to get a vector of exactly their length:
    /// the copy would wait for what was just written (measured: a third of the
    /// time of a short message).
    ///
    /// # Panics
    ///
    /// If that is more than [`MAX_LEN`] bytes. `name` is the message's.
    #[inline]
    pub(crate) fn collect(
        name: &str,
        guess: usize,
        write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>,
    ) -> Vec<u8> {
        let mut spill = Spill::new(Vec::new(), Target::Buffer);
        let from = if guess < FLAT {
            spill.first = guess + SLACK;
            nowhere()
        } else {
            spill.buffer.reserve_exact(guess + SLACK);
            in_buffer(&mut spill.buffer, 0)
        };
        let (position, elsewhere) = Writer::run(from, &mut spill, write);
        let len = position as u64 + elsewhere;
        if len > MAX_LEN as u64 {
            too_long(name, len);
        }
        // SAFETY: the bytes up to the cursor were written.
        unsafe { spill.buffer.set_len(position) };
        if spill.buffer.capacity() > MUCH || elsewhere != 0 {
            spill.finish();
        }
        std::mem::take(&mut spill.buffer)
    }

    /// How many bytes `write` writes.
    pub(crate) fn count(write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>) -> u64 {
        let mut scratch = [MaybeUninit::uninit(); 4 * SLACK];
        let mut spill = Spill::new(Vec::new(), Target::Nowhere);
        let (position, elsewhere) = Writer::run(in_scratch(&mut scratch), &mut spill, write);
        position as u64 + elsewhere
    }

    /// Writes to memory that nobody else uses meanwhile, and says how far that
    /// went, and how many bytes are elsewhere.
    ///
    /// The lifetime is nobody's but this call's, so that `write` gives back the
    /// writer that it got.
    #[inline]
    fn run(
        [base, cursor, limit]: Start,
        spill: &mut Spill,
        write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>,
    ) -> (usize, u64) {
        let mut memory = Memory { limit, base, elsewhere: 0, spill };
        let Writer { cursor, memory } = write(Writer { cursor, memory: &mut memory });
        (memory.position(cursor), memory.elsewhere)
    }

    /// Makes sure that `SLACK` bytes may be written.
    #[inline]
    fn ready(mut self) -> Self {
        if self.cursor > self.memory.limit {
            self.cursor = self.memory.grow(self.cursor, 0);
        }
        self
    }

    /// Writes what takes no more than `SLACK` bytes.
    ///
    /// # Safety
    ///
    /// `write` writes to no more than `SLACK` bytes, and returns a pointer to
    /// one of them, or behind them, before which it has written all.
    #[inline]
    unsafe fn short(self, write: impl FnOnce(*mut u8) -> *mut u8) -> Self {
        let mut out = self.ready();
        out.cursor = write(out.cursor);
        out
    }

    /// One byte.
    #[inline]
    pub fn byte(self, byte: u8) -> Self {
        self.array([byte])
    }

    /// A tag: field number and wire type. Of a constant, the compiler keeps
    /// only the branch that is taken.
    #[inline]
    pub fn tag(self, tag: u32) -> Self {
        // SAFETY: a tag takes five bytes at the most.
        unsafe { self.short(|to| tag_at(to, tag)) }
    }

    /// A varint.
    #[inline]
    pub fn varint(self, value: u64) -> Self {
        // SAFETY: a varint takes ten bytes at the most.
        unsafe { self.short(|to| varint_at(to, value)) }
    }

    /// A tag and a varint.
    #[inline]
    pub(super) fn varint_field(self, tag: u32, value: u64) -> Self {
        // SAFETY: both take fifteen bytes at the most.
        unsafe { self.short(|to| varint_at(tag_at(to, tag), value)) }
    }

    /// Varints, one behind the other.
    #[inline]
    pub(super) fn varints<V>(mut self, values: &[V], bits: impl Fn(&V) -> u64) -> Self {
        // Most often the next one is as long as the one before it.
        let mut width = Width::of(0);
        for some in values.chunks(SLACK / varint::MAX_LEN) {
            // SAFETY: so many varints of any length fit.
            self = unsafe {
                self.short(|mut to| {
                    for value in some {
                        let value = bits(value);
                        if !width.fits(value) {
                            width = Width::of(value);
                        }
                        to = if width.len > 8 { long_varint_at(to, value) } else { width.put(to, value) };
                    }
                    to
                })
            };
        }
        self
    }

    /// Bytes of a length known to the compiler, of up to 16.
    #[inline]
    pub fn array<const N: usize>(self, bytes: [u8; N]) -> Self {
        const { assert!(N <= 16, "longer arrays are written as `raw`") };
        // SAFETY: `N` is less than `SLACK`.
        unsafe { self.short(|to| array_at(to, bytes)) }
    }

    /// A tag, and bytes of a length known to the compiler.
    #[inline]
    pub(super) fn array_field<const N: usize>(self, tag: u32, bytes: [u8; N]) -> Self {
        const { assert!(N <= 16, "no scalar is that long") };
        // SAFETY: a tag and `N` bytes are fewer than `SLACK`.
        unsafe { self.short(|to| array_at(tag_at(to, tag), bytes)) }
    }

    /// Values of the same length, one behind the other.
    #[inline]
    pub(super) fn arrays<V, const N: usize>(mut self, values: &[V], bytes: impl Fn(&V) -> [u8; N]) -> Self {
        for some in values.chunks(SLACK / N) {
            // SAFETY: so many values fit.
            self = unsafe {
                self.short(|mut to| {
                    for value in some {
                        to = array_at(to, bytes(value));
                    }
                    to
                })
            };
        }
        self
    }

    /// Bytes as they are.
    #[inline]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        let len = bytes.len();
        if len > self.room() {
            self.cursor = self.memory.grow(self.cursor, len);
            if len > self.room() {
                self.memory.elsewhere += len as u64;
                return self;
            }
        }
        // SAFETY: there is room for them; a shared slice is no part of memory
        // that this writer has to itself.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.cursor, len);
            self.cursor = self.cursor.add(len);
        }
        self
    }

    /// How many bytes may be written.
    #[inline]
    fn room(&self) -> usize {
        self.memory.limit as usize + SLACK - self.cursor as usize
    }

    /// A length and that many bytes.
    #[inline]
    pub fn delimited(self, bytes: &[u8]) -> Self {
        self.varint(bytes.len() as u64).raw(bytes)
    }

    /// A tag, a length and that many bytes.
    #[inline]
    pub(super) fn bytes_field(self, tag: u32, bytes: &[u8]) -> Self {
        let len = bytes.len();
        if len > SHORT {
            return self.long_field(tag, bytes);
        }
        // SAFETY: a tag, a byte and `SHORT` bytes are fewer than `SLACK`.
        unsafe {
            self.short(|to| {
                #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
                let to = array_at(tag_at(to, tag), [len as u8]);
                copy_short(bytes.as_ptr(), to, len);
                to.add(len)
            })
        }
    }

    #[inline(never)]
    fn long_field(self, tag: u32, bytes: &[u8]) -> Self {
        self.varint_field(tag, bytes.len() as u64).raw(bytes)
    }

    /// A tag, a length and a blob's bytes, of which large ones need not be
    /// copied.
    #[inline]
    pub(super) fn blob_field(self, tag: u32, blob: &Blob) -> Self {
        let Some((start, len)) = blob.as_inline() else {
            return self.long_blob_field(tag, blob);
        };
        // SAFETY: a tag, a byte and a whole blob are fewer than `SLACK`. Of the
        // blob the first `len` bytes count, and the rest is written over.
        unsafe {
            self.short(|to| {
                #[expect(clippy::cast_possible_truncation, reason = "at most 23")]
                let to = array_at(tag_at(to, tag), [len as u8]);
                ptr::copy_nonoverlapping(start, to.cast(), size_of::<Blob>());
                to.add(len)
            })
        }
    }

    #[inline(never)]
    fn long_blob_field(self, tag: u32, blob: &Blob) -> Self {
        self.varint_field(tag, blob.len() as u64).long_blob(blob)
    }

    /// A length and a blob's bytes, of which large ones need not be copied.
    pub(super) fn blob(self, blob: &Blob) -> Self {
        self.varint(blob.len() as u64).long_blob(blob)
    }

    fn long_blob(self, blob: &Blob) -> Self {
        let Memory { spill, .. } = &*self.memory;
        if blob.len() < BORROW || !spill.refers || spill.target == Target::Nowhere {
            return self.raw(blob);
        }
        let offset = self.memory.position(self.cursor);
        self.memory.elsewhere += blob.len() as u64;
        self.memory.spill.push_large(offset, blob);
        self
    }

    /// Begins a nested message of `at_least` so many bytes, in a field with this
    /// tag.
    #[inline]
    pub(super) fn open(mut self, tag: u32, at_least: usize) -> (Self, Mark) {
        let width = if at_least < 0x80 { 1 } else { varint::len(at_least as u64) };
        if self.cursor > self.memory.limit {
            self.cursor = self.memory.grow(self.cursor, at_least);
        }
        // SAFETY: a tag and a varint are shorter than `SLACK`, as which there is
        // room now. The varint is written when the message ends.
        let out = unsafe { self.short(|to| tag_at(to, tag).add(width)) };
        let mark = Mark { start: out.memory.position(out.cursor), width, elsewhere: out.memory.elsewhere };
        (out, mark)
    }

    /// Ends a nested message, whose length is known now.
    #[inline]
    pub(super) fn close(self, mark: Mark) -> Self {
        let len = self.memory.position(self.cursor).wrapping_sub(mark.start);
        if len < 0x80 && mark.width == 1 && mark.elsewhere == self.memory.elsewhere {
            // SAFETY: the prefix lies before the cursor, in memory of this
            // writer's, since nobody can give back another one than it got.
            #[expect(clippy::cast_possible_truncation, reason = "less than 128")]
            unsafe {
                self.memory.base.add(mark.start - 1).write(len as u8);
            }
        } else {
            self.memory.close_long(self.cursor, &mark);
        }
        self
    }
}

/// Says that a message is too long to be one.
#[cold]
pub(crate) fn too_long(name: &str, len: u64) -> ! {
    panic!("{name} takes {len} bytes, and protobuf allows no more than {MAX_LEN}")
}

/// Writes bytes of a length known to the compiler, and says where they end.
///
/// # Safety
///
/// As many can be written.
#[inline]
unsafe fn array_at<const N: usize>(to: *mut u8, bytes: [u8; N]) -> *mut u8 {
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
unsafe fn tag_at(to: *mut u8, tag: u32) -> *mut u8 {
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
unsafe fn varint_at(to: *mut u8, value: u64) -> *mut u8 {
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
/// # Safety
///
/// As for [`varint_at`].
#[inline(never)]
unsafe fn long_varint_at(to: *mut u8, value: u64) -> *mut u8 {
    let width = Width::of(value);
    // SAFETY: as for this function.
    unsafe { if width.len > 8 { longest_varint_at(to, value) } else { width.put(to, value) } }
}

/// What varints of one length have in common.
struct Width {
    /// The least of them, and how many there are.
    least: u64,
    count: u64,
    len: usize,
    /// The bits that say that a varint goes on, if it has up to eight bytes.
    more: u64,
}

impl Width {
    #[inline]
    fn of(value: u64) -> Self {
        let len = varint::len(value);
        let bits = 7 * (len - 1);
        let least = if len == 1 { 0 } else { 1 << bits };
        let count = if len > 8 { u64::MAX - least } else { (0x80 << bits) - least };
        let more = if len > 8 { 0 } else { 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1) };
        Self { least, count, len, more }
    }

    /// Whether a value has this length.
    #[inline]
    fn fits(&self, value: u64) -> bool {
        value.wrapping_sub(self.least) < self.count
    }

    /// Writes a value of this length, and says where it ends: all groups at once,
    /// 7 bits of each byte, of which all but the last say that it goes on.
    ///
    /// # Safety
    ///
    /// Ten bytes can be written.
    #[inline]
    unsafe fn put(&self, to: *mut u8, value: u64) -> *mut u8 {
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
