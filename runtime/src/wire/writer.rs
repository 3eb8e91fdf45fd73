//! The writer cursor: encodes protobuf's primitives in one forward pass.
//!
//! The length of a nested message is known only after the message has been written. Its
//! length prefix is reserved with as many bytes as the message needs at least
//! ([`Message::at_least`](crate::Message::at_least)), most often one, and is filled in
//! at the end. Prefixes that turn out to be too narrow are recorded, and all widened
//! together when everything has been written ([`EncodeBuffer`]): no byte moves more
//! than once, at any depth, and no separate pass measures lengths.
//!
//! Invariant: the cursor lies within its [`Memory`], and at most at its end. Each write
//! starts with the cursor at the limit or before it and writes at most `SLACK` bytes,
//! unless it has checked the space that it needs.

mod delimited;

use std::mem::{self, MaybeUninit};
use std::ptr;

use super::cold_path::cold_path;
use super::cursor::{VarintWidth, write_array, write_long_varint, write_tag, write_varint};
use super::encode_buffer::{EncodeBuffer, MIN_SHRINK_CAPACITY, Target, Unfinished};
use super::memory::{Mark, Memory, Region, SLACK, empty_region, region_in_buffer, region_in_scratch};
use crate::message::MAX_LEN;
use crate::varint;

/// The minimum in-memory size of a message for which memory is allocated in advance. A
/// smaller message most likely is a list or wraps another message, and memory for it is
/// allocated when its first value shows how much it needs. A larger one holds its
/// values in itself.
const MIN_PREALLOCATED_SIZE: usize = 128;

