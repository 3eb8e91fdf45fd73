//! [`Frames`]: counts complete frames by their length prefixes, and does nothing else.
//!
//! The bare server and the bare client use it. Invariant: the buffer begins at the start of
//! a frame.

/// The size of the read buffer.
const BUFFER_LEN: usize = 256 * 1024;

pub(crate) struct Frames {
    buffer: Vec<u8>,
    filled: usize,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; BUFFER_LEN], filled: 0 }
    }

    /// Returns the free part of the buffer, where the next bytes go.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }

    /// Takes in `count` more bytes, and calls `each` with the code of every frame completed
    /// by them. Returns the number of these frames.
    pub(crate) fn take(&mut self, count: usize, mut each: impl FnMut(u8)) -> usize {
        self.filled += count;
        let (mut at, mut frames) = (0, 0);
        while let Some((header, _)) = self.buffer[at..self.filled].split_first_chunk::<5>() {
            let [length @ .., code] = *header;
            let end = at + 4 + u32::from_be_bytes(length) as usize;
            if end > self.filled {
                break;
            }
            each(code);
            frames += 1;
            at = end;
        }
        self.buffer.copy_within(at..self.filled, 0);
        self.filled -= at;
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_once_however_they_are_cut() {
        let stream: Vec<u8> = (0..50u8)
            .flat_map(|size| {
                let mut frame = (u32::from(size) + 1).to_be_bytes().to_vec();
                frame.resize(5 + usize::from(size), 7);
                frame
            })
            .collect();
        for piece in [1, 3, 7, 100, 5000] {
            let mut frames = Frames::new();
            let mut counted = 0;
            for bytes in stream.chunks(piece) {
                frames.spare()[..bytes.len()].copy_from_slice(bytes);
                counted += frames.take(bytes.len(), |code| assert_eq!(code, 7));
            }
            assert_eq!((counted, frames.filled), (50, 0));
        }
    }
}
