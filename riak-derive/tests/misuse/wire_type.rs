use std::collections::BTreeMap;

use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1, sint64)]
    text: String,
    #[riak(tag = 2, sint64)]
    small: i32,
    #[riak(tag = 3, fixed32, uint32)]
    both: u32,
    #[riak(tag = 4)]
    byte: u8,
    #[riak(tag = 5)]
    size: Option<usize>,
    #[riak(tag = 6)]
    array: [u8; 16],
    #[riak(tag = 7)]
    twice: Vec<Option<u32>>,
    #[riak(tag = 8)]
    floats: BTreeMap<u32, Vec<u32>>,
    #[riak(tag = 9)]
    keys: BTreeMap<Vec<u8>, u32>,
    #[riak(tag = 10, key = fixed64)]
    wrong_key: BTreeMap<u32, u32>,
    #[riak(tag = 11, packed)]
    packed: Vec<String>,
    #[riak(tag = 12, implicit)]
    implicit: Option<u32>,
    #[riak(tag = 13)]
    pair: (u32, u32),
    #[riak(tag = 14)]
    set: std::collections::HashSet<u32>,
    #[riak(tag = 15)]
    boxed: Box<u32>,
}

fn main() {}
