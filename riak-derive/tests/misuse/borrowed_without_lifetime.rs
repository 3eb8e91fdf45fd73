use std::borrow::Cow;

use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1)]
    key: &[u8],
    #[riak(tag = 2)]
    name: Option<&str>,
    #[riak(tag = 3)]
    value: Cow<[u8]>,
}

fn main() {}
