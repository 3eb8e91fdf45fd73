//! The memory that decoding takes is at most a fixed multiple of its input.

use riak_agreement::{Body, KINDS, heap, hostile};
use riak_runtime::Blob;

#[global_allocator]
static HEAP: heap::CountingAllocator = heap::CountingAllocator;

/// Long enough for constant costs to be negligible.
const LEN: usize = 8_000;

/// [`riak_agreement::Kind::read`] checks the memory limit. Moreover, no message of Riak is
/// refused for its size.
#[test]
fn no_message_exceeds_the_memory_limit() {
    for kind in KINDS.iter().filter(|kind| kind.body == Body::Fields) {
        for input in hostile::inputs(kind, LEN) {
            assert!(input.len() <= LEN + 100, "{}", kind.name);
            let start = &input[..input.len().min(20)];
            if let Err(error) = kind.read(&Blob::from(input.as_slice())) {
                panic!("{error}: {start:02x?}… is refused");
            }
        }
    }
}
