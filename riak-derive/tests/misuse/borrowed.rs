use riak_runtime::RiakMessage;

#[derive(Default, RiakMessage)]
struct Two<'a, 'b> {
    #[riak(tag = 1)]
    key: &'a [u8],
    #[riak(tag = 2)]
    value: &'b [u8],
}

#[derive(Default, RiakMessage)]
struct Numbers<'a> {
    #[riak(tag = 1)]
    numbers: &'a [u32],
}

#[derive(Default, RiakMessage)]
#[riak(borrowed = Two)]
struct Both<'a> {
    #[riak(tag = 1)]
    key: &'a [u8],
}

// The two forms of a message cannot have type parameters.
#[derive(Default, RiakMessage)]
#[riak(owned = Page)]
struct PageRef<'a, T> {
    #[riak(tag = 1)]
    key: &'a [u8],
    #[riak(tag = 2)]
    items: Vec<T>,
}

fn main() {}
