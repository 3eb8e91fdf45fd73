//! Generates the shop's messages, client and server trait. The generator has Riak's schemas
//! and the options built in; Riak's types are those of riak-client.

fn main() -> Result<(), protoc_gen_riak::Error> {
    protoc_gen_riak::Config::new()
        .riak_client("::riak_client")?
        .compile(&["proto/shop.proto"], &["proto"])?;
    Ok(())
}
