use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
#[riak(code = 200, response = u32)]
struct Number;

fn main() {}
