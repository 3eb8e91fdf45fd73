//! What decoding takes in memory is a stated multiple of its input, at worst.

use riak_agreement::{Body, KINDS, heap, hostile};
use riak_runtime::Blob;

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// Long enough for what does not grow with it to be of no weight.
const LEN: usize = 8_000;

/// [`riak_agreement::Kind::read`] looks at the memory that each way takes; and
/// nothing that Riak's messages can hold is refused for its size.
#[test]
fn no_message_takes_more_memory_than_it_may() {
    for kind in KINDS.iter().filter(|kind| kind.body == Body::Fields) {
        for input in hostile::inputs(kind, LEN) {
            assert!(input.len() <= LEN + 100, "{}", kind.name);
            let begins = &input[..input.len().min(20)];
            if let Err(error) = kind.read(&Blob::from(input.as_slice())) {
                panic!("{error}: {begins:02x?}… is refused");
            }
        }
    }
}
