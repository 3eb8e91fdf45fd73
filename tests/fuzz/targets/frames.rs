//! Arbitrary bytes as a stream of frames: see [`riak_agreement::frames`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::frames;

fuzz_target!(|data: &[u8]| frames::check(data));
