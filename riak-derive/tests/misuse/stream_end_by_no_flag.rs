use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201)]
struct Answer {
    #[riak(tag = 1)]
    done: Option<bool>,
}

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 203)]
struct NoFlag;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 202, response = Answer, stream, done = "finished")]
struct Misspelled;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 204, response = NoFlag, stream, done = "done")]
struct Flagless;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 205, response = Answer, stream, done = 2)]
struct Misnumbered;

fn main() {}
