//! Stores, reads, lists, queries and deletes through the generated client.
//!
//! `cargo run --example quickstart` starts an in-memory node; with
//! `RIAK_ADDR=host:port` it talks to the node there instead.

use std::process::ExitCode;

use riak_quickstart::REPORT;
use riak_quickstart::riak_api::riak::RpbPair;
use riak_quickstart::riak_api::riak_kv::{
    RpbContent, RpbDelReq, RpbGetReq, RpbIndexReq, RpbListKeysReq, RpbPutReq, rpb_index_req::IndexQueryType,
};
use riak_quickstart::riak_api::riak_services::{RiakKv, RiakServer};
use riak_runtime::Quorum;
use riak_runtime::client::{CallError, Connection};
use riak_testkit::Node;

const BUCKET: &str = "quickstart";

#[tokio::main]
async fn main() -> ExitCode {
    // Returned from `main`, an error would be printed by `Debug`; its text is
    // what says what to do.
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    println!("The build script generated the client:\n{REPORT}");

    // The node stops when it is dropped, so keep it until the end.
    let (address, _node) = if let Ok(address) = std::env::var("RIAK_ADDR") {
        (address, None)
    } else {
        let node = Node::start().await?;
        (node.addr().to_string(), Some(node))
    };
    let connection = Connection::connect(&address).await?;
    let server = RiakServer::new(&connection);
    let kv = RiakKv::new(&connection);

    let info = server.get_server_info().await?;
    println!("Connected to {:?} at {address}, version {:?}.\n", info.node, info.server_version);

    store(&kv).await?;
    read(&kv).await?;
    list(&kv).await?;
    query(&kv).await?;
    delete(&kv).await?;
    Ok(())
}

async fn store(kv: &RiakKv<&Connection>) -> Result<(), CallError> {
    for (key, age) in [("alice", 42), ("bob", 7), ("carol", 33)] {
        let content = RpbContent {
            value: format!(r#"{{"name": "{key}"}}"#).into(),
            content_type: Some("application/json".into()),
            indexes: vec![RpbPair { value: Some(age.to_string().into()), ..RpbPair::new("age_int") }],
            ..RpbContent::default()
        };
        let put =
            RpbPutReq { key: Some(key.into()), w: Some(Quorum::QUORUM), ..RpbPutReq::new(BUCKET, content) };
        kv.put(&put).await?;
        println!("put     {key}, with age_int = {age}");
    }
    Ok(())
}

async fn read(kv: &RiakKv<&Connection>) -> Result<(), CallError> {
    let found = kv.get(&RpbGetReq::new(BUCKET, "alice")).await?;
    for content in &found.content {
        println!("get     alice: {:?}, {:?}", content.value, content.content_type);
    }
    let missing = kv.get(&RpbGetReq::new(BUCKET, "nobody")).await?;
    println!("get     nobody: {} values, so there is no such object", missing.content.len());
    Ok(())
}

async fn list(kv: &RiakKv<&Connection>) -> Result<(), CallError> {
    let mut chunks = kv.list_keys(&RpbListKeysReq::new(BUCKET)).await?;
    let mut keys = Vec::new();
    while let Some(chunk) = chunks.next().await {
        keys.extend(chunk?.keys);
    }
    keys.sort();
    println!("keys    {keys:?}, as a stream");
    Ok(())
}

async fn query(kv: &RiakKv<&Connection>) -> Result<(), CallError> {
    let range = RpbIndexReq {
        range_min: Some("18".into()),
        range_max: Some("99".into()),
        return_terms: Some(true),
        ..RpbIndexReq::new(BUCKET, "age_int", IndexQueryType::Range)
    };
    for pair in kv.index(&range).await?.results {
        println!("index   age_int = {:?}: {:?}", pair.key, pair.value.unwrap_or_default());
    }
    Ok(())
}

async fn delete(kv: &RiakKv<&Connection>) -> Result<(), CallError> {
    let found = kv.get(&RpbGetReq::new(BUCKET, "bob")).await?;
    // With the vector clock of the read, the delete causally follows it.
    let delete = RpbDelReq { vclock: found.vclock, ..RpbDelReq::new(BUCKET, "bob") };
    kv.delete(&delete).await?;
    let gone = kv.get(&RpbGetReq::new(BUCKET, "bob")).await?;
    println!("delete  bob: {} values left", gone.content.len());

    let refused = kv.get(&RpbGetReq::new(BUCKET, "")).await;
    if let Err(CallError::Server(error)) = refused {
        println!("error   an empty key: {error}");
    }
    Ok(())
}