/// The position at which a message is being written.
///
/// [`Message::encode`](crate::Message::encode) receives a writer, and returns it at its
/// new position; so does each method here. It is passed by value because its two words
/// then stay in registers; behind a reference, each field would wait for the store of
/// the previous one.
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
    /// Appends to the buffer a header and what `write` writes. The header is what `length`
    /// returns for the length of the latter, and `rest`. Reports whether some of the
    /// message's values are to be taken from [`EncodeBuffer::take_large`], which has to be
    /// done before the next message.
    ///
    /// Nothing but `output` is needed once `write` has returned: each value that is kept
    /// meanwhile takes a register that has to be saved (measured: a twelfth of the time of
    /// a short frame).
    ///
    /// # Errors
    ///
    /// The length that the message would have, if it exceeds `max`, which is at most
    /// [`MAX_LEN`]. In this case, and if `write` panics, nothing is appended.
    #[inline]
    pub(crate) fn append<const L: usize, const R: usize>(
        output: &mut EncodeBuffer,
        length: impl FnOnce(usize) -> [u8; L],
        rest: [u8; R],
        max: usize,
        write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>,
    ) -> Result<bool, u64> {
        const { assert!(L + R <= SLACK, "the header is written without a check") };
        debug_assert!(output.large.is_empty());
        let unfinished = Unfinished(output);
        let output = &mut *unfinished.0;
        output.buffer.reserve(2 * SLACK);
        let start = output.buffer.len();
        let [base, cursor, limit] = region_in_buffer(&mut output.buffer, start);
        // SAFETY: `2 * SLACK` bytes are spare, more than the header takes. Its length is
        // initialised below, before the bytes become part of the buffer.
        let cursor = unsafe { write_array(cursor.add(L), rest) };
        let (position, extra_len) = Writer::run([base, cursor, limit], output, write);
        let start = output.buffer.len();
        let len = ((position - start).wrapping_sub(L + R) as u64).wrapping_add(extra_len);
        if len > max as u64 {
            return Err(len);
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than 2 GiB")]
        let length = length(len as usize);
        // SAFETY: with `length`, the bytes up to the cursor are written, within the
        // buffer's capacity, but for narrow prefixes, which nothing reads before
        // `finish_message` has widened them. Bytes are not only counted: that begins when
        // header and message exceed `MAX_LEN + SLACK`, and with it the message `max`.
        unsafe {
            write_array(output.buffer.as_mut_ptr().add(start), length);
            output.buffer.set_len(position);
        }
        let has_large = extra_len != 0 && output.finish_message();
        mem::forget(unfinished);
        Ok(has_large)
    }

    /// Returns a vector of what `write` writes, which most likely is no more than
    /// `guess` bytes. If it is less, the bytes are not copied to a vector of exactly
    /// their length: the copy would wait for the stores just made (measured: a third of
    /// the time of a short message).
    ///
    /// # Panics
    ///
    /// If `write` writes more than [`MAX_LEN`] bytes. `name` is the name of the
    /// message.
    #[inline]
    pub(crate) fn collect(
        name: &str,
        guess: usize,
        write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>,
    ) -> Vec<u8> {
        let mut output = EncodeBuffer::new(Vec::new(), Target::Buffer);
        let region = if guess < MIN_PREALLOCATED_SIZE {
            output.initial_capacity = guess + SLACK;
            empty_region()
        } else {
            output.buffer.reserve_exact(guess + SLACK);
            region_in_buffer(&mut output.buffer, 0)
        };
        let (position, extra_len) = Writer::run(region, &mut output, write);
        let len = position as u64 + extra_len;
        if len > MAX_LEN as u64 {
            too_long(name, len);
        }
        // SAFETY: the bytes up to the cursor were written, within the buffer's
        // capacity.
        unsafe { output.buffer.set_len(position) };
        if output.buffer.capacity() > MIN_SHRINK_CAPACITY || extra_len != 0 {
            output.finish_vec();
        }
        std::mem::take(&mut output.buffer)
    }

    /// Counts the bytes that `write` writes.
    pub(crate) fn count(write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>) -> u64 {
        let mut scratch = [MaybeUninit::uninit(); 4 * SLACK];
        let mut output = EncodeBuffer::new(Vec::new(), Target::Count);
        let (position, extra_len) = Writer::run(region_in_scratch(&mut scratch), &mut output, write);
        position as u64 + extra_len
    }

    /// Writes to a region that nothing else uses meanwhile. Returns the final position,
    /// and the number of bytes of the message that are not before it.
    ///
    /// The lifetime `'m` is unique to this call, so `write` cannot return any other
    /// writer than the one that it received.
    #[inline]
    fn run(
        [base, cursor, limit]: Region,
        output: &mut EncodeBuffer,
        write: impl for<'m> FnOnce(Writer<'m>) -> Writer<'m>,
    ) -> (usize, u64) {
        let mut memory = Memory { limit, base, extra_len: 0, output };
        let Writer { cursor, memory } = write(Writer { cursor, memory: &mut memory });
        (memory.position(cursor), memory.extra_len)
    }

    /// Ensures that `SLACK` bytes may be written at the cursor.
    #[inline]
    fn ensure_slack(mut self) -> Self {
        if self.cursor > self.memory.limit {
            // SAFETY: the cursor is this writer's.
            self.cursor = unsafe { self.memory.grow(self.cursor, 0) };
        }
        self
    }

    /// Writes at most `SLACK` bytes.
    ///
    /// # Safety
    ///
    /// `write` writes to no more than the first `SLACK` bytes at its argument. It
    /// returns a pointer to one of them, or right after them, and has initialised all
    /// bytes before that pointer, except for a length prefix that `close` fills in.
    #[inline]
    unsafe fn write_short(self, write: impl FnOnce(*mut u8) -> *mut u8) -> Self {
        let mut out = self.ensure_slack();
        out.cursor = write(out.cursor);
        out
    }

    /// Writes one byte.
    #[inline]
    pub fn byte(self, byte: u8) -> Self {
        self.array([byte])
    }

    /// Writes a tag: field number and wire type. If the tag is a constant, the compiler
    /// keeps only the branch that is taken.
    #[inline]
    pub fn tag(self, tag: u32) -> Self {
        // SAFETY: a tag takes at most five bytes.
        unsafe { self.write_short(|to| write_tag(to, tag)) }
    }

    /// Writes a varint.
    #[inline]
    pub fn varint(self, value: u64) -> Self {
        // SAFETY: a varint takes at most ten bytes.
        unsafe { self.write_short(|to| write_varint(to, value)) }
    }

    /// Writes a tag and a varint.
    #[expect(clippy::inline_always, reason = "called where the compiler inlines nothing else")]
    #[inline(always)]
    pub(super) fn varint_field(self, tag: u32, value: u64) -> Self {
        let mut out = self.ensure_slack();
        // SAFETY: both take at most fifteen bytes, and `SLACK` bytes may be written.
        out.cursor = unsafe { write_varint(write_tag(out.cursor, tag), value) };
        out
    }

    /// Writes varints, one after the other.
    #[inline]
    pub(super) fn varints<V>(mut self, values: &[V], bits: impl Fn(&V) -> u64) -> Self {
        // Most often, the next varint is as long as the previous one.
        let mut width = VarintWidth::of(0);
        for chunk in values.chunks(SLACK / varint::MAX_LEN) {
            // SAFETY: a chunk has at most `SLACK / MAX_LEN` values, each of which
            // writes at most `MAX_LEN` bytes, so all of them fit into `SLACK` bytes.
            self = unsafe {
                self.write_short(|mut to| {
                    for value in chunk {
                        let value = bits(value);
                        if !width.fits(value) {
                            width = VarintWidth::of(value);
                        }
                        to = if width.len > 8 { write_long_varint(to, value) } else { width.put(to, value) };
                    }
                    to
                })
            };
        }
        self
    }

    /// Writes an array of up to 16 bytes.
    #[inline]
    pub fn array<const N: usize>(self, bytes: [u8; N]) -> Self {
        const { assert!(N <= 16, "longer arrays are written as `raw`") };
        // SAFETY: `N` is at most 16, which is less than `SLACK`.
        unsafe { self.write_short(|to| write_array(to, bytes)) }
    }

    /// Writes a tag and an array of up to 16 bytes.
    #[expect(clippy::inline_always, reason = "called where the compiler inlines nothing else")]
    #[inline(always)]
    pub(super) fn array_field<const N: usize>(self, tag: u32, bytes: [u8; N]) -> Self {
        const { assert!(N <= 16, "no scalar is that long") };
        let mut out = self.ensure_slack();
        // SAFETY: a tag of five bytes and `N <= 16` bytes are fewer than `SLACK`, of which
        // all may be written.
        out.cursor = unsafe { write_array(write_tag(out.cursor, tag), bytes) };
        out
    }

    /// Writes arrays of equal length, one after the other.
    #[inline]
    pub(super) fn arrays<V, const N: usize>(mut self, values: &[V], bytes: impl Fn(&V) -> [u8; N]) -> Self {
        for chunk in values.chunks(SLACK / N) {
            // SAFETY: a chunk has at most `SLACK / N` values of `N` bytes, which fit
            // into `SLACK` bytes.
            self = unsafe {
                self.write_short(|mut to| {
                    for value in chunk {
                        to = write_array(to, bytes(value));
                    }
                    to
                })
            };
        }
        self
    }

    /// Writes bytes unchanged and without a length prefix.
    #[inline]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        let len = bytes.len();
        if len > self.spare() {
            // SAFETY: the cursor is this writer's.
            self.cursor = unsafe { self.memory.grow(self.cursor, len) };
            if len > self.spare() {
                self.memory.extra_len += len as u64;
                return self;
            }
        }
        // SAFETY: there is space for `len` bytes. The shared slice cannot overlap the
        // memory, to which this writer has exclusive access.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.cursor, len);
            self.cursor = self.cursor.add(len);
        }
        self
    }

    /// Returns how many bytes may be written at the cursor.
    #[inline]
    fn spare(&self) -> usize {
        self.memory.limit as usize + SLACK - self.cursor as usize
    }

    /// Starts a nested message of at least `at_least` bytes in a field with this tag.
    #[inline]
    pub(super) fn open(mut self, tag: u32, at_least: usize) -> (Self, Mark) {
        let width = if at_least < 0x80 { 1 } else { varint::len(at_least.min(MAX_LEN) as u64) };
        if self.cursor > self.memory.limit {
            // SAFETY: the cursor is this writer's.
            self.cursor = unsafe { self.memory.grow_for(self.cursor, at_least) };
        }
        // SAFETY: `ensure_slack` or `grow_for` has made room for `SLACK` bytes, more
        // than a tag and a length prefix take. `close` initialises the prefix when the
        // message ends.
        let out = unsafe { self.write_short(|to| write_tag(to, tag).add(width)) };
        let mark = Mark { start: out.memory.position(out.cursor), width, extra_len: out.memory.extra_len };
        (out, mark)
    }

    /// Ends a nested message, whose length is now known.
    #[inline]
    pub(super) fn close(self, mark: Mark) -> Self {
        let len = self.memory.position(self.cursor).wrapping_sub(mark.start);
        if len < 0x80 && mark.width == 1 && mark.extra_len == self.memory.extra_len {
            // SAFETY: the prefix lies before the cursor, in this writer's exclusive
            // memory: the mark belongs to this writer, since a function cannot return
            // another writer than it received.
            #[expect(clippy::cast_possible_truncation, reason = "less than 128")]
            unsafe {
                self.memory.base.add(mark.start - 1).write(len as u8);
            }
        } else {
            cold_path();
            // SAFETY: the cursor and, as above, the mark are this writer's.
            unsafe { self.memory.close_long(self.cursor, &mark) };
        }
        self
    }
}

/// Panics because a message is longer than protobuf allows.
#[cold]
pub(crate) fn too_long(name: &str, len: u64) -> ! {
    panic!("{name} takes {len} bytes, and protobuf allows no more than {MAX_LEN}")
}
