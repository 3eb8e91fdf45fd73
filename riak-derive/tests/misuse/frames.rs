use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
struct NoCode;

#[derive(RiakMessage)]
#[riak(frames)]
enum Uncoded {
    NoCode(NoCode),
}

fn main() {}
