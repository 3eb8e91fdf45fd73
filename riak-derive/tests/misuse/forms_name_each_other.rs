use riak_runtime::RiakMessage;

// The borrowed form does not name the owned one.
#[derive(Clone, Default, RiakMessage)]
#[riak(borrowed = EntryRef)]
struct Entry {
    #[riak(tag = 1)]
    text: String,
}

#[derive(Default, RiakMessage)]
struct EntryRef<'a> {
    #[riak(tag = 1)]
    text: &'a str,
}

// The owned form does not name the borrowed one.
#[derive(Clone, Default, RiakMessage)]
struct Word {
    #[riak(tag = 1)]
    text: String,
}

#[derive(Default, RiakMessage)]
#[riak(owned = Word)]
struct WordRef<'a> {
    #[riak(tag = 1)]
    text: &'a str,
}

// Two owned forms name the same borrowed one.
#[derive(Clone, Default, RiakMessage)]
#[riak(borrowed = PageRef)]
struct Page {
    #[riak(tag = 1)]
    text: String,
}

#[derive(Clone, Default, RiakMessage)]
#[riak(borrowed = PageRef)]
struct OtherPage {
    #[riak(tag = 1)]
    text: String,
}

#[derive(Default, RiakMessage)]
#[riak(owned = Page)]
struct PageRef<'a> {
    #[riak(tag = 1)]
    text: &'a str,
}

// Two borrowed forms name the same owned one.
#[derive(Default, RiakMessage)]
#[riak(owned = Page)]
struct OtherPageRef<'a> {
    #[riak(tag = 1)]
    text: &'a str,
}

fn main() {}
