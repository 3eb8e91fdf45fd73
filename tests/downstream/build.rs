//! Generates the shop's messages, client and server trait. Riak's schemas and
//! the options are built into the generator; Riak's types are riak-client's.

fn main() -> Result<(), protoc_gen_riak::Error> {
    protoc_gen_riak::Config::new()
        .riak_client("::riak_client")?
        .compile(&["proto/shop.proto"], &["proto"])?;
    Ok(())
}
