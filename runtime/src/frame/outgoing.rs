//! [`WriteBuffer`]: collects frames for vectored writes.
//!
//! Invariant: the bytes to be sent are those of the buffer from `sent` on, with each
//! large value inserted at its offset. Offsets are in ascending order, and none is less
//! than `sent`.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::Blob;
use crate::error::FrameError;
use crate::message::Message;
use crate::wire::{EncodeBuffer, LargeValue, MIN_BORROWED, Writer};

/// Frames to be written to a socket. Small frames are stored one after the other in one
/// buffer. Values of 16 KiB or more in [`Blob`] fields are not copied, but written from
/// where they are.
///
/// ```
/// # use riak_runtime::wire::Writer;
/// # struct Ping;
/// # impl riak_runtime::Message for Ping {
/// #     const NAME: &'static str = "Ping";
/// #     fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> { out }
/// # }
/// use riak_runtime::WriteBuffer;
///
/// let mut buffer = WriteBuffer::new();
/// buffer.push(1, &Ping)?;
/// buffer.push(1, &Ping)?;
/// assert_eq!(buffer.to_vec(), [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
///
/// // Writing: fill slices, write them, and report how much was written.
/// let mut slices = [std::io::IoSlice::new(&[]); 8];
/// let used = buffer.slices(&mut slices);
/// let written = std::io::Write::write_vectored(&mut std::io::sink(), &slices[..used]).unwrap();
/// buffer.consume(written);
/// assert!(buffer.is_empty());
/// # Ok::<(), riak_runtime::FrameError>(())
/// ```
#[derive(Debug)]
pub struct WriteBuffer {
    /// The bytes to be sent, except for large values.
    output: EncodeBuffer,
    /// How many bytes of the buffer were sent.
    sent: usize,
    large: VecDeque<LargeValue>,
    /// How many bytes of the first large value were sent.
    large_sent: usize,
}

/// The maximum body length: protobuf's limit, minus the byte of the code.
const MAX_BODY: usize = crate::message::MAX_LEN - 1;

/// Returns the length field of a frame with a body of this length, which is at most
/// [`MAX_BODY`]. It also counts the code.
#[expect(clippy::cast_possible_truncation, reason = "less than 2 GiB")]
fn length(body: usize) -> [u8; 4] {
    (body as u32 + 1).to_be_bytes()
}

#[cold]
fn too_long(body: usize) -> FrameError {
    FrameError::TooLong { length: body.saturating_add(1), max: crate::message::MAX_LEN }
}

#[cold]
fn body_too_long(body: u64) -> FrameError {
    too_long(usize::try_from(body).unwrap_or(usize::MAX))
}

/// Encodes the body of a frame. Unlike [`Message::encode_to_vec`], it returns an error if the
/// body is longer than a frame may be.
#[cfg(feature = "client")]
pub(crate) fn encode_body(message: &impl Message) -> Result<Vec<u8>, FrameError> {
    let mut body = Vec::new();
    EncodeBuffer::lend(&mut body, |output| {
        Writer::append(output, |_| [], [], MAX_BODY, |out| message.encode(out)).map_err(body_too_long)
    })?;
    Ok(body)
}

/// The maximum capacity to keep when the buffer has been sent.
const MAX_IDLE_CAPACITY: usize = 64 * 1024;

