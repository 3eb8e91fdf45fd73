//! Every message of the schema with random values, in both implementations.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use riak_agreement::{KINDS, agreement, heap};

#[global_allocator]
static HEAP: heap::CountingAllocator = heap::CountingAllocator;

/// The number of cases for each message; small, since there are many messages.
const CASES: u32 = 32;

#[test]
fn every_message_of_the_schema_is_covered() {
    let covered: BTreeSet<String> = KINDS.iter().map(|kind| kind.name.to_owned()).collect();
    assert_eq!(covered.len(), KINDS.len(), "a message is listed twice");
    assert_eq!(covered, agreement::schema().into_iter().collect());
}

#[test]
fn random_messages_agree_between_both_implementations() {
    // A failure reports the choices that made it; nothing is written next to the sources.
    // PROPTEST_CASES overrides the number of cases.
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if asked { Config::default().cases } else { CASES };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    for kind in KINDS {
        let checked = TestRunner::new(config.clone()).run(&vec(any::<u8>(), 0..600), |choices| {
            agreement::check_kind(kind, &choices);
            Ok(())
        });
        if let Err(failure) = checked {
            panic!("{}: {failure}", kind.name);
        }
    }
}
