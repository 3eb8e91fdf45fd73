//! The contenders: how each encodes and decodes a message.
//!
//! Invariant: each decodes its value from the bytes of the case, so that all hold the same
//! value, and is measured through its documented interface with its defaults.

pub(crate) mod buffa;
#[cfg(feature = "google")]
pub(crate) mod google;
pub(crate) mod prost;
pub(crate) mod quick_protobuf;
pub(crate) mod riak;
pub(crate) mod rust_protobuf;

/// The length of a frame's header: length and code.
const HEADER: usize = 5;

/// Starts a frame with a placeholder for its length, and its code.
fn begin_frame(buffer: &mut Vec<u8>, code: u8) {
    buffer.clear();
    buffer.extend_from_slice(&[0, 0, 0, 0, code]);
}

/// Fills in the length of the frame, which includes the code.
fn end_frame(buffer: &mut [u8]) {
    let len = u32::try_from(buffer.len() - HEADER + 1).expect("no case is near 4 GiB");
    buffer[..4].copy_from_slice(&len.to_be_bytes());
}

/// Adds every contender to a case, each with its generated type of the message.
macro_rules! contend {
    ($case:expr, $schema:ident, $message:ident) => {{
        let case: &mut $crate::measure::Case = $case;
        $crate::contenders::riak::add::<$crate::generated::riak::$schema::$message>(case);
        $crate::contenders::riak::add_derived::<$crate::generated::derived::$schema::$message>(case);
        $crate::contenders::prost::add::<$crate::generated::prost::$schema::$message>(case);
        $crate::contenders::prost::add_bytes::<$crate::generated::prost_bytes::$schema::$message>(case);
        $crate::contenders::rust_protobuf::add::<$crate::generated::rust_protobuf::$schema::$message>(case);
        $crate::contenders::quick_protobuf::add::<$crate::generated::quick_protobuf::$schema::$message>(case);
        $crate::contenders::buffa::add::<$crate::generated::buffa::$schema::$message>(case);
        #[cfg(feature = "google")]
        $crate::contenders::google::add::<$crate::generated::google::$schema::$message>(case);
    }};
}
pub(crate) use contend;
