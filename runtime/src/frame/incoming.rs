//! [`FrameReader`]: splits a byte stream into frames.
//!
//! Invariant: bytes leave the buffer only as whole frames, so if a connection ends with
//! bytes left, it ended in the middle of a frame.

use super::{Frame, HEADER, MAX_FRAME};
use crate::blob::ReadBuffer;
use crate::error::FrameError;

/// The number of bytes to read from a socket at once.
const READ_SIZE: usize = 16 * 1024;

/// Splits incoming bytes into frames. Fill [`FrameReader::spare`], report how much with
/// [`FrameReader::advance`], then take frames until there are none.
///
/// ```
/// use riak_runtime::FrameReader;
///
/// let mut reader = FrameReader::default();
/// let arrived = [0, 0, 0, 1, 2, 0, 0, 0];
/// reader.spare()[..8].copy_from_slice(&arrived);
/// reader.advance(8);
/// let frame = reader.next_frame()?.expect("a whole one has arrived");
/// assert_eq!((frame.code, frame.body.len()), (2, 0));
/// assert!(reader.next_frame()?.is_none());
/// assert!(reader.is_within_frame());
/// # Ok::<(), riak_runtime::FrameError>(())
/// ```
pub struct FrameReader {
    buffer: ReadBuffer,
    max_frame: usize,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new(MAX_FRAME)
    }
}

impl FrameReader {
    /// Creates a reader that refuses frames whose code and body are longer than
    /// `max_frame` bytes. The default is [`MAX_FRAME`].
    #[must_use]
    pub fn new(max_frame: usize) -> Self {
        Self { buffer: ReadBuffer::new(READ_SIZE), max_frame }
    }

    /// Returns the buffer for the next bytes. It is never empty, and once the length of
    /// a frame has arrived, the rest of the frame fits into it.
    pub fn spare(&mut self) -> &mut [u8] {
        // Once a frame's length is known, its block has space for all of it. Asking for
        // more than the missing bytes would move the frame at every read.
        match self.missing() {
            0 => self.buffer.spare(READ_SIZE / 2),
            missing => self.buffer.spare(missing),
        }
    }

    /// Reports that the first `count` bytes of [`FrameReader::spare`] were filled.
    ///
    /// # Panics
    ///
    /// If `count` exceeds the spare space.
    pub fn advance(&mut self, count: usize) {
        self.buffer.advance(count);
    }

    /// Reports whether there are bytes that were not taken as frames. After all
    /// complete frames were taken, this means that the last frame is incomplete.
    #[must_use]
    pub fn is_within_frame(&self) -> bool {
        !self.buffer.filled().is_empty()
    }

    /// Returns how many bytes the current frame still needs. Returns 0 for a length
    /// over the maximum, which will be refused.
    fn missing(&self) -> usize {
        let filled = self.buffer.filled();
        match length(filled) {
            Some(length) if length <= self.max_frame => length.saturating_add(4).saturating_sub(filled.len()),
            _ => 0,
        }
    }

    /// Returns the next complete frame, or `None` until one has arrived.
    ///
    /// # Errors
    ///
    /// If a frame's length is zero or over the maximum. The stream cannot be read any
    /// further, and each later call fails as well.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let filled = self.buffer.filled();
        let Some(length) = length(filled) else { return Ok(None) };
        if length == 0 {
            return Err(FrameError::Empty);
        }
        if length > self.max_frame {
            return Err(FrameError::TooLong { length, max: self.max_frame });
        }
        if filled.len() - 4 < length {
            return Ok(None);
        }
        let code = filled[4];
        self.buffer.skip(HEADER);
        Ok(Some(Frame { code, body: self.buffer.take(length - 1) }))
    }
}

/// Returns the length at the start of a frame, once it has arrived.
fn length(bytes: &[u8]) -> Option<usize> {
    let (length, _) = bytes.split_first_chunk::<4>()?;
    Some(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "small numbers as test data")]
mod tests {
    use super::*;

    /// Feeds bytes as a socket does: no more than there is space for.
    fn feed(reader: &mut FrameReader, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let spare = reader.spare();
            let count = spare.len().min(bytes.len());
            spare[..count].copy_from_slice(&bytes[..count]);
            reader.advance(count);
            bytes = &bytes[count..];
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes under Miri")]
    fn frames_come_out_whole_however_they_are_cut() {
        let mut stream = Vec::new();
        let bodies: Vec<Vec<u8>> = [0usize, 1, 22, 23, 24, 100, 40_000, 0, 5]
            .iter()
            .map(|&len| (0..len).map(|index| (index % 251) as u8).collect())
            .collect();
        for (index, body) in bodies.iter().enumerate() {
            stream.extend((body.len() as u32 + 1).to_be_bytes());
            stream.push(index as u8);
            stream.extend(body);
        }
        for piece in [1, 2, 3, 7, 1000, 8192] {
            let mut reader = FrameReader::default();
            let mut frames = Vec::new();
            for bytes in stream.chunks(piece) {
                feed(&mut reader, bytes);
                while let Some(frame) = reader.next_frame().unwrap() {
                    frames.push(frame);
                }
            }
            assert!(!reader.is_within_frame());
            assert_eq!(frames.len(), bodies.len());
            for (index, (frame, body)) in frames.iter().zip(&bodies).enumerate() {
                assert_eq!((usize::from(frame.code), frame.body.as_slice()), (index, body.as_slice()));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes under Miri")]
    fn a_large_frame_is_not_moved_however_slowly_it_comes() {
        let mut reader = FrameReader::default();
        let length = 100_000u32;
        feed(&mut reader, &length.to_be_bytes());
        feed(&mut reader, &[7]);
        let mut starts = std::collections::BTreeSet::new();
        for _ in 1..length {
            assert!(reader.next_frame().unwrap().is_none());
            feed(&mut reader, &[1]);
            starts.insert(reader.buffer.filled().as_ptr());
        }
        let frame = reader.next_frame().unwrap().unwrap();
        assert_eq!((frame.code, frame.body.len(), starts.len()), (7, 99_999, 1));
    }

    #[test]
    fn lengths_out_of_bounds_are_refused_before_they_are_buffered() {
        let mut reader = FrameReader::new(100);
        feed(&mut reader, &[0, 0, 0, 101]);
        assert_eq!(reader.next_frame(), Err(FrameError::TooLong { length: 101, max: 100 }));
        assert!(reader.spare().len() <= READ_SIZE);
        let mut reader = FrameReader::new(100);
        feed(&mut reader, &[0, 0, 0, 0, 9]);
        assert_eq!(reader.next_frame(), Err(FrameError::Empty));
    }
}
