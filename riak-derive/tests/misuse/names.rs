use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
struct Twice {
    #[riak(tag = 1)]
    name: Option<u32>,
    #[riak(tag = 2, rename = "name")]
    other: Option<u32>,
    #[riak(tag = 3, rename = "two words")]
    words: Option<u32>,
}

#[derive(Default, RiakMessage)]
#[riak(rename = "shop..Price")]
struct Dots;

#[derive(Default, RiakMessage)]
#[riak(reserved(5, 3..=7))]
struct Overlap;

#[derive(Default, RiakMessage)]
#[riak(reserved("r#type"))]
struct NoName;

#[derive(Default, RiakMessage)]
#[riak(reserved(20..))]
struct NoEnd;

#[derive(Clone, RiakMessage)]
#[riak(oneof)]
enum Untagged {
    Number(u32),
}

fn main() {}
