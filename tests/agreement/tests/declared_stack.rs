//! The stack of an ordinary thread suffices for messages that nest as deep as the limit allows,
//! even without optimisation, and however many members the oneof has that they nest in.

use std::thread;

use riak_runtime::{Blob, Decode, DecodeErrorKind, DecodeLimits, RiakMessage};

/// The stack that Rust gives a thread unless told otherwise, in bytes.
const STACK: usize = 2 * 1024 * 1024;

#[derive(Debug, Default, PartialEq, RiakMessage)]
struct Layer {
    #[riak(oneof, tags(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))]
    kind: Option<Kind>,
}

/// A oneof whose members are large messages.
#[derive(Debug, PartialEq, RiakMessage)]
#[riak(oneof)]
enum Kind {
    #[riak(tag = 1)]
    Nested(Box<Layer>),
    #[riak(tag = 2)]
    Second(Large),
    #[riak(tag = 3)]
    Third(Large),
    #[riak(tag = 4)]
    Fourth(Large),
    #[riak(tag = 5)]
    Fifth(Large),
    #[riak(tag = 6)]
    Sixth(Large),
    #[riak(tag = 7)]
    Seventh(Large),
    #[riak(tag = 8)]
    Eighth(Large),
    #[riak(tag = 9)]
    Ninth(Large),
    #[riak(tag = 10)]
    Tenth(Large),
    #[riak(tag = 11)]
    Eleventh(Large),
    #[riak(tag = 12)]
    Twelfth(Large),
    #[riak(tag = 13)]
    Thirteenth(Large),
    #[riak(tag = 14)]
    Fourteenth(Large),
    #[riak(tag = 15)]
    Fifteenth(Large),
    #[riak(tag = 16)]
    Sixteenth(Large),
}

/// A message that takes 480 bytes even if it is empty.
#[derive(Debug, Default, PartialEq, RiakMessage)]
struct Large {
    #[riak(tag = 1)]
    first: Quarter,
    #[riak(tag = 2)]
    second: Quarter,
    #[riak(tag = 3)]
    third: Quarter,
    #[riak(tag = 4)]
    fourth: Quarter,
}

#[derive(Debug, Default, PartialEq, RiakMessage)]
struct Quarter {
    #[riak(tag = 1)]
    first: Blob,
    #[riak(tag = 2)]
    second: Blob,
    #[riak(tag = 3)]
    third: Blob,
    #[riak(tag = 4)]
    fourth: Blob,
    #[riak(tag = 5)]
    fifth: Blob,
}

/// Returns a layer with this many layers nested in it.
fn nested(levels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..levels {
        let mut len = u32::try_from(bytes.len()).unwrap();
        let mut outer = vec![0x0a];
        while len >= 0x80 {
            outer.push(len.to_le_bytes()[0] | 0x80);
            len >>= 7;
        }
        outer.push(len.to_le_bytes()[0]);
        outer.append(&mut bytes);
        bytes = outer;
    }
    bytes
}

#[test]
fn members_of_a_oneof_share_the_stack() {
    let decode = |levels| {
        let limits = DecodeLimits::new().expansion(4096);
        Layer::decode_within(&nested(levels), &limits).map(drop).map_err(|error| error.kind().clone())
    };
    let deepest = usize::try_from(DecodeLimits::DEFAULT.depth).unwrap();
    let thread = thread::Builder::new().stack_size(STACK);
    let decoding = thread.spawn(move || (decode(deepest - 1), decode(deepest + 1))).unwrap();
    let (allowed, too_deep) = decoding.join().unwrap();
    assert_eq!(allowed, Ok(()));
    assert_eq!(too_deep, Err(DecodeErrorKind::TooDeep));
}
