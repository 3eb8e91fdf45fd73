//! The writer cursor: protobuf's primitives, in one forward pass.
//!
//! How long a nested message is shows when it has been written. Its length
//! prefix gets as many bytes as the message needs at least
//! ([`Message::at_least`](crate::Message::at_least)), most often one, and is
//! filled in at its end. Of one that is too narrow a note is kept, and all such
//! are widened at once when everything has been written ([`Spill`]): no byte
//! moves more than once, at any depth, and nothing is measured beforehand.
//!
//! Invariant: the cursor lies within its [`Memory`], at its end at the most. Each
//! write begins with a cursor at the limit at the most, and writes no more than
//! `SLACK` bytes, unless it has compared with the end.

use std::mem::MaybeUninit;
use std::ptr;

use super::cursor::{SHORT, Width, array_at, copy_short, long_varint_at, tag_at, varint_at};
use super::memory::{Mark, Memory, SLACK, Start, in_buffer, in_scratch, nowhere};
use super::spill::{BORROW, MUCH, Spill, Target};
use crate::Blob;
use crate::message::MAX_LEN;
use crate::varint;

/// A message that is smaller in memory is a list, most likely, or what is around
/// another message: memory for it is allocated when its first value shows how
/// much it needs. A larger one has its values in itself.
const FLAT: usize = 128;

/// The position at which a message is being written.
///
/// [`Message::encode`](crate::Message::encode) gets one, and returns it at its new
/// position; so does each method here. It is passed by value because its two words
/// then stay in registers; behind a reference, each field would wait until the one
/// before it has reached memory.
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

    /// Varints, one after the other.
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

    /// Values of the same length, one after the other.
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

    /// Bytes, unchanged and without a length.
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
        let width = if at_least < 0x80 { 1 } else { varint::len(at_least.min(MAX_LEN) as u64) };
        if self.cursor > self.memory.limit {
            self.cursor = self.memory.grow_for(self.cursor, at_least);
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
