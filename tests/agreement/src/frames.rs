//! Property: frames do not depend on how their bytes arrive, and are sent as they were received.
//!
//! Invariant: the reference splits the whole stream at its length prefixes, using only slices.

use std::io::IoSlice;

use riak_runtime::{Blob, Frame, FrameError, FrameReader, WriteBuffer};

/// A small limit, so that longer frames occur.
const MAX_FRAME: usize = 100_000;

/// Checks a stream. The first byte seeds the sizes of the pieces in which the rest arrives.
///
/// # Panics
///
/// If the frames depend on how their bytes arrive, or are sent differently.
pub fn check(data: &[u8]) {
    let Some((steps, stream)) = data.split_first() else { return };
    let expected = reference(stream);
    let mut reader = FrameReader::new(MAX_FRAME);
    let mut frames = Vec::new();
    let mut step = Steps(u64::from(*steps));
    let mut left = stream;
    let error = loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                frames.push(frame);
                continue;
            }
            Ok(None) => {}
            Err(error) => break Some(error),
        }
        if left.is_empty() {
            break None;
        }
        let spare = reader.spare();
        let count = step.next(left.len().min(spare.len()));
        let (now, later) = left.split_at(count);
        spare[..count].copy_from_slice(now);
        reader.advance(count);
        left = later;
    };
    assert_eq!((&frames, &error), (&expected.0, &expected.1));
    if error.is_none() {
        let whole: usize = frames.iter().map(|frame| 5 + frame.body.len()).sum();
        assert_eq!(reader.is_within_frame(), whole < stream.len());
        assert_eq!(sent(&frames, &mut step), stream[..whole]);
    }
}

/// Returns the frames of a stream, and the error after them, if any.
fn reference(mut stream: &[u8]) -> (Vec<Frame>, Option<FrameError>) {
    let mut frames = Vec::new();
    while let Some((length, rest)) = stream.split_first_chunk::<4>() {
        match u32::from_be_bytes(*length) as usize {
            0 => return (frames, Some(FrameError::Empty)),
            length if length > MAX_FRAME => {
                return (frames, Some(FrameError::TooLong { length, max: MAX_FRAME }));
            }
            length if length > rest.len() => break,
            length => {
                let (frame, behind) = rest.split_at(length);
                frames.push(Frame { code: frame[0], body: Blob::from(&frame[1..]) });
                stream = behind;
            }
        }
    }
    (frames, None)
}

/// Returns the bytes that arrive if these frames are sent a few bytes at a time.
fn sent(frames: &[Frame], step: &mut Steps) -> Vec<u8> {
    let mut buffer = WriteBuffer::new();
    for frame in frames {
        buffer.push_blob(frame.code, &frame.body, &[]).expect("it was read from a frame");
    }
    let mut sent = Vec::new();
    while !buffer.is_empty() {
        let mut slices = [IoSlice::new(&[]); 3];
        let used = buffer.slices(&mut slices);
        let ready: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.iter()).copied().collect();
        let count = step.next(ready.len());
        sent.extend_from_slice(&ready[..count]);
        buffer.consume(count);
    }
    sent
}

/// The number of bytes in each step, from one to all.
struct Steps(u64);

impl Steps {
    fn next(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = usize::try_from(self.0 >> 40).unwrap_or_default();
        let step = match self.0 >> 38 & 3 {
            0 => 1,
            1 => 1 + random % 16,
            2 => 1 + random % 5000,
            _ => most,
        };
        step.min(most)
    }
}
