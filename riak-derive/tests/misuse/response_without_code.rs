use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201)]
struct Answer;

#[derive(Default, RiakMessage)]
#[riak(response = Answer)]
struct NoCode;

#[derive(Default, RiakMessage)]
#[riak(code = 202, retry = "safe")]
struct NoResponse;

#[derive(Default, RiakMessage)]
#[riak(code = 256, response = Answer)]
struct LargeCode;

#[derive(Default, RiakMessage)]
#[riak(code = 203, response = Answer, retry = "save", cost = "expensive")]
struct Words;

#[derive(Default, RiakMessage)]
#[riak(code = 204, response = Answer, owned = Words)]
struct Owner;

#[derive(Default, RiakMessage)]
#[riak(code = 205, response = Answer)]
struct Borrower<'a> {
    #[riak(tag = 1)]
    key: &'a [u8],
}

fn main() {}
