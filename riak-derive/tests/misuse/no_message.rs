use riak_runtime::RiakMessage;

#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
#[riak(enum)]
enum Color {
    #[default]
    Red = 1,
}

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1)]
    color: Option<Color>,
}

#[derive(Default, RiakMessage)]
struct Shelf {
    #[riak(tag = 1, enum)]
    message: Option<Message>,
}

fn main() {}
