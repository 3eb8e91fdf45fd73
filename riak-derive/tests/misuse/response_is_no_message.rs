use riak_runtime::RiakMessage;

#[derive(Default)]
struct Answer;

#[derive(Clone, Default, RiakMessage)]
struct NoCode;

#[derive(Default, RiakMessage)]
#[riak(code = 202, response = Answer)]
struct Struct;

#[derive(Default, RiakMessage)]
#[riak(code = 204, response = NoCode)]
struct Uncoded;

fn main() {}
