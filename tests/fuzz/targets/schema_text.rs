//! Arbitrary text as a schema: see [`riak_agreement::generating`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::generating;

fuzz_target!(|data: &[u8]| generating::check_text(data));
