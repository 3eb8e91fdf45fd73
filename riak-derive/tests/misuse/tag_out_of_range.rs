use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
#[riak(reserved(4, 8..=10, "old"))]
struct Message {
    #[riak(tag = 0)]
    zero: u32,
    #[riak(tag = 19000)]
    own: u32,
    #[riak(tag = 19999)]
    own_too: u32,
    #[riak(tag = 536870912)]
    high: u32,
    #[riak(tag = 4)]
    reserved: u32,
    #[riak(tag = 9)]
    in_range: u32,
    #[riak(tag = 1)]
    old: u32,
    #[riak(tag = "2")]
    text: u32,
    none: u32,
}

#[derive(Default, RiakMessage)]
#[riak(reserved(0, 7..=5))]
struct Ranges;

fn main() {}
