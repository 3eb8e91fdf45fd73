//! Runs each peer's own generator over the same schemas.
//!
//! Invariant: everything that is measured is generated here, from Riak's schemas and
//! `proto/telemetry.proto`, with each generator's defaults.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The directory of Riak's schemas, relative to this crate.
const RIAK: &str = "../../proto";

/// Riak's schemas with messages. The other files only define options.
const RIAK_FILES: [&str; 7] = [
    "riak.proto",
    "riak_kv.proto",
    "riak_dt.proto",
    "riak_search.proto",
    "riak_yokozuna.proto",
    "riak_ts.proto",
    "riak_repl.proto",
];

const TELEMETRY: &str = "proto/telemetry.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR: run through cargo")?);
    let protoc = protoc_bin_vendored::protoc_bin_path()?;
    println!("cargo::rustc-env=VENDORED_PROTOC={}", protoc.display());
    let mut files: Vec<PathBuf> = RIAK_FILES.iter().map(|name| Path::new(RIAK).join(name)).collect();
    files.push(TELEMETRY.into());
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let includes = [Path::new(RIAK), Path::new("proto")];

    // This project: Riak's messages come from riak-client, and all messages are declared as
    // derived types too.
    protoc_gen_riak::Config::new().out_dir(fresh(&out, "riak")?).compile(&[TELEMETRY], &["proto"])?;
    let mut declared = String::new();
    for (include, files) in [(RIAK, &files[..RIAK_FILES.len()]), ("proto", &files[RIAK_FILES.len()..])] {
        let schema = riak_declare::schema(include.into(), files.to_vec())?;
        declared += &riak_declare::declarations(&schema, |_| true);
    }
    fs::write(out.join("derived.rs"), declared)?;

    prost_build::Config::new()
        .protoc_executable(&protoc)
        .out_dir(fresh(&out, "prost")?)
        .compile_protos(&files, &includes)?;
    prost_build::Config::new()
        .protoc_executable(&protoc)
        .bytes(["."])
        .out_dir(fresh(&out, "prost_bytes")?)
        .compile_protos(&files, &includes)?;

    protobuf_codegen::Codegen::new()
        .pure()
        .inputs(&files)
        .includes(includes)
        .out_dir(fresh(&out, "rust_protobuf")?)
        .run()?;

    let readable = readable_by_pb_rs(&files, &fresh(&out, "pb_rs_schemas")?)?;
    let includes_of_readable = [out.join("pb_rs_schemas")];
    let quick = fresh(&out, "quick_protobuf")?;
    let config = pb_rs::ConfigBuilder::new(&readable, None, Some(&quick), &includes_of_readable)?;
    pb_rs::types::FileDescriptor::run(&config.build())?;

    // SAFETY: this process has one thread, so nothing else accesses the environment.
    unsafe { env::set_var("PROTOC", &protoc) };
    buffa_build::Config::new()
        .files(&files)
        .includes(&includes)
        .out_dir(fresh(&out, "buffa")?)
        .include_file("mod.rs")
        .compile()?;
    Ok(())
}

/// Copies the schemas without `reserved` in enums, which pb-rs cannot parse, and which does
/// not affect the code for messages.
fn readable_by_pb_rs(files: &[PathBuf], to: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut copies = Vec::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with("reserved ")).collect();
        let copy = to.join(file.file_name().ok_or("a schema without a file name")?);
        fs::write(&copy, kept.join("\n"))?;
        copies.push(copy);
    }
    Ok(copies)
}

/// Creates an empty directory.
fn fresh(out: &Path, name: &str) -> std::io::Result<PathBuf> {
    let dir = out.join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir(&dir)?;
    Ok(dir)
}
