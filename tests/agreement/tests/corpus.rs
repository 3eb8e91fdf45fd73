//! What fuzzing has kept: every file of `tests/fuzz/corpus`, as an ordinary test.
//!
//! Invariant: each fuzz target has a corpus, and each corpus is asked about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use riak_agreement::{agreement, decoding, frames, generating, heap, varints};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// The claim that a fuzz target asks of its input.
type Claim = fn(&[u8]);

const TARGETS: [(&str, Claim); 8] = [
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
fn every_target_has_its_claim() {
    let targets: BTreeSet<String> = files(&fuzz().join("targets"))
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(targets, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn what_was_kept_holds() {
    for (target, claim) in TARGETS {
        let kept = files(&fuzz().join("corpus").join(target));
        assert!(!kept.is_empty(), "{target} has no corpus");
        for file in kept {
            let data = fs::read(&file).unwrap();
            // The file says more than the claim does of what it was given.
            if let Err(failure) = std::panic::catch_unwind(|| claim(&data)) {
                eprintln!("this was {}", file.display());
                std::panic::resume_unwind(failure);
            }
        }
    }
}

/// The first byte chooses the message: of each there is something.
#[test]
fn every_message_has_been_decoded() {
    let decoded: BTreeSet<usize> = files(&fuzz().join("corpus/decoding"))
        .iter()
        .filter_map(|file| fs::read(file).unwrap().first().map(|first| usize::from(*first)))
        .map(|first| first % riak_agreement::KINDS.len())
        .collect();
    assert_eq!(decoded.len(), riak_agreement::KINDS.len());
}
