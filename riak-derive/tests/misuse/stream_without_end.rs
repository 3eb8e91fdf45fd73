use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201)]
struct Answer {
    #[riak(tag = 1)]
    done: Option<bool>,
}

#[derive(Default, RiakMessage)]
#[riak(code = 202, response = Answer, stream)]
struct Endless;

#[derive(Default, RiakMessage)]
#[riak(code = 204, response = Answer, done = "done")]
struct NoStream;

#[derive(Default, RiakMessage)]
#[riak(code = 206, response = Answer, stream_if = "many", done = "done")]
struct NoSwitch;

fn main() {}
