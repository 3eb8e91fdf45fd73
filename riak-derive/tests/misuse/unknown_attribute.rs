use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
#[riak(cod = 200, flavour = "vanilla")]
struct Message {
    #[riak(tga = 1)]
    first: u32,
    #[riak(tag = 2, sint46)]
    second: i64,
    #[riak(tag = 3, tag = 3)]
    third: i64,
    #[riak(tag = 4, required)]
    fourth: i64,
    #[riak]
    fifth: u32,
}

#[derive(Default, RiakMessage)]
struct ANumberAlone {
    #[riak(1)]
    queue: String,
}

fn main() {}
