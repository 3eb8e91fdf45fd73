use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
struct Inner;

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(flatten)]
    inner: Inner,
    #[riak(skip, tag = 3)]
    skipped: u32,
    #[riak(unknown, sint64)]
    unknown: i64,
}

fn main() {}
