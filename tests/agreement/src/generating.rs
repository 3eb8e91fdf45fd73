//! The generator answers any input: with code, or with what is wrong and where.
//!
//! Invariant: text that is no Rust, which the generator finds out for itself, is
//! a fault of the generator's, whatever it was given.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use protobuf::Message as _;
use protobuf::plugin::CodeGeneratorResponse;
use protoc_gen_riak::{Config, Error, plugin};

use crate::sample::{Field, Nature, Sampler, Wire};
use crate::tape::Tape;
use crate::{peer, wire};

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

/// Takes choices for the descriptors of a request, as no `protoc` would send
/// them: of any shape that descriptors have.
///
/// # Panics
///
/// As [`check_request`] does.
pub fn check_descriptors(choices: &[u8]) {
    let file = peer::descriptor("google.protobuf.FileDescriptorProto");
    let mut tape = Tape::new(choices);
    let mut request = Vec::new();
    for _ in 0..=tape.below(2) {
        let descriptor = wire::plain(&Sampler::new(&mut tape).message(&file));
        // The first field of a file is its name, and of a request what to generate.
        if let Some((0x0a, rest)) = descriptor.split_first()
            && let Some((len @ 0..=127, rest)) = rest.split_first()
        {
            request.extend([&[0x0a, *len][..], &rest[..usize::from(*len)]].concat());
        }
        let field = Field { number: 15, value: Wire::Bytes(descriptor), nature: Nature::Repeated };
        request.extend(wire::plain(&[field]));
    }
    check_request(&request);
}

/// What the generator says where it is at fault itself.
const OF_ITS_OWN: &str = "no Rust";
