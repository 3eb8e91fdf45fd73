use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201)]
struct First;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201)]
struct Second;

#[derive(RiakMessage)]
#[riak(frames)]
enum Any {
    First(First),
    Second(Second),
}

fn main() {}