impl Default for WriteBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl WriteBuffer {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { output: EncodeBuffer::for_frames(), sent: 0, large: VecDeque::new(), large_sent: 0 }
    }

    /// Reports whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent == self.output.buffer.len() && self.large.is_empty()
    }

    /// Returns how many bytes there are to send.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        let copied = self.output.buffer.len() - self.sent;
        if self.large.is_empty() { copied } else { copied + self.large_len() }
    }

    /// Returns how many bytes of large values there are to send. Not inlined, like the other
    /// functions for large values, so that small frames need few registers.
    #[inline(never)]
    fn large_len(&self) -> usize {
        self.large.iter().map(|large| large.blob.len()).sum::<usize>() - self.large_sent
    }

    /// Encodes a message and appends it as a frame.
    ///
    /// # Errors
    ///
    /// If code and message are longer than 2 GiB minus one byte, which is protobuf's
    /// limit. In this case nothing is appended.
    pub fn push(&mut self, code: u8, message: &impl Message) -> Result<(), FrameError> {
        self.write(code, |out| message.encode(out))
    }

    /// Appends a frame whose body is a message followed by the encoded `fields`. These
    /// override the message's own, since the last occurrence of a singular field wins.
    ///
    /// # Errors
    ///
    /// As for [`WriteBuffer::push`].
    pub fn push_with(&mut self, code: u8, message: &impl Message, fields: &[u8]) -> Result<(), FrameError> {
        self.write(code, |out| message.encode(out).raw(fields))
    }

    #[inline]
    fn write(
        &mut self,
        code: u8,
        body: impl for<'w> FnOnce(Writer<'w>) -> Writer<'w>,
    ) -> Result<(), FrameError> {
        if Writer::append(&mut self.output, length, [code], MAX_BODY, body).map_err(body_too_long)? {
            self.take_large();
        }
        Ok(())
    }

    #[inline(never)]
    fn take_large(&mut self) {
        self.large.extend(self.output.take_large());
    }

    /// Appends a frame whose body is already encoded. The body is copied.
    ///
    /// # Errors
    ///
    /// As for [`WriteBuffer::push`].
    pub fn push_body(&mut self, code: u8, body: &[u8]) -> Result<(), FrameError> {
        self.push_header(code, body.len())?;
        self.output.buffer.extend_from_slice(body);
        Ok(())
    }

    /// Appends a frame whose body is already encoded, followed by the encoded `fields`.
    /// A body of 16 KiB or more is not copied.
    ///
    /// # Errors
    ///
    /// As for [`WriteBuffer::push`].
    pub fn push_blob(&mut self, code: u8, body: &Blob, fields: &[u8]) -> Result<(), FrameError> {
        self.push_header(code, body.len().saturating_add(fields.len()))?;
        if body.len() < MIN_BORROWED {
            self.output.buffer.extend_from_slice(body);
        } else {
            self.large.push_back(LargeValue { offset: self.output.buffer.len(), blob: body.clone() });
        }
        self.output.buffer.extend_from_slice(fields);
        Ok(())
    }

    /// Appends all frames of `other`.
    ///
    /// # Panics
    ///
    /// If part of a frame of `other` was already sent.
    pub fn append(&mut self, other: WriteBuffer) {
        assert!(other.sent == 0 && other.large_sent == 0, "a frame was sent in part elsewhere");
        let offset = self.output.buffer.len();
        self.output.buffer.extend_from_slice(&other.output.buffer);
        self.large.extend(
            other.large.into_iter().map(|large| LargeValue { offset: large.offset + offset, ..large }),
        );
    }

    /// Appends `fields` to the only frame in the buffer, none of which has been sent.
    /// Does nothing if the frame would become too long.
    #[cfg(feature = "client")]
    pub(crate) fn add_fields(&mut self, fields: &[u8]) {
        debug_assert!(self.sent == 0 && self.large_sent == 0, "a frame that was sent in part is not changed");
        // The length and the code are not part of the body.
        let body = self.len() - 5 + fields.len();
        if body <= MAX_BODY {
            self.output.buffer[..4].copy_from_slice(&length(body));
            self.output.buffer.extend_from_slice(fields);
        }
    }

    fn push_header(&mut self, code: u8, body: usize) -> Result<(), FrameError> {
        if body > MAX_BODY {
            return Err(too_long(body));
        }
        let [first, second, third, fourth] = length(body);
        self.output.buffer.extend_from_slice(&[first, second, third, fourth, code]);
        Ok(())
    }

    /// Fills `slices` with the bytes to be sent, in order, and returns how many slices
    /// were used. If all were used, there may be more bytes to send.
    pub fn slices<'b>(&'b self, slices: &mut [IoSlice<'b>]) -> usize {
        let max = slices.len();
        let mut used = 0;
        let mut from = self.sent;
        let mut skip = self.large_sent;
        let mut add = |bytes: &'b [u8]| {
            if !bytes.is_empty() && used < max {
                slices[used] = IoSlice::new(bytes);
                used += 1;
            }
        };
        // Each large value takes at least one slice.
        for large in self.large.iter().take(max) {
            add(&self.output.buffer[from..large.offset]);
            add(&large.blob[skip..]);
            from = large.offset;
            skip = 0;
        }
        add(&self.output.buffer[from..]);
        used
    }

    /// Reports that the first `count` bytes were sent, and discards them.
    ///
    /// # Panics
    ///
    /// If there are fewer bytes to send.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        if self.large.is_empty() && count == self.output.buffer.len() - self.sent {
            self.clear();
        } else {
            self.consume_part(count);
        }
    }

    #[inline]
    fn clear(&mut self) {
        self.sent = 0;
        self.output.buffer.clear();
        if self.output.buffer.capacity() > MAX_IDLE_CAPACITY {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        self.output.buffer.shrink_to(MAX_IDLE_CAPACITY);
    }

    #[inline(never)]
    fn consume_part(&mut self, mut count: usize) {
        while let Some(large) = self.large.front() {
            let before = large.offset - self.sent;
            if count < before {
                break;
            }
            count -= before;
            self.sent = large.offset;
            let left = large.blob.len() - self.large_sent;
            if count < left {
                self.large_sent += count;
                return;
            }
            count -= left;
            self.large_sent = 0;
            self.large.pop_front();
        }
        assert!(count <= self.output.buffer.len() - self.sent, "more bytes were sent than there were");
        self.sent += count;
        if self.is_empty() {
            self.clear();
        } else if self.sent >= MAX_IDLE_CAPACITY && self.sent >= self.output.buffer.len() / 2 {
            // A buffer that is never sent completely would otherwise grow without
            // bound.
            self.output.buffer.drain(..self.sent);
            self.large.iter_mut().for_each(|large| large.offset -= self.sent);
            self.sent = 0;
        }
    }

    /// Returns a copy of all bytes to be sent, for tests and small buffers.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut slices = vec![IoSlice::new(&[]); 2 * self.large.len() + 1];
        let used = self.slices(&mut slices);
        slices[..used].iter().map(|slice| &**slice).collect::<Vec<_>>().concat()
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "small numbers as test data")]
mod tests;
