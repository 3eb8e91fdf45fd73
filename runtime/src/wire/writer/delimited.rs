//! Writes length-delimited values: bytes, text and blobs.
//!
//! Invariant: that of the writer; see [`super`]. A value that is written in one go with
//! its tag and its length takes at most `SLACK` bytes with them.

use std::ptr;

use super::super::cursor::{MAX_SHORT_COPY, copy_short, write_array, write_tag};
use super::super::encode_buffer::{LargeValue, MIN_BORROWED, Target};
use super::super::memory::Memory;
use super::Writer;
use crate::Blob;

impl Writer<'_> {
    /// Writes a length and the bytes.
    #[inline]
    pub fn delimited(self, bytes: &[u8]) -> Self {
        self.varint(bytes.len() as u64).raw(bytes)
    }

    /// Writes a tag, a length and the bytes.
    #[inline]
    pub(in crate::wire) fn bytes_field(self, tag: u32, bytes: &[u8]) -> Self {
        let len = bytes.len();
        if len > MAX_SHORT_COPY {
            return self.long_field(tag, bytes);
        }
        // SAFETY: a tag of five bytes, one byte of length and at most `MAX_SHORT_COPY`
        // bytes are fewer than `SLACK`. The slice cannot overlap the writer's exclusive
        // memory.
        unsafe {
            self.write_short(|to| {
                #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
                let to = write_array(write_tag(to, tag), [len as u8]);
                copy_short(bytes.as_ptr(), to, len);
                to.add(len)
            })
        }
    }

    #[inline(never)]
    fn long_field(self, tag: u32, bytes: &[u8]) -> Self {
        self.varint_field(tag, bytes.len() as u64).raw(bytes)
    }

    /// Writes a tag, a length and a blob's bytes. Large blobs need not be copied.
    #[inline]
    pub(in crate::wire) fn blob_field(self, tag: u32, blob: &Blob) -> Self {
        let Some((start, len)) = blob.as_inline() else {
            return self.long_blob_field(tag, blob);
        };
        // SAFETY: a tag of five bytes, one byte of length and the 24 bytes of a blob
        // are fewer than `SLACK`. The first `len` bytes of the blob are initialised,
        // and the returned pointer is right after them.
        unsafe {
            self.write_short(|to| {
                #[expect(clippy::cast_possible_truncation, reason = "at most 23")]
                let to = write_array(write_tag(to, tag), [len as u8]);
                ptr::copy_nonoverlapping(start, to.cast(), size_of::<Blob>());
                to.add(len)
            })
        }
    }

    #[inline(never)]
    fn long_blob_field(self, tag: u32, blob: &Blob) -> Self {
        self.varint_field(tag, blob.len() as u64).long_blob(blob)
    }

    /// Writes a length and a blob's bytes. Large blobs need not be copied.
    pub(in crate::wire) fn blob(self, blob: &Blob) -> Self {
        self.varint(blob.len() as u64).long_blob(blob)
    }

    fn long_blob(self, blob: &Blob) -> Self {
        let Memory { output, .. } = &*self.memory;
        if blob.len() < MIN_BORROWED || !output.borrows_large || output.target == Target::Count {
            return self.raw(blob);
        }
        let offset = self.memory.position(self.cursor);
        self.memory.extra_len += blob.len() as u64;
        self.memory.output.large.push(LargeValue { offset, blob: blob.clone() });
        self
    }
}
