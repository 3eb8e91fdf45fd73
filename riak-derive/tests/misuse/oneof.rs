use riak_runtime::RiakMessage;

#[derive(Clone, RiakMessage)]
#[riak(oneof)]
enum Choice {
    #[riak(tag = 1)]
    Number(u32),
    #[riak(tag = 1)]
    Text(String),
    #[riak(tag = 3)]
    Many(Vec<u32>),
    Untagged(bool),
    Unit,
}

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 4, oneof)]
    choice: Option<Choice>,
    #[riak(oneof, tags(5))]
    bare: Choice,
    #[riak(oneof, tags(5))]
    again: Option<Choice>,
}

#[derive(Clone, RiakMessage)]
#[riak(oneof, borrowed = ChoiceRef)]
enum NamesItsBorrowedForm {
    #[riak(tag = 1)]
    Number(u32),
}

fn main() {}
