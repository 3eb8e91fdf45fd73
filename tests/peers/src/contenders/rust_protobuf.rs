//! rust-protobuf: the crate `protobuf`, version 3.

use std::hint::black_box;
use std::rc::Rc;

use protobuf::Message;

use super::{begin_frame, end_frame};
use crate::measure::{Case, Group};

const NAME: &str = "rust-protobuf";

/// Adds the measurements of a message.
pub(crate) fn add<M: Message>(case: &mut Case) {
    let (body, code) = (case.body, case.code);
    let Some(message) = case.taken(NAME, M::parse_from_bytes(body)) else { return };
    let message = Rc::new(message);
    case.compare(NAME, &message.write_to_bytes().expect("it is complete"));

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, NAME, move || drop(black_box(black_box(&*value).write_to_bytes())));
    let mut buffer = Vec::new();
    case.add(Group::EncodeFrame, NAME, move || {
        begin_frame(&mut buffer, code);
        black_box(&*message).write_to_vec(&mut buffer).expect("it is complete");
        end_frame(&mut buffer);
        black_box(&buffer);
    });
    case.add(Group::DecodeOwned, NAME, move || drop(black_box(M::parse_from_bytes(black_box(body)))));
}
