//! Frames in buffers that are sent in parts.
//!
//! Invariant: the output is compared with a plain copy of the input.

use super::*;
use crate::wire::{Bytes, Writes, put_message};

struct Value(Blob);

impl Message for Value {
    const NAME: &'static str = "Value";

    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        Bytes::put(0x0a, &self.0, out)
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes under Miri")]
fn a_buffer_that_is_never_empty_does_not_grow_for_ever() {
    let mut buffer = WriteBuffer::new();
    let value = Value(Blob::from(vec![1; 1000]));
    buffer.push(7, &value).unwrap();
    for _ in 0..10_000 {
        buffer.push(7, &value).unwrap();
        buffer.consume(buffer.len() / 2);
    }
    assert!(buffer.output.buffer.capacity() < 8 * MAX_IDLE_CAPACITY, "{}", buffer.output.buffer.capacity());
    assert_eq!(buffer.to_vec().len(), buffer.len());
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes under Miri")]
fn what_is_sent_piecewise_is_what_was_pushed() {
    let mut buffer = WriteBuffer::new();
    let mut expected = Vec::new();
    for len in [0usize, 10, 20_000, 30_000, 5, 16_384, 16_383] {
        let value = Value(Blob::from(vec![len as u8; len]));
        buffer.push_with(7, &value, &[0x10, 1]).unwrap();
        let body = value.encode_to_vec();
        expected.extend((body.len() as u32 + 3).to_be_bytes());
        expected.push(7);
        expected.extend(&body);
        expected.extend([0x10, 1]);
    }
    assert_eq!(buffer.to_vec(), expected);
    let (mut sent, mut step) = (Vec::new(), 1);
    while !buffer.is_empty() {
        assert_eq!(buffer.len(), expected.len() - sent.len());
        let mut slices = [IoSlice::new(&[]); 3];
        let used = buffer.slices(&mut slices);
        let bytes: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.iter()).copied().collect();
        let count = step.min(bytes.len());
        sent.extend_from_slice(&bytes[..count]);
        buffer.consume(count);
        step = step * 3 + 1;
    }
    assert!(sent == expected);
}

#[test]
fn bodies_and_buffers_are_appended_as_they_are() {
    let mut expected = WriteBuffer::new();
    let mut buffer = WriteBuffer::new();
    for len in [3, 40_000, 0] {
        let body = Blob::from(vec![9; len]);
        let mut other = WriteBuffer::new();
        other.push_blob(1, &body, &[0x10, 0]).unwrap();
        other.push_body(2, &body).unwrap();
        buffer.append(other);
        expected.push_body(1, &[&body[..], &[0x10, 0]].concat()).unwrap();
        expected.push_body(2, &body).unwrap();
    }
    assert_eq!(buffer.to_vec(), expected.to_vec());
    assert_eq!(buffer.len(), expected.len());
}

/// Several values, which may share their memory: long on the wire, and short in memory.
struct Values(Vec<Blob>);

impl Message for Values {
    const NAME: &'static str = "Values";

    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        self.0.iter().fold(out, |out, value| Bytes::put(0x0a, value, out))
    }
}

/// Pushes a message with large values, and checks that the buffer has `before`, all of the
/// message and nothing else.
fn push_and_check(mut buffer: WriteBuffer, before: &[u8]) {
    let message = Values(vec![Blob::from(vec![7; 20_000]); 2]);
    buffer.push(3, &message).unwrap();
    let body = message.encode_to_vec();
    let header = (body.len() as u32 + 1).to_be_bytes();
    assert!(buffer.to_vec() == [before, &header, &[3], &body].concat());
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes under Miri")]
fn a_message_beyond_what_a_length_can_say_is_never_sent() {
    let value = Blob::from(vec![0; 64 * 1024 * 1024]);
    for count in [32, 64, 100] {
        let mut buffer = WriteBuffer::new();
        let message = Values(vec![value.clone(); count]);
        let max = crate::message::MAX_LEN;
        let length = count * (64 * 1024 * 1024 + 5) + 1;
        assert_eq!(buffer.push(7, &message), Err(FrameError::TooLong { length, max }));
        push_and_check(buffer, &[]);
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes under Miri")]
fn a_frame_is_as_long_as_its_length_field_can_say_and_no_longer() {
    let value = Blob::from(vec![0; 64 * 1024 * 1024]);
    // Each value has a tag of one byte and a length of four.
    let left = MAX_BODY - 31 * (value.len() + 5) - 5;
    for (last, accepted) in [(left - 1, true), (left, true), (left + 1, false)] {
        let mut values = vec![value.clone(); 31];
        values.push(value.slice(..last));
        let mut buffer = WriteBuffer::new();
        assert_eq!(buffer.push(7, &Values(values)).is_ok(), accepted, "{last}");
        assert_eq!(buffer.len(), if accepted { 5 + MAX_BODY - left + last } else { 0 });
        if last == left {
            let mut slices = [IoSlice::new(&[])];
            buffer.slices(&mut slices);
            assert_eq!(slices[0][..5], [0x7f, 0xff, 0xff, 0xff, 7]);
        }
    }
}

struct Panics;

impl Message for Panics {
    const NAME: &'static str = "Panics";

    fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
        // A message whose length takes two bytes, and a value that is not copied.
        let out = put_message(0x12, &Value(Blob::from(vec![0; 200])), out);
        let _ = Bytes::put(0x0a, &Blob::from(vec![0; 20_000]), out);
        panic!("as it should")
    }
}

#[test]
fn a_message_that_panics_leaves_nothing_behind() {
    let mut buffer = WriteBuffer::new();
    buffer.push_body(1, b"a").unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = buffer.push(2, &Panics);
    }));
    assert!(panicked.is_err());
    push_and_check(buffer, &[0, 0, 0, 2, 1, b'a']);
}
