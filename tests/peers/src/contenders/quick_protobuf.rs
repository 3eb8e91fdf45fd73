//! quick-protobuf: borrowed values in `Cow`.

use std::hint::black_box;
use std::rc::Rc;

use quick_protobuf::{BytesReader, MessageRead, MessageWrite, Writer};

use super::{begin_frame, end_frame};
use crate::measure::{Case, Group};

const NAME: &str = "quick-protobuf";

/// Adds the measurements of a message.
pub(crate) fn add<M: MessageRead<'static> + MessageWrite + 'static>(case: &mut Case) {
    let (body, code) = (case.body, case.code);
    let Some(message) = case.taken(NAME, decode::<M>(body)) else { return };
    let message = Rc::new(message);
    case.compare(NAME, &encode(&*message));

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, NAME, move || drop(black_box(encode(black_box(&*value)))));
    let mut buffer = Vec::new();
    case.add(Group::EncodeFrame, NAME, move || {
        begin_frame(&mut buffer, code);
        black_box(&*message).write_message(&mut Writer::new(&mut buffer)).expect("a Vec grows");
        end_frame(&mut buffer);
        black_box(&buffer);
    });
    case.add(Group::DecodeBorrowed, NAME, move || drop(black_box(decode::<M>(black_box(body)))));
}

/// Encodes without the length prefix that the crate's `serialize_into_vec` adds.
fn encode<M: MessageWrite>(message: &M) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(message.get_size());
    message.write_message(&mut Writer::new(&mut buffer)).expect("a Vec grows");
    buffer
}

/// Decodes without the length prefix that the crate's `deserialize_from_slice` expects.
fn decode<M: MessageRead<'static>>(body: &'static [u8]) -> quick_protobuf::Result<M> {
    M::from_reader(&mut BytesReader::from_bytes(body), body)
}
