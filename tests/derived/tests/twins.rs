//! Derived types decode and encode as the generated ones do: frames recorded from a real
//! node, and random messages, valid and damaged.

mod random;

use std::fs;
use std::path::Path;
use std::thread;

use riak_derived::derived::TWINS;
use riak_runtime::Blob;
use serde_json::Value;

/// The number of random messages of each type.
const RANDOM: usize = 10_000;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|index| u8::from_str_radix(&text[index..index + 2], 16).unwrap()).collect()
}

#[test]
fn recorded_frames_are_decoded_alike() {
    let transcripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/transcripts");
    let mut checked = 0;
    for file in fs::read_dir(transcripts).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let frames = ["send", "recv"].into_iter().flat_map(|side| line[side].as_array().unwrap());
            for frame in frames {
                let (Some(code), Some(body)) = (frame["code"].as_u64(), frame["hex"].as_str()) else {
                    continue;
                };
                let body = Blob::from(hex(body));
                for twin in TWINS.iter().filter(|twin| twin.code.map(u64::from) == Some(code)) {
                    let _ = twin.check(&body);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 300, "only {checked} frames were found");
}

#[test]
fn random_messages_are_decoded_alike() {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let files = ["riak.proto", "riak_kv.proto", "riak_dt.proto"].map(|file| proto.join(file));
    let schema = riak_declare::schema(proto, files.into()).unwrap();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            let schema = &schema;
            scope.spawn(move || {
                for twin in TWINS.iter().skip(first).step_by(threads) {
                    random::compare(twin, schema, RANDOM);
                }
            });
        }
    });
}
