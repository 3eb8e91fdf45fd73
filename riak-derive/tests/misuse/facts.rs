use std::borrow::Cow;

use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201)]
struct Answer;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 202, response = Answer, retry = "if_context")]
struct NoContext {
    #[riak(tag = 1, timeout)]
    timeout: Option<u32>,
    #[riak(tag = 2, timeout)]
    again: Option<u32>,
}

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 203, response = Answer, bodyless)]
struct Bodyless {
    #[riak(tag = 1)]
    name: String,
}

#[derive(Clone, Default, RiakMessage)]
struct Large {
    #[riak(tag = 1, default = 1e400)]
    double: Option<f64>,
    #[riak(tag = 2, default = 1e39)]
    float: Option<f32>,
}

#[derive(Default, RiakMessage)]
struct Forever {
    #[riak(tag = 1)]
    text: &'static str,
    #[riak(tag = 2)]
    bytes: Cow<'static, [u8]>,
}

#[derive(Default, RiakMessage)]
struct Keeps {
    #[riak(unknown)]
    unknown: Vec<u8>,
}

#[derive(Default, RiakMessage)]
struct Boxed {
    #[riak(tag = 1)]
    number: Option<Box<u32>>,
    #[riak(tag = 2, enum)]
    fault: Option<Box<Fault>>,
}

#[derive(Clone, Copy, Default, RiakMessage)]
#[riak(enum)]
enum Fault {
    #[default]
    One = 1 + 1,
}

// An error in an enum is reported at the enum only, not at its uses.
#[derive(Default, RiakMessage)]
struct Uses {
    #[riak(tag = 1, enum)]
    one: Option<Fault>,
    #[riak(tag = 2, enum)]
    many: Vec<Fault>,
}

fn main() {}
