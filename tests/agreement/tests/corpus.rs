//! The fuzzing corpus: checks every file of `tests/fuzz/corpus` as an ordinary test.
//!
//! Invariant: each fuzz target has a corpus, and each corpus is checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use riak_agreement::{agreement, decoding, frames, generating, heap, varints};

#[global_allocator]
static HEAP: heap::CountingAllocator = heap::CountingAllocator;

/// The property that a fuzz target checks.
type Property = fn(&[u8]);

const TARGETS: [(&str, Property); 8] = [
    ("agreement", agreement::check),
    ("decoding", decoding::check),
    ("descriptors", generating::check_descriptors),
    ("frames", frames::check),
    ("peer", agreement::check_bytes),
    ("plugin_request", generating::check_request),
    ("schema_text", generating::check_text),
    ("varints", varints::check),
];

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_target_has_its_property() {
    let targets: BTreeSet<String> = files(&fuzz().join("targets"))
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(targets, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn the_corpus_satisfies_all_properties() {
    for (target, property) in TARGETS {
        let inputs = files(&fuzz().join("corpus").join(target));
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for file in inputs {
            let data = fs::read(&file).unwrap();
            // The panic message names the input only in part, so print its file.
            if let Err(failure) = std::panic::catch_unwind(|| property(&data)) {
                eprintln!("this was {}", file.display());
                std::panic::resume_unwind(failure);
            }
        }
    }
}

/// The first byte selects the message type, and every type occurs.
#[test]
fn the_corpus_covers_every_message() {
    let decoded: BTreeSet<usize> = files(&fuzz().join("corpus/decoding"))
        .iter()
        .filter_map(|file| fs::read(file).unwrap().first().map(|first| usize::from(*first)))
        .map(|first| first % riak_agreement::KINDS.len())
        .collect();
    assert_eq!(decoded.len(), riak_agreement::KINDS.len());
}
