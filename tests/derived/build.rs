//! Writes each message of Riak's key/value and data type schemas as a derived
//! type, and a table that pairs it with the generated one.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let files = ["riak.proto", "riak_kv.proto", "riak_dt.proto"].map(|file| proto.join(file));
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let services = proto.join("riak_services.proto");
    println!("cargo::rerun-if-changed={}", services.display());
    // The services say which messages have codes.
    let schema = riak_declare::schema(proto, files.into_iter().chain([services]).collect())?;
    let wanted = |message: &riak_codegen::model::Message| {
        // A message that is written without a body is no derived type's.
        !message.bodyless
            && matches!(
                schema.files[message.file.0].name.as_str(),
                "riak.proto" | "riak_kv.proto" | "riak_dt.proto"
            )
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
    text.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("derived.rs");
    fs::write(out, text)?;
    Ok(())
}
