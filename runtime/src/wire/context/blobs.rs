//! Values of `bytes` fields: from the input into blobs.
//!
//! Invariant: what is read beyond a value lies within the input, which the
//! [`Context`] vouches for.

use super::Context;
use crate::Blob;
use crate::blob::{INLINE, SHARE};

impl<'a> Context<'a> {
    /// `bytes` as a blob: inline if short, shared with the source if that is
    /// worth it.
    ///
    /// Up to 512 bytes are copied. From the second value of such a length on,
    /// those of one message lie side by side in blocks of up to 1 KiB, each of
    /// which is there as long as one of its values is.
    #[inline]
    #[must_use]
    pub fn blob(&mut self, bytes: &'a [u8]) -> Blob {
        self.blob_with(bytes, |blob| blob)
    }

    /// Hands `bytes` as a blob on to where they belong.
    ///
    /// Each of the two ways there has a copy of `place`, so that a short one
    /// gets there from registers. Brought together before, it would be put into
    /// memory and waited for there.
    #[expect(clippy::inline_always, reason = "as the blob would be passed in memory")]
    #[inline(always)]
    pub(in crate::wire) fn blob_with<T>(&mut self, bytes: &'a [u8], place: impl FnOnce(Blob) -> T) -> T {
        // Bytes from anywhere else, such as a constant, are far off the start.
        let offset = (bytes.as_ptr() as usize).wrapping_sub(self.start as usize);
        if bytes.len() <= INLINE && offset < self.inline_end {
            // SAFETY: 24 bytes behind the offset are within the input, and the
            // pointer is made from one that may read all of it.
            return place(unsafe { Blob::inline_from(self.start.add(offset), bytes.len()) });
        }
        place(self.other_blob(bytes))
    }

    /// A long blob, or one at the end of the input.
    #[inline(never)]
    fn other_blob(&mut self, bytes: &'a [u8]) -> Blob {
        match (bytes.len(), self.source) {
            (..=INLINE, _) => Blob::copy_from_slice(bytes),
            (..SHARE, _) => {
                // Bytes from elsewhere say nothing of what may come: not too much.
                let left = (self.limit as usize).wrapping_sub(bytes.as_ptr_range().end as usize);
                self.shelf.keep(bytes, left)
            }
            (_, Some(source)) => source.share(bytes),
            (_, None) => Blob::copy_from_slice(bytes),
        }
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
