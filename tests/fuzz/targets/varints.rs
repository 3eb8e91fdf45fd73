//! Arbitrary bytes as varints and tags: see [`riak_agreement::varints`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::varints;

fuzz_target!(|data: &[u8]| varints::check(data));
