//! All ways to decode a message give the same one, within the memory that they
//! may take.
//!
//! Invariant: what is compared are the bytes that each way's message is written
//! as, so that no comparison of ours has to be trusted.

use riak_client::AnyMessage;
use riak_runtime::{
    Blob, Decode, DecodeError, DecodeErrorKind, DecodeLimits, Frame, Framed, Message, Owned, View,
    WriteBuffer,
};

use crate::heap;
use crate::kinds::{Body, KINDS};

/// The bytes that a message is written as, or why its bytes are none.
pub type Reading = Result<Vec<u8>, DecodeError>;

/// The most that decoding `len` bytes may hold at once.
///
/// What [`DecodeLimits`] allows for elements, twice while a vector moves; and
/// for each byte of the input eight more: its copies, of which a vector of
/// unknown fields has twice as many and once more while it moves, and the block
/// around each copied value, of which the shortest has 24 bytes.
#[must_use]
pub fn allowed(len: usize) -> usize {
    2 * (64 * 1024 + DecodeLimits::DEFAULT.expansion * len) + 8 * len
}

/// Takes the first byte for a message of the schema, and the rest for its
/// bytes.
///
/// # Panics
///
/// If the ways to decode them differ, or one takes more memory than it may, or
/// what was decoded is written as something else.
pub fn check(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let kind = &KINDS[usize::from(*first) % KINDS.len()];
    let Ok(written) = kind.read(&Blob::from(bytes)) else { return };
    match kind.body {
        Body::Fields => {
            // Fields have moved, and nothing else: read again, it is the same.
            let again = kind.read(&Blob::from(written.as_slice()));
            assert_eq!(again.as_ref(), Ok(&written), "{} is not what it was written as", kind.name);
        }
        Body::Empty => assert!(written.is_empty(), "{} has no body", kind.name),
        Body::Raw => assert_eq!(written, bytes, "{} is bytes as they are", kind.name),
    }
}

/// Decodes a message in every way and encodes it again.
pub(crate) fn read<M>(bytes: &Blob, code: Option<u8>) -> Reading
where
    M: Owned,
    for<'a> M::Ref<'a>: View<Owned = M>,
{
    let owned = way("owned", bytes, || M::decode(bytes)).map(|message| message.encode_to_vec());
    let shared = way("owned, from a blob", bytes, || M::decode_blob(bytes));
    let borrowed = way("borrowed", bytes, || M::Ref::decode(bytes));
    let framed = way("framed", bytes, || Framed::<M>::decode(bytes.clone()));
    same(&owned, "made owned", borrowed.as_ref().map(|message| message.owned().encode_to_vec()));
    same(&owned, "borrowed", borrowed.map(|message| message.encode_to_vec()));
    same(&owned, "framed", framed.map(|message| message.get().encode_to_vec()));
    same(&owned, "in a frame", shared.as_ref().map(|message| in_frame(code.unwrap_or(0), message)));
    same(&owned, "owned, from a blob", shared.map(|message| message.encode_to_vec()));
    if let Some(code) = code {
        let any = way("by code", bytes, || AnyMessage::decode(&Frame { code, body: bytes.clone() }));
        let written = any.map(|message| {
            let mut buffer = WriteBuffer::new();
            message.write_to(&mut buffer).expect("it is short");
            body(code, &buffer)
        });
        same(&owned, "by code", written);
    }
    owned
}

/// Decodes, and looks at the memory that it took.
fn way<T>(name: &str, bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let (decoded, peak) = heap::peak(decode);
    assert!(
        peak <= allowed(bytes.len()),
        "decoding {} bytes {name} took {peak} bytes, and {} are allowed",
        bytes.len(),
        allowed(bytes.len())
    );
    decoded
}

/// The body of a message written into a frame, large values by reference.
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

fn same<E: std::borrow::Borrow<DecodeError>>(owned: &Reading, way: &str, other: Result<Vec<u8>, E>) {
    let other = other.map_err(|error| error.borrow().clone());
    // Elements of the forms differ in size, and so does what each may hold.
    let over_budget = |reading: &Reading| {
        reading.as_ref().is_err_and(|error| *error.kind() == DecodeErrorKind::TooManyElements)
    };
    assert!(
        *owned == other || over_budget(owned) || over_budget(&other),
        "two ways to read the same bytes differ: {owned:02x?} owned, and {other:02x?} {way}"
    );
}
