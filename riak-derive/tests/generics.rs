//! Generic types: messages that contain themselves, bounds that the derive adds, and
//! names in bounds.
#![deny(warnings)]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use riak_runtime::schema::Schema;
use riak_runtime::{Decode, Message, Owned, Request, RiakMessage};

/// Asserts that a message decodes from its own encoding.
fn assert_round_trips<M: Message + Debug + PartialEq + for<'a> Decode<'a>>(message: &M) {
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
    assert_round_trips(&tree);
    owned(&tree);
    assert_round_trips(&Counted::<2> { kids: vec![Counted::default()], five: Some(Box::default()) });
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Higher<T: Clone>(#[riak(tag = 1)] Option<T>)
where
    for<'a> &'a T: Debug;

trait Takes<'a> {}
impl Takes<'_> for () {}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Function<F: for<'a> Takes<'a> + Default>(#[riak(tag = 1)] u32, #[riak(skip)] F);

#[test]
fn bounds_have_lifetimes_of_any_name() {
    assert_round_trips(&Higher(Some(Leaf(3))));
    assert_round_trips(&Function(3, ()));
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Skipping<T> {
    #[riak(tag = 1)]
    number: u32,
    #[riak(skip)]
    skipped: T,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Marked<T>(#[riak(tag = 1)] u32, #[riak(skip)] PhantomData<fn() -> T>);

#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
#[riak(enum)]
enum Size {
    #[default]
    Small,
    Large,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Enums<E> {
    #[riak(tag = 1, enum)]
    size: Option<Size>,
    #[riak(tag = 2, enum)]
    any: Option<E>,
    #[riak(tag = 3, enum)]
    many: Vec<E>,
    #[riak(tag = 4, enum, packed)]
    sizes: Vec<Size>,
    #[riak(tag = 5, enum)]
    by_number: BTreeMap<u32, E>,
    #[riak(tag = 6, enum)]
    sizes_by_number: BTreeMap<u32, Size>,
    #[riak(tag = 7, enum)]
    required: Size,
}

#[test]
fn derive_adds_bounds_for_parameters() {
    assert_round_trips(&Skipping { number: 3, skipped: 0_u128 });
    assert_round_trips(&Marked::<u8>(3, PhantomData));
    let many = vec![Size::Large];
    let by_number: BTreeMap<u32, Size> = [(1, Size::Large)].into();
    assert_round_trips(&Enums {
        size: Some(Size::Large),
        any: Some(Size::Large),
        many: many.clone(),
        sizes: many,
        by_number: by_number.clone(),
        sizes_by_number: by_number,
        required: Size::Large,
    });
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 240, response = Answer<T>)]
struct Question<T: Clone>(#[riak(tag = 1)] Option<T>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 241)]
struct Answer<T>(#[riak(tag = 1)] Vec<T>, #[riak(tag = 7)] Option<bool>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 242, response = Answer<T>, stream, done = 7)]
struct Listing<T> {
    #[riak(skip)]
    of: PhantomData<T>,
}

#[test]
fn answer_may_depend_on_a_parameter() {
    fn codes<M: Request<Response = Answer<Leaf>>>() -> (u8, u8) {
        (M::OPERATION.request, M::OPERATION.response)
    }
    assert_eq!(codes::<Question<Leaf>>(), (240, 241));
    assert_eq!(codes::<Listing<Leaf>>(), (242, 241));
}

#[derive(Clone, Debug, PartialEq, RiakMessage)]
#[riak(oneof)]
enum Either<T> {
    #[riak(tag = 1)]
    Left(T),
    #[riak(tag = 2)]
    Right(u32),
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Fork {
    #[riak(oneof, tags(1, 2))]
    either: Option<Either<Leaf>>,
}

#[test]
fn a_oneof_needs_no_default() {
    assert_round_trips(&Fork { either: Some(Either::Left(Leaf(3))) });
    assert_round_trips(&Fork { either: Some(Either::Right(3)) });
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Bound<T: Owned>(#[riak(tag = 1)] Option<T>, #[riak(tag = 2)] Vec<Page<T>>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Where<T>(#[riak(tag = 1)] Vec<T>, #[riak(tag = 2)] Option<Box<T>>)
where
    T: for<'x> Decode<'x>;

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Branch<T: Owned>(#[riak(tag = 1)] Vec<Twig<T>>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Twig<T: Owned> {
    #[riak(tag = 1)]
    leaf: Option<T>,
    #[riak(tag = 2)]
    branch: Option<Box<Branch<T>>>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Ping<const N: usize>(#[riak(tag = 1)] Option<Box<Pong<N>>>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Pong<const N: usize>(#[riak(tag = 1)] Option<Box<Ping<N>>>);

#[test]
fn generic_messages_contain_each_other() {
    let twig = Twig { leaf: Some(Leaf(3)), branch: None };
    let branch = Branch(vec![twig.clone()]);
    assert_round_trips(&Branch(vec![Twig { branch: Some(Box::new(branch)), ..twig }]));
    assert_round_trips(&Ping::<3>(Some(Box::default())));
    let text = Schema::new().with::<Branch<Leaf>>().with::<Tree<Leaf>>().with::<Enums<Size>>().print();
    assert!(text.unwrap().contains("repeated Twig field_0 = 1;"));
}

#[test]
fn declaration_may_have_the_bounds_that_the_derive_adds() {
    assert_round_trips(&Bound(Some(Leaf(3)), vec![Page { items: vec![Leaf(4)] }]));
    assert_round_trips(&Where(vec![Leaf(3)], Some(Box::new(Leaf(4)))));
}
