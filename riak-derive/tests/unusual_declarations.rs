//! Declarations in unusual places and with unusual names.
#![deny(warnings)]
#![allow(
    clippy::non_minimal_cfg,
    clippy::items_after_statements,
    reason = "the tests are about unusual declarations"
)]
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use riak_runtime::{Coded, Decode, Message, Owned, Request, RiakMessage};

/// Asserts that a message decodes from its own encoding.
fn assert_round_trips<M: Message + Debug + PartialEq + for<'a> Decode<'a>>(message: &M) {
    assert_eq!(&M::decode(&message.encode_to_vec()).unwrap(), message);
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Bound<T: Clone + Default, U = u8>
where
    U: Clone,
{
    #[riak(tag = 1)]
    value: Option<T>,
    #[riak(skip)]
    kind: PhantomData<U>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Both<'x, T> {
    #[riak(tag = 1)]
    key: &'x [u8],
    #[riak(tag = 2)]
    values: Vec<T>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Around<'x, T: Default>(#[riak(tag = 1)] Both<'x, T>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Const<const N: usize>(#[riak(tag = 1)] u32);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Item<I: Iterator>
where
    I::Item: Clone,
{
    #[riak(tag = 1)]
    item: Option<I::Item>,
    #[riak(skip)]
    kind: PhantomData<I>,
}

#[test]
fn generics_of_all_kinds() {
    assert_round_trips(&Bound::<Const<3>> { value: Some(Const(7)), kind: PhantomData });
    type Items = Item<std::vec::IntoIter<Const<3>>>;
    let item = Items { item: Some(Const(7)), kind: PhantomData };
    assert_eq!(Items::decode(&item.encode_to_vec()).unwrap().item, item.item);
    let around = Around(Both { key: b"key", values: vec![Const::<1>(3)] });
    assert_eq!(Around::<Const<1>>::decode(&around.encode_to_vec()).unwrap(), around);
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct r#Struct {
    #[riak(tag = 1, default = 7)]
    r#type: Option<u32>,
    #[riak(tag = 2)]
    r#fn: bool,
    #[riak(oneof, tags(3))]
    r#enum: Option<Choice>,
}

#[derive(Clone, Debug, PartialEq, RiakMessage)]
#[riak(oneof)]
enum Choice {
    #[riak(tag = 3)]
    r#Ok(String),
}

#[test]
fn raw_identifiers_have_no_prefix_in_schemas() {
    assert_round_trips(&Struct { r#type: Some(3), r#fn: true, r#enum: Some(Choice::Ok("yes".into())) });
    assert_eq!((Struct::NAME, Struct::default().r#type()), ("Struct", 7));
    let error = Struct::decode(&[]).unwrap_err();
    assert_eq!(error.to_string(), "Struct: the required field Struct.fn is missing");
}

/// Members with the names of variables and imports in the impls.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Names {
    #[riak(tag = 1)]
    out: u32,
    #[riak(tag = 2, packed)]
    sizes: Vec<u32>,
    #[riak(tag = 3)]
    len: u32,
    #[riak(tag = 4)]
    ctx: Option<u32>,
    #[riak(tag = 5)]
    input: Option<String>,
    #[riak(tag = 6, default = 1)]
    decode: Option<u32>,
    #[riak(tag = 7)]
    message: Option<Box<Names>>,
    #[riak(tag = 8)]
    wire: BTreeMap<u32, Names>,
    #[riak(tag = 9)]
    seen: bool,
}

mod shadowed {
    #![allow(dead_code, non_camel_case_types, reason = "they exist only to shadow other names")]

    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Ok;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Vec;
    pub(super) struct String;
    pub(super) struct Box;
    pub(super) trait Default {}
    pub(super) trait Clone {}
    pub(super) trait Iterator {}
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod wire {}
    pub(super) struct Message;
    pub(super) struct Decode;
    pub(super) struct Writer;
    pub(super) struct Context;
    pub(super) struct Sizes;

    #[derive(::core::clone::Clone, Debug, ::core::default::Default, PartialEq, riak_runtime::RiakMessage)]
    pub(super) struct Shadow {
        #[riak(tag = 1)]
        pub(super) text: ::core::option::Option<::std::string::String>,
        #[riak(tag = 2)]
        pub(super) numbers: ::std::vec::Vec<u32>,
        #[riak(tag = 3)]
        pub(super) inner: ::core::option::Option<::std::boxed::Box<Shadow>>,
    }
}

mod bare {
    #![no_implicit_prelude]

    use ::std::boxed::Box;
    use ::std::clone::Clone;
    use ::std::cmp::PartialEq;
    use ::std::default::Default;
    use ::std::fmt::Debug;
    use ::std::marker::Copy;
    use ::std::option::Option;
    use ::std::string::String;
    use ::std::vec::Vec;

    #[derive(Clone, Debug, Default, PartialEq, ::riak_runtime::RiakMessage)]
    #[riak(code = 240, response = Bare, stream, done = "done")]
    pub(super) struct Bare {
        #[riak(tag = 1, default = "x")]
        pub(super) text: Option<String>,
        #[riak(tag = 2)]
        pub(super) many: Vec<Bare>,
        #[riak(tag = 3, enum)]
        pub(super) value: Option<Value>,
        #[riak(oneof, tags(4, 5))]
        pub(super) either: Option<Either>,
        #[riak(tag = 6)]
        pub(super) done: Option<bool>,
    }

    #[derive(Clone, Copy, Debug, Default, PartialEq, ::riak_runtime::RiakMessage)]
    #[riak(enum)]
    pub(super) enum Value {
        #[default]
        One = 1,
    }

    #[derive(Clone, Debug, PartialEq, ::riak_runtime::RiakMessage)]
    #[riak(oneof)]
    pub(super) enum Either {
        #[riak(tag = 4)]
        Number(u32),
        #[riak(tag = 5)]
        Bare(Box<Bare>),
    }
}

#[test]
fn names_in_scope_do_not_shadow_those_of_the_derive() {
    assert_round_trips(&Names {
        input: Some("a".into()),
        wire: [(1, Names::default())].into(),
        ..Names::default()
    });
    let inner = Some(Box::default());
    assert_round_trips(&shadowed::Shadow { text: Some("a".into()), numbers: vec![1], inner });
    let value = Some(bare::Value::One);
    let either = Some(bare::Either::Bare(Box::new(bare::Bare { value, ..bare::Bare::default() })));
    assert_round_trips(&bare::Bare { either, ..bare::Bare::default() });
    assert_round_trips(&bare::Bare { either: Some(bare::Either::Number(1)), ..bare::Bare::default() });
}

macro_rules! message {
    ($name:ident { $($field:ident: $ty:ty = $tag:literal $(, $default:expr)?;)* }) => {
        #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
        struct $name { $(#[riak(tag = $tag $(, default = $default)?)] $field: $ty),* }
    };
}
message! { FromMacro { one: Option<i64> = 1, -5; many: Vec<FromMacro> = 2; bytes: Option<Vec<u8>> = 3; } }

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Configured {
    #[cfg(all())]
    #[riak(tag = 1)]
    present: u32,
    #[cfg(any())]
    #[riak(tag = 1)]
    absent: u32,
    #[cfg_attr(all(), riak(tag = 2))]
    told: u32,
}

#[deprecated]
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 241, response = Configured2, retry = "safe")]
struct Old {
    #[deprecated]
    #[riak(tag = 1, default = true)]
    old: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 242)]
struct Configured2;

#[allow(deprecated, reason = "a set of frames contains deprecated messages, too")]
#[derive(Clone, Debug, PartialEq, RiakMessage)]
#[riak(frames)]
enum AnyFrame {
    Old(Old),
    Configured2(Configured2),
}

#[test]
fn other_attributes_are_left_alone() {
    assert_round_trips(&FromMacro { many: vec![FromMacro::default()], bytes: Some(vec![1]), one: None });
    assert_eq!(FromMacro::default().one(), -5);
    assert_round_trips(&Configured { present: 1, told: 2 });
    assert_eq!(AnyFrame::Configured2(Configured2).code(), 242);

    // Two derived types in one function body.
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Inner(#[riak(tag = 1)] u32);
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Outer(#[riak(tag = 1)] Inner);
    assert_round_trips(&Outer(Inner(3)));
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 243, response = Page<Const<2>>)]
struct PageReq<T: Clone>(#[riak(tag = 1)] Option<T>);

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 244)]
struct Page<T>(#[riak(tag = 1)] Vec<T>);

#[test]
fn a_generic_message_can_be_a_request() {
    fn owned<M: Owned + Request>() -> u8 {
        M::OPERATION.response
    }
    assert_eq!(owned::<PageReq<Const<1>>>(), Page::<Const<2>>::CODE);
}

/// Secrets beside members of every type that has its own `Debug` output.
#[derive(Clone, Default, PartialEq, RiakMessage)]
struct Secrets<'a, T> {
    #[riak(tag = 1, secret)]
    hidden: Cow<'a, [u8]>,
    #[riak(tag = 2)]
    many: Vec<Cow<'a, [u8]>>,
    #[riak(tag = 3)]
    inner: Option<T>,
    #[riak(tag = 4)]
    boxed: Option<Box<[u8]>>,
    #[riak(oneof, tags(5, 6))]
    either: Option<Hidden<'a>>,
}

#[derive(Clone, PartialEq, RiakMessage)]
#[riak(oneof)]
enum Hidden<'a> {
    #[riak(tag = 5, secret)]
    Password(&'a str),
    #[riak(tag = 6)]
    r#Type(u32),
}

#[test]
fn secrets_are_never_printed() {
    let either = Some(Hidden::Password("s3cret"));
    let hidden = Cow::Borrowed(&b"s3cret"[..]);
    let secrets = Secrets::<Const<1>> { hidden, either, ..Secrets::default() };
    assert_eq!(
        format!("{secrets:?}"),
        "Secrets { hidden: <secret>, many: [], inner: None, boxed: None, either: Some(Password(<secret>)) }"
    );
    assert_eq!(format!("{:?}", Hidden::Type(1)), "Type(1)");
}

macro_rules! numbers {
    ($name:ident { $first:ident = $one:literal, $($variant:ident = $number:expr),* }) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
        #[riak(enum)]
        enum $name { #[default] $first = $one, $($variant = $number),* }
    };
}
numbers! { FromNumbers { One = 1, Less = -7, Two = (2) } }

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Numbered(#[riak(tag = 1, enum)] Vec<FromNumbers>);

#[test]
fn macros_may_supply_numbers() {
    let numbered = Numbered(vec![FromNumbers::One, FromNumbers::Less, FromNumbers::Two]);
    assert_round_trips(&numbered);
    assert_eq!(numbered.encode_to_vec()[..4], [8, 1, 8, 0xf9]);
}

mod shop {
    use riak_runtime::RiakMessage;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    pub(super) struct String(#[riak(tag = 1)] pub(super) u32);
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Known<'a> {
    #[riak(tag = 1, message)]
    message: Option<Box<shop::String>>,
    #[riak(tag = 2, group)]
    group: Option<Box<shop::String>>,
    #[riak(tag = 3)]
    bytes: Vec<::core::primitive::u8>,
    #[riak(tag = 4)]
    text: &'a ::core::primitive::str,
    #[riak(tag = 5, default = "inf")]
    infinite: Option<f32>,
}

#[allow(dead_code, non_camel_case_types, reason = "they exist only to shadow other names")]
mod primitives {
    struct u32;
    struct bool;

    #[derive(Clone, Debug, PartialEq, riak_runtime::RiakMessage)]
    #[riak(oneof)]
    pub(super) enum Either {
        #[riak(tag = 1)]
        Text(String),
        #[riak(tag = 2)]
        Number(i64),
    }
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
struct Primitive(#[riak(oneof, tags(1, 2))] Option<primitives::Either>);

#[test]
fn types_may_have_known_names() {
    let inner = || Some(Box::new(shop::String(3)));
    assert_round_trips(&Primitive(Some(primitives::Either::Number(3))));
    let known = Known { message: inner(), group: inner(), bytes: vec![1, 2], text: "a", infinite: None };
    let bytes = known.encode_to_vec();
    assert_eq!(Known::decode(&bytes).unwrap(), known);
    assert_eq!(bytes, b"\x0a\x02\x08\x03\x13\x08\x03\x14\x1a\x02\x01\x02\x22\x01a");
    assert_eq!(known.infinite().to_bits(), f32::INFINITY.to_bits());
}
