//! Property: all ways to decode a message give the same result, within the memory limit.
//!
//! Invariant: messages are compared by the bytes that they are encoded to, so no
//! `PartialEq` implementation has to be trusted.

use riak_client::AnyMessage;
use riak_runtime::{
    Blob, Decode, DecodeError, DecodeErrorKind, DecodeLimits, Frame, Framed, Message, Owned, View,
    WriteBuffer,
};

use crate::heap;
use crate::kinds::{Body, KINDS};

/// The bytes that a decoded message is encoded to, or the error of decoding it.
pub type Reading = Result<Vec<u8>, DecodeError>;

/// Returns the maximum memory that decoding `len` bytes may hold at once.
///
/// This is what [`DecodeLimits`] allows for elements, twice because a growing vector is
/// copied, and eight more bytes for each byte of input. The latter are for copies of the
/// input, which a vector of unknown fields holds with up to twice the capacity, and once
/// more while it grows; and for the allocation around each copied value, the shortest of
/// which has 24 bytes.
#[must_use]
pub fn memory_limit(len: usize) -> usize {
    2 * (64 * 1024 + DecodeLimits::DEFAULT.expansion * len) + 8 * len
}

/// Decodes arbitrary bytes. The first byte selects the message type, and the rest are its bytes.
///
/// # Panics
///
/// If the ways to decode them differ, or one exceeds the memory limit, or the decoded
/// message does not round-trip.
pub fn check(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let kind = &KINDS[usize::from(*first) % KINDS.len()];
    let Ok(written) = kind.read(&Blob::from(bytes)) else { return };
    match kind.body {
        Body::Fields => {
            // Encoding may have reordered fields. Another round trip changes nothing.
            let again = kind.read(&Blob::from(written.as_slice()));
            assert_eq!(again.as_ref(), Ok(&written), "{} is not what it was written as", kind.name);
        }
        Body::Empty => assert!(written.is_empty(), "{} has no body", kind.name),
        Body::Raw => assert_eq!(written, bytes, "{} is bytes as they are", kind.name),
    }
}

/// Decodes a message in every way, and encodes it again.
pub(crate) fn read<M>(bytes: &Blob, code: Option<u8>) -> Reading
where
    M: Owned,
    for<'a> M::Ref<'a>: View<Owned = M>,
{
    let owned = measured("owned", bytes, || M::decode(bytes)).map(|message| message.encode_to_vec());
    let shared = measured("owned, from a blob", bytes, || M::decode_blob(bytes));
    let borrowed = measured("borrowed", bytes, || M::Ref::decode(bytes));
    let framed = measured("framed", bytes, || Framed::<M>::decode(bytes.clone()));
    assert_same(&owned, "made owned", borrowed.as_ref().map(|message| message.owned().encode_to_vec()));
    assert_same(&owned, "borrowed", borrowed.map(|message| message.encode_to_vec()));
    assert_same(&owned, "framed", framed.map(|message| message.get().encode_to_vec()));
    assert_same(&owned, "in a frame", shared.as_ref().map(|message| in_frame(code.unwrap_or(0), message)));
    assert_same(&owned, "owned, from a blob", shared.map(|message| message.encode_to_vec()));
    if let Some(code) = code {
        let any = measured("by code", bytes, || AnyMessage::decode(&Frame { code, body: bytes.clone() }));
        let written = any.map(|message| {
            let mut buffer = WriteBuffer::new();
            message.write_to(&mut buffer).expect("it is short");
            body(code, &buffer)
        });
        assert_same(&owned, "by code", written);
    }
    owned
}

/// Runs a decoder, and checks the memory that it used.
fn measured<T>(name: &str, bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let (decoded, peak) = heap::peak(decode);
    assert!(
        peak <= memory_limit(bytes.len()),
        "decoding {} bytes {name} took {peak} bytes, and {} are allowed",
        bytes.len(),
        memory_limit(bytes.len())
    );
    decoded
}

/// Returns the body of a message that was written into a frame, large values by reference.
fn in_frame(code: u8, message: &impl Message) -> Vec<u8> {
    let mut buffer = WriteBuffer::new();
    buffer.push(code, message).expect("it is short");
    assert_eq!(buffer.len(), buffer.to_vec().len());
    body(code, &buffer)
}

fn body(code: u8, buffer: &WriteBuffer) -> Vec<u8> {
    let bytes = buffer.to_vec();
    let (header, body) = bytes.split_at(5);
    let length = u32::try_from(body.len() + 1).expect("it is short");
    assert_eq!(header, [&length.to_be_bytes()[..], &[code]].concat());
    body.to_vec()
}

fn assert_same<E: std::borrow::Borrow<DecodeError>>(owned: &Reading, way: &str, other: Result<Vec<u8>, E>) {
    let other = other.map_err(|error| error.borrow().clone());
    // Elements differ in size between the forms, so only one of them may exceed its budget.
    let over_budget = |reading: &Reading| {
        reading.as_ref().is_err_and(|error| *error.kind() == DecodeErrorKind::TooManyElements)
    };
    assert!(
        *owned == other || over_budget(owned) || over_budget(&other),
        "two ways to read the same bytes differ: {owned:02x?} owned, and {other:02x?} {way}"
    );
}
