//! Any bytes as any message: see [`riak_agreement::decoding`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::{decoding, heap};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

fuzz_target!(|data: &[u8]| decoding::check(data));
