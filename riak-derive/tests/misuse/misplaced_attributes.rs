use riak_runtime::RiakMessage;
use riak_runtime::wire::UnknownFields;

#[derive(Clone, Debug, RiakMessage)]
#[riak(oneof)]
enum Choice {
    #[riak(tag = 4)]
    Password(String),
    Number(#[riak(tag = 5, secret)] u32),
}

// What a member is decides which attributes it takes.
#[derive(Debug, Default, RiakMessage)]
struct Members {
    #[riak(oneof, tags(4, 5), secret, packed, default = 3)]
    choice: Option<Choice>,
    #[riak(skip, unknown)]
    unknown: UnknownFields,
    #[riak(skip, context, bucket_type, rename = "other")]
    skipped: Option<Vec<u8>>,
    #[riak(unknown, oneof, implicit)]
    kept: UnknownFields,
    #[riak(tag = 1, tags(1))]
    field: Option<u32>,
}

#[derive(Clone, Copy, Default, RiakMessage)]
#[riak(enum)]
enum Color {
    #[default]
    Red,
    #[riak(other, rename = "ANY")]
    Other(#[riak(other)] i32),
}

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 201, retry = "safe", bodyless)]
struct Request;

#[derive(Clone, RiakMessage)]
#[riak(frames)]
enum Frames {
    Request(#[riak(tag = 1)] Request),
}

fn main() {}
