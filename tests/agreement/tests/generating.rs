//! Random plugin requests: see [`riak_agreement::generating`].

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use riak_agreement::generating;

#[test]
fn random_descriptors_are_answered_with_code_or_faults() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&vec(any::<u8>(), 0..900), |choices| {
        generating::check_descriptors(&choices);
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("{failure}");
    }
}
