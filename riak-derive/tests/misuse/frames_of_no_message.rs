use riak_runtime::RiakMessage;

#[derive(RiakMessage)]
#[riak(frames)]
enum Units {
    Unit,
    #[riak(tag = 1)]
    Tagged(u32),
}

#[derive(RiakMessage)]
#[riak(frames)]
enum Empty {}

fn main() {}
