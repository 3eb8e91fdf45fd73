//! Tests that checked-in code is what the generator currently emits: riak-client's from `proto/`, and
//! that of these tests.

mod generating;

use generating::{assert_fresh, by_library, foreign, riak, root};
use protoc_gen_riak::Config;

#[test]
fn riak_client_is_fresh() {
    let config = Config::new().client_feature("client").server_feature("server");
    let texts = by_library(&riak(), &config).unwrap_or_else(|error| panic!("{error}"));
    assert_fresh(&texts, &root().join("../runtime/riak-client/src/generated"));
}

/// The schemas whose code golden.rs compiles.
const GOLDEN: [&str; 6] = [
    "acme.proto",
    "acme/calls.proto",
    "acme/modern.proto",
    "acme/stock.proto",
    "acme/stock/part.proto",
    "acme/wide.proto",
];

#[test]
fn golden_code_is_fresh() {
    let schemas = foreign().only(&GOLDEN);
    let texts = by_library(&schemas, &Config::new()).unwrap_or_else(|error| panic!("{error}"));
    assert_fresh(&texts, &root().join("tests/generated"));
}
