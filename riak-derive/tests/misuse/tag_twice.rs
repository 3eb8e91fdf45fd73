use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1)]
    first: u32,
    #[riak(tag = 1)]
    second: u32,
}

fn main() {}
