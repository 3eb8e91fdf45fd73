//! [`Identities`]: vtags, generated keys, and the node's actor in vclocks.
//!
//! Invariant: a seed gives the same sequence every time. Without a seed, two nodes
//! share no identities.

use std::hash::{BuildHasher, RandomState};

use riak_runtime::Blob;

use crate::crdt::Epoch;
use crate::sha1;
use crate::vclock::{Actor, Dot};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A generator of unique names and counters.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    seed: u64,
    /// The node's actor in vclocks.
    actor: Actor,
    names: u64,
    writes: u64,
    epochs: u32,
}

impl Identities {
    /// Creates a generator from a seed, or from a random one.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        // The standard library seeds its hash maps from the system's random numbers.
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("riak-testkit"));
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] =
            sha1::digest(&[&seed.to_be_bytes()[..], b"actor"].concat());
        let actor = Actor::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        Self { seed, actor, names: 0, writes: 0, epochs: 0 }
    }

    /// Returns the dot of the next write.
    pub(crate) fn next_dot(&mut self) -> Dot {
        self.writes += 1;
        Dot { actor: self.actor, counter: self.writes }
    }

    /// Returns the actor of a data type that is new under its key: the node's actor
    /// and a counter, as long as Riak's actors are.
    pub(crate) fn next_epoch(&mut self) -> Epoch {
        self.epochs = self.epochs.wrapping_add(1);
        let mut next_epoch = [0; 12];
        next_epoch[..8].copy_from_slice(&self.actor.to_be_bytes());
        next_epoch[8..].copy_from_slice(&self.epochs.to_be_bytes());
        next_epoch
    }

    /// Generates a key for an object that was put without one: 160 bits in base 62,
    /// usually 27 characters.
    pub(crate) fn key(&mut self) -> Blob {
        base62(&self.next()).into()
    }

    /// Generates a vtag for a version: 128 bits in base 62, usually 22 characters.
    pub(crate) fn vtag(&mut self) -> Blob {
        base62(&self.next()[..16]).into()
    }

    fn next(&mut self) -> [u8; 20] {
        self.names += 1;
        sha1::digest(&[self.seed.to_be_bytes(), self.names.to_be_bytes()].concat())
    }
}

/// Writes a big-endian number in base 62.
fn base62(bytes: &[u8]) -> Vec<u8> {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            [.., *byte] = (value / 62).to_be_bytes();
            rest = value % 62;
        }
        digits.push(DIGITS[rest as usize]);
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::{Identities, base62};

    #[test]
    fn the_same_seed_gives_the_same_names() {
        let (mut one, mut two) = (Identities::new(Some(7)), Identities::new(Some(7)));
        assert_eq!(one.vtag(), two.vtag());
        assert_eq!(one.key(), two.key());
        assert_eq!(one.next_dot(), two.next_dot());
        assert_eq!(one.next_epoch(), two.next_epoch());
        assert_ne!(one.next_epoch(), one.next_epoch());
        assert_ne!(one.key(), one.key());
        assert_ne!(Identities::new(None).next_dot(), Identities::new(None).next_dot());
    }

    #[test]
    fn names_have_the_length_of_real_ones() {
        let mut names = Identities::new(Some(1));
        for _ in 0..100 {
            assert!((20..=22).contains(&names.vtag().len()));
            assert!((25..=27).contains(&names.key().len()));
        }
    }

    #[test]
    fn numbers_are_written_in_base_62() {
        assert_eq!(base62(&[61]), b"z");
        assert_eq!(base62(&[62]), b"10");
        assert_eq!(base62(&[1, 0]), b"48");
        assert_eq!(base62(&[0]), b"");
    }
}
