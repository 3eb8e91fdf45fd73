//! buffa: owned messages, and borrowing views.

use std::hint::black_box;
use std::rc::Rc;

use buffa::{HasMessageView, SizeCache};

use super::{begin_frame, end_frame};
use crate::measure::{Case, Group};

/// Adds the measurements of a message and its view.
pub(crate) fn add<M: HasMessageView + 'static>(case: &mut Case) {
    let (body, code) = (case.body, case.code);
    let Some(message) = case.taken("buffa", M::decode_from_slice(body)) else { return };
    let message = Rc::new(message);
    case.compare("buffa", &message.encode_to_vec());

    let value = Rc::clone(&message);
    case.add(Group::EncodeNew, "buffa", move || drop(black_box(black_box(&*value).encode_to_vec())));
    let mut buffer = Vec::new();
    let mut sizes = SizeCache::new();
    case.add(Group::EncodeFrame, "buffa", move || {
        begin_frame(&mut buffer, code);
        black_box(&*message).encode_with_cache(&mut sizes, &mut buffer);
        end_frame(&mut buffer);
        black_box(&buffer);
    });
    case.add(Group::DecodeOwned, "buffa", move || drop(black_box(M::decode_from_slice(black_box(body)))));
    case.add(Group::DecodeBorrowed, "buffa-view", move || drop(black_box(M::decode_view(black_box(body)))));
}
