//! Compares blobs and read buffers with simple models: vectors and a queue.
//!
//! Invariant: the models are safe code that copies every byte.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Blob, ReadBuffer};
use crate::dice::Dice;

/// Lengths around which the representation changes.
const LENGTHS: &[usize] = &[0, 1, 5, 22, 23, 24, 25, 100, 511, 512, 513, 700, 2048, 5000];

/// A blob, and the vector that models it.
type Pair = (Blob, Vec<u8>);

fn check((blob, model): &Pair) {
    assert_eq!(blob.as_slice(), model);
    assert_eq!((blob.len(), blob.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(blob.clone().into_vec(), *model);
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Creates a blob that shares nothing with another one.
fn new_pair(dice: &mut Dice) -> Pair {
    static STATIC: [u8; 600] = [7; 600];
    let len = dice.one_of(LENGTHS);
    let model = dice.bytes(len);
    match dice.below(6) {
        0 => (Blob::copy_from_slice(&model), model),
        1 => (Blob::from(model.clone()), model),
        2 => {
            let mut roomy = Vec::with_capacity(len + dice.below(2000));
            roomy.extend_from_slice(&model);
            (Blob::from(roomy), model)
        }
        3 => (model.iter().copied().collect(), model),
        4 => {
            let bytes = &STATIC[..len.min(600)];
            (Blob::from_static(bytes), bytes.to_vec())
        }
        _ => (Blob::from(model.clone().into_boxed_slice()), model),
    }
}

/// Creates a blob from an existing one.
fn derived_pair((blob, model): &Pair, dice: &mut Dice) -> Pair {
    match dice.below(4) {
        0 => (blob.clone(), model.clone()),
        1 => {
            let start = dice.below(model.len() + 1);
            let end = start + dice.below(model.len() - start + 1);
            (blob.slice(start..end), model[start..end].to_vec())
        }
        2 => {
            let foreign = dice.bytes_of(LENGTHS);
            (blob.share(&foreign), foreign)
        }
        _ => (blob.clone().into_heap(), model.clone()),
    }
}

#[test]
fn blobs_are_as_the_vectors_they_stand_for() {
    let mut dice = Dice::new(1);
    let mut pairs: Vec<Pair> = vec![new_pair(&mut dice)];
    for step in 0..Dice::times(30_000) {
        let index = dice.below(pairs.len());
        match dice.below(8) {
            0..3 => pairs.push(new_pair(&mut dice)),
            3..6 => pairs.push(derived_pair(&pairs[index], &mut dice)),
            6 if pairs.len() > 1 => drop(pairs.swap_remove(index)),
            // Move the blob to another place, through an `Option` of the same size.
            _ => {
                let moved = Some(pairs.swap_remove(index));
                pairs.extend(moved);
            }
        }
        let (last, other) = (&pairs[pairs.len() - 1], &pairs[dice.below(pairs.len())]);
        check(last);
        assert_eq!(last.0.cmp(&other.0), last.1.cmp(&other.1));
        assert_eq!(last.0 == other.0, last.1 == other.1);
        assert_eq!(hash(&last.0), hash(last.1.as_slice()));
        if step % 100 == 0 {
            pairs.iter().for_each(check);
            pairs.truncate(50);
        }
    }
}

#[test]
fn blobs_are_shared_among_threads() {
    let mut dice = Dice::new(2);
    let model = dice.bytes(4096);
    let blob = Blob::from(model.clone());
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (blob, model) = (blob.clone(), &model);
            scope.spawn(move || {
                let mut dice = Dice::new(seed);
                let mut pair = (blob, model.clone());
                for _ in 0..Dice::times(2000) {
                    let next = derived_pair(&pair, &mut dice);
                    check(&next);
                    // The original count may be released here.
                    pair = if next.1.len() > 600 { next } else { (Blob::from(model), model.clone()) };
                }
            });
        }
    });
    assert_eq!(blob, model);
}

#[test]
fn read_buffers_are_as_queues() {
    let mut dice = Dice::new(3);
    for block in [1, 64, 1000] {
        let mut buffer = ReadBuffer::new(block);
        let mut model: VecDeque<u8> = VecDeque::new();
        let mut taken: Vec<Pair> = Vec::new();
        for step in 0..Dice::times(10_000) {
            match dice.below(4) {
                0 | 1 => {
                    let least = dice.below(200);
                    let spare = buffer.spare(least);
                    assert!(spare.len() >= least);
                    let count = spare.len().min(dice.below(300));
                    let bytes = dice.bytes(count);
                    spare[..count].copy_from_slice(&bytes);
                    buffer.advance(count);
                    model.extend(bytes);
                }
                2 => {
                    let count = dice.below(model.len() + 1);
                    taken.push((buffer.take(count), model.drain(..count).collect()));
                }
                _ => {
                    let count = dice.below(model.len() + 1);
                    buffer.skip(count);
                    model.drain(..count);
                }
            }
            assert_eq!(buffer.filled(), model.make_contiguous());
            // What was taken does not change, whatever arrives later.
            if taken.len() > 20 || step % 500 == 0 {
                taken.iter().for_each(check);
                taken.drain(..taken.len() / 2);
            }
        }
    }
}
