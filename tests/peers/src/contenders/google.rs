//! Google's protobuf 4 with its upb kernel.

use std::hint::black_box;
use std::rc::Rc;

use google_peer::{Parse, Serialize};

use super::{begin_frame, end_frame};
use crate::measure::{Case, Group};

const NAME: &str = "google-v4";

/// Adds the measurements of a message. The crate only encodes to buffers of its own, so a
/// frame needs a copy.
pub(crate) fn add<M: Parse + Serialize + 'static>(case: &mut Case) {
    let (body, code) = (case.body, case.code);
    let Some(message) = case.taken(NAME, M::parse(body)) else { return };
    let message = Rc::new(message);
    case.compare(NAME, &message.serialize().expect("it is complete"));

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, NAME, move || drop(black_box(black_box(&*value).serialize())));
    let mut buffer = Vec::new();
    case.add(Group::EncodeFrame, NAME, move || {
        begin_frame(&mut buffer, code);
        buffer.extend_from_slice(&black_box(&*message).serialize().expect("it is complete"));
        end_frame(&mut buffer);
        black_box(&buffer);
    });
    case.add(Group::DecodeOwned, NAME, move || drop(black_box(M::parse(black_box(body)))));
}
