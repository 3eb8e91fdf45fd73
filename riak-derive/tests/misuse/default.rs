use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1, default = 5)]
    required: u32,
    #[riak(tag = 2, default = "five")]
    number: Option<u32>,
    #[riak(tag = 3, default = -1)]
    negative: Option<u32>,
    #[riak(tag = 4, default = 1)]
    text: Option<String>,
    #[riak(tag = 5, default = "")]
    message: Option<Other>,
    #[riak(tag = 6, default)]
    none: Option<u32>,
}

#[derive(Clone, Default, RiakMessage)]
struct Other;

fn main() {}
