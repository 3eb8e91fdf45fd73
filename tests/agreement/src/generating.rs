//! The generator answers any input: with code, or with what is wrong and where.
//!
//! Invariant: text that is no Rust, which the generator finds out for itself, is
//! a fault of the generator's, whatever it was given.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use protobuf::Message as _;
use protobuf::plugin::CodeGeneratorResponse;
use protoc_gen_riak::{Config, Error, plugin};

/// Takes bytes for the text of a schema, which may import Riak's.
///
/// # Panics
///
/// If the answer is neither code nor what is wrong with the text.
pub fn check_text(text: &[u8]) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = env::temp_dir().join(format!("riak-agreement-{}-{count}", process::id()));
    let file = dir.join("given.proto");
    fs::create_dir_all(&dir).expect("there is room for temporary files");
    fs::write(&file, text).expect("there is room for a schema");
    let lines = text.split(|byte| *byte == b'\n').count();
    let answer = Config::new().generate(&[&file], &[&dir]);
    let _ = fs::remove_dir_all(&dir);
    match answer {
        Ok(files) => assert!(files.iter().any(|file| file.name == "mod.rs"), "there is no root module"),
        Err(Error::Schema(faults)) => {
            assert!(!faults.is_empty(), "it fails without a fault");
            for fault in faults.iter().filter(|fault| fault.file.ends_with("given.proto")) {
                assert!(!fault.message.is_empty());
                assert!(fault.line as usize <= lines, "{fault}: there are {lines} lines");
            }
        }
        Err(error) => panic!("{error}"),
    }
}

/// Takes bytes for the request that `protoc` sends to a plugin.
///
/// # Panics
///
/// If the answer is none that `protoc` reads, or says that the generator failed.
pub fn check_request(bytes: &[u8]) {
    match plugin::respond(bytes, |_| ()) {
        Ok(answer) => {
            let answer = CodeGeneratorResponse::parse_from_bytes(&answer).expect("the plugin wrote it");
            assert!(answer.file.is_empty() || !answer.has_error(), "{}", answer.error());
            assert!(!answer.error().contains(OF_ITS_OWN), "{}", answer.error());
        }
        Err(Error::Request { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// What the generator says where it is at fault itself.
const OF_ITS_OWN: &str = "no Rust";
