//! prost, with `Vec<u8>` and with `Bytes` for bytes fields.

use std::hint::black_box;
use std::rc::Rc;

use bytes::Bytes;
use prost::Message;

use super::{begin_frame, end_frame};
use crate::measure::{Case, Group};

/// Adds the measurements of a message whose bytes fields are `Vec<u8>`.
pub(crate) fn add<M: Message + Default + 'static>(case: &mut Case) {
    let (body, code) = (case.body, case.code);
    let Some(message) = case.taken("prost", M::decode(body)) else { return };
    let message = Rc::new(message);
    case.compare("prost", &message.encode_to_vec());

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, "prost", move || drop(black_box(black_box(&*value).encode_to_vec())));
    let mut buffer = Vec::new();
    case.add(Group::EncodeFrame, "prost", move || {
        begin_frame(&mut buffer, code);
        black_box(&*message).encode(&mut buffer).expect("a Vec grows");
        end_frame(&mut buffer);
        black_box(&buffer);
    });
    case.add(Group::DecodeOwned, "prost", move || drop(black_box(M::decode(black_box(body)))));
}

/// Adds the measurements of a message whose bytes fields are `Bytes`: slices of the buffer
/// that they were decoded from.
pub(crate) fn add_bytes<M: Message + Default + 'static>(case: &mut Case) {
    let code = case.code;
    let shared = Bytes::from(case.body.to_vec());
    let Some(message) = case.taken("prost-bytes", M::decode(shared.clone())) else { return };
    let message = Rc::new(message);
    case.compare("prost-bytes", &message.encode_to_vec());

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, "prost-bytes", move || drop(black_box(black_box(&*value).encode_to_vec())));
    let mut buffer = Vec::new();
    case.add(Group::EncodeFrame, "prost-bytes", move || {
        begin_frame(&mut buffer, code);
        black_box(&*message).encode(&mut buffer).expect("a Vec grows");
        end_frame(&mut buffer);
        black_box(&buffer);
    });
    case.add(Group::DecodeOwned, "prost-bytes", move || {
        drop(black_box(M::decode(black_box(&shared).clone())));
    });
}
