use riak_runtime::RiakMessage;

#[derive(Clone, RiakMessage)]
#[riak(oneof)]
enum Choice {
    #[riak(tag = 1)]
    Number(u32),
    #[riak(tag = 2)]
    Text(String),
}

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(oneof, tags(1, 3))]
    choice: Option<Choice>,
}

fn main() {}
