//! Arbitrary bytes, decoded as any message: see [`riak_agreement::decoding`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::{decoding, heap};

#[global_allocator]
static HEAP: heap::CountingAllocator = heap::CountingAllocator;

fuzz_target!(|data: &[u8]| decoding::check(data));
