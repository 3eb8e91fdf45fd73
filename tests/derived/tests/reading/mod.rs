//! Reads schemas with `protoc`, the authority on what a schema is.
//!
//! Invariant: a schema that is returned was read without errors or warnings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use protobuf::Message as _;
use protobuf::descriptor::FileDescriptorSet;
use protoc_gen_riak::resolve::{Options, resolve};
use riak_codegen::model::Schema;

/// Returns the directory of Riak's schemas.
pub(crate) fn proto() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

/// Returns the generator's model of a schema that protoc has read.
pub(crate) fn through_protoc(name: &str, text: &str) -> Schema {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name), text).unwrap();
    let set = dir.path().join("set.pb");
    let output = Command::new(protoc_bin_vendored::protoc_bin_path().unwrap())
        .args(["--include_imports", "--include_source_info", "--descriptor_set_out"])
        .arg(&set)
        .arg("-I")
        .arg(dir.path())
        .arg("-I")
        .arg(proto())
        .arg(name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    // The file that defines the error of every service is only named in a string option.
    let warnings = String::from_utf8_lossy(&output.stderr);
    let mut warnings = warnings.lines().filter(|line| !line.ends_with("Import riak.proto is unused."));
    assert_eq!(warnings.next(), None, "{text}");
    let set = FileDescriptorSet::parse_from_bytes(&fs::read(set).unwrap()).unwrap();
    let (schema, notices) = resolve(&set, &[name.to_owned()], &Options::default()).unwrap();
    assert!(notices.is_empty(), "{notices:?}");
    schema
}
