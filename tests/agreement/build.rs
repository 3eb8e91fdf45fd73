//! Lists the messages of Riak's schemas twice: as descriptors made by `protoc`, and as the
//! Rust types made by the generator.
//!
//! Invariant: both come from the schemas in `proto/`, so a message that is added there is
//! either covered, or a compile error.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use protoc_gen_riak::{builtin, resolve, source};

const PROTO: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PROTO}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR: run through cargo")?);
    let mut files = Vec::new();
    for entry in fs::read_dir(PROTO)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    write_descriptors(&files, &out.join("schemas.bin"))?;
    fs::write(out.join("messages.rs"), table(&files)?)?;
    Ok(())
}

/// Runs `protoc` to write the descriptors of all files.
fn write_descriptors(files: &[PathBuf], to: &Path) -> Result<(), Box<dyn Error>> {
    let status = Command::new(protoc_bin_vendored::protoc_bin_path()?)
        .arg(format!("--descriptor_set_out={}", to.display()))
        .args(["--include_imports", "-I", PROTO])
        .args(files)
        .status()?;
    if status.success() { Ok(()) } else { Err("protoc refused the schemas".into()) }
}

/// Returns the source of an array of all messages that code is generated for.
fn table(files: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let sources = source::Sources {
        include: vec![PROTO.into()],
        files: files.to_vec(),
        builtin: builtin::FILES,
        ..source::Sources::default()
    };
    let loaded = source::load(&sources)?;
    let (schema, _) = resolve::resolve(&loaded.set, &loaded.to_generate, &resolve::Options::default())?;
    let mut text = "[\n".to_owned();
    for (index, message) in schema.messages.iter().enumerate() {
        if !schema.files[message.file.0].emit {
            continue;
        }
        let raw =
            schema.frames.iter().any(|frame| frame.raw && frame.message.is_some_and(|id| id.0 == index));
        let body = match (raw, message.bodyless) {
            (true, _) => "Raw",
            (false, true) => "Empty",
            (false, false) => "Fields",
        };
        let path = [&message.path.module[..], std::slice::from_ref(&message.path.name)].concat().join("::");
        writeln!(text, "    Kind::of::<riak_client::{path}>({:?}, Body::{body}),", message.code)?;
    }
    text.push(']');
    Ok(text)
}
