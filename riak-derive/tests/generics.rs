//! Generic types: messages that contain themselves, what the derive bounds by
//! itself, and names in bounds.
#![deny(warnings)]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use riak_runtime::{Decode, Message, Owned, RiakMessage};

/// Reads what it writes, and is the same again.
fn round<M: Message + Debug + PartialEq + for<'a> Decode<'a>>(message: &M) {
    assert_eq!(&M::decode(&message.encode_to_vec()).unwrap(), message);
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Leaf(#[riak(tag = 1)] u32);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Page<T> {
    #[riak(tag = 1)]
    items: Vec<T>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Tree<T> {
    #[riak(tag = 1)]
    value: Option<T>,
    #[riak(tag = 2)]
    kids: Vec<Tree<T>>,
    #[riak(tag = 3)]
    named: BTreeMap<u32, Tree<T>>,
    #[riak(tag = 4)]
    boxed: Option<Box<Tree<T>>>,
    #[riak(tag = 5)]
    pages: Option<Page<Tree<T>>>,
    #[riak(tag = 6)]
    same: Vec<Self>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Counted<const N: usize> {
    #[riak(tag = 1)]
    kids: Vec<Counted<N>>,
    #[riak(tag = 2)]
    five: Option<Box<Counted<5>>>,
}

#[test]
fn a_generic_message_contains_itself() {
    fn owned<M: Owned>(_: &M) {}
    let leaf = || Tree { value: Some(Leaf(3)), ..Tree::default() };
    let tree = Tree {
        value: None,
        kids: vec![leaf(), leaf()],
        named: [(7, leaf())].into(),
        boxed: Some(Box::new(leaf())),
        pages: Some(Page { items: vec![leaf()] }),
        same: vec![leaf()],
    };
    round(&tree);
    owned(&tree);
    round(&Counted::<2> { kids: vec![Counted::default()], five: Some(Box::default()) });
}
