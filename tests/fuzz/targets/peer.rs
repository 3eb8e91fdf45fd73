//! Arbitrary bytes, decoded as any message in both implementations: see
//! [`riak_agreement::agreement`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::agreement;

fuzz_target!(|data: &[u8]| agreement::check_bytes(data));
