//! Writes each message of Riak's key/value and data type schemas as a derived type, and a
//! table that pairs it with the generated one. In the other direction, prints the derived
//! types of `src/own.rs` as schemas, and generates code from these.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use protobuf::Message as _;
use protobuf::descriptor::FileDescriptorSet;
use protobuf::plugin::{CodeGeneratorRequest, CodeGeneratorResponse};

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::pedantic,
    reason = "only what they are in a schema is asked"
)]
#[path = "src/own.rs"]
mod own;

fn main() -> Result<(), Box<dyn Error>> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let files = ["riak.proto", "riak_kv.proto", "riak_dt.proto"].map(|file| proto.join(file));
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let services = proto.join("riak_services.proto");
    println!("cargo::rerun-if-changed={}", services.display());
    // The services define which messages have codes.
    let schema = riak_declare::schema(proto, files.into_iter().chain([services]).collect())?;
    let wanted = |message: &riak_codegen::model::Message| {
        matches!(schema.files[message.file.0].name.as_str(), "riak.proto" | "riak_kv.proto" | "riak_dt.proto")
    };
    let mut text = riak_declare::declarations(&schema, wanted);
    text.push_str("/// All messages that are derived here, each with its generated twin.\npub const TWINS: &[Twin] = &[\n");
    for message in schema.messages.iter().filter(|message| wanted(message)) {
        let derived = riak_declare::type_name(&message.full_name);
        let mut generated = message.path.module.clone();
        generated.push(message.path.name.clone());
        let _ = writeln!(
            text,
            "    twin::<{derived}, riak_client::{}>({:?}, {:?}),",
            generated.join("::"),
            message.full_name,
            message.code
        );
    }
    text.push_str("];\n\n/// The schema of all of them.\npub fn schema() -> Schema {\n    Schema::new()\n");
    for message in schema.messages.iter().filter(|message| wanted(message)) {
        let name = riak_declare::type_name(&message.full_name);
        let _ = writeln!(text, "        .with::<{name}>().with::<{name}Ref<'_>>()");
    }
    text.push_str("}\n");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("derived.rs"), text)?;
    print(&out)
}

/// Prints the types of `own` as schemas, and generates code from these with protoc, which
/// alone reads editions and is strict.
fn print(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/own.rs");
    let printed = empty_dir(out, "printed")?;
    let schemas = [
        ("classic.proto", own::classic::schema()),
        ("modern.proto", own::modern::schema()),
        ("mixed.proto", own::mixed::schema()),
    ];
    for (name, schema) in &schemas {
        fs::write(printed.join(name), schema.print()?)?;
    }
    let set = out.join("printed.pb");
    let status = Command::new(protoc_bin_vendored::protoc_bin_path()?)
        .args(["--include_imports", "--include_source_info", "--descriptor_set_out"])
        .arg(&set)
        .arg("-I")
        .arg(&printed)
        .args(["-I", "../../proto"])
        .args(schemas.iter().map(|(name, _)| name))
        .status()?;
    assert!(status.success(), "protoc refuses what was printed to {}", printed.display());
    let request = CodeGeneratorRequest {
        file_to_generate: schemas.iter().map(|(name, _)| (*name).to_owned()).collect(),
        parameter: Some(
            "riak_client=::riak_client,unknown_fields=classic=false,unknown_fields=mixed=false".to_owned(),
        ),
        proto_file: FileDescriptorSet::parse_from_bytes(&fs::read(set)?)?.file,
        ..CodeGeneratorRequest::default()
    };
    let response = protoc_gen_riak::plugin::respond(&request.write_to_bytes()?, |_| {})?;
    let response = CodeGeneratorResponse::parse_from_bytes(&response)?;
    assert!(!response.has_error(), "{}", response.error());
    let generated = empty_dir(out, "generated")?;
    for file in &response.file {
        fs::write(generated.join(file.name()), file.content())?;
    }
    Ok(())
}

/// Creates an empty directory.
fn empty_dir(out: &Path, name: &str) -> std::io::Result<PathBuf> {
    let dir = out.join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir(&dir)?;
    Ok(dir)
}
