//! riak-client's checked-in code is what the generator makes of `proto/`.

mod generating;

use generating::{assert_fresh, by_library, riak, root};
use protoc_gen_riak::Config;

#[test]
fn riak_client_is_fresh() {
    let config = Config::new().client_feature("client").server_feature("server");
    let texts = by_library(&riak(), &config).unwrap_or_else(|error| panic!("{error}"));
    assert_fresh(&texts, &root().join("../runtime/riak-client/src/generated"));
}
