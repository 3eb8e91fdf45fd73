//! Converts the values of `bytes` fields to blobs.
//!
//! Invariant: bytes that are read beyond a value lie within the input of the
//! [`Context`].

use super::Context;
use crate::Blob;
use crate::blob::{INLINE, MIN_SHARED};

impl<'a> Context<'a> {
    /// Converts `bytes` to a blob: inline if short, and shared with the source if that
    /// is worthwhile.
    ///
    /// Fewer than 512 bytes are copied. From the second value that is too long to be
    /// inline on, those of one message lie in common blocks of up to 1 KiB, each of
    /// which lives as long as any of its values.
    #[inline]
    #[must_use]
    pub fn blob(&mut self, bytes: &'a [u8]) -> Blob {
        match self.short_blob(bytes) {
            Some(blob) => blob,
            None => self.other_blob(bytes),
        }
    }

    /// Converts `bytes` if they are short enough to be inline and not at the end of the
    /// input.
    ///
    /// The callers place this blob and [`Context::long_blob`] each by itself, so that it
    /// reaches its destination from registers. If the two were joined first, the blob
    /// would pass through memory, and the next move would wait for it.
    #[expect(clippy::inline_always, reason = "otherwise the blob is passed in memory")]
    #[inline(always)]
    pub(in crate::wire) fn short_blob(&self, bytes: &'a [u8]) -> Option<Blob> {
        // For bytes from elsewhere, such as a constant, the offset wraps or is too
        // large.
        let offset = (bytes.as_ptr() as usize).wrapping_sub(self.start as usize);
        // SAFETY: `offset < inline_end`, so 24 bytes from the offset on lie within the
        // input, and `start` was derived from a slice of all of it. `len` is at most
        // `INLINE`.
        (bytes.len() <= INLINE && offset < self.inline_end)
            .then(|| unsafe { Blob::inline_from(self.start.add(offset), bytes.len()) })
    }

    /// Converts any value; [`Context::short_blob`] is quicker for those that it takes.
    ///
    /// Inlined where the blob is placed: what it calls returns no blob, which would be
    /// in memory.
    #[expect(clippy::inline_always, reason = "otherwise the blob is passed in memory")]
    #[inline(always)]
    pub(in crate::wire) fn long_blob(&mut self, bytes: &'a [u8]) -> Blob {
        match (bytes.len(), self.source) {
            (..=INLINE, _) => Blob::copy_from_slice(bytes),
            (..MIN_SHARED, _) => {
                // For bytes from elsewhere the estimate is meaningless, but harmless.
                let left = (self.limit as usize).wrapping_sub(bytes.as_ptr_range().end as usize);
                self.arena.alloc(bytes, left)
            }
            (_, Some(source)) => source.share(bytes),
            (_, None) => Blob::copy_from_slice(bytes),
        }
    }

    #[inline(never)]
    fn other_blob(&mut self, bytes: &'a [u8]) -> Blob {
        self.long_blob(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeLimits;

    #[test]
    fn short_blobs_are_read_up_to_the_end_of_the_input() {
        let bytes: Vec<u8> = (0..60).collect();
        let (mut ctx, _) = Context::new(&bytes, None, &DecodeLimits::default());
        for start in 0..60 {
            for len in 0..=60 - start {
                assert_eq!(ctx.blob(&bytes[start..start + len]), bytes[start..start + len]);
            }
        }
    }
}
