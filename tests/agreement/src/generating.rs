//! Property: the generator answers any input with code, or with the faults and their positions.
//!
//! Invariant: generated text that is not valid Rust, which the generator checks itself, is
//! a fault of the generator, whatever the input.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use protobuf::Message as _;
use protobuf::plugin::CodeGeneratorResponse;
use protoc_gen_riak::{Config, Error, plugin};

use crate::choices::Choices;
use crate::sample::{Field, Nature, Sampler, Wire};
use crate::{peer, wire};

/// Generates code from the text of a schema, which may import Riak's.
///
/// # Panics
///
/// If the answer is neither code nor faults of the text.
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

/// Passes bytes to the plugin as the request from `protoc`.
///
/// # Panics
///
/// If `protoc` could not read the answer, or the answer says that the generator failed.
pub fn check_request(bytes: &[u8]) {
    match plugin::respond(bytes, |_| ()) {
        Ok(answer) => {
            let answer = CodeGeneratorResponse::parse_from_bytes(&answer).expect("the plugin wrote it");
            assert!(answer.file.is_empty() || !answer.has_error(), "{}", answer.error());
            assert!(!answer.error().contains(GENERATOR_FAULT), "{}", answer.error());
        }
        Err(Error::Request { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Passes random descriptors to the plugin, of any shape that the messages for descriptors
/// allow, including those that `protoc` would never send.
///
/// # Panics
///
/// As [`check_request`] does.
pub fn check_descriptors(bytes: &[u8]) {
    let file = peer::descriptor("google.protobuf.FileDescriptorProto");
    let mut choices = Choices::new(bytes);
    let mut request = Vec::new();
    for _ in 0..=choices.below(2) {
        let descriptor = wire::canonical(&Sampler::new(&mut choices).message(&file));
        // The name is the first field of a file; in the request, field 1 names a file to generate.
        if let Some((0x0a, rest)) = descriptor.split_first()
            && let Some((len @ 0..=127, rest)) = rest.split_first()
        {
            request.extend([&[0x0a, *len][..], &rest[..usize::from(*len)]].concat());
        }
        let field = Field { number: 15, value: Wire::Bytes(descriptor), nature: Nature::Repeated };
        request.extend(wire::canonical(&[field]));
    }
    check_request(&request);
}

/// The text in which the generator reports a fault of its own.
const GENERATOR_FAULT: &str = "no Rust";
