//! Runs Google's generator over the schemas. It is part of `protoc`, whose version must
//! match the crate's exactly.

use std::path::Path;

/// Riak's schemas with messages. The telemetry schema is in another directory.
const RIAK: [&str; 4] = ["riak.proto", "riak_dt.proto", "riak_kv.proto", "riak_ts.proto"];

fn main() {
    println!("cargo::rerun-if-env-changed=PROTOC_V4");
    let protoc = std::env::var_os("PROTOC_V4").unwrap_or_else(|| "protoc".into());
    for schema in RIAK {
        println!("cargo::rerun-if-changed=../../../proto/{schema}");
    }
    println!("cargo::rerun-if-changed=../proto/telemetry.proto");
    let includes = [Path::new("../../../proto"), Path::new("../proto")];
    let generated = protobuf_codegen::CodeGen::new()
        .protoc_path(protoc)
        .inputs(RIAK.iter().chain(&["telemetry.proto"]))
        .includes(includes.iter())
        .generate_and_compile();
    if let Err(error) = generated {
        println!("cargo::error=no code for google's protobuf 4: {error}; PROTOC_V4 says where protoc is");
    }
}
