use riak_runtime::RiakMessage;

#[derive(Clone, Default, RiakMessage)]
#[riak(code = 240, borrowed = WordRef)]
struct Word {
    #[riak(tag = 1)]
    text: Option<String>,
    #[riak(tag = 2, sint64)]
    number: Option<i64>,
    #[riak(tag = 3)]
    depth: Option<u32>,
    #[riak(tag = 5, default = 7)]
    default: Option<u32>,
    #[riak(oneof, tags(6, 7))]
    choice: Option<Choice>,
}

#[derive(Default, RiakMessage)]
#[riak(code = 241, owned = Word)]
struct WordRef<'a> {
    #[riak(tag = 4)]
    text: Option<&'a str>,
    #[riak(tag = 2)]
    number: Option<i64>,
    #[riak(skip)]
    depth: Option<u32>,
    #[riak(tag = 5, default = 8)]
    default: Option<u32>,
    #[riak(oneof, tags(6, 7))]
    choice: Option<ChoiceRef<'a>>,
}

#[derive(Clone, RiakMessage)]
#[riak(oneof)]
enum Choice {
    #[riak(tag = 6)]
    One(String),
    #[riak(tag = 7)]
    Two(String),
}

#[derive(RiakMessage)]
#[riak(oneof, owned = Choice)]
enum ChoiceRef<'a> {
    #[riak(tag = 7)]
    One(&'a str),
    #[riak(tag = 6)]
    Two(&'a str),
}

#[derive(Clone, Default, RiakMessage)]
#[riak(borrowed = LessRef)]
struct Less {
    #[riak(skip)]
    text: String,
}

#[derive(Default, RiakMessage)]
#[riak(owned = Less)]
struct LessRef<'a> {
    #[riak(tag = 4)]
    text: &'a str,
}

fn main() {}
