//! Descriptors for tests: schemas that a test writes down, read by `protoc`.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]

use std::path::{Path, PathBuf};
use std::process::Command;

use protobuf::Message;
use protobuf::descriptor::FileDescriptorSet;
use protoc_gen_riak::resolve::{Options, resolve};
use riak_codegen::model::{Operation, Schema};
use tempfile::TempDir;

/// The directory of Riak's schemas.
pub fn proto_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
}

/// The descriptors of files in a directory, and of all that they import.
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

/// Files in a directory of their own.
pub fn written(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// The model of files in a directory, and the notices.
pub fn resolved(dir: &Path, files: &[&str], options: &Options) -> (Schema, Vec<String>) {
    let set = descriptors(dir, files);
    let names: Vec<String> = files.iter().map(|&name| name.to_owned()).collect();
    let (schema, notices) = resolve(&set, &names, options).unwrap_or_else(|faults| panic!("{faults}"));
    (schema, notices.iter().map(ToString::to_string).collect())
}

/// The faults of a schema that is one file.
pub fn faults(text: &str, options: &Options) -> String {
    let dir = written(&[("a.proto", text)]);
    let set = descriptors(dir.path(), &["a.proto"]);
    match resolve(&set, &["a.proto".to_owned()], options) {
        Ok(_) => String::new(),
        Err(faults) => faults.to_string(),
    }
}

/// Upstream's code table.
pub fn codes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/riak_pb_messages.csv")
}

/// The operation with a request code.
pub fn operation(schema: &Schema, code: u8) -> &Operation {
    let mut operations = schema.services().flat_map(|service| &service.operations);
    operations.find(|operation| operation.request_code == code).unwrap()
}
