//! This project: owned and borrowed messages, and views that own their frame.

use std::hint::black_box;
use std::rc::Rc;

use riak_runtime::{Blob, Decode, Framed, Owned, WriteBuffer};

use crate::measure::{Case, Group};

/// Adds what is measured of an owned message and its borrowed form.
pub(crate) fn add<M: Owned>(case: &mut Case) {
    let (body, code) = (case.body, case.code);
    let shared = Blob::from(body.to_vec());
    let message = Rc::new(M::decode_blob(&shared).expect("the case was encoded by this project"));
    case.compare("riak", &message.encode_to_vec());

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, "riak", move || drop(black_box(black_box(&*value).encode_to_vec())));
    let mut frame = WriteBuffer::new();
    case.add(Group::EncodeFrame, "riak", move || {
        frame.push(code, black_box(&*message)).expect("no case is near 4 GiB");
        black_box(&frame);
        frame.consume(frame.len());
    });
    let blob = shared.clone();
    case.add(Group::DecodeOwned, "riak", move || drop(black_box(M::decode_blob(black_box(&blob)))));
    case.add(Group::DecodeBorrowed, "riak", move || drop(black_box(M::Ref::decode(black_box(body)))));
    case.add(Group::DecodeBorrowed, "riak-framed", move || {
        drop(black_box(Framed::<M>::decode(black_box(&shared).clone())));
    });
}
