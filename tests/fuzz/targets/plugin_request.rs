//! Arbitrary bytes as a plugin request from `protoc`: see [`riak_agreement::generating`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::generating;

fuzz_target!(|data: &[u8]| generating::check_request(data));
