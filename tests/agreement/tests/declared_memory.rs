//! The memory limit holds for what Riak's messages do not have: closed enums in packed
//! runs and maps, and messages in boxes that are members of a oneof or always there.

use std::collections::BTreeMap;
use std::fmt::Debug;

use riak_agreement::heap;
use riak_runtime::wire::{UnknownFields, UnknownFieldsRef};
use riak_runtime::{Decode, DecodeErrorKind, DecodeLimits, RiakMessage};

#[global_allocator]
static HEAP: heap::CountingAllocator = heap::CountingAllocator;

/// The length of inputs: long enough for constant costs to be negligible.
const LEN: usize = 100_000;

/// An enum that knows two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
#[riak(enum)]
enum Known {
    #[default]
    One = 1,
    Three = 3,
}

#[derive(Debug, Default, PartialEq, RiakMessage)]
struct Numbers {
    #[riak(tag = 1, enum, packed)]
    packed: Vec<Known>,
    #[riak(tag = 2, enum)]
    single: Option<Known>,
    #[riak(tag = 3, enum)]
    map: BTreeMap<u32, Known>,
    #[riak(unknown)]
    unknown: UnknownFields,
}

#[derive(Debug, Default, PartialEq, RiakMessage)]
struct NumbersRef<'a> {
    #[riak(tag = 1, enum, packed)]
    packed: Vec<Known>,
    #[riak(tag = 2, enum)]
    single: Option<Known>,
    #[riak(tag = 3, enum)]
    map: BTreeMap<u32, Known>,
    #[riak(unknown)]
    unknown: UnknownFieldsRef<'a>,
}

/// A message that takes much memory even if it is empty.
#[derive(Debug, Default, PartialEq, RiakMessage)]
struct Wide {
    #[riak(oneof, tags(1, 2))]
    either: Option<Either>,
    #[riak(tag = 3)]
    list: Vec<Wide>,
    #[riak(tag = 4)]
    pairs: Vec<Pair>,
    #[riak(tag = 5)]
    named: BTreeMap<u32, Pair>,
    #[riak(tag = 6)]
    first: Option<u64>,
    #[riak(tag = 7)]
    second: Option<u64>,
    #[riak(tag = 8)]
    third: Option<u64>,
    #[riak(tag = 9)]
    fourth: Option<u64>,
}

#[derive(Debug, PartialEq, RiakMessage)]
#[riak(oneof)]
enum Either {
    #[riak(tag = 1)]
    Wide(Box<Wide>),
    #[riak(tag = 2)]
    Pair(Pair),
}

/// Always has a box, even in a pair that was just created.
#[derive(Debug, Default, PartialEq, RiakMessage)]
struct Pair {
    #[riak(tag = 1)]
    left: Box<Wide>,
    #[riak(tag = 2)]
    right: Box<Wide>,
}

/// Decodes the input with several limits, and checks that each is kept, and that the
/// default limits allow it.
#[track_caller]
fn assert_limited<'a, M: Decode<'a> + Debug>(input: &'a [u8]) {
    for expansion in [0, 2, 8, 32, DecodeLimits::DEFAULT.expansion] {
        let limits = DecodeLimits::new().expansion(expansion);
        let (decoded, peak) = heap::peak(|| M::decode_within(input, &limits));
        // A vector that grows holds its elements twice. What is kept of the input itself
        // comes on top, with up to twice the capacity.
        let allowed = 2 * (64 * 1024 + expansion * input.len()) + 4 * input.len();
        let start = &input[..8];
        assert!(peak <= allowed, "{start:02x?}…: {peak} bytes with an expansion of {expansion}");
        match decoded {
            Ok(message) => drop(message),
            Err(error) if expansion < DecodeLimits::DEFAULT.expansion => {
                assert_eq!(*error.kind(), DecodeErrorKind::TooManyElements, "{start:02x?}…");
            }
            Err(error) => panic!("{start:02x?}…: {error}"),
        }
    }
}

/// Returns a field with this tag and value.
fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = u32::try_from(value.len()).unwrap();
    let prefix: Vec<u8> = (0..5)
        .map(|index| len >> (7 * index))
        .take_while(|&rest| rest > 0)
        .map(|rest| rest.to_le_bytes()[0] & 0x7f | if rest >= 0x80 { 0x80 } else { 0 })
        .collect();
    let prefix = if prefix.is_empty() { vec![0] } else { prefix };
    [&[tag], &prefix[..], value].concat()
}

fn repeated(unit: &[u8]) -> Vec<u8> {
    unit.repeat(LEN / unit.len())
}

#[test]
fn numbers_that_an_enum_does_not_know_are_charged() {
    let packed = field(0x0a, &repeated(&[2]));
    let singular = repeated(&[0x10, 2]);
    let entries = repeated(&field(0x1a, &[0x10, 2]));
    // An unknown field after each number, so that no two of them are kept together.
    let alternating = repeated(&[0x10, 2, 0x78, 0]);
    for input in [packed, singular, entries, alternating] {
        assert_limited::<Numbers>(&input);
        assert_limited::<NumbersRef<'_>>(&input);
    }
}

#[test]
fn boxes_are_charged_wherever_they_are() {
    let chain = (0..40).fold(Vec::new(), |inner, _| field(0x0a, &inner));
    let in_oneof = repeated(&field(0x1a, &chain));
    // A pair without content is not complete, so each has two empty messages.
    let pair = [0x0a, 0, 0x12, 0];
    let in_list = repeated(&field(0x22, &pair));
    let in_map = repeated(&field(0x2a, &field(0x12, &pair)));
    let in_pair = repeated(&field(0x1a, &field(0x12, &pair)));
    for input in [in_oneof, in_list, in_map, in_pair] {
        assert_limited::<Wide>(&input);
    }
}
