//! Helpers that read a test's schemas with `protoc` and resolve them.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses only a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

use protobuf::Message;
use protobuf::descriptor::FileDescriptorSet;
use protoc_gen_riak::resolve::{Options, resolve};
use protoc_gen_riak::source::{Sources, load};
use riak_codegen::model::{Operation, Schema};
use tempfile::TempDir;

/// Returns the directory of Riak's schemas.
pub fn proto_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
}

/// Returns the descriptors of files in a directory and of their imports, as `protoc` reads them.
pub fn descriptors(dir: &Path, files: &[&str]) -> FileDescriptorSet {
    let out = TempDir::new().unwrap();
    let set = out.path().join("set");
    let protoc = protoc_bin_vendored::protoc_bin_path().unwrap();
    let output = Command::new(protoc)
        .arg("-I")
        .arg(dir)
        .arg("-I")
        .arg(proto_dir())
        .arg("-I")
        .arg(protoc_bin_vendored::include_path().unwrap())
        .args(["--include_imports", "--include_source_info", "--experimental_editions"])
        .arg(format!("--descriptor_set_out={}", set.display()))
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    FileDescriptorSet::parse_from_bytes(&std::fs::read(set).unwrap()).unwrap()
}

/// Writes files into a temporary directory.
pub fn written(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// Resolves files in a directory, and returns the model and the notices. Checks that reading the
/// files without `protoc` gives the same.
pub fn resolved(dir: &Path, files: &[&str], options: &Options) -> (Schema, Vec<String>) {
    let found = resolved_set(&descriptors(dir, files), files, options);
    let (schema, notices) = resolved_set(&loaded(dir, files), files, options);
    assert_eq!(notices, found.1);
    assert_eq!(schema, found.0);
    found
}

/// Returns the descriptors of files, read without `protoc`.
pub fn loaded(dir: &Path, files: &[&str]) -> FileDescriptorSet {
    let include = vec![dir.to_owned(), proto_dir(), protoc_bin_vendored::include_path().unwrap()];
    let path = |name: &&str| {
        let places = [dir.join(name), proto_dir().join(name)];
        places.into_iter().find(|path| path.exists()).unwrap()
    };
    let files = files.iter().map(path).collect();
    let sources = Sources { include, files, ..Sources::default() };
    load(&sources).unwrap_or_else(|faults| panic!("{faults}")).set
}

/// Returns the faults of a schema in a single file. Checks that reading it without `protoc` gives
/// the same.
pub fn faults(text: &str, options: &Options) -> String {
    let dir = written(&[("a.proto", text)]);
    let faults = |set: &FileDescriptorSet| match resolve(set, &["a.proto".to_owned()], options) {
        Ok(_) => String::new(),
        Err(faults) => faults.to_string(),
    };
    let found = faults(&descriptors(dir.path(), &["a.proto"]));
    assert_eq!(faults(&loaded(dir.path(), &["a.proto"])), found);
    found
}

/// Returns the path of upstream's code table.
pub fn codes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/riak_pb_messages.csv")
}

/// Returns the operation with a request code.
pub fn operation(schema: &Schema, code: u8) -> &Operation {
    let mut operations = schema.services().flat_map(|service| &service.operations);
    operations.find(|operation| operation.request_code == code).unwrap()
}

/// Resolves a set of descriptors, and returns the model and the notices.
pub fn resolved_set(set: &FileDescriptorSet, files: &[&str], options: &Options) -> (Schema, Vec<String>) {
    let names: Vec<String> = files.iter().map(|&name| name.to_owned()).collect();
    let (schema, notices) = resolve(set, &names, options).unwrap_or_else(|faults| panic!("{faults}"));
    (schema, notices.iter().map(ToString::to_string).collect())
}
