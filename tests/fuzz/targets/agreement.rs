//! Random messages, compared with an independent implementation: see [`riak_agreement::agreement`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use riak_agreement::agreement;

fuzz_target!(|data: &[u8]| agreement::check(data));
