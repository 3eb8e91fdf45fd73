use riak_runtime::RiakMessage;

type Name = String;

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1, sint64)]
    name: Name,
}

fn main() {}
