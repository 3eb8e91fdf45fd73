use riak_runtime::RiakMessage;

#[derive(RiakMessage)]
enum Kindless {
    One,
}

#[derive(Default, RiakMessage)]
#[riak(enum)]
struct Struct;

#[derive(Clone, Copy, RiakMessage)]
union Union {
    number: u32,
}

#[derive(RiakMessage)]
#[riak(enum)]
enum Fields {
    One(u32),
    Two = 1 + 1,
    #[riak(other)]
    Other(u32),
}

#[derive(RiakMessage)]
#[riak(enum, tag = 3)]
enum Empty {}

fn main() {}
