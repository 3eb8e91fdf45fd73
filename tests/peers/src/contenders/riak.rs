//! This project: owned and borrowed messages, and views that own their frame, each with
//! generated and with derived types.

use std::hint::black_box;
use std::rc::Rc;

use riak_runtime::{Blob, Decode, Framed, Owned, WriteBuffer};

use crate::measure::{Case, Group};

/// The contender names of one kind of types.
struct Names {
    plain: &'static str,
    framed: &'static str,
}

/// Adds the measurements of a generated message and its borrowed form.
pub(crate) fn add<M: Owned>(case: &mut Case) {
    add_named::<M>(case, &Names { plain: "riak", framed: "riak-framed" });
}

/// Adds the measurements of a derived message and its borrowed form.
pub(crate) fn add_derived<M: Owned>(case: &mut Case) {
    add_named::<M>(case, &Names { plain: "riak-derived", framed: "riak-derived-framed" });
}

fn add_named<M: Owned>(case: &mut Case, names: &Names) {
    let (body, code) = (case.body, case.code);
    let shared = Blob::from(body.to_vec());
    let message = Rc::new(M::decode_blob(&shared).expect("the case was encoded by this project"));
    case.compare(names.plain, &message.encode_to_vec());

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, names.plain, move || drop(black_box(black_box(&*value).encode_to_vec())));
    let mut frame = WriteBuffer::new();
    case.add(Group::EncodeFrame, names.plain, move || {
        frame.push(code, black_box(&*message)).expect("no case is near 4 GiB");
        black_box(&frame);
        frame.consume(frame.len());
    });
    let blob = shared.clone();
    case.add(Group::DecodeOwned, names.plain, move || drop(black_box(M::decode_blob(black_box(&blob)))));
    case.add(Group::DecodeBorrowed, names.plain, move || drop(black_box(M::Ref::decode(black_box(body)))));
    case.add(Group::DecodeBorrowed, names.framed, move || {
        drop(black_box(Framed::<M>::decode(black_box(&shared).clone())));
    });
}
